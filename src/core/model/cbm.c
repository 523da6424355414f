/*
 * The binary form of a model (.cbm): the letters CBM1, a flatbuffers blob with features and trees, then the CTR
 * tables, each a blob of its own.  Field numbers are those of CatBoost's flatbuffers/{model,features,ctr_data}.fbs.
 */
#include <stdio.h>
#include <string.h>

#include "flat.h"
#include "model.h"

struct cbm {
    struct fc_model *m;
    struct fc_source *s;
    struct fc_arena *keep, *tmp;
    struct fc_interner in;
    const unsigned char *p; /* what is left of the file */
    size_t left, n_tables;
    uint64_t budget;
    struct fc_err *err;
};

/* Room that the model keeps; a failure is remembered in the blob's status. */
static void *room(struct cbm *c, struct fc_flat *f, size_t n, size_t size)
{
    void *p;

    if (f->st != FC_OK)
        return NULL;
    p = fc_arena_get(c->keep, n, size);
    if (!p)
        f->st = fc_no_memory(c->err);
    return p;
}

static struct fc_text text(struct cbm *c, struct fc_flat *f, struct fc_flat_vector v)
{
    struct fc_text t = {NULL, v.n};

    if (f->st != FC_OK)
        return (struct fc_text){"", 0};
    t.p = fc_arena_text(c->keep, v.p, v.n);
    if (!t.p) {
        f->st = fc_no_memory(c->err);
        return (struct fc_text){"", 0};
    }
    return t;
}

static struct fc_text string(struct cbm *c, struct fc_flat *f, struct fc_flat_table *t,
                             unsigned field)
{
    return text(c, f, fc_flat_vector(f, t, field, 1));
}

static int32_t *ints(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *t,
                     unsigned field, size_t *n)
{
    struct fc_flat_vector v = fc_flat_vector(f, t, field, 4);
    int32_t *out = room(c, f, v.n, sizeof(*out));

    *n = out ? v.n : 0;
    for (size_t i = 0; i < *n; i++)
        out[i] = fc_le_i32(v.p + 4 * i);
    return out;
}

static float *floats(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *t,
                     unsigned field, uint32_t *n)
{
    struct fc_flat_vector v = fc_flat_vector(f, t, field, 4);
    float *out = room(c, f, v.n, sizeof(*out));

    *n = out ? (uint32_t)v.n : 0;
    for (size_t i = 0; i < *n; i++)
        out[i] = fc_le_f32(v.p + 4 * i);
    return out;
}

static double *doubles(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *t,
                       unsigned field, size_t *n)
{
    struct fc_flat_vector v = fc_flat_vector(f, t, field, 8);
    double *out = room(c, f, v.n, sizeof(*out));

    *n = out ? v.n : 0;
    for (size_t i = 0; i < *n; i++)
        out[i] = fc_le_f64(v.p + 8 * i);
    return out;
}

/* ---- features ---- */

static void read_nums(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    struct fc_flat_vector v = fc_flat_refs(f, trees, 5);

    c->s->num = room(c, f, v.n, sizeof(*c->s->num));
    for (size_t i = 0; i < v.n && f->st == FC_OK; i++) {
        struct fc_flat_table t = fc_flat_table_at(f, &v, i);
        struct fc_num *num = &c->s->num[i];

        num->has_nans = fc_flat_i8(f, &t, 0, 0) != 0;
        num->index = fc_flat_i32(f, &t, 1, -1);
        num->flat = fc_flat_i32(f, &t, 2, -1);
        num->border = floats(c, f, &t, 3, &num->n_borders);
        num->name = string(c, f, &t, 4);
        num->nan = fc_flat_i8(f, &t, 5, FC_NAN_AS_IS);
    }
    c->s->n_nums = v.n;
}

static void read_cats(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    struct fc_flat_vector v = fc_flat_refs(f, trees, 4);

    c->s->cat = room(c, f, v.n, sizeof(*c->s->cat));
    for (size_t i = 0; i < v.n && f->st == FC_OK; i++) {
        struct fc_flat_table t = fc_flat_table_at(f, &v, i);
        struct fc_cat *cat = &c->s->cat[i];

        cat->index = fc_flat_i32(f, &t, 0, -1);
        cat->flat = fc_flat_i32(f, &t, 1, -1);
        cat->name = string(c, f, &t, 2);
    }
    c->s->n_cats = v.n;
}

