#include "fraudtop/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define CHUNK (256u << 10)

/* What a column of the file is, where it is none of the contract's. */
#define EXTRA (-1)
#define LABEL (-2)

struct columns {
    struct ft_span *name; /* in text */
    char *text;
    int16_t *map; /* enum ft_col, EXTRA or LABEL */
    bool *required, *number;
    size_t n, n_extra;
};

struct file {
    char *path;
    struct columns columns;
    bool regular;
    uint64_t size;
    /* While it is open. */
    struct ft_input *in;
    struct ft_csv *csv;
    char *chunk;
    size_t n_chunk;
    uint64_t before; /* bytes of the input that the chunks before it took */
    uint64_t line;   /* after the header */
    bool ended;      /* of the input, not of the rows */
};

struct ft_rows {
    struct file *file;
    size_t n_files, at; /* at: the present file */
    char *label;
    struct ft_rows_opts opts;
    uint64_t row;         /* number of the next row */
    uint64_t bytes, done; /* of all files; of the files that are through */
    uint64_t fingerprint;
    struct ft_field *extra;

    /* Blocks: what was read behind the last one. */
    uint64_t number, line;
    char *rest;
    size_t n_rest, cap_rest;
    bool skipping; /* inside a row that is too long */
    enum ft_status
        broken; /* reading failed, but whole rows lay before it: said at the next block */
    struct ft_err why;
};

/* ---- header --------------------------------------------------------------------------------------- */

static void columns_fini(struct columns *c)
{
    free(c->name);
    free(c->text);
    free(c->map);
    free(c->required);
    free(c->number);
    *c = (struct columns){0};
}

static bool columns_alloc(struct columns *c, const struct ft_csv_row *row)
{
    size_t bytes = 1;

    for (size_t i = 0; i < row->n_fields; i++)
        bytes += row->field[i].n;
    c->n = row->n_fields;
    c->text = malloc(bytes);
    c->name = calloc(c->n, sizeof(*c->name));
    c->map = calloc(c->n, sizeof(*c->map));
    c->required = calloc(c->n, sizeof(*c->required));
    c->number = calloc(c->n, sizeof(*c->number));
    return c->text && c->name && c->map && c->required && c->number;
}

static bool in_list(struct ft_span name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ft_span_is(name, list[i]))
            return true;
    return false;
}

static enum ft_status read_names(const struct ft_rows *r, struct file *f,
                                 const struct ft_csv_row *row, struct ft_err *err)
{
    struct columns *c = &f->columns;
    char *to;

    if (!columns_alloc(c, row))
        return ft_fail(err, FT_ENOMEM, "%s: no memory for %zu columns", f->path, row->n_fields);
    to = c->text;
    for (size_t i = 0; i < c->n; i++) {
        struct ft_span name = row->field[i];

        if (ft_utf8_check(name) >= 0)
            return ft_fail(err, FT_EINPUT, "%s:%llu: the header is not UTF-8", f->path,
                           (unsigned long long)row->line);
        memcpy(to, name.p, name.n);
        c->name[i] = (struct ft_span){to, name.n};
        to += name.n;
        for (size_t k = 0; k < i; k++)
            if (ft_span_eq(c->name[k], name))
                return ft_fail(err, FT_EINPUT, "%s:%llu: two columns are called \"%.*s\"", f->path,
                               (unsigned long long)row->line, name.n > 60 ? 60 : (int)name.n,
                               name.p);
        c->map[i] = (int16_t)ft_col_find(name); /* EXTRA is -1 */
        if (r->label && ft_span_is(name, r->label))
            c->map[i] = LABEL;
        c->n_extra += c->map[i] == EXTRA;
        c->number[i] = c->map[i] >= 0 && ft_col_is_number((enum ft_col)c->map[i]);
        c->required[i] = in_list(name, r->opts.required, r->opts.n_required);
    }
    return FT_OK;
}

static bool has_column(const struct columns *c, const char *name, bool label)
{
    for (size_t i = 0; i < c->n; i++)
        if ((c->map[i] == LABEL) == label && ft_span_is(c->name[i], name))
            return true;
    return false;
}

