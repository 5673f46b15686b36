/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: runs_fill, report_runs and report_audits (lab/report*.c). Input: one JSON object; it is
 * taken for an audit's document, and its members manifest, status, result, mia and canary for those
 * of a run. */
#include <stdio.h>
#include <stdlib.h>

#include "lab/report.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/tame.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    static const char *const part[RUN_DOCUMENTS] = {"manifest", "status", "result", "mia",
                                                    "canary"};
    struct report_audit audit = {.file = "input"};
    if (document_parse(&audit.document, (struct view){in, n}) != STATUS_OK) return 0;
    AUTO(page_free) struct page one = {0};
    report_audits(&one, &audit, 1, "folder");
    REQUIRE(page_status(&one) == STATUS_OK && tame_page(buffer_view(&one.html)));

    AUTO(runs_free) struct runs runs = {.n = 1, .run = calloc(1, sizeof *runs.run)};
    REQUIRE(runs.run != NULL);
    json_t *documents[RUN_DOCUMENTS];
    for (size_t i = 0; i < RUN_DOCUMENTS; i++)
        documents[i] = json_object_get(audit.document, part[i]);
    REQUIRE(runs_fill(runs.run, documents) == STATUS_OK);
    REQUIRE(runs_compare(&runs) == STATUS_OK);
    AUTO(page_free) struct page two = {0};
    report_runs(&two, &runs, "folder");
    REQUIRE(page_status(&two) == STATUS_OK && tame_page(buffer_view(&two.html)));
    document_free(&audit.document);
    return 0;
}
