/* The bus, the questions about topics, and the producers of the loopback. */
#include "bus_loopback.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "fraudtop/wait.h"

#define TOPIC_BYTES ((size_t)32 << 20)
#define PARTITIONS 3        /* of a topic that a message makes */
#define REPORTS_MAX 100000  /* unserved: then ft_send answers FT_AGAIN, as Kafka's client does */
#define MESSAGE_MAX 1000000 /* librdkafka's message.max.bytes */
#define MESSAGE_LARGE 2097152

struct report {
    uint64_t token;
    int64_t offset;
    int32_t partition;
    enum ft_status st;
};

struct staged { /* a message of the open transaction */
    struct lb_topic *topic;
    int32_t partition;
    struct lb_entry *e;
};

struct txn_offset {
    struct ft_consumer *c;
    struct lb_topic *topic;
    int32_t partition;
    int64_t next;
};

struct ft_producer {
    const struct ft_bus_ops *ops;
    struct lb_bus *bus;
    struct ft_producer_opts opts;
    char *txn_id;
    uint64_t epoch;
    bool in_txn, full;
    size_t max_message;
    struct report *report;
    size_t n_reports, cap_reports, served;
    struct staged *staged;
    size_t n_staged, cap_staged;
    struct txn_offset *offset;
    size_t n_offsets, cap_offsets;
};

static struct lb_bus *lb(struct ft_bus *bus)
{
    return (struct lb_bus *)bus;
}

/* ---- waiting, failing ------------------------------------------------------------------------------ */

bool lb_fails(struct lb_bus *b, enum ft_bus_call call, enum ft_status *st, struct ft_err *err)
{
    struct lb_fail *f = &b->fail[call];

    if (!f->n)
        return false;
    if (f->skip) {
        f->skip--;
        return false;
    }
    f->n--;
    *st = ft_fail(err, f->st, "loopback: made to fail");
    return true;
}

bool lb_wait(struct lb_bus *b, pthread_cond_t *cond, unsigned *n_waiting, int64_t deadline_ms)
{
    bool woken;

    if (ft_now_ms() >= deadline_ms)
        return false;
    ++*n_waiting;
    woken = ft_cond_wait(cond, &b->lock, deadline_ms);
    --*n_waiting;
    return woken;
}

void lb_wake_readers(struct lb_bus *b)
{
    if (b->n_readers)
        pthread_cond_broadcast(&b->data);
}

void lb_wake_writers(struct lb_bus *b)
{
    if (b->n_writers)
        pthread_cond_broadcast(&b->space);
}

void ft_loopback_fail(struct ft_bus *bus, enum ft_bus_call call, unsigned skip, unsigned n,
                      enum ft_status st)
{
    pthread_mutex_lock(&lb(bus)->lock);
    lb(bus)->fail[call] = (struct lb_fail){skip, n, st};
    pthread_mutex_unlock(&lb(bus)->lock);
}

void ft_loopback_trim(struct ft_bus *bus, const char *topic, int32_t partition, int64_t low)
{
    struct lb_topic *t;

    pthread_mutex_lock(&lb(bus)->lock);
    t = lb_topic_find(lb(bus), topic);
    if (t)
        lb_part_trim(t, &t->part[partition], low);
    lb_wake_writers(lb(bus));
    pthread_mutex_unlock(&lb(bus)->lock);
}

void ft_loopback_remake(struct ft_bus *bus, const char *topic)
{
    struct lb_topic *t;

    pthread_mutex_lock(&lb(bus)->lock);
    t = lb_topic_find(lb(bus), topic);
    if (t)
        lb_topic_empty(t);
    lb_wake_readers(lb(bus));
    lb_wake_writers(lb(bus));
    pthread_mutex_unlock(&lb(bus)->lock);
}

uint64_t ft_loopback_dropped(struct ft_bus *bus, const char *topic)
{
    const struct lb_topic *t;
    uint64_t n;

    pthread_mutex_lock(&lb(bus)->lock);
    t = lb_topic_find(lb(bus), topic);
    n = t ? t->dropped : 0;
    pthread_mutex_unlock(&lb(bus)->lock);
    return n;
}

/* ---- bus and topics -------------------------------------------------------------------------------- */

