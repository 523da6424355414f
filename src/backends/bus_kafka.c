/* The Kafka bus: handles, their callbacks, health, and what errors mean. */
#include "bus_kafka.h"

#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "fraudtop/wait.h"

#define LOG_PAUSE_MS 10000
#define HUNG_US 5000000 /* a request unanswered and nothing received for so long */

static struct kb_bus *kb(struct ft_bus *bus)
{
    return (struct kb_bus *)bus;
}

/* ---- what errors mean ------------------------------------------------------------------------------ */

const char *kb_text(rd_kafka_resp_err_t e)
{
    const char *text = rd_kafka_err2str(e), *colon = strstr(text, ": ");

    return strncmp(text, "Local: ", 7) == 0 || strncmp(text, "Broker: ", 8) == 0 ? colon + 2 : text;
}

enum ft_status kb_status(rd_kafka_resp_err_t e)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return FT_OK;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return FT_EUSAGE;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return FT_EINPUT;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        return FT_ESTOPPED;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return FT_AGAIN;
    /* A partition was taken away meanwhile, or is about to be. */
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
        return FT_AGAIN;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return FT_EFENCED;
    case RD_KAFKA_RESP_ERR__FATAL:
        return FT_EFATAL;
    default:
        return FT_EUNREACHABLE;
    }
}

enum ft_status kb_fatal(const struct kb_client *c, struct ft_err *err)
{
    char text[300] = "";
    rd_kafka_resp_err_t e = rd_kafka_fatal_error(c->rk, text, sizeof(text));

    if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
        return FT_OK;
    return ft_fail(err, kb_status(e) == FT_EFENCED ? FT_EFENCED : FT_EFATAL, "kafka: %s", text);
}

int kb_left(int64_t deadline_ms)
{
    int64_t left = deadline_ms - ft_now_ms();

    return left < 1 ? 1 : left > 3600000 ? 3600000 : (int)left;
}

/* ---- health ---------------------------------------------------------------------------------------- */

static void set_health(struct kb_bus *b, bool up, const char *why)
{
    struct ft_bus_health *h = &b->health;

    if (!h->known || h->up != up) {
        h->since_ms = ft_now_ms();
        if (h->known || !up)
            ft_log(up ? FT_INFO : FT_WARN, "kafka", up ? "%s answers again" : "%s: %s", b->brokers,
                   why);
    }
    h->known = true;
    b->reached |= up;
    h->up = up;
    if (!up)
        snprintf(h->error, sizeof(h->error), "%s", why);
    atomic_store_explicit(&b->up, up, memory_order_relaxed);
}

void kb_up(struct kb_bus *b)
{
    if (atomic_load_explicit(&b->up, memory_order_relaxed))
        return;
    pthread_mutex_lock(&b->lock);
    b->n_refused = 0;
    set_health(b, true, "");
    pthread_mutex_unlock(&b->lock);
}

void kb_down(struct kb_bus *b, const char *why)
{
    pthread_mutex_lock(&b->lock);
    set_health(b, false, *why ? why : "no broker can be reached");
    pthread_mutex_unlock(&b->lock);
}

static void kb_health(struct ft_bus *bus, struct ft_bus_health *out)
{
    struct kb_bus *b = kb(bus);

    if (pthread_mutex_trylock(&b->admin_lock) == 0) {
        if (b->admin.rk)
            rd_kafka_poll(b->admin.rk, 0); /* or its news would heap up */
        pthread_mutex_unlock(&b->admin_lock);
    }
    pthread_mutex_lock(&b->lock);
    *out = b->health;
    pthread_mutex_unlock(&b->lock);
}

/* ---- callbacks of every handle --------------------------------------------------------------------- */

/* Trouble of connections repeats itself with every try: one line of a kind in ten seconds is enough. */
static bool worth_a_line(struct kb_bus *b, const char *fac)
{
    size_t slot = 0;
    int64_t now = ft_now_ms();
    bool worth;

    for (const char *p = fac; *p; p++)
        slot = slot * 31 + (unsigned char)*p;
    slot %= sizeof(b->logged) / sizeof(*b->logged);
    pthread_mutex_lock(&b->lock);
    worth = strncmp(b->logged[slot].fac, fac, sizeof(b->logged[slot].fac) - 1) != 0 ||
            now - b->logged[slot].at_ms >= LOG_PAUSE_MS;
    if (worth) {
        snprintf(b->logged[slot].fac, sizeof(b->logged[slot].fac), "%s", fac);
        b->logged[slot].at_ms = now;
    }
    pthread_mutex_unlock(&b->lock);
    return worth;
}

