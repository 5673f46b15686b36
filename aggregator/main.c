/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-aggregator: the coordinator. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "aggregator/check.h"
#include "aggregator/run.h"
#include "aggregator/spend.h"
#include "base/file.h"

struct arguments {
    const char *folder, *name, *study, *manifest, *initial, *listen, *out;
    const char *governor[MANIFEST_GOVERNORS_MAX];
    uint32_t n_governors, needed;
    unsigned threads;
    const char **request; /* the rest of the command line */
    size_t n_requests;
    bool events;
};

enum { ARG_NEEDED = 256, ARG_GOVERNOR, ARG_INITIAL, ARG_EVENTS, ARG_THREADS };

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

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, "The folder of the key and of results (mode 0700)", 0                \
    }

static void read_arguments(struct arguments *a, const struct argp_option *options,
                           const char *positional, const char *doc, int argc, char **argv)
{
    const struct argp argp = {
        .options = options, .parser = parse, .args_doc = positional, .doc = doc};
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

static void explain(enum reason reason, const char *what)
{
    fprintf(stderr, "%s  %s\n  To do: %s.\n", reason_id(reason), what, reason_fix(reason));
}

static enum exit_code keygen(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"name", 'n', "NAME", 0, "Name of the key's holder: a-z, 0-9 and -", 0}, {0}};
    struct arguments a = {0};
    read_arguments(&a, options, NULL, "Make the keys of the coordinator or of a governor.", argc,
                   argv);
    if (a.name == NULL) return usage("--name is needed");
    if (mkdir(a.folder, 0700) != 0 && errno != EEXIST) return fail(a.folder, STATUS_IO);
    AUTO(rng_wipe) struct rng rng = {0};
    rng_system(&rng);
    AUTO(keyfile_wipe) struct keyfile key = {0};
    enum status status = keyfile_make(&key, a.name, &rng);
    char path[FILE_PATH_MAX];
    if (status == STATUS_OK) status = file_path(path, sizeof path, a.folder, "key");
    if (status == STATUS_OK) status = keyfile_write(&key, path);
    if (status != STATUS_OK) return fail("the key file exists or cannot be written", status);
    AUTO(buffer_free) struct buffer request = {0};
    request_write(&request, &key, mask_available(MASK_AES256_CTR));
    status = request.status;
    if (status == STATUS_OK) status = file_path(path, sizeof path, a.folder, "request");
    if (status == STATUS_OK) status = file_write(path, buffer_view(&request), 0644);
    if (status != STATUS_OK) return fail("request", status);
    printf("wrote %s/key (secret) and %s/request (public)\n", a.folder, a.folder);
    return EXIT_OK;
}

static enum status read_key(struct keyfile *key, const char *folder)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, "key"));
    enum status status = keyfile_read(key, path);
    if (status != STATUS_OK) explain(REASON_KEY_FILE, path);
    return status;
}

static enum status read_request(struct member *member, const char *path)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    enum status status = file_read(&bytes, path, 4096);
    if (status == STATUS_OK) status = request_read(member, buffer_view(&bytes));
    if (status != STATUS_OK) fprintf(stderr, "%s: %s\n", path, status_text(status));
    return status;
}

static enum status read_requests(struct manifest *manifest, const struct arguments *a)
{
    manifest->member = calloc(a->n_requests, sizeof *manifest->member);
    if (manifest->member == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < a->n_requests; i++) {
        TRY(read_request(&manifest->member[i], a->request[i]));
        manifest->n++;
    }
    return STATUS_OK;
}

/* Governors are known by their requests as well: their keys never come to this machine. */
static enum status read_governors(struct manifest *manifest, const struct arguments *a)
{
    for (uint32_t i = 0; i < a->n_governors; i++) {
        struct member governor;
        TRY(read_request(&governor, a->governor[i]));
        memcpy(manifest->governor[i], governor.identity, SIGN_PUBLIC_BYTES);
        manifest->n_governors = i + 1;
    }
    return STATUS_OK;
}

