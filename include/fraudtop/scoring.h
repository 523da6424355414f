/*
 * From transactions to scores: a model folder (manifest.json and CatBoost files), its features, its stages, and
 * the customers' state where the model keeps any.
 *
 *     CSV row or message → ft_txn → features (manifest) → stage 1 → [state features → stage 2] → score, flag
 *
 * A loaded ft_scorer is immutable and shared by all threads.  An ft_scratch belongs to one thread.  An ft_state
 * belongs to one input partition (offline: to one shard of customers) and to one thread at a time.
 */
#ifndef FRAUDTOP_SCORING_H
#define FRAUDTOP_SCORING_H

#include "fraudtop/buf.h"
#include "fraudtop/txn.h"

struct ft_scorer;
struct ft_score_scratch;
struct ft_state;

struct ft_scorer_info {
    const char *name, *version; /* "seed-004", "1" */
    const char *path;           /* the folder or file it came from */
    double threshold;           /* flagged when score > threshold */
    bool probability;           /* false: scores are raw values of another loss */
    size_t n_features, n_trees, n_stages;
    bool keeps_state;   /* ft_score_batch wants an ft_state */
    bool keeps_history; /* verdicts carry history and usual amounts */
    char digest[17];    /* 16 hexadecimal digits over all files: tells versions apart */
};

/*
 * Loads models/NAME/, a folder, or a bare .cbm or .json file; a NAME without a slash is sought in ./models, then in
 * data_dir/models (may be NULL).  The manifest's check rows are scored and compared: a difference is FT_EINPUT
 * unless force.  Error texts name file and member.
 */
enum ft_status ft_scorer_load(struct ft_scorer **out, const char *name, const char *data_dir,
                              bool force, struct ft_err *err);
void ft_scorer_free(struct ft_scorer *s);
const struct ft_scorer_info *ft_scorer_info(const struct ft_scorer *s);
/* Columns that a file must have, for ft_rows_opts.need. */
size_t ft_scorer_columns(const struct ft_scorer *s, const char *const **names);
/* Name of a feature as the manifest or the model has it, of the last stage. */
const char *ft_scorer_feature(const struct ft_scorer *s, size_t i);

#define FT_SCORE_BATCH 256 /* transactions in one batch at the most */

struct ft_scored {
    enum ft_status status; /* FT_OK, or FT_EINPUT: not scored */
    double raw;            /* log-odds (or the raw value), before the sigmoid */
    double score;
    int flag; /* by the threshold given */
};

struct ft_score_scratch *ft_score_scratch_new(const struct ft_scorer *s); /* NULL: no memory */
void ft_score_scratch_free(struct ft_score_scratch *x);

/*
 * Scores n (<= FT_SCORE_BATCH) transactions in order.  state is NULL unless the model keeps any; it is changed by
 * good rows only.  A row that cannot be scored (required value missing, a number or time that is none, an amount
 * that is negative or not finite) gets status FT_EINPUT and its reason by ft_score_reason.  Allocates nothing
 * (but for new customers' state).  What was read stays in the scratch for the calls below until the next batch.
 */
void ft_score_batch(const struct ft_scorer *s, struct ft_score_scratch *x, struct ft_state *state,
                    const struct ft_txn *const *txn, size_t n, double threshold,
                    struct ft_scored *out);
const char *ft_score_reason(const struct ft_score_scratch *x, size_t i);

/* The exact contributions of row i of the last batch (last stage), by feature of that stage: feature name, the value
 * as text, contribution in log-odds; sorted by |contribution|, strongest first, at most max.  text: in words where the
 * feature has words ("4th in 1 h", "3.1 x usual"), else empty. */
struct ft_reason {
    const char *feature;
    char value[48];
    char text[48];
    double contribution;
};
enum ft_status ft_score_reasons(const struct ft_scorer *s, struct ft_score_scratch *x, size_t i,
                                struct ft_reason *out, size_t max, size_t *n, double *base,
                                struct ft_err *err);
/* Appends the JSON members of a flagged verdict for row i: see struct ft_verdict. */
enum ft_status ft_score_reasons_json(const struct ft_scorer *s, struct ft_score_scratch *x,
                                     size_t i, size_t max, struct ft_buf *out);
enum ft_status ft_score_features_json(const struct ft_scorer *s, const struct ft_score_scratch *x,
                                      size_t i, struct ft_buf *out);
enum ft_status ft_score_history_json(const struct ft_score_scratch *x, size_t i,
                                     struct ft_buf *history, struct ft_buf *usual);

/* ---- state ---------------------------------------------------------------------------------------- */

/*
 * All customers of one input partition.  docs/customer-state.md of the design is the model: windows, life, category,
 * earlier scores, the last ten transactions.  Grows with customers; ft_state_bytes says how much.
 */
struct ft_state *ft_state_new(const struct ft_scorer *s,
                              const uint8_t secret[16]); /* NULL: no memory */
void ft_state_free(struct ft_state *st);
size_t ft_state_customers(const struct ft_state *st);
size_t ft_state_bytes(const struct ft_state *st);
/* True when this id was seen before (row not higher than the highest of its run; foreign ids: among the customer's
 * remembered ones): such a transaction is scored but changes no state. */
bool ft_state_seen(struct ft_state *st, const struct ft_txn *t);
/*
 * The changelog.  ft_state_changes calls emit for each customer (and for the run marks of the partition) changed since
 * the last call: key (16 bytes for a customer; a text for marks) and record (NULL: tombstone), then forgets that they
 * changed.  ft_state_restore takes such a record back; FT_EINPUT when its version or layout is not this model's.
 */
typedef enum ft_status ft_state_emit(void *user, struct ft_span key, struct ft_span record);
enum ft_status ft_state_changes(struct ft_state *st, ft_state_emit *emit, void *user);
enum ft_status ft_state_restore(struct ft_state *st, struct ft_span key, struct ft_span record,
                                struct ft_err *err);

#endif
