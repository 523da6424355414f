#include "fraudtop/text.h"

#include <stdlib.h>
#include <string.h>

#include "text_table.h"

static int in_range(const void *key, const void *row)
{
    uint32_t c = *(const uint32_t *)key;
    const struct range *r = row;

    return c < r->lo ? -1 : c > r->hi;
}

#define IN(table, c)                                                                               \
    (bsearch(&(c), table, sizeof(table) / sizeof(*(table)), sizeof(*(table)), in_range) != NULL)

int ft_char_width(uint32_t c)
{
    if (c >= 0x20 && c < 0x7F)
        return 1;
    if (c < 0x20 || c == 0x7F || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) || IN(hidden, c))
        return -1;
    if (c < 0x300)
        return 1;
    if (IN(marks, c))
        return 0;
    return IN(wide, c) ? 2 : 1;
}

static bool tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

uint32_t ft_char_next(struct ft_span text, size_t *n)
{
    const unsigned char *p = (const unsigned char *)text.p;
    uint32_t c = p[0];
    size_t need = c < 0x80                 ? 1
                  : c >= 0xC2 && c <= 0xDF ? 2
                  : c >= 0xE0 && c <= 0xEF ? 3
                  : c >= 0xF0 && c <= 0xF4 ? 4
                                           : 0;

    *n = 1;
    if (need == 1)
        return c;
    if (need == 0 || need > text.n)
        return 0xFFFD;
    for (size_t i = 1; i < need; i++)
        if (!tail(p[i]))
            return 0xFFFD;
    if (need == 2)
        c = (c & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    else if (need == 3)
        c = (c & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    else
        c = (c & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    if ((need == 3 && c < 0x800) || (need == 4 && (c < 0x10000 || c > 0x10FFFF)) ||
        (c >= 0xD800 && c <= 0xDFFF))
        return 0xFFFD;
    *n = need;
    return c;
}

size_t ft_char_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t ft_text_clean(char *out, size_t size, struct ft_span text)
{
    size_t used = 0, i = 0, step;
    int chars = 0, combining = 2; /* nothing to combine with at the start */

    if (size == 0)
        return 0;
    for (; i < text.n && chars < FT_TEXT_CHARS; i += step) {
        char utf8[4];
        uint32_t c = ft_char_next((struct ft_span){text.p + i, text.n - i}, &step);
        int width = ft_char_width(c);
        size_t n;

        if (width == 0 && chars > 0 && combining++ >= 2)
            continue;
        if (width < 0 || (width == 0 && chars == 0) || (c == 0xFFFD && step == 1))
            c = '?', width = 1;
        n = ft_char_put(utf8, c);
        if (used + n >= size)
            break;
        memcpy(out + used, utf8, n);
        used += n;
        if (width > 0)
            chars++, combining = 0;
    }
    out[used] = '\0';
    return used;
}

int ft_text_width(struct ft_span text)
{
    int cols = 0;

    for (size_t i = 0, step; i < text.n; i += step) {
        int w = ft_char_width(ft_char_next((struct ft_span){text.p + i, text.n - i}, &step));

        cols += w < 0 ? 1 : w;
    }
    return cols;
}

/* Bytes of text that fit into cols columns. */
static size_t fit(struct ft_span text, int cols, size_t bytes)
{
    size_t i = 0, step;

    for (; i < text.n; i += step) {
        int w = ft_char_width(ft_char_next((struct ft_span){text.p + i, text.n - i}, &step));

        if (w < 0)
            w = 1;
        if (w > cols || i + step > bytes)
            break;
        cols -= w;
    }
    return i;
}

size_t ft_text_cut(char *out, size_t size, struct ft_span text, int cols, bool ascii)
{
    const char *sign = ascii ? "~" : "\xE2\x80\xA6";
    size_t n, sign_n = strlen(sign);

    if (size == 0)
        return 0;
    n = fit(text, cols, size - 1);
    if (n == text.n) {
        if (n)
            memcpy(out, text.p, n);
    } else if (cols < 1 || size <= sign_n) {
        n = 0;
    } else {
        n = fit(text, cols - 1, size - 1 - sign_n);
        memcpy(out, text.p, n);
        memcpy(out + n, sign, sign_n);
        n += sign_n;
    }
    out[n] = '\0';
    return n;
}

const char *ft_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}
