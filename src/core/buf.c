#include "fraudtop/buf.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ft_span ft_span_of(const char *text)
{
    return (struct ft_span){text, text ? strlen(text) : 0};
}

bool ft_span_eq(struct ft_span a, struct ft_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool ft_span_is(struct ft_span a, const char *text)
{
    return ft_span_eq(a, ft_span_of(text));
}

void ft_buf_init(struct ft_buf *b, size_t max)
{
    *b = (struct ft_buf){.max = max};
}

void ft_buf_fini(struct ft_buf *b)
{
    free(b->p);
    *b = (struct ft_buf){.max = b->max};
}

void ft_buf_clear(struct ft_buf *b)
{
    b->n = 0;
    b->failed = false;
}

bool ft_buf_reserve(struct ft_buf *b, size_t more)
{
    size_t cap;
    char *p;

    if (b->failed || more > b->max - b->n) {
        b->failed = true;
        return false;
    }
    if (b->p && b->n + more < b->cap) /* one byte stays for the final zero */
        return true;
    cap = b->cap ? b->cap : 256;
    while (cap <= b->n + more)
        cap *= 2;
    p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void ft_buf_add(struct ft_buf *b, const void *p, size_t n)
{
    if (!ft_buf_reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void ft_buf_text(struct ft_buf *b, const char *text)
{
    ft_buf_add(b, text, strlen(text));
}

void ft_buf_char(struct ft_buf *b, char c)
{
    ft_buf_add(b, &c, 1);
}

void ft_buf_fmt(struct ft_buf *b, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 || !ft_buf_reserve(b, (size_t)n))
        return;
    va_start(args, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, args);
    va_end(args);
    b->n += (size_t)n;
}

void ft_buf_double(struct ft_buf *b, double v)
{
    char text[32];
    int n;

    if (!isfinite(v)) {
        ft_buf_add(b, "null", 4);
        return;
    }
    n = snprintf(text, sizeof(text), "%.17g", v);
    ft_buf_add(b, text, (size_t)n);
}

void ft_buf_u64(struct ft_buf *b, uint64_t v)
{
    char text[24], *p = text + sizeof(text);

    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    ft_buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

/* Bytes of the valid UTF-8 sequence at p (1 to 4), or 0. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];

    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        return n > 1 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (n < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (n < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
            return 0;
        if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

static void add_escaped(struct ft_buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"':
        ft_buf_add(b, "\\\"", 2);
        break;
    case '\\':
        ft_buf_add(b, "\\\\", 2);
        break;
    case '\n':
        ft_buf_add(b, "\\n", 2);
        break;
    case '\r':
        ft_buf_add(b, "\\r", 2);
        break;
    case '\t':
        ft_buf_add(b, "\\t", 2);
        break;
    default:
        ft_buf_add(b, text, sizeof(text));
    }
}

void ft_buf_json(struct ft_buf *b, struct ft_span text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t from = 0, i = 0;

    ft_buf_char(b, '"');
    while (i < text.n) {
        unsigned char c = p[i];
        size_t step;

        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
            i++;
            continue;
        }
        step = c < 0x20 || c == '"' || c == '\\' || c == 0x7F ? 0 : utf8_length(p + i, text.n - i);
        if (step) {
            i += step;
            continue;
        }
        ft_buf_add(b, p + from, i - from);
        if (c < 0x80)
            add_escaped(b, c);
        else
            ft_buf_add(b, "\xEF\xBF\xBD", 3);
        from = ++i;
    }
    ft_buf_add(b, p + from, i - from);
    ft_buf_char(b, '"');
}
