#include "watch.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fraudtop/log.h"

#define GONE_MS 5000    /* without a heartbeat for so long: it does not live */
#define OWN_MS 1500     /* without any, though one is sent a second: our own are taken from here */
#define DEAF_MS 3000    /* not even an own one: nothing is known of the others */
#define FORGET_MS 60000 /* then it leaves the list; its counts stay in the totals */
#define HISTORY FT_RATE_POINTS
#define SLOPE_POINTS 30
#define ASK_MS 1000 /* for Kafka's answer */
#define ASK_PAUSE                                                                                  \
    1000 /* between two questions, one stage after the other; first, time for heartbeats to come */
#define OLD_MS 15000 /* then an answer is none any more */

struct beat { /* one process */
    char key[160];
    struct ft_process show;
    uint64_t n[FT_N_METRICS], base[FT_N_METRICS]; /* base: before its counters began anew */
    uint64_t flagged;                             /* since it was seen first */
    double per_s[FT_N_METRICS];
    double read_per_s; /* of its replay, over some seconds */
    int64_t at_ms;     /* its own clock */
    int64_t own_ms;    /* when it was taken from here last, or 0 */
    int64_t seen_ms;
    int64_t lag_score, lag_sink;
    int replays, scorers, sinks;
    int beats;
    bool gone, no_key;
    double p50, p99, threshold;
    struct ft_replay_view replay;
    char quarantine[512]; /* whole, where the view cuts it */
    int64_t replay_since;
};

struct ft_watch {
    struct ft_bus *bus;
    struct ft_control *own; /* NULL: none */
    char topic[128];
    pthread_t thread;
    _Atomic int stop;
    pthread_mutex_t lock;
    struct beat *beat[FT_WATCH_PROCESSES];
    size_t n;
    uint64_t retired[FT_N_METRICS]; /* of processes that were forgotten */
    uint64_t retired_flagged;
    double rate[HISTORY];
    double lag[FT_WATCH_STAGES][SLOPE_POINTS];
    struct {
        struct ft_watch_stage is; /* topic NULL: never asked about */
        int64_t lag, at_ms;       /* as Kafka told */
    } stage[FT_WATCH_STAGES];
    size_t n_rate, n_lag;
    int64_t start_ms, tick_ms;
    bool live;                 /* what the topic held was read */
    int64_t heard_ms;          /* the last heartbeat that Kafka brought */
    bool echo;                 /* it has brought one of our own */
    int64_t quiet_ms, back_ms; /* when it was silent last: from, until */
    uint64_t seq;
};

/* ---- one heartbeat ------------------------------------------------------------------------------------ */

