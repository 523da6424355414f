/*
 * A stored verdict's features, scored again with one value changed.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scorer.h"

struct whatif {
    const struct ft_scorer *s;
    struct ft_value *value[FT_MAX_STAGES];
    /* The change: a column as it was read, or NULL; a feature's value. */
    const char *name;
    struct ft_span text;
    size_t column; /* FT_MAX_COLUMNS: name is no column */
    struct ft_read read;
    char canon[FT_CANON_MAX + 2];
    double amount_was, amount_is; /* NaN unless the amount is what changes */
    bool used;
};

/* ---- what was stored ------------------------------------------------------------------------------ */

static bool read_value(const cJSON *v, bool category, struct ft_value *out)
{
    double num = v->valuedouble;

    if (category) {
        if (!cJSON_IsString(v))
            return false;
        *out = (struct ft_value){.num = (double)NAN,
                                 .p = v->valuestring,
                                 .n = (uint32_t)strlen(v->valuestring),
                                 .kind = FT_VALUE_TEXT};
        return true;
    }
    if (cJSON_IsString(v) ? !ft_parse_double(ft_span_of(v->valuestring), &num) : !cJSON_IsNumber(v))
        return false;
    *out = (struct ft_value){.num = num, .p = "", .kind = FT_VALUE_NUMBER};
    return true;
}

static enum ft_status read_stored(struct whatif *w, const cJSON *tree, struct ft_err *err)
{
    for (size_t g = 0; g < w->s->n_stages; g++) {
        const struct ft_stage *stage = &w->s->stage[g];
        const cJSON *o = cJSON_GetObjectItemCaseSensitive(tree, stage->name);

        w->value[g] = calloc(stage->n_features + 1, sizeof(*w->value[g]));
        if (!w->value[g])
            return ft_fail(err, FT_ENOMEM, "no memory for the features");
        for (size_t f = 0; f < stage->n_features; f++) {
            const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, stage->feature[f].name);

            if (!v || !read_value(v, stage->feature[f].category, &w->value[g][f]))
                return ft_fail(err, FT_EINPUT,
                               "the stored features are not of this model: \"%.60s\" of stage "
                               "\"%.40s\" is missing or of another kind",
                               stage->feature[f].name, stage->name);
        }
    }
    return FT_OK;
}

/* ---- the change ----------------------------------------------------------------------------------- */

static bool is_made_of(const struct ft_feature *f, size_t column)
{
    return f->make < FT_MAKE_STAGE && f->n_from == 1 && f->from[0] == column;
}

/* The amount that was scored: of a feature that is it, or its logarithm. */
static double find_amount(const struct whatif *w)
{
    for (size_t g = 0; g < w->s->n_stages; g++)
        for (size_t f = 0; f < w->s->stage[g].n_features; f++) {
            const struct ft_feature *feature = &w->s->stage[g].feature[f];

            if (is_made_of(feature, w->column) && feature->make == FT_MAKE_COPY)
                return w->value[g][f].num;
            if (is_made_of(feature, w->column) && feature->make == FT_MAKE_LOG1P)
                return expm1(w->value[g][f].num);
        }
    return (double)NAN;
}

static enum ft_status read_change(struct whatif *w, struct ft_err *err)
{
    struct ft_cell cell = {w->text.p, (uint32_t)w->text.n, FT_CELL_TEXT};
    char reason[FT_REASON_MAX];

    w->column = FT_MAX_COLUMNS;
    w->amount_was = w->amount_is = (double)NAN;
    if (!w->name)
        return FT_OK;
    for (size_t c = 0; c < w->s->n_columns; c++)
        if (strcmp(w->s->column[c].name, w->name) == 0)
            w->column = c;
    if (w->column == FT_MAX_COLUMNS)
        return FT_OK;
    if (!ft_column_read(&w->s->column[w->column], &cell, w->canon, &w->read, reason))
        return ft_fail(err, FT_EINPUT, "%s", reason);
    if (w->s->column[w->column].col == FT_COL_AMOUNT) {
        w->amount_was = find_amount(w);
        w->amount_is = w->read.num;
    }
    return FT_OK;
}

