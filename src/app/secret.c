/* key.secret: what the customers' keys are made with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fraudtop/log.h"
#include "fraudtop/pipeline.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool parse(uint8_t out[16], const char *text, size_t n)
{
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
        n--;
    if (n != 32)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int hi = hex_digit(text[2 * i]), lo = hex_digit(text[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

/* Written beside its place and linked there: two processes that start together agree on the first one's. */
static enum ft_status make(const char *path, struct ft_err *err)
{
    char temp[600], text[34];
    uint8_t random[16];
    enum ft_status st = FT_OK;
    int fd;

    ft_random(random, sizeof(random));
    for (size_t i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", random[i]);
    text[32] = '\n';
    snprintf(temp, sizeof(temp), "%s.%ld.tmp", path, (long)getpid());
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ft_fail(err, FT_EIO, "%s: %s", temp, strerror(errno));
    if (write(fd, text, 33) != 33 || fsync(fd) != 0)
        st = ft_fail(err, FT_EIO, "%s: %s", temp, strerror(errno));
    close(fd);
    if (st == FT_OK && link(temp, path) != 0 && errno != EEXIST)
        st = ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    unlink(temp);
    return st;
}

enum ft_status ft_secret_load(uint8_t out[16], const char *path, const char *state_dir,
                              struct ft_err *err)
{
    char own[512], text[80];
    struct stat st;
    bool given = path != NULL;
    enum ft_status status;
    ssize_t n;
    int fd;

    if (!given) {
        snprintf(own, sizeof(own), "%s/key.secret", state_dir);
        path = own;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !given) {
        status = make(path, err);
        if (status != FT_OK)
            return status;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return ft_fail(err, given ? FT_EUSAGE : FT_EIO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && (st.st_mode & 077))
        ft_log(FT_WARN, "key", "%s can be read by others: chmod 600 it", path);
    n = read(fd, text, sizeof(text));
    close(fd);
    if (n < 0 || !parse(out, text, (size_t)n))
        return ft_fail(err, FT_EUSAGE, "%s: not a secret: 32 hexadecimal digits are wanted", path);
    return FT_OK;
}

void ft_secret_print(const uint8_t secret[16], char out[9])
{
    static const char tag[] = "fraudtop key.secret";
    struct ft_txn t = {0};
    uint8_t key[FT_KEY_BYTES];

    for (int c = 0; c < FT_N_COLS; c++)
        t.col[c] = (struct ft_cell){tag, sizeof(tag) - 1, FT_CELL_TEXT};
    if (!ft_txn_key(&t, secret, key))
        memset(key, 0, sizeof(key));
    for (size_t i = 0; i < 4; i++)
        snprintf(out + 2 * i, 3, "%02x", key[i]);
}
