#include "plan.h"

#include <math.h>
#include <string.h>

/* The slot of a feature's value; made at the first call. */
uint32_t fc_plan_slot(struct fc_planner *p, int32_t flat, uint32_t kind)
{
    struct fc_input *in = &p->plan->input[flat];

    if (in->kind == FC_SLOT_NONE) {
        in->kind = kind;
        in->slot = p->plan->n_slots++;
    }
    return in->slot;
}

static void use_splits(struct fc_planner *p)
{
    const struct fc_source *s = p->s;

    for (size_t t = 0; t < s->n_trees; t++)
        for (int32_t i = 0; i < s->tree[t].size; i++) {
            size_t at = (size_t)s->tree[t].start + (size_t)i;

            if (s->symmetric || s->step[at].left || s->step[at].right)
                p->used[s->split[at]] = true;
        }
    for (size_t i = 0; i < s->n_ctrs; i++) { /* what CTRs look at is asked, too */
        const struct fc_projection *pr = &s->projection[s->ctr[i].projection];
        bool used = false;

        for (uint32_t k = 0; k < s->ctr[i].n_borders && !used; k++)
            used = p->used[s->ctr[i].first + k];
        for (uint32_t k = 0; k < pr->n_nums && used; k++)
            p->used[pr->num[k].binary] = true;
    }
}

/* One column for each 255 borders of a feature that are asked. */
static enum fc_status plan_nums(struct fc_planner *p)
{
    const struct fc_source *s = p->s;
    size_t n_columns = 0, n_borders = 0;
    float *border;

    for (size_t i = 0; i < s->n_nums; i++) {
        size_t n = 0;

        for (uint32_t k = 0; k < s->num[i].n_borders; k++)
            n += p->used[s->num[i].first + k];
        n_borders += n;
        n_columns += (n + 254) / 255;
    }
    p->plan->num = fc_arena_get(&p->m->arena, n_columns, sizeof(*p->plan->num));
    border = fc_arena_get(&p->m->arena, n_borders, sizeof(*border));
    if (!p->plan->num || !border)
        return fc_no_memory(p->err);
    for (size_t i = 0; i < s->n_nums; i++) {
        struct fc_num_column *c = NULL;
        const struct fc_num *f = &s->num[i];

        for (uint32_t k = 0; k < f->n_borders; k++) {
            if (!p->used[f->first + k])
                continue;
            if (!c || c->n == 255) {
                c = &p->plan->num[p->plan->n_nums++];
                c->slot = fc_plan_slot(p, f->flat, FC_SLOT_NUM);
                c->border = border;
            }
            *border++ = f->border[k];
            c->n++;
            p->plan->binary[f->first + k] =
                (struct fc_test){(uint32_t)(p->plan->n_nums - 1), UINT8_MAX, (uint8_t)c->n};
        }
        p->plan->input[f->flat].nan = !f->has_nans || f->nan == FC_NAN_AS_IS ? NAN
                                      : f->nan == FC_NAN_AS_TRUE             ? INFINITY
                                                                             : -INFINITY;
    }
    p->plan->n_columns = p->plan->n_nums;
    return FC_OK;
}

static enum fc_status plan_hots(struct fc_planner *p)
{
    const struct fc_source *s = p->s;
    struct fc_plan *plan = p->plan;
    size_t n = 0;

    for (size_t i = 0; i < s->n_hots; i++)
        for (uint32_t k = 0; k < s->hot[i].n_values; k++)
            n += p->used[s->hot[i].first + k];
    for (size_t i = 0; i < s->n_projections; i++)
        n += s->projection[i].linked ? s->projection[i].n_hots : 0;
    plan->hot = fc_arena_get(&p->m->arena, n, sizeof(*plan->hot));
    if (!plan->hot)
        return fc_no_memory(p->err);
    for (size_t i = 0; i < s->n_hots; i++)
        for (uint32_t k = 0; k < s->hot[i].n_values; k++) {
            if (!p->used[s->hot[i].first + k])
                continue;
            plan->binary[s->hot[i].first + k] =
                (struct fc_test){(uint32_t)plan->n_columns++, UINT8_MAX, 1};
            plan->hot[plan->n_hots++] = (struct fc_hot_column){
                (uint32_t)(plan->n_columns - 1),
                fc_plan_slot(p, s->cat[s->hot[i].cat].flat, FC_SLOT_CAT), s->hot[i].value[k]};
        }
    return FC_OK;
}

static void plan_wide_tree(struct fc_plan *plan, size_t t)
{
    const struct fc_plan_tree *tree = &plan->tree[t];
    struct fc_wide_test *test = plan->wide_test + t * FC_WIDE_DEPTH;
    unsigned char *plane = plan->wide_leaf + t * sizeof(double) * FC_LANES;

    for (uint32_t d = 0; d < FC_WIDE_DEPTH; d++) {
        struct fc_test from = {0, 0, UINT8_MAX}; /* never yes */

        if (d < tree->depth)
            from = tree->test[d];
        test[d].column = from.column;
        memset(&test[d].mask, from.mask, sizeof(test[d].mask));
        memset(&test[d].least, from.least, sizeof(test[d].least));
    }
    for (size_t i = 0; i < (size_t)1 << tree->depth; i++) {
        uint64_t bits;

        memcpy(&bits, &tree->leaf[i], sizeof(bits));
        for (size_t k = 0; k < sizeof(bits); k++)
            plane[k * FC_LANES + i] = (unsigned char)(bits >> 8 * k);
    }
}

