/*
 * Inside of the score stage: stage_score.c reads, scores and sends; score_commit.c moves the offsets, with state and
 * transactions where there are any; score_restore.c takes a partition over: restores its state or makes it anew.
 */
#ifndef FT_STAGE_SCORE_H
#define FT_STAGE_SCORE_H

#include "fraudtop/codec.h"
#include "fraudtop/gap.h"
#include "stage.h"

#define FT_SC_WINDOW (1u << 15) /* results under way for a partition */
#define FT_SC_RUNS 256          /* runs whose highest row is remembered for a partition */

/*
 * The changelog's record of a model: key "model/" and the offset of the first transaction that it decided on (20 digits),
 * value {"partitions":3,"digest":"...","model":"velocity 1"}, partitions being how many the topic of transactions had.
 */
#define FT_SC_ERA_PREFIX "model/"
#define FT_SC_ERA_KEY 32
#define FT_SC_ERA 1024

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
    int64_t first;     /* message with a result since the partition was taken over, or -1 */
    int64_t next;      /* after the newest message with a result */
    int64_t committed;
    bool sure;        /* that was waited for and confirmed */
    uint64_t n_since; /* messages since the last commit */
    int64_t commit_ms;
    struct ft_producer *txn; /* of this partition */
    bool in_txn;
    struct ft_state *state;
    double restored;     /* share of it; under s.lock */
    char era[FT_SC_ERA]; /* the newest record of a model */
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
    int64_t started_ms, commit_ms, lag_ms;
    _Atomic int64_t stop_by_ms;
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
    int n_input;                   /* partitions of the topic of transactions, with transactions */
    uint64_t rebuilt[64];          /* state made anew by us: by partition, one bit each */
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
/* The partitions that came: their transactional producers, their states. */
enum ft_status ft_sc_take_over(struct ft_sc *c, struct ft_err *err);
/* The record of the model that decides now. */
void ft_sc_era(const struct ft_sc *c, char out[FT_SC_ERA]);
/* True when the message came before and its verdict must not be sent again; remembers it. */
bool ft_sc_seen(struct ft_sc *c, struct ft_sc_part *p, const struct ft_txn *t);
/* The mark of a run, made when new. */
struct ft_sc_mark *ft_sc_mark_of(struct ft_sc *c, struct ft_sc_part *p, const struct ft_run *run);

/* A failed call is made again while that can help and nobody asked us to end; what it came to. */
bool ft_sc_once_more(struct ft_sc *c, enum ft_status st);
enum ft_status ft_sc_ended(struct ft_sc *c, enum ft_status st);

/* A partition's transaction: begun unless it is, a record of the changelog, all changed states, the end. */
enum ft_status ft_sc_begin(struct ft_sc_part *p, struct ft_err *err);
enum ft_status ft_sc_emit(struct ft_sc *c, struct ft_sc_part *p, struct ft_span key,
                          struct ft_span record, struct ft_err *err);
enum ft_status ft_sc_emit_changes(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err);
enum ft_status ft_sc_end_txn(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err);

#endif
