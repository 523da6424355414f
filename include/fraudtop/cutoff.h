/*
 * What a threshold would cost and catch, from score histograms: for the Threshold screen and `fraudtop threshold`.
 * Pure; figures are exact at the edges of the 2,000 bins, elsewhere to the bin.
 */
#ifndef FRAUDTOP_CUTOFF_H
#define FRAUDTOP_CUTOFF_H

#include <stdbool.h>

#include "fraudtop/hist.h"

/* Scores of the last hours by bin.  With labels from a file fraud and legitimate hold all rows of known truth, else only
 * those that were reviewed: then nothing is known below the threshold in force. */
struct ft_counts {
    double hours;
    bool labels_from_file;
    double all[FT_SCORE_BINS], amount[FT_SCORE_BINS], fraud[FT_SCORE_BINS],
        legitimate[FT_SCORE_BINS];
};

struct ft_cutoff {
    double threshold;
    double flagged, per_day, per_hour, amount;
    double tp, fp, fraud;        /* of known truth: above the threshold; all frauds */
    double precision, low, high; /* with its 95 % interval (Wilson, 1927); NaN under 30 labels */
    double recall, fpr;          /* NaN: not known */
};
void ft_cutoff_at(const struct ft_counts *c, double threshold, struct ft_cutoff *out);

#endif