/* Said better elsewhere, or no trouble: a producer's property given to a consumer (-X does), lost connections (told by
 * on_error), what is retried by itself, messages dropped on purpose. */
static bool is_noise(const char *fac)
{
    static const char *const noise[] = {"CONFWARN", "FAIL",      "ERROR",
                                        "GETPID",   "TERMINATE", "APIVERSION"};

    for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++)
        if (strcmp(fac, noise[i]) == 0)
            return true;
    return false;
}

/* From any thread of the library. */
static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    const struct kb_client *c = rd_kafka_opaque(rk);
    const char *end;

    if (strncmp(text, "[thrd:", 6) == 0 && (end = strstr(text, "]: ")))
        text = end + 3;
    if (level > 4 || is_noise(fac) || !worth_a_line(c->bus, fac))
        ft_log(FT_DEBUG, "kafka", "%s: %s", fac, text);
    else
        ft_log(FT_WARN, "kafka", "%s", text);
}

/*
 * "sasl_ssl://kafka1:9093/bootstrap: SSL handshake failed: ... (after 3ms in state CONNECT)": what people need of it,
 * "SSL handshake failed: ...", with the broker's name before it unless it is the only one configured.
 */
static void shorten(char *out, size_t size, const struct kb_bus *b, const char *reason)
{
    const char *scheme = strstr(reason, "://"), *name = scheme ? scheme + 3 : reason;
    const char *slash = strchr(name, '/'), *text = slash ? strstr(slash, ": ") : NULL;
    const char *after = strstr(reason, " (after ");
    char *hint;
    size_t n;

    if (!text || memchr(name, ' ', (size_t)(slash - name))) /* no broker's name in front */
        snprintf(out, size, "%s", reason);
    else if (strlen(b->brokers) == (size_t)(slash - name) &&
             memcmp(b->brokers, name, (size_t)(slash - name)) == 0)
        snprintf(out, size, "%s", text + 2);
    else
        snprintf(out, size, "%.*s%s", (int)(slash - name), name, text);
    if (b->reached && (hint = strstr(out, ": verify that"))) /* it has worked with these settings */
        *hint = '\0';
    n = after ? strlen(after) : 0;
    if (n && strlen(out) > n && strcmp(out + strlen(out) - n, after) == 0)
        out[strlen(out) - n] = '\0';
}

/*
 * The library's text of a refused certificate does not say why.  The codes are those of X509_STORE_CTX_get_error(3), which
 * do not change.
 */
static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t id, int *x509_error,
                          int depth, const char *der, size_t n, char *why, size_t size,
                          void *opaque)
{
    static const struct {
        int code;
        const char *text;
    } known[] = {
        {9,  "is not valid yet (look at the clocks)"                                           },
        {10, "has expired: the broker needs a new one"                                         },
        {18, "is signed by itself: name it, or its authority, in ssl.ca.location"              },
        {19, "is signed by an authority that ssl.ca.location does not name"                    },
        {20, "is signed by an authority that ssl.ca.location does not name"                    },
        {21, "is signed by an authority that ssl.ca.location does not name"                    },
        {62, "is for another host name: use the name in it with -b, or give the broker another"},
        {64, "is for another address: use the name in it with -b, or give the broker another"  },
    };
    struct kb_bus *b = ((struct kb_client *)opaque)->bus;
    const char *text = "cannot be verified: look at ssl.ca.location";

    (void)rk, (void)id, (void)depth, (void)der, (void)n;
    if (*x509_error == 0)
        return 1;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == *x509_error)
            text = known[i].text;
    snprintf(why, size, "%s: the certificate %s", broker, text);
    pthread_mutex_lock(&b->lock);
    snprintf(b->certificate, sizeof(b->certificate), "the broker's certificate %s", text);
    pthread_mutex_unlock(&b->lock);
    return 0;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kb_client *c = opaque;
    struct kb_bus *b = c->bus;
    rd_kafka_resp_err_t e = (rd_kafka_resp_err_t)code;
    char text[300], *tail;

    (void)rk;
    if (e == RD_KAFKA_RESP_ERR__FATAL) {
        c->fatal = true;
        return;
    }
    pthread_mutex_lock(&b->lock);
    shorten(text, sizeof(text), b, reason);
    /* A handshake that fails at its first step comes as trouble of the connection. */
    if (b->certificate[0] && (tail = strstr(text, "certificate verify failed"))) {
        e = RD_KAFKA_RESP_ERR__SSL;
        snprintf(tail, sizeof(text) - (size_t)(tail - text), "%s", b->certificate);
    }
    if (e == RD_KAFKA_RESP_ERR__AUTHENTICATION || e == RD_KAFKA_RESP_ERR__SSL)
        b->n_refused++;
    if (e != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !b->trouble[0])
        snprintf(b->trouble, sizeof(b->trouble), "%s", text);
    if (e == RD_KAFKA_RESP_ERR__AUTHENTICATION || e == RD_KAFKA_RESP_ERR__SSL ||
        e == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        set_health(b, false, b->trouble);
    else if (b->health.known && !b->health.up) /* why it is still down */
        snprintf(b->health.error, sizeof(b->health.error), "%s", b->trouble);
    snprintf(c->news, sizeof(c->news), "%s", b->trouble);
    pthread_mutex_unlock(&b->lock);
}

