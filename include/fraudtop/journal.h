/*
 * The journal of a replay run: one small file, runs/RUN.json in the state folder, replaced by write-to-temporary,
 * fsync, rename.  It says which rows are acknowledged, so that a killed run continues without a row lost and with the
 * same ids.
 */
#ifndef FRAUDTOP_JOURNAL_H
#define FRAUDTOP_JOURNAL_H

#include "fraudtop/uuid.h"

#define FT_JOURNAL_FILES 64

struct ft_journal {
    struct ft_run run;
    uint64_t fingerprint; /* of the files */
    uint64_t row;      /* the first row that is not acknowledged (bad rows count as acknowledged) */
    uint64_t rejected; /* bad rows before it */
    uint64_t limit;
    int64_t started_ms, updated_ms; /* wall clock */
    int ids;
    bool done;     /* every row is acknowledged */
    bool embedded; /* sent into a loopback: it continues from row 0 */
    char label[128], quarantine[FT_PATH_MAX];
    size_t n_files;
    char file[FT_JOURNAL_FILES][FT_PATH_MAX]; /* absolute */
};

/* Takes the run for this process, until ft_journal_unlock or its end: FT_EUSAGE when another one on this machine is sending it.
 * One file, runs/lock, serves all runs. */
enum ft_status ft_journal_lock(int *fd, const char *state_dir, const struct ft_run *run,
                               struct ft_err *err);
void ft_journal_unlock(int fd); /* -1: nothing was taken */
/* runs/RUN.json below state_dir; makes the folder. */
enum ft_status ft_journal_path(char *out, size_t size, const char *state_dir,
                               const struct ft_run *run, struct ft_err *err);
/* FT_EIO: full disk, no permission; the old file stays. */
enum ft_status ft_journal_write(const char *path, const struct ft_journal *j, struct ft_err *err);
/* FT_EUSAGE: there is none; FT_EINPUT: it is damaged. */
enum ft_status ft_journal_read(const char *path, struct ft_journal *j, struct ft_err *err);

/*
 * A thread that writes the journal of a running replay: the disk's fsync, tens of milliseconds on a busy one, would hold up the
 * rows that are due meanwhile.  One thread puts; what is put while a write runs replaces what waited.
 */
struct ft_keeper;
enum ft_status ft_keeper_start(struct ft_keeper **out, const char *path,
                               struct ft_err *err); /* path outlives it */
/* Never waits for the disk; the status is that of the writes before. */
enum ft_status ft_keeper_put(struct ft_keeper *k, const struct ft_journal *j, struct ft_err *err);
/* Writes what waits, and frees; NULL is fine. */
enum ft_status ft_keeper_stop(struct ft_keeper *k, struct ft_err *err);

#endif