static void lb_close(struct ft_bus *bus)
{
    struct lb_bus *b = lb(bus);

    for (size_t i = 0; i < b->n_groups; i++)
        lb_group_free(b->group[i]);
    for (size_t i = 0; i < b->n_topics; i++)
        lb_topic_free(b->topic[i]);
    for (size_t i = 0; i < b->n_fences; i++)
        free(b->fence[i].id);
    free(b->group);
    free(b->topic);
    free(b->fence);
    free(b->client_id);
    pthread_cond_destroy(&b->data);
    pthread_cond_destroy(&b->space);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static enum ft_status lb_cluster_id(struct ft_bus *bus, int timeout_ms, char *out, size_t size,
                                    struct ft_err *err)
{
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&lb(bus)->lock);
    if (!lb_fails(lb(bus), FT_CALL_TOPICS, &st, err))
        snprintf(out, size, "%s", lb(bus)->cluster_id);
    pthread_mutex_unlock(&lb(bus)->lock);
    return st;
}

static void lb_health(struct ft_bus *bus, struct ft_bus_health *out)
{
    *out = (struct ft_bus_health){.up = true, .known = true, .since_ms = lb(bus)->since_ms};
}

static enum ft_status ensure_one(struct lb_bus *b, const struct ft_topic_spec *s,
                                 struct ft_err *err)
{
    size_t max = s->max_message_bytes > 0 ? (size_t)s->max_message_bytes : 0;

    if (lb_topic_find(b, s->name))
        return FT_OK;
    if (s->partitions < 1 || s->partitions > 10000 || !*s->name || strlen(s->name) > 249)
        return ft_fail(err, FT_EUSAGE, "topic %s: wrong name or number of partitions (%d)", s->name,
                       s->partitions);
    if (!lb_topic_new(b, s->name, s->partitions, s->compacted, max))
        return ft_fail(err, FT_ENOMEM, "topic %s: no memory", s->name);
    return FT_OK;
}

static enum ft_status lb_ensure_topics(struct ft_bus *bus, const struct ft_topic_spec *spec,
                                       size_t n, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&lb(bus)->lock);
    if (!lb_fails(lb(bus), FT_CALL_TOPICS, &st, err))
        for (size_t i = 0; i < n && st == FT_OK; i++)
            st = ensure_one(lb(bus), &spec[i], err);
    pthread_mutex_unlock(&lb(bus)->lock);
    return st;
}

static enum ft_status lb_topics(struct ft_bus *bus, int timeout_ms, struct ft_topic_info **out,
                                size_t *n, struct ft_err *err)
{
    struct lb_bus *b = lb(bus);
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&b->lock);
    if (lb_fails(b, FT_CALL_TOPICS, &st, err))
        goto out;
    *out = calloc(b->n_topics ? b->n_topics : 1, sizeof(**out));
    if (!*out) {
        st = ft_fail(err, FT_ENOMEM, "loopback: no memory");
        goto out;
    }
    for (*n = 0; *n < b->n_topics; ++*n) {
        memcpy((*out)[*n].name, b->topic[*n]->name, sizeof((*out)[*n].name));
        (*out)[*n].partitions = b->topic[*n]->n_parts;
        (*out)[*n].messages = -1;
    }
out:
    pthread_mutex_unlock(&b->lock);
    return st;
}

static enum ft_status no_topic(const char *topic, struct ft_err *err)
{
    return ft_fail(err, FT_EINPUT, "topic %s: there is none", topic);
}

static enum ft_status lb_partitions(struct ft_bus *bus, const char *topic, const char *group,
                                    int timeout_ms, struct ft_partition_info **out, size_t *n,
                                    struct ft_err *err)
{
    struct lb_bus *b = lb(bus);
    struct lb_topic *t;
    struct lb_group *g;
    const struct lb_held *h;
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&b->lock);
    if (lb_fails(b, FT_CALL_TOPICS, &st, err))
        goto out;
    t = lb_topic_find(b, topic);
    if (!t) {
        st = no_topic(topic, err);
        goto out;
    }
    *out = calloc((size_t)t->n_parts, sizeof(**out));
    if (!*out) {
        st = ft_fail(err, FT_ENOMEM, "loopback: no memory");
        goto out;
    }
    g = group ? lb_group_find(b, group) : NULL;
    h = g ? lb_group_held(g, t) : NULL;
    for (int i = 0; i < t->n_parts; i++) {
        (*out)[i] = (struct ft_partition_info){.partition = i,
                                               .low = t->part[i].low,
                                               .high = t->part[i].next,
                                               .committed = h ? h->committed[i] : -1};
    }
    *n = (size_t)t->n_parts;
