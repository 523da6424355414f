#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "fraudtop/siphash.h"

#define CHUNK (128u << 10)

enum packing { PLAIN, GZIP, ZSTD };

struct ft_input {
    char *path;
    int fd, stop_fd;
    bool regular;
    uint64_t size;  /* at open */
    uint64_t taken; /* bytes read from fd */
    enum packing packing;
    bool eof;     /* of fd */
    bool between; /* packed: at the border of members or frames, where the file may end */
    unsigned char *chunk;
    size_t at, n; /* unused part of chunk */
    z_stream zlib;
    ZSTD_DStream *zstd;
};

/* ---- bytes of the file itself --------------------------------------------------------------------- */

/* Waits until a pipe has something or a stop is wanted. */
static enum ft_status wait_for_input(const struct ft_input *in, struct ft_err *err)
{
    struct pollfd fds[2] = {
        {.fd = in->fd,      .events = POLLIN},
        {.fd = in->stop_fd, .events = POLLIN}
    };

    if (in->regular || in->stop_fd <= 0)
        return FT_OK;
    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return ft_fail(err, FT_EIO, "%s: %s", in->path, strerror(errno));
    return fds[1].revents ? ft_fail(err, FT_ESTOPPED, "%s: stopped", in->path) : FT_OK;
}

static enum ft_status read_file(struct ft_input *in, void *p, size_t size, size_t *n,
                                struct ft_err *err)
{
    enum ft_status st = wait_for_input(in, err);
    ssize_t got;

    *n = 0;
    if (st != FT_OK)
        return st;
    do
        got = read(in->fd, p, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ft_fail(err, FT_EIO, "%s: cannot be read: %s", in->path, strerror(errno));
    *n = (size_t)got;
    in->taken += *n;
    if (got > 0)
        return FT_OK;
    in->eof = true;
    if (in->regular && in->taken < in->size)
        return ft_fail(err, FT_EIO, "%s: became shorter while it was read (%llu of %llu bytes)",
                       in->path, (unsigned long long)in->taken, (unsigned long long)in->size);
    return FT_OK;
}

/* Fills an empty chunk. */
static enum ft_status more(struct ft_input *in, struct ft_err *err)
{
    if (in->at < in->n || in->eof)
        return FT_OK;
    in->at = 0;
    return read_file(in, in->chunk, CHUNK, &in->n, err);
}

/* ---- packings ------------------------------------------------------------------------------------- */

static bool starts_with(const struct ft_input *in, const char *magic, size_t n)
{
    return in->n - in->at >= n && memcmp(in->chunk + in->at, magic, n) == 0;
}

static enum ft_status start_packing(struct ft_input *in, struct ft_err *err)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *what;
    } refused[] = {
        {"\xFD"
         "7zXZ",   5,  "an xz file: unpack it first, or pack it with gzip or zstd"  },
        {"BZh",             3,  "a bzip2 file: unpack it first, or pack it with gzip or zstd"},
        {"PK\3\4",          4,  "a zip archive: unpack it first"                             },
        {"\xFF\xFE",        2,  "UTF-16: UTF-8 is needed (iconv -f UTF-16 -t UTF-8)"         },
        {"\xFE\xFF",        2,  "UTF-16: UTF-8 is needed (iconv -f UTF-16 -t UTF-8)"         },
        {"SQLite format 3", 15, "a database, not CSV"                                        },
        {"PAR1",            4,  "a Parquet file, not CSV"                                    },
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (starts_with(in, refused[i].magic, refused[i].n))
            return ft_fail(err, FT_EINPUT, "%s: is %s", in->path, refused[i].what);
    if (starts_with(in, "\x1F\x8B", 2)) {
        in->packing = GZIP;
        if (inflateInit2(&in->zlib, 15 + 16) != Z_OK)
            return ft_fail(err, FT_ENOMEM, "%s: no memory to unpack it", in->path);
    } else if (starts_with(in, "\x28\xB5\x2F\xFD", 4) ||
               (in->n >= 4 && (in->chunk[0] & 0xF0) == 0x50 && /* a frame to skip */
                memcmp(in->chunk + 1, "\x2A\x4D\x18", 3) == 0)) {
        in->packing = ZSTD;
        in->zstd = ZSTD_createDStream();
        if (!in->zstd)
            return ft_fail(err, FT_ENOMEM, "%s: no memory to unpack it", in->path);
    }
    return FT_OK;
}

