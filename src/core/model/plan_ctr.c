/*
 * CTR tables made ready for scoring: one table for each projection, with the answers instead of the counts.
 */
#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "plan.h"

/* A CTR feature of the projection at hand and its place among the answers. */
struct field {
    const struct fc_ctr *ctr;
    uint32_t from, n; /* its asked borders: from .. from + n - 1 of asked[] */
    uint32_t byte;
    unsigned shift;
};

struct group { /* what is asked of one projection */
    struct fc_planner *p;
    struct fc_lookup *out;
    struct field *field;
    size_t n_fields;
    float *asked; /* borders, field by field */
    uint32_t n_asked, n_bits;
    bool *listed;     /* by table of the model: it is among those of its projection */
    uint64_t *budget; /* steps of work that an honest model of this size stays far below */
};

/* ---- values (catboost-model, section 7.2) ---- */

/* counts is a row of the table, NULL for "not found"; after[k] is the sum of counts[k..], in i32.
 * f32 throughout, one rounding for each operation. */
static float ctr_value(const struct fc_ctr *ctr, const unsigned char *counts, const uint32_t *after)
{
    const struct fc_ctr_table *t = ctr->table;
    float good = 0, total = 0, num, den;

    if (fc_ctr_is_mean(ctr->type)) {
        good = counts ? fc_le_f32(counts) : 0;
        total = counts ? (float)fc_le_i32(counts + 4) : 0;
    } else if (fc_ctr_is_count(ctr->type)) {
        good = counts ? (float)fc_le_i32(counts) : 0;
        total = (float)t->denominator;
    } else if (counts) {
        uint32_t b = (uint32_t)ctr->target_border;
        uint32_t sum = ctr->type == FC_CTR_BUCKETS ? fc_le32(counts + 4 * (size_t)b) : after[b + 1];

        good = (float)(int32_t)sum;
        total = (float)(int32_t)after[0];
    }
    num = good + ctr->prior_num;
    den = total + ctr->prior_denom;
    return (num / den + ctr->shift) * ctr->scale;
}

/* Puts the answers of one row of a table (or "not found") into out[n_bytes]. */
static void answer(const struct group *g, const struct fc_ctr_table *t, const unsigned char *counts,
                   const uint32_t *after, unsigned char *out)
{
    for (size_t i = 0; i < g->n_fields; i++) {
        const struct field *f = &g->field[i];
        float value;
        unsigned n = 0;

        if (f->ctr->table != t)
            continue;
        value = ctr_value(f->ctr, counts, after);
        while (n < f->n && value > g->asked[f->from + n])
            n++;
        out[f->byte] = (unsigned char)(out[f->byte] | n << f->shift);
    }
}

/* ---- fields ---- */

static unsigned bits_for(uint32_t n)
{
    unsigned bits = 1;

    while (n >> bits)
        bits++;
    return bits;
}

/* Lays the asked borders of a CTR feature out in fields of up to 255, and gives the binary features their tests. */
static void lay_out(struct group *g, const struct fc_ctr *ctr)
{
    const bool *used = g->p->used + ctr->first;
    struct field *f = NULL;
    uint32_t left = 0;
    unsigned width = 0;

    for (uint32_t k = 0; k < ctr->n_borders; k++)
        left += used[k];
    for (uint32_t k = 0; k < ctr->n_borders; k++) {
        if (!used[k])
            continue;
        if (!f || f->n == 255) {
            width = bits_for(left < 255 ? left : 255);
            if (g->n_bits % 8 + width > 8)
                g->n_bits += 8 - g->n_bits % 8;
            f = &g->field[g->n_fields++];
            *f = (struct field){ctr, g->n_asked, 0, g->n_bits / 8, g->n_bits % 8};
            g->n_bits += width;
        }
        g->asked[g->n_asked++] = ctr->border[k];
        f->n++;
        left--;
        g->p->plan->binary[ctr->first + k] =
            (struct fc_test){g->out->column + f->byte, (uint8_t)(((1U << width) - 1) << f->shift),
                             (uint8_t)(f->n << f->shift)};
    }
}

/* ---- the table ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* All different keys of some tables. */
static enum fc_status distinct_keys(struct group *g, const struct fc_ctr_table *const *table,
                                    size_t n_tables, struct fc_arena *tmp, uint64_t **keys,
                                    size_t *n)
{
    size_t most = 0;
    uint64_t *all;

    for (size_t t = 0; t < n_tables; t++)
        most += table[t]->n_keys;
    all = *keys = fc_arena_get(tmp, most, sizeof(*all));
    if (!all)
        return fc_no_memory(g->p->err);
    for (size_t t = 0; t < n_tables; all += table[t++]->n_keys)
        if (table[t]->n_keys)
            memcpy(all, table[t]->key, table[t]->n_keys * sizeof(*all));
    all = *keys;
    if (most)
        qsort(all, most, sizeof(*all), by_value);
    *n = 0;
    for (size_t i = 0; i < most; i++)
        if (i == 0 || all[i] != all[i - 1])
            all[(*n)++] = all[i];
    return FC_OK;
}

