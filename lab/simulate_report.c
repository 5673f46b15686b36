/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulation came to: a table for people, one JSON document for programs. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "lab/simulate.h"
#include "protocol/layout_cost.h"

static const char *const step_names[STEP_COUNT] = {"explore", "train", "evaluate", "vote"};

const char *const simulate_method_name[SIMULATE_METHODS] = {"federated", "local-only",
                                                            "centralised", "top-k"};

/* Rows with a score; the last of them is what the run came to. */
static const struct simulate_row *last_scored(const struct simulation *s)
{
    for (uint32_t i = s->n_rows; i-- > 0;)
        if (s->row[i].scored) return &s->row[i];
    return NULL;
}

static bool is_federated(const struct simulation *s)
{
    return s->options.method == SIMULATE_FEDERATED;
}

/* JSON has no word for what is infinite or not a number. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *hash_text(const struct hash *hash)
{
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, hash, HASH_BYTES);
    return json_string(hex);
}

json_t *simulate_score_json(const struct score *x)
{
    if (x->n == 0) return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "accuracy", number(x->accuracy), "balanced",
                     number(x->balanced), "auc", number(x->auc), "loss", number(x->loss));
}

static json_t *score_json(const struct simulate_row *row)
{
    json_t *all = simulate_score_json(&row->score);
    (void)json_object_set_new(all, "accuracy_least", number(row->least));
    (void)json_object_set_new(all, "accuracy_most", number(row->most));
    return all;
}

static json_t *epsilons_json(const double *epsilon)
{
    static const char *const key[ADVERSARY_COUNT] = {
        [ADVERSARY_SERVER] = "server",
        [ADVERSARY_COLLUSION] = "server_and_colluding_sites",
        [ADVERSARY_READER] = "model_reader",
        [ADVERSARY_UNMASKED] = "server_if_masks_were_broken"};
    json_t *all = json_object();
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++)
        (void)json_object_set_new(
            all, key[who],
            number(isfinite(epsilon[who]) ? account_rounded(epsilon[who]) : epsilon[who]));
    return all;
}

static json_t *row_json(const struct simulation *s, const struct simulate_row *row)
{
    const struct fleet_round *r = &row->round;
    json_t *one =
        json_pack("{s:i, s:s, s:I, s:f}", "round", (int)r->round, "step", step_names[r->step],
                  "kept", (json_int_t)row->kept, "seconds", row->seconds);
    if (is_federated(s)) {
        json_t *more = json_pack(
            "{s:b, s:o, s:i, s:i, s:i, s:o, s:I, s:I, s:I}", "opened", r->opened, "why",
            r->opened ? json_null() : json_string(reason_id(r->why)), "dropped", (int)r->dropped,
            "survivors", (int)r->survivors, "recovered", (int)r->recovered, "sums_exact",
            r->compared ? json_boolean(r->exact) : json_null(), "bytes_up", (json_int_t)r->up,
            "bytes_down", (json_int_t)r->down, "coordinates", (json_int_t)r->dim);
        (void)json_object_update_new(one, more);
    }
    if (s->options.method == SIMULATE_TOPK)
        (void)json_object_update_new(one, json_pack("{s:I, s:I}", "bytes_up", (json_int_t)r->up,
                                                    "coordinates", (json_int_t)r->dim));
    if (row->counted) (void)json_object_set_new(one, "epsilon", epsilons_json(row->epsilon));
    if (row->scored) (void)json_object_update_new(one, score_json(row));
    return one;
}

static json_t *rows_json(const struct simulation *s)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < s->n_rows; i++)
        (void)json_array_append_new(rows, row_json(s, &s->row[i]));
    return rows;
}

/* The most that one site sent and received in a round, over all rounds and of training alone. */
struct traffic {
    uint64_t up, down, up_in_training;
};

static struct traffic traffic_of(const struct simulation *s)
{
    struct traffic all = {0};
    for (uint32_t i = 0; i < s->n_rows; i++) {
        const struct fleet_round *r = &s->row[i].round;
        all.up += r->up;
        all.down += r->down;
        if (r->step == STEP_TRAIN && r->up > all.up_in_training) all.up_in_training = r->up;
    }
    return all;
}

