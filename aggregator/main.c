/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-aggregator: the coordinator. */
#include <string.h>

#include "aggregator/check.h"
#include "aggregator/main_step.h"
#include "aggregator/report.h"
#include "aggregator/spend.h"
#include "base/file.h"
#include "protocol/evidence.h"
#include "protocol/statement.h"

struct option_row main_dir(const char **folder)
{
    return (struct option_row){.name = "dir",
                               .value = "DIR",
                               .help = "The folder of the key and of results (mode 0700)",
                               .letter = 'd',
                               .needed = true,
                               .text = folder};
}

enum status main_key(struct keyfile *key, const char *folder)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, "key"));
    enum status status = keyfile_read(key, path);
    if (status != STATUS_OK) (void)command_refuse(REASON_KEY_FILE, path);
    return status;
}

/* Initial weights: the file that `veilsum-lab init` writes (a state with everything kept). */
static enum status read_initial(struct state *out, const char *path, const struct study *study)
{
    struct layout layout;
    TRY(layout_of(&layout, &study->model.spec));
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, path, (size_t)layout.n * 5 + 64));
    return state_read(out, buffer_view(&bytes), layout.n);
}

/* What the study was, beside what came of it: for audits. */
static enum status keep_beside(const char *folder, const char *name, struct view bytes)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, name));
    return file_write(path, bytes, 0644);
}

/* Of run. */
struct arguments {
    const char *folder, *study, *manifest, *initial, *listen;
    unsigned threads;
    bool events;
};

static enum status open_study(struct coordinator *c, const struct arguments *a)
{
    c->folder = a->folder;
    TRY(main_key(&c->key, a->folder));
    struct settings_error why = {0};
    enum status status = study_read(&c->study, a->study, &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s  %s:%u: %s\n", reason_id(REASON_STUDY_FILE), a->study, why.line,
                why.text);
        return status;
    }
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, a->manifest, MANIFEST_BYTES_MAX));
    enum reason reason = REASON_NONE;
    status = manifest_read(&c->manifest, buffer_view(&bytes), &reason);
    if (status != STATUS_OK) (void)command_refuse(reason, reason_what(reason));
    TRY(status);
    struct member own;
    member_of(&own, &c->key, false);
    if (!member_same(&own, &c->manifest.coordinator)) {
        (void)command_refuse(REASON_MANIFEST, "the manifest names another coordinator");
        return STATUS_AUTH;
    }
    if (!hash_equal(&c->study.hash, &c->manifest.study)) {
        (void)command_refuse(REASON_STUDY, "the manifest names another study file");
        return STATUS_AUTH;
    }
    TRY(keep_beside(a->folder, "manifest", buffer_view(&bytes)));
    buffer_free(&bytes);
    TRY(file_read(&bytes, a->study, EVIDENCE_STUDY_MAX));
    TRY(keep_beside(a->folder, "study.yaml", buffer_view(&bytes)));
    AUTO(state_free) struct state initial = {0};
    TRY(read_initial(&initial, a->initial, &c->study));
    why = (struct settings_error){0};
    status = course_new(&c->course, &c->study, c->manifest.n, initial.weight, &why);
    if (why.text[0] != '\0') (void)command_refuse(REASON_STUDY_FILE, why.text);
    return status;
}

/* What the study can cost; also finds out whether its rounds can be planned at all. */
static enum status print_costs(const struct coordinator *c)
{
    fprintf(stderr,
            "study %s, unit %s, adding or removing one; fewest survivors throughout, no round "
            "failing:\n",
            c->study.study.id, study_unit_name(c->study.privacy.unit));
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        double epsilon = 0;
        char name[64];
        adversary_name(name, sizeof name, who, c->study.sites.colluding);
        enum status status = spend_worst(&epsilon, &c->course.schedule, who, &c->course.state.keep);
        if (status == STATUS_RANGE) (void)command_refuse(REASON_RING, reason_what(REASON_RING));
        TRY(status);
        fprintf(stderr, "  at most epsilon %.4f at delta %g against: %s\n",
                account_rounded(epsilon), c->study.privacy.delta, name);
    }
    return STATUS_OK;
}

