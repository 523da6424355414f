/*
 * Messages of topics, read from outside any group and up to where the topics ended at the beginning: looking changes
 * nothing.  For `fraudtop topics` and the Health screen.  One thread.
 */
#ifndef FT_TOPIC_READ_H
#define FT_TOPIC_READ_H

#include "fraudtop/bus.h"
#include "fraudtop/uuid.h"

struct ft_topic_read {
    struct ft_bus *bus;
    int timeout_ms;       /* of one question, and of reading without any news; -1: for ever */
    size_t queued_kbytes; /* as in ft_consumer_opts */
    bool follow;          /* past the end, until whoever reads stops */

    struct ft_assigned *part; /* start: the next offset to be read */
    int64_t *end;             /* of each part: where it ended when we began */
    size_t n_parts;
    struct ft_consumer *reader;
    int64_t heard_ms;
};
void ft_topic_read_fini(struct ft_topic_read *r);
/* Adds the partitions of a topic (-1: all), from their first messages.  topic must outlive r.  FT_EINPUT: there is none. */
enum ft_status ft_topic_read_add(struct ft_topic_read *r, const char *topic, int64_t partition,
                                 struct ft_err *err);
/* Where to begin: a time, or an offset (negative: so many before the end). */
enum ft_status ft_topic_read_at(struct ft_topic_read *r, int64_t ms, struct ft_err *err);
void ft_topic_read_from(struct ft_topic_read *r, int64_t offset);
/*
 * FT_OK: the next message, to be given back with ft_msg_done.  FT_AGAIN: none came within 200 ms.  FT_END: all is read.
 * Trouble with the brokers is waited out for timeout_ms, then FT_EUNREACHABLE.
 */
enum ft_status ft_topic_read_next(struct ft_topic_read *r, struct ft_msg *m, struct ft_err *err);

/* A transaction's id as it may stand in a message: with dashes, without, in upper case. */
struct ft_needle {
    char text[3][FT_UUID_TEXT + 1];
    size_t n[3];
};
void ft_needle_init(struct ft_needle *d, const struct ft_uuid *id);
bool ft_needle_in(const struct ft_needle *d, struct ft_span text);
/* When a transaction of this id can have been sent at the earliest; false: this id does not tell. */
bool ft_sent_after(const struct ft_uuid *id, int64_t *ms);

#endif
