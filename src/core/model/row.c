/*
 * Scoring one row: what kernel.inc does for blocks, written for the shortest time from call to score.  All questions
 * are answered without branches, as their answers cannot be guessed; tables are asked for before they are needed.
 */
#include <string.h>

#include "eval.h"

#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define PREFETCH(p) ((void)(p))
#endif

#define AHEAD 64 /* tables that are asked for together */

static inline float num_at(const unsigned char *values, uint32_t slot)
{
    return *(const float *)(const void *)(values + (size_t)slot * FC_LANES * 4);
}

static inline int32_t cat_at(const unsigned char *values, uint32_t slot)
{
    return *(const int32_t *)(const void *)(values + (size_t)slot * FC_LANES * 4);
}

/* Steps that halve: base borders are known to be exceeded. */
static inline unsigned char count_borders(const struct fc_num_column *c, float v)
{
    uint32_t base = 0;

    for (uint32_t left = c->n; left > 1;) {
        uint32_t half = left / 2;

        base += half & (0U - (uint32_t)(v > c->border[base + half - 1]));
        left -= half;
    }
    return (unsigned char)(base + (v > c->border[base]));
}

static inline uint64_t hash_row(const struct fc_lookup *l, const unsigned char *values,
                                const unsigned char *columns)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < l->n_cats; i++)
        hash += l->cat[i].factor * (uint64_t)(int64_t)cat_at(values, l->cat[i].slot);
    for (uint32_t i = 0; i < l->n_tests; i++)
        hash += l->test[i].factor & ((uint64_t)0 - fc_ask(&l->test[i].test, columns));
    return hash;
}

/* See cuckoo.c. */
static inline uint64_t find(const struct fc_lookup *l, uint64_t hash)
{
    uint64_t turned = fc_other(hash, l->bits), numbers = (UINT64_C(1) << (l->bits - 1)) - 1;
    uint64_t first = l->entry[fc_place(hash, l->bits)],
             second = l->entry[fc_place(turned, l->bits)];
    uint64_t is_first = (uint64_t)0 - (uint64_t)((first ^ hash << l->bits) >> (l->bits - 1) == 0);
    uint64_t is_second =
        (uint64_t)0 - (uint64_t)((second ^ turned << l->bits) >> (l->bits - 1) == 1);

    return (first & numbers & is_first) | (second & numbers & is_second & ~is_first) |
           (l->none & ~is_first & ~is_second);
}

static void look_up(const struct fc_lookup *lookup, size_t n, const unsigned char *values,
                    unsigned char *columns)
{
    uint64_t hash[AHEAD];

    for (size_t i = 0; i < n; i++) {
        const struct fc_lookup *l = &lookup[i];

        hash[i] = hash_row(l, values, columns);
        PREFETCH(l->entry + fc_place(hash[i], l->bits));
        PREFETCH(l->entry + fc_place(fc_other(hash[i], l->bits), l->bits));
    }
    for (size_t i = 0; i < n; i++) {
        const struct fc_lookup *l = &lookup[i];
        uint64_t number = find(l, hash[i]);

        if (l->n_bytes == 1)
            columns[l->column] = (unsigned char)number;
        else
            memcpy(columns + l->column, l->answer + number * l->n_bytes, l->n_bytes);
    }
}

void fc_row_columns(const struct fc_plan *plan, const unsigned char *values, unsigned char *columns)
{
    for (size_t c = 0; c < plan->n_nums; c++)
        columns[c] = count_borders(&plan->num[c], num_at(values, plan->num[c].slot));
    for (size_t c = 0; c < plan->n_hots; c++)
        columns[plan->hot[c].column] = cat_at(values, plan->hot[c].slot) == plan->hot[c].value;
    for (size_t i = 0; i < plan->n_lookups; i += AHEAD)
        look_up(plan->lookup + i, plan->n_lookups - i < AHEAD ? plan->n_lookups - i : AHEAD, values,
                columns);
}

static double symmetric(const struct fc_plan *plan, const unsigned char *columns)
{
    double sum = 0;

    for (size_t t = 0; t < plan->n_trees; t++)
        sum += plan->tree[t].leaf[fc_row_leaf(&plan->tree[t], columns)];
    return sum;
}

static double asymmetric(const struct fc_plan *plan, const unsigned char *columns)
{
    double sum = 0;

    for (size_t t = 0; t < plan->n_trees; t++) {
        const struct fc_node *node = &plan->node[plan->nodes[t].first];
        uint32_t step;

        do {
            step = node->step[fc_ask(&node->test, columns)];
            node += step;
        } while (step);
        sum += plan->node_leaf[node - plan->node];
    }
    return sum;
}

double fc_row_raw(const struct fc_plan *plan, const unsigned char *columns)
{
    double sum = plan->symmetric ? symmetric(plan, columns) : asymmetric(plan, columns);

    return plan->scale * sum + plan->bias;
}
