/*
 * What explanations need besides the plan: who gets the credit for a split, and the weight of every node.
 */
#ifndef FC_EXPLAIN_H
#define FC_EXPLAIN_H

#include <stdatomic.h>

#include "plan.h"

#define FC_MAX_POINTS                                                                              \
    33 /* of a quadrature: half of the longest path, FC_MAX_NODE_DEPTH + 1 tests */

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
    double base; /* expected value: scale and bias applied */
};

/* Needs the plan.  m->explain stays NULL for a model without leaf weights. */
enum fc_status fc_explain_make(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err);
void fc_explain_free(struct fc_model *m);

/* Gauss-Legendre on 0 .. 1: exact for polynomials up to degree 2 n - 1. */
void fc_gauss(size_t n, double *x, double *weight);

#endif