/* The sums from each class to the last, for the row at counts. */
static void sum_after(const struct fc_ctr_table *t, const unsigned char *counts, uint32_t *after)
{
    uint32_t sum = 0;

    after[t->width] = 0;
    for (uint32_t k = t->width; k-- > 0;)
        after[k] = sum += fc_le32(counts + 4 * (size_t)k);
}

/* What is known of one projection while its table is made: its different hashes, and what is answered to each. */
struct keys {
    uint64_t *hash;
    size_t n;
    unsigned char *rows; /* n + 1 times n_bytes; the last is for all other hashes */
    uint32_t *seen;      /* the last table that had the hash */
};

static void add_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] |= from[i];
}

/* Adds the answers of one table: to its own hashes by row, to all others "not found". */
static enum fc_status add_table(struct group *g, const struct fc_ctr_table *t, struct keys *keys,
                                uint32_t mark)
{
    struct fc_arena tmp = {0};
    size_t n_bytes = g->out->n_bytes;
    uint32_t *after = fc_arena_get(&tmp, (size_t)t->width + 1, sizeof(*after));
    unsigned char *rows = fc_arena_get(&tmp, t->n_rows + 1, n_bytes);
    enum fc_status st = after && rows ? FC_OK : fc_no_memory(g->p->err);

    for (size_t i = 0; i < t->n_rows && st == FC_OK; i++) {
        const unsigned char *counts = t->counts + 4 * (size_t)t->width * i;

        sum_after(t, counts, after);
        answer(g, t, counts, after, rows + n_bytes * i);
    }
    if (st == FC_OK)
        answer(g, t, NULL, NULL, rows + n_bytes * t->n_rows);
    for (size_t i = 0; i < t->n_keys && st == FC_OK; i++) {
        size_t at = fc_find_hash(keys->hash, keys->n, t->key[i]);

        if (keys->seen[at] != mark) /* a search finds the first of two equal hashes */
            add_bytes(keys->rows + n_bytes * at, rows + n_bytes * t->row[i], n_bytes);
        keys->seen[at] = mark;
    }
    for (size_t at = 0; at <= keys->n && st == FC_OK; at++)
        if (keys->seen[at] != mark)
            add_bytes(keys->rows + n_bytes * at, rows + n_bytes * t->n_rows, n_bytes);
    fc_arena_free(&tmp);
    return st;
}

/* A small file can name one table from very many CTR features: what that costs is measured by the file's size. */
static enum fc_status spend(struct group *g, const struct fc_ctr_table *t, size_t n_keys)
{
    uint64_t steps = (uint64_t)t->n_rows * g->n_fields + (uint64_t)n_keys * g->out->n_bytes;

    if (steps > *g->budget)
        return fc_fail(
            g->p->err, FC_EFORMAT,
            "the CTR tables unfold far beyond what training makes of a file of %zu bytes",
            g->p->s->n_bytes);
    *g->budget -= steps;
    return FC_OK;
}

static enum fc_status build_table(struct group *g, const struct fc_ctr_table *const *table,
                                  size_t n_tables)
{
    struct fc_arena tmp = {0};
    struct keys keys = {0};
    enum fc_status st = distinct_keys(g, table, n_tables, &tmp, &keys.hash, &keys.n);

    for (size_t t = 0; t < n_tables && st == FC_OK; t++)
        st = spend(g, table[t], keys.n + 1);
    if (st == FC_OK) {
        keys.rows = fc_arena_get(&tmp, keys.n + 1, g->out->n_bytes);
        keys.seen = fc_arena_get(&tmp, keys.n + 1, sizeof(*keys.seen));
        st = keys.rows && keys.seen ? FC_OK : fc_no_memory(g->p->err);
    }
    for (size_t t = 0; t < n_tables && st == FC_OK; t++)
        st = add_table(g, table[t], &keys, (uint32_t)t + 1);
    if (st == FC_OK) {
        st = fc_table_make(g->out, &g->p->m->arena, keys.hash, keys.n, keys.rows);
        if (st == FC_ENOMEM)
            fc_no_memory(g->p->err);
        else if (st != FC_OK)
            fc_fail(g->p->err, st, "a CTR table whose hashes collide as those of no training do");
    }
    fc_arena_free(&tmp);
    return st;
}

/* ---- the members ---- */

/* hash = C(C(0, v1), v2) ..., C(h, v) = M * (h + M * v): the k-th of n values counts M^(n - k + 2) times. */
static enum fc_status plan_members(struct fc_planner *p, const struct fc_projection *pr,
                                   struct fc_lookup *out)
{
    struct fc_cat_member *cat = fc_arena_get(&p->m->arena, pr->n_cats, sizeof(*cat));
    struct fc_test_member *test =
        fc_arena_get(&p->m->arena, (size_t)pr->n_nums + pr->n_hots, sizeof(*test));
    uint64_t factor = FC_COMBINE * FC_COMBINE;

