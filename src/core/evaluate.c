#include "fraudtop/evaluate.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fraudtop/txn.h"

#define UNDEFINED ((double)NAN)
#define CLIP 2.220446049250313e-16 /* of probabilities in the log loss, as scikit-learn clips */

struct row {
    double score, amount; /* amount NaN: not known */
    uint8_t label;
};

struct ft_eval {
    struct row *row;
    size_t n, cap;
    uint64_t positives;
    bool sorted; /* by falling score */
};

struct ft_eval *ft_eval_new(void)
{
    return calloc(1, sizeof(struct ft_eval));
}

void ft_eval_free(struct ft_eval *e)
{
    if (!e)
        return;
    free(e->row);
    free(e);
}

enum ft_status ft_eval_add(struct ft_eval *e, double score, int label, double amount,
                           struct ft_err *err)
{
    if (!isfinite(score) || (label != 0 && label != 1))
        return ft_fail(err, FT_EINPUT, "a score that is not finite or a label that is not 0 or 1");
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap + e->cap / 2 : 4096;
        struct row *more = realloc(e->row, cap * sizeof(*more));

        if (!more)
            return ft_fail(err, FT_ENOMEM, "no memory for %zu rows", cap);
        e->row = more;
        e->cap = cap;
    }
    e->row[e->n++] = (struct row){score, amount, (uint8_t)label};
    e->positives += (uint64_t)label;
    e->sorted = false;
    return FT_OK;
}

static int by_falling_score(const void *a, const void *b)
{
    double x = ((const struct row *)a)->score, y = ((const struct row *)b)->score;

    return (x < y) - (x > y);
}

static void sort_rows(struct ft_eval *e)
{
    if (!e->sorted && e->n)
        qsort(e->row, e->n, sizeof(*e->row), by_falling_score);
    e->sorted = true;
}

/* a / b, undefined for b = 0. */
static double ratio(double a, double b)
{
    return b > 0 ? a / b : UNDEFINED;
}

static double f_beta(uint64_t tp, uint64_t fp, uint64_t fn, double beta)
{
    double b2 = beta * beta, hit = (1 + b2) * (double)tp;

    return ratio(hit, hit + b2 * (double)fn + (double)fp);
}

/* ---- at one threshold ----------------------------------------------------------------------------- */

static void finish(struct ft_eval_at *at, double beta)
{
    at->precision = ratio((double)at->tp, (double)(at->tp + at->fp));
    at->recall = ratio((double)at->tp, (double)(at->tp + at->fn));
    at->fpr = ratio((double)at->fp, (double)(at->fp + at->tn));
    at->f_beta = at->tp + at->fn ? f_beta(at->tp, at->fp, at->fn, beta) : UNDEFINED;
}

static const struct ft_eval_at undefined = {.threshold = UNDEFINED,
                                            .precision = UNDEFINED,
                                            .recall = UNDEFINED,
                                            .fpr = UNDEFINED,
                                            .f_beta = UNDEFINED,
                                            .money_flagged = UNDEFINED,
                                            .money_missed = UNDEFINED,
                                            .money_false_alarm = UNDEFINED};

/* Counts the rows anew, whatever led to the threshold: so its figures are those that it gives. */
static void figures_at(const struct ft_eval *e, double threshold, double beta,
                       struct ft_eval_at *at)
{
    long double flagged = 0, missed = 0, false_alarm = 0;
    bool any_amount = false;

    *at = (struct ft_eval_at){.threshold = threshold};
    for (size_t i = 0; i < e->n; i++) {
        const struct row *r = &e->row[i];
        bool flag = r->score > threshold;
        double amount = isnan(r->amount) ? 0 : r->amount;

        any_amount |= !isnan(r->amount);
        at->tp += flag && r->label;
        at->fp += flag && !r->label;
        at->fn += !flag && r->label;
        at->tn += !flag && !r->label;
        flagged += flag ? amount : 0;
        missed += !flag && r->label ? amount : 0;
        false_alarm += flag && !r->label ? amount : 0;
    }
    finish(at, beta);
    at->money_flagged = any_amount ? (double)flagged : UNDEFINED;
    at->money_missed = any_amount ? (double)missed : UNDEFINED;
    at->money_false_alarm = any_amount ? (double)false_alarm : UNDEFINED;
}

/* ---- over all thresholds -------------------------------------------------------------------------- */

struct
    between { /* thresholds that flag the first n rows and no other: low <= t < high; n is the end of a group of equals */
    double low, high, middle;
};

static struct between thresholds_after(const struct ft_eval *e, size_t n)
{
    struct between b = {-INFINITY, INFINITY, 0};

    if (n < e->n)
        b.low = b.middle = e->row[n].score;
    if (n == 0)
        return b;
    b.high = e->row[n - 1].score;
    if (n == e->n)
        b.middle = b.high > 0 ? b.high / 2 : b.high - (fabs(b.high) > 1 ? fabs(b.high) : 1);
    else if (b.low / 2 + b.high / 2 >= b.low && b.low / 2 + b.high / 2 < b.high)
        b.middle = b.low / 2 + b.high / 2;
    return b;
}

/* The one near the middle with the fewest digits, so that people can copy it and get the same. */
static double shortest(const struct between *b)
{
    for (int digits = 1; digits < 17; digits++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "%.*g", digits, b->middle);
        double v;

        if (ft_parse_double((struct ft_span){text, (size_t)n}, &v) && v >= b->low && v < b->high)
            return v;
    }
    return b->middle;
}

