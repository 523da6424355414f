#include "columns.h"

const struct ft_column_spec ft_column_specs[FT_N_COLUMNS] = {
    [FT_COLUMN_EVENT] = {"event",    "EVENT",    8,  19, false, 5},
    [FT_COLUMN_SCORE] = {"score",    "SCORE",    5,  5,  true,  0},
    [FT_COLUMN_AMOUNT] = {"amount",   "AMOUNT",   9,  10, true,  0},
    [FT_COLUMN_WAITING] = {"waiting",  "WAITING",  8,  8,  true,  6},
    [FT_COLUMN_CLAIMED] = {"claimed",  "CLAIMED",  8,  8,  false, 3},
    [FT_COLUMN_MERCHANT] = {"merchant", "MERCHANT", 16, 22, false, 0},
    [FT_COLUMN_CATEGORY] = {"category", "CATEGORY", 14, 14, false, 4},
    [FT_COLUMN_CUSTOMER] = {"customer", "CUSTOMER", 14, 13, false, 2},
    [FT_COLUMN_CITY] = {"city",     "CITY",     17, 15, false, 2},
    [FT_COLUMN_STATE] = {"state",    "ST",       2,  2,  false, 2},
    [FT_COLUMN_DISTANCE] = {"distance", "DIST",     5,  4,  true,  3},
    [FT_COLUMN_STATUS] = {"status",   "STATUS",   10, 10, false, 2},
    [FT_COLUMN_LABEL] = {"label",    "LABEL",    5,  5,  false, 2},
    [FT_COLUMN_WHY] = {"why",      "WHY",      6,  16, false, 1},
};

static void defaults(struct ft_columns *c, const uint8_t *col, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c->col[i] = col[i];
    c->n = n;
}

void ft_columns_default(struct ft_columns *c, int width)
{
    static const uint8_t live[] = {FT_COLUMN_EVENT,    FT_COLUMN_SCORE,    FT_COLUMN_AMOUNT,
                                   FT_COLUMN_MERCHANT, FT_COLUMN_CATEGORY, FT_COLUMN_STATE,
                                   FT_COLUMN_WHY};
    static const uint8_t live_wide[] = {FT_COLUMN_EVENT,    FT_COLUMN_SCORE,    FT_COLUMN_AMOUNT,
                                        FT_COLUMN_MERCHANT, FT_COLUMN_CATEGORY, FT_COLUMN_CUSTOMER,
                                        FT_COLUMN_CITY,     FT_COLUMN_DISTANCE, FT_COLUMN_WHY};
    static const uint8_t queue[] = {FT_COLUMN_SCORE,   FT_COLUMN_AMOUNT,   FT_COLUMN_WAITING,
                                    FT_COLUMN_CLAIMED, FT_COLUMN_MERCHANT, FT_COLUMN_WHY};
    static const uint8_t compact[] = {FT_COLUMN_SCORE, FT_COLUMN_AMOUNT, FT_COLUMN_MERCHANT};

    if (width < 60)
        defaults(c, compact, sizeof(compact));
    else if (c->queue)
        defaults(c, queue, sizeof(queue));
    else if (width >= 120)
        defaults(c, live_wide, sizeof(live_wide));
    else
        defaults(c, live, sizeof(live));
}

static int width_of(const struct ft_columns *c, enum ft_column col, bool wide)
{
    int w = (wide ? ft_column_specs[col].wide : ft_column_specs[col].narrow) + c->extra[col];

    return w < 2 ? 2 : w;
}

/* Takes out the column that goes first; false when there is only one left. */
static bool drop_one(struct ft_columns *c)
{
    size_t worst = 0;
    int worst_rank = 100;

    if (c->n < 2)
        return false;
    for (size_t i = 0; i < c->n; i++) {
        int rank = ft_column_specs[c->col[i]].drop;

        rank = rank ? rank : 50 + (c->col[i] == FT_COLUMN_MERCHANT ? 1 : 0);
        if (rank <= worst_rank) {
            worst_rank = rank;
            worst = i;
        }
    }
    for (size_t i = worst; i + 1 < c->n; i++)
        c->col[i] = c->col[i + 1];
    c->n--;
    return true;
}

size_t ft_columns_layout(const struct ft_columns *cols, int width, size_t skip,
                         struct ft_column_place *out)
{
    struct ft_columns c = *cols;
    bool wide = width >= 118;
    int need, left, x = 0;
    size_t n = 0;

    if (c.n == 0)
        ft_columns_default(&c, width);
    for (; skip && c.n > 3; skip--) { /* score and amount stay; the others scroll */
        size_t i = 0;

        while (i < c.n && (c.col[i] == FT_COLUMN_SCORE || c.col[i] == FT_COLUMN_AMOUNT))
            i++;
        for (; i + 1 < c.n; i++)
            c.col[i] = c.col[i + 1];
        c.n--;
    }
    for (;;) {
        need = 0;
        for (size_t i = 0; i < c.n; i++)
            need += width_of(&c, c.col[i], wide) + (i ? 2 : 0);
        if (need <= width || !drop_one(&c))
            break;
    }
    left = width > need ? width - need : 0;
    for (; n < c.n; n++) {
        int w = width_of(&c, c.col[n], wide);

        if (c.col[n] == FT_COLUMN_MERCHANT && n + 1 < c.n) {
            int more = left < 8 ? 0 : left / 3 > 14 ? 14 : left / 3;

            w += more;
            left -= more;
        }
        if (n + 1 == c.n && !ft_column_specs[c.col[n]].right)
            w += left;
        if (w > width - x)
            w = width - x;
        out[n] = (struct ft_column_place){c.col[n], x, w};
        x += w + 2;
    }
    return n;
}