static enum ft_status check_header(const struct ft_rows *r, const struct file *f,
                                   struct ft_err *err)
{
    char missing[800] = "";
    size_t n = 0, more = 0;

    if (r->label && !has_column(&f->columns, r->label, true))
        return ft_fail(err, FT_EUSAGE, "%s: the header has no column \"%s\" for the label", f->path,
                       r->label);
    for (size_t i = 0; i < r->opts.n_need; i++) {
        const char *name = r->opts.need[i];

        if (has_column(&f->columns, name, false))
            continue;
        if (more || n + strlen(name) + 2 >= sizeof(missing))
            more++;
        else
            n += (size_t)snprintf(missing + n, sizeof(missing) - n, "%s%s", n ? ", " : "", name);
    }
    if (more)
        return ft_fail(err, FT_EINPUT,
                       "%s: the header lacks columns that are needed: %s and %zu more", f->path,
                       missing, more);
    if (n)
        return ft_fail(err, FT_EINPUT, "%s: the header lacks columns that are needed: %s", f->path,
                       missing);
    return FT_OK;
}

/* ---- one file ------------------------------------------------------------------------------------- */

static void close_file(struct file *f)
{
    ft_input_close(f->in);
    ft_csv_free(f->csv);
    free(f->chunk);
    f->in = NULL;
    f->csv = NULL;
    f->chunk = NULL;
    f->n_chunk = 0;
}

/* More bytes for the file's reader; at the end says so to it. */
static enum ft_status feed(struct file *f, struct ft_err *err)
{
    uint64_t before = ft_input_done(f->in);
    size_t n;
    enum ft_status st = ft_input_read(f->in, f->chunk, CHUNK, &n, err);

    if (st != FT_OK)
        return st;
    if (n == 0) {
        f->ended = true;
        ft_csv_finish(f->csv);
    } else {
        ft_csv_feed(f->csv, f->chunk, n);
        f->n_chunk = n;
        f->before = before;
    }
    return FT_OK;
}

