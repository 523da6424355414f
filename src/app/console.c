/*
 * The feed behind the console: see console.h.  What the database and the heartbeats told last stands in struct
 * ft_console under one lock; live() copies it.
 */
#include "console.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "console_ask.h"
#include "fraudtop/log.h"
#include "fraudtop/wait.h"
#include "stage.h"

#define READ_MS 1000     /* between two readings of the database */
#define BACKOFF_MAX 5000 /* between two tries to reach it */

/* ---- the database, once a second ------------------------------------------------------------------------ */

static void set_part(struct ft_part *p, enum ft_part_state state, const char *error)
{
    if (p->state != state || p->since_ms == 0) {
        p->state = state;
        p->since_ms = ft_now_ms();
    }
    snprintf(p->error, sizeof(p->error), "%s", error);
}

static void wake(struct ft_console *c)
{
    const uint64_t one = 1;

    (void)!write(c->wake_fd, &one, sizeof(one));
}

static bool nap(struct ft_console *c, int ms)
{
    int64_t until = ft_now_ms() + ms;

    while (!c->stop && !atomic_exchange(&c->retry, false) && ft_now_ms() < until)
        ft_sleep_ms(20);
    return !c->stop;
}

/* A picture as the reader has put it together, in place of the one before. */
static void publish(struct ft_console *c, bool may_write)
{
    struct ft_picture *p = c->back;

    pthread_mutex_lock(&c->lock);
    c->back = c->front;
    c->front = p;
    c->reads++;
    c->no_rights = !may_write;
    set_part(&c->pg, c->pipeline->pg ? FT_PART_EMBEDDED : FT_PART_UP, "");
    pthread_mutex_unlock(&c->lock);
    wake(c);
}

static void lost(struct ft_console *c, const char *error)
{
    pthread_mutex_lock(&c->lock);
    if (c->pg.state != FT_PART_DOWN)
        ft_log(FT_ERROR, "pg", "%s", error);
    set_part(&c->pg, FT_PART_DOWN, error);
    c->reads++;
    pthread_mutex_unlock(&c->lock);
    wake(c);
}

struct ft_cases_opts ft_console_cases(const struct ft_console *c)
{
    const struct ft_config *cfg = c->app->cfg;

    return (struct ft_cases_opts){.conninfo = c->pipeline->conninfo,
                                  .who = c->user,
                                  .read_only = c->read_only,
                                  .masked = strcmp(ft_cfg_text(cfg, "display.mask"), "on") == 0,
                                  .over_limit_ms = ft_cfg_ms(cfg, "review.time_limit"),
                                  .claim_ms = ft_cfg_ms(cfg, "review.claim"),
                                  .undo_ms = ft_cfg_ms(cfg, "review.undo")};
}

static void *reader_main(void *arg)
{
    struct ft_console *c = arg;
    struct ft_cases_opts opts = ft_console_cases(c);
    struct ft_cases *s = NULL;
    struct ft_err err;
    int backoff = 100;

    opts.read_only = true;
    while (!c->stop) {
        enum ft_status st = s ? FT_OK : ft_cases_open(&s, &opts, 2000, &err);

        if (st == FT_OK) {
            struct ft_watch_run r;

            ft_watch_run(c->watch, &r);
            st = ft_picture_read(c->back, c->front, &c->of_run, s, r.run, c->since_ms, &err);
        }
        if (st == FT_OK) {
            publish(c, ft_cases_may_write(s));
            backoff = 100;
            nap(c, READ_MS);
            continue;
        }
        if (st ==
            FT_AGAIN) { /* a question took the server too long: what is shown grows stale, no more */
            ft_log(FT_WARN, "pg", "%s", err.text);
            nap(c, BACKOFF_MAX);
            continue;
        }
        lost(c, err.text);
        ft_cases_close(s);
        s = NULL;
        nap(c, backoff);
        backoff = backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX : backoff * 2;
    }
    ft_cases_close(s);
    return NULL;
}

/* ---- the picture ---------------------------------------------------------------------------------------- */

