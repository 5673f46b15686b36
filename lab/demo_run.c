/* SPDX-License-Identifier: Apache-2.0 */
/* The demo while it runs: events of all programs in, crashes out. */
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dp/account.h"
#include "lab/demo.h"

/* A planned crash: kill `site` once it has done its part up to a point, restart it afterwards. */
struct crash {
    uint32_t site;
    int round;        /* protocol round in which to strike; moved on when the moment was missed */
    bool after_input; /* after its masked input arrived; else after it dealt its shares */
    bool struck, down, done;
};

struct show {
    struct demo *demo;
    struct crash crash[2];
    bool failed;
    bool live; /* progress on one line */
};

static enum status start_site(struct demo *demo, uint32_t v)
{
    char folder[FILE_PATH_MAX + 32], images[FILE_PATH_MAX + 48], labels[FILE_PATH_MAX + 48];
    (void)snprintf(folder, sizeof folder, "%s/site-%u", demo->folder, v + 1);
    (void)snprintf(images, sizeof images, "%s/images.idx", folder);
    (void)snprintf(labels, sizeof labels, "%s/labels.idx", folder);
    char words[][12] = {"run",      "--dir",    "--connect", "--images",
                        "--labels", "--put-in", "--events"};
    char *argv[] = {demo->client, words[0], words[1], folder,   words[2], demo->endpoint, words[3],
                    images,       words[4], labels,   words[5], folder,   words[6],       NULL};
    return process_start(&demo->site[v], argv, demo->log);
}

static enum status start_aggregator(struct demo *demo)
{
    char folder[FILE_PATH_MAX + 32], study[FILE_PATH_MAX + 32], manifest[FILE_PATH_MAX + 32],
        initial[FILE_PATH_MAX + 32];
    (void)snprintf(folder, sizeof folder, "%s/coordinator", demo->folder);
    (void)snprintf(study, sizeof study, "%s/study.yaml", demo->folder);
    (void)snprintf(manifest, sizeof manifest, "%s/manifest", demo->folder);
    (void)snprintf(initial, sizeof initial, "%s/initial.state", demo->folder);
    char words[][20] = {"run",       "--dir",    "--study",  "--manifest",
                        "--initial", "--events", "--listen", "tcp://127.0.0.1:*"};
    char *argv[] = {demo->coordinator, words[0], words[1], folder,   words[2], study,    words[3],
                    manifest,          words[4], initial,  words[5], words[6], words[7], NULL};
    return process_start(&demo->aggregator, argv, demo->log);
}

static void strike(struct show *show, struct crash *crash)
{
    process_kill(&show->demo->site[crash->site]);
    crash->struck = crash->down = true;
}

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    return text == NULL ? "" : text;
}

static int int_of(const json_t *event, const char *key)
{
    return (int)json_integer_value(json_object_get(event, key));
}

static double real_of(const json_t *event, const char *outer, const char *key)
{
    const json_t *value = json_object_get(json_object_get(event, outer), key);
    return json_is_number(value) ? json_number_value(value) : (double)INFINITY;
}

/* Words of a file of little-endian numbers. */
static enum status read_words(struct buffer *out, const char *path)
{
    return file_read(out, path, (size_t)1 << 30);
}

/* Every opened sum is the sum of what the survivors put in, modulo the ring. */
static bool sums_match(const struct demo *demo, int round, const json_t *survivors)
{
    const uint32_t low = UINT32_MAX >> (32 - demo->study.secagg.bits);
    char path[FILE_PATH_MAX + 64];
    AUTO(buffer_free) struct buffer sums = {0};
    (void)snprintf(path, sizeof path, "%s/coordinator/sums-%d", demo->folder, round);
    if (read_words(&sums, path) != STATUS_OK || sums.n == 0) return false;
    (void)unlink(path);
    const size_t n = sums.n / 4;
    struct reader opened = reader_of(buffer_view(&sums));
    struct reader put[DEMO_SITES_MAX] = {{0}};
    struct buffer bytes[DEMO_SITES_MAX] = {{0}};
    size_t count = json_array_size(survivors);
    bool same = count > 0 && count <= DEMO_SITES_MAX;
    for (size_t i = 0; i < count && same; i++) {
        int v = (int)json_integer_value(json_array_get(survivors, i));
        (void)snprintf(path, sizeof path, "%s/site-%d/put-in-%d", demo->folder, v + 1, round);
        same = read_words(&bytes[i], path) == STATUS_OK && bytes[i].n == sums.n;
        (void)unlink(path);
        put[i] = reader_of(buffer_view(&bytes[i]));
    }
    for (size_t k = 0; k < n && same; k++) {
        uint32_t sum = 0;
        for (size_t i = 0; i < count; i++) sum += read_u32(&put[i]);
        same = (sum & low) == read_u32(&opened);
    }
    for (size_t i = 0; i < count && i < DEMO_SITES_MAX; i++) buffer_free(&bytes[i]);
    return same;
}

