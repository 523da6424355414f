#include <string.h>

#include "eval.h"

#define MEMBER(name) name##_base

static void num_columns(const struct fc_plan *plan, const float *values, size_t n,
                        unsigned char *columns)
{
    for (size_t c = 0; c < plan->n_nums; c++) {
        const struct fc_num_column *num = &plan->num[c];
        const float *v = values + (size_t)num->slot * FC_LANES;
        unsigned char *out = columns + c * FC_LANES;

        for (size_t r = 0; r < n; r++) {
            unsigned above = 0;

            for (uint32_t k = 0; k < num->n; k++)
                above += v[r] > num->border[k];
            out[r] = (unsigned char)above;
        }
    }
}

static void hot_columns(const struct fc_plan *plan, const int32_t *values, size_t n,
                        unsigned char *columns)
{
    for (size_t c = 0; c < plan->n_hots; c++) {
        const int32_t *v = values + (size_t)plan->hot[c].slot * FC_LANES;
        unsigned char *out = columns + plan->hot[c].column * FC_LANES;

        for (size_t r = 0; r < n; r++)
            out[r] = v[r] == plan->hot[c].value;
    }
}

static inline bool yes(const struct fc_test *t, const unsigned char *columns, size_t row)
{
    return (columns[(size_t)t->column * FC_LANES + row] & t->mask) >= t->least;
}

static void look_up(const struct fc_lookup *l, const int32_t *values, size_t n,
                    unsigned char *columns)
{
    uint64_t hash[FC_LANES] = {0};

    for (uint32_t i = 0; i < l->n_cats; i++)
        for (size_t r = 0; r < n; r++)
            hash[r] +=
                l->cat[i].factor * (uint64_t)(int64_t)values[(size_t)l->cat[i].slot * FC_LANES + r];
    for (uint32_t i = 0; i < l->n_tests; i++)
        for (size_t r = 0; r < n; r++)
            hash[r] += yes(&l->test[i].test, columns, r) ? l->test[i].factor : 0;
    for (size_t r = 0; r < n; r++) {
        const uint64_t *key = l->key + (hash[r] >> l->shift);

        while (*key != hash[r] && *key != FC_FREE)
            key++;
        for (uint32_t k = 0; k < l->n_bytes; k++)
            columns[(size_t)(l->column + k) * FC_LANES + r] =
                l->payload[(size_t)(key - l->key) * l->n_bytes + k];
    }
}

void MEMBER(fc_columns)(const struct fc_plan *plan, const void *values, size_t n,
                        unsigned char *columns)
{
    num_columns(plan, values, n, columns);
    hot_columns(plan, values, n, columns);
    for (size_t i = 0; i < plan->n_lookups; i++)
        look_up(&plan->lookup[i], values, n, columns);
}

static void symmetric(const struct fc_plan *plan, const unsigned char *columns, size_t n,
                      double *raw)
{
    for (size_t t = 0; t < plan->n_trees; t++) {
        const struct fc_plan_tree *tree = &plan->tree[t];
        uint16_t leaf[FC_LANES] = {0};

        for (uint32_t d = 0; d < tree->depth; d++)
            for (size_t r = 0; r < n; r++)
                leaf[r] = (uint16_t)(leaf[r] | (yes(&tree->test[d], columns, r) << d));
        for (size_t r = 0; r < n; r++)
            raw[r] += tree->leaf[leaf[r]];
    }
}

static void asymmetric(const struct fc_plan *plan, const unsigned char *columns, size_t n,
                       double *raw)
{
    for (size_t t = 0; t < plan->n_trees; t++)
        for (size_t r = 0; r < n; r++) {
            size_t at = plan->nodes[t].first;

            for (uint32_t d = 0; d < plan->nodes[t].depth; d++)
                at += plan->node[at].step[yes(&plan->node[at].test, columns, r)];
            raw[r] += plan->node_leaf[at];
        }
}

void MEMBER(fc_trees)(const struct fc_plan *plan, const unsigned char *columns, size_t n,
                      double *raw)
{
    for (size_t r = 0; r < n; r++)
        raw[r] = 0;
    if (plan->symmetric)
        symmetric(plan, columns, n, raw);
    else
        asymmetric(plan, columns, n, raw);
    for (size_t r = 0; r < n; r++)
        raw[r] = plan->scale * raw[r] + plan->bias;
}
