/*
 * Made-up labelled transactions, any number, reproducible: for load tests and for trying things out.
 *
 * Customers have a home, a job, favourite categories and merchants and a level of spending; they buy groceries in the morning and
 * go out in the evening.  Frauds come in episodes of 2 to 16 within a day or two, mostly at night, in narrow bands of
 * amounts; the customer's own payments pause meanwhile.  Times never go back.  Names, places and merchants are those of data/.
 */
#ifndef FRAUDTOP_GENERATE_H
#define FRAUDTOP_GENERATE_H

#include "fraudtop/buf.h"

struct ft_made_opts {
    uint64_t rows, customers, seed;
    double fraud_rate; /* exactly this share of the rows, rounded to a whole row */
    double days;       /* over which the rows are spread */
    const char *start; /* "YYYY-MM-DD" */
};

struct ft_maker;
/* FT_EUSAGE: the start is no date, or the end lies beyond the year 9999. */
enum ft_status ft_maker_new(struct ft_maker **out, const struct ft_made_opts *opts,
                            struct ft_err *err);
void ft_maker_free(struct ft_maker *m);
/* Appends the header, or the next row; false: there are no more (or out failed). */
void ft_maker_header(struct ft_buf *out);
bool ft_maker_row(struct ft_maker *m, struct ft_buf *out);

#endif
