/*
 * A batch of transactions through columns, features, state and stages.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"

/* ---- scratch -------------------------------------------------------------------------------------- */

void ft_score_scratch_free(struct ft_score_scratch *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < FT_MAX_STAGES; i++) {
        fc_scratch_free(x->fc[i]);
        fc_scratch_free(x->one[i]);
        free(x->value[i]);
    }
    free(x->read);
    free(x->place);
    free(x->canon);
    free(x->past);
    free(x->history);
    free(x);
}

static bool make_stages(const struct ft_scorer *s, struct ft_score_scratch *x)
{
    for (size_t i = 0; i < s->n_stages; i++) {
        const struct ft_stage *g = &s->stage[i];

        x->value[i] = malloc(FT_SCORE_BATCH * (g->n_features + 1) * sizeof(*x->value[i]));
        if (!x->value[i])
            return false;
        if (!g->model)
            continue;
        x->fc[i] = fc_scratch_new(g->model, FT_SCORE_BATCH);
        x->one[i] = fc_scratch_new(g->model, 1);
        if (!x->fc[i] || !x->one[i])
            return false;
    }
    return true;
}

struct ft_score_scratch *ft_score_scratch_new(const struct ft_scorer *s)
{
    struct ft_score_scratch *x = calloc(1, sizeof(*x));
    size_t n = s->n_columns;

    if (!x)
        return NULL;
    x->n_columns = n;
    x->read = calloc(n, sizeof(*x->read));
    x->place = calloc(n, sizeof(*x->place));
    x->canon = malloc(n * FT_SCORE_BATCH * sizeof(*x->canon));
    if (s->has_customer)
        x->past = malloc(FT_SCORE_BATCH * sizeof(*x->past));
    if (s->n_history)
        x->history = malloc(FT_SCORE_BATCH * sizeof(*x->history));
    if (!x->read || !x->place || !x->canon || (s->has_customer && !x->past) ||
        (s->n_history && !x->history) || !make_stages(s, x)) {
        ft_score_scratch_free(x);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        x->place[i] = (struct ft_place){.col = s->column[i].col};
    return x;
}

/* ---- columns -------------------------------------------------------------------------------------- */

static size_t model_columns(const struct ft_scorer *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->stage[0].n_features; i++)
        if (fc_model_feature(s->stage[0].model, i)->used)
            n = i + 1;
    return n;
}

static bool has_column(const struct ft_span *names, size_t n, const struct ft_column *c)
{
    for (size_t i = 0; i < n; i++)
        if (ft_span_eq(names[i], (struct ft_span){c->name, c->name_n}))
            return true;
    return false;
}

enum ft_status ft_score_bind(const struct ft_scorer *s, struct ft_score_scratch *x,
                             const struct ft_span *names, size_t n, struct ft_err *err)
{
    size_t need = s->by_position ? model_columns(s) : 0, n_extra = 0, n_named = 0;

    if (!s->by_position)
        return FT_OK;
    if (n < need)
        return ft_fail(err, FT_EINPUT,
                       "the model's features have no names: it takes %zu columns by their place, "
                       "and there are %zu",
                       need, n);
    for (size_t i = 0; i < need; i++)
        n_named += has_column(names, n, &s->column[i]);
    if (n_named == need)
        return FT_OK; /* the columns are called 0, 1, 2, ... */
    for (size_t i = 0; i < n && i < s->stage[0].n_features; i++) {
        int col = ft_col_find(names[i]);

        x->place[s->stage[0].feature[i].from[0]] =
            (struct ft_place){.col = col, .hint = n_extra, .by_hint = col < 0};
        n_extra += col < 0;
    }
    return FT_OK;
}

/* The cell of an extra column.  Rows of a file have the same columns in the same order: look where it was last. */
static const struct ft_cell *find_extra(const struct ft_column *c, struct ft_place *place,
                                        const struct ft_txn *t)
{
    static const struct ft_cell absent = {"", 0, FT_CELL_ABSENT};
    struct ft_span name = {c->name, c->name_n};

    if (place->hint < t->n_extra &&
        (place->by_hint || ft_span_eq(t->extra[place->hint].name, name)))
        return &t->extra[place->hint].cell;
    for (size_t i = 0; i < t->n_extra && !place->by_hint; i++) {
        if (ft_span_eq(t->extra[i].name, name)) {
            place->hint = i;
            return &t->extra[i].cell;
        }
    }
    return &absent;
}

