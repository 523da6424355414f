/*
 * fraudtop/bus.h on Apache Kafka by librdkafka 2.0.2 or newer.  Only the bus_kafka files include librdkafka's header.
 */
#ifndef FT_BUS_KAFKA_H
#define FT_BUS_KAFKA_H

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "bus_internal.h"

enum kb_role { KB_PRODUCER = 1, KB_TXN_PRODUCER = 2, KB_CONSUMER = 4, KB_ADMIN = 8 };
#define KB_ALL (KB_PRODUCER | KB_TXN_PRODUCER | KB_CONSUMER | KB_ADMIN)

struct kb_bus;

/* The opaque of every librdkafka handle; first member of the structs that own one. */
struct kb_client {
    struct kb_bus *bus;
    rd_kafka_t *rk;
    bool fatal;
    char news[300]; /* trouble not told yet; empty: none */
};

/* A handle that asks for a group's offsets. */
struct kb_asker {
    struct kb_asker *next;
    struct kb_client client;
    char group[];
};

struct kb_bus {
    const struct ft_bus_ops *ops;
    char *brokers, *client_id;
    struct ft_prop *prop; /* copies */
    size_t n_prop;
    bool unsafe;
    bool latest; /* auto.offset.reset=latest, with unsafe: where a new group begins */

    pthread_mutex_t admin_lock; /* for making admin, taken before lock */
    struct kb_client admin;     /* made when first needed */

    struct kb_asker *asker;      /* under admin_lock; one for each group asked about */
    struct kb_client *describer; /* under admin_lock; see kb_describer */

    pthread_mutex_t lock; /* for the rest */
    struct ft_bus_health health;
    atomic_bool up;        /* the same as health.up, for the path of a message */
    bool reached;          /* a broker has answered */
    char trouble[300];     /* newest connection error */
    char certificate[200]; /* why the newest broker's certificate was refused */
    unsigned n_refused;    /* credentials or certificate refused, since brokers last answered */
    atomic_uint n_silent; /* clients that it cost in a row, see is_silent in bus_kafka_consumer.c */
    bool abandoned; /* a handle could not be destroyed in time: its callbacks may still come */
    struct {
        char fac[16];
        int64_t at_ms;
    } logged[16]; /* one line of each kind in ten seconds */
};

/* ---- bus_kafka_conf.c ------------------------------------------------------------------------------ */

/* Settings of a role: our table, own (what this handle wants), the user's, the address; later ones win.  The caller
 * adds what the user may not change. */
enum ft_status kb_conf_new(rd_kafka_conf_t **out, struct kb_bus *b, enum kb_role role,
                           const struct ft_prop *own, size_t n_own, struct ft_err *err);
/* One property more, our own: fails only when the value comes from the caller. */
enum ft_status kb_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                           struct ft_err *err);
/* FT_EUSAGE: a property is unknown, wrong, or breaks a guarantee. */
enum ft_status kb_props_check(struct kb_bus *b, struct ft_err *err);

/* ---- bus_kafka.c ----------------------------------------------------------------------------------- */

/* Makes the handle with the callbacks that every client has; takes conf in any case. */
enum ft_status kb_client_new(struct kb_client *c, struct kb_bus *b, rd_kafka_type_t type,
                             rd_kafka_conf_t *conf, struct ft_err *err);
/* Destroys the handle within timeout_ms, or abandons it: false, and c must stay where it is. */
bool kb_client_destroy(struct kb_client *c, int timeout_ms);
/*
 * A handle that only asks for a group's offsets, whatever transactions are open: one that reads would wait for those.  (The admin
 * call for it aborts the process in an outage now and then, in 2.0.2.)
 */
enum ft_status kb_asker_new(struct kb_client *c, struct kb_bus *b, const char *group,
                            struct ft_err *err);
/* The bus's own for a group, made when first asked for and kept. */
enum ft_status kb_asker_get(struct kb_bus *b, const char *group, rd_kafka_t **rk,
                            struct ft_err *err);
/*
 * A handle to describe groups with.  In 2.0.2 a question to a group's coordinator that has run out of time, before a connection
 * was there, aborts the process when it is there.  So none runs out of time: the handle of one without an answer is destroyed.
 */
enum ft_status kb_describer(struct kb_bus *b, struct kb_client **out, struct ft_err *err);
void kb_describer_done(struct kb_client *c, bool answered);
void kb_up(struct kb_bus *b);
void kb_down(struct kb_bus *b, const char *why);
/* "Local: " and such cut off. */
const char *kb_text(rd_kafka_resp_err_t e);
/* What an error means for a call that may be repeated. */
enum ft_status kb_status(rd_kafka_resp_err_t e);
/* The fatal error of a handle: FT_EFENCED or FT_EFATAL; FT_OK when there is none. */
enum ft_status kb_fatal(const struct kb_client *c, struct ft_err *err);
/* Waits until a broker answers: FT_EUNREACHABLE, or FT_EUSAGE when it refuses us. */
enum ft_status kb_reach(struct kb_bus *b, int64_t deadline_ms, struct ft_err *err);
int kb_left(int64_t deadline_ms); /* ms, at least 1 */