static void read_hots(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    struct fc_flat_vector v = fc_flat_refs(f, trees, 6);

    c->s->hot = room(c, f, v.n, sizeof(*c->s->hot));
    for (size_t i = 0; i < v.n && f->st == FC_OK; i++) {
        struct fc_flat_table t = fc_flat_table_at(f, &v, i);
        struct fc_one_hot *hot = &c->s->hot[i];
        size_t n;

        hot->cat = fc_flat_i32(f, &t, 0, -1);
        hot->value = ints(c, f, &t, 1, &n);
        hot->n_values = (uint32_t)n;
    }
    c->s->n_hots = v.n;
}

static void read_projection(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *base,
                            struct fc_projection *p)
{
    struct fc_flat_table t = fc_flat_table(f, base, 0);
    struct fc_flat_vector nums, hots;
    size_t n_cats;

    *p = (struct fc_projection){0};
    p->cat = ints(c, f, &t, 0, &n_cats);
    nums = fc_flat_vector(f, &t, 1, 8);
    hots = fc_flat_vector(f, &t, 2, 8);
    p->num = room(c, f, nums.n, sizeof(*p->num));
    p->hot = room(c, f, hots.n, sizeof(*p->hot));
    if (f->st != FC_OK)
        return;
    p->n_cats = (uint32_t)n_cats;
    p->n_nums = (uint32_t)nums.n;
    p->n_hots = (uint32_t)hots.n;
    for (size_t i = 0; i < nums.n; i++) {
        p->num[i].index = fc_le_i32(nums.p + 8 * i);
        p->num[i].border = fc_le_f32(nums.p + 8 * i + 4) + 0.0f; /* borders are compared: -0 is 0 */
        if (p->num[i].border != p->num[i].border && f->st == FC_OK)
            f->st = fc_fail(c->err, FC_EFORMAT, "%s: a CTR's numeric split has the border NaN",
                            f->blob);
    }
    for (size_t i = 0; i < hots.n; i++) {
        p->hot[i].index = fc_le_i32(hots.p + 8 * i);
        p->hot[i].value = fc_le_i32(hots.p + 8 * i + 4);
    }
}

/* The key of a CTR: projection, type, classifier. */
static void read_base(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *t,
                      unsigned field, uint32_t *projection, int32_t *type, int32_t *classifier)
{
    struct fc_flat_table base = fc_flat_table(f, t, field);
    struct fc_projection p;

    if (f->st == FC_OK && !base.size)
        f->st = fc_fail(c->err, FC_EFORMAT, "%s: a CTR without a base", f->blob);
    read_projection(c, f, &base, &p);
    *type = fc_flat_i8(f, &base, 1, 0);
    *classifier = fc_flat_i32(f, &base, 2, 0);
    if (f->st == FC_OK && (*type < 0 || *type >= FC_N_CTR_TYPES))
        f->st = fc_fail(c->err, FC_EUNSUPPORTED, "%s: CTR type %d is not known", f->blob, *type);
    if (f->st == FC_OK)
        *projection = fc_projection_number(&c->in, c->s, &p);
}

static void read_ctrs(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    struct fc_flat_vector v = fc_flat_refs(f, trees, 7);

    c->s->ctr = room(c, f, v.n, sizeof(*c->s->ctr));
    if (f->st == FC_OK &&
        fc_interner_init(&c->in, c->s, c->keep, c->tmp, v.n + c->n_tables) != FC_OK)
        f->st = fc_no_memory(c->err);
    for (size_t i = 0; i < v.n && f->st == FC_OK; i++) {
        struct fc_flat_table t = fc_flat_table_at(f, &v, i), mine = fc_flat_table(f, &t, 0);
        struct fc_ctr *ctr = &c->s->ctr[i];

        if (f->st == FC_OK && !mine.size)
            f->st = fc_fail(c->err, FC_EFORMAT, "core: CTR feature %zu is without a CTR", i);
        read_base(c, f, &mine, 0, &ctr->projection, &ctr->type, &ctr->classifier);
        ctr->target_border = fc_flat_i32(f, &mine, 1, 0);
        ctr->prior_num = fc_flat_f32(f, &mine, 2, 0);
        ctr->prior_denom = fc_flat_f32(f, &mine, 3, 1);
        ctr->shift = fc_flat_f32(f, &mine, 4, 0);
        ctr->scale = fc_flat_f32(f, &mine, 5, 1);
        ctr->border = floats(c, f, &t, 1, &ctr->n_borders);
    }
    c->s->n_ctrs = v.n;
}