static void print_manifest(const char *path, const struct manifest *manifest, uint32_t signatures)
{
    struct hash hash = manifest_hash(manifest);
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &hash, HASH_BYTES);
    printf("%s: %s, %u sites, epsilon at most %g at delta %g\n"
           "%u signatures, %u of %u governors are needed\n"
           "fingerprint, to be compared by phone: %s\n",
           path, manifest->federation, manifest->n, manifest->floor.max_epsilon,
           manifest->floor.max_delta, signatures, manifest->governors_needed, manifest->n_governors,
           hex);
}

static enum status make_manifest(const struct arguments *a)
{
    AUTO(manifest_free) struct manifest manifest = {.epoch = 1, .governors_needed = a->needed};
    AUTO(keyfile_wipe) struct keyfile key = {0};
    TRY(read_key(&key, a->folder));
    member_of(&manifest.coordinator, &key, mask_available(MASK_AES256_CTR));
    struct study study = {0};
    struct settings_error why = {0};
    enum status status = study_read(&study, a->study, &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s  %s:%u: %s\n", reason_id(REASON_STUDY_FILE), a->study, why.line,
                why.text);
        return status;
    }
    memcpy(manifest.federation, study.study.id, sizeof manifest.federation);
    manifest.study = study.hash;
    manifest.floor = (struct floor_policy){.m = study.sites.min_contributors,
                                           .c = study.sites.colluding,
                                           .max_epsilon = study.privacy.epsilon,
                                           .max_delta = study.privacy.delta};
    TRY(read_requests(&manifest, a));
    TRY(read_governors(&manifest, a));
    const struct member *lacking = manifest_lacking(&manifest, study.secagg.cipher);
    if (lacking != NULL) {
        char what[KEYFILE_NAME_MAX + 64];
        snprintf(what, sizeof what, "the machine of %s declared no AES instructions",
                 lacking->name);
        explain(REASON_CIPHER, what);
        return STATUS_RANGE;
    }
    AUTO(buffer_free) struct buffer bytes = {0};
    manifest_write(&bytes, &manifest);
    TRY(bytes.status);
    /* Read it back: sites are as strict. */
    AUTO(manifest_free) struct manifest again = {0};
    uint32_t signatures = 0;
    TRY(manifest_draft(&again, buffer_view(&bytes), &signatures));
    TRY(file_write(a->out, buffer_view(&bytes), 0644));
    print_manifest(a->out, &manifest, 0);
    return STATUS_OK;
}

static enum status sign_manifest(const struct arguments *a)
{
    AUTO(keyfile_wipe) struct keyfile key = {0};
    TRY(read_key(&key, a->folder));
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, a->manifest, MANIFEST_BYTES_MAX));
    AUTO(manifest_free) struct manifest draft = {0}, again = {0};
    uint32_t signatures = 0;
    TRY(manifest_draft(&draft, buffer_view(&bytes), &signatures));
    TRY(manifest_sign(&bytes, &draft, key.identity));
    /* A second signature of one governor is refused here. */
    TRY(manifest_draft(&again, buffer_view(&bytes), &signatures));
    TRY(file_write(a->manifest, buffer_view(&bytes), 0644));
    print_manifest(a->manifest, &draft, signatures);
    return STATUS_OK;
}

static enum exit_code sign(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"manifest", 'm', "FILE", 0, "The manifest to sign", 0}, {0}};
    struct arguments a = {0};
    read_arguments(&a, options, NULL, "Add a governor's signature to a manifest.", argc, argv);
    if (a.manifest == NULL) return usage("--manifest is needed");
    enum status status = sign_manifest(&a);
    return status == STATUS_OK ? EXIT_OK : fail("the manifest was not signed", status);
}

static enum exit_code manifest(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"study", 's', "FILE", 0, "The study file", 0},
        {"governor", ARG_GOVERNOR, "FILE", 0, "A governor's request; repeat", 0},
        {"needed", ARG_NEEDED, "N", 0, "Signatures that sites ask for (default: all)", 0},
        {"out", 'o', "FILE", 0, "The manifest to write", 0},
        {0}};
    struct arguments a = {0};
    a.request = calloc((size_t)argc, sizeof *a.request);
    if (a.request == NULL) return fail("manifest", STATUS_NOMEM);
    read_arguments(&a, options, "REQUEST...", "Enrol the sites whose requests are given.", argc,
                   argv);
    if (a.needed == 0) a.needed = a.n_governors;
    enum exit_code code = EXIT_OK;
    if (a.study != NULL && a.out != NULL && a.n_governors > 0 && a.n_requests > 0) {
        enum status status = make_manifest(&a);
        if (status != STATUS_OK) code = fail("no manifest was made", status);
    } else {
        code = usage("--study, --governor, --out and requests are needed");
    }
    free(a.request);
    return code;
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

