/*
 * Replays that are begun on the screen: one at a time, the others wait for it.  All of it is the other worker's, but
 * the number of files that wait, which the screen shows.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "console_ask.h"
#include "fraudtop/journal.h"
#include "fraudtop/log.h"
#include "fraudtop/text.h"

#define CHECK_MS 200 /* has the replay before it ended? */
#define SEEN_MS 1000 /* until a heartbeat says what was done */

struct ft_order {
    struct ft_order *next;
    double rate, speed;
    uint64_t limit;
    char label[128]; /* "": none */
    bool told;       /* how it ended */
    size_t n;
    char *path[FT_JOURNAL_FILES]; /* absolute, where the file could be found */
};

static void order_free(struct ft_order *o)
{
    while (o && o->n)
        free(o->path[--o->n]);
    free(o);
}

static enum ft_status order_new(struct ft_order **out, const cJSON *args, struct ft_err *err)
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(args, "files"), *f;
    struct ft_order *o = calloc(1, sizeof(*o));
    const char *label = ft_ask_word(args, "label");
    enum ft_status st = FT_OK;

    *out = NULL;
    if (!o)
        return ft_fail(err, FT_ENOMEM, "no memory for the replay");
    o->rate = ft_ask_number(args, "rate", 0);
    o->speed = ft_ask_number(args, "speed", 0);
    o->limit = (uint64_t)ft_ask_number(args, "limit", 0);
    snprintf(o->label, sizeof(o->label), "%s", label ? label : "");
    cJSON_ArrayForEach(f, files)
    {
        char *path = cJSON_IsString(f) ? realpath(f->valuestring, NULL) : NULL;

        if (!path && cJSON_IsString(f))
            path = strdup(f->valuestring);
        if (o->n == FT_JOURNAL_FILES)
            st = ft_fail(err, FT_EUSAGE, "no more than %d files go into one replay",
                         FT_JOURNAL_FILES);
        if (st == FT_OK && path)
            o->path[o->n++] = path;
        else
            free(path);
    }
    if (st == FT_OK && !o->n)
        st = ft_fail(err, FT_EUSAGE, "no file was named");
    if (st == FT_OK)
        *out = o;
    else
        order_free(o);
    return st;
}

/* What the stage is given; its texts are those of o, which outlives it. */
static struct ft_replay_opts replay_opts(const struct ft_console *c, const struct ft_order *o)
{
    struct ft_replay_opts ro;

    ft_pipeline_replay_opts(c->pipeline, &ro);
    ro.files = (const char *const *)o->path;
    ro.n_files = o->n;
    ro.rate = o->rate;
    ro.speed = o->speed;
    ro.limit = o->limit;
    ro.label = *o->label ? o->label : NULL;
    ro.resume = ro.run_id = ro.quarantine = NULL;
    ro.ids = FT_IDS_ROW;
    return ro;
}

/* Waits as long as timeout_ms for the one that was begun here; the one that does not end then is left behind. */
static void let_go(struct ft_console *c, int timeout_ms)
{
    if (!c->replay)
        return;
    ft_control_remove(c->pipeline->pipe.control, c->replay);
    if (ft_stage_join(c->replay, timeout_ms, NULL) != FT_AGAIN) {
        ft_stage_free(c->replay);
        order_free(c->order);
    }
    c->replay = NULL;
    c->order = NULL;
}

/* Takes o. */
static enum ft_status begin(struct ft_console *c, struct ft_order *o, struct ft_err *err)
{
    struct ft_replay_opts ro = replay_opts(c, o);
    struct ft_replay_status s;
    enum ft_status st;

    let_go(c, -1);
    st = ft_replay_new(&c->replay, &c->pipeline->pipe, &ro, err);
    if (st != FT_OK) {
        order_free(o);
        return st;
    }
    c->order = o;
    ft_control_add(c->pipeline->pipe.control, c->replay);
    st = ft_replay_start(c->replay, err);
    if (st != FT_OK) {
        let_go(c, 0);
        return st;
    }
    ft_replay_status(c->replay, &s);
    ft_log(FT_INFO, "replay", "%s started %s as run %s", c->user, o->path[0], s.run_text);
    return FT_OK;
}