static bool read_columns(const struct ft_scorer *s, struct ft_score_scratch *x,
                         const struct ft_txn *t, size_t i)
{
    for (size_t c = 0; c < s->n_columns; c++) {
        const struct ft_column *column = &s->column[c];
        struct ft_place *place = &x->place[c];
        const struct ft_cell *cell =
            place->col >= 0 ? &t->col[place->col] : find_extra(column, place, t);

        if (!ft_column_read(column, cell, x->canon[i * s->n_columns + c], &x->read[c],
                            x->reason[i]))
            return false;
    }
    return true;
}

/* ---- one transaction at a time -------------------------------------------------------------------- */

static struct ft_value *values_of(const struct ft_scorer *s, const struct ft_score_scratch *x,
                                  size_t stage, size_t i)
{
    return x->value[stage] + i * s->stage[stage].n_features;
}

static void make_features(const struct ft_scorer *s, struct ft_score_scratch *x, size_t i)
{
    for (size_t g = 0; g < s->n_stages; g++) {
        struct ft_value *v = values_of(s, x, g, i);

        for (size_t f = 0; f < s->stage[g].n_features; f++)
            ft_feature_make(&s->stage[g].feature[f], x->read, &v[f]);
    }
}

/* What the state will need of this transaction, once the others before it are in. */
static void keep_own(const struct ft_scorer *s, struct ft_score_scratch *x, const struct ft_txn *t,
                     const struct ft_state *state, size_t i)
{
    struct ft_own *o = &x->own[i];
    struct ft_span category = x->read[s->at_category].text;

    o->time_s = x->read[s->at_time].time.unix_s;
    o->amount = x->read[s->at_amount].num;
    o->category = category;
    o->category_hash = (uint32_t)fc_cat_hash(category.p, category.n);
    o->merchant = s->n_history ? x->read[s->at_merchant].text : FT_SPAN("");
    o->has_key = state && ft_txn_key(t, state->secret, o->key);
}

static enum ft_status read_row(const struct ft_scorer *s, struct ft_score_scratch *x,
                               const struct ft_txn *t, const struct ft_state *state, size_t i)
{
    x->reason[i][0] = '\0';
    if (!read_columns(s, x, t, i))
        return FT_EINPUT;
    make_features(s, x, i);
    if (s->has_customer)
        keep_own(s, x, t, state, i);
    return FT_OK;
}

/* ---- state ---------------------------------------------------------------------------------------- */

static struct ft_customer *find_customer(struct ft_state *state, const struct ft_own *o,
                                         uint32_t *index)
{
    *index = state && o->has_key ? ft_customer_find(state, o->key) : FT_NO_CUSTOMER;
    return *index == FT_NO_CUSTOMER ? NULL : ft_customer_at(state, *index);
}

static bool id_known(const struct ft_customer *c, uint64_t id)
{
    for (size_t i = 0; c && id && i < c->n_ids; i++)
        if (c->id[i] == id)
            return true;
    return false;
}

static bool starts_anew(const struct ft_scorer *s, const struct ft_customer *c, int64_t time_s)
{
    return c && s->gap_s && (time_s - c->base_s > s->gap_s || c->base_s - time_s > s->gap_s);
}

static void put_state_features(const struct ft_scorer *s, struct ft_score_scratch *x, size_t i,
                               const struct ft_customer *c)
{
    for (size_t g = 0; g < s->n_stages; g++) {
        struct ft_value *v = values_of(s, x, g, i);

        if (!s->stage[g].has_state)
            continue;
        for (size_t f = 0; f < s->stage[g].n_features; f++)
            if (s->stage[g].feature[f].make == FT_MAKE_STATE)
                v[f].num = ft_past_value(s, &s->stage[g].feature[f], &x->past[i], c);
    }
}

static enum ft_status remember(const struct ft_scorer *s, struct ft_score_scratch *x,
                               struct ft_state *state, const struct ft_txn *t, size_t i)
{
    struct ft_own *o = &x->own[i];
    struct ft_new_event e = {.time_s = o->time_s,
                             .amount = o->amount,
                             .category_hash = o->category_hash,
                             .score = s->keeps_scores ? (float)x->raw[0][i] : 0.0f,
                             .foreign_id = ft_foreign_id(&t->id)};
    uint32_t index = o->customer != FT_NO_CUSTOMER ? o->customer : ft_customer_make(state, o->key);
    struct ft_customer *c;
    enum ft_status st;