static void show_parts(struct ft_console *c, bool open, struct ft_live *out)
{
    struct ft_bus_health h = {.known = false};
    double ms;

    if (open)
        ft_bus_health(c->pipeline->pipe.bus, &h);
    out->kafka.since_ms = h.since_ms;
    out->kafka.state = open && ft_bus_embedded(c->pipeline->pipe.bus) ? FT_PART_EMBEDDED
                       : !h.known                                     ? FT_PART_UNKNOWN
                       : h.up                                         ? FT_PART_UP
                                                                      : FT_PART_DOWN;
    snprintf(out->kafka.error, sizeof(out->kafka.error), "%s", h.up ? "" : h.error);
    snprintf(out->kafka.where, sizeof(out->kafka.where), "%s", c->brokers);
    ms = out->pg.ms;
    out->pg = c->pg;
    out->pg.ms = ms;
    out->model = c->model;
}

/* Frauds are rare: counted over the last 15 to 30 s, where a second holds none. */
static double flagged_rate(struct ft_console *c, uint64_t flagged, int64_t now_ms)
{
    struct ft_flag_count *old = &c->flag_count[0], *young = &c->flag_count[1];

    if (!old->at_ms || flagged < old->n) /* the start, or the processes are others */
        *old = *young = (struct ft_flag_count){now_ms, flagged};
    if (now_ms - young->at_ms >= 15000) {
        *old = *young;
        *young = (struct ft_flag_count){now_ms, flagged};
    }
    return now_ms - old->at_ms < 2000
               ? (double)NAN
               : (double)(flagged - old->n) * 1000 / (double)(now_ms - old->at_ms);
}

/* What the scorers use, as their heartbeats tell; without one, what was put into force; without that, our own. */
static void show_model(struct ft_console *c, struct ft_live *out)
{
    const struct ft_scorer_info *info =
        c->pipeline->scorer ? ft_scorer_info(c->pipeline->scorer) : NULL;
    char own[sizeof(out->model_name)] = "";

    ft_control_get(c->pipeline->pipe.control, &c->force_seq, &c->force);
    if (isnan(out->threshold))
        out->threshold = c->force.has_threshold ? c->force.threshold : c->threshold;
    if (info)
        snprintf(own, sizeof(own), "%s %s", info->name, info->version);
    if (!out->model_name[0])
        snprintf(out->model_name, sizeof(out->model_name), "%s", own);
    if (info && strcmp(out->model_name, own) == 0)
        snprintf(out->model_digest, sizeof(out->model_digest), "%s", info->digest);
}

/* Before the first heartbeat can be read. */
static void nothing_seen(const struct ft_console *c, struct ft_live *out)
{
    out->replayed_per_s = out->scored_per_s = out->stored_per_s = out->flagged_per_s = NAN;
    out->p50_ms = out->p99_ms = out->lag_score_slope = out->lag_sink_slope = NAN;
    out->threshold = c->threshold;
    out->lag_score = out->lag_sink = -1;
}

static void live(void *self, struct ft_live *out)
{
    struct ft_console *c = self;
    bool open = atomic_load(&c->open);
    uint64_t unused;

    (void)!read(c->wake_fd, &unused, sizeof(unused));
    memset(out, 0, offsetof(struct ft_live, window));
    out->now_ms = ft_now_ms();
    out->wall_ms = ft_wall_ms();
    pthread_mutex_lock(&c->lock);
    ft_picture_show(c->front, out, c->shown);
    out->seq += c->reads;
    show_parts(c, open, out);
    out->read_only = c->read_only || c->no_rights;
    snprintf(out->message, sizeof(out->message), "%s", c->message);
    out->message_seq = c->message_seq;
    out->message_error = c->message_error;
    pthread_mutex_unlock(&c->lock);
    if (open)
        ft_watch_live(c->watch, out, c->process);
    else
        nothing_seen(c, out);
    if (open && !c->said_no_key && ft_watch_no_key(c->watch)) {
        c->said_no_key = true;
        ft_console_say(c, false, FT_NO_KEY_TEXT);
    }
    out->flagged_per_s = flagged_rate(c, open ? ft_watch_flagged(c->watch) : 0, out->now_ms);
    if (isnan(out->scored_per_s))
        out->flagged_per_s = NAN;
    out->replay.waiting = c->waiting;
    out->demo = c->demo;
    snprintf(out->user, sizeof(out->user), "%s", c->user);
    snprintf(out->host, sizeof(out->host), "%s", c->host);
    if (open)
        show_model(c, out);
    for (int w = 0; w < FT_N_WINDOWS; w++)
        out->above[w] = ft_scores_above(&out->window[w], out->threshold);
    if (out->replay.held)
        out->replay.held = out->kafka.state == FT_PART_DOWN || out->replay.error[0];
    ft_alert_see(c->alert, out);
}

