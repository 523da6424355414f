/* Queue: what must I look at next? */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define LIMIT 1000
#define RELOAD_MS 2000     /* between two readings while it changes */
#define UNCHANGED_MS 10000 /* else */
#define STATS_MS 30000

/* The selected row is read as a whole: it is previewed below the list, or shown beside it. */
static void peek(struct ft_con *c)
{
    const struct ft_flagged *r = ft_list_selected(&c->queue);

    if (r && ft_con_top(c) == FT_PLACE_QUEUE && c->last_cols >= 80 && c->last_lines >= 24 &&
        c->newest->pg.state != FT_PART_DOWN && c->newest->pg.state != FT_PART_NONE)
        ft_case_peek(c, r);
}

static void answered(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    const cJSON *cases, *one;
    struct ft_flagged *row;
    size_t n = 0;

    if (!ft_loaded_take(c, &c->queue_data, a))
        return;
    cases = cJSON_GetObjectItemCaseSensitive(json, "cases");
    row = calloc((size_t)cJSON_GetArraySize(cases) + 1, sizeof(*row));
    if (!row)
        return;
    cJSON_ArrayForEach(one, cases) ft_js_case(one, &row[n++]);
    c->queue_total = ft_js_number(json, "total");
    if (ft_list_set(&c->queue, row, n, c->now_ms, c->wall_ms) && ft_con_top(c) == FT_PLACE_QUEUE &&
        !c->message[0]) /* how a decision went comes first */
        ft_say(c, "The selected row left the queue; the nearest one is selected.");
    c->queue.following = false; /* the row that somebody reads stays, whatever comes above it */
    free(row);
    peek(c);
}

/* Differs when a row came, went, was claimed or released, as far as counts tell. */
static uint64_t counts(const struct ft_live *l)
{
    const uint64_t n[] = {l->queue_open, l->queue_claimed, l->decided_today, l->db_flagged,
                          l->queue_over_limit};
    uint64_t h = 14695981039346656037u; /* FNV-1a by words */

    for (size_t i = 0; i < sizeof(n) / sizeof(*n); i++)
        h = (h ^ n[i]) * 1099511628211u;
    return h;
}

void ft_queue_reload(struct ft_con *c)
{
    const char *sort;
    struct ft_buf b;
    bool reverse;

    ft_list_order(&c->queue, &sort, &reverse);
    ft_buf_init(&b, 4096);
    ft_buf_text(&b, "{\"filter\":");
    ft_buf_json(&b, ft_span_of(c->queue.filter_text));
    ft_buf_fmt(&b, ",\"sort\":\"%s\",\"reverse\":%s,\"limit\":%d}", sort,
               reverse ? "true" : "false", LIMIT);
    if (!b.failed && ft_con_load(c, &c->queue_data, FT_ASK_QUEUE, answered, b.p))
        c->queue_seen = counts(c->newest);
    ft_buf_fini(&b);
}

static void stats_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->stats, a);
}

/* Only the wide layout has room for them. */
static void read_stats(struct ft_con *c)
{
    if (c->last_cols >= 120 && (!c->stats.asked_ms || c->now_ms - c->stats.asked_ms >= STATS_MS))
        ft_con_load(c, &c->stats, FT_ASK_STATS, stats_answer, NULL);
}

static void queue_enter(struct ft_con *c)
{
    size_t at;

    if (ft_filter_parse(&c->queue.filter, c->queue.filter_text, c->masked, &at, NULL) != FT_OK)
        c->queue.filter_text[0] = '\0';
    read_stats(c);
    ft_queue_reload(c);
}

static void queue_tick(struct ft_con *c)
{
    int64_t age = c->now_ms - c->queue_data.asked_ms;

    if (!c->frozen && age >= RELOAD_MS &&
        (age >= UNCHANGED_MS || c->queue_data.failed || counts(c->newest) != c->queue_seen))
        ft_queue_reload(c);
    if (!c->frozen)
        read_stats(c);
    peek(c);
}

/* How long the decided ones waited: an average alone would hide the slow ones. */
static void draw_waited(const struct ft_con *c, struct ft_canvas *cv, int y, int x, int w)
{
    const cJSON *waited = cJSON_GetObjectItemCaseSensitive(c->stats.json, "waiting_s");
    double n = ft_js_number(waited, "n");
    char median[24], p95[24];

    if (!(n >= 1)) {
        ft_put(cv, y, x + 1, w - 1, FT_ROLE_MUTED,
               n < 1 ? "waited: none was decided yet" : "waited: ...");
        return;
    }
    ft_fmt_age(median, sizeof(median), (int64_t)(ft_js_number(waited, "median") * 1000));
    ft_fmt_age(p95, sizeof(p95), (int64_t)(ft_js_number(waited, "p95") * 1000));
    ft_putf(cv, y, x + 1, w - 1, FT_ROLE_NORMAL, "waited: median %s   p95 %s   (%.0f decided)",
            median, p95, n);
}