out:
    pthread_mutex_unlock(&b->lock);
    return st;
}

static enum ft_status lb_count(struct ft_bus *bus, struct ft_topic_info *topics, size_t n,
                               int timeout_ms, struct ft_err *err)
{
    struct lb_bus *b = lb(bus);
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&b->lock);
    if (!lb_fails(b, FT_CALL_TOPICS, &st, err))
        for (size_t i = 0; i < n; i++) {
            const struct lb_topic *t = lb_topic_find(b, topics[i].name);

            topics[i].messages = t ? 0 : -1;
            for (int k = 0; t && k < t->n_parts; k++)
                topics[i].messages += t->part[k].next - t->part[k].low;
        }
    pthread_mutex_unlock(&b->lock);
    return st;
}

static enum ft_status lb_owners(struct ft_bus *bus, const char *topic, const char *group,
                                int timeout_ms, struct ft_partition_info *part, size_t n,
                                struct ft_err *err)
{
    struct lb_bus *b = lb(bus);
    enum ft_status st = FT_OK;
    struct lb_topic *t;
    struct lb_group *g;

    (void)timeout_ms;
    pthread_mutex_lock(&b->lock);
    if (!lb_fails(b, FT_CALL_TOPICS, &st, err)) {
        t = lb_topic_find(b, topic);
        g = lb_group_find(b, group);
        for (size_t i = 0; t && g && i < n; i++)
            lb_group_owner(g, t, part[i].partition, part[i].owner, sizeof(part[i].owner));
    }
    pthread_mutex_unlock(&b->lock);
    return st;
}

static enum ft_status lb_offset_at(struct ft_bus *bus, const char *topic, int32_t partition,
                                   int64_t ms, int timeout_ms, int64_t *offset, struct ft_err *err)
{
    struct lb_bus *b = lb(bus);
    enum ft_status st = FT_OK;
    struct lb_topic *t;

    (void)timeout_ms;
    pthread_mutex_lock(&b->lock);
    if (lb_fails(b, FT_CALL_TOPICS, &st, err))
        goto out;
    t = lb_topic_find(b, topic);
    if (!t || partition < 0 || partition >= t->n_parts) {
        st = no_topic(topic, err);
        goto out;
    }
    *offset = t->part[partition].next;
    for (size_t i = 0; i < t->part[partition].n; i++) {
        const struct lb_slot *s = lb_part_slot(&t->part[partition], i);

        if (s->e && s->e->timestamp_ms >= ms) {
            *offset = s->offset;
            break;
        }
    }
out:
    pthread_mutex_unlock(&b->lock);
    return st;
}

/* ---- producing ------------------------------------------------------------------------------------- */

/* Room for one more in a growing list; false: no memory. */
static bool room(void **list, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger;

    if (n < *cap)
        return true;
    bigger = realloc(*list, more * size);
    if (!bigger)
        return false;
    *list = bigger;
    *cap = more;
    return true;
}

static enum ft_status lb_producer_new(struct ft_producer **out, struct ft_bus *bus,
                                      const struct ft_producer_opts *opts, struct ft_err *err)
{
    struct ft_producer *p;
    enum ft_status st = FT_OK;
    bool failed;

    pthread_mutex_lock(&lb(bus)->lock);
    failed = lb_fails(lb(bus), FT_CALL_PRODUCER_NEW, &st, err);
    pthread_mutex_unlock(&lb(bus)->lock);
    if (failed)
        return st;
    p = calloc(1, sizeof(*p));
    if (!p || (opts->transactional_id && !(p->txn_id = strdup(opts->transactional_id)))) {
        free(p);
        return ft_fail(err, FT_ENOMEM, "loopback: no memory for a producer");
    }
    p->ops = lb(bus)->ops;
    p->bus = lb(bus);
    p->opts = *opts;
    p->max_message = opts->large ? MESSAGE_LARGE : MESSAGE_MAX;
    *out = p;
    return FT_OK;
}

static bool fenced(const struct ft_producer *p)
{
    const struct lb_bus *b = p->bus;

    for (size_t i = 0; p->txn_id && i < b->n_fences; i++)
        if (strcmp(b->fence[i].id, p->txn_id) == 0)
            return b->fence[i].epoch != p->epoch;
    return false;
}

