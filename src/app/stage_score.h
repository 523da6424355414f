/*
 * Inside of the score stage: stage_score.c reads, scores and sends; score_commit.c moves the offsets, with state and
 * transactions where there are any.
 */
#ifndef FT_STAGE_SCORE_H
#define FT_STAGE_SCORE_H

#include "fraudtop/codec.h"
#include "fraudtop/gap.h"
#include "stage.h"

#define FT_SC_WINDOW (1u << 15) /* results under way for a partition */
#define FT_SC_RUNS 256          /* runs whose highest row is remembered for a partition */

struct ft_sc_mark {
    struct ft_run run;
    uint64_t row, used; /* highest row; when it was used last */
    bool changed;
};

struct ft_sc_part {
    int32_t partition;
    uint16_t generation;
    bool owned;
    struct ft_gap gap; /* of results */
    int64_t *after;    /* by sequence: the offset after its message */
    int64_t next;      /* after the newest message with a result */
    int64_t committed;
    uint64_t n_since; /* messages since the last commit */
    int64_t commit_ms;
    struct ft_producer *txn; /* of this partition */
    bool in_txn;
    struct ft_state *state;
    struct ft_sc_mark mark[FT_SC_RUNS];
    size_t n_mark;
};

struct ft_sc_text {
    struct ft_buf msg, reasons, data, features, history, usual, rival;
};

struct ft_sc {
    struct ft_stage s; /* first */
    struct ft_score_opts o;
    const struct ft_scorer *scorer, *rival;
    const struct ft_scorer *next;   /* put into force: takes over with the next session */
    const struct ft_scorer *before; /* the one that decided before a promotion; or NULL */
    char model_name[128], rival_name[128], in_force[256];
    bool keeps_state, by_txn, no_key;
    double threshold, sample;
    int commit_ms_now; /* interval, with this model */
    uint64_t control_seq, use_clock;
    int64_t started_ms, stop_by_ms, commit_ms, lag_ms;
    struct ft_consumer *in;
    struct ft_producer *out;
    enum ft_status trouble; /* met in a callback */
    struct ft_err trouble_err;
    struct ft_sc_part *part, *last;
    size_t n_part;
    struct ft_score_scratch *scratch, *rival_scratch;
    struct ft_codec *codec[FT_SCORE_BATCH]; /* cells of a batch live together */
    struct ft_msg msg[FT_SCORE_BATCH];
    struct ft_txn txn[FT_SCORE_BATCH];
    bool again[FT_SCORE_BATCH];
    struct ft_scored scored[FT_SCORE_BATCH], rival_scored[FT_SCORE_BATCH];
    size_t n;
    struct ft_sc_text text;
    struct ft_seldom said, said_bad;
    uint64_t rebuilt[64],
        relived; /* by partition, one bit each; rows of the state being made anew */
    struct ft_score_status status; /* under s.lock */
};

bool ft_sc_time_is_up(struct ft_sc *c);
void ft_sc_drop_part(struct ft_sc_part *p);
/* Scores and sends what the batch holds. */
enum ft_status ft_sc_score(struct ft_sc *c, struct ft_err *err);
/* Commits what is due; now: everything, and waits for the results under way. */
enum ft_status ft_sc_commit(struct ft_sc *c, bool now, struct ft_err *err);
/* Makes the changelog topic if there is none. */
enum ft_status ft_sc_changelog(struct ft_sc *c, struct ft_err *err);
/* A partition that came: its transactional producer, its state. */
enum ft_status ft_sc_take_over(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err);
/* True when the message came before and its verdict must not be sent again; remembers it. */
bool ft_sc_seen(struct ft_sc *c, struct ft_sc_part *p, const struct ft_txn *t);

#endif
