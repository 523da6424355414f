/*
 * One-dimensional arrays in PostgreSQL's binary form, built value by value, for parameters of prepared statements.
 */
#ifndef FT_PG_ARRAY_H
#define FT_PG_ARRAY_H

#include "fraudtop/buf.h"
#include "fraudtop/uuid.h"

enum ft_pg_type {
    FT_PG_BOOL = 16,
    FT_PG_INT8 = 20,
    FT_PG_INT2 = 21,
    FT_PG_INT4 = 23,
    FT_PG_TEXT = 25,
    FT_PG_FLOAT8 = 701,
    FT_PG_NUMERIC = 1700,
    FT_PG_UUID = 2950
};

struct ft_pg_array {
    struct ft_buf buf; /* the parameter's value, once ended */
    enum ft_pg_type type;
    uint32_t n, n_null;
};

void ft_pg_array_init(struct ft_pg_array *a, enum ft_pg_type type);
void ft_pg_array_fini(struct ft_pg_array *a);
void ft_pg_array_begin(struct ft_pg_array *a); /* empty again; keeps the memory */
void ft_pg_array_end(struct ft_pg_array *a);   /* writes the head; buf.failed: no memory */
void ft_pg_array_null(struct ft_pg_array *a);
void ft_pg_array_int(struct ft_pg_array *a, int64_t v); /* BOOL, INT2, INT4, INT8 */
void ft_pg_array_double(struct ft_pg_array *a, double v);
void ft_pg_array_uuid(struct ft_pg_array *a, const struct ft_uuid *u);
void ft_pg_array_text(struct ft_pg_array *a, struct ft_span text);
/* A decimal number's text, exactly (25.70 keeps its zero); NULL when it is none or beyond 60 digits. */
void ft_pg_array_numeric(struct ft_pg_array *a, struct ft_span text);
/* A count of ten-thousandths. */
void ft_pg_array_fixed(struct ft_pg_array *a, int64_t v);
/* A decimal number's text as a count of ten-thousandths; false when it has more decimals or more than 12 digits before the point. */
bool ft_pg_fixed(struct ft_span text, int64_t *out);

#endif
