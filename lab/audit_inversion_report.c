/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lab/audit_inversion.h"

static const char *const seen[INVERSION_STAGES] = {
    [CAPTURE_PLAIN] = "the site's plain update: what leaks without the protocol",
    [CAPTURE_MASKED] = "the masked update: what the coordinator receives",
    [CAPTURE_NOISED] = "the update with this site's noise, unmasked: all others conspire",
    [CAPTURE_SUM] = "the opened sum of all sites: what the coordinator learns",
    [INVERSION_NOISE] = "noise alone, for comparison"};

static const char *const shows[] = {
    "whether pictures that a known attack makes of an update are closer to the site's records than "
    "to other records of the same kind",
    "it ran against what the programs' own code sent: its clipping, rounding, noise, masks and sum",
    NULL};

static const char *const does_not_show[] = {
    "what an attack that is not tried here could find: a picture that was not found is no proof "
    "that "
    "there is none",
    "that epsilon holds, or who took part: the audits of the mechanism and of membership test that",
    "what a coordinator could see that sends other weights or another plan than the study's rules",
    "what leaks of records that look unlike those given here", NULL};

/* --- the verdict -------------------------------------------------------------------------------
 */

static void summarise(struct verdict *v, const struct inversion *inversion)
{
    const struct inversion_stage *s = inversion->stage;
    const char *leak = s[CAPTURE_MASKED].above   ? "the masked update"
                       : s[CAPTURE_NOISED].above ? "an unmasked update with one site's noise"
                       : s[CAPTURE_SUM].above    ? "the opened sum"
                                                 : NULL;
    if (leak != NULL)
        (void)snprintf(
            v->summary, sizeof v->summary,
            "Patients' pictures can be made out, at least in part, from %s%s. Do not use "
            "this study with real data.",
            leak,
            inversion->study.privacy.epsilon > STUDY_EPSILON_MAX ? ": the study adds no noise"
                                                                 : "");
    else if (!inversion->masked_uniform)
        (void)snprintf(v->summary, sizeof v->summary,
                       "The masked update does not look random: masks are missing or weak. Do not "
                       "use this program with real data.");
    else if (inversion->finding == FINDING_OPEN)
        (void)snprintf(
            v->summary, sizeof v->summary,
            "On this model and these records the attack finds little or nothing even in the "
            "site's unprotected update, or no sum was opened, so this run says little about the "
            "protection. Try fewer records in an update (--batch 1).");
    else
        (void)snprintf(v->summary, sizeof v->summary,
                       "From the site's unprotected update the attack made pictures of %zu of %zu "
                       "records; from what leaves the site, and from the opened sum, it made "
                       "nothing better than a guess. This attack was stopped; others were not "
                       "tried.",
                       s[CAPTURE_PLAIN].found, s[CAPTURE_PLAIN].members);
}

/* --- numbers -----------------------------------------------------------------------------------
 */

/* Means in decibels have no use for more digits. */
static double tenth(double x)
{
    return round(x * 1000) / 1000;
}

static json_t *mean_json(const struct likeness_mean *mean)
{
    return json_pack("[f,f]", tenth(mean->low), tenth(mean->high));
}

static json_t *stage_json(const struct inversion *inversion, unsigned i)
{
    const struct inversion_stage *s = &inversion->stage[i];
    AUTO(buffer_free) struct buffer png = {0}, text = {0};
    if (audit_inversion_picture(&png, inversion, i) == STATUS_OK)
        write_base64(&text, png.at, png.n);
    if (text.status != STATUS_OK) return NULL;
    return json_pack("{s:s, s:s, s:i, s:i, s:f, s:o, s:f, s:f, s:o, s:i, s:f, s:b, s:s#}", "name",
                     inversion_stage_name(i), "what", seen[i], "records", (int)s->members, "others",
                     (int)(s->n - s->members), "psnr_mean", tenth(s->psnr.mean), "psnr_interval",
                     mean_json(&s->psnr), "psnr_best", tenth(s->best), "psnr_floor",
                     tenth(s->floor.mean), "psnr_floor_interval", mean_json(&s->floor), "found",
                     (int)s->found, "p", s->p, "above_floor", (int)s->above, "image",
                     text.n > 0 ? (const char *)text.at : "", text.n);
}

