/*
 * The model vectors of tests/data/catboost: models that CatBoost 1.2.8 wrote, rows, and what CatBoost says of them.
 * manifest.json lists them.  What is loaded here is never released: a test ends with it.
 */
#ifndef FT_VECTORS_H
#define FT_VECTORS_H

#include <cjson/cJSON.h>

#include "fraudcore.h"
#include "ft_test.h"

#ifndef VECTORS /* others of the same kinds can be tried */
#define VECTORS FT_SOURCE_DIR "/tests/data/catboost/"
#endif

static inline char *vectors_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *p;
    long size;

    *n = 0;
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    p = malloc((size_t)size + 1);
    assert_non_null(p);
    *n = fread(p, 1, (size_t)size, f);
    assert_int_equal(*n, size);
    p[*n] = '\0';
    fclose(f);
    return p;
}

/* Remembers what is never released, so that it is not taken for a leak. */
static inline void vectors_keep(void *text, void *cells)
{
    static struct kept {
        void *text, *cells;
        struct kept *next;
    } * first;
    struct kept *k = malloc(sizeof(*k));

    assert_non_null(k);
    *k = (struct kept){text, cells, first};
    first = k;
}

/* A small CSV file: cell[row * n_cols + col]; row 0 is the header. */
struct table {
    char **cell;
    size_t n_rows, n_cols;
};

static inline struct table vectors_csv(const char *path)
{
    struct table t = {0};
    size_t n, n_cells = 0;
    char *p = vectors_file(path, &n), *w;

    if (!p)
        return t;
    t.cell = malloc((n + 1) * sizeof(*t.cell));
    assert_non_null(t.cell);
    vectors_keep(p, t.cell);
    while (*p) {
        bool quoted = *p == '"', last;

        t.cell[n_cells++] = w = p;
        p += quoted;
        while (*p && (quoted || (*p != ',' && *p != '\n' && *p != '\r'))) {
            if (quoted && *p == '"' && *++p != '"')
                break;
            *w++ = *p++;
        }
        last = *p != ',';
        p += *p == '\r' && p[1] == '\n' ? 2 : *p != '\0';
        *w = '\0';
        if (last && t.n_rows++ == 0)
            t.n_cols = n_cells;
    }
    assert_int_equal(n_cells, t.n_rows * t.n_cols);
    return t;
}

static inline const char *cell(const struct table *t, size_t row, size_t col)
{
    return t->cell[row * t->n_cols + col];
}

static inline struct fc_model *vectors_load(const char *path)
{
    struct fc_model *m;
    struct fc_err err;
    size_t n;
    char *bytes = vectors_file(path, &n);

    assert_non_null(bytes);
    if (fc_model_load(&m, bytes, n, &err) != FC_OK)
        fail_msg("%s: %s", path, err.text);
    free(bytes);
    return m;
}

/* Puts row (from 0) of the table, whose columns stand in the order of the model's features. */
static inline void vectors_put(const struct fc_model *m, struct fc_scratch *s, size_t at,
                               const struct table *rows, size_t row)
{
    for (size_t f = 0; f < rows->n_cols; f++) {
        const char *text = cell(rows, row + 1, f);
        const struct fc_feature *feature = fc_model_feature(m, f);

        if (feature && feature->kind == FC_CATEGORICAL)
            fc_put_cat(s, at, f, text, strlen(text));
        else
            fc_put_num(s, at, f, *text ? strtod(text, NULL) : (double)NAN);
    }
}

static inline cJSON *vectors_manifest(void)
{
    size_t n;
    char *text = vectors_file(VECTORS "manifest.json", &n);
    cJSON *root = cJSON_Parse(text);

    assert_non_null(root);
    vectors_keep(text, root);
    return root;
}

static inline const char *vectors_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static inline double vectors_number(const cJSON *object, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static inline bool vectors_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

#endif
