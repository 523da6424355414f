/* fraudtop features FILE...: what a model sees, as CSV.  Training reads it, so that it sees what scoring sees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "offline.h"

#define VALUE_MAX 65536

struct features {
    const struct ft_scorer *scorer;
    size_t stage, n_features;
    bool label;
    double *first;
    uint64_t n_first, cap_first;
    struct ft_buf header;
};

/* ---- the stage and its scores --------------------------------------------------------------------- */

static enum ft_status find_stage(struct features *f, const char *name, struct ft_err *err)
{
    struct ft_stage_info info;
    size_t n = 0;

    while (ft_scorer_stage(f->scorer, n, &info)) {
        f->stage = n++;
        f->n_features = info.n_features;
        if (name && strcmp(name, info.name) == 0)
            return FT_OK;
    }
    return name ? ft_fail(err, FT_EUSAGE, "--stage %s: the model has no stage of this name", name)
                : FT_OK;
}

/* Every stage before this one must have a model where its log-odds are asked for. */
static enum ft_status check_models(const struct features *f, bool given, struct ft_err *err)
{
    struct ft_stage_info info, wants;

    ft_scorer_stage(f->scorer, f->stage, &wants);
    for (size_t i = 0; i < f->stage && wants.needs_scores; i++) {
        ft_scorer_stage(f->scorer, i, &info);
        if (!info.model && !(i == 0 && given))
            return ft_fail(
                err, FT_EUSAGE,
                "stage \"%s\" is made of the log-odds of \"%s\", which has no model yet: "
                "give them with --stage-scores FILE",
                wants.name, info.name);
    }
    return FT_OK;
}

static enum ft_status put_score(struct features *f, uint64_t row, double raw, struct ft_err *err)
{
    if (row >= (uint64_t)1 << 32)
        return ft_fail(err, FT_EINPUT, "row numbers above 2^32 are not taken");
    if (row >= f->cap_first) {
        uint64_t cap = f->cap_first ? f->cap_first : 1 << 16;
        double *p;

        while (cap <= row)
            cap *= 2;
        p = realloc(f->first, cap * sizeof(*p));
        if (!p)
            return ft_fail(err, FT_ENOMEM, "no memory for the scores of %llu rows",
                           (unsigned long long)cap);
        f->first = p;
        f->cap_first = cap;
    }
    while (f->n_first <= row)
        f->first[f->n_first++] = NAN;
    f->first[row] = raw;
    return FT_OK;
}

static const struct ft_cell *named(const struct ft_txn *t, const char *name)
{
    for (size_t i = 0; i < t->n_extra; i++)
        if (ft_span_is(t->extra[i].name, name))
            return &t->extra[i].cell;
    return NULL;
}

static bool number(const struct ft_cell *c, double *out)
{
    return c && ft_parse_double((struct ft_span){c->p, c->n}, out) && isfinite(*out);
}

/* CSV with the columns row and raw (others are passed over): what `score` prints will do. */
static enum ft_status read_scores(struct features *f, const char *path, struct ft_err *err)
{
    static const char *const need[] = {"row", "raw"};
    struct ft_rows_opts opts = {.need = need, .n_need = 2, .stop_fd = ft_stop_fd()};
    struct ft_row_pos pos;
    struct ft_rows *rows;
    struct ft_txn t;
    enum ft_status st = ft_rows_open(&rows, &path, 1, &opts, err);

    if (st != FT_OK)
        return st;
    while ((st = ft_rows_next(rows, &t, &pos, err)) == FT_OK) {
        double row, raw;

        if (!number(named(&t, "row"), &row) || row < 0 || row != floor(row) ||
            !number(named(&t, "raw"), &raw))
            st = ft_fail(err, FT_EINPUT, "%s:%llu: row and raw must be numbers", path,
                         (unsigned long long)pos.line);
        else
            st = put_score(f, (uint64_t)row, raw, err);
        if (st != FT_OK)
            break;
    }
    ft_rows_close(rows);
    return st == FT_END ? FT_OK : st;
}

/* ---- output --------------------------------------------------------------------------------------- */

static enum ft_status format(void *user, const struct ft_offline_row *r, struct ft_score_scratch *x,
                             size_t i, struct ft_buf *out, struct ft_err *err)
{
    const struct features *f = user;
    char *value = malloc(VALUE_MAX);

    if (!value)
        return ft_fail(err, FT_ENOMEM, "no memory for a row of features");
    ft_buf_u64(out, r->row);
    for (size_t k = 0; k < f->n_features; k++) {
        size_t n = ft_score_value(f->scorer, x, f->stage, i, k, value, VALUE_MAX);

        ft_buf_char(out, ',');
        ft_buf_csv(out, (struct ft_span){value, n});
    }
    if (f->label && r->txn->label != FT_LABEL_UNKNOWN)
        ft_buf_text(out, r->txn->label ? ",1" : ",0");
    else if (f->label)
        ft_buf_char(out, ',');
    ft_buf_char(out, '\n');
    free(value);
    return FT_OK;
}

static void make_header(struct features *f)
{
    struct ft_feature_info info;

    ft_buf_text(&f->header, "row");
    for (size_t k = 0; ft_scorer_stage_feature(f->scorer, f->stage, k, &info); k++) {
        ft_buf_char(&f->header, ',');
        ft_buf_csv(&f->header, ft_span_of(info.name));
    }
    ft_buf_text(&f->header, f->label ? ",label\n" : "\n");
}

int ft_cmd_features(struct ft_app *app)
{
    const char *scores = ft_cfg_text(app->cfg, "features.stage_scores");
    struct features f = {.label = ft_cfg_text(app->cfg, "replay.label") != NULL};
    struct ft_offline o = {.app = app,
                           .paths = app->args,
                           .n_paths = app->n_args,
                           .what = "features",
                           .features = true,
                           .user = &f,
                           .format = format};
    struct ft_scorer *scorer = NULL;
    struct ft_err err = {""};
    enum ft_status st;

    ft_buf_init(&f.header, (size_t)1 << 24);
    if (!app->n_args)
        return ft_app_usage(app, "features wants at least one file (- is standard input)");
    st = ft_scorer_load_features(&scorer, ft_app_model(app), app->data_dir, &err);
    f.scorer = o.scorer = scorer;
    if (st == FT_OK && ft_cfg_is_set(app->cfg, "score.state_gap"))
        ft_scorer_set_gap(scorer, ft_cfg_ms(app->cfg, "score.state_gap") / 1000);
    if (st == FT_OK)
        st = find_stage(&f, ft_cfg_text(app->cfg, "features.stage"), &err);
    if (st == FT_OK)
        st = check_models(&f, scores != NULL, &err);
    if (st == FT_OK && scores)
        st = read_scores(&f, scores, &err);
    o.first_raw = f.first;
    o.n_first = f.n_first;
    if (st == FT_OK)
        st = ft_offline_output(app, &o.out, &err);
    if (st == FT_OK) {
        make_header(&f);
        o.header = f.header.p;
        st = ft_offline_run(&o, &err);
        if (st == FT_OK)
            st = ft_offline_close(app, o.out, &err);
        else if (o.out != stdout)
            fclose(o.out);
    }
    free(f.first);
    ft_buf_fini(&f.header);
    ft_scorer_free(scorer);
    return ft_offline_exit(app, &o, st, &err);
}
