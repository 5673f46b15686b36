/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take part: the quorum of governors, unique names and keys. */
#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/study.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define SITES 3
#define GOVERNORS 3

static struct keyfile site[SITES], coordinator, governor[GOVERNORS];
static struct member members[SITES + 1];
static struct manifest manifest;

static void make(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    static const char *const names[] = {"berlin", "essen", "ulm"};
    for (size_t i = 0; i < SITES; i++) CHECK_OK(keyfile_make(&site[i], names[i], &rng));
    for (size_t i = 0; i < GOVERNORS; i++) CHECK_OK(keyfile_make(&governor[i], "governor", &rng));
    CHECK_OK(keyfile_make(&coordinator, "coordinator", &rng));
}

/* Two of three governors, three sites. */
static void reset(void)
{
    manifest = (struct manifest){.federation = "stroke",
                                 .epoch = 4,
                                 .study = {{5}},
                                 .floor = {2, 1, 3.0, 1e-5},
                                 .n = SITES,
                                 .member = members,
                                 .n_governors = GOVERNORS,
                                 .governors_needed = 2};
    member_of(&manifest.coordinator, &coordinator, true);
    for (uint32_t i = 0; i < SITES; i++) member_of(&members[i], &site[i], i != 1);
    for (uint32_t i = 0; i < GOVERNORS; i++)
        sign_public(manifest.governor[i], governor[i].identity);
}

/* signers: governors' numbers in order of signing. */
static void write_signed(struct buffer *out, const char *signers)
{
    out->n = 0;
    manifest_write(out, &manifest);
    for (; *signers != 0; signers++)
        CHECK_OK(manifest_sign(out, &manifest, governor[*signers - '0'].identity));
}

static enum status read_it(struct view in, enum reason *why)
{
    AUTO(manifest_free) struct manifest out = {0};
    static const struct manifest untouched = {0};
    *why = REASON_NONE;
    enum status status = manifest_read(&out, in, why);
    if (status != STATUS_OK) CHECK(memcmp(&out, &untouched, sizeof out) == 0);
    return status;
}

#define REFUSED(code, cause, bytes)                                                                \
    do {                                                                                           \
        enum reason why_;                                                                          \
        CHECK_STATUS(STATUS_##code, read_it(bytes, &why_));                                        \
        CHECK_NUMBER(REASON_##cause, why_);                                                        \
    } while (0)

static void what_was_signed_is_read_back(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0}, again = {0};
    write_signed(&bytes, "20");
    AUTO(manifest_free) struct manifest out = {0};
    enum reason why = REASON_FORMAT;
    CHECK_OK(manifest_read(&out, buffer_view(&bytes), &why));
    CHECK_NUMBER(REASON_NONE, why);
    manifest_write(&again, &out);
    CHECK_BYTES(bytes.at, again.at, again.n);
    CHECK_NUMBER(again.n + 2 * (1 + SIGN_BYTES), bytes.n);
    const struct hash want = manifest_hash(&manifest), got = manifest_hash(&out);
    CHECK(hash_equal(&want, &got));
    CHECK(strcmp(out.member[2].name, "ulm") == 0);
}

static void the_quorum_of_governors_is_needed(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "");
    REFUSED(AUTH, MANIFEST_QUORUM, buffer_view(&bytes));
    write_signed(&bytes, "1");
    REFUSED(AUTH, MANIFEST_QUORUM, buffer_view(&bytes));
    enum reason why;
    write_signed(&bytes, "01");
    CHECK_OK(read_it(buffer_view(&bytes), &why));
    write_signed(&bytes, "012");
    CHECK_OK(read_it(buffer_view(&bytes), &why));
}

static void one_governor_does_not_count_twice(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "11");
    REFUSED(FORMAT, FORMAT, buffer_view(&bytes));
}

static void who_is_not_a_governor_cannot_sign(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    manifest_write(&bytes, &manifest);
    const size_t n = bytes.n;
    CHECK_STATUS(STATUS_AUTH, manifest_sign(&bytes, &manifest, site[0].identity));
    CHECK_NUMBER(n, bytes.n);
    /* A number that no governor has. */
    write_signed(&bytes, "01");
    bytes.at[bytes.n - 1 - SIGN_BYTES] = GOVERNORS;
    REFUSED(FORMAT, FORMAT, buffer_view(&bytes));
    /* Another governor's number before a good signature. */
    bytes.at[bytes.n - 1 - SIGN_BYTES] = 2;
    REFUSED(AUTH, MANIFEST_QUORUM, buffer_view(&bytes));
}

