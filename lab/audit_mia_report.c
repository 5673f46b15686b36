/* SPDX-License-Identifier: Apache-2.0 */
/* What membership inference came to: a table, the verdict, the document, and files for plots. */
#include <math.h>
#include <stdio.h>

#include "lab/audit_mia.h"
#include "lab/verdict.h"

static const char every[] = "every mechanism";
static const char by_coins[] =
    "a fair coin of its own decided on each record, and the number of guesses was fixed before";
static const char by_threshold[] =
    "records fall out independently of each other, which one model does not make sure of, and "
    "members and nonmembers are drawn alike; the threshold was fixed by nonmembers that are not "
    "counted";

static size_t others_of(const struct mia *mia)
{
    return mia->pool.data.n - mia->members;
}

/* JSON has no word for what is not a number. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *roc_json(const struct membership_roc *roc)
{
    json_t *list = json_array();
    for (size_t i = 0; i < roc->n; i++)
        (void)json_array_append_new(list, json_pack("[f, f]", roc->fpr[i], roc->tpr[i]));
    return list;
}

/* A point that was not measured has its target, what it needs, and nothing else. */
static json_t *point_json(const struct membership_point *p)
{
    json_t *one = json_pack("{s:f, s:b, s:i}", "fpr_target", p->target, "measured", p->measured,
                            "nonmembers_needed", (int)p->needed);
    if (p->measured)
        (void)json_object_update_new(
            one, json_pack("{s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:f}", "fpr_realised", p->fpr,
                           "tpr", p->tpr, "tpr_low", p->tpr_low, "tpr_high", p->tpr_high,
                           "true_positives", (int)p->true_positives, "members", (int)p->members,
                           "false_positives", (int)p->false_positives, "nonmembers",
                           (int)p->nonmembers, "threshold", p->threshold));
    return one;
}

static json_t *attacks_json(const struct mia *mia)
{
    json_t *list = json_array();
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++) {
        const struct mia_outcome *o = &mia->outcome[a];
        json_t *points = json_array();
        for (size_t p = 0; p < MIA_POINTS; p++)
            (void)json_array_append_new(points, point_json(&o->point[p]));
        (void)json_array_append_new(list, json_pack("{s:s, s:b, s:f, s:o, s:o}", "name",
                                                    mia_attack_name[a], "headline",
                                                    a == MIA_HEADLINE, "auc", o->auc, "points",
                                                    points, "roc", roc_json(&o->roc)));
    }
    return list;
}

/* Of the attack that was declared: the other's would tempt to take the larger. */
static json_t *bounds_json(const struct mia *mia)
{
    const double confidence = mia->options.confidence;
    const struct mia_outcome *o = &mia->outcome[MIA_HEADLINE];
    const char *attack = mia_attack_name[MIA_HEADLINE];
    json_t *list = json_array();
    if (isfinite(o->one_run))
        (void)json_array_append_new(
            list, json_pack("{s:s, s:b, s:s, s:f, s:f, s:s, s:s, s:i, s:i, s:i}", "attack", attack,
                            "headline", mia->coins, "method", "one-run", "epsilon_lower_bound",
                            o->one_run, "confidence", confidence, "holds_for", every,
                            "provided_that", by_coins, "canaries", (int)o->run.canaries, "guesses",
                            (int)o->run.guesses, "correct", (int)o->run.correct));
    if (isfinite(o->clopper_pearson))
        (void)json_array_append_new(
            list, json_pack("{s:s, s:b, s:s, s:f, s:f, s:s, s:s, s:i, s:i, s:i, s:i}", "attack",
                            attack, "headline", !mia->coins, "method", "clopper-pearson",
                            "epsilon_lower_bound", o->clopper_pearson, "confidence", confidence,
                            "holds_for", every, "provided_that", by_threshold, "false_positives",
                            (int)o->trials.false_positives, "negatives", (int)o->trials.negatives,
                            "false_negatives", (int)o->trials.false_negatives, "positives",
                            (int)o->trials.positives));
    return list;
}

static json_t *details_of(const struct mia *mia)
{
    const struct mia_options *o = &mia->options;
    return json_pack(
        "{s:o, s:o, s:s, s:s, s:b, s:i, s:i, s:i, s:s, s:f, s:I, s:b, s:{s:o, s:o}, s:f}",
        "attacks", attacks_json(mia), "bounds", bounds_json(mia), "study",
        mia->subject.study.study.id, "model",
        o->model == NULL ? "trained here by the study" : o->model, "membership_by_coins",
        mia->coins, "members", (int)mia->members, "nonmembers", (int)others_of(mia), "references",
        (int)o->references, "references_by", o->federated ? "federated" : "centralised", "rmia_a",
        MEMBERSHIP_RMIA_A, "seed", (json_int_t)o->seed, "real", (int)o->real, "accuracy", "members",
        number(mia->on_members.accuracy), "nonmembers", number(mia->on_others.accuracy), "seconds",
        mia->seconds);
}

/* --- files for plots ---------------------------------------------------------------------------
 */

static bool write_roc(const struct mia *mia)
{
    FILE *file = subject_file("mia", mia->options.folder, "mia-roc.csv");
    if (file == NULL) return false;
    fprintf(file, "attack,fpr,tpr\n");
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++) {
        const struct membership_roc *roc = &mia->outcome[a].roc;
        for (size_t i = 0; i < roc->n; i++)
            fprintf(file, "%s,%.8g,%.8g\n", mia_attack_name[a], roc->fpr[i], roc->tpr[i]);
    }
    return fclose(file) == 0;
}

