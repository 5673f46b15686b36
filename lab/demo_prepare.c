/* SPDX-License-Identifier: Apache-2.0 */
/* What a real study does once, by the same programs: keys, requests, manifest, pins. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/demo.h"
#include "lab/folder.h"
#include "lab/init.h"

static enum exit_code fail(const char *what, enum status status)
{
    fprintf(stderr, "demo: %s: %s\n", what, status_text(status));
    return EXIT_FAILED;
}

/* Two units, two sets of settings; both were found by trying, none of them touches the privacy
 * arithmetic. */
static const char patient_settings[] = "  clip: 4\n  exploration_ratio: 4\n  sampling: 0.05\n";
static const char site_settings[] = "  clip: 2\n  exploration_ratio: 2\n";

static const char narrow_settings[] = "  rounding: stochastic\n  rotation: hadamard\n";

static enum status write_study(const struct demo *demo, size_t records)
{
    const struct demo_options *o = &demo->options;
    const bool patient = strcmp(o->unit, "patient") == 0;
    const bool mlp = strcmp(o->model, "mlp") == 0;
    /* Without noise more rounds cost nothing but time. */
    const uint32_t usual = !patient ? 30 : o->epsilon < 1e300 ? 100 : 130;
    const uint32_t rounds = o->rounds > 0 ? o->rounds : usual;
    char path[FILE_PATH_MAX], number[32] = ".inf", count[64] = "";
    TRY(file_path(path, sizeof path, demo->folder, "study.yaml"));
    if (o->epsilon < 1e300) (void)snprintf(number, sizeof number, "%.17g", o->epsilon);
    if (patient) (void)snprintf(count, sizeof count, "  records: %zu\n", records);
    FILE *out = fopen(path, "w");
    if (out == NULL) return STATUS_IO;
    fprintf(out,
            "schema: 1\n"
            "study:\n  id: demo\n  title: Private pruning on public images\n  rehearsal: true\n"
            "sites:\n  expected: %u\n  colluding: 1\n  min_contributors: %u\n"
            "model:\n  kind: %s\n  channels: %u\n  height: %u\n  width: %u\n  classes: %u\n"
            "  hidden: [%s]\n  pixel_mean: 0.2860\n  pixel_deviation: 0.3530\n"
            "privacy:\n  unit: %s\n  epsilon: %s\n  delta: 1.0e-5\n%s%s%s"
            "secagg:\n  bits: %u\n"
            "pruning:\n  mode: %s\n  units: 0.5\n  weights: 0.2\n",
            o->sites, o->sites >= 8 ? 3u : 2u, o->model, demo->test.channels, demo->test.height,
            demo->test.width, demo->test.classes, mlp ? "200, 200" : "8, 16", o->unit, number,
            patient ? patient_settings : site_settings, count, o->bits < 32 ? narrow_settings : "",
            o->bits, o->mode);
    fprintf(out, "rounds:\n  count: %u\n  learning_rate: %s\n  momentum: 0.9\n  decay: 0.9\n",
            rounds, patient ? "1.2" : "0.3");
    if (!patient)
        fprintf(out, "  local_epochs: 1\n  local_batch: 50\n  local_learning_rate: 0.05\n");
    fprintf(out, "deadlines:\n  gather_ms: 20000\n  keys_ms: 10000\n  shares_ms: 10000\n"
                 "  input_ms: 30000\n  confirm_ms: 10000\n  unmask_ms: 10000\n  grace_ms: 300\n");
    return fclose(out) == 0 ? STATUS_OK : STATUS_IO;
}

static enum status write_policy(const struct demo *demo)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, demo->folder, "policy.yaml"));
    char text[256];
    int n = snprintf(text, sizeof text,
                     "max_epsilon: %.17g\nmax_delta: 1.0e-5\nmin_sites: %u\n"
                     "lifetime_epsilon: 1000\n" /* public data, used once */
                     "min_contributors: 2\nmin_collusion: 1\nallow_rehearsal: true\n",
                     demo->options.epsilon < 100 ? demo->options.epsilon : 100.0,
                     demo->options.sites >= 8 ? 5u : 2u);
    return file_write(path, (struct view){(const uint8_t *)text, (size_t)n}, 0644);
}