struct ft_stage *ft_own_replay(const struct ft_console *c)
{
    if (c->replay && !ft_stage_ended(c->replay))
        return c->replay;
    if (c->pipeline->replay && !ft_stage_ended(c->pipeline->replay))
        return c->pipeline->replay;
    return NULL;
}

static struct ft_watch_run run_of(const struct ft_replay_status *s)
{
    struct ft_watch_run r = {.active = true, .paused = s->paused, .rate = s->rate};

    snprintf(r.run, sizeof(r.run), "%s", s->run_text);
    return r;
}

/* What the screen shows after the answer shall be true: waits for the heartbeat that says so, but not for long. */
static void until_seen(struct ft_console *c, const struct ft_watch_run *want)
{
    int64_t until = ft_now_ms() + SEEN_MS;
    struct ft_watch_run r;
    bool seen;

    do {
        ft_control_beat(c->pipeline->pipe.control);
        ft_watch_run(c->watch, &r);
        seen = r.active && strcmp(r.run, want->run) == 0 && r.paused == want->paused &&
               !(r.rate < want->rate) && !(r.rate > want->rate);
        if (!seen)
            ft_sleep_ms(20);
    } while (!seen && !c->stop && ft_now_ms() < until);
}

enum ft_status ft_ask_replay_start(struct ft_console *c, const cJSON *args, cJSON *out,
                                   struct ft_err *err)
{
    struct ft_replay_status s;
    struct ft_watch_run r;
    struct ft_replay_opts ro;
    struct ft_order *o, **end = &c->orders;
    enum ft_status st = order_new(&o, args, err);

    if (st != FT_OK)
        return st;
    if (!ft_own_replay(c) && !c->orders) {
        st = begin(c, o, err);
        if (st != FT_OK)
            return st;
        ft_replay_status(c->replay, &s);
        cJSON_AddStringToObject(out, "run", s.run_text);
        r = run_of(&s);
        until_seen(c, &r);
        return FT_OK;
    }
    ro = replay_opts(c, o);
    st = ft_replay_check(&ro, err); /* better before its turn than at it */
    if (st != FT_OK) {
        order_free(o);
        return st;
    }
    while (*end)
        end = &(*end)->next;
    *end = o;
    cJSON_AddNumberToObject(out, "waiting", c->waiting + (int)o->n);
    c->waiting += (int)o->n;
    ft_log(FT_INFO, "replay", "%s put %s behind the replay that runs", c->user, o->path[0]);
    return FT_OK;
}

int ft_replay_waits(const struct ft_console *c, const char *path)
{
    int place = 0;

    for (const struct ft_order *o = c->orders; o; o = o->next)
        for (size_t i = 0; i < o->n; i++) {
            place++;
            if (strcmp(o->path[i], path) == 0)
                return place;
        }
    return 0;
}

/* How the one that was begun here has ended, once. */
static void tell_end(struct ft_console *c)
{
    struct ft_replay_status s;
    struct ft_counters *n;
    char text[600], sent[32], rejected[32];
    struct ft_err err;
    bool ok;

    if (!c->replay || c->order->told || !ft_stage_ended(c->replay))
        return;
    c->order->told = true;
    ok = ft_stage_join(c->replay, 0, &err) == FT_OK;
    ft_replay_status(c->replay, &s);
    n = ft_stage_counters(c->replay);
    ft_fmt_count(sent, sizeof(sent), ft_counted(n, FT_M_ACKED));
    ft_fmt_count(rejected, sizeof(rejected), ft_counted(n, FT_M_REJECTED));
    if (ok)
        snprintf(text, sizeof(text), "%s %s: %s rows sent, %s rejected.", ft_base_name(s.file),
                 s.read_all ? "was replayed" : "was stopped", sent, rejected);
    else
        snprintf(text, sizeof(text), "The replay ended: %s", err.text);
    ft_console_say(c, !ok, text);
}

static int look_again(const struct ft_console *c)
{
    return c->orders || (c->replay && !c->order->told) ? CHECK_MS : -1;
}

