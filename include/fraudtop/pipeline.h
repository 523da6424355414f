/*
 * The stages and what is known about them: replay, score and sink, each a thread over the bus and the store.  The
 * single commands run one of them, `run` and `demo` all three in one process.
 *
 *     CSV → replay → transactions → score → scoring → sink → fraud_scores
 *
 * Counters are written by the stage's own thread and may be read by any (relaxed atomics, no locks).
 */
#ifndef FRAUDTOP_PIPELINE_H
#define FRAUDTOP_PIPELINE_H

#include <stdatomic.h>
#include <stdint.h>

#include "fraudtop/bus.h"
#include "fraudtop/config.h"
#include "fraudtop/hist.h"
#include "fraudtop/rows.h"
#include "fraudtop/scoring.h"
#include "fraudtop/store.h"

enum ft_metric {
    FT_M_READ,          /* rows read by replay, bad ones included */
    FT_M_REJECTED,      /* bad rows, in quarantine */
    FT_M_SENT,          /* handed to Kafka */
    FT_M_ACKED,         /* acknowledged by Kafka */
    FT_M_RECEIVED,      /* messages read by the scorer */
    FT_M_SCORED,        /* verdicts produced and acknowledged */
    FT_M_FLAGGED,       /* of them flagged */
    FT_M_REPEATED,      /* messages that came a second time */
    FT_M_DEAD,          /* dead-lettered by the scorer */
    FT_M_SINK_RECEIVED, /* verdicts read by the sink */
    FT_M_STORED,        /* new rows committed */
    FT_M_SINK_REPEATED, /* ids that were stored already */
    FT_M_SINK_DEAD,     /* dead-lettered by the sink */
    FT_M_RETRIES,       /* batches repeated after trouble */
    FT_N_METRICS
};
extern const char *const ft_metric_name[FT_N_METRICS]; /* as in heartbeats and --json */

enum ft_stage_state {
    FT_STAGE_STARTING,
    FT_STAGE_RUNNING,
    FT_STAGE_WAITING,
    FT_STAGE_PAUSED,
    FT_STAGE_RESTORING,
    FT_STAGE_DONE,
    FT_STAGE_FAILED
};

struct ft_counters {
    _Atomic uint64_t n[FT_N_METRICS];
    _Atomic int64_t lag; /* messages between what was read and the end; -1 unknown */
    _Atomic int state;   /* enum ft_stage_state */
};

static inline void ft_count(struct ft_counters *c, enum ft_metric m, uint64_t by)
{
    uint64_t v = atomic_load_explicit(&c->n[m], memory_order_relaxed);
    atomic_store_explicit(&c->n[m], v + by, memory_order_relaxed);
}
static inline uint64_t ft_counted(const struct ft_counters *c, enum ft_metric m)
{
    return atomic_load_explicit(&c->n[m], memory_order_relaxed);
}

#endif
