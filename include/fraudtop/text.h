/*
 * Text from data, made fit for a screen.  One cleaning function at the border, used by every output.  Pure: nothing here
 * depends on the locale.
 */
#ifndef FRAUDTOP_TEXT_H
#define FRAUDTOP_TEXT_H

#include "fraudtop/buf.h"

#define FT_TEXT_CHARS 256 /* characters that ft_text_clean keeps */

/*
 * Writes a cleaned copy of text into out (size bytes, zero-terminated): C0, DEL and C1 controls, line and paragraph
 * separators, direction marks (U+200E-200F, 202A-202E, 2066-2069), zero-width characters and bad UTF-8 become '?'; at
 * most two combining marks follow a character; at most 256 characters.  Never half a character.  Returns bytes written.
 */
size_t ft_text_clean(char *out, size_t size, struct ft_span text);
/* Columns that cleaned UTF-8 text takes on a terminal. */
int ft_text_width(struct ft_span text);
/* Cuts to at most cols columns, with ~ (ascii) or an ellipsis at the end when something was cut. */
size_t ft_text_cut(char *out, size_t size, struct ft_span text, int cols, bool ascii);

/* What stands behind the last slash of a path, or the path where nothing does. */
const char *ft_base_name(const char *path);

/*
 * The next character of text: its code point, with its length in *n; U+FFFD and *n = 1 for bad UTF-8.  text.n > 0.
 * ft_char_width: 0 for combining marks, 2 for wide characters, -1 for what ft_text_clean replaces, else 1.
 */
uint32_t ft_char_next(struct ft_span text, size_t *n);
int ft_char_width(uint32_t c);
/* Writes c as UTF-8 (at most 4 bytes, no zero); returns the bytes. */
size_t ft_char_put(char *out, uint32_t c);

/* Numbers of fixed look, in every locale.  NaN and negative durations give "-". */
void ft_fmt_count(char *out, size_t size, uint64_t n);        /* 12,481,902 */
void ft_fmt_signed(char *out, size_t size, int64_t n);        /* -1,298, +54, 0 */
void ft_fmt_rate(char *out, size_t size, double per_s);       /* 12.1 / 48,210 / 124 k / 1.24 M */
void ft_fmt_short(char *out, size_t size, double v);          /* 96 / 1,204 / 30.5 k / 1.28 M */
void ft_fmt_money(char *out, size_t size, double v);          /* 99,120 / 0.30 M / 1.28 M */
void ft_fmt_amount(char *out, size_t size, struct ft_span t); /* 1204.18: 1,204.18 */
void ft_fmt_age(char *out, size_t size, int64_t ms);          /* 00:47:10 / 5d 03h */
void ft_fmt_mmss(char *out, size_t size, int64_t ms);         /* 00:42 / 01:12:09 */
void ft_fmt_ms(char *out, size_t size, double ms);            /* 42 ms, 1.8 s */
void ft_fmt_double(char *out, size_t size,
                   double v); /* 0.1: the fewest digits that read back to it */
void ft_fmt_bytes(char *out, size_t size, uint64_t n); /* 3.7 GB */
/* The value of a feature as people read it: four figures of a long number, anything else as it stands. */
void ft_fmt_value(char *out, size_t size, const char *value);
/* HH:MM:SS of a wall clock in UTC shifted by offset_s (the local zone's, found by the caller). */
void ft_fmt_clock(char *out, size_t size, int64_t wall_ms, int offset_s);

#endif
