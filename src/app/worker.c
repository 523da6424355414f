#include "worker.h"

#include <inttypes.h>
#include <stdio.h>

#define STOP_MS 4000
#define LINE_MS 60000

struct figures {
    uint64_t in, out, flagged, dead, repeated;
    int64_t lag;
};

static struct figures look(const struct ft_pipeline *p)
{
    bool sink = p->n_sink > 0;
    struct figures f = {
        .in = ft_pipeline_counted(p, sink ? FT_M_SINK_RECEIVED : FT_M_RECEIVED),
        .out = ft_pipeline_counted(p, sink ? FT_M_STORED : FT_M_SCORED),
        .flagged = ft_pipeline_counted(p, FT_M_FLAGGED),
        .dead = ft_pipeline_counted(p, sink ? FT_M_SINK_DEAD : FT_M_DEAD),
        .repeated = ft_pipeline_counted(p, sink ? FT_M_SINK_REPEATED : FT_M_REPEATED),
        .lag = ft_pipeline_lag(p),
    };

    return f;
}

/* A line a minute while something happens: what an operator finds in the journal. */
static void say(const struct ft_pipeline *p, struct figures *before, int64_t *next_ms)
{
    struct figures f;
    int64_t now = ft_now_ms();

    if (now < *next_ms)
        return;
    *next_ms = now + LINE_MS;
    f = look(p);
    if (f.in != before->in)
        ft_log(FT_INFO, p->role,
               "%" PRIu64 " %s (%.0f/s), %" PRIu64 " repeated, %" PRIu64
               " dead letters, lag %" PRId64,
               f.out, p->n_sink ? "stored" : "scored",
               (double)(f.out - before->out) / (LINE_MS / 1000.0), f.repeated, f.dead, f.lag);
    *before = f;
}

static void summary(const struct ft_pipeline *p, double seconds)
{
    struct figures f = look(p);
    const char *done = p->n_sink ? "stored" : "scored";
    char flagged[40] = ""; /* a sink does not count them */

    if (!p->n_sink)
        snprintf(flagged, sizeof(flagged), ",\"flagged\":%" PRIu64, f.flagged);

    if (p->app->json)
        printf("{\"received\":%" PRIu64 ",\"%s\":%" PRIu64 "%s,\"repeated\":%" PRIu64
               ",\"dead_lettered\":%" PRIu64 ",\"seconds\":%.3f}\n",
               f.in, done, f.out, flagged, f.repeated, f.dead, seconds);
    else
        printf("%" PRIu64 " received, %" PRIu64 " %s, %" PRIu64 " repeated, %" PRIu64
               " dead letters, %.1f s\n",
               f.in, f.out, done, f.repeated, f.dead, seconds);
    fflush(stdout);
}

int ft_worker(struct ft_app *app, const char *role, int parts)
{
    struct ft_pipeline p;
    struct ft_err err;
    struct figures before = {0};
    int64_t start = ft_now_ms(), next = start + LINE_MS;
    uint64_t dead;
    int status;
    bool ended;
    enum ft_status st = ft_pipeline_open(&p, app, role, parts, &err);

    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    st = ft_pipeline_connect(&p, &err);
    if (st == FT_OK)
        st = ft_pipeline_start(&p, &err);
    if (st != FT_OK) {
        status = ft_app_fail(app, st, &err);
        ft_pipeline_close(&p);
        return st == FT_ESTOPPED ? ft_stop_exit(0) : status;
    }
    while (!ft_stop_signal()) {
        st = ft_pipeline_failed(&p, &err);
        if (st != FT_OK)
            break;
        say(&p, &before, &next);
        ft_sleep_ms(20);
    }
    ended = ft_pipeline_stop(&p, STOP_MS);
    summary(&p, (double)(ft_now_ms() - start) / 1000);
    dead = look(&p).dead;
    status = st != FT_OK ? ft_app_fail(app, st, &err) : ft_stop_exit(dead ? 3 : 0);
    if (!ended)
        ft_log(FT_WARN, role, "not everything could be finished in time; it is done again later");
    return ft_pipeline_end(&p, ended, status);
}
