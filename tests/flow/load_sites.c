/* SPDX-License-Identifier: Apache-2.0 */
/* Many sites in one process, each with keys, a session and a connection of its own, but without
 * data: what a site puts in follows from its number and the round, so that sums can be checked by
 * whoever knows who survived. Usage: load_sites FOLDER ENDPOINT FIRST COUNT
 * FOLDER holds manifest and, for each site, NAME/key with NAME site-0001 and so on.
 * Prints a line per site and round: "round N site V ms T", T from the plan to the result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/command.h"
#include "base/file.h"
#include "client/session.h"
#include "client/submit.h"
#include "protocol/link.h"
#include "tests/flow/load.h"

struct load_site {
    struct keyfile key;
    struct session session;
    struct link *link;
    uint64_t began_ms;
};

struct load {
    struct manifest manifest;
    struct rng rng;
    uint32_t first, count;
    struct load_site *site;
};

static void read_manifest(struct load *load, const char *folder)
{
    char path[FILE_PATH_MAX];
    struct buffer bytes = {0};
    enum reason why = REASON_NONE;
    REQUIRE(file_path(path, sizeof path, folder, "manifest") == STATUS_OK);
    REQUIRE(file_read(&bytes, path, MANIFEST_BYTES_MAX) == STATUS_OK);
    REQUIRE(manifest_read(&load->manifest, buffer_view(&bytes), &why) == STATUS_OK);
    buffer_free(&bytes);
}

static void open_site(struct load *load, struct load_site *site, const char *folder,
                      const char *endpoint, uint32_t number)
{
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/site-%04u/key", folder, number + 1);
    REQUIRE(keyfile_read(&site->key, path) == STATUS_OK);
    const struct session_config config = {.manifest = &load->manifest,
                                          .self = number,
                                          .identity = site->key.identity,
                                          .slack_ms = 600000,
                                          .rng = &load->rng};
    REQUIRE(session_new(&site->session, &config) == STATUS_OK);
    const struct link_settings settings = {
        .message_bytes = 128 << 20, .queue = 16, .retry_ms = 300};
    REQUIRE(link_connect(&site->link, endpoint, site->key.transport,
                         load->manifest.coordinator.transport, &settings) == STATUS_OK);
}

static void send_all(struct load_site *site, struct outbox *out)
{
    for (size_t i = 0; i < out->n_letters; i++)
        if (link_send(site->link, 0, out->letter[i].bytes, NULL) != STATUS_OK)
            fprintf(stderr, "%s: a letter could not be sent\n", site->key.name);
    for (size_t i = 0; i < out->n_notes; i++)
        fprintf(stderr, "%s: %s about %d\n", site->key.name, reason_id(out->note[i].reason),
                (int)out->note[i].site);
    outbox_free(out);
}

static void say_hello(struct load_site *site)
{
    AUTO(outbox_free) struct outbox out = {0};
    REQUIRE(session_hello(&site->session, &out) == STATUS_OK);
    send_all(site, &out);
}

static void put_in(struct load *load, struct load_site *site, uint32_t number)
{
    AUTO(noise_free) struct noise noise = {0};
    AUTO(encoded_free) struct encoded encoded = {0};
    AUTO(noised_free) struct noised noised = {0};
    AUTO(outbox_free) struct outbox out = {0};
    REQUIRE(submit_noise(&noise, &site->session, &load->rng) == STATUS_OK);
    REQUIRE(encoded_new(&encoded, noise.n) == STATUS_OK);
    load_input(encoded.value, encoded.n, number, site->session.plan.round);
    REQUIRE(noise_add(&noised, &encoded, &noise) == STATUS_OK);
    REQUIRE(submit_sum(&site->session, &noised, command_now_ms(), &out) == STATUS_OK);
    send_all(site, &out);
}

static void take(struct load *load, struct load_site *site, uint32_t number, struct view message)
{
    struct session *s = &site->session;
    const enum session_phase before = s->phase;
    AUTO(outbox_free) struct outbox out = {0};
    (void)!session_message(s, message, command_now_ms(), &out);
    if (before == SESSION_IDLE && s->phase != SESSION_IDLE) site->began_ms = command_now_ms();
    send_all(site, &out);
    if (s->phase == SESSION_INPUT) put_in(load, site, number);
    if (before == SESSION_IDLE || s->phase != SESSION_IDLE) return;
    if (s->why == REASON_NONE)
        printf("round %u site %u ms %llu\n", s->last_round, number,
               (unsigned long long)(command_now_ms() - site->began_ms));
    say_hello(site);
}

/* Whether anything happened; *over when the study is. */
static bool serve(struct load *load, struct load_site *site, uint32_t number, bool *over)
{
    struct link_event event = {0};
    link_poll(site->link, 0, &event);
    if (event.kind == LINK_UP) say_hello(site);
    if (event.kind == LINK_DOWN) fprintf(stderr, "%s: the connection is lost\n", site->key.name);
    if (event.kind == LINK_MESSAGE && msg_kind_of(event.message) == MSG_FINISH) *over = true;
    if (event.kind == LINK_MESSAGE) take(load, site, number, event.message);
    if (command_now_ms() >= site->session.deadline_ms) {
        AUTO(outbox_free) struct outbox out = {0};
        REQUIRE(session_deadline(&site->session, command_now_ms(), &out) == STATUS_OK);
        send_all(site, &out);
        say_hello(site);
    }
    return event.kind != LINK_NOTHING;
}

int main(int argc, char **argv)
{
    static struct load load;
    if (argc != 5) return EXIT_USAGE;
    command_catch_stop();
    command_raise_files();
    setvbuf(stdout, NULL, _IOLBF, 0);
    rng_system(&load.rng);
    read_manifest(&load, argv[1]);
    load.first = (uint32_t)strtoul(argv[3], NULL, 10);
    load.count = (uint32_t)strtoul(argv[4], NULL, 10);
    load.site = calloc(load.count, sizeof *load.site);
    REQUIRE(load.site != NULL && load.first + load.count <= load.manifest.n);
    for (uint32_t i = 0; i < load.count; i++)
        open_site(&load, &load.site[i], argv[1], argv[2], load.first + i);
    bool over = false;
    long nap_ms = 1;
    while (!over && !command_stopped()) {
        bool busy = false;
        for (uint32_t i = 0; i < load.count; i++)
            busy = serve(&load, &load.site[i], load.first + i, &over) || busy;
        /* Asking all of them costs more than what they do: the quieter it is, the less often. */
        nap_ms = busy ? 1 : nap_ms < 64 ? 2 * nap_ms : nap_ms;
        if (!busy) (void)nanosleep(&(struct timespec){.tv_nsec = nap_ms * 1000000}, NULL);
    }
    for (uint32_t i = 0; i < load.count; i++) {
        link_free(&load.site[i].link);
        session_free(&load.site[i].session);
        keyfile_wipe(&load.site[i].key);
    }
    free(load.site);
    manifest_free(&load.manifest);
    rng_wipe(&load.rng);
    return EXIT_OK;
}
