/* SPDX-License-Identifier: Apache-2.0 */
/* What a bound and a claim come to. */
#include "lab/subject.h"

#include <string.h>

#include "tests/lib/check.h"

/* A bound beside a claim of 4 (none: 0), where all guesses right would have proved `most`. */
static struct verdict judge(double bound, double most, double claimed)
{
    static struct verdict_claim claim;
    static struct verdict_headline headline;
    claim = (struct verdict_claim){.epsilon = claimed, .delta = 1e-5};
    headline = (struct verdict_headline){"one-run", bound, 0.95};
    struct verdict v = {.claim = claimed > 0 ? &claim : NULL, .headline = &headline};
    subject_judge(&v, most, " More.");
    return v;
}

static bool says(const struct verdict *v, const char *words)
{
    return strstr(v->summary, words) != NULL && strstr(v->summary, " More.") != NULL;
}

static void a_bound_above_the_claim_refutes_it(void)
{
    const struct verdict v = judge(4.00001, 9, 4);
    CHECK(v.finding == FINDING_FAIL);
    CHECK(says(&v, "95 % confidence an epsilon of at least 4.0000, and 4.0000 is claimed"));
}

static void a_bound_that_could_have_been_above_it_does_not(void)
{
    const struct verdict v = judge(4, 4.1, 4);
    CHECK(v.finding == FINDING_PASS);
    CHECK(says(&v, "does not refute the claim"));
}

static void too_few_guesses_leave_it_open(void)
{
    const double most[] = {0, 3.99999, 4};
    for (size_t i = 0; i < 3; i++) {
        const struct verdict v = judge(0, most[i], 4);
        CHECK(v.finding == FINDING_OPEN);
        CHECK(says(&v, "Too few guesses"));
    }
    const struct verdict v = judge(0, 3.99999, 4);
    CHECK(says(&v, "an epsilon of 3.9999, and 4.0000 is claimed")); /* cut off, not rounded */
}

static void without_a_claim_it_is_open(void)
{
    const struct verdict v = judge(4, 9, 0);
    CHECK(v.finding == FINDING_OPEN);
    CHECK(says(&v, "No epsilon per patient is claimed"));
}

int main(void)
{
    RUN(a_bound_above_the_claim_refutes_it);
    RUN(a_bound_that_could_have_been_above_it_does_not);
    RUN(too_few_guesses_leave_it_open);
    RUN(without_a_claim_it_is_open);
    return check_done();
}
