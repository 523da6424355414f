/*
 * fraudtop bench: load steps against an installation, with a verdict for each.  Replay, score and sink of this process
 * work on topics and groups of their own and in a schema of their own, which is dropped afterwards.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fraudtop/generate.h"
#include "services.h"

#define SCHEMA "fraudtop_bench"
#define MAX_STEPS 32
#define MADE_ROWS 200000 /* all different; then they come again, under other ids */
#define MADE_TIMES 400
#define DRAIN_MS 30000
#define READY_MS 8000
#define STOP_MS 4500

struct step {
    double rate; /* 0: as fast as it goes */
    double seconds;
    uint64_t sent, stored, errors;
    double tx_per_s, p50, p99, p999, max; /* ms; NaN-free: 0 when nothing came */
    int64_t lag, lag_end;
    bool held;
    char why[120];
};

struct bench {
    struct ft_app *app;
    struct ft_pipeline p;
    struct step step[MAX_STEPS];
    size_t n;
    char rows[1200];
    const char *file[MADE_TIMES];
};

/* ---- what is asked for ---------------------------------------------------------------------------- */

static enum ft_status read_steps(struct bench *b, struct ft_err *err)
{
    const char *p = ft_cfg_text(b->app->cfg, "bench.steps");

    while (*p) {
        char word[32];
        size_t n = strcspn(p, ",");
        double rate = 0;

        snprintf(word, sizeof(word), "%.*s", n < 31 ? (int)n : 31, p);
        if (strcmp(word, "max") != 0 &&
            (!ft_parse_double(ft_span_of(word), &rate) || !(rate > 0) || rate > 1e7))
            return ft_fail(err, FT_EUSAGE, "--steps: \"%s\" is neither a rate nor max", word);
        if (b->n == MAX_STEPS)
            return ft_fail(err, FT_EUSAGE, "--steps: at most %d", MAX_STEPS);
        b->step[b->n++].rate = rate;
        p += n + (p[n] == ',');
    }
    return b->n ? FT_OK : ft_fail(err, FT_EUSAGE, "--steps: none given");
}

/* Names of our own, so that nobody's work is touched. */
static enum ft_status rename_all(struct bench *b, struct ft_err *err)
{
    static const char *const names[][2] = {
        {"topics.transactions", "fraudtop.bench.transactions"},
        {"topics.scoring",      "fraudtop.bench.scoring"     },
        {"topics.control",      "fraudtop.bench.control"     },
        {"topics.status",       "fraudtop.bench.status"      },
        {"score.group",         "fraudtop-bench-score"       },
        {"sink.group",          "fraudtop-bench-sink"        },
    };
    enum ft_status st = FT_OK;

    for (size_t i = 0; st == FT_OK && i < sizeof(names) / sizeof(names[0]); i++)
        st = ft_config_set(b->app->cfg, names[i][0], names[i][1], "bench", err);
    if (setenv("PGOPTIONS", "-csearch_path=" SCHEMA, 1) != 0)
        st = ft_fail(err, FT_ENOMEM, "no memory for the environment");
    return st;
}

/* Made rows in a file, named so often that no step runs out of them. */
static enum ft_status make_rows(struct bench *b, struct ft_err *err)
{
    const struct ft_made_opts made = {.rows = MADE_ROWS,
                                      .customers = 1000,
                                      .seed = 1,
                                      .fraud_rate = 0.005,
                                      .days = 180,
                                      .start = "2020-01-01"};
    struct ft_maker *maker;
    struct ft_buf buf;
    enum ft_status st = ft_maker_new(&maker, &made, err);
    FILE *f;

    if (st != FT_OK)
        return st;
    snprintf(b->rows, sizeof(b->rows), "%s/bench.%ld.csv", b->app->state_dir, (long)getpid());
    f = fopen(b->rows, "we");
    ft_buf_init(&buf, 1 << 20);
    ft_maker_header(&buf);
    for (bool more = f != NULL; more;) {
        while (buf.n < 65536 && (more = ft_maker_row(maker, &buf)))
            ;
        if (fwrite(buf.p, 1, buf.n, f) != buf.n)
            st = ft_fail(err, FT_EIO, "%s: %s", b->rows, strerror(errno));
        ft_buf_clear(&buf);
        more = more && st == FT_OK;
    }
    if (!f || (fclose(f) != 0 && st == FT_OK))
        st = ft_fail(err, FT_EIO, "%s: %s", b->rows, strerror(errno));
    ft_buf_fini(&buf);
    ft_maker_free(maker);
    for (size_t i = 0; i < MADE_TIMES; i++)
        b->file[i] = b->rows;
    return st;
}

/* ---- a step --------------------------------------------------------------------------------------- */

static uint64_t errors(const struct ft_pipeline *p)
{
    return ft_pipeline_counted(p, FT_M_DEAD) + ft_pipeline_counted(p, FT_M_SINK_DEAD);
}

