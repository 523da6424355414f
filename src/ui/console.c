#include "console.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fraudtop/text.h"

static const int refresh_steps[] = {500, 1000, 2000, 5000, 10000};
#define ANSWER_MS 60000
#define FROZEN_STEP_MS 10000
#define N_STEPS (int)(sizeof(refresh_steps) / sizeof(*refresh_steps))

/* ---- life ----------------------------------------------------------------------------------------- */

static int utc_offset(void)
{
    time_t t = time(NULL);
    struct tm tm;

    return localtime_r(&t, &tm) ? (int)tm.tm_gmtoff : 0;
}

const char *const ft_graph_name[FT_N_GRAPHS] = {"auto", "block", "braille", "ascii"};

enum ft_graph ft_graph_find(const char *name)
{
    int i = 0;

    while (i < FT_N_GRAPHS && strcmp(name, ft_graph_name[i]) != 0)
        i++;
    return (enum ft_graph)i;
}

unsigned ft_bells_find(const char *list)
{
    return (strstr(list, "down") ? FT_BELL_DOWN : 0u) |
           (strstr(list, "overtime") ? FT_BELL_OVERTIME : 0u);
}

enum ft_status ft_con_new(struct ft_con **out, const struct ft_ui_opts *opts, struct ft_feed *feed,
                          struct ft_err *err)
{
    struct ft_con *c = calloc(1, sizeof(*c));
    enum ft_status st;

    *out = NULL;
    if (c) {
        c->live = calloc(1, sizeof(*c->live));
        c->newest = calloc(1, sizeof(*c->newest));
    }
    if (!c || !c->live || !c->newest) {
        ft_con_free(c);
        return ft_fail(err, FT_ENOMEM, "console: no memory");
    }
    c->opts = *opts;
    c->feed = feed;
    st = ft_keymap_init(&c->keymap, opts->keys, err);
    if (st != FT_OK) {
        ft_con_free(c);
        return st;
    }
    c->masked = opts->mask;
    c->slow = opts->slow;
    c->refresh_ms = opts->refresh_ms ? opts->refresh_ms : 1000;
    c->graph = opts->graph ? ft_graph_find(opts->graph) : FT_GRAPH_AUTO;
    c->bell_on = opts->bell ? ft_bells_find(opts->bell) : 0;
    c->stay_ms = opts->message_ms < 0 ? 0 : opts->message_ms ? opts->message_ms : 10000;
    c->theme = ft_theme_find(opts->theme);
    if (opts->colours) {
        st = ft_theme_own(&c->own, c->theme, opts->colours, err);
        if (st != FT_OK) {
            ft_con_free(c);
            return st;
        }
        c->theme = &c->own;
    }
    c->utc_offset_s = utc_offset();
    c->place[0] = (enum ft_place)(opts->first ? opts->first - FT_SCREEN_LIVE : FT_PLACE_LIVE);
    c->n_place = 1;
    c->queue_cols.queue = true;
    ft_list_init(&c->flagged, FT_SORT_NEWEST);
    ft_list_init(&c->queue, FT_SORT_RISK);
    c->flagged.masked = c->queue.masked = c->masked;
    c->last_rows = 10;
    ft_state_load(c);
    if (opts->state_file && c->starts <= FT_TIP_STARTS) {
        c->starts++;
        if (!opts->first_start) /* that one writes it when it is left */
            ft_state_save(c);
    }
    if (opts->first_start)
        ft_con_push(c, FT_PLACE_FIRST);
    if (ft_views[ft_con_screen(c)]->enter)
        ft_views[ft_con_screen(c)]->enter(c);
    *out = c;
    return FT_OK;
}

void ft_con_free(struct ft_con *c)
{
    if (!c)
        return;
    ft_list_fini(&c->flagged);
    ft_list_fini(&c->queue);
    ft_loaded_drop(&c->queue_data);
    ft_loaded_drop(&c->stats);
    ft_loaded_drop(&c->cs.data);
    ft_loaded_drop(&c->thr.data);
    ft_loaded_drop(&c->rp.files);
    ft_loaded_drop(&c->rp.rejects);
    ft_loaded_drop(&c->he.parts);
    ft_loaded_drop(&c->he.topics);
    ft_loaded_drop(&c->he.messages);
    ft_loaded_drop(&c->lg.data);
    free(c->rp.file);
    free(c->tx.text);
    free(c->decide.id);
    free(c->clipboard);
    free(c->live);
    free(c->newest);
    free(c);
}

