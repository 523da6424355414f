/*
 * The two small topics by which the processes of a pipeline speak to each other: fraudtop.control says what is in
 * force, fraudtop.status carries a heartbeat a second from each process.  One thread sends, the other reads; a sink's also
 * copies both into the database.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fraudtop/log.h"
#include "stage.h"

#define MAX_STAGES 64
#define MAX_RUNS 64

struct run_entry {
    char run[FT_RUN_TEXT + 1];
    struct ft_run_control c;
};

struct ft_control {
    struct ft_control_opts o;
    char host[64], key[160], print[9], model[128];
    int64_t started_ms;
    pthread_t thread, beat;
    pthread_mutex_t lock; /* of what follows */
    struct ft_stage *stage[MAX_STAGES];
    uint64_t retired[FT_N_METRICS]; /* counted by stages that are gone */
    size_t n_stage;
    struct ft_in_force force;
    struct run_entry run[MAX_RUNS];
    size_t n_run;
    _Atomic uint64_t seq;
    _Atomic int stop, ready, soon;
    struct ft_store *copy; /* the reading thread's own */
    int64_t copy_retry_ms;
    bool copy_up;
    struct ft_seldom copy_said;
};

/* ---- reading what is in force ------------------------------------------------------------------------ */

static void take_run(struct ft_control *c, const char *run, const cJSON *o)
{
    const cJSON *rate = cJSON_GetObjectItemCaseSensitive(o, "rate");
    struct run_entry *e = NULL;

    for (size_t i = 0; i < c->n_run; i++)
        if (strcmp(c->run[i].run, run) == 0)
            e = &c->run[i];
    if (!e && c->n_run == MAX_RUNS) { /* the oldest one's place */
        memmove(c->run, c->run + 1, sizeof(c->run[0]) * (MAX_RUNS - 1));
        c->n_run--;
    }
    if (!e)
        e = &c->run[c->n_run++];
    *e = (struct run_entry){.c = {.known = true}};
    snprintf(e->run, sizeof(e->run), "%s", run);
    e->c.paused = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "paused"));
    if (cJSON_IsNumber(rate) && rate->valuedouble >= 0) {
        e->c.rate = rate->valuedouble;
        e->c.has_rate = true;
    }
}

/* A record of the control topic; o NULL: it was withdrawn. */
static bool take(struct ft_control *c, const char *key, const cJSON *o, int64_t at_ms)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (strcmp(key, "threshold") == 0) {
        c->force.has_threshold = cJSON_IsNumber(v);
        c->force.threshold = c->force.has_threshold ? v->valuedouble : 0;
        c->force.threshold_ms = at_ms;
    } else if (strcmp(key, "sample") == 0) {
        c->force.has_sample = cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= 1;
        c->force.sample = c->force.has_sample ? v->valuedouble : 0;
    } else if (strcmp(key, "model") == 0) {
        const char *text = cJSON_GetStringValue(v);

        snprintf(c->force.model, sizeof(c->force.model), "%s", text ? text : "");
        c->force.model_ms = at_ms;
    } else if (strncmp(key, "run/", 4) == 0) {
        take_run(c, key + 4, o);
    } else {
        return false;
    }
    return true;
}

static void read_control(struct ft_control *c, const struct ft_msg *m)
{
    char key[64];
    cJSON *o = m->value.p ? cJSON_ParseWithLength(m->value.p, m->value.n) : NULL;

    if (m->key.p && m->key.n < sizeof(key) && (o || !m->value.p)) {
        memcpy(key, m->key.p, m->key.n);
        key[m->key.n] = '\0';
        pthread_mutex_lock(&c->lock);
        if (take(c, key, o, m->timestamp_ms))
            atomic_fetch_add(&c->seq, 1);
        pthread_mutex_unlock(&c->lock);
    } else {
        ft_log(FT_WARN, "control", "%s offset %" PRId64 ": not a control record, passed over",
               m->topic, m->offset);
    }
    cJSON_Delete(o);
}

/* ---- heartbeats -------------------------------------------------------------------------------------- */

