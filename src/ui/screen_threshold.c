/* Threshold: what would another one cost and catch?  All of it from histograms in memory. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define FEW_LABELS 30
#define RELOAD_MS 30000

static void sums(const cJSON *bins, double *out)
{
    const cJSON *one;
    int n = 0;

    for (int i = 0; i <= FT_SCORE_BINS; i++)
        out[i] = 0;
    cJSON_ArrayForEach(one, bins) if (n < FT_SCORE_BINS) out[n++] =
        cJSON_IsNumber(one) ? one->valuedouble : 0;
    for (int i = FT_SCORE_BINS - 1; i >= 0; i--)
        out[i] += out[i + 1];
}

static void answered(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    struct ft_thr_state *t = &c->thr;

    if (!ft_loaded_take(c, &t->data, a))
        return;
    sums(cJSON_GetObjectItemCaseSensitive(json, "all"), t->all);
    sums(cJSON_GetObjectItemCaseSensitive(json, "fraud"), t->fraud);
    sums(cJSON_GetObjectItemCaseSensitive(json, "legitimate"), t->legit);
    sums(cJSON_GetObjectItemCaseSensitive(json, "amount"), t->amount);
    t->hours = ft_js_number(json, "hours");
    t->sample = ft_js_number(json, "sample");
    t->labels = ft_js_true(json, "labels_from_file");
    if (!t->cursor_set)
        t->cursor = c->live->threshold;
}

static void enter(struct ft_con *c)
{
    ft_con_load(c, &c->thr.data, FT_ASK_THRESHOLD, answered, NULL);
}

static void on_tick(struct ft_con *c)
{
    if (!c->frozen && c->now_ms - c->thr.data.asked_ms >= RELOAD_MS)
        enter(c);
}

void ft_thr_simulate(struct ft_con *c, double x)
{
    ft_con_go(c, FT_PLACE_THRESHOLD);
    c->thr.cursor = x;
    c->thr.cursor_set = true;
}

/* The first bin that lies above a threshold as a whole. */
static int bin_above(double x)
{
    int i = (int)ceil(x * FT_SCORE_BINS - 1e-9);

    return i < 0 ? 0 : i > FT_SCORE_BINS ? FT_SCORE_BINS : i;
}

/* Wilson's interval of a share, 95 %: it lies between 0 and 1 and is not centred on the share. */
static void wilson(double k, double n, double *low, double *high)
{
    const double z = 1.96;
    double p = k / n, centre = (p + z * z / (2 * n)) / (1 + z * z / n),
           half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));

    *low = fmax(0, centre - half);
    *high = fmin(1, centre + half);
}

static void precision_text(double fraud, double labels, bool narrow, char *out, size_t size)
{
    double low, high;

    if (labels < 1) {
        snprintf(out, size, "no labels");
        return;
    }
    if (labels < FEW_LABELS) {
        snprintf(out, size, "%.0f of %.0f", fraud, labels);
        return;
    }
    wilson(fraud, labels, &low, &high);
    if (narrow)
        snprintf(out, size, "%.2f-%.2f", low, high);
    else
        snprintf(out, size, "%.2f (%.2f-%.2f)", fraud / labels, low, high);
}

struct row {
    const char *name, *narrow; /* narrow: where the words give way to the numbers */
    char now[32], cursor[32], change[32];
};

static void put_row(struct ft_canvas *cv, struct ft_box b, int y, enum ft_role role,
                    const struct row *r)
{
    int w = b.w, col = w < 76 ? (w - 14) / 2 : 0;

    if (y >= b.y + b.h)
        return;
    if (w < 76) {
        ft_put(cv, y, 0, 13, role, r->narrow);
        ft_put_right(cv, y, 14, col - 1, role, r->now);
        ft_put_right(cv, y, 14 + col, col, role, r->cursor);
        return;
    }
    ft_put(cv, y, 1, 24, role, r->name);
    ft_put_right(cv, y, 22, 20, role, r->now);
    ft_put_right(cv, y, 42, 18, role, r->cursor);
    ft_put_right(cv, y, 60, 15, role, r->change);
}

static struct row counted(const char *name, const char *narrow, double now, double at)
{
    struct row r = {.name = name, .narrow = narrow};

