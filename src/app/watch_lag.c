#include "watch_lag.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "fraudtop/log.h"

#define ASK_MS 1000   /* for an answer */
#define EVERY_MS 2000 /* between two questions */
#define WANTED_MS 10000
#define OLD_MS 15000 /* then an answer is none any more */

struct ft_watch_lag {
    struct ft_bus *bus;
    struct ft_lag_stage stage[FT_N_LAGS];
    pthread_t thread;
    atomic_bool stop;
    _Atomic int64_t wanted_ms[FT_N_LAGS], at_ms[FT_N_LAGS], lag[FT_N_LAGS];
};

static void ask(struct ft_watch_lag *l, int k)
{
    struct ft_partition_info *part = NULL;
    struct ft_bus_health health;
    size_t n = 0;
    int64_t sum = 0;

    ft_bus_health(l->bus, &health);
    if (health.known && !health.up)
        return;
    if (ft_bus_partitions(l->bus, l->stage[k].topic, l->stage[k].group, ASK_MS, &part, &n, NULL) !=
        FT_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        int64_t from = part[i].committed > part[i].low ? part[i].committed : part[i].low;

        sum += part[i].high > from ? part[i].high - from : 0;
    }
    free(part);
    l->lag[k] = sum;
    l->at_ms[k] = ft_now_ms();
}

static void *lag_main(void *arg)
{
    struct ft_watch_lag *l = arg;
    int64_t next_ms = 0;

    while (!l->stop) {
        int64_t now = ft_now_ms();

        for (int k = 0; now >= next_ms && k < FT_N_LAGS; k++)
            if (l->wanted_ms[k] && now - l->wanted_ms[k] < WANTED_MS)
                ask(l, k);
        if (now >= next_ms)
            next_ms = ft_now_ms() + EVERY_MS;
        ft_sleep_ms(100);
    }
    return NULL;
}

enum ft_status ft_watch_lag_start(struct ft_watch_lag **out, struct ft_bus *bus,
                                  const struct ft_lag_stage stage[FT_N_LAGS], struct ft_err *err)
{
    struct ft_watch_lag *l = calloc(1, sizeof(*l));

    *out = NULL;
    if (!l)
        return ft_fail(err, FT_ENOMEM, "no memory to watch the lag");
    l->bus = bus;
    for (int k = 0; k < FT_N_LAGS; k++)
        l->stage[k] = stage[k];
    if (pthread_create(&l->thread, NULL, lag_main, l) != 0) {
        free(l);
        return ft_fail(err, FT_ENOMEM, "no thread to watch the lag");
    }
    *out = l;
    return FT_OK;
}

void ft_watch_lag_stop(struct ft_watch_lag *l)
{
    if (!l)
        return;
    l->stop = true;
    pthread_join(l->thread, NULL);
    free(l);
}

int64_t ft_watch_lag_of(struct ft_watch_lag *l, int stage)
{
    int64_t now = ft_now_ms();

    l->wanted_ms[stage] = now;
    return l->at_ms[stage] && now - l->at_ms[stage] < OLD_MS ? l->lag[stage] : -1;
}
