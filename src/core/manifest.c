/*
 * manifest.json → struct ft_scorer, without its models.  The format is described in docs/formats.md ("Manifest").
 * Unknown members are refused: a misspelt one would silently change scores.
 */
#include "manifest.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

#define DAY_S 86400
#define GAP_DAYS_DEFAULT 400
#define HISTORY_MAX 10

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_ENOMEM, "no memory for the manifest");
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

/* ---- members of an object ------------------------------------------------------------------------- */

static const cJSON *member(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* Every member of o is among the blank-separated names, and none stands twice. */
static enum ft_status check_members(const cJSON *o, const char *names, const char *where,
                                    struct ft_err *err)
{
    for (const cJSON *m = o->child; m; m = m->next) {
        size_t n = strlen(m->string);
        const char *p = names;

        for (; *p; p += strcspn(p, " "), p += *p == ' ')
            if (strcspn(p, " ") == n && strncmp(p, m->string, n) == 0)
                break;
        if (!*p)
            return ft_fail(err, FT_EINPUT, "%s: unknown member \"%.60s\" (known: %s)", where,
                           m->string, names);
        if (member(o, m->string) != m)
            return ft_fail(err, FT_EINPUT, "%s: member \"%.60s\" stands twice", where, m->string);
    }
    return FT_OK;
}

/* A text member of 1 to max bytes; NULL with FT_OK when it is optional and absent. */
static enum ft_status get_text(const cJSON *o, const char *name, bool optional, size_t max,
                               const char *where, const char **out, struct ft_err *err)
{
    const cJSON *m = member(o, name);
    size_t n;

    *out = NULL;
    if (!m && optional)
        return FT_OK;
    if (!m)
        return ft_fail(err, FT_EINPUT, "%s: member \"%s\" is missing", where, name);
    n = cJSON_IsString(m) ? strlen(m->valuestring) : 0;
    if (n == 0 || n > max)
        return ft_fail(err, FT_EINPUT, "%s: \"%s\" is not a text of 1 to %zu bytes", where, name,
                       max);
    *out = m->valuestring;
    return FT_OK;
}

static enum ft_status get_number(const cJSON *o, const char *name, double fallback, double min,
                                 double max, const char *where, double *out, struct ft_err *err)
{
    const cJSON *m = member(o, name);

    *out = fallback;
    if (!m)
        return FT_OK;
    if (!cJSON_IsNumber(m) || !(m->valuedouble >= min && m->valuedouble <= max))
        return ft_fail(err, FT_EINPUT, "%s: \"%s\" is not a number from %g to %g", where, name, min,
                       max);
    *out = m->valuedouble;
    return FT_OK;
}

/* ---- windows -------------------------------------------------------------------------------------- */

/* "45m", "1h", "7d" in seconds; 0: none. */
static int64_t parse_window(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    int64_t unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? DAY_S : 0;

    if (text[0] < '1' || text[0] > '9' || !unit || end[1] || n > FT_WEEK_S / unit)
        return 0;
    return n * unit;
}

static void window_text(int64_t s, char out[16])
{
    if (s % DAY_S == 0 && s > DAY_S)
        snprintf(out, 16, "%d d", (int)(s / DAY_S));
    else if (s % 3600 == 0)
        snprintf(out, 16, "%d h", (int)(s / 3600));
    else
        snprintf(out, 16, "%d min", (int)(s / 60));
}

static enum ft_status add_window(struct ft_scorer *s, int64_t seconds, const char *where,
                                 struct ft_err *err)
{
    size_t i = 0;

    while (i < s->n_windows && s->window[i].seconds < seconds)
        i++;
    if (i < s->n_windows && s->window[i].seconds == seconds)
        return FT_OK;
    if (s->n_windows == FT_MAX_WINDOWS)
        return ft_fail(err, FT_EINPUT, "%s: more than %d different windows", where, FT_MAX_WINDOWS);
    memmove(&s->window[i + 1], &s->window[i], (s->n_windows - i) * sizeof(s->window[0]));
    s->window[i].seconds = seconds;
    window_text(seconds, s->window[i].text);
    s->n_windows++;
    return FT_OK;
}

/* ---- features ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum ft_make make;
    size_t n_from;
    unsigned need;
    bool category_too; /* may also be a category */
} transforms[] = {
    {"copy",        FT_MAKE_COPY,        1, FT_NEED_NUMBER, true },
    {"weekend",     FT_MAKE_WEEKEND,     1, FT_NEED_TIME,   true },
    {"year",        FT_MAKE_YEAR,        1, FT_NEED_TIME,   true },
    {"month",       FT_MAKE_MONTH,       1, FT_NEED_TIME,   true },
    {"day",         FT_MAKE_DAY,         1, FT_NEED_TIME,   true },
    {"hour",        FT_MAKE_HOUR,        1, FT_NEED_TIME,   true },
    {"minute",      FT_MAKE_MINUTE,      1, FT_NEED_TIME,   true },
    {"day_of_week", FT_MAKE_DAY_OF_WEEK, 1, FT_NEED_TIME,   true },
    {"hour_from_4", FT_MAKE_HOUR_FROM_4, 1, FT_NEED_TIME,   true },
    {"night",       FT_MAKE_NIGHT,       1, FT_NEED_TIME,   true },
    {"log1p",       FT_MAKE_LOG1P,       1, FT_NEED_NUMBER, false},
    {"distance_km", FT_MAKE_DISTANCE_KM, 4, FT_NEED_NUMBER, false},
    {"lookup",      FT_MAKE_LOOKUP,      1, 0,              true },
};