static const char *const state_name[] = {
    [FT_STAGE_STARTING] = "starting",   [FT_STAGE_RUNNING] = "running",
    [FT_STAGE_WAITING] = "waiting",     [FT_STAGE_PAUSED] = "paused",
    [FT_STAGE_RESTORING] = "restoring", [FT_STAGE_DONE] = "done",
    [FT_STAGE_FAILED] = "failed",
};

static bool all_done(const struct ft_control *c)
{
    for (size_t k = 0; k < c->n_stage; k++)
        if (atomic_load(&c->stage[k]->counters.state) != FT_STAGE_DONE)
            return false;
    return true;
}

/* One state for all stages: the one that a person has to know of first. */
static const char *worst_state(struct ft_control *c, bool gone)
{
    static const int order[] = {FT_STAGE_FAILED, FT_STAGE_WAITING, FT_STAGE_RESTORING,
                                FT_STAGE_PAUSED, FT_STAGE_RUNNING, FT_STAGE_STARTING,
                                FT_STAGE_DONE};
    bool console = strcmp(c->o.role, "console") == 0;

    if (gone)
        return "gone";
    if (console && all_done(c))
        return state_name[FT_STAGE_RUNNING]; /* with a replay or without one */
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        for (size_t k = 0; k < c->n_stage; k++)
            if (atomic_load(&c->stage[k]->counters.state) == order[i])
                return state_name[order[i]];
    return "starting";
}

static void add_counters(struct ft_control *c, struct ft_buf *b)
{
    uint64_t sum[FT_N_METRICS];
    int64_t lag[3] = {-1, -1, -1};

    memcpy(sum, c->retired, sizeof(sum));
    for (size_t k = 0; k < c->n_stage; k++) {
        int64_t l = atomic_load(&c->stage[k]->counters.lag);
        int kind = (int)c->stage[k]->kind;

        for (int m = 0; m < FT_N_METRICS; m++)
            sum[m] += ft_counted(&c->stage[k]->counters, (enum ft_metric)m);
        if (l >= 0)
            lag[kind] = (lag[kind] < 0 ? 0 : lag[kind]) + l;
    }
    ft_buf_text(b, ",\"counters\":{");
    for (int m = 0; m < FT_N_METRICS; m++)
        ft_buf_fmt(b, "%s\"%s\":%" PRIu64, m ? "," : "", ft_metric_name[m], sum[m]);
    ft_buf_char(b, '}');
    if (lag[FT_STAGE_SCORE] >= 0)
        ft_buf_fmt(b, ",\"lag_score\":%" PRId64, lag[FT_STAGE_SCORE]);
    if (lag[FT_STAGE_SINK] >= 0)
        ft_buf_fmt(b, ",\"lag_sink\":%" PRId64, lag[FT_STAGE_SINK]);
}

static void heartbeat(struct ft_control *c, struct ft_buf *b, bool gone)
{
    int n[3] = {0};
    struct ft_stage *sink[MAX_STAGES], *replay = NULL;
    struct ft_score_status score;

    ft_buf_clear(b);
    ft_buf_text(b, "{\"role\":");
    ft_buf_json(b, ft_span_of(c->o.role));
    ft_buf_text(b, ",\"host\":");
    ft_buf_json(b, ft_span_of(c->host));
    ft_buf_fmt(b, ",\"pid\":%ld,\"at_ms\":%" PRId64 ",\"started_ms\":%" PRId64 ",\"key\":\"%s\"",
               (long)getpid(), ft_wall_ms(), c->started_ms, c->print);
    pthread_mutex_lock(&c->lock);
    for (size_t k = 0; k < c->n_stage; k++) {
        if (c->stage[k]->kind == FT_STAGE_SINK)
            sink[n[FT_STAGE_SINK]] = c->stage[k];
        if (c->stage[k]->kind == FT_STAGE_REPLAY)
            replay = c->stage[k]; /* those before the last one have ended */
        n[c->stage[k]->kind]++;
        if (c->stage[k]->kind == FT_STAGE_SCORE) { /* another may have taken over */
            ft_score_status(c->stage[k], &score);
            snprintf(c->model, sizeof(c->model), "%s", score.model);
        }
    }
    ft_buf_text(b, ",\"model\":");
    ft_buf_json(b, ft_span_of(c->model));
    ft_buf_fmt(b, ",\"state\":\"%s\",\"replays\":%d,\"scorers\":%d,\"sinks\":%d",
               worst_state(c, gone), n[FT_STAGE_REPLAY], n[FT_STAGE_SCORE], n[FT_STAGE_SINK]);
    add_counters(c, b);
    for (size_t k = 0; k < c->n_stage; k++)
        if (c->stage[k]->kind == FT_STAGE_SCORE && n[FT_STAGE_SCORE] == 1)
            ft_score_heartbeat(c->stage[k], b);
    if (replay)
        ft_replay_heartbeat(replay, b);
    if (n[FT_STAGE_SINK])
        ft_sink_heartbeat(sink, (size_t)n[FT_STAGE_SINK], b);
    pthread_mutex_unlock(&c->lock);
    ft_buf_char(b, '}');
}

