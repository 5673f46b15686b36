/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-client: a site. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/event.h"
#include "client/run.h"

/* Arguments of all subcommands; each takes those that it lists. */
struct arguments {
    const char *folder, *name, *manifest, *study, *policy, *connect;
    const char *images, *labels, *npz, *split, *put_in, *format;
    const char *proxy, *proxy_credentials;
    unsigned threads;
    bool events;
};

enum {
    ARG_SPLIT = 256,
    ARG_PUT_IN,
    ARG_EVENTS,
    ARG_FORMAT,
    ARG_PROXY,
    ARG_PROXY_CREDENTIALS,
    ARG_THREADS
};

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
    case 'i':
        a->images = text;
        return 0;
    case 'l':
        a->labels = text;
        return 0;
    case 'z':
        a->npz = text;
        return 0;
    case ARG_SPLIT:
        a->split = text;
        return 0;
    case ARG_PUT_IN:
        a->put_in = text;
        return 0;
    case ARG_FORMAT:
        a->format = text;
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
        if (a->folder == NULL) argp_error(state, "--dir is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, "The site's folder (mode 0700)", 0                                   \
    }

static void read_arguments(struct arguments *a, const struct argp_option *options, const char *doc,
                           int argc, char **argv)
{
    const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    (void)argp_parse(&argp, argc, argv, 0, NULL, a);
}

static enum exit_code fail(const char *what, enum status status)
{
    fprintf(stderr, "%s: %s\n", what, status_text(status));
    return status == STATUS_AUTH ? EXIT_AUTH : EXIT_FAILED;
}

static enum exit_code usage(const char *what)
{
    fprintf(stderr, "%s; see --help\n", what);
    return EXIT_USAGE;
}

static enum exit_code refuse(enum reason reason, const char *what)
{
    fprintf(stderr, "%s  %s\n  To do: %s.\n", reason_id(reason), what, reason_fix(reason));
    return command_exit(reason);
}

static enum exit_code refuse_ledger(enum status status)
{
    bool strange = status == STATUS_STATE;
    return refuse(REASON_LEDGER, strange ? reason_what(REASON_LEDGER) : status_text(status));
}

static enum status store(const struct arguments *a, const char *name, struct view bytes,
                         unsigned mode)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, a->folder, name));
    return file_write(path, bytes, mode);
}

static void print_fingerprint(const char *what, const struct hash *hash)
{
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, hash, HASH_BYTES);
    printf("%s %s\n", what, hex);
}

static enum exit_code keygen(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"name", 'n', "NAME", 0, "The site's name: a-z, 0-9 and -", 0}, {0}};
    struct arguments a = {0};
    read_arguments(&a, options, "Make a site's keys and a request to be enrolled.", argc, argv);
    if (a.name == NULL) return usage("--name is needed");
    if (mkdir(a.folder, 0700) != 0 && errno != EEXIST) return fail(a.folder, STATUS_IO);
    AUTO(rng_wipe) struct rng rng = {0};
    rng_system(&rng);
    AUTO(keyfile_wipe) struct keyfile key = {0};
    enum status status = keyfile_make(&key, a.name, &rng);
    if (status != STATUS_OK) return fail(a.name, status);
    char path[FILE_PATH_MAX];
    status = file_path(path, sizeof path, a.folder, "key");
    if (status == STATUS_OK) status = keyfile_write(&key, path);
    if (status != STATUS_OK) return fail("the key file exists or cannot be written", status);
    AUTO(buffer_free) struct buffer request = {0};
    request_write(&request, &key, mask_available(MASK_AES256_CTR));
    status = request.status == STATUS_OK ? store(&a, "request", buffer_view(&request), 0644)
                                         : request.status;
    if (status != STATUS_OK) return fail("request", status);
    printf("wrote %s/key (secret: it never leaves this machine)\n", a.folder);
    printf("wrote %s/request: send it to the coordinator\n", a.folder);
    struct hash hash = hash_of("request", buffer_view(&request));
    print_fingerprint("fingerprint, to be compared by phone:", &hash);
    return EXIT_OK;
}

/* A file that is copied into the folder as it is. */
static enum status copy(const struct arguments *a, const char *from, const char *name)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, from, MANIFEST_BYTES_MAX));
    return store(a, name, buffer_view(&bytes), 0644);
}