    ft_fmt_count(r.now, sizeof(r.now), (uint64_t)llround(now));
    ft_fmt_count(r.cursor, sizeof(r.cursor), (uint64_t)llround(at));
    ft_fmt_signed(r.change, sizeof(r.change), llround(at) - llround(now));
    return r;
}

static int draw_table(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_thr_state *t = &c->thr;
    int now = bin_above(c->live->threshold), at = bin_above(t->cursor), y = b.y + 1;
    double hours = t->hours > 0 ? t->hours : 24, known = t->fraud[0];
    char total[32], labels[32], left[120], right[80];
    struct row r = {.name = "", .narrow = ""};
    char thr[FT_THRESHOLD_TEXT];

    ft_fmt_short(total, sizeof(total), t->all[0]);
    ft_fmt_count(labels, sizeof(labels), (uint64_t)(t->fraud[0] + t->legit[0]));
    snprintf(left, sizeof(left), "at the cursor, compared with now");
    snprintf(right, sizeof(right), b.w < 76 ? "%.3g h" : "%.3g h, %s tx, %s labels%s", hours, total,
             labels, t->labels ? " from file" : "");
    ft_title(c, cv, b.y, b.x, b.w, left, right);
    snprintf(r.now, sizeof(r.now), "now %s", ft_show_threshold(c->live->threshold, thr));
    snprintf(r.cursor, sizeof(r.cursor), "cursor %s", ft_show_threshold(t->cursor, thr));
    snprintf(r.change, sizeof(r.change), "change");
    put_row(cv, b, y++, FT_ROLE_STRONG, &r);
    r = counted("flagged per day", "flagged/day", t->all[now] / hours * 24,
                t->all[at] / hours * 24);
    put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
    r = counted("reviews per hour", "reviews/hour", t->all[now] / hours, t->all[at] / hours);
    put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
    r = counted("sum of flagged amounts", "amounts", t->amount[now], t->amount[at]);
    put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
    r = (struct row){.name = t->labels ? "precision" : "precision, reviewed",
                     .narrow = "precision"};
    precision_text(t->fraud[now], t->fraud[now] + t->legit[now], b.w < 76, r.now, sizeof(r.now));
    precision_text(t->fraud[at], t->fraud[at] + t->legit[at], b.w < 76, r.cursor, sizeof(r.cursor));
    put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
    r = (struct row){.name = "fraud kept, of known", .narrow = "fraud kept"};
    snprintf(r.now, sizeof(r.now), "%.0f / %.0f", t->fraud[now], known);
    snprintf(r.cursor, sizeof(r.cursor), "%.0f / %.0f", t->fraud[at], known);
    ft_fmt_signed(r.change, sizeof(r.change), llround(t->fraud[at] - t->fraud[now]));
    put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
    if (t->labels && known > 0) {
        double n = t->legit[0] > 0 ? t->legit[0] : 1;

        r = (struct row){.name = "recall, all traffic", .narrow = "recall"};
        snprintf(r.now, sizeof(r.now), "%.3f", t->fraud[now] / known);
        snprintf(r.cursor, sizeof(r.cursor), "%.3f", t->fraud[at] / known);
        snprintf(r.change, sizeof(r.change), "%+.3f", (t->fraud[at] - t->fraud[now]) / known);
        put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
        r = (struct row){.name = "false-positive rate", .narrow = "FPR"};
        snprintf(r.now, sizeof(r.now), "%.3f %%", 100 * t->legit[now] / n);
        snprintf(r.cursor, sizeof(r.cursor), "%.3f %%", 100 * t->legit[at] / n);
        snprintf(r.change, sizeof(r.change), "%+.3f", 100 * (t->legit[at] - t->legit[now]) / n);
        put_row(cv, b, y++, FT_ROLE_NORMAL, &r);
    } else {
        if (y < b.y + b.h)
            ft_putf(cv, y, b.w < 76 ? 0 : 1, b.w, FT_ROLE_MUTED,
                    b.w < 76 ? "recall        not known (S sample%s)"
                             : "recall, all traffic     not known: only flagged rows carry labels "
                               "(S sample%s)",
                    t->sample > 0 ? " runs" : "");
        y++;
    }
    return y - b.y;
}

static bool lies_between(const struct ft_con *c, const cJSON *one)
{
    double score = ft_js_number(one, "score"), now = c->live->threshold;

    return score > fmin(now, c->thr.cursor) && score <= fmax(now, c->thr.cursor);
}

