/*
 * What explanations need besides the plan: who gets the credit for a split, and the weight of every node.
 */
#ifndef FC_EXPLAIN_H
#define FC_EXPLAIN_H

#include <stdatomic.h>

#include "plan.h"

/* Gauss-Legendre on 0 .. 1 for paths of so many players: half as many points, in fours, so that loops vectorise and few
 * rules are enough. */
#define FC_POINTS(players) (((players) + 7) / 8 * 4)
#define FC_MAX_POINTS FC_POINTS(FC_MAX_NODE_DEPTH)
struct fc_rule {
    size_t n;                                     /* 0: not asked for */
    double x[FC_MAX_POINTS], rest[FC_MAX_POINTS]; /* rest = 1 - x */
    double weight[FC_MAX_POINTS], due_off[FC_MAX_POINTS];
};

/* Splits whose credit goes to the same list of features are one player of the game (catboost-model, section 9.1). */
struct fc_player {
    const uint32_t *flat;
    uint32_t n;
};

/* SHAP values of the leaves of a symmetric tree, filled in as rows fall into them. */
struct fc_leaf_store {
    double *value;          /* n_players of the tree for each leaf */
    _Atomic uint8_t *state; /* by leaf */
};

/* An edge of a non-symmetric tree: what does not depend on the row.  A tree's edges stand in the order of a walk that goes
 * down left first. */
struct fc_edge {
    uint32_t node, player; /* node: the one it leads to */
    uint8_t level;         /* of that node; the root's is 0 */
    uint8_t above; /* level of the last edge of the same player further up; 0: there is none */
    bool right, leaf;
    double share, zero,
        zero_above; /* zero: the product of the shares of the player's edges down to here */
    double value;   /* of a leaf */
};

struct fc_edges { /* of a tree */
    size_t first, n;
    uint32_t root, n_points;
    size_t factor; /* where its factors begin */
};

struct fc_explain {
    struct fc_player *player;
    size_t n_players;
    uint32_t *player_of; /* by binary feature */
    double *weight;      /* non-symmetric: of each node of the plan */
    /* A node's share in its parent's weight; halves where nothing was ever seen.  By node of the plan; symmetric trees as
     * heaps (root 1, children 2 i and 2 i + 1), at 2 * first leaf. */
    double *share;
    uint32_t *tree_player; /* symmetric: FC_MAX_DEPTH a tree, its different players */
    uint8_t *local;        /* symmetric: FC_MAX_DEPTH a tree, by split: which of them */
    uint8_t *n_local;      /* symmetric, by tree */
    _Atomic(struct fc_leaf_store *) *store; /* symmetric, by tree */
    _Atomic size_t stored_bytes;
    struct fc_edges *edges; /* non-symmetric, by tree */
    struct fc_edge *edge;
    double *factor; /* 4 * n_points an edge, see shap_nodes.c; NULL when that were too many */
    uint32_t most_points;
    struct fc_rule rule[FC_MAX_POINTS / 4]; /* for 4, 8, ... points */
    double base;                            /* expected value: scale and bias applied */
};

/* Needs the plan.  m->explain stays NULL for a model without leaf weights. */
enum fc_status fc_explain_make(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err);
void fc_explain_free(struct fc_model *m);

/* The rule for paths of so many players (symmetric trees: FC_MAX_DEPTH); made at load. */
static inline const struct fc_rule *fc_rule_of(const struct fc_explain *x, uint32_t n_points)
{
    return &x->rule[n_points / 4 - 1];
}
void fc_rule_make(struct fc_explain *x, uint32_t n_points);

/* shap_nodes.c.  Edges and factors of non-symmetric trees. */
enum fc_status fc_edges_make(struct fc_model *m, struct fc_explain *x, struct fc_err *err);
void fc_edge_factors(const struct fc_rule *rule, const struct fc_edge *e, double *out);

/* What a walk through a tree remembers, by level. */
struct fc_walk {
    double product[FC_MAX_NODE_DEPTH + 2][FC_MAX_POINTS];
    double sum[FC_MAX_NODE_DEPTH + 2][FC_MAX_POINTS];
    const double *due[FC_MAX_NODE_DEPTH + 2]; /* NULL: nothing */
    uint32_t player[FC_MAX_NODE_DEPTH + 2];
    bool on[FC_MAX_NODE_DEPTH + 2]; /* the row goes all edges of the player down to here */
    bool go[FC_MAX_NODE_DEPTH + 2]; /* its answer to the node's test */
    double own[FC_MAX_NODE_DEPTH + 2][4 * FC_MAX_POINTS]; /* factors that the model does not keep */
};

/* Gauss-Legendre on 0 .. 1: exact for polynomials up to degree 2 n - 1. */
void fc_gauss(size_t n, double *x, double *weight);

#endif
