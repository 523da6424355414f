/*
 * Loads bytes as a model and, when they are taken, uses everything: scores a few rows alone and in a block, explains
 * them, asks for importance, features and metadata.  For fuzz targets and tests of hostile files.
 */
#ifndef FT_CORE_TRY_H
#define FT_CORE_TRY_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudcore.h"

#define CORE_TRY_ROWS 12

static inline void core_try_rows(const struct fc_model *m, struct fc_scratch *s, size_t n_features)
{
    static const double numbers[] = {0, -1.5, 25.79, 1e30, -1e300, (double)NAN, (double)INFINITY};
    static const char *const texts[] = {"", "a", "grocery_net", "misc_pos 2", "1"};

    for (size_t f = 0; f < n_features; f++)
        for (size_t r = 0; fc_model_feature(m, f)->used && r < CORE_TRY_ROWS; r++) {
            const char *text = texts[(r + f) % 5];

            fc_put_num(s, r, f, numbers[(r * 3 + f) % 7]);
            fc_put_cat(s, r, f, text, strlen(text));
        }
}

static inline enum fc_status core_try(const void *bytes, size_t n)
{
    struct fc_err err = {""};
    struct fc_model *m;
    struct fc_scratch *s;
    enum fc_status st = fc_model_load(&m, bytes, n, &err);
    double raw[CORE_TRY_ROWS], alone, base, *value;
    size_t n_features, key_n, value_n;
    const char *key, *text;

    if (st != FC_OK) {
        if (m || !err.text[0])
            abort();
        return st;
    }
    n_features = fc_model_info(m)->n_features;
    s = fc_scratch_new(m, CORE_TRY_ROWS);
    value = calloc(n_features + 1, sizeof(*value));
    if (!s || !value) {
        st = FC_ENOMEM;
        goto out;
    }
    core_try_rows(m, s, n_features);
    fc_eval(m, s, CORE_TRY_ROWS, raw);
    fc_eval(m, s, 1, &alone);
    if (memcmp(&alone, &raw[0], sizeof(alone)) != 0 && !(isnan(alone) && isnan(raw[0])))
        abort();
    st = fc_importance(m, value, &err);
    for (size_t r = 0; r < 3 && (st == FC_OK || st == FC_EMISSING); r++)
        st = fc_shap(m, s, r, value, &base, &err);
    if (st == FC_EMISSING)
        st = FC_OK;
    for (size_t i = 0; fc_model_meta_at(m, i, &key, &key_n, &text, &value_n); i++)
        if (key[key_n] || text[value_n])
            abort();
    for (size_t f = 0; f <= n_features; f++) {
        const struct fc_feature *feature = fc_model_feature(m, f);

        if (feature && feature->used && fc_model_find(m, feature->name, feature->name_n) != (long)f)
            abort();
    }
out:
    free(value);
    fc_scratch_free(s);
    fc_model_free(m);
    return st;
}

#endif