/* Known fraud between the threshold in force and the cursor: lost above it, won below.  The i-th one, NULL: no more. */
static const cJSON *between(const struct ft_con *c, int i)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(c->thr.data.json, "known"))
    {
        if (lies_between(c, one) && i-- == 0)
            return one;
    }
    return NULL;
}

static int count_between(const struct ft_con *c)
{
    const cJSON *one;
    int n = 0;

    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(c->thr.data.json, "known"))
    {
        n += lies_between(c, one);
    }
    return n;
}

static void draw_known(const struct ft_con *c, struct ft_canvas *cv, int y, int w, const cJSON *one)
{
    const char *by = ft_js_text(one, "by");
    char amount[40], when[24];

    ft_fmt_amount(amount, sizeof(amount), ft_span_of(ft_js_text(one, "amount")));
    ft_show_date(c, ft_js_time(one, "at"), when, sizeof(when));
    ft_putf(cv, y, 1, 6, FT_ROLE_FRAUD, "%.3f", ft_js_number(one, "score"));
    ft_put_right(cv, y, 7, 10, FT_ROLE_NORMAL, amount);
    ft_put(cv, y, 19, 18, FT_ROLE_NORMAL, ft_show_merchant(c, ft_js_text(one, "merchant")));
    ft_put(cv, y, 38, 14, FT_ROLE_NORMAL, ft_js_text(one, "category"));
    if (*by)
        ft_putf(cv, y, 54, w - 54, FT_ROLE_MUTED,
                w < 100 ? "%.10s  %.11s" : "confirmed by %s  %.11s", by,
                strlen(when) > 5 ? when + 5 : when);
}

static void draw_lost(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    struct ft_thr_state *t = &c->thr;
    bool up = t->cursor >= c->live->threshold;
    int total = count_between(c), rows = b.h - 1, top;
    char left[100], right[32], thr[FT_THRESHOLD_TEXT];

    snprintf(left, sizeof(left),
             up ? "lost at the cursor: known fraud below %s"
                : "won at the cursor: known fraud above %s",
             ft_show_threshold(t->cursor, thr));
    snprintf(right, sizeof(right), "%d", total);
    ft_title(c, cv, b.y, b.x, b.w, left, right);
    if (total == 0)
        ft_put(cv, b.y + 1, 1, b.w - 1, FT_ROLE_MUTED,
               fabs(t->cursor - c->live->threshold) < 1e-9
                   ? "The cursor is at the threshold in force. [ ] move it."
               : t->labels ? "None was reviewed; the table above counts by the file's labels."
                           : "None that is known.");
    t->at = t->at >= total ? (total ? total - 1 : 0) : t->at;
    top = t->at >= rows ? t->at - rows + 1 : 0;
    for (int i = top; i < total && i - top < rows; i++) {
        int y = b.y + 1 + i - top;

        draw_known(c, cv, y, b.w, between(c, i));
        if (i != t->at)
            continue;
        ft_put(cv, y, 0, 1, FT_ROLE_STRONG, ">");
        ft_select(cv, y, 0, b.w);
        cv->cursor_x = 0;
        cv->cursor_y = y;
    }
}

static void draw_bins(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_thr_state *t = &c->thr;
    uint64_t bin[20];
    char left[60], age[40];

    snprintf(left, sizeof(left), "scores, last %.3g h, log scale", t->hours > 0 ? t->hours : 24);
    ft_title(c, cv, b.y, b.x, b.w, left,
             ft_loaded_age(c, &t->data, age, sizeof(age), "[ ] move   { } move fast"));
    for (int i = 0; i < 20; i++)
        bin[i] =
            (uint64_t)(t->all[i * FT_SCORE_BINS / 20] - t->all[(i + 1) * FT_SCORE_BINS / 20] + 0.5);
    ft_histogram_draw(c, cv, (struct ft_box){b.y + 1, b.x, b.h - 1, b.w}, bin, c->live->threshold,
                      t->cursor);
}

