/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregator/show.h"
#include "base/file.h"

void tale_free(struct tale *tale)
{
    bits_free(&tale->banned);
    history_free(&tale->history);
    *tale = (struct tale){0};
}

enum status resume_open(struct resume *out, const char *folder, const struct manifest *manifest)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, "journal.db"));
    struct hash hash = manifest_hash(manifest);
    struct resume resume = {.folder = folder};
    TRY(journal_open(&resume.journal, path, &hash));
    *out = resume;
    return STATUS_OK;
}

static void forget_inputs(struct resume *resume)
{
    for (size_t i = 0; i < resume->n; i++) buffer_wipe(&resume->input[i].bytes);
    free(resume->input);
    resume->input = NULL;
    resume->n = 0;
}

void resume_close(struct resume *resume)
{
    forget_inputs(resume);
    journal_close(&resume->journal);
}

static enum status path_of(char path[static FILE_PATH_MAX], const struct resume *resume,
                           const char *what, uint32_t round)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s-%u", what, round);
    return file_path(path, FILE_PATH_MAX, resume->folder, name);
}

static void remove_file(const struct resume *resume, const char *what, uint32_t round)
{
    char path[FILE_PATH_MAX];
    if (path_of(path, resume, what, round) == STATUS_OK) (void)unlink(path);
}

static struct hash hash_parts(const char *label, size_t n, const struct view *part)
{
    struct hash_state state;
    hash_start(&state, label);
    for (size_t i = 0; i < n; i++) hash_add(&state, part[i].at, part[i].n);
    return hash_end(&state);
}

/* The running totals as parts of one file. */
static size_t totals_parts(struct view part[static MSG_SEGMENTS_MAX], const struct round *round)
{
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        part[l] = (struct view){(const uint8_t *)round->total[l].value,
                                round->total[l].n * sizeof *round->total[l].value};
    return round->plan.n_segments;
}

enum status resume_begin(struct resume *resume, const struct round *round)
{
    return journal_begin(resume->journal, round->plan.round, buffer_view(&round->plan_bytes));
}

enum status resume_note(struct resume *resume, enum journal_kind kind, uint32_t site,
                        struct view bytes)
{
    AUTO(buffer_free) struct buffer copy = {0};
    write_bytes(&copy, bytes.at, bytes.n);
    TRY(copy.status);
    struct journal_input *input = realloc(resume->input, (resume->n + 1) * sizeof *input);
    if (input == NULL) return STATUS_NOMEM;
    resume->input = input;
    input[resume->n++] = (struct journal_input){.kind = kind, .site = site, .bytes = copy};
    copy = (struct buffer){0};
    return STATUS_OK;
}

enum status resume_phase(struct resume *resume, const struct round *round, bool collected)
{
    struct hash hash = {0};
    if (collected) {
        struct view part[MSG_SEGMENTS_MAX];
        const size_t n = totals_parts(part, round);
        char path[FILE_PATH_MAX];
        TRY(path_of(path, resume, "totals", round->plan.round));
        TRY(file_write_parts(path, n, part, 0600));
        hash = hash_parts("totals", n, part);
    }
    TRY(journal_inputs(resume->journal, resume->n, resume->input, collected ? &hash : NULL));
    forget_inputs(resume);
    return STATUS_OK;
}

/* --- the course and the tale as bytes ----------------------------------------------------------
 */

/* Velocity, and behind it what the next refinement goes by. */
enum { VELOCITY_PARTS = 2 };
static void velocity_parts(struct view part[static VELOCITY_PARTS], const struct course *course)
{
    part[0] = (struct view){(const uint8_t *)course->velocity,
                            course->layout.n * sizeof *course->velocity};
    part[1] = (struct view){(const uint8_t *)course->refine.value,
                            course->refine.n * sizeof *course->refine.value};
}

static void write_tale(struct buffer *out, const struct course *course, const struct tale *tale,
                       struct view state)
{
    struct view velocity[VELOCITY_PARTS];
    velocity_parts(velocity, course);
    const struct hash hash[] = {hash_of("state", state),
                                hash_parts("velocity", VELOCITY_PARTS, velocity)};
    write_u32(out, tale->model_round);
    write_u8(out, course->explored ? 1 : 0);
    write_u32(out, course->trained);
    write_u32(out, course->evaluated);
    write_u32(out, course->refine.done);
    for (size_t i = 0; i < 2; i++) write_bytes(out, hash[i].bytes, HASH_BYTES);
    write_u32(out, tale->failures);
    write_u32(out, tale->burnt);
    write_bits(out, &tale->banned);
}