static size_t group_end(const struct ft_eval *e, size_t from)
{
    size_t i = from + 1;

    while (i < e->n && e->row[i].score == e->row[from].score)
        i++;
    return i;
}

struct best {
    size_t n; /* rows flagged */
    double value;
    bool found;
};

static void take_better(struct best *b, double value, size_t n)
{
    if (isnan(value) || (b->found && value <= b->value))
        return;
    *b = (struct best){n, value, true};
}

static void choose(const struct ft_eval *e, const struct best *b, double beta,
                   struct ft_eval_at *at)
{
    struct between t;

    *at = undefined;
    if (!b->found)
        return;
    t = thresholds_after(e, b->n);
    figures_at(e, shortest(&t), beta, at);
}

struct asked {
    double beta, max_fpr, min_recall;
};

/* One pass from "flags nothing" to "flags everything": areas, and where the best thresholds are. */
static void pass(const struct ft_eval *e, const struct asked *q, struct ft_eval_result *out)
{
    uint64_t p = e->positives, n = e->n - p, tp = 0, fp = 0;
    uint64_t twice_pairs = 0; /* of a positive above a negative, ties as halves: twice the number */
    long double precision_sum = 0;
    struct best f = {0}, fpr = {0}, recall = {0};

    if (n && p && q->max_fpr >= 0)
        take_better(&fpr, 0, 0);
    for (size_t from = 0, to; from < e->n; from = to) {
        uint64_t tp_here = 0, fp_here;

        to = group_end(e, from);
        for (size_t i = from; i < to; i++)
            tp_here += e->row[i].label;
        fp_here = to - from - tp_here;
        tp += tp_here;
        fp += fp_here;
        twice_pairs += tp_here * (2 * (n - fp) + fp_here);
        precision_sum += (long double)tp_here * ((long double)tp / (long double)(tp + fp));
        if (p == 0)
            continue;
        take_better(&f, f_beta(tp, fp, p - tp, q->beta), to);
        if (n && (double)fp / (double)n <= q->max_fpr)
            take_better(&fpr, (double)tp / (double)p, to);
        if ((double)tp / (double)p >= q->min_recall)
            take_better(&recall, (double)tp / (double)(tp + fp), to);
    }
    out->roc_auc = ratio((double)twice_pairs, 2 * (double)p * (double)n);
    out->pr_auc = p ? (double)(precision_sum / (long double)p) : UNDEFINED;
    choose(e, &f, q->beta, &out->best_f);
    choose(e, &fpr, q->beta, &out->at_fpr);
    choose(e, &recall, q->beta, &out->at_recall);
}

/* Log loss and Brier score: only of probabilities. */
static void losses(const struct ft_eval *e, struct ft_eval_result *out)
{
    long double log_sum = 0, brier_sum = 0;

    out->log_loss = out->brier = UNDEFINED;
    for (size_t i = 0; i < e->n; i++) {
        double score = e->row[i].score, p = score, off = score - e->row[i].label;

        if (score < 0 || score > 1)
            return;
        if (p < CLIP)
            p = CLIP;
        if (p > 1 - CLIP)
            p = 1 - CLIP;
        log_sum -= (long double)log(e->row[i].label ? p : 1 - p);
        brier_sum += (long double)off * (long double)off;
    }
    if (e->n == 0)
        return;
    out->log_loss = (double)(log_sum / (long double)e->n);
    out->brier = (double)(brier_sum / (long double)e->n);
}

enum ft_status ft_eval_compute(struct ft_eval *e, double threshold, double beta, double max_fpr,
                               double min_recall, struct ft_eval_result *out, struct ft_err *err)
{
    const struct asked q = {beta, max_fpr, min_recall};

    if (isnan(threshold) || !(beta > 0) || isinf(beta))
        return ft_fail(err, FT_EUSAGE, "a threshold must be a number and beta above 0");
    sort_rows(e);
    *out = (struct ft_eval_result){.rows = e->n, .positives = e->positives};
    figures_at(e, threshold, beta, &out->at);
    losses(e, out);
    pass(e, &q, out);
    return FT_OK;
}

enum ft_status ft_eval_curve(struct ft_eval *e,
                             void (*point)(void *user, const struct ft_eval_at *at), void *user)
{
    long double flagged = 0, caught = 0, all = 0;
    bool any_amount = false;
    struct ft_eval_at at = {0};

    sort_rows(e);
    for (size_t i = 0; i < e->n; i++) {
        any_amount |= !isnan(e->row[i].amount);
        all += e->row[i].label && !isnan(e->row[i].amount) ? e->row[i].amount : 0;
    }
    for (size_t from = 0, to = 0; e->n && from <= e->n; from = to) {
        at.threshold = thresholds_after(e, to).middle;
        at.fn = e->positives - at.tp;
        at.tn = e->n - e->positives - at.fp;
        finish(&at, 1);
        at.money_flagged = any_amount ? (double)flagged : UNDEFINED;
        at.money_missed = any_amount ? (double)(all - caught) : UNDEFINED;
        at.money_false_alarm = any_amount ? (double)(flagged - caught) : UNDEFINED;
        point(user, &at);
        if (to == e->n)
            break;
        to = group_end(e, to);
        for (size_t i = from; i < to; i++) {
            double amount = isnan(e->row[i].amount) ? 0 : e->row[i].amount;

            at.tp += e->row[i].label;
            at.fp += !e->row[i].label;
            flagged += amount;
            caught += e->row[i].label ? amount : 0;
        }
    }
    return FT_OK;
}