int ft_replay_next(struct ft_console *c)
{
    struct ft_order *o = c->orders;
    struct ft_err err;

    tell_end(c);
    if (!o || ft_own_replay(c))
        return look_again(c);
    c->orders = o->next;
    c->waiting -= (int)o->n;
    if (begin(c, o, &err) != FT_OK) {
        char text[sizeof(err.text) + 40];

        ft_log(FT_ERROR, "replay", "%s", err.text);
        snprintf(text, sizeof(text), "The next replay did not begin: %s", err.text);
        ft_console_say(c, true, text);
    }
    return look_again(c);
}

static void forget_all(struct ft_console *c)
{
    while (c->orders) {
        struct ft_order *o = c->orders;

        c->orders = o->next;
        order_free(o);
    }
    c->waiting = 0;
}

/* One of the files that wait; the last of its replay takes that with it. */
static enum ft_status forget(struct ft_console *c, const char *path, struct ft_err *err)
{
    for (struct ft_order **at = &c->orders; *at; at = &(*at)->next)
        for (size_t i = 0; i < (*at)->n; i++) {
            struct ft_order *o = *at;

            if (strcmp(o->path[i], path) != 0)
                continue;
            free(o->path[i]);
            memmove(o->path + i, o->path + i + 1, (--o->n - i) * sizeof(o->path[0]));
            c->waiting--;
            if (!o->n) {
                *at = o->next;
                order_free(o);
            }
            return FT_OK;
        }
    return ft_fail(err, FT_ECONFLICT, "%s waits no more", path);
}

/* A replay of another process is told through the control topic: the whole record, so that a pause keeps the rate. */
static enum ft_status tell(struct ft_console *c, const struct ft_watch_run *r, struct ft_err *err)
{
    char key[64], json[96];

    if (!r->active)
        return ft_fail(err, FT_EUSAGE, "no replay runs: Enter starts one");
    snprintf(key, sizeof(key), "run/%s", r->run);
    snprintf(json, sizeof(json), "{\"paused\":%s,\"rate\":%.17g}", r->paused ? "true" : "false",
             r->rate);
    return ft_control_put(c->pipeline->pipe.bus, &c->pipeline->pipe.topics, key, json, 3000, err);
}

/* Of the replay that runs: pauses it or lets it go on, or gives it a rate (NULL: as it is). */
static enum ft_status change(struct ft_console *c, const bool *paused, const double *rate,
                             struct ft_err *err)
{
    struct ft_stage *own = ft_own_replay(c);
    enum ft_status st = FT_OK;
    struct ft_replay_status s;
    struct ft_watch_run r;

    ft_watch_run(c->watch, &r);
    if (own) {
        ft_replay_status(own, &s);
        r = run_of(&s);
    }
    r.paused = paused ? *paused : r.paused;
    r.rate = rate ? *rate : r.rate;
    if (own && paused)
        ft_replay_pause(own, r.paused);
    else if (own)
        ft_replay_rate(own, r.rate);
    else
        st = tell(c, &r, err);
    if (st == FT_OK)
        until_seen(c, &r);
    return st;
}

enum ft_status ft_ask_replay_pause(struct ft_console *c, const cJSON *args, cJSON *out,
                                   struct ft_err *err)
{
    bool paused = ft_ask_true(args, "pause");

    (void)out;
    return change(c, &paused, NULL, err);
}

enum ft_status ft_ask_replay_rate(struct ft_console *c, const cJSON *args, cJSON *out,
                                  struct ft_err *err)
{
    double rate = ft_ask_number(args, "rate", 0);

    (void)out;
    return change(c, NULL, &rate, err);
}

enum ft_status ft_ask_replay_stop(struct ft_console *c, const cJSON *args, cJSON *out,
                                  struct ft_err *err)
{
    struct ft_stage *own = ft_own_replay(c);
    const char *waits = ft_ask_word(args, "waiting");

    (void)out;
    if (waits)
        return forget(c, waits, err);
    if (ft_ask_true(args, "all"))
        forget_all(c);
    if (!own)
        return ft_fail(err, FT_EUSAGE,
                       "no replay of this console runs; one of another process is stopped there");
    ft_stage_stop(own);
    return FT_OK;
}

void ft_replay_fini(struct ft_console *c)
{
    if (c->orders)
        ft_log(FT_WARN, "replay", "the console ended; not begun: %d files, the first %s",
               c->waiting, c->orders->path[0]);
    forget_all(c);
    if (c->replay)
        ft_stage_stop(c->replay);
    let_go(c, 5000);
}