#define OVER_W (1u << FT_OVER_WINDOW)
#define OVER_T (1u << FT_OVER_TODAY)
#define OVER_L (1u << FT_OVER_LIFE)
#define OVER_C (1u << FT_OVER_CATEGORY)

static const struct {
    const char *value, *aggregate;
    unsigned over;
    enum ft_take take;
    bool scores;
} state_values[] = {
    {"transaction", "count",          OVER_W | OVER_T | OVER_L | OVER_C, FT_TAKE_COUNT,          false},
    {"transaction", "rate_ratio",     OVER_W,                            FT_TAKE_RATE_RATIO,     false},
    {"amount",      "sum",            OVER_W | OVER_T | OVER_L,          FT_TAKE_SUM,            false},
    {"amount",      "max",            OVER_W | OVER_T | OVER_L,          FT_TAKE_MAX,            false},
    {"amount",      "min",            OVER_W | OVER_T,                   FT_TAKE_MIN,            false},
    {"amount",      "mean",           OVER_W | OVER_T | OVER_L,          FT_TAKE_MEAN,           false},
    {"amount",      "std",            OVER_L,                            FT_TAKE_STD,            false},
    {"amount",      "log_ratio_mean", OVER_L | OVER_C,                   FT_TAKE_LOG_RATIO_MEAN, false},
    {"amount",      "log_ratio_max",  OVER_L,                            FT_TAKE_LOG_RATIO_MAX,  false},
    {"amount",      "deviation",      OVER_L,                            FT_TAKE_DEVIATION,      false},
    {"log_amount",  "mean",           OVER_C,                            FT_TAKE_LOG_MEAN,       false},
    {"night",       "count",          OVER_W | OVER_T | OVER_L,          FT_TAKE_NIGHT_COUNT,    false},
    {"night",       "share",          OVER_L,                            FT_TAKE_NIGHT_SHARE,    false},
    {"category",    "count",          OVER_W | OVER_T,                   FT_TAKE_SAME_CATEGORY,  false},
    {"category",    "distinct",       OVER_L,                            FT_TAKE_DISTINCT,       false},
    {"time",        "since_last",     OVER_L,                            FT_TAKE_SINCE_LAST,     false},
    {"time",        "age",            OVER_L,                            FT_TAKE_AGE,            false},
    {"score",       "last",           OVER_L,                            FT_TAKE_SCORE_LAST,     true },
    {"score",       "ewma",           OVER_L,                            FT_TAKE_SCORE_EWMA,     true },
    {"score",       "max",            OVER_W | OVER_T,                   FT_TAKE_SCORE_MAX,      true },
    {"score",       "min",            OVER_W | OVER_T,                   FT_TAKE_SCORE_MIN,      true },
    {"score",       "mean",           OVER_W | OVER_T,                   FT_TAKE_SCORE_MEAN,     true },
    {"score",       "count_above",    OVER_W | OVER_T,                   FT_TAKE_SCORE_ABOVE,    true },
};

