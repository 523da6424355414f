#include "alert.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fraudtop/log.h"
#include "fraudtop/store.h"

#define HUNG_MS 60000 /* then a command is killed */
#define AGAIN_MS 5000 /* between two tries to reach the database */
#define TURN_MS 200

/* What of the picture decides. */
struct facts {
    bool kafka_down, pg_down;
    int n_score, n_sink;
    const char *behind; /* the stage whose lag grows, NULL: none */
    int64_t lag;        /* its */
    uint64_t over_limit;
    char kafka_error[160], pg_error[160];
};

enum { KAFKA, PG, SCORE, SINK, LAG, OVER_TIME, N_KINDS }; /* as far as SINK: outages */
static const char *const kind_name[N_KINDS] = {"kafka_down", "pg_down", "score_down",
                                               "sink_down",  "lag",     "over_time"};

/* One kind of trouble: since when, and what of it is still to be written into the database. */
struct trouble {
    int64_t since_ms, at_ms, ended_ms; /* since: monotonic; at, ended: wall clock */
    bool on, to_write;
    char text[240];
};

struct ft_alert {
    const char *command, *conninfo; /* command NULL: none */
    int64_t interval_ms, lag_ms;
    pthread_t thread;
    pthread_mutex_t lock; /* of the facts */
    struct facts seen;
    bool have;
    _Atomic bool stop;

    /* the thread's alone */
    struct trouble trouble[N_KINDS];
    int had_score, had_sink; /* the most that were seen to live */
    char pending[600];
    int64_t ran_ms, db_retry_ms;
    pid_t pid;
    struct ft_store *store;
};

void ft_alert_see(struct ft_alert *a, const struct ft_live *l)
{
    bool score, sink; /* of two that grow the one further behind is told */

    if (!a)
        return;
    score = ft_lag_grows(l->lag_score, l->lag_score_slope);
    sink = ft_lag_grows(l->lag_sink, l->lag_sink_slope) && !(score && l->lag_score >= l->lag_sink);
    pthread_mutex_lock(&a->lock);
    a->have = true;
    a->seen = (struct facts){.kafka_down = l->kafka.state == FT_PART_DOWN,
                             .pg_down = l->pg.state == FT_PART_DOWN,
                             .n_score = l->n_score,
                             .n_sink = l->n_sink,
                             .behind = sink    ? "sink"
                                       : score ? "scorer"
                                               : NULL,
                             .lag = sink ? l->lag_sink : l->lag_score,
                             .over_limit = l->queue_over_limit};
    snprintf(a->seen.kafka_error, sizeof(a->seen.kafka_error), "%s", l->kafka.error);
    snprintf(a->seen.pg_error, sizeof(a->seen.pg_error), "%s", l->pg.error);
    pthread_mutex_unlock(&a->lock);
}

/* ---- what is wrong -------------------------------------------------------------------------------------- */

static bool is_wrong(struct ft_alert *a, int kind, const struct facts *f, char *text, size_t size)
{
    switch (kind) {
    case KAFKA:
        snprintf(text, size, "Kafka is down: %s", f->kafka_error);
        return f->kafka_down;
    case PG:
        snprintf(text, size, "PostgreSQL is down: %s", f->pg_error);
        return f->pg_down;
    case SCORE: /* without Kafka nobody's heartbeat is heard */
        a->had_score = f->n_score > a->had_score ? f->n_score : a->had_score;
        snprintf(text, size, "no scorer lives; there were %d", a->had_score);
        return !f->kafka_down && a->had_score && !f->n_score;
    case SINK:
        a->had_sink = f->n_sink > a->had_sink ? f->n_sink : a->had_sink;
        snprintf(text, size, "no sink lives; there were %d", a->had_sink);
        return !f->kafka_down && a->had_sink && !f->n_sink;
    case LAG:
        snprintf(text, size, "the lag at the %s grows: %lld wait", f->behind ? f->behind : "?",
                 (long long)f->lag);
        return f->behind;
    default:
        snprintf(text, size, "%llu open over the time limit", (unsigned long long)f->over_limit);
        return f->over_limit > 0;
    }
}

static void tell(struct ft_alert *a, const char *text)
{
    size_t n = strlen(a->pending);

    if (strstr(a->pending, text))
        return;
    snprintf(a->pending + n, sizeof(a->pending) - n, "%s%s", n ? "; " : "", text);
}

/* Without a command only outages are. */
static bool is_written(const struct ft_alert *a, int k)
{
    return a->command || k <= SINK;
}

static void end(struct ft_alert *a, int k)
{
    struct trouble *t = &a->trouble[k];

    t->on = false;
    t->ended_ms = ft_wall_ms();
    t->to_write = is_written(a, k);
}

