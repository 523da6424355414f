/*
 * Building a scorer: manifest and models from memory, bound to each other, checked with the manifest's own rows.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

#define MODEL_MAX ((size_t)1 << 30)

static void free_lookup(struct ft_lookup *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++) {
        free(t->row[i].key);
        free(t->row[i].text);
    }
    free(t->other.text);
    free(t->row);
    free(t);
}

void ft_scorer_free(struct ft_scorer *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < FT_MAX_STAGES; i++) {
        struct ft_stage *g = &s->stage[i];

        for (size_t j = 0; j < g->n_features; j++) {
            free(g->feature[j].name);
            free_lookup(g->feature[j].lookup);
        }
        free(g->feature);
        free(g->name);
        free(g->file);
        free(g->sha256);
        fc_model_free(g->model);
    }
    for (size_t i = 0; i < s->n_columns; i++)
        free(s->column[i].name);
    free(s->column);
    free(s->need_header);
    free(s->required);
    free(s->name);
    free(s->version);
    free(s->path);
    free(s->manifest);
    free(s);
}

static char *copy_text(const char *text, size_t n)
{
    char *p = malloc(n + 1);

    if (p) {
        memcpy(p, text, n);
        p[n] = '\0';
    }
    return p;
}

static enum ft_status from_fc(enum fc_status st)
{
    return st == FC_ENOMEM ? FT_ENOMEM : FT_EINPUT;
}

/* ---- models and features -------------------------------------------------------------------------- */

/* Finds each declared feature in the model: by name, or by place when the model has no names. */
static enum ft_status bind_features(struct ft_stage *g, struct ft_err *err)
{
    const struct fc_info *info = fc_model_info(g->model);
    bool *bound = calloc(info->n_features + 1, 1);
    enum ft_status st = FT_OK;

    if (!bound)
        return ft_fail(err, FT_ENOMEM, "no memory for the features");
    for (size_t i = 0; i < g->n_features && st == FT_OK; i++) {
        struct ft_feature *f = &g->feature[i];
        long flat = info->has_names        ? fc_model_find(g->model, f->name, f->name_n)
                    : i < info->n_features ? (long)i
                                           : -1;
        const struct fc_feature *m = flat < 0 ? NULL : fc_model_feature(g->model, (size_t)flat);

        if (!m)
            st = ft_fail(err, FT_EINPUT, "feature \"%.60s\" is not in the model", f->name);
        else if ((m->kind == FC_CATEGORICAL) != f->category)
            st = ft_fail(err, FT_EINPUT, "feature \"%.60s\" is a %s in the model", f->name,
                         m->kind == FC_CATEGORICAL ? "category" : "number");
        else
            bound[f->flat = (size_t)flat] = true;
    }
    for (size_t i = 0; i < info->n_features && st == FT_OK; i++) {
        const struct fc_feature *m = fc_model_feature(g->model, i);

        if (m->used && !bound[i])
            st = ft_fail(err, FT_EINPUT, "the model asks for feature \"%.60s\", not declared",
                         m->name);
    }
    free(bound);
    return st;
}