static enum ft_status fail_fenced(const struct ft_producer *p, struct ft_err *err)
{
    return ft_fail(err, FT_EFENCED, "another instance has taken over the transactional id %s",
                   p->txn_id);
}

static enum ft_status add_report(struct ft_producer *p, uint64_t token, enum ft_status st,
                                 int32_t partition, int64_t offset, struct ft_err *err)
{
    if (!token)
        return FT_OK;
    if (!room((void **)&p->report, p->n_reports, &p->cap_reports, sizeof(*p->report)))
        return ft_fail(err, FT_ENOMEM, "loopback: no memory for a report");
    p->report[p->n_reports++] = (struct report){token, offset, partition, st};
    return FT_OK;
}

/* Puts e into the log or the open transaction; takes e unless it fails. */
static enum ft_status put(struct ft_producer *p, struct lb_topic *t, int32_t partition,
                          struct lb_entry *e, uint64_t token, struct ft_err *err)
{
    enum ft_status st, fate;

    if (lb_fails(p->bus, FT_CALL_DELIVER, &fate, NULL)) {
        st = add_report(p, token, fate, partition, -1, err);
        if (st == FT_OK)
            lb_entry_unref(e);
        return st;
    }
    if (p->in_txn) {
        if (!room((void **)&p->staged, p->n_staged, &p->cap_staged, sizeof(*p->staged)))
            return ft_fail(err, FT_ENOMEM, "loopback: no memory for a transaction");
        st = add_report(p, token, FT_OK, partition, -1, err);
        if (st == FT_OK)
            p->staged[p->n_staged++] = (struct staged){t, partition, e};
        return st;
    }
    st = add_report(p, token, FT_OK, partition, t->part[partition].next, err);
    if (st == FT_OK && !lb_append(t, partition, e)) {
        p->n_reports -= token != 0;
        return ft_fail(err, FT_ENOMEM, "loopback: no memory for a message");
    }
    return st;
}

static enum ft_status send_locked(struct ft_producer *p, const char *topic, int32_t partition,
                                  struct lb_entry *e, uint64_t token, struct ft_err *err)
{
    struct lb_bus *b = p->bus;
    struct lb_topic *t = lb_topic_find(b, topic);
    size_t bytes = lb_entry_bytes(e);
    enum ft_status st;

    if (lb_fails(b, FT_CALL_SEND, &st, err))
        return st;
    if (p->txn_id && !p->in_txn)
        return ft_fail(err, FT_EFATAL, "a transactional producer sends only in a transaction");
    if (fenced(p))
        return fail_fenced(p, err);
    if (!t && !(t = lb_topic_new(b, topic, PARTITIONS, false, 0)))
        return ft_fail(err, FT_ENOMEM, "topic %s: no memory", topic);
    if (bytes > p->max_message || bytes > t->max_message || bytes > t->max_bytes)
        return ft_fail(err, FT_EINPUT, "topic %s: a message of %zu bytes is too large", topic,
                       bytes);
    if (partition >= t->n_parts)
        return ft_fail(err, FT_EINPUT, "%s [%d]: there is no such partition", topic,
                       (int)partition);
    p->full = p->n_reports - p->served >= REPORTS_MAX || !lb_topic_room(b, t, bytes);
    if (p->full)
        return ft_fail(err, FT_AGAIN, "topic %s is full", topic);
    if (partition < 0)
        partition = lb_partition_of(
            t, (struct ft_span){e->has_key ? e->data : NULL, e->has_key ? e->key_n : 0});
    st = put(p, t, partition, e, token, err);
    if (st == FT_OK) {
        lb_wake_readers(b);
        lb_wake_writers(b); /* another thread may wait for reports */
    }
    return st;
}

static enum ft_status lb_send(struct ft_producer *p, const char *topic, int32_t partition,
                              struct ft_span key, struct ft_span value,
                              const struct ft_header *headers, size_t n_headers,
                              int64_t timestamp_ms, uint64_t token, struct ft_err *err)
{
    struct lb_entry *e = lb_entry_new(key, value, headers, n_headers, timestamp_ms);
    enum ft_status st;

    if (!e)
        return ft_fail(err, FT_ENOMEM, "topic %s: no memory for a message", topic);
    pthread_mutex_lock(&p->bus->lock);
    st = send_locked(p, topic, partition, e, token, err);
    pthread_mutex_unlock(&p->bus->lock);
    if (st != FT_OK)
        lb_entry_unref(e);
    return st;
}

