/*
 * What tests may do to the loopback log (fraudtop/bus.h) that no stage can: make calls fail, and make topics behave
 * as a broker's do over the weeks.  None of it works on Kafka.
 */
#ifndef FRAUDTOP_LOOPBACK_H
#define FRAUDTOP_LOOPBACK_H

#include "fraudtop/bus.h"

enum ft_bus_call {
    FT_CALL_TOPICS, /* every question about topics, partitions, offsets, the cluster */
    FT_CALL_PRODUCER_NEW,
    FT_CALL_SEND,
    FT_CALL_DELIVER, /* the report of a message sent: it is lost and told so */
    FT_CALL_FLUSH,
    FT_CALL_TXN_INIT,
    FT_CALL_TXN_OFFSETS,
    FT_CALL_TXN_COMMIT,
    FT_CALL_TXN_ABORT,
    FT_CALL_CONSUMER_NEW,
    FT_CALL_POLL,
    FT_CALL_SEEK,
    FT_CALL_COMMIT,
    FT_CALL_COMMITTED,
    FT_N_CALLS
};

/* The next call of this kind, after skipping skip ones, and the n - 1 after it answer st.  n 0: none. */
void ft_loopback_fail(struct ft_bus *bus, enum ft_bus_call call, unsigned skip, unsigned n,
                      enum ft_status st);
/* Retention: what lies before low is gone, read or not. */
void ft_loopback_trim(struct ft_bus *bus, const char *topic, int32_t partition, int64_t low);
/* The topic deleted and made anew: empty, offsets begin at 0; groups keep what they had committed. */
void ft_loopback_remake(struct ft_bus *bus, const char *topic);
/* Takes all partitions from a consumer as if its session had timed out (revoked with lost). */
void ft_loopback_expel(struct ft_consumer *c);
/* Messages dropped from topics that no group reads. */
uint64_t ft_loopback_dropped(struct ft_bus *bus, const char *topic);

#endif