    if (!cat || !test)
        return fc_no_memory(p->err);
    for (uint32_t i = pr->n_hots; i-- > 0; factor *= FC_COMBINE) {
        struct fc_plan *plan = p->plan;

        plan->hot[plan->n_hots++] = (struct fc_hot_column){
            (uint32_t)plan->n_columns,
            fc_plan_slot(p, p->s->cat[pr->hot[i].index].flat, FC_SLOT_CAT), pr->hot[i].value};
        test[pr->n_nums + i] = (struct fc_test_member){
            {(uint32_t)plan->n_columns++, UINT8_MAX, 1},
            factor
        };
    }
    for (uint32_t i = pr->n_nums; i-- > 0; factor *= FC_COMBINE)
        test[i] = (struct fc_test_member){p->plan->binary[pr->num[i].binary], factor};
    for (uint32_t i = pr->n_cats; i-- > 0; factor *= FC_COMBINE)
        cat[i] = (struct fc_cat_member){fc_plan_slot(p, p->s->cat[pr->cat[i]].flat, FC_SLOT_CAT),
                                        factor};
    out->cat = cat;
    out->test = test;
    out->n_cats = pr->n_cats;
    out->n_tests = pr->n_nums + pr->n_hots;
    return FC_OK;
}

/* ---- all of them ---- */

static enum fc_status plan_group(struct group *g, const struct fc_ctr *const *ctr, size_t n)
{
    struct fc_arena tmp = {0};
    const struct fc_ctr_table **table = fc_arena_get(&tmp, n, sizeof(*table));
    size_t n_tables = 0, n_borders = 0;
    enum fc_status st = FC_OK;

    for (size_t i = 0; i < n; i++)
        n_borders += ctr[i]->n_borders;
    g->field = fc_arena_get(&tmp, n + n_borders / 255, sizeof(*g->field));
    g->asked = fc_arena_get(&tmp, n_borders, sizeof(*g->asked));
    if (!table || !g->field || !g->asked)
        st = fc_no_memory(g->p->err);
    g->out->column = (uint32_t)g->p->plan->n_columns;
    for (size_t i = 0; i < n && st == FC_OK; i++) {
        bool *listed = &g->listed[ctr[i]->table - g->p->s->table];

        lay_out(g, ctr[i]);
        if (!*listed)
            table[n_tables++] = ctr[i]->table;
        *listed = true; /* a table belongs to one projection */
    }
    g->out->n_bytes = (g->n_bits + 7) / 8;
    g->p->plan->n_columns += g->out->n_bytes;
    if (st == FC_OK)
        st = build_table(g, table, n_tables);
    fc_arena_free(&tmp);
    return st;
}

static bool is_asked(const struct fc_planner *p, const struct fc_ctr *ctr)
{
    for (uint32_t k = 0; k < ctr->n_borders; k++)
        if (p->used[ctr->first + k])
            return true;
    return false;
}

enum fc_status fc_plan_ctrs(struct fc_planner *p)
{
    const struct fc_source *s = p->s;
    size_t *end = fc_arena_get(p->tmp, s->n_projections + 1, sizeof(*end));
    const struct fc_ctr **sorted = fc_arena_get(p->tmp, s->n_ctrs, sizeof(*sorted));
    bool *listed = fc_arena_get(p->tmp, s->n_tables, sizeof(*listed));
    uint64_t budget = 16 * (uint64_t)s->n_bytes + (UINT64_C(1) << 24);
    enum fc_status st = FC_OK;
    size_t n = 0;

    if (!end || !sorted || !listed)
        return fc_no_memory(p->err);
    for (size_t i = 0; i < s->n_ctrs; i++)
        if (is_asked(p, &s->ctr[i]))
            end[s->ctr[i].projection + 1]++;
    for (size_t i = 0; i < s->n_projections; i++) {
        n += end[i + 1] > 0;
        end[i + 1] += end[i];
    }
    for (size_t i = 0; i < s->n_ctrs; i++) /* end[] runs from each group's begin to its end */
        if (is_asked(p, &s->ctr[i]))
            sorted[end[s->ctr[i].projection]++] = &s->ctr[i];
    p->plan->lookup = fc_arena_get(&p->m->arena, n, sizeof(*p->plan->lookup));
    if (!p->plan->lookup)
        return fc_no_memory(p->err);
    for (size_t i = 0, from = 0; i < s->n_projections && st == FC_OK; from = end[i++]) {
        struct fc_lookup *out = &p->plan->lookup[p->plan->n_lookups];
        struct group g = {.p = p, .out = out, .listed = listed, .budget = &budget};

        if (end[i] == from)
            continue;
        st = plan_members(p, &s->projection[i], out);
        if (st == FC_OK)
            st = plan_group(&g, sorted + from, end[i] - from);
        p->plan->n_lookups++;
    }
    return st;
}
