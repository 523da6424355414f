#include <math.h>
#include <stdlib.h>

#include "eval.h"

#include <string.h>

#define FEW_ROWS 8 /* up to here rows go one by one */

/* ---- which code runs ---- */

static bool always(void)
{
    return true;
}

#if FC_HAS_X86
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

static bool has_vbmi(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vbmi");
}
#endif

static const struct fc_path paths[] = {
  /* the best comes first */
#if FC_HAS_X86
    {"avx512vbmi", fc_columns_avx512,   fc_trees_vbmi,     fc_play_avx512,   has_vbmi  },
    {"avx512",     fc_columns_avx512,   fc_trees_avx512,   fc_play_avx512,   has_avx512},
    {"avx2",       fc_columns_avx2,     fc_trees_avx2,     fc_play_avx2,     has_avx2  },
#endif
    {"portable",   fc_columns_portable, fc_trees_portable, fc_play_portable, always    },
};

bool fc_scratch_use(struct fc_scratch *s, const char *path)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if ((!path || strcmp(path, paths[i].name) == 0) && paths[i].runs_here()) {
            s->path = &paths[i];
            return true;
        }
    return false;
}

const char *fc_scratch_path(const struct fc_scratch *s)
{
    return s->path->name;
}

/* ---- rows ---- */

struct fc_scratch *fc_scratch_new(const struct fc_model *m, size_t max_rows)
{
    struct fc_scratch *s = calloc(1, sizeof(*s));
    size_t blocks;
    int32_t empty = fc_cat_hash("", 0);

    if (!s)
        return NULL;
    if (max_rows < 1)
        max_rows = 1;
    if (max_rows > FC_MAX_ROWS)
        max_rows = FC_MAX_ROWS;
    blocks = (max_rows + FC_LANES - 1) / FC_LANES;
    s->m = m;
    s->plan = m->plan;
    s->input = m->plan->input;
    s->n_features = m->info.n_features;
    s->max_rows = max_rows;
    fc_scratch_use(s, NULL);
    s->block_bytes = (size_t)m->plan->n_slots * FC_LANES * 4;
    s->values = fc_arena_get(&s->arena, blocks, s->block_bytes);
    s->column = fc_arena_get(&s->arena, m->plan->n_columns, FC_LANES);
    if (!s->values || !s->column) {
        fc_scratch_free(s);
        return NULL;
    }
    for (size_t f = 0; f < s->n_features; f++)
        for (size_t row = 0; s->input[f].kind != FC_SLOT_NONE && row < max_rows; row++) {
            fc_put_num(s, row, f, NAN); /* nothing put: missing */
            fc_put_cat_hash(s, row, f, empty);
        }
    return s;
}

void fc_scratch_free(struct fc_scratch *s)
{
    if (!s)
        return;
    fc_arena_free(&s->arena);
    free(s);
}

static inline unsigned char *value_at(struct fc_scratch *s, size_t row, uint32_t slot)
{
    return s->values + row / FC_LANES * s->block_bytes +
           ((size_t)slot * FC_LANES + row % FC_LANES) * 4;
}

void fc_put_num(struct fc_scratch *s, size_t row, size_t feature, double value)
{
    const struct fc_input *in;
    float v = (float)value;

    if (feature >= s->n_features || row >= s->max_rows)
        return;
    in = &s->input[feature];
    if (in->kind == FC_SLOT_NUM)
        *(float *)(void *)value_at(s, row, in->slot) = isnan(v) ? in->nan : v;
}

void fc_put_cat_hash(struct fc_scratch *s, size_t row, size_t feature, int32_t hash)
{
    if (feature < s->n_features && row < s->max_rows && s->input[feature].kind == FC_SLOT_CAT)
        *(int32_t *)(void *)value_at(s, row, s->input[feature].slot) = hash;
}

void fc_put_cat(struct fc_scratch *s, size_t row, size_t feature, const char *text, size_t n)
{
    if (feature < s->n_features && row < s->max_rows && s->input[feature].kind == FC_SLOT_CAT)
        *(int32_t *)(void *)value_at(s, row, s->input[feature].slot) = fc_cat_hash(text, n);
}

static void eval_block(struct fc_scratch *s, const unsigned char *values, size_t n, double *raw)
{
    double all[FC_LANES];

    if (n <= FEW_ROWS) {
        for (size_t r = 0; r < n; r++) {
            fc_row_columns(s->plan, values + 4 * r, s->column);
            raw[r] = fc_row_raw(s->plan, s->column);
        }
        return;
    }
    s->path->columns(s->plan, values, s->column);
    s->path->trees(s->plan, s->column, all);
    memcpy(raw, all, n * sizeof(*raw));
}

void fc_eval(const struct fc_model *m, struct fc_scratch *s, size_t n_rows, double *raw)
{
    (void)m;
    if (n_rows > s->max_rows)
        n_rows = s->max_rows;
    for (size_t from = 0; from < n_rows; from += FC_LANES)
        eval_block(s, s->values + from / FC_LANES * s->block_bytes,
                   n_rows - from < FC_LANES ? n_rows - from : FC_LANES, raw + from);
}

double fc_sigmoid(double raw)
{
    return 1.0 / (1.0 + exp(-raw));
}
