/*
 * Consumers of the loopback and the groups that share partitions among them.  As with Kafka's range assignor, every
 * change of members or topics begins a new epoch: all members give up what they have, and when the last has done so
 * the partitions are dealt anew.  Callbacks run in the member's own ft_consumer_poll.
 */
#include "bus_loopback.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define BATCH 128 /* entries taken at once, so that the lock is not taken for each */

struct own {
    struct lb_topic *topic;
    int32_t partition;
    int64_t pos; /* next offset to give to the caller */
    bool paused, at_end;
};

struct ft_consumer {
    const struct ft_bus_ops *ops;
    struct lb_bus *bus;
    struct lb_group *group; /* NULL: without */
    char **topic;
    size_t n_topics;
    struct ft_consumer_opts opts;

    struct own *own;
    size_t n_own, next_own;
    struct own *dealt; /* the new epoch's partitions, not taken up yet */
    size_t n_dealt;
    uint64_t joined, taken; /* epochs: everything given up, partitions taken up */
    bool lost;

    struct lb_entry *batch[BATCH];
    size_t batch_i, batch_n;
    size_t batch_own; /* whose they are */
};

/* ---- groups ---------------------------------------------------------------------------------------- */

struct lb_group *lb_group_find(struct lb_bus *b, const char *name)
{
    for (size_t i = 0; i < b->n_groups; i++)
        if (strcmp(b->group[i]->name, name) == 0)
            return b->group[i];
    return NULL;
}

static struct lb_group *group_get(struct lb_bus *b, const char *name)
{
    struct lb_group *g = lb_group_find(b, name), **list;

    if (g)
        return g;
    list = realloc(b->group, (b->n_groups + 1) * sizeof(*list));
    if (!list)
        return NULL;
    b->group = list;
    g = calloc(1, sizeof(*g));
    if (!g || !(g->name = strdup(name))) {
        free(g);
        return NULL;
    }
    b->group[b->n_groups++] = g;
    return g;
}

void lb_group_free(struct lb_group *g)
{
    for (size_t i = 0; i < g->n_held; i++)
        free(g->held[i].committed);
    free(g->held);
    free(g->member);
    free(g->name);
    free(g);
}

struct lb_held *lb_group_held(struct lb_group *g, const struct lb_topic *t)
{
    for (size_t i = 0; i < g->n_held; i++)
        if (g->held[i].topic == t)
            return &g->held[i];
    return NULL;
}

/* From now on the topic keeps what this group has not read. */
static bool hold(struct lb_group *g, struct lb_topic *t)
{
    struct lb_held *list;

    if (lb_group_held(g, t))
        return true;
    list = realloc(g->held, (g->n_held + 1) * sizeof(*list));
    if (!list)
        return false;
    g->held = list;
    list[g->n_held] = (struct lb_held){t, malloc((size_t)t->n_parts * sizeof(int64_t))};
    if (!list[g->n_held].committed)
        return false;
    for (int i = 0; i < t->n_parts; i++)
        list[g->n_held].committed[i] = -1;
    g->n_held++;
    return true;
}

static bool wants(const struct ft_consumer *c, const struct lb_topic *t)
{
    for (size_t i = 0; i < c->n_topics; i++)
        if (strcmp(c->topic[i], t->name) == 0)
            return true;
    return false;
}

void lb_groups_new_topic(struct lb_bus *b, struct lb_topic *t)
{
    for (size_t i = 0; i < b->n_groups; i++) {
        struct lb_group *g = b->group[i];

        for (size_t k = 0; k < g->n_members; k++)
            if (wants(g->member[k], t) && hold(g, t)) {
                g->epoch++;
                break;
            }
    }
    lb_wake_readers(b);
}

void lb_group_owner(const struct lb_group *g, const struct lb_topic *t, int32_t partition,
                    char *out, size_t size)
{
    out[0] = '\0';
    for (size_t m = 0; m < g->n_members; m++)
        for (size_t i = 0; i < g->member[m]->n_own; i++)
            if (g->member[m]->own[i].topic == t && g->member[m]->own[i].partition == partition)
                snprintf(out, size, "%s #%zu, in this process", g->member[m]->bus->client_id,
                         m + 1);
}

