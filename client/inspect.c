/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-client data check: what a site's operator should see of the records before a study. */
#include "client/inspect.h"

#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "client/data/odd.h"
#include "client/main_step.h"
#include "client/overlap.h"

#define LEAST_USUAL 10 /* a smaller count of a label is not shown */

/* One set and what was found in it. */
struct part {
    const char *name;
    const struct dataset *data;
    struct odd odd;
    struct overlap overlap;
    size_t most; /* records of one key */
    bool hide[256];
};

static enum status examine(struct part *part, size_t least)
{
    part->odd = odd_of(part->data);
    part->most = odd_most_of_key(part->data);
    odd_hide(part->hide, part->odd.held, part->data->classes, least);
    return overlap_within(&part->overlap, part->data);
}

/* A line for what is not as it should be; nothing when there is none of it. */
static void print_odd(size_t n, const char *what)
{
    if (n > 0) printf("  %zu %s\n", n, what);
}

static void print_part(const struct part *part, size_t least)
{
    const struct dataset *d = part->data;
    const struct odd *odd = &part->odd;
    printf("%s: %zu records of %u x %u x %u values, %u classes", part->name, d->n, d->channels,
           d->height, d->width, d->classes);
    if (odd->keys > 0) printf(", %zu keys", odd->keys);
    printf("\n  label  records\n");
    for (size_t k = 0; k < d->classes; k++) {
        if (part->hide[k])
            printf("  %5zu  hidden\n", k);
        else
            printf("  %5zu  %zu\n", k, odd->held[k]);
    }
    printf("  (counts below %zu are hidden, and a second one where the total would tell the first)"
           "\n",
           least);
    print_odd(part->overlap.again, "records are the same, pixel for pixel, as one before them");
    print_odd(part->overlap.disputed, "of these have another label than that one");
    print_odd(odd->black, "records are all zero");
    print_odd(odd->flat, "records have one value everywhere");
    print_odd(odd->saturated, "records are saturated: half of their values or more are 255");
    print_odd(odd->dead, "values of a record are the same in all records");
    if (part->most > 1)
        printf("  %zu records are of one key, the most that there are; unit patient protects one "
               "record\n",
               part->most);
    print_odd(d->clamped, "values lay outside their public range and were clamped, or are in no "
                          "category of the schema");
    print_odd(d->missing, "values were missing or no numbers, and were replaced by constants");
}

/* Why the data do not fit, or NULL. */
static const char *misfit(const struct dataset *data, const struct study *study)
{
    const struct model_spec *spec = &study->model.spec;
    if (data->channels != spec->channels || data->height != spec->height ||
        data->width != spec->width)
        return "records have another size than the study's model";
    return data->classes > spec->classes ? "there are more classes than the study's model has"
                                         : NULL;
}

static void write_part(const struct part *part, size_t least)
{
    const struct dataset *d = part->data;
    const struct odd *odd = &part->odd;
    struct json_t *labels = event_list();
    for (unsigned k = 0; k < d->classes; k++)
        if (!part->hide[k])
            event_list_put(labels, "{s:i, s:I}", "label", (int)k, "records",
                           (long long)odd->held[k]);
    event_write(
        stdout,
        "{s:s, s:I, s:[i, i, i], s:i, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I}",
        "set", part->name, "records", (long long)d->n, "shape", (int)d->channels, (int)d->height,
        (int)d->width, "classes", (int)d->classes, "keys", (long long)odd->keys, "most_of_key",
        (long long)part->most, "hidden_below", (long long)least, "labels", labels, "duplicates",
        (long long)part->overlap.again, "disputed", (long long)part->overlap.disputed, "all_zero",
        (long long)odd->black, "constant", (long long)odd->flat, "saturated",
        (long long)odd->saturated, "dead", (long long)odd->dead, "clamped", (long long)d->clamped,
        "missing", (long long)d->missing);
}