static enum ft_status add_from(struct ft_scorer *s, struct ft_feature *f, const char *name,
                               unsigned need, struct ft_err *err)
{
    size_t i = ft_column_add(s, ft_span_of(name), need);

    if (i == FT_MAX_COLUMNS)
        return ft_fail(err, FT_ENOMEM, "more than %d columns, or no memory", FT_MAX_COLUMNS);
    s->column[i].in_header = true;
    f->from[f->n_from++] = (uint16_t)i;
    return FT_OK;
}

/* "from": a column's name or an array of them; without it the feature's own name (time columns: the time). */
static enum ft_status read_from(struct ft_scorer *s, struct ft_feature *f, const cJSON *o,
                                size_t n_want, unsigned need, const char *where, struct ft_err *err)
{
    const cJSON *from = member(o, "from");
    enum ft_status st = FT_OK;
    int n;

    if (!from && n_want == 1)
        return add_from(s, f, need & FT_NEED_TIME ? "transaction_time" : f->name, need, err);
    if (from && cJSON_IsString(from) && n_want == 1)
        return add_from(s, f, from->valuestring, need, err);
    n = cJSON_IsArray(from) ? cJSON_GetArraySize(from) : 0;
    if ((size_t)n != n_want)
        return ft_fail(err, FT_EINPUT, "%s: \"from\" must name %zu column%s", where, n_want,
                       n_want == 1 ? "" : "s");
    for (const cJSON *c = from->child; c && st == FT_OK; c = c->next) {
        if (!cJSON_IsString(c))
            return ft_fail(err, FT_EINPUT, "%s: \"from\" holds what is no text", where);
        st = add_from(s, f, c->valuestring, need, err);
    }
    return st;
}

static int compare_rows(const void *a, const void *b)
{
    const struct ft_lookup_row *x = a, *y = b;
    size_t n = x->key_n < y->key_n ? x->key_n : y->key_n;
    int c = n ? memcmp(x->key, y->key, n) : 0;

    return c ? c : (x->key_n > y->key_n) - (x->key_n < y->key_n);
}

static enum ft_status lookup_value(struct ft_lookup_row *row, const cJSON *v, bool category,
                                   const char *where, struct ft_err *err)
{
    if (category ? !cJSON_IsString(v) : !cJSON_IsNumber(v))
        return ft_fail(err, FT_EINPUT, "%s: \"table\" must hold %s", where,
                       category ? "texts" : "numbers");
    row->num = category ? (double)NAN : v->valuedouble;
    row->text = category ? copy_text(v->valuestring, strlen(v->valuestring)) : NULL;
    return category && !row->text ? no_memory(err) : FT_OK;
}

static enum ft_status read_lookup(struct ft_feature *f, const cJSON *o, const char *where,
                                  struct ft_err *err)
{
    const cJSON *table = member(o, "table"), *other = member(o, "other");
    struct ft_lookup *t;
    enum ft_status st = FT_OK;
    size_t n;