static bool deal_one(struct ft_consumer *c, struct lb_topic *t, int32_t partition)
{
    struct own *list = realloc(c->dealt, (c->n_dealt + 1) * sizeof(*list));

    if (!list)
        return false;
    c->dealt = list;
    c->dealt[c->n_dealt++] = (struct own){.topic = t, .partition = partition};
    return true;
}

/* Range assignment: of each topic every member that wants it gets a run of partitions. */
static bool deal(struct lb_group *g, struct lb_topic *t)
{
    int n = 0, nth = 0, from = 0;

    for (size_t m = 0; m < g->n_members; m++)
        n += wants(g->member[m], t);
    for (size_t m = 0; n && m < g->n_members; m++) {
        int count;

        if (!wants(g->member[m], t))
            continue;
        count = t->n_parts / n + (nth++ < t->n_parts % n);
        for (int i = 0; i < count; i++)
            if (!deal_one(g->member[m], t, from + i))
                return false;
        from += count;
    }
    return true;
}

/* When the last member has given up its partitions: deals them. */
static bool deal_when_joined(struct lb_bus *b, struct lb_group *g)
{
    if (g->assigned == g->epoch)
        return true;
    for (size_t m = 0; m < g->n_members; m++)
        if (g->member[m]->joined != g->epoch)
            return true;
    for (size_t m = 0; m < g->n_members; m++)
        g->member[m]->n_dealt = 0;
    for (size_t i = 0; i < g->n_held; i++)
        if (!deal(g, g->held[i].topic))
            return false;
    g->assigned = g->epoch;
    lb_wake_readers(b);
    return true;
}

/* ---- giving up and taking over --------------------------------------------------------------------- */

static void drop_batch(struct ft_consumer *c)
{
    while (c->batch_i < c->batch_n)
        lb_entry_unref(c->batch[c->batch_i++]);
    c->batch_i = c->batch_n = 0;
}

static struct own *own_find(struct ft_consumer *c, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < c->n_own; i++)
        if (c->own[i].partition == partition && strcmp(c->own[i].topic->name, topic) == 0)
            return &c->own[i];
    return NULL;
}

static struct ft_assigned *list_of(const struct own *own, size_t n)
{
    struct ft_assigned *list = calloc(n ? n : 1, sizeof(*list));

    for (size_t i = 0; list && i < n; i++)
        list[i] =
            (struct ft_assigned){own[i].topic->name, own[i].partition, FT_START_COMMITTED, false};
    return list;
}

/* Calls revoked without the lock; the partitions are the consumer's until it returns, unless they are lost. */
static bool give_up(struct ft_consumer *c)
{
    struct lb_bus *b = c->bus;
    struct ft_assigned *list = list_of(c->own, c->n_own);
    size_t n = c->n_own;
    bool lost = c->lost;

    drop_batch(c);
    if (!list)
        return false;
    if (lost)
        c->n_own = 0;
    if (n && c->opts.revoked) {
        pthread_mutex_unlock(&b->lock);
        c->opts.revoked(c->opts.user, list, n, lost);
        pthread_mutex_lock(&b->lock);
    }
    free(list);
    c->n_own = 0;
    c->lost = false;
    if (c->group)
        c->joined = c->group->epoch;
    return true;
}

static int64_t start_of(const struct ft_consumer *c, const struct lb_topic *t, int32_t partition,
                        int64_t start)
{
    const struct lb_part *p = &t->part[partition];
    const struct lb_held *h = c->group ? lb_group_held(c->group, t) : NULL;

    if (start == FT_START_LATEST)
        return p->next;
    if (start == FT_START_COMMITTED && h && h->committed[partition] >= 0)
        return h->committed[partition];
    return start >= 0 ? start : p->low;
}

static bool take_up(struct ft_consumer *c)
{
    struct lb_bus *b = c->bus;
    struct ft_assigned *list = list_of(c->dealt, c->n_dealt);
    struct own *own = c->dealt;
    size_t n = c->n_dealt;

    if (!list)
        return false;
    c->taken = c->group->epoch;
    c->dealt = NULL;
    c->n_dealt = 0;
    if (n && c->opts.assigned) {
        pthread_mutex_unlock(&b->lock);
        c->opts.assigned(c->opts.user, list, n);
        pthread_mutex_lock(&b->lock);
    }
    for (size_t i = 0; i < n; i++) {
        own[i].pos = start_of(c, own[i].topic, own[i].partition, list[i].start);
        own[i].paused = list[i].paused;
    }
    free(list);
    free(c->own);
    c->own = own;
    c->n_own = n;
    c->next_own = 0;
    return true;
}