static void draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    int hist = b.h >= 30 ? 12 : b.h >= 20 ? 8 : 0, used;

    if (!c->thr.data.have) {
        ft_title(c, cv, b.y, b.x, b.w, "threshold", "");
        ft_loaded_draw(c, &c->thr.data, cv, (struct ft_box){b.y + 1, 0, b.h - 1, b.w});
        return;
    }
    if (ft_compact(cv))
        hist = 0;
    if (hist)
        draw_bins(c, cv, (struct ft_box){b.y, 0, hist, b.w});
    used = draw_table(c, cv, (struct ft_box){b.y + hist, 0, b.h - hist, b.w});
    if (b.h - hist - used >= 2)
        draw_lost(c, cv, (struct ft_box){b.y + hist + used, 0, b.h - hist - used, b.w});
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static void move(struct ft_con *c, double by)
{
    double x = c->thr.cursor + by;

    x = round(x * 200) / 200; /* steps of 0.005 */
    c->thr.cursor = x < 0 ? 0 : x > 1 ? 1 : x;
    c->thr.cursor_set = true;
    c->thr.at = 0;
}

static void typed(struct ft_con *c, const char *text)
{
    char *end;
    double x = strtod(text, &end);

    if (!*text)
        return;
    if (*end || !(x >= 0 && x <= 1))
        ft_say_error(c, "\"%s\" is no threshold between 0 and 1.", text);
    else
        c->thr.cursor = x, c->thr.cursor_set = true;
}

static void applied(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    double sample = ft_js_number(json, "sample");
    char thr[FT_THRESHOLD_TEXT], before[FT_THRESHOLD_TEXT];

    if (!a->ok)
        ft_say_error(c, "Not applied: %s", a->error);
    else if (!isnan(sample) && sample <= 0)
        ft_say(c, "No random sample from below the threshold is reviewed from now on.");
    else if (!isnan(sample))
        ft_say(c, "One of %.0f below the threshold is reviewed from now on; filter sampled=yes.",
               1 / fmax(1e-9, sample));
    else
        ft_say(c, "Threshold %s is in force, before it %s; past rows stay. The Log has it.",
               ft_show_threshold(ft_js_number(json, "threshold"), thr),
               ft_show_threshold(c->thr.before, before));
    enter(c);
}

static void send_apply(struct ft_con *c, const char *member, double value, const char *note)
{
    struct ft_buf b;

    ft_buf_init(&b, 4096);
    ft_buf_fmt(&b, "{\"%s\":", member);
    ft_buf_double(&b, value);
    ft_buf_text(&b, ",\"note\":");
    ft_buf_json(&b, ft_span_of(note));
    ft_buf_char(&b, '}');
    if (b.failed || !ft_con_ask(c, FT_ASK_APPLY, applied, b.p))
        ft_say_error(c, "Nothing can be applied here.");
    ft_buf_fini(&b);
}

static void apply_noted(struct ft_con *c, const char *text)
{
    send_apply(c, "threshold", c->thr.to_apply, text);
}

static void apply_answer(struct ft_con *c, const char *text)
{
    if (*text != 'y')
        return;
    ft_prompt_text(c, "apply: note (required; Enter applies, Esc cancels)", "", apply_noted);
    c->prompt.required = true;
}

static void apply(struct ft_con *c)
{
    const struct ft_thr_state *t = &c->thr;
    double hours = t->hours > 0 ? t->hours : 24;
    char label[160], now[FT_THRESHOLD_TEXT], then[FT_THRESHOLD_TEXT];

    if (ft_read_only(c)) {
        ft_say_error(c, "%s", ft_read_only(c));
        return;
    }
    if (fabs(t->cursor - c->live->threshold) < 1e-9) {
        ft_say(c, "The cursor is at the threshold in force; [ ] move it.");
        return;
    }
    c->thr.to_apply = t->cursor;
    c->thr.before = c->live->threshold; /* to be typed again by whoever takes it back */
    snprintf(c->prompt.above, sizeof(c->prompt.above),
             "threshold %s -> %s: reviews per hour %.0f -> %.0f",
             ft_show_threshold(c->live->threshold, now), ft_show_threshold(t->cursor, then),
             t->all[bin_above(c->live->threshold)] / hours, t->all[bin_above(t->cursor)] / hours);
    snprintf(label, sizeof(label), "Apply %s to everything scored from now on?   y yes   n no",
             then);
    ft_prompt_key(c, label, "yn", apply_answer);
}