/* Calls delivered for the reports that are there; the callback runs without the lock. */
static size_t serve(struct ft_producer *p)
{
    size_t n = 0;

    while (p->served < p->n_reports) {
        struct report r = p->report[p->served++];

        n++;
        if (!p->opts.delivered)
            continue;
        pthread_mutex_unlock(&p->bus->lock);
        p->opts.delivered(p->opts.user, r.token, r.st, r.partition, r.offset);
        pthread_mutex_lock(&p->bus->lock);
    }
    p->served = p->n_reports = 0;
    return n;
}

static enum ft_status lb_producer_poll(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    int64_t deadline = ft_now_ms() + timeout_ms;

    (void)err;
    pthread_mutex_lock(&p->bus->lock);
    if (serve(p) == 0 && timeout_ms > 0) {
        lb_wait(p->bus, &p->bus->space, &p->bus->n_writers, deadline);
        serve(p);
    }
    pthread_mutex_unlock(&p->bus->lock);
    return FT_OK;
}

static size_t lb_pending(struct ft_producer *p)
{
    size_t n;

    pthread_mutex_lock(&p->bus->lock);
    n = p->n_reports - p->served;
    pthread_mutex_unlock(&p->bus->lock);
    return n;
}

static enum ft_status lb_flush(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&p->bus->lock);
    if (!lb_fails(p->bus, FT_CALL_FLUSH, &st, err))
        serve(p);
    pthread_mutex_unlock(&p->bus->lock);
    return st;
}

static void drop_txn(struct ft_producer *p)
{
    for (size_t i = 0; i < p->n_staged; i++)
        lb_entry_unref(p->staged[i].e);
    p->n_staged = p->n_offsets = 0;
    p->in_txn = false;
}

static void lb_producer_free(struct ft_producer *p)
{
    drop_txn(p);
    free(p->report);
    free(p->staged);
    free(p->offset);
    free(p->txn_id);
    free(p);
}

/* ---- transactions ---------------------------------------------------------------------------------- */

static struct lb_fence *fence_of(struct lb_bus *b, const char *id)
{
    struct lb_fence *list;

    for (size_t i = 0; i < b->n_fences; i++)
        if (strcmp(b->fence[i].id, id) == 0)
            return &b->fence[i];
    list = realloc(b->fence, (b->n_fences + 1) * sizeof(*list));
    if (!list)
        return NULL;
    b->fence = list;
    list[b->n_fences] = (struct lb_fence){.id = strdup(id)};
    return list[b->n_fences].id ? &list[b->n_fences++] : NULL;
}

static enum ft_status lb_txn_init(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct lb_fence *f;

    (void)timeout_ms;
    if (!p->txn_id)
        return ft_fail(err, FT_EFATAL, "this producer has no transactional id");
    pthread_mutex_lock(&p->bus->lock);
    if (!lb_fails(p->bus, FT_CALL_TXN_INIT, &st, err)) {
        f = fence_of(p->bus, p->txn_id);
        if (f)
            p->epoch = ++f->epoch;
        else
            st = ft_fail(err, FT_ENOMEM, "loopback: no memory");
    }
    pthread_mutex_unlock(&p->bus->lock);
    return st;
}

static enum ft_status lb_txn_begin(struct ft_producer *p, struct ft_err *err)
{
    if (!p->epoch || p->in_txn)
        return ft_fail(err, FT_EFATAL, "no transaction can begin here");
    p->in_txn = true;
    return FT_OK;
}

static enum ft_status lb_txn_offsets(struct ft_producer *p, struct ft_consumer *c,
                                     const struct ft_offset *o, size_t n, int timeout_ms,
                                     struct ft_err *err)
{
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&p->bus->lock);
    if (lb_fails(p->bus, FT_CALL_TXN_OFFSETS, &st, err))
        goto out;
    for (size_t i = 0; i < n; i++) {
        struct lb_topic *t = lb_topic_find(p->bus, o[i].topic);

        if (!t || !room((void **)&p->offset, p->n_offsets, &p->cap_offsets, sizeof(*p->offset))) {
            st = ft_fail(err, FT_EINPUT, "topic %s: no offset can be sent", o[i].topic);
            break;
        }
        p->offset[p->n_offsets++] = (struct txn_offset){c, t, o[i].partition, o[i].next};
    }
