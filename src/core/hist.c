#include "fraudtop/hist.h"

#include <string.h>

/* Values below 64 have a bucket each; above, the six bits after the highest one choose among 64 of its power of two. */
static size_t bucket_of(uint64_t v)
{
    const uint64_t top = (1ull << 36) - 1;
    int shift;

    if (v > top)
        v = top;
    if (v < 64)
        return (size_t)v;
    shift = 63 - __builtin_clzll(v) - 6;
    return 64 + (size_t)shift * 64 + (size_t)((v >> shift) & 63);
}

/* The largest value that falls into a bucket. */
static uint64_t upper_end(size_t bucket)
{
    size_t shift;

    if (bucket < 64)
        return bucket;
    shift = (bucket - 64) / 64;
    return ((64 + (bucket - 64) % 64 + 1) << shift) - 1;
}

void ft_hist_clear(struct ft_hist *h)
{
    memset(h, 0, sizeof(*h));
}

void ft_hist_add(struct ft_hist *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    if (value > h->max)
        h->max = value;
    h->bucket[bucket_of(value)]++;
}

void ft_hist_merge(struct ft_hist *into, const struct ft_hist *from)
{
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
    for (size_t i = 0; i < FT_HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

uint64_t ft_hist_quantile(const struct ft_hist *h, double q)
{
    uint64_t want, seen = 0;

    if (h->count == 0)
        return 0;
    want = (uint64_t)(q * (double)h->count);
    if ((double)want < q * (double)h->count)
        want++;
    if (want < 1)
        want = 1;
    for (size_t i = 0; i < FT_HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= want) {
            uint64_t v = upper_end(i);

            return v < h->max ? v : h->max;
        }
    }
    return h->max;
}

size_t ft_score_bin(double score, size_t n_bins)
{
    size_t bin;

    if (!(score > 0))
        return 0;
    if (score >= 1)
        return n_bins - 1;
    bin = (size_t)(score * (double)n_bins);
    return bin < n_bins ? bin : n_bins - 1;
}

void ft_scores_add(struct ft_scores *h, double score)
{
    h->bin[ft_score_bin(score, FT_SCORE_BINS)]++;
    h->count++;
}

void ft_scores_fold(const struct ft_scores *h, uint64_t *bin, size_t n)
{
    const size_t each = FT_SCORE_BINS / n;

    for (size_t i = 0; i < n; i++) {
        bin[i] = 0;
        for (size_t k = 0; k < each; k++)
            bin[i] += h->bin[i * each + k];
    }
}