static double number(const cJSON *o, const char *name, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

static void text(char *out, size_t size, const cJSON *o, const char *name)
{
    const char *v = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    snprintf(out, size, "%s", v ? v : "");
}

static void take_counters(struct beat *b, const cJSON *o, int64_t at_ms)
{
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(o, "counters");
    double seconds = (double)(at_ms - b->at_ms) / 1000;

    for (int m = 0; m < FT_N_METRICS; m++) {
        uint64_t v = (uint64_t)number(c, ft_metric_name[m], 0);

        if (m == FT_M_FLAGGED && b->beats)
            b->flagged += v < b->n[m] ? v : v - b->n[m];
        if (v < b->n[m]) /* the same name, a new process */
            b->base[m] += b->n[m];
        else if (b->beats && seconds > 0.2 && seconds < 60) /* or a clock was set */
            b->per_s[m] = (double)(v - b->n[m]) / seconds;
        b->n[m] = v;
    }
}

/* Over some ten beats; a rate that was changed is taken as it is. */
static void smooth(double *mean, double now)
{
    *mean = now > *mean / 2 && now < *mean * 2 ? *mean + (now - *mean) / 10 : now;
}

static void take_replay(struct beat *b, const cJSON *o)
{
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(o, "run");
    const cJSON *reject = cJSON_GetObjectItemCaseSensitive(run, "rejects"), *r;
    struct ft_replay_view *v = &b->replay;
    char state[16];

    memset(v, 0, sizeof(*v));
    if (!cJSON_IsObject(run))
        return;
    text(state, sizeof(state), o, "state");
    v->active = true;
    text(v->run, sizeof(v->run), run, "id");
    text(v->file, sizeof(v->file), run, "file");
    text(v->event_clock, sizeof(v->event_clock), run, "event");
    text(v->error, sizeof(v->error), run, "error");
    text(v->quarantine, sizeof(v->quarantine), run, "quarantine");
    text(b->quarantine, sizeof(b->quarantine), run, "quarantine");
    v->paused = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "paused"));
    v->held = v->error[0] != '\0';
    v->rate_limit = number(run, "rate", 0);
    v->speed = number(run, "speed", 0);
    v->bytes_done = (uint64_t)number(run, "bytes_done", 0);
    v->bytes_total = (uint64_t)number(run, "bytes_total", 0);
    v->read = (uint64_t)number(run, "read", 0);
    v->sent = (uint64_t)number(run, "sent", 0);
    v->acked = (uint64_t)number(run, "acked", 0);
    v->rejected = (uint64_t)number(run, "rejected", 0);
    v->in_flight = v->sent > v->acked ? v->sent - v->acked : 0;
    v->per_s = b->per_s[FT_M_SENT];
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "done")) || strcmp(state, "done") == 0)
        v->active = false;
    v->eta_s = -1;
    smooth(&b->read_per_s, b->per_s[FT_M_READ]);
    if (v->bytes_total && v->bytes_done && !v->paused && !v->held && b->read_per_s > 0 &&
        b->at_ms - (int64_t)number(run, "started_ms", 0) > 2000) /* before, no rate is known */
        v->eta_s = (double)(v->bytes_total - v->bytes_done) / (double)v->bytes_done *
                   (double)v->read / b->read_per_s;
    cJSON_ArrayForEach(r, reject)
    {
        if (v->n_reject == sizeof(v->reject) / sizeof(v->reject[0]))
            break;
        text(v->reject[v->n_reject].reason, sizeof(v->reject[0].reason), r, "reason");
        v->reject[v->n_reject].rows = (uint64_t)number(r, "rows", 0);
        v->reject[v->n_reject++].first_line = (uint64_t)number(r, "first_line", 0);
    }
}

static void take(struct beat *b, const cJSON *o, int64_t seen_ms)
{
    const cJSON *latency = cJSON_GetObjectItemCaseSensitive(o, "latency_ms");
    int64_t at_ms = (int64_t)number(o, "at_ms", 0);
    char was[24];

    take_counters(b, o, at_ms);
    b->at_ms = at_ms;
    b->seen_ms = seen_ms;
    b->beats++;
    text(b->show.role, sizeof(b->show.role), o, "role");
    text(b->show.host, sizeof(b->show.host), o, "host");
    text(b->show.state, sizeof(b->show.state), o, "state");
    text(b->show.detail, sizeof(b->show.detail), o, "model");
    b->show.pid = (int32_t)number(o, "pid", 0);
    b->show.restored = number(o, "restored", 1);
    b->gone = strcmp(b->show.state, "gone") == 0;
    b->no_key = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "no_key"));
    b->replays = (int)number(o, "replays", 0);
    b->scorers = (int)number(o, "scorers", 0);
    b->sinks = (int)number(o, "sinks", 0);
    b->lag_score = (int64_t)number(o, "lag_score", -1);
    b->lag_sink = (int64_t)number(o, "lag_sink", -1);
    b->threshold = number(o, "threshold", NAN);
    b->p50 = number(latency, "p50", NAN);
    b->p99 = number(latency, "p99", NAN);
    snprintf(was, sizeof(was), "%s", b->replay.run);
    text(b->replay.run, sizeof(b->replay.run), cJSON_GetObjectItemCaseSensitive(o, "run"), "id");
    take_replay(b, o);
    if (strcmp(was, b->replay.run) != 0)
        b->replay_since =
            (int64_t)number(cJSON_GetObjectItemCaseSensitive(o, "run"), "started_ms", 0);
    b->show.per_s = b->scorers ? b->per_s[FT_M_SCORED]
                    : b->sinks ? b->per_s[FT_M_STORED]
                               : b->per_s[FT_M_SENT];
}

static struct beat *find(struct ft_watch *w, const char *key)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->beat[i]->key, key) == 0)
            return w->beat[i];
    if (w->n == FT_WATCH_PROCESSES)
        return NULL;
    w->beat[w->n] = calloc(1, sizeof(struct beat));
    if (!w->beat[w->n])
        return NULL;
    snprintf(w->beat[w->n]->key, sizeof(w->beat[0]->key), "%s", key);
    return w->beat[w->n++];
}

