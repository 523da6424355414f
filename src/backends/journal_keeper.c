#include <pthread.h>
#include <stdlib.h>

#include "fraudtop/journal.h"

struct ft_keeper {
    const char *path;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct ft_journal next; /* to be written when has_next */
    bool has_next, stop;
    struct ft_err err; /* of the first write that failed */
    enum ft_status st;
};

static void *keeper_main(void *arg)
{
    struct ft_keeper *k = arg;
    struct ft_journal *j = malloc(sizeof(*j)); /* too large for a thread's stack */

    pthread_mutex_lock(&k->lock);
    if (!j)
        k->st = ft_fail(&k->err, FT_ENOMEM, "%s: no memory", k->path);
    while (j && (k->has_next || !k->stop)) {
        struct ft_err err;
        enum ft_status st;

        if (!k->has_next) {
            pthread_cond_wait(&k->news, &k->lock);
            continue;
        }
        *j = k->next;
        k->has_next = false;
        pthread_mutex_unlock(&k->lock);
        st = ft_journal_write(k->path, j, &err);
        pthread_mutex_lock(&k->lock);
        if (st != FT_OK && k->st == FT_OK) {
            k->st = st;
            k->err = err;
        }
    }
    pthread_mutex_unlock(&k->lock);
    free(j);
    return NULL;
}

enum ft_status ft_keeper_start(struct ft_keeper **out, const char *path, struct ft_err *err)
{
    struct ft_keeper *k = calloc(1, sizeof(*k));

    *out = NULL;
    if (!k)
        return ft_fail(err, FT_ENOMEM, "no memory for the journal");
    k->path = path;
    k->st = FT_OK;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->news, NULL);
    if (pthread_create(&k->thread, NULL, keeper_main, k) != 0) {
        pthread_cond_destroy(&k->news);
        pthread_mutex_destroy(&k->lock);
        free(k);
        return ft_fail(err, FT_ENOMEM, "no thread for the journal");
    }
    *out = k;
    return FT_OK;
}

enum ft_status ft_keeper_put(struct ft_keeper *k, const struct ft_journal *j, struct ft_err *err)
{
    enum ft_status st;

    pthread_mutex_lock(&k->lock);
    k->next = *j;
    k->has_next = true;
    st = k->st;
    if (st != FT_OK)
        *err = k->err;
    pthread_cond_signal(&k->news);
    pthread_mutex_unlock(&k->lock);
    return st;
}

enum ft_status ft_keeper_stop(struct ft_keeper *k, struct ft_err *err)
{
    enum ft_status st;

    if (!k)
        return FT_OK;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->news);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    st = k->st;
    if (st != FT_OK)
        *err = k->err;
    pthread_cond_destroy(&k->news);
    pthread_mutex_destroy(&k->lock);
    free(k);
    return st;
}
