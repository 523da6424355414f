/* Live: is it flowing, and what is being flagged? */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

static const char *const window_name[FT_N_WINDOWS] = {"last 100", "last 1,000", "last 5 min",
                                                      "this run", "this hour",  "24 hours"};

/* Texts of a number, made where they are used: at most so many in one line. */
struct texts {
    char t[8][32];
};

static const char *count(char *out, uint64_t n)
{
    ft_fmt_count(out, 32, n);
    return out;
}

static const char *rate(char *out, double v)
{
    ft_fmt_rate(out, 32, v);
    return out;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : (double)NAN;
}

static const char *share(char *out, double v, int decimals, const char *unit)
{
    if (isnan(v))
        snprintf(out, 32, "-");
    else
        snprintf(out, 32, "%.*f%s", decimals, v, unit);
    return out;
}

/* ---- rates ---------------------------------------------------------------------------------------- */

static void draw_flow(const struct ft_con *c, struct ft_canvas *cv, int y, int w)
{
    const struct ft_live *l = c->live;
    struct texts t;

    ft_putf(cv, y, 1, w - 1, FT_ROLE_NORMAL,
            "tx/s  replayed %-7s scored %-7s stored %-7s flagged %s",
            rate(t.t[0], l->replayed_per_s), rate(t.t[1], l->scored_per_s),
            rate(t.t[2], l->stored_per_s), rate(t.t[3], l->flagged_per_s));
    if (l->rejected + l->dead) {
        char text[64];

        snprintf(text, sizeof(text), "rejected %s", count(t.t[4], l->rejected + l->dead));
        ft_put_right(cv, y, w - 16, 16, FT_ROLE_WARN, text);
    }
}

/* "1,204 draining": how long is said in line 2 and in the wide layout. */
static void without_time(char *text, int w)
{
    char *word = strpbrk(text, "dg"); /* draining, growing */
    char *end = word ? strchr(word, ' ') : NULL;

    if (w < 100 && end)
        *end = '\0';
}

static void draw_lag(const struct ft_con *c, struct ft_canvas *cv, int y, int w)
{
    const struct ft_live *l = c->live;
    char score[64], sink[64], text[96], p50[24], p99[24];
    enum ft_role role;
    int x = w < 100 ? 30 : 40;

    ft_put(cv, y, 1, 12, FT_ROLE_NORMAL, "lag   score");
    ft_lag_text(l->lag_score, l->lag_score_slope, l->scored_per_s, score, sizeof(score), &role);
    without_time(score, w);
    ft_put(cv, y, 13, x - 14, role, score);
    ft_put(cv, y, x, 5, FT_ROLE_NORMAL, "sink");
    ft_lag_text(l->lag_sink, l->lag_sink_slope, l->stored_per_s, sink, sizeof(sink), &role);
    without_time(sink, w);
    ft_put(cv, y, x + 5, 17, role, sink);
    ft_fmt_ms(p50, sizeof(p50), l->p50_ms);
    ft_fmt_ms(p99, sizeof(p99), l->p99_ms);
    snprintf(text, sizeof(text), w < 100 ? "store p50 %s p99 %s" : "to store p50 %s p99 %s", p50,
             p99);
    ft_put_right(cv, y, x + 22, w - x - 22, FT_ROLE_NORMAL, text);
}

static void draw_labels(const struct ft_con *c, struct ft_canvas *cv, int y, int w)
{
    const struct ft_live *l = c->live;
    struct texts t;
    char text[200];

    ft_fmt_money(t.t[3], 32, l->money_flagged);
    ft_fmt_money(t.t[4], 32, l->money_missed);
    snprintf(text, sizeof(text), "label precision %s recall %s FPR %s money flagged %s missed %s",
             share(t.t[0], ratio(l->tp, l->tp + l->fp), 2, ""),
             share(t.t[1], ratio(l->tp, l->tp + l->fn), 2, ""),
             share(t.t[2], 100 * ratio(l->fp, l->fp + l->tn),
                   ratio(l->fp, l->fp + l->tn) < 0.01 ? 3 : 2, " %"),
             t.t[3], t.t[4]);
    ft_put(cv, y, 1, w - 1, FT_ROLE_NORMAL, text);
}