/* A site's own files, as a hospital would have them. */
static enum status write_site(const struct demo *demo, uint32_t v, const struct dataset *own)
{
    char folder[FILE_PATH_MAX], images[FILE_PATH_MAX], labels[FILE_PATH_MAX], name[32];
    (void)snprintf(name, sizeof name, "site-%u", v + 1);
    TRY(file_path(folder, sizeof folder, demo->folder, name));
    if (mkdir(folder, 0700) != 0) return STATUS_IO;
    TRY(file_path(images, sizeof images, folder, "images.idx"));
    TRY(file_path(labels, sizeof labels, folder, "labels.idx"));
    return idx_write(own, images, labels);
}

static enum status write_sites(const struct demo *demo, const struct dataset *train)
{
    const struct demo_options *o = &demo->options;
    struct dataset part[DEMO_SITES_MAX] = {{0}};
    struct rng rng = {0};
    rng_numbered(&rng, o->seed);
    TRY(split_deal(part, &o->split, train, o->sites, 20, &rng));
    enum status status = STATUS_OK;
    for (uint32_t v = 0; v < o->sites; v++) {
        if (status == STATUS_OK) status = write_site(demo, v, &part[v]);
        dataset_free(&part[v]);
    }
    return status;
}

static enum status write_initial(const struct demo *demo)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, demo->folder, "initial.state"));
    return init_write(&demo->model, demo->options.seed, path);
}

/* Arguments are paths in the folder; the first is the program's name. */
struct line {
    char text[4 * DEMO_SITES_MAX][FILE_PATH_MAX];
    char *argv[4 * DEMO_SITES_MAX + 1];
    size_t n;
};

static void line_add(struct line *line, const char *prefix, const char *text)
{
    REQUIRE(line->n < 4 * DEMO_SITES_MAX);
    const int length = snprintf(line->text[line->n], FILE_PATH_MAX, "%s%s%s", prefix,
                                prefix[0] == 0 ? "" : "/", text);
    REQUIRE(length >= 0 && length < FILE_PATH_MAX);
    line->argv[line->n] = line->text[line->n];
    line->argv[++line->n] = NULL;
}

static enum status run_line(const struct demo *demo, struct line *line)
{
    enum status status = process_run(line->argv, demo->log);
    if (status != STATUS_OK)
        fprintf(stderr, "demo: %s %s failed; see %s\n", line->argv[0], line->argv[1], demo->log);
    line->n = 0;
    return status;
}

static enum status keygen(const struct demo *demo, struct line *line, const char *program,
                          const char *name)
{
    line_add(line, "", program);
    line_add(line, "", "keygen");
    line_add(line, "", "--dir");
    line_add(line, demo->folder, name);
    line_add(line, "", "--name");
    line_add(line, "", name);
    return run_line(demo, line);
}

static enum status sign(const struct demo *demo, struct line *line, const char *program,
                        const char *officer)
{
    line_add(line, "", program);
    line_add(line, "", "sign");
    line_add(line, "", "--dir");
    line_add(line, demo->folder, officer);
    line_add(line, "", "--manifest");
    line_add(line, demo->folder, "manifest");
    return run_line(demo, line);
}

static enum status enrol(const struct demo *demo, struct line *line)
{
    char name[32];
    TRY(keygen(demo, line, demo->coordinator, "coordinator"));
    TRY(keygen(demo, line, demo->coordinator, "officer-a"));
    TRY(keygen(demo, line, demo->coordinator, "officer-b"));
    for (uint32_t v = 1; v <= demo->options.sites; v++) {
        (void)snprintf(name, sizeof name, "site-%u", v);
        TRY(keygen(demo, line, demo->client, name));
    }
    line_add(line, "", demo->coordinator);
    line_add(line, "", "manifest");
    line_add(line, "", "--dir");
    line_add(line, demo->folder, "coordinator");
    line_add(line, "", "--study");
    line_add(line, demo->folder, "study.yaml");
    line_add(line, "", "--governor");
    line_add(line, demo->folder, "officer-a/request");
    line_add(line, "", "--governor");
    line_add(line, demo->folder, "officer-b/request");
    line_add(line, "", "--out");
    line_add(line, demo->folder, "manifest");
    for (uint32_t v = 1; v <= demo->options.sites; v++) {
        (void)snprintf(name, sizeof name, "site-%u/request", v);
        line_add(line, demo->folder, name);
    }
    TRY(run_line(demo, line));
    TRY(sign(demo, line, demo->coordinator, "officer-a"));
    TRY(sign(demo, line, demo->coordinator, "officer-b"));
    for (uint32_t v = 1; v <= demo->options.sites; v++) {
        (void)snprintf(name, sizeof name, "site-%u", v);
        line_add(line, "", demo->client);
        line_add(line, "", "pin");
        line_add(line, "", "--dir");
        line_add(line, demo->folder, name);
        line_add(line, "", "--manifest");
        line_add(line, demo->folder, "manifest");
        line_add(line, "", "--study");
        line_add(line, demo->folder, "study.yaml");
        line_add(line, "", "--policy");
        line_add(line, demo->folder, "policy.yaml");
        TRY(run_line(demo, line));
    }
    return STATUS_OK;
}