out:
    pthread_mutex_unlock(&p->bus->lock);
    return st;
}

/* Offsets first: when a partition is no longer the consumer's nothing of the transaction may be seen. */
static enum ft_status commit_locked(struct ft_producer *p, struct ft_err *err)
{
    for (size_t i = 0; i < p->n_offsets; i++) {
        const struct txn_offset *t = &p->offset[i];
        struct ft_offset o = {t->topic->name, t->partition, t->next};

        if (lb_commit(t->c, &o, 1, err) != FT_OK)
            return FT_EINPUT;
    }
    p->n_offsets = 0;
    for (size_t i = 0; i < p->n_staged; i++)
        if (!lb_append(p->staged[i].topic, p->staged[i].partition, p->staged[i].e))
            lb_entry_unref(p->staged[i].e);
    p->n_staged = 0;
    p->in_txn = false;
    lb_wake_readers(p->bus);
    return FT_OK;
}

static enum ft_status lb_txn_commit(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    enum ft_status st;

    (void)timeout_ms;
    pthread_mutex_lock(&p->bus->lock);
    if (!lb_fails(p->bus, FT_CALL_TXN_COMMIT, &st, err)) {
        serve(p);
        if (!p->in_txn)
            st = ft_fail(err, FT_EFATAL, "there is no transaction to commit");
        else
            st = fenced(p) ? fail_fenced(p, err) : commit_locked(p, err);
    }
    pthread_mutex_unlock(&p->bus->lock);
    return st;
}

static enum ft_status lb_txn_abort(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    (void)timeout_ms;
    pthread_mutex_lock(&p->bus->lock);
    if (!lb_fails(p->bus, FT_CALL_TXN_ABORT, &st, err)) {
        for (size_t i = p->served; i < p->n_reports; i++)
            p->report[i].st = FT_ESTOPPED;
        drop_txn(p);
        serve(p);
        st = fenced(p) ? fail_fenced(p, err) : FT_OK;
    }
    pthread_mutex_unlock(&p->bus->lock);
    return st;
}

static const struct ft_bus_ops loopback_ops = {
    .embedded = true,
    .close = lb_close,
    .cluster_id = lb_cluster_id,
    .health = lb_health,
    .ensure_topics = lb_ensure_topics,
    .topics = lb_topics,
    .partitions = lb_partitions,
    .count = lb_count,
    .owners = lb_owners,
    .offset_at = lb_offset_at,
    .producer_new = lb_producer_new,
    .send = lb_send,
    .producer_poll = lb_producer_poll,
    .pending = lb_pending,
    .flush = lb_flush,
    .producer_free = lb_producer_free,
    .txn_init = lb_txn_init,
    .txn_begin = lb_txn_begin,
    .txn_offsets = lb_txn_offsets,
    .txn_commit = lb_txn_commit,
    .txn_abort = lb_txn_abort,
    .consumer_new = lb_consumer_new,
    .assign = lb_consumer_assign,
    .poll = lb_consumer_poll,
    .done = lb_msg_done,
    .headers = lb_msg_headers,
    .pause = lb_consumer_pause,
    .seek = lb_consumer_seek,
    .commit = lb_consumer_commit,
    .committed = lb_consumer_committed,
    .lag = lb_consumer_lag,
    .consumer_close = lb_consumer_close,
};

enum ft_status ft_bus_open_loopback(struct ft_bus **out, const struct ft_bus_opts *opts,
                                    struct ft_err *err)
{
    struct lb_bus *b = calloc(1, sizeof(*b));
    uint64_t id[2];

    if (!b || !(b->client_id = strdup(opts->client_id ? opts->client_id : "fraudtop"))) {
        free(b);
        return ft_fail(err, FT_ENOMEM, "loopback: no memory");
    }
    b->ops = &loopback_ops;
    b->since_ms = ft_now_ms();
    b->topic_bytes = opts->loopback_bytes ? opts->loopback_bytes : TOPIC_BYTES;
    ft_random(id, sizeof(id));
    snprintf(b->cluster_id, sizeof(b->cluster_id), "loopback-%016" PRIx64, id[0] ^ id[1]);
    pthread_mutex_init(&b->lock, NULL);
    ft_cond_init(&b->data);
    ft_cond_init(&b->space);
    *out = (struct ft_bus *)b;
    return FT_OK;
}