    if (index == FT_NO_CUSTOMER || !ft_customer_changed(state, index))
        return FT_ENOMEM;
    c = ft_customer_at(state, index);
    if (starts_anew(s, c, o->time_s))
        ft_customer_clear(state, c);
    st = ft_customer_add(state, c, &e);
    if (st != FT_OK)
        return st;
    o->customer = index;
    ft_marks_note(state, &t->id);
    return FT_OK;
}

/* Fetches the customers of a batch into the cache: the misses of different customers overlap. */
static void warm(const struct ft_score_scratch *x, const struct ft_state *state,
                 const uint16_t *rows, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (x->own[rows[k]].has_key)
            ft_customer_prefetch(state, x->own[rows[k]].key, 0);
    for (int step = 1; step <= 2; step++)
        for (size_t k = 0; k < n; k++)
            if (x->own[rows[k]].has_key)
                ft_customer_prefetch(state, x->own[rows[k]].key, step);
}

/* Looks at the past and makes features of it. */
static void look_back(const struct ft_scorer *s, struct ft_score_scratch *x, struct ft_state *state,
                      const struct ft_txn *t, size_t i, bool *repeated)
{
    struct ft_own *o = &x->own[i];
    uint32_t index;
    struct ft_customer *c = find_customer(state, o, &index);

    *repeated = state && (ft_marks_seen(state, &t->id) || id_known(c, ft_foreign_id(&t->id)));
    if (starts_anew(s, c, o->time_s))
        c = NULL;
    ft_past_look(s, c, o->time_s, o->amount, o->category_hash, &x->past[i]);
    put_state_features(s, x, i, c);
    o->customer = index;
    o->anew = c == NULL;
    o->remembered = state && o->has_key && !*repeated;
}

/* The last transactions as they were before this one, where somebody will ask for them; then this one is added. */
static enum ft_status keep_history(struct ft_score_scratch *x, struct ft_state *state, size_t i,
                                   const struct ft_scored *scored)
{
    struct ft_own *o = &x->own[i];
    struct ft_history_item item = {.time_s = o->time_s,
                                   .amount = o->amount,
                                   .score = scored->score,
                                   .category = o->category,
                                   .merchant = o->merchant};
    struct ft_customer *c;
    struct ft_span bytes;

    x->history[i].n = 0;
    if (!state || o->customer == FT_NO_CUSTOMER)
        return FT_OK;
    c = ft_customer_at(state, o->customer);
    if (o->anew && o->remembered)
        c->n_history_bytes = c->n_history = 0;
    bytes = ft_history_of(c);
    if (!o->anew && bytes.n && (scored->flag || x->wanted[i])) {
        x->history[i].n = bytes.n;
        memcpy(x->history[i].bytes, bytes.p, bytes.n);
    }
    return o->remembered ? ft_history_add(state, c, &item) : FT_OK;
}

/* ---- stages --------------------------------------------------------------------------------------- */

static void put_stages(const struct ft_scorer *s, struct ft_score_scratch *x, size_t stage,
                       size_t i)
{
    struct ft_value *v = values_of(s, x, stage, i);

    for (size_t f = 0; f < s->stage[stage].n_features; f++)
        if (s->stage[stage].feature[f].make == FT_MAKE_STAGE)
            v[f].num = x->raw[s->stage[stage].feature[f].stage][i];
}

/* Evaluates a stage for the rows listed. */
static void run_stage(const struct ft_scorer *s, struct ft_score_scratch *x, size_t stage,
                      const uint16_t *rows, size_t n)
{
    const struct ft_stage *g = &s->stage[stage];
    double raw[FT_SCORE_BATCH];

    for (size_t k = 0; k < n; k++) {
        const struct ft_value *v = values_of(s, x, stage, rows[k]);

        put_stages(s, x, stage, rows[k]);
        for (size_t f = 0; g->model && f < g->n_features; f++)
            ft_value_put(s, x->fc[stage], k, g->feature[f].flat, &v[f]);
    }
    if (g->model)
        fc_eval(g->model, x->fc[stage], n, raw);
    for (size_t k = 0; k < n; k++)
        x->raw[stage][rows[k]] = g->model ? raw[k] : (double)NAN;
}