static void progress(const struct show *show, const struct demo_round *row)
{
    char accuracy[24] = "", end = show->live && !row->killed && row->accuracy < 0 ? '\r' : '\n';
    if (row->accuracy >= 0)
        (void)snprintf(accuracy, sizeof accuracy, "accuracy %.4f", row->accuracy);
    if (!show->live && end == '\n' && row->accuracy < 0 && !row->killed && !row->explore) return;
    fprintf(stderr, "round %3u/%u  %u of %u sites  epsilon %.4f  %s%s%s%c", row->round,
            show->demo->study.rounds.count + 1, row->survivors, show->demo->options.sites,
            account_rounded(row->epsilon), row->explore ? "exploration: one mask for all  " : "",
            accuracy,
            row->killed ? (row->recovered > 0 ? "  site killed before its input: recovered"
                                              : "  site killed after its input: recovered")
                        : "",
            end);
}

static bool was_hit(struct show *show, int round, const json_t *survivors, bool *moved)
{
    bool hit = false;
    for (size_t i = 0; i < 2; i++) {
        struct crash *crash = &show->crash[i];
        if (!crash->struck || crash->done || crash->round != round) continue;
        bool in = false;
        for (size_t k = 0; k < json_array_size(survivors); k++)
            in = in || (uint32_t)json_integer_value(json_array_get(survivors, k)) == crash->site;
        /* The moment was missed when the site's input arrived although it was to die before. */
        crash->done = in == crash->after_input;
        if (!crash->done) {
            crash->struck = false;
            crash->round += 3;
            *moved = true;
        } else {
            hit = true;
            show->demo->dropouts_recovered++;
        }
    }
    return hit;
}

static void take_round(struct show *show, const json_t *event)
{
    struct demo *demo = show->demo;
    const json_t *survivors = json_object_get(event, "survivors");
    int round = int_of(event, "round");
    struct demo_round *grown = realloc(demo->round, (demo->n_rounds + 1) * sizeof *demo->round);
    if (grown == NULL) {
        show->failed = true;
        return;
    }
    demo->round = grown;
    bool moved = false;
    struct demo_round row = {.round = (uint32_t)round,
                             .survivors = (uint32_t)json_array_size(survivors),
                             .recovered = (uint32_t)int_of(event, "recovered"),
                             .explore = strcmp(text_of(event, "step"), "explore") == 0,
                             .accuracy = -1,
                             .epsilon = real_of(event, "epsilon", "server"),
                             .epsilon_collusion = real_of(event, "epsilon", "collusion"),
                             .epsilon_reader = real_of(event, "epsilon", "reader"),
                             .bytes_up = (uint64_t)int_of(event, "bytes_up_per_site"),
                             .kept = (uint64_t)int_of(event, "kept")};
    row.killed = was_hit(show, round, survivors, &moved);
    demo->parameters = (uint64_t)int_of(event, "parameters");
    if (!sums_match(demo, round, survivors)) {
        demo->sums_exact = false;
        fprintf(stderr, "round %d: the opened sum is NOT the sum of the inputs\n", round);
    }
    demo->sums_checked++;
    const int number = int_of(event, "number");
    const bool last = (uint32_t)number + 1 == demo->study.rounds.count && !row.explore;
    char state[FILE_PATH_MAX + 64];
    (void)snprintf(state, sizeof state, "%s/coordinator/state-%d", demo->folder, round);
    if (!row.explore && ((number + 1) % 10 == 0 || last)) row.accuracy = demo_accuracy(demo, state);
    demo->round[demo->n_rounds++] = row;
    progress(show, &row);
    for (size_t i = 0; i < 2; i++) {
        struct crash *crash = &show->crash[i];
        if (!crash->down || !(crash->done || moved)) continue;
        crash->down = false;
        if (start_site(demo, crash->site) != STATUS_OK) show->failed = true;
    }
}

