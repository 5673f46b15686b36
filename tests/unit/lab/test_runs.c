/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "lab/folder.h"
#include "tests/lib/check.h"

#define PRIVACY                                                                                    \
    "\"privacy\": {\"unit\": \"patient\", \"adjacency\": \"add or remove one\", \"delta\": 1e-5, " \
    "\"colluding\": 1, \"limit\": {\"server_and_colluding_sites\": 2.9},"                          \
    "\"spent\": {\"server_and_colluding_sites\": 1.5}}"
#define RESULT                                                                                     \
    "{\"result\": {\"accuracy\": 0.8, \"auc\": null}, \"parameters\": 100, \"sites\": 2, "         \
    "\"dropout\": 0.25, " PRIVACY ", \"rounds\": ["                                                \
    "{\"round\": 1, \"opened\": true, \"kept\": 100, "                                             \
    "\"epsilon\": {\"server_and_colluding_sites\": 0.4}},"                                         \
    "{\"round\": 2, \"opened\": false, \"kept\": 40, \"accuracy\": 0.5, "                          \
    "\"epsilon\": {\"server_and_colluding_sites\": 1.0}}], "                                       \
    "\"per_site\": [{\"records\": 10, \"accuracy\": 0.4}, {\"records\": 90, \"accuracy\": 7}], "   \
    "\"allocation\": {\"min_holders\": 2, \"rounds_held\": [[3, 1], [0, -5], \"x\"]}}"
#define MANIFEST "{\"parameters\": {\"method\": \"random\", \"epsilon\": 3.0, \"seed\": 1}}"
#define DONE "{\"state\": \"done\", \"exit\": 0}"

static json_t *parsed(const char *text)
{
    json_t *d = NULL;
    if (text != NULL)
        CHECK_OK(document_parse(&d, (struct view){(const uint8_t *)text, strlen(text)}));
    return d;
}

/* Add a run made of these texts; NULL: there is no such document. */
static struct run *add(struct runs *runs, const char *manifest, const char *status,
                       const char *result, const char *mia, const char *canary)
{
    json_t *d[RUN_DOCUMENTS] = {parsed(manifest), parsed(status), parsed(result), parsed(mia),
                                parsed(canary)};
    struct run *run = &runs->run[runs->n++];
    (void)snprintf(run->name, sizeof run->name, "%04zu", runs->n);
    CHECK_OK(runs_fill(run, d));
    for (size_t i = 0; i < RUN_DOCUMENTS; i++) document_free(&d[i]);
    return run;
}

static struct runs room_for(size_t n)
{
    return (struct runs){.run = calloc(n, sizeof(struct run))};
}

static void a_finished_run_says_what_it_came_to(void)
{
    AUTO(runs_free) struct runs runs = room_for(1);
    const struct run *r =
        add(&runs, MANIFEST, DONE, RESULT,
            "{\"attacks\": [{\"points\": [{\"fpr_target\": 0.01, \"tpr\": 0.02}, "
            "{\"fpr_target\": 0.001, \"tpr\": 0.9}]}, {\"points\": [{\"fpr_target\": 0.01, "
            "\"tpr\": 0.05}]}]}",
            "{\"headline\": {\"epsilon_lower_bound\": 0.7}}");
    CHECK(r->state == RUN_DONE && strcmp(r->method, "random") == 0);
    CHECK_CLOSE(0.8, r->accuracy, 0);
    CHECK(isnan(r->auc) && isnan(r->balanced) && isnan(r->bytes_up));
    CHECK_CLOSE(3.0, r->target, 0);
    CHECK_CLOSE(2.9, r->limit, 0);
    CHECK_CLOSE(1.5, r->spent, 0);
    CHECK_CLOSE(0.4, r->kept, 1e-12);
    CHECK(r->rounds == 2 && r->opened == 1 && r->n_curve == 2 && r->scored == 1);
    CHECK(r->curve[1].round == 2 && isnan(r->curve[0].accuracy));
    CHECK_CLOSE(0.4, r->curve[0].epsilon, 0);
    CHECK_CLOSE(1.0, r->curve[1].epsilon, 0);
    CHECK_CLOSE(0.05, r->attack_tpr, 0);
    CHECK_CLOSE(0.7, r->attack_bound, 0);
    CHECK(strstr(r->frame, "unit patient") != NULL && strstr(r->frame, "delta 1e-05") != NULL);
    CHECK(strstr(r->frame, "1 colluding site") != NULL);
}

static void what_cannot_be_of_sites_and_blocks_is_left_out(void)
{
    AUTO(runs_free) struct runs runs = room_for(1);
    const struct run *r = add(&runs, MANIFEST, DONE, RESULT, NULL, NULL);
    CHECK_NUMBER(2, r->n_sites);
    CHECK_CLOSE(10, r->site[0].records, 0);
    CHECK_CLOSE(0.4, r->site[0].own, 0);
    CHECK(isnan(r->site[0].test) && isnan(r->site[1].own));
    CHECK(r->blocks == 3 && r->min_holders == 2);
    static const uint32_t want[] = {3, 1, 0, 0, 0, 0};
    CHECK_BYTES(want, r->held, sizeof want);
}