static enum ft_status damaged(const struct ft_input *in, const char *why, struct ft_err *err)
{
    return ft_fail(err, FT_EIO, "%s: damaged %s data near byte %llu: %s", in->path,
                   in->packing == GZIP ? "gzip" : "zstd", (unsigned long long)ft_input_done(in),
                   why);
}

/* Between two gzip members there may be another one, padding of zeros, or the end. */
static enum ft_status next_member(struct ft_input *in, struct ft_err *err)
{
    while (in->at < in->n && in->chunk[in->at] == 0)
        in->at++;
    if (in->at == in->n)
        return FT_OK;
    if (in->chunk[in->at] != 0x1F)
        return damaged(in, "something else follows its end", err);
    inflateReset(&in->zlib);
    in->between = false;
    return FT_OK;
}

static enum ft_status read_gzip(struct ft_input *in, char *p, size_t size, size_t *n,
                                struct ft_err *err)
{
    for (;;) {
        enum ft_status st = more(in, err);
        int z;

        if (st == FT_OK && in->between)
            st = next_member(in, err);
        if (st != FT_OK)
            return st;
        if (in->between && !in->eof)
            continue;
        if (in->at == in->n)
            return in->between ? FT_OK : damaged(in, "it ends too early", err);
        in->zlib.next_in = in->chunk + in->at;
        in->zlib.avail_in = (uInt)(in->n - in->at);
        in->zlib.next_out = (unsigned char *)p;
        in->zlib.avail_out = (uInt)size;
        z = inflate(&in->zlib, Z_NO_FLUSH);
        in->at = in->n - in->zlib.avail_in;
        *n = size - in->zlib.avail_out;
        if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
            return damaged(in, in->zlib.msg ? in->zlib.msg : "it cannot be unpacked", err);
        in->between = z == Z_STREAM_END;
        if (*n)
            return FT_OK;
    }
}

static enum ft_status read_zstd(struct ft_input *in, char *p, size_t size, size_t *n,
                                struct ft_err *err)
{
    for (;;) {
        ZSTD_outBuffer out = {p, size, 0};
        ZSTD_inBuffer from;
        enum ft_status st = more(in, err);
        size_t hint;

        if (st != FT_OK)
            return st;
        from = (ZSTD_inBuffer){in->chunk, in->n, in->at};
        if (in->at == in->n && in->between)
            return FT_OK;
        hint = ZSTD_decompressStream(in->zstd, &out, &from);
        if (ZSTD_isError(hint))
            return damaged(in, ZSTD_getErrorName(hint), err);
        in->at = from.pos;
        in->between = hint == 0;
        *n = out.pos;
        if (*n)
            return FT_OK;
        if (in->eof && in->at == in->n && !in->between)
            return damaged(in, "it ends too early", err);
    }
}

static enum ft_status read_plain(struct ft_input *in, char *p, size_t size, size_t *n,
                                 struct ft_err *err)
{
    if (in->at == in->n)
        return in->eof ? FT_OK : read_file(in, p, size, n, err);
    *n = in->n - in->at < size ? in->n - in->at : size;
    memcpy(p, in->chunk + in->at, *n);
    in->at += *n;
    return FT_OK;
}

enum ft_status ft_input_read(struct ft_input *in, char *p, size_t size, size_t *n,
                             struct ft_err *err)
{
    *n = 0;
    switch (in->packing) {
    case GZIP:
        return read_gzip(in, p, size, n, err);
    case ZSTD:
        return read_zstd(in, p, size, n, err);
    default:
        return read_plain(in, p, size, n, err);
    }
}

