/* Consumers, of a group or reading given partitions. */
#include "bus_kafka.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define QUEUED_KBYTES 32768
#define ASK_MS 5000  /* for what a callback must ask the broker */
#define SAME_MS 1000 /* for what is asked before each commit */
#define LOOK_MS 2000 /* how often it is asked while nothing comes */
#define BEHIND 8     /* looks at a partition that stands still */
#define SILENT 4     /* looks at a partition of which nothing was heard since it began */
#define IDLE 3       /* looks with no partition at all */
/*
 * Between two assignments: when a partition is taken out again while its last stop is under way, 2.0.2 aborts the process
 * ("Assertion `rktp->rktp_started' failed").  Nothing tells when a stop is done; it takes some milliseconds.
 */
#define SETTLE_MS 500
#define FLOW 64      /* while messages come: a look after so many, unless as many wait */
#define AHEAD 1024   /* messages read ahead: of less no limit is reached */
#define WAKE_MS 20   /* between two questions that wake the library */
#define WOKEN_MS 100 /* longest wait for an answer to one: asking is what wakes it */

/* A partition that is ours. */
struct part {
    char topic[250];
    int32_t partition;
    int64_t pos; /* next offset to be given to the caller; negative: not known yet (FT_START_…) */
    bool paused;
    bool committed;      /* the group is known to have an offset of it */
    bool in_txn;         /* it will have one with the end of a transaction */
    int64_t reset_at_ms; /* its position lies outside the log: when to look again; 0: it does not */
    int64_t seen_pos;    /* at the last look */
    int n_behind;        /* looks since it moved that found messages behind it */
    bool heard;          /* a message or the end of the log came since it is ours */
    int n_silent;        /* looks without that */
};

struct ft_consumer {
    const struct ft_bus_ops *ops;
    struct kb_client client; /* opaque of the callbacks */
    struct ft_consumer_opts opts;
    bool grouped;
    struct part *part;
    size_t n_parts;
    size_t last; /* index of the part that had the last message */
    const rd_kafka_topic_t *last_rkt;
    size_t n_resets;                   /* parts with reset_at_ms */
    rd_kafka_queue_t *answers, *ahead; /* ahead: what was read and not taken yet */
    size_t peak;                       /* the most of that since the library was woken */
    int64_t wake_ms;                   /* when it may be woken again */
    struct kb_client asker;            /* see kb_asker_new */
    int64_t look_at_ms;                /* when the next look is due */
    unsigned n_flow;                   /* messages, for FLOW */
    int64_t assigned_ms;               /* for SETTLE_MS */
    int n_idle;                        /* looks without a partition */
};

static struct ft_consumer *consumer_of(void *client)
{
    return (struct ft_consumer *)((char *)client - offsetof(struct ft_consumer, client));
}

rd_kafka_t *kb_consumer_handle(struct ft_consumer *c)
{
    return c->client.rk;
}

static struct part *find(struct ft_consumer *c, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->part[i].partition == partition && strcmp(c->part[i].topic, topic) == 0)
            return &c->part[i];
    return NULL;
}

/* Messages come in runs of one partition: the last one's part is tried first. */
static struct part *part_of(struct ft_consumer *c, const rd_kafka_message_t *m)
{
    struct part *p = c->n_parts ? &c->part[c->last] : NULL;

    if (p && m->rkt == c->last_rkt && p->partition == m->partition)
        return p;
    p = m->rkt ? find(c, rd_kafka_topic_name(m->rkt), m->partition) : NULL;
    if (p) {
        c->last = (size_t)(p - c->part);
        c->last_rkt = m->rkt;
    }
    return p;
}

static enum ft_status fail_part(const struct part *p, rd_kafka_resp_err_t e, struct ft_err *err)
{
    return ft_fail(err, kb_status(e), "%s [%d]: %s", p->topic, (int)p->partition, kb_text(e));
}

static rd_kafka_topic_partition_list_t *list_one(const char *topic, int32_t partition,
                                                 int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    return list;
}

/* ---- assignment ------------------------------------------------------------------------------------ */

static void forget_parts(struct ft_consumer *c)
{
    free(c->part);
    c->part = NULL;
    c->n_parts = c->last = c->n_resets = 0;
    c->last_rkt = NULL;
}

