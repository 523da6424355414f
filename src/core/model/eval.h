/*
 * Scoring of one block: the same C (kernel.inc) compiled for several instruction sets, one of which is chosen when a
 * scratch is made.  All give the same bits.
 */
#ifndef FC_EVAL_H
#define FC_EVAL_H

#include "plan.h"

struct fc_path {
    const char *name;
    void (*columns)(const struct fc_plan *, const void *values, size_t n, unsigned char *columns);
    void (*trees)(const struct fc_plan *, const unsigned char *columns, size_t n, double *raw);
    bool (*runs_here)(void);
};

struct fc_scratch {
    const struct fc_model *m;
    const struct fc_plan *plan;
    const struct fc_input *input; /* the plan's, by flat feature */
    size_t n_features, max_rows;
    const struct fc_path *path;
    unsigned char *values; /* blocks; in each the slots, FC_LANES 4-byte values each */
    size_t block_bytes;
    unsigned char *column; /* of the block at hand: n_columns * FC_LANES */
    void *explain;         /* work space of fc_shap, made at its first call */
    struct fc_arena arena;
};

#define FC_KERNEL(name)                                                                            \
    void fc_columns_##name(const struct fc_plan *plan, const void *values, size_t n,               \
                           unsigned char *columns);                                                \
    void fc_trees_##name(const struct fc_plan *plan, const unsigned char *columns, size_t n,       \
                         double *raw)

/* columns: fills the columns for the first n rows of a block of values; trees: adds up the trees, scale and bias. */
FC_KERNEL(portable);
#if FC_HAS_X86
FC_KERNEL(avx2);
FC_KERNEL(avx512);
#endif

/* The number of the lowest bit that is set; v is not 0. */
static inline unsigned fc_lowest_bit(uint64_t v)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(v);
#else
    unsigned n = 0;

    while (!(v >> n & 1))
        n++;
    return n;
#endif
}

#endif
