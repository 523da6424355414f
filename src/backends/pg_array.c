#include "pg_array.h"

#include <string.h>

#define HEAD 20 /* dimensions, has-null flag, element type, length, lower bound */

static void put32(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)(v >> 24);
    p[1] = (unsigned char)(v >> 16);
    p[2] = (unsigned char)(v >> 8);
    p[3] = (unsigned char)v;
}

static void put16(unsigned char *p, unsigned v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
}

void ft_pg_array_init(struct ft_pg_array *a, enum ft_pg_type type)
{
    ft_buf_init(&a->buf, 512u << 20);
    a->type = type;
    a->n = a->n_null = 0;
}

void ft_pg_array_fini(struct ft_pg_array *a)
{
    ft_buf_fini(&a->buf);
}

void ft_pg_array_begin(struct ft_pg_array *a)
{
    static const unsigned char head[HEAD];

    ft_buf_clear(&a->buf);
    ft_buf_add(&a->buf, head, HEAD);
    a->n = a->n_null = 0;
}

void ft_pg_array_end(struct ft_pg_array *a)
{
    unsigned char *p = (unsigned char *)a->buf.p;

    if (a->buf.failed)
        return;
    put32(p, a->n ? 1 : 0);
    put32(p + 4, a->n_null ? 1 : 0);
    put32(p + 8, (uint32_t)a->type);
    put32(p + 12, a->n);
    put32(p + 16, 1);
    if (!a->n)
        a->buf.n = 12;
}

static void add(struct ft_pg_array *a, const void *value, size_t n)
{
    unsigned char head[4];

    put32(head, (uint32_t)n);
    ft_buf_add(&a->buf, head, 4);
    ft_buf_add(&a->buf, value, n);
    a->n++;
}

void ft_pg_array_null(struct ft_pg_array *a)
{
    ft_buf_add(&a->buf, "\xff\xff\xff\xff", 4);
    a->n++;
    a->n_null++;
}

void ft_pg_array_int(struct ft_pg_array *a, int64_t v)
{
    unsigned char b[8];

    put32(b, (uint32_t)((uint64_t)v >> 32));
    put32(b + 4, (uint32_t)v);
    switch (a->type) {
    case FT_PG_BOOL:
        add(a, b + 7, 1);
        break;
    case FT_PG_INT2:
        add(a, b + 6, 2);
        break;
    case FT_PG_INT8:
        add(a, b, 8);
        break;
    default:
        add(a, b + 4, 4);
    }
}

void ft_pg_array_double(struct ft_pg_array *a, double v)
{
    unsigned char b[8];
    uint64_t bits;

    memcpy(&bits, &v, 8);
    put32(b, (uint32_t)(bits >> 32));
    put32(b + 4, (uint32_t)bits);
    add(a, b, 8);
}

void ft_pg_array_uuid(struct ft_pg_array *a, const struct ft_uuid *u)
{
    add(a, u->b, sizeof(u->b));
}

void ft_pg_array_text(struct ft_pg_array *a, struct ft_span text)
{
    add(a, text.p, text.n);
}

#define MAX_DIGITS 60

/* Digits of a decimal number: value = 0.d1d2d3... * 10^point; scale: digits shown after the point. */
struct decimal {
    unsigned char digit[MAX_DIGITS];
    int n, point, scale;
    bool negative;
};

static bool read_decimal(struct ft_span text, struct decimal *d)
{
    const char *p = text.p, *end = text.p + text.n;
    bool seen = false, after = false;
    int exponent = 0, sign = 1;

    memset(d, 0, sizeof(*d));
    if (p < end && (*p == '-' || *p == '+'))
        d->negative = *p++ == '-';
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.' && !after) {
            after = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            return false;
        seen = true;
        d->scale += after;
        if (d->n || *p != '0') {
            if (d->n == MAX_DIGITS)
                return false;
            d->digit[d->n++] = (unsigned char)(*p - '0');
            d->point += !after;
        } else {
            d->point -= after; /* zeros before the first digit */
        }
    }
    if (!seen)
        return false;
    if (p < end) {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            sign = *p++ == '-' ? -1 : 1;
        if (p == end)
            return false;
        for (; p < end; p++) {
            if (*p < '0' || *p > '9' || exponent > 1000)
                return false;
            exponent = exponent * 10 + (*p - '0');
        }
    }
    d->point += sign * exponent;
    d->scale -= sign * exponent;
    if (d->scale < 0)
        d->scale = 0;
    return d->point <= MAX_DIGITS && d->scale <= MAX_DIGITS;
}

/* numeric's own form: digits to the base 10,000, weight of the first of them, sign, scale. */
void ft_pg_array_numeric(struct ft_pg_array *a, struct ft_span text)
{
    unsigned char out[8 + 2 * (MAX_DIGITS + 8)];
    struct decimal d;
    int weight, at, groups = 0;

    if (!read_decimal(text, &d)) {
        ft_pg_array_null(a);
        return;
    }
    while (d.n && d.digit[d.n - 1] == 0)
        d.n--;
    weight = d.point > 0 ? (d.point - 1) / 4 : -((4 - d.point) / 4);
    at = d.point - 4 * (weight + 1); /* of the first group's first digit, at most 0 */
    for (; d.n && at < d.n; at += 4) {
        unsigned v = 0;

        for (int i = at; i < at + 4; i++)
            v = v * 10 + (i >= 0 && i < d.n ? d.digit[i] : 0u);
        put16(out + 8 + 2 * groups++, v);
    }
    put16(out, (unsigned)groups);
    put16(out + 2, d.n ? (unsigned)weight & 0xFFFF : 0);
    put16(out + 4, d.negative && d.n ? 0x4000 : 0);
    put16(out + 6, (unsigned)d.scale);
    add(a, out, 8 + 2 * (size_t)groups);
}

void ft_pg_array_fixed(struct ft_pg_array *a, int64_t v)
{
    unsigned char out[8 + 2 * 6], *p = out + sizeof(out);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    unsigned n = 0;

    for (; u; u /= 10000, n++) /* groups of four digits, the last one behind the point */
        put16(p -= 2, (unsigned)(u % 10000));
    p -= 8;
    put16(p, n);
    put16(p + 2, n ? (n - 2) & 0xFFFF : 0);
    put16(p + 4, v < 0 ? 0x4000 : 0);
    put16(p + 6, 4);
    add(a, p, 8 + 2 * (size_t)n);
}

bool ft_pg_fixed(struct ft_span text, int64_t *out)
{
    struct decimal d;
    int64_t v = 0;

    if (!read_decimal(text, &d) || d.scale > 4 || d.point > 12)
        return false;
    for (int i = 0; i < d.point + 4; i++)
        v = v * 10 + (i < d.n ? d.digit[i] : 0);
    *out = d.negative ? -v : v;
    return true;
}
