/*
 * How good a model is on labelled rows.  Definitions are scikit-learn's (roc_auc_score, average_precision_score,
 * log_loss with eps 2.220446049250313e-16, brier_score_loss); flagged means score > threshold.
 */
#ifndef FRAUDTOP_EVALUATE_H
#define FRAUDTOP_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "fraudtop/status.h"

/*
 * All rows of one model.  Not thread-safe.  Undefined figures are NaN: the ROC AUC of one class only, the average
 * precision, recall and F without positives, precision where nothing is flagged, log loss and Brier score of scores
 * outside 0 .. 1 (raw values), money where no row has an amount.
 */
struct ft_eval;
struct ft_eval *ft_eval_new(void); /* NULL: no memory */
void ft_eval_free(struct ft_eval *e);
/* One labelled row; 24 bytes of memory each.  label 0 or 1, score finite, amount NaN when not known (it then counts
 * nothing in sums of money). */
enum ft_status ft_eval_add(struct ft_eval *e, double score, int label, double amount,
                           struct ft_err *err);

struct ft_eval_at { /* figures at a threshold; NaN: undefined */
    double threshold;
    uint64_t tp, fp, tn, fn;
    double precision, recall, fpr, f_beta;
    double money_flagged, money_missed, money_false_alarm;
};
struct ft_eval_result {
    uint64_t rows, positives;
    double roc_auc, pr_auc, log_loss, brier; /* NaN: undefined */
    struct ft_eval_at at, best_f, at_fpr, at_recall;
};
/*
 * beta of F; best_f: the highest F-beta; at_fpr: the highest recall with FPR <= max_fpr; at_recall: the highest
 * precision with recall >= min_recall (NaN min_recall: not asked).  Where several thresholds are equally good, the
 * one that flags least.  Every threshold lies between two scores, so that with score > threshold it gives exactly the
 * figures beside it, and has as few digits as can be there (ft_fmt_double).  All NaN and 0 where there is none.
 */
enum ft_status ft_eval_compute(struct ft_eval *e, double threshold, double beta, double max_fpr,
                               double min_recall, struct ft_eval_result *out, struct ft_err *err);
/* Every threshold that makes a difference, descending, from "flags nothing" to "flags everything": for the curve as CSV and
 * as plot.  f_beta is F1 there. */
enum ft_status ft_eval_curve(struct ft_eval *e,
                             void (*point)(void *user, const struct ft_eval_at *at), void *user);

#endif
