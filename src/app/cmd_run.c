/*
 * fraudtop run FILE...: replay, score and sink in one process.  It ends when everything that it sent is in the database
 * or among the dead letters, whoever scored and stored it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "dead.h"
#include "services.h"

#define STOP_MS 4000
#define READY_MS 8000

struct run {
    struct ft_app *app;
    struct ft_pipeline p;
    struct ft_replay_status v;
    struct ft_store *reader;
    struct ft_dead *dead;
    struct ft_run_count count;
    uint64_t dead_scorer, dead_sink;
    uint64_t stored_before; /* rows of this run that an earlier process stored */
    int64_t start_ms, end_ms, next_count_ms, drained_ms;
    bool complete;
};

/* ---- is it done? ----------------------------------------------------------------------------------- */

static bool count_stored(struct run *r)
{
    int64_t before = ft_now_ms();
    struct ft_err err;
    enum ft_status st;

    if (!r->reader)
        st = ft_store_open(&r->reader, r->p.conninfo, false, 1000, &err);
    else
        st = FT_OK;
    if (st == FT_OK)
        st = ft_store_count_run(r->reader, &r->v.run, &r->count, &err);
    if (st == FT_EUNREACHABLE && r->reader)
        (void)!ft_store_reconnect(r->reader, 500, &err);
    /* A count of millions takes a while: not more than a fifth of the database's time for it. */
    r->next_count_ms = ft_now_ms() + 100 + 5 * (ft_now_ms() - before);
    return st == FT_OK;
}

static void count_dead(struct run *r, uint64_t sent)
{
    struct ft_pipeline *p = &r->p;

    if (ft_bus_embedded(
            p->pipe.bus)) { /* nobody else is there, and the loopback keeps only the newest */
        r->dead_scorer = ft_pipeline_counted(p, FT_M_DEAD);
        r->dead_sink = ft_pipeline_counted(p, FT_M_SINK_DEAD);
        return;
    }
    if (r->count.stored >= sent)
        return;
    if (!r->dead && ft_dead_new(&r->dead, &p->pipe, &r->v.run, r->v.started_ms, NULL) != FT_OK)
        return;
    ft_dead_read(r->dead, 20);
    r->dead_scorer = ft_dead_by_scorer(r->dead);
    r->dead_sink = ft_dead_by_sink(r->dead);
}

/* True when everything sent has arrived somewhere. */
static bool all_arrived(struct run *r)
{
    uint64_t sent = ft_pipeline_counted(&r->p, FT_M_ACKED);
    uint64_t own = r->stored_before + ft_pipeline_counted(&r->p, FT_M_STORED) +
                   ft_pipeline_counted(&r->p, FT_M_DEAD) +
                   ft_pipeline_counted(&r->p, FT_M_SINK_DEAD);
    int64_t now = ft_now_ms();

    /* Our own counters tell when it is worth asking; others may have stored it as well, so ask now and then anyway. */
    if (own < sent && now < r->next_count_ms + 400)
        return false;
    if (now < r->next_count_ms)
        return false;
    if (!count_stored(r))
        return false;
    count_dead(r, sent);
    return r->count.stored + r->dead_scorer + r->dead_sink >= sent;
}

/* ---- telling --------------------------------------------------------------------------------------- */

static void show(struct run *r, struct ft_progress *bar)
{
    struct ft_counters *c = ft_stage_counters(r->p.replay);
    uint64_t rejected = ft_counted(c, FT_M_REJECTED), sent = ft_counted(c, FT_M_SENT);
    uint64_t stored = ft_pipeline_counted(&r->p, FT_M_STORED);
    char detail[240] = "", sink[160];
    int n = 0;

    ft_replay_status(r->p.replay, &r->v);
    ft_pipeline_sink_error(&r->p, sink, sizeof(sink));
    if (rejected)
        n += snprintf(detail, sizeof(detail), "%" PRIu64 " rejected, ", rejected);
    n += snprintf(detail + n, sizeof(detail) - (size_t)n, "%" PRIu64 " stored", stored);
    if (*r->v.error || *sink)
        snprintf(detail + n, sizeof(detail) - (size_t)n, ", waiting: %.120s",
                 *r->v.error ? r->v.error : sink);
    ft_progress_show(bar, r->v.bytes_done, r->v.bytes_total, sent, detail);
}

static double ratio(uint64_t a, uint64_t b)
{
    return a + b ? (double)a / (double)(a + b) : 0;
}

