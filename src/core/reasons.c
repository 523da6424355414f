/*
 * Why a transaction has its score: exact contributions, in words where a feature has words; and what the model saw,
 * for looking at the same transaction again with one value changed.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"

static const struct ft_value *values_at(const struct ft_scorer *s, const struct ft_score_scratch *x,
                                        size_t stage, size_t i)
{
    return x->value[stage] + i * s->stage[stage].n_features;
}

/* ---- contributions -------------------------------------------------------------------------------- */

struct ranked {
    double contribution;
    size_t feature;
};

static int compare_strength(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    double p = fabs(x->contribution), q = fabs(y->contribution);

    if (p != q)
        return p < q ? 1 : -1;
    return (x->feature > y->feature) - (x->feature < y->feature);
}

/* Contributions to a stage's log-odds, strongest first; rank has room for its features. */
static enum ft_status rank_stage(const struct ft_scorer *s, struct ft_score_scratch *x,
                                 size_t stage, size_t i, struct ranked *rank, double *base,
                                 struct ft_err *err)
{
    const struct ft_stage *g = &s->stage[stage];
    const struct ft_value *v = values_at(s, x, stage, i);
    size_t n = fc_model_info(g->model)->n_features;
    struct fc_err fe = {""};
    enum fc_status fs;
    double raw, *shap = calloc(n + 1, sizeof(*shap));

    if (!shap)
        return ft_fail(err, FT_ENOMEM, "no memory for the contributions");
    for (size_t f = 0; f < g->n_features; f++)
        ft_value_put(s, x->one[stage], 0, g->feature[f].flat, &v[f]);
    fc_eval(g->model, x->one[stage], 1, &raw);
    fs = fc_shap(g->model, x->one[stage], 0, shap, base, &fe);
    for (size_t f = 0; f < g->n_features && fs == FC_OK; f++)
        rank[f] = (struct ranked){shap[g->feature[f].flat], f};
    free(shap);
    if (fs != FC_OK)
        return ft_fail(err, fs == FC_ENOMEM ? FT_ENOMEM : FT_EINPUT, "%s", fe.text);
    qsort(rank, g->n_features, sizeof(*rank), compare_strength);
    return FT_OK;
}

/* Amounts and categories have columns of their own wherever reasons are shown. */
static bool has_column(const struct ft_scorer *s, const struct ft_feature *f)
{
    return f->category || strcmp(s->column[f->from[0]].name, "amount") == 0;
}

/* The two features of a stage, of different columns, that pushed strongest the way it went; first the one that no list
 * shows anyway. */
static size_t strongest_two(const struct ft_scorer *s, const struct ft_stage *g,
                            const struct ranked *rank, bool up, size_t out[2])
{
    size_t n = 0;

    for (size_t k = 0; k < g->n_features && n < 2; k++) {
        const struct ft_feature *f = &g->feature[rank[k].feature];

        if ((rank[k].contribution > 0) == up && f->make < FT_MAKE_STAGE &&
            (n == 0 || f->from[0] != g->feature[out[0]].from[0]))
            out[n++] = rank[k].feature;
    }
    if (n == 2 && has_column(s, &g->feature[out[0]]) && !has_column(s, &g->feature[out[1]])) {
        size_t first = out[0];

        out[0] = out[1];
        out[1] = first;
    }
    return n;
}

/*
 * What an earlier stage says, in words.  That it found the transaction suspicious explains nothing by itself, so
 * the words name what moved it most.
 */
static void stage_words(const struct ft_scorer *s, struct ft_score_scratch *x, size_t stage,
                        size_t i, bool up, char *out, size_t size)
{
    const struct ft_stage *g = &s->stage[stage];
    const struct ft_value *v = values_at(s, x, stage, i);
    struct ranked *rank = g->model ? calloc(g->n_features + 1, sizeof(*rank)) : NULL;
    size_t at = 0, n = 0, told[2];
    double base;

    if (rank && rank_stage(s, x, stage, i, rank, &base, NULL) == FT_OK)
        n = strongest_two(s, g, rank, up, told);
    free(rank);
    for (size_t k = 0; k < n; k++) {
        const struct ft_feature *f = &g->feature[told[k]];

        at +=
            ft_plain_words(f, s->column[f->from[0]].name, &v[told[k]], k > 0, out + at, size - at);
    }
    ft_stage_words(x->raw[stage][i], at > 0, out + at, size - at);
}

