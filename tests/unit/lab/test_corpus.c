/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/corpus.h"

#include <string.h>

#include "lab/folder.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

static void the_ways_to_name_data_are_told_apart(void)
{
    const struct corpus right[] = {
        {0},
        {.data = "a.npz"},
        {.data = "a", .labels = "b", .test_data = "c", .test_labels = "d"},
    };
    const struct corpus wrong[] = {
        {.labels = "b"},
        {.test_data = "b"},
        {.data = "a.npz", .labels = "b"},
        {.data = "a.npz", .test_labels = "b"},
        {.data = "a"},
        {.data = "a", .labels = "b", .test_data = "c"},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        CHECK(corpus_usage(&right[i]) == NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(corpus_usage(&wrong[i]) != NULL);
}

static void idx_files_are_read_each_as_what_it_is(void)
{
    char folder[FILE_PATH_MAX], path[4][FILE_PATH_MAX];
    struct study study;
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset a = {0}, b = {0}, train = {0}, test = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_data(&a, &study, 30, 1);
    small_data(&b, &study, 20, 2);
    CHECK_OK(folder_new(folder, folder_parent(), "veilsum-test"));
    static const char *const name[4] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) CHECK_OK(file_path(path[i], FILE_PATH_MAX, folder, name[i]));
    CHECK_OK(idx_write(&a, path[0], path[1]));
    CHECK_OK(idx_write(&b, path[2], path[3]));
    const struct corpus corpus = {path[0], path[1], path[2], path[3]};
    CHECK_OK(corpus_read(&train, &test, &corpus, &why));
    const struct hash first = corpus_hash(&a), one = corpus_hash(&train);
    const struct hash second = corpus_hash(&b), two = corpus_hash(&test);
    CHECK(hash_equal(&first, &one) && hash_equal(&second, &two) && !hash_equal(&one, &two));
    folder_remove(folder);
    CHECK_STATUS(STATUS_IO, corpus_read(&train, &test, &corpus, &why));
    CHECK(strstr(why.text, "a") != NULL);
}

static void a_hash_is_of_shape_pixels_and_labels(void)
{
    struct study study;
    AUTO(dataset_free) struct dataset data = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_data(&data, &study, 10, 1);
    const struct hash before = corpus_hash(&data);
    data.pixel[5] ^= 1;
    const struct hash pixel = corpus_hash(&data);
    data.pixel[5] ^= 1;
    data.label[9] ^= 1;
    const struct hash label = corpus_hash(&data);
    data.label[9] ^= 1;
    data.height /= 2;
    data.width *= 2;
    const struct hash shape = corpus_hash(&data);
    CHECK(!hash_equal(&before, &pixel));
    CHECK(!hash_equal(&before, &label));
    CHECK(!hash_equal(&before, &shape));
}

int main(void)
{
    RUN(the_ways_to_name_data_are_told_apart);
    RUN(idx_files_are_read_each_as_what_it_is);
    RUN(a_hash_is_of_shape_pixels_and_labels);
    return check_done();
}
