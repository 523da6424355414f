/*
 * What a model is inside the library.  The loaders (cbm.c, json.c) fill a fc_source with what the file says;
 * fc_link() checks that it makes sense; fc_plan_make() (plan.h) turns it into what the evaluator runs over.  All of it
 * lives in one arena and never changes afterwards, but for the store of explanations.
 */
#ifndef FC_MODEL_H
#define FC_MODEL_H

#include "arena.h"
#include "fraudcore.h"

#define FC_MAX_BYTES ((size_t)1 << 30)
#define FC_MAX_TREES ((size_t)1 << 20)
#define FC_MAX_FEATURES 65536 /* flat indices are below */
#define FC_MAX_DEPTH 16       /* of a symmetric tree */
#define FC_MAX_NODE_DEPTH 64  /* of a non-symmetric tree */
#define FC_MAX_MEMBERS 256    /* of a projection */
#define FC_NO_LEAF UINT32_C(0xFFFFFFFF)
#define FC_FREE UINT64_MAX /* the hash of a free bucket of a CTR table */

#if defined(__GNUC__)
#define FC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define FC_PRINTF(fmt, args)
#endif

enum fc_ctr_type {
    FC_CTR_BORDERS,
    FC_CTR_BUCKETS,
    FC_CTR_BINARIZED_MEAN,
    FC_CTR_FLOAT_MEAN,
    FC_CTR_COUNTER,
    FC_CTR_FEATURE_FREQ,
    FC_N_CTR_TYPES
};
extern const char *const fc_ctr_type_name[FC_N_CTR_TYPES];

enum fc_nan { FC_NAN_AS_IS, FC_NAN_AS_FALSE, FC_NAN_AS_TRUE };

struct fc_text {
    const char *p; /* a zero byte follows */
    size_t n;
};

struct fc_num { /* a numeric feature */
    int32_t index, flat;
    struct fc_text name;
    float *border;
    uint32_t n_borders, first; /* first: number of its first binary feature */
    bool has_nans;
    int8_t nan; /* enum fc_nan */
};

struct fc_cat { /* a categorical feature */
    int32_t index, flat;
    struct fc_text name;
    bool used;
};

struct fc_one_hot {
    int32_t cat; /* Index as read; fc_link() makes it a position in cat[] */
    int32_t *value;
    uint32_t n_values, first;
};

/* What a CTR looks at.  index is as read; fc_link() makes it a position in num[] or cat[]. */
struct fc_num_split {
    int32_t index;
    float border;
    uint32_t binary; /* the binary feature that asks the same */
};
struct fc_hot_split {
    int32_t index, value;
};
struct fc_projection {
    int32_t *cat;
    struct fc_num_split *num;
    struct fc_hot_split *hot;
    uint32_t n_cats, n_nums, n_hots;
    bool linked;
};

struct fc_ctr { /* a CTR feature */
    uint32_t projection;
    int32_t type, classifier, target_border;
    float prior_num, prior_denom, shift, scale;
    float *border;
    uint32_t n_borders, first;
    const struct fc_ctr_table *table;
};

/* Counts by hash.  Keys are the ones that can be found, each once.  A row is 4 * width bytes of counts. */
struct fc_ctr_table {
    uint32_t projection;
    int32_t type, classifier;
    int32_t denominator;
    uint32_t classes;
    uint32_t width; /* numbers in a row: i32, but the first of a mean is f32 */
    uint64_t *key;
    uint32_t *row;
    size_t n_keys;
    unsigned char *counts;
    size_t n_rows;
};

struct fc_step {
    uint32_t left, right;
};

struct fc_tree {
    int32_t start, size; /* in split[] and, for non-symmetric trees, step[] and node_leaf[] */
    uint32_t first_leaf; /* symmetric trees only */
};

struct fc_meta {
    struct fc_text key, value;
};

/* A binary feature: one yes/no question about a row. */
enum fc_asks { FC_ASKS_NUM, FC_ASKS_HOT, FC_ASKS_CTR };
struct fc_binary {
    uint32_t asks;    /* enum fc_asks */
    uint32_t feature; /* position in num[], hot[] or ctr[] */
    uint32_t at;      /* which border or value */
};

struct fc_source {
    struct fc_num *num;
    struct fc_cat *cat;
    struct fc_one_hot *hot;
    struct fc_ctr *ctr;
    struct fc_ctr_table *table;
    struct fc_projection *projection;
    size_t n_nums, n_cats, n_hots, n_ctrs, n_tables, n_projections;
    struct fc_binary *binary;
    size_t n_binary;
    int32_t *split;
    struct fc_step *step;
    uint32_t *node_leaf;
    size_t n_splits, n_steps, n_node_leaves;
    struct fc_tree *tree;
    size_t n_trees;
    double *leaf, *weight; /* weight: NULL when the model has none */
    size_t n_leaves, n_weights;
    double scale, bias;
    bool symmetric;
    struct fc_meta *meta;
    size_t n_meta;
    size_t n_bytes; /* of the file: what a model may unfold to is measured by it */
};

struct fc_model {
    struct fc_arena arena;
    struct fc_source src;
    struct fc_plan *plan;
    struct fc_info info;
    struct fc_feature *feature; /* by flat index */
    uint32_t *by_name;          /* flat indices of the features that the file lists, by name */
    size_t n_names;
    struct fc_explain *explain; /* NULL without leaf weights */
};

enum fc_status fc_fail(struct fc_err *err, enum fc_status st, const char *fmt, ...) FC_PRINTF(3, 4);
enum fc_status fc_no_memory(struct fc_err *err);
/* Bytes of a file made fit for a message: cut, and what is not printable ASCII as \xNN.  Returns out. */
const char *fc_shown(char *out, size_t size, struct fc_text text);

/* The loaders.  What they allocate and the model keeps is in m->arena; tmp is the caller's to release. */
enum fc_status fc_cbm_read(struct fc_model *m, struct fc_arena *tmp, const void *bytes, size_t n,
                           struct fc_err *err);
enum fc_status fc_json_read(struct fc_model *m, struct fc_arena *tmp, const void *bytes, size_t n,
                            struct fc_err *err);

/* Whether a text is JSON, without any memory; else *at is where it is not (json_check.c). */
bool fc_is_json(const char *text, size_t n, size_t *at);

/* Makes one of equal projections.  s->projection has room for most of them. */
struct fc_interner {
    uint32_t *slot; /* number of the projection + 1, by hash; 0: free */
    size_t mask;
};
enum fc_status fc_interner_init(struct fc_interner *in, struct fc_source *s, struct fc_arena *keep,
                                struct fc_arena *tmp, size_t most);
uint32_t fc_projection_number(struct fc_interner *in, struct fc_source *s,
                              const struct fc_projection *p);

/* Everything that must hold across the parts of a model (catboost-model section 11); fills binary[], features,
 * names, info. */
enum fc_status fc_link(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err);

bool fc_ctr_is_mean(int32_t type);
bool fc_ctr_is_count(int32_t type);

#endif