static enum status open_journal(struct journal **out, const struct arguments *a,
                                const struct hash *manifest, bool first)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, a->folder, "journal.db"));
    TRY(journal_open(out, path));
    return journal_bind(*out, manifest, first);
}

/* The hash of the manifest in the folder. */
static enum status pinned(struct hash *out, const struct arguments *a)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, a->folder, "manifest"));
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, path, MANIFEST_BYTES_MAX));
    AUTO(manifest_free) struct manifest manifest = {0};
    enum reason why = REASON_NONE;
    TRY(manifest_read(&manifest, buffer_view(&bytes), &why));
    *out = manifest_hash(&manifest);
    return STATUS_OK;
}

static enum exit_code pin(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"manifest", 'm', "FILE", 0, "The signed manifest", 0},
        {"study", 's', "FILE", 0, "The study file", 0},
        {"policy", 'p', "FILE", 0, "This site's policy", 0},
        {0}};
    struct arguments a = {0};
    read_arguments(&a, options, "Check a manifest's signatures and pin it, with study and policy.",
                   argc, argv);
    if (a.manifest == NULL || a.study == NULL || a.policy == NULL)
        return usage("--manifest, --study and --policy are needed");
    AUTO(buffer_free) struct buffer bytes = {0};
    enum status status = file_read(&bytes, a.manifest, MANIFEST_BYTES_MAX);
    if (status != STATUS_OK) return fail(a.manifest, status);
    AUTO(manifest_free) struct manifest manifest = {0};
    enum reason why = REASON_NONE;
    status = manifest_read(&manifest, buffer_view(&bytes), &why);
    if (status != STATUS_OK) return refuse(why, reason_what(why));
    struct hash hash = manifest_hash(&manifest);
    char hex[2 * HASH_BYTES + 2];
    hash_hex(hex, &hash, HASH_BYTES);
    hex[2 * HASH_BYTES] = '\n';
    struct view line = {.at = (const uint8_t *)hex, .n = sizeof hex - 1};
    AUTO(journal_close) struct journal *journal = NULL;
    status = open_journal(&journal, &a, &hash, true);
    if (status != STATUS_OK) return refuse_ledger(status);
    status = copy(&a, a.manifest, "manifest");
    if (status == STATUS_OK) status = copy(&a, a.study, "study.yaml");
    if (status == STATUS_OK) status = copy(&a, a.policy, "policy.yaml");
    if (status == STATUS_OK) status = store(&a, "manifest.pin", line, 0644);
    if (status != STATUS_OK) return fail(a.folder, status);
    printf("federation %s, epoch %u, %u sites, %u of %u governors needed\n", manifest.federation,
           manifest.epoch, manifest.n, manifest.governors_needed, manifest.n_governors);
    print_fingerprint("pinned manifest, to be compared by phone:", &hash);
    return EXIT_OK;
}

static enum status read_data(struct dataset *data, const struct arguments *a,
                             struct data_error *why)
{
    if (a->npz != NULL) return npz_read(data, a->npz, a->split == NULL ? "train" : a->split, why);
    return idx_read(data, a->images, a->labels, why);
}

static enum exit_code run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"connect", 'c', "ADDRESS", 0, "The coordinator, e.g. tcp://coord.example.org:4710", 0},
        {"images", 'i', "FILE", 0, "Images, idx or idx.gz", 0},
        {"labels", 'l', "FILE", 0, "Labels, idx or idx.gz", 0},
        {"npz", 'z', "FILE", 0, "Images and labels as MedMNIST has them", 0},
        {"split", ARG_SPLIT, "NAME", 0, "train, val or test of the npz (train)", 0},
        {"proxy", ARG_PROXY, "URL", 0, "Connect through http://HOST:PORT or socks5://HOST:PORT", 0},
        {"proxy-credentials", ARG_PROXY_CREDENTIALS, "FILE", 0,
         "One line user:password for the proxy, in a file of mode 0600", 0},
        {"threads", ARG_THREADS, "N", 0, "For pads (default: one per processor)", 0},
        {"events", ARG_EVENTS, NULL, 0, "Print one JSON object per step", 0},
        {"put-in", ARG_PUT_IN, "DIR", 0,
         "Write what was put into each sum; rehearsals on public data only", 0},
        {0}};
    struct arguments a = {.threads = command_threads(MASK_THREADS_MAX)};
    read_arguments(&a, options, "Take part in the study until it is over.", argc, argv);
    if (a.connect == NULL || (a.npz == NULL && (a.images == NULL || a.labels == NULL)))
        return usage("--connect and data (--npz, or --images and --labels) are needed");
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error bad = {{0}};
    if (read_data(&data, &a, &bad) != STATUS_OK) return refuse(REASON_DATA, bad.text);
    static struct site site; /* not moved: the session points into it */
    struct site_error why = {0};
    if (site_open(&site, a.folder, &data, &why) != STATUS_OK) {
        site_close(&site);
        return refuse(why.reason, why.text);
    }
    if (a.put_in != NULL && !site.study.study.rehearsal) {
        site_close(&site);
        return fail("--put-in is for rehearsals; the study is none", STATUS_RANGE);
    }
    site.put_in = a.put_in;
    site.session.config.threads = a.threads;
    const struct run_options way = {.connect = a.connect,
                                    .proxy = a.proxy,
                                    .proxy_credentials = a.proxy_credentials,
                                    .events = a.events};
    enum exit_code code = run_site(&site, &way);
    site_close(&site);
    return code;
}