    if (!cJSON_IsObject(table))
        return ft_fail(err, FT_EINPUT, "%s: \"table\" is missing or no object", where);
    n = (size_t)cJSON_GetArraySize(table);
    t = f->lookup = calloc(1, sizeof(*t));
    if (!t || !(t->row = calloc(n + 1, sizeof(*t->row))))
        return no_memory(err);
    for (const cJSON *v = table->child; v && st == FT_OK; v = v->next) {
        struct ft_lookup_row *row = &t->row[t->n++];

        row->key_n = strlen(v->string);
        row->key = copy_text(v->string, row->key_n);
        st = row->key ? lookup_value(row, v, f->category, where, err) : no_memory(err);
    }
    if (st != FT_OK)
        return st;
    qsort(t->row, t->n, sizeof(*t->row), compare_rows);
    if (other)
        return lookup_value(&t->other, other, f->category, where, err);
    t->other.num = NAN;
    t->other.text = f->category ? copy_text("", 0) : NULL;
    return f->category && !t->other.text ? no_memory(err) : FT_OK;
}

static enum ft_status read_transform(struct ft_scorer *s, struct ft_feature *f, const cJSON *o,
                                     const char *where, struct ft_err *err)
{
    const char *name;
    size_t i = 0;
    unsigned need;
    enum ft_status st = get_text(o, "transform", true, 40, where, &name, err);

    if (st != FT_OK)
        return st;
    while (name && i < sizeof(transforms) / sizeof(transforms[0]) &&
           strcmp(transforms[i].name, name) != 0)
        i++;
    if (i == sizeof(transforms) / sizeof(transforms[0]))
        return ft_fail(err, FT_EINPUT, "%s: unknown transform \"%s\"", where, name);
    if (f->category && !transforms[i].category_too)
        return ft_fail(err, FT_EINPUT, "%s: \"%s\" gives a number, not a category", where, name);
    f->make = transforms[i].make;
    need = transforms[i].need;
    if (f->make == FT_MAKE_COPY && f->category)
        need = 0;
    st = check_members(o,
                       f->make == FT_MAKE_LOOKUP ? "name kind transform from table other"
                                                 : "name kind transform from",
                       where, err);
    if (st == FT_OK)
        st = read_from(s, f, o, transforms[i].n_from, need, where, err);
    if (st == FT_OK && f->make == FT_MAKE_LOOKUP)
        st = read_lookup(f, o, where, err);
    return st;
}

static enum ft_status read_state_feature(struct ft_scorer *s, struct ft_feature *f, const cJSON *o,
                                         int64_t *window_s, const char *where, struct ft_err *err)
{
    const char *window, *value, *aggregate;
    size_t i;
    enum ft_status st =
        check_members(o, "name kind window value aggregate empty above", where, err);

    if (st != FT_OK || (st = get_text(o, "window", false, 16, where, &window, err)) != FT_OK ||
        (st = get_text(o, "value", false, 40, where, &value, err)) != FT_OK ||
        (st = get_text(o, "aggregate", false, 40, where, &aggregate, err)) != FT_OK)
        return st;
    if (f->category)
        return ft_fail(err, FT_EINPUT, "%s: state features are numbers", where);
    *window_s = parse_window(window);
    f->over = *window_s                         ? FT_OVER_WINDOW
              : strcmp(window, "today") == 0    ? FT_OVER_TODAY
              : strcmp(window, "life") == 0     ? FT_OVER_LIFE
              : strcmp(window, "category") == 0 ? FT_OVER_CATEGORY
                                                : (enum ft_over)99;
    if (f->over > FT_OVER_CATEGORY)
        return ft_fail(err, FT_EINPUT,
                       "%s: window \"%s\" is not 1m to 7d (m, h, d), today, life or category",
                       where, window);
    for (i = 0; i < sizeof(state_values) / sizeof(state_values[0]); i++)
        if (strcmp(state_values[i].value, value) == 0 &&
            strcmp(state_values[i].aggregate, aggregate) == 0 &&
            state_values[i].over & 1u << f->over)
            break;
    if (i == sizeof(state_values) / sizeof(state_values[0]))
        return ft_fail(err, FT_EINPUT, "%s: there is no %s of \"%s\" over window \"%s\"", where,
                       aggregate, value, window);
    f->make = FT_MAKE_STATE;
    f->take = state_values[i].take;
    s->keeps_scores |= state_values[i].scores;
    if (member(o, "above") && f->take != FT_TAKE_SCORE_ABOVE)
        return ft_fail(err, FT_EINPUT, "%s: \"above\" belongs to count_above", where);
    st = get_number(o, "above", -2, -1000, 1000, where, &f->above, err);
    if (st == FT_OK)
        st = get_number(o, "empty", NAN, -1e30, 1e30, where, &f->empty, err);
    if (st == FT_OK && *window_s)
        st = add_window(s, *window_s, where, err);
    return st;
}