static bool is_ours(const struct ft_process *p)
{
    char host[sizeof(p->host)] = "";

    return p->pid == getpid() && gethostname(host, sizeof(host) - 1) == 0 &&
           strcmp(host, p->host) == 0;
}

/* One that Kafka held back says less than what was taken from here meanwhile. */
static bool is_late(const struct beat *b, const cJSON *o)
{
    int64_t at_ms = (int64_t)number(o, "at_ms", 0);

    return b->own_ms && ft_now_ms() - b->own_ms < FORGET_MS && at_ms < b->at_ms;
}

static void read_beat(struct ft_watch *w, const struct ft_msg *m)
{
    /* What comes now was sent now, whatever two machines' clocks say. */
    int64_t age = w->live || m->timestamp_ms < 0 ? 0 : ft_wall_ms() - m->timestamp_ms;
    struct beat *b;
    char key[160];
    cJSON *o;

    /* What the compacted topic holds of processes that ended long ago is no news. */
    if (!m->key.p || m->key.n >= sizeof(key) || !m->value.p || age > GONE_MS * 3)
        return;
    memcpy(key, m->key.p, m->key.n);
    key[m->key.n] = '\0';
    o = cJSON_ParseWithLength(m->value.p, m->value.n);
    if (cJSON_IsObject(o)) {
        pthread_mutex_lock(&w->lock);
        if (w->echo && ft_now_ms() - w->heard_ms > DEAF_MS) {
            w->quiet_ms = w->heard_ms;
            w->back_ms = ft_now_ms();
        }
        w->heard_ms = ft_now_ms() - (age > 0 ? age : 0);
        b = find(w, key);
        if (b && !is_late(b, o))
            take(b, o, w->heard_ms);
        w->echo |= b && is_ours(&b->show);
        w->seq++;
        pthread_mutex_unlock(&w->lock);
    }
    cJSON_Delete(o);
}

/* Our own, while Kafka brings none: what this process does is known without it. */
static void own_beat(struct ft_watch *w)
{
    struct ft_buf text;
    struct beat *b;
    char key[160];
    cJSON *o;

    ft_buf_init(&text, 256 << 10);
    ft_control_heartbeat(w->own, &text);
    o = text.failed ? NULL : cJSON_ParseWithLength(text.p, text.n);
    ft_buf_fini(&text);
    if (!o)
        return;
    snprintf(key, sizeof(key), "%s/%s/%.0f",
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "role")),
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "host")),
             number(o, "pid", 0));
    pthread_mutex_lock(&w->lock);
    b = find(w, key);
    if (b) {
        b->own_ms = ft_now_ms();
        take(b, o, b->own_ms);
    }
    w->seq++;
    pthread_mutex_unlock(&w->lock);
    cJSON_Delete(o);
}

/* ---- sums --------------------------------------------------------------------------------------------- */

static bool lives(const struct beat *b, int64_t now_ms)
{
    return !b->gone && now_ms - b->seen_ms < GONE_MS;
}

static bool deaf(const struct ft_watch *w, int64_t now_ms)
{
    return w->echo && now_ms - w->heard_ms > DEAF_MS;
}

/* While Kafka is silent nobody is taken to have ended: who lived when it was heard last.  Nor at once when it is back: not
 * everybody finds it at the same time. */
static bool lived(const struct ft_watch *w, const struct beat *b, int64_t now_ms)
{
    if (deaf(w, now_ms))
        return lives(b, w->heard_ms);
    return lives(b, now_ms) ||
           (w->back_ms && now_ms - w->back_ms < 2 * GONE_MS && lives(b, w->quiet_ms));
}

static void forget(struct ft_watch *w, int64_t now_ms)
{
    for (size_t i = 0; i < w->n;) {
        if (now_ms - w->beat[i]->seen_ms < FORGET_MS || lived(w, w->beat[i], now_ms)) {
            i++;
            continue;
        }
        for (int m = 0; m < FT_N_METRICS; m++)
            w->retired[m] += w->beat[i]->base[m] + w->beat[i]->n[m];
        w->retired_flagged += w->beat[i]->flagged;
        free(w->beat[i]);
        w->beat[i] = w->beat[--w->n];
    }
}