/* ---- trees ---- */

static void read_nodes(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    struct fc_flat_vector steps = fc_flat_vector(f, trees, 10, 4);
    struct fc_flat_vector ids = fc_flat_vector(f, trees, 11, 4);

    c->s->step = room(c, f, steps.n, sizeof(*c->s->step));
    c->s->node_leaf = room(c, f, ids.n, sizeof(*c->s->node_leaf));
    if (f->st != FC_OK)
        return;
    c->s->n_steps = steps.n;
    c->s->n_node_leaves = ids.n;
    for (size_t i = 0; i < steps.n; i++)
        c->s->step[i] = (struct fc_step){fc_le16(steps.p + 4 * i), fc_le16(steps.p + 4 * i + 2)};
    for (size_t i = 0; i < ids.n; i++)
        c->s->node_leaf[i] = fc_le32(ids.p + 4 * i);
    c->s->symmetric = steps.n == 0 && ids.n == 0;
}

static void read_sizes(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    struct fc_flat_vector sizes = fc_flat_vector(f, trees, 2, 4);
    struct fc_flat_vector starts = fc_flat_vector(f, trees, 3, 4);
    int64_t at = 0;

    if (f->st == FC_OK && sizes.n > FC_MAX_TREES)
        f->st =
            fc_fail(c->err, FC_EFORMAT, "%zu trees; at most %zu are taken", sizes.n, FC_MAX_TREES);
    if (f->st == FC_OK && starts.n && starts.n != sizes.n)
        f->st = fc_fail(c->err, FC_EFORMAT, "%zu tree starts for %zu trees", starts.n, sizes.n);
    c->s->tree = room(c, f, sizes.n, sizeof(*c->s->tree));
    if (f->st != FC_OK)
        return;
    c->s->n_trees = sizes.n;
    for (size_t i = 0; i < sizes.n; i++) {
        struct fc_tree *t = &c->s->tree[i];

        t->size = fc_le_i32(sizes.p + 4 * i);
        t->start = starts.n                   ? fc_le_i32(starts.p + 4 * i)
                   : at > INT32_MAX || at < 0 ? -1
                                              : (int32_t)at;
        at += t->size;
    }
}

static void read_trees(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *t)
{
    struct fc_source *s = c->s;
    struct fc_flat_vector bias;

    read_sizes(c, f, t);
    s->split = ints(c, f, t, 1, &s->n_splits);
    s->leaf = doubles(c, f, t, 8, &s->n_leaves);
    s->weight = doubles(c, f, t, 9, &s->n_weights);
    read_nodes(c, f, t);
    s->scale = fc_flat_f64(f, t, 14, 1);
    s->bias = fc_flat_f64(f, t, 15, 0);
    bias = fc_flat_vector(f, t, 16, 8);
    if (f->st == FC_OK && bias.n > 1)
        f->st = fc_fail(c->err, FC_EUNSUPPORTED, "%zu biases: one output has one", bias.n);
    if (f->st == FC_OK && bias.n)
        s->bias = fc_le_f64(bias.p);
}

/* What this library does not score is refused by name. */
static void refuse_kinds(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *trees)
{
    static const struct {
        unsigned field;
        const char *what;
    } kinds[] = {
        {12, "text features"                               },
        {18, "embedding features"                          },
        {13, "estimated features (from text or embeddings)"},
    };
    int32_t outputs = fc_flat_i32(f, trees, 0, 0);

    if (f->st == FC_OK && outputs != 1)
        f->st =
            fc_fail(c->err, outputs > 1 ? FC_EUNSUPPORTED : FC_EFORMAT,
                    "the model has %d outputs; only models of one output are supported", outputs);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (fc_flat_refs(f, trees, kinds[i].field).n && f->st == FC_OK)
            f->st = fc_fail(c->err, FC_EUNSUPPORTED, "%s are not supported", kinds[i].what);
}

