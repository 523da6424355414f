/*
 * Text from data, made fit for a screen.  One cleaning function at the border, used by every output.
 */
#ifndef FRAUDTOP_TEXT_H
#define FRAUDTOP_TEXT_H

#include "fraudtop/buf.h"

/*
 * Writes a cleaned copy of text into out (size bytes, zero-terminated): C0, DEL and C1 controls, line and paragraph
 * separators, direction marks (U+200E-200F, 202A-202E, 2066-2069), zero-width characters and bad UTF-8 become '?'; at
 * most two combining marks follow a character; at most 256 characters.  Returns bytes written.
 */
size_t ft_text_clean(char *out, size_t size, struct ft_span text);
/* Columns that UTF-8 text takes on a terminal (wcwidth of our own table; independent of the locale). */
int ft_text_width(struct ft_span text);
/* Cuts to at most cols columns, with ~ (ascii) or an ellipsis at the end when something was cut. */
size_t ft_text_cut(char *out, size_t size, struct ft_span text, int cols, bool ascii);

/* Numbers of fixed look, in every locale: 12,481,902; 1.24 M; 00:04:06; 42 ms. */
void ft_fmt_count(char *out, size_t size, uint64_t n);           /* 48,210 */
void ft_fmt_rate(char *out, size_t size, double per_s);          /* 48,210 / 124 k / 1.24 M / - */
void ft_fmt_money(char *out, size_t size, double v);             /* 1,284,110 / 1.28 M */
void ft_fmt_amount(char *out, size_t size, struct ft_span text); /* 1204.18 → 1,204.18 */
void ft_fmt_age(char *out, size_t size, int64_t ms);             /* 00:47:10 */
void ft_fmt_ms(char *out, size_t size, double ms);               /* 42 ms, 1.8 s */
void ft_fmt_bytes(char *out, size_t size, uint64_t n);           /* 3.7 GB */

#endif
