/* The columns of the lists of flagged transactions: one table for headings, widths and contents. */
#ifndef FT_COLUMNS_H
#define FT_COLUMNS_H

#include "canvas.h"
#include "fraudtop/feed.h"

enum ft_column {
    FT_COLUMN_EVENT,
    FT_COLUMN_SCORE,
    FT_COLUMN_AMOUNT,
    FT_COLUMN_WAITING,
    FT_COLUMN_CLAIMED,
    FT_COLUMN_MERCHANT,
    FT_COLUMN_CATEGORY,
    FT_COLUMN_CUSTOMER,
    FT_COLUMN_CITY,
    FT_COLUMN_STATE,
    FT_COLUMN_DISTANCE,
    FT_COLUMN_STATUS,
    FT_COLUMN_LABEL,
    FT_COLUMN_WHY,
    FT_N_COLUMNS
};

struct ft_column_spec {
    const char *name, *title;
    int narrow, wide; /* widths; the last column and the merchant take what is left */
    bool right;
    int drop; /* the lowest goes first when there is no room; 0: goes last of all */
};
extern const struct ft_column_spec ft_column_specs[FT_N_COLUMNS];

/* What is shown, in order.  n 0: what fits the screen's width. */
struct ft_columns {
    uint8_t col[FT_N_COLUMNS];
    size_t n;
    int8_t extra[FT_N_COLUMNS]; /* width chosen by the user, added */
    bool queue;                 /* whose defaults */
};

struct ft_column_place {
    enum ft_column col;
    int x, w;
};
/* Places for a width, never half a column; skip: scrolled columns.  Returns how many. */
size_t ft_columns_layout(const struct ft_columns *cols, int width, size_t skip,
                         struct ft_column_place *out);
/* The defaults for a width. */
void ft_columns_default(struct ft_columns *cols, int width);

#endif
