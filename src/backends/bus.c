#include "bus_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The first member of every ft_bus, ft_producer and ft_consumer. */
static const struct ft_bus_ops *ops_of(const void *object)
{
    const struct ft_bus_ops *ops;

    memcpy(&ops, object, sizeof(ops));
    return ops;
}

enum ft_status ft_bus_open(struct ft_bus **out, const struct ft_bus_opts *opts, struct ft_err *err)
{
    *out = NULL;
    return opts->brokers ? ft_bus_open_kafka(out, opts, err) : ft_bus_open_loopback(out, opts, err);
}

void ft_bus_close(struct ft_bus *bus)
{
    if (bus)
        ops_of(bus)->close(bus);
}

bool ft_bus_embedded(const struct ft_bus *bus)
{
    return ops_of(bus)->embedded;
}

static uint32_t murmur2(const unsigned char *p, size_t n)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)n;

    for (; n >= 4; p += 4, n -= 4) {
        uint32_t k =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (n == 3)
        h ^= (uint32_t)p[2] << 16;
    if (n >= 2)
        h ^= (uint32_t)p[1] << 8;
    if (n >= 1)
        h = (h ^ p[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

int32_t ft_bus_partition_of(struct ft_span key, int n)
{
    return (int32_t)((murmur2((const unsigned char *)key.p, key.n) & 0x7fffffff) % (uint32_t)n);
}

bool ft_prop_is_secret(const char *name)
{
    static const char *const parts[] = {"password", "secret", ".key", "sasl.jaas",
                                        "oauthbearer.config"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        for (const char *p = name; *p; p++)
            if (strncasecmp(p, parts[i], strlen(parts[i])) == 0)
                return true;
    return false;
}

enum ft_status ft_bus_cluster_id(struct ft_bus *bus, int timeout_ms, char *out, size_t size,
                                 struct ft_err *err)
{
    return ops_of(bus)->cluster_id(bus, timeout_ms, out, size, err);
}

void ft_bus_health(struct ft_bus *bus, struct ft_bus_health *out)
{
    ops_of(bus)->health(bus, out);
}

enum ft_status ft_bus_ensure_topics(struct ft_bus *bus, const struct ft_topic_spec *spec, size_t n,
                                    int timeout_ms, struct ft_err *err)
{
    return ops_of(bus)->ensure_topics(bus, spec, n, timeout_ms, err);
}

enum ft_status ft_bus_topics(struct ft_bus *bus, int timeout_ms, struct ft_topic_info **out,
                             size_t *n, struct ft_err *err)
{
    *out = NULL;
    *n = 0;
    return ops_of(bus)->topics(bus, timeout_ms, out, n, err);
}

int64_t ft_partition_lag(const struct ft_partition_info *p)
{
    int64_t from = p->committed >= 0 ? p->committed : p->low;

    return p->high > from ? p->high - from : 0;
}

enum ft_status ft_bus_partitions(struct ft_bus *bus, const char *topic, const char *group,
                                 int timeout_ms, struct ft_partition_info **out, size_t *n,
                                 struct ft_err *err)
{
    *out = NULL;
    *n = 0;
    return ops_of(bus)->partitions(bus, topic, group, timeout_ms, out, n, err);
}

enum ft_status ft_bus_lag(struct ft_bus *bus, const char *topic, const char *group, int timeout_ms,
                          int64_t *lag, struct ft_err *err)
{
    struct ft_partition_info *part;
    size_t n;
    enum ft_status st = ft_bus_partitions(bus, topic, group, timeout_ms, &part, &n, err);

    *lag = 0;
    for (size_t i = 0; st == FT_OK && i < n; i++)
        *lag += ft_partition_lag(&part[i]);
    free(part);
    return st;
}

size_t ft_topics_of_users(struct ft_topic_info *topics, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (strncmp(topics[i].name, "__", 2) != 0)
            topics[kept++] = topics[i];
    return kept;
}

enum ft_status ft_bus_count(struct ft_bus *bus, struct ft_topic_info *topics, size_t n,
                            int timeout_ms, struct ft_err *err)
{
    return ops_of(bus)->count(bus, topics, n, timeout_ms, err);
}

enum ft_status ft_bus_owners(struct ft_bus *bus, const char *topic, const char *group,
                             int timeout_ms, struct ft_partition_info *part, size_t n,
                             struct ft_err *err)
{
    return ops_of(bus)->owners(bus, topic, group, timeout_ms, part, n, err);
}

enum ft_status ft_bus_offset_at(struct ft_bus *bus, const char *topic, int32_t partition,
                                int64_t ms, int timeout_ms, int64_t *offset, struct ft_err *err)
{
    return ops_of(bus)->offset_at(bus, topic, partition, ms, timeout_ms, offset, err);
}

enum ft_status ft_producer_new(struct ft_producer **out, struct ft_bus *bus,
                               const struct ft_producer_opts *opts, struct ft_err *err)
{
    *out = NULL;
    return ops_of(bus)->producer_new(out, bus, opts, err);
}

enum ft_status ft_send(struct ft_producer *p, const char *topic, int32_t partition,
                       struct ft_span key, struct ft_span value, const struct ft_header *headers,
                       size_t n_headers, int64_t timestamp_ms, uint64_t token, struct ft_err *err)
{
    return ops_of(p)->send(p, topic, partition, key, value, headers, n_headers, timestamp_ms, token,
                           err);
}

enum ft_status ft_producer_poll(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    return ops_of(p)->producer_poll(p, timeout_ms, err);
}

size_t ft_producer_pending(struct ft_producer *p)
{
    return ops_of(p)->pending(p);
}

enum ft_status ft_producer_flush(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    return ops_of(p)->flush(p, timeout_ms, err);
}

void ft_producer_free(struct ft_producer *p)
{
    if (p)
        ops_of(p)->producer_free(p);
}

enum ft_status ft_txn_init(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    return ops_of(p)->txn_init(p, timeout_ms, err);
}

enum ft_status ft_txn_begin(struct ft_producer *p, struct ft_err *err)
{
    return ops_of(p)->txn_begin(p, err);
}

enum ft_status ft_txn_send_offsets(struct ft_producer *p, struct ft_consumer *c,
                                   const struct ft_offset *o, size_t n, int timeout_ms,
                                   struct ft_err *err)
{
    return ops_of(p)->txn_offsets(p, c, o, n, timeout_ms, err);
}

enum ft_status ft_txn_commit(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    return ops_of(p)->txn_commit(p, timeout_ms, err);
}

enum ft_status ft_txn_abort(struct ft_producer *p, int timeout_ms, struct ft_err *err)
{
    return ops_of(p)->txn_abort(p, timeout_ms, err);
}

enum ft_status ft_consumer_new(struct ft_consumer **out, struct ft_bus *bus,
                               const struct ft_consumer_opts *opts, struct ft_err *err)
{
    *out = NULL;
    return ops_of(bus)->consumer_new(out, bus, opts, err);
}

enum ft_status ft_consumer_assign(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                                  struct ft_err *err)
{
    return ops_of(c)->assign(c, part, n, err);
}

enum ft_status ft_consumer_poll(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                                struct ft_err *err)
{
    return ops_of(c)->poll(c, timeout_ms, out, err);
}

void ft_msg_done(struct ft_msg *m)
{
    if (m->handle)
        m->ops->done(m);
    m->handle = NULL;
}

struct ft_span ft_msg_header(const struct ft_msg *m, const char *name)
{
    struct ft_header h[FT_HEADERS_MAX];
    size_t n = ft_msg_headers(m, h, FT_HEADERS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(h[i].name, name) == 0)
            return h[i].value;
    return (struct ft_span){NULL, 0};
}

size_t ft_msg_headers(const struct ft_msg *m, struct ft_header *out, size_t max)
{
    return m->handle ? m->ops->headers(m, out, max) : 0;
}

enum ft_status ft_consumer_pause(struct ft_consumer *c, const char *topic, int32_t partition)
{
    return ops_of(c)->pause(c, topic, partition, true);
}

enum ft_status ft_consumer_resume(struct ft_consumer *c, const char *topic, int32_t partition)
{
    return ops_of(c)->pause(c, topic, partition, false);
}

enum ft_status ft_consumer_seek(struct ft_consumer *c, const char *topic, int32_t partition,
                                int64_t offset, struct ft_err *err)
{
    return ops_of(c)->seek(c, topic, partition, offset, err);
}

enum ft_status ft_consumer_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                  bool wait, struct ft_err *err)
{
    return ops_of(c)->commit(c, o, n, wait, err);
}

enum ft_status ft_consumer_committed(struct ft_consumer *c, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *next, struct ft_err *err)
{
    return ops_of(c)->committed(c, topic, partition, timeout_ms, next, err);
}

int64_t ft_consumer_lag(struct ft_consumer *c)
{
    return ops_of(c)->lag(c);
}

void ft_consumer_close(struct ft_consumer *c, int timeout_ms)
{
    if (c)
        ops_of(c)->consumer_close(c, timeout_ms);
}
