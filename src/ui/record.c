#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fraudtop/buf.h"

#define FRAME_MAX (4 << 20)

struct ft_record {
    FILE *file;
    int64_t first_ms, at_ms;
    bool begun;
    struct ft_buf frame; /* bytes of one point in time */
    int cols, rows;
};

enum ft_status ft_record_open(struct ft_record **out, const char *path, struct ft_err *err)
{
    struct ft_record *r = calloc(1, sizeof(*r));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *out = NULL;
    if (fd < 0 || !r) {
        free(r);
        return ft_fail(err, FT_EUSAGE, "--record %s: %s", path, strerror(errno));
    }
    r->file = fdopen(fd, "w");
    r->first_ms = -1;
    ft_buf_init(&r->frame, FRAME_MAX);
    *out = r;
    return FT_OK;
}

void ft_record_begin(struct ft_record *r, int cols, int rows)
{
    r->cols = cols;
    r->rows = rows;
    fprintf(r->file, "{\"version\": 2, \"width\": %d, \"height\": %d, \"title\": \"fraudtop\"}\n",
            cols, rows);
    r->begun = true;
}

static void write_frame(struct ft_record *r)
{
    struct ft_buf line;

    if (r->frame.n == 0 || !r->begun)
        return;
    ft_buf_init(&line, 8 * FRAME_MAX);
    ft_buf_json(&line, (struct ft_span){r->frame.p, r->frame.n});
    if (!line.failed)
        fprintf(r->file, "[%.3f, \"o\", %s]\n", (double)(r->at_ms - r->first_ms) / 1000, line.p);
    fflush(r->file);
    ft_buf_fini(&line);
    ft_buf_clear(&r->frame);
}

void ft_record_time(struct ft_record *r, int64_t now_ms)
{
    if (r->first_ms < 0)
        r->first_ms = r->at_ms = now_ms;
    write_frame(r);
    if (now_ms > r->at_ms)
        r->at_ms = now_ms;
}

void ft_record_bytes(void *self, const char *bytes, size_t n)
{
    struct ft_record *r = self;

    ft_buf_add(&r->frame, bytes, n);
}

void ft_record_close(struct ft_record *r)
{
    write_frame(r);
    fclose(r->file);
    ft_buf_fini(&r->frame);
    free(r);
}