static enum status read_named(struct buffer *out, const struct resume *resume, const char *what,
                              uint32_t round, size_t limit)
{
    char path[FILE_PATH_MAX];
    TRY(path_of(path, resume, what, round));
    return file_read(out, path, limit);
}

static bool hashes_to(const struct hash *hash, const char *label, size_t n, const struct view *part)
{
    const struct hash is = hash_parts(label, n, part);
    return hash_equal(&is, hash);
}

static enum status restore_course(struct course *course, const struct resume *resume,
                                  uint32_t round, const struct hash hash[static 2])
{
    const size_t n = course->layout.n, of_velocity = n * sizeof(float);
    const size_t all = of_velocity + course->refine.n * sizeof(float);
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(read_named(&bytes, resume, "velocity", round, all));
    if (bytes.n != all) return STATUS_FORMAT;
    const struct view part[VELOCITY_PARTS] = {{bytes.at, of_velocity},
                                              {bytes.at + of_velocity, all - of_velocity}};
    if (!hashes_to(&hash[1], "velocity", VELOCITY_PARTS, part)) return STATUS_FORMAT;
    memcpy(course->velocity, part[0].at, part[0].n);
    if (part[1].n > 0) memcpy(course->refine.value, part[1].at, part[1].n);
    buffer_free(&bytes);
    TRY(read_named(&bytes, resume, "state", round, n * 5 + 64));
    const struct view whole = buffer_view(&bytes);
    if (!hashes_to(&hash[0], "state", 1, &whole)) return STATUS_FORMAT;
    AUTO(state_free) struct state state = {0};
    TRY(state_read(&state, buffer_view(&bytes), n));
    state_free(&course->state);
    course->state = state;
    state = (struct state){0};
    return STATUS_OK;
}

static enum status read_tale(const struct resume *resume, struct view in, struct course *course,
                             struct tale *tale)
{
    struct reader r = reader_of(in);
    struct hash hash[2];
    tale->model_round = read_u32(&r);
    const bool explored = read_u8(&r) != 0;
    const uint32_t trained = read_u32(&r);
    const uint32_t evaluated = read_u32(&r);
    const uint32_t refined = read_u32(&r);
    for (size_t i = 0; i < 2; i++) read_bytes(&r, hash[i].bytes, HASH_BYTES);
    tale->failures = read_u32(&r);
    tale->burnt = read_u32(&r);
    const size_t n = tale->banned.n;
    bits_free(&tale->banned);
    TRY(read_bits(&r, &tale->banned, n));
    TRY(reader_end(&r));
    /* Before the first round that was opened the model is still the initial one. */
    if (tale->model_round > 0) TRY(restore_course(course, resume, tale->model_round, hash));
    course->explored = explored;
    course->trained = trained;
    course->evaluated = evaluated;
    course->refine.done = refined;
    return STATUS_OK;
}

enum status resume_end(struct resume *resume, const struct round *round,
                       const struct course *course, struct tale *tale, struct view state,
                       const struct pen *pen)
{
    const uint32_t number = round->plan.round, before = tale->model_round;
    const bool opened = round->phase == PHASE_DONE;
    if (opened) {
        char path[FILE_PATH_MAX];
        TRY(path_of(path, resume, "velocity", number));
        struct view velocity[VELOCITY_PARTS];
        velocity_parts(velocity, course);
        TRY(file_write_parts(path, VELOCITY_PARTS, velocity, 0600));
        TRY(path_of(path, resume, "state", number));
        TRY(file_write(path, state, 0644));
        tale->model_round = number;
    }
    AUTO(buffer_free) struct buffer bytes = {0};
    write_tale(&bytes, course, tale, state);
    TRY(bytes.status);
    struct view result = opened ? buffer_view(&round->result_bytes) : (struct view){0};
    AUTO(buffer_free) struct buffer shown = {0};
    TRY(show_round(&shown, round));
    TRY(journal_end(resume->journal, result, buffer_view(&bytes), pen, buffer_view(&shown)));
    forget_inputs(resume);
    remove_file(resume, "totals", number);
    if (opened && before > 0) remove_file(resume, "velocity", before);
    return STATUS_OK;
}

enum status resume_settled(struct resume *resume, const struct manifest *manifest,
                           const struct pen *pen)
{
    return journal_settled(resume->journal, manifest->n, manifest->coordinator.identity, pen);
}

/* --- the open round ----------------------------------------------------------------------------
 */