/* One step towards the group's present epoch; false: no memory. */
static bool follow_group(struct ft_consumer *c)
{
    struct lb_group *g = c->group;

    if (!g)
        return true;
    if (c->joined != g->epoch && !give_up(c))
        return false;
    if (!deal_when_joined(c->bus, g))
        return false;
    if (g->assigned == g->epoch && c->joined == g->epoch && c->taken != g->epoch)
        return take_up(c);
    return true;
}

/* ---- reading --------------------------------------------------------------------------------------- */

/* A position outside the log is moved to its beginning, as auto.offset.reset=earliest; says what that cost. */
static enum ft_status check_position(struct own *o, struct ft_err *err)
{
    const struct lb_part *p = &o->topic->part[o->partition];
    int64_t was = o->pos;

    if (was >= p->low && was <= p->next)
        return FT_OK;
    o->pos = p->low;
    o->at_end = false;
    if (was > p->next)
        return ft_fail(err, FT_EINPUT,
                       "%s [%d]: offset %" PRId64 " lies behind the end (%" PRId64
                       "): the topic was made anew; reading from its beginning",
                       o->topic->name, (int)o->partition, was, p->next);
    return ft_fail(err, FT_EINPUT,
                   "%s [%d]: %" PRId64 " unread messages (offsets %" PRId64 " to %" PRId64
                   ") were removed by the retention: they are lost",
                   o->topic->name, (int)o->partition, p->low - was, was, p->low - 1);
}

static void take_batch(struct ft_consumer *c, size_t index)
{
    const struct own *o = &c->own[index];
    const struct lb_part *p = &o->topic->part[o->partition];

    c->batch_i = c->batch_n = 0;
    c->batch_own = index;
    for (size_t i = lb_part_find(p, o->pos); i < p->n && c->batch_n < BATCH; i++) {
        struct lb_entry *e = lb_part_slot(p, i)->e;

        if (!e)
            continue;
        atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
        c->batch[c->batch_n++] = e;
    }
}

/* Looks at each partition once: FT_OK with a batch, FT_END, FT_EINPUT, or FT_AGAIN when there is nothing. */
static enum ft_status look(struct ft_consumer *c, struct ft_msg *out, struct ft_err *err)
{
    for (size_t k = 0; k < c->n_own; k++) {
        size_t i = c->next_own++ % c->n_own;
        struct own *o = &c->own[i];
        enum ft_status st;

        if (o->paused)
            continue;
        st = check_position(o, err);
        if (st != FT_OK)
            return st;
        take_batch(c, i);
        if (c->batch_n) {
            o->at_end = false;
            return FT_OK;
        }
        o->pos = o->topic->part[o->partition].next; /* over holes at the end */
        if (!o->at_end) {
            o->at_end = true;
            if (c->opts.eof_events) {
                *out = (struct ft_msg){
                    .topic = o->topic->name, .partition = o->partition, .offset = o->pos};
                return FT_END;
            }
        }
    }
    return FT_AGAIN;
}

static void give(struct ft_consumer *c, struct ft_msg *out)
{
    struct own *o = &c->own[c->batch_own];
    struct lb_entry *e = c->batch[c->batch_i++];

    o->pos = e->offset + 1;
    *out = (struct ft_msg){
        .topic = o->topic->name,
        .partition = o->partition,
        .offset = e->offset,
        .timestamp_ms = e->timestamp_ms,
        .key = {e->has_key ? e->data : NULL,              e->key_n  },
        .value = {e->has_value ? e->data + e->key_n : NULL, e->value_n},
        .handle = e,
        .ops = c->ops,
    };
}

enum ft_status lb_consumer_poll(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                                struct ft_err *err)
{
    struct lb_bus *b = c->bus;
    int64_t deadline = ft_now_ms() + timeout_ms;
    enum ft_status st;

