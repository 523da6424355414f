#include "explain.h"

#include <stdlib.h>
#include <string.h>

struct builder {
    struct fc_model *m;
    struct fc_source *s;
    struct fc_explain *x;
    struct fc_arena *tmp;
    struct fc_err *err;
};

/* ---- players ---- */

/* The categories of a projection share the credit; one without categories (no training makes it) lets its splits. */
static enum fc_status add_player(struct builder *b, struct fc_source *list, struct fc_interner *in,
                                 const struct fc_projection *from, int32_t single, uint32_t *player)
{
    struct fc_projection key = {0};
    size_t before = list->n_projections;
    int32_t *flat;
    uint32_t n = 0;

    key.n_cats = from ? from->n_cats ? from->n_cats : from->n_nums + from->n_hots : 1;
    flat = fc_arena_get(b->tmp, key.n_cats, sizeof(*flat));
    if (!flat)
        return fc_no_memory(b->err);
    if (!from)
        flat[n++] = single;
    for (uint32_t i = 0; from && i < from->n_cats; i++)
        flat[n++] = b->s->cat[from->cat[i]].flat;
    for (uint32_t i = 0; from && !from->n_cats && i < from->n_nums; i++)
        flat[n++] = b->s->num[from->num[i].index].flat;
    for (uint32_t i = 0; from && !from->n_cats && i < from->n_hots; i++)
        flat[n++] = b->s->cat[from->hot[i].index].flat;
    key.cat = flat;
    *player = fc_projection_number(in, list, &key);
    if (list->n_projections > before) {
        uint32_t *kept = fc_arena_get(&b->m->arena, n, sizeof(*kept));

        if (!kept)
            return fc_no_memory(b->err);
        for (uint32_t i = 0; i < n; i++)
            kept[i] = (uint32_t)flat[i];
        b->x->player[*player] = (struct fc_player){kept, n};
    }
    return FC_OK;
}

static enum fc_status find_players(struct builder *b)
{
    const struct fc_source *s = b->s;
    struct fc_source list = {0}; /* lists of flat indices, told apart as projections are */
    struct fc_interner in;
    size_t most = s->n_nums + s->n_hots + s->n_ctrs;
    enum fc_status st = FC_OK;

    b->x->player = fc_arena_get(&b->m->arena, most, sizeof(*b->x->player));
    b->x->player_of = fc_arena_get(&b->m->arena, s->n_binary, sizeof(*b->x->player_of));
    if (!b->x->player || !b->x->player_of ||
        fc_interner_init(&in, &list, b->tmp, b->tmp, most) != FC_OK)
        return fc_no_memory(b->err);
    for (size_t i = 0; i < s->n_binary && st == FC_OK; i++) {
        const struct fc_binary *q = &s->binary[i];
        uint32_t *player = &b->x->player_of[i];

        if (q->at > 0) /* the same feature as before */
            *player = player[-1];
        else if (q->asks == FC_ASKS_CTR)
            st =
                add_player(b, &list, &in, &s->projection[s->ctr[q->feature].projection], 0, player);
        else
            st = add_player(b, &list, &in, NULL,
                            q->asks == FC_ASKS_NUM ? s->num[q->feature].flat
                                                   : s->cat[s->hot[q->feature].cat].flat,
                            player);
    }
    b->x->n_players = list.n_projections;
    return st;
}

/* ---- weights and the expected value ---- */

/* Sets the shares of two children of the weights wl and wr, and returns the mean of their values. */
static double set_shares(double *share, size_t l, size_t r, double wl, double wr,
                         const double *mean)
{
    share[l] = wl + wr > 0 ? wl / (wl + wr) : 0.5;
    share[r] = wl + wr > 0 ? wr / (wl + wr) : 0.5;
    return mean[l] * share[l] + mean[r] * share[r];
}

/* A tree's heap; weight[] and mean[] are work space of twice its leaves.  Returns the expected value. */
static double weigh_symmetric(const struct fc_source *s, const struct fc_tree *tree, double *share,
                              double *weight, double *mean)
{
    size_t n = (size_t)1 << tree->size;

    memcpy(weight + n, s->weight + tree->first_leaf, n * sizeof(*weight));
    memcpy(mean + n, s->leaf + tree->first_leaf, n * sizeof(*mean));
    for (size_t i = n; i-- > 1;) {
        mean[i] = set_shares(share, 2 * i, 2 * i + 1, weight[2 * i], weight[2 * i + 1], mean);
        weight[i] = weight[2 * i] + weight[2 * i + 1];
    }
    return mean[1];
}