/* One line; where it is narrow three. */
static void draw_counts(const struct ft_con *c, struct ft_canvas *cv, int y, int x, int w)
{
    const struct ft_live *l = c->live;
    char open[32], claimed[32], over[32], today[32], age[24];

    if (!l->db_read) {
        ft_put(cv, y, x + 1, w - 1, FT_ROLE_MUTED,
               "how many wait is not known: nothing was read yet");
        return;
    }
    ft_fmt_count(open, sizeof(open), l->queue_open);
    ft_fmt_count(claimed, sizeof(claimed), l->queue_claimed);
    ft_fmt_count(over, sizeof(over), l->queue_over_limit);
    ft_fmt_count(today, sizeof(today), l->decided_today);
    ft_show_waiting(l->queue_oldest_ms, age, sizeof(age));
    ft_putf(cv, y, x + 1, w - 1, l->queue_over_limit ? FT_ROLE_WARN : FT_ROLE_NORMAL,
            "open %s   claimed %s   over limit: %s   oldest %s", open, claimed, over,
            l->queue_oldest_ms < 0 ? "-" : age);
    if (w < 76) {
        ft_putf(cv, y + 1, x + 1, w - 1, FT_ROLE_NORMAL,
                "decided today %s: fraud %" PRIu64 ", legitimate %" PRIu64 ", escalated %" PRIu64,
                today, l->decided_fraud, l->decided_legitimate, l->decided_escalated);
        draw_waited(c, cv, y + 2, x, w);
    } else {
        char text[64];

        snprintf(text, sizeof(text), "decided today %s", today);
        ft_put_right(cv, y, x + w - 24, 24, FT_ROLE_NORMAL, text);
    }
}

static void draw_none(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    char key[16];

    if (c->queue.filter.n)
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "No row matches \"%s\". Esc clears the filter (%" PRIu64 " without it)",
                c->queue.filter_text, c->live->queue_open);
    else
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                "Nothing waits for review: every flagged transaction is decided. %s Live",
                ft_keymap_name(&c->keymap, FT_ACT_LIVE, key, sizeof(key)));
}

/* What was flagged under a lower threshold waits as well: then the title names none. */
static bool all_above(const struct ft_list *l, double threshold)
{
    for (size_t i = 0; i < l->n; i++)
        if (!(l->row[i].score > threshold))
            return false;
    return true;
}

static void title_text(const struct ft_con *c, char *out, size_t size)
{
    char thr[FT_THRESHOLD_TEXT];

    if (c->queue.filter.n)
        snprintf(out, size, "review queue: %s", c->queue.filter_text);
    else if (all_above(&c->queue, c->live->threshold))
        snprintf(out, size, "review queue: open, score > %s",
                 ft_show_threshold(c->live->threshold, thr));
    else
        snprintf(out, size, "review queue: open");
}

static void draw_head(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    char left[300], sort[60], age[40];

    title_text(c, left, sizeof(left));
    snprintf(sort, sizeof(sort), "sort: %s%s", ft_sort_name[c->queue.sort],
             c->queue.reverse ? ", reversed" : "");
    ft_title(c, cv, b.y, b.x, b.w, left, ft_loaded_age(c, &c->queue_data, age, sizeof(age), sort));
}

static void draw_body(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    if (c->newest->pg.state == FT_PART_NONE) {
        ft_put(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
               "There is no database: start with -d, or look at the demo (fraudtop demo).");
        return;
    }
    if (!ft_loaded_draw(c, &c->queue_data, cv, b))
        return;
    if (c->queue.n_view == 0)
        draw_none(c, cv, b);
    else
        ft_list_draw(c, cv, b, &c->queue, &c->queue_cols);
}

/* ---- the row that is selected, below the list ----------------------------------------------------- */

