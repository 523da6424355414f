/*
 * Sink: verdicts of the topic "scoring" go into PostgreSQL in batches, the positions in the same transaction.  The
 * database is the only truth about positions; Kafka is told them too, for lag tools.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/codec.h"
#include "fraudtop/log.h"
#include "stage.h"

#define MESSAGE_VERDICTS 2048 /* more do not fit into a message of FT_MSG_MAX */
#define ARENA (4u << 20)
#define STOP_MS 3000
#define RECENT 10 /* seconds of recent latency, one histogram each */

struct part {
    int32_t partition;
    bool owned, positioned; /* positioned: the database was asked where to begin */
    bool dirty;             /* next is newer than what the database has */
    int64_t next;
    struct ft_uuid last_id; /* all zero: not known */
    bool verify;            /* the first message has to be verify_offset with verify_id */
    int64_t verify_offset;
    struct ft_uuid verify_id;
};

struct held {
    struct ft_msg msg;
    size_t first, n; /* its verdicts */
};

struct sink {
    struct ft_stage s; /* first */
    struct ft_sink_opts o;
    char cluster[128];
    struct ft_store *store;
    bool store_up;
    struct ft_consumer *in;
    struct ft_producer *dlq;
    struct ft_codec *codec;
    struct part *part;
    size_t n_part;
    struct ft_verdict *v;
    size_t n, cap;
    struct held *held; /* messages of the batch */
    size_t n_held, cap_held;
    char *arena; /* texts of verdicts that do not lie in their message */
    size_t arena_n;
    int64_t first_ms; /* when the batch began */
    int64_t committed_ms, lag_ms, stop_by_ms;
    struct ft_msg *reading; /* the message that is decoded just now */
    bool flushing, untold;  /* untold: Kafka does not know the newest positions yet */
    char bad_reason[160];
    size_t n_bad;
    struct ft_seldom said, said_bad;
    uint64_t dead_silent;
    int64_t wall_offset_ms; /* for ft_wall_step */
    /* under s.lock */
    struct ft_hist latency, recent[RECENT];
    int64_t recent_s[RECENT];
    char error[160];
};

static bool time_is_up(const struct sink *k)
{
    return ft_stage_stopping(&k->s) && k->stop_by_ms && ft_now_ms() >= k->stop_by_ms;
}

static void note_stop(struct sink *k)
{
    if (ft_stage_stopping(&k->s) && !k->stop_by_ms)
        k->stop_by_ms = ft_now_ms() + STOP_MS;
}

static void set_error(struct sink *k, const char *text)
{
    pthread_mutex_lock(&k->s.lock);
    snprintf(k->error, sizeof(k->error), "%s", text);
    pthread_mutex_unlock(&k->s.lock);
}

/* ---- partitions ------------------------------------------------------------------------------------ */

static struct part *find(struct sink *k, int32_t partition)
{
    for (size_t i = 0; i < k->n_part; i++)
        if (k->part[i].partition == partition)
            return &k->part[i];
    return NULL;
}

static struct part *add_part(struct sink *k, int32_t partition)
{
    struct part *p = find(k, partition);

    if (!p) {
        p = realloc(k->part, (k->n_part + 1) * sizeof(*p));
        if (!p)
            return NULL;
        k->part = p;
        p = &k->part[k->n_part++];
    }
    *p = (struct part){.partition = partition, .owned = true};
    return p;
}

/* Where the database says that a partition goes on.  The message before that is read again, to see whether the log
 * is still the same one. */
static enum ft_status ask_position(struct sink *k, struct part *p, int64_t *start,
                                   struct ft_err *err)
{
    struct ft_store_offset at = {0};
    const struct ft_uuid zero = {0};
    enum ft_status st = ft_store_offsets(k->store, k->cluster, k->o.group,
                                         k->s.pipe->topics.scoring, p->partition, &at, err);