/* ---- open and close ------------------------------------------------------------------------------- */

static enum ft_status open_file(struct ft_input *in, struct ft_err *err)
{
    struct stat s;

    if (strcmp(in->path, "-") == 0)
        in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    else
        in->fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (in->fd < 0 || fstat(in->fd, &s) < 0)
        return ft_fail(err, FT_EINPUT, "%s: cannot be opened: %s", in->path, strerror(errno));
    if (S_ISDIR(s.st_mode))
        return ft_fail(err, FT_EINPUT, "%s: is a directory: name the files in it", in->path);
    in->regular = S_ISREG(s.st_mode) && strcmp(in->path, "-") != 0;
    in->size = S_ISREG(s.st_mode) && s.st_size > 0 ? (uint64_t)s.st_size : 0;
    return FT_OK;
}

/* The first bytes, enough to tell what the file is. */
static enum ft_status read_first(struct ft_input *in, struct ft_err *err)
{
    while (in->n < 16 && !in->eof) {
        size_t n;
        enum ft_status st = read_file(in, in->chunk + in->n, CHUNK - in->n, &n, err);

        if (st != FT_OK)
            return st;
        in->n += n;
        /* A line that somebody types should not wait for the next one. */
        if (in->n >= 4 && memchr(in->chunk, '\n', in->n))
            break;
    }
    return FT_OK;
}

enum ft_status ft_input_open(struct ft_input **out, const char *path, int stop_fd,
                             struct ft_err *err)
{
    struct ft_input *in = calloc(1, sizeof(*in));
    enum ft_status st;

    *out = NULL;
    if (!in)
        return ft_fail(err, FT_ENOMEM, "%s: no memory", path);
    in->fd = -1;
    in->stop_fd = stop_fd;
    in->path = strdup(path);
    in->chunk = malloc(CHUNK);
    if (!in->path || !in->chunk)
        st = ft_fail(err, FT_ENOMEM, "%s: no memory", path);
    else
        st = open_file(in, err);
    if (st == FT_OK)
        st = read_first(in, err);
    if (st == FT_OK)
        st = start_packing(in, err);
    if (st != FT_OK) {
        ft_input_close(in);
        return st;
    }
    *out = in;
    return FT_OK;
}

void ft_input_close(struct ft_input *in)
{
    if (!in)
        return;
    if (in->packing == GZIP)
        inflateEnd(&in->zlib);
    ZSTD_freeDStream(in->zstd);
    if (in->fd >= 0)
        close(in->fd);
    free(in->chunk);
    free(in->path);
    free(in);
}

bool ft_input_is_regular(const struct ft_input *in)
{
    return in->regular;
}

uint64_t ft_input_size(const struct ft_input *in)
{
    return in->size;
}

uint64_t ft_input_done(const struct ft_input *in)
{
    return in->taken - (in->n - in->at);
}

uint64_t ft_input_fingerprint(const struct ft_input *in)
{
    static const uint8_t key[16] = "fraudtop file id";
    const size_t part = 64u << 10;
    struct ft_siphash h;
    uint8_t hash[16];
    uint64_t value = 0;
    unsigned char *p;
    off_t from[2] = {0, in->size > part ? (off_t)(in->size - part) : 0};

    if (!in->regular || !(p = malloc(part)))
        return 0;
    ft_siphash_init(&h, key);
    ft_siphash_add(&h, &in->size, sizeof(in->size));
    for (int i = 0; i < 2; i++) {
        ssize_t n = pread(in->fd, p, part, from[i]);

        ft_siphash_add(&h, p, n > 0 ? (size_t)n : 0);
    }
    free(p);
    ft_siphash_end(&h, hash);
    memcpy(&value, hash, sizeof(value));
    return value ? value : 1;
}