static rd_kafka_resp_err_t assign(struct ft_consumer *c,
                                  const rd_kafka_topic_partition_list_t *list)
{
    int64_t settled = c->assigned_ms + SETTLE_MS, now = ft_now_ms();

    if (c->assigned_ms && now < settled)
        ft_sleep_ms((int)(settled - now));
    c->assigned_ms = ft_now_ms();
    return rd_kafka_assign(c->client.rk, list);
}

/* Hands c->part, with its positions, to the library; begins every partition anew. */
static rd_kafka_resp_err_t assign_parts(struct ft_consumer *c)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)c->n_parts + 1);
    rd_kafka_topic_partition_list_t *held = rd_kafka_topic_partition_list_new((int)c->n_parts + 1);
    rd_kafka_resp_err_t e;

    for (size_t i = 0; i < c->n_parts; i++) {
        const struct part *p = &c->part[i];

        rd_kafka_topic_partition_list_add(all, p->topic, p->partition)->offset = p->pos;
        if (p->paused)
            rd_kafka_topic_partition_list_add(held, p->topic, p->partition);
    }
    c->last_rkt = NULL;
    e = assign(c, all);
    if (!e && held->cnt)
        e = rd_kafka_pause_partitions(c->client.rk, held);
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_topic_partition_list_destroy(held);
    return e;
}

static bool take_parts(struct ft_consumer *c, const struct ft_assigned *part, size_t n)
{
    forget_parts(c);
    c->part = calloc(n ? n : 1, sizeof(*c->part));
    if (!c->part)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct part *p = &c->part[i];

        snprintf(p->topic, sizeof(p->topic), "%s", part[i].topic);
        p->partition = part[i].partition;
        p->pos = part[i].start;
        p->paused = part[i].paused;
    }
    c->n_parts = n;
    return true;
}

/*
 * The group's offsets of the partitions that are to begin there; none: the beginning.  Of those that begin elsewhere it is asked
 * only whether there are any, for same_topic.  A partition that begins paused is left alone: its owner will seek, and its offset
 * may be held up by a transaction that the owner has yet to end.
 */
static void fetch_committed(struct ft_consumer *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)c->n_parts + 1);

    for (size_t i = 0; i < c->n_parts; i++)
        if (!c->part[i].paused)
            rd_kafka_topic_partition_list_add(list, c->part[i].topic, c->part[i].partition);
    if (list->cnt && !rd_kafka_committed(c->client.rk, list, ASK_MS))
        for (int i = 0; i < list->cnt; i++) {
            const rd_kafka_topic_partition_t *e = &list->elems[i];
            struct part *p = find(c, e->topic, e->partition);

            if (!p || e->err)
                continue;
            p->committed = e->offset >= 0;
            if (p->pos == FT_START_COMMITTED)
                p->pos = p->committed            ? e->offset
                         : c->client.bus->latest ? FT_START_LATEST
                                                 : FT_START_EARLIEST;
        }
    rd_kafka_topic_partition_list_destroy(list); /* on trouble the library asks again by itself */
}

static struct ft_assigned *assigned_of(const rd_kafka_topic_partition_list_t *list)
{
    struct ft_assigned *a = calloc((size_t)list->cnt + 1, sizeof(*a));

    for (int i = 0; a && i < list->cnt; i++)
        a[i] = (struct ft_assigned){list->elems[i].topic, list->elems[i].partition,
                                    FT_START_COMMITTED, false};
    return a;
}

static void on_assign(struct ft_consumer *c, const rd_kafka_topic_partition_list_t *list)
{
    struct ft_assigned *a = assigned_of(list);
    size_t n = (size_t)list->cnt;

    if (a && c->opts.assigned && n)
        c->opts.assigned(c->opts.user, a, n);
    if (!a || !take_parts(c, a, n)) {
        ft_log(FT_ERROR, "kafka", "no memory for %zu partitions", n);
        assign(c, NULL);
    } else {
        fetch_committed(c);
        assign_parts(c);
    }
    free(a);
}

