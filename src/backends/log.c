#include "fraudtop/log.h"
#include "fraudtop/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RING 512
#define FILE_MAX (8 << 20) /* then the file is renamed to NAME.old and begun anew */

/* The one piece of process-wide state: descriptor 2 is process-wide as well. */
static struct {
    pthread_mutex_t lock;
    struct ft_log_line ring[RING];
    uint64_t n;
    int fd; /* -1: standard error */
    char path[1024];
    off_t size;
    _Atomic int most;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .most = FT_INFO};

static const char *const level_name[] = {"error", "warning", "info", "debug"};

static void write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return;
        p += w;
        n -= (size_t)w;
    }
}

static void rotate(void)
{
    char old[sizeof(state.path) + 8];

    snprintf(old, sizeof(old), "%s.old", state.path);
    rename(state.path, old);
    close(state.fd);
    state.fd = open(state.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    state.size = 0;
}

static void put(const struct ft_log_line *l)
{
    char text[400], stamp[32];
    time_t s = (time_t)(l->wall_ms / 1000);
    struct tm tm;
    int n;

    if (state.fd < 0) {
        n = snprintf(text, sizeof(text), "fraudtop: %s: %s%s%s\n", l->part,
                     l->level <= FT_WARN ? level_name[l->level] : "",
                     l->level <= FT_WARN ? ": " : "", l->text);
        write_all(STDERR_FILENO, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
        return;
    }
    gmtime_r(&s, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    n = snprintf(text, sizeof(text), "%s.%03dZ %-7s %-7s %s\n", stamp, (int)(l->wall_ms % 1000),
                 level_name[l->level], l->part, l->text);
    if (n >= (int)sizeof(text))
        n = (int)sizeof(text) - 1;
    if (state.size + n > FILE_MAX)
        rotate();
    write_all(state.fd, text, (size_t)n);
    state.size += n;
}

void ft_log(enum ft_level level, const char *part, const char *fmt, ...)
{
    struct ft_log_line l = {.level = level, .wall_ms = ft_wall_ms()};
    va_list args;

    if ((int)level > atomic_load_explicit(&state.most, memory_order_relaxed))
        return;
    va_start(args, fmt);
    vsnprintf(l.text, sizeof(l.text), fmt, args);
    va_end(args);
    snprintf(l.part, sizeof(l.part), "%s", part);
    for (char *p = l.text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
    pthread_mutex_lock(&state.lock);
    l.seq = state.n;
    state.ring[state.n++ % RING] = l;
    put(&l);
    pthread_mutex_unlock(&state.lock);
}

void ft_log_level(enum ft_level most)
{
    atomic_store_explicit(&state.most, (int)most, memory_order_relaxed);
}

enum ft_status ft_log_to_file(const char *path, struct ft_err *err)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || fstat(fd, &st) != 0) {
        enum ft_status bad = ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));

        if (fd >= 0)
            close(fd);
        return bad;
    }
    pthread_mutex_lock(&state.lock);
    if (state.fd >= 0)
        close(state.fd);
    state.fd = fd;
    state.size = st.st_size;
    snprintf(state.path, sizeof(state.path), "%s", path);
    pthread_mutex_unlock(&state.lock);
    return FT_OK;
}

void ft_log_to_stderr(void)
{
    pthread_mutex_lock(&state.lock);
    if (state.fd >= 0)
        close(state.fd);
    state.fd = -1;
    pthread_mutex_unlock(&state.lock);
}

size_t ft_log_recent(struct ft_log_line *out, size_t max)
{
    size_t have, from;

    pthread_mutex_lock(&state.lock);
    have = state.n < RING ? (size_t)state.n : RING;
    if (have > max)
        have = max;
    from = (size_t)state.n - have;
    for (size_t i = 0; i < have; i++)
        out[i] = state.ring[(from + i) % RING];
    pthread_mutex_unlock(&state.lock);
    return have;
}

int64_t ft_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ft_now_ms(void)
{
    return ft_now_ns() / 1000000;
}

void ft_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

bool ft_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms)
{
    struct timespec t = {deadline_ms / 1000, (long)(deadline_ms % 1000) * 1000000};

    return pthread_cond_timedwait(cond, lock, &t) == 0;
}

int64_t ft_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t ft_wall_step(int64_t *offset_ms)
{
    int64_t offset = ft_wall_ms() - ft_now_ms(), step = offset - *offset_ms;

    if (llabs(step) <= 1000)
        return 0;
    step = *offset_ms ? step : 0;
    *offset_ms = offset;
    return step;
}

void ft_sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

void ft_random(void *out, size_t n)
{
    unsigned char *p = out;

    while (n) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); /* no kernel of the last ten years does that */
        p += got;
        n -= (size_t)got;
    }
}