static double sum_rate(const struct ft_watch *w, enum ft_metric m, int64_t now_ms)
{
    double sum = 0;
    bool known = false;

    for (size_t i = 0; i < w->n; i++)
        if (lives(w->beat[i], now_ms) && w->beat[i]->beats > 1) {
            sum += w->beat[i]->per_s[m];
            known = true;
        }
    return known ? sum : (double)NAN;
}

/* Of the heartbeats; -1: none tells. */
static int64_t told_lag(const struct ft_watch *w, int stage, int64_t now_ms)
{
    int64_t sum = -1;

    for (size_t i = 0; i < w->n; i++) {
        int64_t l = stage == FT_WATCH_SINK ? w->beat[i]->lag_sink : w->beat[i]->lag_score;

        if (lives(w->beat[i], now_ms) && l >= 0)
            sum = (sum < 0 ? 0 : sum) + l;
    }
    return sum;
}

static int64_t sum_lag(const struct ft_watch *w, int stage, int64_t now_ms)
{
    int64_t told = told_lag(w, stage, now_ms), at_ms = w->stage[stage].at_ms;

    return told < 0 && at_ms && now_ms - at_ms < OLD_MS ? w->stage[stage].lag : told;
}

static void push(double *ring, size_t size, size_t *n, double v)
{
    if (*n == size) {
        memmove(ring, ring + 1, (size - 1) * sizeof(*ring));
        --*n;
    }
    ring[(*n)++] = v;
}

/* Once a second: a point of the chart, and one of each lag. */
static void tick(struct ft_watch *w, int64_t now_ms)
{
    size_t n = w->n_lag;

    if (now_ms - w->tick_ms < 1000)
        return;
    /* After a pause of the machine the chart does not catch up: one point, then on. */
    w->tick_ms = now_ms - w->tick_ms > 3000 ? now_ms : w->tick_ms + 1000;
    forget(w, now_ms);
    push(w->rate, HISTORY, &w->n_rate, sum_rate(w, FT_M_SCORED, now_ms));
    push(w->lag[0], SLOPE_POINTS, &n, (double)sum_lag(w, FT_WATCH_SCORE, now_ms));
    push(w->lag[1], SLOPE_POINTS, &w->n_lag, (double)sum_lag(w, FT_WATCH_SINK, now_ms));
    w->seq++;
}

/* Slope of a line fitted over the points that are known; NaN with fewer than five. */
static double slope(const double *v, size_t n)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, k = 0;

    for (size_t i = 0; i < n; i++) {
        double x = (double)i;

        if (v[i] < 0)
            continue;
        k++, sx += x, sy += v[i], sxx += x * x, sxy += x * v[i];
    }
    return k >= 5 ? (k * sxy - sx * sy) / (k * sxx - sx * sx) : (double)NAN;
}

/* Those that do the work come first. */
static int watches(const struct ft_process *p)
{
    return strcmp(p->role, "console") == 0 || strcmp(p->role, "watch") == 0;
}

static int by_role(const void *a, const void *b)
{
    const struct ft_process *x = a, *y = b;
    int c = watches(x) - watches(y);

    c = c ? c : strcmp(x->role, y->role);
    c = c ? c : strcmp(x->host, y->host);
    return c ? c : (x->pid > y->pid) - (x->pid < y->pid);
}

