#include "fraudtop/txn.h"

const char *const ft_col_name[FT_N_COLS] = {
    "transaction_time", "merch",        "cat_id", "amount",          "name_1",
    "name_2",           "gender",       "street", "one_city",        "us_state",
    "post_code",        "lat",          "lon",    "population_city", "jobs",
    "merchant_lat",     "merchant_lon",
};

int ft_col_find(struct ft_span name)
{
    for (int c = 0; c < FT_N_COLS; c++)
        if (ft_span_is(name, ft_col_name[c]))
            return c;
    return -1;
}

bool ft_col_is_number(enum ft_col c)
{
    return c == FT_COL_AMOUNT || c == FT_COL_POST_CODE || c == FT_COL_LAT || c == FT_COL_LON ||
           c == FT_COL_POPULATION || c == FT_COL_MERCHANT_LAT || c == FT_COL_MERCHANT_LON;
}
