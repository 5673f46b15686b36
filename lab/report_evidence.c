/* SPDX-License-Identifier: Apache-2.0 */
/* What an audit measured: bounds beside the claim, curves of membership attacks, and pictures
 * before and after inversion. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/account.h"
#include "lab/plot.h"
#include "lab/report.h"
#include "lab/sheet.h"

enum {
    BOUNDS_MAX = 32,
    ATTACKS_MAX = 4,
    POINTS_MAX = 32,
    ROC_MAX = 400,
    STAGES_MAX = 8,
    METHOD = 50
};
enum { BAR_WIDTH = 480, BAR_LEFT = 165, BAR_HEIGHT = 26 };
#define IMAGE_CHARS_MAX ((size_t)4 << 20)
#define IMAGE_SIDE_MAX 8192

static double bound_at(const json_t *d, size_t i)
{
    const double x =
        document_number(json_array_get(document_at(d, "bounds"), i), "epsilon_lower_bound");
    return x >= 0 ? floor(x * 1e4) / 1e4 : (double)NAN;
}

/* Membership has several attacks, each with bounds by several methods. */
static void bound_name(char out[static METHOD], const json_t *bound)
{
    char attack[16], method[32];
    document_text(attack, sizeof attack, bound, "attack");
    document_text(method, sizeof method, bound, "method");
    (void)snprintf(out, METHOD, "%s%s%s", attack, attack[0] == 0 ? "" : ", ", method);
}

static void draw_bars(struct buffer *out, const json_t *d, size_t n, double claim)
{
    double most = isnan(claim) ? 0 : claim;
    for (size_t i = 0; i < n; i++) most = fmax(most, bound_at(d, i));
    if (!(most > 0)) most = 1;
    const double unit = (BAR_WIDTH - BAR_LEFT - 70) / most;
    const double height = (double)n * BAR_HEIGHT;
    page_print(out,
               "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"Lower bounds on epsilon, "
               "and the claim\">\n",
               BAR_WIDTH, height + 30);
    for (size_t i = 0; i < n; i++) {
        char method[METHOD];
        const double bound = bound_at(d, i), y = (double)i * BAR_HEIGHT;
        bound_name(method, json_array_get(document_at(d, "bounds"), i));
        page_print(out, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">", BAR_LEFT - 8, y + 17);
        page_text(out, method);
        page_print(out, "</text>");
        if (isnan(bound)) continue;
        page_print(out,
                   "<g class=\"c0\"><rect class=\"solid\" x=\"%d\" y=\"%.0f\" width=\"%.1f\" "
                   "height=\"%d\"/></g><text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%.4f</text>\n",
                   BAR_LEFT, y + 4, bound * unit, BAR_HEIGHT - 8, BAR_WIDTH - 4, y + 17, bound);
    }
    if (!isnan(claim))
        page_print(out,
                   "<g class=\"c1\"><path class=\"open\" d=\"M%.1f 0V%.0f\"/></g>"
                   "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">claimed: at most</text>"
                   "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%.4f</text>\n",
                   BAR_LEFT + claim * unit, height + 8, BAR_WIDTH - 64, height + 24, BAR_WIDTH - 4,
                   height + 24, claim);
    page_print(out, "</svg>\n");
}

static void list_bounds(struct page *page, const json_t *d, size_t n, const char *files)
{
    static const char *const heads[] = {"method", "\xCE\xB5 at least", "holds for", "", NULL};
    char name[PAGE_NAME_MAX - 4];
    (void)snprintf(name, sizeof name, "%s-bounds", files);
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet_begin(&sheet, page, name, heads);
    for (size_t i = 0; i < n; i++) {
        const json_t *bound = json_array_get(document_at(d, "bounds"), i);
        char text[200], method[METHOD];
        bound_name(method, bound);
        sheet_text(&sheet, method);
        sheet_number(&sheet, "%.4f", bound_at(d, i));
        document_text(text, sizeof text, bound, "holds_for");
        sheet_text(&sheet, text);
        sheet_text(&sheet,
                   document_true(bound, "headline") ? "declared before the run" : "for comparison");
    }
    sheet_end(&sheet, NULL,
              "Only the declared method's bound has its confidence: the largest of several is no "
              "bound. Rounded down.");
}