void ft_console_say(struct ft_console *c, bool error, const char *text)
{
    pthread_mutex_lock(&c->lock);
    snprintf(c->message, sizeof(c->message), "%s", text);
    c->message_error = error;
    c->message_seq++;
    pthread_mutex_unlock(&c->lock);
    wake(c);
}

/* ---- questions ------------------------------------------------------------------------------------------ */

static uint64_t ask(void *self, const struct ft_ask *a)
{
    struct ft_console *c = self;
    struct ft_lane *lane;
    struct ft_job *job;
    uint64_t ticket;

    if (!ft_ask_known(a->kind))
        return 0;
    lane = &c->lane[ft_ask_lane(a->kind)];
    job = calloc(1, sizeof(*job));
    if (!job)
        return 0;
    job->answer.kind = a->kind;
    job->args = a->args_json ? strdup(a->args_json) : NULL;
    pthread_mutex_lock(&c->lock);
    ticket = job->answer.ticket = ++c->tickets;
    *lane->end = job;
    lane->end = &job->next;
    pthread_cond_signal(&lane->asked);
    pthread_mutex_unlock(&c->lock);
    return ticket;
}

static bool answer(void *self, struct ft_answer *out)
{
    struct ft_console *c = self;
    struct ft_job *job;

    pthread_mutex_lock(&c->lock);
    job = c->done_jobs;
    if (job) {
        c->done_jobs = job->next;
        if (!c->done_jobs)
            c->done_end = &c->done_jobs;
    }
    pthread_mutex_unlock(&c->lock);
    if (!job)
        return false;
    *out = job->answer;
    free(job->args);
    free(job);
    return true;
}

static int wake_fd(void *self)
{
    return ((struct ft_console *)self)->wake_fd;
}

/* Under the lock: waits for a question, no longer than look_ms (-1: for ever); NULL: there is none. */
static struct ft_job *next_job(struct ft_lane *lane, int look_ms)
{
    struct ft_console *c = lane->c;
    struct ft_job *job;

    if (!lane->first && look_ms >= 0)
        ft_cond_wait(&lane->asked, &c->lock, ft_now_ms() + look_ms);
    else if (!lane->first)
        pthread_cond_wait(&lane->asked, &c->lock);
    job = c->stop ? NULL : lane->first;
    if (!job)
        return NULL;
    lane->first = job->next;
    if (!lane->first)
        lane->end = &lane->first;
    job->next = NULL;
    return job;
}

static void *worker_main(void *arg)
{
    struct ft_lane *lane = arg;
    struct ft_console *c = lane->c;
    bool replays = lane == &c->lane[FT_LANE_OTHER];
    int look_ms = -1;

    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        struct ft_job *job = next_job(lane, look_ms);

        pthread_mutex_unlock(&c->lock);
        if (job)
            ft_ask_do(c, job);
        if (replays && !c->stop)
            look_ms = ft_replay_next(c);
        pthread_mutex_lock(&c->lock);
        if (job) {
            *c->done_end = job;
            c->done_end = &job->next;
            wake(c);
        }
    }
    pthread_mutex_unlock(&c->lock);
    ft_ask_fini(c, (int)(lane - c->lane));
    return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------------------- */

