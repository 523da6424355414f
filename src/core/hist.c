#include "fraudtop/hist.h"

#include <math.h>
#include <string.h>

#define SUB_BITS 6
#define SUB (1u << SUB_BITS)

static unsigned top_bit(uint64_t v)
{
#if defined(__GNUC__)
    return 63u - (unsigned)__builtin_clzll(v);
#else
    unsigned n = 0;

    while (v >>= 1)
        n++;
    return n;
#endif
}

static size_t bucket_of(uint64_t value)
{
    unsigned top;
    size_t i;

    if (value < SUB)
        return (size_t)value;
    top = top_bit(value);
    i = (size_t)(top - SUB_BITS + 1) * SUB + (size_t)(value >> (top - SUB_BITS) & (SUB - 1));
    return i < FT_HIST_BUCKETS ? i : FT_HIST_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(size_t i)
{
    unsigned shift;

    if (i < SUB)
        return i;
    shift = (unsigned)(i / SUB) - 1;
    return (((uint64_t)SUB + i % SUB + 1) << shift) - 1;
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
    uint64_t rank, below = 0;
    size_t i = 0;

    if (h->count == 0)
        return 0;
    rank = q > 0 ? (uint64_t)ceil(q * (double)h->count) : 1;
    if (rank < 1)
        rank = 1;
    if (rank > h->count)
        rank = h->count;
    while (below + h->bucket[i] < rank)
        below += h->bucket[i++];
    if (i == FT_HIST_BUCKETS - 1) /* it holds everything beyond, too */
        return h->max;
    return bucket_end(i) < h->max ? bucket_end(i) : h->max;
}

size_t ft_score_bin(double score, size_t n_bins)
{
    double at = score * (double)n_bins;

    if (!(at > 0))
        return 0;
    return at >= (double)n_bins ? n_bins - 1 : (size_t)at;
}

void ft_scores_add(struct ft_scores *h, double score)
{
    h->bin[ft_score_bin(score, FT_SCORE_BINS)]++;
    h->count++;
}

void ft_scores_fold(const struct ft_scores *h, uint64_t *bin, size_t n)
{
    memset(bin, 0, n * sizeof(*bin));
    for (size_t i = 0; i < FT_SCORE_BINS; i++)
        bin[i * n / FT_SCORE_BINS] += h->bin[i];
}