static json_t *privacy_json(const struct simulation *s, const struct simulate_row *last)
{
    const double nothing[ADVERSARY_COUNT] = {0};
    return json_pack(
        "{s:s, s:s, s:f, s:i, s:s, s:o, s:s, s:o, s:o}", "unit",
        study_unit_name(s->study.privacy.unit), "adjacency", "add or remove one", "delta",
        s->study.privacy.delta, "colluding", (int)s->study.sites.colluding, "dropouts",
        "spent: those that happened; limit: fewest survivors throughout, no round failing", "spent",
        epsilons_json(last == NULL ? nothing : last->epsilon), "meaning",
        "of noise from a system's randomness; this run's can be replayed from its seed", "limit",
        epsilons_json(s->limit), "by_sites_ledgers", number(account_rounded(s->site_epsilon)));
}

static json_t *times_json(const struct simulation *s)
{
    const struct fleet_times *t = &s->fleet.times;
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "training", fmax(t->work - t->noise, 0), "noise",
                     t->noise, "masks", t->pads, "protocol_sites", t->session,
                     "protocol_coordinator", t->coordinator);
}

/* Of the last model; null where it was not reached, or nothing was federated. */
static json_t *macs_json(const struct simulation *s)
{
    const uint64_t macs = layout_macs(&s->study.model.spec);
    const bool known = s->macs_kept > 0;
    return json_pack("{s:I, s:o, s:o}", "unpruned", (json_int_t)macs, "kept",
                     known ? json_integer((json_int_t)s->macs_kept) : json_null(), "share",
                     known ? json_real((double)s->macs_kept / (double)macs) : json_null());
}

static json_t *document_of(const struct simulation *s)
{
    const struct simulate_options *o = &s->options;
    const struct simulate_row *last = last_scored(s);
    json_t *records = json_array();
    for (uint32_t v = 0; v < s->n; v++)
        (void)json_array_append_new(records, json_integer((json_int_t)s->records[v]));
    json_t *d = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:i, s:I, s:f, s:i, s:o, s:I, s:f}",
        "schema_version", 1, "version", VEILSUM_VERSION, "method", simulate_method_name[o->method],
        "study", s->study.study.id, "study_file", o->study, "study_hash", hash_text(&s->study.hash),
        "partition", o->partition, "data_hash", hash_text(&s->data_hash), "test_hash",
        hash_text(&s->test_hash), "records", records, "test_records", (int)s->test.data.n, "seed",
        (json_int_t)o->seed, "dropout", o->dropout, "sites", (int)s->n, "initial",
        o->initial == NULL ? json_null() : json_string(o->initial), "parameters",
        (json_int_t)s->parameters, "seconds", s->seconds);
    REQUIRE(d != NULL);
    (void)json_object_set_new(d, "initial_hash", hash_text(&s->initial_hash));
    (void)json_object_set_new(d, "real", json_boolean(o->real));
    (void)json_object_set_new(d, "macs", macs_json(s));
    (void)json_object_set_new(d, "finished", json_boolean(s->finished));
    (void)json_object_set_new(d, "stop", s->stop[0] == 0 ? json_null() : json_string(s->stop));
    (void)json_object_set_new(d, "result", last == NULL ? json_null() : score_json(last));
    const struct traffic traffic = traffic_of(s);
    if (is_federated(s) || o->method == SIMULATE_TOPK)
        (void)json_object_set_new(d, "bytes_per_site",
                                  json_pack("{s:I, s:I, s:I}", "up", (json_int_t)traffic.up, "down",
                                            (json_int_t)traffic.down, "up_in_a_training_round",
                                            (json_int_t)traffic.up_in_training));
    if (is_federated(s)) {
        (void)json_object_set_new(d, "privacy", privacy_json(s, last));
        (void)json_object_set_new(d, "sums_exact", json_boolean(s->exact));
        (void)json_object_set_new(d, "processor_seconds", times_json(s));
    }
    (void)json_object_set_new(
        d, "model_hash", hash_is_zero(&s->model_hash) ? json_null() : hash_text(&s->model_hash));
    (void)json_object_set_new(d, "per_site", simulate_sites_json(s));
    (void)json_object_set_new(d, "allocation", simulate_allocation_json(s));
    (void)json_object_set_new(d, "rounds", rows_json(s));
    return d;
}