/* Waits in the background for services that were not there at the start; the screen is up meanwhile. */
static void *connect_main(void *arg)
{
    struct ft_console *c = arg;
    struct ft_err err;
    int backoff = 200;

    while (!c->stop && ft_topics_ensure(c->pipeline->pipe.bus, &c->pipeline->pipe.topics, 2000,
                                        &err) != FT_OK) {
        nap(c, backoff);
        backoff = backoff * 2 > 30000 ? 30000 : backoff * 2;
    }
    return NULL;
}

static void who_am_i(struct ft_console *c, const struct ft_app *app)
{
    ft_app_who(app, c->user, sizeof(c->user));
    if (gethostname(c->host, sizeof(c->host) - 1) != 0)
        snprintf(c->host, sizeof(c->host), "localhost");
}

static enum ft_status begin(struct ft_console *c, void *(*run)(void *), void *arg,
                            struct ft_err *err)
{
    if (pthread_create(&c->thread[c->n_threads], NULL, run, arg) != 0)
        return ft_fail(err, FT_ENOMEM, "no thread for the console");
    c->n_threads++;
    return FT_OK;
}

static enum ft_status threads(struct ft_console *c, bool connect, struct ft_err *err)
{
    enum ft_status st = begin(c, reader_main, c, err);

    for (int i = 0; st == FT_OK && i < FT_N_LANES; i++)
        st = begin(c, worker_main, &c->lane[i], err);
    if (st == FT_OK && connect)
        st = begin(c, connect_main, c, err);
    return st;
}

/* Under the lock: what the open pipeline is. */
static void show_pipeline(struct ft_console *c)
{
    const struct ft_pipeline *p = c->pipeline;
    const char *no_model = c->opts.no_model.text;

    if (p->scorer && !ft_cfg_is_set(c->app->cfg, "model.threshold"))
        c->threshold = ft_scorer_info(p->scorer)->threshold;
    snprintf(c->pg.where, sizeof(c->pg.where), "%s",
             p->pg                 ? "private server"
             : p->conninfo[0]      ? p->conninfo
             : getenv("PGSERVICE") ? getenv("PGSERVICE")
             : getenv("PGHOST")    ? getenv("PGHOST")
                                   : "libpq's defaults");
    set_part(&c->model,
             p->scorer   ? FT_PART_UP
             : *no_model ? FT_PART_DOWN
                         : FT_PART_NONE,
             p->scorer ? "" : no_model);
}

/* The pipeline is open: from here on it is watched, read and asked. */
static enum ft_status attach(struct ft_console *c, struct ft_err *err)
{
    struct ft_pipe *pipe = &c->pipeline->pipe;
    const struct ft_watch_stage stage[FT_WATCH_STAGES] = {
        {pipe->topics.transactions, ft_app_group(c->app, "score")},
        {pipe->topics.scoring,      ft_app_group(c->app, "sink") }
    };
    enum ft_status st =
        ft_watch_start(&c->watch, pipe->bus, &pipe->topics, stage, pipe->control, err);

    pthread_mutex_lock(&c->lock);
    show_pipeline(c);
    pthread_mutex_unlock(&c->lock);
    if (st == FT_OK)
        st = threads(c, c->opts.connect, err);
    if (st == FT_OK && c->opts.alerts)
        st = ft_alert_start(&c->alert, c->app, c->pipeline->conninfo, !c->read_only, err);
    if (st == FT_OK)
        atomic_store(&c->open, true);
    wake(c);
    return st;
}

static void *opener_main(void *arg)
{
    struct ft_console *c = arg;

    c->opened = c->opts.open(&c->opts, &c->open_err);
    if (c->opened == FT_OK)
        c->opened = attach(c, &c->open_err);
    if (c->opened != FT_OK)
        ft_stop_raise(-1); /* the screen ends, and ft_console_failed says why */
    return NULL;
}

void ft_console_open(void *self)
{
    struct ft_console *c = self;

    if (!c->opts.open || c->opener_runs)
        return;
    c->opener_runs = pthread_create(&c->opener, NULL, opener_main, c) == 0;
    if (c->opener_runs)
        return;
    c->opened = ft_fail(&c->open_err, FT_ENOMEM, "no thread for the console");
    ft_stop_raise(-1);
}

