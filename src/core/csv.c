/*
 * A row is found in one pass over its "special" bytes: comma, quote, line ends, zero.  A block of 64 bytes becomes a mask of
 * them at once, so ordinary text costs next to nothing.  What a row is depends on its own bytes only, never on how
 * the input was cut into pieces: scan_row sees either the whole row or says that it needs more.
 */
#include "fraudtop/csv.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BLOCK 64
#define CUT 4096 /* of the text of a row that is too long */

enum found {
    FOUND_ROW,
    FOUND_BLANK,
    FOUND_MORE,   /* no end in sight, and more input may come */
    FOUND_ZERO,   /* a whole row with a zero byte in it */
    FOUND_FIELDS, /* a whole row of too many fields */
    FOUND_AFTER,  /* a line with text after a closing quote */
    FOUND_OPEN,   /* a line with a quote that is never closed */
    FOUND_LONG    /* no end within the limit */
};

/* Where the fields of a row go; NULL where only its end is wanted. */
struct fields {
    struct ft_span *span;
    size_t n;
    char *scratch; /* for fields with doubled quotes: as long as the longest row */
    size_t used;
};

struct extent {
    size_t length;  /* bytes of the row without its line end */
    size_t used;    /* with it */
    uint64_t lines; /* line ends among them */
};

struct ft_csv {
    size_t max_row;
    const char *in;
    size_t n_in;
    bool finished;
    bool at_start; /* of the file: a byte order mark may come */
    uint64_t offset, line;

    /* A row that was cut by the end of a piece: what is kept of it.  The last n_borrowed bytes are also the ones
     * just before in[0]. */
    char *kept;
    size_t kept_from, n_kept, n_borrowed;

    bool skipping; /* inside a row that is too long; skipped is what to say of it */
    struct ft_csv_row skipped;
    char cut[CUT];

    struct fields fields;
};

/* ---- special bytes -------------------------------------------------------------------------------- */

#if defined(__SSE2__)
static uint64_t block_mask(const char *p, bool commas)
{
    const __m128i comma = _mm_set1_epi8(commas ? ',' : '\n'), quote = _mm_set1_epi8('"'),
                  lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r'), zero = _mm_setzero_si128();
    uint64_t mask = 0;

    for (int i = 0; i < BLOCK / 16; i++) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + i * 16));
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(b, comma), _mm_cmpeq_epi8(b, quote)),
                                   _mm_or_si128(_mm_cmpeq_epi8(b, lf), _mm_cmpeq_epi8(b, cr)));

        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(b, zero));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << i * 16;
    }
    return mask;
}
#else
static uint64_t block_mask(const char *p, bool commas)
{
    uint64_t mask = 0;

    for (int i = 0; i < BLOCK; i++) {
        char c = p[i];

        mask |= (uint64_t)(c == '"' || c == '\n' || c == '\r' || c == '\0' || (commas && c == ','))
                << i;
    }
    return mask;
}
#endif

static unsigned lowest_bit(uint64_t mask)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(mask);
#else
    unsigned i = 0;

    while (!(mask >> i & 1))
        i++;
    return i;
#endif
}

struct specials {
    const char *p;
    size_t n, base; /* base: the block after the one of mask */
    uint64_t mask;
    bool commas; /* where only the ends of rows are wanted, commas need not be looked at */
};

/* Position of the next special byte, or n. */
static inline size_t next_special(struct specials *s)
{
    size_t i;

    while (!s->mask) {
        if (s->base >= s->n)
            return s->n;
        if (s->n - s->base >= BLOCK) {
            s->mask = block_mask(s->p + s->base, s->commas);
        } else {
            char last[BLOCK];

            memset(last, 'x', sizeof(last));
            memcpy(last, s->p + s->base, s->n - s->base);
            s->mask = block_mask(last, s->commas);
        }
        s->base += BLOCK;
    }
    i = s->base - BLOCK + lowest_bit(s->mask);
    s->mask &= s->mask - 1;
    return i;
}

/* ---- one row -------------------------------------------------------------------------------------- */

/* A quoted field [p, p + n) whose doubled quotes are made single, in the scratch. */
static struct ft_span undouble(struct fields *f, const char *p, size_t n)
{
    char *start = f->scratch + f->used, *to = start;

    for (size_t i = 0; i < n; i++) {
        *to++ = p[i];
        i += p[i] == '"';
    }
    f->used += (size_t)(to - start);
    return (struct ft_span){start, (size_t)(to - start)};
}