static json_t *details_json(const struct inversion *inversion)
{
    json_t *stages = json_array();
    for (unsigned i = 0; i < INVERSION_STAGES; i++)
        if (inversion->stage[i].members > 0)
            (void)json_array_append_new(stages, stage_json(inversion, i));
    return json_pack(
        "{s:i, s:i, s:i, s:I, s:b, s:f, s:f, s:f, s:b, s:o}", "rounds", (int)inversion->rounds,
        "site_records", (int)inversion_records(inversion), "batch", (int)inversion->options.batch,
        "seed", (json_int_t)inversion->options.seed, "real", (int)inversion->options.real, "alarm",
        INVERSION_ALARM, "decibels", INVERSION_DB, "masked_uniform_p", inversion->uniform,
        "masked_uniform", (int)inversion->masked_uniform, "stages", stages);
}

static void print_table(const struct inversion *inversion)
{
    printf("%-7s %7s  %-23s %6s  %-23s %9s\n", "stage", "records", "PSNR dB (95 %)", "best",
           "floor dB (95 %)", "p");
    for (unsigned i = 0; i < INVERSION_STAGES; i++) {
        const struct inversion_stage *s = &inversion->stage[i];
        if (s->members == 0) continue;
        printf("%-7s %7zu  %6.2f (%6.2f, %6.2f) %7.2f  %6.2f (%6.2f, %6.2f) %9.2g%s\n",
               inversion_stage_name(i), s->members, s->psnr.mean, s->psnr.low, s->psnr.high,
               s->best, s->floor.mean, s->floor.low, s->floor.high, s->p,
               s->above ? "  above its floor" : "");
    }
    for (unsigned i = 0; i < INVERSION_STAGES; i++)
        printf("  %-7s %s\n", inversion_stage_name(i), seen[i]);
    printf("PSNR: of the best picture, blended with the mean picture of other records as well as "
           "could be; %.0f: equal\nfloor: the mean picture, and what the same pictures gain for "
           "records that are not in the update\nmasked input looks uniform: %s (p %.2g, the least "
           "of %u)\n",
           LIKENESS_MAX, inversion->masked_uniform ? "yes" : "NO", inversion->uniform,
           inversion->rounds);
}

/* --- files -------------------------------------------------------------------------------------
 */

static enum status put(const char *folder, const char *name, const struct buffer *bytes)
{
    char path[FILE_PATH_MAX];
    TRY(bytes->status);
    TRY(file_path(path, sizeof path, folder, name));
    return file_write(path, buffer_view(bytes), 0644);
}

static enum status write_table(const struct inversion *inversion, const char *folder)
{
    static const char head[] = "stage,round,record,in_update,psnr_db,guess_db,chance_db\n";
    AUTO(buffer_free) struct buffer text = {0};
    write_bytes(&text, head, sizeof head - 1);
    for (unsigned i = 0; i < INVERSION_STAGES; i++)
        for (size_t k = 0; k < inversion->stage[i].n; k++) {
            const struct inversion_row *row = &inversion->stage[i].row[k];
            char line[160];
            const int n = snprintf(line, sizeof line, "%s,%u,%u,%d,%.4f,%.4f,%.4f\n",
                                   inversion_stage_name(i), row->round, row->record, row->member,
                                   row->likeness.psnr, row->likeness.guess, row->chance);
            write_bytes(&text, line, (size_t)n);
        }
    return put(folder, "inversion.csv", &text);
}

static enum status write_files(const struct inversion *inversion, const char *folder)
{
    (void)mkdir(folder, 0777); /* writing says if there is none */
    for (unsigned i = 0; i < INVERSION_STAGES; i++) {
        char name[64];
        AUTO(buffer_free) struct buffer png = {0};
        if (inversion->stage[i].shown == 0) continue;
        TRY(audit_inversion_picture(&png, inversion, i));
        (void)snprintf(name, sizeof name, "inversion-%s.png", inversion_stage_name(i));
        TRY(put(folder, name, &png));
    }
    return write_table(inversion, folder);
}

enum exit_code audit_inversion_report(const struct inversion *inversion, bool json,
                                      const char *folder)
{
    AUTO(verdict_free)
    struct verdict verdict = {.audit = "inversion",
                              .finding = inversion->finding,
                              .shows = shows,
                              .does_not_show = does_not_show,
                              .details = details_json(inversion)};
    summarise(&verdict, inversion);
    const enum status status = folder == NULL ? STATUS_OK : write_files(inversion, folder);
    if (status != STATUS_OK) {
        fprintf(stderr, "cannot write to %s: %s\n", folder, status_text(status));
        return EXIT_FAILED;
    }
    if (!json) print_table(inversion);
    return verdict_report(&verdict, json, folder);
}
