/* What is the same on every screen: the first two lines and the last. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

static const char *const screen_name[] = {"Live", "Queue", "Threshold", "Replay", "Health", "Log"};

/* ---- line 1 --------------------------------------------------------------------------------------- */

static int draw_tabs(const struct ft_con *c, struct ft_canvas *cv, int x)
{
    enum ft_place now = ft_con_screen(c);

    for (int i = 0; i < 6; i++) {
        char text[48];
        bool on = (int)now == i;

        if (i == 1 && !c->live->db_read && c->live->pg.state != FT_PART_NONE)
            snprintf(text, sizeof(text), "%d %s ?", i + 1, screen_name[i]);
        else if (i == 1 && c->live->pg.state != FT_PART_NONE)
            snprintf(text, sizeof(text), "%d %s %" PRIu64, i + 1, screen_name[i],
                     c->live->queue_open);
        else
            snprintf(text, sizeof(text), "%d %s", i + 1, screen_name[i]);
        ft_put(cv, 0, x, 1, FT_ROLE_STRONG, on ? "[" : " ");
        x += 1 + ft_put(cv, 0, x + 1, cv->cols, on ? FT_ROLE_STRONG : FT_ROLE_NORMAL, text);
        ft_put(cv, 0, x, 1, FT_ROLE_STRONG, on ? "]" : " ");
        x += 1;
    }
    return x;
}

/* The right end of line 1, most important last; what does not fit goes from the left, but never what is true of the
 * whole picture (DEMO, SCENE, read only). */
static void draw_who(const struct ft_con *c, struct ft_canvas *cv, int from)
{
    const struct ft_live *l = c->live;
    char clock[16], slow_clock[16];
    const char *mode = l->scene ? "SCENE" : l->demo ? "DEMO" : "";
    const char *read_only = ft_read_only(c) ? "read only" : "";
    struct {
        const char *text;
        bool must;
        enum ft_role role;
    } item[] = {
        {mode,                           true,  FT_ROLE_NOTICE},
        {read_only,                      true,  FT_ROLE_WARN  },
        {c->masked ? "" : "NAMES SHOWN", true,  FT_ROLE_MASKED},
        {l->user,                        false, FT_ROLE_NORMAL},
        {clock,                          false, FT_ROLE_NORMAL},
    };
    const size_t n = sizeof(item) / sizeof(*item);
    int room = cv->cols - from, need = 0;

    ft_show_clock(c, c->wall_ms, clock, sizeof(clock));
    if (c->slow) {
        memcpy(slow_clock, clock, sizeof(clock));
        slow_clock[5] = '\0';
        snprintf(clock, sizeof(clock), "%s", slow_clock);
    }
    for (size_t i = 0; i < n; i++)
        need += *item[i].text ? ft_text_width(ft_span_of(item[i].text)) + 2 : 0;
    for (size_t i = n - 2; need - 1 > room && i < n; i++) /* first the user, then the clock */
        if (*item[i].text) {
            need -= ft_text_width(ft_span_of(item[i].text)) + 2;
            item[i].text = "";
        }
    for (size_t i = 0, x = (size_t)(cv->cols - need + 2); i < n; i++)
        if (*item[i].text)
            x += 2 + (size_t)ft_put(cv, 0, (int)x, cv->cols, item[i].role, item[i].text);
}

/* ---- line 2 --------------------------------------------------------------------------------------- */

static int put_word(struct ft_canvas *cv, int y, int x, enum ft_role role, const char *text)
{
    if (x > 0)
        x += 2;
    return x + ft_put(cv, y, x, cv->cols - x, role, text);
}

/* A word of line 2.  What is worth least is left out first when the line is short; 0: never. */
struct word {
    char text[96];
    enum ft_role role, role_after; /* of the first part, and of what follows it */
    int first;                     /* characters of the first part */
    int worth;
};
struct words {
    struct word w[8];
    int n;
};

static struct word *add_word(struct words *l, int worth, enum ft_role role, const char *text)
{
    struct word *w = &l->w[l->n++];

    snprintf(w->text, sizeof(w->text), "%s", text);
    w->first = (int)strlen(w->text);
    w->role = w->role_after = role;
    w->worth = worth;
    return w;
}

static int words_width(const struct words *l)
{
    int sum = 0;

    for (int i = 0; i < l->n; i++)
        sum += (i ? 2 : 0) + ft_text_width(ft_span_of(l->w[i].text));
    return sum;
}

