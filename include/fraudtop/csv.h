/*
 * CSV, RFC 4180: bytes in, rows of fields out.  Streaming: memory does not grow with the file.
 *
 * Comma; quotes " with "" inside; quoted commas, quotes and line breaks; LF, CRLF or CR ends; a UTF-8 BOM is
 * skipped.  Pure computation; where the bytes come from is the caller's matter (see fraudtop/rows.h).
 *
 * An unterminated quote must not swallow the rest of the file: see ft_csv_next on how a row is given up.
 */
#ifndef FRAUDTOP_CSV_H
#define FRAUDTOP_CSV_H

#include "fraudtop/buf.h"

#define FT_CSV_MAX_ROW (1u << 20) /* default: longest row in bytes, quotes included */
#define FT_CSV_MAX_FIELDS 4096

struct ft_csv;

struct ft_csv_row {
    const struct ft_span *field; /* unquoted; valid until the next call on the reader */
    size_t n_fields;
    uint64_t line;   /* line of the file on which the row begins, from 1 */
    uint64_t offset; /* byte of the (unpacked) input at which it begins */
    uint64_t next;   /* byte after it: where to go on after a restart */
    struct ft_span
        text; /* the row as it stood (cut to 4 KiB when too long), without its line end */
};

enum ft_csv_event {
    FT_CSV_MORE, /* feed more input, or finish */
    FT_CSV_ROW,  /* a row */
    FT_CSV_BAD, /* not a row: err says why; row has line, offset, next, text; go on with the next call */
    FT_CSV_END /* after ft_csv_finish: nothing left */
};

struct ft_csv *ft_csv_new(size_t max_row_bytes); /* NULL: no memory */
void ft_csv_free(struct ft_csv *c);
/* Start in the middle: the next byte fed is byte offset of the file, on that line. */
void ft_csv_seek(struct ft_csv *c, uint64_t offset, uint64_t line);
/* Gives n bytes; they must stay until ft_csv_next has answered FT_CSV_MORE. */
void ft_csv_feed(struct ft_csv *c, const char *p, size_t n);
void ft_csv_finish(struct ft_csv *c);
/*
 * The next row.  FT_CSV_BAD comes for: a row longer than the limit (skipped up to its end, memory stays
 * bounded), too many fields, a zero byte, and two faults of quotes: text after a closing quote, and a quote that is
 * never closed (or only by the first quote of a later line).  Of these only the line on which the quote was opened
 * is given up, and reading goes on with the line after it; up to the row limit is kept for that.  A quote inside an
 * unquoted field is text like any other.  Empty lines are skipped.  Rows do not depend on how the input was cut.
 */
enum ft_csv_event ft_csv_next(struct ft_csv *c, struct ft_csv_row *row, struct ft_err *err);
/* What was fed and is not yet part of a row given out (right after a row: all that follows it), so that another
 * reader can go on there. */
size_t ft_csv_rest(const struct ft_csv *c, const char **p);

/*
 * Passes over the whole rows at the start of p, which is not inside a row: says how many bytes they are, how many rows
 * (bad ones included, as ft_csv_next counts them) and line ends.  What is left is the beginning of a row.  final: nothing
 * comes after p.  A row that is too long stops it: when it is the first one, too_long is set and max_row + 1 bytes of it
 * are passed; the caller then passes over everything up to its line end.
 * For dividing a file among threads: a reader that is fed these bytes and finished gives these rows.
 */
size_t ft_csv_skim(const char *p, size_t n, bool final, size_t max_row, uint64_t *rows,
                   uint64_t *lines, bool *too_long);

#endif
