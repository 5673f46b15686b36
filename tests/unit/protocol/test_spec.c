/* SPDX-License-Identifier: Apache-2.0 */
/* Each message is what its table in protocol/SPEC.md says, field by field; and a table with a row
 * that is missing, moved, doubled, renamed or of another type does not describe it. */
#include <string.h>

#include "protocol/state.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec_message.h"

#define N 5 /* members */
#define SEGMENTS 2
#define HOLDERS 3
#define FOUR 4 /* things that are counted, so that no other number fits */

static const struct outer outer[] = {
    {"n", N}, {"segments", SEGMENTS}, {"holders", HOLDERS}, {"own", 1}, {"N", 10}, {"nothing", 0},
    {NULL, 0}};

static void hello_and_abort_are_as_described(void)
{
    struct buffer bytes = {0};
    struct hello hello;
    PUT("from", "u32", hello.from);
    PUT("study", "hash", hello.study);
    PUT("transcript", "hash", hello.transcript);
    PUT_SESSION(hello);
    hello_write(&bytes, &hello, spec_seed);
    check_message("HELLO", &bytes);

    struct abort_notice notice;
    uint16_t reason;
    PUT_SESSION(notice);
    PUT("from", "u32", notice.from);
    PUT("about", "u32", notice.about);
    PUT("reason", "u16", reason);
    notice.reason = (enum reason)reason;
    abort_write(&bytes, &notice, spec_seed);
    check_message("ABORT", &bytes);
}

static void plan_is_as_described(void)
{
    struct buffer bytes = {0};
    struct plan plan = {.step = STEP_TRAIN, .n_segments = SEGMENTS};
    uint64_t cohort = 0x16, members[SEGMENTS] = {0x12, 0x14};
    uint8_t cipher, sampler, removable, width, segments = SEGMENTS, step = STEP_TRAIN;
    PUT_SESSION(plan);
    PUT("round", "u32", plan.round);
    want("step", "u8", &step, 1);
    PUT("step number", "u32", plan.step_number);
    PUT("manifest", "hash", plan.manifest);
    PUT("study", "hash", plan.study);
    PUT("previous", "hash", plan.previous);
    PUT("state", "hash", plan.state);
    plan.params.n = N;
    want("n", "u32", &plan.params.n, 4);
    PUT("c", "u32", plan.params.c);
    PUT("t", "u32", plan.params.t);
    PUT("T", "u32", plan.params.quorum);
    PUT("k", "u32", plan.params.k);
    PUT("m", "u32", plan.params.m);
    plan.cohort = put_bits("cohort", N, &cohort);
    PUT("scale", "f64", plan.grid.scale);
    PUT("norm2", "u64", plan.grid.norm2);
    PUT("cap", "u32", plan.grid.cap);
    PUT("sigma", "u32", plan.grid.sigma);
    PUT("bits", "u8", width);
    PUT("sampling", "f64", plan.sampling);
    PUT("cipher", "u8", cipher);
    plan.grid.bits = width;
    plan.cipher = cipher;
    PUT("wait keys", "u32", plan.wait_ms[WAIT_KEYS]);
    PUT("wait positions", "u32", plan.wait_ms[WAIT_POSITIONS]);
    PUT("wait shares", "u32", plan.wait_ms[WAIT_SHARES]);
    PUT("wait input", "u32", plan.wait_ms[WAIT_INPUT]);
    PUT("wait confirm", "u32", plan.wait_ms[WAIT_CONFIRM]);
    PUT("wait unmask", "u32", plan.wait_ms[WAIT_UNMASK]);
    PUT("release", "u32", plan.release_ms);
    PUT("sampler", "u8", sampler);
    plan.sampler = sampler;
    PUT("clip bit", "u32", plan.clip_bit);
    PUT("removable", "u8", removable);
    plan.removable = removable;
    want("segments", "u8", &segments, 1);
    for (size_t l = 0; l < SEGMENTS; l++) {
        const char *name = l == 0 ? "conv" : "dense";
        memcpy(plan.segment[l].name, name, strlen(name));
        want("name", "blob", name, strlen(name));
        PUT("dim", "u64", plan.segment[l].dim);
        plan.segment[l].members = put_bits("members", N, &members[l]);
        PUT("degree", "u32", plan.segment[l].degree);
    }
    plan_write(&bytes, &plan, spec_seed);
    check_message("PLAN", &bytes);
}

static void opening_and_finish_are_as_described(void)
{
    struct buffer bytes = {0};
    AUTO(buffer_free) struct buffer results = {0};
    struct opening opening = {.n_results = FOUR, .plan = put_bytes("plan", "blob", 7)};
    put_results(&results, FOUR);
    opening.results = buffer_view(&results);
    opening.state = put_bytes("state", "blob", 9);
    opening_write(&bytes, &opening);
    write_bytes(&bytes, opening.state.at, opening.state.n);
    check_message("OPENING", &bytes);

    AUTO(buffer_free) struct buffer again = {0};
    struct finish finish;
    PUT("manifest", "hash", finish.manifest);
    finish.state = put_bytes("state", "blob", 9);
    finish.n_results = FOUR;
    put_results(&again, FOUR);
    finish.results = buffer_view(&again);
    finish_write(&bytes, &finish, spec_seed);
    check_message("FINISH", &bytes);
}