/* Made for models that use most of the room. */
static enum fc_status plan_wide(struct fc_planner *p)
{
    struct fc_plan *plan = p->plan;
    size_t n = plan->n_trees;

    for (size_t t = 0; t < n; t++)
        if (plan->tree[t].depth > FC_WIDE_DEPTH)
            return FC_OK;
    if (plan->n_columns == 0 || n * FC_LANES > 4 * p->s->n_leaves)
        return FC_OK;
    plan->wide_leaf = fc_arena_get(&p->m->arena, n, sizeof(double) * FC_LANES);
    plan->wide_test = fc_arena_get(&p->m->arena, n * FC_WIDE_DEPTH, sizeof(*plan->wide_test));
    if (!plan->wide_leaf || !plan->wide_test)
        return fc_no_memory(p->err);
    for (size_t t = 0; t < n; t++)
        plan_wide_tree(plan, t);
    return FC_OK;
}

static enum fc_status plan_symmetric(struct fc_planner *p)
{
    const struct fc_source *s = p->s;
    struct fc_test *test;
    size_t n = 0;

    for (size_t t = 0; t < s->n_trees; t++)
        n += (size_t)s->tree[t].size;
    test = fc_arena_get(&p->m->arena, n, sizeof(*test));
    p->plan->tree = fc_arena_get(&p->m->arena, s->n_trees, sizeof(*p->plan->tree));
    if (!test || !p->plan->tree)
        return fc_no_memory(p->err);
    for (size_t t = 0; t < s->n_trees; t++) {
        const struct fc_tree *tree = &s->tree[t];

        p->plan->tree[t] =
            (struct fc_plan_tree){(uint32_t)tree->size, test, s->leaf + tree->first_leaf};
        for (int32_t d = 0; d < tree->size; d++)
            *test++ = p->plan->binary[s->split[tree->start + d]];
    }
    return plan_wide(p);
}

/* Nodes one after another; a leaf that the file folds into its parent gets a node of its own. */
static void plan_tree_nodes(struct fc_planner *p, const struct fc_tree *tree, uint32_t *at)
{
    const struct fc_source *s = p->s;
    struct fc_plan *plan = p->plan;
    uint32_t size = (uint32_t)tree->size, end = *at + size;

    for (uint32_t i = 0; i < size; i++) {
        size_t from = (size_t)tree->start + i;
        const uint32_t step[2] = {s->step[from].left, s->step[from].right};
        struct fc_node *node = &plan->node[*at + i];

        if (!step[0] && !step[1]) {
            plan->node_leaf[*at + i] = s->leaf[s->node_leaf[from]];
            plan->node_leaf_id[*at + i] = s->node_leaf[from];
            continue;
        }
        node->test = plan->binary[s->split[from]];
        plan->node_split[*at + i] = s->split[from];
        for (int k = 0; k < 2; k++) {
            node->step[k] = step[k];
            if (step[k])
                continue;
            node->step[k] = end - (*at + i);
            plan->node_leaf_id[end] = s->node_leaf[from];
            plan->node_leaf[end++] = s->leaf[s->node_leaf[from]];
        }
    }
    *at = end;
}

/* Opens nodes from the root downwards, level by level, while there may be more ends. */
static void open_top(const struct fc_plan *plan, struct fc_plan_nodes *tree, uint32_t n_nodes,
                     uint32_t *queue, bool *open)
{
    uint32_t n = 1, most;

    tree->whole = n_nodes < 2 * FC_WHOLE_ENDS; /* n leaves hang on n - 1 nodes */
    most = tree->whole ? FC_WHOLE_ENDS : FC_TOP_ENDS;
    queue[0] = tree->first;
    for (uint32_t i = 0, n_ends = 1; i < n && n_ends < most; i++) {
        const struct fc_node *node = &plan->node[queue[i]];

        if (!node->step[0])
            continue;
        open[queue[i]] = true;
        n_ends++;
        queue[n++] = queue[i] + node->step[0];
        queue[n++] = queue[i] + node->step[1];
    }
}

/* Lists the opened nodes and the ends below a node. */
static void plan_splits(struct fc_plan *plan, const bool *open, uint32_t at, uint8_t place,
                        struct fc_plan_nodes *tree, uint32_t *n_ends)
{
    const struct fc_node *node = &plan->node[at];
    struct fc_split *split;
    uint32_t before = *n_ends;