    *start = FT_START_COMMITTED;
    if (st == FT_END) {
        p->positioned = true;
        return FT_OK;
    }
    if (st != FT_OK)
        return st;
    p->positioned = true;
    p->next = at.next_offset;
    p->last_id = at.last_id;
    *start = at.next_offset;
    if (at.next_offset > 0 && ft_uuid_cmp(&at.last_id, &zero) != 0) {
        p->verify = true;
        p->verify_offset = at.next_offset - 1;
        p->verify_id = at.last_id;
        *start = p->verify_offset;
    }
    return FT_OK;
}

static void assigned(void *user, struct ft_assigned *a, size_t n)
{
    struct sink *k = user;
    struct ft_err err;

    for (size_t i = 0; i < n; i++) {
        struct part *p = add_part(k, a[i].partition);

        if (!p || !k->store_up || ask_position(k, p, &a[i].start, &err) != FT_OK) {
            a[i].paused = true; /* until the database answers: see position_late */
            k->store_up = false;
        }
    }
    atomic_store(&k->s.ready, 1);
}

static void flush_once(struct sink *k);

static void revoked(void *user, const struct ft_assigned *a, size_t n, bool lost)
{
    struct sink *k = user;

    if (!lost && !k->flushing)
        flush_once(k);
    for (size_t i = 0; i < n; i++) {
        struct part *p = find(k, a[i].partition);

        if (p) {
            p->owned = false;
            p->dirty = false;
        }
    }
}

/* Partitions that came while the database was away. */
static enum ft_status position_late(struct sink *k, struct ft_err *err)
{
    for (size_t i = 0; i < k->n_part; i++) {
        struct part *p = &k->part[i];
        int64_t start;
        enum ft_status st;

        if (!p->owned || p->positioned)
            continue;
        st = ask_position(k, p, &start, err);
        if (st != FT_OK)
            return st;
        if (start >= 0)
            st = ft_consumer_seek(k->in, k->s.pipe->topics.scoring, p->partition, start, err);
        if (st != FT_OK)
            return st;
        st = ft_consumer_resume(k->in, k->s.pipe->topics.scoring, p->partition);
        if (st != FT_OK)
            return ft_fail(err, st, "partition %d cannot be resumed", p->partition);
    }
    return FT_OK;
}

static void pause_all(struct sink *k, bool paused)
{
    for (size_t i = 0; i < k->n_part; i++) {
        struct part *p = &k->part[i];

        if (!p->owned || !p->positioned)
            continue;
        if (paused)
            (void)!ft_consumer_pause(k->in, k->s.pipe->topics.scoring, p->partition);
        else
            (void)!ft_consumer_resume(k->in, k->s.pipe->topics.scoring, p->partition);
    }
}

/* ---- waiting for the database ---------------------------------------------------------------------- */

/* Polls with every partition paused, so that the group keeps us; what comes in spite of it is read again later. */
static void poll_paused(struct sink *k, int ms)
{
    int64_t until = ft_now_ms() + ms;
    struct ft_msg m;
    struct ft_err err;

    while (!ft_stage_stopping(&k->s) && ft_now_ms() < until) {
        enum ft_status st = ft_consumer_poll(k->in, 50, &m, &err);

        if (st == FT_OK) {
            (void)!ft_consumer_seek(k->in, m.topic, m.partition, m.offset, &err);
            ft_msg_done(&m);
        } else if (st != FT_AGAIN) {
            ft_sleep_ms(50);
        }
    }
}

static int backoff_ms(int tries)
{
    uint32_t r;
    int ms = tries > 5 ? 5000 : 100 << tries;

    ft_random(&r, sizeof(r));
    if (ms > 5000)
        ms = 5000;
    return ms / 2 + (int)(r % (uint32_t)(ms / 2 + 1));
}

static enum ft_status wait_store(struct sink *k, const struct ft_err *why, struct ft_err *err)
{
    enum ft_status st = FT_EUNREACHABLE;

