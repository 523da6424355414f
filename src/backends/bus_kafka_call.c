/* Calls of the client library that may never return. */
#include "bus_kafka.h"

#include <stdlib.h>

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