static enum ft_status read_stage_feature(struct ft_scorer *s, struct ft_feature *f, const cJSON *o,
                                         size_t stage, const char *where, struct ft_err *err)
{
    const char *name;
    enum ft_status st = check_members(o, "name kind stage", where, err);

    if (st != FT_OK || (st = get_text(o, "stage", false, 60, where, &name, err)) != FT_OK)
        return st;
    if (f->category)
        return ft_fail(err, FT_EINPUT, "%s: a stage's log-odds are a number", where);
    f->make = FT_MAKE_STAGE;
    for (f->stage = 0; f->stage < stage; f->stage++)
        if (strcmp(s->stage[f->stage].name, name) == 0)
            return FT_OK;
    return ft_fail(err, FT_EINPUT, "%s: no earlier stage is called \"%s\"", where, name);
}

static enum ft_status read_feature(struct ft_scorer *s, size_t stage, struct ft_feature *f,
                                   const cJSON *o, int64_t *window_s, struct ft_err *err)
{
    char where[160];
    const char *name, *kind;
    enum ft_status st;

    snprintf(where, sizeof(where), "stage \"%.40s\", feature %zu", s->stage[stage].name,
             s->stage[stage].n_features + 1);
    if (!cJSON_IsObject(o))
        return ft_fail(err, FT_EINPUT, "%s: not an object", where);
    if ((st = get_text(o, "name", false, 1000, where, &name, err)) != FT_OK ||
        (st = get_text(o, "kind", true, 20, where, &kind, err)) != FT_OK)
        return st;
    snprintf(where, sizeof(where), "stage \"%.40s\", feature \"%.60s\"", s->stage[stage].name,
             name);
    if (kind && strcmp(kind, "number") != 0 && strcmp(kind, "category") != 0)
        return ft_fail(err, FT_EINPUT, "%s: kind \"%s\" is neither number nor category", where,
                       kind);
    f->category = kind && strcmp(kind, "category") == 0;
    f->name_n = strlen(name);
    f->name = copy_text(name, f->name_n);
    f->flat = SIZE_MAX;
    if (!f->name)
        return no_memory(err);
    if (member(o, "stage"))
        return read_stage_feature(s, f, o, stage, where, err);
    if (member(o, "window"))
        return read_state_feature(s, f, o, window_s, where, err);
    return read_transform(s, f, o, where, err);
}

/* ---- stages --------------------------------------------------------------------------------------- */

static bool is_file_name(const char *name)
{
    return name[0] != '.' && !strchr(name, '/');
}

static enum ft_status read_stage_head(struct ft_stage *g, const cJSON *o, struct ft_err *err)
{
    const char *name, *file, *sha;
    enum ft_status st;