/* now minus before: what was counted between. */
static void between(struct ft_hist *now, const struct ft_hist *before)
{
    now->count -= before->count;
    now->sum -= before->sum;
    for (size_t i = 0; i < FT_HIST_BUCKETS; i++)
        now->bucket[i] -= before->bucket[i];
}

static enum ft_status rest(struct bench *b, double seconds, struct step *s, struct ft_err *err)
{
    int64_t until = ft_now_ms() + (int64_t)(seconds * 1000);
    enum ft_status st = FT_OK;

    while (st == FT_OK && ft_now_ms() < until && !ft_stop_signal()) {
        int64_t l = ft_pipeline_lag(&b->p);

        if (l > s->lag)
            s->lag = l;
        st = ft_pipeline_failed(&b->p, err);
        ft_sleep_ms(50);
    }
    return st == FT_OK && ft_stop_signal() ? FT_ESTOPPED : st;
}

static void judge(const struct bench *b, struct step *s)
{
    double most = (double)ft_cfg_ms(b->app->cfg, "bench.p99");

    s->held = true;
    if (s->errors) {
        s->held = false;
        snprintf(s->why, sizeof(s->why), "%" PRIu64 " rejected", s->errors);
    } else if (s->rate > 0 && s->tx_per_s < 0.98 * s->rate) {
        s->held = false;
        snprintf(s->why, sizeof(s->why), "only %.0f/s were stored", s->tx_per_s);
    } else if (s->rate > 0 && s->p99 > most) {
        s->held = false;
        snprintf(s->why, sizeof(s->why), "p99 %.0f ms is above %.0f ms", s->p99, most);
    }
}

static enum ft_status measure(struct bench *b, struct step *s, struct ft_err *err)
{
    static struct ft_hist before, now; /* large */
    uint64_t stored, failed = errors(&b->p), sent;
    int64_t from;
    enum ft_status st = rest(b, (double)ft_cfg_ms(b->app->cfg, "bench.warmup") / 1000, s, err);

    if (st != FT_OK)
        return st;
    s->lag = 0;
    from = ft_now_ms();
    stored = ft_pipeline_counted(&b->p, FT_M_STORED);
    sent = ft_counted(ft_stage_counters(b->p.replay), FT_M_SENT);
    ft_pipeline_latency(&b->p, &before);
    st = rest(b, (double)ft_cfg_ms(b->app->cfg, "bench.seconds") / 1000, s, err);
    s->seconds = (double)(ft_now_ms() - from) / 1000;
    s->stored = ft_pipeline_counted(&b->p, FT_M_STORED) - stored;
    s->sent = ft_counted(ft_stage_counters(b->p.replay), FT_M_SENT) - sent;
    ft_pipeline_latency(&b->p, &now);
    between(&now, &before);
    s->lag_end = ft_pipeline_lag(&b->p);
    s->errors = errors(&b->p) - failed;
    s->tx_per_s = s->seconds > 0 ? (double)s->stored / s->seconds : 0;
    s->p50 = (double)ft_hist_quantile(&now, 0.5) / 1000;
    s->p99 = (double)ft_hist_quantile(&now, 0.99) / 1000;
    s->p999 = (double)ft_hist_quantile(&now, 0.999) / 1000;
    s->max = (double)ft_hist_quantile(&now, 1) / 1000;
    judge(b, s);
    return st;
}

static enum ft_status run_step(struct bench *b, struct step *s, struct ft_err *err)
{
    struct ft_replay_opts ro;
    int64_t until;
    enum ft_status st, ended;

    ft_pipeline_replay_opts(&b->p, &ro);
    ro.files = b->file;
    ro.n_files = MADE_TIMES;
    ro.rate = s->rate;
    ro.no_journal = true;
    st = ft_pipeline_replay(&b->p, &ro, err);
    if (st == FT_OK)
        st = ft_replay_start(b->p.replay, err);
    if (st != FT_OK)
        return st;
    st = measure(b, s, err);
    ft_stage_stop(b->p.replay);
    ended = ft_stage_join(b->p.replay, STOP_MS, err);
    if (ended ==
        FT_AGAIN) /* still in its calls: it cannot be freed, and the next step would suffer */
        return ft_fail(err, FT_EIO, "the replay does not end");
    /* What is under way belongs to this step, not to the next. */
    until = ft_now_ms() + DRAIN_MS;
    while (st == FT_OK && ft_pipeline_lag(&b->p) > 0 && ft_now_ms() < until && !ft_stop_signal())
        ft_sleep_ms(50);
    ft_stage_free(b->p.replay);
    b->p.replay = NULL;
    return st;
}

/* ---- telling -------------------------------------------------------------------------------------- */

