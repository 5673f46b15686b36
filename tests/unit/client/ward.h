/* SPDX-License-Identifier: Apache-2.0 */
/* One site of five in a folder of its own, and the plans of an honest coordinator. */
#ifndef TESTS_UNIT_CLIENT_WARD_H
#define TESTS_UNIT_CLIENT_WARD_H

#include "client/site.h"

#define WARD_SITES 5
#define WARD_COLLUDING 1

extern struct site ward_site; /* number 1 */

/* A study file: an exploration and 12 rounds, epsilon 2 per patient. */
extern const char ward_noisy[];

/* The folder as `keygen` and, if bind, `pin` leave it.
 *
 * study        text of its file; borrowed until it is closed.
 * max_epsilon  the policy's; floor_epsilon the officers'. */
void ward_make(const char *study, double max_epsilon, double floor_epsilon, bool bind);
void ward_path(char path[static FILE_PATH_MAX], const char *name);
MUST_USE enum status ward_open(struct site_error *why);
/* Remove the folder, too. */
void ward_close(void);

/* The plan that an honest coordinator makes for all sites, and the judge's word on it. */
enum reason ward_judge(struct plan *plan, uint32_t round, const struct state *state);

/* An entry of the site's journal. */
void ward_remember(enum memory_kind kind, uint32_t round, uint32_t n_survivors);
/* What an accepted round leaves in the journal. survivors 0: no result came. */
void ward_release(const struct plan *plan, uint32_t survivors);

#endif
