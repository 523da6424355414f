/*
 * Every process of the pipeline, as the heartbeats on the topic fraudtop.status tell: those of this process come the
 * same way, so that the console is the same whoever runs the stages; only while Kafka is away they are taken from here.
 */
#ifndef FT_WATCH_H
#define FT_WATCH_H

#include "fraudtop/feed.h"
#include "fraudtop/pipeline.h"

#define FT_WATCH_PROCESSES 64

struct ft_watch;

/* A stage's input and its group; both outlive the watch. */
struct ft_watch_stage {
    const char *topic, *group;
};
enum { FT_WATCH_SCORE, FT_WATCH_SINK, FT_WATCH_STAGES };

/* Starts a thread that reads the topic; waits for nothing.  stage (FT_WATCH_STAGES of them, copied; NULL: none): where no heartbeat
 * tells how far a stage is behind, because none of its processes lives, Kafka is asked.  own (outlives the watch; NULL: none): this
 * process's heartbeats, which are known without Kafka; while even they do not come back it is Kafka that is silent, and the
 * others are shown as they were heard last. */
enum ft_status ft_watch_start(struct ft_watch **out, struct ft_bus *bus,
                              const struct ft_topics *topics, const struct ft_watch_stage *stage,
                              struct ft_control *own, struct ft_err *err);
void ft_watch_stop(struct ft_watch *w); /* and frees; NULL is fine */
/* Writes what the heartbeats tell into out: processes (into process, at most FT_WATCH_PROCESSES), totals, rates, lags
 * with their slopes, latency, the replay; model and threshold of the scorer that does most (NaN, "": none lives).  Any
 * thread; a short lock. */
void ft_watch_live(struct ft_watch *w, struct ft_live *out, struct ft_process *process);
/* Flagged while they were watched: what a process had done before it was seen first is no news. */
uint64_t ft_watch_flagged(struct ft_watch *w);
/* A scorer that keeps state says that messages without a key came. */
bool ft_watch_no_key(struct ft_watch *w);
/* The newest replay, whichever process runs it. */
struct ft_watch_run {
    char run[FT_RUN_TEXT + 1]; /* empty: none was seen */
    char file[FT_PATH_MAX];    /* read just now */
    char quarantine[512];      /* where its bad rows are kept; empty: none yet */
    uint64_t rejected;
    bool active, paused;
    double rate; /* limit; 0: none */
};
void ft_watch_run(struct ft_watch *w, struct ft_watch_run *out);

#endif