static void judge(struct ft_alert *a, const struct facts *f)
{
    for (int k = 0; k < N_KINDS; k++) {
        struct trouble *t = &a->trouble[k];
        char text[sizeof(t->text)];
        bool wrong = is_wrong(a, k, f, text, sizeof(text));
        int64_t now = ft_now_ms();

        if (!wrong && t->on)
            end(a, k);
        if (!wrong) {
            t->since_ms = 0;
            continue;
        }
        if (!t->since_ms)
            t->since_ms = now;
        if (t->on || now - t->since_ms < (k == LAG ? a->lag_ms : 0))
            continue;
        t->on = true;
        t->to_write = is_written(a, k);
        t->at_ms = ft_wall_ms();
        t->ended_ms = 0;
        snprintf(t->text, sizeof(t->text), "%s", text);
        if (a->command)
            tell(a, text);
    }
}

/* ---- the command ---------------------------------------------------------------------------------------- */

extern char **environ;

static void spawn(struct ft_alert *a)
{
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)a->command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    char reason[sizeof(a->pending) + 16];
    size_t n = 0, k = 0;
    sigset_t none, all;
    char **env;

    while (environ[n])
        n++;
    env = calloc(n + 2, sizeof(*env));
    if (!env)
        return;
    snprintf(reason, sizeof(reason), "FRAUDTOP_ALERT=%s", a->pending);
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "FRAUDTOP_ALERT=", 15) != 0)
            env[k++] = environ[i];
    env[k] = reason;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawn_file_actions_init(&files); /* it has no say on the screen */
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", fd ? 1 : 0, 0);
    if (posix_spawn(&a->pid, "/bin/sh", &files, &attr, argv, env) != 0) {
        a->pid = 0;
        ft_log(FT_ERROR, "alert", "alert.command cannot be run");
    } else {
        ft_log(FT_WARN, "alert", "%s (told by alert.command)", a->pending);
    }
    a->ran_ms = ft_now_ms();
    a->pending[0] = '\0';
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    free(env);
}

static void command(struct ft_alert *a)
{
    int status;

    if (a->pid && waitpid(a->pid, &status, WNOHANG) == a->pid) {
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            ft_log(FT_WARN, "alert", "alert.command failed (status %d)",
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        a->pid = 0;
    }
    if (a->pid && ft_now_ms() - a->ran_ms > HUNG_MS)
        kill(-a->pid, SIGKILL);
    if (a->pending[0] && !a->pid && (!a->ran_ms || ft_now_ms() - a->ran_ms >= a->interval_ms))
        spawn(a);
}

/* ---- the database --------------------------------------------------------------------------------------- */

static void write_down(struct ft_alert *a)
{
    struct ft_err err;

    for (int k = 0; k < N_KINDS; k++) {
        struct trouble *t = &a->trouble[k];
        enum ft_status st;

        if (!t->to_write || ft_now_ms() < a->db_retry_ms)
            continue;
        st = a->store ? FT_OK : ft_store_open(&a->store, a->conninfo, false, 1000, &err);
        if (st == FT_OK)
            st = ft_store_put_alert(a->store, kind_name[k], t->text, t->at_ms, t->ended_ms, &err);
        t->to_write = ft_status_retriable(st);
        if (st == FT_OK)
            continue;
        ft_store_close(a->store);
        a->store = NULL;
        a->db_retry_ms = ft_now_ms() + AGAIN_MS;
    }
}

/* Nobody looks any more: what goes on was seen until now. */
static void end_all(struct ft_alert *a)
{
    if (a->trouble[PG].on) /* and nothing can be written */
        return;
    for (int k = 0; k < N_KINDS; k++)
        if (a->trouble[k].on)
            end(a, k);
    write_down(a);
}

/* ---- the thread ----------------------------------------------------------------------------------------- */

static void *alert_main(void *arg)
{
    struct ft_alert *a = arg;

    while (!a->stop) {
        struct facts f;
        bool have;

        pthread_mutex_lock(&a->lock);
        f = a->seen;
        have = a->have;
        pthread_mutex_unlock(&a->lock);
        if (have)
            judge(a, &f);
        command(a);
        write_down(a);
        ft_sleep_ms(TURN_MS);
    }
    end_all(a);
    ft_store_close(a->store);
    return NULL;
}

enum ft_status ft_alert_start(struct ft_alert **out, const struct ft_app *app, const char *conninfo,
                              bool writes, struct ft_err *err)
{
    const char *cmd = ft_cfg_text(app->cfg, "alert.command");
    struct ft_alert *a;

    *out = NULL;
    cmd = cmd && *cmd ? cmd : NULL;
    if (!cmd && !writes)
        return FT_OK;
    a = calloc(1, sizeof(*a));
    if (!a)
        return ft_fail(err, FT_ENOMEM, "no memory for alerts");
    a->command = cmd;
    a->conninfo = conninfo;
    a->interval_ms = ft_cfg_ms(app->cfg, "alert.interval");
    a->lag_ms = ft_cfg_ms(app->cfg, "alert.lag");
    pthread_mutex_init(&a->lock, NULL);
    if (pthread_create(&a->thread, NULL, alert_main, a) != 0) {
        pthread_mutex_destroy(&a->lock);
        free(a);
        return ft_fail(err, FT_ENOMEM, "no thread for alerts");
    }
    *out = a;
    return FT_OK;
}

void ft_alert_stop(struct ft_alert *a)
{
    if (!a)
        return;
    a->stop = true;
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