static void on_revoke(struct ft_consumer *c, const rd_kafka_topic_partition_list_t *list)
{
    struct ft_assigned *a = assigned_of(list);
    bool lost = rd_kafka_assignment_lost(c->client.rk);

    if (a && c->opts.revoked && list->cnt && c->n_parts)
        c->opts.revoked(c->opts.user, a, (size_t)list->cnt, lost);
    free(a);
    forget_parts(c);
    assign(c, NULL);
    c->assigned_ms = 0; /* the library waits for the stops before it joins the group again */
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t e,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct ft_consumer *c = consumer_of(opaque);

    (void)rk;
    if (e == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        kb_up(c->client.bus);
        on_assign(c, list);
    } else if (e == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        on_revoke(c, list);
    } else {
        ft_log(FT_WARN, "kafka", "rebalance: %s", kb_text(e));
        assign(c, NULL);
    }
}

/* ---- positions outside the log --------------------------------------------------------------------- */

/*
 * auto.offset.reset is "error", so that a reset is ours to make and to tell.  The partition stands still after the
 * error; assigning everything again at the present positions moves it, and repeats and loses nothing elsewhere.
 */
static enum ft_status reset(struct ft_consumer *c, struct part *p, struct ft_err *err)
{
    struct ft_partition_info log = {.partition = p->partition};
    int64_t was = p->pos;
    rd_kafka_resp_err_t e;

    if (was < 0) { /* no committed offset: not a loss */
        p->pos = c->client.bus->latest ? FT_START_LATEST : FT_START_EARLIEST;
    } else {
        e = kb_watermarks(c->client.rk, p->topic, &log, 1, 1000);
        if (e) {
            p->reset_at_ms = ft_now_ms() + 1000;
            return fail_part(p, e, err);
        }
        if (was < log.low || was > log.high)
            p->pos = log.low;
        if (was > log.high)
            p->committed = false; /* it went with the old topic */
    }
    p->reset_at_ms = 0;
    c->n_resets--;
    e = assign_parts(c);
    if (e)
        return fail_part(p, e, err);
    if (was >= 0 && was > log.high)
        return ft_fail(err, FT_EINPUT,
                       "%s [%d]: offset %" PRId64 " lies behind the end (%" PRId64
                       "): the topic was made anew; reading from its beginning",
                       p->topic, (int)p->partition, was, log.high);
    if (was >= 0 && was < log.low)
        return ft_fail(err, FT_EINPUT,
                       "%s [%d]: %" PRId64 " unread messages (offsets %" PRId64 " to %" PRId64
                       ") were removed by the retention: they are lost",
                       p->topic, (int)p->partition, log.low - was, was, log.low - 1);
    return FT_AGAIN;
}

static enum ft_status reset_due(struct ft_consumer *c, struct ft_err *err)
{
    int64_t now = ft_now_ms();

    for (size_t i = 0; i < c->n_parts; i++)
        if (c->part[i].reset_at_ms && c->part[i].reset_at_ms <= now)
            return reset(c, &c->part[i], err);
    return FT_AGAIN;
}

/* ---- polling --------------------------------------------------------------------------------------- */

static void fill(struct ft_msg *out, const struct ft_consumer *c, rd_kafka_message_t *m)
{
    *out = (struct ft_msg){
        .topic = rd_kafka_topic_name(m->rkt),
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
        .key = {m->key,     m->key_len},
        .value = {m->payload, m->len    },
        .handle = m,
        .ops = c->ops,
    };
}

/* What is no message; FT_AGAIN: nothing for the caller. */
static enum ft_status event(struct ft_consumer *c, const rd_kafka_message_t *m, struct ft_msg *out,
                            struct ft_err *err)
{
    struct part *p = part_of(c, m);

    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        kb_up(c->client.bus);
        if (!p)
            return FT_AGAIN;
        p->pos = m->offset; /* over control records */
        p->heard = true;
        *out = (struct ft_msg){.topic = p->topic, .partition = p->partition, .offset = p->pos};
        return c->opts.eof_events ? FT_END : FT_AGAIN;
    }
    if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && p) {
        c->n_resets += !p->reset_at_ms;
        p->reset_at_ms = 1;
        return reset_due(c, err);
    }
    if (m->err == RD_KAFKA_RESP_ERR__FATAL || c->client.fatal) {
        enum ft_status st = kb_fatal(&c->client, err);

        return st == FT_OK ? FT_EFATAL : st;
    }
    return ft_fail(err, FT_EUNREACHABLE, "%s%s%s", m->rkt ? rd_kafka_topic_name(m->rkt) : "",
                   m->rkt ? ": " : "", m->payload ? rd_kafka_message_errstr(m) : kb_text(m->err));
}