static bool write_points(const struct mia *mia)
{
    FILE *file = subject_file("mia", mia->options.folder, "mia-points.csv");
    if (file == NULL) return false;
    fprintf(file, "attack,fpr_target,fpr_realised,tpr,tpr_low,tpr_high,true_positives,members,"
                  "false_positives,nonmembers\n");
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++)
        for (size_t i = 0; i < MIA_POINTS; i++) {
            const struct membership_point *p = &mia->outcome[a].point[i];
            if (p->measured)
                fprintf(file, "%s,%g,%.8g,%.8g,%.8g,%.8g,%u,%u,%u,%u\n", mia_attack_name[a],
                        p->target, p->fpr, p->tpr, p->tpr_low, p->tpr_high, p->true_positives,
                        p->members, p->false_positives, p->nonmembers);
            else
                fprintf(file, "%s,%g,,,,,,,,\n", mia_attack_name[a], p->target);
        }
    return fclose(file) == 0;
}

/* --- for people --------------------------------------------------------------------------------
 */

static void print_table(const struct mia *mia)
{
    const struct mia_options *o = &mia->options;
    printf("%s: %zu members, %zu others; accuracy %.4f on members, %.4f on others\n",
           mia->coins ? "trained here by the study, on whom a coin chose" : o->model, mia->members,
           others_of(mia), mia->on_members.accuracy, mia->on_others.accuracy);
    printf("%u references, %s, each record unseen by half of them\n\n", o->references,
           o->federated ? "each by the whole study" : "by one party, without noise and pruning");
    printf("attack     AUC  FPR: aim   came out        of     TPR  %g %% limits         of\n",
           100 * o->confidence);
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++)
        for (size_t i = 0; i < MIA_POINTS; i++) {
            const struct membership_point *p = &mia->outcome[a].point[i];
            printf("%-6s  %.4f  %7.3f %%", mia_attack_name[a], mia->outcome[a].auc,
                   100 * p->target);
            if (p->measured)
                printf("  %7.3f %%  %4u/%-5u %.4f  %.4f-%.4f  %6u/%u\n", 100 * p->fpr,
                       p->false_positives, p->nonmembers, p->tpr, p->tpr_low, p->tpr_high,
                       p->true_positives, p->members);
            else
                printf("  cannot be measured: %u nonmembers are needed, %zu are there\n", p->needed,
                       others_of(mia));
        }
}

static void conclude(struct verdict *v, const struct mia *mia)
{
    const struct membership_point *p = &mia->outcome[MIA_HEADLINE].point[MIA_BOUND_POINT];
    char more[300] = "";
    if (v->headline == NULL) {
        (void)snprintf(v->summary, sizeof v->summary,
                       "There are too few nonmembers for a bound: %u are needed.", p->needed);
        return;
    }
    if (p->measured)
        (void)snprintf(more, sizeof more,
                       " It finds %.1f %% of those whom the model was trained on where it calls "
                       "%.1f %% of the others so.%s",
                       100 * p->tpr, 100 * p->fpr,
                       mia->coins ? ""
                                  : " This takes for granted that both were drawn alike, and that "
                                    "records fall out independently.");
    subject_judge(v, mia->outcome[MIA_HEADLINE].most, more);
}

static const char *const shows[] = {
    "how well two published attacks tell the records that this model was trained on from others",
    "the realised false positive rate is counted on nonmembers that had no say in the threshold",
    NULL};
static const char *const does_not_show[] = {
    "that no better attack exists: more references, other models or queries may find more",
    "anything about a single patient: rare records are found more easily than the average says",
    "what the coordinator or a colluding site could learn during training, only what the final "
    "model gives away",
    "a difference that is due to training, if members and nonmembers were not drawn alike",
    "this report itself was computed from the records, without noise: it is for those who may see "
    "them",
    NULL};

enum exit_code mia_report(const struct mia *mia)
{
    const struct mia_options *o = &mia->options;
    const struct mia_outcome *headline = &mia->outcome[MIA_HEADLINE];
    AUTO(verdict_free)
    struct verdict v = {.audit = "mia",
                        .finding = FINDING_OPEN,
                        .shows = shows,
                        .does_not_show = does_not_show,
                        .details = details_of(mia)};
    struct verdict_claim claim;
    const struct verdict_headline bound = {
        .method = mia->coins ? "one-run" : "clopper-pearson",
        .epsilon_lower_bound = mia->coins ? headline->one_run : headline->clopper_pearson,
        .confidence = o->confidence};
    const bool claimed =
        mia->coins ? subject_claim(&claim, &mia->subject, mia->told.epsilon, "no dropouts")
                   : subject_claim(&claim, &mia->subject, mia->subject.study.privacy.epsilon,
                                   "as many dropouts as the study allows");
    if (claimed) v.claim = &claim;
    if (isfinite(bound.epsilon_lower_bound)) v.headline = &bound;
    conclude(&v, mia);
    if (o->folder != NULL && !(write_roc(mia) && write_points(mia))) return EXIT_FAILED;
    if (!o->json) print_table(mia);
    return verdict_report(&v, o->json, o->folder);
}