/* A number of two figures, easy to read, not below v. */
static double nice_ceiling(double v)
{
    static const double steps[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
    double p = 1;

    while (p * 10 < v)
        p *= 10;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (steps[i] * p >= v)
            return steps[i] * p;
    return 10 * p;
}

/* At most three figures: "133k", "37.5". */
static void chart_label(double v, char *out, size_t size)
{
    if (v >= 999500)
        snprintf(out, size, "%.3gM", v / 1e6);
    else if (v >= 999.5)
        snprintf(out, size, "%.3gk", v / 1e3);
    else
        snprintf(out, size, "%.3g", v);
}

/* So that each of the rows stands for a number that is easy to read. */
static double chart_top(const struct ft_live *l, int points, int rows, double *peak)
{
    *peak = 0;
    for (int i = 0; i < points && (size_t)i < l->n_rate; i++) {
        double v = l->rate[l->n_rate - 1 - (size_t)i];

        if (v > *peak)
            *peak = v;
    }
    return rows * nice_ceiling((*peak > 10 ? *peak * 1.02 : 10) / rows);
}

/*
 * The mean of the i-th newest stretch of so many seconds; NaN: none.  Stretches begin at whole multiples of their length on
 * the clock, so that the chart moves by a column only when one is over: between, only its newest column changes.
 */
static double stretch(const struct ft_live *l, int i, int seconds)
{
    int newest = (int)(l->now_ms / 1000 % seconds) + 1, from = i ? newest + (i - 1) * seconds : 0,
        to = newest + i * seconds, n = 0;
    double sum = 0;

    for (int k = from; k < to && (size_t)k < l->n_rate; k++)
        if (!isnan(l->rate[l->n_rate - 1 - (size_t)k])) {
            sum += l->rate[l->n_rate - 1 - (size_t)k];
            n++;
        }
    return n ? sum / n : (double)NAN;
}

/* Newest at the right, the scale at the left; a column for so many seconds. */
static void draw_chart(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int seconds)
{
    const struct ft_live *l = c->live;
    int w = b.w - 7;
    double peak, top = chart_top(l, w * seconds, b.h, &peak);
    char label[24];

    for (int r = 0; r < b.h; r++) {
        chart_label(top * (b.h - r) / b.h, label, sizeof(label));
        if (b.h < 5 || r % 2 == 0)
            ft_put_right(cv, b.y + r, b.x, 6, FT_ROLE_MUTED, label);
    }
    if (c->slow) {
        ft_put(cv, b.y, b.x + 7, w, FT_ROLE_MUTED, "no chart while :slow");
        return;
    }
    for (int i = 0; i < w; i++) {
        double v = stretch(l, i, seconds);
        int level = v > 0 ? (int)ceil(v / top * 8 * b.h) : 0, x = b.x + b.w - 1 - i;

        if (b.h == 1)
            ft_put_char(cv, b.y, x, FT_ROLE_GRAPH, ft_level_char(cv, level));
        else
            ft_vbar(cv, b.y + b.h - 1, x, b.h, FT_ROLE_GRAPH, level);
    }
}

/* ---- scores --------------------------------------------------------------------------------------- */

/* The base of the log scale: the smallest that shows max in h rows. */
static double log_base(double max, int h)
{
    static const double bases[] = {2, 3, 4, 5, 8, 10, 20, 30, 50, 100, 1000, 10000};
    size_t i = 0;

    while (i + 1 < sizeof(bases) / sizeof(*bases) && pow(bases[i], h) <= max)
        i++;
    return bases[i];
}

static int log_level(uint64_t n, double base)
{
    return n ? 1 + (int)floor(log((double)n) / log(base) * 8 + 1e-9) : 0;
}

/* Where the line of a threshold stands. */
static int mark_x(double v, int x0, int step)
{
    return x0 + (int)lround(v * 20 * step) - 1;
}

/* The line of v and its number lie over the w columns from x on. */
static bool covers(int x, int w, double v, int x0, int step)
{
    int at = v >= 0 && v <= 1 ? mark_x(v, x0, step) : -100;

    return at < x + w && at + 6 >= x;
}

/* 20 bins with the threshold between them; box.h includes the axis. */
void ft_histogram_draw(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b,
                       const uint64_t *bin, double now, double cursor)
{
    int step = (b.w - 12) / 20, h = b.h - 1, x0 = b.x + 9;
    uint64_t max = 1;
    double base;
    char label[32];

    (void)c;
    if (step < 2 || h < 1)
        return;
    for (int i = 0; i < 20; i++)
        max = bin[i] > max ? bin[i] : max;
    base = log_base((double)max, h);
    for (int r = 0; r < h; r++) {
        ft_fmt_short(label, sizeof(label), pow(base, h - 1 - r));
        ft_put_right(cv, b.y + r, b.x, 7, FT_ROLE_MUTED, label);
    }
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < step - 1; k++)
            ft_vbar(cv, b.y + h - 1, x0 + i * step + k, h,
                    (i + 0.5) / 20 > now ? FT_ROLE_FRAUD : FT_ROLE_GRAPH, log_level(bin[i], base));
    for (int tick = 0; tick <= 10; tick += 2) {
        int x = x0 + tick * 2 * step - (tick == 10 ? 3 : 0);

        if (!covers(x, 3, now, x0, step) && !covers(x, 3, cursor, x0, step))
            ft_putf(cv, b.y + h, x, 3, FT_ROLE_MUTED, "%.1f", tick / 10.0);
    }
    for (int which = 0; which < 2; which++) {
        double v = which ? cursor : now;
        bool trying = cursor >= 0;
        int x;

        if (!(v >= 0) || v > 1)
            continue;
        x = mark_x(v, x0, step);
        for (int r = 0; r <= h; r++)
            ft_put_char(cv, b.y + r, x, FT_ROLE_STRONG, trying && !which ? ':' : '|');
        if (which || !covers(x + 1, 5, cursor, x0, step))
            ft_putf(cv, b.y + h, x + 1, 5, FT_ROLE_STRONG, "%.3f", v);
    }
}