struct scan {
    struct specials s;
    size_t field; /* where the present field begins */
    size_t close; /* of a quoted field: its closing quote */
    size_t n_fields;
    uint64_t lines;      /* so far */
    size_t line_end;     /* end of the line on which the last quote was opened; 0: not reached */
    size_t line_length;  /* the same without the line end itself */
    uint64_t line_lines; /* lines, there */
    bool quoted, closed, doubled, zero;
};

static inline void end_field(struct scan *r, size_t at, struct fields *f)
{
    if (f && r->n_fields < FT_CSV_MAX_FIELDS) {
        const char *p = r->s.p + r->field;

        if (!r->closed)
            f->span[r->n_fields] = (struct ft_span){p, at - r->field};
        else if (r->doubled)
            f->span[r->n_fields] = undouble(f, p + 1, r->close - r->field - 1);
        else
            f->span[r->n_fields] = (struct ft_span){p + 1, r->close - r->field - 1};
    }
    r->n_fields++;
    r->field = at + 1;
    r->closed = r->doubled = false;
}

static enum found end_row(struct scan *r, size_t length, size_t used, struct fields *f,
                          struct extent *e)
{
    bool blank = length == 0;

    end_field(r, length, f);
    if (f)
        f->n = r->n_fields;
    *e = (struct extent){length, used, r->lines + (used > length)};
    if (blank)
        return FOUND_BLANK;
    if (r->n_fields > FT_CSV_MAX_FIELDS)
        return FOUND_FIELDS;
    return r->zero ? FOUND_ZERO : FOUND_ROW;
}

/* Only the line on which the last quote was opened is given up. */
static enum found give_up(const struct scan *r, enum found what, struct extent *e)
{
    *e = (struct extent){r->line_length, r->line_end, r->line_lines};
    return what;
}

