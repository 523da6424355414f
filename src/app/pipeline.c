#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services.h"
#include "stage.h"

/* ---- topics ---------------------------------------------------------------------------------------- */

void ft_topics_from(struct ft_topics *t, const struct ft_config *cfg)
{
    const char *in = ft_cfg_text(cfg, "topics.transactions");
    const char *out = ft_cfg_text(cfg, "topics.scoring");
    const char *group = ft_cfg_text(cfg, "score.group");

    if (ft_cfg_text(cfg, "service.group"))
        group = ft_cfg_text(cfg, "service.group");
    *t = (struct ft_topics){.partitions = (int)ft_cfg_int(cfg, "topics.partitions"),
                            .replication = (int)ft_cfg_int(cfg, "topics.replication"),
                            .retention_ms = ft_cfg_ms(cfg, "topics.retention")};
    snprintf(t->transactions, sizeof(t->transactions), "%s", in);
    snprintf(t->transactions_dlq, sizeof(t->transactions_dlq), "%s.dlq", in);
    snprintf(t->scoring, sizeof(t->scoring), "%s", out);
    snprintf(t->scoring_dlq, sizeof(t->scoring_dlq), "%s.dlq", out);
    snprintf(t->control, sizeof(t->control), "%s", ft_cfg_text(cfg, "topics.control"));
    snprintf(t->status, sizeof(t->status), "%s", ft_cfg_text(cfg, "topics.status"));
    snprintf(t->state, sizeof(t->state), "fraudtop.state.%s", group);
}

enum ft_status ft_topics_ensure(struct ft_bus *bus, const struct ft_topics *t, int timeout_ms,
                                struct ft_err *err)
{
    const int dlq_bytes = 2 << 20;
    const struct ft_topic_spec spec[] = {
        {t->transactions,     t->partitions, t->replication, t->retention_ms, 0,         false, false},
        {t->scoring,          t->partitions, t->replication, t->retention_ms, 0,         false, false},
        {t->transactions_dlq, t->partitions, t->replication, t->retention_ms, dlq_bytes, false,
         false                                                                                       },
        {t->scoring_dlq,      t->partitions, t->replication, t->retention_ms, dlq_bytes, false, false},
        {t->control,          1,             t->replication, 0,               0,         true,  false},
        {t->status,           1,             t->replication, 0,               0,         true,  false},
    };

    return ft_bus_ensure_topics(bus, spec, sizeof(spec) / sizeof(spec[0]), timeout_ms, err);
}

/* ---- opening --------------------------------------------------------------------------------------- */

static enum ft_status load_model(struct ft_pipeline *p, struct ft_err *err)
{
    const char *rival = ft_app_challenger(p->app);
    enum ft_status st = ft_app_scorer(p->app, NULL, &p->scorer, err);

    if (st == FT_OK && rival && (p->parts & FT_WITH_SCORE))
        st = ft_app_scorer(p->app, rival, &p->challenger, err);
    return st;
}

/* A demonstration never touches what is configured. */
static bool embeds_all(const struct ft_pipeline *p)
{
    return (p->parts & FT_EMBED) && p->app->command->bit == FT_CMD_DEMO;
}

static enum ft_status open_database(struct ft_pipeline *p, struct ft_err *err)
{
    struct ft_pg_opts po = {.state_dir = NULL};
    enum ft_status st;

    if (!(p->parts & FT_EMBED) || (!embeds_all(p) && ft_app_has_database(p->app))) {
        p->conninfo = ft_cfg_text(p->app->cfg, "service.database");
        if (!p->conninfo)
            p->conninfo = "";
        return FT_OK;
    }
    st = ft_pg_start(&p->pg, &po, err);
    if (st == FT_OK)
        p->conninfo = ft_pg_conninfo(p->pg);
    return st;
}