static int64_t number_after(const char *from, const char *end, const char *name)
{
    const char *at = strstr(from, name);

    return at && at < end ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/*
 * A broker that hangs keeps its connections: only the statistics show that requests wait and nothing comes.  The text
 * is the library's own (STATISTICS.md), each broker an object with these members in this order.
 */
static int on_stats(rd_kafka_t *rk, char *json, size_t n, void *opaque)
{
    struct kb_client *c = opaque;
    const char *at = strstr(json, "\"brokers\":"), *end = json + n, *topics;
    bool answers = false, hangs = false;

    (void)rk;
    topics = at ? strstr(at, "\"topics\":") : NULL;
    end = topics ? topics : end;
    while (at && (at = strstr(at, "\"state\":\"")) && at < end) {
        const char *next = strstr(at + 1, "\"state\":\"");
        const char *stop = next && next < end ? next : end;
        bool is_up = strncmp(at, "\"state\":\"UP\"", 12) == 0;
        bool silent = number_after(at, stop, "\"rxidle\":") > HUNG_US;

        hangs |= is_up && silent && number_after(at, stop, "\"waitresp_cnt\":") > 0;
        answers |= is_up && !silent; /* one that was asked nothing tells nothing */
        at++;
    }
    if (answers)
        kb_up(c->bus);
    else if (hangs)
        kb_down(c->bus, "the broker is connected but does not answer");
    return 0;
}

/* ---- handles --------------------------------------------------------------------------------------- */

enum ft_status kb_client_new(struct kb_client *c, struct kb_bus *b, rd_kafka_type_t type,
                             rd_kafka_conf_t *conf, struct ft_err *err)
{
    char text[300];

    c->bus = b;
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_stats);
    (void)!rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
    c->rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (!c->rk) {
        rd_kafka_conf_destroy(conf);
        return ft_fail(err, FT_EUSAGE, "kafka: %s", text);
    }
    return FT_OK;
}

struct grave {
    rd_kafka_t *rk;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool gone, left; /* destroyed; nobody waits any more */
};