static void add_processes(struct ft_watch *w, struct ft_live *out, struct ft_process *process)
{
    const struct beat *newest = NULL;
    double weight = 0, scored = -1;

    out->p50_ms = out->p99_ms = out->threshold = NAN;
    for (size_t i = 0; i < w->n; i++) {
        const struct beat *b = w->beat[i];
        bool live = lived(w, b, out->now_ms), heard = lives(b, out->now_ms);

        process[i] = b->show;
        process[i].seen_ms = b->seen_ms;
        if (!live)
            snprintf(process[i].state, sizeof(process[i].state), "gone");
        if (!heard)
            process[i].per_s = live ? NAN : 0;
        out->n_replay += live && b->replays;
        out->n_score += live && b->scorers;
        out->n_sink += live && b->sinks;
        if (live && b->scorers && b->per_s[FT_M_SCORED] > scored) { /* what the busiest one uses */
            scored = b->per_s[FT_M_SCORED];
            out->threshold = b->threshold;
            snprintf(out->model_name, sizeof(out->model_name), "%s", b->show.detail);
        }
        if (heard && !isnan(b->p99)) { /* several sinks: the worst tail, the busiest one's middle */
            out->p99_ms = isnan(out->p99_ms) || b->p99 > out->p99_ms ? b->p99 : out->p99_ms;
            if (isnan(out->p50_ms) || b->per_s[FT_M_STORED] > weight) {
                out->p50_ms = b->p50;
                weight = b->per_s[FT_M_STORED];
            }
        }
        if (b->replay.run[0] && (!newest || (live && b->replay.active && !newest->replay.active) ||
                                 b->replay_since > newest->replay_since))
            newest = b;
    }
    out->heard = w->heard_ms != 0;
    out->n_process = w->n;
    out->process = process;
    qsort(process, w->n, sizeof(*process), by_role);
    if (newest) {
        out->replay = newest->replay;
        out->replay.active = out->replay.active && lived(w, newest, out->now_ms);
        if (!lives(newest, out->now_ms)) {
            out->replay.per_s = NAN;
            out->replay.eta_s = -1;
        }
        out->replay.own = out->replay.active && is_ours(&newest->show);
    }
}

void ft_watch_live(struct ft_watch *w, struct ft_live *out, struct ft_process *process)
{
    uint64_t sum[FT_N_METRICS];

    pthread_mutex_lock(&w->lock);
    tick(w, out->now_ms);
    memcpy(sum, w->retired, sizeof(sum));
    for (size_t i = 0; i < w->n; i++)
        for (int m = 0; m < FT_N_METRICS; m++)
            sum[m] += w->beat[i]->base[m] + w->beat[i]->n[m];
    out->replayed = sum[FT_M_SENT];
    out->scored = sum[FT_M_SCORED];
    out->stored = sum[FT_M_STORED];
    out->flagged = sum[FT_M_FLAGGED];
    out->rejected = sum[FT_M_REJECTED];
    out->dead = sum[FT_M_DEAD] + sum[FT_M_SINK_DEAD];
    out->replayed_per_s = sum_rate(w, FT_M_SENT, out->now_ms);
    out->scored_per_s = out->stored_per_s =
        NAN; /* of others nothing is known while nothing is heard */
    if (w->heard_ms && !deaf(w, out->now_ms)) {
        out->scored_per_s = sum_rate(w, FT_M_SCORED, out->now_ms);
        out->stored_per_s = sum_rate(w, FT_M_STORED, out->now_ms);
    }
    memcpy(out->rate, w->rate, sizeof(w->rate));
    out->n_rate = w->n_rate;
    out->lag_score = sum_lag(w, FT_WATCH_SCORE, out->now_ms);
    out->lag_sink = sum_lag(w, FT_WATCH_SINK, out->now_ms);
    out->lag_score_slope = slope(w->lag[0], w->n_lag);
    out->lag_sink_slope = slope(w->lag[1], w->n_lag);
    add_processes(w, out, process);
    out->seq += w->seq;
    pthread_mutex_unlock(&w->lock);
}

uint64_t ft_watch_flagged(struct ft_watch *w)
{
    uint64_t sum;

    pthread_mutex_lock(&w->lock);
    sum = w->retired_flagged;
    for (size_t i = 0; i < w->n; i++)
        sum += w->beat[i]->flagged;
    pthread_mutex_unlock(&w->lock);
    return sum;
}

bool ft_watch_no_key(struct ft_watch *w)
{
    bool any = false;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->n; i++)
        any |= w->beat[i]->no_key;
    pthread_mutex_unlock(&w->lock);
    return any;
}

void ft_watch_run(struct ft_watch *w, struct ft_watch_run *out)
{
    int64_t best = -1;

    memset(out, 0, sizeof(*out));
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->n; i++) {
        const struct beat *b = w->beat[i];

        if (!b->replay.run[0] || b->replay_since <= best)
            continue;
        best = b->replay_since;
        snprintf(out->run, sizeof(out->run), "%s", b->replay.run);
        snprintf(out->file, sizeof(out->file), "%s", b->replay.file);
        snprintf(out->quarantine, sizeof(out->quarantine), "%s", b->quarantine);
        out->active = b->replay.active && lived(w, b, ft_now_ms());
        out->rejected = b->replay.rejected;
        out->paused = b->replay.paused;
        out->rate = b->replay.rate_limit;
    }
    pthread_mutex_unlock(&w->lock);
}

