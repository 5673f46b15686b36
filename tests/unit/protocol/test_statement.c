/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs are told of a ledger. */
#include "protocol/statement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

static const struct hash manifest = {{7}};
static struct ledger ledger;
static struct ledger_fault fault;
static char *text;

static void add(const struct ledger_entry *entry)
{
    CHECK(books_against(&ledger.books, entry) == NULL);
    CHECK_OK(books_add(&ledger.books, entry));
}

/* Three rounds: settled, reserved and void. */
static void fill(void)
{
    struct ledger_entry open = {
        .kind = LEDGER_OPEN, .data_set = "x-rays", .order = 8, .epsilon = 9, .delta = 1e-6};
    struct ledger_entry study = {.kind = LEDGER_STUDY,
                                 .manifest = manifest,
                                 .data_set = "x-rays",
                                 .study = "cxr",
                                 .order = 8,
                                 .epsilon = 3,
                                 .delta = 1e-5,
                                 .colluding = 2};
    struct ledger_entry reserve = {
        .kind = LEDGER_RESERVE,
        .manifest = manifest,
        .step = STEP_TRAIN,
        .release = {.norm2 = 1000000, .sigma = 2000, .n_shares = 3, .dim = 100, .sampling = 0.25}};
    struct ledger_entry settle = {
        .kind = LEDGER_SETTLE, .manifest = manifest, .round = 1, .release = {.n_shares = 5}};
    struct ledger_entry drop = {.kind = LEDGER_VOID, .manifest = manifest, .round = 3};
    ledger = (struct ledger){.head = {7, {{1}}}};
    fault = (struct ledger_fault){0};
    add(&open);
    add(&study);
    for (reserve.round = 1; reserve.round <= 3; reserve.round++) add(&reserve);
    add(&settle);
    add(&drop);
}

static void clear(void)
{
    books_free(&ledger.books);
    free(text);
    text = NULL;
}

static struct statement own_statement(void)
{
    return (struct statement){.path = "ledger.db",
                              .ledger = &ledger,
                              .fault = &fault,
                              .limits = {2.5, 8, 1e-6},
                              .last_round = 3,
                              .transcript = "abcd"};
}

typedef enum status printer(FILE *out, const struct statement *statement);

static void print(printer *how, const struct statement *statement)
{
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    CHECK(out != NULL);
    CHECK_OK(how(out, statement));
    CHECK(fclose(out) == 0);
}

static double epsilon_of(uint32_t first, uint32_t second, double delta)
{
    struct release release = {.norm2 = 1000000, .sigma = 2000, .dim = 100, .sampling = 0.25};
    struct account account = {0};
    release.n_shares = first;
    CHECK_OK(account_add(&account, &release, 1));
    release.n_shares = second;
    CHECK_OK(account_add(&account, &release, 1));
    return account_rounded(account_epsilon(&account, delta));
}

static void says(const char *what)
{
    if (strstr(text, what) == NULL) printf("lacks: %s\n", what);
    CHECK(strstr(text, what) != NULL);
}

static void every_epsilon_has_its_unit_delta_adversary_and_dropouts(void)
{
    fill();
    const struct statement statement = own_statement();
    print(statement_table, &statement);
    says("7 entries, chain and signatures hold");
    says("data set x-rays, all its studies");
    says("unit patient, adding or removing one, delta 1e-06; 2 releases, 1 of them reserved");
    says("unit patient, adding or removing one, delta 1e-05; 2 releases, 1 of them reserved");
    says("of 8.0000");
    says("of 2.5000");
    says("with the fewest allowed");
    says("last round 3, transcript abcd");
    char line[80];
    (void)snprintf(line, sizeof line, "spent against %-34s %10.4f", "server and 2 sites",
                   epsilon_of(5, 3, 1e-5));
    says(line);
    (void)snprintf(line, sizeof line, "spent against %-34s %10.4f", "server",
                   epsilon_of(7, 5, 1e-6));
    says(line);
    (void)snprintf(line, sizeof line, "spent against %-34s %10.4f",
                   "server, if the masks were broken", epsilon_of(1, 1, 1e-5));
    says(line);
    says("settled");
    says("reserved");
    says("void");
    clear();
}

static void programs_are_told_the_same(void)
{
    fill();
    const struct statement statement = own_statement();
    print(statement_json, &statement);
    says("\"intact\":true");
    says("\"entries\":7");
    says("\"releases\":2,\"reserved\":1");
    says("\"limit\":2.5");
    says("\"limit\":8.0");
    says("\"data_set\":\"x-rays\"");
    says("\"adjacency\":\"adding or removing one\"");
    says("\"state\":\"void\"");
    CHECK(text[strlen(text) - 1] == '\n' && strchr(text, '\n') == text + strlen(text) - 1);
    clear();
}

static void every_step_has_its_name(void)
{
    static const char *const name[STEP_COUNT] = {"explore", "train", "evaluate", "vote"};
    const struct statement statement = own_statement();
    for (enum step step = 0; step < STEP_COUNT; step++) {
        char line[64];
        fill();
        ledger.books.release[1].step = step;
        print(statement_table, &statement);
        (void)snprintf(line, sizeof line, "       2 %-8s reserved", name[step]);
        says(line);
        free(text);
        print(statement_json, &statement);
        (void)snprintf(line, sizeof line, "\"round\":2,\"step\":\"%s\"", name[step]);
        says(line);
        clear();
    }
}

static void a_time_beyond_all_calendars_is_said_to_be_unknown(void)
{
    const struct statement statement = own_statement();
    fill();
    ledger.books.release[1].time_s = UINT64_MAX >> 1;
    print(statement_table, &statement);
    says(" 0.250000 ?\n");
    clear();
}

/* Other studies' limits are those at their opening. */
static void who_has_no_study_sees_what_was_written(void)
{
    fill();
    struct statement statement = own_statement();
    statement.study = 1;
    print(statement_table, &statement);
    says("of 9.0000");
    says("of 3.0000");
    clear();
}

static void what_does_not_hold_is_named_and_nothing_else_is_said(void)
{
    ledger = (struct ledger){0};
    fault = (struct ledger_fault){4, "its signature does not hold"};
    const struct statement statement = own_statement();
    print(statement_table, &statement);
    CHECK(strcmp(text, "ledger.db: entry 4 does not hold: its signature does not hold\n") == 0);
    clear();
    print(statement_json, &statement);
    says("\"intact\":false,\"first_bad\":4");
    clear();
}

static void what_is_left_is_never_more_than_there_is(void)
{
    fill();
    struct statement statement = own_statement();
    statement.limits.study = 1e-3;
    print(statement_table, &statement);
    says("of 0.0010, 0.0000 left");
    clear();
}

int main(void)
{
    RUN(every_epsilon_has_its_unit_delta_adversary_and_dropouts);
    RUN(programs_are_told_the_same);
    RUN(every_step_has_its_name);
    RUN(a_time_beyond_all_calendars_is_said_to_be_unknown);
    RUN(who_has_no_study_sees_what_was_written);
    RUN(what_does_not_hold_is_named_and_nothing_else_is_said);
    RUN(what_is_left_is_never_more_than_there_is);
    return check_done();
}
