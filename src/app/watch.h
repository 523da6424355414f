/*
 * Every process of the pipeline, as the heartbeats on the topic fraudtop.status tell: those of this process come the
 * same way, so that the console is the same whoever runs the stages.
 */
#ifndef FT_WATCH_H
#define FT_WATCH_H

#include "fraudtop/feed.h"
#include "fraudtop/pipeline.h"

#define FT_WATCH_PROCESSES 64

struct ft_watch;

/* Starts a thread that reads the topic; waits for nothing. */
enum ft_status ft_watch_start(struct ft_watch **out, struct ft_bus *bus,
                              const struct ft_topics *topics, struct ft_err *err);
void ft_watch_stop(struct ft_watch *w); /* and frees; NULL is fine */
/* Writes what the heartbeats tell into out: processes (into process, at most FT_WATCH_PROCESSES), totals, rates, lags
 * with their slopes, latency, the replay.  Any thread; a short lock. */
void ft_watch_live(struct ft_watch *w, struct ft_live *out, struct ft_process *process);
/* The run that is being replayed, empty when none: for pause, rate and the database's figures. */
/* Where the bad rows of that run are kept; empty: none yet. */
void ft_watch_quarantine(struct ft_watch *w, char *path, size_t size);
void ft_watch_run(struct ft_watch *w, char run[FT_RUN_TEXT + 1]);

#endif