    k->store_up = false;
    ft_stage_state(&k->s, FT_STAGE_WAITING);
    ft_count(&k->s.counters, FT_M_RETRIES, 1);
    set_error(k, why->text);
    if (ft_seldom(&k->said))
        ft_log(FT_WARN, "sink", "waiting for PostgreSQL: %s", why->text);
    if (k->in)
        pause_all(k, true);
    for (int tries = 0; st == FT_EUNREACHABLE; tries++) {
        note_stop(k);
        if (ft_stage_stopping(&k->s) && (tries || time_is_up(k)))
            return FT_ESTOPPED;
        if (k->in)
            poll_paused(k, backoff_ms(tries));
        else
            ft_stage_sleep(&k->s, backoff_ms(tries));
        st = ft_store_reconnect(k->store, 2000, err);
        if (st == FT_EUNREACHABLE && ft_seldom(&k->said))
            ft_log(FT_WARN, "sink", "still waiting for PostgreSQL: %s", err->text);
        if (st == FT_OK) {
            k->store_up = true;
            st = k->in ? position_late(k, err) : FT_OK;
        }
    }
    if (st != FT_OK)
        return st;
    if (k->in)
        pause_all(k, false);
    set_error(k, "");
    ft_stage_state(&k->s, FT_STAGE_RUNNING);
    return FT_OK;
}

/* ---- dead letters ---------------------------------------------------------------------------------- */

static enum ft_status dead_letter(struct sink *k, const struct ft_msg *m, const char *reason,
                                  struct ft_err *err)
{
    struct ft_producer_opts po = {.linger_ms = 0, .large = true};

    ft_count(&k->s.counters, FT_M_SINK_DEAD, 1);
    if (ft_seldom(&k->said_bad))
        ft_log(FT_WARN, "sink", "%s partition %d offset %" PRId64 ": %s (to %s)", m->topic,
               m->partition, m->offset, reason, k->s.pipe->topics.scoring_dlq);
    if (!k->dlq) {
        enum ft_status st = ft_producer_new(&k->dlq, k->s.pipe->bus, &po, err);

        if (st != FT_OK)
            return st;
    }
    return ft_dead_letter(k->dlq, k->s.pipe->topics.scoring_dlq, m, reason, 0, err);
}

static enum ft_status dead_letters_delivered(struct sink *k, struct ft_err *err)
{
    while (k->dlq) {
        enum ft_status st = ft_producer_flush(k->dlq, 200, err);

        if (st == FT_OK || st == FT_EFATAL)
            return st;
        note_stop(k);
        if (time_is_up(k))
            return FT_ESTOPPED;
    }
    return FT_OK;
}

/* ---- writing --------------------------------------------------------------------------------------- */

static size_t dirty_offsets(struct sink *k, struct ft_store_offset *off, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n_part && n < max; i++)
        if (k->part[i].dirty)
            off[n++] = (struct ft_store_offset){.topic = k->s.pipe->topics.scoring,
                                                .partition = k->part[i].partition,
                                                .next_offset = k->part[i].next,
                                                .last_id = k->part[i].last_id};
    return n;
}

static enum ft_status write_range(struct sink *k, size_t from, size_t to, bool with_offsets,
                                  struct ft_err *err);

static const struct held *message_of(const struct sink *k, size_t i)
{
    for (size_t h = 0; h < k->n_held; h++)
        if (i >= k->held[h].first && i < k->held[h].first + k->held[h].n)
            return &k->held[h];
    return NULL;
}

/* A row of the range is refused by the database: halve until it stands alone. */
static enum ft_status halve(struct sink *k, size_t from, size_t to, bool with_offsets,
                            struct ft_err *err)
{
    enum ft_status st;
    struct ft_err why = *err;
    size_t mid = from + (to - from) / 2;

