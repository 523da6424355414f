/*
 * What explanations of non-symmetric trees need of each edge, found out once: they are shap.c's, put so that a row only
 * multiplies and adds.  kernel.inc walks.
 *
 * An edge changes the product over the players (shap.c) by a ratio, and its player is due the sum of what comes up through
 * it times a factor; both are known but for whether the row goes that way.  If the player had an edge further up, ratio and
 * factor put the new (one, zero) in the place of the old.  Had the row left the player's way there already, both ends have
 * the factor zero * (1 - x): the product changes by the share alone, and nothing is due.
 */
#include <string.h>

#include "explain.h"

#define MAX_FACTOR_BYTES                                                                           \
    ((size_t)256 << 20) /* of one model; else they are found out anew for each row */

void fc_rule_make(struct fc_explain *x, uint32_t n_points)
{
    struct fc_rule *r = &x->rule[n_points / 4 - 1];

    if (r->n)
        return;
    r->n = n_points;
    fc_gauss(r->n, r->x, r->weight);
    for (size_t q = 0; q < r->n; q++) {
        r->rest[q] = 1 - r->x[q];
        r->due_off[q] = -1 / r->rest[q];
    }
}

/* Of n points each: the ratio when the row goes that way, and when not; what is due then. */
void fc_edge_factors(const struct fc_rule *r, const struct fc_edge *e, double *out)
{
    size_t n = r->n;

    for (size_t q = 0; q < n; q++) {
        double on = r->x[q] + e->zero * r->rest[q], off = e->zero * r->rest[q];
        double due_on = (1 - e->zero) / on, due_off = r->due_off[q], above = 1, due_above = 0;

        if (e->above) {
            above = 1 / (r->x[q] + e->zero_above * r->rest[q]);
            due_above = (1 - e->zero_above) * above;
        }
        out[q] = on * above;
        out[n + q] = off * above;
        out[2 * n + q] = r->weight[q] * (due_on - due_above);
        out[3 * n + q] = r->weight[q] * (due_off - due_above);
    }
}

/* A path from the root down: the player of each level's edge and his zero. */
struct path {
    uint32_t player[FC_MAX_NODE_DEPTH + 2];
    double zero[FC_MAX_NODE_DEPTH + 2];
};

/* Adds the edges below a node.  Returns how many players the longest path has; so_far have edges above. */
static uint32_t add_edges(const struct fc_model *m, struct fc_explain *x, size_t *n, size_t node,
                          uint8_t level, struct path *path, uint32_t so_far)
{
    const struct fc_plan *plan = m->plan;
    const struct fc_node *parent = &plan->node[node];
    uint32_t most = so_far;

    for (size_t k = 0; k < 2 && parent->step[0]; k++) {
        size_t child = node + parent->step[k];
        struct fc_edge *e = &x->edge[(*n)++];
        uint32_t players;

        *e = (struct fc_edge){.node = (uint32_t)child,
                              .player = x->player_of[plan->node_split[node]],
                              .level = (uint8_t)(level + 1),
                              .above = level,
                              .right = k == 1,
                              .leaf = !plan->node[child].step[0],
                              .share = x->share[child]};
        while (e->above && path->player[e->above] != e->player)
            e->above--;
        e->zero_above = e->above ? path->zero[e->above] : 1;
        e->zero = e->share * e->zero_above;
        e->value = e->leaf ? plan->node_leaf[child] : 0;
        path->player[level + 1] = e->player;
        path->zero[level + 1] = e->zero;
        players = add_edges(m, x, n, child, (uint8_t)(level + 1), path, so_far + !e->above);
        most = players > most ? players : most;
    }
    return most;
}

static enum fc_status make_factors(struct fc_model *m, struct fc_explain *x, size_t n_factors,
                                   struct fc_err *err)
{
    if (n_factors > MAX_FACTOR_BYTES / sizeof(double))
        return FC_OK;
    x->factor = fc_arena_get(&m->arena, n_factors, sizeof(*x->factor));
    if (!x->factor)
        return fc_no_memory(err);
    for (size_t t = 0; t < m->plan->n_trees; t++) {
        const struct fc_edges *tree = &x->edges[t];

        for (size_t i = 0; i < tree->n; i++)
            fc_edge_factors(fc_rule_of(x, tree->n_points), &x->edge[tree->first + i],
                            x->factor + tree->factor + 4 * tree->n_points * i);
    }
    return FC_OK;
}

enum fc_status fc_edges_make(struct fc_model *m, struct fc_explain *x, struct fc_err *err)
{
    const struct fc_plan *plan = m->plan;
    size_t n = 0, n_factors = 0;
    struct path path;

    x->edges = fc_arena_get(&m->arena, plan->n_trees, sizeof(*x->edges));
    x->edge = fc_arena_get(&m->arena, plan->n_nodes, sizeof(*x->edge));
    if (!x->edges || !x->edge)
        return fc_no_memory(err);
    for (size_t t = 0; t < plan->n_trees; t++) {
        struct fc_edges *tree = &x->edges[t];
        uint32_t players;

        tree->first = n;
        tree->root = plan->nodes[t].first;
        players = add_edges(m, x, &n, tree->root, 0, &path, 0);
        tree->n = n - tree->first;
        tree->n_points = players ? FC_POINTS(players) : 4;
        tree->factor = n_factors;
        n_factors += 4 * tree->n_points * tree->n;
        fc_rule_make(x, tree->n_points);
        if (tree->n_points > x->most_points)
            x->most_points = tree->n_points;
    }
    return make_factors(m, x, n_factors, err);
}
