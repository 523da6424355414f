#include "model.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "explain.h"

static const struct fc_text *meta(const struct fc_model *m, const char *key, size_t n)
{
    for (size_t i = 0; i < m->src.n_meta; i++)
        if (m->src.meta[i].key.n == n && (n == 0 || memcmp(m->src.meta[i].key.p, key, n) == 0))
            return &m->src.meta[i].value;
    return NULL;
}

/* The loss: params.loss_function.type, or loss_function.type in summed models. */
static enum fc_status read_loss(struct fc_model *m, struct fc_err *err)
{
    static const char *const keys[] = {"params", "loss_function"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct fc_text *text = meta(m, keys[i], strlen(keys[i]));
        cJSON *root = text ? cJSON_ParseWithLength(text->p, text->n) : NULL;
        cJSON *loss = i == 0 ? cJSON_GetObjectItemCaseSensitive(root, "loss_function") : root;
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(loss, "type"));
        size_t at;

        if (text && !root &&
            fc_is_json(text->p, text->n, &at)) /* text that is none means nothing */
            return fc_no_memory(err);
        if (type)
            m->info.is_probability =
                strcmp(type, "Logloss") == 0 || strcmp(type, "CrossEntropy") == 0;
        cJSON_Delete(root);
        if (type)
            break;
    }
    return FC_OK;
}

static bool looks_like_json(const unsigned char *p, size_t n)
{
    size_t i = n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
        i++;
    return i < n && p[i] == '{';
}

static enum fc_status read_any(struct fc_model *m, struct fc_arena *tmp, const void *bytes,
                               size_t n, struct fc_err *err)
{
    if (n > FC_MAX_BYTES)
        return fc_fail(err, FC_EFORMAT, "%zu bytes; at most %zu are taken", n, FC_MAX_BYTES);
    if (n == 0)
        return fc_fail(err, FC_EFORMAT, "an empty file, not a model");
    if (n >= 4 && memcmp(bytes, "CBM1", 4) == 0)
        return fc_cbm_read(m, tmp, bytes, n, err);
    if (looks_like_json(bytes, n))
        return fc_json_read(m, tmp, bytes, n, err);
    return fc_fail(err, FC_EFORMAT,
                   "not a CatBoost model: neither CBM1 nor a JSON object at its beginning");
}

enum fc_status fc_model_load(struct fc_model **out, const void *bytes, size_t n, struct fc_err *err)
{
    struct fc_model *m = calloc(1, sizeof(*m));
    struct fc_arena tmp = {0};
    enum fc_status st;

    *out = NULL;
    if (!m)
        return fc_no_memory(err);
    m->src.n_bytes = n;
    m->src.symmetric = true;
    st = read_any(m, &tmp, bytes, n, err);
    if (st == FC_OK)
        st = fc_link(m, &tmp, err);
    if (st == FC_OK)
        st = fc_plan_make(m, &tmp, err);
    if (st == FC_OK)
        st = fc_explain_make(m, &tmp, err);
    if (st == FC_OK)
        st = read_loss(m, err);
    fc_arena_free(&tmp);
    if (st != FC_OK) {
        fc_model_free(m);
        return st;
    }
    *out = m;
    return FC_OK;
}

void fc_model_free(struct fc_model *m)
{
    if (!m)
        return;
    fc_explain_free(m);
    fc_arena_free(&m->arena);
    free(m);
}

const struct fc_info *fc_model_info(const struct fc_model *m)
{
    return &m->info;
}

const struct fc_feature *fc_model_feature(const struct fc_model *m, size_t i)
{
    return i < m->info.n_features ? &m->feature[i] : NULL;
}

long fc_model_find(const struct fc_model *m, const char *name, size_t n)
{
    size_t from = 0, to = m->n_names;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const struct fc_feature *f = &m->feature[m->by_name[mid]];
        size_t least = f->name_n < n ? f->name_n : n;
        int c = least ? memcmp(f->name, name, least) : 0;

        if (c == 0)
            c = (f->name_n > n) - (f->name_n < n);
        if (c == 0)
            return (long)m->by_name[mid];
        if (c < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return -1;
}

const char *fc_model_meta(const struct fc_model *m, const char *key, size_t *n)
{
    const struct fc_text *value = meta(m, key, strlen(key));

    if (n)
        *n = value ? value->n : 0;
    return value ? value->p : NULL;
}

bool fc_model_meta_at(const struct fc_model *m, size_t i, const char **key, size_t *key_n,
                      const char **value, size_t *value_n)
{
    if (i >= m->src.n_meta)
        return false;
    *key = m->src.meta[i].key.p;
    *key_n = m->src.meta[i].key.n;
    *value = m->src.meta[i].value.p;
    *value_n = m->src.meta[i].value.n;
    return true;
}
