/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/subject.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static enum exit_code fail(const char *audit, const char *what, enum status status)
{
    fprintf(stderr, "%s: %s: %s\n", audit, what, status_text(status));
    return status == STATUS_FORMAT || status == STATUS_RANGE ? EXIT_DATA : EXIT_FAILED;
}

enum exit_code subject_open(struct subject *out, const char *audit, const char *path,
                            const char *backbone, struct rng *rng)
{
    struct settings_error error = {0};
    struct data_error why = {{0}};
    AUTO(subject_free) struct subject subject = {.path = path};
    if (study_read(&subject.study, path, &error) != STATUS_OK) {
        fprintf(stderr, "%s  %s:%u: %s\n", reason_id(REASON_STUDY_FILE), path, error.line,
                error.text);
        return EXIT_REFUSED;
    }
    if (backbone_read(&subject.backbone, &subject.study, backbone, &why) != STATUS_OK) {
        fprintf(stderr, "%s  %s\n", reason_id(REASON_BACKBONE), why.text);
        return command_exit(REASON_BACKBONE);
    }
    const enum status status = model_of(&subject.model, &subject.study.model.spec);
    if (status != STATUS_OK) return fail(audit, "the study's model", status);
    subject.initial = calloc(subject.model.layout.n, sizeof *subject.initial);
    if (subject.initial == NULL) return fail(audit, "the study's model", STATUS_NOMEM);
    model_init(subject.initial, &subject.model, rng);
    *out = subject;
    subject = (struct subject){0};
    return EXIT_OK;
}

void subject_free(struct subject *subject)
{
    backbone_free(&subject->backbone);
    free(subject->initial);
    *subject = (struct subject){0};
}

static bool is_safetensors(const char *path)
{
    static const char end[] = ".safetensors";
    const size_t n = strlen(path), m = sizeof end - 1;
    return n >= m && strcmp(path + n - m, end) == 0;
}

static enum status read_safetensors(struct state *out, const struct subject *subject,
                                    struct view bytes, struct data_error *why)
{
    AUTO(safetensors_free) struct safetensors file = {0};
    AUTO(state_free) struct state state = {0};
    TRY(safetensors_parse(&file, bytes, why));
    TRY(state_new(&state, subject->model.layout.n));
    TRY(weights_take(state.weight, NULL, &subject->model.layout, &file, false, why));
    *out = state;
    state = (struct state){0};
    return STATUS_OK;
}

enum exit_code subject_model(struct state *out, const struct subject *subject, const char *audit,
                             const char *path)
{
    const size_t n = subject->model.layout.n;
    const bool tensors = is_safetensors(path);
    struct data_error why = {{0}};
    AUTO(buffer_free) struct buffer bytes = {0};
    enum status status =
        file_read(&bytes, path, tensors ? 8 * n + SAFETENSORS_HEADER_BYTES_MAX : 5 * n + 64);
    if (status == STATUS_OK)
        status = tensors ? read_safetensors(out, subject, buffer_view(&bytes), &why)
                         : state_read(out, buffer_view(&bytes), n);
    if (status == STATUS_OK) return EXIT_OK;
    if (why.text[0] != 0) fprintf(stderr, "%s: %s\n", audit, why.text);
    return fail(audit, path, status);
}

bool subject_claim(struct verdict_claim *out, const struct subject *subject, double epsilon,
                   const char *dropouts)
{
    const struct study *study = &subject->study;
    if (study->privacy.unit != STUDY_PATIENT || !isfinite(epsilon)) return false;
    *out = (struct verdict_claim){.epsilon = epsilon,
                                  .delta = study->privacy.delta,
                                  .unit = study_unit_name(study->privacy.unit),
                                  .adjacency = "add or remove one",
                                  .adversary = "reader of the final model",
                                  .dropouts = dropouts};
    return true;
}

void subject_warn(const struct subject *subject, const char *audit, size_t records)
{
    const uint32_t planned = subject->study.privacy.records;
    const double ratio = (double)planned / (double)records;
    if (subject->study.privacy.unit == STUDY_PATIENT && (ratio > 1.5 || ratio < 0.66))
        fprintf(stderr,
                "%s: the study is planned for %u records, and is trained on %zu: its steps are not "
                "those that it was planned with\n",
                audit, planned, records);
}

FILE *subject_file(const char *audit, const char *folder, const char *name)
{
    char path[FILE_PATH_MAX];
    (void)mkdir(folder, 0777); /* fopen says if there is none */
    FILE *file = file_path(path, sizeof path, folder, name) == STATUS_OK ? fopen(path, "w") : NULL;
    if (file == NULL) fprintf(stderr, "%s: cannot write %s/%s\n", audit, folder, name);
    return file;
}

void subject_judge(struct verdict *v, double most, const char *more)
{
    const double bound = floor(1e4 * v->headline->epsilon_lower_bound) / 1e4;
    const int percent = (int)floor(100 * v->headline->confidence);
    const size_t room = sizeof v->summary;
    v->finding = FINDING_OPEN;
    if (v->claim == NULL) {
        (void)snprintf(v->summary, room,
                       "No epsilon per patient is claimed that could be tested. The attack proves "
                       "with %d %% confidence that it would be at least %.4f.%s",
                       percent, bound, more);
        return;
    }
    const double claim = account_rounded(v->claim->epsilon);
    const bool refuted = v->headline->epsilon_lower_bound > v->claim->epsilon;
    const bool could = most > v->claim->epsilon;
    v->finding = refuted ? FINDING_FAIL : could ? FINDING_PASS : FINDING_OPEN;
    if (v->finding == FINDING_OPEN)
        (void)snprintf(v->summary, room,
                       "Too few guesses: even if all were right, they would prove no more than an "
                       "epsilon of %.4f, and %.4f is claimed. Take more records or canaries.%s",
                       floor(1e4 * most) / 1e4, claim, more);
    else if (refuted)
        (void)snprintf(v->summary, room,
                       "The claim is refuted: the attack proves with %d %% confidence an epsilon "
                       "of at least %.4f, and %.4f is claimed.%s",
                       percent, bound, claim, more);
    else
        (void)snprintf(v->summary, room,
                       "The attack does not refute the claim: it proves with %d %% confidence an "
                       "epsilon of at least %.4f, and %.4f is claimed.%s",
                       percent, bound, claim, more);
}