/* Before the database has answered nobody knows what it holds; NULL: it has. */
static const char *not_read(const struct ft_live *l)
{
    return l->flagged_read_ms               ? NULL
           : l->pg.state == FT_PART_UNKNOWN ? "reading..."
           : l->pg.state == FT_PART_DOWN    ? "Not known: PostgreSQL is down."
                                            : NULL;
}

static void draw_scores(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    uint64_t bin[20];
    char left[64], right[80], above[32], key[16], thr[FT_THRESHOLD_TEXT];

    snprintf(left, sizeof(left), "scores: %s, log scale", window_name[c->window]);
    snprintf(right, sizeof(right), "> %s: %s   %s window", ft_show_threshold(l->threshold, thr),
             count(above, l->above[c->window]),
             ft_keymap_name(&c->keymap, FT_ACT_WINDOW, key, sizeof(key)));
    ft_title(c, cv, b.y, b.x, b.w, left, right);
    ft_scores_fold(&l->window[c->window], bin, 20);
    if (l->window[c->window].count == 0)
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED,
               not_read(l) ? not_read(l) : "Nothing was scored yet.");
    else
        ft_histogram_draw(c, cv, (struct ft_box){b.y + 1, b.x, b.h - 1, b.w}, bin, l->threshold,
                          -1);
}

/* ---- the list ------------------------------------------------------------------------------------- */

static void list_state(const struct ft_con *c, char *out, size_t size)
{
    const struct ft_list *l = &c->flagged;
    int64_t age = c->now_ms - c->live->flagged_read_ms;
    char n[32], marked[40] = "";

    if (l->n_mark)
        snprintf(marked, sizeof(marked), "%zu marked   ", l->n_mark);
    if (c->live->pg.state == FT_PART_DOWN)
        snprintf(out, size, "%smemory only", marked);
    else if (!c->frozen && c->live->flagged_read_ms && age > 2 * c->refresh_ms + 3000)
        snprintf(out, size, "%sstale %d s", marked, (int)(age / 1000));
    else if (l->following)
        snprintf(out, size, "%s%s", marked, l->sort == FT_SORT_NEWEST ? "following" : "first row");
    else
        snprintf(out, size, "%s%s new", marked, count(n, l->unseen));
}

