/*
 * The JSON form of a model (catboost-model, section 12).  Numbers that are f32 in the binary form are written with
 * more digits: they are read as f64 and rounded.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "model.h"

#define MAX_JSON_BYTES ((size_t)256 << 20) /* a parsed file takes up to thirty times its size */

struct json {
    struct fc_source *s;
    struct fc_arena *keep, *tmp;
    struct fc_interner in;
    enum fc_status st; /* the first fault; from then on every read gives 0 or nothing */
    struct fc_err *err;
};

static const cJSON *get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNull(item) ? NULL : item;
}

static void bad(struct json *j, const char *what, const char *key)
{
    if (j->st == FC_OK)
        j->st = fc_fail(j->err, FC_EFORMAT, "JSON model: %s: %s", key, what);
}

static void *room(struct json *j, size_t n, size_t size)
{
    void *p = j->st == FC_OK ? fc_arena_get(j->keep, n, size) : NULL;

    if (!p && j->st == FC_OK)
        j->st = fc_no_memory(j->err);
    return p;
}

static double to_number(struct json *j, const cJSON *item, const char *key)
{
    if (j->st == FC_OK && !cJSON_IsNumber(item))
        bad(j, "not a number", key);
    return j->st == FC_OK ? item->valuedouble : 0;
}

static int32_t to_int(struct json *j, const cJSON *item, const char *key)
{
    double v = to_number(j, item, key);

    if (!(v >= INT32_MIN && v <= INT32_MAX && v == floor(v))) {
        bad(j, "not a whole number of 32 bits", key);
        return 0;
    }
    return (int32_t)v;
}

static double number(struct json *j, const cJSON *object, const char *key)
{
    return to_number(j, get(object, key), key);
}

static float single(struct json *j, const cJSON *object, const char *key)
{
    return (float)number(j, object, key);
}

static int32_t integer(struct json *j, const cJSON *object, const char *key)
{
    return to_int(j, get(object, key), key);
}

static const char *word(struct json *j, const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(get(object, key));

    if (!text)
        bad(j, "not a text", key);
    return text ? text : "";
}

/* A list that may be missing; its length is in *n. */
static const cJSON *list(struct json *j, const cJSON *object, const char *key, size_t *n)
{
    const cJSON *item = get(object, key);

    *n = 0;
    if (item && !cJSON_IsArray(item))
        bad(j, "not a list", key);
    if (!item || j->st != FC_OK)
        return NULL;
    *n = (size_t)cJSON_GetArraySize(item);
    return item;
}

static struct fc_text text(struct json *j, const char *p)
{
    struct fc_text t = {p, strlen(p)};

    t.p = j->st == FC_OK ? fc_arena_text(j->keep, p, t.n) : NULL;
    if (!t.p && j->st == FC_OK)
        j->st = fc_no_memory(j->err);
    return t.p ? t : (struct fc_text){"", 0};
}

static float *singles(struct json *j, const cJSON *object, const char *key, uint32_t *n)
{
    size_t size, i = 0;
    const cJSON *items = list(j, object, key, &size), *item;
    float *out = room(j, size, sizeof(*out));

    *n = 0;
    if (!out)
        return NULL;
    cJSON_ArrayForEach(item, items) out[i++] = (float)to_number(j, item, key);
    *n = (uint32_t)size;
    return out;
}

/* ---- features ---- */

