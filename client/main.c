/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-client: a site. */
#include <stdlib.h>
#include <string.h>

#include "client/backbone.h"
#include "client/data/odd.h"
#include "client/inspect.h"
#include "client/main_step.h"
#include "client/run.h"
#include "protocol/statement.h"

static unsigned parse_threads(const char *text, const struct argp_state *state)
{
    char *end = NULL;
    const unsigned long threads = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || threads == 0 || threads > MASK_THREADS_MAX)
        argp_error(state, "--threads must be 1 to %d", MASK_THREADS_MAX);
    return (unsigned)threads;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        if (state->child_inputs != NULL) state->child_inputs[0] = &a->records;
        return 0;
    case 'd':
        a->folder = text;
        return 0;
    case 'n':
        a->name = text;
        return 0;
    case 'm':
        a->manifest = text;
        return 0;
    case 's':
        a->study = text;
        return 0;
    case 'p':
        a->policy = text;
        return 0;
    case 'c':
        a->connect = text;
        return 0;
    case 'o':
        a->out = text;
        return 0;
    case ARG_BACKBONE:
        a->backbone = text;
        return 0;
    case ARG_PUT_IN:
        a->put_in = text;
        return 0;
    case ARG_FORMAT:
        a->format = text;
        return 0;
    case ARG_LEAST:
        a->least = text;
        return 0;
    case ARG_EVENTS:
        a->events = true;
        return 0;
    case ARG_PROXY:
        a->proxy = text;
        return 0;
    case ARG_PROXY_CREDENTIALS:
        a->proxy_credentials = text;
        return 0;
    case ARG_THREADS:
        a->threads = parse_threads(text, state);
        return 0;
    case ARGP_KEY_END:
        if (a->folder == NULL && !a->homeless) argp_error(state, "--dir is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void main_read(struct arguments *a, const struct argp_option *options, const char *doc, int argc,
               char **argv)
{
    const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    (void)argp_parse(&argp, argc, argv, 0, NULL, a);
}