void ft_control_heartbeat(struct ft_control *c, struct ft_buf *b)
{
    heartbeat(c, b, false);
}

/* ---- the sink's copy in the database ----------------------------------------------------------------- */

/* Heartbeats come again in a second, so nothing is kept for a database that is away. */
static enum ft_status copy_open(struct ft_control *c, struct ft_err *err)
{
    enum ft_status st;

    if (c->copy && c->copy_up)
        return FT_OK;
    if (ft_now_ms() < c->copy_retry_ms)
        return FT_EUNREACHABLE;
    st = c->copy ? ft_store_reconnect(c->copy, 500, err)
                 : ft_store_open(&c->copy, c->o.copy_conninfo, true, 500, err);
    c->copy_up = st == FT_OK;
    c->copy_retry_ms = ft_now_ms() + 2000;
    return st;
}

static enum ft_status copy(struct ft_control *c, const struct ft_msg *m, struct ft_err *err)
{
    char key[200], *json;
    enum ft_status st;

    if (!m->key.p || !m->value.p || m->key.n >= sizeof(key))
        return FT_OK;
    st = copy_open(c, err);
    if (st != FT_OK)
        return st;
    json = strndup(m->value.p, m->value.n);
    if (!json)
        return ft_fail(err, FT_ENOMEM, "no memory");
    memcpy(key, m->key.p, m->key.n);
    key[m->key.n] = '\0';
    st = strcmp(m->topic, c->o.topics->status) == 0
             ? ft_store_put_process(c->copy, key, json, m->timestamp_ms, err)
             : ft_store_put_in_force(c->copy, key, json, m->timestamp_ms, err);
    free(json);
    c->copy_up = st == FT_OK || st == FT_EINPUT;
    return st;
}

/* Beside the sink, whose batches need not wait for it. */
static void fold(struct ft_control *c)
{
    struct ft_err err;

    if (c->o.copy_conninfo && copy_open(c, &err) == FT_OK)
        c->copy_up = ft_store_fold(c->copy, &err) != FT_EUNREACHABLE;
}

/* ---- the threads ------------------------------------------------------------------------------------- */

static enum ft_status open_consumer(struct ft_control *c, struct ft_consumer **in,
                                    struct ft_err *err)
{
    const struct ft_assigned part[2] = {
        {.topic = c->o.topics->control, .start = FT_START_EARLIEST},
        {.topic = c->o.topics->status,  .start = FT_START_EARLIEST},
    };
    const struct ft_consumer_opts co = {.queued_kbytes = 1024, .eof_events = true};
    enum ft_status st = ft_consumer_new(in, c->o.bus, &co, err);

    if (st == FT_OK)
        st = ft_consumer_assign(*in, part, c->o.copy_conninfo ? 2 : 1, err);
    return st;
}