static void grave_free(struct grave *g)
{
    pthread_cond_destroy(&g->done);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static void *bury(void *user)
{
    struct grave *g = user;
    bool left;

    rd_kafka_destroy_flags(g->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    pthread_mutex_lock(&g->lock);
    g->gone = true;
    left = g->left;
    pthread_cond_signal(&g->done);
    pthread_mutex_unlock(&g->lock);
    if (left)
        grave_free(g);
    return NULL;
}

/* rd_kafka_destroy may wait for ever (faults of 2.0 to 2.6), so another thread does it and we wait for that. */
bool kb_client_destroy(struct kb_client *c, int timeout_ms)
{
    int64_t deadline = ft_now_ms() + timeout_ms;
    struct grave *g = calloc(1, sizeof(*g));
    pthread_t thread;
    bool gone;

    if (!c->rk) {
        free(g);
        return true;
    }
    if (!g)
        return false;
    g->rk = c->rk;
    pthread_mutex_init(&g->lock, NULL);
    ft_cond_init(&g->done);
    if (pthread_create(&thread, NULL, bury, g) != 0) {
        grave_free(g);
        return false;
    }
    pthread_detach(thread);
    pthread_mutex_lock(&g->lock);
    while (!g->gone && ft_cond_wait(&g->done, &g->lock, deadline))
        ;
    gone = g->gone;
    g->left = true;
    pthread_mutex_unlock(&g->lock);
    if (gone) {
        grave_free(g);
        return true;
    }
    ft_log(FT_WARN, "kafka", "a client did not end within %d ms: it is left behind", timeout_ms);
    pthread_mutex_lock(&c->bus->lock);
    c->bus->abandoned = true;
    pthread_mutex_unlock(&c->bus->lock);
    return false;
}

enum ft_status kb_asker_new(struct kb_client *c, struct kb_bus *b, const char *group,
                            struct ft_err *err)
{
    static const struct ft_prop own = {"statistics.interval.ms", "0"};
    rd_kafka_conf_t *conf = NULL;
    enum ft_status st = kb_conf_new(&conf, b, KB_CONSUMER, &own, 1, err);

    if (st == FT_OK)
        st = kb_conf_set(conf, "isolation.level", "read_uncommitted", err);
    if (st == FT_OK)
        st = kb_conf_set(conf, "group.id", group, err);
    if (st == FT_OK)
        return kb_client_new(c, b, RD_KAFKA_CONSUMER, conf, err);
    if (conf)
        rd_kafka_conf_destroy(conf);
    return st;
}

static enum ft_status add_asker(struct kb_bus *b, const char *group, struct kb_asker **out,
                                struct ft_err *err)
{
    struct kb_asker *a = calloc(1, sizeof(*a) + strlen(group) + 1);
    enum ft_status st =
        a ? kb_asker_new(&a->client, b, group, err) : ft_fail(err, FT_ENOMEM, "kafka: no memory");

    if (st != FT_OK) {
        free(a);
        return st;
    }
    strcpy(a->group, group);
    a->next = b->asker;
    *out = b->asker = a;
    return FT_OK;
}

static enum ft_status admin_new(struct kb_client *c, struct kb_bus *b, struct ft_err *err)
{
    rd_kafka_conf_t *conf;
    enum ft_status st = kb_conf_new(&conf, b, KB_ADMIN, NULL, 0, err);

    return st == FT_OK ? kb_client_new(c, b, RD_KAFKA_PRODUCER, conf, err) : st;
}

enum ft_status kb_describer(struct kb_bus *b, struct kb_client **out, struct ft_err *err)
{
    enum ft_status st;
    struct kb_client *c;

    pthread_mutex_lock(&b->admin_lock);
    c = b->describer;
    b->describer = NULL;
    pthread_mutex_unlock(&b->admin_lock);
    *out = c;
    if (c) {
        rd_kafka_poll(c->rk, 0); /* or its news would heap up */
        return FT_OK;
    }
    c = calloc(1, sizeof(*c));
    st = c ? admin_new(c, b, err) : ft_fail(err, FT_ENOMEM, "kafka: no memory");
    if (st == FT_OK)
        *out = c;
    else
        free(c);
    return st;
}

void kb_describer_done(struct kb_client *c, bool answered)
{
    struct kb_bus *b = c->bus;

    pthread_mutex_lock(&b->admin_lock);
    if (answered && !b->describer) {
        b->describer = c;
        c = NULL;
    }
    pthread_mutex_unlock(&b->admin_lock);
    if (c && kb_client_destroy(c, 1000))
        free(c);
}

enum ft_status kb_asker_get(struct kb_bus *b, const char *group, rd_kafka_t **rk,
                            struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct kb_asker *a;

    pthread_mutex_lock(&b->admin_lock);
    for (a = b->asker; a && strcmp(a->group, group) != 0;)
        a = a->next;
    if (!a)
        st = add_asker(b, group, &a, err);
    if (st == FT_OK) {
        *rk = a->client.rk;
        rd_kafka_poll(*rk, 0); /* or its news would heap up */
    }
    pthread_mutex_unlock(&b->admin_lock);
    return st;
}

/* ---- reaching a broker ----------------------------------------------------------------------------- */

static enum ft_status admin_get(struct kb_bus *b, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    pthread_mutex_lock(&b->admin_lock);
    if (!b->admin.rk)
        st = admin_new(&b->admin, b, err);
    pthread_mutex_unlock(&b->admin_lock);
    return st;
}

enum ft_status kb_reach(struct kb_bus *b, int64_t deadline_ms, struct ft_err *err)
{
    enum ft_status st = admin_get(b, err);

    if (st != FT_OK)
        return st;
    for (;;) {
        const struct rd_kafka_metadata *md = NULL;
        int left = kb_left(deadline_ms);
        rd_kafka_resp_err_t e =
            rd_kafka_metadata(b->admin.rk, 0, NULL, &md, left < 300 ? left : 300);

        if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(md);
            rd_kafka_poll(b->admin.rk, 0);
            kb_up(b);
            return FT_OK;
        }
        rd_kafka_poll(b->admin.rk, 0);
        pthread_mutex_lock(&b->lock);
        if (b->n_refused >= 2)
            st = ft_fail(err, FT_EUSAGE, "%s: refused: %s", b->brokers, b->trouble);
        else if (ft_now_ms() >= deadline_ms)
            st = ft_fail(err, FT_EUNREACHABLE, "%s: %s", b->brokers,
                         b->trouble[0] ? b->trouble : kb_text(e));
        pthread_mutex_unlock(&b->lock);
        if (st != FT_OK)
            return st;
    }
}

/* ---- the bus --------------------------------------------------------------------------------------- */

static void kb_free(struct kb_bus *b)
{
    for (size_t i = 0; i < b->n_prop; i++) {
        free((char *)b->prop[i].name);
        free((char *)b->prop[i].value);
    }
    free(b->prop);
    free(b->brokers);
    free(b->client_id);
    pthread_mutex_destroy(&b->lock);
    pthread_mutex_destroy(&b->admin_lock);
    free(b);
}

static void kb_close(struct ft_bus *bus)
{
    struct kb_bus *b = kb(bus);
    struct kb_asker *next;

    for (struct kb_asker *a = b->asker; a; a = next) {
        next = a->next;
        if (kb_client_destroy(&a->client, 1000)) /* or its callbacks may still come */
            free(a);
    }
    if (b->describer && kb_client_destroy(b->describer, 1000))
        free(b->describer);
    if (kb_client_destroy(&b->admin, 3000) && !b->abandoned)
        kb_free(b);
}

static const struct ft_bus_ops kafka_ops = {
    .embedded = false,
    .close = kb_close,
    .cluster_id = kb_cluster_id,
    .health = kb_health,
    .ensure_topics = kb_ensure_topics,
    .topics = kb_topics,
    .partitions = kb_partitions,
    .count = kb_count,
    .owners = kb_owners,
    .offset_at = kb_offset_at,
    .producer_new = kb_producer_new,
    .send = kb_send,
    .producer_poll = kb_producer_poll,
    .pending = kb_pending,
    .flush = kb_flush,
    .producer_free = kb_producer_free,
    .txn_init = kb_txn_init,
    .txn_begin = kb_txn_begin,
    .txn_offsets = kb_txn_offsets,
    .txn_commit = kb_txn_commit,
    .txn_abort = kb_txn_abort,
    .consumer_new = kb_consumer_new,
    .assign = kb_consumer_assign,
    .poll = kb_consumer_poll,
    .done = kb_msg_done,
    .headers = kb_msg_headers,
    .pause = kb_consumer_pause,
    .seek = kb_consumer_seek,
    .commit = kb_consumer_commit,
    .committed = kb_consumer_committed,
    .lag = kb_consumer_lag,
    .consumer_close = kb_consumer_close,
};

/* Versions with faults that no setting of ours avoids. */
static void warn_version(void)
{
    int v = rd_kafka_version();

    if (v >= 0x02050000 && v < 0x02050300)
        ft_log(FT_WARN, "kafka", "librdkafka %s can abort (fixed in 2.5.3): update it, or set %s",
               rd_kafka_version_str(), "enable.metrics.push=false");
    else if (v >= 0x020a0000 && v < 0x020a0100)
        ft_log(FT_WARN, "kafka", "librdkafka %s can loop at the start (fixed in 2.10.1): update it",
               rd_kafka_version_str());
}

static bool copy_opts(struct kb_bus *b, const struct ft_bus_opts *opts)
{
    b->brokers = strdup(opts->brokers);
    b->client_id = opts->client_id ? strdup(opts->client_id) : NULL;
    b->prop = calloc(opts->n_prop ? opts->n_prop : 1, sizeof(*b->prop));
    if (!b->brokers || (opts->client_id && !b->client_id) || !b->prop)
        return false;
    for (; b->n_prop < opts->n_prop; b->n_prop++) {
        struct ft_prop *p = &b->prop[b->n_prop];

        p->name = strdup(opts->prop[b->n_prop].name);
        p->value = p->name ? strdup(opts->prop[b->n_prop].value) : NULL;
        if (!p->value) {
            free((char *)p->name);
            return false;
        }
    }
    return true;
}

enum ft_status ft_bus_open_kafka(struct ft_bus **out, const struct ft_bus_opts *opts,
                                 struct ft_err *err)
{
    struct kb_bus *b = calloc(1, sizeof(*b));
    enum ft_status st;

    if (!b)
        return ft_fail(err, FT_ENOMEM, "kafka: no memory");
    b->ops = &kafka_ops;
    b->unsafe = opts->unsafe;
    pthread_mutex_init(&b->lock, NULL);
    pthread_mutex_init(&b->admin_lock, NULL);
    st = copy_opts(b, opts) ? kb_props_check(b, err) : ft_fail(err, FT_ENOMEM, "kafka: no memory");
    if (st != FT_OK) {
        kb_free(b);
        return st;
    }
    warn_version();
    *out = (struct ft_bus *)b;
    return FT_OK;
}