/* ---- bus_kafka_admin.c, bus_kafka_producer.c, bus_kafka_consumer.c --------------------------------- */

enum ft_status kb_cluster_id(struct ft_bus *bus, int timeout_ms, char *out, size_t size,
                             struct ft_err *err);
enum ft_status kb_ensure_topics(struct ft_bus *bus, const struct ft_topic_spec *spec, size_t n,
                                int timeout_ms, struct ft_err *err);
enum ft_status kb_count(struct ft_bus *bus, struct ft_topic_info *topics, size_t n, int timeout_ms,
                        struct ft_err *err);
enum ft_status kb_owners(struct ft_bus *bus, const char *topic, const char *group, int timeout_ms,
                         struct ft_partition_info *part, size_t n, struct ft_err *err);
enum ft_status kb_topics(struct ft_bus *bus, int timeout_ms, struct ft_topic_info **out, size_t *n,
                         struct ft_err *err);
enum ft_status kb_partitions(struct ft_bus *bus, const char *topic, const char *group,
                             int timeout_ms, struct ft_partition_info **out, size_t *n,
                             struct ft_err *err);
/* Whether the topic has partitions, and the group is at rest without one of them being anybody's. */
bool kb_nobody_has(struct kb_bus *b, const char *topic, const char *group, int timeout_ms);
/* low and high of n partitions, in two questions; each part[i].partition is set. */
rd_kafka_resp_err_t kb_watermarks(rd_kafka_t *rk, const char *topic, struct ft_partition_info *part,
                                  size_t n, int timeout_ms);
enum ft_status kb_offset_at(struct ft_bus *bus, const char *topic, int32_t partition, int64_t ms,
                            int timeout_ms, int64_t *offset, struct ft_err *err);

enum ft_status kb_producer_new(struct ft_producer **out, struct ft_bus *bus,
                               const struct ft_producer_opts *opts, struct ft_err *err);
enum ft_status kb_send(struct ft_producer *p, const char *topic, int32_t partition,
                       struct ft_span key, struct ft_span value, const struct ft_header *headers,
                       size_t n_headers, int64_t timestamp_ms, uint64_t token, struct ft_err *err);
enum ft_status kb_producer_poll(struct ft_producer *p, int timeout_ms, struct ft_err *err);
size_t kb_pending(struct ft_producer *p);
enum ft_status kb_flush(struct ft_producer *p, int timeout_ms, struct ft_err *err);
void kb_producer_free(struct ft_producer *p);
enum ft_status kb_txn_init(struct ft_producer *p, int timeout_ms, struct ft_err *err);
enum ft_status kb_txn_begin(struct ft_producer *p, struct ft_err *err);
enum ft_status kb_txn_offsets(struct ft_producer *p, struct ft_consumer *c,
                              const struct ft_offset *o, size_t n, int timeout_ms,
                              struct ft_err *err);
enum ft_status kb_txn_commit(struct ft_producer *p, int timeout_ms, struct ft_err *err);
enum ft_status kb_txn_abort(struct ft_producer *p, int timeout_ms, struct ft_err *err);

enum ft_status kb_consumer_new(struct ft_consumer **out, struct ft_bus *bus,
                               const struct ft_consumer_opts *opts, struct ft_err *err);
rd_kafka_t *kb_consumer_handle(struct ft_consumer *c);
enum ft_status kb_consumer_assign(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                                  struct ft_err *err);
enum ft_status kb_consumer_poll(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                                struct ft_err *err);
void kb_msg_done(struct ft_msg *m);
size_t kb_msg_headers(const struct ft_msg *m, struct ft_header *out, size_t max);
enum ft_status kb_consumer_pause(struct ft_consumer *c, const char *topic, int32_t partition,
                                 bool on);
enum ft_status kb_consumer_seek(struct ft_consumer *c, const char *topic, int32_t partition,
                                int64_t offset, struct ft_err *err);
/* FT_EFATAL: the topic is not the one that these offsets are of; FT_AGAIN: nobody answered. */
enum ft_status kb_consumer_same_topic(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                      struct ft_err *err);
/* How it ended: what was asked for is in the group, or it may not be. */
void kb_consumer_sure(struct ft_consumer *c, bool committed);
enum ft_status kb_consumer_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                  bool wait, struct ft_err *err);
enum ft_status kb_consumer_committed(struct ft_consumer *c, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *next, struct ft_err *err);
int64_t kb_consumer_lag(struct ft_consumer *c);
void kb_consumer_close(struct ft_consumer *c, int timeout_ms);

/* ---- calls that may never return (bus_kafka_call.c) ---- */

typedef rd_kafka_error_t *kb_call_fn(void *arg, int timeout_ms);
/* A thread that makes the calls; NULL: none to be had.  Not to be freed after a call that did not return. */
struct kb_caller *kb_caller_new(void);
void kb_caller_free(struct kb_caller *k); /* NULL is fine */
/* What fn gives, in e.  False: it has not returned long after timeout_ms (three times that and 5 s), and what it uses must stay
 * where it is for ever. */
bool kb_call(struct kb_caller *k, kb_call_fn *fn, void *arg, int timeout_ms, rd_kafka_error_t **e);

#endif