/* Few bytes must not ask for much memory: 512 empty lists of 2048 sites are 4 MiB. */
static void blocks_take_no_more_memory_than_what_is_said_of_them(void)
{
    AUTO(runs_free) struct runs runs = room_for(2);
    AUTO(buffer_free) struct buffer text = {0};
    static const char head[] = "{\"sites\": 2048, \"allocation\": {\"rounds_held\": [[1]";
    write_bytes(&text, head, sizeof head - 1);
    for (int i = 1; i < RUNS_BLOCKS_MAX; i++) write_bytes(&text, ",[]", 3);
    write_bytes(&text, "]}}", 4);
    const struct run *r = add(&runs, MANIFEST, DONE, (const char *)text.at, NULL, NULL);
    CHECK(r->held == NULL && r->blocks == 0);
    r = add(&runs, MANIFEST, DONE,
            "{\"sites\": 8, \"allocation\": {\"rounds_held\": [[1], [0, 2]]}}", NULL, NULL);
    CHECK(r->blocks == 2 && r->held[9] == 2);
}

static void an_epsilon_is_never_shown_below_what_is_enforced(void)
{
    AUTO(runs_free) struct runs runs = room_for(3);
    const char *result = "{\"result\": {\"accuracy\": 0.8}, " PRIVACY "}";
    CHECK_CLOSE(
        2.9, add(&runs, "{\"parameters\": {\"epsilon\": 1}}", DONE, result, NULL, NULL)->target, 0);
    CHECK_CLOSE(2.9, add(&runs, "{}", DONE, result, NULL, NULL)->target, 0);
    const struct run *r = add(&runs, "{\"parameters\": {\"epsilon\": 1}}", DONE,
                              "{\"result\": {\"accuracy\": 0.8}, \"privacy\": {\"limit\": "
                              "{\"server_and_colluding_sites\": null}}}",
                              NULL, NULL);
    CHECK(isinf(r->target) && isinf(r->limit) && isnan(r->spent));
}

static void yardsticks_have_no_epsilon(void)
{
    AUTO(runs_free) struct runs runs = room_for(1);
    const struct run *r =
        add(&runs, MANIFEST, DONE, "{\"result\": {\"accuracy\": 0.8}}", NULL, NULL);
    CHECK(r->frame[0] == 0 && isnan(r->target) && r->state == RUN_DONE);
}

static void runs_without_a_result_say_why(void)
{
    AUTO(runs_free) struct runs runs = room_for(6);
    const struct run *r =
        add(&runs, MANIFEST, "{\"state\": \"failed\", \"exit\": 5, \"why\": \"E-QUORUM\"}", NULL,
            NULL, NULL);
    CHECK(r->state == RUN_FAILED && strcmp(r->why, "exit 5: E-QUORUM") == 0);
    r = add(&runs, MANIFEST, "{\"state\": \"running\"}", NULL, NULL, NULL);
    CHECK(r->state == RUN_RUNNING);
    r = add(&runs, MANIFEST, NULL, RESULT, NULL, NULL);
    CHECK(r->state == RUN_UNREADABLE && strcmp(r->why, "it has no status.json") == 0);
    r = add(&runs, NULL, DONE, RESULT, NULL, NULL);
    CHECK(r->state == RUN_UNREADABLE && strcmp(r->why, "it has no manifest.json") == 0);
    r = add(&runs, MANIFEST, DONE, "{\"result\": {\"accuracy\": 1.5}}", NULL, NULL);
    CHECK(r->state == RUN_FAILED && strcmp(r->why, "it has no result") == 0);
    r = add(&runs, MANIFEST, "{\"state\": 7}", "{\"stop\": \"too few\"}", NULL, NULL);
    CHECK(r->state == RUN_FAILED && strcmp(r->why, "exit 0: too few") == 0);
}

