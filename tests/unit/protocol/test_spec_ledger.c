/* SPDX-License-Identifier: Apache-2.0 */
/* Each entry of a ledger is what its tables in protocol/SPEC.md, section 14, say. */
#include <stdio.h>
#include <string.h>

#include "protocol/ledger_entry.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec.h"

#define HEAD_BYTES (8 + HASH_BYTES + 8 + SIGN_PUBLIC_BYTES + 1)

static const struct outer outer[] = {{NULL, 0}};

static struct ledger_entry begin(enum ledger_kind kind)
{
    return (struct ledger_entry){.kind = kind};
}

/* Compare an entry's head and body with their tables, and its kind with the name. */
static void check_entry(const char *name, const struct ledger_entry *entry)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, entry);
    (void)check_kind(name, (uint8_t)entry->kind);
    check_table(name, (struct view){bytes.at + HEAD_BYTES, bytes.n - HEAD_BYTES});
}

static void head_is_as_described(void)
{
    struct ledger_entry entry = begin(LEDGER_VOID);
    const uint8_t kind = LEDGER_VOID;
    PUT("number", "u64", entry.number);
    PUT("previous", "hash", entry.previous);
    PUT("time", "u64", entry.time_s);
    PUT("signer", "key", entry.signer);
    want("kind", "u8", &kind, 1);
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, &entry);
    check_table("ENTRY", (struct view){bytes.at, HEAD_BYTES});
}

static void put_limit(struct ledger_entry *entry)
{
    const uint8_t unit = STUDY_SITE;
    entry->unit = STUDY_SITE;
    entry->order = 7;
    want("unit", "u8", &unit, 1);
    want("order", "u32", &RDP_ORDER[7], 4);
    PUT("epsilon", "f64", entry->epsilon);
    PUT("delta", "f64", entry->delta);
}

static void open_is_as_described(void)
{
    struct ledger_entry entry = begin(LEDGER_OPEN);
    memcpy(entry.data_set, "x-rays", 7);
    want("data set", "blob", "x-rays", 6);
    put_limit(&entry);
    check_entry("OPEN", &entry);
}

static void study_is_as_described(void)
{
    struct ledger_entry entry = begin(LEDGER_STUDY);
    memcpy(entry.data_set, "x-rays", 7);
    memcpy(entry.study, "cxr-2027", 9);
    PUT("manifest", "hash", entry.manifest);
    want("data set", "blob", "x-rays", 6);
    want("study", "blob", "cxr-2027", 8);
    put_limit(&entry);
    PUT("sampler delta", "f64", entry.sampler_delta);
    PUT("colluding", "u32", entry.colluding);
    check_entry("STUDY", &entry);
}

static void reserve_is_as_described(void)
{
    struct ledger_entry entry = begin(LEDGER_RESERVE);
    const uint8_t step = STEP_TRAIN;
    entry.step = STEP_TRAIN;
    PUT("manifest", "hash", entry.manifest);
    PUT("round", "u32", entry.round);
    want("step", "u8", &step, 1);
    PUT("norm2", "u64", entry.release.norm2);
    PUT("sigma", "u32", entry.release.sigma);
    PUT("shares", "u32", entry.release.n_shares);
    PUT("dim", "u64", entry.release.dim);
    PUT("sampling", "f64", entry.release.sampling);
    uint8_t removable;
    PUT("removable", "u8", removable);
    entry.release.removable = removable;
    check_entry("RESERVE", &entry);
}

static void settle_and_void_are_as_described(void)
{
    struct ledger_entry entry = begin(LEDGER_SETTLE);
    PUT("manifest", "hash", entry.manifest);
    PUT("round", "u32", entry.round);
    PUT("shares", "u32", entry.release.n_shares);
    check_entry("SETTLE", &entry);
    entry = begin(LEDGER_VOID);
    PUT("manifest", "hash", entry.manifest);
    PUT("round", "u32", entry.round);
    check_entry("VOID", &entry);
}

static void every_kind_has_a_table(void)
{
    check_all_kinds_were_used(LEDGER_KINDS - 1);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    CHECK(spec_kinds("### ENTRY", "| kind | entry | what it does |"));
    RUN(head_is_as_described);
    RUN(open_is_as_described);
    RUN(study_is_as_described);
    RUN(reserve_is_as_described);
    RUN(settle_and_void_are_as_described);
    RUN(every_kind_has_a_table);
    spec_close();
    return check_done();
}