    if (!cJSON_IsObject(o))
        return ft_fail(err, FT_EINPUT, "stages: not an object");
    if ((st = check_members(o, "name file sha256 features note", "stages", err)) != FT_OK ||
        (st = get_text(o, "name", false, 40, "stages", &name, err)) != FT_OK ||
        (st = get_text(o, "file", true, 200, "stages", &file, err)) != FT_OK ||
        (st = get_text(o, "sha256", true, 64, "stages", &sha, err)) != FT_OK)
        return st;
    if (file && !is_file_name(file))
        return ft_fail(err, FT_EINPUT,
                       "stage \"%s\": \"%s\" is not the name of a file in the model's folder", name,
                       file);
    if (sha && (strlen(sha) != 64 || strspn(sha, "0123456789abcdef") != 64))
        return ft_fail(err, FT_EINPUT, "stage \"%s\": sha256 is not 64 hexadecimal digits", name);
    g->name = copy_text(name, strlen(name));
    g->file = file ? copy_text(file, strlen(file)) : NULL;
    g->sha256 = sha ? copy_text(sha, strlen(sha)) : NULL;
    return !g->name || (file && !g->file) || (sha && !g->sha256) ? no_memory(err) : FT_OK;
}

static enum ft_status check_names(const struct ft_stage *g, struct ft_err *err)
{
    for (size_t i = 0; i < g->n_features; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(g->feature[i].name, g->feature[j].name) == 0)
                return ft_fail(err, FT_EINPUT, "stage \"%s\": feature \"%.60s\" stands twice",
                               g->name, g->feature[i].name);
    return FT_OK;
}

/* window_s keeps each feature's window until all are known and sorted. */
static enum ft_status read_features(struct ft_scorer *s, size_t stage, const cJSON *list,
                                    int64_t *window_s, struct ft_err *err)
{
    struct ft_stage *g = &s->stage[stage];
    enum ft_status st = FT_OK;

    for (const cJSON *o = list->child; o && st == FT_OK; o = o->next) {
        struct ft_feature *f = &g->feature[g->n_features];

        st = read_feature(s, stage, f, o, &window_s[g->n_features], err);
        g->n_features++;
        g->has_state |= f->make == FT_MAKE_STATE;
        g->has_scores |= f->make == FT_MAKE_STATE && f->take >= FT_TAKE_SCORE_LAST;
    }
    return st == FT_OK ? check_names(g, err) : st;
}

static void bind_windows(const struct ft_scorer *s, struct ft_stage *g, const int64_t *window_s)
{
    for (size_t i = 0; i < g->n_features; i++)
        for (size_t w = 0; w < s->n_windows; w++)
            if (s->window[w].seconds == window_s[i])
                g->feature[i].window = w;
}

static enum ft_status read_stages(struct ft_scorer *s, const cJSON *list, struct ft_err *err)
{
    int64_t *window_s[FT_MAX_STAGES] = {NULL};
    enum ft_status st = FT_OK;

    if (!cJSON_IsArray(list) || !list->child || cJSON_GetArraySize(list) > FT_MAX_STAGES)
        return ft_fail(err, FT_EINPUT, "\"stages\" is not an array of 1 to %d stages",
                       FT_MAX_STAGES);
    for (const cJSON *o = list->child; o && st == FT_OK; o = o->next) {
        struct ft_stage *g = &s->stage[s->n_stages];
        const cJSON *features = member(o, "features");
        int n = cJSON_IsArray(features) ? cJSON_GetArraySize(features) : 0;

        st = read_stage_head(g, o, err);
        s->n_stages++;
        if (st != FT_OK)
            break;
        if (n < 1 || n > 4096) {
            st = ft_fail(err, FT_EINPUT,
                         "stage \"%s\": \"features\" is not an array of 1 to 4096 features",
                         g->name);
            break;
        }
        g->feature = calloc((size_t)n, sizeof(*g->feature));
        window_s[s->n_stages - 1] = calloc((size_t)n, sizeof(int64_t));
        if (!g->feature || !window_s[s->n_stages - 1])
            st = no_memory(err);
        else
            st = read_features(s, s->n_stages - 1, features, window_s[s->n_stages - 1], err);
    }
    for (size_t i = 0; i < s->n_stages && st == FT_OK; i++)
        bind_windows(s, &s->stage[i], window_s[i]);
    for (size_t i = 0; i < FT_MAX_STAGES; i++)
        free(window_s[i]);
    return st;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static enum ft_status read_required(struct ft_scorer *s, const cJSON *list, struct ft_err *err)
{
    if (!list)
        return FT_OK;
    if (!cJSON_IsArray(list))
        return ft_fail(err, FT_EINPUT, "\"required\" is not an array of column names");
    for (const cJSON *c = list->child; c; c = c->next) {
        size_t i;

        if (!cJSON_IsString(c))
            return ft_fail(err, FT_EINPUT, "\"required\" holds what is no text");
        i = ft_column_add(s, ft_span_of(c->valuestring), 0);
        if (i == FT_MAX_COLUMNS)
            return ft_fail(err, FT_ENOMEM, "more than %d columns, or no memory", FT_MAX_COLUMNS);
        s->column[i].required = s->column[i].in_header = true;
    }
    return FT_OK;
}

static enum ft_status read_state(struct ft_scorer *s, const cJSON *o, struct ft_err *err)
{
    double gap_days = GAP_DAYS_DEFAULT, history = 0;
    enum ft_status st;