/* Installed, the other programs lie beside this one; built, in the folders beside its folder. */
static enum status find_programs(struct demo *demo)
{
    char self[FILE_PATH_MAX], beside[FILE_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return STATUS_IO;
    self[n] = 0;
    char *slash = strrchr(self, '/');
    if (slash == NULL) return STATUS_IO;
    *slash = 0;
    TRY(file_path(beside, sizeof beside, self, "veilsum-client"));
    const bool installed = access(beside, X_OK) == 0;
    TRY(file_path(demo->client, sizeof demo->client, self,
                  installed ? "veilsum-client" : "../client/veilsum-client"));
    return file_path(demo->coordinator, sizeof demo->coordinator, self,
                     installed ? "veilsum-aggregator" : "../aggregator/veilsum-aggregator");
}

static enum status make_folder(struct demo *demo)
{
    if (demo->options.folder != NULL) {
        if (mkdir(demo->options.folder, 0700) != 0) return STATUS_IO;
        if (realpath(demo->options.folder, demo->folder) == NULL) return STATUS_IO;
    } else {
        TRY(folder_new(demo->folder, folder_parent(), "veilsum-demo"));
    }
    return file_path(demo->log, sizeof demo->log, demo->folder, "log");
}

static enum status load_test(struct demo *demo, struct dataset *test)
{
    demo->test = *test;
    *test = (struct dataset){0};
    demo->test_x = calloc(demo->test.n * dataset_floats(&demo->test), sizeof *demo->test_x);
    if (demo->test_x == NULL) return STATUS_NOMEM;
    return STATUS_OK;
}

static enum status read_study(struct demo *demo)
{
    char path[FILE_PATH_MAX];
    struct settings_error why = {0};
    TRY(file_path(path, sizeof path, demo->folder, "study.yaml"));
    enum status status = study_read(&demo->study, path, &why);
    if (status != STATUS_OK) fprintf(stderr, "demo: study.yaml:%u: %s\n", why.line, why.text);
    TRY(status);
    TRY(model_of(&demo->model, &demo->study.model.spec));
    data_floats(demo->test_x, &demo->test, 0, demo->test.n, (float)demo->study.model.pixel_mean,
                (float)demo->study.model.pixel_deviation);
    return STATUS_OK;
}

enum exit_code demo_prepare(struct demo *demo)
{
    AUTO(dataset_free) struct dataset train = {0}, test = {0};
    struct data_error why = {{0}};
    enum status status = corpus_read(&train, &test, &demo->options.corpus, &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "demo: %s\n", why.text);
        return EXIT_DATA;
    }
    status = find_programs(demo);
    if (status == STATUS_OK) status = make_folder(demo);
    if (status != STATUS_OK) return fail("a folder for the demo", status);
    status = load_test(demo, &test);
    if (status == STATUS_OK) status = write_study(demo, train.n);
    if (status == STATUS_OK) status = write_policy(demo);
    if (status == STATUS_OK) status = read_study(demo);
    if (status != STATUS_OK) return fail("the study", status);
    fprintf(stderr, "demo: %zu images to %u sites (%s), %zu test images\n", train.n,
            demo->options.sites, demo->options.partition, demo->test.n);
    status = write_sites(demo, &train);
    if (status == STATUS_OK) status = write_initial(demo);
    if (status != STATUS_OK) return fail("the sites' data", status);
    static struct line line;
    status = enrol(demo, &line);
    if (status != STATUS_OK) return fail("enrolment", status);
    fprintf(stderr, "demo: enrolled %u sites in one manifest, signed by 2 officers\n",
            demo->options.sites);
    fprintf(
        stderr,
        "demo: epsilon is what was spent so far against the server alone, at delta %g, unit %s, "
        "adding or\n      removing one, with the dropouts that happened\n",
        demo->study.privacy.delta, study_unit_name(demo->study.privacy.unit));
    if (!demo->options.baseline) return EXIT_OK;
    status = demo_baseline(demo, &train);
    return status == STATUS_OK ? EXIT_OK : fail("the baseline", status);
}