static void a_changed_byte_undoes_the_signatures(void)
{
    reset();
    AUTO(buffer_free) struct buffer body = {0}, bytes = {0};
    manifest_write(&body, &manifest);
    write_signed(&bytes, "01");
    for (size_t i = 0; i < body.n; i += 3) {
        bytes.at[i] ^= 2;
        enum reason why;
        const enum status status = read_it(buffer_view(&bytes), &why);
        CHECK(status == STATUS_FORMAT || status == STATUS_AUTH);
        CHECK_NUMBER(status == STATUS_AUTH ? REASON_MANIFEST_QUORUM : REASON_FORMAT, why);
        bytes.at[i] ^= 2;
    }
}

static void another_length_is_refused(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    for (size_t n = 0; n < bytes.n; n++) {
        enum reason why;
        /* Without its last signature it is whole, but lacks the quorum. */
        const bool whole = n == bytes.n - 65 || n == bytes.n - 130;
        CHECK_STATUS(whole ? STATUS_AUTH : STATUS_FORMAT,
                     read_it((struct view){bytes.at, n}, &why));
    }
    write_u8(&bytes, 2);
    REFUSED(FORMAT, FORMAT, buffer_view(&bytes));
}

static void refuse_this(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    REFUSED(FORMAT, FORMAT, buffer_view(&bytes));
    reset();
}

static void nothing_may_come_twice(void)
{
    reset();
    memcpy(members[2].name, members[0].name, sizeof members[0].name);
    refuse_this();
    memcpy(members[2].identity, members[0].identity, 32);
    refuse_this();
    memcpy(members[2].transport, members[0].transport, 32);
    refuse_this();
    memcpy(members[1].name, manifest.coordinator.name, sizeof members[1].name);
    refuse_this();
    memcpy(members[1].identity, manifest.coordinator.identity, 32);
    refuse_this();
    memcpy(members[1].transport, manifest.coordinator.transport, 32);
    refuse_this();
    memcpy(manifest.governor[2], manifest.governor[0], 32);
    refuse_this();
}

static void names_and_keys_are_fit_for_use(void)
{
    reset();
    memcpy(members[0].name, "Ber lin", 8);
    refuse_this();
    members[0].name[0] = 0;
    refuse_this();
    memcpy(manifest.federation, "../x", 5);
    refuse_this();
    memset(members[0].transport, 0, 32);
    refuse_this();
    memset(manifest.coordinator.transport, 0, 32);
    refuse_this();
}

static void numbers_are_in_range(void)
{
    reset();
    manifest.n = 0;
    refuse_this();
    manifest.governors_needed = 0;
    refuse_this();
    manifest.governors_needed = GOVERNORS + 1;
    refuse_this();
    manifest.floor.max_epsilon = 0;
    refuse_this();
    manifest.floor.max_epsilon = __builtin_nan("");
    refuse_this();
    manifest.floor.max_delta = 0;
    refuse_this();
    manifest.floor.max_delta = 1;
    refuse_this();
    manifest.floor.max_epsilon = __builtin_inf();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    enum reason why;
    CHECK_OK(read_it(buffer_view(&bytes), &why));
}

/* Offset of the number of members: it stands behind the coordinator. */
static size_t offset_of_n(void)
{
    return 15 + 4 + strlen(manifest.federation) + 4 + 32 + 8 + 16 + 4 +
           strlen(manifest.coordinator.name) + 65;
}

static void what_a_machine_has_is_yes_or_no(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    CHECK_NUMBER(1, bytes.at[offset_of_n() - 1]);
    bytes.at[offset_of_n() - 1] = 2;
    REFUSED(FORMAT, FORMAT, buffer_view(&bytes));
}

static void the_first_machine_without_the_instructions_of_a_cipher_is_found(void)
{
    reset();
    CHECK(manifest_lacking(&manifest, MASK_CHACHA20) == NULL);
    CHECK(manifest_lacking(&manifest, MASK_AES256_CTR) == &members[1]);
    members[1].aes = true;
    CHECK(manifest_lacking(&manifest, MASK_AES256_CTR) == NULL);
    manifest.coordinator.aes = false;
    CHECK(manifest_lacking(&manifest, MASK_AES256_CTR) == &manifest.coordinator);
}

