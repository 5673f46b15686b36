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

struct option_row main_dir(const char **folder)
{
    return (struct option_row){.name = "dir",
                               .value = "DIR",
                               .help = "The site's folder (mode 0700)",
                               .letter = 'd',
                               .needed = true,
                               .text = folder};
}

enum exit_code main_usage(const char *what)
{
    fprintf(stderr, "%s; see --help\n", what);
    return EXIT_USAGE;
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
    static const struct argp_child children[] = {{&records_argp, 0, "The records:", 1}, {0}};
    const char *folder = NULL, *backbone_path = NULL, *put_in = NULL;
    struct run_options way = {0};
    unsigned threads = command_threads(MASK_THREADS_MAX);
    struct records records = {0};
    const struct option_row row[] = {
        main_dir(&folder),
        {"connect", "ADDRESS", "The coordinator, e.g. tcp://coord.example.org:4710", 'c',
         .needed = true, .text = &way.connect},
        {"backbone", "FILE", "The frozen weights that the study names, safetensors",
         .text = &backbone_path},
        {"proxy", "URL", "Connect through http://HOST:PORT or socks5://HOST:PORT",
         .text = &way.proxy},
        {"proxy-credentials", "FILE",
         "One line user:password for the proxy, in a file of mode 0600",
         .text = &way.proxy_credentials},
        option_threads(&threads, MASK_THREADS_MAX, "For pads and local epochs (one per processor)"),
        {"events", NULL, "Print one JSON object per step", .given = &way.events},
        {"put-in", "DIR", "Write what was put into each sum; rehearsals on public data only",
         .text = &put_in},
        {0}};
    static const char doc[] =
        "Take part in the study until it is over.\v"
        "Examples:\n"
        "  veilsum-client run --dir cxr --connect tcp://coord.example.org:4710 --npz cxr.npz\n"
        "  veilsum-client run --dir cxr --connect tcp://coord.example.org:4710 --folder scans \\\n"
        "      --holdout-folder scans-held-out\n"
        "  veilsum-client run --dir heart --connect tcp://coord.example.org:4710 \\\n"
        "      --csv heart.csv --schema heart.schema";
    option_read(
        &(struct option_table){.row = row, .doc = doc, .children = children, .further = &records},
        argc, argv);
    const char *unusable = records_usage(&records);
    if (unusable != NULL) return main_usage(unusable);
    AUTO(dataset_free) struct dataset data = {0}, held = {0};
    struct data_error bad = {{0}};
    char study[FILE_PATH_MAX];
    struct settings_error line = {0};
    if (file_path(study, sizeof study, folder, "study.yaml") != STATUS_OK ||
        inspect_size(&records, study, &line) != STATUS_OK)
        return command_refuse(REASON_STUDY_FILE, line.text);
    if (records_read(&data, &held, &records, &bad) != STATUS_OK)
        return command_refuse(REASON_DATA, bad.text);
    static struct site site; /* not moved: the session points into it */
    struct site_error why = {0};
    if (site_open(&site, folder, &data, command_time_s(), &why) != STATUS_OK ||
        hold_out(&site, &held, &why) != STATUS_OK) {
        site_close(&site);
        return command_refuse(why.reason, why.text);
    }
    if (put_in != NULL && !site.study.study.rehearsal) {
        site_close(&site);
        return command_fail("--put-in is for rehearsals; the study is none", STATUS_RANGE);
    }
    AUTO(backbone_free) struct backbone backbone = {0};
    if (backbone_read(&backbone, &site.study, backbone_path, &bad) != STATUS_OK) {
        site_close(&site);
        return command_refuse(REASON_BACKBONE, bad.text);
    }
    tell_of_keys(&site);
    site.local.backbone = backbone.weight;
    site.put_in = put_in;
    site.session.config.threads = threads;
    site.local.threads = threads;
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
    static const char doc[] =
        "Show what this site's records have spent, per data set and per study, and whether "
        "the ledger's chain and signatures hold (exit code 6 when not).\v"
        "Examples:\n  veilsum-client ledger --dir /var/lib/veilsum/cxr\n"
        "  veilsum-client ledger --dir /var/lib/veilsum/cxr --format json";
    const char *folder = NULL;
    bool json = false;
    const struct option_row row[] = {main_dir(&folder), option_format(&json), {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    AUTO(own_free) struct own own = {0};
    const char *lacks = NULL;
    enum status status = read_folder(&own, folder, &lacks);
    if (status != STATUS_OK) return command_fail(lacks, status);
    status = read_ledger(&own, folder);
    if (status == STATUS_OK) status = print_statement(&own, json);
    if (status != STATUS_OK)
        return command_refuse(REASON_LEDGER, status == STATUS_STATE ? reason_what(REASON_LEDGER)
                                                                    : status_text(status));
    return own.fault.what == NULL ? EXIT_OK : EXIT_VERIFY;
}

static enum exit_code evidence(int argc, char **argv)
{
    static const char doc[] =
        "Write what an auditor needs of this folder into one file: the manifest, the study, "
        "the signed trail of all rounds and the whole ledger, with all studies that share it. "
        "No keys, no records.\v"
        "Examples:\n  veilsum-client evidence --dir /var/lib/veilsum/cxr --out st-anna.evidence";
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
