/*
 * Spans (text that belongs to somebody else) and a growing buffer with a maximum.
 */
#ifndef FRAUDTOP_BUF_H
#define FRAUDTOP_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fraudtop/status.h"

/* n bytes at p, not terminated, not owned.  p may be NULL only when n is 0. */
struct ft_span {
    const char *p;
    size_t n;
};

#define FT_SPAN(literal) ((struct ft_span){(literal), sizeof(literal) - 1})
struct ft_span ft_span_of(const char *text); /* of a C string; NULL gives an empty span */
bool ft_span_eq(struct ft_span a, struct ft_span b);
bool ft_span_is(struct ft_span a, const char *text);

/*
 * A byte buffer that grows up to max bytes.  Appending beyond max, or when memory is out, sets failed
 * and appends nothing; later appends do nothing either, so that one check at the end is enough.
 * p is always followed by a zero byte that n does not count (once something was appended).
 * Not thread-safe.
 */
struct ft_buf {
    char *p;
    size_t n, cap, max;
    bool failed;
};

void ft_buf_init(struct ft_buf *b, size_t max);
void ft_buf_fini(struct ft_buf *b);
void ft_buf_clear(struct ft_buf *b); /* n = 0, failed = false; keeps the memory */
bool ft_buf_grow(struct ft_buf *b,
                 size_t more); /* what ft_buf_reserve does when there is no room */

/* The appending calls are made for every cell of every message: their short way is inline. */
static inline bool ft_buf_reserve(struct ft_buf *b, size_t more)
{
    if (!b->failed && b->p && more < b->cap - b->n && more <= b->max - b->n)
        return true;
    return ft_buf_grow(b, more);
}
static inline void ft_buf_add(struct ft_buf *b, const void *p, size_t n)
{
    if (!ft_buf_reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}
static inline void ft_buf_text(struct ft_buf *b, const char *text)
{
    ft_buf_add(b, text, strlen(text));
}
static inline void ft_buf_char(struct ft_buf *b, char c)
{
    ft_buf_add(b, &c, 1);
}
void ft_buf_fmt(struct ft_buf *b, const char *fmt, ...) FT_PRINTF(2, 3);
/* A double that reads back to the same bits, as JSON ("null" when it is not finite). */
void ft_buf_double(struct ft_buf *b, double v);
void ft_buf_u64(struct ft_buf *b, uint64_t v);
/* A JSON string with quotes and escapes; invalid UTF-8 becomes U+FFFD. */
void ft_buf_json(struct ft_buf *b, struct ft_span text);
/* A cell of CSV, quoted where that is needed (RFC 4180). */
void ft_buf_csv(struct ft_buf *b, struct ft_span text);

#endif