    if (to - from > 1) {
        st = write_range(k, from, mid, false, err);
        return st == FT_OK ? write_range(k, mid, to, with_offsets, err) : st;
    }
    if (to - from == 1) {
        const struct held *h = message_of(k, from);

        st = h ? dead_letter(k, &h->msg, why.text, err) : FT_OK;
        if (st == FT_OK)
            st = dead_letters_delivered(k, err);
        if (st != FT_OK)
            return st;
    }
    return with_offsets && to > from ? write_range(k, to, to, true, err) : FT_OK;
}

static enum ft_status write_range(struct sink *k, size_t from, size_t to, bool with_offsets,
                                  struct ft_err *err)
{
    struct ft_store_offset off[256];

    for (;;) {
        /* Made anew for every try: a partition may have been taken away while we waited. */
        size_t n_off = with_offsets ? dirty_offsets(k, off, 256) : 0, n_new = 0;
        struct ft_err why;
        enum ft_status st = ft_store_write(k->store, k->cluster, k->o.group, k->v + from, to - from,
                                           off, n_off, &n_new, &why);

        if (st == FT_OK) {
            ft_count(&k->s.counters, FT_M_STORED, n_new);
            ft_count(&k->s.counters, FT_M_SINK_REPEATED, to - from - n_new);
            return FT_OK;
        }
        *err = why;
        if (st == FT_EINPUT && to > from)
            return halve(k, from, to, with_offsets, err);
        if (st != FT_EUNREACHABLE && st != FT_AGAIN)
            return st;
        st = wait_store(k, &why, err);
        if (st != FT_OK)
            return st;
    }
}

static void count_latency(struct sink *k)
{
    int64_t now = ft_wall_ms(), second = ft_now_ms() / 1000;
    size_t slot = (size_t)(second % RECENT);

    k->o.started_ms += ft_wall_step(&k->wall_offset_ms);
    pthread_mutex_lock(&k->s.lock);
    if (k->recent_s[slot] != second) {
        ft_hist_clear(&k->recent[slot]);
        k->recent_s[slot] = second;
    }
    for (size_t i = 0; i < k->n_held; i++) {
        int64_t due = k->held[i].msg.timestamp_ms;

        if (due < 0 || due < k->o.started_ms || k->held[i].n == 0)
            continue;
        ft_hist_add(&k->latency, now > due ? (uint64_t)(now - due) * 1000 : 0);
        ft_hist_add(&k->recent[slot], now > due ? (uint64_t)(now - due) * 1000 : 0);
    }
    pthread_mutex_unlock(&k->s.lock);
}

static void batch_done(struct sink *k)
{
    for (size_t i = 0; i < k->n_held; i++)
        ft_msg_done(&k->held[i].msg);
    k->n = k->n_held = k->arena_n = 0;
}

/* The topic was made anew and has grown past our positions: they, and what was read at them, mean nothing there. */
static enum ft_status forget_positions(struct sink *k, struct ft_err *err)
{
    struct ft_store_offset off[256];
    struct ft_err why = *err;
    size_t n_new;

    for (size_t i = 0; i < k->n_part; i++) {
        k->part[i].next = 0;
        k->part[i].last_id = (struct ft_uuid){0};
        k->part[i].dirty = k->part[i].owned && k->part[i].positioned;
    }
    if (ft_store_write(k->store, k->cluster, k->o.group, NULL, 0, off, dirty_offsets(k, off, 256),
                       &n_new, err) != FT_OK)
        return FT_OK; /* seen again with the next commit */
    *err = why;
    return FT_EFATAL;
}

/* For lag tools, so now and then is enough, and the answer is not waited for.  FT_EFATAL: begin again. */
static enum ft_status tell_kafka(struct sink *k, bool now, struct ft_err *err)
{
    struct ft_offset off[256];
    int64_t t = ft_now_ms();
    size_t n = 0;
    struct ft_bus_health health;