static void draw_words(struct words *l, struct ft_canvas *cv, int y)
{
    int x = 0;

    while (words_width(l) > cv->cols) {
        int least = -1;

        for (int i = 0; i < l->n; i++)
            if (l->w[i].worth && (least < 0 || l->w[i].worth < l->w[least].worth))
                least = i;
        if (least < 0)
            break;
        memmove(&l->w[least], &l->w[least + 1], (size_t)(--l->n - least) * sizeof(l->w[0]));
    }
    for (int i = 0; i < l->n; i++) {
        const struct word *w = &l->w[i];

        x = put_word(cv, y, x, w->role, w->text);
        ft_paint(cv, y, x - ft_text_width(ft_span_of(w->text + w->first)),
                 ft_text_width(ft_span_of(w->text + w->first)), w->role_after);
    }
}

static void add_part(const struct ft_con *c, struct words *l, const char *name, const char *big,
                     const struct ft_part *p)
{
    char text[64], age[24];
    struct word *w;

    switch (p->state) {
    case FT_PART_DOWN:
        ft_fmt_mmss(age, sizeof(age), c->now_ms - p->since_ms > 0 ? c->now_ms - p->since_ms : 0);
        snprintf(text, sizeof(text), "%s DOWN %s", big, age);
        add_word(l, 0, FT_ROLE_DOWN, text);
        return;
    case FT_PART_UP:
    case FT_PART_EMBEDDED:
        snprintf(text, sizeof(text), "%s %s", name, p->state == FT_PART_UP ? "UP" : "embedded");
        w = add_word(l, 0, FT_ROLE_NORMAL, text);
        w->first = (int)strlen(name) + 1;
        w->role_after = FT_ROLE_GOOD;
        return;
    case FT_PART_NONE:
        snprintf(text, sizeof(text), "%s none", name);
        break;
    default:
        snprintf(text, sizeof(text), "%s ...", name);
    }
    add_word(l, 0, FT_ROLE_MUTED, text);
}

static bool lag_moves(int64_t lag, double slope)
{
    return lag >= 20 && !isnan(slope) && fabs(slope) >= 1 + (double)lag * 0.002;
}

bool ft_lag_grows(int64_t lag, double slope)
{
    return slope > 0 && lag_moves(lag, slope);
}

/* "1,204 draining 00:08"; less than a second's work (per_s) is no reason to worry, even when it grows. */
static enum ft_role lag_text(int64_t lag, double slope, double per_s, char *out, size_t size)
{
    char n[32], more[32];

    if (lag < 0) {
        snprintf(out, size, "?");
        return FT_ROLE_MUTED;
    }
    if (lag < 100000)
        ft_fmt_count(n, sizeof(n), (uint64_t)lag);
    else
        ft_fmt_short(n, sizeof(n), (double)lag);
    if (!lag_moves(lag, slope)) {
        snprintf(out, size, "%s%s", n, isnan(slope) || lag < 20 ? "" : " steady");
        return FT_ROLE_NORMAL;
    }
    if (slope < 0) {
        ft_fmt_mmss(more, sizeof(more), (int64_t)((double)lag / -slope * 1000));
        snprintf(out, size, "%s draining %s", n, more);
        return FT_ROLE_NORMAL;
    }
    ft_fmt_short(more, sizeof(more), slope);
    snprintf(out, size, "%s growing %s/s", n, more);
    return (double)lag < per_s ? FT_ROLE_NORMAL : FT_ROLE_WARN;
}

void ft_lag_text(int64_t lag, double slope, double per_s, char *out, size_t size,
                 enum ft_role *role)
{
    *role = lag_text(lag, slope, per_s, out, size);
}

/* The last word: how far behind, or why nothing moves. */
static void add_lag(const struct ft_con *c, struct words *w, int cols)
{
    const struct ft_live *l = c->live;
    char text[96], lag[64];
    const char *stage = "at the scorer ";
    enum ft_role role;

    if (!c->frozen && c->now_ms - l->now_ms > 2 * c->refresh_ms + 1000) {
        ft_fmt_mmss(lag, sizeof(lag), c->now_ms - l->now_ms);
        snprintf(text, sizeof(text), "STALE %s", lag);
        add_word(w, 0, FT_ROLE_WARN, text);
        return;
    }
    if (l->replay.held || l->replay.paused) {
        add_word(w, 0, FT_ROLE_WARN, l->replay.held ? "replay HELD" : "replay PAUSED");
        return;
    }
    role = lag_text(l->lag_score, l->lag_score_slope, l->scored_per_s, lag, sizeof(lag));
    if (l->lag_sink > l->lag_score) {
        role = lag_text(l->lag_sink, l->lag_sink_slope, l->stored_per_s, lag, sizeof(lag));
        stage = "at the sink ";
    }
    snprintf(text, sizeof(text), "lag %s%s", cols < 100 || role != FT_ROLE_WARN ? "" : stage, lag);
    add_word(w, 0, role, text);
}