static void hex(const uint8_t *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static enum ft_status load_stage(struct ft_stage *g, struct ft_span bytes, uint8_t sum[32],
                                 bool force, struct ft_err *err)
{
    struct fc_err fe = {""};
    enum fc_status fs;
    char text[65];

    ft_sha256(bytes.p, bytes.n, sum);
    hex(sum, 32, text);
    if (g->sha256 && strcmp(g->sha256, text) != 0 && !force)
        return ft_fail(err, FT_EINPUT,
                       "its sha256 is %s, not the manifest's %s: the file was changed (--force "
                       "loads it all the same)",
                       text, g->sha256);
    fs = fc_model_load(&g->model, bytes.p, bytes.n, &fe);
    if (fs != FC_OK)
        return ft_fail(err, from_fc(fs), "%s", fe.text);
    return bind_features(g, err);
}

static enum ft_status load_stages(struct ft_scorer *s, ft_model_read *read, void *user,
                                  unsigned flags, uint8_t sums[FT_MAX_STAGES + 1][32],
                                  struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct ft_buf bytes;

    ft_buf_init(&bytes, MODEL_MAX);
    for (size_t i = 0; i < s->n_stages && st == FT_OK; i++) {
        struct ft_stage *g = &s->stage[i];

        ft_buf_clear(&bytes);
        if (!g->file && flags & FT_SCORER_FEATURES)
            continue;
        if (!g->file) {
            st = ft_fail(err, FT_EINPUT,
                         "manifest.json: stage \"%s\" names no file: good for features only",
                         g->name);
            break;
        }
        st = read(user, g->file, &bytes, err);
        if (st == FT_END && flags & FT_SCORER_FEATURES) {
            st = FT_OK;
            continue;
        }
        if (st != FT_OK)
            break;
        st = load_stage(g, (struct ft_span){bytes.p, bytes.n}, sums[i + 1], flags & FT_SCORER_FORCE,
                        err);
        if (st != FT_OK)
            ft_err_prefix(err, "%s", g->file);
    }
    ft_buf_fini(&bytes);
    return st;
}

static enum ft_status finish_info(struct ft_scorer *s, const char *path,
                                  uint8_t sums[FT_MAX_STAGES + 1][32], struct ft_err *err)
{
    const struct ft_stage *last = &s->stage[s->n_stages - 1];
    uint8_t all[32];

    s->path = copy_text(path ? path : "", path ? strlen(path) : 0);
    if (!s->path)
        return ft_fail(err, FT_ENOMEM, "no memory for a model");
    ft_sha256(sums, sizeof(uint8_t[FT_MAX_STAGES + 1][32]), all);
    hex(all, 8, s->info.digest);
    s->info.name = s->name;
    s->info.version = s->version;
    s->info.path = s->path;
    s->info.n_features = last->n_features;
    s->info.n_stages = s->n_stages;
    s->info.keeps_state = s->has_customer;
    s->info.keeps_history = s->n_history > 0;
    s->info.probability = !last->model || fc_model_info(last->model)->is_probability;
    for (size_t i = 0; i < s->n_stages; i++)
        if (s->stage[i].model)
            s->info.n_trees += fc_model_info(s->stage[i].model)->n_trees;
    return FT_OK;
}

/* ---- check rows ----------------------------------------------------------------------------------- */

static enum ft_status check_row(struct ft_scorer *s, struct ft_score_scratch *x,
                                struct ft_state *state, const cJSON *o, int number,
                                struct ft_err *err)
{
    const cJSON *row = cJSON_GetObjectItemCaseSensitive(o, "row");
    const cJSON *raw = cJSON_GetObjectItemCaseSensitive(o, "raw");
    struct ft_field extra[64];
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN, .extra = extra};
    const struct ft_txn *one = &t;
    struct ft_scored got;

    if (!cJSON_IsObject(row) || !cJSON_IsNumber(raw))
        return ft_fail(err, FT_EINPUT, "check row %d: needs \"row\" (an object) and \"raw\"",
                       number);
    for (const cJSON *c = row->child; c; c = c->next) {
        struct ft_cell cell = {.p = c->valuestring, .kind = FT_CELL_TEXT};
        struct ft_span name = ft_span_of(c->string);
        int col = ft_col_find(name);

        if (!cJSON_IsString(c) || (col < 0 && t.n_extra == 64))
            return ft_fail(err, FT_EINPUT, "check row %d: \"%.60s\" is no text, or too many",
                           number, c->string);
        cell.n = (uint32_t)strlen(c->valuestring);
        if (!cell.n)
            cell.kind = FT_CELL_MISSING;
        if (col >= 0)
            t.col[col] = cell;
        else
            extra[t.n_extra++] = (struct ft_field){name, cell};
    }
    ft_score_batch(s, x, state, &one, 1, s->info.threshold, &got);
    if (got.status != FT_OK)
        return ft_fail(err, got.status, "check row %d: %s", number, ft_score_reason(x, 0));
    if (fabs(got.raw - raw->valuedouble) <= 1e-9 * fmax(1, fabs(raw->valuedouble)))
        return FT_OK;
    return ft_fail(err, FT_EINPUT,
                   "check row %d scores %.17g here, not %.17g as when the model was made (--force "
                   "loads it all the same)",
                   number, got.raw, raw->valuedouble);
}

static enum ft_status check_rows(struct ft_scorer *s, const cJSON *list, struct ft_err *err)
{
    static const uint8_t secret[16];
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    struct ft_state *state = s->has_customer ? ft_state_new(s, secret) : NULL;
    enum ft_status st = FT_OK;
    int number = 0;