static void add_ratio(struct ft_buf *b, const char *name, uint64_t yes, uint64_t no)
{
    ft_buf_fmt(b, ",\"%s\":", name);
    if (yes + no)
        ft_buf_double(b, ratio(yes, no));
    else
        ft_buf_text(b, "null");
}

static void print_json(const struct run *r, uint64_t scored, double seconds, double rate,
                       const struct ft_hist *h, bool labels)
{
    struct ft_counters *c = ft_stage_counters(r->p.replay);
    const struct ft_run_count *n = &r->count;
    struct ft_buf b;

    ft_buf_init(&b, 8192);
    ft_buf_fmt(&b,
               "{\"run_id\":\"%s\",\"read\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"rejected\":%" PRIu64
               ",\"scored\":%" PRIu64 ",\"flagged\":%" PRIu64 ",\"dead_lettered\":%" PRIu64
               ",\"stored\":%" PRIu64 ",\"seconds\":%.3f,\"tx_per_s\":%.1f",
               r->v.run_text, ft_counted(c, FT_M_READ), ft_counted(c, FT_M_SENT),
               ft_counted(c, FT_M_REJECTED), scored, n->flagged, r->dead_scorer + r->dead_sink,
               n->stored, seconds, rate);
    if (h->count)
        ft_buf_fmt(&b, ",\"latency_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
                   (double)ft_hist_quantile(h, 0.5) / 1000,
                   (double)ft_hist_quantile(h, 0.99) / 1000, (double)h->max / 1000);
    else
        ft_buf_text(&b, ",\"latency_ms\":{\"p50\":null,\"p99\":null,\"max\":null}");
    if (labels) {
        ft_buf_fmt(&b,
                   ",\"label\":{\"tp\":%" PRIu64 ",\"fp\":%" PRIu64 ",\"tn\":%" PRIu64
                   ",\"fn\":%" PRIu64,
                   n->tp, n->fp, n->tn, n->fn);
        add_ratio(&b, "precision", n->tp, n->fp);
        add_ratio(&b, "recall", n->tp, n->fn);
        add_ratio(&b, "fpr", n->fp, n->tn);
        ft_buf_char(&b, '}');
    }
    ft_buf_char(&b, '}');
    puts(b.p);
    ft_buf_fini(&b);
}

static void print_text(const struct run *r, uint64_t scored, double seconds, double rate,
                       const struct ft_hist *h, bool labels)
{
    struct ft_counters *c = ft_stage_counters(r->p.replay);
    const struct ft_run_count *n = &r->count;

    printf("run        %s\n"
           "read       %" PRIu64 "\nsent       %" PRIu64 "\nrejected   %" PRIu64
           "\nscored     %" PRIu64 "\nflagged    %" PRIu64 "\ndead       %" PRIu64
           "\nstored     %" PRIu64 "\ntime       %.1f s, %.0f tx/s\n",
           r->v.run_text, ft_counted(c, FT_M_READ), ft_counted(c, FT_M_SENT),
           ft_counted(c, FT_M_REJECTED), scored, n->flagged, r->dead_scorer + r->dead_sink,
           n->stored, seconds, rate);
    if (h->count)
        printf("latency    p50 %.1f ms, p99 %.1f ms, max %.1f ms (due to committed)\n",
               (double)ft_hist_quantile(h, 0.5) / 1000, (double)ft_hist_quantile(h, 0.99) / 1000,
               (double)h->max / 1000);
    if (labels)
        printf("label      tp %" PRIu64 "  fp %" PRIu64 "  tn %" PRIu64 "  fn %" PRIu64
               "  precision %.4f  recall %.4f  fpr %.6f\n",
               n->tp, n->fp, n->tn, n->fn, ratio(n->tp, n->fp), ratio(n->tp, n->fn),
               ratio(n->fp, n->tn));
    if (*r->v.quarantine)
        printf("rejected rows are in %s\n", r->v.quarantine);
    if (!r->complete && r->v.resumable)
        printf("not finished; go on with: fraudtop run --resume %s\n", r->v.run_text);
}

static void summary(struct run *r)
{
    struct ft_hist h;
    bool labels = ft_cfg_text(r->app->cfg, "replay.label") != NULL;
    double seconds = (double)(r->end_ms - r->start_ms) / 1000, rate;
    uint64_t sent = ft_pipeline_counted(&r->p, FT_M_ACKED), scored;

    ft_pipeline_latency(&r->p, &h);
    labels = labels || r->count.tp + r->count.fp + r->count.tn + r->count.fn;
    scored = r->complete ? sent - r->dead_scorer : ft_pipeline_counted(&r->p, FT_M_SCORED);
    if (scored > sent) /* what others sent */
        scored = sent;
    if (scored < r->count.stored)
        scored = r->count.stored;
    rate = seconds > 0 ? (double)(r->count.stored - r->stored_before) / seconds : 0;
    if (r->app->json)
        print_json(r, scored, seconds, rate, &h, labels);
    else
        print_text(r, scored, seconds, rate, &h, labels);
    fflush(stdout);
}

