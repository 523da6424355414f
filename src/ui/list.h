/*
 * A list of flagged transactions with its view: filter, order, marks, and a selection that is an id and not a line, so
 * that it stays with its row while the list moves under it.
 */
#ifndef FT_LIST_H
#define FT_LIST_H

#include "fraudtop/filter.h"

enum ft_sort {
    FT_SORT_NEWEST,
    FT_SORT_RISK,
    FT_SORT_SCORE,
    FT_SORT_AMOUNT,
    FT_SORT_WAITING,
    FT_N_SORTS
};
extern const char *const ft_sort_name[FT_N_SORTS]; /* "newest", "score x amount", ... */

struct ft_list {
    struct ft_flagged *row; /* as they came */
    size_t n, cap;
    uint32_t *view; /* rows that the filter passes, in order */
    size_t n_view, cap_view;
    struct ft_uuid sel;
    bool has_sel;
    size_t at;      /* place of the selection in the view */
    size_t top;     /* first row shown */
    bool following; /* the selection stays on the first row */
    size_t unseen;  /* rows that came while it did not */
    int64_t moved_ms;
    struct ft_uuid *mark;
    size_t n_mark, cap_mark;
    struct ft_uuid range_from; /* last row that was marked */
    struct ft_filter filter;
    char filter_text[256];
    bool masked; /* for the filter */
    enum ft_sort sort;
    bool reverse;
    char search[64];
    size_t sideways; /* columns scrolled */
};

void ft_list_init(struct ft_list *l, enum ft_sort sort);
void ft_list_fini(struct ft_list *l);
/* The list's order as the database is asked for it: "waiting" and reversed is the newest first. */
void ft_list_order(const struct ft_list *l, const char **sort, bool *reverse);
/*
 * Takes a copy of n rows.  Keeps selection and place on screen.  While the selection was moved within the last five
 * seconds a sorted list keeps its order.  True when the selected row was there before and is gone.
 */
bool ft_list_set(struct ft_list *l, const struct ft_flagged *row, size_t n, int64_t now_ms,
                 int64_t wall_ms);
void ft_list_rebuild(struct ft_list *l, int64_t wall_ms); /* after a new filter or order */
void ft_list_move(struct ft_list *l, long by, int64_t now_ms);
void ft_list_first(struct ft_list *l);
void ft_list_last(struct ft_list *l, int64_t now_ms);
bool ft_list_select(struct ft_list *l, const struct ft_uuid *id, int64_t now_ms);
/* Scrolls so that the selection is among rows lines. */
void ft_list_show(struct ft_list *l, size_t rows);
const struct ft_flagged *ft_list_selected(const struct ft_list *l);      /* NULL: empty */
const struct ft_flagged *ft_list_row(const struct ft_list *l, size_t i); /* of the view */

bool ft_list_marked(const struct ft_list *l, const struct ft_uuid *id);
void ft_list_toggle(struct ft_list *l, const struct ft_uuid *id);
void ft_list_mark_range(struct ft_list *l);
void ft_list_mark_view(struct ft_list *l);
void ft_list_unmark(struct ft_list *l);
size_t ft_list_marked_hidden(const struct ft_list *l); /* marks that the filter hides */

/* Whether a text holds another, without regard to ASCII case; all hold "". */
bool ft_text_holds(const char *text, const char *part);

/* Next row (dir 1 or -1) whose shown text holds the search text; false: none. */
bool ft_list_search(struct ft_list *l, int dir, int64_t now_ms);

#endif