static enum ft_status next_event(struct file *f, struct ft_csv_row *row, enum ft_csv_event *event,
                                 struct ft_err *err)
{
    while ((*event = ft_csv_next(f->csv, row, err)) == FT_CSV_MORE) {
        enum ft_status st = feed(f, err);

        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

static bool same_header(const struct columns *c, const struct ft_csv_row *row)
{
    if (row->n_fields != c->n)
        return false;
    for (size_t i = 0; i < c->n; i++)
        if (!ft_span_eq(row->field[i], c->name[i]))
            return false;
    return true;
}

/* Opens a file and reads its header: the first time to know and check it, later to find it unchanged. */
static enum ft_status open_file(const struct ft_rows *r, struct file *f, struct ft_err *err)
{
    struct ft_csv_row row;
    enum ft_csv_event event;
    struct ft_err why;
    enum ft_status st = ft_input_open(&f->in, f->path, r->opts.stop_fd, err);

    if (st != FT_OK)
        return st;
    f->ended = false;
    f->csv = ft_csv_new(FT_CSV_MAX_ROW);
    f->chunk = malloc(CHUNK);
    if (!f->csv || !f->chunk)
        return ft_fail(err, FT_ENOMEM, "%s: no memory to read it", f->path);
    st = next_event(f, &row, &event, &why);
    if (st != FT_OK)
        return ft_fail(err, st, "%s", why.text);
    if (event == FT_CSV_END)
        return ft_fail(err, FT_EINPUT, "%s: is empty; its first line must name the columns",
                       f->path);
    if (event == FT_CSV_BAD)
        return ft_fail(err, FT_EINPUT, "%s:%llu: the header cannot be read: %s", f->path,
                       (unsigned long long)row.line, why.text);
    f->line = row.line;
    for (size_t i = 0; i < row.text.n; i++)
        f->line += row.text.p[i] == '\n' ||
                   (row.text.p[i] == '\r' && (i + 1 == row.text.n || row.text.p[i + 1] != '\n'));
    f->line++;
    if (f->columns.n)
        return same_header(&f->columns, &row)
                   ? FT_OK
                   : ft_fail(err, FT_EIO, "%s: its header changed since the start", f->path);
    st = read_names(r, f, &row, err);
    return st == FT_OK ? check_header(r, f, err) : st;
}

/* ---- open and close ------------------------------------------------------------------------------- */

static enum ft_status take_file(struct ft_rows *r, size_t i, const char *path, struct ft_err *err)
{
    struct file *f = &r->file[i];
    enum ft_status st;

    f->path = strdup(strcmp(path, "-") == 0 ? "-" : path);
    if (!f->path)
        return ft_fail(err, FT_ENOMEM, "%s: no memory", path);
    for (size_t k = 0; k < i; k++)
        if (strcmp(path, "-") == 0 && strcmp(r->file[k].path, "-") == 0)
            return ft_fail(err, FT_EUSAGE, "standard input (-) can be read but once");
    st = open_file(r, f, err);
    if (st != FT_OK)
        return st;
    f->regular = ft_input_is_regular(f->in);
    f->size = ft_input_size(f->in);
    if (f->regular)
        r->fingerprint = r->fingerprint * 0x9E3779B97F4A7C15u + ft_input_fingerprint(f->in);
    if (f->regular && i > 0) /* a pipe cannot be opened again */
        close_file(f);
    return FT_OK;
}

/* The options hold the caller's lists only until all headers are read. */
static enum ft_status take_files(struct ft_rows *r, const char *const *paths, size_t n,
                                 const struct ft_rows_opts *opts, struct ft_err *err)
{
    size_t most_extra = 0;
    bool pipes = false, sizes = true;

    r->label = opts->label ? strdup(opts->label) : NULL;
    r->file = calloc(n, sizeof(*r->file));
    if (!r->file || (opts->label && !r->label))
        return ft_fail(err, FT_ENOMEM, "no memory for %zu files", n);
    r->n_files = n;
    for (size_t i = 0; i < n; i++) {
        enum ft_status st = take_file(r, i, paths[i], err);

        if (st != FT_OK)
            return st;
        pipes |= !r->file[i].regular;
        sizes &= r->file[i].size != 0;
        r->bytes += r->file[i].size;
        if (r->file[i].columns.n_extra > most_extra)
            most_extra = r->file[i].columns.n_extra;
    }
    if (!sizes)
        r->bytes = 0;
    if (pipes)
        r->fingerprint = 0;
    r->line = r->file[0].line;
    r->opts.need = r->opts.required = NULL;
    r->extra = calloc(most_extra + 1, sizeof(*r->extra));
    return r->extra ? FT_OK : ft_fail(err, FT_ENOMEM, "no memory for %zu columns", most_extra);
}

enum ft_status ft_rows_open(struct ft_rows **out, const char *const *paths, size_t n_paths,
                            const struct ft_rows_opts *opts, struct ft_err *err)
{
    struct ft_rows *r;
    enum ft_status st;

    *out = NULL;
    if (n_paths == 0)
        return ft_fail(err, FT_EUSAGE, "no file was named (- is standard input)");
    r = calloc(1, sizeof(*r));
    if (!r)
        return ft_fail(err, FT_ENOMEM, "no memory to read files");
    r->opts = *opts;
    st = take_files(r, paths, n_paths, opts, err);
    if (st != FT_OK) {
        ft_rows_close(r);
        return st;
    }
    *out = r;
    return FT_OK;
}

void ft_rows_close(struct ft_rows *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_files; i++) {
        close_file(&r->file[i]);
        columns_fini(&r->file[i].columns);
        free(r->file[i].path);
    }
    free(r->file);
    free(r->label);
    free(r->extra);
    free(r->rest);
    free(r);
}

uint64_t ft_rows_bytes(const struct ft_rows *r)
{
    return r->bytes;
}

size_t ft_rows_header(const struct ft_rows *r, const struct ft_span **names)
{
    *names = r->file[0].columns.name;
    return r->file[0].columns.n;
}

uint64_t ft_rows_fingerprint(const struct ft_rows *r)
{
    return r->fingerprint;
}

/* ---- a row becomes a transaction ------------------------------------------------------------------ */

static enum ft_status read_label(const char *name, struct ft_span cell, int8_t *out,
                                 struct ft_err *err)
{
    if (cell.n == 0)
        *out = FT_LABEL_UNKNOWN;
    else if (cell.n == 1 && (*cell.p == '0' || *cell.p == '1'))
        *out = (int8_t)(*cell.p - '0');
    else
        return ft_fail(err, FT_EINPUT, "%s: \"%.*s\" is neither 0 nor 1 nor empty", name,
                       cell.n > 40 ? 40 : (int)cell.n, cell.p);
    return FT_OK;
}

static inline struct ft_cell make_cell(bool number, struct ft_span text)
{
    struct ft_cell cell = {.p = text.p, .n = (uint32_t)text.n, .kind = FT_CELL_TEXT};

    if (text.n == 0)
        cell.kind = FT_CELL_MISSING;
    else if (number && ft_is_json_number(text))
        cell.kind = FT_CELL_NUMBER;
    return cell;
}

static enum ft_status check_values(const struct ft_txn *t, struct ft_err *err)
{
    const struct ft_cell *time = &t->col[FT_COL_TIME];
    enum ft_status st = ft_txn_check(t, err);

