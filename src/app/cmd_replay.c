/* fraudtop replay FILE...: CSV to Kafka. */
#include <inttypes.h>
#include <stdio.h>

#include "services.h"

#define STOP_MS 4000

static void show(struct ft_progress *bar, struct ft_stage *s)
{
    struct ft_counters *c = ft_stage_counters(s);
    struct ft_replay_status v;
    uint64_t rejected = ft_counted(c, FT_M_REJECTED);
    char detail[240] = "";
    int n = 0;

    ft_replay_status(s, &v);
    if (rejected)
        n = snprintf(detail, sizeof(detail), "%" PRIu64 " rejected", rejected);
    if (*v.error)
        snprintf(detail + n, sizeof(detail) - (size_t)n, "%swaiting: %s", n ? ", " : "", v.error);
    else if (v.paused)
        snprintf(detail + n, sizeof(detail) - (size_t)n, "%spaused", n ? ", " : "");
    ft_progress_show(bar, v.bytes_done, v.bytes_total, ft_counted(c, FT_M_SENT),
                     *detail ? detail : NULL);
}

static void summary(const struct ft_app *app, struct ft_stage *s, double seconds)
{
    struct ft_counters *c = ft_stage_counters(s);
    uint64_t read = ft_counted(c, FT_M_READ), sent = ft_counted(c, FT_M_SENT);
    uint64_t acked = ft_counted(c, FT_M_ACKED), rejected = ft_counted(c, FT_M_REJECTED);
    struct ft_replay_status v;

    ft_replay_status(s, &v);
    if (app->json) {
        struct ft_buf b;

        ft_buf_init(&b, 8192);
        ft_buf_fmt(&b,
                   "{\"run_id\":\"%s\",\"read\":%" PRIu64 ",\"sent\":%" PRIu64
                   ",\"acknowledged\":%" PRIu64 ",\"rejected\":%" PRIu64
                   ",\"seconds\":%.3f,\"tx_per_s\":%.1f,\"quarantine\":",
                   v.run_text, read, sent, acked, rejected, seconds,
                   seconds > 0 ? (double)sent / seconds : 0);
        if (*v.quarantine)
            ft_buf_json(&b, ft_span_of(v.quarantine));
        else
            ft_buf_text(&b, "null");
        puts(b.failed ? "{}" : (ft_buf_char(&b, '}'), b.p));
        ft_buf_fini(&b);
        return;
    }
    printf("run %s: %" PRIu64 " read, %" PRIu64 " sent, %" PRIu64 " rejected, %.1f s, %.0f tx/s\n",
           v.run_text, read, acked, rejected, seconds, seconds > 0 ? (double)acked / seconds : 0);
    if (rejected)
        printf("rejected rows: %s\n", v.quarantine);
    if (sent != acked)
        printf("%" PRIu64 " rows were not acknowledged\n", sent - acked);
    if (!v.read_all && v.resumable)
        printf("go on with: fraudtop replay --resume %s\n", v.run_text);
}

int ft_cmd_replay(struct ft_app *app)
{
    struct ft_pipeline p;
    struct ft_replay_opts ro;
    struct ft_replay_status v;
    struct ft_progress bar;
    struct ft_err err;
    int64_t start;
    uint64_t rejected;
    int status;
    bool ended;
    enum ft_status st = ft_pipeline_open(&p, app, "replay", FT_WITH_REPLAY | FT_WITH_MODEL, &err);

    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    ft_pipeline_replay_opts(&p, &ro);
    if (!ro.n_files && !ro.resume)
        st = ft_fail(&err, FT_EUSAGE, "replay wants a FILE (CSV; - is standard input)");
    if (st == FT_OK)
        st = ft_pipeline_replay(&p, &ro, &err);
    if (st == FT_OK)
        st = ft_pipeline_connect(&p, &err);
    if (st == FT_OK)
        st = ft_pipeline_start(&p, &err);
    start = ft_now_ms();
    if (st == FT_OK &&
        !app->quiet) { /* before the first row is sent: a run that is killed can be continued */
        ft_replay_status(p.replay, &v);
        fprintf(stderr, "fraudtop: run %s\n", v.run_text);
    }
    if (st == FT_OK)
        st = ft_pipeline_replay_start(&p, &err);
    if (st != FT_OK) {
        status = ft_app_fail(app, st, &err);
        ft_pipeline_close(&p);
        return status;
    }
    ft_progress_start(&bar, app, "replay");
    while (!ft_stage_ended(p.replay) && !ft_stop_signal()) {
        show(&bar, p.replay);
        ft_sleep_ms(20);
    }
    ended = ft_pipeline_stop(&p, STOP_MS);
    show(&bar, p.replay);
    ft_progress_end(&bar);
    st = ended ? ft_stage_join(p.replay, -1, &err) : FT_OK;
    summary(app, p.replay, (double)(ft_now_ms() - start) / 1000);
    fflush(stdout);
    rejected = ft_counted(ft_stage_counters(p.replay), FT_M_REJECTED);
    status = st != FT_OK ? ft_app_fail(app, st, &err) : ft_stop_exit(rejected ? 3 : 0);
    return ft_pipeline_end(&p, ended, status);
}