static int8_t nan_treatment(struct json *j, const cJSON *object)
{
    static const char *const names[] = {"AsIs", "AsFalse", "AsTrue"};
    const char *name;

    if (!get(object, "nan_value_treatment"))
        return FC_NAN_AS_IS;
    name = word(j, object, "nan_value_treatment");
    for (int8_t i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    bad(j, "not AsIs, AsFalse or AsTrue", "nan_value_treatment");
    return FC_NAN_AS_IS;
}

static struct fc_text feature_name(struct json *j, const cJSON *object)
{
    return get(object, "feature_id") ? text(j, word(j, object, "feature_id"))
                                     : (struct fc_text){"", 0};
}

static void read_nums(struct json *j, const cJSON *info)
{
    size_t n;
    const cJSON *items = list(j, info, "float_features", &n), *item;
    struct fc_num *f = j->s->num = room(j, n, sizeof(*f));

    if (!f)
        return;
    j->s->n_nums = n;
    cJSON_ArrayForEach(item, items)
    {
        f->index = integer(j, item, "feature_index");
        f->flat = integer(j, item, "flat_feature_index");
        f->name = feature_name(j, item);
        f->has_nans = cJSON_IsTrue(get(item, "has_nans"));
        f->nan = nan_treatment(j, item);
        f->border = singles(j, item, "borders", &f->n_borders);
        f++;
    }
}

/* A categorical feature that has values is a one-hot feature, too. */
static void read_cats(struct json *j, const cJSON *info)
{
    size_t n;
    const cJSON *items = list(j, info, "categorical_features", &n), *item, *value;
    struct fc_cat *f = j->s->cat = room(j, n, sizeof(*f));

    j->s->hot = room(j, n, sizeof(*j->s->hot));
    if (!f || !j->s->hot)
        return;
    j->s->n_cats = n;
    cJSON_ArrayForEach(item, items)
    {
        const cJSON *values = list(j, item, "values", &n);

        f->index = integer(j, item, "feature_index");
        f->flat = integer(j, item, "flat_feature_index");
        f->name = feature_name(j, item);
        if (values) {
            struct fc_one_hot *hot = &j->s->hot[j->s->n_hots++];
            uint32_t i = 0;

            hot->cat = f->index;
            hot->value = room(j, n, sizeof(*hot->value));
            for (value = values->child; value && hot->value; value = value->next)
                hot->value[i++] = to_int(j, value, "values");
            hot->n_values = i;
        }
        f++;
    }
}

/* ---- CTRs ---- */

/* What is kept of the members goes in the model: once for each CTR feature and table. */
static uint32_t projection(struct json *j, const cJSON *members)
{
    const cJSON *item;
    size_t n = (size_t)cJSON_GetArraySize(members);
    struct fc_projection p = {.cat = room(j, n, sizeof(*p.cat)),
                              .num = room(j, n, sizeof(*p.num)),
                              .hot = room(j, n, sizeof(*p.hot))};

    if (j->st != FC_OK)
        return 0;
    cJSON_ArrayForEach(item, members)
    {
        const char *kind = word(j, item, "combination_element");

        if (strcmp(kind, "cat_feature_value") == 0) {
            p.cat[p.n_cats++] = integer(j, item, "cat_feature_index");
        } else if (strcmp(kind, "float_feature") == 0) {
            float border = single(j, item, "border") + 0.0f; /* -0 is 0 */

            if (border != border)
                bad(j, "not a number", "border");
            p.num[p.n_nums++] = (struct fc_num_split){
                .index = integer(j, item, "float_feature_index"), .border = border};
        } else if (strcmp(kind, "cat_feature_exact_value") == 0) {
            p.hot[p.n_hots++] = (struct fc_hot_split){integer(j, item, "cat_feature_index"),
                                                      integer(j, item, "value")};
        } else {
            bad(j, "not a known member of a combination", "combination_element");
        }
    }
    return j->st == FC_OK ? fc_projection_number(&j->in, j->s, &p) : 0;
}

static int32_t ctr_type(struct json *j, const char *name)
{
    for (int32_t i = 0; i < FC_N_CTR_TYPES; i++)
        if (strcmp(name, fc_ctr_type_name[i]) == 0)
            return i;
    bad(j, "a CTR type that is not known", "ctr_type");
    return 0;
}

static void read_ctrs(struct json *j, const cJSON *info)
{
    size_t n, n_members;
    const cJSON *items = list(j, info, "ctrs", &n), *item;
    struct fc_ctr *c = j->s->ctr = room(j, n, sizeof(*c));

    if (!c)
        return;
    j->s->n_ctrs = n;
    cJSON_ArrayForEach(item, items)
    {
        c->projection = projection(j, list(j, item, "elements", &n_members));
        c->type = ctr_type(j, word(j, item, "ctr_type"));
        c->target_border = integer(j, item, "target_border_idx");
        c->prior_num = single(j, item, "prior_numerator");
        c->prior_denom = single(j, item, "prior_denomerator");
        c->shift = single(j, item, "shift");
        c->scale = single(j, item, "scale");
        c->border = singles(j, item, "borders", &c->n_borders);
        c++;
    }
}

/* The name of a table is JSON itself: {"identifier":[members],"type":"Borders"}. */
static void read_key(struct json *j, struct fc_ctr_table *t, const char *name)
{
    cJSON *key = cJSON_Parse(name);
    size_t n, at;

    if (!key && j->st == FC_OK && fc_is_json(name, strlen(name), &at))
        j->st = fc_no_memory(j->err);
    else if (!key)
        bad(j, "a table whose name is not JSON", "ctr_data");
    else {
        t->projection = projection(j, list(j, key, "identifier", &n));
        t->type = ctr_type(j, word(j, key, "type"));
    }
    cJSON_Delete(key);
}

static void put32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> 8 * i);
}