    if (!x || (s->has_customer && !state))
        st = ft_fail(err, FT_ENOMEM, "no memory for the check rows");
    else if (!cJSON_IsArray(list))
        st = ft_fail(err, FT_EINPUT, "\"check\" is not an array");
    for (const cJSON *o = st == FT_OK ? list->child : NULL; o && st == FT_OK; o = o->next)
        st = check_row(s, x, state, o, ++number, err);
    s->n_check = (size_t)number;
    ft_state_free(state);
    ft_score_scratch_free(x);
    return st;
}

static bool all_models(const struct ft_scorer *s)
{
    for (size_t i = 0; i < s->n_stages; i++)
        if (!s->stage[i].model)
            return false;
    return true;
}

enum ft_status ft_scorer_build(struct ft_scorer **out, const char *name, const char *path,
                               struct ft_span manifest, ft_model_read *read, void *user,
                               unsigned flags, struct ft_err *err)
{
    uint8_t sums[FT_MAX_STAGES + 1][32] = {{0}};
    struct ft_scorer *s = calloc(1, sizeof(*s));
    const cJSON *check;
    cJSON *tree = NULL;
    enum ft_status st;

    (void)name; /* the manifest's own name counts: folders are renamed */
    *out = NULL;
    if (!s || !(s->manifest = copy_text(manifest.p, manifest.n))) {
        ft_scorer_free(s);
        return ft_fail(err, FT_ENOMEM, "no memory for a model");
    }
    s->manifest_n = manifest.n;
    st = ft_manifest_parse(s, (struct ft_span){s->manifest, s->manifest_n}, &tree, err);
    if (st != FT_OK)
        ft_err_prefix(err, "manifest.json");
    ft_sha256(manifest.p, manifest.n, sums[0]);
    if (st == FT_OK)
        st = load_stages(s, read, user, flags, sums, err);
    if (st == FT_OK)
        st = finish_info(s, path, sums, err);
    check = tree ? cJSON_GetObjectItemCaseSensitive(tree, "check") : NULL;
    if (st == FT_OK && check && all_models(s) && !(flags & FT_SCORER_FORCE)) {
        st = check_rows(s, check, err);
        if (st != FT_OK)
            ft_err_prefix(err, "manifest.json");
    }
    cJSON_Delete(tree);
    if (st != FT_OK) {
        ft_scorer_free(s);
        return st;
    }
    *out = s;
    return FT_OK;
}

/* ---- a model alone -------------------------------------------------------------------------------- */

static enum ft_status bare_feature(struct ft_scorer *s, size_t i, struct ft_err *err)
{
    struct ft_stage *g = &s->stage[0];
    const struct fc_feature *m = fc_model_feature(g->model, i);
    struct ft_feature *f = &g->feature[i];
    bool category = m->kind == FC_CATEGORICAL;
    size_t c = ft_column_add(s, (struct ft_span){m->name, m->name_n},
                             category  ? 0
                             : m->used ? FT_NEED_NUMBER
                                       : FT_NEED_SOFT);

    *f = (struct ft_feature){.name = copy_text(m->name, m->name_n),
                             .name_n = m->name_n,
                             .category = category,
                             .make = FT_MAKE_COPY,
                             .n_from = 1,
                             .flat = i};
    g->n_features++;
    if (c == FT_MAX_COLUMNS)
        return ft_fail(err, FT_EINPUT, "more than %d columns, or no memory", FT_MAX_COLUMNS);
    if (!f->name)
        return ft_fail(err, FT_ENOMEM, "no memory for the features");
    f->from[0] = (uint16_t)c;
    s->column[c].in_header |= m->used && !s->by_position;
    return FT_OK;
}

static double own_threshold(const struct fc_model *m)
{
    size_t n;
    const char *text = fc_model_meta(m, "binclass_probability_threshold", &n);
    double v;

    return text && ft_parse_double((struct ft_span){text, n}, &v) && isfinite(v) ? v : 0.5;
}

static enum ft_status build_bare(struct ft_scorer *s, struct ft_span bytes, struct ft_err *err)
{
    struct ft_stage *g = &s->stage[0];
    const struct fc_info *info;
    struct fc_err fe = {""};
    enum fc_status fs = fc_model_load(&g->model, bytes.p, bytes.n, &fe);
    enum ft_status st = FT_OK;