/* --- for people --------------------------------------------------------------------------------
 */

static void print_number(const char *format, double x)
{
    if (isfinite(x))
        printf(format, x);
    else
        printf("%8s", "-");
}

static void print_row(const struct simulation *s, const struct simulate_row *row)
{
    printf("%5u  %-8s", row->round.round, step_names[row->round.step]);
    if (is_federated(s)) printf("  %3u/%-3u", row->round.survivors, s->n);
    print_number("  %8.4f", row->score.accuracy);
    print_number("  %8.4f", row->score.balanced);
    print_number("  %8.4f", row->score.auc);
    print_number("  %8.4f", row->score.loss);
    if (is_federated(s)) {
        print_number("  %8.4f", account_rounded(row->epsilon[ADVERSARY_COLLUSION]));
        printf("  %9llu  %9llu", (unsigned long long)row->round.up,
               (unsigned long long)row->round.down);
    }
    printf("  %5.1f%%\n", 100 * (double)row->kept / (double)s->parameters);
}

static void print_privacy(const struct simulation *s, const struct simulate_row *last)
{
    printf("\nepsilon at delta %g, unit %s, adding or removing one, with the dropouts that "
           "happened, and the limit\nwith the fewest survivors throughout and no round failing:\n",
           s->study.privacy.delta, study_unit_name(s->study.privacy.unit));
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        char name[64];
        adversary_name(name, sizeof name, who, s->study.sites.colluding);
        printf("  %8.4f, at most %8.4f  against: %s\n", account_rounded(last->epsilon[who]),
               account_rounded(s->limit[who]), name);
    }
    printf("these hold for noise from a system's randomness; this run's can be replayed from its "
           "seed\n");
}

static void print_costs(const struct simulation *s)
{
    const struct fleet_times *t = &s->fleet.times;
    const struct traffic traffic = traffic_of(s);
    const double all = (t->work + t->pads + t->session + t->coordinator) / 100;
    printf("bytes per site: %llu up and %llu down in all; up in a training round %llu, plain "
           "float32 unpruned %llu\n",
           (unsigned long long)traffic.up, (unsigned long long)traffic.down,
           (unsigned long long)traffic.up_in_training, (unsigned long long)(4 * s->parameters));
    if (s->macs_kept > 0)
        printf("multiply-accumulates a record, forward: %llu of %llu unpruned\n",
               (unsigned long long)s->macs_kept,
               (unsigned long long)layout_macs(&s->study.model.spec));
    if (s->options.real) printf("every message went over the programs' transport on 127.0.0.1\n");
    printf("sums compared with what the sites put in: %s\n", s->exact ? "all exact" : "NOT EXACT");
    printf("processor time: %.0f s; training %.0f %%, noise %.0f %%, masks %.0f %%, protocol at "
           "sites %.0f %%, at the coordinator %.0f %%\n",
           100 * all, fmax(t->work - t->noise, 0) / all, t->noise / all, t->pads / all,
           t->session / all, t->coordinator / all);
}

static void print_text(const struct simulation *s)
{
    const struct simulate_row *last = last_scored(s);
    printf("%s, %u sites, %s, seed %llu\n\nround  step    ",
           simulate_method_name[s->options.method], s->n, s->options.partition,
           (unsigned long long)s->options.seed);
    printf(is_federated(s) ? "    sites  accuracy  balanced       AUC      loss   epsilon   bytes "
                             "up       down    kept\n"
                           : "  accuracy  balanced       AUC      loss    kept\n");
    for (uint32_t i = 0; i < s->n_rows; i++)
        if (s->row[i].scored) print_row(s, &s->row[i]);
    if (last != NULL && s->options.method == SIMULATE_LOCAL)
        printf("\nmeans over %u sites; their accuracies are from %.4f to %.4f\n", s->n, last->least,
               last->most);
    if (is_federated(s)) {
        if (last != NULL) print_privacy(s, last);
        print_costs(s);
    }
    if (s->stop[0] != 0) printf("it ended before its time: %s\n", s->stop);
    printf("%.1f seconds\n", s->seconds);
}

void simulate_report(const struct simulation *s)
{
    if (!s->options.json) {
        print_text(s);
        return;
    }
    json_t *document = document_of(s);
    (void)json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    printf("\n");
    json_decref(document);
}