/* ---- CTR tables ---- */

/* Keeps the keys that a search finds, in the order in which it would: it goes from a key's own bucket to the first free
 * one, so a key counts when no free bucket lies between. */
static void read_buckets(struct cbm *c, struct fc_flat *f, struct fc_ctr_table *t,
                         struct fc_flat_vector raw)
{
    size_t n = raw.n / 12, mask = n - 1, free_at = 0, used = 0;

    while (free_at < n && fc_le64(raw.p + 12 * free_at) != FC_FREE)
        free_at++;
    if (free_at == n) {
        f->st = fc_fail(c->err, FC_EFORMAT, "%s: no free bucket in the hash of %zu", f->blob, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        used += fc_le64(raw.p + 12 * i) != FC_FREE;
    t->key = room(c, f, used, sizeof(*t->key));
    t->row = room(c, f, used, sizeof(*t->row));
    for (size_t i = 1, since = 0; i < n && f->st == FC_OK; i++) { /* since: the last free bucket */
        const unsigned char *p = raw.p + 12 * ((free_at + i) & mask);
        uint64_t key = fc_le64(p);
        uint32_t row = fc_le32(p + 8);

        if (key == FC_FREE) {
            since = i;
            continue;
        }
        if (row >= t->n_rows)
            f->st = fc_fail(c->err, FC_EFORMAT, "%s: a bucket points to row %u of %zu", f->blob,
                            row, t->n_rows);
        if (((i + free_at - (size_t)key) & mask) >= i - since)
            continue;
        t->key[t->n_keys] = key;
        t->row[t->n_keys++] = row;
    }
}

static void read_table(struct cbm *c, struct fc_flat *f, struct fc_ctr_table *t)
{
    struct fc_flat_table root = fc_flat_root(f);
    struct fc_flat_vector buckets, counts;
    size_t n, row_size;

    read_base(c, f, &root, 0, &t->projection, &t->type, &t->classifier);
    buckets = fc_flat_vector(f, &root, 1, 1);
    counts = fc_flat_vector(f, &root, 2, 1);
    t->denominator = fc_flat_i32(f, &root, 3, 0);
    t->classes = (uint32_t)fc_flat_i32(f, &root, 4, 0);
    if (f->st != FC_OK)
        return;
    n = buckets.n / 12;
    if (n == 0 || n * 12 != buckets.n || (n & (n - 1))) {
        f->st = fc_fail(c->err, FC_EFORMAT, "%s: a hash of %zu bytes is not 2^k buckets of 12",
                        f->blob, buckets.n);
        return;
    }
    t->width = fc_ctr_is_mean(t->type) ? 2 : fc_ctr_is_count(t->type) ? 1 : t->classes;
    if (t->width == 0 || t->width > INT32_MAX / 4) {
        f->st = fc_fail(c->err, FC_EFORMAT, "%s: %d target classes", f->blob, (int)t->classes);
        return;
    }
    row_size = 4 * (size_t)t->width;
    t->n_rows = counts.n / row_size;
    t->counts = room(c, f, counts.n, 1);
    if (f->st == FC_OK && counts.n)
        memcpy(t->counts, counts.p, counts.n);
    read_buckets(c, f, t, buckets);
}

/* ---- the file ---- */

/* A size: u32, or FFFFFFFF and a u64; it must not be more than the bytes left over item. */
static enum fc_status take_size(struct cbm *c, const char *what, size_t item, size_t *size)
{
    uint64_t n;
    size_t used = 4;

    if (c->left < 4)
        return fc_fail(c->err, FC_EFORMAT, "the file ends before the size of the %s", what);
    n = fc_le32(c->p);
    if (n == UINT32_MAX) {
        if (c->left < 12)
            return fc_fail(c->err, FC_EFORMAT, "the file ends in the size of the %s", what);
        n = fc_le64(c->p + 4);
        used = 12;
    }
    c->p += used;
    c->left -= used;
    if (n > c->left / item)
        return fc_fail(c->err, FC_EFORMAT,
                       "the %s: size %llu, but %zu bytes are left (a file cut short?)", what,
                       (unsigned long long)n, c->left);
    *size = (size_t)n;
    return FC_OK;
}

static struct fc_flat take_blob(struct cbm *c, const char *name)
{
    struct fc_flat f = {.blob = name, .budget = &c->budget, .err = c->err};

    f.st = take_size(c, name, 1, &f.n);
    if (f.st == FC_OK) {
        f.p = c->p;
        c->p += f.n;
        c->left -= f.n;
    }
    return f;
}

static void read_meta(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *root)
{
    struct fc_flat_vector v = fc_flat_refs(f, root, 2);

    c->s->meta = room(c, f, v.n, sizeof(*c->s->meta));
    for (size_t i = 0; i < v.n && f->st == FC_OK; i++) {
        struct fc_flat_table t = fc_flat_table_at(f, &v, i);

        c->s->meta[i].key = string(c, f, &t, 0);
        c->s->meta[i].value = string(c, f, &t, 1);
    }
    c->s->n_meta = v.n;
}

static bool is(struct fc_flat_vector v, const char *name)
{
    return v.n == strlen(name) && memcmp(v.p, name, v.n) == 0;
}

/* Only one kind of part is known, so there is one or none. */
static void read_parts(struct cbm *c, struct fc_flat *f, const struct fc_flat_table *root)
{
    struct fc_flat_vector parts = fc_flat_refs(f, root, 3);
    char shown[64];

    for (size_t i = 0; i < parts.n && f->st == FC_OK; i++) {
        struct fc_flat_vector part = fc_flat_string_at(f, &parts, i);

        if (f->st == FC_OK && (!is(part, "static_provider_v1") || i > 0))
            f->st = fc_fail(
                c->err, FC_EUNSUPPORTED, "core: the model part \"%s\" is not supported",
                fc_shown(shown, sizeof(shown), (struct fc_text){(const char *)part.p, part.n}));
    }
    if (f->st == FC_OK && parts.n)
        f->st = take_size(c, "number of CTR tables", 4, &c->n_tables);
}

static enum fc_status read_core(struct cbm *c)
{
    struct fc_flat f = take_blob(c, "core");
    struct fc_flat_table root = fc_flat_root(&f), trees;
    struct fc_flat_vector name = fc_flat_vector(&f, &root, 0, 1);
    char shown[64];

    if (f.st == FC_OK && !is(name, "FlabuffersModel_v1"))
        return fc_fail(
            c->err, FC_EUNSUPPORTED, "core: the model format \"%s\" is not known",
            fc_shown(shown, sizeof(shown), (struct fc_text){(const char *)name.p, name.n}));
    trees = fc_flat_table(&f, &root, 1);
    if (f.st == FC_OK && !trees.size)
        return fc_fail(c->err, FC_EFORMAT, "core: a model without trees");
    refuse_kinds(c, &f, &trees);
    read_parts(c, &f, &root);
    read_meta(c, &f, &root);
    read_nums(c, &f, &trees);
    read_cats(c, &f, &trees);
    read_hots(c, &f, &trees);
    read_ctrs(c, &f, &trees);
    read_trees(c, &f, &trees);
    return f.st;
}

static enum fc_status read_tables(struct cbm *c)
{
    c->s->table = fc_arena_get(c->keep, c->n_tables, sizeof(*c->s->table));
    if (!c->s->table)
        return fc_no_memory(c->err);
    for (size_t i = 0; i < c->n_tables; i++) {
        char name[40];
        struct fc_flat f;

        snprintf(name, sizeof(name), "CTR table %zu", i);
        f = take_blob(c, name);
        if (f.st == FC_OK)
            read_table(c, &f, &c->s->table[i]);
        if (f.st != FC_OK)
            return f.st;
        c->s->n_tables++;
    }
    return FC_OK;
}

enum fc_status fc_cbm_read(struct fc_model *m, struct fc_arena *tmp, const void *bytes, size_t n,
                           struct fc_err *err)
{
    struct cbm c = {.m = m,
                    .s = &m->src,
                    .keep = &m->arena,
                    .tmp = tmp,
                    .p = (const unsigned char *)bytes + 4,
                    .left = n - 4,
                    .budget = 4 * (uint64_t)n + 65536,
                    .err = err};
    enum fc_status st = read_core(&c);

    return st == FC_OK ? read_tables(&c) : st;
}
