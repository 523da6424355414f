/*
 * The log between the stages: Apache Kafka, or the loopback inside the process, behind one interface.
 *
 * Threads: an ft_bus may be shared.  A consumer belongs to one thread.  A producer may be shared for ft_send; its
 * ft_producer_poll, and the delivered callback, run in one thread.  No callback runs but inside a call of ours.
 * Kafka's own log lines go to the log (fraudtop/log.h), never to a descriptor.
 */
#ifndef FRAUDTOP_BUS_H
#define FRAUDTOP_BUS_H

#include <stdint.h>
#include <stdio.h>

#include "fraudtop/buf.h"

struct ft_bus;
struct ft_bus_ops;
struct ft_producer;
struct ft_consumer;

/* name=value for librdkafka, in the order in which they apply (later wins); a name may begin with "producer:",
 * "consumer:" or "topic." */
struct ft_prop {
    const char *name, *value;
};

struct ft_bus_opts {
    const char *brokers;        /* host:port list; NULL: the loopback */
    const struct ft_prop *prop; /* pass-through (-X, file, environment), already merged */
    size_t n_prop;
    bool unsafe; /* allow properties that break a guarantee */
    const char *client_id;
    size_t loopback_bytes; /* bound of each topic of the loopback but compacted ones; 0: 32 MiB */
};

/* FT_EUSAGE: a property is unknown, has a bad value, or breaks a guarantee.  Connects to nothing yet. */
enum ft_status ft_bus_open(struct ft_bus **out, const struct ft_bus_opts *opts, struct ft_err *err);
/* Prints the properties that librdkafka knows, with their meaning (-X list). */
void ft_bus_list_properties(FILE *out);
void ft_bus_close(struct ft_bus *bus); /* after its producers and consumers */
/* Whether a property's value must never be shown (passwords, secrets, keys, JAAS lines). */
bool ft_prop_is_secret(const char *name);
bool ft_bus_embedded(const struct ft_bus *bus);
/* Identity of the cluster (a fresh one for each loopback): for the sink's offsets.  Asks the broker, up to
 * timeout_ms. */
enum ft_status ft_bus_cluster_id(struct ft_bus *bus, int timeout_ms, char *out, size_t size,
                                 struct ft_err *err);
/* Whether brokers answer, as last known (cheap; any thread): up, since when (monotonic ms), the last error. */
struct ft_bus_health {
    bool up, known;
    int64_t since_ms;
    char error[160];
};
void ft_bus_health(struct ft_bus *bus, struct ft_bus_health *out);

/* ---- topics --------------------------------------------------------------------------------------- */

struct ft_topic_spec {
    const char *name;
    int partitions, replication;
    int64_t retention_ms;  /* 0: the broker's default */
    int max_message_bytes; /* 0: the broker's default */
    bool compacted;
    bool grow; /* one that exists with fewer partitions gets more (Kafka) */
};
/* Makes the topics that are missing; those that exist are left as they are, but for grow.  FT_EUNREACHABLE within timeout_ms. */
enum ft_status ft_bus_ensure_topics(struct ft_bus *bus, const struct ft_topic_spec *spec, size_t n,
                                    int timeout_ms, struct ft_err *err);

/* Where a key's messages lie among n partitions, by Kafka's own hash (murmur2): ours always, those of others mostly. */
int32_t ft_bus_partition_of(struct ft_span key, int n);

struct ft_topic_info {
    char name[250];
    int partitions;
    int64_t messages; /* that are held; -1: not asked or not told */
};
struct ft_partition_info {
    int32_t partition;
    int64_t low, high; /* first offset held, next offset to be written */
    int64_t committed; /* of the group asked for; -1: none */
    char owner[96];    /* member's client id and host; empty: nobody, or not asked */
};
/* Results in memory of malloc: free() them. */
enum ft_status ft_bus_topics(struct ft_bus *bus, int timeout_ms, struct ft_topic_info **out,
                             size_t *n, struct ft_err *err);
enum ft_status ft_bus_partitions(struct ft_bus *bus, const char *topic, const char *group,
                                 int timeout_ms, struct ft_partition_info **out, size_t *n,
                                 struct ft_err *err);