    if (o && !cJSON_IsObject(o))
        return ft_fail(err, FT_EINPUT, "\"state\" is not an object");
    if (o) {
        if ((st = check_members(o, "gap_days history", "state", err)) != FT_OK ||
            (st = get_number(o, "gap_days", GAP_DAYS_DEFAULT, 7, (double)(FT_GAP_MAX_S / DAY_S),
                             "state", &gap_days, err)) != FT_OK ||
            (st = get_number(o, "history", 0, 0, HISTORY_MAX, "state", &history, err)) != FT_OK)
            return st;
    }
    s->gap_s = (int64_t)gap_days * DAY_S;
    s->n_history = (size_t)history;
    return FT_OK;
}

/* What the state itself is made of. */
static enum ft_status add_state_columns(struct ft_scorer *s, struct ft_err *err)
{
    static const struct {
        const char *name;
        unsigned need;
        bool required;
    } of[] = {
        {"transaction_time", FT_NEED_TIME,   true },
        {"amount",           FT_NEED_AMOUNT, true },
        {"cat_id",           0,              false},
        {"merch",            0,              false},
        {"name_1",           0,              false},
        {"name_2",           0,              false},
        {"street",           0,              false},
    };
    uint16_t at[7] = {0};

    for (size_t i = 0; i < 7; i++) {
        size_t c;

        if (i == 3 && !s->n_history)
            continue;
        c = ft_column_add(s, ft_span_of(of[i].name), of[i].need);
        if (c == FT_MAX_COLUMNS)
            return ft_fail(err, FT_ENOMEM, "more than %d columns, or no memory", FT_MAX_COLUMNS);
        at[i] = (uint16_t)c;
        s->column[c].in_header = true;
        s->column[c].required |= of[i].required;
    }
    s->at_time = at[0];
    s->at_amount = at[1];
    s->at_category = at[2];
    s->at_merchant = at[3];
    return FT_OK;
}

enum ft_status ft_manifest_finish(struct ft_scorer *s, struct ft_err *err)
{
    struct ft_stage *first = &s->stage[0];
    size_t amount;

