/* fraudtop model list | show | check | promote | rollback: which models there are, what they are made of, whether they are whole. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudcore.h"
#include "fraudtop/text.h"
#include "model_force.h"
#include "offline.h"

#define JSON_MAX ((size_t)1 << 26)

/* ---- list ----------------------------------------------------------------------------------------- */

struct list {
    const struct ft_app *app;
    struct ft_buf json;
    size_t n;
};

static void list_json(struct list *l, const char *path, const struct ft_scorer *s,
                      const char *error)
{
    struct ft_buf *b = &l->json;

    ft_buf_text(b, l->n++ ? ",{\"path\":" : "{\"path\":");
    ft_buf_json(b, ft_span_of(path));
    if (s) {
        const struct ft_scorer_info *i = ft_scorer_info(s);

        ft_buf_text(b, ",\"name\":");
        ft_buf_json(b, ft_span_of(i->name));
        ft_buf_text(b, ",\"version\":");
        ft_buf_json(b, ft_span_of(i->version));
        ft_buf_text(b, ",\"threshold\":");
        ft_buf_double(b, i->threshold);
        ft_buf_fmt(
            b, ",\"stages\":%zu,\"features\":%zu,\"trees\":%zu,\"state\":%s,\"digest\":\"%s\"",
            i->n_stages, i->n_features, i->n_trees, i->keeps_state ? "true" : "false", i->digest);
    } else {
        ft_buf_text(b, ",\"error\":");
        ft_buf_json(b, ft_span_of(error));
    }
    ft_buf_char(b, '}');
}

static void list_line(struct list *l, const char *path, const struct ft_scorer *s,
                      const char *error)
{
    if (!l->n++)
        printf("%-16s %-8s %9s %8s %6s  %-8s %s\n", "NAME", "VERSION", "THRESHOLD", "FEATURES",
               "TREES", "STATE", "PATH");
    if (s) {
        const struct ft_scorer_info *i = ft_scorer_info(s);

        printf("%-16s %-8s %9.4g %8zu %6zu  %-8s %s\n", i->name, i->version, i->threshold,
               i->n_features, i->n_trees, i->keeps_state ? "kept" : "-", path);
    } else {
        printf("%-16s cannot be used: %s\n", strrchr(path, '/') + 1, error);
    }
}

static void list_one(void *user, const char *path)
{
    struct list *l = user;
    struct ft_scorer *s = NULL;
    struct ft_err err = {""};

    ft_scorer_load(&s, path, NULL, false, &err);
    (l->app->json ? list_json : list_line)(l, path, s, err.text);
    ft_scorer_free(s);
}

static enum ft_status model_list(struct ft_app *app, struct ft_err *err)
{
    struct list l = {.app = app};

    ft_buf_init(&l.json, JSON_MAX);
    ft_buf_text(&l.json, "{\"models\":[");
    ft_models_list(app->data_dir && *app->data_dir ? app->data_dir : NULL, list_one, &l);
    ft_buf_text(&l.json, "]}\n");
    if (app->json)
        fwrite(l.json.p, 1, l.json.n, stdout);
    ft_buf_fini(&l.json);
    if (!l.n && !app->json)
        return ft_fail(err, FT_EUSAGE, "no models, neither in ./models nor in %s/models",
                       app->data_dir && *app->data_dir ? app->data_dir : "the data folder");
    return FT_OK;
}

/* ---- show ----------------------------------------------------------------------------------------- */

struct importance {
    double *percent; /* by flat index; NULL: unknown */
};

static struct importance importance_of(const struct fc_model *m)
{
    struct importance im = {NULL};
    struct fc_err fe;

    if (m)
        im.percent = calloc(fc_model_info(m)->n_features + 1, sizeof(*im.percent));
    if (im.percent && fc_importance(m, im.percent, &fe) != FC_OK) {
        free(im.percent);
        im.percent = NULL;
    }
    return im;
}

static double percent_of(const struct importance *im, const struct ft_feature_info *f)
{
    return im->percent && f->flat != SIZE_MAX ? im->percent[f->flat] : (double)NAN;
}

/* Parameters of the training that tell most, from CatBoost's own record of them. */
static const char *const params[] = {"iterations",  "depth",       "learning_rate",
                                     "l2_leaf_reg", "grow_policy", "leaf_estimation_method",
                                     "random_seed"};

static const cJSON *find_param(const cJSON *o, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(o, name);

    for (const cJSON *c = o->child; c && !found; c = c->next)
        if (cJSON_IsObject(c))
            found = find_param(c, name);
    return found;
}

static void show_params(struct ft_buf *b, const struct fc_model *m, bool json)
{
    size_t n, shown = 0;
    const char *text = fc_model_meta(m, "params", &n);
    cJSON *tree = text ? cJSON_ParseWithLength(text, n) : NULL;

    for (size_t i = 0; tree && i < sizeof(params) / sizeof(params[0]); i++) {
        const cJSON *v = find_param(tree, params[i]);
        char *value = v ? cJSON_PrintUnformatted(v) : NULL;

        if (value && json)
            ft_buf_fmt(b, "%s\"%s\":%s", shown++ ? "," : "", params[i], value);
        else if (value)
            ft_buf_fmt(b, "%s%s %s", shown++ ? ", " : "  trained with ", params[i], value);
        cJSON_free(value);
    }
    if (shown && !json)
        ft_buf_char(b, '\n');
    cJSON_Delete(tree);
}