/* The end of the physical line, from position i on; false when it is not there. */
static bool find_line_end(const char *p, size_t n, size_t i, bool final, struct extent *e)
{
    while (i < n && p[i] != '\n' && p[i] != '\r')
        i++;
    if (i == n || (p[i] == '\r' && i + 1 == n && !final))
        return false;
    e->length = i;
    e->used = i + 1 + (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n');
    return true;
}

/* Text stands after the closing quote at i. */
static enum found text_after(struct scan *r, size_t i, bool final, size_t max, struct extent *e)
{
    if (r->line_end) /* the quote came from an earlier line and was never meant to end here */
        return give_up(r, FOUND_OPEN, e);
    if (find_line_end(r->s.p, r->s.n, i, final, e) && e->length <= max) {
        e->lines = r->lines + 1;
        return FOUND_AFTER;
    }
    if (r->s.n > max + 1 || (r->s.n > max && r->s.p[max] != '\r')) {
        *e = (struct extent){max + 1, max + 1, r->lines};
        return FOUND_LONG;
    }
    if (!final)
        return FOUND_MORE;
    *e = (struct extent){r->s.n, r->s.n, r->lines};
    return FOUND_AFTER;
}

/* No end of the row up to the limit, or to the end of all input. */
static enum found no_end(const struct scan *r, enum found what, size_t at, struct extent *e)
{
    if (r->quoted && r->line_end)
        return give_up(r, FOUND_OPEN, e);
    *e = (struct extent){at, at, r->lines};
    return what;
}

static inline void quoted_line_end(struct scan *r, size_t i, bool crlf)
{
    r->lines++;
    if (!r->line_end) {
        r->line_end = i + 1;
        r->line_length = i - crlf;
        r->line_lines = r->lines;
    }
}

/* Finds the row at p; f may be NULL. */
static enum found scan_row(const char *p, size_t n, bool final, size_t max, struct fields *f,
                           struct extent *e)
{
    struct scan r = {
        .s = {.p = p, .n = n, .commas = f != NULL}
    };

    for (;;) {
        size_t i = next_special(&r.s);

        if (i > max && n > max)
            return no_end(&r, FOUND_LONG, max + 1, e);
        if (i == n) {
            if (!final)
                return FOUND_MORE;
            return r.quoted ? no_end(&r, FOUND_OPEN, n, e) : end_row(&r, n, n, f, e);
        }
        switch (p[i]) {
        case ',':
            if (!r.quoted)
                end_field(&r, i, f);
            break;
        case '"':
            if (r.quoted) {
                if (i + 1 == n && !final)
                    return FOUND_MORE;
                if (i + 1 < n && p[i + 1] == '"') {
                    next_special(&r.s);
                    r.doubled = true;
                    break;
                }
                r.quoted = false;
                r.closed = true;
                r.close = i;
                if (i + 1 < n && p[i + 1] != ',' && p[i + 1] != '\n' && p[i + 1] != '\r')
                    return text_after(&r, i, final, max, e);
            } else if (i == 0 || p[i - 1] == ',') {
                r.quoted = true;
                r.line_end = 0;
            }
            break;
        case '\r':
            if (i + 1 == n && !final)
                return FOUND_MORE;
            if (i + 1 < n && p[i + 1] == '\n') {
                if (!r.quoted)
                    return end_row(&r, i, i + 2, f, e);
                next_special(&r.s);
                quoted_line_end(&r, i + 1, true);
                break;
            }
            /* fall through */
        case '\n':
            if (!r.quoted)
                return end_row(&r, i, i + 1, f, e);
            quoted_line_end(&r, i, false);
            break;
        default:
            r.zero = true;
        }
    }
}

size_t ft_csv_skim(const char *p, size_t n, bool final, size_t max_row, uint64_t *rows,
                   uint64_t *lines, bool *too_long)
{
    size_t done = 0;

    *rows = *lines = 0;
    *too_long = false;
    while (done < n) {
        struct extent e;
        enum found found = scan_row(p + done, n - done, final, max_row, NULL, &e);

        if (found == FOUND_MORE)
            break;
        *too_long = found == FOUND_LONG;
        if (*too_long && done)
            break;
        *rows += found != FOUND_BLANK;
        *lines += e.lines;
        done += e.used;
        if (*too_long)
            return done;
    }
    *too_long = false;
    return done;
}

/* ---- the reader ----------------------------------------------------------------------------------- */

struct ft_csv *ft_csv_new(size_t max_row_bytes)
{
    struct ft_csv *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->max_row = max_row_bytes;
    c->line = 1;
    c->at_start = true;
    c->kept =
        malloc(max_row_bytes + 2); /* two more tell a row of just the limit from a longer one */
    c->fields.scratch = malloc(max_row_bytes + 2);
    c->fields.span = malloc(FT_CSV_MAX_FIELDS * sizeof(*c->fields.span));
    if (!c->kept || !c->fields.scratch || !c->fields.span) {
        ft_csv_free(c);
        return NULL;
    }
    return c;
}

void ft_csv_free(struct ft_csv *c)
{
    if (!c)
        return;
    free(c->kept);
    free(c->fields.scratch);
    free(c->fields.span);
    free(c);
}

void ft_csv_seek(struct ft_csv *c, uint64_t offset, uint64_t line)
{
    c->n_in = c->kept_from = c->n_kept = c->n_borrowed = 0;
    c->finished = c->skipping = false;
    c->at_start = offset == 0;
    c->offset = offset;
    c->line = line;
}

void ft_csv_feed(struct ft_csv *c, const char *p, size_t n)
{
    c->in = p;
    c->n_in = n;
    c->n_borrowed = 0;
}

void ft_csv_finish(struct ft_csv *c)
{
    c->finished = true;
}

/* What can be looked at: the kept piece, else the input itself. */
static const char *window(const struct ft_csv *c, size_t *n, bool *final)
{
    if (c->n_kept) {
        *n = c->n_kept - c->kept_from;
        *final = c->finished && c->n_in == 0;
        return c->kept + c->kept_from;
    }
    *n = c->n_in;
    *final = c->finished;
    return c->in;
}

size_t ft_csv_rest(const struct ft_csv *c, const char **p)
{
    bool final;
    size_t n;

    *p = window(c, &n, &final);
    return n;
}

static void consume(struct ft_csv *c, size_t n)
{
    c->offset += n;
    if (!c->n_kept) {
        c->in += n;
        c->n_in -= n;
        return;
    }
    c->kept_from += n;
    n = c->n_kept - c->kept_from;
    if (n <= c->n_borrowed) { /* the rest is in the input too: go on there */
        c->in -= n;
        c->n_in += n;
        c->kept_from = c->n_kept = c->n_borrowed = 0;
    }
}

/* Keeps the row that is not complete, and more of the input behind it.  False: the input is used up. */
static bool keep(struct ft_csv *c)
{
    size_t n = c->n_kept - c->kept_from, piece;

    if (c->kept_from) {
        memmove(c->kept, c->kept + c->kept_from, n);
        c->n_kept = n;
        c->kept_from = 0;
    }
    if (c->n_in == 0)
        return false;
    /* Doubling bounds how often a long row is looked at; small pieces spare copying. */
    piece = n > CUT ? n : CUT;
    if (n == 0 || piece > c->n_in)
        piece = c->n_in;
    if (piece > c->max_row + 2 - n)
        piece = c->max_row + 2 - n;
    memcpy(c->kept + n, c->in, piece);
    c->n_kept = n + piece;
    c->in += piece;
    c->n_in -= piece;
    c->n_borrowed += piece;
    return n != 0 || c->n_in != 0;
}

static void describe(const struct ft_csv *c, struct ft_csv_row *row, const char *p,
                     const struct extent *e)
{
    *row = (struct ft_csv_row){.line = c->line, .offset = c->offset};
    row->next = c->offset + e->used;
    row->text = (struct ft_span){p, e->length};
}

static void begin_skipping(struct ft_csv *c, const char *p, const struct extent *e)
{
    describe(c, &c->skipped, p, e);
    memcpy(c->cut, p, e->length < CUT ? e->length : CUT);
    c->skipped.text = (struct ft_span){c->cut, e->length < CUT ? e->length : CUT};
    c->line += e->lines;
    consume(c, e->used);
    c->skipping = true;
}

/* Looks for the end of a row that is too long; true when it was found. */
static bool skip(struct ft_csv *c, struct ft_csv_row *row)
{
    struct extent e;
    bool final, found;
    size_t n;
    const char *p = window(c, &n, &final);

    found = find_line_end(p, n, 0, final, &e);
    if (!found && !final) {
        consume(c, n && p[n - 1] == '\r' ? n - 1 : n);
        return false;
    }
    if (!found)
        e.used = n;
    consume(c, e.used);
    c->line += found;
    c->skipping = false;
    *row = c->skipped;
    row->next = c->offset;
    return true;
}

/* A byte order mark at the very start is no part of the first row.  False: more input is needed to tell. */
static bool skip_mark(struct ft_csv *c)
{
    static const char mark[] = "\xEF\xBB\xBF";
    bool final;
    size_t n;
    const char *p = window(c, &n, &final);

    if (n < 3 && !final && memcmp(p, mark, n) == 0)
        return false;
    c->at_start = false;
    if (n >= 3 && memcmp(p, mark, 3) == 0)
        consume(c, 3);
    return true;
}

static enum ft_csv_event bad(const struct ft_csv *c, enum found found, struct ft_err *err)
{
    switch (found) {
    case FOUND_ZERO:
        ft_fail(err, FT_EINPUT, "a zero byte");
        break;
    case FOUND_FIELDS:
        ft_fail(err, FT_EINPUT, "more than %d fields", FT_CSV_MAX_FIELDS);
        break;
    case FOUND_AFTER:
        ft_fail(err, FT_EINPUT,
                "text after a closing quote (a quote inside quotes is written \"\")");
        break;
    case FOUND_OPEN:
        ft_fail(err, FT_EINPUT, "unterminated quote");
        break;
    default:
        ft_fail(err, FT_EINPUT, "longer than %zu bytes", c->max_row);
    }
    return FT_CSV_BAD;
}

enum ft_csv_event ft_csv_next(struct ft_csv *c, struct ft_csv_row *row, struct ft_err *err)
{
    for (;;) {
        struct extent e;
        enum found found = FOUND_MORE;
        bool final;
        size_t n;
        const char *p = window(c, &n, &final);

        if (n == 0 && final && !c->skipping)
            return FT_CSV_END;
        if (c->skipping) {
            if (skip(c, row))
                return bad(c, FOUND_LONG, err);
        } else if (n && (!c->at_start || skip_mark(c))) {
            p = window(c, &n, &final);
            c->fields.used = 0;
            found = scan_row(p, n, final, c->max_row, &c->fields, &e);
        }
        if (found == FOUND_MORE) {
            if (keep(c))
                continue;
            c->n_borrowed = 0; /* the input may go away now */
            return FT_CSV_MORE;
        }
        if (found == FOUND_LONG) {
            begin_skipping(c, p, &e);
            continue;
        }
        describe(c, row, p, &e);
        row->field = c->fields.span;
        row->n_fields = found == FOUND_ROW ? c->fields.n : 0;
        c->line += e.lines;
        consume(c, e.used);
        if (found == FOUND_ROW)
            return FT_CSV_ROW;
        if (found != FOUND_BLANK)
            return bad(c, found, err);
    }
}