static void take_aggregator(struct show *show, const json_t *event)
{
    struct demo *demo = show->demo;
    const char *what = text_of(event, "event");
    if (strcmp(what, "listening") == 0) {
        (void)snprintf(demo->endpoint, sizeof demo->endpoint, "tcp://127.0.0.1:%d",
                       int_of(event, "port"));
        for (uint32_t v = 0; v < demo->options.sites; v++)
            if (start_site(demo, v) != STATUS_OK) show->failed = true;
    } else if (strcmp(what, "received") == 0) {
        struct crash *crash = &show->crash[1];
        if (!crash->struck && int_of(event, "round") == crash->round &&
            (uint32_t)int_of(event, "site") == crash->site)
            strike(show, crash);
    } else if (strcmp(what, "round") == 0) {
        take_round(show, event);
    } else if (strcmp(what, "finished") == 0) {
        demo->finished = true;
    } else if (strcmp(what, "refused") == 0) {
        fprintf(stderr, "coordinator: %s (%s)\n", text_of(event, "reason"),
                text_of(event, "about"));
    }
}

static void take_site(struct show *show, uint32_t v, const json_t *event)
{
    const char *what = text_of(event, "event");
    struct crash *crash = &show->crash[0];
    if (strcmp(what, "shared") == 0 && !crash->struck && v == crash->site &&
        int_of(event, "round") == crash->round)
        strike(show, crash);
    if (strcmp(what, "refused") == 0)
        fprintf(stderr, "%s: %s (%s)\n", text_of(event, "site"), text_of(event, "reason"),
                text_of(event, "about"));
}

static void take_lines(struct show *show, struct process *process, int site)
{
    const char *line = NULL;
    while (process_line(process, &line)) {
        json_error_t error;
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        if (event == NULL) continue;
        if (site < 0)
            take_aggregator(show, event);
        else
            take_site(show, (uint32_t)site, event);
        json_decref(event);
        if (process->out < 0) return;
    }
}

/* Wait for output of any program. */
static void wait_for_output(struct demo *demo)
{
    struct pollfd fds[DEMO_SITES_MAX + 1];
    nfds_t n = 0;
    if (demo->aggregator.out >= 0)
        fds[n++] = (struct pollfd){.fd = demo->aggregator.out, .events = POLLIN};
    for (uint32_t v = 0; v < demo->options.sites; v++)
        if (demo->site[v].pid != 0 && demo->site[v].out >= 0)
            fds[n++] = (struct pollfd){.fd = demo->site[v].out, .events = POLLIN};
    (void)poll(fds, n, 100);
}

static double now_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All sites end by themselves, with success, once they have the final model. */
static bool sites_finished(struct demo *demo)
{
    bool good = true;
    for (uint32_t v = 0; v < demo->options.sites; v++) {
        for (int waited = 0; !process_ended(&demo->site[v]) && waited < 500; waited++)
            (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        bool over = process_ended(&demo->site[v]) && demo->site[v].status == 0;
        if (!over) fprintf(stderr, "site-%u did not end well; see %s\n", v + 1, demo->log);
        good = good && over;
    }
    return good;
}

enum exit_code demo_run(struct demo *demo)
{
    const int rounds = (int)demo->study.rounds.count;
    struct show show = {
        .demo = demo,
        .live = isatty(2) != 0,
        .crash = {{.site = 2, .round = 2 + rounds / 4},
                  {.site = 5 % demo->options.sites, .round = 2 + rounds / 2, .after_input = true}}};
    demo->sums_exact = true;
    for (uint32_t v = 0; v < DEMO_SITES_MAX; v++) demo->site[v].out = -1;
    if (start_aggregator(demo) != STATUS_OK) return EXIT_FAILED;
    const double start = now_seconds();
    while (!command_stopped() && !show.failed && !demo->finished) {
        wait_for_output(demo);
        take_lines(&show, &demo->aggregator, -1);
        for (uint32_t v = 0; v < demo->options.sites; v++)
            take_lines(&show, &demo->site[v], (int)v);
        if (process_ended(&demo->aggregator) && demo->aggregator.out < 0) break;
    }
    demo->seconds += now_seconds() - start;
    if (command_stopped()) return EXIT_FAILED;
    bool good = demo->finished && !show.failed && sites_finished(demo);
    if (!good) fprintf(stderr, "demo: the study did not come to its end\n");
    return good ? EXIT_OK : EXIT_FAILED;
}