static enum exit_code ledger(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"format", ARG_FORMAT, "FORMAT", 0, "text (default) or json", 0}, {0}};
    struct arguments a = {0};
    read_arguments(&a, options, "Show what this site's records have spent in the study.", argc,
                   argv);
    char path[FILE_PATH_MAX];
    struct study study = {0};
    struct settings_error bad = {0};
    enum status status = file_path(path, sizeof path, a.folder, "study.yaml");
    if (status == STATUS_OK) status = study_read(&study, path, &bad);
    if (status != STATUS_OK) return fail("study.yaml", status);
    AUTO(journal_close) struct journal *journal = NULL;
    struct hash manifest = {0}, transcript = {0};
    status = pinned(&manifest, &a);
    if (status != STATUS_OK) return refuse(REASON_MANIFEST, status_text(status));
    status = open_journal(&journal, &a, &manifest, false);
    struct account account = {0};
    uint32_t releases = 0, last_round = 0;
    if (status == STATUS_OK) status = journal_account(journal, &account, &releases);
    if (status == STATUS_OK) status = journal_restore(journal, &last_round, &transcript);
    if (status != STATUS_OK) return refuse_ledger(status);
    char seen[2 * HASH_BYTES + 1];
    hash_hex(seen, &transcript, HASH_BYTES);
    double epsilon = account_epsilon(&account, study.privacy.delta);
    if (a.format != NULL && strcmp(a.format, "json") == 0)
        event_write(stdout, "{s:i, s:s, s:s, s:s, s:i, s:o, s:f, s:o, s:s, s:i, s:s}",
                    "schema_version", 1, "study", study.study.id, "unit",
                    study_unit_name(study.privacy.unit), "adjacency", "add or remove one",
                    "releases", (int)releases, "epsilon", event_real(epsilon), "delta",
                    study.privacy.delta, "limit", event_real(study.privacy.epsilon), "adversary",
                    "the coordinator with the study's colluding sites", "last_round",
                    (int)last_round, "transcript", seen);
    else
        printf("study %s: %u releases, epsilon %.4f of %.4f at delta %g\n"
               "unit %s, adding or removing one, against the coordinator with %u colluding sites;\n"
               "releases whose result never came are counted at their worst case\n"
               "one record is one contribution: a patient with k records is covered k-fold\n"
               "last round %u, transcript %s\n",
               study.study.id, releases, account_rounded(epsilon), study.privacy.epsilon,
               study.privacy.delta, study_unit_name(study.privacy.unit), study.sites.colluding,
               last_round, seen);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    static const struct command table[] = {
        {"keygen", "make keys and a request to be enrolled", keygen},
        {"pin", "check and pin the signed manifest, the study and the policy", pin},
        {"run", "take part in the study", run},
        {"ledger", "show what this site's records have spent", ledger},
    };
    static const char examples[] =
        "  veilsum-client keygen --dir /var/lib/veilsum/cxr --name st-anna\n"
        "  veilsum-client pin --dir /var/lib/veilsum/cxr --manifest cxr.manifest \\\n"
        "      --study study.yaml --policy policy.yaml\n"
        "  veilsum-client run --dir /var/lib/veilsum/cxr --connect tcp://coord.example.org:4710 "
        "\\\n"
        "      --npz /data/cxr.npz\n";
    argp_err_exit_status = EXIT_USAGE;
    return (int)command_main(argc, argv, examples, table, sizeof table / sizeof *table);
}