static enum exit_code run(int argc, char **argv)
{
    struct arguments a = {.listen = "tcp://*:4710", .threads = command_threads(MASK_THREADS_MAX)};
    const struct option_row row[] = {
        main_dir(&a.folder),
        option_study(&a.study, "The study file"),
        {"manifest", "FILE", "The signed manifest", 'm', .needed = true, .text = &a.manifest},
        {"initial", "FILE", "Initial weights, from veilsum-lab init", .needed = true,
         .text = &a.initial},
        {"listen", "ADDRESS", "Where sites connect (tcp://*:4710)", 'l', .text = &a.listen},
        {"events", NULL, "Print one JSON object per step", .given = &a.events},
        option_threads(&a.threads, MASK_THREADS_MAX, "For pads (one per processor)"),
        {0}};
    static const char doc[] = "Lead the study until it is over. After a crash or a stop, the same "
                              "command goes on where the study was.";
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    static struct coordinator c; /* not moved: the course points into it */
    enum status status = open_study(&c, &a);
    enum exit_code code = EXIT_OK;
    if (status == STATUS_OK) status = print_costs(&c);
    if (status == STATUS_OK) {
        if (c.course.explored) report_cost(&c, a.events);
        c.threads = a.threads;
        code = run_study(&c, a.listen, a.events);
    } else {
        code = command_fail("the study cannot start", status);
    }
    course_free(&c.course);
    manifest_free(&c.manifest);
    keyfile_wipe(&c.key);
    return code;
}

/* The folder may have had other studies; the last one is shown first. */
static enum status print_statement(const char *path, bool json, struct ledger_fault *fault)
{
    AUTO(ledger_close) struct ledger ledger = {0};
    const enum status status = ledger_open(&ledger, path, NULL, fault);
    if (fault->what == NULL) TRY(status);
    const struct books *books = &ledger.books;
    struct statement statement = {.path = path, .ledger = &ledger, .fault = fault};
    if (books->n_studies > 0) {
        statement.study = books->n_studies - 1;
        const struct books_study *study = &books->study[statement.study];
        statement.limits = (struct books_limits){study->epsilon, books->set[study->set].epsilon,
                                                 books->set[study->set].delta};
    }
    return json ? statement_json(stdout, &statement) : statement_table(stdout, &statement);
}

static enum exit_code ledger(int argc, char **argv)
{
    static const char doc[] =
        "Show what the study has released, by the coordinator's own ledger, and whether its "
        "chain and signatures hold (exit code 6 when not). The sites keep theirs.\v"
        "Examples:\n  veilsum-aggregator ledger --dir coordinator\n"
        "  veilsum-aggregator ledger --dir coordinator --format json";
    const char *folder = NULL;
    bool json = false;
    const struct option_row row[] = {main_dir(&folder), option_format(&json), {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    char path[FILE_PATH_MAX];
    struct ledger_fault fault = {0};
    enum status status = file_path(path, sizeof path, folder, "ledger.db");
    if (status == STATUS_OK) status = print_statement(path, json, &fault);
    if (status != STATUS_OK) return command_fail(path, status);
    return fault.what == NULL ? EXIT_OK : EXIT_VERIFY;
}

static enum exit_code evidence(int argc, char **argv)
{
    static const char doc[] =
        "Write what an auditor needs of this folder into one file: the manifest, the study, "
        "the signed trail of all rounds and the ledger. No keys, no models.\v"
        "Examples:\n  veilsum-aggregator evidence --dir coordinator --out coordinator.evidence";
    const char *folder = NULL, *out = NULL;
    const struct option_row row[] = {
        main_dir(&folder),
        {"out", "FILE", "The file to write", 'o', .needed = true, .text = &out},
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    const char *lacks = NULL;
    const enum status status = evidence_export(out, folder, &lacks);
    return status == STATUS_OK ? EXIT_OK : command_fail(lacks, status);
}

int main(int argc, char **argv)
{
    static const struct command table[] = {
        {"check", "print what follows from a study file", check_command},
        {"keygen", "make the keys of the coordinator or of a governor", enrol_keygen},
        {"manifest", "enrol sites: make the manifest", enrol_manifest},
        {"sign", "sign a manifest as one of its governors", enrol_sign},
        {"run", "lead the study", run},
        {"ledger", "show what the study has released", ledger},
        {"evidence", "write what an auditor needs into one file", evidence},
    };
    static const char examples[] =
        "  veilsum-aggregator keygen --dir coordinator --name coordinator\n"
        "  veilsum-aggregator manifest --dir coordinator --study study.yaml \\\n"
        "      --governor officer-a/request --out cxr.manifest st-anna/request ...\n"
        "  veilsum-aggregator sign --dir officer-a --manifest cxr.manifest\n"
        "  veilsum-aggregator run --dir coordinator --study study.yaml --manifest cxr.manifest \\\n"
        "      --initial initial.state\n"
        "  veilsum-aggregator ledger --dir coordinator\n";
    argp_err_exit_status = EXIT_USAGE;
    return (int)command_main(argc, argv, examples, table, sizeof table / sizeof *table);
}