/*
 * A topic that was made anew and holds by now just as many messages as we had read is a partition in which nothing happens:
 * no fetch fails, and nothing is committed that would show it.  The group's offsets went with the old topic.
 */
static enum ft_status look_anew(struct ft_consumer *c, struct ft_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)c->n_parts);
    enum ft_status st = FT_AGAIN;

    for (size_t i = 0; i < c->n_parts; i++)
        if (c->part[i].committed)
            rd_kafka_topic_partition_list_add(list, c->part[i].topic, c->part[i].partition);
    if (list->cnt && !rd_kafka_committed(c->asker.rk ? c->asker.rk : c->client.rk, list, SAME_MS))
        for (int i = 0; i < list->cnt; i++)
            if (!list->elems[i].err && list->elems[i].offset < 0)
                st = ft_fail(err, FT_EFATAL, "%s [%d]: the topic was made anew",
                             list->elems[i].topic, (int)list->elems[i].partition);
    rd_kafka_topic_partition_list_destroy(list);
    return st;
}

/*
 * After a rebalance with a broker that hung, 2.0.2 can stop to fetch a partition for good, without a word.  One that was found
 * BEHIND times with messages behind an unmoved position costs the client.  Asks nobody, so that a broker that hangs holds up
 * nothing.
 */
static enum ft_status stands_still(struct ft_consumer *c, struct ft_err *err)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        struct part *p = &c->part[i];
        int64_t low, high;
        bool there =
            !rd_kafka_get_watermark_offsets(c->client.rk, p->topic, p->partition, &low, &high) &&
            high > (p->pos < 0 ? low : p->pos);

        if (!there || p->pos != p->seen_pos || p->paused || p->reset_at_ms ||
            (p->pos < 0 && (p->pos == FT_START_LATEST || c->client.bus->latest))) {
            p->seen_pos = p->pos;
            p->n_behind = 0;
        } else if (++p->n_behind >= BEHIND) {
            return ft_fail(err, FT_EFATAL,
                           "%s [%d]: nothing comes, though there are messages up to %" PRId64,
                           p->topic, (int)p->partition, high);
        }
    }
    return FT_AGAIN;
}

/*
 * A partition that works tells something soon after it began: a message, or that its end is reached.  When the group's coordinator
 * moved while 2.0.2 asked for its offset, it never asks again, and nothing is ever fetched.  That costs the client, later and
 * later for a partition that simply has no leader.  (Assigning it again would do too, but see SETTLE_MS.)
 */
static enum ft_status is_silent(struct ft_consumer *c, struct ft_err *err)
{
    unsigned before = atomic_load_explicit(&c->client.bus->n_silent, memory_order_relaxed);
    int patience = SILENT << (before < 6 ? before : 6);
    bool all = c->n_parts > 0;

    for (size_t i = 0; i < c->n_parts; i++) {
        struct part *p = &c->part[i];

        all &= p->heard;
        if (p->heard || p->paused || p->reset_at_ms || ++p->n_silent < patience)
            continue;
        c->client.bus->n_silent++;
        return ft_fail(err, FT_EFATAL, "%s [%d]: nothing is heard of it", p->topic,
                       (int)p->partition);
    }
    if (all && before)
        c->client.bus->n_silent = 0;
    return FT_AGAIN;
}

/*
 * The leader of a group shares out what it sees of the topic at that moment.  When the topic was away just then, to be made anew,
 * nobody is given anything, and for 2.0.2 nothing has changed when it is back: the group would be at rest for good.
 */
static enum ft_status is_idle(struct ft_consumer *c, struct ft_err *err)
{
    rd_kafka_topic_partition_list_t *topics;
    enum ft_status st = FT_AGAIN;

    if (c->n_parts)
        c->n_idle = 0;
    if (c->n_parts || ++c->n_idle % IDLE || rd_kafka_subscription(c->client.rk, &topics))
        return FT_AGAIN;
    for (int i = 0; i < topics->cnt && st == FT_AGAIN; i++)
        if (kb_nobody_has(c->client.bus, topics->elems[i].topic, c->opts.group, SAME_MS))
            st = ft_fail(err, FT_EFATAL, "%s: nobody in the group was given its partitions",
                         topics->elems[i].topic);
    rd_kafka_topic_partition_list_destroy(topics);
    return st;
}

