/* Lists of flagged transactions on the screen, and the keys that work on every such list. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

static const char *status_word(char s)
{
    return s == 'f'   ? "fraud"
           : s == 'l' ? "legitimate"
           : s == 'e' ? "escalated"
           : s == 's' ? "snoozed"
                      : "open";
}

static void claimed_text(const struct ft_con *c, const struct ft_flagged *r, char *out, size_t size)
{
    int64_t min = (c->wall_ms - r->claimed_ms) / 60000;

    if (!r->claimed_by[0])
        snprintf(out, size, "%s", "");
    else if (strcmp(r->claimed_by, c->live->user) == 0)
        snprintf(out, size, "you");
    else
        snprintf(out, size, "%.5s %dm", r->claimed_by, (int)(min < 0 ? 0 : min > 99 ? 99 : min));
}

/* The text of a cell; returns its role. */
static enum ft_role cell_text(const struct ft_con *c, const struct ft_flagged *r,
                              enum ft_column col, int w, char *out, size_t size)
{
    *out = '\0';
    switch (col) {
    case FT_COLUMN_EVENT: /* narrow: the time of day */
        snprintf(out, size, "%s", w >= 16 || strlen(r->event) < 11 ? r->event : r->event + 11);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_SCORE:
        if (r->score >= 0 && r->score <= 1)
            snprintf(out, size, "%.3f", r->score);
        else
            snprintf(out, size, "%.*f", w < 6 ? 1 : 3, r->score);
        return r->score >= 0.9 ? FT_ROLE_FRAUD : FT_ROLE_NORMAL;
    case FT_COLUMN_AMOUNT:
        ft_fmt_amount(out, size, ft_span_of(r->amount));
        if (!*out)
            snprintf(out, size, "?");
        return FT_ROLE_NORMAL;
    case FT_COLUMN_WAITING:
        ft_show_waiting(c->wall_ms - r->arrived_ms, out, size);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_CLAIMED:
        claimed_text(c, r, out, size);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_MERCHANT:
        snprintf(out, size, "%s", r->merchant[0] ? ft_show_merchant(c, r->merchant) : "?");
        return FT_ROLE_NORMAL;
    case FT_COLUMN_CATEGORY:
        snprintf(out, size, "%s", r->category);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_CUSTOMER:
        ft_show_customer(c, r->name_1, r->name_2, out, size);
        return FT_ROLE_MASKED;
    case FT_COLUMN_CITY:
        snprintf(out, size, "%s %s", r->city, r->state);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_STATE:
        snprintf(out, size, "%s", r->state);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_DISTANCE:
        if (!isnan(r->distance_km))
            snprintf(out, size, "%.0f", r->distance_km);
        return FT_ROLE_NORMAL;
    case FT_COLUMN_STATUS:
        snprintf(out, size, "%s", status_word(r->status));
        return r->status == 'f' ? FT_ROLE_FRAUD : FT_ROLE_NORMAL;
    case FT_COLUMN_LABEL:
        snprintf(out, size, "%s", r->label < 0 ? "" : r->label ? "fraud" : "legit");
        return FT_ROLE_NORMAL;
    default:
        snprintf(out, size, "%s", r->why);
        return FT_ROLE_MUTED;
    }
}

static int marker_width(const struct ft_list *l, const struct ft_con *c)
{
    return l == &c->queue ? 3 : 2;
}

static bool over_limit(const struct ft_con *c, const struct ft_flagged *r)
{
    int64_t limit = c->opts.over_limit_ms ? c->opts.over_limit_ms : 30 * 60000;

    return r->status == 'o' && c->wall_ms - r->arrived_ms > limit;
}

static void draw_row(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int y,
                     const struct ft_list *l, size_t i, const struct ft_column_place *place,
                     size_t n)
{
    const struct ft_flagged *r = ft_list_row(l, i);
    bool selected = l->has_sel && i == l->at, marked = ft_list_marked(l, &r->id);
    int mw = marker_width(l, c);
    char text[200];

    ft_put(cv, y, b.x, 1, FT_ROLE_STRONG, selected ? ">" : " ");
    if (marked)
        ft_put(cv, y, b.x + 1, 1, FT_ROLE_STRONG, "*");
    else if (mw > 2 && over_limit(c, r))
        ft_put(cv, y, b.x + 1, 1, FT_ROLE_WARN, "!");
    else if (mw <= 2 && r->status == 'f')
        ft_put(cv, y, b.x + 1, 1, FT_ROLE_FRAUD, "F");
    for (size_t k = 0; k < n; k++) {
        int x = b.x + mw + place[k].x;
        enum ft_role role = cell_text(c, r, place[k].col, place[k].w, text, sizeof(text));

        if (r->memory_only && place[k].col != FT_COLUMN_SCORE)
            role = FT_ROLE_MUTED;
        if (ft_column_specs[place[k].col].right)
            ft_put_right(cv, y, x, place[k].w, role, text);
        else
            ft_put(cv, y, x, place[k].w, role, text);
    }
    if (selected) {
        ft_select(cv, y, b.x, b.w);
        cv->cursor_x = b.x;
        cv->cursor_y = y;
    }
}

