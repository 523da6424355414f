/* PredictionValuesChange (catboost-model, section 10). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

struct effects {
    const struct fc_model *m;
    double *of; /* by source: numeric features, categorical ones (one-hot), CTR features */
};

/* The effect of a split that leads to v1 with the weight w1 and to v2 with w2. */
static void add(struct effects *e, int32_t split, double v1, double w1, double v2, double w2)
{
    const struct fc_source *s = &e->m->src;
    const struct fc_binary *b = &s->binary[split];
    size_t source = b->asks == FC_ASKS_NUM   ? b->feature
                    : b->asks == FC_ASKS_HOT ? s->n_nums + (size_t)s->hot[b->feature].cat
                                             : s->n_nums + s->n_cats + b->feature;
    double mean;

    if (w1 <= 0 || w2 <= 0)
        return;
    mean = (v1 * w1 + v2 * w2) / (w1 + w2);
    e->of[source] += (v1 - mean) * (v1 - mean) * w1 + (v2 - mean) * (v2 - mean) * w2;
}

static void add_symmetric(struct effects *e, const struct fc_tree *tree)
{
    const struct fc_source *s = &e->m->src;
    const double *leaf = s->leaf + tree->first_leaf, *weight = s->weight + tree->first_leaf;

    for (int32_t d = 0; d < tree->size; d++)
        for (size_t i = 0; i < (size_t)1 << tree->size; i++) {
            size_t j = i | (size_t)1 << d;

            if (i != j)
                add(e, s->split[tree->start + d], leaf[i], weight[i], leaf[j], weight[j]);
        }
}

/* value[] becomes the weighted mean of the leaves below each node; children lie behind their parents. */
static void add_nodes(struct effects *e, double *value)
{
    const struct fc_plan *plan = e->m->plan;
    const double *weight = e->m->explain->weight;

    for (size_t i = plan->n_nodes; i-- > 0;) {
        size_t l = i + plan->node[i].step[0], r = i + plan->node[i].step[1];
        double total;

        if (l == i) {
            value[i] = plan->node_leaf[i];
            continue;
        }
        total = weight[l] + weight[r];
        value[i] = total > 0 ? (value[l] * weight[l] + value[r] * weight[r]) / total : 0;
        add(e, plan->node_split[i], value[l], weight[l], value[r], weight[r]);
    }
}

/* A CTR's effect is shared among all members of its projection. */
static void share(const struct fc_source *s, const struct fc_ctr *ctr, double percent, double *out)
{
    const struct fc_projection *p = &s->projection[ctr->projection];
    double part = percent / (p->n_cats + p->n_nums + p->n_hots);

    for (uint32_t k = 0; k < p->n_cats; k++)
        out[s->cat[p->cat[k]].flat] += part;
    for (uint32_t k = 0; k < p->n_nums; k++)
        out[s->num[p->num[k].index].flat] += part;
    for (uint32_t k = 0; k < p->n_hots; k++)
        out[s->cat[p->hot[k].index].flat] += part;
}

enum fc_status fc_importance(const struct fc_model *m, double *percent, struct fc_err *err)
{
    const struct fc_source *s = &m->src;
    size_t n_sources = s->n_nums + s->n_cats + s->n_ctrs;
    struct fc_arena tmp = {0};
    struct effects e = {.m = m, .of = fc_arena_get(&tmp, n_sources, sizeof(double))};
    double *value = s->symmetric ? NULL : fc_arena_get(&tmp, m->plan->n_nodes, sizeof(double));
    double total = 0;
    enum fc_status st = FC_OK;

    memset(percent, 0, m->info.n_features * sizeof(*percent));
    if (!m->explain)
        st =
            fc_fail(err, FC_EMISSING, "the model holds no leaf weights: no importance can be told");
    else if (!e.of || (!s->symmetric && !value))
        st = fc_no_memory(err);
    if (st != FC_OK)
        goto out;
    for (size_t t = 0; t < s->n_trees && s->symmetric; t++)
        add_symmetric(&e, &s->tree[t]);
    if (!s->symmetric)
        add_nodes(&e, value);
    for (size_t i = 0; i < n_sources; i++)
        total += e.of[i];
    if (!(total > 0) || isinf(total))
        goto out; /* no split makes a difference, or one that no number holds */
    for (size_t i = 0; i < s->n_nums; i++)
        percent[s->num[i].flat] += e.of[i] * 100 / total;
    for (size_t i = 0; i < s->n_cats; i++)
        percent[s->cat[i].flat] += e.of[s->n_nums + i] * 100 / total;
    for (size_t i = 0; i < s->n_ctrs; i++)
        share(s, &s->ctr[i], e.of[s->n_nums + s->n_cats + i] * 100 / total, percent);
out:
    fc_arena_free(&tmp);
    return st;
}