    if (st == FT_OK && time->kind == FT_CELL_TEXT && time->p[time->n - 1] == 'Z')
        return ft_fail(err, FT_EINPUT,
                       "transaction_time: \"%.*s\" ends with Z, which only messages may",
                       (int)time->n, time->p);
    return st;
}

static enum ft_status make_txn(const struct ft_rows *r, const struct columns *c,
                               const struct ft_csv_row *row, struct ft_field *extra,
                               struct ft_txn *t, struct ft_err *err)
{
    size_t n_extra = 0;
    long at;

    memset(t, 0, sizeof(*t));
    t->label = FT_LABEL_UNKNOWN;
    if (row->n_fields != c->n)
        return ft_fail(err, FT_EINPUT, "%zu fields where the header has %zu", row->n_fields, c->n);
    at = ft_utf8_check(row->text);
    if (at >= 0)
        return ft_fail(err, FT_EINPUT, "invalid UTF-8 (byte 0x%02X after %ld bytes)",
                       (unsigned)(unsigned char)row->text.p[at], at);
    for (size_t i = 0; i < c->n; i++) {
        enum ft_status st = FT_OK;

        if (c->required[i] && row->field[i].n == 0)
            return ft_fail(err, FT_EINPUT, "%.*s: is empty", (int)c->name[i].n, c->name[i].p);
        if (c->map[i] >= 0)
            t->col[c->map[i]] = make_cell(c->number[i], row->field[i]);
        else if (c->map[i] == EXTRA)
            extra[n_extra++] = (struct ft_field){c->name[i], make_cell(false, row->field[i])};
        else
            st = read_label(r->label, row->field[i], &t->label, err);
        if (st != FT_OK)
            return st;
    }
    t->extra = extra;
    t->n_extra = n_extra;
    return r->opts.check ? check_values(t, err) : FT_OK;
}

static bool is_wanted(const struct ft_rows *r, uint64_t row)
{
    return row >= r->opts.start_row;
}

static bool is_beyond(const struct ft_rows *r, uint64_t row)
{
    return r->opts.limit && row >= r->opts.limit;
}

static void place(struct ft_row_pos *pos, const struct ft_rows *r, const struct file *f,
                  uint64_t number, const struct ft_csv_row *row)
{
    *pos = (struct ft_row_pos){.file = f->path,
                               .n_files = r->n_files,
                               .row = number,
                               .line = row->line,
                               .text = row->text};
}

/* What was read ahead of the rows does not count: of a packed chunk, its share. */
uint64_t ft_rows_done(const struct ft_rows *r)
{
    const struct file *f = r->at < r->n_files ? &r->file[r->at] : NULL;
    uint64_t taken = f && f->in ? ft_input_done(f->in) : 0;
    const char *unused;

    if (f && f->csv && f->n_chunk) {
        double rest = (double)ft_csv_rest(f->csv, &unused) / (double)f->n_chunk;

        taken -= (uint64_t)((double)(taken - f->before) * (rest < 1 ? rest : 1));
    }
    return r->done + taken;
}

/* The present file is through. */
static void leave_file(struct ft_rows *r)
{
    r->done += r->file[r->at].in ? ft_input_done(r->file[r->at].in) : 0;
    close_file(&r->file[r->at++]);
    if (r->at < r->n_files)
        r->line = r->file[r->at].line;
}

static enum ft_status reopen(struct ft_rows *r, struct ft_err *err)
{
    struct file *f = &r->file[r->at];
    enum ft_status st = f->in ? FT_OK : open_file(r, f, err);