/* Counted by the processes that live, or what the database holds of those before them too. */
static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void draw_empty(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char n[32], key[16], thr[FT_THRESHOLD_TEXT];

    if (c->flagged.n)
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "No row matches \"%s\". Esc clears the filter (%zu without it)",
                c->flagged.filter_text, c->flagged.n);
    else if (l->model.state == FT_PART_DOWN)
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_DOWN, "NO MODEL: %s: %s", l->model.where,
                l->model.error);
    else if (not_read(l))
        ft_put(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_MUTED, not_read(l));
    else if (l->scored == 0 && l->db_stored == 0)
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "Nothing was scored yet. %s Replay starts a file, %s Health says what is missing.",
                ft_keymap_name(&c->keymap, FT_ACT_REPLAY, n, sizeof(n)),
                ft_keymap_name(&c->keymap, FT_ACT_HEALTH, key, sizeof(key)));
    else if (l->flagged > 0)
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "%s were flagged; none of them is in the database yet.", count(n, l->flagged));
    else
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "Nothing is flagged yet: 0 of %s scores rose above %s. %s Threshold",
                count(n, most(l->scored, l->db_stored)), ft_show_threshold(l->threshold, thr),
                ft_keymap_name(&c->keymap, FT_ACT_THRESHOLD, key, sizeof(key)));
}

static void draw_list(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char left[160], right[80], a[32], n[32];

    if (c->flagged.filter.n)
        snprintf(left, sizeof(left), "flagged: %s: %zu of %zu", c->flagged.filter_text,
                 c->flagged.n_view, c->flagged.n);
    else if (!l->db_read && !l->scored)
        snprintf(left, sizeof(left), "flagged");
    else
        snprintf(left, sizeof(left), "flagged, %s first: %s of %s",
                 c->flagged.sort == FT_SORT_NEWEST ? (c->flagged.reverse ? "oldest" : "newest")
                                                   : ft_sort_name[c->flagged.sort],
                 count(a, most(l->flagged, l->db_flagged)),
                 count(n, most(l->scored, l->db_stored)));
    list_state(c, right, sizeof(right));
    ft_title(c, cv, b.y, b.x, b.w, left, right);
    if (c->flagged.n_view == 0)
        draw_empty(c, cv, (struct ft_box){b.y + 1, b.x, b.h - 1, b.w});
    else
        ft_list_draw(c, cv, (struct ft_box){b.y + 1, b.x, b.h - 1, b.w}, &c->flagged,
                     &c->live_cols);
}

/* ---- layouts -------------------------------------------------------------------------------------- */

static void draw_compact(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char a[32], q[32], age[24];

    ft_fmt_age(age, sizeof(age), l->queue_oldest_ms);
    age[5] = '\0';
    if (l->db_read)
        ft_putf(cv, b.y, 0, b.w, FT_ROLE_NORMAL, "flagged %s   queue %s   oldest %s",
                count(a, most(l->flagged, l->db_flagged)), count(q, l->queue_open), age);
    else
        ft_putf(cv, b.y, 0, b.w, FT_ROLE_NORMAL, "flagged %s   queue ?", count(a, l->flagged));
    ft_title(c, cv, b.y + 1, 0, b.w, "", "");
    if (c->flagged.n_view == 0)
        draw_empty(c, cv, (struct ft_box){b.y + 2, 0, 1, b.w});
    else
        ft_list_draw(c, cv, (struct ft_box){b.y + 1, 0, b.h - 1, b.w}, &c->flagged, &c->live_cols);
    c->n_heading = 0;
    ft_blank(cv, b.y + 1, 0, b.w); /* the rule in the place of the headings */
    ft_title(c, cv, b.y + 1, 0, b.w, "", "");
}

static void draw_normal(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    int y = b.y, more = b.h - 21, hist = 3 + (more > 4 ? 2 : 0) + (more > 12 ? 2 : 0),
        chart = 1 + (more > 8 ? 2 : 0);

    draw_flow(c, cv, y++, b.w);
    draw_lag(c, cv, y++, b.w);
    if (c->live->has_labels)
        draw_labels(c, cv, y++, b.w);
    else
        chart++;
    draw_chart(c, cv, (struct ft_box){y, 0, chart, b.w}, 1);
    y += chart;
    draw_scores(c, cv, (struct ft_box){y, 0, hist + 2, b.w});
    y += hist + 2;
    draw_list(c, cv, (struct ft_box){y, 0, b.y + b.h - y, b.w});
}