/*
 * Before 2.2 the library stops to fetch at a limit of what is read ahead (queued.min.messages, …) and looks again a second later,
 * however soon that was taken: a backlog comes at one such limit a second.  A question to the leaders wakes it.
 */
static void keep_fetching(struct ft_consumer *c, size_t n)
{
    int64_t now = ft_now_ms();
    rd_kafka_topic_partition_list_t *list;

    c->peak = n > c->peak ? n : c->peak;
    if (c->peak < AHEAD || n > c->peak / 2 || now < c->wake_ms || rd_kafka_version() >= 0x02020000)
        return;
    c->peak = n;
    c->wake_ms = now + WAKE_MS;
    list = rd_kafka_topic_partition_list_new((int)c->n_parts);
    for (size_t i = 0; i < c->n_parts; i++)
        rd_kafka_topic_partition_list_add(list, c->part[i].topic, c->part[i].partition)->offset =
            RD_KAFKA_OFFSET_END;
    if (list->cnt)
        (void)!rd_kafka_offsets_for_times(c->client.rk, list, WOKEN_MS);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Asking the broker would hold up what flows. */
static enum ft_status look(struct ft_consumer *c, bool flows, size_t n_ahead, struct ft_err *err)
{
    int64_t now = ft_now_ms();
    enum ft_status st;

    if (!c->grouped || now < c->look_at_ms ||
        !atomic_load_explicit(&c->client.bus->up, memory_order_relaxed))
        return FT_AGAIN;
    if (flows && n_ahead >= FLOW)
        return FT_AGAIN;
    c->look_at_ms = now + LOOK_MS;
    st = is_silent(c, err);
    if (st == FT_AGAIN)
        st = stands_still(c, err);
    if (st == FT_AGAIN && !flows)
        st = look_anew(c, err);
    if (st == FT_AGAIN)
        st = is_idle(c, err);
    return st;
}

enum ft_status kb_consumer_poll(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                                struct ft_err *err)
{
    int64_t deadline = 0;
    enum ft_status st;

    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(c->client.rk, timeout_ms);

        if (m && !m->err) {
            struct part *p = part_of(c, m);

            kb_up(c->client.bus);
            if (p) {
                p->pos = m->offset + 1;
                p->heard = true;
            }
            if (++c->n_flow % FLOW == 0) {
                size_t n = rd_kafka_queue_length(c->ahead);

                keep_fetching(c, n);
                if (look(c, true, n, err) == FT_EFATAL) {
                    rd_kafka_message_destroy(m); /* the next client is given it again */
                    return FT_EFATAL;
                }
            }
            fill(out, c, m);
            return FT_OK;
        }
        st = m ? event(c, m, out, err) : FT_AGAIN;
        if (m)
            rd_kafka_message_destroy(m);
        if (st == FT_AGAIN && c->n_resets)
            st = reset_due(c, err);
        if (st == FT_AGAIN && !m)
            st = look(c, false, 0, err);
        if (st == FT_AGAIN && c->client.fatal)
            st = kb_fatal(&c->client, err);
        if (st == FT_AGAIN && c->client.news[0]) {
            st = ft_fail(err, FT_EUNREACHABLE, "%s", c->client.news);
            c->client.news[0] = '\0';
        }
        if (st != FT_AGAIN || !m)
            return st;
        if (!deadline)
            deadline = ft_now_ms() + timeout_ms;
        timeout_ms = ft_now_ms() < deadline ? kb_left(deadline) : 0;
    }
}

void kb_msg_done(struct ft_msg *m)
{
    rd_kafka_message_destroy(m->handle);
}

size_t kb_msg_headers(const struct ft_msg *m, struct ft_header *out, size_t max)
{
    rd_kafka_headers_t *list;
    size_t n = 0;

    if (rd_kafka_message_headers(m->handle, &list))
        return 0;
    for (; n < max; n++) {
        const void *value;

        if (rd_kafka_header_get_all(list, n, &out[n].name, &value, &out[n].value.n))
            break;
        out[n].value.p = value;
    }
    return n;
}

/* ---- pause, seek ----------------------------------------------------------------------------------- */

enum ft_status kb_consumer_pause(struct ft_consumer *c, const char *topic, int32_t partition,
                                 bool on)
{
    struct part *p = find(c, topic, partition);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t e;

    if (!p)
        return FT_AGAIN;
    list = list_one(topic, partition, RD_KAFKA_OFFSET_INVALID);
    e = on ? rd_kafka_pause_partitions(c->client.rk, list)
           : rd_kafka_resume_partitions(c->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!e)
        p->paused = on;
    return kb_status(e);
}