static void draw_state(const struct ft_con *c, struct ft_canvas *cv)
{
    const struct ft_live *l = c->live;
    struct words w = {.n = 0};
    char text[96], thr[FT_THRESHOLD_TEXT];

    if (!c->have_live || l->seq == 0) {
        put_word(cv, 1, 0, FT_ROLE_MUTED, "starting ...");
        return;
    }
    add_part(c, &w, "kafka", "KAFKA", &l->kafka);
    add_part(c, &w, "pg", "PG", &l->pg);
    if (l->model.state == FT_PART_DOWN)
        add_word(&w, 0, FT_ROLE_DOWN,
                 strncmp(l->model.error, "check", 5) == 0 ? "MODEL CHECK FAILED" : "NO MODEL");
    snprintf(text, sizeof(text), "score %d  sink %d", l->n_score, l->n_sink);
    if (!l->heard && l->kafka.state == FT_PART_DOWN)
        snprintf(text, sizeof(text), "score ?  sink ?");
    add_word(&w, 2, l->n_score == 0 || l->n_sink == 0 ? FT_ROLE_WARN : FT_ROLE_NORMAL, text);
    if (l->model.state != FT_PART_DOWN && l->model_name[0]) {
        if (cv->cols >= 100)
            snprintf(text, sizeof(text), "model %s", l->model_name);
        else
            snprintf(text, sizeof(text), "%.*s", (int)strcspn(l->model_name, " "), l->model_name);
        add_word(&w, 1, FT_ROLE_NORMAL, text);
    }
    snprintf(text, sizeof(text), "thr %s", ft_show_threshold(l->threshold, thr));
    add_word(&w, 3, FT_ROLE_NORMAL, text);
    add_lag(c, &w, cv->cols);
    draw_words(&w, cv, 1);
}

static const char *part_word(const struct ft_part *p)
{
    return p->state == FT_PART_DOWN                                 ? "DOWN"
           : p->state == FT_PART_NONE                               ? "none"
           : p->state == FT_PART_UP || p->state == FT_PART_EMBEDDED ? "UP"
                                                                    : "...";
}

static void draw_compact_head(const struct ft_con *c, struct ft_canvas *cv)
{
    const struct ft_live *l = c->live;
    char text[48];
    bool down;
    int x;

    x = ft_put(cv, 0, 0, cv->cols, FT_ROLE_STRONG,
               l->scene  ? "fraudtop SCENE "
               : l->demo ? "fraudtop DEMO "
                         : "fraudtop ");
    x += ft_put(cv, 0, x, cv->cols, FT_ROLE_STRONG, screen_name[ft_con_screen(c)]);
    if (l->model.state == FT_PART_DOWN)
        snprintf(text, sizeof(text), "NO MODEL");
    else
        snprintf(text, sizeof(text), "kafka %s  pg %s", part_word(&l->kafka), part_word(&l->pg));
    down = l->model.state == FT_PART_DOWN || l->kafka.state == FT_PART_DOWN ||
           l->pg.state == FT_PART_DOWN;
    if ((int)strlen(text) + x + 1 <= cv->cols)
        ft_put(cv, 0, cv->cols - (int)strlen(text), (int)strlen(text),
               down ? FT_ROLE_DOWN : FT_ROLE_GOOD, text);
}

static void draw_compact_state(const struct ft_con *c, struct ft_canvas *cv)
{
    const struct ft_live *l = c->live;
    bool sink = l->lag_sink > l->lag_score; /* the one that is further behind */
    char rate[16], lag[64], text[128], thr[FT_THRESHOLD_TEXT], *space;
    enum ft_role role;

    ft_fmt_rate(rate, sizeof(rate), l->scored_per_s);
    role =
        lag_text(sink ? l->lag_sink : l->lag_score, sink ? l->lag_sink_slope : l->lag_score_slope,
                 sink ? l->stored_per_s : l->scored_per_s, lag, sizeof(lag));
    space = strstr(lag, " draining");
    if (space)
        snprintf(space, sizeof(lag) - (size_t)(space - lag), " drain");
    snprintf(text, sizeof(text), "in %s/s  lag %s  thr %s%s", rate, lag,
             ft_show_threshold(l->threshold, thr),
             l->replay.held     ? "  HELD"
             : l->replay.paused ? "  PAUSED"
                                : "");
    ft_put(cv, 1, 0, cv->cols, role, text);
}

