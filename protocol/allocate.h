/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks of a transformer each site of a training round holds: FedRA's allocation (arXiv
 * 2311.11227) with a floor under every block, and what it is compared with. It follows from the
 * study, the step and the cohort alone, so that every site finds it by itself (SPEC.md,
 * "allocation"). */
#ifndef PROTOCOL_ALLOCATE_H
#define PROTOCOL_ALLOCATE_H

#include "base/bits.h"
#include "protocol/study.h"

#define ALLOCATE_BLOCKS_MAX LAYOUT_SEGMENTS_MAX
/* Rows that mode paper draws anew for the sake of empty blocks, at most. */
#define ALLOCATE_REPAIRS_MAX 1000
/* Steps times sites up to which `empty: least` may have to look back. */
#define ALLOCATE_HISTORY_MAX 262144

struct allocation {
    uint32_t n;                              /* blocks */
    struct bits holder[ALLOCATE_BLOCKS_MAX]; /* sites that hold each; none: not served; owned */
    struct bits sharer;                      /* sites that hold what all share: embedding and head;
                                              * owned */
};

/* The allocation of a training step. A block that fewer than the study's min_holders were given is
 * served to nobody.
 *
 * blocks  1 to ALLOCATE_BLOCKS_MAX; a study that study_check accepts, with an allocation.
 *
 * STATUS_NOMEM  out is untouched. */
MUST_USE enum status allocate_of(struct allocation *out, const struct study *study, uint32_t blocks,
                                 uint32_t step_number, const struct bits *cohort);
void allocation_free(struct allocation *allocation);

/* Blocks of a layout: its segments "block1", "block2" and so on. */
uint32_t allocate_blocks(const struct layout *layout);
/* The number of a segment's block, from 0; LAYOUT_NONE when it is none. */
uint32_t allocate_block(const char *segment);

#endif
