/*
 * Errors: every function that can fail returns an enum ft_status and writes one line of text, without
 * a final newline, to the caller's struct ft_err.  There are no globals and no "last error".
 *
 * The text says what was being done to what, and how to mend it where that is known:
 *     day.csv:812: amount: "12,5" is not a number (use a point)
 */
#ifndef FRAUDTOP_STATUS_H
#define FRAUDTOP_STATUS_H

#include <stdbool.h>

#if defined(__GNUC__)
#define FT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define FT_NODISCARD __attribute__((warn_unused_result))
#else
#define FT_PRINTF(fmt, args)
#define FT_NODISCARD
#endif

#define FT_PATH_MAX 1024 /* room for the name of a file */

enum ft_status {
    FT_OK,           /* done */
    FT_END,          /* nothing more will come (end of input) */
    FT_AGAIN,        /* not now: time-out, full queue, would block; a retry can help */
    FT_EINPUT,       /* the input is bad: file, row, message, model; a retry cannot help */
    FT_EUSAGE,       /* wrong usage or configuration, refused credentials, no such database */
    FT_ENOMEM,       /* no memory */
    FT_EIO,          /* the system failed: disk full, no permission, broken pipe */
    FT_EUNREACHABLE, /* a service does not answer; a retry can help */
    FT_ECONFLICT,    /* somebody else was first (case decisions); look again, then decide */
    FT_EFENCED,      /* another instance owns this partition or transactional id now */
    FT_EFATAL,       /* the handle is beyond repair: drop it and make a new one */
    FT_ESTOPPED      /* the stop flag was raised meanwhile */
};

struct ft_err {
    char text[1024];
};

/* Writes the text (cut to fit) and returns st, so that one can write: return ft_fail(err, ...).
 * err may be NULL: then only the status is returned. */
enum ft_status ft_fail(struct ft_err *err, enum ft_status st, const char *fmt, ...) FT_PRINTF(3, 4);

/* Puts "prefix: " before the text that err holds already; cut to fit. */
void ft_err_prefix(struct ft_err *err, const char *fmt, ...) FT_PRINTF(2, 3);

/* A retry of the same call, later, can help. */
bool ft_status_retriable(enum ft_status st);

/* Exit status for a command that ends with st (product contract): 0, 1 failed, 2 usage, 4 unreachable. */
int ft_status_exit(enum ft_status st);

/* "unreachable" and so on: for logs and the "code" member of JSON errors. */
const char *ft_status_name(enum ft_status st);

#endif
