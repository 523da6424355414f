/* Producers, idempotent or transactional. */
#include "bus_kafka.h"

#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define TOPICS_MAX 64    /* that one producer writes to */
#define READY_MS 2000    /* for the leaders of a new topic */
#define MISSING_MS 10000 /* between two lines about a topic that is missing */
#define TRANSACTION_MS 60000

struct topic {
    char name[250];
    rd_kafka_topic_t *rkt;
};

struct ft_producer {
    const struct ft_bus_ops *ops;
    struct kb_client client; /* opaque of the callbacks */
    struct ft_producer_opts opts;
    char *txn_id;
    struct kb_caller *caller;   /* of the transaction's calls */
    bool stuck;                 /* one never came back: the handle is left behind */
    struct ft_consumer *reader; /* whose offsets are in the open transaction */
    _Atomic uint64_t n_sent, n_reported;
    atomic_bool doubt;       /* a message of the open transaction may not be in the topic */
    bool lost;               /* a message whose fate nobody is told */
    _Atomic int64_t said_ms; /* that a topic is missing */
    pthread_mutex_t lock;    /* for adding to topic */
    atomic_size_t n_topics;
    struct topic topic[TOPICS_MAX];
};

/* The client is a member, not the first: callbacks get the client and want the producer. */
static struct ft_producer *producer_of(void *client)
{
    return (struct ft_producer *)((char *)client - offsetof(struct ft_producer, client));
}

/* The topic was deleted, or made anew with fewer partitions; whoever did that makes it again. */
static bool is_missing(rd_kafka_resp_err_t e)
{
    return e == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || e == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           e == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/*
 * A message without an offset is one that the library only believes to be delivered: the broker called its retry a duplicate,
 * or took a later one.  That is true of a partition that the broker knows us from.  In one that was made anew it takes
 * whatever comes first, so when our first request came too early and the next one did not, the first one's messages are
 * nowhere.  So they count as not delivered.
 */
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct ft_producer *p = producer_of(opaque);
    uint64_t token = (uint64_t)(uintptr_t)m->_private;
    bool doubt = !m->err && m->offset < 0;
    enum ft_status st = doubt || is_missing(m->err) ? FT_EUNREACHABLE : kb_status(m->err);

    (void)rk;
    atomic_fetch_add_explicit(&p->n_reported, 1, memory_order_relaxed);
    if (!m->err)
        kb_up(p->client.bus);
    if (doubt)
        atomic_store(&p->doubt, true);
    if (token && p->opts.delivered)
        p->opts.delivered(p->opts.user, token, st, m->partition, m->err ? -1 : m->offset);
    else if (st == FT_EUNREACHABLE && !p->txn_id)
        p->lost = true;
}

static enum ft_status producer_conf(rd_kafka_conf_t **out, struct ft_producer *p, struct kb_bus *b,
                                    struct ft_err *err)
{
    const struct ft_producer_opts *o = &p->opts;
    int timeout = o->transaction_timeout_ms > 0 ? o->transaction_timeout_ms : TRANSACTION_MS;
    char linger[16], txn_timeout[16];
    struct ft_prop own[4];
    size_t n = 0;
    enum ft_status st;

    snprintf(linger, sizeof(linger), "%d", o->linger_ms);
    snprintf(txn_timeout, sizeof(txn_timeout), "%d", timeout);
    if (o->linger_ms >= 0)
        own[n++] = (struct ft_prop){"linger.ms", linger};
    if (o->large)
        own[n++] = (struct ft_prop){"message.max.bytes", "2097152"};
    if (o->plain)
        own[n++] = (struct ft_prop){"compression.codec", "none"};
    if (p->txn_id)
        own[n++] = (struct ft_prop){"transaction.timeout.ms", txn_timeout};
    st = kb_conf_new(out, b, p->txn_id ? KB_TXN_PRODUCER : KB_PRODUCER, own, n, err);
    if (st == FT_OK && p->txn_id)
        st = kb_conf_set(*out, "transactional.id", p->txn_id, err);
    if (*out)
        rd_kafka_conf_set_dr_msg_cb(*out, on_report);
    return st;
}

static void producer_release(struct ft_producer *p)
{
    kb_caller_free(p->caller);
    pthread_mutex_destroy(&p->lock);
    free(p->txn_id);
    free(p);
}