static void print_json(const struct bench *b)
{
    struct ft_buf o;
    double holds = 0;

    ft_buf_init(&o, 1 << 16);
    ft_buf_text(&o, "{\"steps\":[");
    for (size_t i = 0; i < b->n && b->step[i].seconds > 0; i++) {
        const struct step *s = &b->step[i];

        if (s->rate > 0)
            ft_buf_fmt(&o, "%s{\"rate\":%.10g", i ? "," : "", s->rate);
        else
            ft_buf_fmt(&o, "%s{\"rate\":\"max\"", i ? "," : "");
        ft_buf_fmt(&o,
                   ",\"seconds\":%.3f,\"sent\":%" PRIu64 ",\"stored\":%" PRIu64
                   ",\"tx_per_s\":%.1f,\"latency_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,"
                   "\"max\":%.3f},\"lag_max\":%" PRId64 ",\"lag_end\":%" PRId64
                   ",\"errors\":%" PRIu64 ",\"held\":%s,\"why\":",
                   s->seconds, s->sent, s->stored, s->tx_per_s, s->p50, s->p99, s->p999, s->max,
                   s->lag, s->lag_end, s->errors, s->held ? "true" : "false");
        ft_buf_json(&o, ft_span_of(s->why));
        ft_buf_char(&o, '}');
        if (s->held && s->tx_per_s > holds)
            holds = s->rate > 0 ? s->rate : s->tx_per_s;
    }
    ft_buf_fmt(&o, "],\"holds_tx_per_s\":%.1f}", holds);
    puts(o.p);
    ft_buf_fini(&o);
}

static void print_step(const struct step *s)
{
    char rate[24] = "max";

    if (s->rate > 0)
        snprintf(rate, sizeof(rate), "%.10g", s->rate);
    printf("%10s %10.0f %9.1f %9.1f %9.1f %9.1f %10" PRId64 " %7" PRIu64 "  %s%s%s\n", rate,
           s->tx_per_s, s->p50, s->p99, s->p999, s->max, s->lag, s->errors,
           s->held ? "held" : "NOT held", *s->why ? ": " : "", s->why);
    fflush(stdout);
}

/* ---- the command ---------------------------------------------------------------------------------- */

static enum ft_status prepare(struct bench *b, struct ft_err *err)
{
    const char *conninfo = ft_cfg_text(b->app->cfg, "service.database");
    enum ft_status st = read_steps(b, err);

    if (st == FT_OK)
        st = ft_store_scratch_make(conninfo, SCHEMA, ft_app_connect_ms(b->app), err);
    if (st == FT_OK)
        st = rename_all(b, err);
    if (st == FT_OK)
        st = make_rows(b, err);
    if (st == FT_OK)
        st = ft_pipeline_open(&b->p, b->app, "bench", FT_WITH_REPLAY | FT_WITH_SCORE | FT_WITH_SINK,
                              err);
    if (st == FT_OK)
        st = ft_pipeline_connect(&b->p, err);
    if (st == FT_OK)
        st = ft_pipeline_start(&b->p, err);
    for (int i = 0; st == FT_OK && i < READY_MS / 5 && !ft_pipeline_ready(&b->p); i++) {
        ft_sleep_ms(5);
        st = ft_stop_signal() ? FT_ESTOPPED : ft_pipeline_failed(&b->p, err);
    }
    return st;
}

int ft_cmd_bench(struct ft_app *app)
{
    struct bench *b = calloc(1, sizeof(*b));
    const char *conninfo = ft_cfg_text(app->cfg, "service.database");
    struct ft_err err = {.text = "bench: no memory"}, ignored;
    bool all = true, ended = true;
    enum ft_status st;
    int status;

    if (!b)
        return ft_app_fail(app, FT_ENOMEM, &err);
    b->app = app;
    st = prepare(b, &err);
    if (st == FT_OK && !app->json)
        printf("%10s %10s %9s %9s %9s %9s %10s %7s\n", "tx/s", "stored/s", "p50 ms", "p99 ms",
               "p99.9 ms", "max ms", "lag", "errors");
    for (size_t i = 0; st == FT_OK && i < b->n; i++) {
        st = run_step(b, &b->step[i], &err);
        all &= b->step[i].held;
        if (st == FT_OK && !app->json)
            print_step(&b->step[i]);
    }
    if (app->json && b->n && b->step[0].seconds > 0)
        print_json(b);
    fflush(stdout);
    if (b->p.pipe.bus)
        ended = ft_pipeline_stop(&b->p, STOP_MS);
    if (*b->rows)
        unlink(b->rows);
    status = st != FT_OK ? ft_app_fail(app, st, &err) : ft_stop_exit(all ? 0 : 1);
    if (ended)
        ft_pipeline_close(&b->p);
    unsetenv("PGOPTIONS");
    (void)!ft_store_scratch_drop(conninfo, SCHEMA, 5000, &ignored);
    if (!ended)
        _exit(status);
    free(b);
    return status;
}
