/* SPDX-License-Identifier: Apache-2.0 */
/* Feed files, and every file of folders, to a fuzz target: the corpus as an ordinary test, without
 * an engine. Fails when it found nothing to feed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz.h"

/* The allocation is as long as the input, so that a sanitizer sees a read past the end. */
static bool feed(const char *bytes, size_t n)
{
    uint8_t *input = malloc(n > 0 ? n : 1);
    if (input == NULL) return false;
    for (size_t i = 0; i < n; i++) input[i] = (uint8_t)bytes[i];
    LLVMFuzzerTestOneInput(input, n);
    free(input);
    return true;
}

/* Whether the file was fed. */
static bool feed_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    AUTO(buffer_free) struct buffer text = {0};
    char block[4096];
    for (size_t n = 1; n > 0;) {
        n = fread(block, 1, sizeof block, file);
        write_bytes(&text, block, n);
    }
    const bool read = ferror(file) == 0 && text.status == STATUS_OK;
    fclose(file);
    return read && feed((const char *)text.at, text.n);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* How many files of the folder were fed; -1 when one could not be. */
static int feed_folder(const char *path, struct dirent **entry, int n)
{
    int fed = 0;
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entry[i]->d_name);
        free(entry[i]);
        if (fed >= 0) fed = feed_file(name) ? fed + 1 : -1;
    }
    free(entry);
    return fed;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entry = NULL;
        const int n = scandir(argv[i], &entry, is_visible, alphasort);
        const int fed = n >= 0 ? feed_folder(argv[i], entry, n) : feed_file(argv[i]) ? 1 : -1;
        if (fed < 0) {
            printf("%s: cannot be read\n", argv[i]);
            return 1;
        }
        total += fed;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
