/*
 * SHAP values: the Shapley values of the game of catboost-model, section 9.2.
 *
 * A leaf of value v, reached through tests of players c with (one, zero) - does the row go that way, and the product
 * of the shares of the weight that do - adds to player c
 *
 *     v * (one_c - zero_c) * integral over x from 0 to 1 of the product over the other players of
 *                            one * x + zero * (1 - x)
 *
 * because the weight |S|! (k - |S| - 1)! / k! of a set S among k players is the integral of x^|S| (1-x)^(k-1-|S|).
 * The integrand is a polynomial of degree k - 1, so that Gauss-Legendre with k / 2 points is exact; it has positive
 * terms only, which keeps it accurate where unwinding paths is not.  One descent of a tree gives all its players their
 * values: on the way down the product is kept at each point, on the way up the leaves' sums.
 *
 * A player who is asked again further down has new (one, zero) there: the sums of what lies below then count with the
 * new ones and no longer with the old.
 */
#include <stdlib.h>
#include <string.h>

#include "eval.h"
#include "explain.h"

#define MAX_STORED ((size_t)256 << 20) /* bytes for leaves of one model */
#define POINTS FC_POINTS(FC_MAX_DEPTH)

enum { STORE_EMPTY, STORE_BUSY, STORE_READY };

/* A test on the way down.  What its player is due at each point is (one - zero) / (one * x + zero * (1 - x)), and that is
 * -1 / (1 - x) on all ways that the row does not go. */
struct edge {
    uint32_t player;
    int32_t above; /* the last edge of the same player, or -1 */
    bool one;
    double zero;
    const double *due; /* own_due, or due_off */
    double own_due[POINTS];
    double inverse[POINTS]; /* 1 / (x + zero * (1 - x)), if one */
};

struct shap_work {
    const struct fc_rule *rule; /* of the tree at hand */
    struct edge path[FC_MAX_DEPTH];
    double product[FC_MAX_DEPTH + 1][POINTS];
    double sum[FC_MAX_DEPTH + 1][POINTS];
    double value[FC_MAX_DEPTH]; /* of one symmetric tree, by its players */
    double *by_player;
    double *due;            /* non-symmetric: by player and point */
    struct fc_walk *walk;   /* the same */
    unsigned char *columns; /* of the row */
};

/* A symmetric tree is a heap (root 1, children 2 i and 2 i + 1), as deep nodes ask the first splits. */
struct game {
    const struct fc_model *m;
    size_t tree;
    uint32_t depth;
    const double *leaf;  /* by leaf number */
    const double *share; /* by node */
    uint32_t row_leaf;   /* where the row falls */
};