    if (!now && t - k->committed_ms < 1000)
        return FT_OK;
    k->committed_ms = t;
    k->untold = false;
    for (size_t i = 0; i < k->n_part && n < 256; i++)
        if (k->part[i].owned && k->part[i].positioned && k->part[i].next > 0)
            off[n++] = (struct ft_offset){k->s.pipe->topics.scoring, k->part[i].partition,
                                          k->part[i].next};
    ft_bus_health(k->s.pipe->bus, &health);
    if (n && ft_consumer_commit(k->in, off, n, now && health.up, err) == FT_EFATAL)
        return forget_positions(k, err);
    return FT_OK;
}

static enum ft_status flush(struct sink *k, struct ft_err *err)
{
    enum ft_status st;

    if (!k->n_held)
        return k->untold ? tell_kafka(k, false, err) : FT_OK;
    k->flushing = true;
    st = dead_letters_delivered(k, err);
    if (st == FT_OK)
        st = write_range(k, 0, k->n, true, err);
    k->flushing = false;
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < k->n_part; i++)
        k->part[i].dirty = false;
    count_latency(k);
    batch_done(k);
    k->untold = true;
    return tell_kafka(k, false, err);
}

/* On a revocation: one try, without waiting.  What fails is read again by the next owner. */
static void flush_once(struct sink *k)
{
    struct ft_store_offset off[256];
    struct ft_err err;
    size_t n_new = 0;

    if (!k->n_held || !k->store_up || dead_letters_delivered(k, &err) != FT_OK ||
        ft_store_write(k->store, k->cluster, k->o.group, k->v, k->n, off,
                       dirty_offsets(k, off, 256), &n_new, &err) != FT_OK)
        return;
    ft_count(&k->s.counters, FT_M_STORED, n_new);
    ft_count(&k->s.counters, FT_M_SINK_REPEATED, k->n - n_new);
    for (size_t i = 0; i < k->n_part; i++)
        k->part[i].dirty = false;
    count_latency(k);
    batch_done(k);
    (void)!tell_kafka(k, true, &err);
}

/* ---- reading --------------------------------------------------------------------------------------- */

/* Texts in the message live as long as it is held; others are copied. */
static struct ft_span keep(struct sink *k, struct ft_span t)
{
    const struct ft_span *msg = &k->reading->value;

    if (!t.n || (t.p >= msg->p && t.p + t.n <= msg->p + msg->n))
        return t;
    if (k->arena_n + t.n > ARENA)
        return (struct ft_span){0}; /* cannot be: see room */
    memcpy(k->arena + k->arena_n, t.p, t.n);
    t.p = k->arena + k->arena_n;
    k->arena_n += t.n;
    return t;
}

static void good(void *user, const struct ft_verdict *v)
{
    struct sink *k = user;
    struct ft_verdict *to;

    if (k->n == k->cap)
        return;
    to = &k->v[k->n++];
    *to = *v;
    to->model = keep(k, v->model);
    to->amount = keep(k, v->amount);
    to->reasons_json = keep(k, v->reasons_json);
    to->data_json = keep(k, v->data_json);
    to->history_json = keep(k, v->history_json);
    to->usual_json = keep(k, v->usual_json);
    to->features_json = keep(k, v->features_json);
    to->challenger_json = keep(k, v->challenger_json);
}

static void bad(void *user, struct ft_span element, const char *reason)
{
    struct sink *k = user;

    (void)element;
    if (!k->n_bad++)
        snprintf(k->bad_reason, sizeof(k->bad_reason), "%s", reason);
}

static bool room(const struct sink *k)
{
    return k->n < k->o.batch_rows && k->n_held < k->cap_held &&
           k->arena_n + (FT_MSG_MAX << 1) <= ARENA;
}

/* The log is not the one that the database knows: topic made anew, or another cluster under the same name. */
static enum ft_status start_over(struct sink *k, struct part *p, const struct ft_msg *m,
                                 struct ft_err *err)
{
    ft_log(FT_WARN, "sink",
           "%s partition %d: the message at offset %" PRId64
           " is another one than was stored; the topic was made anew: reading from its start",
           m->topic, m->partition, m->offset);
    p->verify = false;
    p->next = 0;
    p->last_id = (struct ft_uuid){0};
    return ft_consumer_seek(k->in, m->topic, m->partition, FT_START_EARLIEST, err);
}