enum ft_status ft_score_reasons(const struct ft_scorer *s, struct ft_score_scratch *x, size_t i,
                                struct ft_reason *out, size_t max, size_t *n, double *base,
                                struct ft_err *err)
{
    const struct ft_stage *g = &s->stage[s->n_stages - 1];
    const struct ft_value *v = values_at(s, x, s->n_stages - 1, i);
    struct ranked *rank;
    enum ft_status st;

    *n = 0;
    if (!g->model)
        return ft_fail(err, FT_EINPUT, "the last stage has no model");
    rank = calloc(g->n_features + 1, sizeof(*rank));
    if (!rank)
        return ft_fail(err, FT_ENOMEM, "no memory for the contributions");
    st = rank_stage(s, x, s->n_stages - 1, i, rank, base, err);
    if (st == FT_OK)
        *n = g->n_features < max ? g->n_features : max;
    for (size_t k = 0; k < *n; k++) {
        const struct ft_feature *f = &g->feature[rank[k].feature];
        struct ft_reason *r = &out[k];

        *r = (struct ft_reason){.feature = f->name, .contribution = rank[k].contribution};
        ft_score_value(s, x, s->n_stages - 1, i, rank[k].feature, r->value, sizeof(r->value));
        if (f->make == FT_MAKE_STATE)
            ft_past_words(s, f, &x->past[i], v[rank[k].feature].num, x->own[i].category, r->text,
                          sizeof(r->text));
        else if (f->make == FT_MAKE_STAGE)
            stage_words(s, x, f->stage, i, r->contribution > 0, r->text, sizeof(r->text));
        else if (ft_has_plain_words(f))
            ft_plain_words(f, s->column[f->from[0]].name, &v[rank[k].feature], false, r->text,
                           sizeof(r->text));
    }
    free(rank);
    return st;
}

#define REASONS_MAX 64

enum ft_status ft_score_reasons_json(const struct ft_scorer *s, struct ft_score_scratch *x,
                                     size_t i, size_t max, struct ft_buf *out)
{
    struct ft_reason *r = calloc(REASONS_MAX, sizeof(*r));
    double base;
    size_t n;
    enum ft_status st =
        r ? ft_score_reasons(s, x, i, r, max < REASONS_MAX ? max : REASONS_MAX, &n, &base, NULL)
          : FT_ENOMEM;

    if (st == FT_OK) {
        ft_buf_char(out, '[');
        for (size_t k = 0; k < n; k++) {
            ft_buf_text(out, k ? ",{\"feature\":" : "{\"feature\":");
            ft_buf_json(out, ft_span_of(r[k].feature));
            ft_buf_text(out, ",\"value\":");
            ft_buf_json(out, ft_span_of(r[k].value));
            ft_buf_text(out, ",\"contribution\":");
            ft_buf_double(out, r[k].contribution);
            if (r[k].text[0]) {
                ft_buf_text(out, ",\"text\":");
                ft_buf_json(out, ft_span_of(r[k].text));
            }
            ft_buf_char(out, '}');
        }
        ft_buf_char(out, ']');
        st = out->failed ? FT_ENOMEM : FT_OK;
    }
    free(r);
    return st;
}

/* ---- what the model saw --------------------------------------------------------------------------- */