/* A count, or the sum of a mean (f32), in the form that tables have in the binary form. */
static void read_count(struct json *j, const cJSON *item, bool is_sum, unsigned char *to)
{
    uint32_t bits;

    if (is_sum) {
        float v = (float)to_number(j, item, "hash_map");

        memcpy(&bits, &v, sizeof(bits));
    } else {
        bits = (uint32_t)to_int(j, item, "hash_map");
    }
    put32(to, bits);
}

static uint64_t read_hash(struct json *j, const cJSON *item)
{
    const char *digits = cJSON_GetStringValue(item);
    uint64_t v = 0;

    if (!digits || !*digits || strlen(digits) > 20) {
        bad(j, "a hash that is no decimal text", "hash_map");
        return 0;
    }
    for (; *digits; digits++) {
        unsigned d = (unsigned)(*digits - '0');

        if (d > 9 || v > UINT64_MAX / 10 || (v == UINT64_MAX / 10 && d > UINT64_MAX % 10)) {
            bad(j, "a hash that is no number of 64 bits", "hash_map");
            return 0;
        }
        v = 10 * v + d;
    }
    return v;
}

static void read_rows(struct json *j, struct fc_ctr_table *t, const cJSON *map, size_t n)
{
    const cJSON *item = map ? map->child : NULL;
    bool mean = fc_ctr_is_mean(t->type);

    t->key = room(j, n, sizeof(*t->key));
    t->row = room(j, n, sizeof(*t->row));
    t->counts = room(j, n, 4 * (size_t)t->width);
    t->n_rows = j->st == FC_OK ? n : 0;
    for (size_t i = 0; i < n && j->st == FC_OK; i++) {
        uint64_t hash = read_hash(j, item);

        item = item->next;
        for (uint32_t k = 0; k < t->width; k++, item = item->next)
            if (hash != FC_FREE) /* what is written of a free bucket means nothing */
                read_count(j, item, mean && k == 0, t->counts + 4 * (i * t->width + k));
        if (hash == FC_FREE)
            continue;
        t->key[t->n_keys] = hash;
        t->row[t->n_keys++] = (uint32_t)i;
    }
}

static void read_table(struct json *j, struct fc_ctr_table *t, const cJSON *item)
{
    size_t n;
    const cJSON *map = list(j, item, "hash_map", &n);
    int32_t stride = integer(j, item, "hash_stride");

    read_key(j, t, item->string);
    t->denominator = integer(j, item, "counter_denominator");
    if (j->st == FC_OK && (stride < 2 || n % (size_t)stride != 0))
        bad(j, "does not divide the hash_map", "hash_stride");
    if (j->st != FC_OK)
        return;
    t->width = (uint32_t)stride - 1;
    t->classes = t->width;
    if ((fc_ctr_is_mean(t->type) && t->width != 2) || (fc_ctr_is_count(t->type) && t->width != 1))
        bad(j, "does not fit the type of the table", "hash_stride");
    read_rows(j, t, map, n / (size_t)stride);
}

static void read_tables(struct json *j, const cJSON *data)
{
    const cJSON *item;
    struct fc_ctr_table *t;

    t = j->s->table = room(j, data ? (size_t)cJSON_GetArraySize(data) : 0, sizeof(*t));
    if (data && !cJSON_IsObject(data))
        bad(j, "not an object", "ctr_data");
    for (item = data ? data->child : NULL; item && j->st == FC_OK; item = item->next) {
        read_table(j, t++, item);
        j->s->n_tables++;
    }
}

/* The form does not tell apart two tables of one projection and type, which the binary form can hold. */
static void refuse_twins(struct json *j)
{
    size_t *seen = fc_arena_get(j->tmp, j->s->n_projections * FC_N_CTR_TYPES, sizeof(*seen));

    if (!seen && j->st == FC_OK)
        j->st = fc_no_memory(j->err);
    for (size_t i = 0; i < j->s->n_tables && j->st == FC_OK; i++)
        if (seen[j->s->table[i].projection * FC_N_CTR_TYPES + (size_t)j->s->table[i].type]++)
            bad(j, "two tables of one combination and type", "ctr_data");
}