/* FT_AGAIN: the message was only the one before our position (or we start over): nothing to store. */
static enum ft_status verify(struct sink *k, struct part *p, struct ft_msg *m, struct ft_err *err)
{
    struct ft_codec_verdict_cb cb = {good, bad, k};
    size_t n = k->n, arena_n = k->arena_n;
    bool same = false;
    enum ft_status st;

    p->verify = false;
    if (m->offset > p->verify_offset) {
        if (m->offset > p->verify_offset + 1)
            ft_log(FT_ERROR, "sink",
                   "%s partition %d: messages from offset %" PRId64 " to %" PRId64
                   " are gone before they were stored (retention)",
                   m->topic, m->partition, p->verify_offset + 1, m->offset - 1);
        return FT_OK;
    }
    if (m->offset < p->verify_offset)
        return start_over(k, p, m, err) == FT_OK ? FT_AGAIN : FT_EFATAL;
    k->n_bad = 0;
    k->reading = m;
    (void)!ft_codec_read_verdicts(k->codec, m->value, &cb, err);
    for (size_t i = n; i < k->n; i++)
        same |= ft_uuid_cmp(&k->v[i].id, &p->verify_id) == 0;
    k->n = n;
    k->arena_n = arena_n;
    if (same)
        return FT_AGAIN;
    st = start_over(k, p, m, err);
    return st == FT_OK ? FT_AGAIN : st;
}

static enum ft_status take(struct sink *k, struct ft_msg *m, struct ft_err *err)
{
    struct ft_codec_verdict_cb cb = {good, bad, k};
    struct part *p = find(k, m->partition);
    struct held *h;
    size_t first = k->n;
    struct ft_err why;
    enum ft_status st;

    if (!p || !p->owned) { /* taken away meanwhile: its new owner reads it */
        ft_msg_done(m);
        return FT_OK;
    }
    if (p->verify) {
        st = verify(k, p, m, err);
        if (st != FT_OK) {
            ft_msg_done(m);
            return st == FT_AGAIN ? FT_OK : st;
        }
    }
    k->n_bad = 0;
    k->reading = m;
    why.text[0] = '\0';
    st = m->value.p ? ft_codec_read_verdicts(k->codec, m->value, &cb, &why)
                    : ft_fail(&why, FT_EINPUT, "null payload");
    if (st != FT_OK || k->n_bad) {
        enum ft_status sent;

        if (st != FT_OK)
            k->n = first;
        sent = dead_letter(k, m, st != FT_OK ? why.text : k->bad_reason, err);
        if (sent != FT_OK) {
            k->n = first;
            ft_msg_done(m);
            return sent;
        }
    }
    if (!k->n_held)
        k->first_ms = ft_now_ms();
    h = &k->held[k->n_held++];
    *h = (struct held){*m, first, k->n - first};
    ft_count(&k->s.counters, FT_M_SINK_RECEIVED, h->n);
    p->next = m->offset + 1;
    p->last_id = h->n ? k->v[k->n - 1].id : (struct ft_uuid){0};
    p->dirty = true;
    return FT_OK;
}

static void note_lag(struct sink *k)
{
    int64_t now = ft_now_ms();

    if (now - k->lag_ms < 500)
        return;
    k->lag_ms = now;
    atomic_store(&k->s.counters.lag, ft_consumer_lag(k->in));
}

/* One batch. */
static enum ft_status turn(struct sink *k, struct ft_err *err)
{
    struct ft_msg m;
    struct ft_err news;
    enum ft_status st = FT_OK;