static void draw_preview(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_flagged *r = ft_list_selected(&c->queue);
    bool read = r && c->cs.data.have && ft_uuid_cmp(&c->cs.id, &r->id) == 0;
    char id[FT_SHORT_ID], right[20] = "", arrived[24], amount[40], who[120], dist[32] = "",
                          usual[96] = "", why[300], before[200] = "";
    int used;

    if (r)
        snprintf(right, sizeof(right), "tx %s", ft_show_id(&r->id, id));
    ft_title(c, cv, b.y, b.x, b.w, "preview", right);
    if (!r || b.h < 5)
        return;
    snprintf(why, sizeof(why), "%s", *r->why ? r->why : "?");
    if (read) {
        ft_case_why_line(c, why, sizeof(why));
        ft_case_usual_line(c, usual, sizeof(usual));
        ft_case_before_line(c, before, sizeof(before));
    }
    ft_show_clock(c, r->arrived_ms, arrived, sizeof(arrived));
    ft_fmt_amount(amount, sizeof(amount), ft_span_of(r->amount));
    ft_show_customer(c, r->name_1, r->name_2, who, sizeof(who));
    if (!isnan(r->distance_km))
        snprintf(dist, sizeof(dist), "   %.0f km from home", r->distance_km);
    ft_putf(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
            isnan(r->threshold) ? "event %s   arrived %s   score %.3f   not by a scorer of ours"
                                : "event %s   arrived %s   score %.3f   threshold %.3f",
            *r->event ? r->event : "?", arrived, r->score, r->threshold);
    used = ft_put(cv, b.y + 2, b.x + 1, b.w - 1, FT_ROLE_MASKED, who);
    ft_putf(cv, b.y + 2, b.x + 1 + used, b.w - 1 - used, FT_ROLE_NORMAL, "   %s %s%s%s", r->city,
            r->state, *usual ? "   " : dist, usual);
    ft_putf(cv, b.y + 3, b.x + 1, b.w - 1, FT_ROLE_NORMAL, "%s   %s   this %s%s",
            ft_show_merchant(c, r->merchant), r->category, amount, *usual ? dist : "");
    ft_putf(cv, b.y + 4, b.x + 1, b.w - 1, FT_ROLE_NORMAL, "why  %s", why);
    if (b.h > 5)
        ft_putf(cv, b.y + 5, b.x + 1, b.w - 1, FT_ROLE_MUTED, "before  %s",
                *before ? before
                : read  ? "nothing is known"
                        : "...");
}

static void draw_foot(const struct ft_con *c, struct ft_canvas *cv, int y, int x, int w)
{
    char total[80] = "";

    if (c->queue_total > (double)c->queue.n)
        snprintf(total, sizeof(total), "   first %zu of %.0f", c->queue.n, c->queue_total);
    ft_putf(cv, y, x + 1, w - 1, c->queue.n_mark ? FT_ROLE_STRONG : FT_ROLE_MUTED,
            "%zu marked   filter %s%s", c->queue.n_mark,
            c->queue.filter.n ? c->queue.filter_text : "off", total);
}

static void queue_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    if (ft_compact(cv)) {
        draw_head(c, cv, b);
        draw_body(c, cv, (struct ft_box){b.y + 1, 0, b.h - 1, b.w});
        return;
    }
    if (cv->cols >= 120) { /* side by side: the preview is the case itself */
        int w = b.w * 64 / 140;
        const struct ft_flagged *r = ft_list_selected(&c->queue);

        draw_counts(c, cv, b.y, 0, w);
        draw_head(c, cv, (struct ft_box){b.y + 3, 0, 1, w});
        draw_body(c, cv, (struct ft_box){b.y + 4, 0, b.h - 5, w});
        draw_foot(c, cv, b.y + b.h - 1, 0, w);
        if (ft_con_top(c) == FT_PLACE_CASE || /* what the keys are about */
            (r && ft_uuid_cmp(&r->id, &c->cs.id) == 0 && c->cs.opened))
            ft_case_draw(c, cv, (struct ft_box){b.y, w + 1, b.h, b.w - w - 1});
        else if (r)
            draw_preview(c, cv, (struct ft_box){b.y, w + 1, b.h, b.w - w - 1});
        return;
    }
    draw_counts(c, cv, b.y + 1, 0, b.w);
    draw_head(c, cv, b);
    draw_body(c, cv, (struct ft_box){b.y + 2, 0, b.h - 9, b.w});
    draw_preview(c, cv, (struct ft_box){b.y + b.h - 7, 0, 6, b.w});
    draw_foot(c, cv, b.y + b.h - 1, 0, b.w);
}

static bool queue_act(struct ft_con *c, enum ft_act act)
{
    /* beside each other: the next pane is the case */
    if (act == FT_ACT_NEXT_PANE && c->last_cols >= 120)
        act = FT_ACT_OPEN;
    if (!ft_list_act(c, &c->queue, act))
        return false;
    peek(c);
    return true;
}

static const enum ft_act hints[] = {FT_ACT_OPEN,    FT_ACT_DECIDE, FT_ACT_CLAIM,  FT_ACT_NEXT_FREE,
                                    FT_ACT_MARK,    FT_ACT_SORT,   FT_ACT_FILTER, FT_ACT_EXPORT,
                                    FT_ACT_UNMARK,  FT_ACT_UNDO,   FT_ACT_SEARCH, FT_ACT_COPY_ID,
                                    FT_ACT_COLUMNS, FT_N_ACTS};

const struct ft_view ft_view_queue = {
    .letter = 'Q',
    .title = "Queue",
    .tip = "Tip: most at risk comes first; {case.decide} decides, {case.undo} takes it back, "
           "{case.next} claims the next one",
    .hints = hints,
    .draw = queue_draw,
    .act = queue_act,
    .enter = queue_enter,
    .tick = queue_tick,
    .can = ft_review_can,
};