/* Transactions a day that lie below the threshold, of which the sample is a share. */
static double below_a_day(const struct ft_thr_state *t, double threshold)
{
    double hours = t->hours > 0 ? t->hours : 24;

    return (t->all[0] - t->all[bin_above(threshold)]) / hours * 24;
}

static void sample_typed(struct ft_con *c, const char *text)
{
    double n, below = below_a_day(&c->thr, c->live->threshold);
    char *end, share[32];

    if (!*text)
        return;
    n = strtod(text, &end);
    if (*end || !(n >= 0)) {
        ft_say_error(c, "\"%s\" is no number of transactions a day.", text);
        return;
    }
    snprintf(share, sizeof(share), "%.4g",
             below > 0 ? fmin(1, n / below) : 0); /* as the Log has it */
    send_apply(c, "sample", strtod(share, NULL), "");
}

static void sample(struct ft_con *c)
{
    double below = below_a_day(&c->thr, c->live->threshold);
    char now[32], n[32], label[160];

    if (ft_read_only(c)) {
        ft_say_error(c, "%s", ft_read_only(c));
        return;
    }
    if (!(below > 0)) {
        ft_say(c,
               "Nothing was scored below the threshold yet: there is nothing to take a sample of.");
        return;
    }
    ft_fmt_count(n, sizeof(n), (uint64_t)below);
    ft_fmt_count(now, sizeof(now),
                 c->thr.sample > 0 ? (uint64_t)llround(c->thr.sample * below) : 0);
    snprintf(label, sizeof(label),
             "random sample from below: how many of %s a day? (now %s; 0: none)", n, now);
    ft_prompt_text(c, label, "", sample_typed);
}

static void open_known(struct ft_con *c)
{
    struct ft_uuid id;

    if (ft_uuid_parse(&id, ft_span_of(ft_js_text(between(c, c->thr.at), "transaction_id"))))
        ft_case_open(c, &id, NULL);
    else
        ft_say(c,
               "Enter opens a fraud that lies between threshold and cursor; [ ] move the cursor.");
}

static bool act(struct ft_con *c, enum ft_act a)
{
    char text[24];

    switch (a) {
    case FT_ACT_THR_DOWN:
    case FT_ACT_LEFT:
        move(c, -0.005);
        return true;
    case FT_ACT_THR_UP:
    case FT_ACT_RIGHT:
        move(c, 0.005);
        return true;
    case FT_ACT_THR_DOWN_FAST:
        move(c, -0.05);
        return true;
    case FT_ACT_THR_UP_FAST:
        move(c, 0.05);
        return true;
    case FT_ACT_THR_TYPE:
        ft_prompt_text(c, "try which threshold, 0 to 1?", "", typed);
        return true;
    case FT_ACT_SAMPLE:
        sample(c);
        return true;
    case FT_ACT_APPLY:
        apply(c);
        return true;
    case FT_ACT_OPEN:
        open_known(c);
        return true;
    case FT_ACT_CLOSE:
        if (c->thr.cursor_set) {
            c->thr.cursor_set = false;
            c->thr.cursor = c->live->threshold;
            ft_say(c, "The cursor is back at %s; nothing was applied.",
                   ft_show_threshold(c->live->threshold, text));
            return true;
        }
        return false;
    default:
        return ft_scroll_act(a, 5, &c->thr.at);
    }
}

static bool can(const struct ft_con *c, enum ft_act a)
{
    if (a == FT_ACT_APPLY || a == FT_ACT_SAMPLE)
        return c->thr.data.have && !ft_read_only(c);
    if (a == FT_ACT_OPEN)
        return between(c, 0) != NULL;
    return true;
}

static const enum ft_act hints[] = {FT_ACT_THR_DOWN, FT_ACT_THR_UP,      FT_ACT_THR_TYPE,
                                    FT_ACT_APPLY,    FT_ACT_SAMPLE,      FT_ACT_OPEN,
                                    FT_ACT_EXPORT,   FT_ACT_SAVE_SCREEN, FT_N_ACTS};

const struct ft_view ft_view_threshold = {
    .letter = 'T',
    .title = "Threshold",
    .tip = "Tip: {cursor.down} and {cursor.up} only try a threshold; nothing changes before "
           "{threshold.apply}, a yes and a note",
    .hints = hints,
    .draw = draw,
    .act = act,
    .enter = enter,
    .tick = on_tick,
    .can = can};