void report_bounds(struct page *page, const json_t *d, const char *files)
{
    const size_t n = document_length(d, "bounds", BOUNDS_MAX);
    if (n == 0) return;
    const double claim = document_number(d, "claim.epsilon");
    page_print(&page->html, "<figure><h3>What was proved, beside what is claimed</h3>\n");
    draw_bars(&page->html, d, n, claim >= 0 ? account_rounded(claim) : (double)NAN);
    list_bounds(page, d, n, files);
    page_print(&page->html, "</figure>\n");
}

/* --- membership --------------------------------------------------------------------------------
 */

static void list_points(struct page *page, const json_t *d, size_t n, const char *files)
{
    static const char *const heads[] = {
        "attack", "false alarms, wanted", "realised", "members found", "95 % from",
        "to",     "found of members",     "members",  "false alarms",  "nonmembers",
        NULL};
    static const char *const counts[] = {"true_positives", "members", "false_positives",
                                         "nonmembers"};
    AUTO(sheet_free) struct sheet sheet = {0};
    char name[PAGE_NAME_MAX - 4];
    (void)snprintf(name, sizeof name, "%s-points", files);
    page_print(&page->html, "<figure><h3>At few false alarms</h3>\n");
    sheet_begin(&sheet, page, name, heads);
    for (size_t i = 0; i < n; i++) {
        const json_t *attack = json_array_get(document_at(d, "attacks"), i);
        char which[32];
        document_text(which, sizeof which, attack, "name");
        for (size_t j = 0; j < document_length(attack, "points", POINTS_MAX); j++) {
            const json_t *p = json_array_get(document_at(attack, "points"), j);
            sheet_text(&sheet, which);
            sheet_number(&sheet, "%.4g", document_number(p, "fpr_target"));
            sheet_number(&sheet, "%.4g", document_number(p, "fpr_realised"));
            sheet_number(&sheet, "%.4f", document_number(p, "tpr"));
            sheet_number(&sheet, "%.4f", document_number(p, "tpr_low"));
            sheet_number(&sheet, "%.4f", document_number(p, "tpr_high"));
            for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
                sheet_count(&sheet, document_number(p, counts[k]));
        }
    }
    sheet_end(&sheet, NULL,
              "Intervals as the audit gives them; a rate that needs more nonmembers than there are "
              "is not measured.");
    page_print(&page->html, "</figure>\n");
}

void report_roc(struct page *page, const json_t *d, const char *files)
{
    const size_t n = document_length(d, "attacks", ATTACKS_MAX);
    if (n == 0) return;
    char file[PAGE_NAME_MAX - 4];
    (void)snprintf(file, sizeof file, "%s-roc", files);
    AUTO(plot_free)
    struct plot plot = {.name = file,
                        .title = "Members found against false alarms",
                        .x = {.name = "false alarms", .log = true, .least = 1e-3, .most = 1},
                        .y = {.name = "members found", .log = true, .least = 1e-3, .most = 1},
                        .diagonal = true};
    for (size_t i = 0; i < n; i++) {
        const json_t *attack = json_array_get(document_at(d, "attacks"), i);
        char name[32], auc[DOCUMENT_DIGITS_MAX], label[80];
        document_text(name, sizeof name, attack, "name");
        document_digits(auc, attack, "auc");
        (void)snprintf(label, sizeof label, "%s, AUC %s", name, auc);
        struct plot_series *series = plot_series(&plot, label, PLOT_CURVE);
        for (size_t j = 0; j < document_length(attack, "roc", ROC_MAX); j++) {
            const json_t *pair = json_array_get(document_at(attack, "roc"), j);
            const json_t *at[] = {json_array_get(pair, 0), json_array_get(pair, 1)};
            const double x = json_number_value(at[0]), y = json_number_value(at[1]);
            if (json_is_number(at[0]) && json_is_number(at[1]) && x >= 0 && x <= 1 && y >= 0 &&
                y <= 1)
                plot_point(
                    &plot, series,
                    (struct plot_point){.x = x, .y = y, .low = (double)NAN, .high = (double)NAN});
        }
    }
    plot_write(&plot, page,
               "From the document's roc. On the dotted line an attack does not tell members from "
               "others. Points at zero cannot be drawn on such axes; the numbers have them.",
               "the document has no points of a curve.");
    list_points(page, d, n, files);
}

