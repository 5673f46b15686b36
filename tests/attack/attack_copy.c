/* SPDX-License-Identifier: Apache-2.0 */
/* A18, copies: a sealed share handed to somebody else or kept from an earlier round, a masked
 * vector sent by a second site, any letter altered on its way or sent under another name. */
#include <string.h>

#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 0
#define THIEF 1

static const uint64_t dims[1] = {4};

static void open_small(struct arena *a)
{
    arena_open(a, 5, 1, 2, 1, dims, NULL, 32, 1);
}

static uint8_t old_sealed[4096];
static size_t old_n;

static void keep_sealed(struct arena *a, void *content)
{
    (void)a;
    const struct inbox *inbox = content;
    memcpy(old_sealed, inbox->sealed[THIEF].at, inbox->sealed[THIEF].n);
    old_n = inbox->sealed[THIEF].n;
}

static void give_old_sealed(struct arena *a, void *content)
{
    (void)a;
    ((struct inbox *)content)->sealed[THIEF] = (struct view){old_sealed, old_n};
}

static void exchange_dealers(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    const struct view first = inbox->sealed[1];
    inbox->sealed[1] = inbox->sealed[2];
    inbox->sealed[2] = first;
}

static void a_sealed_share_opens_in_its_place_and_round_alone(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_INBOX, .site = VICTIM, .change = keep_sealed};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    forgery.change = give_old_sealed;
    arena_begin(&a);
    arena_run(&a);
    CHECK_REFUSED(SHARE, a.last_refusal[VICTIM]);
    a.last_refusal[VICTIM] = REASON_NONE;
    AUTO(arena_close) struct arena b = {0};
    open_small(&b);
    forgery.change = exchange_dealers;
    b.filter = forge;
    b.context = &forgery;
    arena_begin(&b);
    arena_run(&b);
    CHECK_REFUSED(SHARE, b.last_refusal[VICTIM]);
}

static void exchange_headers(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    const struct view first = inbox->header[1];
    const struct hash head = inbox->head[1];
    inbox->header[1] = inbox->header[2];
    inbox->head[1] = inbox->head[2];
    inbox->header[2] = first;
    inbox->head[2] = head;
}

static void give_anothers_header(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[1] = inbox->header[2];
}

/* What all sites are told to be bound to is not what this one is given. */
static void list_another_header(struct arena *a, void *content)
{
    (void)a;
    ((struct inbox *)content)->head[1].bytes[0] ^= 1;
}

static void a_header_stands_in_its_place_alone(void)
{
    void (*const change[])(struct arena *, void *) = {exchange_headers, give_anothers_header,
                                                      list_another_header};
    for (size_t i = 0; i < 3; i++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        struct forgery forgery = {.kind = MSG_INBOX, .site = VICTIM, .change = change[i]};
        a.filter = forge;
        a.context = &forgery;
        arena_begin(&a);
        arena_run(&a);
        CHECK(forgery.done);
        CHECK_REFUSED(ROSTER, a.last_refusal[VICTIM]);
    }
}

/* The thief sends the victim's letter, as it is or with its own signature over the same vector. */
struct theft {
    bool resigned;
    struct buffer letter; /* of the victim */
};

static void steal(struct arena *a, struct flight *flight, struct theft *theft)
{
    struct masked_input masked = {0};
    struct digest digest = {0};
    CHECK_OK(masked_read(&masked, buffer_view(&theft->letter), &a->round.plan, VICTIM));
    CHECK_OK(digest_read(&digest, masked.digest, a->manifest.member[VICTIM].identity));
    digest.from = THIEF;
    AUTO(buffer_free) struct buffer head = {0};
    digest_write(&head, &digest, a->key[THIEF].identity);
    if (theft->resigned) masked.digest = buffer_view(&head);
    flight->bytes.n = 0;
    masked_write(&flight->bytes, &masked);
}

static bool copy_input(struct arena *a, struct flight *flight)
{
    struct theft *theft = a->context;
    if (flight_kind(flight) != MSG_MASKED) return true;
    if (flight->from == VICTIM) write_bytes(&theft->letter, flight->bytes.at, flight->bytes.n);
    if (flight->from == THIEF) steal(a, flight, theft);
    return true;
}

