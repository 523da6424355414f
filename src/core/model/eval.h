/*
 * Scoring: blocks of rows by the same C (kernel.inc) compiled for several instruction sets, one of which is chosen when
 * a scratch is made; a few rows one by one (row.c).  All give the same bits.
 */
#ifndef FC_EVAL_H
#define FC_EVAL_H

#include "explain.h"

#if defined(__GNUC__)
#define FC_INLINE static inline __attribute__((always_inline))
#else
#define FC_INLINE static inline
#endif

struct fc_path {
    const char *name;
    void (*columns)(const struct fc_plan *, const void *values, unsigned char *columns);
    void (*trees)(const struct fc_plan *, const unsigned char *columns, double *raw);
    void (*play)(const struct fc_model *, size_t tree, const unsigned char *row_columns,
                 struct fc_walk *, double *due);
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

/* columns: fills the columns (FC_LANES bytes each) for a block of values; trees: adds up the trees, scale and bias,
 * FC_LANES results; play: adds what a non-symmetric tree gives its players for one row to due[player * most_points],
 * point by point. */
#define FC_KERNEL(name)                                                                            \
    void fc_columns_##name(const struct fc_plan *plan, const void *values,                         \
                           unsigned char *columns);                                                \
    void fc_trees_##name(const struct fc_plan *plan, const unsigned char *columns, double *raw);   \
    void fc_play_##name(const struct fc_model *m, size_t tree, const unsigned char *row_columns,   \
                        struct fc_walk *w, double *due)
FC_KERNEL(portable);
#if FC_HAS_X86
FC_KERNEL(avx2);
FC_KERNEL(avx512);
void fc_trees_vbmi(const struct fc_plan *plan, const unsigned char *columns, double *raw);
#endif

/* One row: its values stand FC_LANES apart, its columns side by side. */
void fc_row_columns(const struct fc_plan *plan, const unsigned char *values,
                    unsigned char *columns);
double fc_row_raw(const struct fc_plan *plan, const unsigned char *columns);

static inline unsigned fc_ask(const struct fc_test *t, const unsigned char *columns)
{
    return (columns[t->column] & t->mask) >= t->least;
}

static inline uint32_t fc_row_leaf(const struct fc_plan_tree *tree, const unsigned char *columns)
{
    uint32_t leaf = 0;

    for (uint32_t d = 0; d < tree->depth; d++)
        leaf |= fc_ask(&tree->test[d], columns) << d;
    return leaf;
}

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
