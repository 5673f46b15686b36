/* SPDX-License-Identifier: Apache-2.0 */
/* Studies that are written, and varied. */
#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/clerk.h"

#define PATIENT                                                                                    \
    "study: {id: s, title: \"a \\\"b\\\"\", rehearsal: true}\n"                                    \
    "sites: {expected: 12, min_contributors: 2}\n"                                                 \
    "model: {kind: mlp, hidden: [3, 4]}\n"                                                         \
    "privacy: {sampling: 0.1, records: 1000, delta: 1.0e-6}\n"                                     \
    "pruning: {mask: random, weights: 0}\n"

/* What follows from the bytes is told apart. */
static void same(const struct study *a, const struct study *b)
{
    struct study x = *a, y = *b;
    x.hash = y.hash = (struct hash){0};
    CHECK_BYTES(&x, &y, sizeof x);
}

static struct study vary(const char *text, const struct study_change *change, size_t n)
{
    struct study out = {0};
    CHECK_OK(study_vary(&out, clerk_view(text), change, n, &clerk_why));
    return out;
}

static void refuses(const struct study_change change, enum status status, const char *words)
{
    struct study out = {0};
    CHECK_STATUS(status, study_vary(&out, clerk_view(PATIENT), &change, 1, &clerk_why));
    CHECK(strstr(clerk_why.text, words) != NULL);
    CHECK_NUMBER(0, clerk_why.line);
    CHECK_NUMBER(0, out.schema);
}

static void a_written_study_is_the_study(void)
{
    static const char *const texts[] = {CLERK_SITE, PATIENT};
    for (size_t i = 0; i < 2; i++) {
        AUTO(buffer_free) struct buffer text = {0};
        struct study back = {0};
        const struct study study = clerk_read(texts[i]);
        study_write(&text, &study);
        CHECK_OK(text.status);
        CHECK_OK(study_parse(&back, buffer_view(&text), &clerk_why));
        same(&study, &back);
        const struct study varied = vary(texts[i], NULL, 0);
        CHECK(hash_equal(&varied.hash, &back.hash));
        same(&study, &varied);
    }
}

static void changes_are_as_if_the_text_had_them(void)
{
    const struct study_change change[] = {{"model", "hidden", "5, 6, 7"},
                                          {"privacy", "epsilon", "2"},
                                          {"privacy", "epsilon", ".inf"},
                                          {"pruning", "mode", "none"},
                                          {"pruning", "mask", "explored"}};
    const struct study s = vary(PATIENT, change, 5);
    CHECK_NUMBER(3, s.model.spec.n_hidden);
    CHECK_NUMBER(7, s.model.spec.hidden[2]);
    CHECK(isinf(s.privacy.epsilon));
    CHECK_NUMBER(STUDY_PRUNING_NONE, s.pruning.mode);
}

static void what_was_not_said_follows_from_the_change(void)
{
    const struct study before = vary(PATIENT, NULL, 0);
    CHECK_NUMBER(7, before.sites.threshold);
    const struct study_change sites = {"sites", "expected", "4"};
    const struct study s = vary(PATIENT, &sites, 1);
    CHECK_NUMBER(4, s.sites.expected);
    CHECK_NUMBER(3, s.sites.threshold);
    const struct study_change more = {"sites", "min_contributors", "5"};
    CHECK_NUMBER(6, vary(PATIENT, &more, 1).allocation.min_holders);
}

static void a_key_is_its_section_s(void)
{
    const struct study_change mode = {"allocation", "mode", "none"};
    const struct study s = vary(PATIENT, &mode, 1);
    CHECK_NUMBER(STUDY_ALLOCATION_NONE, s.allocation.mode);
    CHECK_NUMBER(STUDY_PRUNING_PRIVATE, s.pruning.mode);
}

static void unit_site_takes_sampling_and_records_away(void)
{
    const struct study_change unit[] = {{"privacy", "unit", "site"}};
    const struct study s = vary(PATIENT, unit, 1);
    CHECK_NUMBER(STUDY_SITE, s.privacy.unit);
    CHECK_NUMBER(0, s.privacy.records);
    CHECK_CLOSE(0.0, s.privacy.sampling, 0.0);
    CHECK_CLOSE(1.0, s.evaluation.ratio, 0.0);
}

static void wrong_changes_are_refused(void)
{
    refuses((struct study_change){"privacy", "epsilon", "three"}, STATUS_RANGE, "not a number");
    refuses((struct study_change){"privacy", "nothing", "1"}, STATUS_RANGE, "no key");
    refuses((struct study_change){"privacy", "epsilon", "1\", delta: \"0.1"}, STATUS_RANGE,
            "no key and value");
    static char endless[4 * SETTINGS_TEXT_MAX];
    memset(endless, '1', sizeof endless - 1);
    refuses((struct study_change){"privacy", "epsilon", endless}, STATUS_RANGE, "is too long");
    refuses((struct study_change){"sites", "colluding", "12"}, STATUS_RANGE, "nobody is protected");
}

static void out_of_memory_leaves_nothing(void)
{
    const struct study_change change = {"sites", "expected", "4"};
    OOM_EACH {
        struct study s = {0};
        const enum status status = study_vary(&s, clerk_view(PATIENT), &change, 1, &clerk_why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK_NUMBER(status == STATUS_OK ? 4 : 0, s.sites.expected);
    }
}

int main(void)
{
    RUN(a_written_study_is_the_study);
    RUN(changes_are_as_if_the_text_had_them);
    RUN(what_was_not_said_follows_from_the_change);
    RUN(a_key_is_its_section_s);
    RUN(unit_site_takes_sampling_and_records_away);
    RUN(wrong_changes_are_refused);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