static enum fc_status weigh_all_symmetric(struct builder *b)
{
    const struct fc_source *s = b->s;
    double *weight = fc_arena_get(b->tmp, (size_t)2 << FC_MAX_DEPTH, sizeof(*weight));
    double *mean = fc_arena_get(b->tmp, (size_t)2 << FC_MAX_DEPTH, sizeof(*mean)), sum = 0;

    b->x->share = fc_arena_get(&b->m->arena, 2 * s->n_leaves, sizeof(*b->x->share));
    if (!b->x->share || !weight || !mean)
        return fc_no_memory(b->err);
    for (size_t t = 0; t < s->n_trees; t++)
        sum += weigh_symmetric(s, &s->tree[t], b->x->share + 2 * (size_t)s->tree[t].first_leaf,
                               weight, mean);
    b->x->base = s->scale * sum + s->bias;
    return FC_OK;
}

/* Children lie after their parents, so that going backwards meets them first. */
static enum fc_status weigh_nodes(struct builder *b)
{
    const struct fc_source *s = b->s;
    const struct fc_plan *plan = b->m->plan;
    double *mean = fc_arena_get(b->tmp, plan->n_nodes, sizeof(*mean)), *weight, sum = 0;

    weight = b->x->weight = fc_arena_get(&b->m->arena, plan->n_nodes, sizeof(*weight));
    b->x->share = fc_arena_get(&b->m->arena, plan->n_nodes, sizeof(*b->x->share));
    if (!weight || !mean || !b->x->share)
        return fc_no_memory(b->err);
    for (size_t i = plan->n_nodes; i-- > 0;) {
        const struct fc_node *node = &plan->node[i];
        size_t l = i + node->step[0], r = i + node->step[1];

        if (l == i) {
            weight[i] = s->weight[plan->node_leaf_id[i]];
            mean[i] = plan->node_leaf[i];
            continue;
        }
        weight[i] = weight[l] + weight[r];
        mean[i] = set_shares(b->x->share, l, r, weight[l], weight[r], mean);
    }
    for (size_t t = 0; t < plan->n_trees; t++)
        sum += mean[plan->nodes[t].first];
    b->x->base = s->scale * sum + s->bias;
    return FC_OK;
}

/* ---- symmetric trees: their players, and room for what is known of their leaves ---- */

static enum fc_status number_players(struct builder *b)
{
    const struct fc_source *s = b->s;
    struct fc_explain *x = b->x;

    x->tree_player = fc_arena_get(&b->m->arena, s->n_trees * FC_MAX_DEPTH, sizeof(*x->tree_player));
    x->local = fc_arena_get(&b->m->arena, s->n_trees, FC_MAX_DEPTH);
    x->n_local = fc_arena_get(&b->m->arena, s->n_trees, 1);
    x->store = fc_arena_get(&b->m->arena, s->n_trees, sizeof(*x->store));
    if (!x->tree_player || !x->local || !x->n_local || !x->store)
        return fc_no_memory(b->err);
    for (size_t t = 0; t < s->n_trees; t++) {
        uint32_t *player = x->tree_player + t * FC_MAX_DEPTH;

        fc_rule_make(x, FC_POINTS(s->tree[t].size ? (uint32_t)s->tree[t].size : 1));
        for (int32_t d = 0; d < s->tree[t].size; d++) {
            uint32_t p = x->player_of[s->split[s->tree[t].start + d]];
            uint8_t k = 0;

            while (k < x->n_local[t] && player[k] != p)
                k++;
            if (k == x->n_local[t])
                player[x->n_local[t]++] = p;
            x->local[t * FC_MAX_DEPTH + (size_t)d] = k;
        }
        atomic_init(&x->store[t], NULL);
    }
    return FC_OK;
}

enum fc_status fc_explain_make(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err)
{
    struct builder b = {.m = m, .s = &m->src, .tmp = tmp, .err = err};
    enum fc_status st;

    if (!m->src.n_weights)
        return FC_OK;
    b.x = fc_arena_get(&m->arena, 1, sizeof(*b.x));
    if (!b.x)
        return fc_no_memory(err);
    atomic_init(&b.x->stored_bytes, 0);
    st = find_players(&b);
    if (st == FC_OK)
        st = m->src.symmetric ? weigh_all_symmetric(&b) : weigh_nodes(&b);
    if (st == FC_OK)
        st = m->src.symmetric ? number_players(&b) : fc_edges_make(m, b.x, err);
    if (st == FC_OK)
        m->explain = b.x;
    return st;
}

void fc_explain_free(struct fc_model *m)
{
    if (!m->explain || !m->explain->store)
        return;
    for (size_t t = 0; t < m->src.n_trees; t++)
        free(atomic_load_explicit(&m->explain->store[t], memory_order_relaxed));
}