const struct ft_theme *ft_con_theme(const struct ft_con *c, const char *name)
{
    return c->own.name && name && strcmp(name, c->own.name) == 0 ? &c->own : ft_theme_find(name);
}

/* ---- messages ------------------------------------------------------------------------------------- */

static void say(struct ft_con *c, bool error, const char *fmt, va_list args)
{
    vsnprintf(c->message, sizeof(c->message), fmt, args);
    c->message_error = error;
    c->message_ms = c->now_ms;
}

void ft_say(struct ft_con *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, false, fmt, args);
    va_end(args);
}

void ft_say_error(struct ft_con *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, true, fmt, args);
    va_end(args);
    if (c->opts.log)
        c->opts.log(c->opts.log_self, c->message);
}

/* News of the feed: also in the log, and never in the place of an error that nobody has seen yet. */
static void tell(struct ft_con *c, const char *text)
{
    if (!c->message_error || !c->message[0])
        ft_say(c, "%s", text);
    if (c->opts.log)
        c->opts.log(c->opts.log_self, text);
}

/* ---- time and data -------------------------------------------------------------------------------- */

/* Once for each event, and at most every 30 s: what comes earlier is rung for then. */
static void ring(struct ft_con *c)
{
    const struct ft_live *l = c->newest;
    bool down = l->kafka.state == FT_PART_DOWN || l->pg.state == FT_PART_DOWN,
         more = l->queue_over_limit > c->was_over_limit;

    if (c->have_live && ((down && !c->was_down && c->bell_on & FT_BELL_DOWN) ||
                         (more && c->bell_on & FT_BELL_OVERTIME)))
        c->bell_due = true;
    if (c->bell_due && (!c->bell_ms || c->now_ms - c->bell_ms > 30000)) {
        c->bell_due = false;
        c->bell = true;
        c->bell_ms = c->now_ms;
    }
    c->was_down = down;
    c->was_over_limit = l->queue_over_limit;
}

static void take_rows(struct ft_con *c)
{
    bool gone = ft_list_set(&c->flagged, c->newest->list, c->newest->n_list, c->now_ms, c->wall_ms);

    if (gone && ft_con_top(c) == FT_PLACE_LIVE)
        ft_say(c, "The selected row left the list; the nearest one is selected.");
}

/* What was never answered is given up, so that questions cannot pile up. */
static void expire(struct ft_con *c)
{
    for (size_t i = 0; i < c->n_pending;) {
        struct ft_pending p = c->pending[i];
        struct ft_answer a = {.ticket = p.ticket, .kind = p.kind};

        if (c->now_ms - p.since_ms < ANSWER_MS) {
            i++;
            continue;
        }
        c->pending[i] = c->pending[--c->n_pending];
        snprintf(a.error, sizeof(a.error), "no answer within %d s", ANSWER_MS / 1000);
        p.answered(c, &a, NULL);
    }
}

static void take_answers(struct ft_con *c)
{
    struct ft_answer a;

    while (c->feed->answer(c->feed->self, &a)) {
        struct ft_pending p = {0};

        for (size_t i = 0; i < c->n_pending; i++)
            if (c->pending[i].ticket == a.ticket) {
                p = c->pending[i];
                c->pending[i] = c->pending[--c->n_pending];
                break;
            }
        if (p.answered) {
            c->answer_json = a.json ? cJSON_Parse(a.json) : NULL;
            p.answered(c, &a, c->answer_json);
            cJSON_Delete(c->answer_json);
            c->answer_json = NULL;
        }
        free(a.json);
    }
}

static void age_frozen(struct ft_con *c)
{
    int64_t age = c->now_ms - c->frozen_ms, step = age < 10000 ? 5000 : FROZEN_STEP_MS;

    age = age / step * step;
    if (age == c->frozen_age_ms)
        return;
    c->frozen_age_ms = age;
    c->frozen_new = c->newest->flagged - c->frozen_flagged;
}

