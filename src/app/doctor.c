#include "doctor.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <langinfo.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fraudtop/scoring.h"
#include "fraudtop/store.h"
#include "fraudtop/text.h"
#include "fraudtop/wait.h"
#include "services.h"

/* of a service, and of what only computes (a busy machine is no failure) */
enum { LIMIT_MS = 2000, LOCAL_MS = 15000, LIVING_MS = 10000, MAX_KEYS = 256 };

/* What the heartbeats of living processes say about their secrets. */
struct heartbeats {
    size_t n, n_keys;
    struct {
        char process[80], key[9];
    } key[MAX_KEYS];
};

/*
 * One check and its thread.  Nobody waits for a thread beyond the limit, so what it writes to is never freed: doctor ends
 * soon after, and the console checks once.
 */
struct job {
    const struct ft_app *app;
    void (*run)(struct job *j);
    struct ft_check check;
    struct heartbeats seen; /* of the Kafka check */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

const char *ft_health_name(enum ft_health h)
{
    static const char *const names[] = {"ok", "none", "warning", "failed"};

    return names[h];
}

static void found(struct job *j, enum ft_health h, const char *hint, const char *fmt, ...)
    FT_PRINTF(4, 5);

static void found(struct job *j, enum ft_health h, const char *hint, const char *fmt, ...)
{
    va_list args;

    j->check.health = h;
    va_start(args, fmt);
    vsnprintf(j->check.text, sizeof(j->check.text), fmt, args);
    va_end(args);
    snprintf(j->check.hint, sizeof(j->check.hint), "%s", hint);
}

static void failed(struct job *j, enum ft_status st, const struct ft_err *err, const char *hint)
{
    found(j, FT_HEALTH_FAILED, hint, "%s", err->text);
    j->check.status = st;
}

/* ---- terminal ------------------------------------------------------------------------------------- */

static void check_terminal(struct job *j)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    struct winsize size = {0};

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        found(j, FT_HEALTH_NONE, "without one: fraudtop watch --plain",
              "standard %s is no terminal", isatty(STDIN_FILENO) ? "output" : "input");
        return;
    }
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    if (!term || !*term || strcmp(term, "dumb") == 0) {
        found(j, FT_HEALTH_FAILED, "set TERM to what your terminal is, e.g. TERM=xterm-256color",
              "TERM is %s: the console needs a terminal whose cursor moves",
              term && *term ? term : "not set");
        j->check.status = FT_EUSAGE;
        return;
    }
    found(j, size.ws_col && size.ws_col < 80 ? FT_HEALTH_WARN : FT_HEALTH_OK,
          size.ws_col && size.ws_col < 80
              ? "80 x 24 shows everything; below that the layout is compact"
          : utf8 ? ""
                 : "for block characters: LC_CTYPE=C.UTF-8",
          "%d x %d, %s, %s%s", size.ws_col, size.ws_row, term, utf8 ? "UTF-8" : "ASCII",
          no_color && *no_color ? ", NO_COLOR" : "");
}

/* ---- model ---------------------------------------------------------------------------------------- */

static void check_model(struct job *j)
{
    struct ft_scorer *s;
    struct ft_err err = {""};
    const char *name = ft_app_model(j->app);
    enum ft_status st = ft_scorer_load(&s, name, j->app->data_dir, false, &err);
    const struct ft_scorer_info *i;

    if (st != FT_OK) {
        failed(j, st, &err, "name a model with -m; fraudtop model check -m MODEL says more");
        return;
    }
    i = ft_scorer_info(s);
    found(j, FT_HEALTH_OK, "", "%s %s (%s): %zu features, %zu trees, threshold %g", i->name,
          i->version, i->digest, i->n_features, i->n_trees, i->threshold);
    ft_scorer_free(s);
}

/* ---- kafka ---------------------------------------------------------------------------------------- */

static int remaining(int64_t end)
{
    int64_t left = end - ft_now_ms();

    return left > 0 ? (int)left : 0;
}

