/*
 * The log inside the process.  One lock (bus->lock) guards everything but the reference counts of entries; callbacks
 * run without it.  Functions whose comment says so want it held.
 */
#ifndef FT_BUS_LOOPBACK_H
#define FT_BUS_LOOPBACK_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus_internal.h"
#include "fraudtop/loopback.h"

/* One message, kept while the log or a reader has it: key, value, then headers (lb_entry_headers). */
struct lb_entry {
    _Atomic unsigned refs;
    int64_t offset, timestamp_ms;
    uint32_t key_n, value_n, headers_n;
    bool has_key, has_value;
    char data[];
};

struct lb_slot {
    int64_t offset;
    struct lb_entry *e; /* NULL: replaced by a later message of the same key */
};

struct lb_part {
    struct lb_slot *ring;
    size_t head, n, cap; /* cap is 0 or a power of two */
    int64_t low, next;
    struct lb_entry **map; /* compacted: newest entry of each key, open addressing */
    size_t map_n, map_cap, n_holes;
};

struct lb_topic {
    char name[250];
    struct lb_part *part;
    int n_parts;
    bool compacted;
    size_t bytes, max_bytes, max_message;
    uint64_t dropped;     /* unread by anybody, made room for newer ones */
    unsigned next_spread; /* partition for the next message without a key */
};

/* What a group has committed in a topic; its being there keeps what the group has not read. */
struct lb_held {
    struct lb_topic *topic;
    int64_t *committed; /* for each partition; -1: none */
};

struct lb_group {
    char *name;
    struct lb_held *held;
    size_t n_held;
    struct ft_consumer **member;
    size_t n_members;
    uint64_t epoch;    /* rises with each change of members or topics */
    uint64_t assigned; /* epoch whose partitions have been dealt */
};

struct lb_fail {
    unsigned skip, n;
    enum ft_status st;
};

struct lb_fence {
    char *id;
    uint64_t epoch;
};

struct lb_bus {
    const struct ft_bus_ops *ops;
    pthread_mutex_t lock;
    pthread_cond_t data, space;    /* readers, writers */
    unsigned n_readers, n_writers; /* that wait */
    char cluster_id[40], *client_id;
    int64_t since_ms;
    size_t topic_bytes;
    struct lb_topic **topic;
    size_t n_topics;
    struct lb_group **group;
    size_t n_groups;
    struct lb_fence *fence;
    size_t n_fences;
    struct lb_fail fail[FT_N_CALLS];
};

/* ---- bus_loopback_log.c: entries and partitions; with the lock held unless said ------------------- */

struct lb_entry *lb_entry_new(struct ft_span key, struct ft_span value, const struct ft_header *h,
                              size_t n_headers, int64_t timestamp_ms); /* without the lock */
void lb_entry_unref(struct lb_entry *e);                               /* without the lock */
size_t lb_entry_headers(const struct lb_entry *e, struct ft_header *out, size_t max);
size_t lb_entry_bytes(const struct lb_entry *e);

struct lb_topic *lb_topic_find(struct lb_bus *b, const char *name);
struct lb_topic *lb_topic_new(struct lb_bus *b, const char *name, int partitions, bool compacted,
                              size_t max_message);
void lb_topic_free(struct lb_topic *t);
void lb_topic_empty(struct lb_topic *t);
/* Makes room for more bytes: false when a group must read first. */
bool lb_topic_room(struct lb_bus *b, struct lb_topic *t, size_t more);
/* Takes the caller's reference; false: no memory. */
bool lb_append(struct lb_topic *t, int32_t partition, struct lb_entry *e);
void lb_part_trim(struct lb_topic *t, struct lb_part *p, int64_t low);
/* Index of the first slot at or after offset; p->n when there is none. */
size_t lb_part_find(const struct lb_part *p, int64_t offset);
struct lb_slot *lb_part_slot(const struct lb_part *p, size_t i);
int32_t lb_partition_of(struct lb_topic *t, struct ft_span key);

/* ---- bus_loopback.c -------------------------------------------------------------------------------- */

/* True when a test wants this call to fail: *st is its answer.  With the lock held. */
bool lb_fails(struct lb_bus *b, enum ft_bus_call call, enum ft_status *st, struct ft_err *err);
/* Waits for cond up to deadline_ms (monotonic); false when it has passed.  With the lock held. */
bool lb_wait(struct lb_bus *b, pthread_cond_t *cond, unsigned *n_waiting, int64_t deadline_ms);
void lb_wake_readers(struct lb_bus *b);
void lb_wake_writers(struct lb_bus *b);

/* ---- bus_loopback_group.c -------------------------------------------------------------------------- */

struct lb_group *lb_group_find(struct lb_bus *b, const char *name);
struct lb_held *lb_group_held(struct lb_group *g, const struct lb_topic *t);
void lb_group_free(struct lb_group *g);
/* A topic was made: groups that wait for it share it out. */
void lb_groups_new_topic(struct lb_bus *b, struct lb_topic *t);
/* Commits offsets of a consumer's group; FT_AGAIN when one of them is no longer the consumer's. */
enum ft_status lb_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                         struct ft_err *err);
/* Who owns a partition: its client id, or "". */
void lb_group_owner(const struct lb_group *g, const struct lb_topic *t, int32_t partition,
                    char *out, size_t size);

enum ft_status lb_consumer_new(struct ft_consumer **out, struct ft_bus *bus,
                               const struct ft_consumer_opts *opts, struct ft_err *err);
enum ft_status lb_consumer_assign(struct ft_consumer *c, const struct ft_assigned *part, size_t n,
                                  struct ft_err *err);
enum ft_status lb_consumer_poll(struct ft_consumer *c, int timeout_ms, struct ft_msg *out,
                                struct ft_err *err);
enum ft_status lb_consumer_pause(struct ft_consumer *c, const char *topic, int32_t partition,
                                 bool on);
enum ft_status lb_consumer_seek(struct ft_consumer *c, const char *topic, int32_t partition,
                                int64_t offset, struct ft_err *err);
enum ft_status lb_consumer_commit(struct ft_consumer *c, const struct ft_offset *o, size_t n,
                                  bool wait, struct ft_err *err);
enum ft_status lb_consumer_committed(struct ft_consumer *c, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *next, struct ft_err *err);
int64_t lb_consumer_lag(struct ft_consumer *c);
void lb_consumer_close(struct ft_consumer *c, int timeout_ms);
void lb_msg_done(struct ft_msg *m);
size_t lb_msg_headers(const struct ft_msg *m, struct ft_header *out, size_t max);

#endif