static void show_stage_text(struct ft_buf *b, const struct ft_scorer *s, size_t stage,
                            const struct ft_stage_info *g)
{
    struct importance im = importance_of(g->model);
    const struct fc_info *info = g->model ? fc_model_info(g->model) : NULL;
    struct ft_feature_info f;

    ft_buf_fmt(b, "\nstage %s", g->name);
    if (g->file)
        ft_buf_fmt(b, ", %s", g->file);
    if (info)
        ft_buf_fmt(b, ": %zu %s trees, %zu leaves, %zu splits, %zu CTR tables\n", info->n_trees,
                   info->symmetric ? "symmetric" : "non-symmetric", info->n_leaves, info->n_binary,
                   info->n_ctr_tables);
    else
        ft_buf_text(b, ": no model\n");
    if (g->model)
        show_params(b, g->model, false);
    ft_buf_fmt(b, "\n  %-28s %-9s %-6s %s\n", "FEATURE", "KIND", "FROM", "IMPORTANCE");
    for (size_t i = 0; ft_scorer_stage_feature(s, stage, i, &f); i++) {
        double p = percent_of(&im, &f);
        char name[256];
        int bar = p > 0 ? (int)lround(p / 2) : 0;

        ft_text_clean(name, sizeof(name), ft_span_of(f.name));
        ft_buf_fmt(b, "  %-28s %-9s %-6s ", name, f.category ? "category" : "number",
                   f.from_state ? "past" : "row");
        if (isnan(p))
            ft_buf_text(b, "-\n");
        else
            ft_buf_fmt(b, "%6.2f %% %.*s\n", p, bar < 50 ? bar : 50,
                       "##################################################");
    }
    free(im.percent);
}

static void show_stage_json(struct ft_buf *b, const struct ft_scorer *s, size_t stage,
                            const struct ft_stage_info *g)
{
    struct importance im = importance_of(g->model);
    const struct fc_info *info = g->model ? fc_model_info(g->model) : NULL;
    struct ft_feature_info f;

    ft_buf_text(b, stage ? ",{\"name\":" : "{\"name\":");
    ft_buf_json(b, ft_span_of(g->name));
    ft_buf_text(b, ",\"file\":");
    if (g->file)
        ft_buf_json(b, ft_span_of(g->file));
    else
        ft_buf_text(b, "null");
    if (info) {
        ft_buf_fmt(b,
                   ",\"trees\":%zu,\"leaves\":%zu,\"splits\":%zu,\"ctr_features\":%zu,"
                   "\"ctr_tables\":%zu,\"symmetric\":%s,\"probability\":%s",
                   info->n_trees, info->n_leaves, info->n_binary, info->n_ctr_features,
                   info->n_ctr_tables, info->symmetric ? "true" : "false",
                   info->is_probability ? "true" : "false");
        ft_buf_text(b, ",\"scale\":");
        ft_buf_double(b, info->scale);
        ft_buf_text(b, ",\"bias\":");
        ft_buf_double(b, info->bias);
        ft_buf_text(b, ",\"params\":{");
        show_params(b, g->model, true);
        ft_buf_char(b, '}');
    }
    ft_buf_text(b, ",\"features\":[");
    for (size_t i = 0; ft_scorer_stage_feature(s, stage, i, &f); i++) {
        ft_buf_text(b, i ? ",{\"name\":" : "{\"name\":");
        ft_buf_json(b, ft_span_of(f.name));
        ft_buf_fmt(b, ",\"kind\":\"%s\",\"from_state\":%s,\"importance\":",
                   f.category ? "category" : "number", f.from_state ? "true" : "false");
        ft_buf_double(b, percent_of(&im, &f));
        ft_buf_char(b, '}');
    }
    ft_buf_text(b, "]}");
    free(im.percent);
}

/* The manifest's metrics and description as they stand there. */
static void show_manifest(struct ft_buf *b, const struct ft_scorer *s, bool json)
{
    static const char *const members[] = {"description", "origin", "metrics"};
    struct ft_span text = ft_scorer_manifest(s);
    cJSON *tree = text.n ? cJSON_ParseWithLength(text.p, text.n) : NULL;

    for (size_t i = 0; tree && i < 3; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(tree, members[i]);
        char *value = v ? cJSON_PrintUnformatted(v) : NULL;

        if (value && json)
            ft_buf_fmt(b, ",\"%s\":%s", members[i], value);
        else if (value)
            ft_buf_fmt(b, "%-12s %s\n", members[i], cJSON_IsString(v) ? v->valuestring : value);
        cJSON_free(value);
    }
    cJSON_Delete(tree);
}