enum ft_status kb_producer_new(struct ft_producer **out, struct ft_bus *bus,
                               const struct ft_producer_opts *opts, struct ft_err *err)
{
    struct kb_bus *b = (struct kb_bus *)bus;
    struct ft_producer *p = calloc(1, sizeof(*p));
    rd_kafka_conf_t *conf = NULL;
    enum ft_status st;

    if (!p || (opts->transactional_id &&
               (!(p->txn_id = strdup(opts->transactional_id)) || !(p->caller = kb_caller_new())))) {
        free(p ? p->txn_id : NULL);
        free(p);
        return ft_fail(err, FT_ENOMEM, "kafka: no memory for a producer");
    }
    p->ops = b->ops;
    p->opts = *opts;
    pthread_mutex_init(&p->lock, NULL);
    st = producer_conf(&conf, p, b, err);
    if (st == FT_OK)
        st = kb_client_new(&p->client, b, RD_KAFKA_PRODUCER, conf, err);
    else if (conf)
        rd_kafka_conf_destroy(conf);
    if (st != FT_OK) {
        producer_release(p);
        return st;
    }
    *out = p;
    return FT_OK;
}

void kb_producer_free(struct ft_producer *p)
{
    size_t n = atomic_load(&p->n_topics);

    p->opts.delivered = NULL;
    if (p->stuck)
        return;
    rd_kafka_purge(p->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_poll(p->client.rk, 0);
    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_destroy(p->topic[i].rkt);
    if (kb_client_destroy(&p->client, 3000))
        producer_release(p);
}

/* ---- sending --------------------------------------------------------------------------------------- */

/*
 * Until each partition's leader answers, for a while.  On a topic made this moment a first request can be refused while the
 * next one, already under way, is taken: the broker takes any first sequence number of a producer it does not know, calls
 * the first one's retry a duplicate, and the library reports it delivered.  (Before 2.10.1, besides, the first message
 * waits up to a second unless the partitions are known.)
 */
static void await_leaders(struct ft_producer *p, rd_kafka_topic_t *rkt, const char *name, int ms)
{
    int64_t now, until = ft_now_ms() + ms;

    for (;;) {
        const struct rd_kafka_metadata *md;
        struct ft_partition_info *part;
        bool there, ready;
        size_t n;

        if (rd_kafka_metadata(p->client.rk, 0, rkt, &md, 1000))
            return; /* nobody there: messages wait in the queue */
        n = md->topic_cnt > 0 ? (size_t)md->topics[0].partition_cnt : 0;
        there = n > 0;
        part = calloc(n + 1, sizeof(*part));
        for (size_t i = 0; part && i < n; i++)
            part[i].partition = md->topics[0].partitions[i].id;
        rd_kafka_metadata_destroy(md);
        ready = there && part &&
                !kb_watermarks(p->client.rk, name, part, n, 1000); /* a leader answers */
        free(part);
        now = ft_now_ms();
        if (ready || now >= until) {
            if (!there && now - atomic_load(&p->said_ms) >= MISSING_MS) {
                atomic_store(&p->said_ms, now);
                ft_log(FT_WARN, "kafka", "topic %s is missing: waiting until somebody makes it",
                       name);
            }
            return;
        }
        ft_sleep_ms(20);
    }
}

static rd_kafka_topic_t *add_topic(struct ft_producer *p, const char *name, struct ft_err *err)
{
    struct topic *t;
    size_t n;

    pthread_mutex_lock(&p->lock);
    n = atomic_load(&p->n_topics);
    for (size_t i = 0; i < n; i++)
        if (strcmp(p->topic[i].name, name) == 0) {
            pthread_mutex_unlock(&p->lock);
            return p->topic[i].rkt;
        }
    t = &p->topic[n];
    if (n == TOPICS_MAX || strlen(name) >= sizeof(t->name)) {
        ft_fail(err, FT_EINPUT, "topic %s: too many topics or too long a name", name);
        t = NULL;
    } else if (!(t->rkt = rd_kafka_topic_new(p->client.rk, name, NULL))) {
        ft_fail(err, FT_EINPUT, "topic %s: %s", name, kb_text(rd_kafka_last_error()));
        t = NULL;
    }
    if (t) {
        memcpy(t->name, name, strlen(name) + 1);
        atomic_store_explicit(&p->n_topics, n + 1, memory_order_release);
    }
    pthread_mutex_unlock(&p->lock);
    if (!t)
        return NULL;
    await_leaders(p, t->rkt, name, READY_MS);
    return t->rkt;
}

static rd_kafka_topic_t *topic_of(struct ft_producer *p, const char *name, struct ft_err *err)
{
    size_t n = atomic_load_explicit(&p->n_topics, memory_order_acquire);

    for (size_t i = 0; i < n; i++)
        if (strcmp(p->topic[i].name, name) == 0)
            return p->topic[i].rkt;
    return add_topic(p, name, err);
}

static enum ft_status refused(struct ft_producer *p, const char *topic, rd_kafka_resp_err_t e,
                              struct ft_err *err)
{
    enum ft_status st = kb_fatal(&p->client, err);

    if (st == FT_EFENCED)
        ft_err_prefix(err, "another instance has taken over %s", p->txn_id ? p->txn_id : "");
    if (st != FT_OK)
        return st;
    if (e == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return FT_AGAIN; /* often: no text */
    if (e == RD_KAFKA_RESP_ERR__STATE && p->txn_id)
        return ft_fail(err, FT_EINPUT, "topic %s: the transaction must be aborted", topic);
    return ft_fail(err, kb_status(e), "topic %s: %s", topic, kb_text(e));
}

static rd_kafka_headers_t *headers_of(const struct ft_header *h, size_t n)
{
    rd_kafka_headers_t *list = rd_kafka_headers_new(n);

    for (size_t i = 0; i < n; i++)
        rd_kafka_header_add(list, h[i].name, -1, h[i].value.p, (ssize_t)h[i].value.n);
    return list;
}

enum ft_status kb_send(struct ft_producer *p, const char *topic, int32_t partition,
                       struct ft_span key, struct ft_span value, const struct ft_header *headers,
                       size_t n_headers, int64_t timestamp_ms, uint64_t token, struct ft_err *err)
{
    rd_kafka_topic_t *rkt = topic_of(p, topic, err);
    rd_kafka_headers_t *list = NULL;
    rd_kafka_resp_err_t e;

    if (!rkt)
        return FT_EINPUT;
    if (n_headers)
        list = headers_of(headers, n_headers);
    atomic_fetch_add_explicit(&p->n_sent, 1, memory_order_relaxed);
    e = rd_kafka_producev(
        p->client.rk, RD_KAFKA_V_RKT(rkt),
        RD_KAFKA_V_PARTITION(partition < 0 ? RD_KAFKA_PARTITION_UA : partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value.p, value.n), RD_KAFKA_V_KEY(key.p, key.n),
        RD_KAFKA_V_TIMESTAMP(timestamp_ms < 0 ? 0 : timestamp_ms),
        RD_KAFKA_V_OPAQUE((void *)(uintptr_t)token), RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END);
    if (!e)
        return FT_OK;
    atomic_fetch_sub_explicit(&p->n_sent, 1, memory_order_relaxed);
    if (list)
        rd_kafka_headers_destroy(list);
    if (partition < 0 && is_missing(e)) {
        await_leaders(p, rkt, topic, 0);
        return FT_AGAIN;
    }
    return refused(p, topic, e, err);
}

static enum ft_status after_poll(struct ft_producer *p, struct ft_err *err)
{
    p->client.news[0] = '\0'; /* health tells it */
    if (p->lost)
        return ft_fail(err, FT_EFATAL, "kafka: a message was not delivered");
    return p->client.fatal ? kb_fatal(&p->client, err) : FT_OK;
}

enum ft_status kb_producer_poll(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    rd_kafka_poll(p->client.rk, timeout_ms);
    return after_poll(p, err);
}

size_t kb_pending(struct ft_producer *p)
{
    uint64_t reported = atomic_load(&p->n_reported);

    return (size_t)(atomic_load(&p->n_sent) - reported);
}

enum ft_status kb_flush(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    rd_kafka_resp_err_t e = rd_kafka_flush(p->client.rk, timeout_ms);
    enum ft_status st = after_poll(p, err);

    if (st != FT_OK)
        return st;
    if (e && kb_pending(p))
        return ft_fail(err, FT_AGAIN, "%zu messages are not delivered yet", kb_pending(p));
    return FT_OK;
}

/* ---- transactions ---------------------------------------------------------------------------------- */

/* Takes the error. */
static enum ft_status txn_status(struct ft_producer *p, rd_kafka_error_t *e, const char *what,
                                 struct ft_err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(e);
    enum ft_status st;

    if (!e)
        return FT_OK;
    if (kb_status(code) == FT_EFENCED || kb_fatal(&p->client, NULL) == FT_EFENCED)
        st = ft_fail(err, FT_EFENCED, "another instance has taken over the transactional id %s",
                     p->txn_id);
    else
        st = ft_fail(err,
                     rd_kafka_error_is_fatal(e)             ? FT_EFATAL
                     : rd_kafka_error_txn_requires_abort(e) ? FT_EINPUT
                     : rd_kafka_error_is_retriable(e)       ? FT_AGAIN
                     : kb_status(code) == FT_EUSAGE         ? FT_EUSAGE
                     : code == RD_KAFKA_RESP_ERR__TIMED_OUT ? FT_AGAIN
                     : code == RD_KAFKA_RESP_ERR__CONFLICT  ? FT_AGAIN
                     : kb_status(code) == FT_EUNREACHABLE   ? FT_AGAIN
                                                            : FT_EFATAL,
                     "transaction of %s: %s: %s", p->txn_id ? p->txn_id : "(none)", what,
                     rd_kafka_error_string(e));
    rd_kafka_error_destroy(e);
    return st;
}

/*
 * In 2.0.2 rd_kafka_send_offsets_to_transaction can wait for ever, once a broker has hung for longer than the transaction may
 * take.  Such a producer is left behind as it is; the next one with its id fences it.
 */
static enum ft_status call(struct ft_producer *p, kb_call_fn *fn, void *arg, int timeout_ms,
                           const char *what, struct ft_err *err)
{
    rd_kafka_error_t *e;

    if (!p->stuck && kb_call(p->caller, fn, arg, timeout_ms, &e))
        return txn_status(p, e, what, err);
    if (!p->stuck) {
        pthread_mutex_lock(&p->client.bus->lock);
        p->client.bus->abandoned = true;
        pthread_mutex_unlock(&p->client.bus->lock);
    }
    p->stuck = true;
    return ft_fail(err, FT_EFATAL, "transaction of %s: %s: the client library does not come back",
                   p->txn_id ? p->txn_id : "(none)", what);
}

static rd_kafka_error_t *call_init(void *rk, int timeout_ms)
{
    return rd_kafka_init_transactions(rk, timeout_ms);
}

static rd_kafka_error_t *call_commit(void *rk, int timeout_ms)
{
    return rd_kafka_commit_transaction(rk, timeout_ms);
}

static rd_kafka_error_t *call_abort(void *rk, int timeout_ms)
{
    return rd_kafka_abort_transaction(rk, timeout_ms);
}

struct offsets {
    rd_kafka_t *rk;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_consumer_group_metadata_t *group;
};

static rd_kafka_error_t *call_offsets(void *arg, int timeout_ms)
{
    const struct offsets *o = arg;

    return rd_kafka_send_offsets_to_transaction(o->rk, o->list, o->group, timeout_ms);
}

enum ft_status kb_txn_init(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    return call(p, call_init, p->client.rk, timeout_ms, "init", err);
}

enum ft_status kb_txn_begin(struct ft_producer *p, struct ft_err *err)
{
    p->reader = NULL;
    atomic_store(&p->doubt, false);
    return txn_status(p, rd_kafka_begin_transaction(p->client.rk), "begin", err);
}

enum ft_status kb_txn_offsets(struct ft_producer *p, struct ft_consumer *c,
                              const struct ft_offset *o, size_t n, int timeout_ms,
                              struct ft_err *err)
{
    struct offsets *arg;
    enum ft_status st = kb_consumer_same_topic(c, o, n, err);

    if (st != FT_OK)
        return st;
    arg = malloc(sizeof(*arg));
    if (!arg)
        return ft_fail(err, FT_ENOMEM, "kafka: no memory for offsets");
    p->reader = c;
    *arg = (struct offsets){p->client.rk, rd_kafka_topic_partition_list_new((int)n),
                            rd_kafka_consumer_group_metadata(kb_consumer_handle(c))};
    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(arg->list, o[i].topic, o[i].partition)->offset =
            o[i].next;
    st = arg->group ? call(p, call_offsets, arg, timeout_ms, "offsets", err)
                    : ft_fail(err, FT_EINPUT, "a reader without a group has nothing to commit");
    if (p->stuck) /* the call may still read them */
        return st;
    rd_kafka_topic_partition_list_destroy(arg->list);
    if (arg->group)
        rd_kafka_consumer_group_metadata_destroy(arg->group);
    free(arg);
    return st;
}

enum ft_status kb_txn_commit(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = kb_flush(p, timeout_ms, err); /* every message's fate is known */

    if (st == FT_OK && atomic_load(&p->doubt))
        return ft_fail(err, FT_EINPUT, "transaction of %s: a message may not have arrived",
                       p->txn_id ? p->txn_id : "(none)");
    if (st == FT_OK)
        st = call(p, call_commit, p->client.rk, timeout_ms, "commit", err);
    if (st == FT_OK && p->reader)
        kb_consumer_sure(p->reader, true);
    return st;
}

enum ft_status kb_txn_abort(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    if (p->reader)
        kb_consumer_sure(p->reader, false);
    p->reader = NULL;
    return call(p, call_abort, p->client.rk, timeout_ms, "abort", err);
}
