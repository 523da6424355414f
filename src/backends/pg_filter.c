/* Filter terms as conditions on a row c of fraudtop_cases; every value is a parameter. */
#include <stdint.h>
#include <string.h>

#include "pg_cases.h"

static const char *const field_sql[FT_N_FIELDS] = {
    [FT_FIELD_SCORE] = "c.score",
    [FT_FIELD_AMOUNT] = "c.amount::float8",
    [FT_FIELD_WAITING] = "greatest(extract(epoch FROM now() - c.scored_at)::float8 * 1000, 0)",
    [FT_FIELD_DISTANCE] = "c.distance_km",
    [FT_FIELD_CATEGORY] = "c.category",
    [FT_FIELD_MERCHANT] = "c.merchant",
    [FT_FIELD_CUSTOMER] = "concat_ws(' ', c.name_1, c.name_2)",
    [FT_FIELD_STREET] = "c.street",
    [FT_FIELD_CITY] = "c.city",
    [FT_FIELD_STATE] = "c.us_state",
    [FT_FIELD_ID] = "c.transaction_id::text",
    [FT_FIELD_STATUS] = SQL_STATUS,
    [FT_FIELD_CLAIMED] = "coalesce(" SQL_CLAIMED ", 'no')",
    [FT_FIELD_LABEL] = "coalesce(c.label::text, 'none')",
    [FT_FIELD_SAMPLED] = "CASE WHEN c.sampled THEN 'yes' ELSE 'no' END",
    [FT_FIELD_EVENT] = "c.event",
};

static bool is_number(enum ft_filter_field f)
{
    return f == FT_FIELD_SCORE || f == FT_FIELD_AMOUNT || f == FT_FIELD_WAITING ||
           f == FT_FIELD_DISTANCE;
}

static void contains(struct ft_buf *sql, enum ft_filter_field f, int param)
{
    ft_buf_fmt(sql, "strpos(lower(%s), lower($%d)) > 0", field_sql[f], param);
}

static void bare_word(struct ft_buf *sql, bool masked, int param)
{
    contains(sql, FT_FIELD_MERCHANT, param);
    ft_buf_text(sql, " OR ");
    contains(sql, FT_FIELD_CITY, param);
    ft_buf_text(sql, " OR ");
    contains(sql, FT_FIELD_ID, param);
    if (!masked) {
        ft_buf_text(sql, " OR ");
        contains(sql, FT_FIELD_CUSTOMER, param);
    }
}

static void one_value(const struct ft_filter_term *t, size_t i, bool masked, struct ft_buf *sql,
                      struct ft_args *a)
{
    static const char *const op[] = {"=", "", "<", "<=", ">", ">="};
    int param;

    if (is_number(t->field)) {
        ft_buf_fmt(sql, "%s %s $%d::float8", field_sql[t->field], op[t->op],
                   ft_args_double(a, t->value[i].number));
        return;
    }
    if (t->field == FT_FIELD_CLAIMED && t->op == FT_OP_EQ && strcmp(t->value[i].text, "yes") == 0) {
        ft_buf_text(sql, SQL_CLAIMED " IS NOT NULL");
        return;
    }
    param = ft_args_text(a, t->value[i].text);
    if (t->field == FT_FIELD_ANY)
        bare_word(sql, masked, param);
    else if (t->op == FT_OP_HAS)
        contains(sql, t->field, param);
    else if (t->op == FT_OP_EQ)
        ft_buf_fmt(sql, "(%s) = $%d::text", field_sql[t->field], param);
    else /* by as many characters as were typed: event>2020 */
        ft_buf_fmt(sql, "left(%s, length($%d::text)) %s $%d::text COLLATE \"C\"",
                   field_sql[t->field], param, op[t->op], param);
}

void ft_pg_filter(const struct ft_filter *f, bool masked, struct ft_buf *sql, struct ft_args *a)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct ft_filter_term *t = &f->term[i];

        ft_buf_text(sql, t->negate ? " AND NOT coalesce(" : " AND coalesce(");
        for (size_t v = 0; v < t->n; v++) {
            ft_buf_text(sql, v ? " OR (" : "(");
            one_value(t, v, masked, sql, a);
            ft_buf_char(sql, ')');
        }
        ft_buf_text(sql, ", false)");
    }
}

bool ft_filter_has(const struct ft_filter *f, enum ft_filter_field field)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->term[i].field == field)
            return true;
    return false;
}
