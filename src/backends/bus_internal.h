/*
 * The two implementations of fraudtop/bus.h, each a struct of functions.  A bus, producer, consumer and message begin
 * with (or carry) a pointer to theirs; bus.c does nothing but call through it.
 */
#ifndef FT_BUS_INTERNAL_H
#define FT_BUS_INTERNAL_H

#include "fraudtop/bus.h"

struct ft_bus_ops {
    bool embedded;
    void (*close)(struct ft_bus *bus);
    enum ft_status (*cluster_id)(struct ft_bus *bus, int timeout_ms, char *out, size_t size,
                                 struct ft_err *err);
    void (*health)(struct ft_bus *bus, struct ft_bus_health *out);
    enum ft_status (*ensure_topics)(struct ft_bus *bus, const struct ft_topic_spec *spec, size_t n,
                                    int timeout_ms, struct ft_err *err);
    enum ft_status (*topics)(struct ft_bus *bus, int timeout_ms, struct ft_topic_info **out,
                             size_t *n, struct ft_err *err);
    enum ft_status (*partitions)(struct ft_bus *bus, const char *topic, const char *group,
                                 int timeout_ms, struct ft_partition_info **out, size_t *n,
                                 struct ft_err *err);
    enum ft_status (*count)(struct ft_bus *bus, struct ft_topic_info *topics, size_t n,
                            int timeout_ms, struct ft_err *err);
    enum ft_status (*owners)(struct ft_bus *bus, const char *topic, const char *group,
                             int timeout_ms, struct ft_partition_info *part, size_t n,
                             struct ft_err *err);
    enum ft_status (*offset_at)(struct ft_bus *bus, const char *topic, int32_t partition,
                                int64_t ms, int timeout_ms, int64_t *offset, struct ft_err *err);

    enum ft_status (*producer_new)(struct ft_producer **out, struct ft_bus *bus,
                                   const struct ft_producer_opts *opts, struct ft_err *err);
    enum ft_status (*send)(struct ft_producer *p, const char *topic, int32_t partition,
                           struct ft_span key, struct ft_span value,
                           const struct ft_header *headers, size_t n_headers, int64_t timestamp_ms,
                           uint64_t token, struct ft_err *err);
    enum ft_status (*producer_poll)(struct ft_producer *p, int timeout_ms, struct ft_err *err);
    size_t (*pending)(struct ft_producer *p);
    enum ft_status (*flush)(struct ft_producer *p, int timeout_ms, struct ft_err *err);
    void (*producer_free)(struct ft_producer *p);
    enum ft_status (*txn_init)(struct ft_producer *p, int timeout_ms, struct ft_err *err);
    enum ft_status (*txn_begin)(struct ft_producer *p, struct ft_err *err);
    enum ft_status (*txn_offsets)(struct ft_producer *p, struct ft_consumer *c,
                                  const struct ft_offset *o, size_t n, int timeout_ms,
                                  struct ft_err *err);
    enum ft_status (*txn_commit)(struct ft_producer *p, int timeout_ms, struct ft_err *err);
    enum ft_status (*txn_abort)(struct ft_producer *p, int timeout_ms, struct ft_err *err);

    enum ft_status (*consumer_new)(struct ft_consumer **out, struct ft_bus *bus,
                                   const struct ft_consumer_opts *opts, struct ft_err *err);
    enum ft_status (*assign)(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                             struct ft_err *err);
    enum ft_status (*poll)(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                           struct ft_err *err);
    void (*done)(struct ft_msg *m);
    size_t (*headers)(const struct ft_msg *m, struct ft_header *out, size_t max);
    enum ft_status (*pause)(struct ft_consumer *c, const char *topic, int32_t partition, bool on);
    enum ft_status (*seek)(struct ft_consumer *c, const char *topic, int32_t partition,
                           int64_t offset, struct ft_err *err);
    enum ft_status (*commit)(struct ft_consumer *c, const struct ft_offset *o, size_t n, bool wait,
                             struct ft_err *err);
    enum ft_status (*committed)(struct ft_consumer *c, const char *topic, int32_t partition,
                                int timeout_ms, int64_t *next, struct ft_err *err);
    int64_t (*lag)(struct ft_consumer *c);
    void (*consumer_close)(struct ft_consumer *c, int timeout_ms);
};

enum ft_status ft_bus_open_kafka(struct ft_bus **out, const struct ft_bus_opts *opts,
                                 struct ft_err *err);
enum ft_status ft_bus_open_loopback(struct ft_bus **out, const struct ft_bus_opts *opts,
                                    struct ft_err *err);

#endif