static void free_totals(struct total (*total)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) total_free(&(*total)[l]);
}

static enum status restore_totals(struct round *round, const struct resume *resume,
                                  const struct hash *hash)
{
    size_t bytes_n = 0;
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        bytes_n += (round->plan.segment[l].dim + 1) * sizeof(uint32_t);
    AUTO(buffer_free) struct buffer bytes = {0};
    char path[FILE_PATH_MAX];
    TRY(path_of(path, resume, "totals", round->plan.round));
    TRY(file_read(&bytes, path, bytes_n));
    if (bytes.n != bytes_n) return STATUS_FORMAT;
    struct view part[MSG_SEGMENTS_MAX];
    struct reader r = reader_of(buffer_view(&bytes));
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        part[l] = read_view(&r, (round->plan.segment[l].dim + 1) * sizeof(uint32_t));
    struct hash is = hash_parts("totals", round->plan.n_segments, part);
    if (!hash_equal(&is, hash)) return STATUS_FORMAT;
    AUTO(free_totals) struct total total[MSG_SEGMENTS_MAX] = {{0}};
    for (uint32_t l = 0; l < round->plan.n_segments; l++) {
        TRY(total_new(&total[l], round->plan.segment[l].dim + 1));
        memcpy(total[l].value, part[l].at, part[l].n);
    }
    return round_restore(round, total);
}

/* Notes of the replay were told before the crash. */
static enum status replay(struct round *round, const struct journal_past *past, uint64_t now_ms)
{
    for (size_t i = 0; i < past->n_inputs; i++) {
        const struct journal_input *input = &past->input[i];
        AUTO(outbox_free) struct outbox out = {0};
        enum status status = STATUS_OK;
        switch (input->kind) {
        case JOURNAL_GONE:
            status = round_gone(round, input->site, now_ms, &out);
            break;
        case JOURNAL_BACK:
            round_back(round, input->site);
            break;
        case JOURNAL_OUT:
            status = round_out(round, input->site, now_ms, &out);
            break;
        case JOURNAL_DEADLINE:
            status = round_deadline(round, round->deadline_ms, &out);
            break;
        default:
            status =
                msg_kind_of(buffer_view(&input->bytes)) == MSG_DIGEST
                    ? round_recall(round, input->site, buffer_view(&input->bytes), now_ms, &out)
                    : round_message(round, input->site, buffer_view(&input->bytes), now_ms, &out);
            break;
        }
        if (status == STATUS_NOMEM) return status;
        /* Also a blamed sender's message was an input, whatever it was answered. */
    }
    return STATUS_OK;
}

static enum status restore_round(struct round *out, const struct resume *resume,
                                 const struct journal_past *past, const struct round_config *config,
                                 uint64_t now_ms)
{
    uint8_t server[SIGN_PUBLIC_BYTES];
    sign_public(server, config->identity);
    AUTO(plan_free) struct plan plan = {0};
    struct hash hash;
    TRY(plan_read(&plan, &hash, buffer_view(&past->plan), config->manifest->n, server));
    AUTO(round_free) struct round round = {0};
    TRY(round_start(&round, config, &plan, now_ms));
    TRY(replay(&round, past, now_ms));
    if (past->has_totals != (round.phase > PHASE_COLLECT)) return STATUS_FORMAT;
    if (past->has_totals) TRY(restore_totals(&round, resume, &past->totals));
    *out = round;
    round = (struct round){0};
    return STATUS_OK;
}

static enum status restore_history(struct history *history, const struct journal_past *past,
                                   const struct round_config *config)
{
    uint8_t server[SIGN_PUBLIC_BYTES];
    sign_public(server, config->identity);
    for (size_t i = 0; i < past->n_results; i++) {
        struct result result = {0};
        if (result_read(&result, buffer_view(&past->result[i]), server) != STATUS_OK)
            return STATUS_FORMAT;
        TRY(history_add(history, &result, buffer_view(&past->result[i])));
    }
    return STATUS_OK;
}

enum status resume_restore(struct resume *resume, struct course *course, struct tale *tale,
                           struct round *round, const struct round_config *config, uint64_t now_ms)
{
    AUTO(journal_past_free) struct journal_past past = {0};
    TRY(journal_restore(resume->journal, &past));
    tale->last_round = past.last_round;
    TRY(restore_history(&tale->history, &past, config));
    if (past.course.n > 0) TRY(read_tale(resume, buffer_view(&past.course), course, tale));
    return past.plan.n == 0 ? STATUS_OK : restore_round(round, resume, &past, config, now_ms);
}