    while (st == FT_OK && room(k) && !ft_stage_stopping(&k->s)) {
        /* The clock is asked only once nothing is there at once. */
        st = ft_consumer_poll(k->in, k->n_held ? 0 : 100, &m, &news);
        if (st == FT_AGAIN && k->n_held) {
            int64_t left = k->first_ms + k->o.batch_ms - ft_now_ms();

            st = ft_consumer_poll(k->in, left > 0 ? (int)left : 0, &m, &news);
        }
        if (st == FT_OK) {
            st = take(k, &m, err);
            if (st != FT_OK)
                return st;
            continue;
        }
        if (st == FT_EFATAL) {
            *err = news;
            return st;
        }
        if (st == FT_EINPUT)
            ft_log(FT_ERROR, "sink", "%s", news.text);
        else if (st == FT_EUNREACHABLE && ft_seldom(&k->said))
            ft_log(FT_WARN, "sink", "%s", news.text);
        if (!k->n_held || ft_now_ms() - k->first_ms >= k->o.batch_ms)
            break;
        st = FT_OK;
    }
    note_stop(k);
    note_lag(k);
    if (!k->store_up && !ft_stage_stopping(&k->s)) {
        struct ft_err why;

        ft_fail(&why, FT_EUNREACHABLE, "connection lost");
        st = wait_store(k, &why, err);
        if (st != FT_OK)
            return st;
    }
    return flush(k, err);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

static enum ft_status open_store(struct sink *k, struct ft_err *err)
{
    for (int tries = 0;; tries++) {
        enum ft_status st = ft_store_open(&k->store, k->o.conninfo, true, 2000, err);

        if (st != FT_EUNREACHABLE)
            return st;
        ft_stage_state(&k->s, FT_STAGE_WAITING);
        set_error(k, err->text);
        if (ft_seldom(&k->said))
            ft_log(FT_WARN, "sink", "waiting for PostgreSQL: %s", err->text);
        ft_stage_sleep(&k->s, backoff_ms(tries));
        if (ft_stage_stopping(&k->s))
            return FT_ESTOPPED;
    }
}

static enum ft_status know_cluster(struct sink *k, struct ft_err *err)
{
    while (!ft_stage_stopping(&k->s)) {
        enum ft_status st =
            ft_bus_cluster_id(k->s.pipe->bus, 1000, k->cluster, sizeof(k->cluster), err);

        if (st != FT_EUNREACHABLE && st != FT_AGAIN)
            return st;
        ft_stage_state(&k->s, FT_STAGE_WAITING);
        set_error(k, err->text);
        if (ft_seldom(&k->said))
            ft_log(FT_WARN, "sink", "waiting for Kafka: %s", err->text);
        ft_stage_sleep(&k->s, 200);
    }
    return FT_ESTOPPED;
}

static enum ft_status session(struct sink *k, struct ft_err *err)
{
    const char *topic = k->s.pipe->topics.scoring;
    struct ft_consumer_opts co = {.group = k->o.group,
                                  .topics = &topic,
                                  .n_topics = 1,
                                  .queued_kbytes = k->o.queued_kbytes,
                                  .queued_messages = k->o.queued_messages,
                                  .assigned = assigned,
                                  .revoked = revoked,
                                  .user = k};
    enum ft_status st = ft_consumer_new(&k->in, k->s.pipe->bus, &co, err);

    if (st != FT_OK)
        return st;
    ft_stage_state(&k->s, FT_STAGE_RUNNING);
    set_error(k, "");
    while (st == FT_OK && !ft_stage_stopping(&k->s))
        st = turn(k, err);
    note_stop(k);
    if (st == FT_OK)
        st = flush(k, err);
    if (st == FT_OK)
        (void)!tell_kafka(k, true, err);
    batch_done(k);
    ft_consumer_close(k->in, 1500);
    k->in = NULL;
    k->n_part = 0;
    return st;
}

static enum ft_status run(struct ft_stage *s, struct ft_err *err)
{
    struct sink *k = (struct sink *)s;
    enum ft_status st = open_store(k, err);

