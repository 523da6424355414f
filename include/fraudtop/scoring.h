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
/* For `features`: a stage whose file is not named, or not there, has no model; check rows are not scored. */
enum ft_status ft_scorer_load_features(struct ft_scorer **out, const char *name,
                                       const char *data_dir, struct ft_err *err);
/* Calls each for every model folder in ./models and data_dir/models, in the order of their names. */
enum ft_status ft_models_list(const char *data_dir, void (*each)(void *user, const char *path),
                              void *user);
/*
 * The same from memory (no files are touched): the text of a manifest, and a function that gives the bytes of the
 * files that it names.  name and path are for people.  flags: FT_SCORER_FORCE; FT_SCORER_FEATURES: a stage whose file
 * is not named, or for which read answers FT_END, has no model and is good for ft_score_features only.
 */
enum ft_scorer_flags { FT_SCORER_FORCE = 1, FT_SCORER_FEATURES = 2 };
typedef enum ft_status ft_model_read(void *user, const char *file, struct ft_buf *out,
                                     struct ft_err *err);
enum ft_status ft_scorer_build(struct ft_scorer **out, const char *name, const char *path,
                               struct ft_span manifest, ft_model_read *read, void *user,
                               unsigned flags, struct ft_err *err);
/* A model without a manifest: each feature is the column of its name (of its place in the header, when the model has
 * no names: see ft_score_bind). */
enum ft_status ft_scorer_build_bare(struct ft_scorer **out, const char *name, const char *path,
                                    struct ft_span model, struct ft_err *err);
void ft_scorer_free(struct ft_scorer *s);
const struct ft_scorer_info *ft_scorer_info(const struct ft_scorer *s);
/* Whether a verdict's model ("seed-004 1": name and version) is this one. */
bool ft_scorer_is(const struct ft_scorer *s, const char *model);
/* Columns that a file must have, for ft_rows_opts.need. */
size_t ft_scorer_columns(const struct ft_scorer *s, const char *const **names);
/* Columns whose cell must not be missing, for ft_rows_opts.required. */
size_t ft_scorer_required(const struct ft_scorer *s, const char *const **names);
/* Another limit for a customer's gap than the manifest's, before the first use; 0: never anew. */
void ft_scorer_set_gap(struct ft_scorer *s, int64_t seconds);
/* Name of a feature as the manifest or the model has it, of the last stage. */
const char *ft_scorer_feature(const struct ft_scorer *s, size_t i);

/* Text of manifest.json; empty for a bare model.  Check rows that were scored when it was loaded. */
struct ft_span ft_scorer_manifest(const struct ft_scorer *s);
size_t ft_scorer_check_rows(const struct ft_scorer *s);

struct fc_model;
struct ft_stage_info {
    const char *name, *file; /* file: NULL when none is named */
    size_t n_features;
    const struct fc_model *model; /* NULL: features only */
    bool needs_scores;            /* some feature is made of earlier stages' log-odds */
};
bool ft_scorer_stage(const struct ft_scorer *s, size_t i,
                     struct ft_stage_info *out); /* false past the end */
struct ft_feature_info {
    const char *name;
    bool category, from_state;
    size_t flat; /* its place in the model; SIZE_MAX without one */
};
bool ft_scorer_stage_feature(const struct ft_scorer *s, size_t stage, size_t i,
                             struct ft_feature_info *out); /* false past the end */

#define FT_SCORE_BATCH 256 /* transactions in one batch at the most */

struct ft_scored {
    enum ft_status status; /* FT_OK, or FT_EINPUT: not scored */
    double raw;            /* log-odds (or the raw value), before the sigmoid */
    double score;
    int flag;      /* by the threshold given */
    bool repeated; /* came a second time (see ft_state_seen): scored, state unchanged */
};

struct ft_score_scratch *ft_score_scratch_new(const struct ft_scorer *s); /* NULL: no memory */
void ft_score_scratch_free(struct ft_score_scratch *x);
/* Tells the scratch the columns of a file (without the label): a model whose features have no names takes them by
 * their place.  Not needed for others.  FT_EINPUT: fewer columns than the model needs. */
enum ft_status ft_score_bind(const struct ft_scorer *s, struct ft_score_scratch *x,
                             const struct ft_span *names, size_t n, struct ft_err *err);

/*
 * Scores n (<= FT_SCORE_BATCH) transactions in order.  state is NULL unless the model keeps any; it is changed by
 * good rows only.  A row that cannot be scored (required value missing, a number or time that is none, an amount
 * that is negative or not finite) gets status FT_EINPUT and its reason by ft_score_reason.  Allocates nothing
 * (but for new customers' state).  What was read stays in the scratch for the calls below until the next batch; the
 * cells of the transactions must live as long.
 */
void ft_score_batch(const struct ft_scorer *s, struct ft_score_scratch *x, struct ft_state *state,
                    const struct ft_txn *const *txn, size_t n, double threshold,
                    struct ft_scored *out);
const char *ft_score_reason(const struct ft_score_scratch *x, size_t i);
/*
 * The same, where the first stage's log-odds are given by row (training out of fold) instead of computed, or where
 * models are missing: raw and score are NaN when the last stage has none.  first_raw may be NULL.
 */