void main_read_records(struct arguments *a, const struct argp_option *options, const char *doc,
                       int argc, char **argv)
{
    static const struct argp_child records[] = {{&records_argp, 0, "The records:", 1}, {0}};
    const struct argp argp = {.options = options, .parser = parse, .doc = doc, .children = records};
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

enum exit_code main_refuse(enum reason reason, const char *what)
{
    fprintf(stderr, "%s  %s\n  To do: %s.\n", reason_id(reason), what, reason_fix(reason));
    return command_exit(reason);
}

/* Hand over what is held out, and say what its operator should know of it. */
static enum status hold_out(struct site *site, struct dataset *held, struct site_error *why)
{
    if (held->n == 0) {
        if (schedule_steps(&site->study, STEP_EVALUATE) > 0)
            fprintf(stderr, "no records are held out: this site adds its noise to the study's "
                            "evaluations, and no counts\n");
        return STATUS_OK;
    }
    size_t shared = 0;
    const size_t n = held->n;
    TRY(site_hold_out(site, held, &shared, why));
    if (shared > 0)
        fprintf(stderr,
                "%zu of %zu held-out records are training records too: the evaluation will look "
                "better than the model is\n",
                shared, n);
    return STATUS_OK;
}

/* What is accounted for is one record, and a key may be a person with many. */
static void tell_of_keys(const struct site *site)
{
    const size_t most = odd_most_of_key(&site->local.data);
    if (site->study.privacy.unit == STUDY_PATIENT && most > 1)
        fprintf(
            stderr,
            "%zu records are of one key: the study's epsilon is for one record; for all of a key "
            "it is up to %zu times as much, at a larger delta\n",
            most, most);
}

static enum exit_code run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"connect", 'c', "ADDRESS", 0, "The coordinator, e.g. tcp://coord.example.org:4710", 0},
        {"backbone", ARG_BACKBONE, "FILE", 0,
         "The frozen weights that the study names, safetensors", 0},
        {"proxy", ARG_PROXY, "URL", 0, "Connect through http://HOST:PORT or socks5://HOST:PORT", 0},
        {"proxy-credentials", ARG_PROXY_CREDENTIALS, "FILE", 0,
         "One line user:password for the proxy, in a file of mode 0600", 0},
        {"threads", ARG_THREADS, "N", 0, "For pads and local epochs (default: one per processor)",
         0},
        {"events", ARG_EVENTS, NULL, 0, "Print one JSON object per step", 0},
        {"put-in", ARG_PUT_IN, "DIR", 0,
         "Write what was put into each sum; rehearsals on public data only", 0},
        {0}};
    struct arguments a = {.threads = command_threads(MASK_THREADS_MAX)};
    main_read_records(
        &a, options,
        "Take part in the study until it is over.\v"
        "Examples:\n"
        "  veilsum-client run --dir cxr --connect tcp://coord.example.org:4710 --npz cxr.npz\n"
        "  veilsum-client run --dir cxr --connect tcp://coord.example.org:4710 --folder scans \\\n"
        "      --holdout-folder scans-held-out\n"
        "  veilsum-client run --dir heart --connect tcp://coord.example.org:4710 \\\n"
        "      --csv heart.csv --schema heart.schema",
        argc, argv);
    if (a.connect == NULL) return main_usage("--connect is needed");
    const char *unusable = records_usage(&a.records);
    if (unusable != NULL) return main_usage(unusable);
    AUTO(dataset_free) struct dataset data = {0}, held = {0};
    struct data_error bad = {{0}};
    char study[FILE_PATH_MAX];
    struct settings_error line = {0};
    if (file_path(study, sizeof study, a.folder, "study.yaml") != STATUS_OK ||
        inspect_size(&a.records, study, &line) != STATUS_OK)
        return main_refuse(REASON_STUDY_FILE, line.text);
    if (records_read(&data, &held, &a.records, &bad) != STATUS_OK)
        return main_refuse(REASON_DATA, bad.text);
    static struct site site; /* not moved: the session points into it */
    struct site_error why = {0};
    if (site_open(&site, a.folder, &data, command_time_s(), &why) != STATUS_OK ||
        hold_out(&site, &held, &why) != STATUS_OK) {
        site_close(&site);
        return main_refuse(why.reason, why.text);
    }
    if (a.put_in != NULL && !site.study.study.rehearsal) {
        site_close(&site);
        return main_fail("--put-in is for rehearsals; the study is none", STATUS_RANGE);
    }
    AUTO(backbone_free) struct backbone backbone = {0};
    if (backbone_read(&backbone, &site.study, a.backbone, &bad) != STATUS_OK) {
        site_close(&site);
        return main_refuse(REASON_BACKBONE, bad.text);
    }
    tell_of_keys(&site);
    site.local.backbone = backbone.weight;
    site.put_in = a.put_in;
    site.session.config.threads = a.threads;
    site.local.threads = a.threads;
    const struct run_options way = {.connect = a.connect,
                                    .proxy = a.proxy,
                                    .proxy_credentials = a.proxy_credentials,
                                    .events = a.events};
    enum exit_code code = run_site(&site, &way);
    site_close(&site);
    return code;
}

/* What the statement says of the folder's own study. */
struct own {
    char path[FILE_PATH_MAX]; /* of the ledger */
    struct manifest manifest;
    struct study study;
    struct policy policy;
    struct journal *journal;
    struct ledger ledger;
    struct ledger_fault fault;
};

static void own_free(struct own *own)
{
    manifest_free(&own->manifest);
    journal_close(&own->journal);
    ledger_close(&own->ledger);
}

/* Where the ledger is, or what the folder lacks. */
static enum status read_folder(struct own *own, const char *folder, const char **lacks)
{
    char path[FILE_PATH_MAX];
    struct settings_error bad = {0};
    enum reason why = REASON_NONE;
    AUTO(buffer_free) struct buffer bytes = {0};
    *lacks = "manifest";
    TRY(file_path(path, sizeof path, folder, *lacks));
    TRY(file_read(&bytes, path, MANIFEST_BYTES_MAX));
    TRY(manifest_read(&own->manifest, buffer_view(&bytes), &why));
    *lacks = "study.yaml";
    TRY(file_path(path, sizeof path, folder, *lacks));
    TRY(study_read(&own->study, path, &bad));
    *lacks = "policy.yaml";
    TRY(file_path(path, sizeof path, folder, *lacks));
    TRY(policy_read(&own->policy, path, &bad));
    return policy_ledger(own->path, folder, &own->policy);
}