static void another_sites_letter_is_not_taken(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct theft theft = {0};
    a.filter = copy_input;
    a.context = &theft;
    arena_begin(&a);
    arena_run(&a);
    CHECK_STATUS(STATUS_AUTH, a.answer[THIEF]);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(!bits_has(&a.round.survivors, THIEF));
    CHECK(arena_sums_exact(&a));
    buffer_free(&theft.letter);
}

/* Its pads are not the thief's: the sum is noise, which the checksum shows. */
static void a_copied_vector_opens_to_nothing(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct theft theft = {.resigned = true};
    a.filter = copy_input;
    a.context = &theft;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_REFUSED(CHECKSUM, a.round.why);
    CHECK_NUMBER(0, a.round.opened[0].n);
    buffer_free(&theft.letter);
}

/* One byte of a letter between the victim and the coordinator is changed on its way. */
struct change {
    enum msg_kind kind;
    size_t at; /* from the end */
    bool done;
};

static bool change_byte(struct arena *a, struct flight *flight)
{
    struct change *change = a->context;
    if (!flight_is(flight, change->kind, VICTIM) || change->done) return true;
    CHECK(change->at < flight->bytes.n);
    flight->bytes.at[flight->bytes.n - 1 - change->at] ^= 0x10;
    change->done = true;
    return true;
}

/* Where a byte is changed, and what both sides say to it. */
static const struct {
    enum msg_kind kind;
    size_t at;
    enum status answer;  /* of the round to the site */
    enum reason blamed;  /* by the round */
    enum reason refusal; /* by the site */
} changes[] = {
    {MSG_OPENING, 8, STATUS_OK, REASON_NONE, REASON_SIGNATURE}, /* the plan's signature */
    {MSG_OPENING, 120, STATUS_OK, REASON_NONE, REASON_SIGNATURE},
    {MSG_ADVERT, 0, STATUS_AUTH, REASON_NONE, REASON_NONE},
    {MSG_ADVERT, 80, STATUS_AUTH, REASON_NONE, REASON_NONE},
    {MSG_ROSTER, 0, STATUS_OK, REASON_NONE, REASON_SIGNATURE},
    {MSG_ROSTER, 80, STATUS_OK, REASON_NONE, REASON_SIGNATURE},
    {MSG_INBOX, 80, STATUS_OK, REASON_NONE, REASON_SIGNATURE},
    {MSG_MASKED, 0, STATUS_OK, REASON_FORMAT, REASON_NONE},  /* the vector */
    {MSG_MASKED, 60, STATUS_AUTH, REASON_NONE, REASON_NONE}, /* its signed digest */
    {MSG_SURVIVORS, 80, STATUS_OK, REASON_NONE, REASON_SIGNATURE},
    {MSG_CONFIRM, 0, STATUS_AUTH, REASON_NONE, REASON_NONE},
    {MSG_QUORUM, 0, STATUS_OK, REASON_NONE, REASON_CONFIRMATIONS},
    {MSG_UNMASK, 80, STATUS_AUTH, REASON_NONE, REASON_NONE},
    {MSG_RESULT, 80, STATUS_OK, REASON_NONE, REASON_SIGNATURE},
};

static void an_altered_letter_is_refused_whatever_its_kind(void)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        struct change change = {.kind = changes[i].kind, .at = changes[i].at};
        a.filter = change_byte;
        a.context = &change;
        arena_begin(&a);
        while (!change.done) CHECK(arena_step(&a));
        CHECK_STATUS(changes[i].answer, a.answer[VICTIM]);
        CHECK_NUMBER(changes[i].blamed, a.blamed[VICTIM]);
        CHECK_NUMBER(changes[i].refusal, a.last_refusal[VICTIM]);
        arena_run(&a);
        if (a.round.phase == PHASE_DONE) CHECK(arena_sums_exact(&a));
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
    }
}

static void copies(void)
{
    RUN(a_sealed_share_opens_in_its_place_and_round_alone);
    RUN(a_header_stands_in_its_place_alone);
    RUN(another_sites_letter_is_not_taken);
    RUN(a_copied_vector_opens_to_nothing);
    RUN(an_altered_letter_is_refused_whatever_its_kind);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A18", "copied and altered letters", copies},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