static void labels_have_what_differs_but_the_seed(void)
{
    AUTO(runs_free) struct runs runs = room_for(5);
    static const char *const parameters[] = {
        "{\"parameters\": {\"method\": \"a\", \"epsilon\": 1, \"keep\": 0.5, \"seed\": 1}}",
        "{\"parameters\": {\"method\": \"a\", \"epsilon\": 1, \"keep\": 0.5, \"seed\": 2}}",
        "{\"parameters\": {\"method\": \"b\", \"epsilon\": \".inf\", \"keep\": 0.5, \"seed\": 1}}",
        "{\"parameters\": {\"method\": \"b\", \"epsilon\": 1, \"keep\": 0.5, \"new\": true}}",
        "{\"parameters\": {\"method\": \"c\", \"epsilon\": 1, \"keep\": 0.9, \"seed\": 1}}"};
    for (size_t i = 0; i < 5; i++) (void)add(&runs, parameters[i], DONE, RESULT, NULL, NULL);
    CHECK_OK(runs_compare(&runs));
    CHECK(strcmp(runs.run[0].label, "a, epsilon 1") == 0);
    CHECK(strcmp(runs.run[2].label, "b, epsilon \xE2\x88\x9E") == 0);
    CHECK(strcmp(runs.run[3].label, "b, epsilon 1, new yes") == 0);
    /* its method says what it keeps */
    CHECK(strcmp(runs.run[4].label, "c, epsilon 1") == 0);
    CHECK(runs.run[1].cell == 0 && runs.run[2].cell == 2 && runs.run[3].cell == 3);
    char label[RUNS_LABEL_MAX];
    runs_label(label, &runs, &runs.run[2], "epsilon");
    CHECK(strcmp(label, "b") == 0);
}

static void settings_that_do_not_fit_are_not_mixed_up(void)
{
    AUTO(runs_free) struct runs runs = room_for(2);
    for (char last = 'x'; last <= 'y'; last++) {
        char text[400], value[300];
        memset(value, 'v', sizeof value - 2);
        value[sizeof value - 2] = last;
        value[sizeof value - 1] = 0;
        (void)snprintf(text, sizeof text, "{\"parameters\": {\"long\": \"%s\"}}", value);
        (void)add(&runs, text, DONE, RESULT, NULL, NULL);
    }
    CHECK_OK(runs_compare(&runs));
    CHECK(strcmp(runs.run[0].label, "run 0001") == 0);
    CHECK_NUMBER(1, runs.run[1].cell);
}

static void long_courses_are_thinned_to_their_end(void)
{
    AUTO(runs_free) struct runs runs = room_for(1);
    AUTO(buffer_free) struct buffer text = {0};
    static const char head[] = "{\"result\": {\"accuracy\": 0.5}, \"rounds\": [";
    write_bytes(&text, head, sizeof head - 1);
    for (int i = 1; i <= 5000; i++) {
        char row[64];
        const int n =
            snprintf(row, sizeof row, "%s{\"round\": %d, \"accuracy\": 0.5}", i == 1 ? "" : ",", i);
        write_bytes(&text, row, (size_t)n);
    }
    write_bytes(&text, "]}", 3);
    const struct run *r = add(&runs, MANIFEST, DONE, (const char *)text.at, NULL, NULL);
    CHECK(r->n_curve > 100 && r->n_curve <= RUNS_CURVE_MAX);
    CHECK_NUMBER(5000, r->curve[r->n_curve - 1].round);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[FILE_PATH_MAX];
    CHECK_OK(file_path(path, sizeof path, folder, name));
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, strlen(text)}, 0600));
}

static void folders_are_read_in_order_and_unreadable_runs_stay(void)
{
    char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
    struct runs runs = {0};
    CHECK_STATUS(STATUS_IO, runs_read(&runs, "/absent"));
    CHECK_OK(folder_new(folder, folder_parent(), "runs"));
    CHECK_STATUS(STATUS_FORMAT, runs_read(&runs, folder));
    static const char *const name[] = {"0002", "0001", "0003", "other", "12"};
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(file_path(path, sizeof path, folder, name[i]));
        CHECK(mkdir(path, 0700) == 0);
        put(path, "manifest.json", MANIFEST);
        put(path, "status.json", DONE);
        put(path, "result.json", i == 2 ? "[]" : RESULT);
        put(path, "mia.json", "{{");
    }
    CHECK_OK(runs_read(&runs, folder));
    CHECK_NUMBER(3, runs.n);
    CHECK(strcmp(runs.run[0].name, "0001") == 0 && runs.run[0].state == RUN_DONE);
    CHECK(runs.run[2].state == RUN_UNREADABLE);
    CHECK(strcmp(runs.run[2].why, "result.json is no JSON object") == 0);
    CHECK_NUMBER(0, runs.run[1].cell);
    runs_free(&runs);
    CHECK(runs.run == NULL);
    folder_remove(folder);
}

int main(void)
{
    RUN(a_finished_run_says_what_it_came_to);
    RUN(what_cannot_be_of_sites_and_blocks_is_left_out);
    RUN(blocks_take_no_more_memory_than_what_is_said_of_them);
    RUN(an_epsilon_is_never_shown_below_what_is_enforced);
    RUN(yardsticks_have_no_epsilon);
    RUN(runs_without_a_result_say_why);
    RUN(labels_have_what_differs_but_the_seed);
    RUN(settings_that_do_not_fit_are_not_mixed_up);
    RUN(long_courses_are_thinned_to_their_end);
    RUN(folders_are_read_in_order_and_unreadable_runs_stay);
    return check_done();
}
