/*
 * How far a stage is behind of which no process lives: then no heartbeat tells, and it is asked of Kafka, where the group's offsets
 * are.  A thread of its own; whoever shows the figures never waits.
 */
#ifndef FT_WATCH_LAG_H
#define FT_WATCH_LAG_H

#include "fraudtop/bus.h"

struct ft_watch_lag;

/* Topics and groups of the stages, all of which outlive it. */
struct ft_lag_stage {
    const char *topic, *group;
};
enum { FT_LAG_SCORE, FT_LAG_SINK, FT_N_LAGS };

enum ft_status ft_watch_lag_start(struct ft_watch_lag **out, struct ft_bus *bus,
                                  const struct ft_lag_stage stage[FT_N_LAGS], struct ft_err *err);
void ft_watch_lag_stop(struct ft_watch_lag *l); /* and frees; NULL is fine */
/* Messages that wait, -1: not known yet.  From now on, and for 10 s after the last call, it is kept up to date. */
int64_t ft_watch_lag_of(struct ft_watch_lag *l, int stage);

#endif
