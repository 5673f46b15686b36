/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lab/hearing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/lib/check.h"

static char folder[] = "/tmp/veilsum-verify-XXXXXX";
struct annals annals;
struct verify found;

static const char *path_of(uint32_t party)
{
    static char path[ANNALS_PARTIES][FILE_PATH_MAX];
    char name[8];
    (void)snprintf(name, sizeof name, "%u", party);
    REQUIRE(file_path(path[party], sizeof path[party], folder, name) == STATUS_OK);
    return path[party];
}

/* In no file that lasts: nothing waits for a disk. */
static void write_out(uint32_t party)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    annals_write(&bytes, &annals, party);
    FILE *file = fopen(path_of(party), "wb");
    REQUIRE(file != NULL);
    CHECK(fwrite(bytes.at, 1, bytes.n, file) == bytes.n);
    CHECK(fclose(file) == 0);
}

void hearing_audit(uint32_t parties)
{
    verify_free(&found);
    found.party = calloc(ANNALS_PARTIES, sizeof *found.party);
    REQUIRE(found.party != NULL);
    for (uint32_t p = 0; p < ANNALS_PARTIES; p++) {
        if ((parties >> p & 1) == 0) continue;
        write_out(p);
        CHECK_OK(verify_party(&found, path_of(p)));
    }
    CHECK_OK(verify_all(&found, NULL));
}

void hearing_begin(void)
{
    annals_close(&annals);
    annals_open(&annals, "privacy: {unit: site, epsilon: 8}\npruning: {mode: none}\n");
}

void hearing_begin_pruned(void)
{
    annals_close(&annals);
    annals_open(&annals, "privacy: {unit: site, epsilon: 8}\n"
                         "pruning: {mask: random, units: 0.5, weights: 0}\n");
}

void hearing_begin_refined(const char *mask)
{
    char settings[128];
    (void)snprintf(settings, sizeof settings,
                   "privacy: {unit: site, epsilon: 8}\n"
                   "pruning: {mask: %s, units: 0.5, weights: 0, refine_every: 2}\n",
                   mask);
    annals_close(&annals);
    annals_open(&annals, settings);
}

bool hearing_is_plain(const char *text)
{
    for (; *text != 0; text++)
        if (*text < ' ' || *text > '~') return false;
    return true;
}

void hearing_faulty(enum check check, const char *words)
{
    for (enum check i = 0; i < CHECK_COUNT; i++) {
        if ((found.found[i].faults > 0) != (i == check))
            printf("%d: %s\n", (int)i, found.found[i].what);
        CHECK((found.found[i].faults > 0) == (i == check));
        CHECK(hearing_is_plain(found.found[i].what));
    }
    if (strstr(found.found[check].what, words) == NULL) printf("%s\n", found.found[check].what);
    CHECK(strstr(found.found[check].what, words) != NULL);
}

void hearing_holds(void)
{
    for (enum check i = 0; i < CHECK_COUNT; i++) {
        if (found.found[i].faults > 0 || found.found[i].open)
            printf("%d: %s\n", (int)i, found.found[i].what);
        CHECK(found.found[i].faults == 0 && !found.found[i].open);
    }
}

void hearing_open(void)
{
    REQUIRE(mkdtemp(folder) != NULL);
}

void hearing_close(void)
{
    verify_free(&found);
    annals_close(&annals);
    for (uint32_t p = 0; p < ANNALS_PARTIES; p++) (void)unlink(path_of(p));
    (void)rmdir(folder);
}
