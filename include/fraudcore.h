/*
 * libfraudcore: scores rows with CatBoost models, and says why.  Plain C.
 *
 * Loads what CatBoost 1.0 to 1.2 write, .cbm and the JSON form: one output; numeric and categorical features; symmetric
 * and non-symmetric trees; one-hot features; every kind of CTR.  Raw scores equal CatBoost's to the last bit.  Several
 * outputs, text and embedding features are refused by name, damaged and hostile files with the fault that was found.
 * Needs libc, libm and, for the JSON form, cJSON.  Opens no files, reads no clock and no locale, keeps no globals.
 *
 *     struct fc_err err;
 *     struct fc_model *m;
 *     struct fc_scratch *s;
 *     double raw;
 *
 *     if (fc_model_load(&m, bytes, n, &err) != FC_OK)
 *         die(err.text);
 *     s = fc_scratch_new(m, 1);                  // room for one row
 *     fc_put_num(s, 0, fc_model_find(m, "amount", 6), 25.79);
 *     fc_put_cat(s, 0, fc_model_find(m, "cat_id", 6), "grocery_net", 11);
 *     fc_eval(m, s, 1, &raw);                    // log-odds; fc_sigmoid(raw) is the probability
 *     fc_scratch_free(s);
 *     fc_model_free(m);
 *
 * Features are known by their flat index: the place among the columns that the model was trained on, from 0.
 *
 * Threads: a model never changes once it is loaded, and any number of threads may use it at once; a scratch belongs to one
 * thread at a time.  Pointers that a model gives out are valid until fc_model_free.
 *
 * Speed: rows are scored in blocks, so give fc_eval as many as there are (some hundreds are enough); scoring and putting
 * allocate nothing.  One row by itself is fast, too.  bench/ measures both.
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
    FC_EMISSING      /* what was asked for is not there (leaf weights for explanations, a row) */
};

/* One line of text, zero-terminated, printable ASCII (names from the file are escaped).  Written only on failure.  Every
 * err argument may be NULL. */
struct fc_err {
    char text[256];
};

/* ---- the model ------------------------------------------------------------------------------------ */

struct fc_model;

enum fc_kind { FC_NUMERIC, FC_CATEGORICAL };

/* A column of the training data, in its order. */
struct fc_feature {
    /* Zero-terminated; bytes as in the file, which may hold zeros and no UTF-8.  Without a name: the flat index in
     * decimal. */
    const char *name;
    size_t name_n;
    enum fc_kind kind;
    /* The model asks of it (it has a border, or a one-hot or CTR feature): a row must have it. */
    bool used;
};

struct fc_info {
    size_t n_features; /* flat features, those that training ignored included */
    size_t n_trees, n_leaves;
    size_t n_binary; /* yes/no questions that trees can ask: all borders and one-hot values */
    size_t n_ctr_features, n_ctr_tables;
    bool symmetric;
    bool has_names;      /* a feature has a name other than its flat index; else go by position */
    bool has_weights;    /* leaf weights are there: explanations and importance can be had */
    bool is_probability; /* the loss is Logloss or CrossEntropy: fc_sigmoid(raw) is a probability */
    double scale, bias;  /* raw = scale * (sum of the leaf values) + bias */
};

/*
 * Loads a model from memory, .cbm or JSON (told apart by the first bytes); the bytes are not needed afterwards.
 * *out is the caller's, to be released by fc_model_free; NULL unless FC_OK.
 * At most 1 GiB (JSON: 256 MiB), 2^20 trees, flat indices below 65536, depth 16 (non-symmetric: 64).  What a file may unfold
 * to, in memory and time, is bounded by its size.
 */
FC_API enum fc_status fc_model_load(struct fc_model **out, const void *bytes, size_t n,
                                    struct fc_err *err);
FC_API void fc_model_free(struct fc_model *m); /* NULL is fine; its scratches must be gone before */
FC_API const struct fc_info *fc_model_info(const struct fc_model *m);
/* The feature of a flat index; NULL from n_features on. */
FC_API const struct fc_feature *fc_model_feature(const struct fc_model *m, size_t i);
/* The flat index of the feature whose name is these n bytes; -1 when there is none. */
FC_API long fc_model_find(const struct fc_model *m, const char *name, size_t n);
/* Metadata by key ("params", "class_params", "binclass_probability_threshold", "model_guid", ...): n bytes and a zero
 * byte after them; NULL when absent.  n may be NULL. */