    if (st != FT_OK)
        close_file(f);
    return st;
}

enum ft_status ft_rows_next(struct ft_rows *r, struct ft_txn *t, struct ft_row_pos *pos,
                            struct ft_err *err)
{
    while (r->at < r->n_files && !is_beyond(r, r->row)) {
        struct file *f = &r->file[r->at];
        struct ft_csv_row row;
        enum ft_csv_event event;
        enum ft_status st = reopen(r, err);

        if (st == FT_OK)
            st = next_event(f, &row, &event, err);
        if (st != FT_OK)
            return st;
        if (event == FT_CSV_END) {
            leave_file(r);
            continue;
        }
        if (!is_wanted(r, r->row++))
            continue;
        place(pos, r, f, r->row - 1, &row);
        return event == FT_CSV_BAD ? FT_EINPUT : make_txn(r, &f->columns, &row, r->extra, t, err);
    }
    return FT_END;
}

/* ---- blocks --------------------------------------------------------------------------------------- */

/* A block is grown until it holds a whole row: this much is enough to tell that there is none within the limit. */
#define BLOCK_ROOM (CHUNK + FT_CSV_MAX_ROW + 2)

void ft_rows_block_init(struct ft_rows_block *b)
{
    *b = (struct ft_rows_block){0};
}

void ft_rows_block_fini(struct ft_rows_block *b)
{
    free(b->p);
    ft_rows_block_init(b);
}

static bool room(char **p, size_t *cap, size_t want)
{
    char *more;

    if (*cap >= want)
        return true;
    more = realloc(*p, want);
    if (!more)
        return false;
    *p = more;
    *cap = want;
    return true;
}

/* What the header's reader was fed beyond the header is the first rest. */
static enum ft_status begin_file(struct ft_rows *r, struct ft_err *err)
{
    struct file *f = &r->file[r->at];
    const char *p;
    size_t n;
    enum ft_status st;

    if (f->in && !f->csv)
        return FT_OK;
    st = reopen(r, err);
    if (st != FT_OK)
        return st;
    n = ft_csv_rest(f->csv, &p);
    if (!room(&r->rest, &r->cap_rest, BLOCK_ROOM))
        return ft_fail(err, FT_ENOMEM, "%s: no memory to read it", f->path);
    memcpy(r->rest, p, n);
    r->n_rest = n;
    r->line = f->line;
    ft_csv_free(f->csv);
    f->csv = NULL;
    return FT_OK;
}

/* Passes over the remainder of a row that is too long.  False: it goes on beyond what was read. */
static bool pass_long_row(struct ft_rows *r, struct ft_rows_block *b, bool ended)
{
    size_t i = 0;

    while (i < b->n && b->p[i] != '\n' && b->p[i] != '\r')
        i++;
    if (i == b->n || (b->p[i] == '\r' && i + 1 == b->n && !ended)) {
        b->n -= i;
        memmove(b->p, b->p + i, b->n);
        return ended;
    }
    if (b->p[i] == '\r' && i + 1 < b->n && b->p[i + 1] == '\n')
        i++;
    i++;
    b->n -= i;
    memmove(b->p, b->p + i, b->n);
    r->line++;
    return true;
}

/* Reads until there is at least one whole row at the start of b; n is what rows take, 0 at the end of the file. */
static enum ft_status fill(struct ft_rows *r, struct ft_rows_block *b, size_t *n, uint64_t *lines,
                           struct ft_err *err)
{
    struct file *f = &r->file[r->at];

