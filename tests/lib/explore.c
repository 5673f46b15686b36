/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/explore.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/status.h"
#include "tests/lib/check.h"

#define SLOTS (1u << 22)

/* Shared with all children, of whom one runs at a time. */
struct table {
    struct explored count;
    uint64_t key[SLOTS];  /* 0: empty */
    uint8_t depth[SLOTS]; /* that was left when the state was last visited */
};

struct walk {
    const struct world *world;
    struct table *table;
    size_t length;
    char (*trail)[sizeof((struct event *)0)->name];
};

/* Whether the state is new, or was seen with less depth left. */
static bool enter(struct walk *w, unsigned left)
{
    uint64_t key = w->world->key(w->world->self);
    if (key == 0) key = 1;
    struct table *t = w->table;
    size_t slot = key % SLOTS;
    while (t->key[slot] != 0 && t->key[slot] != key) slot = (slot + 1) % SLOTS;
    if (t->key[slot] == key && t->depth[slot] >= left) return false;
    if (t->key[slot] == 0) {
        t->count.states++;
        REQUIRE(t->count.states < SLOTS / 2);
    }
    t->key[slot] = key;
    t->depth[slot] = (uint8_t)left;
    return true;
}

static void report(const struct walk *w)
{
    printf("after");
    for (size_t i = 0; i < w->length; i++) printf(" %s", w->trail[i]);
    printf("\n");
    fflush(stdout);
}

static void visit(struct walk *w, unsigned left)
{
    if (!enter(w, left)) return;
    struct event event[EXPLORE_EVENTS_MAX];
    const size_t n = w->world->events(w->world->self, event);
    w->table->count.goals += w->world->goal(w->world->self);
    w->table->count.cut += n > 0 && left == 0;
    for (size_t i = 0; i < n && left > 0 && w->table->count.violations == 0; i++) {
        w->table->count.events++;
        fflush(stdout);
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            snprintf(w->trail[w->length++], sizeof *w->trail, "%s", event[i].name);
            w->world->apply(w->world->self, &event[i]);
            if (check_failures() > 0) {
                report(w);
                _exit(1);
            }
            visit(w, left - 1);
            _exit(0);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        if (status == 0) continue;
        if (WIFSIGNALED(status)) {
            printf("stopped by signal %d in %s ", WTERMSIG(status), event[i].name);
            report(w);
        }
        w->table->count.violations++;
    }
}

struct explored explore(const struct world *world, unsigned depth)
{
    static char trail[EXPLORE_DEPTH_MAX][sizeof((struct event *)0)->name];
    REQUIRE(depth <= EXPLORE_DEPTH_MAX);
    struct table *table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(table != MAP_FAILED);
    struct walk walk = {.world = world, .table = table, .trail = trail};
    visit(&walk, depth);
    const struct explored count = table->count;
    REQUIRE(munmap(table, sizeof *table) == 0);
    return count;
}