static void send_heartbeat(struct ft_control *c, struct ft_producer *p, struct ft_buf *b, bool gone)
{
    struct ft_err err;

    heartbeat(c, b, gone);
    /* None is queued behind one that could not be delivered: only the newest counts. */
    if (!b->failed && ft_producer_pending(p) < 5)
        (void)!ft_send(p, c->o.topics->status, 0, ft_span_of(c->key), (struct ft_span){b->p, b->n},
                       NULL, 0, -1, 0, &err);
    (void)!ft_producer_poll(p, 0, &err);
}

/* The topics are made together.  A producer that came first would have the broker make one of its own kind, which is not
 * compacted. */
static bool may_beat(const struct ft_control *c)
{
    return c->o.topics_made || atomic_load(&c->ready);
}

/* Waits for nobody, so that a process whose database hangs is still seen. */
static void *beat_main(void *arg)
{
    struct ft_control *c = arg;
    struct ft_producer *out = NULL;
    struct ft_producer_opts po = {.linger_ms = 0};
    struct ft_buf b;
    struct ft_err err;
    int64_t next = ft_now_ms();

    ft_buf_init(&b, 256 << 10);
    while (!atomic_load(&c->stop)) {
        if (!out && ft_producer_new(&out, c->o.bus, &po, &err) != FT_OK) {
            ft_log(FT_WARN, "control", "%s", err.text);
            ft_sleep_ms(500);
        } else if (may_beat(c) && (atomic_exchange(&c->soon, 0) || ft_now_ms() >= next)) {
            send_heartbeat(c, out, &b, false);
            next = ft_now_ms() + 1000;
        } else {
            ft_sleep_ms(50);
        }
    }
    if (out) {
        if (may_beat(c))
            send_heartbeat(c, out, &b, true);
        (void)!ft_producer_flush(out, 300, &err);
        ft_producer_free(out);
    }
    ft_buf_fini(&b);
    return NULL;
}

static void *control_main(void *arg)
{
    struct ft_control *c = arg;
    struct ft_consumer *in = NULL;
    struct ft_err err;
    int64_t next = ft_now_ms();

    while (!atomic_load(&c->stop)) {
        struct ft_msg m;
        int64_t left = next - ft_now_ms();
        enum ft_status st;

        if (!in && open_consumer(c, &in, &err) != FT_OK) {
            ft_log(FT_WARN, "control", "%s", err.text);
            ft_sleep_ms(500);
            continue;
        }
        if (left <= 0) {
            fold(c);
            next = ft_now_ms() + 1000;
            continue;
        }
        st = ft_consumer_poll(in, left > 100 ? 100 : (int)left, &m, &err);
        if (st == FT_OK) {
            if (strcmp(m.topic, c->o.topics->control) == 0)
                read_control(c, &m);
            if (c->o.copy_conninfo && copy(c, &m, &err) != FT_OK && ft_seldom(&c->copy_said))
                ft_log(FT_WARN, "control", "%s", err.text);
            ft_msg_done(&m);
        } else if (st == FT_END && strcmp(m.topic, c->o.topics->control) == 0) {
            atomic_store(&c->ready, 1);
        } else if (st == FT_EFATAL) {
            ft_consumer_close(in, 500);
            in = NULL;
        }
    }
    if (in)
        ft_consumer_close(in, 500);
    ft_store_close(c->copy);
    return NULL;
}

/* ---- interface --------------------------------------------------------------------------------------- */

enum ft_status ft_control_start(struct ft_control **out, const struct ft_control_opts *opts,
                                struct ft_err *err)
{
    struct ft_control *c = calloc(1, sizeof(*c));
    int rc;

    *out = NULL;
    if (!c)
        return ft_fail(err, FT_ENOMEM, "no memory for heartbeats");
    c->o = *opts;
    c->started_ms = ft_wall_ms();
    pthread_mutex_init(&c->lock, NULL);
    if (gethostname(c->host, sizeof(c->host) - 1) != 0)
        snprintf(c->host, sizeof(c->host), "localhost");
    snprintf(c->key, sizeof(c->key), "%s/%s/%ld", opts->role, c->host, (long)getpid());
    snprintf(c->model, sizeof(c->model), "%s", opts->model ? opts->model : "");
    if (opts->secret)
        ft_secret_print(opts->secret, c->print);
    rc = pthread_create(&c->beat, NULL, beat_main, c);
    if (!rc) {
        rc = pthread_create(&c->thread, NULL, control_main, c);
        if (rc) {
            atomic_store(&c->stop, 1);
            pthread_join(c->beat, NULL);
        }
    }
    if (rc) {
        pthread_mutex_destroy(&c->lock);
        free(c);
        return ft_fail(err, FT_ENOMEM, "no thread for heartbeats: %s", strerror(rc));
    }
    *out = c;
    return FT_OK;
}

