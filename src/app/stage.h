/*
 * What the three stages have in common (src/app only): a thread, counters, a stop request, an outcome.  Each stage's
 * struct begins with a struct ft_stage.
 */
#ifndef FT_STAGE_H
#define FT_STAGE_H

#include <pthread.h>

#include "fraudtop/pipeline.h"

enum ft_stage_kind { FT_STAGE_REPLAY, FT_STAGE_SCORE, FT_STAGE_SINK };

struct ft_stage {
    enum ft_stage_kind kind;
    const struct ft_pipe *pipe;
    struct ft_counters counters;
    _Atomic int stop, ended;
    _Atomic int ready; /* its consumer has partitions */
    bool started, joined;
    pthread_t thread;
    pthread_mutex_t lock; /* of what other threads look at beside the counters */
    enum ft_status result;
    struct ft_err err;
    enum ft_status (*run)(struct ft_stage *s, struct ft_err *err);
    void (*destroy)(struct ft_stage *s); /* everything but the struct itself */
};

#define FT_NO_KEY_TEXT                                                                             \
    "messages come without a key: a customer's past is kept by partition, so what he did in "      \
    "another one is not seen"

void ft_stage_init(struct ft_stage *s, enum ft_stage_kind kind, const struct ft_pipe *pipe);
enum ft_status ft_stage_begin(struct ft_stage *s, struct ft_err *err); /* starts the thread */

static inline bool ft_stage_stopping(const struct ft_stage *s)
{
    return atomic_load_explicit(&s->stop, memory_order_relaxed) != 0;
}
static inline void ft_stage_state(struct ft_stage *s, enum ft_stage_state state)
{
    atomic_store_explicit(&s->counters.state, (int)state, memory_order_relaxed);
}
/* Sleeps in steps, shorter once a stop is asked for. */
void ft_stage_sleep(const struct ft_stage *s, int ms);

/* What struct ft_control wants to know of a stage beyond its counters: members for the heartbeat, with a leading
 * comma each. */
void ft_replay_heartbeat(struct ft_stage *s, struct ft_buf *out);
void ft_score_heartbeat(struct ft_stage *s, struct ft_buf *out);
void ft_sink_heartbeat(struct ft_stage *const *s, size_t n, struct ft_buf *out);

/*
 * Sends a message that cannot be used to a dead-letter topic: key, payload and headers unchanged, behind the
 * headers error, source.topic, source.partition, source.offset and time (cut, with truncated.from, when even that topic
 * takes no such length).  Waits while the queue is full.
 */
enum ft_status ft_dead_letter(struct ft_producer *p, const char *topic, const struct ft_msg *m,
                              const char *reason, uint64_t token, struct ft_err *err);

/* Something to say that may come often: the first time at once, then at most once every 10 s. */
struct ft_seldom {
    int64_t next_ms;
};
bool ft_seldom(struct ft_seldom *s);

#endif