void ft_list_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b, struct ft_list *l,
                  const struct ft_columns *cols)
{
    struct ft_column_place place[FT_N_COLUMNS];
    int mw = marker_width(l, c), rows = b.h - 1;
    size_t n = ft_columns_layout(cols, b.w - mw, l->sideways, place);

    if (b.h < 2)
        return;
    for (size_t k = 0; k < n; k++) {
        const struct ft_column_spec *s = &ft_column_specs[place[k].col];

        c->heading[k] = place[k];
        c->heading[k].x += b.x + mw;
        if (s->right)
            ft_put_right(cv, b.y, b.x + mw + place[k].x, place[k].w, FT_ROLE_STRONG, s->title);
        else
            ft_put(cv, b.y, b.x + mw + place[k].x, place[k].w, FT_ROLE_STRONG, s->title);
    }
    c->n_heading = n;
    ft_list_show(l, (size_t)rows);
    c->last_rows = rows;
    c->list_y = b.y + 1;
    c->list_h = rows;
    for (int i = 0; i < rows && l->top + (size_t)i < l->n_view; i++)
        draw_row(c, cv, b, b.y + 1 + i, l, l->top + (size_t)i, place, n);
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static void search_done(struct ft_con *c, const char *text)
{
    struct ft_list *l = ft_con_list(c);

    if (!l)
        return;
    snprintf(l->search, sizeof(l->search), "%s", text);
    if (l->search[0] && !ft_list_search(l, 1, c->now_ms))
        ft_say(c, "\"%s\" is not in this list%s.", l->search,
               c->masked ? " (masked names are not searched)" : "");
}

static void search_again(struct ft_con *c, struct ft_list *l, int dir)
{
    if (!l->search[0])
        ft_say(c, "/ searches first.");
    else if (!ft_list_search(l, dir, c->now_ms))
        ft_say(c, "\"%s\" is not in this list.", l->search);
}

static void filter_done(struct ft_con *c, const char *text)
{
    struct ft_list *l = ft_con_list(c);
    struct ft_filter f;
    struct ft_err err;
    size_t at;
    char typed[256];

    if (!l)
        return;
    snprintf(typed, sizeof(typed), "%s", text);
    if (ft_filter_parse(&f, typed, c->masked, &at, &err) != FT_OK) {
        ft_prompt_text(c, "filter", typed, filter_done);
        c->prompt.cur = at <= c->prompt.n ? at : c->prompt.n;
        snprintf(c->prompt.above, sizeof(c->prompt.above), "at %zu: %s", at + 1, err.text);
        return;
    }
    snprintf(l->filter_text, sizeof(l->filter_text), "%s", typed);
    l->filter = f;
    ft_list_rebuild(l, c->wall_ms);
    ft_list_first(l);
    if (l == &c->queue)
        ft_queue_reload(c);
    ft_state_save(c);
}

static void sort_list(struct ft_con *c, struct ft_list *l, enum ft_sort sort, bool reverse)
{
    l->sort = sort;
    l->reverse = reverse;
    ft_list_rebuild(l, c->wall_ms);
    if (l == &c->queue) {
        ft_list_first(l);
        ft_queue_reload(c);
    }
    ft_say(c, "Sorted by %s%s.", ft_sort_name[sort], reverse ? ", reversed" : "");
    ft_state_save(c);
}

static void sort_done(struct ft_con *c, const char *text)
{
    static const char letters[] = "nrsaw";
    struct ft_list *l = ft_con_list(c);
    const char *p = strchr(letters, *text);
    enum ft_sort sort = p ? (enum ft_sort)(p - letters) : FT_N_SORTS;

    if (l && p)
        sort_list(c, l, sort, l->sort == sort && l->reverse);
}

void ft_list_sort_by(struct ft_con *c, struct ft_list *l, enum ft_column col)
{
    enum ft_sort sort = col == FT_COLUMN_EVENT     ? FT_SORT_NEWEST
                        : col == FT_COLUMN_SCORE   ? FT_SORT_SCORE
                        : col == FT_COLUMN_AMOUNT  ? FT_SORT_AMOUNT
                        : col == FT_COLUMN_WAITING ? FT_SORT_WAITING
                                                   : FT_N_SORTS;

    if (sort == FT_N_SORTS)
        ft_say(c, "Nothing is sorted by %s; s offers score, amount, waiting, score x amount.",
               ft_column_specs[col].name);
    else
        sort_list(c, l, sort, l->sort == sort && !l->reverse);
}

static void mark_all_done(struct ft_con *c, const char *text)
{
    if (*text == 'y' && ft_con_list(c)) {
        ft_list_mark_view(ft_con_list(c));
        ft_say(c, "%zu marked.", ft_con_list(c)->n_mark);
    }
}

static bool mark_act(struct ft_con *c, struct ft_list *l, enum ft_act act)
{
    const struct ft_flagged *r = ft_list_selected(l);
    char label[80];

    switch (act) {
    case FT_ACT_MARK:
        if (r) {
            ft_list_toggle(l, &r->id);
            ft_list_move(l, 1, c->now_ms);
        }
        return true;
    case FT_ACT_MARK_RANGE:
        ft_list_mark_range(l);
        ft_say(c, "%zu marked.", l->n_mark);
        return true;
    case FT_ACT_MARK_ALL:
        if (l == &c->queue && c->queue_total > (double)l->n)
            snprintf(label, sizeof(label),
                     "Mark the %zu rows that are here, of %.0f?   y yes   n no", l->n_view,
                     c->queue_total);
        else
            snprintf(label, sizeof(label), "Mark all %zu rows?   y yes   n no", l->n_view);
        ft_prompt_key(c, label, "yn", mark_all_done);
        return true;
    case FT_ACT_UNMARK:
        ft_list_unmark(l);
        return true;
    default:
        return false;
    }
}

static bool move_act(struct ft_con *c, struct ft_list *l, enum ft_act act)
{
    long page = c->last_rows > 1 ? c->last_rows : 1;

    switch (act) {
    case FT_ACT_DOWN:
        ft_list_move(l, 1, c->now_ms);
        return true;
    case FT_ACT_UP:
        ft_list_move(l, -1, c->now_ms);
        return true;
    case FT_ACT_PAGE_DOWN:
        ft_list_move(l, page, c->now_ms);
        return true;
    case FT_ACT_PAGE_UP:
        ft_list_move(l, -page, c->now_ms);
        return true;
    case FT_ACT_HALF_DOWN:
        ft_list_move(l, (page + 1) / 2, c->now_ms);
        return true;
    case FT_ACT_HALF_UP:
        ft_list_move(l, -(page + 1) / 2, c->now_ms);
        return true;
    case FT_ACT_FIRST:
        ft_list_first(l);
        return true;
    case FT_ACT_LAST:
        ft_list_last(l, c->now_ms);
        return true;
    case FT_ACT_LEFT:
        l->sideways -= l->sideways > 0;
        return true;
    case FT_ACT_RIGHT:
        l->sideways += l->sideways < 6;
        return true;
    default:
        return false;
    }
}

bool ft_list_act(struct ft_con *c, struct ft_list *l, enum ft_act act)
{
    const struct ft_flagged *r = ft_list_selected(l);

    if (move_act(c, l, act) || mark_act(c, l, act))
        return true;
    switch (act) {
    case FT_ACT_OPEN:
        if (r)
            ft_case_open(c, &r->id, r);
        else
            ft_say(c, "No row is selected.");
        return true;
    case FT_ACT_SEARCH:
        ft_prompt_text(c, "search", "", search_done);
        return true;
    case FT_ACT_SEARCH_NEXT:
        search_again(c, l, 1);
        return true;
    case FT_ACT_SEARCH_PREV:
        search_again(c, l, -1);
        return true;
    case FT_ACT_FILTER:
        ft_prompt_text(c, "filter", l->filter_text, filter_done);
        snprintf(
            c->prompt.above, sizeof(c->prompt.above),
            "score>=0.8 amount>500 category=misc_net !merchant~Kovacek state=TX|NY waiting>30m");
        return true;
    case FT_ACT_SORT:
        ft_prompt_key(c, "sort by:  n newest   r score x amount   s score   a amount   w waiting",
                      "nrsaw", sort_done);
        return true;
    case FT_ACT_REVERSE:
        sort_list(c, l, l->sort, !l->reverse);
        return true;
    case FT_ACT_COLUMNS:
        ft_con_push(c, FT_PLACE_COLUMNS);
        return true;
    default:
        return ft_review_act(c, act);
    }
}
