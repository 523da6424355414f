#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scorer.h"

size_t ft_column_add(struct ft_scorer *s, struct ft_span name, unsigned need)
{
    struct ft_column *c;

    for (size_t i = 0; i < s->n_columns; i++) {
        c = &s->column[i];
        if (ft_span_eq((struct ft_span){c->name, c->name_n}, name)) {
            c->need |= need;
            return i;
        }
    }
    if (s->n_columns == FT_MAX_COLUMNS)
        return FT_MAX_COLUMNS;
    if (s->n_columns == s->cap_columns) {
        size_t cap = s->cap_columns ? 2 * s->cap_columns : 32;

        c = realloc(s->column, cap * sizeof(*c));
        if (!c)
            return FT_MAX_COLUMNS;
        s->column = c;
        s->cap_columns = cap;
    }
    c = &s->column[s->n_columns];
    *c = (struct ft_column){.name = malloc(name.n + 1), .name_n = name.n, .need = need};
    if (!c->name)
        return FT_MAX_COLUMNS;
    if (name.n)
        memcpy(c->name, name.p, name.n);
    c->name[name.n] = '\0';
    c->col = ft_col_find(name);
    return s->n_columns++;
}

/* ---- whole numbers -------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_plain_integer(struct ft_span t)
{
    size_t i = t.n && t.p[0] == '-' ? 1 : 0;

    if (i == t.n || (t.p[i] == '0' && t.n > 1))
        return false;
    for (; i < t.n; i++)
        if (!is_digit(t.p[i]))
            return false;
    return true;
}

/* The exponent after e, or 10000 when it is beyond any use. */
static long read_exponent(struct ft_span t, size_t i)
{
    bool negative = false;
    long e = 0;

    if (i < t.n && (t.p[i] == '-' || t.p[i] == '+'))
        negative = t.p[i++] == '-';
    for (; i < t.n; i++)
        e = e < 10000 ? e * 10 + (t.p[i] - '0') : e;
    return negative ? -e : e;
}

struct ft_span ft_canon_number(struct ft_span text, char out[FT_CANON_MAX + 2])
{
    size_t i = 0, n = 0, n_point = 0;
    bool negative, after_point = false;
    long exponent = 0, zeros;
    char *digit = out + 1;

    if (is_plain_integer(text) || !text.n)
        return text;
    negative = text.p[0] == '-';
    for (i = negative; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
        if (text.p[i] == '.') {
            after_point = true;
            continue;
        }
        n_point += after_point;
        if (n == 0 && text.p[i] == '0')
            continue; /* leading zeros */
        if (n == FT_CANON_MAX)
            return text;
        digit[n++] = text.p[i];
    }
    if (i < text.n)
        exponent = read_exponent(text, i + 1);
    if (n == 0) {
        out[0] = '0';
        return (struct ft_span){out, 1};
    }
    zeros = exponent - (long)n_point;
    for (; zeros < 0; zeros++)
        if (n == 0 || digit[--n] != '0')
            return text; /* has a fraction */
    if (n == 0 || zeros > (long)(FT_CANON_MAX - n))
        return text;
    for (; zeros > 0; zeros--)
        digit[n++] = '0';
    out[0] = '-';
    return negative ? (struct ft_span){out, n + 1} : (struct ft_span){digit, n};
}

/* ---- cells ---------------------------------------------------------------------------------------- */

static bool bad(char reason[FT_REASON_MAX], const struct ft_column *c, struct ft_span text,
                const char *what)
{
    snprintf(reason, FT_REASON_MAX, "%.60s: \"%.*s\" %s", c->name, (int)(text.n < 48 ? text.n : 48),
             text.p, what);
    return false;
}

static bool read_number(const struct ft_column *c, struct ft_span text, struct ft_read *out,
                        char reason[FT_REASON_MAX])
{
    if (ft_parse_double(text, &out->num)) {
        if (!(c->need & FT_NEED_AMOUNT) || (isfinite(out->num) && out->num >= 0))
            return true;
        return bad(reason, c, text, "is negative or not finite: never scored");
    }
    out->num = NAN;
    if (c->need & (FT_NEED_NUMBER | FT_NEED_AMOUNT))
        return bad(reason, c, text, "is not a number");
    return true;
}

static bool read_missing(const struct ft_column *c, struct ft_read *out, char reason[FT_REASON_MAX])
{
    *out = (struct ft_read){
        .text = {"", 0},
          .num = NAN, .missing = true
    };
    if (c->required)
        snprintf(reason, FT_REASON_MAX, "%.60s: missing", c->name);
    return !c->required;
}

bool ft_column_read(const struct ft_column *c, const struct ft_cell *cell, char *canon,
                    struct ft_read *out, char reason[FT_REASON_MAX])
{
    struct ft_span text = {cell->p, cell->n};

    out->missing = false;
    switch ((enum ft_cell_kind)cell->kind) {
    case FT_CELL_TRUE:
    case FT_CELL_FALSE:
        if (c->col >= 0 && ft_col_is_number((enum ft_col)c->col)) {
            snprintf(reason, FT_REASON_MAX, "%.60s: true or false, not a number", c->name);
            return false;
        }
        text = cell->kind == FT_CELL_TRUE ? FT_SPAN("1") : FT_SPAN("0");
        break;
    case FT_CELL_TEXT:
    case FT_CELL_NUMBER:
        if (!text.n)
            return read_missing(c, out, reason);
        break;
    case FT_CELL_NESTED:
        snprintf(reason, FT_REASON_MAX, "%.60s: an array or object, not a value", c->name);
        return false;
    default:
        return read_missing(c, out, reason);
    }
    out->text = text;
    if (c->need & (FT_NEED_NUMBER | FT_NEED_AMOUNT | FT_NEED_SOFT) &&
        !read_number(c, text, out, reason))
        return false;
    if (c->need & FT_NEED_TIME && !ft_parse_time(text, &out->time))
        return bad(reason, c, text, "is not a time (YYYY-MM-DD HH:MM)");
    /* Replay writes the number columns as JSON numbers, so a file's cell must give the same category. */
    if (cell->kind == FT_CELL_NUMBER ||
        (c->col >= 0 && ft_col_is_number((enum ft_col)c->col) && ft_is_json_number(text)))
        out->text = ft_canon_number(text, canon);
    return true;
}
