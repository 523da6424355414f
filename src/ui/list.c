#include "list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ORDER_MS 5000

const char *const ft_sort_name[FT_N_SORTS] = {"newest", "score x amount", "score", "amount",
                                              "waiting"};

void ft_list_init(struct ft_list *l, enum ft_sort sort)
{
    memset(l, 0, sizeof(*l));
    l->sort = sort;
    l->following = true;
    l->masked = true;
    l->moved_ms = INT64_MIN / 2;
}

void ft_list_order(const struct ft_list *l, const char **sort, bool *reverse)
{
    static const char *const word[FT_N_SORTS] = {"waiting", "risk", "score", "amount", "waiting"};

    *sort = word[l->sort];
    *reverse = l->reverse != (l->sort == FT_SORT_NEWEST);
}

void ft_list_fini(struct ft_list *l)
{
    free(l->row);
    free(l->view);
    free(l->mark);
    memset(l, 0, sizeof(*l));
}

static bool same(const struct ft_uuid *a, const struct ft_uuid *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static double amount_of(const struct ft_flagged *r)
{
    return strtod(r->amount, NULL);
}

/* Positive when a comes before b. */
static double before(const struct ft_list *l, const struct ft_flagged *a,
                     const struct ft_flagged *b)
{
    switch (l->sort) {
    case FT_SORT_RISK:
        return a->score * amount_of(a) - b->score * amount_of(b);
    case FT_SORT_SCORE:
        return a->score - b->score;
    case FT_SORT_AMOUNT:
        return amount_of(a) - amount_of(b);
    case FT_SORT_WAITING:
        return (double)(b->arrived_ms - a->arrived_ms);
    default:
        return (double)(a->arrived_ms - b->arrived_ms);
    }
}

/* Stable merge sort of the view; equal rows stay newest first. */
static void sort_view(const struct ft_list *l, uint32_t *v, uint32_t *tmp, size_t n)
{
    size_t half = n / 2, i = 0, j = half, k = 0;

    if (n < 2)
        return;
    sort_view(l, v, tmp, half);
    sort_view(l, v + half, tmp, n - half);
    while (i < half && j < n)
        tmp[k++] = before(l, &l->row[v[j]], &l->row[v[i]]) > 0 ? v[j++] : v[i++];
    while (i < half)
        tmp[k++] = v[i++];
    while (j < n)
        tmp[k++] = v[j++];
    memcpy(v, tmp, n * sizeof(*v));
}

static void reverse_view(struct ft_list *l)
{
    for (size_t i = 0, j = l->n_view; i + 1 < j; i++, j--) {
        uint32_t t = l->view[i];

        l->view[i] = l->view[j - 1];
        l->view[j - 1] = t;
    }
}

static bool grow_view(struct ft_list *l)
{
    uint32_t *view;

    if (l->cap_view >= 2 * l->n && l->view)
        return true;
    view = realloc(l->view, (2 * l->n + 16) * sizeof(*view));
    if (!view)
        return false;
    l->view = view;
    l->cap_view = 2 * l->n + 16;
    return true;
}

static void make_view(struct ft_list *l, int64_t wall_ms)
{
    l->n_view = 0;
    if (!grow_view(l))
        return;
    for (size_t i = 0; i < l->n; i++)
        if (ft_filter_match(&l->filter, &l->row[i], wall_ms, l->masked))
            l->view[l->n_view++] = (uint32_t)i;
    sort_view(l, l->view, l->view + l->n, l->n_view);
    if (l->reverse)
        reverse_view(l);
}

static bool find(const struct ft_list *l, const struct ft_uuid *id, size_t *at)
{
    for (size_t i = 0; i < l->n_view; i++)
        if (same(&l->row[l->view[i]].id, id)) {
            *at = i;
            return true;
        }
    return false;
}

static void choose(struct ft_list *l, size_t at)
{
    l->has_sel = l->n_view > 0;
    l->at = at < l->n_view ? at : l->n_view ? l->n_view - 1 : 0;
    if (l->has_sel)
        l->sel = l->row[l->view[l->at]].id;
}

/* After the view changed: the selection by its id, at the same line of the screen. */
static bool settle(struct ft_list *l)
{
    size_t line = l->at - (l->top < l->at ? l->top : l->at), at;

    if (l->following || !l->has_sel) {
        choose(l, 0);
        l->top = 0;
        return false;
    }
    if (find(l, &l->sel, &at)) {
        l->at = at;
        /* In another order than the newest, what comes above is to be seen from the top. */
        if (l->top || l->sort == FT_SORT_NEWEST)
            l->top = at > line ? at - line : 0;
        return false;
    }
    choose(l, l->at);
    return true;
}

bool ft_list_set(struct ft_list *l, const struct ft_flagged *row, size_t n, int64_t now_ms,
                 int64_t wall_ms)
{
    size_t fresh = 0;

    if (l->sort != FT_SORT_NEWEST && l->n && now_ms - l->moved_ms < KEEP_ORDER_MS &&
        now_ms >= l->moved_ms)
        return false;
    while (l->n && fresh < n && !same(&row[fresh].id, &l->row[0].id))
        fresh++;
    if (n > l->cap) {
        struct ft_flagged *p = realloc(l->row, n * sizeof(*p));

        if (!p)
            return false; /* the old rows stay */
        l->row = p;
        l->cap = n;
    }
    if (n)
        memcpy(l->row, row, n * sizeof(*row));
    l->unseen = l->following ? 0 : l->unseen + (fresh < n ? fresh : 0);
    l->n = n;
    make_view(l, wall_ms);
    return settle(l);
}

void ft_list_rebuild(struct ft_list *l, int64_t wall_ms)
{
    make_view(l, wall_ms);
    settle(l);
}

void ft_list_move(struct ft_list *l, long by, int64_t now_ms)
{
    long at = (long)l->at + by;

    if (!l->n_view)
        return;
    l->following = false;
    l->moved_ms = now_ms;
    choose(l, at < 0 ? 0 : (size_t)at);
    if (l->at == 0 && by < 0 && l->sort == FT_SORT_NEWEST)
        ft_list_first(l);
}

void ft_list_first(struct ft_list *l)
{
    l->following = true;
    l->unseen = 0;
    l->top = 0;
    choose(l, 0);
}

void ft_list_last(struct ft_list *l, int64_t now_ms)
{
    ft_list_move(l, (long)l->n_view, now_ms);
}

bool ft_list_select(struct ft_list *l, const struct ft_uuid *id, int64_t now_ms)
{
    size_t at;

    if (!find(l, id, &at))
        return false;
    l->following = false;
    l->moved_ms = now_ms;
    choose(l, at);
    return true;
}

void ft_list_show(struct ft_list *l, size_t rows)
{
    if (rows == 0)
        return;
    if (l->at < l->top)
        l->top = l->at;
    if (l->at >= l->top + rows)
        l->top = l->at - rows + 1;
    if (l->top + rows > l->n_view)
        l->top = l->n_view > rows ? l->n_view - rows : 0;
}

const struct ft_flagged *ft_list_row(const struct ft_list *l, size_t i)
{
    return i < l->n_view ? &l->row[l->view[i]] : NULL;
}

const struct ft_flagged *ft_list_selected(const struct ft_list *l)
{
    return l->has_sel ? ft_list_row(l, l->at) : NULL;
}

/* ---- marks ---------------------------------------------------------------------------------------- */

bool ft_list_marked(const struct ft_list *l, const struct ft_uuid *id)
{
    for (size_t i = 0; i < l->n_mark; i++)
        if (same(&l->mark[i], id))
            return true;
    return false;
}

static void add_mark(struct ft_list *l, const struct ft_uuid *id)
{
    if (ft_list_marked(l, id))
        return;
    if (l->n_mark == l->cap_mark) {
        size_t cap = l->cap_mark ? 2 * l->cap_mark : 64;
        struct ft_uuid *p = realloc(l->mark, cap * sizeof(*p));

        if (!p)
            return;
        l->mark = p;
        l->cap_mark = cap;
    }
    l->mark[l->n_mark++] = *id;
    l->range_from = *id;
}

void ft_list_toggle(struct ft_list *l, const struct ft_uuid *id)
{
    for (size_t i = 0; i < l->n_mark; i++)
        if (same(&l->mark[i], id)) {
            l->mark[i] = l->mark[--l->n_mark];
            return;
        }
    add_mark(l, id);
}

void ft_list_mark_range(struct ft_list *l)
{
    size_t from = l->at, to = l->at, at;

    if (!l->n_view)
        return;
    if (l->n_mark && find(l, &l->range_from, &at)) {
        from = at < from ? at : from;
        to = at > to ? at : to;
    }
    for (size_t i = from; i <= to; i++)
        add_mark(l, &l->row[l->view[i]].id);
}

void ft_list_mark_view(struct ft_list *l)
{
    for (size_t i = 0; i < l->n_view; i++)
        add_mark(l, &l->row[l->view[i]].id);
}

void ft_list_unmark(struct ft_list *l)
{
    l->n_mark = 0;
}

size_t ft_list_marked_hidden(const struct ft_list *l)
{
    size_t hidden = 0, at;

    for (size_t i = 0; i < l->n_mark; i++)
        hidden += !find(l, &l->mark[i], &at);
    return hidden;
}

/* ---- search --------------------------------------------------------------------------------------- */

bool ft_text_holds(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (;; text++) {
        size_t i = 0;

        while (i < n && text[i] &&
               tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
        if (!*text)
            return false;
    }
}

static bool row_holds(const struct ft_list *l, const struct ft_flagged *r)
{
    char id[FT_UUID_TEXT + 1], customer[100];

    ft_uuid_format(&r->id, id);
    snprintf(customer, sizeof(customer), "%s %s", r->name_1, r->name_2);
    return ft_text_holds(r->merchant, l->search) || ft_text_holds(r->category, l->search) ||
           ft_text_holds(r->city, l->search) || ft_text_holds(r->state, l->search) ||
           ft_text_holds(r->why, l->search) || ft_text_holds(r->amount, l->search) ||
           ft_text_holds(r->event, l->search) || ft_text_holds(id, l->search) ||
           (!l->masked && ft_text_holds(customer, l->search));
}

bool ft_list_search(struct ft_list *l, int dir, int64_t now_ms)
{
    for (size_t step = 1; step <= l->n_view; step++) {
        size_t i = (l->at + (dir > 0 ? step : l->n_view - step)) % l->n_view;

        if (row_holds(l, &l->row[l->view[i]])) {
            l->following = false;
            l->moved_ms = now_ms;
            choose(l, i);
            return true;
        }
    }
    return false;
}
