/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/plot_draw.h"

#include <math.h>

#include "lab/page.h"

/* In units of the picture; a phone shows 360 of them 350 pixels wide. */
enum {
    WIDTH = 480,
    HEIGHT = 330,
    LEFT = 60,
    RIGHT = 12,
    TOP = 10,
    BOTTOM = 46,
    BEYOND = 56,    /* the place for infinite x */
    BAND_FROM = 12, /* points, from which on intervals are a band */
    MARKS_APART = 36
};

struct canvas {
    const struct plot *plot;
    struct buffer *out;
    struct plot_scale x, y;
    double right; /* where the axis ends */
};

static double place_x(const struct canvas *c, double x)
{
    if (isinf(x)) return WIDTH - RIGHT - BEYOND / 2.0;
    return LEFT + plot_place(&c->x, x) * (c->right - LEFT);
}

static double place_y(const struct canvas *c, double y)
{
    return HEIGHT - BOTTOM - plot_place(&c->y, y) * (HEIGHT - BOTTOM - TOP);
}

/* Take x into a range, if an axis of this kind can show it. */
static void reach(double *least, double *most, double x, bool log)
{
    if (!isfinite(x) || (log && x <= 0)) return;
    *least = fmin(*least, x);
    *most = fmax(*most, x);
}

static struct plot_scale scale_of(const struct plot *plot, bool is_x)
{
    const struct plot_axis *axis = is_x ? &plot->x : &plot->y;
    double least = (double)INFINITY, most = -(double)INFINITY;
    if (axis->least < axis->most) {
        least = axis->least;
        most = axis->most;
    }
    for (size_t i = 0; i < plot_drawn(plot); i++)
        for (size_t j = 0; j < plot->series[i].n; j++) {
            const struct plot_point *p = &plot->series[i].point[j];
            if (is_x && plot->series[i].shape == PLOT_LEVEL) continue;
            reach(&least, &most, is_x ? p->x : p->y, axis->log);
            if (is_x) continue;
            reach(&least, &most, p->low, axis->log);
            reach(&least, &most, p->high, axis->log);
        }
    if (axis->share) {
        least = fmax(least, 0);
        most = fmin(most, 1);
    }
    if (!(least <= most)) least = most = 1; /* nothing can be placed; the numbers tell */
    const double room = axis->log && axis->least >= axis->most ? pow(most / least, 0.04) : 1;
    return plot_scale(least / room, most * room, axis->log);
}

static void draw_axes(const struct canvas *c)
{
    struct buffer *out = c->out;
    const double bottom = HEIGHT - BOTTOM;
    char text[PAGE_SHORT_MAX];
    for (size_t i = 0; i < c->x.n_ticks; i++) {
        const double x = place_x(c, c->x.tick[i]);
        page_print(out,
                   "<path class=\"grid\" d=\"M%.1f %d V%.0f\"/>"
                   "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%s</text>\n",
                   x, TOP, bottom, x, bottom + 17, page_short(text, c->x.tick[i]));
    }
    for (size_t i = 0; i < c->y.n_ticks; i++) {
        const double y = place_y(c, c->y.tick[i]);
        page_print(out,
                   "<path class=\"grid\" d=\"M%d %.1f H%d\"/>"
                   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                   LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, page_short(text, c->y.tick[i]));
    }
    page_print(out, "<path class=\"axis\" d=\"M%d %d V%.0f H%.1f\"/>\n", LEFT, TOP, bottom,
               c->right);
    if (c->plot->beyond != NULL)
        page_print(out,
                   "<path class=\"axis\" d=\"M%.1f %.0f H%d\"/>"
                   "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%s</text>\n",
                   c->right + 8, bottom, WIDTH - RIGHT, WIDTH - RIGHT - BEYOND / 2.0, bottom + 17,
                   c->plot->beyond);
    page_print(out,
               "<text class=\"name\" x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s%s</text>\n"
               "<text class=\"name\" transform=\"translate(12 %.0f) rotate(-90)\" "
               "text-anchor=\"middle\">%s%s</text>\n",
               (LEFT + c->right) / 2, HEIGHT - 8, c->plot->x.name, c->x.log ? " (log)" : "",
               (TOP + bottom) / 2, c->plot->y.name, c->y.log ? " (log)" : "");
}