static double life_value(const struct whatif *w, size_t stage, enum ft_take take)
{
    const struct ft_stage *g = &w->s->stage[stage];

    for (size_t f = 0; f < g->n_features; f++)
        if (g->feature[f].make == FT_MAKE_STATE && g->feature[f].over == FT_OVER_LIFE &&
            g->feature[f].take == take)
            return w->value[stage][f].num;
    return (double)NAN;
}

/* Comparisons of the amount follow it; NaN: this one does not depend on it, or what it depends on is not stored. */
static double follow_amount(const struct whatif *w, size_t stage, const struct ft_feature *f,
                            double was)
{
    double mean, std;

    if (f->make != FT_MAKE_STATE || isnan(w->amount_is) || isnan(w->amount_was))
        return (double)NAN;
    if (f->take == FT_TAKE_LOG_RATIO_MEAN || f->take == FT_TAKE_LOG_RATIO_MAX)
        return was + (log1p(w->amount_is) - log1p(w->amount_was));
    if (f->take != FT_TAKE_DEVIATION)
        return (double)NAN;
    mean = life_value(w, stage, FT_TAKE_MEAN);
    std = life_value(w, stage, FT_TAKE_STD);
    if (isnan(mean)) /* the logarithms' difference tells it as well */
        mean = expm1(log1p(w->amount_was) - life_value(w, stage, FT_TAKE_LOG_RATIO_MEAN));
    if (isnan(std) && was != 0)
        std = (w->amount_was - mean) / was - 1;
    return (w->amount_is - mean) / (std + 1);
}

static enum ft_status set_value(struct whatif *w, const struct ft_feature *f, struct ft_value *v,
                                struct ft_err *err)
{
    double num;

    if (f->category) {
        *v = (struct ft_value){
            .num = (double)NAN, .p = w->text.p, .n = (uint32_t)w->text.n, .kind = FT_VALUE_TEXT};
        return FT_OK;
    }
    if (!ft_parse_double(w->text, &num))
        return ft_fail(err, FT_EINPUT, "%.60s: \"%.*s\" is not a number", f->name,
                       (int)(w->text.n < 40 ? w->text.n : 40), w->text.p);
    v->num = num;
    return FT_OK;
}

/* deviation looks at its neighbours, so all values of a stage are made before any is set. */
static enum ft_status change_stage(struct whatif *w, size_t stage, struct ft_err *err)
{
    const struct ft_stage *g = &w->s->stage[stage];
    struct ft_value *fresh = calloc(g->n_features + 1, sizeof(*fresh));
    struct ft_read *read = calloc(w->s->n_columns, sizeof(*read));
    enum ft_status st = fresh && read ? FT_OK : ft_fail(err, FT_ENOMEM, "no memory");

    if (st == FT_OK && w->column < FT_MAX_COLUMNS)
        read[w->column] = w->read;
    for (size_t f = 0; f < g->n_features && st == FT_OK; f++) {
        const struct ft_feature *feature = &g->feature[f];
        double followed = follow_amount(w, stage, feature, w->value[stage][f].num);

        fresh[f] = w->value[stage][f];
        if (w->column < FT_MAX_COLUMNS && is_made_of(feature, w->column))
            ft_feature_make(feature, read, &fresh[f]);
        else if (w->name && strcmp(w->name, feature->name) == 0 && feature->make != FT_MAKE_STAGE)
            st = set_value(w, feature, &fresh[f], err);
        else if (!isnan(followed))
            fresh[f].num = followed;
        else
            continue;
        w->used = true;
    }
    if (st == FT_OK)
        memcpy(w->value[stage], fresh, g->n_features * sizeof(*fresh));
    free(read);
    free(fresh);
    return st;
}

/* ---- scoring -------------------------------------------------------------------------------------- */