/* Moves Kafka's own ("__") out; how many are left. */
size_t ft_topics_of_users(struct ft_topic_info *topics, size_t n);
/* Fills messages: one question for all topics.  A topic that tells nothing (no leader, gone meanwhile) keeps -1. */
enum ft_status ft_bus_count(struct ft_bus *bus, struct ft_topic_info *topics, size_t n,
                            int timeout_ms, struct ft_err *err);
/* Fills owner for the group's members. */
enum ft_status ft_bus_owners(struct ft_bus *bus, const char *topic, const char *group,
                             int timeout_ms, struct ft_partition_info *part, size_t n,
                             struct ft_err *err);
/* Messages that the group has yet to read: of one partition, of a whole topic. */
int64_t ft_partition_lag(const struct ft_partition_info *p);
enum ft_status ft_bus_lag(struct ft_bus *bus, const char *topic, const char *group, int timeout_ms,
                          int64_t *lag, struct ft_err *err);
/* First offset of a partition whose record timestamp is at or after ms (the end when none). */
enum ft_status ft_bus_offset_at(struct ft_bus *bus, const char *topic, int32_t partition,
                                int64_t ms, int timeout_ms, int64_t *offset, struct ft_err *err);

/* ---- messages ------------------------------------------------------------------------------------- */

struct ft_header {
    const char *name;
    struct ft_span value;
};

#define FT_HEADERS_MAX 32 /* of a message that are looked at */

struct ft_msg {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;         /* when the transaction was due; -1: none */
    struct ft_span key;           /* p NULL: no key */
    struct ft_span value;         /* p NULL: tombstone */
    void *handle;                 /* ours: see ft_msg_done */
    const struct ft_bus_ops *ops; /* ours */
};

/* ---- producing ------------------------------------------------------------------------------------ */

struct ft_producer_opts {
    const char *transactional_id; /* NULL: idempotent without transactions */
    int linger_ms;                /* -1: the table's default */
    int transaction_timeout_ms;   /* 0: 60,000 */
    bool large;                   /* dead letters: up to 2 MiB */
    bool plain;                   /* not compressed */
    /*
     * For each message given a token != 0, once its fate is known: FT_OK, or why it will never arrive: FT_EINPUT the
     * broker refuses this message, FT_ESTOPPED its transaction was aborted, FT_EUSAGE no right to write there, else
     * FT_EUNREACHABLE (it may be missing: send it again).  offset -1: not known.  Not called for what ft_producer_free drops.
     */
    void (*delivered)(void *user, uint64_t token, enum ft_status st, int32_t partition,
                      int64_t offset);
    void *user;
};

#define FT_BY_KEY (-1)

enum ft_status ft_producer_new(struct ft_producer **out, struct ft_bus *bus,
                               const struct ft_producer_opts *opts, struct ft_err *err);
/*
 * Queues a message (copied).  FT_AGAIN: the queue is full, or the topic is missing (the log says so): poll, then the same
 * call again.  timestamp_ms -1: now.  partition FT_BY_KEY: by the key's hash, without a key spread over all.  FT_EINPUT:
 * too large for the topic.  FT_EFATAL: make a new producer.
 */
enum ft_status ft_send(struct ft_producer *p, const char *topic, int32_t partition,
                       struct ft_span key, struct ft_span value, const struct ft_header *headers,
                       size_t n_headers, int64_t timestamp_ms, uint64_t token, struct ft_err *err);
/* Serves delivery reports; waits up to timeout_ms for one.  FT_EFATAL: make a new producer (also when a message without a
 * token must be sent again). */
enum ft_status ft_producer_poll(struct ft_producer *p, int timeout_ms, struct ft_err *err);
/* Messages whose fate is not known yet. */
size_t ft_producer_pending(struct ft_producer *p);
/* Waits until nothing is pending: FT_AGAIN when timeout_ms pass first. */
enum ft_status ft_producer_flush(struct ft_producer *p, int timeout_ms, struct ft_err *err);
void ft_producer_free(
    struct ft_producer *p); /* what is pending is dropped: flush first; never blocks for long */

/* Transactions.  FT_AGAIN: call again; FT_EINPUT: abort, then go on from the last commit; FT_EFENCED: another
 * instance has this transactional id; FT_EFATAL: make a new producer. */