enum ft_status ft_pipeline_open(struct ft_pipeline *p, struct ft_app *app, const char *role,
                                int parts, struct ft_err *err)
{
    struct ft_bus_opts bo;
    enum ft_status st = FT_OK;

    *p = (struct ft_pipeline){.app = app, .role = role, .parts = parts};
    p->lock = malloc(sizeof(*p->lock));
    if (!p->lock)
        return ft_fail(err, FT_ENOMEM, "no memory for a pipeline");
    pthread_mutex_init(p->lock, NULL);
    bo = ft_app_bus_opts(app, (parts & FT_EMBED) && (embeds_all(p) || !ft_app_has_brokers(app)));
    ft_topics_from(&p->pipe.topics, app->cfg);
    if (parts & (FT_WITH_SCORE | FT_WITH_MODEL))
        st = load_model(p, err);
    if (st == FT_OK)
        st = ft_app_secret(app, p->pipe.secret, err);
    if (st == FT_OK)
        st = ft_bus_open(&p->pipe.bus, &bo, err);
    if (st == FT_OK && (parts & (FT_WITH_SINK | FT_WITH_STORE)))
        st = open_database(p, err);
    if (st != FT_OK)
        ft_pipeline_close(p);
    return st;
}

/* ---- connecting ------------------------------------------------------------------------------------ */

/* Calls try until it succeeds, for timeout_ms (-1: for ever), in steps short enough for Ctrl-C. */
static enum ft_status keep_trying(struct ft_pipeline *p, const char *who,
                                  enum ft_status (*try)(struct ft_pipeline *p, int timeout_ms,
                                                        struct ft_err *err),
                                  struct ft_err *err)
{
    int timeout_ms = ft_app_connect_ms(p->app);
    int64_t start = ft_now_ms();
    struct ft_seldom said = {.next_ms = start + 3000};

    for (;;) {
        int64_t left = timeout_ms < 0 ? 1000 : timeout_ms - (ft_now_ms() - start);
        enum ft_status st = try(p, left < 1 ? 1 : left > 1000 ? 1000 : (int)left, err);

        if (!ft_status_retriable(st))
            return st;
        if (ft_stop_signal())
            return ft_fail(err, FT_ESTOPPED, "stopped while waiting for %s", who);
        if (timeout_ms >= 0 && ft_now_ms() - start >= timeout_ms)
            return FT_EUNREACHABLE;
        if (ft_seldom(&said))
            ft_log(FT_WARN, p->role, "waiting for %s: %s", who, err->text);
        ft_sleep_ms(50);
    }
}

static enum ft_status try_topics(struct ft_pipeline *p, int timeout_ms, struct ft_err *err)
{
    struct ft_topic_info *info = NULL;
    size_t n;
    enum ft_status st;

    if (ft_cfg_flag(p->app->cfg, "topics.create"))
        return ft_topics_ensure(p->pipe.bus, &p->pipe.topics, timeout_ms, err);
    st = ft_bus_topics(p->pipe.bus, timeout_ms, &info, &n, err);
    free(info);
    return st;
}

static enum ft_status try_database(struct ft_pipeline *p, int timeout_ms, struct ft_err *err)
{
    struct ft_store *s;
    enum ft_status st = ft_store_open(&s, p->conninfo, true, timeout_ms, err);

    if (st == FT_OK)
        ft_store_close(s);
    return st;
}

enum ft_status ft_pipeline_connect(struct ft_pipeline *p, struct ft_err *err)
{
    enum ft_status st = keep_trying(p, "Kafka", try_topics, err);

    if (st == FT_OK && (p->parts & FT_WITH_SINK))
        st = keep_trying(p, "PostgreSQL", try_database, err);
    p->connected = st == FT_OK;
    return st;
}

/* ---- starting -------------------------------------------------------------------------------------- */

static enum ft_status start_control(struct ft_pipeline *p, struct ft_err *err)
{
    char model[160] = "";
    struct ft_control_opts co = {.bus = p->pipe.bus,
                                 .topics = &p->pipe.topics,
                                 .role = p->role,
                                 .secret = p->pipe.secret,
                                 .model = model,
                                 .topics_made = p->connected};

    if (p->scorer && (p->parts & FT_WITH_SCORE))
        snprintf(model, sizeof(model), "%s %s", ft_scorer_info(p->scorer)->name,
                 ft_scorer_info(p->scorer)->version);
    if (p->parts & FT_WITH_SINK)
        co.copy_conninfo = p->conninfo;
    return ft_control_start(&p->pipe.control, &co, err);
}