enum ft_status ft_console_start(struct ft_console **out, const struct ft_console_opts *opts,
                                struct ft_err *err)
{
    struct ft_console *c = calloc(1, sizeof(*c));
    const struct ft_config *cfg = opts->app->cfg;
    const char *brokers = ft_cfg_text(cfg, "service.brokers");
    enum ft_status st;

    *out = NULL;
    if (!c)
        return ft_fail(err, FT_ENOMEM, "no memory for the console");
    c->opts = *opts;
    c->app = opts->app;
    c->pipeline = opts->pipeline;
    c->demo = opts->demo;
    c->read_only = opts->read_only;
    c->done_end = &c->done_jobs;
    c->since_ms = ft_wall_ms();
    c->front = ft_picture_new();
    c->back = ft_picture_new();
    c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    c->feed = (struct ft_feed){c, live, ask, answer, wake_fd};
    pthread_mutex_init(&c->lock, NULL);
    for (int i = 0; i < FT_N_LANES; i++) {
        c->lane[i].c = c;
        c->lane[i].end = &c->lane[i].first;
        ft_cond_init(&c->lane[i].asked);
    }
    who_am_i(c, opts->app);
    snprintf(c->brokers, sizeof(c->brokers), "%s", brokers ? brokers : "");
    c->threshold =
        ft_cfg_is_set(cfg, "model.threshold") ? ft_cfg_real(cfg, "model.threshold") : 0.5;
    set_part(&c->pg, FT_PART_UNKNOWN, "");
    snprintf(c->model.where, sizeof(c->model.where), "%s", ft_app_model(opts->app));
    st = c->front && c->back && c->wake_fd >= 0
             ? FT_OK
             : ft_fail(err, FT_ENOMEM, "no memory for the console");
    if (st == FT_OK && !opts->open)
        st = attach(c, err);
    if (st != FT_OK) {
        ft_console_stop(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

enum ft_status ft_console_failed(const struct ft_console *c, struct ft_err *err)
{
    if (c->opened != FT_OK)
        *err = c->open_err;
    return c->opened;
}

struct ft_feed *ft_console_feed(struct ft_console *c)
{
    return &c->feed;
}

bool ft_console_ready(struct ft_console *c, int timeout_ms)
{
    int64_t until = ft_now_ms() + timeout_ms;
    bool ready = false;

    while (!ready && ft_now_ms() < until && !ft_stop_signal()) {
        struct ft_bus_health h;

        ft_bus_health(c->pipeline->pipe.bus, &h);
        pthread_mutex_lock(&c->lock);
        ready = c->reads > 0 && (h.known || ft_bus_embedded(c->pipeline->pipe.bus));
        pthread_mutex_unlock(&c->lock);
        if (!ready)
            ft_sleep_ms(10);
    }
    return ready;
}

static void free_jobs(struct ft_job *job)
{
    while (job) {
        struct ft_job *next = job->next;

        free(job->args);
        free(job->answer.json);
        free(job);
        job = next;
    }
}

void ft_console_stop(struct ft_console *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    for (int i = 0; i < FT_N_LANES; i++)
        pthread_cond_broadcast(&c->lane[i].asked);
    pthread_mutex_unlock(&c->lock);
    if (c->opener_runs)
        pthread_join(c->opener, NULL);
    for (int i = 0; i < c->n_threads; i++)
        pthread_join(c->thread[i], NULL);
    ft_alert_stop(c->alert);
    ft_watch_stop(c->watch);
    for (int i = 0; i < FT_N_LANES; i++)
        free_jobs(c->lane[i].first);
    free_jobs(c->done_jobs);
    ft_picture_free(c->front);
    ft_picture_free(c->back);
    if (c->wake_fd >= 0)
        close(c->wake_fd);
    for (int i = 0; i < FT_N_LANES; i++)
        pthread_cond_destroy(&c->lane[i].asked);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