/* ---- trees ---- */

static void refuse_outputs(struct json *j)
{
    if (j->st == FC_OK)
        j->st = fc_fail(j->err, FC_EUNSUPPORTED,
                        "the model has several outputs; only models of one output are supported");
}

static void read_symmetric(struct json *j, const cJSON *tree, struct fc_tree *t)
{
    struct fc_source *s = j->s;
    size_t n_splits, n_leaves, n_weights;
    const cJSON *splits = list(j, tree, "splits", &n_splits), *item;
    const cJSON *leaves = list(j, tree, "leaf_values", &n_leaves);
    const cJSON *weights = list(j, tree, "leaf_weights", &n_weights);

    *t = (struct fc_tree){.start = (int32_t)s->n_splits, .size = (int32_t)n_splits};
    if (n_splits > FC_MAX_DEPTH)
        bad(j, "more than 16 of one tree", "splits");
    else if (n_leaves > (size_t)1 << n_splits && n_leaves % ((size_t)1 << n_splits) == 0)
        refuse_outputs(j);
    else if (n_leaves != (size_t)1 << n_splits)
        bad(j, "not 2^depth of them", "leaf_values");
    if (j->st != FC_OK)
        return;
    cJSON_ArrayForEach(item, splits) s->split[s->n_splits++] = integer(j, item, "split_index");
    cJSON_ArrayForEach(item, leaves) s->leaf[s->n_leaves++] = to_number(j, item, "leaf_values");
    cJSON_ArrayForEach(item, weights) s->weight[s->n_weights++] =
        to_number(j, item, "leaf_weights");
}

/* A node and what is below it, left before right.  cJSON limits how deep that goes. */
static void read_node(struct json *j, const cJSON *node)
{
    struct fc_source *s = j->s;
    size_t me = s->n_splits++;
    const cJSON *value = get(node, "value");

    s->n_steps++;
    s->node_leaf[s->n_node_leaves++] = value ? (uint32_t)s->n_leaves : FC_NO_LEAF;
    if (cJSON_IsArray(value))
        refuse_outputs(j);
    if (j->st != FC_OK)
        return;
    if (value) {
        s->leaf[s->n_leaves++] = to_number(j, value, "value");
        if (get(node, "weight"))
            s->weight[s->n_weights++] = number(j, node, "weight");
        return;
    }
    s->split[me] = integer(j, get(node, "split"), "split_index");
    for (int k = 0; k < 2 && j->st == FC_OK; k++) {
        const cJSON *child = get(node, k ? "right" : "left");

        if (!cJSON_IsObject(child)) {
            bad(j, "neither a value nor two nodes", "trees");
            return;
        }
        if (k)
            s->step[me].right = (uint32_t)(s->n_splits - me);
        else
            s->step[me].left = (uint32_t)(s->n_splits - me);
        read_node(j, child);
    }
}

/* At most this many splits and leaves are below: every object and every number in a list may be one. */
static size_t count_items(const cJSON *item)
{
    size_t n = 0;

    for (; item; item = item->next)
        n += 1 + count_items(item->child);
    return n;
}

static void read_trees(struct json *j, const cJSON *root)
{
    struct fc_source *s = j->s;
    size_t n, most;
    const cJSON *trees, *item;
    struct fc_tree *t;

    s->symmetric = get(root, "oblivious_trees") != NULL;
    trees = list(j, root, s->symmetric ? "oblivious_trees" : "trees", &n);
    if (j->st == FC_OK && n == 0)
        bad(j, "a model without trees", s->symmetric ? "oblivious_trees" : "trees");
    if (j->st == FC_OK && n > FC_MAX_TREES)
        bad(j, "too many", "trees");
    most = trees ? count_items(trees->child) : 0;
    t = s->tree = room(j, n, sizeof(*t));
    s->split = room(j, most, sizeof(*s->split));
    s->leaf = room(j, most, sizeof(*s->leaf));
    s->weight = room(j, most, sizeof(*s->weight));
    s->step = room(j, s->symmetric ? 0 : most, sizeof(*s->step));
    s->node_leaf = room(j, s->symmetric ? 0 : most, sizeof(*s->node_leaf));
    if (j->st != FC_OK)
        return;
    cJSON_ArrayForEach(item, trees)
    {
        if (s->symmetric) {
            read_symmetric(j, item, t);
        } else {
            t->start = (int32_t)s->n_splits;
            read_node(j, item);
            t->size = (int32_t)s->n_splits - t->start;
        }
        t++;
        s->n_trees++;
        if (j->st != FC_OK)
            return;
    }
}