/* ---- the last line -------------------------------------------------------------------------------- */

static int hint_width(const struct ft_con *c, enum ft_act act)
{
    char key[16];

    return ft_text_width(ft_span_of(ft_keymap_name(&c->keymap, act, key, sizeof(key)))) + 1 +
           ft_text_width(ft_span_of(ft_actions[act].hint)) + 2;
}

static int put_hint(const struct ft_con *c, struct ft_canvas *cv, int y, int x, enum ft_act act,
                    const char *hint)
{
    char key[16];

    x += ft_put(cv, y, x, cv->cols - x, FT_ROLE_STRONG,
                ft_keymap_name(&c->keymap, act, key, sizeof(key)));
    return x + 1 + ft_put(cv, y, x + 1, cv->cols - x - 1, FT_ROLE_NORMAL, hint) + 2;
}

static void draw_hints(const struct ft_con *c, struct ft_canvas *cv)
{
    const struct ft_view *v = ft_views[ft_con_top(c)];
    int y = cv->rows - 1, x = 0, room;
    bool over = c->n_place > 1;
    bool screens = !over && ft_compact(cv); /* else the first line has them */
    enum ft_act tail[] = {over      ? FT_ACT_CLOSE
                          : screens ? FT_N_ACTS
                                    : FT_ACT_PALETTE,
                          FT_ACT_HELP, over ? FT_N_ACTS : FT_ACT_BACK};

    room = cv->cols + 2;
    if (screens) {
        x = ft_put(cv, y, 0, cv->cols, FT_ROLE_NORMAL, "1-6 screens") + 2;
        room -= x;
    }
    for (int i = 0; i < 3; i++)
        if (tail[i] < FT_N_ACTS)
            room -= hint_width(c, tail[i]);
    if (c->frozen) {
        room -= hint_width(c, FT_ACT_FREEZE);
        x = put_hint(c, cv, y, x, FT_ACT_FREEZE, "go on");
    }
    for (const enum ft_act *a = v->hints; a && *a < FT_N_ACTS; a++) {
        if ((c->frozen && *a == FT_ACT_FREEZE) || !ft_con_can(c, *a) || hint_width(c, *a) > room ||
            !c->keymap.key[*a][0])
            continue;
        room -= hint_width(c, *a);
        x = put_hint(c, cv, y, x, *a, ft_actions[*a].hint);
    }
    for (int i = 0; i < 3; i++)
        if (tail[i] < FT_N_ACTS)
            x = put_hint(c, cv, y, x, tail[i], ft_actions[tail[i]].hint);
}

void ft_frame_draw(struct ft_con *c, struct ft_canvas *cv)
{
    if (ft_compact(cv)) {
        draw_compact_head(c, cv);
        draw_compact_state(c, cv);
    } else {
        int x = cv->cols >= 120 ? ft_put(cv, 0, 0, 10, FT_ROLE_STRONG, "fraudtop") + 1 : 0;

        draw_who(c, cv, draw_tabs(c, cv, x));
        draw_state(c, cv);
    }
    if (c->message[0])
        ft_put(cv, cv->rows - 1, 0, cv->cols, c->message_error ? FT_ROLE_WARN : FT_ROLE_STRONG,
               c->message);
    else
        draw_hints(c, cv);
}

void ft_title(const struct ft_con *c, struct ft_canvas *cv, int y, int x, int w, const char *left,
              const char *right)
{
    char text[80], age[24], count[32];
    int n;

    ft_rule(cv, y, x, w, left, right);
    if (!c->frozen)
        return;
    ft_fmt_mmss(age, sizeof(age), c->frozen_age_ms);
    ft_fmt_count(count, sizeof(count), c->frozen_new);
    snprintf(text, sizeof(text), " FROZEN %s, %s new ", age, count);
    n = (int)strlen(text);
    if (n < w) /* begins at one place, whatever the count: then only digits change */
        ft_put(cv, y, x + (w > 28 ? (w - 28) / 2 : 0), n, FT_ROLE_NOTICE, text);
}