/* --- inversion ---------------------------------------------------------------------------------
 */

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == 0 ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether it is base64 of what begins as a PNG of reasonable size does. */
static bool is_png(const char *text)
{
    static const uint8_t magic[16] = {0x89, 'P', 'N', 'G', 13,  10,  26,  10,
                                      0,    0,   0,   13,  'I', 'H', 'D', 'R'};
    uint8_t head[24];
    const size_t n = strlen(text);
    if (n < 60 || n > IMAGE_CHARS_MAX || n % 4 != 0) return false;
    size_t body = n;
    while (body > n - 2 && text[body - 1] == '=') body--;
    for (size_t i = 0; i < body; i++)
        if (base64_value(text[i]) < 0) return false;
    for (size_t i = 0; i < sizeof head; i++) {
        const size_t at = i / 3 * 4 + i % 3;
        const int two = base64_value(text[at]) << 6 | base64_value(text[at + 1]);
        head[i] = (uint8_t)(two >> (4 - 2 * (i % 3)));
    }
    const uint32_t width = big_endian(head + 16), height = big_endian(head + 20);
    return memcmp(head, magic, sizeof magic) == 0 && width > 0 && width <= IMAGE_SIDE_MAX &&
           height > 0 && height <= IMAGE_SIDE_MAX;
}

static const char *stage_title(const char *name)
{
    static const char *const title[][2] = {{"plain", "Without the protocol: the plain update"},
                                           {"masked", "With masks: what the server receives"},
                                           {"noised", "With noise, all other sites' parts known"},
                                           {"sum", "The sum that the server opens"},
                                           {"noise", "Noise alone, for comparison"}};
    for (size_t i = 0; i < sizeof title / sizeof *title; i++)
        if (strcmp(name, title[i][0]) == 0) return title[i][1];
    return "Another stage";
}

static void list_stages(struct page *page, const json_t *d, size_t n, const char *files)
{
    static const char *const heads[] = {"stage", "PSNR, mean (dB)", "best", "of guessing", NULL};
    AUTO(sheet_free) struct sheet sheet = {0};
    char file[PAGE_NAME_MAX - 4];
    (void)snprintf(file, sizeof file, "%s-stages", files);
    sheet_begin(&sheet, page, file, heads);
    for (size_t i = 0; i < n; i++) {
        const json_t *stage = json_array_get(document_at(d, "stages"), i);
        char name[24];
        document_text(name, sizeof name, stage, "name");
        sheet_text(&sheet, stage_title(name));
        sheet_number(&sheet, "%.2f", document_number(stage, "psnr_mean"));
        sheet_number(&sheet, "%.2f", document_number(stage, "psnr_best"));
        sheet_number(&sheet, "%.2f", document_number(stage, "psnr_floor"));
    }
    sheet_end(&sheet, NULL,
              "How alike originals and reconstructions are: more is more alike. Of guessing: what "
              "one reaches who has seen nothing of the update.");
}

void report_stages(struct page *page, const json_t *d, const char *files)
{
    const size_t n = document_length(d, "stages", STAGES_MAX);
    if (n == 0) return;
    struct buffer *out = &page->html;
    page_print(out, "<h3>Originals above, reconstructions below</h3><div class=\"stages\">\n");
    for (size_t i = 0; i < n; i++) {
        const json_t *stage = json_array_get(document_at(d, "stages"), i);
        const char *image = json_string_value(document_at(stage, "image"));
        char name[24];
        document_text(name, sizeof name, stage, "name");
        page_print(out, "<figure><h3>%s</h3>", stage_title(name));
        if (image != NULL && is_png(image)) {
            page_print(out,
                       "<img alt=\"originals above reconstructions\" src=\"data:image/png;base64,");
            write_bytes(out, image, strlen(image));
            page_print(out, "\">");
        } else {
            page_print(out, "<p class=\"soft\">There is no picture of it.</p>");
        }
        page_print(out, "</figure>\n");
    }
    page_print(out, "</div>\n");
    list_stages(page, d, n, files);
}