static const char *member(const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(m) ? m->valuestring : "";
}

/* A heartbeat of a process that lives; a later one of the same process takes its place. */
static void note(struct heartbeats *h, const struct ft_msg *m)
{
    cJSON *o = m->value.p ? cJSON_ParseWithLength(m->value.p, m->value.n) : NULL;
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, "at_ms");
    const cJSON *pid = cJSON_GetObjectItemCaseSensitive(o, "pid");
    char process[80];
    size_t i = 0;

    if (cJSON_IsNumber(at) && ft_wall_ms() - (int64_t)at->valuedouble < LIVING_MS &&
        strcmp(member(o, "state"), "gone") != 0) {
        char host[40];

        host[ft_text_clean(host, sizeof(host) - 1, ft_span_of(member(o, "host")))] = '\0';
        snprintf(process, sizeof(process), "%.10s %s %d", member(o, "role"), host,
                 cJSON_IsNumber(pid) ? pid->valueint : 0);
        while (i < h->n && strcmp(h->key[i].process, process) != 0)
            i++;
        if (i < MAX_KEYS) {
            snprintf(h->key[i].process, sizeof(h->key[i].process), "%s", process);
            snprintf(h->key[i].key, sizeof(h->key[i].key), "%s", member(o, "key"));
            if (i == h->n)
                h->n++;
        }
    }
    cJSON_Delete(o);
}

static void read_heartbeats(struct job *j, struct ft_bus *bus, const char *topic, int64_t end)
{
    struct ft_consumer_opts opts = {.eof_events = true, .queued_kbytes = 1024};
    struct ft_assigned part = {.topic = topic, .partition = 0, .start = FT_START_EARLIEST};
    struct ft_consumer *c;
    struct ft_err err;
    struct ft_msg m;

    if (ft_consumer_new(&c, bus, &opts, &err) != FT_OK)
        return;
    if (ft_consumer_assign(c, &part, 1, &err) == FT_OK)
        while (remaining(end)) {
            enum ft_status st = ft_consumer_poll(c, remaining(end), &m, &err);

            if (st == FT_END || st == FT_EFATAL)
                break;
            if (st != FT_OK)
                continue;
            note(&j->seen, &m);
            ft_msg_done(&m);
        }
    ft_consumer_close(c, 200);
}

static bool has_topic(const struct ft_topic_info *t, size_t n, const char *name, int *partitions)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(t[i].name, name) == 0) {
            *partitions = t[i].partitions;
            return true;
        }
    return false;
}

static void look_at_topics(struct job *j, struct ft_bus *bus, int64_t end)
{
    struct ft_topics names;
    struct ft_topic_info *topics;
    struct ft_err err;
    size_t n;
    int in = 0, out = 0, one = 0;
    enum ft_status st = ft_bus_topics(bus, remaining(end), &topics, &n, &err);

    if (st != FT_OK) {
        failed(j, st, &err, "does this user have the right to list topics?");
        return;
    }
    ft_topics_from(&names, j->app->cfg);
    if (has_topic(topics, n, names.status, &one))
        read_heartbeats(j, bus, names.status, end);
    if (has_topic(topics, n, names.transactions, &in) && has_topic(topics, n, names.scoring, &out))
        found(j, FT_HEALTH_OK, "",
              "%s: topics %s (%d partitions) and %s (%d); processes of ours that live: %zu",
              ft_cfg_text(j->app->cfg, "service.brokers"), names.transactions, in, names.scoring,
              out, j->seen.n);
    else
        found(j, FT_HEALTH_OK,
              ft_cfg_flag(j->app->cfg, "topics.create")
                  ? "the topics are made when the first stage starts"
                  : "make them by hand, or set topics.create = on",
              "%s: reached; no topic %s yet", ft_cfg_text(j->app->cfg, "service.brokers"),
              in ? names.scoring : names.transactions);
    free(topics);
}

