#include "fraudtop/cutoff.h"

#include <math.h>

#define Z95 1.959963984540054 /* of the normal distribution: 97.5 % */
#define FEW_LABELS 30

/* Wilson's score interval of k out of n. */
static void wilson(double k, double n, double *low, double *high)
{
    double p = k / n, z2 = Z95 * Z95;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

    *low = middle - half;
    *high = middle + half;
}

void ft_cutoff_at(const struct ft_counts *c, double threshold, struct ft_cutoff *out)
{
    size_t from = ft_score_bin(threshold, FT_SCORE_BINS);
    double legitimate = 0;

    *out = (struct ft_cutoff){.threshold = threshold};
    for (size_t i = 0; i < FT_SCORE_BINS; i++) {
        out->fraud += c->fraud[i];
        legitimate += c->legitimate[i];
        if (i < from)
            continue;
        out->flagged += c->all[i];
        out->amount += c->amount[i];
        out->tp += c->fraud[i];
        out->fp += c->legitimate[i];
    }
    out->per_hour = c->hours > 0 ? out->flagged / c->hours : (double)NAN;
    out->per_day = 24 * out->per_hour;
    out->precision = out->low = out->high = out->recall = out->fpr = (double)NAN;
    if (out->tp + out->fp >= FEW_LABELS) {
        out->precision = out->tp / (out->tp + out->fp);
        wilson(out->tp, out->tp + out->fp, &out->low, &out->high);
    }
    if (c->labels_from_file && out->fraud > 0)
        out->recall = out->tp / out->fraud;
    if (c->labels_from_file && legitimate > 0)
        out->fpr = out->fp / legitimate;
}