/* The last stage's contributions, by feature of the manifest, and its base value. */
static enum ft_status explain(const struct ft_stage *g, struct fc_scratch *x, double *contribution,
                              double *base, struct ft_err *err)
{
    double *shap = calloc(fc_model_info(g->model)->n_features + 1, sizeof(*shap));
    struct fc_err fe = {""};
    enum fc_status fs;

    if (!shap)
        return ft_fail(err, FT_ENOMEM, "no memory for the contributions");
    fs = fc_shap(g->model, x, 0, shap, base, &fe);
    for (size_t f = 0; f < g->n_features && fs == FC_OK; f++)
        contribution[f] = shap[g->feature[f].flat];
    free(shap);
    return fs == FC_OK ? FT_OK
                       : ft_fail(err, fs == FC_ENOMEM ? FT_ENOMEM : FT_EINPUT, "%s", fe.text);
}

/* contribution NULL: only the value is wanted. */
static enum ft_status evaluate(const struct whatif *w, double *raw, double *contribution,
                               double *base, struct ft_err *err)
{
    double stage_raw[FT_MAX_STAGES];
    enum ft_status st = FT_OK;

    for (size_t g = 0; g < w->s->n_stages; g++) {
        const struct ft_stage *stage = &w->s->stage[g];
        struct fc_scratch *x = stage->model ? fc_scratch_new(stage->model, 1) : NULL;

        if (!stage->model)
            return ft_fail(err, FT_EINPUT, "stage \"%s\" has no model", stage->name);
        if (!x)
            return ft_fail(err, FT_ENOMEM, "no memory to score");
        for (size_t f = 0; f < stage->n_features; f++) {
            struct ft_value *v = &w->value[g][f];

            if (stage->feature[f].make == FT_MAKE_STAGE)
                v->num = stage_raw[stage->feature[f].stage];
            ft_value_put(w->s, x, 0, stage->feature[f].flat, v);
        }
        fc_eval(stage->model, x, 1, &stage_raw[g]);
        if (contribution && g + 1 == w->s->n_stages)
            st = explain(stage, x, contribution, base, err);
        fc_scratch_free(x);
    }
    *raw = stage_raw[w->s->n_stages - 1];
    return st;
}

static void forget(struct whatif *w)
{
    for (size_t g = 0; g < FT_MAX_STAGES; g++)
        free(w->value[g]);
}

enum ft_status ft_score_why(const struct ft_scorer *s, struct ft_span features_json, double *raw,
                            double *base, double *contribution, struct ft_err *err)
{
    struct whatif w = {.s = s};
    cJSON *tree = cJSON_ParseWithLength(features_json.p, features_json.n);
    enum ft_status st = cJSON_IsObject(tree)
                            ? read_stored(&w, tree, err)
                            : ft_fail(err, FT_EINPUT, "the stored features are not a JSON object");

    if (st == FT_OK)
        st = evaluate(&w, raw, contribution, base, err);
    forget(&w);
    cJSON_Delete(tree);
    return st;
}

enum ft_status ft_score_what_if(const struct ft_scorer *s, struct ft_span features_json,
                                const char *name, struct ft_span value, double *raw, double *score,
                                struct ft_err *err)
{
    struct whatif w = {.s = s, .name = name, .text = value};
    cJSON *tree = cJSON_ParseWithLength(features_json.p, features_json.n);
    enum ft_status st = cJSON_IsObject(tree)
                            ? read_stored(&w, tree, err)
                            : ft_fail(err, FT_EINPUT, "the stored features are not a JSON object");

    if (st == FT_OK)
        st = read_change(&w, err);
    for (size_t g = 0; g < s->n_stages && st == FT_OK && name; g++)
        st = change_stage(&w, g, err);
    if (st == FT_OK && name && !w.used)
        st = ft_fail(err, FT_EUSAGE, "no feature of the model is made of \"%.60s\"", name);
    if (st == FT_OK)
        st = evaluate(&w, raw, NULL, NULL, err);
    if (st == FT_OK)
        *score = s->info.probability ? fc_sigmoid(*raw) : *raw;
    forget(&w);
    cJSON_Delete(tree);
    return st;
}