static void draw_review(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char open[32], age[24], key[16], right[40];
    struct texts t;

    snprintf(right, sizeof(right), "%s Queue",
             ft_keymap_name(&c->keymap, FT_ACT_QUEUE, key, sizeof(key)));
    ft_title(c, cv, b.y, b.x, b.w, "review", right);
    if (l->pg.state == FT_PART_NONE) {
        ft_put(cv, b.y + 1, b.x + 1, b.w, FT_ROLE_MUTED, "no database: nothing can be reviewed");
        return;
    }
    if (!l->db_read) {
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED, "not known: nothing was read yet");
        return;
    }
    ft_fmt_age(age, sizeof(age), l->queue_oldest_ms);
    ft_putf(cv, b.y + 1, b.x + 1, b.w - 1, l->queue_over_limit ? FT_ROLE_WARN : FT_ROLE_NORMAL,
            "open %-5s claimed %-4s over limit: %s", count(open, l->queue_open),
            count(t.t[0], l->queue_claimed), count(t.t[1], l->queue_over_limit));
    ft_putf(cv, b.y + 2, b.x + 1, b.w - 1, FT_ROLE_NORMAL, "oldest %s   decided today %s", age,
            count(t.t[2], l->decided_today));
    ft_putf(cv, b.y + 3, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
            "fraud %s   legitimate %s   escalated %s", count(t.t[3], l->decided_fraud),
            count(t.t[4], l->decided_legitimate), count(t.t[5], l->decided_escalated));
}

/* Of the flagged rows that are held here, which is what the title says. */
static void draw_categories(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    struct {
        const char *name;
        int n;
    } top[32];
    int n_top = 0, other = 0, shown;
    char title[64];

    snprintf(title, sizeof(title), "flagged by category, last %zu", c->flagged.n);
    ft_title(c, cv, b.y, b.x, b.w, title, "");
    for (size_t i = 0; i < c->flagged.n; i++) {
        const char *name = c->flagged.row[i].category;
        int k = 0;

        while (k < n_top && strcmp(top[k].name, name) != 0)
            k++;
        if (k < n_top)
            top[k].n++;
        else if (n_top < 32)
            top[n_top].name = name, top[n_top++].n = 1;
        else
            other++;
    }
    for (int i = 1; i < n_top; i++) /* few: by insertion */
        for (int k = i; k > 0 && top[k].n > top[k - 1].n; k--) {
            const char *name = top[k].name;
            int n = top[k].n;

            top[k] = top[k - 1];
            top[k - 1].name = name;
            top[k - 1].n = n;
        }
    shown = n_top < b.h - 1 ? n_top : b.h - 2;
    for (int i = shown; i < n_top; i++)
        other += top[i].n;
    for (int i = 0; i <= shown; i++) {
        int n = i < shown ? top[i].n : other;

        if (n == 0)
            continue;
        ft_put(cv, b.y + 1 + i, b.x + 1, 15, FT_ROLE_NORMAL,
               i == shown     ? "other"
               : *top[i].name ? top[i].name
                              : "?");
        if (i < shown)
            ft_hbar(cv, b.y + 1 + i, b.x + 17, b.w - 24, FT_ROLE_GRAPH, (double)n / top[0].n);
        ft_putf(cv, b.y + 1 + i, b.x + b.w - 6, 6, FT_ROLE_NORMAL, "%5d", n);
    }
}

static double psi(const struct ft_scores *now, const struct ft_scores *before)
{
    uint64_t a[20], b[20];
    double sum = 0;

    ft_scores_fold(now, a, 20);
    ft_scores_fold(before, b, 20);
    for (int i = 0; i < 20; i++) {
        double p = ((double)a[i] + 0.5) / ((double)now->count + 10),
               q = ((double)b[i] + 0.5) / ((double)before->count + 10);

        sum += (p - q) * log(p / q);
    }
    return sum;
}