/* One after the other each would wait for the database: while one waits another reads and makes its batch. */
static enum ft_status start_sinks(struct ft_pipeline *p, struct ft_err *err)
{
    const struct ft_config *cfg = p->app->cfg;
    size_t n = (size_t)ft_cfg_int(cfg, "sink.writers");
    struct ft_sink_opts so = {.conninfo = p->conninfo,
                              .group = ft_app_group(p->app, "sink"),
                              .batch_rows = (size_t)ft_cfg_int(cfg, "sink.batch_rows"),
                              .batch_ms = (int)ft_cfg_ms(cfg, "sink.batch_age"),
                              .queued_kbytes = 32768 / n, /* some 100 MB with the library's own */
                              .queued_messages = 90000 / n,
                              .started_ms = p->started_ms};

    for (size_t i = 0; i < n; i++) {
        enum ft_status st = ft_sink_start(&p->sink[i], &p->pipe, &so, err);

        if (st != FT_OK)
            return st;
        p->n_sink = i + 1;
        ft_control_add(p->pipe.control, p->sink[i]);
    }
    return FT_OK;
}

/* For a scorer's thread: a model that was put into force.  Each is loaded once and stays. */
static enum ft_status load_in_force(void *user, const char *model, const struct ft_scorer **out,
                                    struct ft_err *err)
{
    struct ft_pipeline *p = user;
    struct ft_scorer *s = NULL;
    enum ft_status st;

    pthread_mutex_lock(p->lock);
    st = p->n_loaded < FT_MAX_MODELS
             ? ft_scorer_load(&s, model, p->app->data_dir, false, err)
             : ft_fail(err, FT_ENOMEM, "too many models in one process: start it anew");
    for (size_t i = 0; st == FT_OK && s && i < p->n_loaded; i++)
        if (strcmp(ft_scorer_info(p->loaded[i])->digest, ft_scorer_info(s)->digest) == 0) {
            ft_scorer_free(s);
            *out = p->loaded[i];
            s = NULL;
        }
    if (st == FT_OK && s && p->scorer &&
        strcmp(ft_scorer_info(p->scorer)->digest, ft_scorer_info(s)->digest) == 0) {
        ft_scorer_free(s);
        *out = p->scorer;
        s = NULL;
    }
    if (st == FT_OK && s)
        *out = p->loaded[p->n_loaded++] = s;
    pthread_mutex_unlock(p->lock);
    return st;
}

const struct ft_scorer *ft_pipeline_scorer_of(struct ft_pipeline *p, const char *model)
{
    const struct ft_scorer *found = p->scorer && ft_scorer_is(p->scorer, model) ? p->scorer : NULL;
    char name[128];

    pthread_mutex_lock(p->lock);
    for (size_t i = 0; !found && i < p->n_loaded; i++)
        if (ft_scorer_is(p->loaded[i], model))
            found = p->loaded[i];
    pthread_mutex_unlock(p->lock);
    if (found || !ft_model_name(model, name, sizeof(name)))
        return found;
    return load_in_force(p, name, &found, NULL) == FT_OK && ft_scorer_is(found, model) ? found
                                                                                       : NULL;
}

static enum ft_status start_scorers(struct ft_pipeline *p, struct ft_err *err)
{
    const struct ft_config *cfg = p->app->cfg;
    const struct ft_scorer_info *info = ft_scorer_info(p->scorer);
    bool given = ft_cfg_is_set(cfg, "model.threshold");
    bool exactly_once = ft_cfg_flag(cfg, "score.exactly_once");
    int64_t threads = ft_cfg_int(cfg, "score.threads");
    size_t n = threads < 1 ? 1 : threads > FT_MAX_SCORERS ? FT_MAX_SCORERS : (size_t)threads;
    struct ft_score_opts so = {
        .scorer = p->scorer,
        .challenger = p->challenger,
        .group = ft_app_group(p->app, "score"),
        .threshold = given ? ft_cfg_real(cfg, "model.threshold") : info->threshold,
        .threshold_given = given,
        .model_given = ft_cfg_is_set(cfg, "model.path"),
        .load = load_in_force,
        .user = p,
        .sample = ft_cfg_real(cfg, "score.sample"),
        .reasons = (size_t)ft_cfg_int(cfg, "score.reasons"),
        .exactly_once = exactly_once,
        .commit_ms = exactly_once ? (int)ft_cfg_ms(cfg, "score.commit_interval") : 0,
        .state_ms = (int)ft_cfg_ms(cfg, "score.state_interval"),
        .rebuild_state = ft_cfg_flag(cfg, "score.rebuild_state"),
        .queued_kbytes = 114688 / n, /* some 250 MB with the library's own, ten million waiting */
        .queued_messages = 180000 / n,
        .linger_ms = exactly_once ? -1 : 2,
    };

