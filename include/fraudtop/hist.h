/*
 * Counting: a log-linear histogram for latencies and a linear one for scores.  Fixed memory, exact counts, no
 * allocation after start.  Not thread-safe; copies are plain struct assignments.
 */
#ifndef FRAUDTOP_HIST_H
#define FRAUDTOP_HIST_H

#include <stddef.h>
#include <stdint.h>

/* Values 0 .. 2^36 us (19 h): 64 linear sub-buckets per power of two, so any quantile is within 1.6 %. */
#define FT_HIST_BUCKETS (64 + 30 * 64)
struct ft_hist {
    uint64_t count, max, sum;
    uint64_t bucket[FT_HIST_BUCKETS];
};
void ft_hist_clear(struct ft_hist *h);
void ft_hist_add(struct ft_hist *h, uint64_t value);
void ft_hist_merge(struct ft_hist *into, const struct ft_hist *from);
/* Value at quantile q (0 to 1): the smallest that at least this share does not exceed, as the upper end of its bucket,
 * never above max; 0 when empty. */
uint64_t ft_hist_quantile(const struct ft_hist *h, double q);

/* Scores 0 .. 1 in equal bins; the last bin holds 1 too. */
#define FT_SCORE_BINS 2000
struct ft_scores {
    uint64_t bin[FT_SCORE_BINS];
    uint64_t count;
};
/* Scores below 0 and NaN belong to the first bin, those above 1 to the last. */
size_t ft_score_bin(double score, size_t n_bins);
void ft_scores_add(struct ft_scores *h, double score);
/* Folds the 2,000 bins into n (a divisor of 2,000). */
void ft_scores_fold(const struct ft_scores *h, uint64_t *bin, size_t n);

#endif