static void run_first(const struct ft_scorer *s, struct ft_score_scratch *x, const double *given,
                      const uint16_t *rows, size_t n)
{
    run_stage(s, x, 0, rows, n);
    for (size_t k = 0; given && k < n; k++)
        x->raw[0][rows[k]] = given[rows[k]];
}

static void fail_row(struct ft_score_scratch *x, struct ft_scored *out, size_t i)
{
    out->status = FT_ENOMEM;
    snprintf(x->reason[i], FT_REASON_MAX, "no memory for the customer's state");
}

static void live_row(const struct ft_scorer *s, struct ft_score_scratch *x, struct ft_state *state,
                     const struct ft_txn *t, uint16_t i, const double *given, struct ft_scored *out)
{
    look_back(s, x, state, t, i, &out->repeated);
    if (s->row_by_row)
        run_first(s, x, given, &i, 1);
    if (!x->own[i].remembered || remember(s, x, state, t, i) == FT_OK)
        return;
    x->own[i].remembered = false;
    fail_row(x, out, i);
}

/* Rows that were read without a fault, in order. */
static void score_rows(const struct ft_scorer *s, struct ft_score_scratch *x,
                       struct ft_state *state, const struct ft_txn *const *txn,
                       const uint16_t *rows, size_t n, const double *given, double threshold,
                       struct ft_scored *out)
{
    const size_t last = s->n_stages - 1;
    const bool state_first = s->stage[0].has_state;

    if (!state_first)
        run_first(s, x, given, rows, n);
    if (s->has_customer && state)
        warm(x, state, rows, n);
    for (size_t k = 0; s->has_customer && k < n; k++)
        live_row(s, x, state, txn[rows[k]], rows[k], given, &out[rows[k]]);
    if (state_first && !s->row_by_row)
        run_first(s, x, given, rows, n);
    for (size_t g = 1; g <= last; g++)
        run_stage(s, x, g, rows, n);
    for (size_t k = 0; k < n; k++) {
        size_t i = rows[k];

        out[i].raw = x->raw[last][i];
        out[i].score = s->info.probability ? fc_sigmoid(out[i].raw) : out[i].raw;
        out[i].flag = out[i].score > threshold;
        if (s->n_history && keep_history(x, state, i, &out[i]) != FT_OK)
            fail_row(x, &out[i], i);
    }
}

static void score(const struct ft_scorer *s, struct ft_score_scratch *x, struct ft_state *state,
                  const struct ft_txn *const *txn, size_t n, const double *given, double threshold,
                  struct ft_scored *out)
{
    uint16_t rows[FT_SCORE_BATCH] = {0};
    size_t n_rows = 0;

    if (n > FT_SCORE_BATCH)
        n = FT_SCORE_BATCH;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct ft_scored){.status = read_row(s, x, txn[i], state, i)};
        if (out[i].status == FT_OK)
            rows[n_rows++] = (uint16_t)i;
        else
            out[i].raw = out[i].score = (double)NAN;
    }
    score_rows(s, x, state, txn, rows, n_rows, given, threshold, out);
    memset(x->wanted, 0, sizeof(x->wanted));
}

void ft_score_want_history(struct ft_score_scratch *x, size_t i)
{
    x->wanted[i] = true;
}

void ft_score_batch(const struct ft_scorer *s, struct ft_score_scratch *x, struct ft_state *state,
                    const struct ft_txn *const *txn, size_t n, double threshold,
                    struct ft_scored *out)
{
    score(s, x, state, txn, n, NULL, threshold, out);
}

void ft_score_features(const struct ft_scorer *s, struct ft_score_scratch *x,
                       struct ft_state *state, const struct ft_txn *const *txn, size_t n,
                       const double *first_raw, struct ft_scored *out)
{
    score(s, x, state, txn, n, first_raw, s->info.threshold, out);
}

const char *ft_score_reason(const struct ft_score_scratch *x, size_t i)
{
    return x->reason[i];
}

size_t ft_score_value(const struct ft_scorer *s, const struct ft_score_scratch *x, size_t stage,
                      size_t i, size_t f, char *out, size_t size)
{
    const struct ft_value *v = values_of(s, x, stage, i) + f;

    out[0] = '\0';
    if (v->kind == FT_VALUE_NUMBER && isnan(v->num))
        return 0;
    return ft_value_text(v, out, size);
}