/* What a player is due for the sums that came up through an edge. */
static double due(const struct shap_work *w, const struct edge *e, const double *restrict sum)
{
    double part[4] = {0};

    for (size_t q = 0; q < w->rule->n; q += 4)
        for (size_t k = 0; k < 4; k++)
            part[k] += w->rule->weight[q + k] * sum[q + k] * e->due[q + k];
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/* The way that the row goes. */
static void enter_on(const struct shap_work *w, struct edge *restrict e,
                     const double *restrict product, double *restrict next)
{
    double zero = e->zero;

    for (size_t q = 0; q < w->rule->n; q += 4)
        for (size_t k = q; k < q + 4; k++) {
            double f = w->rule->x[k] + zero * w->rule->rest[k], inverse = 1 / f;

            e->inverse[k] = inverse;
            e->own_due[k] = (1 - zero) * inverse;
            next[k] = product[k] * f;
        }
    e->due = e->own_due;
}

static void multiply(const struct shap_work *w, const double *a, const double *b, double factor,
                     double *out)
{
    for (size_t q = 0; q < w->rule->n; q += 4)
        for (size_t k = q; k < q + 4; k++)
            out[k] = a[k] * (factor * b[k]);
}

/* Takes an edge: next becomes the product for what is below.  False when nobody goes there, and the row does not. */
static bool enter(struct shap_work *w, struct edge *e, uint32_t level, double share,
                  const double *product, double *next)
{
    const struct edge *above;

    e->above = (int32_t)level - 1;
    while (e->above >= 0 && w->path[e->above].player != e->player)
        e->above--;
    above = e->above >= 0 ? &w->path[e->above] : NULL;
    e->one = e->one && (!above || above->one);
    e->zero = share * (above ? above->zero : 1);
    e->due = w->rule->due_off;
    if (!e->one && e->zero <= 0)
        return false;
    if (above && !above->one) { /* both have the factor 1 - x */
        for (size_t q = 0; q < w->rule->n; q++)
            next[q] = product[q] * share;
        return true;
    }
    if (e->one)
        enter_on(w, e, product, next);
    else
        multiply(w, product, w->rule->rest, e->zero, next);
    if (above)
        multiply(w, next, above->inverse, 1, next);
    return true;
}

/* Leaves in w->sum[level] the sums, at each point, of leaf value times product over the leaves below. */
static void descend(struct shap_work *w, const struct game *g, size_t at, uint32_t level)
{
    const double *product = w->product[level];
    double *sum = w->sum[level], *below = w->sum[level + 1];
    uint32_t split = g->depth - 1 - level;
    struct edge *e = &w->path[level];

    if (level == g->depth) {
        double leaf = g->leaf[at - ((size_t)1 << g->depth)];

        for (size_t q = 0; q < w->rule->n; q++)
            sum[q] = leaf * product[q];
        return;
    }
    memset(sum, 0, w->rule->n * sizeof(*sum));
    for (uint32_t k = 0; k < 2; k++) { /* the way that the row takes comes first */
        size_t child = 2 * at + ((g->row_leaf >> split & 1) ^ k);

        e->player = g->m->explain->local[g->tree * FC_MAX_DEPTH + split];
        e->one = k == 0;
        if (!enter(w, e, level, g->share[child], product, w->product[level + 1]))
            continue;
        descend(w, g, child, level + 1);
        w->value[e->player] += due(w, e, below);
        if (e->above >= 0) /* who is asked again is no longer due what he was above */
            w->value[e->player] -= due(w, &w->path[e->above], below);
        for (size_t q = 0; q < w->rule->n; q += 4)
            for (size_t i = q; i < q + 4; i++)
                sum[i] += below[i];
    }
}

static void play(struct shap_work *w, const struct game *g)
{
    w->rule = fc_rule_of(g->m->explain, FC_POINTS(g->depth));
    for (size_t q = 0; q < w->rule->n; q++)
        w->product[0][q] = 1;
    memset(w->value, 0, sizeof(w->value));
    descend(w, g, 1, 0);
}

/* ---- symmetric trees: all rows of a leaf have the same values ---- */

static struct fc_leaf_store *get_store(struct fc_explain *x, size_t tree, size_t n_leaves)
{
    struct fc_leaf_store *s = atomic_load_explicit(&x->store[tree], memory_order_acquire),
                         *none = NULL;
    size_t values = n_leaves * x->n_local[tree] * sizeof(double),
           bytes = sizeof(*s) + values + n_leaves;

    if (s)
        return s;
    if (atomic_fetch_add_explicit(&x->stored_bytes, bytes, memory_order_relaxed) >
        MAX_STORED - bytes)
        s = NULL;
    else
        s = calloc(1, bytes);
    if (s) {
        s->value = (double *)(void *)(s + 1);
        s->state = (_Atomic uint8_t *)(void *)((unsigned char *)(s + 1) + values);
        if (atomic_compare_exchange_strong_explicit(&x->store[tree], &none, s, memory_order_acq_rel,
                                                    memory_order_acquire))
            return s;
        free(s); /* another thread was first */
        s = none;
    }
    atomic_fetch_sub_explicit(&x->stored_bytes, bytes, memory_order_relaxed);
    return s;
}

/* The values of a leaf by the tree's players: from the store, or computed (and stored where there is room). */
static const double *leaf_values(struct shap_work *w, const struct game *g)
{
    struct fc_explain *x = g->m->explain;
    size_t n = x->n_local[g->tree];
    struct fc_leaf_store *s = get_store(x, g->tree, (size_t)1 << g->depth);
    uint8_t empty = STORE_EMPTY;

    if (s && atomic_load_explicit(&s->state[g->row_leaf], memory_order_acquire) == STORE_READY)
        return s->value + n * g->row_leaf;
    play(w, g);
    if (s && atomic_compare_exchange_strong_explicit(&s->state[g->row_leaf], &empty, STORE_BUSY,
                                                     memory_order_relaxed, memory_order_relaxed)) {
        memcpy(s->value + n * g->row_leaf, w->value, n * sizeof(double));
        atomic_store_explicit(&s->state[g->row_leaf], STORE_READY, memory_order_release);
    }
    return w->value;
}

static void explain_symmetric(struct shap_work *w, const struct fc_model *m)
{
    for (size_t t = 0; t < m->plan->n_trees; t++) {
        const struct fc_plan_tree *tree = &m->plan->tree[t];
        struct game g = {.m = m,
                         .tree = t,
                         .depth = tree->depth,
                         .leaf = tree->leaf,
                         .share = m->explain->share + 2 * (size_t)m->src.tree[t].first_leaf};
        const double *value;

        if (tree->depth == 0)
            continue;
        g.row_leaf = fc_row_leaf(tree, w->columns);
        value = leaf_values(w, &g);
        for (size_t k = 0; k < m->explain->n_local[t]; k++)
            w->by_player[m->explain->tree_player[t * FC_MAX_DEPTH + k]] += value[k];
    }
}

static void explain_nodes(struct shap_work *w, const struct fc_model *m, const struct fc_path *path)
{
    const struct fc_explain *x = m->explain;
    size_t n = x->most_points;

    memset(w->due, 0, x->n_players * n * sizeof(double));
    for (size_t t = 0; t < m->plan->n_trees; t++)
        path->play(m, t, w->columns, w->walk, w->due);
    for (size_t p = 0; p < x->n_players; p++)
        for (size_t q = 0; q < n; q++)
            w->by_player[p] += w->due[p * n + q];
}

/* ---- one row ---- */

static struct shap_work *make_work(struct fc_scratch *s)
{
    const struct fc_explain *x = s->m->explain;
    struct shap_work *w = fc_arena_get(&s->arena, 1, sizeof(*w));

    if (!w)
        return NULL;
    w->by_player = fc_arena_get(&s->arena, x->n_players, sizeof(double));
    w->columns = fc_arena_get(&s->arena, s->plan->n_columns, 1);
    if (!s->plan->symmetric) {
        w->due = fc_arena_get(&s->arena, x->n_players * x->most_points, sizeof(double));
        w->walk = fc_arena_get(&s->arena, 1, sizeof(*w->walk));
        if (!w->due || !w->walk)
            return NULL;
    }
    return w->by_player && w->columns ? w : NULL;
}

enum fc_status fc_shap(const struct fc_model *m, struct fc_scratch *s, size_t row, double *values,
                       double *base, struct fc_err *err)
{
    const struct fc_explain *x = m->explain;
    struct shap_work *w = s->explain;

    if (!x)
        return fc_fail(err, FC_EMISSING,
                       "the model holds no leaf weights: its scores cannot be explained");
    if (row >= s->max_rows)
        return fc_fail(err, FC_EMISSING, "row %zu is not there: the scratch has %zu", row,
                       s->max_rows);
    if (!w)
        w = s->explain = make_work(s);
    if (!w)
        return fc_no_memory(err);
    fc_row_columns(s->plan, s->values + row / FC_LANES * s->block_bytes + row % FC_LANES * 4,
                   w->columns);
    memset(w->by_player, 0, x->n_players * sizeof(double));
    if (s->plan->symmetric)
        explain_symmetric(w, m);
    else
        explain_nodes(w, m, s->path);
    memset(values, 0, m->info.n_features * sizeof(*values));
    for (size_t p = 0; p < x->n_players; p++)
        for (uint32_t k = 0; k < x->player[p].n; k++)
            values[x->player[p].flat[k]] += s->plan->scale * w->by_player[p] / x->player[p].n;
    *base = x->base;
    return FC_OK;
}
