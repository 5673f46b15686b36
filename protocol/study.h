/* SPDX-License-Identifier: Apache-2.0 */
/* The study file: what all parties agreed on, the same bytes everywhere, named by its hash.
 * Unknown keys and settings that contradict each other or are unsafe are refused with their line.
 * Sensitivity and noise are never settings: they follow from clip, epsilon and delta. */
#ifndef PROTOCOL_STUDY_H
#define PROTOCOL_STUDY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/hash.h"
#include "crypto/mask.h"
#include "dp/grid.h"
#include "dp/noise.h"
#include "protocol/layout.h"
#include "protocol/params.h"
#include "protocol/settings.h"

#define STUDY_ID_MAX 31
#define STUDY_TITLE_MAX 127
#define STUDY_EPSILON_MAX 100
#define STUDY_CAPACITIES_MAX 64

enum study_unit { STUDY_PATIENT, STUDY_SITE };
enum study_rotation { STUDY_ROTATION_NONE, STUDY_ROTATION_HADAMARD };
enum study_evaluation { STUDY_EVALUATION_NONE, STUDY_EVALUATION_PRIVATE };
enum study_dropouts { STUDY_PESSIMISTIC, STUDY_XNOISE };
enum study_optimizer { STUDY_SGD, STUDY_ADAM };
enum study_allocation {
    STUDY_ALLOCATION_NONE,
    STUDY_ALLOCATION_PAPER,
    STUDY_ALLOCATION_PRIVATE,
    STUDY_ALLOCATION_ALL_LARGE,
    STUDY_ALLOCATION_ALL_SMALL,
    STUDY_ALLOCATION_PREFIX,
    STUDY_ALLOCATION_EXCLUSIVE,
};
enum study_empty { STUDY_EMPTY_KEEP, STUDY_EMPTY_REPAIR, STUDY_EMPTY_LEAST };
enum study_pruning { STUDY_PRUNING_PRIVATE, STUDY_PRUNING_PAPER, STUDY_PRUNING_NONE };
enum study_score {
    STUDY_SCORE_SQUARED,
    STUDY_SCORE_SNIP,
    STUDY_SCORE_TAYLOR,
    STUDY_SCORE_GRADIENT,
    STUDY_SCORE_AGREEMENT,
    STUDY_SCORE_UNSAID /* while a study is read */
};
enum study_mask {
    STUDY_MASK_EXPLORED,
    STUDY_MASK_RANDOM,
    STUDY_MASK_MAGNITUDE,
    STUDY_MASK_PRUNEFL
};

