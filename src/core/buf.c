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

bool ft_buf_grow(struct ft_buf *b, size_t more)
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

#if defined(__SIZEOF_INT128__)
__extension__ typedef unsigned __int128 wide;

/*
 * The 17 significant digits of v, correctly rounded, and the decimal exponent of the first: v is m 2^e, so the digits are
 * m 5^k 2^(e+k), and for the numbers that are written often (1e-11 to 2^53) m 5^k fits 128 bits.  A tenth of printf's time.
 */
static bool digits17(double v, uint64_t *digits, int *exponent)
{
    const uint64_t least = 10000000000000000u; /* 1e16 */
    int e, x, tries = 0;
    uint64_t m = (uint64_t)ldexp(frexp(v, &e), 53);

    e -= 53;
    x = (int)floor((e + 52) * 0.30102999566398120); /* right, or one too small */
    for (;;) {
        int k = 16 - x, shift = -(e + k);
        uint64_t power = 1;
        wide product, half;

        if (k < 0 || k > 27 || shift < 1 || shift > 126)
            return false;
        for (int i = 0; i < k; i++)
            power *= 5;
        product = (wide)m * power;
        half = (wide)1 << (shift - 1);
        *digits = (uint64_t)(product >> shift);
        product &= half + half - 1;
        *digits += product > half || (product == half && (*digits & 1));
        *exponent = x;
        if (*digits >= least && *digits < 10 * least)
            return true;
        x += *digits < least ? -1 : 1;
        if (++tries > 2)
            return false;
    }
}

/* As printf's %.17g writes them. */
static size_t write17(char *to, uint64_t digits, int exponent)
{
    char d[17], *p = to;
    int n = 17;

    for (int i = 16; i >= 0; i--, digits /= 10)
        d[i] = (char)('0' + digits % 10);
    while (n > 1 && d[n - 1] == '0')
        n--;
    if (exponent < -4 || exponent > 16) {
        *p++ = d[0];
        if (n > 1)
            *p++ = '.';
        memcpy(p, d + 1, (size_t)n - 1);
        p += n - 1;
        return (size_t)(p - to) + (size_t)sprintf(p, "e%c%02d", exponent < 0 ? '-' : '+',
                                                  exponent < 0 ? -exponent : exponent);
    }
    if (exponent < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > exponent; i--)
            *p++ = '0';
        memcpy(p, d, (size_t)n);
        return (size_t)(p - to) + (size_t)n;
    }
    for (int i = 0; i < n || i <= exponent; i++) {
        if (i == exponent + 1)
            *p++ = '.';
        *p++ = i < n ? d[i] : '0';
    }
    return (size_t)(p - to);
}
#endif

static size_t write_double(char *to, size_t size, double v)
{
#if defined(__SIZEOF_INT128__)
    double a = fabs(v);
    uint64_t digits;
    int exponent;

    if (a >= 1e-11 && a < 9007199254740992.0 && digits17(a, &digits, &exponent)) {
        *to = '-';
        return (v < 0) + write17(to + (v < 0), digits, exponent);
    }
#endif
    return (size_t)snprintf(to, size, "%.17g", v);
}

void ft_buf_double(struct ft_buf *b, double v)
{
    char text[40];

    if (isfinite(v))
        ft_buf_add(b, text, write_double(text, sizeof(text), v));
    else
        ft_buf_add(b, "null", 4);
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

void ft_buf_csv(struct ft_buf *b, struct ft_span text)
{
    bool quote = false;

    for (size_t i = 0; i < text.n; i++)
        quote |= text.p[i] == ',' || text.p[i] == '"' || text.p[i] == '\n' || text.p[i] == '\r';
    if (!quote) {
        ft_buf_add(b, text.p, text.n);
        return;
    }
    ft_buf_char(b, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            ft_buf_char(b, '"');
        ft_buf_char(b, text.p[i]);
    }
    ft_buf_char(b, '"');
}