static void check_kafka(struct job *j)
{
    struct ft_bus_opts opts = ft_app_bus_opts(j->app, false);
    int64_t end = ft_now_ms() + LIMIT_MS - 200;
    struct ft_bus *bus;
    struct ft_err err = {""};
    char id[64];
    enum ft_status st = ft_bus_open(&bus, &opts, &err);

    if (st != FT_OK) {
        failed(j, st, &err,
               "see fraudtop-config(5), section [kafka]; -X list prints the properties");
        return;
    }
    st = ft_bus_cluster_id(bus, remaining(end), id, sizeof(id), &err);
    if (st == FT_OK)
        look_at_topics(j, bus, end);
    else if (ft_app_has_brokers(j->app))
        failed(j, st, &err, "is it running, and is the address right (-b HOST:PORT)?");
    else
        found(j, FT_HEALTH_NONE, "run and demo bring their own; for a real one: -b HOST:PORT",
              "not configured, and none at %s", opts.brokers);
    ft_bus_close(bus);
}

/* ---- postgres ------------------------------------------------------------------------------------- */

static void check_postgres(struct job *j)
{
    const char *conninfo = ft_cfg_text(j->app->cfg, "service.database");
    struct ft_store *s;
    struct ft_err err = {""};
    enum ft_status st = ft_store_open(&s, conninfo, false, LIMIT_MS - 200, &err);

    if (st == FT_OK) {
        found(j, FT_HEALTH_OK, "", "%s: reached", *conninfo ? conninfo : "libpq's defaults");
        ft_store_close(s);
    } else if (ft_app_has_database(j->app)) {
        failed(j, st, &err,
               st == FT_EUNREACHABLE ? "is it running, and is the address right (-d CONNINFO)?"
                                     : "check user, database and password (.pgpass, PGPASSWORD); "
                                       "psql takes the same -d");
    } else {
        found(j, FT_HEALTH_NONE, "run and demo bring their own; for a real one: -d 'dbname=fraud'",
              "not configured: %s", err.text);
    }
}

/* ---- state folder, secret --------------------------------------------------------------------------- */

static void check_state(struct job *j)
{
    struct statvfs v;
    char free_bytes[32];

    if (access(j->app->state_dir, W_OK | X_OK) != 0) {
        found(j, FT_HEALTH_FAILED, "make it writable, or set XDG_STATE_HOME", "%s: %s",
              j->app->state_dir, strerror(errno));
        j->check.status = FT_EIO;
        return;
    }
    if (statvfs(j->app->state_dir, &v) != 0)
        memset(&v, 0, sizeof(v));
    ft_fmt_bytes(free_bytes, sizeof(free_bytes), (uint64_t)v.f_bavail * v.f_frsize);
    if ((uint64_t)v.f_bavail * v.f_frsize < UINT64_C(100) << 20)
        found(j, FT_HEALTH_WARN, "journals and the private database need room", "%s: %s free",
              j->app->state_dir, free_bytes);
    else
        found(j, FT_HEALTH_OK, "", "%s, %s free", j->app->state_dir, free_bytes);
}

/* After the others: compares our secret with what the heartbeats say. */
static void check_key(struct job *j, const struct heartbeats *h)
{
    char path[1200], print[9], others[120] = "";
    const char *file = ft_cfg_text(j->app->cfg, "key.file");
    uint8_t secret[16];
    struct ft_err err = {""};
    size_t differ = 0;
    enum ft_status st;

    snprintf(path, sizeof(path), "%s/key.secret", j->app->state_dir);
    if (!ft_cfg_is_set(j->app->cfg, "key.secret") && !file && access(path, F_OK) != 0) {
        found(j, h->n ? FT_HEALTH_WARN : FT_HEALTH_NONE,
              h->n ? "copy key.secret from a machine of the pipeline, or set key.secret" : "",
              "%s: made at first use", path);
        return;
    }
    st = ft_app_secret(j->app, secret, &err);
    if (st != FT_OK) {
        failed(j, st, &err, "");
        return;
    }
    ft_secret_print(secret, print);
    for (size_t i = 0; i < h->n; i++)
        if (*h->key[i].key && strcmp(h->key[i].key, print) != 0 && differ++ == 0)
            snprintf(others, sizeof(others), "%s has %s", h->key[i].process, h->key[i].key);
    if (differ)
        found(j, FT_HEALTH_FAILED,
              "one customer has two keys now: give all processes the same key.secret",
              "%s differs in %zu of %zu processes: %s", print, differ, h->n, others);
    else
        found(j, FT_HEALTH_OK, "", "%s%s", print,
              h->n ? ", the same in all processes" : " (no other process to compare with)");
    j->check.status = differ ? FT_EUSAGE : FT_OK;
}