    pthread_mutex_lock(&b->lock);
    if (lb_fails(b, FT_CALL_POLL, &st, err))
        goto out;
    for (;;) {
        if (!follow_group(c)) {
            st = ft_fail(err, FT_ENOMEM, "loopback: no memory for partitions");
            break;
        }
        st = c->batch_i < c->batch_n ? FT_OK : look(c, out, err);
        if (st == FT_OK)
            give(c, out);
        if (st != FT_AGAIN || !lb_wait(b, &b->data, &b->n_readers, deadline))
            break;
    }
out:
    pthread_mutex_unlock(&b->lock);
    return st;
}

void lb_msg_done(struct ft_msg *m)
{
    lb_entry_unref(m->handle);
}

size_t lb_msg_headers(const struct ft_msg *m, struct ft_header *out, size_t max)
{
    return lb_entry_headers(m->handle, out, max);
}

enum ft_status lb_consumer_pause(struct ft_consumer *c, const char *topic, int32_t partition,
                                 bool on)
{
    enum ft_status st = FT_AGAIN;
    struct own *o;

    pthread_mutex_lock(&c->bus->lock);
    o = own_find(c, topic, partition);
    if (o) {
        drop_batch(c);
        o->paused = on;
        st = FT_OK;
    }
    pthread_mutex_unlock(&c->bus->lock);
    return st;
}

enum ft_status lb_consumer_seek(struct ft_consumer *c, const char *topic, int32_t partition,
                                int64_t offset, struct ft_err *err)
{
    enum ft_status st;
    struct own *o;

    pthread_mutex_lock(&c->bus->lock);
    if (!lb_fails(c->bus, FT_CALL_SEEK, &st, err)) {
        o = own_find(c, topic, partition);
        if (o) {
            drop_batch(c);
            o->pos = start_of(c, o->topic, partition, offset);
            o->at_end = false;
            st = FT_OK;
        } else {
            st = ft_fail(err, FT_AGAIN, "%s [%d]: no longer ours", topic, (int)partition);
        }
    }
    pthread_mutex_unlock(&c->bus->lock);
    return st;
}

/* ---- offsets --------------------------------------------------------------------------------------- */

enum ft_status lb_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                         struct ft_err *err)
{
    if (!c->group)
        return ft_fail(err, FT_EINPUT, "a reader without a group has nothing to commit");
    for (size_t i = 0; i < n; i++) {
        struct own *own = own_find(c, o[i].topic, o[i].partition);

        if (!own || c->lost)
            return ft_fail(err, FT_AGAIN, "%s [%d]: no longer ours", o[i].topic,
                           (int)o[i].partition);
        lb_group_held(c->group, own->topic)->committed[o[i].partition] = o[i].next;
    }
    lb_wake_writers(c->bus);
    return FT_OK;
}

enum ft_status lb_consumer_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                  bool wait, struct ft_err *err)
{
    enum ft_status st;

    (void)wait;
    pthread_mutex_lock(&c->bus->lock);
    if (!lb_fails(c->bus, FT_CALL_COMMIT, &st, err))
        st = lb_commit(c, o, n, err);
    pthread_mutex_unlock(&c->bus->lock);
    return st;
}

enum ft_status lb_consumer_committed(struct ft_consumer *c, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *next, struct ft_err *err)
{
    enum ft_status st;

    (void)timeout_ms;
    *next = -1;
    pthread_mutex_lock(&c->bus->lock);
    if (!lb_fails(c->bus, FT_CALL_COMMITTED, &st, err)) {
        const struct lb_topic *t = lb_topic_find(c->bus, topic);
        const struct lb_held *h = t && c->group ? lb_group_held(c->group, t) : NULL;

        if (h && partition >= 0 && partition < t->n_parts)
            *next = h->committed[partition];
        st = FT_OK;
    }
    pthread_mutex_unlock(&c->bus->lock);
    return st;
}

int64_t lb_consumer_lag(struct ft_consumer *c)
{
    int64_t lag = 0;

    pthread_mutex_lock(&c->bus->lock);
    for (size_t i = 0; i < c->n_own; i++) {
        int64_t next = c->own[i].topic->part[c->own[i].partition].next;

        lag += next > c->own[i].pos ? next - c->own[i].pos : 0;
    }
    pthread_mutex_unlock(&c->bus->lock);
    return lag;
}

/* ---- consumers ------------------------------------------------------------------------------------- */

