/*
 * Transactions from CSV files: plain, gzip, zstd, standard input ("-"), several after each other.
 *
 * Opens the files, reads the header, checks it, and gives row after row as struct ft_txn or as a bad row with
 * its reason.  Rows are numbered over all files from 0, bad ones included.  Streams: memory does not grow.
 */
#ifndef FRAUDTOP_ROWS_H
#define FRAUDTOP_ROWS_H

#include "fraudtop/csv.h"
#include "fraudtop/txn.h"

struct ft_rows;

struct ft_rows_opts {
    const char *label;       /* name of the label column, or NULL */
    const char *const *need; /* columns that must be there (what the model needs) */
    size_t n_need;
    bool check;         /* ft_txn_check every row; false for models on other data */
    uint64_t start_row; /* continue here: the rows before it are passed over */
    uint64_t limit;     /* rows at the most, bad ones included; 0: all */
};

struct ft_row_pos {
    const char *file;
    uint64_t row;        /* over all files */
    uint64_t line;       /* in this file */
    uint64_t bytes_done; /* of the packed files, for progress */
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
/* Names of the columns of the first file in its order, the label included. */
size_t ft_rows_header(const struct ft_rows *r, const struct ft_span **names);
/* What a run is known by: size of the files, their first and last 64 KiB; for the run's identity and for
 * noticing that a file changed before a resume.  0 for a pipe. */
uint64_t ft_rows_fingerprint(const struct ft_rows *r);

/* ---- quarantine ----------------------------------------------------------------------------------- */

/* CSV file "line,reason,text" (mode 0600), appended to; made when the first bad row comes. */
struct ft_quarantine;
enum ft_status ft_quarantine_open(struct ft_quarantine **out, const char *path, struct ft_err *err);
enum ft_status ft_quarantine_add(struct ft_quarantine *q, const struct ft_row_pos *pos,
                                 const char *reason, struct ft_err *err);
uint64_t ft_quarantine_rows(const struct ft_quarantine *q);
enum ft_status ft_quarantine_close(struct ft_quarantine *q, struct ft_err *err); /* NULL is fine */

#endif