    for (;;) {
        bool too_long;
        size_t got;
        enum ft_status st;

        if (r->skipping)
            r->skipping = !pass_long_row(r, b, f->ended);
        if (!r->skipping && (b->n >= CHUNK || f->ended || !f->regular)) {
            *n = ft_csv_skim(b->p, b->n, f->ended, FT_CSV_MAX_ROW, &b->n_rows, lines, &too_long);
            r->skipping = too_long;
            if (*n)
                return FT_OK;
        }
        if (f->ended)
            return FT_OK;
        st = ft_input_read(f->in, b->p + b->n,
                           BLOCK_ROOM - b->n < CHUNK ? BLOCK_ROOM - b->n : CHUNK, &got, err);
        if (st != FT_OK && !r->skipping) {
            *n = ft_csv_skim(b->p, b->n, false, FT_CSV_MAX_ROW, &b->n_rows, lines, &too_long);
            r->broken = st;
            r->why = *err;
        }
        if (st != FT_OK)
            return *n ? FT_OK : st;
        b->n += got;
        f->ended = got == 0;
    }
}

enum ft_status ft_rows_next_block(struct ft_rows *r, struct ft_rows_block *b, struct ft_err *err)
{
    if (r->broken != FT_OK)
        return ft_fail(err, r->broken, "%s", r->why.text);
    while (r->at < r->n_files && !is_beyond(r, r->row)) {
        struct file *f = &r->file[r->at];
        uint64_t lines = 0;
        size_t n = 0;
        enum ft_status st = begin_file(r, err);

        if (st != FT_OK)
            return st;
        if (!room(&b->p, &b->cap, BLOCK_ROOM))
            return ft_fail(err, FT_ENOMEM, "%s: no memory for a block", f->path);
        memcpy(b->p, r->rest, r->n_rest);
        b->n = r->n_rest;
        st = fill(r, b, &n, &lines, err);
        if (st != FT_OK)
            return st;
        r->n_rest = b->n - n;
        memcpy(r->rest, b->p + n, r->n_rest);
        b->n = n;
        b->row = r->row;
        b->line = r->line;
        b->file = r->at;
        b->bytes_done = r->done + ft_input_done(f->in);
        r->row += b->n_rows;
        r->line += lines;
        if (n == 0)
            leave_file(r);
        if (b->n_rows && is_wanted(r, r->row - 1)) {
            b->number = r->number++;
            return FT_OK;
        }
    }
    return FT_END;
}

struct ft_row_parser {
    const struct ft_rows *rows;
    const struct file *file;
    struct ft_csv *csv;
    struct ft_field *extra;
    uint64_t row;
};

struct ft_row_parser *ft_row_parser_new(const struct ft_rows *r)
{
    struct ft_row_parser *p = calloc(1, sizeof(*p));
    size_t most_extra = 0;

    if (!p)
        return NULL;
    for (size_t i = 0; i < r->n_files; i++)
        if (r->file[i].columns.n_extra > most_extra)
            most_extra = r->file[i].columns.n_extra;
    p->rows = r;
    p->csv = ft_csv_new(FT_CSV_MAX_ROW);
    p->extra = calloc(most_extra + 1, sizeof(*p->extra));
    if (!p->csv || !p->extra) {
        ft_row_parser_free(p);
        return NULL;
    }
    return p;
}

void ft_row_parser_free(struct ft_row_parser *p)
{
    if (!p)
        return;
    ft_csv_free(p->csv);
    free(p->extra);
    free(p);
}

void ft_row_parser_start(struct ft_row_parser *p, const struct ft_rows_block *b)
{
    p->file = &p->rows->file[b->file];
    p->row = b->row;
    ft_csv_seek(p->csv, 1, b->line); /* not at the start of the file: no byte order mark comes */
    ft_csv_feed(p->csv, b->p, b->n);
    ft_csv_finish(p->csv);
}

enum ft_status ft_row_parser_next(struct ft_row_parser *p, struct ft_txn *t, struct ft_row_pos *pos,
                                  struct ft_err *err)
{
    while (!is_beyond(p->rows, p->row)) {
        struct ft_csv_row row;
        enum ft_csv_event event = ft_csv_next(p->csv, &row, err);

        if (event == FT_CSV_END || event == FT_CSV_MORE)
            return FT_END;
        if (!is_wanted(p->rows, p->row++))
            continue;
        place(pos, p->rows, p->file, p->row - 1, &row);
        if (event == FT_CSV_BAD)
            return FT_EINPUT;
        return make_txn(p->rows, &p->file->columns, &row, p->extra, t, err);
    }
    return FT_END;
}
