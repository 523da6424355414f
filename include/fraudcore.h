/*
 * libfraudcore: scores rows with CatBoost models, in plain C.
 *
 * Loads what CatBoost 1.0 to 1.2 write (.cbm, and the JSON form): one output, numeric and categorical features,
 * symmetric and non-symmetric trees, one-hot features, every kind of CTR.  Raw scores equal CatBoost's.
 * Needs libc, libm and, for the JSON form, cJSON.  No files, no clock, no globals, no locale.
 *
 *     struct fc_err err;
 *     struct fc_model *m;
 *     if (fc_model_load(&m, bytes, n, &err) != FC_OK) ...
 *     struct fc_scratch *s = fc_scratch_new(m);
 *     fc_put_num(s, 0, j, 25.79); fc_put_cat(s, 0, j, "grocery_net", 11); ...
 *     fc_eval(m, s, 1, &raw);
 *
 * A model is immutable once loaded and may be used by any number of threads; a scratch belongs to one thread.
 */
#ifndef FRAUDCORE_H
#define FRAUDCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FC_API __attribute__((visibility("default")))
#else
#define FC_API
#endif

enum fc_status {
    FC_OK,
    FC_ENOMEM,       /* no memory */
    FC_EFORMAT,      /* the file is damaged or hostile: err says what and where */
    FC_EUNSUPPORTED, /* a valid model of a kind that this library does not score: err names it */
    FC_EMISSING      /* what was asked for is not in the model (leaf weights for SHAP) */
};

struct fc_err {
    char text[256];
};

/* ---- the model ------------------------------------------------------------------------------------ */

struct fc_model;

enum fc_kind { FC_NUMERIC, FC_CATEGORICAL };

/* A column of the training data, in its order. */
struct fc_feature {
    const char *
        name; /* zero-terminated, bytes as in the file; decimal flat index when the model has no name */
    size_t name_n;
    enum fc_kind kind;
    bool
        used; /* the model asks of it (it has a border, or a one-hot or CTR feature): a row must have it */
};

struct fc_info {
    size_t n_features; /* flat features, those that training ignored included */
    size_t n_trees, n_leaves, n_binary, n_ctr_features, n_ctr_tables;
    bool symmetric;
    bool
        has_names; /* some feature has a name other than its decimal flat index: else go by position */
    bool has_weights;    /* leaf weights are there: SHAP and importance can be had */
    bool is_probability; /* the loss is Logloss or CrossEntropy: sigmoid(raw) is a probability */
    double scale, bias;
};

/* Loads a model from memory, .cbm or JSON (told apart by its first bytes); the bytes are not needed
 * afterwards.  *out is NULL unless FC_OK. */
FC_API enum fc_status fc_model_load(struct fc_model **out, const void *bytes, size_t n,
                                    struct fc_err *err);
FC_API void fc_model_free(struct fc_model *m);
FC_API const struct fc_info *fc_model_info(const struct fc_model *m);
FC_API const struct fc_feature *fc_model_feature(const struct fc_model *m,
                                                 size_t i); /* by flat index; NULL past the end */
FC_API long fc_model_find(const struct fc_model *m, const char *name,
                          size_t n); /* flat index or -1 */
/* Metadata by key ("params", "class_params", "binclass_probability_threshold", ...); NULL when absent. */
FC_API const char *fc_model_meta(const struct fc_model *m, const char *key, size_t *n);
FC_API bool fc_model_meta_at(const struct fc_model *m, size_t i, const char **key, size_t *key_n,
                             const char **value, size_t *value_n);

/* ---- scoring -------------------------------------------------------------------------------------- */

/* Rows are put into a scratch by (row, flat feature), then evaluated together. */
struct fc_scratch;
#define FC_MAX_ROWS 4096 /* rows in one scratch */

FC_API struct fc_scratch *fc_scratch_new(const struct fc_model *m,
                                         size_t max_rows); /* NULL: no memory */
FC_API void fc_scratch_free(struct fc_scratch *s);
/* A number for a numeric feature (rounded to float, as CatBoost does; NaN is a missing value).  Features that
 * are not used, or of the other kind, are ignored. */
FC_API void fc_put_num(struct fc_scratch *s, size_t row, size_t feature, double value);
/* The text of a categorical feature, any bytes. */
FC_API void fc_put_cat(struct fc_scratch *s, size_t row, size_t feature, const char *text,
                       size_t n);
/* The same by its hash, for callers that keep hashes. */
FC_API void fc_put_cat_hash(struct fc_scratch *s, size_t row, size_t feature, int32_t hash);
FC_API int32_t fc_cat_hash(const char *text, size_t n);
FC_API uint64_t fc_city_hash64(const char *text, size_t n); /* CityHash64 1.0 */

/* Evaluates rows 0 .. n_rows-1: raw[i] has scale and bias applied, before any sigmoid.  Cannot fail.  The result
 * is the same to the last bit whatever the number of rows, their order, the thread or the processor. */
FC_API void fc_eval(const struct fc_model *m, struct fc_scratch *s, size_t n_rows, double *raw);
FC_API double fc_sigmoid(double raw); /* 1 / (1 + exp(-raw)) */

/* Which code evaluates is chosen by the processor: "avx512", "avx2" or "portable".  Their results are the same; one can
 * be named to see that, or to measure them.  NULL is the best one; false: there is no such code for this processor. */
FC_API bool fc_scratch_use(struct fc_scratch *s, const char *path);
FC_API const char *fc_scratch_path(const struct fc_scratch *s);

/* ---- explanations --------------------------------------------------------------------------------- */

/* SHAP values of one row of the scratch (which fc_eval must have evaluated): values[f] for each flat feature f,
 * n_features of them, and *base; base + sum equals raw to 1e-9 relative.  FC_EMISSING without leaf weights.
 * What the call needs besides (tables by leaf) is computed at first use per model, under a lock. */
FC_API enum fc_status fc_shap(const struct fc_model *m, struct fc_scratch *s, size_t row,
                              double *values, double *base, struct fc_err *err);
/* CatBoost's PredictionValuesChange: percent by flat feature, n_features of them, summing to 100; all 0 when no tree
 * has a split.  FC_EMISSING without leaf weights. */
FC_API enum fc_status fc_importance(const struct fc_model *m, double *percent, struct fc_err *err);

#ifdef __cplusplus
}
#endif
#endif