static void show_json(struct ft_buf *b, const struct ft_scorer *s)
{
    const struct ft_scorer_info *i = ft_scorer_info(s);
    struct ft_stage_info g;

    ft_buf_text(b, "{\"name\":");
    ft_buf_json(b, ft_span_of(i->name));
    ft_buf_text(b, ",\"version\":");
    ft_buf_json(b, ft_span_of(i->version));
    ft_buf_text(b, ",\"path\":");
    ft_buf_json(b, ft_span_of(i->path));
    ft_buf_fmt(b, ",\"digest\":\"%s\",\"threshold\":", i->digest);
    ft_buf_double(b, i->threshold);
    ft_buf_fmt(b, ",\"probability\":%s,\"state\":%s,\"history\":%s,\"check_rows\":%zu",
               i->probability ? "true" : "false", i->keeps_state ? "true" : "false",
               i->keeps_history ? "true" : "false", ft_scorer_check_rows(s));
    show_manifest(b, s, true);
    ft_buf_text(b, ",\"stages\":[");
    for (size_t k = 0; ft_scorer_stage(s, k, &g); k++)
        show_stage_json(b, s, k, &g);
    ft_buf_text(b, "]}\n");
}

static void show_text(struct ft_buf *b, const struct ft_scorer *s)
{
    const struct ft_scorer_info *i = ft_scorer_info(s);
    struct ft_stage_info g;

    ft_buf_fmt(b, "%-12s %s %s (%s)\n%-12s %s\n%-12s %g\n", "model", i->name, i->version, i->digest,
               "path", i->path, "threshold", i->threshold);
    ft_buf_fmt(b, "%-12s %s%s\n", "state",
               i->keeps_state ? "kept for each customer" : "none: one transaction at a time",
               i->keeps_history ? ", with the last transactions" : "");
    show_manifest(b, s, false);
    for (size_t k = 0; ft_scorer_stage(s, k, &g); k++)
        show_stage_text(b, s, k, &g);
}

/* A manifest's texts are somebody else's: no control characters reach the terminal. */
static void print_clean(const struct ft_buf *b)
{
    for (size_t i = 0; i < b->n; i++) {
        unsigned char c = (unsigned char)b->p[i];

        putchar((c < 0x20 && c != '\n') || c == 0x7F ? '?' : c);
    }
}

/* The model is named by a word as well as by -m. */
static const char *named(const struct ft_app *app)
{
    return app->n_args > 1 ? app->args[1] : ft_app_model(app);
}

static enum ft_status model_show(struct ft_app *app, struct ft_err *err)
{
    struct ft_scorer *s = NULL;
    enum ft_status st = ft_app_scorer(app, named(app), &s, err);
    struct ft_buf b;

    if (st != FT_OK)
        return st;
    ft_buf_init(&b, JSON_MAX);
    (app->json ? show_json : show_text)(&b, s);
    if (b.failed)
        st = ft_fail(err, FT_ENOMEM, "no memory to show the model");
    else
        print_clean(&b);
    ft_buf_fini(&b);
    ft_scorer_free(s);
    return st;
}

/* ---- check ---------------------------------------------------------------------------------------- */

static enum ft_status model_check(struct ft_app *app, struct ft_err *err)
{
    struct ft_scorer *s = NULL;
    const struct ft_scorer_info *i;
    enum ft_status st = ft_scorer_load(&s, named(app), app->data_dir, false, err);

    if (st != FT_OK)
        return st;
    i = ft_scorer_info(s);
    if (app->json)
        printf("{\"ok\":true,\"digest\":\"%s\",\"check_rows\":%zu}\n", i->digest,
               ft_scorer_check_rows(s));
    else
        printf("%s %s: whole; %zu check row%s reproduced\n", i->name, i->version,
               ft_scorer_check_rows(s), ft_scorer_check_rows(s) == 1 ? "" : "s");
    ft_scorer_free(s);
    return FT_OK;
}

int ft_cmd_model(struct ft_app *app)
{
    static const struct {
        const char *name;
        size_t least, most; /* words */
        enum ft_status (*run)(struct ft_app *app, struct ft_err *err);
    } verbs[] = {
        {"list",     1, 1, model_list       },
        {"show",     1, 2, model_show       },
        {"check",    1, 2, model_check      },
        {"promote",  2, 2, ft_model_promote },
        {"rollback", 1, 1, ft_model_rollback}
    };
    struct ft_err err = {""};

    for (size_t i = 0; app->n_args && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(app->args[0], verbs[i].name) == 0 && app->n_args >= verbs[i].least &&
            app->n_args <= verbs[i].most) {
            enum ft_status st = verbs[i].run(app, &err);

            if (st == FT_OK && fflush(stdout) != 0)
                st = ft_fail(&err, FT_EIO, "standard output could not be written");
            return st == FT_OK ? 0 : ft_app_fail(app, st, &err);
        }
    return ft_app_usage(
        app, "model wants one of: list, show [NAME], check [NAME], promote NAME, rollback");
}