    if (fs != FC_OK)
        return ft_fail(err, from_fc(fs), "%s", fe.text);
    info = fc_model_info(g->model);
    s->n_stages = 1;
    s->by_position = !info->has_names;
    s->info.threshold = own_threshold(g->model);
    g->name = copy_text("model", 5);
    g->feature = calloc(info->n_features + 1, sizeof(*g->feature));
    if (!g->name || !g->feature)
        return ft_fail(err, FT_ENOMEM, "no memory for the features");
    for (size_t i = 0; i < info->n_features && st == FT_OK; i++)
        st = bare_feature(s, i, err);
    return st == FT_OK ? ft_manifest_finish(s, err) : st;
}

enum ft_status ft_scorer_build_bare(struct ft_scorer **out, const char *name, const char *path,
                                    struct ft_span model, struct ft_err *err)
{
    uint8_t sums[FT_MAX_STAGES + 1][32] = {{0}};
    struct ft_scorer *s = calloc(1, sizeof(*s));
    enum ft_status st;

    *out = NULL;
    if (!s)
        return ft_fail(err, FT_ENOMEM, "no memory for a model");
    st = build_bare(s, model, err);
    if (st == FT_OK) {
        char version[17];

        ft_sha256(model.p, model.n, sums[1]);
        hex(sums[1], 4, version);
        s->name = copy_text(name, strlen(name));
        s->version = copy_text(version, strlen(version));
        st = s->name && s->version ? finish_info(s, path, sums, err)
                                   : ft_fail(err, FT_ENOMEM, "no memory for a model");
    }
    if (st != FT_OK) {
        ft_scorer_free(s);
        return st;
    }
    *out = s;
    return FT_OK;
}

/* ---- what is known -------------------------------------------------------------------------------- */

const struct ft_scorer_info *ft_scorer_info(const struct ft_scorer *s)
{
    return &s->info;
}

bool ft_scorer_is(const struct ft_scorer *s, const char *model)
{
    size_t n = strlen(s->info.name);

    return strncmp(model, s->info.name, n) == 0 && model[n] == ' ' &&
           strcmp(model + n + 1, s->info.version) == 0;
}

size_t ft_scorer_columns(const struct ft_scorer *s, const char *const **names)
{
    *names = s->need_header;
    return s->n_need_header;
}

size_t ft_scorer_required(const struct ft_scorer *s, const char *const **names)
{
    *names = s->required;
    return s->n_required;
}

void ft_scorer_set_gap(struct ft_scorer *s, int64_t seconds)
{
    s->gap_s = seconds < FT_GAP_MAX_S ? seconds : FT_GAP_MAX_S;
}

const char *ft_scorer_feature(const struct ft_scorer *s, size_t i)
{
    const struct ft_stage *g = &s->stage[s->n_stages - 1];

    return i < g->n_features ? g->feature[i].name : NULL;
}

struct ft_span ft_scorer_manifest(const struct ft_scorer *s)
{
    return (struct ft_span){s->manifest, s->manifest_n};
}

size_t ft_scorer_check_rows(const struct ft_scorer *s)
{
    return s->n_check;
}

bool ft_scorer_stage(const struct ft_scorer *s, size_t i, struct ft_stage_info *out)
{
    const struct ft_stage *g = &s->stage[i];

    if (i >= s->n_stages)
        return false;
    *out = (struct ft_stage_info){.name = g->name,
                                  .file = g->file,
                                  .n_features = g->n_features,
                                  .model = g->model,
                                  .needs_scores = g->has_scores};
    for (size_t f = 0; f < g->n_features; f++)
        if (g->feature[f].make == FT_MAKE_STAGE)
            out->needs_scores = true;
    return true;
}

bool ft_scorer_stage_feature(const struct ft_scorer *s, size_t stage, size_t i,
                             struct ft_feature_info *out)
{
    const struct ft_feature *f;

    if (stage >= s->n_stages || i >= s->stage[stage].n_features)
        return false;
    f = &s->stage[stage].feature[i];
    *out = (struct ft_feature_info){.name = f->name,
                                    .category = f->category,
                                    .from_state = f->make == FT_MAKE_STATE,
                                    .flat = f->flat};
    return true;
}