/* Each member is the key of the same name; in brackets what holds when the key is absent. */
struct study {
    struct hash hash; /* of the file's exact bytes under the label "study" */
    uint32_t schema;  /* [1] */
    struct {
        char id[STUDY_ID_MAX + 1];       /* required: [a-z0-9-] */
        char title[STUDY_TITLE_MAX + 1]; /* [empty] */
        bool rehearsal;                  /* [false] no patient's data: a dry run */
    } study;
    struct {
        uint32_t expected;         /* [8] n, sites in the study */
        uint32_t colluding;        /* [1] c, sites that may conspire with the coordinator */
        uint32_t threshold;        /* [floor((n + c) / 2) + 1] T, and t up to 512 sites; above,
                                    * where shares run along a ring, more is needed */
        uint32_t min_contributors; /* [3] m, honest sites behind each opened sum */
    } sites;
    struct {
        struct model_spec spec; /* kind [mlp], channels [1], height [28], width [28],
                                 * classes [10], hidden [200, 200], patch [7], dim [64],
                                 * depth [12], heads [4], mlp [128], tokens_mlp [64], rank [0],
                                 * alpha [8], freeze_a [false], exits [false] */
        /* With a rank: hash of the frozen weights' file (client/backbone.h), in lower-case hex. */
        char backbone[2 * HASH_BYTES + 1];
        double pixel_mean;      /* [0] */
        double pixel_deviation; /* [1] */
    } model;
    struct {
        enum study_unit unit;         /* [patient] whose presence epsilon hides */
        double epsilon;               /* [3.0] for the whole study; .inf in a rehearsal */
        double delta;                 /* [1.0e-5] */
        double clip;                  /* [1.0] L2 bound of one contribution; the first, where it
                                       * adapts */
        double exploration_clip;      /* [0.001; mode: paper 1.0] of an exploration's scores */
        double exploration_ratio;     /* [1.0] noise multiplier of the exploration over a round's */
        bool adaptive_clip;           /* [false] the clip follows a quantile of the norms */
        double clip_quantile;         /* [0.5] share of the contributions that shall be within it */
        double clip_rate;             /* [0.2] of its steps */
        double clip_count_noise;      /* [a twentieth of a round's contributions] deviation of their
                                       * count */
        double sampling;              /* share of records per round; unit patient: required */
        uint32_t records;             /* public expected total; unit patient: required */
        enum noise_sampler sampler;   /* [exact], or table where sigma is small enough for one */
        enum grid_rounding rounding;  /* [nearest], or stochastic: for narrow rings */
        enum study_rotation rotation; /* [none], or hadamard: in training, layer by layer */
        enum study_dropouts dropouts; /* [pessimistic] noise for T survivors, more when there are
                                       * more; or xnoise: what is too much is taken away */
    } privacy;
    struct {
        enum study_pruning mode; /* [private] */
        double units;            /* [0.5] share of hidden units pruned per layer */
        double weights;          /* [0.2] share of remaining weights pruned one by one */
        enum study_mask mask;    /* [explored] what is pruned is found by an exploration; random,
                                  * magnitude (of the initial weights), prunefl: by public values */
        enum study_score score;  /* what an exploration goes by: squared [mode: paper], snip, taylor
                                  * [mode: private], gradient, agreement: client/explore.h */
        uint32_t refine_every;   /* [0] what is pruned is chosen anew after so many training rounds
                                  * each, never after the last; 0: never. prunefl: required;
                                  * explored: by votes of the sites, client/vote.h */
        double refine_share;     /* [0.5] share of the votes in what then decides */
        double refine_ratio;     /* [1.0] noise multiplier of a vote over a round's */
    } pruning;
    struct {
        enum study_allocation mode; /* [none] which sites train which blocks (allocate.h): paper,
                                     * FedRA's own; private, balanced; for comparison: all-large,
                                     * everybody all; all-small, everybody the first that the
                                     * smallest can hold; prefix, everybody the first that it can
                                     * hold; exclusive, those alone who can hold all */
        uint32_t n_capacities;
        uint32_t capacities[STUDY_CAPACITIES_MAX]; /* [12, 10, 8, 6, 4, 3] blocks that site v can
                                                    * hold: number v modulo their count */
        bool dynamic;                              /* [false] drawn from them anew in each round */
        uint32_t min_holders;   /* [min_contributors + colluding] of a block that is served */
        enum study_empty empty; /* [keep] mode paper: what nobody got keeps its values; repair, a
                                 * site draws again; least, what was given out least comes first */
    } allocation;
    struct {
        uint32_t count;       /* [50] */
        double coordinates;   /* [1] share of each layer's kept coordinates that a training round is
                               * about, drawn anew in each: random-k (pick.h) */
        double learning_rate; /* [0.5] of the step that the coordinator takes */
        double momentum;      /* [0.9] */
        uint32_t local_epochs;                /* [1] unit site */
        uint32_t local_batch;                 /* [50] unit site */
        double local_learning_rate;           /* [0.1] unit site */
        enum study_optimizer local_optimizer; /* [sgd], or adam; unit site, as what follows */
        double local_momentum;                /* [0] of sgd */
        double local_decay;      /* [0] of the weights in local steps, added to the gradient */
        double local_clip;       /* [0] longest gradient of a local batch; 0: as long as it is */
        double local_rate_decay; /* [1] factor of the local rate from round to round */
        double
            proximal; /* [0] FedProx (Li et al. 2020): mu of mu / 2 |w - w_global|^2 in the loss */
        double decay; /* [0] share that the rate has lost at the end, linearly */
    } rounds;
    struct {
        enum study_evaluation mode; /* [none], or private: sites count on records they hold out */
        uint32_t every;             /* [0] after so many training rounds each, and at the end; 0:
                                     * at the end only */
        double ratio;               /* [unit patient 4, unit site 1] noise multiplier of an
                                     * evaluation, which samples nothing, over a round's */
    } evaluation;
    struct {
        uint32_t bits;           /* [32] ring width, 8 to 32 */
        enum mask_cipher cipher; /* [chacha20], aes256-ctr */
    } secagg;
    struct {
        uint32_t gather_ms;    /* [60000] sites report */
        uint32_t keys_ms;      /* [30000] */
        uint32_t positions_ms; /* [30000] on a ring */
        uint32_t shares_ms;    /* [30000] */
        uint32_t input_ms;     /* [600000] training and upload */
        uint32_t release_ms;   /* [0] no masked input leaves before so much of input_ms is over, so
                                * that its time does not tell how long a site trained */
        uint32_t confirm_ms;   /* [30000] */
        uint32_t unmask_ms;    /* [30000] */
        uint32_t grace_ms;     /* [2000] wait for stragglers once enough have come */
    } deadlines;
};

/* Read, complete and check a study.
 *
 * STATUS_FORMAT  not a study file: why has the line and the cause.
 * STATUS_RANGE   a setting is out of range, unsafe or contradicts another; why says which.
 * STATUS_NOMEM   out is untouched on every failure. */
MUST_USE enum status study_parse(struct study *out, struct view text, struct settings_error *why);

/* The same from a file. Also STATUS_IO. */
MUST_USE enum status study_read(struct study *out, const char *path, struct settings_error *why);

/* A key, and what it shall be: the words of a study file, of a list without its brackets. */
struct study_change {
    const char *section, *key, *value;
};

/* Read a study as study_parse does, with n changes made to it, one after the other, before what is
 * absent is completed and all is checked. Unit site takes sampling and records away, which have no
 * meaning there. Its hash is that of the text study_write makes of it. As study_parse. */
MUST_USE enum status study_vary(struct study *out, struct view text,
                                const struct study_change *change, size_t n,
                                struct settings_error *why);

/* Write the text that study_parse makes this study of: the keys that differ from what holds when
 * they are absent. out keeps failures. */
void study_write(struct buffer *out, const struct study *study);

/* The table of keys, *n of them. */
const struct setting *study_keys(size_t *n);

/* What study_parse checks beyond single ranges, for a study that was changed in memory.
 * STATUS_RANGE  as above, without a line. */
MUST_USE enum status study_check(const struct study *study, struct settings_error *why);

/* "patient" or "site". */
const char *study_unit_name(enum study_unit unit);

#endif