void ft_control_add(struct ft_control *c, struct ft_stage *s)
{
    pthread_mutex_lock(&c->lock);
    if (c->n_stage < MAX_STAGES)
        c->stage[c->n_stage++] = s;
    pthread_mutex_unlock(&c->lock);
}

void ft_control_remove(struct ft_control *c, struct ft_stage *s)
{
    size_t k = 0;

    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_stage; i++)
        if (c->stage[i] != s)
            c->stage[k++] = c->stage[i];
        else
            for (int m = 0; m < FT_N_METRICS; m++)
                c->retired[m] += ft_counted(&s->counters, (enum ft_metric)m);
    c->n_stage = k;
    pthread_mutex_unlock(&c->lock);
}

void ft_control_beat(struct ft_control *c)
{
    atomic_store(&c->soon, 1);
}

void ft_control_stop(struct ft_control *c)
{
    if (!c)
        return;
    atomic_store(&c->stop, 1);
    pthread_join(c->beat, NULL);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool ft_control_get(struct ft_control *c, uint64_t *seq, struct ft_in_force *out)
{
    uint64_t now = atomic_load_explicit(&c->seq, memory_order_acquire);

    if (now == *seq)
        return false;
    pthread_mutex_lock(&c->lock);
    *out = c->force;
    *seq = atomic_load(&c->seq);
    pthread_mutex_unlock(&c->lock);
    return true;
}

bool ft_control_ready(struct ft_control *c)
{
    return atomic_load(&c->ready) != 0;
}

void ft_control_of_run(struct ft_control *c, const struct ft_run *run, struct ft_run_control *out)
{
    char name[FT_RUN_TEXT + 1];

    *out = (struct ft_run_control){0};
    if (atomic_load_explicit(&c->seq, memory_order_acquire) == 0)
        return;
    ft_run_format(run, name);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_run; i++)
        if (strcmp(c->run[i].run, name) == 0)
            *out = c->run[i].c;
    pthread_mutex_unlock(&c->lock);
}

struct put {
    enum ft_status st;
    bool done;
};

static void put_delivered(void *user, uint64_t token, enum ft_status st, int32_t partition,
                          int64_t offset)
{
    struct put *p = user;

    (void)token;
    (void)partition;
    (void)offset;
    p->st = st;
    p->done = true;
}

enum ft_status ft_control_put(struct ft_bus *bus, const struct ft_topics *topics, const char *key,
                              const char *json, int timeout_ms, struct ft_err *err)
{
    struct put put = {0};
    struct ft_producer_opts po = {.linger_ms = 0, .delivered = put_delivered, .user = &put};
    struct ft_producer *p;
    struct ft_span value = {json, json ? strlen(json) : 0};
    int64_t until = ft_now_ms() + timeout_ms;
    enum ft_status st = ft_producer_new(&p, bus, &po, err);

    if (st != FT_OK)
        return st;
    st = ft_send(p, topics->control, 0, ft_span_of(key), value, NULL, 0, -1, 1, err);
    while (st == FT_OK && !put.done && ft_now_ms() < until)
        st = ft_producer_poll(p, 50, err);
    if (st == FT_AGAIN)
        st = FT_OK;
    if (st == FT_OK && !put.done)
        st = ft_fail(err, FT_EUNREACHABLE, "topic %s: no acknowledgement within %d ms",
                     topics->control, timeout_ms);
    else if (st == FT_OK && put.st != FT_OK)
        st = ft_fail(err, put.st, "topic %s: the record was refused", topics->control);
    ft_producer_free(p);
    return st;
}