/* ---- the thread --------------------------------------------------------------------------------------- */

static enum ft_status open_consumer(struct ft_watch *w, struct ft_consumer **in, struct ft_err *err)
{
    const struct ft_assigned part = {.topic = w->topic, .start = FT_START_EARLIEST};
    const struct ft_consumer_opts opts = {.queued_kbytes = 1024, .eof_events = true};
    enum ft_status st = ft_consumer_new(in, w->bus, &opts, err);

    w->live = false;
    if (st == FT_OK)
        st = ft_consumer_assign(*in, &part, 1, err);
    return st;
}

/* Heartbeats that come meanwhile wait: two seconds at the most. */
static void ask_lag(struct ft_watch *w, int stage)
{
    const struct ft_watch_stage *s = &w->stage[stage].is;
    struct ft_bus_health health;
    int64_t lag;
    bool told;

    pthread_mutex_lock(&w->lock);
    told = told_lag(w, stage, ft_now_ms()) >= 0;
    pthread_mutex_unlock(&w->lock);
    if (told || !s->topic)
        return;
    ft_bus_health(w->bus, &health);
    if ((health.known && !health.up) ||
        ft_bus_lag(w->bus, s->topic, s->group, ASK_MS, &lag, NULL) != FT_OK)
        return;
    pthread_mutex_lock(&w->lock);
    w->stage[stage].lag = lag;
    w->stage[stage].at_ms = ft_now_ms();
    pthread_mutex_unlock(&w->lock);
}

static void *watch_main(void *arg)
{
    struct ft_watch *w = arg;
    int64_t ask_ms = w->start_ms + 2 * ASK_PAUSE, own_ms = w->start_ms;
    int stage = 0;
    struct ft_consumer *in = NULL;
    struct ft_err err;

    while (!w->stop) {
        struct ft_msg m;
        enum ft_status st;

        if (w->own && ft_now_ms() - w->heard_ms > OWN_MS && ft_now_ms() - own_ms > 1000) {
            own_ms = ft_now_ms();
            own_beat(w);
        }
        if (!in && open_consumer(w, &in, &err) != FT_OK) {
            ft_log(FT_WARN, "console", "%s", err.text);
            if (in)
                ft_consumer_close(in, 200);
            in = NULL;
            ft_sleep_ms(500);
            continue;
        }
        st = ft_consumer_poll(in, 200, &m, &err);
        if (st == FT_OK) {
            read_beat(w, &m);
            ft_msg_done(&m);
        } else if (st == FT_END) {
            w->live = true;
        } else if (st == FT_EFATAL) {
            ft_consumer_close(in, 200);
            in = NULL;
        }
        if (ft_now_ms() >= ask_ms) {
            ask_lag(w, stage);
            stage = (stage + 1) % FT_WATCH_STAGES;
            ask_ms = ft_now_ms() + ASK_PAUSE;
        }
    }
    if (in)
        ft_consumer_close(in, 500);
    return NULL;
}

enum ft_status ft_watch_start(struct ft_watch **out, struct ft_bus *bus,
                              const struct ft_topics *topics, const struct ft_watch_stage *stage,
                              struct ft_control *own, struct ft_err *err)
{
    struct ft_watch *w = calloc(1, sizeof(*w));

    *out = NULL;
    if (!w)
        return ft_fail(err, FT_ENOMEM, "no memory to watch the pipeline");
    for (int i = 0; stage && i < FT_WATCH_STAGES; i++)
        w->stage[i].is = stage[i];
    w->bus = bus;
    w->own = own;
    snprintf(w->topic, sizeof(w->topic), "%s", topics->status);
    w->start_ms = w->tick_ms = ft_now_ms();
    pthread_mutex_init(&w->lock, NULL);
    if (pthread_create(&w->thread, NULL, watch_main, w) != 0) {
        pthread_mutex_destroy(&w->lock);
        free(w);
        return ft_fail(err, FT_ENOMEM, "no thread to watch the pipeline");
    }
    *out = w;
    return FT_OK;
}

void ft_watch_stop(struct ft_watch *w)
{
    if (!w)
        return;
    w->stop = 1;
    pthread_join(w->thread, NULL);
    for (size_t i = 0; i < w->n; i++)
        free(w->beat[i]);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