static void advert_and_roster_are_as_described(void)
{
    struct buffer bytes = {0};
    struct advert advert;
    PUT_SESSION(advert);
    PUT("plan", "hash", advert.plan);
    PUT("from", "u32", advert.from);
    PUT("mask key", "key", advert.mask_key);
    PUT("encryption key", "key", advert.enc_key);
    PUT("position", "hash", advert.position);
    advert_write(&bytes, &advert, spec_seed);
    check_message("ADVERT", &bytes);

    struct view adverts[N] = {{0}};
    struct roster roster = {.n = N, .advert = adverts};
    PUT_SESSION(roster);
    for (size_t v = 0; v < N; v++) adverts[v] = put_bytes("advert", "list", v % 2 == 0 ? 4 + v : 0);
    roster_write(&bytes, &roster, spec_seed);
    check_message("ROSTER", &bytes);
}

static void position_and_positions_are_as_described(void)
{
    struct buffer bytes = {0};
    struct position position;
    PUT_SESSION(position);
    PUT("from", "u32", position.from);
    PUT("nonce", "nonce", position.nonce);
    position_write(&bytes, &position, spec_seed);
    check_message("POSITION", &bytes);

    struct view nonces[N] = {{0}};
    struct positions positions = {.n = N, .nonce = nonces};
    PUT_SESSION(positions);
    for (size_t v = 0; v < N; v++) {
        const uint8_t there = v != 1;
        want("there", "u8", &there, 1);
        if (there) nonces[v] = put_bytes("nonce", "nonce", MSG_NONCE_BYTES);
    }
    positions_write(&bytes, &positions, spec_seed);
    check_message("POSITIONS", &bytes);
}

static void header_and_shares_are_as_described(void)
{
    struct buffer bytes = {0};
    struct header header = {.n_selfs = FOUR, .n_noises = 3};
    const uint8_t three = 3;
    PUT_SESSION(header);
    PUT("plan", "hash", header.plan);
    PUT("roster", "hash", header.roster);
    PUT("from", "u32", header.from);
    PUT("root", "hash", header.root);
    put_hashes("self", header.self, FOUR);
    want("noises", "u8", &three, 1);
    for (size_t k = 0; k < 3; k++) PUT("noise", "hash", header.noise[k]);
    header_write(&bytes, &header, spec_seed);
    check_message("HEADER", &bytes);

    struct hash leaf[HOLDERS];
    struct view sealed[HOLDERS];
    struct shares shares = {.n = HOLDERS, .leaf = leaf, .sealed = sealed};
    shares.header = put_bytes("header", "blob", 6);
    for (size_t i = 0; i < HOLDERS; i++) PUT("leaf", "hash", leaf[i]);
    for (size_t i = 0; i < HOLDERS; i++)
        sealed[i] = put_bytes("sealed", "list", i == 1 ? 0 : 5 + i);
    shares_write(&bytes, &shares);
    check_message("SHARES", &bytes);
}

static void inbox_is_as_described(void)
{
    struct buffer bytes = {0};
    AUTO(inbox_free) struct inbox inbox = {0};
    CHECK_OK(inbox_new(&inbox, N));
    PUT_SESSION(inbox);
    uint64_t dealers = 0x17; /* all but site 3; shares come from sites 1 and 4 */
    inbox.dealers.word[0] = dealers;
    (void)put_bits("dealers", N, &dealers);
    for (size_t v = 0; v < N; v++) {
        const uint8_t held = v == 1 || v == 4;
        if (v == 3) continue;
        PUT("head", "hash", inbox.head[v]);
        want("held", "u8", &held, 1);
        if (!held) continue;
        inbox.header[v] = put_bytes("header", "blob", 5 + v);
        inbox.sealed[v] = put_bytes("sealed", "blob", v == 1 ? 8 : 0);
        inbox.path[v].n = 2;
        put("path", "path", inbox.path[v].node, 2 * sizeof(struct hash));
    }
    inbox_write(&bytes, &inbox, spec_seed);
    check_message("INBOX", &bytes);
}

static void digest_and_masked_are_as_described(void)
{
    struct buffer bytes = {0};
    struct digest digest = {.n_segments = FOUR};
    PUT_SESSION(digest);
    PUT("plan", "hash", digest.plan);
    PUT("roster", "hash", digest.roster);
    PUT("dealers", "hash", digest.dealers);
    PUT("from", "u32", digest.from);
    put_hashes("segment", digest.segment, FOUR);
    digest_write(&bytes, &digest, spec_seed);
    check_message("DIGEST", &bytes);

    struct masked_input masked = {.n_segments = SEGMENTS};
    masked.digest = put_bytes("digest", "blob", 6);
    masked.body[1] = put_bytes("elements", "packed", 17);
    masked_write(&bytes, &masked);
    check_message("MASKED", &bytes);
}

