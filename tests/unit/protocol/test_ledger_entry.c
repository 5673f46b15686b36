/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/ledger_entry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/xnoise.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static struct ledger_entry entry_of(enum ledger_kind kind)
{
    struct ledger_entry e = {
        .number = 7, .previous = {{2}}, .time_s = 99, .signer = {3}, .kind = kind};
    if (kind == LEDGER_OPEN || kind == LEDGER_STUDY) {
        (void)snprintf(e.data_set, sizeof e.data_set, "chest X-rays");
        e.unit = STUDY_SITE;
        e.order = 5;
        e.epsilon = 4;
        e.delta = 1e-5;
    }
    if (kind != LEDGER_OPEN) e.manifest.bytes[0] = 4;
    if (kind == LEDGER_STUDY) {
        (void)snprintf(e.study, sizeof e.study, "cxr-2027");
        e.sampler_delta = 1e-9;
        e.colluding = 2;
    }
    if (kind > LEDGER_STUDY) e.round = 11;
    if (kind == LEDGER_RESERVE) {
        e.step = STEP_TRAIN;
        e.release = (struct release){
            .norm2 = 1000000, .sigma = 1000, .n_shares = 3, .dim = 100, .sampling = 0.25};
        e.release.removable = XNOISE_REMOVABLE_MAX;
    }
    if (kind == LEDGER_SETTLE) e.release.n_shares = 5;
    return e;
}

static enum status read_back(const struct ledger_entry *e, struct ledger_entry *out)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, e);
    CHECK_OK(bytes.status);
    CHECK(bytes.n <= LEDGER_ENTRY_BYTES_MAX);
    return ledger_entry_read(out, buffer_view(&bytes));
}

static void every_kind_comes_back(void)
{
    for (enum ledger_kind kind = LEDGER_OPEN; kind < LEDGER_KINDS; kind++) {
        const struct ledger_entry e = entry_of(kind);
        struct ledger_entry again = {0};
        CHECK_OK(read_back(&e, &again));
        AUTO(buffer_free) struct buffer one = {0}, two = {0};
        ledger_entry_write(&one, &e);
        ledger_entry_write(&two, &again);
        CHECK_NUMBER(one.n, two.n);
        CHECK_BYTES(one.at, two.at, one.n);
        CHECK(again.release.n_shares == e.release.n_shares && again.round == e.round);
        CHECK(again.unit == e.unit && again.order == e.order && again.step == e.step);
    }
}

static void a_byte_too_few_or_too_many_is_refused(void)
{
    for (enum ledger_kind kind = LEDGER_OPEN; kind < LEDGER_KINDS; kind++) {
        const struct ledger_entry e = entry_of(kind);
        struct ledger_entry out = {.number = 77};
        AUTO(buffer_free) struct buffer bytes = {0};
        ledger_entry_write(&bytes, &e);
        write_u8(&bytes, 0);
        for (size_t n = 0; n <= bytes.n; n++) {
            if (n == bytes.n - 1) continue;
            CHECK_STATUS(STATUS_FORMAT, ledger_entry_read(&out, (struct view){bytes.at, n}));
        }
        CHECK_NUMBER(77, out.number);
    }
}

/* A change of one member, which writing does not look at and reading refuses. */
#define REFUSED(kind_, change)                                                                     \
    do {                                                                                           \
        struct ledger_entry e = entry_of(kind_), out = {.number = 77};                             \
        change;                                                                                    \
        CHECK_STATUS(STATUS_FORMAT, read_back(&e, &out));                                          \
        CHECK_NUMBER(77, out.number);                                                              \
    } while (0)