enum ft_status kb_consumer_seek(struct ft_consumer *c, const char *topic, int32_t partition,
                                int64_t offset, struct ft_err *err)
{
    struct part *p = find(c, topic, partition);
    int64_t until = ft_now_ms() + SETTLE_MS;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_error_t *failed;
    rd_kafka_resp_err_t e;

    if (!p)
        return ft_fail(err, FT_AGAIN, "%s [%d]: no longer ours", topic, (int)partition);
    list = list_one(topic, partition, offset);
    for (;;) {
        failed = rd_kafka_seek_partitions(c->client.rk, list, ASK_MS);
        e = failed ? rd_kafka_error_code(failed) : list->elems[0].err;
        if (failed)
            rd_kafka_error_destroy(failed);
        if (!e || ft_now_ms() >= until)
            break;
        ft_sleep_ms(20);
    }
    rd_kafka_topic_partition_list_destroy(list);
    p->pos = offset;
    if (e) /* a partition that has not started in time, or stands still after an error: begin it anew */
        e = assign_parts(c);
    return e ? fail_part(p, e, err) : FT_OK;
}

/* ---- offsets --------------------------------------------------------------------------------------- */

static rd_kafka_topic_partition_list_t *list_of(const struct ft_offset *o, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, o[i].topic, o[i].partition)->offset = o[i].next;
    return list;
}

/*
 * The broker deletes a group's offsets with their topic.  One that was there and is gone means a topic made anew; when that
 * has grown past our position meanwhile, no fetch ever fails.  So it is looked for before it is written again: our
 * position in the old topic must not become one in the new.  (Where a first commit failed this is a false alarm: then the
 * beginning is where the group is anyway.)
 */
static enum ft_status same_topic(struct ft_consumer *c, rd_kafka_t *rk, int timeout_ms,
                                 const struct ft_offset *o, size_t n, struct ft_err *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(o, n);
    rd_kafka_resp_err_t e = rd_kafka_committed(rk, list, timeout_ms);
    enum ft_status st = FT_OK;

    for (int i = 0; st == FT_OK && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *t = &list->elems[i];
        struct part *p = find(c, t->topic, t->partition);

        if (e || t->err)
            st = ft_fail(err, FT_AGAIN, "group %s: its offsets: %s", c->opts.group,
                         kb_text(e ? e : t->err));
        else if (p && t->offset < 0 && p->committed)
            st = ft_fail(err, FT_EFATAL, "%s [%d]: the topic was made anew", p->topic,
                         (int)p->partition);
        else if (p)
            p->in_txn = true;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return st;
}

enum ft_status kb_consumer_same_topic(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                      struct ft_err *err)
{
    int timeout_ms = c->asker.rk ? SAME_MS : ASK_MS; /* a new handle has to find the group first */
    enum ft_status st =
        c->asker.rk ? FT_OK : kb_asker_new(&c->asker, c->client.bus, c->opts.group, err);

    if (st != FT_OK)
        return st;
    rd_kafka_poll(c->asker.rk, 0); /* or its news would heap up */
    return same_topic(c, c->asker.rk, timeout_ms, o, n, err);
}

void kb_consumer_sure(struct ft_consumer *c, bool committed)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        c->part[i].committed |= committed && c->part[i].in_txn;
        c->part[i].in_txn = false;
    }
}

enum ft_status kb_consumer_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                  bool wait, struct ft_err *err)
{
    /* Without transactions there is none to wait for. */
    enum ft_status st = same_topic(c, c->client.rk, SAME_MS, o, n, err);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t e;
    rd_kafka_event_t *ev;

