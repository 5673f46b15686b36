/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-aggregator: the coordinator. */
#include <stdlib.h>
#include <string.h>

#include "aggregator/check.h"
#include "aggregator/main_step.h"
#include "aggregator/report.h"
#include "aggregator/spend.h"
#include "base/file.h"
#include "protocol/evidence.h"
#include "protocol/statement.h"

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'd':
        a->folder = text;
        return 0;
    case 'n':
        a->name = text;
        return 0;
    case 's':
        a->study = text;
        return 0;
    case 'm':
        a->manifest = text;
        return 0;
    case 'o':
        a->out = text;
        return 0;
    case 'l':
        a->listen = text;
        return 0;
    case ARG_FORMAT:
        a->format = text;
        return 0;
    case ARG_INITIAL:
        a->initial = text;
        return 0;
    case ARG_EVENTS:
        a->events = true;
        return 0;
    case ARG_THREADS:
        a->threads = (unsigned)strtoul(text, NULL, 10);
        if (a->threads < 1 || a->threads > MASK_THREADS_MAX)
            argp_error(state, "--threads is 1 to %d", MASK_THREADS_MAX);
        return 0;
    case ARG_NEEDED:
        a->needed = (uint32_t)strtoul(text, NULL, 10);
        return 0;
    case ARG_GOVERNOR:
        if (a->n_governors == MANIFEST_GOVERNORS_MAX)
            argp_error(state, "too many governors");
        else
            a->governor[a->n_governors++] = text;
        return 0;
    case ARGP_KEY_ARG:
        if (a->request == NULL) return ARGP_ERR_UNKNOWN;
        a->request[a->n_requests++] = text;
        return 0;
    case ARGP_KEY_END:
        if (a->folder == NULL) argp_error(state, "--dir is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void main_read(struct arguments *a, const struct argp_option *options, const char *positional,
               const char *doc, int argc, char **argv)
{
    const struct argp argp = {
        .options = options, .parser = parse, .args_doc = positional, .doc = doc};
    (void)argp_parse(&argp, argc, argv, 0, NULL, a);
}

enum exit_code main_fail(const char *what, enum status status)
{
    fprintf(stderr, "%s: %s\n", what, status_text(status));
    return status == STATUS_AUTH ? EXIT_AUTH : EXIT_FAILED;
}

enum exit_code main_usage(const char *what)
{
    fprintf(stderr, "%s; see --help\n", what);
    return EXIT_USAGE;
}

void main_explain(enum reason reason, const char *what)
{
    fprintf(stderr, "%s  %s\n  To do: %s.\n", reason_id(reason), what, reason_fix(reason));
}

enum status main_key(struct keyfile *key, const char *folder)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, "key"));
    enum status status = keyfile_read(key, path);
    if (status != STATUS_OK) main_explain(REASON_KEY_FILE, path);
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
    if (status != STATUS_OK) main_explain(reason, reason_what(reason));
    TRY(status);
    struct member own;
    member_of(&own, &c->key, false);
    if (!member_same(&own, &c->manifest.coordinator)) {
        main_explain(REASON_MANIFEST, "the manifest names another coordinator");
        return STATUS_AUTH;
    }
    if (!hash_equal(&c->study.hash, &c->manifest.study)) {
        main_explain(REASON_STUDY, "the manifest names another study file");
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
    if (why.text[0] != '\0') main_explain(REASON_STUDY_FILE, why.text);
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
        if (status == STATUS_RANGE) main_explain(REASON_RING, reason_what(REASON_RING));
        TRY(status);
        fprintf(stderr, "  at most epsilon %.4f at delta %g against: %s\n",
                account_rounded(epsilon), c->study.privacy.delta, name);
    }
    return STATUS_OK;
}

static enum exit_code run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"study", 's', "FILE", 0, "The study file", 0},
        {"manifest", 'm', "FILE", 0, "The signed manifest", 0},
        {"initial", ARG_INITIAL, "FILE", 0, "Initial weights, from veilsum-lab init", 0},
        {"listen", 'l', "ADDRESS", 0, "Default tcp://*:4710", 0},
        {"events", ARG_EVENTS, NULL, 0, "Print one JSON object per step", 0},
        {"threads", ARG_THREADS, "N", 0, "For pads (default: one per processor)", 0},
        {0}};
    struct arguments a = {.listen = "tcp://*:4710", .threads = command_threads(MASK_THREADS_MAX)};
    main_read(&a, options, NULL,
              "Lead the study until it is over. After a crash or a stop, the same command goes "
              "on where the study was.",
              argc, argv);
    if (a.study == NULL || a.manifest == NULL || a.initial == NULL)
        return main_usage("--study, --manifest and --initial are needed");
    static struct coordinator c; /* not moved: the course points into it */
    enum status status = open_study(&c, &a);
    enum exit_code code = EXIT_OK;
    if (status == STATUS_OK) status = print_costs(&c);
    if (status == STATUS_OK) {
        if (c.course.explored) report_cost(&c, a.events);
        c.threads = a.threads;
        code = run_study(&c, a.listen, a.events);
    } else {
        code = main_fail("the study cannot start", status);
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
    static const struct argp_option options[] = {
        OPTION_DIR, {"format", ARG_FORMAT, "FORMAT", 0, "table (default) or json", 0}, {0}};
    struct arguments a = {.format = "table"};
    main_read(&a, options, NULL,
              "Show what the study has released, by the coordinator's own ledger, and whether its "
              "chain and signatures hold (exit code 6 when not). The sites keep theirs.\v"
              "Examples:\n  veilsum-aggregator ledger --dir coordinator\n"
              "  veilsum-aggregator ledger --dir coordinator --format json",
              argc, argv);
    const bool json = strcmp(a.format, "json") == 0;
    if (!json && strcmp(a.format, "table") != 0) return main_usage("--format is table or json");
    char path[FILE_PATH_MAX];
    struct ledger_fault fault = {0};
    enum status status = file_path(path, sizeof path, a.folder, "ledger.db");
    if (status == STATUS_OK) status = print_statement(path, json, &fault);
    if (status != STATUS_OK) return main_fail(path, status);
    return fault.what == NULL ? EXIT_OK : EXIT_VERIFY;
}

static enum exit_code evidence(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"out", 'o', "FILE", 0, "The file to write", 0}, {0}};
    struct arguments a = {0};
    main_read(
        &a, options, NULL,
        "Write what an auditor needs of this folder into one file: the manifest, the study, "
        "the signed trail of all rounds and the ledger. No keys, no models.\v"
        "Examples:\n  veilsum-aggregator evidence --dir coordinator --out coordinator.evidence",
        argc, argv);
    const char *lacks = NULL;
    if (a.out == NULL) return main_usage("--out is needed");
    const enum status status = evidence_export(a.out, a.folder, &lacks);
    return status == STATUS_OK ? EXIT_OK : main_fail(lacks, status);
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