FC_API const char *fc_model_meta(const struct fc_model *m, const char *key, size_t *n);
/* The i-th pair of the metadata, from 0, in no particular order; false past the end. */
FC_API bool fc_model_meta_at(const struct fc_model *m, size_t i, const char **key, size_t *key_n,
                             const char **value, size_t *value_n);

/* ---- scoring -------------------------------------------------------------------------------------- */

/* Rows are put into a scratch by (row, flat feature), then evaluated together. */
struct fc_scratch;
#define FC_MAX_ROWS 4096 /* rows in one scratch */

/* Room for max_rows rows (1 to FC_MAX_ROWS; other numbers become the nearest of these), the caller's to release.  NULL: no
 * memory.  About 4 bytes for each used feature and row; m must outlive it.
 * In a new scratch every value is missing; fc_eval leaves values as they are, so only what changes must be put. */
FC_API struct fc_scratch *fc_scratch_new(const struct fc_model *m, size_t max_rows);
FC_API void fc_scratch_free(struct fc_scratch *s); /* NULL is fine */

/* Puts ignore rows and features that do not exist, features that the model does not use, and those of the other kind. */

/* A number: rounded to float, as CatBoost does.  NaN is a missing value, and acts as the model's training had it. */
FC_API void fc_put_num(struct fc_scratch *s, size_t row, size_t feature, double value);
/* A category: any n bytes, hashed as they stand.  CatBoost hashes integers as decimal text, booleans as 1 and 0; a missing
 * category is the empty text. */
FC_API void fc_put_cat(struct fc_scratch *s, size_t row, size_t feature, const char *text,
                       size_t n);
/* The same by its fc_cat_hash, for callers that keep hashes. */
FC_API void fc_put_cat_hash(struct fc_scratch *s, size_t row, size_t feature, int32_t hash);
FC_API int32_t fc_cat_hash(const char *text, size_t n);
FC_API uint64_t fc_city_hash64(const char *text, size_t n); /* CityHash64 1.0 */

/*
 * Evaluates rows 0 .. n_rows-1 (no more than the scratch has): raw[i] has scale and bias applied, before any sigmoid.
 * Cannot fail.  The result is the same to the last bit whatever the number of rows, their order, the thread or the
 * processor.  m is the model that s was made for.
 */
FC_API void fc_eval(const struct fc_model *m, struct fc_scratch *s, size_t n_rows, double *raw);
FC_API double fc_sigmoid(double raw); /* 1 / (1 + exp(-raw)), by libm's exp */

/* Which code evaluates is chosen by the processor: "avx512vbmi", "avx512", "avx2" or "portable".  Their results are the
 * same; one can be named to see that, or to measure them.  NULL is the best one; false: there is no such code for this
 * processor. */
FC_API bool fc_scratch_use(struct fc_scratch *s, const char *path);
FC_API const char *fc_scratch_path(const struct fc_scratch *s);

/* ---- explanations --------------------------------------------------------------------------------- */

/*
 * SHAP values of one row of the scratch, as it was put (fc_eval need not have run): values[f] for each flat feature f,
 * n_features of them, and *base, in the unit of raw; base + sum equals raw to 1e-9 relative.  They are CatBoost's own where
 * those sum up; for leaves that CatBoost folds into their parents, leaves of no weight and scales other than 1 they follow
 * the same definition.
 * FC_EMISSING without leaf weights or where the scratch has no such row, FC_ENOMEM at the first call of a scratch.
 * What is found out about leaves of symmetric trees is remembered in the model (at most 256 MiB, shared by all threads,
 * without locks), so that the first rows take longer; non-symmetric trees are gone through anew for each row.
 */
FC_API enum fc_status fc_shap(const struct fc_model *m, struct fc_scratch *s, size_t row,
                              double *values, double *base, struct fc_err *err);
/* CatBoost's PredictionValuesChange: percent by flat feature, n_features of them, summing to 100; all 0 when no split
 * makes a difference.  FC_EMISSING without leaf weights, FC_ENOMEM. */
FC_API enum fc_status fc_importance(const struct fc_model *m, double *percent, struct fc_err *err);

#ifdef __cplusplus
}
#endif
#endif