    for (size_t i = 0; i < n; i++) {
        enum ft_status st = ft_score_start(&p->score[i], &p->pipe, &so, err);

        if (st != FT_OK)
            return st;
        p->n_score = i + 1;
        ft_control_add(p->pipe.control, p->score[i]);
    }
    return FT_OK;
}

enum ft_status ft_pipeline_start(struct ft_pipeline *p, struct ft_err *err)
{
    enum ft_status st = start_control(p, err);

    if (!p->started_ms)
        p->started_ms = ft_wall_ms();
    if (st == FT_OK && (p->parts & FT_WITH_SINK))
        st = start_sinks(p, err);
    if (st == FT_OK && (p->parts & FT_WITH_SCORE))
        st = start_scorers(p, err);
    return st;
}

void ft_pipeline_replay_opts(const struct ft_pipeline *p, struct ft_replay_opts *out)
{
    const struct ft_config *cfg = p->app->cfg;
    const char *ids = ft_cfg_text(cfg, "replay.ids");

    *out = (struct ft_replay_opts){
        .files = p->app->args,
        .n_files = p->app->n_args,
        .label = ft_cfg_text(cfg, "replay.label"),
        .limit = (uint64_t)ft_cfg_int(cfg, "replay.limit"),
        .rate = ft_app_rate(p->app),
        .ids = strcmp(ids, "time") == 0     ? FT_IDS_TIME
               : strcmp(ids, "random") == 0 ? FT_IDS_RANDOM
                                            : FT_IDS_ROW,
        .quarantine = ft_cfg_text(cfg, "replay.quarantine"),
        .state_dir = p->app->state_dir,
        .resume = ft_cfg_text(cfg, "replay.resume"),
        .run_id = ft_cfg_text(cfg, "replay.run_id"),
        .strict = ft_cfg_flag(cfg, "replay.strict"),
        .no_journal = ft_cfg_flag(cfg, "replay.no_journal"),
        .stop_fd = ft_stop_fd(),
    };
    if (ft_cfg_is_set(cfg, "replay.speed"))
        out->speed = ft_cfg_real(cfg, "replay.speed");
    if (p->scorer) {
        out->n_need = ft_scorer_columns(p->scorer, &out->need);
        out->n_required = ft_scorer_required(p->scorer, &out->required);
    }
}

enum ft_status ft_pipeline_replay(struct ft_pipeline *p, const struct ft_replay_opts *opts,
                                  struct ft_err *err)
{
    return ft_replay_new(&p->replay, &p->pipe, opts, err);
}

enum ft_status ft_pipeline_replay_start(struct ft_pipeline *p, struct ft_err *err)
{
    ft_control_add(p->pipe.control, p->replay);
    return ft_replay_start(p->replay, err);
}

/* ---- while it runs --------------------------------------------------------------------------------- */

#define MAX_STAGES (FT_MAX_SCORERS + FT_MAX_WRITERS + 1)

static size_t all_stages(const struct ft_pipeline *p, struct ft_stage **out)
{
    size_t n = 0;

    if (p->replay)
        out[n++] = p->replay;
    for (size_t i = 0; i < p->n_score; i++)
        out[n++] = p->score[i];
    for (size_t i = 0; i < p->n_sink; i++)
        out[n++] = p->sink[i];
    return n;
}

