/*
 * Scoring of one block: the same C compiled for several processors (kernel.c), one of which is chosen when a scratch
 * is made.  All give the same bits.
 */
#ifndef FC_EVAL_H
#define FC_EVAL_H

#include "plan.h"

struct fc_scratch {
    const struct fc_model *m;
    const struct fc_plan *plan;
    const struct fc_input *input; /* the plan's, by flat feature */
    size_t n_features, max_rows;
    void (*columns)(const struct fc_plan *, const void *values, size_t n, unsigned char *columns);
    void (*trees)(const struct fc_plan *, const unsigned char *columns, size_t n, double *raw);
    unsigned char *values; /* blocks; in each the slots, FC_LANES 4-byte values each */
    size_t block_bytes;
    unsigned char *column; /* of the block at hand: n_columns * FC_LANES */
    void *explain;         /* work space of fc_shap, made at its first call */
    struct fc_arena arena;
};

/* Fills the columns for the first n rows of a block of values (slots of FC_LANES). */
void fc_columns_base(const struct fc_plan *plan, const void *values, size_t n,
                     unsigned char *columns);
/* Adds up the trees. */
void fc_trees_base(const struct fc_plan *plan, const unsigned char *columns, size_t n, double *raw);

#endif