static void a_member_is_known_by_name_and_keys(void)
{
    struct member a, b;
    member_of(&a, &site[0], true);
    member_of(&b, &site[0], false);
    CHECK(member_same(&a, &b));
    uint8_t *const field[] = {(uint8_t *)b.name, b.identity, b.transport};
    for (size_t i = 0; i < 3; i++) {
        *field[i] ^= 1;
        CHECK(!member_same(&a, &b));
        *field[i] ^= 1;
    }
}

static void too_many_members_are_refused_before_memory_is_asked_for(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    CHECK_NUMBER(SITES, bytes.at[offset_of_n()]);
    bytes.at[offset_of_n() + 1] = PARAMS_SITES_MAX >> 8;
    struct manifest out = {0};
    enum reason why;
    oom_start(1);
    enum status status = manifest_read(&out, buffer_view(&bytes), &why);
    oom_stop();
    CHECK_STATUS(STATUS_FORMAT, status);
    CHECK(!oom_hit());
}

static void a_file_above_the_limit_is_refused(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    while (bytes.n <= MANIFEST_BYTES_MAX) write_u8(&bytes, 0);
    REFUSED(FORMAT, FORMAT, buffer_view(&bytes));
}

static void the_hash_covers_every_field(void)
{
    reset();
    const struct hash want = manifest_hash(&manifest);
    uint8_t *const field[] = {
        (uint8_t *)&manifest.federation,
        (uint8_t *)&manifest.epoch,
        manifest.study.bytes,
        (uint8_t *)&manifest.floor.m,
        (uint8_t *)&manifest.floor.c,
        (uint8_t *)&manifest.floor.max_epsilon,
        (uint8_t *)&manifest.floor.max_delta,
        (uint8_t *)manifest.coordinator.name,
        manifest.coordinator.identity,
        manifest.coordinator.transport,
        (uint8_t *)members[2].name,
        members[2].identity,
        members[2].transport,
        (uint8_t *)&members[2].aes,
        manifest.governor[2],
        (uint8_t *)&manifest.governors_needed,
    };
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        *field[i] ^= 1;
        const struct hash got = manifest_hash(&manifest);
        CHECK(!hash_equal(&want, &got));
        *field[i] ^= 1;
    }
    manifest.n--;
    const struct hash fewer = manifest_hash(&manifest);
    CHECK(!hash_equal(&want, &fewer));
}

static void without_memory_nothing_is_read(void)
{
    reset();
    AUTO(buffer_free) struct buffer bytes = {0};
    write_signed(&bytes, "01");
    OOM_EACH {
        struct manifest out = {0};
        enum reason why = REASON_NONE;
        enum status status = manifest_read(&out, buffer_view(&bytes), &why);
        oom_stop();
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && out.member == NULL);
        manifest_free(&out);
    }
}

static void what_a_study_promises_is_its_manifests_floor(void)
{
    const struct study study = {.study.id = "stroke",
                                .sites = {.min_contributors = 4, .colluding = 2},
                                .privacy = {.epsilon = 3, .delta = 1e-6},
                                .hash = {{9}}};
    struct manifest begun = {.n_governors = 2};
    manifest_begin(&begun, &study);
    CHECK(strcmp(begun.federation, "stroke") == 0);
    CHECK_NUMBER(1, begun.epoch);
    CHECK(hash_equal(&begun.study, &study.hash));
    CHECK(begun.floor.m == 4 && begun.floor.c == 2);
    CHECK_CLOSE(3, begun.floor.max_epsilon, 0);
    CHECK_CLOSE(1e-6, begun.floor.max_delta, 0);
    CHECK(begun.n_governors == 2 && begun.n == 0);
}

int main(void)
{
    make();
    RUN(what_a_study_promises_is_its_manifests_floor);
    RUN(what_was_signed_is_read_back);
    RUN(the_quorum_of_governors_is_needed);
    RUN(one_governor_does_not_count_twice);
    RUN(who_is_not_a_governor_cannot_sign);
    RUN(a_changed_byte_undoes_the_signatures);
    RUN(another_length_is_refused);
    RUN(nothing_may_come_twice);
    RUN(names_and_keys_are_fit_for_use);
    RUN(numbers_are_in_range);
    RUN(what_a_machine_has_is_yes_or_no);
    RUN(the_first_machine_without_the_instructions_of_a_cipher_is_found);
    RUN(a_member_is_known_by_name_and_keys);
    RUN(too_many_members_are_refused_before_memory_is_asked_for);
    RUN(a_file_above_the_limit_is_refused);
    RUN(the_hash_covers_every_field);
    RUN(without_memory_nothing_is_read);
    return check_done();
}