static void values_outside_their_ranges_are_refused(void)
{
    REFUSED(LEDGER_VOID, e.kind = LEDGER_KINDS);
    REFUSED(LEDGER_VOID, e.kind = (enum ledger_kind)0);
    REFUSED(LEDGER_OPEN, e.data_set[0] = '\0');
    REFUSED(LEDGER_OPEN, e.data_set[3] = '\n');
    REFUSED(LEDGER_OPEN, e.data_set[3] = '\x7f');
    REFUSED(LEDGER_OPEN, e.unit = (enum study_unit)2);
    REFUSED(LEDGER_OPEN, e.epsilon = 0);
    REFUSED(LEDGER_OPEN, e.epsilon = (double)NAN);
    REFUSED(LEDGER_OPEN, e.delta = 0);
    REFUSED(LEDGER_OPEN, e.delta = 1);
    REFUSED(LEDGER_STUDY, e.study[0] = '\0');
    REFUSED(LEDGER_STUDY, e.sampler_delta = -1e-9);
    REFUSED(LEDGER_STUDY, e.sampler_delta = e.delta);
    REFUSED(LEDGER_STUDY, e.colluding = UINT16_MAX + 1);
    REFUSED(LEDGER_RESERVE, e.release.removable = XNOISE_REMOVABLE_MAX + 1);
    REFUSED(LEDGER_RESERVE, e.round = 0);
    REFUSED(LEDGER_RESERVE, e.step = STEP_COUNT);
    REFUSED(LEDGER_RESERVE, e.release.norm2 = 0);
    REFUSED(LEDGER_RESERVE, e.release.sigma = 1);
    REFUSED(LEDGER_RESERVE, e.release.n_shares = 0);
    REFUSED(LEDGER_RESERVE, e.release.n_shares = UINT16_MAX + 1);
    REFUSED(LEDGER_RESERVE, e.release.dim = 0);
    REFUSED(LEDGER_RESERVE, e.release.sampling = 1.5);
    REFUSED(LEDGER_SETTLE, e.release.n_shares = UINT16_MAX + 1);
    REFUSED(LEDGER_SETTLE, e.round = 0);
    REFUSED(LEDGER_VOID, e.round = 0);
}

static void an_order_that_no_curve_has_is_refused(void)
{
    const struct ledger_entry e = entry_of(LEDGER_OPEN);
    struct ledger_entry out = {.number = 77};
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, &e);
    bytes.at[bytes.n - 20] = 1;
    CHECK_STATUS(STATUS_FORMAT, ledger_entry_read(&out, buffer_view(&bytes)));
    CHECK_NUMBER(77, out.number);
}

/* A zero inside a name would hide what comes after it. */
static void a_name_with_a_zero_inside_is_refused(void)
{
    const struct ledger_entry e = entry_of(LEDGER_OPEN);
    struct ledger_entry out = {.number = 77};
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, &e);
    bytes.at[81 + 4 + 5] = 0;
    CHECK_STATUS(STATUS_FORMAT, ledger_entry_read(&out, buffer_view(&bytes)));
    CHECK_NUMBER(77, out.number);
}

static void a_signature_is_of_these_bytes_and_this_key(void)
{
    const uint8_t seed[SIGN_SEED_BYTES] = {5}, other[SIGN_SEED_BYTES] = {6};
    struct ledger_entry e = entry_of(LEDGER_RESERVE);
    sign_public(e.signer, seed);
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, &e);
    uint8_t signature[SIGN_BYTES];
    ledger_entry_sign(signature, seed, buffer_view(&bytes));
    CHECK(ledger_entry_signed(&e, buffer_view(&bytes), signature));
    const struct hash hash = ledger_entry_hash(buffer_view(&bytes));
    bytes.at[0] ^= 1;
    CHECK(!ledger_entry_signed(&e, buffer_view(&bytes), signature));
    const struct hash changed = ledger_entry_hash(buffer_view(&bytes));
    CHECK(!hash_equal(&hash, &changed));
    bytes.at[0] ^= 1;
    ledger_entry_sign(signature, other, buffer_view(&bytes));
    CHECK(!ledger_entry_signed(&e, buffer_view(&bytes), signature));
}

static void names_are_printable_and_short(void)
{
    char name[LEDGER_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    name[LEDGER_NAME_MAX] = '\0';
    CHECK(ledger_name_valid(name) && ledger_name_valid("a b~"));
    name[LEDGER_NAME_MAX] = 'x';
    name[LEDGER_NAME_MAX + 1] = '\0';
    CHECK(!ledger_name_valid(name) && !ledger_name_valid("") && !ledger_name_valid("\t"));
}

static void running_out_of_memory_is_noticed(void)
{
    const struct ledger_entry e = entry_of(LEDGER_STUDY);
    OOM_EACH {
        AUTO(buffer_free) struct buffer bytes = {0};
        ledger_entry_write(&bytes, &e);
        oom_stop();
        CHECK(bytes.status == STATUS_OK || bytes.status == STATUS_NOMEM);
    }
}

int main(void)
{
    RUN(every_kind_comes_back);
    RUN(a_byte_too_few_or_too_many_is_refused);
    RUN(values_outside_their_ranges_are_refused);
    RUN(an_order_that_no_curve_has_is_refused);
    RUN(a_name_with_a_zero_inside_is_refused);
    RUN(a_signature_is_of_these_bytes_and_this_key);
    RUN(names_are_printable_and_short);
    RUN(running_out_of_memory_is_noticed);
    return check_done();
}
