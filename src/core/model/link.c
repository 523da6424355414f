/*
 * What must hold across the parts of a model, whichever form it came in (catboost-model, section 11), and the list of
 * its binary features (section 4.3).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Index of a feature to its position, sorted by index. */
struct place {
    int32_t index;
    uint32_t at;
};

struct linker {
    struct fc_model *m;
    struct fc_source *s;
    struct fc_arena *tmp;
    struct place *num, *cat;
    struct fc_err *err;
};

static int by_index(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

static bool find(const struct place *p, size_t n, int32_t index, uint32_t *at)
{
    struct place key = {index, 0};
    const struct place *hit = n ? bsearch(&key, p, n, sizeof(*p), by_index) : NULL;

    if (hit)
        *at = hit->at;
    return hit != NULL;
}

static enum fc_status check_places(struct linker *l, struct place *p, size_t n, const char *kind)
{
    if (n)
        qsort(p, n, sizeof(*p), by_index);
    for (size_t i = 0; i < n; i++) {
        if (p[i].index < 0)
            return fc_fail(l->err, FC_EFORMAT, "a %s feature has the index %d", kind, p[i].index);
        if (i && p[i].index == p[i - 1].index)
            return fc_fail(l->err, FC_EFORMAT, "two %s features have the index %d", kind,
                           p[i].index);
    }
    return FC_OK;
}

static bool ascending(const float *border, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (border[i] != border[i] || (i && border[i] <= border[i - 1]))
            return false;
    return true;
}

/* ---- features by flat index, and names ---- */

/* CatBoost calls a feature without a name by its flat index, and often writes that as its name. */
static enum fc_status set_feature(struct linker *l, int32_t flat, struct fc_text name,
                                  enum fc_kind kind)
{
    struct fc_feature *f = &l->m->feature[flat];
    char digits[16];
    size_t n = (size_t)snprintf(digits, sizeof(digits), "%d", flat);

    if (f->name)
        return fc_fail(l->err, FC_EFORMAT, "two features have the flat index %d", flat);
    if (name.n && (name.n != n || memcmp(name.p, digits, n) != 0))
        l->m->info.has_names = true;
    if (!name.n)
        name = (struct fc_text){fc_arena_text(&l->m->arena, digits, n), n};
    if (!name.p)
        return fc_no_memory(l->err);
    *f = (struct fc_feature){.name = name.p, .name_n = name.n, .kind = kind};
    l->m->by_name[l->m->n_names++] = (uint32_t)flat;
    return FC_OK;
}

static int compare_bytes(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t n = a_n < b_n ? a_n : b_n;
    int c = n ? memcmp(a, b, n) : 0;

    return c ? c : (a_n > b_n) - (a_n < b_n);
}

/* qsort gives no context, so names are sorted with what they need beside them. */
struct named {
    const char *name;
    size_t n;
    uint32_t flat;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return compare_bytes(x->name, x->n, y->name, y->n);
}

static enum fc_status sort_names(struct linker *l)
{
    size_t n = l->m->n_names;
    struct named *named = fc_arena_get(l->tmp, n, sizeof(*named));

    if (!named)
        return fc_no_memory(l->err);
    for (size_t i = 0; i < n; i++) {
        const struct fc_feature *f = &l->m->feature[l->m->by_name[i]];

        named[i] = (struct named){f->name, f->name_n, l->m->by_name[i]};
    }
    if (n)
        qsort(named, n, sizeof(*named), by_name);
    for (size_t i = 0; i < n; i++) {
        char shown[100];

        if (i && by_name(&named[i - 1], &named[i]) == 0)
            return fc_fail(
                l->err, FC_EFORMAT, "two features have the name \"%s\"",
                fc_shown(shown, sizeof(shown), (struct fc_text){named[i].name, named[i].n}));
        l->m->by_name[i] = named[i].flat;
    }
    return FC_OK;
}

/* Flat indices that no feature of the file has are columns which nothing is known of. */
static enum fc_status fill_gaps(struct linker *l)
{
    for (size_t i = 0; i < l->m->info.n_features; i++) {
        struct fc_feature *f = &l->m->feature[i];
        char digits[16];

        if (f->name)
            continue;
        f->name_n = (size_t)snprintf(digits, sizeof(digits), "%zu", i);
        f->name = fc_arena_text(&l->m->arena, digits, f->name_n);
        if (!f->name)
            return fc_no_memory(l->err);
    }
    return FC_OK;
}

static enum fc_status widest(struct linker *l, int32_t flat, size_t *width)
{
    if (flat < 0 || flat >= FC_MAX_FEATURES)
        return fc_fail(l->err, FC_EFORMAT, "a feature has the flat index %d; 0 to %d are taken",
                       flat, FC_MAX_FEATURES - 1);
    if ((size_t)flat >= *width)
        *width = (size_t)flat + 1;
    return FC_OK;
}

static enum fc_status link_features(struct linker *l)
{
    struct fc_source *s = l->s;
    struct fc_model *m = l->m;
    enum fc_status st = FC_OK;

    if (s->n_nums > FC_MAX_FEATURES || s->n_cats > FC_MAX_FEATURES)
        return fc_fail(l->err, FC_EFORMAT, "more than %d features", FC_MAX_FEATURES);
    l->num = fc_arena_get(l->tmp, s->n_nums, sizeof(*l->num));
    l->cat = fc_arena_get(l->tmp, s->n_cats, sizeof(*l->cat));
    if (!l->num || !l->cat)
        return fc_no_memory(l->err);
    for (size_t i = 0; i < s->n_nums && st == FC_OK; i++) {
        l->num[i] = (struct place){s->num[i].index, (uint32_t)i};
        st = widest(l, s->num[i].flat, &m->info.n_features);
    }
    for (size_t i = 0; i < s->n_cats && st == FC_OK; i++) {
        l->cat[i] = (struct place){s->cat[i].index, (uint32_t)i};
        st = widest(l, s->cat[i].flat, &m->info.n_features);
    }
    if (st == FC_OK)
        st = check_places(l, l->num, s->n_nums, "numeric");
    if (st == FC_OK)
        st = check_places(l, l->cat, s->n_cats, "categorical");
    if (st != FC_OK)
        return st;
    m->feature = fc_arena_get(&m->arena, m->info.n_features, sizeof(*m->feature));
    m->by_name = fc_arena_get(&m->arena, s->n_nums + s->n_cats, sizeof(*m->by_name));
    if (!m->feature || !m->by_name)
        return fc_no_memory(l->err);
    for (size_t i = 0; i < s->n_nums && st == FC_OK; i++)
        st = set_feature(l, s->num[i].flat, s->num[i].name, FC_NUMERIC);
    for (size_t i = 0; i < s->n_cats && st == FC_OK; i++)
        st = set_feature(l, s->cat[i].flat, s->cat[i].name, FC_CATEGORICAL);
    if (st == FC_OK)
        st = sort_names(l);
    return st == FC_OK ? fill_gaps(l) : st;
}

/* ---- one-hot features and CTRs ---- */

static enum fc_status link_nums(struct linker *l)
{
    for (size_t i = 0; i < l->s->n_nums; i++) {
        const struct fc_num *f = &l->s->num[i];

        if (!ascending(f->border, f->n_borders))
            return fc_fail(l->err, FC_EFORMAT, "the borders of numeric feature %d do not ascend",
                           f->index);
        if (f->nan < FC_NAN_AS_IS || f->nan > FC_NAN_AS_TRUE)
            return fc_fail(l->err, FC_EFORMAT,
                           "numeric feature %d treats NaN in an unknown way (%d)", f->index,
                           f->nan);
    }
    return FC_OK;
}

static enum fc_status link_hots(struct linker *l)
{
    for (size_t i = 0; i < l->s->n_hots; i++) {
        struct fc_one_hot *hot = &l->s->hot[i];
        uint32_t at;

        if (!find(l->cat, l->s->n_cats, hot->cat, &at))
            return fc_fail(l->err, FC_EFORMAT,
                           "a one-hot feature of categorical feature %d, which is not there",
                           hot->cat);
        hot->cat = (int32_t)at;
        l->s->cat[at].used = true;
    }
    return FC_OK;
}

static enum fc_status link_num_split(struct linker *l, size_t ctr, struct fc_num_split *split)
{
    uint32_t at, from = 0, to;
    const struct fc_num *f;

    if (!find(l->num, l->s->n_nums, split->index, &at))
        return fc_fail(l->err, FC_EFORMAT, "CTR feature %zu: numeric feature %d is not there", ctr,
                       split->index);
    f = &l->s->num[at];
    to = f->n_borders;
    while (from < to) { /* the first border that is not below */
        uint32_t mid = from + (to - from) / 2;

        if (f->border[mid] < split->border)
            from = mid + 1;
        else
            to = mid;
    }
    if (from == f->n_borders || f->border[from] != split->border)
        return fc_fail(l->err, FC_EFORMAT,
                       "CTR feature %zu: %.9g is no border of numeric feature %d", ctr,
                       (double)split->border, split->index);
    split->index = (int32_t)at;
    split->binary = from; /* the feature's first is added once it is known */
    return FC_OK;
}

static enum fc_status link_projection(struct linker *l, size_t ctr, struct fc_projection *p)
{
    uint32_t at;
    enum fc_status st = FC_OK;

    if (p->linked)
        return FC_OK;
    if (p->n_cats + p->n_nums + p->n_hots == 0)
        return fc_fail(l->err, FC_EFORMAT, "CTR feature %zu looks at no feature", ctr);
    if (p->n_cats > FC_MAX_MEMBERS || p->n_nums > FC_MAX_MEMBERS || p->n_hots > FC_MAX_MEMBERS)
        return fc_fail(l->err, FC_EFORMAT, "CTR feature %zu combines more than %d features", ctr,
                       FC_MAX_MEMBERS);
    for (uint32_t i = 0; i < p->n_cats; i++) {
        if (!find(l->cat, l->s->n_cats, p->cat[i], &at))
            return fc_fail(l->err, FC_EFORMAT,
                           "CTR feature %zu: categorical feature %d is not there", ctr, p->cat[i]);
        p->cat[i] = (int32_t)at;
        l->s->cat[at].used = true;
    }
    for (uint32_t i = 0; i < p->n_nums && st == FC_OK; i++)
        st = link_num_split(l, ctr, &p->num[i]);
    for (uint32_t i = 0; i < p->n_hots && st == FC_OK; i++) {
        if (!find(l->cat, l->s->n_cats, p->hot[i].index, &at))
            return fc_fail(l->err, FC_EFORMAT,
                           "CTR feature %zu: categorical feature %d is not there", ctr,
                           p->hot[i].index);
        p->hot[i].index = (int32_t)at;
        l->s->cat[at].used = true;
    }
    p->linked = true;
    return st;
}

static int by_key(const void *a, const void *b)
{
    const struct fc_ctr_table *x = *(const struct fc_ctr_table *const *)a;
    const struct fc_ctr_table *y = *(const struct fc_ctr_table *const *)b;

    if (x->projection != y->projection)
        return x->projection < y->projection ? -1 : 1;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return (x->classifier > y->classifier) - (x->classifier < y->classifier);
}

static enum fc_status check_target_border(struct linker *l, size_t i, const struct fc_ctr *ctr)
{
    int64_t classes = ctr->table->classes, b = ctr->target_border;

    if (ctr->type == FC_CTR_BORDERS && (classes < 2 || b < 0 || b >= classes - 1))
        return fc_fail(l->err, FC_EFORMAT, "CTR feature %zu: target border %lld of %lld classes", i,
                       (long long)b, (long long)classes);
    if (ctr->type == FC_CTR_BUCKETS && (classes < 1 || b < 0 || b >= classes))
        return fc_fail(l->err, FC_EFORMAT, "CTR feature %zu: target class %lld of %lld", i,
                       (long long)b, (long long)classes);
    return FC_OK;
}

static enum fc_status link_ctrs(struct linker *l)
{
    struct fc_source *s = l->s;
    const struct fc_ctr_table **table = fc_arena_get(l->tmp, s->n_tables, sizeof(*table));
    enum fc_status st = FC_OK;

    if (!table)
        return fc_no_memory(l->err);
    for (size_t i = 0; i < s->n_tables; i++)
        table[i] = &s->table[i];
    if (s->n_tables)
        qsort(table, s->n_tables, sizeof(*table), by_key);
    for (size_t i = 0; i < s->n_ctrs && st == FC_OK; i++) {
        struct fc_ctr *ctr = &s->ctr[i];
        struct fc_ctr_table want = {
            .projection = ctr->projection, .type = ctr->type, .classifier = ctr->classifier};
        const struct fc_ctr_table *key = &want, **hit;

        if (!ascending(ctr->border, ctr->n_borders))
            return fc_fail(l->err, FC_EFORMAT, "the borders of CTR feature %zu do not ascend", i);
        st = link_projection(l, i, &s->projection[ctr->projection]);
        if (st != FC_OK)
            return st;
        hit = s->n_tables ? bsearch(&key, table, s->n_tables, sizeof(*table), by_key) : NULL;
        if (!hit)
            return fc_fail(l->err, FC_EFORMAT, "CTR feature %zu (%s) has no table in the file", i,
                           fc_ctr_type_name[ctr->type]);
        ctr->table = *hit;
        st = check_target_border(l, i, ctr);
    }
    return st;
}

/* ---- binary features ---- */

static enum fc_status list_binary(struct linker *l)
{
    struct fc_source *s = l->s;
    uint64_t n = 0;
    struct fc_binary *b;

    for (size_t i = 0; i < s->n_nums; n += s->num[i++].n_borders)
        s->num[i].first = (uint32_t)n;
    for (size_t i = 0; i < s->n_hots; n += s->hot[i++].n_values)
        s->hot[i].first = (uint32_t)n;
    for (size_t i = 0; i < s->n_ctrs; n += s->ctr[i++].n_borders)
        s->ctr[i].first = (uint32_t)n;
    if (n > INT32_MAX)
        return fc_fail(l->err, FC_EFORMAT, "too many borders");
    s->n_binary = (size_t)n;
    b = s->binary = fc_arena_get(&l->m->arena, s->n_binary, sizeof(*b));
    if (!b)
        return fc_no_memory(l->err);
    for (uint32_t i = 0; i < s->n_nums; i++)
        for (uint32_t k = 0; k < s->num[i].n_borders; k++)
            *b++ = (struct fc_binary){FC_ASKS_NUM, i, k};
    for (uint32_t i = 0; i < s->n_hots; i++)
        for (uint32_t k = 0; k < s->hot[i].n_values; k++)
            *b++ = (struct fc_binary){FC_ASKS_HOT, i, k};
    for (uint32_t i = 0; i < s->n_ctrs; i++)
        for (uint32_t k = 0; k < s->ctr[i].n_borders; k++)
            *b++ = (struct fc_binary){FC_ASKS_CTR, i, k};
    for (size_t i = 0; i < s->n_projections; i++)
        for (uint32_t k = 0; s->projection[i].linked && k < s->projection[i].n_nums; k++)
            s->projection[i].num[k].binary += s->num[s->projection[i].num[k].index].first;
    return FC_OK;
}

/* ---- trees ---- */

static enum fc_status check_split(struct linker *l, size_t tree, int32_t split)
{
    if (split < 0 || (size_t)split >= l->s->n_binary)
        return fc_fail(l->err, FC_EFORMAT, "tree %zu asks split %d; there are %zu", tree, split,
                       l->s->n_binary);
    return FC_OK;
}

static enum fc_status link_symmetric(struct linker *l)
{
    struct fc_source *s = l->s;
    uint64_t leaves = 0;

    for (size_t t = 0; t < s->n_trees; t++) {
        struct fc_tree *tree = &s->tree[t];

        if (tree->size > FC_MAX_DEPTH)
            return fc_fail(l->err, FC_EFORMAT, "tree %zu has the depth %d; at most %d is taken", t,
                           tree->size, FC_MAX_DEPTH);
        tree->first_leaf = (uint32_t)leaves;
        leaves += UINT64_C(1) << tree->size;
        if (leaves > s->n_leaves)
            break;
        for (int32_t i = 0; i < tree->size; i++) {
            enum fc_status st = check_split(l, t, s->split[tree->start + i]);

            if (st != FC_OK)
                return st;
        }
    }
    if (leaves != s->n_leaves)
        return fc_fail(l->err, FC_EFORMAT, "the trees need %s leaf values than the %zu there are",
                       leaves > s->n_leaves ? "more" : "fewer", s->n_leaves);
    return FC_OK;
}

/* One tree of nodes.  Children lie after their parent, so that one pass in order is enough; depth[] counts from 1, 0
 * is a node that no parent has named yet. */
static enum fc_status link_nodes(struct linker *l, size_t t, const struct fc_tree *tree,
                                 uint8_t *depth)
{
    const struct fc_source *s = l->s;
    uint32_t size = (uint32_t)tree->size;
    enum fc_status st = FC_OK;

    memset(depth, 0, size);
    depth[0] = 1;
    for (uint32_t i = 0; i < size && st == FC_OK; i++) {
        size_t node = (size_t)tree->start + i;
        const uint32_t step[2] = {s->step[node].left, s->step[node].right};

        if (!depth[i])
            return fc_fail(l->err, FC_EFORMAT, "tree %zu: node %u has no parent", t, i);
        if (depth[i] > FC_MAX_NODE_DEPTH + 1)
            return fc_fail(l->err, FC_EFORMAT, "tree %zu is deeper than %d", t, FC_MAX_NODE_DEPTH);
        for (int k = 0; k < 2; k++) {
            if (step[k] >= size - i)
                return fc_fail(l->err, FC_EFORMAT, "tree %zu: node %u points outside the tree", t,
                               i);
            if (step[k] && depth[i + step[k]])
                return fc_fail(l->err, FC_EFORMAT, "tree %zu: node %u has two parents", t,
                               i + step[k]);
            if (step[k])
                depth[i + step[k]] = (uint8_t)(depth[i] + 1);
        }
        if (step[0] || step[1])
            st = check_split(l, t, s->split[node]);
        if (st == FC_OK && (!step[0] || !step[1]) && s->node_leaf[node] >= s->n_leaves)
            return fc_fail(l->err, FC_EFORMAT, "tree %zu: node %u names leaf %u of %zu", t, i,
                           s->node_leaf[node], s->n_leaves);
    }
    return st;
}

static enum fc_status link_asymmetric(struct linker *l)
{
    struct fc_source *s = l->s;
    uint64_t nodes = 0;
    uint8_t *depth;

    if (s->n_steps != s->n_splits || s->n_node_leaves != s->n_splits)
        return fc_fail(l->err, FC_EFORMAT, "%zu splits, %zu steps and %zu leaf ids of nodes",
                       s->n_splits, s->n_steps, s->n_node_leaves);
    depth = fc_arena_get(l->tmp, s->n_splits, 1);
    if (!depth)
        return fc_no_memory(l->err);
    for (size_t t = 0; t < s->n_trees; t++) {
        enum fc_status st;

        if (s->tree[t].size < 1)
            return fc_fail(l->err, FC_EFORMAT, "tree %zu is empty", t);
        nodes += (uint64_t)s->tree[t].size;
        if (nodes > s->n_splits)
            return fc_fail(l->err, FC_EFORMAT, "tree %zu: its nodes are those of other trees", t);
        st = link_nodes(l, t, &s->tree[t], depth);
        if (st != FC_OK)
            return st;
    }
    return FC_OK;
}

static enum fc_status check_numbers(struct linker *l)
{
    const struct fc_source *s = l->s;

    if (!isfinite(s->scale) || !isfinite(s->bias))
        return fc_fail(l->err, FC_EFORMAT, "scale %g, bias %g: not finite", s->scale, s->bias);
    for (size_t i = 0; i < s->n_leaves; i++)
        if (!isfinite(s->leaf[i]))
            return fc_fail(l->err, FC_EFORMAT, "the value of leaf %zu is not finite", i);
    for (size_t i = 0; i < s->n_weights; i++)
        if (!isfinite(s->weight[i]) || s->weight[i] < 0)
            return fc_fail(l->err, FC_EFORMAT, "the weight of leaf %zu is %g", i, s->weight[i]);
    if (s->n_weights && s->n_weights != s->n_leaves)
        return fc_fail(l->err, FC_EFORMAT, "%zu leaf weights for %zu leaf values", s->n_weights,
                       s->n_leaves);
    if (s->n_leaves > UINT32_MAX)
        return fc_fail(l->err, FC_EFORMAT, "too many leaves");
    return FC_OK;
}

static enum fc_status link_trees(struct linker *l)
{
    const struct fc_source *s = l->s;
    enum fc_status st = check_numbers(l);

    for (size_t t = 0; t < s->n_trees && st == FC_OK; t++) {
        int64_t start = s->tree[t].start, size = s->tree[t].size;

        if (start < 0 || size < 0 || (uint64_t)(start + size) > s->n_splits)
            st = fc_fail(l->err, FC_EFORMAT, "tree %zu: splits %lld and %lld on; there are %zu", t,
                         (long long)start, (long long)size, s->n_splits);
    }
    if (st != FC_OK)
        return st;
    return s->symmetric ? link_symmetric(l) : link_asymmetric(l);
}

enum fc_status fc_link(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err)
{
    struct linker l = {.m = m, .s = &m->src, .tmp = tmp, .err = err};
    struct fc_source *s = &m->src;
    enum fc_status (*const steps[])(struct linker *) = {link_features, link_nums,   link_hots,
                                                        link_ctrs,     list_binary, link_trees};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum fc_status st = steps[i](&l);

        if (st != FC_OK)
            return st;
    }
    for (size_t i = 0; i < s->n_nums; i++)
        m->feature[s->num[i].flat].used = s->num[i].n_borders > 0;
    for (size_t i = 0; i < s->n_cats; i++)
        m->feature[s->cat[i].flat].used = s->cat[i].used;
    m->info.n_trees = s->n_trees;
    m->info.n_leaves = s->n_leaves;
    m->info.n_binary = s->n_binary;
    m->info.n_ctr_features = s->n_ctrs;
    m->info.n_ctr_tables = s->n_tables;
    m->info.symmetric = s->symmetric;
    m->info.has_weights = s->n_weights > 0;
    m->info.scale = s->scale;
    m->info.bias = s->bias;
    return FC_OK;
}
