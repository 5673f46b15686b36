/* SPDX-License-Identifier: Apache-2.0 */
/* What the entries of a ledger add up to: data sets, the studies on them, their releases, and what
 * these cost each adversary. No file and no clock: entries in, answers out. */
#ifndef PROTOCOL_BOOKS_H
#define PROTOCOL_BOOKS_H

#include "protocol/ledger_entry.h"

/* Whom a cost is reckoned against (dp/SPEC.md, section 5). */
enum adversary {
    ADVERSARY_SERVER,    /* the coordinator alone: knows no noise share */
    ADVERSARY_COLLUSION, /* the coordinator with c sites: knows c shares; gates are against it */
    ADVERSARY_READER,    /* whoever reads the models: knows no noise share, and only sums */
    ADVERSARY_UNMASKED,  /* if the pads were broken: the site's own share is all there is */
    ADVERSARY_COUNT
};

/* A release against an adversary, of one that is given against collusion with `colluding` sites.
 * Of removable noise nobody counts more than what is certain. */
struct release adversary_release(enum adversary who, const struct release *release,
                                 uint32_t colluding);
/* "server and 1 site" and so on: static storage or out. */
void adversary_name(char *out, size_t n, enum adversary who, uint32_t colluding);

/* What samplers take of a delta, reckoned for one epsilon: at a larger one it is more. */
struct books_sampler {
    double delta, epsilon;
};

struct books_set {
    char name[LEDGER_NAME_MAX + 1];
    enum study_unit unit;  /* whom the lifetime's limit protects */
    uint32_t order;        /* of the lifetime's gate */
    double epsilon, delta; /* the limit when it was opened; the policy's of today is what counts */
    struct books_sampler sampler; /* of its studies together; the least of their epsilons */
};

struct books_study {
    size_t set;
    struct hash manifest;
    char id[STUDY_ID_MAX + 1];
    uint8_t signer[SIGN_PUBLIC_BYTES];
    enum study_unit unit;
    uint32_t order;
    double epsilon, delta;
    struct books_sampler sampler;
    uint32_t colluding;
};

enum books_state { BOOKS_RESERVED, BOOKS_SETTLED, BOOKS_VOID };

struct books_release {
    size_t study;
    uint32_t round;
    enum step step;
    enum books_state state;
    uint64_t time_s;        /* of its last entry */
    struct release release; /* n_shares: the worst while reserved, then what happened */
};

struct books {
    size_t n_sets, n_studies, n_releases;
    struct books_set *set;
    struct books_study *study;
    struct books_release *release; /* in the order in which they were reserved */
};

void books_free(struct books *books);

/* NULL when an entry may follow, else the rule that it breaks:
 * a data set and a study are opened once, a study on a data set that there is; only the key that
 * opened a study writes for it; a round is reserved once, unless that was void; what is settled or
 * void was reserved, and has at least the shares of its worst case. */
const char *books_against(const struct books *books, const struct ledger_entry *entry);

/* Take over an entry that nothing is against. STATUS_NOMEM  books are as before. */
MUST_USE enum status books_add(struct books *books, const struct ledger_entry *entry);

/* Its place, or n_sets, n_studies or n_releases when there is none. Of a round reserved twice: the
 * second. */
size_t books_find_set(const struct books *books, const char *name);
size_t books_find_study(const struct books *books, const struct hash *manifest);
size_t books_find_release(const struct books *books, size_t study, uint32_t round);

/* What the releases of a study, or of all studies on a data set in the data set's unit, cost an
 * adversary: reserved ones at their worst, void ones nothing. count may be NULL. STATUS_NOMEM. */
MUST_USE enum status books_of_study(struct account *out, uint32_t *count, const struct books *books,
                                    size_t study, enum adversary who);
MUST_USE enum status books_of_set(struct account *out, uint32_t *count, const struct books *books,
                                  size_t set, enum adversary who);

/* What a release of one unit costs in another: four times the squared norm from site to patient,
 * without bound from patient to site. */
struct release books_in_unit(struct release release, enum study_unit from, enum study_unit to);

/* What samplers take of delta at this epsilon, rounded up (dp/SPEC.md, section 4); never less than
 * was reckoned. */
double books_sampler_due(struct books_sampler sampler, double epsilon);

/* The epsilon of an account at the one order that was fixed, or (order RDP_ORDERS) at the best one
 * afterwards, with what the samplers take of delta at that epsilon. Infinite when that is all. */
double books_epsilon(const struct account *account, uint32_t order, double delta,
                     struct books_sampler sampler);

/* What a site allows; infinite: no limit. */
struct books_limits {
    double study;          /* epsilon of one study */
    double lifetime;       /* epsilon of a data set */
    double lifetime_delta; /* delta of a data set */
};
struct books_refusal {
    bool lifetime;       /* which limit */
    double limit, after; /* and what would be spent */
};

/* Whether a study may make one more release: at the fixed orders, against collusion, what there is
 * and this one stay within both limits. A limit that is infinite is not looked at.
 * STATUS_BUDGET  they do not; why says which. STATUS_NOMEM. */
MUST_USE enum status books_bear(const struct books *books, size_t study,
                                const struct release *worst, const struct books_limits *limits,
                                struct books_refusal *why);

#endif