enum ft_status ft_txn_init(struct ft_producer *p, int timeout_ms, struct ft_err *err);
enum ft_status ft_txn_begin(struct ft_producer *p, struct ft_err *err);
struct ft_offset {
    const char *topic;
    int32_t partition;
    int64_t next; /* the next offset to be read */
};
/* c stays until the transaction has ended.  FT_EFATAL also when the topic was made anew, as of ft_consumer_commit. */
enum ft_status ft_txn_send_offsets(struct ft_producer *p, struct ft_consumer *c,
                                   const struct ft_offset *o, size_t n, int timeout_ms,
                                   struct ft_err *err);
enum ft_status ft_txn_commit(struct ft_producer *p, int timeout_ms, struct ft_err *err);
enum ft_status ft_txn_abort(struct ft_producer *p, int timeout_ms, struct ft_err *err);

/* ---- consuming ------------------------------------------------------------------------------------ */

struct ft_assigned {
    const char *topic;
    int32_t partition;
    int64_t start; /* assigned callback: where to begin; FT_START_COMMITTED unless changed */
    bool paused;   /* assigned callback: set to hold the partition until ft_consumer_resume */
};
#define FT_START_COMMITTED (-1000) /* the group's offset, else the earliest */
#define FT_START_EARLIEST (-2)
#define FT_START_LATEST (-1)

struct ft_consumer_opts {
    const char *group; /* NULL: no group: use ft_consumer_assign, nothing is committed */
    const char *const *topics;
    size_t n_topics;
    size_t queued_kbytes; /* of messages read ahead; 0: 32 MiB */
    /* Their number, since the library's own share of each, some 500 bytes, counts nowhere; 0: 4 for each of the kbytes. */
    size_t queued_messages;
    bool read_uncommitted; /* default: committed only */
    bool eof_events;       /* ft_consumer_poll answers FT_END at the end of each partition */
    /* Called inside ft_consumer_poll (and close).  assigned may change start and paused; topic names are only lent.
     * Commits, and transactions that carry offsets, still work inside revoked unless lost. */
    void (*assigned)(void *user, struct ft_assigned *part, size_t n);
    void (*revoked)(void *user, const struct ft_assigned *part, size_t n, bool lost);
    void *user;
};
enum ft_status ft_consumer_new(struct ft_consumer **out, struct ft_bus *bus,
                               const struct ft_consumer_opts *opts, struct ft_err *err);
/* Without a group: read exactly these. */
enum ft_status ft_consumer_assign(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                                  struct ft_err *err);
/*
 * The next message: FT_OK, and the caller must give it back with ft_msg_done (any number may be held, by any
 * thread).  FT_AGAIN: none within timeout_ms.  FT_END: end of a partition (out has topic, partition and offset
 * only).  FT_EUNREACHABLE: news of trouble (err), go on polling.  FT_EINPUT: the stored offset lies outside the
 * log and was reset (err says what was lost), go on.  FT_EFATAL: make a new consumer (also when the topic was made anew, or
 * a partition is no longer fetched).
 */
enum ft_status ft_consumer_poll(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                                struct ft_err *err);
void ft_msg_done(struct ft_msg *m);
/* Value of a header of a received message, empty when it has none. */
struct ft_span ft_msg_header(const struct ft_msg *m, const char *name);
/* All headers of a received message, at most max; they last as long as it does. */
size_t ft_msg_headers(const struct ft_msg *m, struct ft_header *out, size_t max);
enum ft_status ft_consumer_pause(struct ft_consumer *c, const char *topic, int32_t partition);
enum ft_status ft_consumer_resume(struct ft_consumer *c, const char *topic, int32_t partition);
enum ft_status ft_consumer_seek(struct ft_consumer *c, const char *topic, int32_t partition,
                                int64_t offset, struct ft_err *err);
/* Commits next offsets; wait: the answer is waited for.  A partition taken away meanwhile is FT_AGAIN.  FT_EFATAL: the topic
 * was deleted and made anew since it was assigned, nothing is committed: begin again with a new consumer. */
enum ft_status ft_consumer_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                  bool wait, struct ft_err *err);
/* The group's committed offset, -1 when none. */
enum ft_status ft_consumer_committed(struct ft_consumer *c, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *next, struct ft_err *err);
/* Messages between what was read and the end of the partitions owned (as last known). */
int64_t ft_consumer_lag(struct ft_consumer *c);
/* Leaves the group (calls revoked) and frees; bounded: never longer than timeout_ms. */
void ft_consumer_close(struct ft_consumer *c, int timeout_ms);

#endif