static void consumer_free(struct ft_consumer *c)
{
    drop_batch(c);
    for (size_t i = 0; i < c->n_topics; i++)
        free(c->topic[i]);
    free(c->topic);
    free(c->own);
    free(c->dealt);
    free(c);
}

static bool copy_topics(struct ft_consumer *c, const struct ft_consumer_opts *opts)
{
    c->topic = calloc(opts->n_topics ? opts->n_topics : 1, sizeof(*c->topic));
    for (; c->topic && c->n_topics < opts->n_topics; c->n_topics++) {
        c->topic[c->n_topics] = strdup(opts->topics[c->n_topics]);
        if (!c->topic[c->n_topics])
            return false;
    }
    return c->topic != NULL;
}

static bool join(struct ft_consumer *c, const char *name)
{
    struct lb_group *g = group_get(c->bus, name);
    struct ft_consumer **list;

    if (!g)
        return false;
    list = realloc(g->member, (g->n_members + 1) * sizeof(struct ft_consumer *));
    if (!list)
        return false;
    g->member = list;
    for (size_t i = 0; i < c->n_topics; i++) {
        struct lb_topic *t = lb_topic_find(c->bus, c->topic[i]);

        if (t && !hold(g, t))
            return false;
    }
    g->member[g->n_members++] = c;
    g->epoch++;
    c->group = g;
    lb_wake_readers(c->bus);
    return true;
}

enum ft_status lb_consumer_new(struct ft_consumer **out, struct ft_bus *bus,
                               const struct ft_consumer_opts *opts, struct ft_err *err)
{
    struct lb_bus *b = (struct lb_bus *)bus;
    struct ft_consumer *c = calloc(1, sizeof(*c));
    enum ft_status st = FT_OK;
    bool joined = true;

    if (!c)
        return ft_fail(err, FT_ENOMEM, "loopback: no memory for a consumer");
    c->ops = b->ops;
    c->bus = b;
    c->opts = *opts;
    pthread_mutex_lock(&b->lock);
    if (!lb_fails(b, FT_CALL_CONSUMER_NEW, &st, err))
        joined = copy_topics(c, opts) && (!opts->group || join(c, opts->group));
    pthread_mutex_unlock(&b->lock);
    if (!joined)
        st = ft_fail(err, FT_ENOMEM, "loopback: no memory for a consumer");
    if (st != FT_OK) {
        consumer_free(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

enum ft_status lb_consumer_assign(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                                  struct ft_err *err)
{
    struct own *own = calloc(n ? n : 1, sizeof(*own));
    enum ft_status st = FT_OK;

    if (!own)
        return ft_fail(err, FT_ENOMEM, "loopback: no memory for partitions");
    pthread_mutex_lock(&c->bus->lock);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        struct lb_topic *t = lb_topic_find(c->bus, part[i].topic);

        if (!t || part[i].partition < 0 || part[i].partition >= t->n_parts)
            st = ft_fail(err, FT_EINPUT, "%s [%d]: there is no such partition", part[i].topic,
                         (int)part[i].partition);
        else
            own[i] =
                (struct own){t, part[i].partition, start_of(c, t, part[i].partition, part[i].start),
                             part[i].paused, false};
    }
    if (st == FT_OK) {
        drop_batch(c);
        free(c->own);
        c->own = own;
        c->n_own = n;
        own = NULL;
    }
    pthread_mutex_unlock(&c->bus->lock);
    free(own);
    return st;
}

void ft_loopback_expel(struct ft_consumer *c)
{
    pthread_mutex_lock(&c->bus->lock);
    c->lost = true;
    c->group->epoch++;
    lb_wake_readers(c->bus);
    pthread_mutex_unlock(&c->bus->lock);
}

void lb_consumer_close(struct ft_consumer *c, int timeout_ms)
{
    struct lb_bus *b = c->bus;
    struct lb_group *g = c->group;

    (void)timeout_ms;
    pthread_mutex_lock(&b->lock);
    give_up(c);
    if (g) {
        size_t i = 0;

        while (g->member[i] != c)
            i++;
        memmove(&g->member[i], &g->member[i + 1],
                (g->n_members - i - 1) * sizeof(struct ft_consumer *));
        g->n_members--;
        g->epoch++;
        lb_wake_readers(b);
    }
    pthread_mutex_unlock(&b->lock);
    consumer_free(c);
}
