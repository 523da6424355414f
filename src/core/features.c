/*
 * Features that are made of this transaction's columns alone.  Formulas: docs/features.md.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scorer.h"

static int compare_key(struct ft_span a, const struct ft_lookup_row *row)
{
    size_t n = a.n < row->key_n ? a.n : row->key_n;
    int c = n ? memcmp(a.p, row->key, n) : 0;

    return c ? c : (a.n > row->key_n) - (a.n < row->key_n);
}

static const struct ft_lookup_row *look_up(const struct ft_lookup *t, struct ft_span key)
{
    size_t lo = 0, hi = t->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = compare_key(key, &t->row[mid]);

        if (c == 0)
            return &t->row[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return &t->other;
}

/* Great-circle distance on a sphere of 6371.0088 km (IUGG mean radius), by the haversine. */
static double distance_km(double lat_1, double lon_1, double lat_2, double lon_2)
{
    const double rad = 0.017453292519943295; /* pi / 180 */
    double s = sin((lat_2 - lat_1) * rad / 2), t = sin((lon_2 - lon_1) * rad / 2);
    double h = s * s + cos(lat_1 * rad) * cos(lat_2 * rad) * t * t;

    return 2 * 6371.0088 * asin(sqrt(h < 1 ? h : 1));
}

static int time_part(enum ft_make make, const struct ft_time *t)
{
    switch (make) {
    case FT_MAKE_WEEKEND:
        return t->weekday >= 5;
    case FT_MAKE_YEAR:
        return t->year;
    case FT_MAKE_MONTH:
        return t->month;
    case FT_MAKE_DAY:
        return t->day;
    case FT_MAKE_HOUR:
        return t->hour;
    case FT_MAKE_MINUTE:
        return t->minute;
    case FT_MAKE_DAY_OF_WEEK:
        return t->weekday;
    case FT_MAKE_HOUR_FROM_4:
        return (t->hour + 20) % 24;
    default:
        return t->hour >= 22 || t->hour < 4; /* night */
    }
}

static void set_number(struct ft_value *v, double num)
{
    *v = (struct ft_value){.num = num, .p = "", .kind = FT_VALUE_NUMBER};
}

static void set_text(struct ft_value *v, struct ft_span text)
{
    *v = (struct ft_value){.num = NAN, .p = text.p, .n = (uint32_t)text.n, .kind = FT_VALUE_TEXT};
}

static void make_time(const struct ft_feature *f, const struct ft_read *r, struct ft_value *out)
{
    if (r->missing) {
        if (f->category)
            set_text(out, FT_SPAN(""));
        else
            set_number(out, NAN);
        return;
    }
    set_number(out, time_part(f->make, &r->time));
    if (f->category)
        out->kind = FT_VALUE_INTEGER;
}

void ft_feature_make(const struct ft_feature *f, const struct ft_read *read, struct ft_value *out)
{
    const struct ft_read *r = &read[f->from[0]];
    const struct ft_lookup_row *row;

    switch (f->make) {
    case FT_MAKE_COPY:
        if (f->category)
            set_text(out, r->text);
        else
            set_number(out, r->num);
        break;
    case FT_MAKE_LOG1P:
        set_number(out, log1p(r->num));
        break;
    case FT_MAKE_DISTANCE_KM:
        set_number(out, distance_km(r->num, read[f->from[1]].num, read[f->from[2]].num,
                                    read[f->from[3]].num));
        break;
    case FT_MAKE_LOOKUP:
        row = look_up(f->lookup, r->text);
        if (f->category)
            set_text(out, ft_span_of(row->text));
        else
            set_number(out, row->num);
        break;
    case FT_MAKE_STAGE:
    case FT_MAKE_STATE: /* set later, by the stage and the state */
        set_number(out, NAN);
        break;
    default:
        make_time(f, r, out);
    }
}

void ft_value_put(const struct ft_scorer *s, struct fc_scratch *x, size_t row, size_t flat,
                  const struct ft_value *v)
{
    char text[24];
    int whole, n;

    switch ((enum ft_value_kind)v->kind) {
    case FT_VALUE_NUMBER:
        fc_put_num(x, row, flat, v->num);
        return;
    case FT_VALUE_TEXT:
        fc_put_cat(x, row, flat, v->p, v->n);
        return;
    case FT_VALUE_INTEGER:
        break;
    }
    whole = (int)v->num;
    if (whole < 100) {
        fc_put_cat_hash(x, row, flat, s->hash_small[whole]);
    } else if (whole >= FT_YEAR_0 && whole < FT_YEAR_0 + 200) {
        fc_put_cat_hash(x, row, flat, s->hash_year[whole - FT_YEAR_0]);
    } else {
        n = snprintf(text, sizeof(text), "%d", whole);
        fc_put_cat(x, row, flat, text, (size_t)n);
    }
}

static size_t whole_text(int64_t v, char *out, size_t size)
{
    char text[24], *p = text + sizeof(text);
    uint64_t left = v < 0 ? (uint64_t)-v : (uint64_t)v;
    size_t n;

    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        *--p = '-';
    n = (size_t)(text + sizeof(text) - p);
    n = n < size ? n : size - 1;
    memcpy(out, p, n);
    out[n] = '\0';
    return n;
}

size_t ft_value_text(const struct ft_value *v, char *out, size_t size)
{
    size_t n = v->n;
    double back;

    if (v->kind == FT_VALUE_TEXT) {
        if (n > size - 1)
            n = size - 1;
        memcpy(out, v->p, n);
        out[n] = '\0';
        return n;
    }
    if (v->num == floor(v->num) && fabs(v->num) < 1e15)
        return whole_text((int64_t)v->num, out, size);
    /* Short where that reads back: amounts stay as they were written. */
    n = (size_t)snprintf(out, size, "%.15g", v->num);
    if (!ft_parse_double((struct ft_span){out, n}, &back) || back != v->num)
        n = (size_t)snprintf(out, size, "%.17g", v->num);
    return n < size ? n : size - 1;
}