void ft_score_features(const struct ft_scorer *s, struct ft_score_scratch *x,
                       struct ft_state *state, const struct ft_txn *const *txn, size_t n,
                       const double *first_raw, struct ft_scored *out);
/* Feature f of a stage in row i of the last batch, as text: category as it is hashed, number so that it reads back,
 * "" for NaN.  Returns its length (cut to size - 1). */
size_t ft_score_value(const struct ft_scorer *s, const struct ft_score_scratch *x, size_t stage,
                      size_t i, size_t f, char *out, size_t size);

/* The exact contributions of row i of the last batch (last stage), by feature of that stage: feature name, the value
 * as text, contribution in log-odds; sorted by |contribution|, strongest first, at most max.  text: in words where the
 * feature has words ("4th in 1 h", "3.1 x usual", "amount 1118.02" of its logarithm), else empty; those of an earlier
 * stage's log-odds name what moved that stage most ("22 h, amount 1118.02: 72 % alone"). */
struct ft_reason {
    const char *feature;
    char value[48];
    char text[96];
    double contribution;
};
enum ft_status ft_score_reasons(const struct ft_scorer *s, struct ft_score_scratch *x, size_t i,
                                struct ft_reason *out, size_t max, size_t *n, double *base,
                                struct ft_err *err);
/* Appends the JSON members of a flagged verdict for row i: see struct ft_verdict. */
enum ft_status ft_score_reasons_json(const struct ft_scorer *s, struct ft_score_scratch *x,
                                     size_t i, size_t max, struct ft_buf *out);
/* {"STAGE":{"FEATURE":value, ...}, ...}: numbers as such (not finite: "nan", "inf", "-inf"), categories as texts. */
enum ft_status ft_score_features_json(const struct ft_scorer *s, const struct ft_score_scratch *x,
                                      size_t i, struct ft_buf *out);
/*
 * What if: scores again what a verdict's features_json holds, with one value changed.  name is a column ("amount",
 * "transaction_time": everything that is made of it follows, also the comparisons of an amount with the customer's past)
 * or a feature ("hour", "n_24h"); NULL: nothing is changed.  The past itself stays as it was.  Needs no state and no
 * scratch.  FT_EINPUT: the JSON is not this model's, or the value cannot be; FT_EUSAGE: nothing is made of name.
 */
enum ft_status ft_score_what_if(const struct ft_scorer *s, struct ft_span features_json,
                                const char *name, struct ft_span value, double *raw, double *score,
                                struct ft_err *err);
/* The exact contributions behind a stored verdict: contribution[i] of the last stage's feature i (n_features of the
 * info), which add up with *base to *raw.  FT_EINPUT: the JSON is not this model's, or the model has no leaf weights. */
enum ft_status ft_score_why(const struct ft_scorer *s, struct ft_span features_json, double *raw,
                            double *base, double *contribution, struct ft_err *err);
/*
 * The customer's last transactions before this one, oldest first, [{"time","amount","category","merchant","score"}], and
 * what is usual, {"count","mean","max","std","night_share","first"} (count 0: no more members).  Appends nothing where
 * the model keeps no history.  Only rows that were flagged have their transactions, and those that were wanted before the
 * batch was scored.
 */
void ft_score_want_history(struct ft_score_scratch *x, size_t i);
enum ft_status ft_score_history_json(const struct ft_score_scratch *x, size_t i,
                                     struct ft_buf *history, struct ft_buf *usual);

/* ---- state ---------------------------------------------------------------------------------------- */

/*
 * All customers of one input partition.  What is remembered and what it is good for: docs/features.md.  Grows with customers; ft_state_bytes says how much.
 */
struct ft_state *ft_state_new(const struct ft_scorer *s,
                              const uint8_t secret[16]); /* NULL: no memory */
void ft_state_free(struct ft_state *st);
size_t ft_state_customers(const struct ft_state *st);
size_t ft_state_bytes(const struct ft_state *st);
/* True when this id was seen before (row not higher than the highest of its run; foreign ids: among the customer's
 * remembered ones): such a transaction is scored but changes no state. */
bool ft_state_seen(struct ft_state *st, const struct ft_txn *t);
/* Forgets the runs' highest rows: the next message is of another partition. */
void ft_state_forget_runs(struct ft_state *st);
/*
 * The changelog.  ft_state_changes calls emit for each customer (and for the run marks of the partition) changed since
 * the last call: key (16 bytes for a customer; a text for marks) and record (NULL: tombstone), then forgets that they
 * changed.  From time to time (by event time) it also frees and buries customers whose last transaction lies so far
 * (twice the gap) behind the newest that they would start anew.  ft_state_restore takes such a record back; FT_EINPUT when its version or layout is not this model's.
 */
typedef enum ft_status ft_state_emit(void *user, struct ft_span key, struct ft_span record);
enum ft_status ft_state_changes(struct ft_state *st, ft_state_emit *emit, void *user);
enum ft_status ft_state_restore(struct ft_state *st, struct ft_span key, struct ft_span record,
                                struct ft_err *err);

#endif