enum ft_status ft_score_features_json(const struct ft_scorer *s, const struct ft_score_scratch *x,
                                      size_t i, struct ft_buf *out)
{
    for (size_t g = 0; g < s->n_stages; g++) {
        const struct ft_value *v = values_at(s, x, g, i);
        char text[64];

        ft_buf_text(out, g ? "}," : "{");
        ft_buf_json(out, ft_span_of(s->stage[g].name));
        ft_buf_text(out, ":{");
        for (size_t f = 0; f < s->stage[g].n_features; f++) {
            if (f)
                ft_buf_char(out, ',');
            ft_buf_json(out, ft_span_of(s->stage[g].feature[f].name));
            ft_buf_char(out, ':');
            if (v[f].kind == FT_VALUE_TEXT) {
                ft_buf_json(out, (struct ft_span){v[f].p, v[f].n});
                continue;
            }
            ft_value_text(&v[f], text, sizeof(text));
            if (v[f].kind == FT_VALUE_INTEGER || !isfinite(v[f].num))
                ft_buf_json(out, isnan(v[f].num) ? FT_SPAN("nan") : ft_span_of(text));
            else
                ft_buf_text(out, text);
        }
    }
    ft_buf_text(out, "}}");
    return out->failed ? FT_ENOMEM : FT_OK;
}

/* ---- the customer --------------------------------------------------------------------------------- */

static void put_time(struct ft_buf *out, int64_t time_s)
{
    int64_t day = time_s / 86400, second = time_s % 86400, era, of_era, year, month;

    if (second < 0) {
        second += 86400;
        day--;
    }
    day += 719468; /* days since 0000-03-01 */
    era = day / 146097;
    of_era = day % 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    day = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5 - 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    ft_buf_fmt(out, "\"%04d-%02d-%02d %02d:%02d", (int)year, (int)month, (int)day,
               (int)(second / 3600), (int)(second / 60 % 60));
    if (second % 60)
        ft_buf_fmt(out, ":%02d", (int)(second % 60));
    ft_buf_char(out, '"');
}

static void put_short(struct ft_buf *out, double num)
{
    struct ft_value v = {.num = num, .kind = FT_VALUE_NUMBER};
    char text[64];

    ft_value_text(&v, text, sizeof(text));
    ft_buf_text(out, isfinite(num) ? text : "null");
}

static void put_usual(struct ft_buf *out, const struct ft_past *p)
{
    double mean = p->n ? p->sum / p->n : 0, v = p->n ? p->square / p->n - mean * mean : 0;

    ft_buf_fmt(out, "{\"count\":%u", p->n);
    if (p->n) {
        ft_buf_text(out, ",\"mean\":");
        put_short(out, round(mean * 100) / 100);
        ft_buf_text(out, ",\"max\":");
        put_short(out, p->max);
        ft_buf_text(out, ",\"std\":");
        put_short(out, round(sqrt(v > 0 ? v : 0) * 100) / 100);
        ft_buf_text(out, ",\"night_share\":");
        put_short(out, round(1000.0 * p->nights / p->n) / 1000);
        ft_buf_text(out, ",\"first\":");
        put_time(out, p->first_s);
    }
    ft_buf_char(out, '}');
}

enum ft_status ft_score_history_json(const struct ft_score_scratch *x, size_t i,
                                     struct ft_buf *history, struct ft_buf *usual)
{
    struct ft_history_item item;
    struct ft_span bytes;
    size_t at = 0;

    if (!x->past || !x->history)
        return FT_OK;
    bytes = (struct ft_span){(const char *)x->history[i].bytes, x->history[i].n};
    ft_buf_char(history, '[');
    while (ft_history_next(bytes, &at, &item)) {
        ft_buf_text(history, history->p[history->n - 1] == '[' ? "{\"time\":" : ",{\"time\":");
        put_time(history, item.time_s);
        ft_buf_text(history, ",\"amount\":");
        put_short(history, item.amount);
        ft_buf_text(history, ",\"category\":");
        ft_buf_json(history, item.category);
        ft_buf_text(history, ",\"merchant\":");
        ft_buf_json(history, item.merchant);
        ft_buf_text(history, ",\"score\":");
        put_short(history, item.score);
        ft_buf_char(history, '}');
    }
    ft_buf_char(history, ']');
    put_usual(usual, &x->past[i]);
    return history->failed || usual->failed ? FT_ENOMEM : FT_OK;
}