static enum status open_study(struct coordinator *c, const struct arguments *a)
{
    c->folder = a->folder;
    TRY(read_key(&c->key, a->folder));
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
    if (status != STATUS_OK) explain(reason, reason_what(reason));
    TRY(status);
    struct member own;
    member_of(&own, &c->key, false);
    if (!member_same(&own, &c->manifest.coordinator)) {
        explain(REASON_MANIFEST, "the manifest names another coordinator");
        return STATUS_AUTH;
    }
    if (!hash_equal(&c->study.hash, &c->manifest.study)) {
        explain(REASON_STUDY, "the manifest names another study file");
        return STATUS_AUTH;
    }
    AUTO(state_free) struct state initial = {0};
    TRY(read_initial(&initial, a->initial, &c->study));
    why = (struct settings_error){0};
    status = course_new(&c->course, &c->study, c->manifest.n, initial.weight, &why);
    if (why.text[0] != '\0') explain(REASON_STUDY_FILE, why.text);
    return status;
}

/* What the study can cost; also finds out whether its rounds can be planned at all. */
static enum status print_costs(const struct coordinator *c)
{
    fprintf(stderr, "study %s, unit %s, adding or removing one; fewest survivors throughout:\n",
            c->study.study.id, study_unit_name(c->study.privacy.unit));
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        struct account account = {0};
        char name[64];
        spend_name(name, sizeof name, who, c->study.sites.colluding);
        enum status status = spend_worst(&account, &c->course.schedule, who, &c->course.state.keep);
        if (status == STATUS_RANGE) explain(REASON_RING, reason_what(REASON_RING));
        TRY(status);
        fprintf(stderr, "  at most epsilon %.4f at delta %g against: %s\n",
                account_rounded(account_epsilon(&account, c->course.schedule.delta)),
                c->study.privacy.delta, name);
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
    read_arguments(
        &a, options, NULL,
        "Lead the study until it is over. After a crash or a stop, the same command goes "
        "on where the study was.",
        argc, argv);
    if (a.study == NULL || a.manifest == NULL || a.initial == NULL)
        return usage("--study, --manifest and --initial are needed");
    static struct coordinator c; /* not moved: the course points into it */
    enum status status = open_study(&c, &a);
    enum exit_code code = EXIT_OK;
    if (status == STATUS_OK) status = print_costs(&c);
    if (status == STATUS_OK) {
        c.threads = a.threads;
        code = run_study(&c, a.listen, a.events);
    } else {
        code = fail("the study cannot start", status);
    }
    course_free(&c.course);
    manifest_free(&c.manifest);
    keyfile_wipe(&c.key);
    return code;
}

int main(int argc, char **argv)
{
    static const struct command table[] = {
        {"check", "print what follows from a study file", check_command},
        {"keygen", "make the keys of the coordinator or of a governor", keygen},
        {"manifest", "enrol sites: make the manifest", manifest},
        {"sign", "sign a manifest as one of its governors", sign},
        {"run", "lead the study", run},
    };
    static const char examples[] =
        "  veilsum-aggregator keygen --dir coordinator --name coordinator\n"
        "  veilsum-aggregator manifest --dir coordinator --study study.yaml \\\n"
        "      --governor officer-a/request --out cxr.manifest st-anna/request ...\n"
        "  veilsum-aggregator sign --dir officer-a --manifest cxr.manifest\n"
        "  veilsum-aggregator run --dir coordinator --study study.yaml --manifest cxr.manifest \\\n"
        "      --initial initial.state\n";
    argp_err_exit_status = EXIT_USAGE;
    return (int)command_main(argc, argv, examples, table, sizeof table / sizeof *table);
}