static enum exit_code report(const struct dataset *data, const struct dataset *held,
                             const struct study *study, size_t least, bool json)
{
    struct part part[2] = {{.name = "records", .data = data}, {.name = "held out", .data = held}};
    const size_t parts = held->n > 0 ? 2 : 1;
    size_t shared = 0;
    enum status status = overlap_between(&shared, data, held);
    for (size_t p = 0; p < parts && status == STATUS_OK; p++) status = examine(&part[p], least);
    if (status != STATUS_OK) return command_fail("the records", status);
    const char *why = study == NULL ? NULL : misfit(data, study);
    if (why == NULL && study != NULL && parts == 2) why = misfit(held, study);
    for (size_t p = 0; p < parts; p++) {
        if (json)
            write_part(&part[p], least);
        else
            print_part(&part[p], least);
    }
    if (json) {
        event_write(stdout, "{s:I}", "shared", (long long)shared);
        if (study != NULL) event_write(stdout, "{s:b}", "fits", why == NULL);
        return why == NULL ? EXIT_OK : EXIT_DATA;
    }
    print_odd(shared, "held-out records are training records too");
    if (study != NULL) printf("study: %s\n", why == NULL ? "the records fit" : why);
    printf("This is about this site's own records: read it here, and do not send it around.\n");
    return why == NULL ? EXIT_OK : EXIT_DATA;
}

enum status inspect_size(struct records *records, const char *path, struct settings_error *why)
{
    if (!records_sized(records)) return STATUS_OK;
    struct study study = {0};
    TRY(study_read(&study, path, why));
    records_fit(records, &study.model.spec);
    return STATUS_OK;
}

struct arguments {
    struct records records;
    const char *study;
    uint32_t least;
    bool json;
};

static enum exit_code check(struct arguments *a)
{
    struct records *records = &a->records;
    const char *unusable = records_usage(records);
    if (unusable != NULL) return main_usage(unusable);
    struct study study = {0};
    struct settings_error bad = {0};
    if (a->study != NULL && study_read(&study, a->study, &bad) != STATUS_OK) {
        fprintf(stderr, "%s:%u: %s\n", a->study, bad.line, bad.text);
        return command_refuse(REASON_STUDY_FILE, reason_what(REASON_STUDY_FILE));
    }
    if (a->study != NULL) records_fit(records, &study.model.spec);
    AUTO(dataset_free) struct dataset data = {0}, held = {0};
    struct data_error why = {{0}};
    if (records_read(&data, &held, records, &why) != STATUS_OK)
        return command_refuse(REASON_DATA, why.text);
    return report(&data, &held, a->study == NULL ? NULL : &study, a->least, a->json);
}

enum exit_code inspect_data(int argc, char **argv)
{
    static const struct argp_child children[] = {{&records_argp, 0, "The records:", 1}, {0}};
    struct arguments a = {.least = LEAST_USUAL};
    const struct option_row row[] = {
        {"study", "FILE", "Whether the records fit this study", 's', .text = &a.study},
        {"least", "N", "Hide counts of labels below this (10)", .count = &a.least, .least = 1,
         .most = 1e6},
        option_format(&a.json),
        {0}};
    static const char doc[] =
        "Look at a site's records before a study: how many, which are there twice or held out and "
        "trained with, and what is odd. It reads and prints; nothing is sent or written.\v"
        "Examples:\n"
        "  veilsum-client data check --npz cxr.npz --holdout-split val\n"
        "  veilsum-client data check --csv heart.csv --schema heart.schema\n"
        "  veilsum-client data check --folder scans --study study.yaml\n"
        "  veilsum-client data check --nifti volumes.csv --window=-160:240 --size 1x64x64";
    char name[64];
    (void)snprintf(name, sizeof name, "%.50s check", argv[0]);
    if (argc > 1 && strcmp(argv[1], "check") == 0) {
        argc--;
        *++argv = name;
    } else if (argc < 2 || strcmp(argv[1], "--help") != 0) {
        return main_usage("the command is veilsum-client data check");
    }
    option_read(
        &(struct option_table){.row = row, .doc = doc, .children = children, .further = &a.records},
        argc, argv);
    return check(&a);
}