/* One marker for each colour. */
static void draw_mark(struct buffer *out, unsigned colour, double x, double y)
{
    static const char *const shape[PLOT_SERIES_DRAWN] = {"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
                                                         "m-4 -4h8v8h-8z",
                                                         "m0 -5l5 9h-10z",
                                                         "m0 -5l5 5l-5 5l-5 -5z",
                                                         "m-4 -4l8 8m0 -8l-8 8",
                                                         "m0 5l5 -9h-10z",
                                                         "m-5 0h10m-5 -5v10",
                                                         "m-2 -5h4v10h-4z"};
    page_print(out, "<path class=\"mark\" d=\"M%.1f %.1f%s\"/>", x, y, shape[colour]);
}

/* Dashes beside colours, so that lines are told apart without them. */
static const char *dashes(unsigned colour)
{
    static const char *const pattern[PLOT_SERIES_DRAWN] = {"",     "8 3", "2 3", "8 3 2 3",
                                                           "12 4", "5 2", "1 2", "10 2 2 2 2 2"};
    return pattern[colour];
}

/* A logarithmic axis has no place for 0 and below. */
static bool can_show(const struct canvas *c, const struct plot_point *p)
{
    return !(c->x.log && p->x <= 0) && !(c->y.log && p->y <= 0);
}

static void draw_line(const struct canvas *c, const struct plot_series *s)
{
    bool begun = false;
    for (size_t i = 0; i < s->n; i += plot_stride(s)) {
        if (isinf(s->point[i].x) || !can_show(c, &s->point[i])) continue;
        page_print(c->out, begun ? " %.1f %.1f" : "<path class=\"curve\" d=\"M%.1f %.1f",
                   place_x(c, s->point[i].x), place_y(c, s->point[i].y));
        begun = true;
    }
    if (begun) page_print(c->out, "\" stroke-dasharray=\"%s\"/>\n", dashes(s->colour));
}

static void draw_band(const struct canvas *c, const struct plot_series *s)
{
    size_t with = 0;
    const size_t step = plot_stride(s);
    for (size_t i = 0; i < s->n; i += step)
        with += isfinite(s->point[i].low) && isfinite(s->point[i].x);
    if (with < 2) return;
    page_print(c->out, "<path class=\"band\" d=\"M");
    for (size_t i = 0; i < s->n; i += step)
        if (isfinite(s->point[i].high) && isfinite(s->point[i].x))
            page_print(c->out, "%.1f %.1f ", place_x(c, s->point[i].x),
                       place_y(c, s->point[i].high));
    for (size_t k = (s->n - 1) / step + 1; k-- > 0;) {
        const struct plot_point *p = &s->point[k * step];
        if (isfinite(p->low) && isfinite(p->x))
            page_print(c->out, "%.1f %.1f ", place_x(c, p->x), place_y(c, p->low));
    }
    page_print(c->out, "z\"/>\n");
}

static void draw_point(const struct canvas *c, const struct plot_series *s,
                       const struct plot_point *p, bool bar)
{
    const double x = place_x(c, p->x);
    char at[PAGE_SHORT_MAX];
    page_print(c->out, "<g><title>");
    page_text(c->out, s->name);
    page_print(c->out, ": %.4g at %s", p->y, isinf(p->x) ? "infinity" : page_short(at, p->x));
    if (isfinite(p->low)) page_print(c->out, ", 95 %% from %.4g to %.4g", p->low, p->high);
    page_print(c->out, "</title>");
    if (bar && isfinite(p->low))
        page_print(c->out, "<path class=\"bar\" d=\"M%.1f %.1f V%.1f m-3 0h6 M%.1f %.1f h6\"/>", x,
                   place_y(c, p->low), place_y(c, p->high), x - 3, place_y(c, p->low));
    draw_mark(c->out, s->colour, x, place_y(c, p->y));
    page_print(c->out, "</g>\n");
}