    if (st != FT_OK)
        return st;
    list = list_of(o, n);
    if (!wait) {
        e = rd_kafka_commit(c->client.rk, list, 1);
    } else {
        /* a queue of our own, so that the wait has an end; what came too late last time is thrown away */
        while ((ev = rd_kafka_queue_poll(c->answers, 0)))
            rd_kafka_event_destroy(ev);
        e = rd_kafka_commit_queue(c->client.rk, list, c->answers, NULL, NULL);
        ev = e ? NULL : rd_kafka_queue_poll(c->answers, ASK_MS);
        if (!e)
            e = ev ? rd_kafka_event_error(ev) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (ev)
            rd_kafka_event_destroy(ev);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (!e || e == RD_KAFKA_RESP_ERR__NO_OFFSET) {
        kb_consumer_sure(c, true);
        return FT_OK;
    }
    return ft_fail(err, kb_status(e), "group %s: commit: %s", c->opts.group ? c->opts.group : "-",
                   kb_text(e));
}

enum ft_status kb_consumer_committed(struct ft_consumer *c, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *next, struct ft_err *err)
{
    rd_kafka_topic_partition_list_t *list = list_one(topic, partition, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t e = rd_kafka_committed(c->client.rk, list, timeout_ms);
    int64_t offset = list->elems[0].offset;
    struct part *p = find(c, topic, partition);

    e = e ? e : list->elems[0].err;
    rd_kafka_topic_partition_list_destroy(list);
    *next = offset < 0 ? -1 : offset;
    if (!e && p)
        p->committed = offset >= 0;
    if (e)
        return ft_fail(err, kb_status(e), "%s [%d]: committed offset: %s", topic, (int)partition,
                       kb_text(e));
    return FT_OK;
}

int64_t kb_consumer_lag(struct ft_consumer *c)
{
    int64_t lag = 0;

    for (size_t i = 0; i < c->n_parts; i++) {
        const struct part *p = &c->part[i];
        int64_t low, high, from;

        if (rd_kafka_get_watermark_offsets(c->client.rk, p->topic, p->partition, &low, &high) ||
            high < 0 || p->pos == FT_START_LATEST)
            continue;
        from = p->pos >= 0 ? p->pos : low > 0 ? low : 0;
        lag += high > from ? high - from : 0;
    }
    return lag;
}

/* ---- making and closing ---------------------------------------------------------------------------- */

static void consumer_release(struct ft_consumer *c)
{
    forget_parts(c);
    free(c);
}

static enum ft_status consumer_conf(rd_kafka_conf_t **out, struct kb_bus *b,
                                    const struct ft_consumer_opts *o, struct ft_err *err)
{
    size_t queued = o->queued_kbytes ? o->queued_kbytes : QUEUED_KBYTES;
    size_t answer = queued * 1024 / 32; /* what comes is counted when it is here, unpacked */
    char kbytes[24], messages[24], fetch[24];
    struct ft_prop own[] = {
        {"queued.max.messages.kbytes", kbytes  },
        {"queued.min.messages",        messages},
        {"max.partition.fetch.bytes",  fetch   }
    };
    enum ft_status st;

    snprintf(kbytes, sizeof(kbytes), "%zu", queued);
    snprintf(messages, sizeof(messages), "%zu",
             o->queued_messages ? o->queued_messages : 4 * queued);
    snprintf(fetch, sizeof(fetch), "%zu", answer < 1 << 20 ? answer : 1 << 20);
    st = kb_conf_new(out, b, KB_CONSUMER, own, sizeof(own) / sizeof(own[0]), err);
    if (st == FT_OK && o->read_uncommitted)
        st = kb_conf_set(*out, "isolation.level", "read_uncommitted", err);
    if (st ==
        FT_OK) /* the library wants one even to read given partitions; nothing is committed to it */
        st = kb_conf_set(*out, "group.id", o->group ? o->group : "fraudtop-reader", err);
    if (st == FT_OK)
        st = kb_conf_set(*out, "enable.partition.eof", "true", err);
    if (st == FT_OK)
        st = kb_conf_set(*out, "auto.offset.reset", "error", err);
    if (*out)
        rd_kafka_conf_set_rebalance_cb(*out, on_rebalance);
    return st;
}

static enum ft_status subscribe(struct ft_consumer *c, struct ft_err *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)c->opts.n_topics);
    rd_kafka_resp_err_t e;

