#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fraudtop/rows.h"

#define MAX_RECORD (4u << 20) /* the longest row with every byte a quote, and its reason */

struct ft_quarantine {
    char *path;
    int fd; /* -1: no bad row came yet */
    uint64_t rows;
    struct ft_buf line;
};

enum ft_status ft_quarantine_open(struct ft_quarantine **out, const char *path, struct ft_err *err)
{
    struct ft_quarantine *q = calloc(1, sizeof(*q));

    *out = NULL;
    if (!q || !(q->path = strdup(path))) {
        free(q);
        return ft_fail(err, FT_ENOMEM, "%s: no memory", path);
    }
    q->fd = -1;
    ft_buf_init(&q->line, MAX_RECORD);
    *out = q;
    return FT_OK;
}

static enum ft_status write_all(struct ft_quarantine *q, struct ft_err *err)
{
    size_t done = 0;

    while (done < q->line.n) {
        ssize_t n = write(q->fd, q->line.p + done, q->line.n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ft_fail(err, FT_EIO, "%s: a bad row cannot be written: %s", q->path,
                           strerror(errno));
        done += (size_t)n;
    }
    return FT_OK;
}

static enum ft_status make_file(struct ft_quarantine *q, struct ft_err *err)
{
    struct stat s;

    if (strcmp(q->path, "-") == 0)
        q->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    else
        q->fd = open(q->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (q->fd < 0 || fstat(q->fd, &s) < 0)
        return ft_fail(err, FT_EIO, "%s: cannot be opened for bad rows: %s", q->path,
                       strerror(errno));
    if (s.st_size == 0)
        ft_buf_text(&q->line, "line,reason,text\n");
    return FT_OK;
}

/* A field of CSV, always in quotes, its bytes as they stand. */
static void add_field(struct ft_buf *b, const char *p, size_t n)
{
    size_t from = 0;

    ft_buf_char(b, '"');
    for (size_t i = 0; i < n; i++)
        if (p[i] == '"') {
            ft_buf_add(b, p + from, i + 1 - from);
            from = i; /* the quote once more */
        }
    ft_buf_add(b, p + from, n - from);
    ft_buf_char(b, '"');
}

enum ft_status ft_quarantine_add(struct ft_quarantine *q, const struct ft_row_pos *pos,
                                 const char *reason, struct ft_err *err)
{
    char why[1024];
    size_t n;
    enum ft_status st = FT_OK;

    ft_buf_clear(&q->line);
    if (q->fd < 0)
        st = make_file(q, err);
    if (st != FT_OK)
        return st;
    if (pos->n_files > 1)
        snprintf(why, sizeof(why), "%s: %s", pos->file, reason);
    else
        snprintf(why, sizeof(why), "%s", reason);
    n = strlen(why);
    ft_buf_u64(&q->line, pos->line);
    ft_buf_char(&q->line, ',');
    add_field(&q->line, why, n);
    ft_buf_char(&q->line, ',');
    add_field(&q->line, pos->text.p, pos->text.n);
    ft_buf_char(&q->line, '\n');
    if (q->line.failed)
        return ft_fail(err, FT_ENOMEM, "%s: no memory for a bad row", q->path);
    st = write_all(q, err);
    q->rows += st == FT_OK;
    return st;
}

uint64_t ft_quarantine_rows(const struct ft_quarantine *q)
{
    return q ? q->rows : 0;
}

enum ft_status ft_quarantine_close(struct ft_quarantine *q, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    if (!q)
        return FT_OK;
    if (q->fd >= 0 && close(q->fd) < 0 && errno != EINTR)
        st = ft_fail(err, FT_EIO, "%s: %s", q->path, strerror(errno));
    ft_buf_fini(&q->line);
    free(q->path);
    free(q);
    return st;
}