/* ---- the command ----------------------------------------------------------------------------------- */

static enum ft_status prepare(struct run *r, struct ft_err *err)
{
    struct ft_replay_opts ro;
    int waited = 0;
    enum ft_status st = ft_pipeline_open(
        &r->p, r->app, "run", FT_WITH_REPLAY | FT_WITH_SCORE | FT_WITH_SINK | FT_EMBED, err);

    if (st != FT_OK)
        return st;
    ft_pipeline_replay_opts(&r->p, &ro);
    if (!ro.n_files && !ro.resume)
        return ft_fail(err, FT_EUSAGE, "run wants a FILE (CSV; - is standard input)");
    if (ro.ids != FT_IDS_ROW)
        return ft_fail(err, FT_EUSAGE, "run counts its rows by their ids: only --ids row will do");
    st = ft_pipeline_replay(&r->p, &ro, err);
    if (st == FT_OK)
        st = ft_pipeline_connect(&r->p, err);
    if (st != FT_OK)
        return st;
    ft_replay_status(r->p.replay, &r->v);
    if (ro.resume || ro.run_id) {
        if (!count_stored(r))
            return ft_fail(err, FT_EUNREACHABLE, "what the run stored before cannot be counted");
        r->stored_before = r->count.stored;
    }
    if (!r->app->quiet)
        fprintf(stderr, "fraudtop: run %s\n", r->v.run_text);
    st = ft_pipeline_start(&r->p, err);
    /* With members enough in the groups ours may stay idle, so the wait has an end. */
    while (st == FT_OK && !ft_pipeline_ready(&r->p) && !ft_stop_signal() &&
           waited++ < READY_MS / 5) {
        ft_sleep_ms(5);
        st = ft_pipeline_failed(&r->p, err);
    }
    r->start_ms = ft_now_ms();
    return st == FT_OK ? ft_pipeline_replay_start(&r->p, err) : st;
}

/* The file could not be read to its end: what was sent before is worth waiting for while the other stages work. */
static bool only_the_file(const struct ft_pipeline *p, enum ft_status st)
{
    bool others = false;

    for (size_t i = 0; i < p->n_score; i++)
        others |= ft_stage_ended(p->score[i]);
    for (size_t i = 0; i < p->n_sink; i++)
        others |= ft_stage_ended(p->sink[i]);
    return st == FT_EIO && ft_stage_ended(p->replay) && !others;
}

static enum ft_status watch(struct run *r, struct ft_err *err)
{
    struct ft_progress bar;
    enum ft_status st = FT_OK;

    ft_progress_start(&bar, r->app, "run");
    while (!ft_stop_signal() && !r->complete) {
        st = ft_pipeline_failed(&r->p, err);
        if (st != FT_OK && !only_the_file(&r->p, st))
            break;
        if (ft_stage_ended(r->p.replay))
            r->complete = all_arrived(r);
        show(r, &bar);
        if (!r->complete)
            ft_sleep_ms(10);
    }
    r->end_ms = ft_now_ms();
    ft_progress_end(&bar);
    return st;
}

int ft_cmd_run(struct ft_app *app)
{
    struct run r = {.app = app};
    struct ft_err err;
    enum ft_status st = prepare(&r, &err);
    bool ended = true;
    int status;

    if (st == FT_OK) {
        st = watch(&r, &err);
        ended = ft_pipeline_stop(&r.p, STOP_MS);
        ft_replay_status(r.p.replay, &r.v);
        if (!r.complete)
            (void)count_stored(&r);
        summary(&r);
    }
    status = st != FT_OK ? ft_app_fail(app, st, &err) : 0;
    if (st == FT_OK &&
        (r.dead_scorer + r.dead_sink || ft_counted(ft_stage_counters(r.p.replay), FT_M_REJECTED)))
        status = 3;
    status = st == FT_OK ? ft_stop_exit(status) : status;
    ft_dead_free(r.dead);
    ft_store_close(r.reader);
    return ft_pipeline_end(&r.p, ended, status);
}