    for (size_t i = 0; i < c->opts.n_topics; i++)
        rd_kafka_topic_partition_list_add(list, c->opts.topics[i], RD_KAFKA_PARTITION_UA);
    e = rd_kafka_subscribe(c->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return e ? ft_fail(err, kb_status(e), "group %s: %s", c->opts.group, kb_text(e)) : FT_OK;
}

enum ft_status kb_consumer_new(struct ft_consumer **out, struct ft_bus *bus,
                               const struct ft_consumer_opts *opts, struct ft_err *err)
{
    struct kb_bus *b = (struct kb_bus *)bus;
    struct ft_consumer *c = calloc(1, sizeof(*c));
    rd_kafka_conf_t *conf = NULL;
    enum ft_status st;

    if (!c)
        return ft_fail(err, FT_ENOMEM, "kafka: no memory for a consumer");
    c->ops = b->ops;
    c->opts = *opts;
    c->grouped = opts->group != NULL;
    st = consumer_conf(&conf, b, opts, err);
    if (st == FT_OK)
        st = kb_client_new(&c->client, b, RD_KAFKA_CONSUMER, conf, err);
    else if (conf)
        rd_kafka_conf_destroy(conf);
    if (st != FT_OK) {
        consumer_release(c);
        return st;
    }
    rd_kafka_poll_set_consumer(c->client.rk);
    c->answers = rd_kafka_queue_new(c->client.rk);
    c->ahead = rd_kafka_queue_get_consumer(c->client.rk);
    if (c->grouped)
        st = subscribe(c, err);
    if (st != FT_OK) {
        kb_consumer_close(c, 3000);
        return st;
    }
    c->opts.topics = NULL; /* the caller's, not kept */
    *out = c;
    return FT_OK;
}

/* Without it a reader's first fetch waits for the library's timer of a second. */
static void learn_leaders(struct ft_consumer *c)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct rd_kafka_metadata *md;
        rd_kafka_topic_t *t;

        if (i && strcmp(c->part[i].topic, c->part[i - 1].topic) == 0)
            continue;
        t = rd_kafka_topic_new(c->client.rk, c->part[i].topic, NULL);
        if (t && !rd_kafka_metadata(c->client.rk, 0, t, &md, 1000))
            rd_kafka_metadata_destroy(md);
        if (t)
            rd_kafka_topic_destroy(t);
    }
}

enum ft_status kb_consumer_assign(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                                  struct ft_err *err)
{
    rd_kafka_resp_err_t e;

    if (!take_parts(c, part, n))
        return ft_fail(err, FT_ENOMEM, "kafka: no memory for %zu partitions", n);
    for (size_t i = 0; i < n; i++)
        if (c->part[i].pos == FT_START_COMMITTED)
            c->part[i].pos = FT_START_EARLIEST;
    learn_leaders(c);
    e = assign_parts(c);
    return e ? ft_fail(err, kb_status(e), "assign: %s", kb_text(e)) : FT_OK;
}

/* Leaves the group; its rebalance callback runs in here. */
static void leave(struct ft_consumer *c, int64_t deadline)
{
    rd_kafka_queue_t *q = rd_kafka_queue_get_consumer(c->client.rk);
    rd_kafka_error_t *e = rd_kafka_consumer_close_queue(c->client.rk, q);

    while (!e && !rd_kafka_consumer_closed(c->client.rk) && ft_now_ms() < deadline) {
        int left = kb_left(deadline);
        rd_kafka_message_t *m = rd_kafka_consumer_poll(c->client.rk, left < 100 ? left : 100);

        if (m)
            rd_kafka_message_destroy(m);
    }
    if (e)
        rd_kafka_error_destroy(e);
    rd_kafka_queue_destroy(q);
}

void kb_consumer_close(struct ft_consumer *c, int timeout_ms)
{
    int64_t deadline = ft_now_ms() + timeout_ms;
    bool asker, client;

    leave(c, deadline - timeout_ms / 4); /* some of the time is for the handle's end */
    if (c->n_parts && c->grouped && c->opts.revoked) { /* the broker did not let us go in time */
        for (size_t i = 0; i < c->n_parts; i++) {
            struct ft_assigned a = {c->part[i].topic, c->part[i].partition, FT_START_COMMITTED,
                                    false};

            c->opts.revoked(c->opts.user, &a, 1, true);
        }
        forget_parts(c);
    }
    c->opts.revoked = NULL;
    c->opts.assigned = NULL;
    rd_kafka_queue_destroy(c->answers);
    rd_kafka_queue_destroy(c->ahead);
    /* both, or callbacks of one that was left behind would find nothing */
    asker = kb_client_destroy(&c->asker, kb_left(deadline));
    client = kb_client_destroy(&c->client, kb_left(deadline));
    if (asker && client)
        consumer_release(c);
}