    if (!open[at]) {
        plan->end_leaf[tree->first_end + *n_ends] = plan->node_leaf[at];
        plan->end[tree->first_end + (*n_ends)++] = at;
        return;
    }
    split = &plan->split[tree->first_split + tree->n_splits++];
    split->test = node->test;
    split->place = place;
    plan_splits(plan, open, at + node->step[0], (uint8_t)(place + 1), tree, n_ends);
    split->n_left = (uint8_t)(*n_ends - before);
    plan_splits(plan, open, at + node->step[1], place, tree, n_ends);
}

static enum fc_status plan_tops(struct fc_planner *p)
{
    struct fc_plan *plan = p->plan;
    uint32_t first_split = 0, first_end = 0;
    uint32_t *queue = fc_arena_get(p->tmp, plan->n_nodes, sizeof(*queue));
    bool *open = fc_arena_get(p->tmp, plan->n_nodes, sizeof(*open));

    plan->split = fc_arena_get(&p->m->arena, plan->n_nodes, sizeof(*plan->split));
    plan->end = fc_arena_get(&p->m->arena, plan->n_nodes, sizeof(*plan->end));
    plan->end_leaf = fc_arena_get(&p->m->arena, plan->n_nodes, sizeof(*plan->end_leaf));
    if (!queue || !open || !plan->split || !plan->end || !plan->end_leaf)
        return fc_no_memory(p->err);
    for (size_t t = 0; t < plan->n_trees; t++) {
        struct fc_plan_nodes *tree = &plan->nodes[t];
        size_t behind = t + 1 < plan->n_trees ? plan->nodes[t + 1].first : plan->n_nodes;
        uint32_t n_ends = 0;

        tree->first_split = first_split;
        tree->first_end = first_end;
        open_top(plan, tree, (uint32_t)behind - tree->first, queue, open);
        plan_splits(plan, open, tree->first, 0, tree, &n_ends);
        first_split += tree->n_splits;
        first_end += n_ends;
    }
    return FC_OK;
}

static enum fc_status plan_asymmetric(struct fc_planner *p)
{
    const struct fc_source *s = p->s;
    struct fc_plan *plan = p->plan;
    size_t n = 0;
    uint32_t at = 0;

    for (size_t t = 0; t < s->n_trees; t++)
        for (int32_t i = 0; i < s->tree[t].size; i++) {
            const struct fc_step *step = &s->step[s->tree[t].start + i];

            n += (step->left == 0) == (step->right == 0) ? 1 : 2;
        }
    plan->node = fc_arena_get(&p->m->arena, n, sizeof(*plan->node));
    plan->node_leaf = fc_arena_get(&p->m->arena, n, sizeof(*plan->node_leaf));
    plan->nodes = fc_arena_get(&p->m->arena, s->n_trees, sizeof(*plan->nodes));
    plan->node_leaf_id = fc_arena_get(&p->m->arena, n, sizeof(*plan->node_leaf_id));
    plan->node_split = fc_arena_get(&p->m->arena, n, sizeof(*plan->node_split));
    if (!plan->node || !plan->node_leaf || !plan->nodes || !plan->node_leaf_id || !plan->node_split)
        return fc_no_memory(p->err);
    plan->n_nodes = n;
    for (size_t t = 0; t < s->n_trees; t++) {
        plan->nodes[t].first = at;
        plan_tree_nodes(p, &s->tree[t], &at);
    }
    return plan_tops(p);
}

enum fc_status fc_plan_make(struct fc_model *m, struct fc_arena *tmp, struct fc_err *err)
{
    struct fc_planner p = {.m = m, .s = &m->src, .tmp = tmp, .err = err};
    enum fc_status st;

    p.plan = m->plan = fc_arena_get(&m->arena, 1, sizeof(*m->plan));
    p.used = fc_arena_get(tmp, m->src.n_binary, sizeof(*p.used));
    if (!p.plan || !p.used)
        return fc_no_memory(err);
    p.plan->input = fc_arena_get(&m->arena, m->info.n_features, sizeof(*p.plan->input));
    p.plan->binary = fc_arena_get(&m->arena, m->src.n_binary, sizeof(*p.plan->binary));
    if (!p.plan->input || !p.plan->binary)
        return fc_no_memory(err);
    p.plan->n_trees = m->src.n_trees;
    p.plan->symmetric = m->src.symmetric;
    p.plan->scale = m->src.scale;
    p.plan->bias = m->src.bias;
    use_splits(&p);
    st = plan_nums(&p);
    if (st == FC_OK)
        st = plan_hots(&p);
    if (st == FC_OK)
        st = fc_plan_ctrs(&p);
    if (st == FC_OK && p.plan->n_columns > FC_MAX_COLUMNS)
        st = fc_fail(err, FC_EFORMAT, "the trees ask of %zu columns; at most %zu are taken",
                     p.plan->n_columns, FC_MAX_COLUMNS);
    if (st != FC_OK)
        return st;
    return p.plan->symmetric ? plan_symmetric(&p) : plan_asymmetric(&p);
}