bool ft_pipeline_ready(const struct ft_pipeline *p)
{
    bool ready = true;

    for (size_t i = 0; i < p->n_score; i++)
        ready = ready && atomic_load(&p->score[i]->ready);
    for (size_t i = 0; i < p->n_sink; i++)
        ready = ready && atomic_load(&p->sink[i]->ready);
    return ready;
}

int64_t ft_pipeline_lag(const struct ft_pipeline *p)
{
    struct ft_stage *s[MAX_STAGES];
    size_t n = all_stages(p, s);
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t lag = atomic_load(&ft_stage_counters(s[i])->lag);

        sum += lag > 0 ? lag : 0;
    }
    return sum;
}

void ft_pipeline_latency(const struct ft_pipeline *p, struct ft_hist *out)
{
    ft_hist_clear(out);
    for (size_t i = 0; i < p->n_sink; i++)
        ft_sink_latency(p->sink[i], out, NULL);
}

void ft_pipeline_sink_error(const struct ft_pipeline *p, char *out, size_t size)
{
    *out = '\0';
    for (size_t i = 0; i < p->n_sink && !*out; i++)
        ft_sink_error(p->sink[i], out, size);
}

uint64_t ft_pipeline_counted(const struct ft_pipeline *p, enum ft_metric m)
{
    struct ft_stage *s[MAX_STAGES];
    size_t n = all_stages(p, s);
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += ft_counted(&s[i]->counters, m);
    return sum;
}

enum ft_status ft_pipeline_failed(const struct ft_pipeline *p, struct ft_err *err)
{
    struct ft_stage *s[MAX_STAGES];
    size_t n = all_stages(p, s);

    for (size_t i = 0; i < n; i++)
        if (s[i]->started && ft_stage_ended(s[i])) {
            enum ft_status st = ft_stage_join(s[i], -1, err);

            if (st != FT_OK)
                return st;
        }
    return FT_OK;
}

bool ft_pipeline_stop(struct ft_pipeline *p, int timeout_ms)
{
    struct ft_stage *s[MAX_STAGES];
    size_t n = all_stages(p, s);
    int64_t until = ft_now_ms() + timeout_ms;
    bool all = true;

    for (size_t i = 0; i < n; i++)
        ft_stage_stop(s[i]);
    for (size_t i = 0; i < n; i++) {
        int64_t left = until - ft_now_ms();

        all &= ft_stage_join(s[i], left > 0 ? (int)left : 0, NULL) != FT_AGAIN;
    }
    return all;
}

void ft_pipeline_close(struct ft_pipeline *p)
{
    ft_control_stop(p->pipe.control);
    p->pipe.control = NULL;
    ft_stage_free(p->replay);
    for (size_t i = 0; i < p->n_score; i++)
        ft_stage_free(p->score[i]);
    for (size_t i = 0; i < p->n_sink; i++)
        ft_stage_free(p->sink[i]);
    if (p->pipe.bus)
        ft_bus_close(p->pipe.bus);
    if (p->pg)
        ft_pg_stop(p->pg);
    ft_scorer_free(p->scorer);
    ft_scorer_free(p->challenger);
    for (size_t i = 0; i < p->n_loaded; i++)
        ft_scorer_free(p->loaded[i]);
    if (p->lock)
        pthread_mutex_destroy(p->lock);
    free(p->lock);
    *p = (struct ft_pipeline){.app = p->app};
}

struct late {
    int ms, status;
};

static void *end_late(void *arg)
{
    const struct late *l = arg;

    ft_sleep_ms(l->ms);
    _exit(l->status);
}

int ft_pipeline_end(struct ft_pipeline *p, bool ended, int status)
{
    struct late *late =
        malloc(sizeof(*late)); /* the thread's; it may look at it while main returns */
    pthread_t watch;

    fflush(NULL);
    if (!ended)
        _exit(status);
    if (late) {
        *late = (struct late){ft_stop_signal() ? 1000 : 15000, status};
        if (pthread_create(&watch, NULL, end_late, late) == 0)
            pthread_detach(watch);
        else
            free(late);
    }
    ft_pipeline_close(p);
    return status;
}
