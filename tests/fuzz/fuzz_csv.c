/*
 * The first byte chooses the row limit and the size of pieces; the rest is CSV.  However the input is cut, the rows are the
 * same; passing over whole rows counts the same rows and lines; every span lies where it should.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    uint64_t rows, sum; /* sum: of everything that was said */
};

static void add(struct told *t, const void *p, size_t n)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < n; i++)
        t->sum = (t->sum ^ b[i]) * 0x100000001B3u;
    t->sum = (t->sum ^ n) * 0x9E3779B97F4A7C15u;
}

static void tell(struct told *t, enum ft_csv_event event, const struct ft_csv_row *row,
                 const struct ft_err *err)
{
    t->rows++;
    add(t, &row->line, sizeof(row->line));
    add(t, &row->offset, sizeof(row->offset));
    add(t, &row->next, sizeof(row->next));
    add(t, row->text.p, row->text.n);
    if (event == FT_CSV_BAD) {
        add(t, err->text, strlen(err->text));
        return;
    }
    if (row->n_fields == 0 || row->n_fields > FT_CSV_MAX_FIELDS)
        abort();
    for (size_t i = 0; i < row->n_fields; i++)
        add(t, row->field[i].p, row->field[i].n);
}

static struct told read_in_pieces(const char *p, size_t n, size_t piece, size_t max_row)
{
    struct ft_csv *c = ft_csv_new(max_row);
    struct ft_csv_row row;
    struct ft_err err = {""};
    struct told t = {0, 0};
    size_t fed = 0, most = piece;
    char *copy = malloc(most + !most), *at;

    if (!c || !copy)
        abort();
    for (;;) {
        enum ft_csv_event event = ft_csv_next(c, &row, &err);

        if (event == FT_CSV_END)
            break;
        if (event != FT_CSV_MORE) {
            tell(&t, event, &row, &err);
            continue;
        }
        if (piece > n - fed)
            piece = n - fed;
        at = copy + most - piece; /* nothing lies behind it, nothing is left of the one before */
        memset(copy, '!', most - piece);
        memcpy(at, p + fed, piece);
        if (piece)
            ft_csv_feed(c, at, piece);
        else
            ft_csv_finish(c);
        fed += piece;
    }
    free(copy);
    ft_csv_free(c);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {1, 5, 40, 2000};
    const char *p = (const char *)data + 1;
    size_t n = size - 1, max, piece, taken;
    struct told whole, pieces, head;
    uint64_t rows, lines;
    bool too_long;

    if (size < 2)
        return 0;
    max = limits[data[0] & 3];
    piece = 1 + (size_t)(data[0] >> 2);
    whole = read_in_pieces(p, n, n, max);
    pieces = read_in_pieces(p, n, piece, max);
    if (whole.rows != pieces.rows || whole.sum != pieces.sum)
        abort();
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        return 0; /* ft_csv_skim is not given the start of files, so a mark there is text to it */
    taken = ft_csv_skim(p, n, true, max, &rows, &lines, &too_long);
    if (taken > n || (!too_long && taken != n && rows > whole.rows))
        abort();
    head = read_in_pieces(p, taken, taken + !taken, max);
    if (head.rows != rows)
        abort();
    return 0;
}