void ft_con_tick(struct ft_con *c, int64_t now_ms, int64_t wall_ms)
{
    enum ft_place top;

    c->feed->live(c->feed->self, c->newest);
    c->now_ms = c->newest->scene ? c->newest->now_ms : now_ms;
    c->wall_ms = c->newest->scene ? c->newest->wall_ms : wall_ms;
    if (!c->frozen) {
        *c->live = *c->newest;
        take_rows(c);
    }
    if (!c->have_live)
        c->message_ms = c->now_ms; /* of what was said before there was a clock */
    if (!c->have_live && c->newest->demo && ft_con_top(c) == FT_PLACE_FIRST)
        ft_con_pop(c); /* whoever starts the demo knows what he wants */
    if (!c->typed && c->n_place == 1 && c->place[0] == FT_PLACE_LIVE &&
        c->newest->kafka.state == FT_PART_DOWN && c->newest->pg.state == FT_PART_DOWN)
        ft_con_go(c, FT_PLACE_HEALTH); /* both are down, and nobody chose another screen yet */
    c->have_live = true;
    if (c->frozen)
        age_frozen(c);
    ring(c);
    if (c->newest->message_seq != c->message_seq) {
        c->message_seq = c->newest->message_seq;
        if (c->newest->message[0] && c->newest->message_error)
            ft_say_error(c, "%s", c->newest->message);
        else if (c->newest->message[0])
            tell(c, c->newest->message);
    }
    take_answers(c);
    expire(c);
    if (c->message[0] && !c->message_error && /* an error stays until it was seen */
        c->stay_ms && c->now_ms - c->message_ms >= c->stay_ms)
        c->message[0] = '\0';
    top = ft_con_screen(c);
    if (ft_views[top]->tick)
        ft_views[top]->tick(c);
    if (ft_con_top(c) != top && ft_views[ft_con_top(c)]->tick)
        ft_views[ft_con_top(c)]->tick(c);
}

/* ---- questions ------------------------------------------------------------------------------------ */