    for (size_t i = 0; i < s->n_stages; i++)
        s->has_customer |= s->stage[i].has_state;
    s->has_customer |= s->n_history > 0;
    if (s->has_customer && add_state_columns(s, err) != FT_OK)
        return FT_ENOMEM;
    if (first->has_scores)
        return ft_fail(err, FT_EINPUT,
                       "stage \"%s\": the first stage cannot be made of its own earlier scores",
                       first->name);
    s->row_by_row = s->keeps_scores && first->has_state;
    /* A bad amount is never scored, whether the model looks at it or not. */
    amount = ft_column_add(s, FT_SPAN("amount"), FT_NEED_AMOUNT);
    if (amount == FT_MAX_COLUMNS)
        return no_memory(err);
    s->need_header = calloc(s->n_columns, sizeof(*s->need_header));
    s->required = calloc(s->n_columns, sizeof(*s->required));
    if (!s->need_header || !s->required)
        return no_memory(err);
    for (size_t i = 0; i < s->n_columns; i++) {
        if (s->column[i].in_header)
            s->need_header[s->n_need_header++] = s->column[i].name;
        if (s->column[i].required)
            s->required[s->n_required++] = s->column[i].name;
    }
    for (int i = 0; i < 300; i++) {
        char text[8];
        int n = snprintf(text, sizeof(text), "%d", i < 100 ? i : FT_YEAR_0 + i - 100);

        *(i < 100 ? &s->hash_small[i] : &s->hash_year[i - 100]) = fc_cat_hash(text, (size_t)n);
    }
    return FT_OK;
}

static enum ft_status read_manifest(struct ft_scorer *s, const cJSON *o, struct ft_err *err)
{
    const char *name, *version;
    double format, threshold;
    enum ft_status st;

    if (!cJSON_IsObject(o))
        return ft_fail(err, FT_EINPUT, "not a JSON object");
    if ((st =
             check_members(o,
                           "format name version description origin threshold required stages state "
                           "metrics check",
                           "manifest", err)) != FT_OK ||
        (st = get_number(o, "format", 0, 1, 1, "manifest", &format, err)) != FT_OK ||
        (st = get_text(o, "name", false, 60, "manifest", &name, err)) != FT_OK ||
        (st = get_text(o, "version", false, 40, "manifest", &version, err)) != FT_OK ||
        (st = get_number(o, "threshold", 0.5, -1e30, 1e30, "manifest", &threshold, err)) != FT_OK)
        return st;
    if (format != 1)
        return ft_fail(err, FT_EINPUT, "manifest: \"format\" must be 1");
    s->name = copy_text(name, strlen(name));
    s->version = copy_text(version, strlen(version));
    s->info.threshold = threshold;
    if (!s->name || !s->version)
        return no_memory(err);
    if ((st = read_required(s, member(o, "required"), err)) != FT_OK ||
        (st = read_state(s, member(o, "state"), err)) != FT_OK ||
        (st = read_stages(s, member(o, "stages"), err)) != FT_OK)
        return st;
    return ft_manifest_finish(s, err);
}

/* Of a text that cJSON gave up: whether that was for want of memory (and even this may lack it). */
static bool is_json(struct ft_span text)
{
    char *scratch = malloc(text.n + 1);
    struct ft_json_value v;
    struct ft_json j;
    bool good = true;

    if (scratch) {
        ft_json_start(&j, text, scratch);
        good = ft_json_value(&j, &v) && ft_json_ended(&j) && !j.nonfinite;
    }
    free(scratch);
    return good;
}

enum ft_status ft_manifest_parse(struct ft_scorer *s, struct ft_span text, cJSON **tree,
                                 struct ft_err *err)
{
    const char *end = text.p;

    *tree = NULL;
    if (text.n > FT_MANIFEST_MAX)
        return ft_fail(err, FT_EINPUT, "larger than %u bytes", FT_MANIFEST_MAX);
    if (ft_utf8_check(text) >= 0)
        return ft_fail(err, FT_EINPUT, "byte %ld is not UTF-8", ft_utf8_check(text));
    *tree = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
    if (!*tree && is_json(text))
        return no_memory(err);
    while (*tree && end < text.p + text.n && memchr(" \t\r\n", *end, 4))
        end++;
    if (!*tree || end != text.p + text.n)
        return ft_fail(err, FT_EINPUT, "not JSON at byte %td", end ? end - text.p : 0);
    return read_manifest(s, *tree, err);
}