static void read_scale(struct json *j, const cJSON *root)
{
    const cJSON *pair = get(root, "scale_and_bias");
    const cJSON *bias = cJSON_GetArrayItem(pair, 1);

    j->s->scale = 1;
    if (!pair)
        return;
    j->s->scale = to_number(j, cJSON_GetArrayItem(pair, 0), "scale_and_bias");
    if (cJSON_GetArraySize(bias) > 1)
        refuse_outputs(j);
    if (cJSON_GetArraySize(bias) == 1)
        j->s->bias = to_number(j, cJSON_GetArrayItem(bias, 0), "scale_and_bias");
}

static void read_meta(struct json *j, const cJSON *info)
{
    const cJSON *item;
    struct fc_meta *m = j->s->meta = room(j, (size_t)cJSON_GetArraySize(info), sizeof(*m));

    for (item = info && cJSON_IsObject(info) ? info->child : NULL; item && j->st == FC_OK;
         item = item->next) {
        const char *value = cJSON_GetStringValue(item);
        char *printed = value ? NULL : cJSON_PrintUnformatted(item);

        if (!value && !printed)
            j->st = fc_no_memory(j->err);
        m->key = text(j, item->string);
        m->value = text(j, value ? value : printed ? printed : "");
        cJSON_free(printed);
        m++;
        j->s->n_meta++;
    }
}

static void refuse_kinds(struct json *j, const cJSON *info)
{
    static const char *const kinds[] = {"text_features", "embedding_features"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (j->st == FC_OK && cJSON_GetArraySize(get(info, kinds[i])) > 0)
            j->st = fc_fail(j->err, FC_EUNSUPPORTED, "%s are not supported", kinds[i]);
}

static void read_model(struct json *j, const cJSON *root)
{
    const cJSON *info = get(root, "features_info"), *data = get(root, "ctr_data");
    size_t most = (size_t)cJSON_GetArraySize(get(info, "ctrs")) + (size_t)cJSON_GetArraySize(data);

    if (!cJSON_IsObject(info))
        bad(j, "missing", "features_info");
    if (j->st == FC_OK && fc_interner_init(&j->in, j->s, j->keep, j->tmp, most) != FC_OK)
        j->st = fc_no_memory(j->err);
    refuse_kinds(j, info);
    read_meta(j, get(root, "model_info"));
    read_nums(j, info);
    read_cats(j, info);
    read_ctrs(j, info);
    read_tables(j, data);
    refuse_twins(j);
    read_trees(j, root);
    read_scale(j, root);
}

/* Of a text of which cJSON made nothing, or not all. */
static enum fc_status not_json(struct fc_err *err, const char *text, size_t n)
{
    size_t at;

    if (fc_is_json(text, n, &at))
        return fc_no_memory(err);
    return fc_fail(err, FC_EFORMAT, "JSON model: no JSON at byte %zu of %zu%s", at, n,
                   at == n ? ": the file is cut short" : "");
}

enum fc_status fc_json_read(struct fc_model *m, struct fc_arena *tmp, const void *bytes, size_t n,
                            struct fc_err *err)
{
    struct json j = {.s = &m->src, .keep = &m->arena, .tmp = tmp, .err = err};
    const char *from = bytes, *end = NULL;
    cJSON *root;

    if (n > MAX_JSON_BYTES)
        return fc_fail(err, FC_EFORMAT, "JSON model: %zu bytes; at most %zu are taken", n,
                       MAX_JSON_BYTES);
    root = cJSON_ParseWithLengthOpts(from, n, &end, false);
    if (!root)
        return not_json(err, from, n);
    while (end < from + n && memchr(" \t\r\n", *end, 4))
        end++;
    if (end < from + n)
        j.st = fc_fail(err, FC_EFORMAT, "JSON model: more text behind it, at byte %zu of %zu",
                       (size_t)(end - from), n);
    read_model(&j, root);
    cJSON_Delete(root);
    return j.st;
}