/* The ledger, if it goes on from where the journal knows it. */
static enum status read_ledger(struct own *own, const char *folder)
{
    char path[FILE_PATH_MAX];
    const struct hash manifest = manifest_hash(&own->manifest);
    struct ledger_head head = {0};
    TRY(file_path(path, sizeof path, folder, "journal.db"));
    TRY(journal_open(&own->journal, path));
    TRY(journal_bind(own->journal, &manifest, false));
    TRY(journal_head(own->journal, &head));
    const enum status status = ledger_open(&own->ledger, own->path, NULL, &own->fault);
    if (own->fault.what != NULL) return STATUS_OK;
    TRY(status);
    if (ledger_follows(&own->ledger, &head) == STATUS_OK) return STATUS_OK;
    own->fault = (struct ledger_fault){head.n, "it is not the one that journal.db remembers: the "
                                               "end was cut off, or this is another ledger"};
    return STATUS_OK;
}

static enum status print_statement(const struct own *own, bool json)
{
    const struct hash manifest = manifest_hash(&own->manifest);
    uint32_t last_round = 0;
    struct hash transcript = {0};
    char seen[2 * HASH_BYTES + 1];
    TRY(journal_restore(own->journal, &last_round, &transcript));
    hash_hex(seen, &transcript, HASH_BYTES);
    const struct statement statement = {
        .path = own->path,
        .ledger = &own->ledger,
        .fault = &own->fault,
        .study = books_find_study(&own->ledger.books, &manifest),
        .limits = policy_limits(&own->policy, &own->study),
        .last_round = last_round,
        .transcript = seen,
    };
    return json ? statement_json(stdout, &statement) : statement_table(stdout, &statement);
}

static enum exit_code ledger(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"format", ARG_FORMAT, "FORMAT", 0, "table (default) or json", 0}, {0}};
    struct arguments a = {.format = "table"};
    main_read(&a, options,
              "Show what this site's records have spent, per data set and per study, and whether "
              "the ledger's chain and signatures hold (exit code 6 when not).\v"
              "Examples:\n  veilsum-client ledger --dir /var/lib/veilsum/cxr\n"
              "  veilsum-client ledger --dir /var/lib/veilsum/cxr --format json",
              argc, argv);
    const bool json = strcmp(a.format, "json") == 0;
    if (!json && strcmp(a.format, "table") != 0) return main_usage("--format is table or json");
    AUTO(own_free) struct own own = {0};
    const char *lacks = NULL;
    enum status status = read_folder(&own, a.folder, &lacks);
    if (status != STATUS_OK) return main_fail(lacks, status);
    status = read_ledger(&own, a.folder);
    if (status == STATUS_OK) status = print_statement(&own, json);
    if (status != STATUS_OK)
        return main_refuse(REASON_LEDGER, status == STATUS_STATE ? reason_what(REASON_LEDGER)
                                                                 : status_text(status));
    return own.fault.what == NULL ? EXIT_OK : EXIT_VERIFY;
}

static enum exit_code evidence(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"out", 'o', "FILE", 0, "The file to write", 0}, {0}};
    struct arguments a = {0};
    main_read(
        &a, options,
        "Write what an auditor needs of this folder into one file: the manifest, the study, "
        "the signed trail of all rounds and the whole ledger, with all studies that share it. "
        "No keys, no records.\v"
        "Examples:\n  veilsum-client evidence --dir /var/lib/veilsum/cxr --out st-anna.evidence",
        argc, argv);
    const char *lacks = NULL;
    if (a.out == NULL) return main_usage("--out is needed");
    const enum status status = evidence_export(a.out, a.folder, &lacks);
    return status == STATUS_OK ? EXIT_OK : main_fail(lacks, status);
}

int main(int argc, char **argv)
{
    static const struct command table[] = {
        {"keygen", "make keys and a request to be enrolled", enrol_keygen},
        {"pin", "check and pin the signed manifest, the study and the policy", enrol_pin},
        {"data", "look at the records before a study", inspect_data},
        {"run", "take part in the study", run},
        {"ledger", "show what this site's records have spent", ledger},
        {"evidence", "write what an auditor needs into one file", evidence},
    };
    static const char examples[] =
        "  veilsum-client keygen --dir /var/lib/veilsum/cxr --name st-anna\n"
        "  veilsum-client pin --dir /var/lib/veilsum/cxr --manifest cxr.manifest \\\n"
        "      --study study.yaml --policy policy.yaml\n"
        "  veilsum-client data check --npz /data/cxr.npz --study study.yaml\n"
        "  veilsum-client run --dir /var/lib/veilsum/cxr --connect tcp://coord.example.org:4710 "
        "\\\n"
        "      --npz /data/cxr.npz\n"
        "  veilsum-client ledger --dir /var/lib/veilsum/cxr\n";
    argp_err_exit_status = EXIT_USAGE;
    return (int)command_main(argc, argv, examples, table, sizeof table / sizeof *table);
}