static uint32_t hash_of(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; text && *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

/* The answer to a question that was put anew with other arguments. */
static void too_late(struct ft_con *c, const struct ft_answer *a, const struct cJSON *json)
{
    (void)c;
    (void)a;
    (void)json;
}

bool ft_con_ask(struct ft_con *c, enum ft_ask_kind kind,
                void (*answered)(struct ft_con *, const struct ft_answer *, const struct cJSON *),
                const char *args)
{
    struct ft_ask ask = {kind, args};
    uint64_t ticket;

    if (c->n_pending == FT_MAX_PENDING) {
        ft_say_error(c, "Too many questions are waiting for an answer.");
        return false;
    }
    ticket = c->feed->ask(c->feed->self, &ask);
    if (ticket == 0)
        return false;
    c->pending[c->n_pending++] =
        (struct ft_pending){ticket, kind, hash_of(args), c->now_ms, answered};
    return true;
}

bool ft_con_load(struct ft_con *c, struct ft_loaded *l, enum ft_ask_kind kind,
                 void (*answered)(struct ft_con *, const struct ft_answer *, const struct cJSON *),
                 const char *args)
{
    for (size_t i = 0; i < c->n_pending; i++) {
        struct ft_pending *p = &c->pending[i];

        if (p->answered != answered || c->now_ms - p->since_ms >= 30000)
            continue;
        if (p->args == hash_of(args) || kind == FT_ASK_CASE) /* a case asks anew by itself */
            return false;
        p->answered = too_late;
    }
    if (ft_con_ask(c, kind, answered, args)) {
        l->asked = true;
        l->asked_ms = c->now_ms;
        return true;
    }
    if (!l->have) {
        l->failed = true;
        snprintf(l->error, sizeof(l->error), "This is not available here.");
    }
    return false;
}

bool ft_loaded_take(struct ft_con *c, struct ft_loaded *l, const struct ft_answer *a)
{
    l->asked = false;
    l->failed = !a->ok || !c->answer_json;
    if (l->failed) {
        snprintf(l->error, sizeof(l->error), "%s",
                 a->error[0] ? a->error : "The answer is not readable.");
        return false;
    }
    cJSON_Delete(l->json);
    l->json = c->answer_json;
    c->answer_json = NULL;
    l->have = true;
    l->at_ms = c->now_ms;
    return true;
}

void ft_loaded_drop(struct ft_loaded *l)
{
    cJSON_Delete(l->json);
    memset(l, 0, sizeof(*l));
}

const char *ft_loaded_age(const struct ft_con *c, const struct ft_loaded *l, char *out, size_t size,
                          const char *otherwise)
{
    if (!l->failed || !l->have)
        return otherwise;
    snprintf(out, size, "stale %d s", (int)((c->now_ms - l->at_ms) / 1000));
    return out;
}

static const char *still_works(const struct ft_con *c)
{
    bool kafka = c->newest->kafka.state == FT_PART_DOWN, pg = c->newest->pg.state == FT_PART_DOWN;

    return kafka && pg ? "Help, Options and Health still work."
           : kafka     ? "Queue, Case, Threshold and Log still work."
           : pg        ? "Live, Replay, Health and Help still work."
                       : "The other screens still work.";
}

bool ft_loaded_draw(const struct ft_con *c, const struct ft_loaded *l, struct ft_canvas *cv,
                    struct ft_box b)
{
    int64_t waited = c->now_ms - l->asked_ms;
    char age[24];
    int used = 0;

    if (l->have)
        return true;
    if (l->failed) {
        ft_put(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_WARN, "This could not be read:");
        if (b.h > 1)
            used = ft_put_lines(cv, b.y + 1, b.x + 1, b.w - 1, b.h > 5 ? 3 : 1, FT_ROLE_NORMAL,
                                l->error);
        if (b.h > 1 + used)
            ft_put(cv, b.y + 1 + used, b.x + 1, b.w - 1, FT_ROLE_MUTED, still_works(c));
        if (b.h > 2 + used)
            ft_put(cv, b.y + 2 + used, b.x + 1, b.w - 1, FT_ROLE_STRONG, "R try now");
    } else if (waited >= 2000) {
        ft_fmt_mmss(age, sizeof(age), waited);
        ft_putf(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_MUTED, "reading... %s", age);
    } else {
        ft_put(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_MUTED, "reading...");
    }
    return false;
}

/* ---- places --------------------------------------------------------------------------------------- */

enum ft_place ft_con_screen(const struct ft_con *c)
{
    return c->place[0];
}

enum ft_place ft_con_top(const struct ft_con *c)
{
    return c->place[c->n_place - 1];
}

static void entered(struct ft_con *c)
{
    enum ft_place p = ft_con_top(c);

    if (ft_views[p]->enter)
        ft_views[p]->enter(c);
}

void ft_con_go(struct ft_con *c, enum ft_place screen)
{
    while (c->n_place > 1)
        ft_con_pop(c);
    c->place[0] = screen;
    c->n_place = 1;
    entered(c);
}

void ft_con_push(struct ft_con *c, enum ft_place place)
{
    if (ft_con_top(c) == place)
        return;
    if (c->n_place == sizeof(c->place) / sizeof(*c->place))
        return;
    c->place[c->n_place++] = place;
    entered(c);
}

void ft_con_pop(struct ft_con *c)
{
    if (c->n_place < 2)
        return;
    if (ft_con_top(c) == FT_PLACE_FIRST)
        ft_state_save(c); /* not shown a second time */
    c->n_place--;
}

struct ft_list *ft_con_list(struct ft_con *c)
{
    enum ft_place p = ft_con_top(c) == FT_PLACE_CASE ? c->cs.from : ft_con_top(c);

    return p == FT_PLACE_LIVE ? &c->flagged : p == FT_PLACE_QUEUE ? &c->queue : NULL;
}

/* ---- actions that mean the same everywhere -------------------------------------------------------- */

static void quit_answer(struct ft_con *c, const char *text)
{
    if (*text == 'y')
        c->quit = true;
}

static void quit(struct ft_con *c)
{
    if (c->newest->replay.own)
        ft_prompt_key(c,
                      c->newest->replay.waiting
                          ? "Replays run and wait here. Quit and stop them?   y yes   n no"
                          : "A replay is running here. Quit and stop it?   y yes   n no",
                      "yn", quit_answer);
    else
        c->quit = true;
}

/* Esc: the topmost thing that can be closed; false on a bare screen. */
static bool close_one(struct ft_con *c)
{
    struct ft_list *l = ft_con_list(c);

    if (c->n_place > 1) {
        ft_con_pop(c);
        return true;
    }
    if (l && l->filter.n) {
        l->filter_text[0] = '\0';
        memset(&l->filter, 0, sizeof(l->filter));
        ft_list_rebuild(l, c->wall_ms);
        if (l == &c->queue)
            ft_queue_reload(c);
        ft_say(c, "Filter cleared.");
        return true;
    }
    if (l && l->search[0]) {
        l->search[0] = '\0';
        return true;
    }
    return false;
}

static void freeze(struct ft_con *c)
{
    c->frozen = !c->frozen;
    c->frozen_ms = c->now_ms;
    c->frozen_flagged = c->newest->flagged;
    c->frozen_age_ms = 0;
    c->frozen_new = 0;
    if (!c->frozen) {
        *c->live = *c->newest;
        take_rows(c);
        ft_say(c, "Going on.");
    }
}

static void change_refresh(struct ft_con *c, int by)
{
    int i = 0;

    while (i < N_STEPS - 1 && refresh_steps[i] < c->refresh_ms)
        i++;
    i += by;
    c->refresh_ms = refresh_steps[i < 0 ? 0 : i >= N_STEPS ? N_STEPS - 1 : i];
    ft_say(c, "A frame every %g s.", c->refresh_ms / 1000.0);
    ft_state_save(c);
}

static void toggle_mask(struct ft_con *c)
{
    if (c->masked && c->opts.record) {
        ft_say_error(c, "This session is recorded: names and streets stay masked.");
        return;
    }
    c->masked = !c->masked;
    c->flagged.masked = c->queue.masked = c->masked;
    if (c->masked) { /* what was filtered by names is not told on */
        struct ft_list *lists[] = {&c->flagged, &c->queue};
        struct ft_err err;
        size_t at;

        for (int i = 0; i < 2; i++)
            if (ft_filter_parse(&lists[i]->filter, lists[i]->filter_text, true, &at, &err) !=
                FT_OK) {
                lists[i]->filter_text[0] = '\0';
                ft_list_rebuild(lists[i], c->wall_ms);
            }
        ft_say(c, "Names and streets are masked.");
    } else {
        ft_say(c,
               "Names and streets are SHOWN until the console ends; m masks them. This is logged.");
    }
    if (c->opts.log)
        c->opts.log(c->opts.log_self, c->masked ? "names masked" : "names shown");
}

static void tried(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    if (!a->ok)
        ft_say_error(c, "%s", a->error);
}

static void refresh(struct ft_con *c)
{
    enum ft_place p = ft_con_top(c);

    if (c->newest->kafka.state == FT_PART_DOWN || c->newest->pg.state == FT_PART_DOWN)
        ft_con_ask(c, FT_ASK_RETRY, tried, NULL);
    if (ft_views[p]->enter)
        ft_views[p]->enter(c);
    ft_say(c, "Read again.");
}

static bool act_everywhere(struct ft_con *c, enum ft_act act)
{
    if (act >= FT_ACT_LIVE && act <= FT_ACT_LOG) {
        ft_con_go(c, (enum ft_place)(FT_PLACE_LIVE + (act - FT_ACT_LIVE)));
        return true;
    }
    switch (act) {
    case FT_ACT_HELP:
        c->hp.scroll = 0;
        ft_con_push(c, FT_PLACE_HELP);
        return true;
    case FT_ACT_CLOSE:
        if (!close_one(c))
            ft_say(c, "Nothing to close here. q quits.");
        return true;
    case FT_ACT_BACK:
        if (c->n_place > 1 || !c->n_place)
            ft_con_pop(c);
        else
            quit(c);
        return true;
    case FT_ACT_QUIT:
        quit(c);
        return true;
    case FT_ACT_FREEZE:
        freeze(c);
        return true;
    case FT_ACT_REFRESH:
        refresh(c);
        return true;
    case FT_ACT_FASTER:
        change_refresh(c, -1);
        return true;
    case FT_ACT_SLOWER:
        change_refresh(c, 1);
        return true;
    case FT_ACT_MASK:
        toggle_mask(c);
        return true;
    case FT_ACT_PALETTE:
        ft_palette_open(c);
        return true;
    case FT_ACT_OPTIONS:
        ft_con_push(c, FT_PLACE_OPTIONS);
        return true;
    case FT_ACT_SUSPEND:
        c->suspend = true;
        return true;
    case FT_ACT_REDRAW:
        c->redraw = true;
        return true;
    case FT_ACT_SAVE_SCREEN:
        ft_save_screen(c);
        return true;
    case FT_ACT_EXPORT:
        ft_export(c);
        return true;
    default:
        return false;
    }
}

void ft_con_act(struct ft_con *c, enum ft_act act)
{
    const struct ft_view *v = ft_views[ft_con_top(c)];

    if (v->act && v->act(c, act))
        return;
    if (act_everywhere(c, act))
        return;
    if (ft_action_applies(act, v->letter ? v->letter : '?'))
        ft_say(c, "Nothing to do for \"%s\" here.", ft_actions[act].name);
}

bool ft_con_can(const struct ft_con *c, enum ft_act act)
{
    const struct ft_view *v = ft_views[ft_con_top(c)];

    return !v->can || v->can(c, act);
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static const char *where_name(enum ft_act act)
{
    switch (ft_actions[act].where[0]) {
    case 'L':
    case 'C':
        return "a transaction";
    case 'Q':
        return "the Queue";
    case 'T':
        return "Threshold";
    case 'R':
        return "Replay";
    case 'H':
        return "Health";
    default:
        return "Log";
    }
}

static void no_such_key(struct ft_con *c, uint32_t code)
{
    char name[16];
    const char *key = ft_key_name(code, name, sizeof(name));
    enum ft_act elsewhere = ft_keymap_elsewhere(&c->keymap, code);

    if (elsewhere < FT_N_ACTS)
        ft_say(c, "Not here: %s works on %s.", key, where_name(elsewhere));
    else
        ft_say(c, "%s means nothing here. ? shows the keys.", key);
}

static void click(struct ft_con *c, const struct ft_key *key)
{
    struct ft_list *l = ft_con_list(c);

    if (!l || ft_con_top(c) == FT_PLACE_CASE || !c->list_h)
        return;
    for (size_t i = 0; key->y == c->list_y - 1 && i < c->n_heading; i++)
        if (key->x >= c->heading[i].x && key->x < c->heading[i].x + c->heading[i].w)
            ft_list_sort_by(c, l, c->heading[i].col);
    if (key->y >= c->list_y && key->y < c->list_y + c->list_h &&
        l->top + (size_t)(key->y - c->list_y) < l->n_view)
        ft_list_move(l, (long)(l->top + (size_t)(key->y - c->list_y)) - (long)l->at, c->now_ms);
}

static void take_key(struct ft_con *c, const struct ft_key *key)
{
    const struct ft_view *v = ft_views[ft_con_top(c)];
    enum ft_act act;
    uint32_t code = key->code;

    if (code == 0 || code == FT_KEY_RESIZE)
        return;
    if (code == FT_KEY_PASTE_BEGIN || code == FT_KEY_PASTE_END) {
        c->pasting = code == FT_KEY_PASTE_BEGIN;
        return;
    }
    if (c->pasting && (!c->prompt.active || c->prompt.one_key || code < ' '))
        return; /* pasted text is never taken for commands */
    c->message[0] = '\0';
    c->typed = true;
    if (c->prompt.active) {
        ft_prompt_input(c, code);
        return;
    }
    if (code == FT_KEY_CLICK) {
        click(c, key);
        return;
    }
    if (code == FT_KEY_WHEEL_UP || code == FT_KEY_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            ft_con_act(c, code == FT_KEY_WHEEL_UP ? FT_ACT_UP : FT_ACT_DOWN);
        return;
    }
    if (v->key && v->key(c, code))
        return;
    act = ft_keymap_find(&c->keymap, code, v->letter ? v->letter : '?');
    if (act < FT_N_ACTS)
        ft_con_act(c, act);
    else
        no_such_key(c, code);
}

void ft_con_key(struct ft_con *c, const struct ft_key *key)
{
    take_key(c, key);
    take_answers(c); /* some are there at once */
}

/* ---- drawing -------------------------------------------------------------------------------------- */

bool ft_compact(const struct ft_canvas *cv)
{
    return cv->cols < 80 || cv->rows < 24;
}

bool ft_wide(const struct ft_canvas *cv)
{
    return cv->cols >= 120 && cv->rows >= 30;
}

static void draw_tiny(const struct ft_con *c, struct ft_canvas *cv)
{
    char rate[16], flagged[32], lag[32];

    ft_fmt_rate(rate, sizeof(rate), c->live->scored_per_s);
    ft_fmt_count(flagged, sizeof(flagged),
                 c->live->flagged > c->live->db_flagged ? c->live->flagged : c->live->db_flagged);
    ft_fmt_count(lag, sizeof(lag), c->live->lag_score < 0 ? 0 : (uint64_t)c->live->lag_score);
    ft_putf(cv, 0, 0, cv->cols, FT_ROLE_NORMAL,
            "fraudtop %s/s flagged %s lag %s - enlarge to 40 x 10", rate, flagged,
            c->live->lag_score < 0 ? "?" : lag);
}

/* The key of the action of this name. */
static const char *key_of(const struct ft_con *c, const char *name, size_t n, char *out,
                          size_t size)
{
    for (int a = 0; a < FT_N_ACTS; a++)
        if (strlen(ft_actions[a].name) == n && memcmp(ft_actions[a].name, name, n) == 0)
            return ft_keymap_name(&c->keymap, (enum ft_act)a, out, size);
    return "?";
}

/* A tip with the keys as they are set. */
static void tip_text(const struct ft_con *c, const char *tip, char *out, size_t size)
{
    size_t used = 0;

    while (*tip && used + 1 < size) {
        size_t n = *tip == '{' ? strcspn(tip, "}") : strcspn(tip, "{");
        char key[16];

        if (*tip == '{')
            used += (size_t)snprintf(out + used, size - used, "%s",
                                     key_of(c, tip + 1, n - 1, key, sizeof(key)));
        else
            used += (size_t)snprintf(out + used, size - used, "%.*s", (int)n, tip);
        tip += n + (*tip == '{');
    }
}

/* A line above the hints, on the first three starts; returns the rows it took. */
static int draw_tip(const struct ft_con *c, struct ft_canvas *cv)
{
    const char *tip = ft_views[ft_con_top(c)]->tip;
    char text[240];

    if (!tip || ft_compact(cv) || c->starts < 1 || c->starts > FT_TIP_STARTS || ft_read_only(c))
        return 0;
    tip_text(c, tip, text, sizeof(text));
    ft_put(cv, cv->rows - 2, 0, cv->cols, FT_ROLE_TITLE, text);
    return 1;
}

void ft_con_draw(struct ft_con *c, struct ft_canvas *cv)
{
    enum ft_place top = ft_con_top(c);
    int head = 2;

    ft_canvas_clear(cv);
    cv->graph = c->graph;
    c->list_h = 0;
    c->n_heading = 0;
    c->last_cols = cv->cols;
    c->last_lines = cv->rows;
    c->last_ascii = cv->ascii;
    if (cv->cols < 40 || cv->rows < 10) {
        draw_tiny(c, cv);
        return;
    }
    ft_frame_draw(c, cv);
    if (top == FT_PLACE_HELP || top == FT_PLACE_FIRST || top == FT_PLACE_TEXT) {
        head = 0; /* the whole screen */
        ft_blank(cv, 0, 0, cv->cols);
        ft_blank(cv, 1, 0, cv->cols);
    }
    ft_views[top]->draw(c, cv,
                        (struct ft_box){head, 0, cv->rows - head - 1 - draw_tip(c, cv), cv->cols});
    if (c->prompt.active)
        ft_prompt_draw(c, cv);
    cv->cursor_x = cv->cursor_x < cv->cols ? cv->cursor_x : cv->cols - 1;
    cv->cursor_y = cv->cursor_y < cv->rows ? cv->cursor_y : cv->rows - 1;
}