static void draw_model(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    struct texts t;
    /* An hour says more than minutes, once there is something older to hold it against. */
    bool long_ago = l->window[FT_WIN_HOUR].count >= 500 &&
                    l->window[FT_WIN_DAY].count > l->window[FT_WIN_HOUR].count;
    enum ft_score_window late = long_ago ? FT_WIN_HOUR : FT_WIN_5MIN,
                         all = long_ago ? FT_WIN_DAY : FT_WIN_RUN;
    const char *late_name = long_ago ? "1 h" : "5 min", *all_name = long_ago ? "24 h" : "run";
    const uint64_t recent = l->window[late].count;
    double now = ratio(l->above[late], recent),
           mean =
               long_ago ? ratio(l->above[all], l->window[all].count) : ratio(l->flagged, l->scored);
    char key[16];

    ft_title(c, cv, b.y, b.x, b.w, "model", l->model_name);
    if (b.h > 1 && recent >= 500 && l->window[all].count >= 500)
        ft_putf(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "score shift (PSI, %s to %s) %.2f  n %s", late_name, all_name,
                psi(&l->window[late], &l->window[all]),
                (ft_fmt_short(t.t[2], 32, (double)recent), t.t[2]));
    else if (b.h > 1)
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED, "score shift: too few scores to tell");
    if (b.h > 2)
        ft_putf(cv, b.y + 2, b.x + 1, b.w - 1, FT_ROLE_NORMAL, "flagged, %s  %s   %s  %s",
                late_name, share(t.t[0], 100 * now, 3, " %"), all_name,
                share(t.t[1], 100 * mean, 3, " %"));
    if (b.h > 3)
        ft_putf(cv, b.y + 3, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "replay %d   score %d   sink %d    %s Health", l->n_replay, l->n_score, l->n_sink,
                ft_keymap_name(&c->keymap, FT_ACT_HEALTH, key, sizeof(key)));
}

static void draw_wide(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    int right_w = 49, left_w = b.w - right_w - 1, y = b.y, top_h = b.h * 17 / 37;
    int chart = (top_h - 4) * 4 / 11, hist, seconds = (FT_RATE_POINTS + left_w - 8) / (left_w - 7);
    const struct ft_live *l = c->live;
    char peak_text[24], title[64];
    double peak;

    chart = chart < 3 ? 3 : chart;
    chart_top(l, FT_RATE_POINTS, 1, &peak);
    ft_fmt_short(peak_text, sizeof(peak_text), peak);
    snprintf(title, sizeof(title), "last 5 min, peak %s tx/s", peak_text);
    ft_title(c, cv, y, 0, left_w, "throughput", title);
    draw_flow(c, cv, y + 1, left_w);
    draw_lag(c, cv, y + 2, left_w);
    if (l->has_labels)
        draw_labels(c, cv, y + 3, left_w);
    y += 3 + (l->has_labels ? 1 : 0);
    draw_chart(c, cv, (struct ft_box){y, 0, chart, left_w}, seconds);
    y += chart;
    hist = b.y + top_h - y;
    draw_scores(c, cv, (struct ft_box){y, 0, hist, left_w});
    draw_review(c, cv, (struct ft_box){b.y, left_w + 1, 4, right_w});
    draw_categories(c, cv, (struct ft_box){b.y + 4, left_w + 1, top_h - 9, right_w});
    draw_model(c, cv, (struct ft_box){b.y + top_h - 5, left_w + 1, 4, right_w});
    y = b.y + top_h;
    draw_list(c, cv, (struct ft_box){y, 0, b.y + b.h - y, b.w});
}

static void live_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    if (ft_compact(cv))
        draw_compact(c, cv, b);
    else if (ft_wide(cv))
        draw_wide(c, cv, b);
    else
        draw_normal(c, cv, b);
}

static bool live_act(struct ft_con *c, enum ft_act act)
{
    if (act == FT_ACT_WINDOW) {
        c->window = (c->window + 1) % FT_N_WINDOWS;
        return true;
    }
    return ft_list_act(c, &c->flagged, act);
}

static const enum ft_act hints[] = {
    FT_ACT_OPEN,    FT_ACT_FIRST,       FT_ACT_DECIDE, FT_ACT_MARK, FT_ACT_SEARCH,
    FT_ACT_FILTER,  FT_ACT_FREEZE,      FT_ACT_WINDOW, FT_ACT_SORT, FT_ACT_EXPORT,
    FT_ACT_COLUMNS, FT_ACT_SAVE_SCREEN, FT_N_ACTS};

const struct ft_view ft_view_live = {.letter = 'L',
                                     .title = "Live",
                                     .tip = "Tip: {open} says why it was flagged, {queue} is what "
                                            "waits for review, {help} lists all keys",
                                     .hints = hints,
                                     .draw = live_draw,
                                     .act = live_act,
                                     .can = ft_review_can};