static void draw_level(const struct canvas *c, double y)
{
    page_print(c->out, "<path class=\"level\" d=\"M%d %.1f H%d\"/>\n", LEFT, place_y(c, y),
               WIDTH - RIGHT);
}

static void draw_series(const struct canvas *c, const struct plot_series *s)
{
    if (s->n == 0) return;
    page_print(c->out, "<g class=\"c%u\">", s->colour);
    if (s->shape == PLOT_LEVEL) draw_level(c, s->point[0].y);
    if (s->shape == PLOT_CURVE) draw_line(c, s);
    const bool many = s->shape == PLOT_CURVE && s->n > BAND_FROM;
    if (many) draw_band(c, s);
    double last = -(double)INFINITY;
    for (size_t i = 0; i < s->n && s->shape != PLOT_LEVEL; i += plot_stride(s)) {
        const double x = place_x(c, s->point[i].x);
        if (!can_show(c, &s->point[i])) continue;
        if (isinf(s->point[i].x)) draw_level(c, s->point[i].y);
        /* a curve of many points keeps a mark here and there, to be told apart by */
        if (many && x - last < MARKS_APART) continue;
        draw_point(c, s, &s->point[i], !many);
        last = x;
    }
    page_print(c->out, "</g>\n");
}

void plot_draw(const struct plot *plot, struct buffer *out)
{
    const struct canvas c = {plot, out, scale_of(plot, true), scale_of(plot, false),
                             WIDTH - RIGHT - (plot->beyond != NULL ? BEYOND : 0)};
    page_print(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
               plot->title);
    draw_axes(&c);
    if (plot->diagonal) {
        const double from = fmax(c.x.least, c.y.least), to = fmin(c.x.most, c.y.most);
        page_print(out, "<path class=\"guide\" d=\"M%.1f %.1f", place_x(&c, from),
                   place_y(&c, from));
        /* straight on equal scales, bent where one is logarithmic: draw it in steps */
        for (int i = 1; i <= 40; i++) {
            const double x = from + (to - from) * i * i * i / 64000.0;
            page_print(out, " %.1f %.1f", place_x(&c, x), place_y(&c, x));
        }
        page_print(out, "\"/>\n");
    }
    for (size_t i = 0; i < plot_drawn(plot); i++) draw_series(&c, &plot->series[i]);
    page_print(out, "</svg>\n");
}

void plot_legend(const struct plot *plot, struct buffer *out)
{
    page_print(out, "<ul class=\"legend\">");
    for (size_t i = 0; i < plot_drawn(plot); i++) {
        const struct plot_series *s = &plot->series[i];
        if (s->n == 0) continue;
        page_print(out, "<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\" class=\"c%u\">",
                   s->colour);
        if (s->shape == PLOT_LEVEL) page_print(out, "<path class=\"level\" d=\"M1 7H33\"/>");
        if (s->shape == PLOT_CURVE)
            page_print(out, "<path class=\"curve\" d=\"M1 7H33\" stroke-dasharray=\"%s\"/>",
                       dashes(s->colour));
        if (s->shape != PLOT_LEVEL) draw_mark(out, s->colour, 17, 7);
        page_print(out, "</svg><span>");
        page_text(out, s->name);
        page_print(out, "</span></li>\n");
    }
    if (plot->diagonal)
        page_print(out, "<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\"><path class=\"guide\" "
                        "d=\"M1 7H33\"/></svg><span>guessing</span></li>\n");
    page_print(out, "</ul>\n");
}
