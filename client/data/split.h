/* SPDX-License-Identifier: Apache-2.0 */
/* Play several sites with one data set: for studies on one machine and for tests. A partition says
 * for each record which site gets it; each record goes to exactly one, and the same seed gives the
 * same partition. */
#ifndef CLIENT_DATA_SPLIT_H
#define CLIENT_DATA_SPLIT_H

#include "client/data/data.h"
#include "crypto/rng.h"

/* Names, and whether an argument follows: 0 never, 1 maybe, 2 always. */
#define SPLIT_MAP(X)                                                                               \
    X(IID, "iid", 0)                                                                               \
    X(QUANTITY, "quantity", 2)                                                                     \
    X(DIRICHLET, "dirichlet", 2)                                                                   \
    X(PATHOLOGICAL, "pathological", 2)                                                             \
    X(KEY, "key", 0)                                                                               \
    X(DOMAIN, "domain", 1)

enum split_kind {
#define SPLIT_ENUM(name, text, argument) SPLIT_##name,
    SPLIT_MAP(SPLIT_ENUM)
#undef SPLIT_ENUM
        SPLIT_KIND_COUNT
};

/* A partition as it is named. argument is sigma, alpha or classes; 0 where there is none. */
struct split {
    enum split_kind kind;
    double argument;
};

/* For help texts. */
#define SPLIT_NAMES                                                                                \
    "iid, quantity:SIGMA, dirichlet:ALPHA, pathological:CLASSES, key, domain or domain:ALPHA"

/* Read a name such as "dirichlet:0.5".
 * STATUS_FORMAT  no such name, or its argument is missing, not wanted or not positive; out is
 *                untouched. */
MUST_USE enum status split_parse(struct split *out, const char *name);

/* Partition the records over n_sites, at least `least` each:
 *
 * iid           shuffled, sizes differing by one at most.
 * quantity:s    shuffled; sizes in proportion to exp(s x), x standard normal.
 * dirichlet:a   for each class the shares of the sites are a symmetric Dirichlet(a) draw (Yurochkin
 *               et al. 2019); small a is more unequal.
 * pathological:c  every class is cut into n_sites * c / classes equal shards (where that is no
 * whole number, classes drawn by chance get one more); one site after the other takes one shard
 * each of c classes, uniform among those with shards left (AutoFLIP). key           whole keys,
 * shuffled, each site as many as the others or one more. domain        as iid, and domain:a as
 * dirichlet:a; split_deal then changes how site v's images look (client/data/domain.h).
 *
 * Draws that miss `least` are made again, up to 1000 times.
 *
 * site   data->n entries: which site gets record i.
 *
 * STATUS_RANGE  n_sites is 0 or above 65535; an argument is out of range; there are no keys, or
 *               fewer than sites; or `least` is not met. STATUS_NOMEM. site is untouched then. */
MUST_USE enum status split_run(uint16_t *site, const struct split *split,
                               const struct dataset *data, uint32_t n_sites, size_t least,
                               struct rng *rng);

/* dirichlet:alpha by itself. */
MUST_USE enum status split_dirichlet(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                                     double alpha, size_t least, struct rng *rng);

/* Copy the records of one site, in their order; site has data->n entries.
 * STATUS_RANGE  the site has none. STATUS_NOMEM. out is untouched then. */
MUST_USE enum status split_take(struct dataset *out, const struct dataset *data,
                                const uint16_t *site, uint16_t which);

/* All at once: part[v] is what site v has, changed to domain v mod DOMAIN_COUNT where the partition
 * is by domain. part has n_sites empty entries, each for dataset_free.
 * Failures as of split_run and domain_apply; part is empty then. */
MUST_USE enum status split_deal(struct dataset *part, const struct split *split,
                                const struct dataset *data, uint32_t n_sites, size_t least,
                                struct rng *rng);

#endif
