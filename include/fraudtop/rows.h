/*
 * Transactions from CSV files: plain, gzip, zstd, standard input ("-"), several after each other.
 *
 * Opens the files, reads the header, checks it, and gives row after row as struct ft_txn or as a bad row with
 * its reason.  Rows are numbered over all files from 0, bad ones included.  Streams: memory does not grow.
 *
 *     ft_rows_open(&rows, paths, n, &opts, &err);
 *     while ((st = ft_rows_next(rows, &txn, &pos, &err)) != FT_END)
 *         if (st == FT_OK) score(&txn);
 *         else if (st == FT_EINPUT) ft_quarantine_add(quarantine, &pos, err.text, &err2);
 *         else return st;
 *     ft_rows_close(rows);
 *
 * With many threads the same rows are had in blocks: see ft_rows_next_block below.
 */
#ifndef FRAUDTOP_ROWS_H
#define FRAUDTOP_ROWS_H

#include "fraudtop/csv.h"
#include "fraudtop/txn.h"

struct ft_rows;

struct ft_rows_opts {
    const char *label;       /* name of the label column, or NULL */
    const char *const *need; /* columns that must be in the header (what the model needs) */
    size_t n_need;
    const char *const
        *required; /* columns whose cell must not be empty: else the row is a bad one */
    size_t n_required;
    bool
        check; /* ft_txn_check every row, and no final Z in times; false for models on other data */
    uint64_t start_row; /* continue here: the rows before it are passed over */
    uint64_t limit;     /* only rows numbered below this, bad ones included; 0: all */
    int stop_fd; /* when it becomes readable, waiting for a pipe ends with FT_ESTOPPED; 0: none */
};

struct ft_row_pos {
    const char *file;
    size_t n_files;      /* so that a message can leave the file's name out when there is but one */
    uint64_t row;        /* over all files */
    uint64_t line;       /* in this file */
    struct ft_span text; /* the row as it stood, for the quarantine */
};

/* Checks every file's header before anything is given: names the missing columns of each, duplicate columns,
 * a directory, an empty file.  Standard input can be named once. */
enum ft_status ft_rows_open(struct ft_rows **out, const char *const *paths, size_t n_paths,
                            const struct ft_rows_opts *opts, struct ft_err *err);
void ft_rows_close(struct ft_rows *r);
/*
 * FT_OK a transaction (cells valid until the next call; id zero), FT_EINPUT a bad row (err: the reason without
 * file and line, as the quarantine wants it; go on), FT_END, FT_EIO the file could not be read further
 * ("file became shorter" too).
 */
enum ft_status ft_rows_next(struct ft_rows *r, struct ft_txn *t, struct ft_row_pos *pos,
                            struct ft_err *err);
/* Bytes of all files as they lie on disk; 0 when unknown (a pipe). */
uint64_t ft_rows_bytes(const struct ft_rows *r);
/* Of these, how many the rows took that ft_rows_next gave. */
uint64_t ft_rows_done(const struct ft_rows *r);
/* Names of the columns of the first file in its order, the label included. */
size_t ft_rows_header(const struct ft_rows *r, const struct ft_span **names);
/* What a run is known by: size of the files, their first and last 64 KiB; for the run's identity and for
 * noticing that a file changed before a resume.  0 for a pipe. */
uint64_t ft_rows_fingerprint(const struct ft_rows *r);

/* ---- many threads --------------------------------------------------------------------------------- */

/*
 * Blocks of whole rows, so that a file is read as fast as there are processors.  Every worker does
 *
 *     lock; st = ft_rows_next_block(rows, block, &err); unlock;
 *     ft_row_parser_start(parser, block);
 *     while ((st = ft_row_parser_next(parser, &txn, &pos, &err)) != FT_END) ... as with ft_rows_next ...
 *
 * and hands on its results in the order of block->number.  The rows, their numbers, lines and reasons are exactly those of
 * ft_rows_next.  Dividing passes over the bytes once (some GB/s); unpacking, where needed, is done in it too.
 */
struct ft_rows_block {
    uint64_t number;     /* 0, 1, 2 ... without gaps */
    uint64_t row;        /* number of its first row */
    uint64_t n_rows;     /* bad ones included */
    uint64_t line;       /* on which its first row begins */
    uint64_t bytes_done; /* of the packed files, at its end */
    size_t file;         /* index of the path */
    char *p;             /* the bytes; memory of the block */
    size_t n, cap;
};
void ft_rows_block_init(struct ft_rows_block *b);
void ft_rows_block_fini(struct ft_rows_block *b);
/* Fills b, using its memory again.  FT_OK, FT_END, or as ft_rows_next.  One thread at a time; not together with
 * ft_rows_next on the same r. */
enum ft_status ft_rows_next_block(struct ft_rows *r, struct ft_rows_block *b, struct ft_err *err);

/* One for each thread; r must outlive it. */
struct ft_row_parser;
struct ft_row_parser *ft_row_parser_new(const struct ft_rows *r); /* NULL: no memory */
void ft_row_parser_free(struct ft_row_parser *p);
void ft_row_parser_start(struct ft_row_parser *p, const struct ft_rows_block *b);
/* FT_OK, FT_EINPUT, FT_END as ft_rows_next; cells are valid until the next call. */
enum ft_status ft_row_parser_next(struct ft_row_parser *p, struct ft_txn *t, struct ft_row_pos *pos,
                                  struct ft_err *err);

/* ---- quarantine ----------------------------------------------------------------------------------- */

/* CSV file "line,reason,text" (mode 0600), appended to; made when the first bad row comes; "-" is standard output.  Where
 * several files are read, the reason begins with the name of the row's file.  Each row is in the file when
 * ft_quarantine_add returns. */
struct ft_quarantine;
enum ft_status ft_quarantine_open(struct ft_quarantine **out, const char *path, struct ft_err *err);
enum ft_status ft_quarantine_add(struct ft_quarantine *q, const struct ft_row_pos *pos,
                                 const char *reason, struct ft_err *err);
uint64_t ft_quarantine_rows(const struct ft_quarantine *q);
enum ft_status ft_quarantine_close(struct ft_quarantine *q, struct ft_err *err); /* NULL is fine */

#endif