/* ---- all at the same time ----------------------------------------------------------------------------- */

static void *thread(void *arg)
{
    struct job *j = arg;
    int64_t start = ft_now_ms();

    j->run(j);
    pthread_mutex_lock(&j->lock);
    j->check.ms = (int)(ft_now_ms() - start);
    j->done = true;
    pthread_cond_signal(&j->ended);
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

static struct job *start(const struct ft_app *app, const char *name, void (*run)(struct job *j))
{
    struct job *j = calloc(1, sizeof(*j));
    pthread_t t;

    if (!j)
        return NULL;
    j->app = app;
    j->run = run;
    j->check.name = name;
    pthread_mutex_init(&j->lock, NULL);
    ft_cond_init(&j->ended);
    if (pthread_create(&t, NULL, thread, j) != 0) {
        free(j);
        return NULL;
    }
    pthread_detach(t);
    return j;
}

/* Copies the result when it is there in time; the heartbeats too. */
static void take(struct job *j, const char *name, int64_t begun_ms, int limit_ms,
                 struct ft_check *out, struct heartbeats *seen)
{
    *out = (struct ft_check){
        .name = name, .health = FT_HEALTH_FAILED, .status = FT_EUNREACHABLE, .ms = limit_ms};
    snprintf(out->text, sizeof(out->text), "no answer within %d s", limit_ms / 1000);
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    while (!j->done && ft_cond_wait(&j->ended, &j->lock, begun_ms + limit_ms))
        ;
    if (j->done) {
        *out = j->check;
        if (seen)
            *seen = j->seen;
    }
    pthread_mutex_unlock(&j->lock);
}

void ft_doctor_checks(const struct ft_app *app, struct ft_check out[FT_N_CHECKS])
{
    static const struct {
        const char *name;
        void (*run)(struct job *j);
    } checks[FT_N_CHECKS] = {
        [FT_CHECK_TERMINAL] = {"terminal", check_terminal},
        [FT_CHECK_MODEL] = {"model",    check_model   },
        [FT_CHECK_KAFKA] = {"kafka",    check_kafka   },
        [FT_CHECK_POSTGRES] = {"postgres", check_postgres},
        [FT_CHECK_KEY] = {"key",      NULL          },
        [FT_CHECK_STATE] = {"state",    check_state   },
    };
    int64_t begun = ft_now_ms();
    struct job *job[FT_N_CHECKS] = {NULL};
    struct heartbeats *seen = calloc(1, sizeof(*seen));
    struct job key = {.app = app, .check = {.name = "key"}};

    for (int i = 0; i < FT_N_CHECKS; i++)
        if (checks[i].run)
            job[i] = start(app, checks[i].name, checks[i].run);
    for (int i = 0; i < FT_N_CHECKS; i++)
        if (checks[i].run)
            take(job[i], checks[i].name, begun,
                 i == FT_CHECK_KAFKA || i == FT_CHECK_POSTGRES ? LIMIT_MS : LOCAL_MS, &out[i],
                 i == FT_CHECK_KAFKA ? seen : NULL);
    if (seen)
        check_key(&key, seen);
    out[FT_CHECK_KEY] = key.check;
    free(seen);
}
