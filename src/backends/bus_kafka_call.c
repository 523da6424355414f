/* Calls of the client library that may never return, and its waits. */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "bus_kafka.h"

#include <errno.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#include "fraudtop/log.h"
#include "fraudtop/wait.h"

struct kb_caller {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news; /* of both sides */
    kb_call_fn *fn;      /* what is to be called; NULL: nothing, or it has returned */
    void *arg;
    int timeout_ms;
    bool stop;
    rd_kafka_error_t *e;
};

static void *caller_main(void *arg)
{
    struct kb_caller *k = arg;

    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        if (!k->fn) {
            pthread_cond_wait(&k->news, &k->lock);
            continue;
        }
        pthread_mutex_unlock(&k->lock);
        k->e = k->fn(k->arg, k->timeout_ms);
        pthread_mutex_lock(&k->lock);
        k->fn = NULL;
        pthread_cond_broadcast(&k->news);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

struct kb_caller *kb_caller_new(void)
{
    struct kb_caller *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    pthread_mutex_init(&k->lock, NULL);
    ft_cond_init(&k->news);
    if (pthread_create(&k->thread, NULL, caller_main, k) == 0)
        return k;
    pthread_cond_destroy(&k->news);
    pthread_mutex_destroy(&k->lock);
    free(k);
    return NULL;
}

void kb_caller_free(struct kb_caller *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_broadcast(&k->news);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->news);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

bool kb_call(struct kb_caller *k, kb_call_fn *fn, void *arg, int timeout_ms, rd_kafka_error_t **e)
{
    int64_t deadline = ft_now_ms() + 3 * (int64_t)timeout_ms + 5000;
    bool returned;

    pthread_mutex_lock(&k->lock);
    k->fn = fn;
    k->arg = arg;
    k->timeout_ms = timeout_ms;
    pthread_cond_broadcast(&k->news);
    while (k->fn && ft_cond_wait(&k->news, &k->lock, deadline))
        ;
    returned = !k->fn;
    if (returned)
        *e = k->e;
    pthread_mutex_unlock(&k->lock);
    return returned;
}

/*
 * Two functions in the place of the C library's, of which nothing in this program makes use but the client.  It waits, for a
 * second, say, until a time of the wall clock; when that is set back by an hour meanwhile the wait lasts an hour longer, no
 * heartbeat is sent, and a member falls out of its group.  So the time that it asks for is the steady clock's, and waits go
 * by that.  It makes the ends of some waits of gettimeofday, just before them: those are near the wall clock's time.
 */
int timespec_get(struct timespec *t, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_MONOTONIC, t) == 0 ? base : 0;
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict lock, const struct timespec *restrict until)
{
    struct timespec wall, now, t = *until;
    int r;

    _Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "as the C library has them: the same");
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (labs(t.tv_sec - wall.tv_sec) < labs(t.tv_sec - now.tv_sec)) {
        int64_t ns = now.tv_nsec + t.tv_nsec - wall.tv_nsec + 1000000000;

        t.tv_sec += now.tv_sec - wall.tv_sec + ns / 1000000000 - 1;
        t.tv_nsec = ns % 1000000000;
    }
    if (t.tv_sec < 0) /* no time at all for the C library */
        return thrd_timedout;
    r = pthread_cond_clockwait((pthread_cond_t *)cond, (pthread_mutex_t *)lock, CLOCK_MONOTONIC,
                               &t);
    return r == 0 ? thrd_success : r == ETIMEDOUT ? thrd_timedout : thrd_error;
}
