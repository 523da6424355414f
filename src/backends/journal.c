#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* F_OFD_SETLK */
#endif
#include "fraudtop/journal.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fraudtop/log.h"

enum ft_status ft_journal_lock(int *fd, const char *state_dir, const struct ft_run *run,
                               struct ft_err *err)
{
    char path[FT_PATH_MAX], name[FT_RUN_TEXT + 1];
    struct flock one = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int n = snprintf(path, sizeof(path), "%s/runs/lock", state_dir);

    *fd = -1;
    if (n < 0 || (size_t)n >= sizeof(path))
        return ft_fail(err, FT_EUSAGE, "%s: the path is too long", state_dir);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    /* a byte of its own for each run; there need not be anything at it */
    one.l_start = (off_t)((run->start_ms * 0x9E3779B97F4A7C15u ^ run->hash) >> 2);
    if (fcntl(*fd, F_OFD_SETLK, &one) == 0)
        return FT_OK;
    n = errno;
    ft_journal_unlock(*fd);
    *fd = -1;
    if (n != EAGAIN && n != EACCES)
        return FT_OK; /* a file system without locks */
    ft_run_format(run, name);
    return ft_fail(err, FT_EUSAGE,
                   "run %s is being sent by another process: wait for its end, or stop it", name);
}

void ft_journal_unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}

enum ft_status ft_journal_path(char *out, size_t size, const char *state_dir,
                               const struct ft_run *run, struct ft_err *err)
{
    char name[FT_RUN_TEXT + 1];
    int n;

    snprintf(out, size, "%s/runs", state_dir);
    if (mkdir(out, 0700) != 0 && errno != EEXIST)
        return ft_fail(err, FT_EIO, "%s: %s", out, strerror(errno));
    ft_run_format(run, name);
    n = snprintf(out, size, "%s/runs/%s.json", state_dir, name);
    if (n < 0 || (size_t)n >= size)
        return ft_fail(err, FT_EUSAGE, "%s: the path is too long", state_dir);
    return FT_OK;
}

static enum ft_status write_file(const char *temp, const struct ft_buf *b, struct ft_err *err)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum ft_status st = FT_OK;

    if (fd < 0)
        return ft_fail(err, FT_EIO, "%s: %s", temp, strerror(errno));
    for (size_t at = 0; at < b->n;) {
        ssize_t n = write(fd, b->p + at, b->n - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            st = ft_fail(err, FT_EIO, "%s: %s", temp, strerror(errno));
            break;
        }
        at += (size_t)n;
    }
    if (st == FT_OK && fsync(fd) != 0)
        st = ft_fail(err, FT_EIO, "%s: %s", temp, strerror(errno));
    close(fd);
    return st;
}

/* 64-bit values are texts: JSON readers of other languages round numbers. */
enum ft_status ft_journal_write(const char *path, const struct ft_journal *j, struct ft_err *err)
{
    char run[FT_RUN_TEXT + 1], temp[FT_PATH_MAX + 8];
    struct ft_buf b;
    enum ft_status st;

    ft_run_format(&j->run, run);
    ft_buf_init(&b, 1 << 20);
    ft_buf_fmt(&b,
               "{\"version\":1,\"run\":\"%s\",\"fingerprint\":\"%016" PRIx64 "\",\"row\":%" PRIu64
               ",\"rejected\":%" PRIu64 ",\"limit\":%" PRIu64 ",\"started_ms\":%" PRId64
               ",\"updated_ms\":%" PRId64 ",\"ids\":%d,\"done\":%s,\"embedded\":%s,\"label\":",
               run, j->fingerprint, j->row, j->rejected, j->limit, j->started_ms, ft_wall_ms(),
               j->ids, j->done ? "true" : "false", j->embedded ? "true" : "false");
    ft_buf_json(&b, ft_span_of(j->label));
    ft_buf_text(&b, ",\"quarantine\":");
    ft_buf_json(&b, ft_span_of(j->quarantine));
    ft_buf_text(&b, ",\"files\":[");
    for (size_t i = 0; i < j->n_files; i++) {
        if (i)
            ft_buf_char(&b, ',');
        ft_buf_json(&b, ft_span_of(j->file[i]));
    }
    ft_buf_text(&b, "]}\n");
    if (b.failed) {
        ft_buf_fini(&b);
        return ft_fail(err, FT_ENOMEM, "%s: no memory", path);
    }
    snprintf(temp, sizeof(temp), "%s.tmp", path);
    st = write_file(temp, &b, err);
    ft_buf_fini(&b);
    if (st == FT_OK && rename(temp, path) != 0)
        st = ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    return st;
}

static uint64_t number(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) && v->valuedouble >= 0 ? (uint64_t)v->valuedouble : 0;
}

static void text(const cJSON *o, const char *name, char *out, size_t size)
{
    const char *v = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    snprintf(out, size, "%s", v ? v : "");
}

static bool fill(struct ft_journal *j, const cJSON *o)
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(o, "files"), *f;
    char run[64], print[32];

    text(o, "run", run, sizeof(run));
    text(o, "fingerprint", print, sizeof(print));
    if (number(o, "version") != 1 || !ft_run_parse(&j->run, ft_span_of(run)) || !*print)
        return false;
    j->fingerprint = strtoull(print, NULL, 16);
    j->row = number(o, "row");
    j->rejected = number(o, "rejected");
    j->limit = number(o, "limit");
    j->started_ms = (int64_t)number(o, "started_ms");
    j->updated_ms = (int64_t)number(o, "updated_ms");
    j->ids = (int)number(o, "ids");
    j->done = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "done"));
    j->embedded = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "embedded"));
    text(o, "label", j->label, sizeof(j->label));
    text(o, "quarantine", j->quarantine, sizeof(j->quarantine));
    cJSON_ArrayForEach(f, files)
    {
        const char *name = cJSON_GetStringValue(f);

        if (!name || j->n_files == FT_JOURNAL_FILES)
            return false;
        snprintf(j->file[j->n_files++], FT_PATH_MAX, "%s", name);
    }
    return true;
}

enum ft_status ft_journal_read(const char *path, struct ft_journal *j, struct ft_err *err)
{
    char *data;
    size_t n;
    cJSON *o;
    bool good;
    FILE *f = fopen(path, "rb");

    if (!f)
        return ft_fail(err, errno == ENOENT ? FT_EUSAGE : FT_EIO, "%s: %s", path, strerror(errno));
    data = malloc(1 << 20);
    if (!data) {
        fclose(f);
        return ft_fail(err, FT_ENOMEM, "%s: no memory", path);
    }
    n = fread(data, 1, 1 << 20, f);
    fclose(f);
    *j = (struct ft_journal){0};
    o = cJSON_ParseWithLength(data, n);
    good = o && fill(j, o);
    cJSON_Delete(o);
    free(data);
    return good ? FT_OK : ft_fail(err, FT_EINPUT, "%s: not a journal of a replay run", path);
}
