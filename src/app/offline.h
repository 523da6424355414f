/*
 * Rows of files through a scorer, without any service, on all cores: what score, evaluate and features share.
 *
 * Workers take blocks of rows in turn.  A model without state scores a block as it is; with state the customers are
 * divided among shards, and the blocks pass through each shard in their order, so that every customer's rows are seen
 * in the file's order: the result is the same to the last bit whatever the number of threads.
 */
#ifndef FT_OFFLINE_H
#define FT_OFFLINE_H

#include "app.h"
#include "fraudtop/rows.h"
#include "fraudtop/scoring.h"

struct ft_offline_row {
    uint64_t row;
    const struct ft_txn *txn;
    struct ft_scored got;
};

struct ft_offline {
    const struct ft_app *app;
    const struct ft_scorer *scorer;
    const char *const *paths;
    size_t n_paths;
    const char *what; /* for the progress: "score" */
    double threshold;
    /* Log-odds of the first stage by row, instead of computing them; NULL: computed.  A row beyond n_first, or
     * whose value is NaN, is an error. */
    const double *first_raw;
    uint64_t n_first;
    bool features; /* models may be missing (ft_score_features) */
    void *user;
    /* In any worker, in no order: appends what is to be written for a row.  x and i: for reasons and features. */
    enum ft_status (*format)(void *user, const struct ft_offline_row *r, struct ft_score_scratch *x,
                             size_t i, struct ft_buf *out, struct ft_err *err);
    /* In the order of the rows, one at a time; or NULL. */
    enum ft_status (*take)(void *user, const struct ft_offline_row *r, struct ft_err *err);
    /* A bad row, in the order of the rows; NULL: to the quarantine, with a word about it at the end. */
    void (*reject)(void *user, uint64_t row, const char *reason);
    uint64_t limit;     /* rows at the most, against --limit; 0: --limit counts */
    FILE *out;          /* where the text goes, in the order of the rows; NULL: there is none */
    const char *header; /* what stands before it, once the files are open; or NULL */
    /* Results. */
    uint64_t n_rows, n_scored, n_rejected;
};

/* FT_OK also when rows were rejected; FT_ESTOPPED after a signal. */
enum ft_status ft_offline_run(struct ft_offline *o, struct ft_err *err);

/* --threshold, else the model's own. */
double ft_offline_threshold(const struct ft_app *app, const struct ft_scorer *s);
/* --output, else standard output. */
enum ft_status ft_offline_output(const struct ft_app *app, FILE **out, struct ft_err *err);
/* The error of a result that could not be written.  A reader that has seen enough (head) closes the pipe: FT_ESTOPPED, nothing to
 * complain of. */
enum ft_status ft_offline_not_written(struct ft_err *err);
/* Closes it; a full disk shows here.  Not needed after an error. */
enum ft_status ft_offline_close(const struct ft_app *app, FILE *out, struct ft_err *err);
/* Exit status: st's, 3 when rows were rejected, a signal's after a stop; says what went wrong. */
int ft_offline_exit(const struct ft_app *app, const struct ft_offline *o, enum ft_status st,
                    const struct ft_err *err);

#endif