static void survivors_are_as_described(void)
{
    struct buffer bytes = {0};
    struct survivors survivors;
    AUTO(witness_free) struct witness witness = {0};
    CHECK_OK(witness_new(&witness, N));
    witness.own.n = 2;
    uint64_t who = 0x16, opened = 2; /* sites 1, 2 and 4; shares come from 1 and 4 */
    PUT_SESSION(survivors);
    PUT("plan", "hash", survivors.plan);
    PUT("roster", "hash", survivors.roster);
    PUT("dealers", "hash", survivors.dealers);
    survivors.survivors = put_bits("survivors", N, &who);
    survivors.opened = put_bits("opened", SEGMENTS, &opened);
    PUT("root", "hash", survivors.root);
    put("path", "path", witness.own.node, 2 * sizeof(struct hash));
    for (size_t v = 0; v < N; v++) {
        const uint8_t held = v != 2;
        if ((who >> v & 1) == 0) continue;
        want("held", "u8", &held, 1);
        if (!held) continue;
        witness.digest[v] = put_bytes("digest", "blob", 5 + v);
        witness.path[v].n = 1;
        put("path", "path", witness.path[v].node, sizeof(struct hash));
    }
    survivors_write(&bytes, &survivors, &witness, spec_seed);
    check_message("SURVIVORS", &bytes);
}

static void confirm_and_quorum_are_as_described(void)
{
    struct buffer bytes = {0};
    struct confirm confirm;
    PUT_SESSION(confirm);
    PUT("from", "u32", confirm.from);
    PUT("confirmation", "sig", confirm.signature);
    confirm_write(&bytes, &confirm);
    check_message("CONFIRM", &bytes);

    struct confirm confirms[FOUR];
    struct quorum quorum = {.n = FOUR, .confirm = confirms};
    PUT_SESSION(quorum);
    want("count", "u32", &quorum.n, sizeof quorum.n);
    for (size_t i = 0; i < FOUR; i++) {
        PUT("from", "u32", confirms[i].from);
        PUT("confirmation", "sig", confirms[i].signature);
    }
    quorum_write(&bytes, &quorum);
    check_message("QUORUM", &bytes);
}

static void unmask_is_as_described(void)
{
    struct buffer bytes = {0};
    struct place places[2][FOUR];
    struct bundle bundles[N] = {[1] = {FOUR, places[0]}, [4] = {FOUR, places[1]}};
    struct unmask unmask = {.n = N, .bundle = bundles};
    PUT_SESSION(unmask);
    PUT("survivors", "hash", unmask.survivors);
    PUT("from", "u32", unmask.from);
    for (size_t v = 0; v < N; v++) {
        const uint8_t n = (uint8_t)bundles[v].n;
        want("places", "u8", &n, 1);
        for (size_t i = 0; i < n; i++) put_place(&bundles[v].place[i], (v + i) % 2 == 0);
    }
    unmask_write(&bytes, &unmask, spec_seed);
    check_message("UNMASK", &bytes);
}

static void result_is_as_described(void)
{
    struct buffer bytes = {0};
    struct result result;
    PUT_SESSION(result);
    PUT("round", "u32", result.round);
    PUT("previous", "hash", result.previous);
    PUT("plan", "hash", result.plan);
    PUT("survivors", "hash", result.survivors);
    PUT("survivor count", "u32", result.n_survivors);
    PUT("sums", "hash", result.sums);
    result_write(&bytes, &result, spec_seed);
    check_message("RESULT", &bytes);
}

static void state_is_as_described(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    float weight[10];
    uint64_t keep = 0x2a5;
    struct state state = {.weight = weight};
    PUT("clip", "f64", state.clip);
    state.keep = put_bits("keep", 10, &keep);
    for (size_t i = 0; i < 10; i++)
        if (keep >> i & 1) PUT("weight", "f32", weight[i]);
    state_write(&bytes, &state);
    check_table("STATE", buffer_view(&bytes));
}

static void every_kind_and_every_size_was_used(void)
{
    check_all_types_were_used();
    check_all_kinds_were_used(MSG_KIND_COUNT - 1);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    CHECK(spec_kinds("## 6. Messages", "| kind | name | from |"));
    RUN(hello_and_abort_are_as_described);
    RUN(plan_is_as_described);
    RUN(opening_and_finish_are_as_described);
    RUN(advert_and_roster_are_as_described);
    RUN(position_and_positions_are_as_described);
    RUN(header_and_shares_are_as_described);
    RUN(inbox_is_as_described);
    RUN(digest_and_masked_are_as_described);
    RUN(survivors_are_as_described);
    RUN(confirm_and_quorum_are_as_described);
    RUN(unmask_is_as_described);
    RUN(result_is_as_described);
    RUN(state_is_as_described);
    RUN(every_kind_and_every_size_was_used);
    spec_close();
    return check_done();
}