    k->store_up = st == FT_OK;
    if (st == FT_OK)
        st = know_cluster(k, err);
    while (st == FT_OK && !ft_stage_stopping(s)) {
        st = session(k, err);
        if (st == FT_EFATAL && !ft_stage_stopping(s)) {
            ft_log(FT_WARN, "sink", "%s; beginning again from the last commit", err->text);
            ft_producer_free(k->dlq);
            k->dlq = NULL;
            ft_stage_sleep(s, 500);
            st = FT_OK;
        }
    }
    ft_producer_free(k->dlq);
    k->dlq = NULL;
    ft_store_close(k->store);
    k->store = NULL;
    return st;
}

static void destroy(struct ft_stage *s)
{
    struct sink *k = (struct sink *)s;

    ft_codec_free(k->codec);
    free(k->part);
    free(k->v);
    free(k->held);
    free(k->arena);
}

enum ft_status ft_sink_start(struct ft_stage **out, const struct ft_pipe *pipe,
                             const struct ft_sink_opts *opts, struct ft_err *err)
{
    struct sink *k = calloc(1, sizeof(*k));
    enum ft_status st;

    *out = NULL;
    if (!k)
        return ft_fail(err, FT_ENOMEM, "no memory for the sink");
    ft_stage_init(&k->s, FT_STAGE_SINK, pipe);
    k->s.run = run;
    k->s.destroy = destroy;
    k->o = *opts;
    (void)ft_wall_step(&k->wall_offset_ms); /* of the clock that started_ms is of */
    if (!k->o.batch_rows)
        k->o.batch_rows = 1000;
    if (k->o.batch_ms <= 0)
        k->o.batch_ms = 5;
    k->cap = k->o.batch_rows + MESSAGE_VERDICTS;
    k->cap_held = k->o.batch_rows;
    k->v = calloc(k->cap, sizeof(*k->v));
    k->held = calloc(k->cap_held, sizeof(*k->held));
    k->arena = malloc(ARENA);
    k->codec = ft_codec_new();
    if (!k->v || !k->held || !k->arena || !k->codec)
        st = ft_fail(err, FT_ENOMEM, "no memory for the sink");
    else
        st = ft_stage_begin(&k->s, err);
    if (st != FT_OK) {
        ft_stage_free(&k->s);
        return st;
    }
    *out = &k->s;
    return FT_OK;
}

void ft_sink_latency(struct ft_stage *s, struct ft_hist *all, struct ft_hist *recent)
{
    struct sink *k = (struct sink *)s;
    int64_t second = ft_now_ms() / 1000;

    pthread_mutex_lock(&s->lock);
    if (all)
        ft_hist_merge(all, &k->latency);
    for (size_t i = 0; recent && i < RECENT; i++)
        if (k->recent_s[i] > second - RECENT)
            ft_hist_merge(recent, &k->recent[i]);
    pthread_mutex_unlock(&s->lock);
}

void ft_sink_error(struct ft_stage *s, char *out, size_t size)
{
    pthread_mutex_lock(&s->lock);
    snprintf(out, size, "%s", ((struct sink *)s)->error);
    pthread_mutex_unlock(&s->lock);
}

void ft_sink_heartbeat(struct ft_stage *const *s, size_t n, struct ft_buf *out)
{
    struct ft_hist recent;
    char error[160] = "";

    ft_hist_clear(&recent);
    for (size_t i = 0; i < n; i++) {
        ft_sink_latency(s[i], NULL, &recent);
        if (!*error)
            ft_sink_error(s[i], error, sizeof(error));
    }
    if (recent.count)
        ft_buf_fmt(out, ",\"latency_ms\":{\"p50\":%.3f,\"p99\":%.3f}",
                   (double)ft_hist_quantile(&recent, 0.5) / 1000,
                   (double)ft_hist_quantile(&recent, 0.99) / 1000);
    ft_buf_text(out, ",\"sink_error\":");
    ft_buf_json(out, ft_span_of(error));
}
