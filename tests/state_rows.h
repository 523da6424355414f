/* Customers' transactions and manifests of features alone, for tests and for bench/state_bench.c. */
#ifndef STATE_ROWS_H
#define STATE_ROWS_H

#include <string.h>

#include "fraudtop/scoring.h"

#define CASE_F(name, window, value, aggregate)                                                     \
    "{\"name\":\"" name "\",\"window\":\"" window "\",\"value\":\"" value                          \
    "\",\"aggregate\":\"" aggregate "\"}"

static inline enum ft_status case_no_file(void *user, const char *file, struct ft_buf *out,
                                          struct ft_err *err)
{
    (void)user;
    (void)out;
    return ft_fail(err, FT_END, "%s: not there", file);
}

struct case_row {
    const char *time, *amount, *category, *customer;
    double first; /* log-odds of the first stage */
};

static inline struct ft_cell case_cell(const char *text)
{
    return (struct ft_cell){text, (uint32_t)strlen(text), *text ? FT_CELL_TEXT : FT_CELL_MISSING};
}

static inline struct ft_txn case_txn(const struct case_row *r)
{
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};

    t.col[FT_COL_TIME] = case_cell(r->time);
    t.col[FT_COL_AMOUNT] = case_cell(r->amount);
    t.col[FT_COL_CAT_ID] = case_cell(r->category);
    t.col[FT_COL_MERCH] = case_cell("fraud_Shop");
    t.col[FT_COL_NAME_1] = case_cell(r->customer ? r->customer : "Ann");
    t.col[FT_COL_NAME_2] = case_cell("Smith");
    t.col[FT_COL_STREET] = case_cell("1 Main Street");
    return t;
}

#endif
