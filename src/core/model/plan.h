/*
 * What the evaluator runs over.  Rows are scored in blocks of FC_LANES.  For a block every question that some tree
 * asks is answered in "columns": one byte for each row.  A test reads such a byte: the answer is yes when
 * (byte & mask) >= least.
 *
 *   numeric column    how many of (up to 255) borders of a feature the value exceeds
 *   one-hot column    1 when the category is that value
 *   CTR column        bit fields, each the number of borders that one CTR feature exceeds
 *
 * A CTR value depends on the row of its table alone, so that these bit fields are computed for every row of every
 * table when the model is loaded; scoring looks them up by the hash of the projection, once for all CTR features of
 * that projection.
 */
#ifndef FC_PLAN_H
#define FC_PLAN_H

#include "model.h"

#define FC_LANES 64
#define FC_MAX_COLUMNS ((size_t)1 << 20)
#define FC_COMBINE                                                                                 \
    UINT64_C(0x4906BA494954CB65) /* hashes of a projection's members are combined with it */

struct fc_test {
    uint32_t column;
    uint8_t mask, least;
};

struct fc_num_column {
    uint32_t slot, n;
    const float *border;
};

struct fc_hot_column {
    uint32_t column, slot;
    int32_t value;
};

/* hash = sum of factor * category hash, and of factor for each test answered yes */
struct fc_cat_member {
    uint32_t slot;
    uint64_t factor;
};
struct fc_test_member {
    struct fc_test test;
    uint64_t factor;
};

/* How a projection is answered: what its hash is made of, and the table (cuckoo.c). */
struct fc_lookup {
    const struct fc_cat_member *cat;
    const struct fc_test_member *test;
    uint32_t n_cats, n_tests;
    uint32_t column, n_bytes; /* columns that it fills */
    unsigned bits;            /* 2^bits places */
    uint64_t *entry;
    uint64_t none;               /* number of the answer for a hash that is not there */
    const unsigned char *answer; /* by number, n_bytes each; one byte is its own number */
};

/* The place that a hash's first bits name; and the hash turned so that its next ones come first. */
static inline uint64_t fc_place(uint64_t hash, unsigned bits)
{
    return hash >> (64 - bits);
}

static inline uint64_t fc_other(uint64_t hash, unsigned bits)
{
    return hash << bits | hash >> (64 - bits);
}

/* Makes the table of n different hashes, ascending; rows[i] are the n_bytes of hash i, rows[n] those of all others.
 * FC_EFORMAT: the hashes collide as those of no training do. */
enum fc_status fc_table_make(struct fc_lookup *l, struct fc_arena *keep, const uint64_t *hash,
                             size_t n, const unsigned char *rows);
/* Position of a hash among n ascending ones, or n. */
size_t fc_find_hash(const uint64_t *hash, size_t n, uint64_t wanted);

/* For kernel_vbmi.c: a test whose bytes are repeated four times. */
#define FC_WIDE_DEPTH 6 /* 2^6 leaves */
struct fc_wide_test {
    uint32_t column;
    int32_t mask, least;
};

struct fc_plan_tree {
    uint32_t depth;
    const struct fc_test *test;
    const double *leaf;
};

/* A node of a non-symmetric tree.  Leaves lead to themselves. */
struct fc_node {
    struct fc_test test;
    uint32_t step[2]; /* added to the node's place; 0 at a leaf */
};

struct fc_plan_nodes {
    uint32_t first; /* root in node[] */
    uint32_t first_split, n_splits, first_end;
    bool whole; /* its ends are leaves, all of them */
};

/*
 * A non-symmetric tree, or the top of one of many leaves, is asked for a block of rows at once; it ends in leaves, or in
 * nodes from which rows walk on one by one.  Ends are numbered from left to right: a row's is the sum of n_left over
 * the nodes of its way that are answered yes.  Which rows come by a node is kept in places: those that go left in the
 * next one, those that go right in its own, which is free once all that lies to the left has been asked.
 */
#define FC_WHOLE_ENDS 192 /* trees of more leaves have a top, */
#define FC_TOP_ENDS 64    /* of so many ends: from there on walking costs less than asking all */
struct fc_split {
    struct fc_test test;
    uint8_t place, n_left; /* ends to the left */
};

enum { FC_SLOT_NONE, FC_SLOT_NUM, FC_SLOT_CAT };
struct fc_input { /* by flat feature: where its value goes */
    uint32_t kind, slot;
    float nan; /* what NaN becomes */
};

struct fc_plan {
    struct fc_input *input;
    uint32_t n_slots; /* 4-byte values a row */
    struct fc_num_column *num;
    struct fc_hot_column *hot;
    struct fc_lookup *lookup;
    size_t n_nums, n_hots, n_lookups, n_columns;
    struct fc_test *binary; /* by binary feature; mask 0 when no tree asks it */
    struct fc_plan_tree *tree;
    struct fc_wide_test *wide_test; /* FC_WIDE_DEPTH a tree; NULL when some tree is deeper */
    unsigned char *wide_leaf;       /* by tree: 8 planes of FC_LANES bytes, by leaf */
    struct fc_plan_nodes *nodes;
    struct fc_node *node;
    double *node_leaf;      /* by node */
    uint32_t *node_leaf_id; /* by node: place of the leaf in the model */
    int32_t *node_split;    /* by node: the binary feature that it asks */
    struct fc_split *split; /* by tree: those to the left before those to the right */
    uint32_t *end;          /* by tree: nodes, from left to right */
    double *end_leaf;       /* their leaf values */
    size_t n_trees, n_nodes;
    bool symmetric;
    double scale, bias;
};

enum fc_status fc_plan_make(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err);
/* The CTR part of it (plan_ctr.c): gives columns and tests to the CTR features that used[] (by binary feature) names. */
struct fc_planner {
    struct fc_model *m;
    struct fc_source *s;
    struct fc_plan *plan;
    struct fc_arena *tmp;
    bool *used;
    struct fc_err *err;
};
enum fc_status fc_plan_ctrs(struct fc_planner *p);
uint32_t fc_plan_slot(struct fc_planner *p, int32_t flat, uint32_t kind);

#endif
