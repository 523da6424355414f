/*
 * Taking a partition over: what a former owner left open is ended, then the state is restored from the changelog, or made
 * anew from the transactions themselves.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "stage_score.h"

#define CALL_MS 1000
#define CREW 4 /* partitions that are taken over at once */
#define RESTORE_KBYTES (65536 / CREW)
#define ANEW_KEY "anew"   /* of the record before those of a state that was made anew */
#define REBUILD_MS 600000 /* a state that is written anew is one transaction */

/* ---- the topic --------------------------------------------------------------------------------------- */

static enum ft_status count_partitions(struct ft_sc *c, int *in, int *have, struct ft_err *err)
{
    const struct ft_topics *t = &c->s.pipe->topics;
    struct ft_topic_info *info = NULL;
    size_t n = 0;
    enum ft_status st = ft_bus_topics(c->s.pipe->bus, CALL_MS, &info, &n, err);

    *in = *have = 0;
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        if (strcmp(info[i].name, t->transactions) == 0)
            *in = info[i].partitions;
        if (strcmp(info[i].name, t->state) == 0)
            *have = info[i].partitions;
    }
    free(info);
    return st;
}

static enum ft_status check_count(const struct ft_sc *c, int in, int have, struct ft_err *err)
{
    const struct ft_topics *t = &c->s.pipe->topics;

    if (!have || have == in || (have < in && (c->o.rebuild_state || !c->keeps_state)))
        return FT_OK;
    if (have < in)
        return ft_fail(err, FT_EUSAGE,
                       "topic %s has %d partitions and %s has %d: customers have moved; end all "
                       "scorers, then score --rebuild-state makes the state anew",
                       t->state, have, t->transactions, in);
    return ft_fail(err, FT_EUSAGE,
                   "topic %s has %d partitions and %s has %d: delete %s, then score "
                   "--rebuild-state makes the state anew",
                   t->state, have, t->transactions, in, t->state);
}

enum ft_status ft_sc_changelog(struct ft_sc *c, struct ft_err *err)
{
    const struct ft_topics *t = &c->s.pipe->topics;
    struct ft_topic_spec spec = {
        .name = t->state, .replication = t->replication, .compacted = true, .grow = true};
    int in = 0, have = 0;
    enum ft_status st;

    do {
        st = count_partitions(c, &in, &have, err);
        if (st == FT_OK && !in) {
            st = ft_fail(err, FT_AGAIN, "topic %s does not exist yet", t->transactions);
            ft_stage_sleep(&c->s, 500);
        }
    } while (ft_sc_once_more(c, st));
    if (st == FT_OK)
        st = check_count(c, in, have, err);
    c->n_input = spec.partitions = in;
    while (st == FT_OK && have != in) {
        st = ft_bus_ensure_topics(c->s.pipe->bus, &spec, 1, CALL_MS, err);
        if (!ft_sc_once_more(c, st))
            break;
        st = FT_OK;
    }
    return ft_sc_ended(c, st);
}

/* ---- reading a partition ----------------------------------------------------------------------------- */

static void restored(struct ft_sc *c, struct ft_sc_part *p, double share)
{
    double sum = 0;
    int n = 0;

    pthread_mutex_lock(&c->s.lock);
    p->restored = share < 1 ? share : 1;
    for (size_t i = 0; i < c->n_part; i++)
        if (c->part[i].owned) {
            sum += c->part[i].restored;
            n++;
        }
    c->status.restored = n ? sum / n : 1;
    pthread_mutex_unlock(&c->s.lock);
}

/* What is done with the records of a partition. */
struct reading {
    struct ft_sc *c;
    struct ft_sc_part *p;
    enum ft_status (*take)(struct reading *r, const struct ft_msg *m, struct ft_err *err);
    uint64_t n; /* records */
    enum ft_status
        fault; /* a record of no use to this model, and nothing since that makes up for it */
    struct ft_err fault_err;
    /* transactions that are lived again */
    uint64_t n_lived;
    int64_t earliest_s;
    char earliest[24];
    bool expired; /* older ones are gone */
};

/* Every committed record of a partition from its start up to offset until (-1: the end as it is now). */
static enum ft_status read_all(struct reading *r, const char *topic, int32_t partition,
                               int64_t until, struct ft_err *err)
{
    const struct ft_consumer_opts co = {.queued_kbytes = RESTORE_KBYTES, .eof_events = true};
    const struct ft_assigned part = {topic, partition, FT_START_EARLIEST, false};
    struct ft_partition_info *info = NULL;
    struct ft_consumer *in;
    struct ft_msg m;
    int64_t low = 0, end = INT64_MAX;
    size_t n = 0;
    enum ft_status st;

    if (ft_bus_partitions(r->c->s.pipe->bus, topic, NULL, CALL_MS, &info, &n, NULL) == FT_OK)
        for (size_t i = 0; i < n; i++)
            if (info[i].partition == partition) {
                end = info[i].high;
                low = info[i].low;
                r->expired |= low > 0;
            }
    free(info);
    end = until >= 0 && until < end ? until : end;
    if (end <= low) /* nothing is there: as in every topic just made */
        return FT_OK;
    st = ft_consumer_new(&in, r->c->s.pipe->bus, &co, err);
    if (st != FT_OK)
        return st;
    st = ft_consumer_assign(in, &part, 1, err);
    while (st == FT_OK || ft_status_retriable(st)) {
        if (ft_sc_time_is_up(r->c) || ft_stage_stopping(&r->c->s)) {
            st = FT_ESTOPPED;
            break;
        }
        st = ft_consumer_poll(in, 100, &m, err);
        if (st == FT_END) {
            st = FT_OK;
            break;
        }
        if (st != FT_OK)
            continue;
        if (m.offset >= end) {
            ft_msg_done(&m);
            break;
        }
        st = r->take(r, &m, err);
        if (++r->n % 1024 == 0 && end < INT64_MAX)
            restored(r->c, r->p, (double)m.offset / (double)end);
        ft_msg_done(&m);
    }
    ft_consumer_close(in, 500);
    return st;
}

/* ---- restoring --------------------------------------------------------------------------------------- */

void ft_sc_era(const struct ft_sc *c, char out[FT_SC_ERA])
{
    struct ft_buf b;

    memset(out, 0, FT_SC_ERA);
    ft_buf_init(&b, FT_SC_ERA);
    ft_buf_fmt(&b, "{\"partitions\":%d,\"digest\":", c->n_input);
    ft_buf_json(&b, ft_span_of(ft_scorer_info(c->scorer)->digest));
    ft_buf_text(&b, ",\"model\":");
    ft_buf_json(&b, ft_span_of(c->model_name));
    ft_buf_char(&b, '}');
    if (!b.failed && b.n < FT_SC_ERA)
        memcpy(out, b.p, b.n);
    ft_buf_fini(&b);
}

static int partitions_of(const char *era)
{
    int n = 0;

    return sscanf(era, "{\"partitions\":%d", &n) == 1 ? n : 0;
}

static bool has_prefix(struct ft_span text, const char *prefix)
{
    size_t n = strlen(prefix);

    return text.n > n && memcmp(text.p, prefix, n) == 0;
}

/* Models' records come in the order of their offsets, so the last one counts. */
static bool take_era(struct ft_sc_part *p, const struct ft_msg *m)
{
    size_t n = m->value.n < FT_SC_ERA ? m->value.n : FT_SC_ERA - 1;

    if (!has_prefix(m->key, FT_SC_ERA_PREFIX))
        return false;
    memset(p->era, 0, sizeof(p->era));
    if (n)
        memcpy(p->era, m->value.p, n);
    return true;
}

/* The state was made anew here: what comes before counts for nothing. */
static enum ft_status take_anew(struct reading *r, struct ft_err *err)
{
    struct ft_state *empty = ft_state_new(r->c->scorer, r->c->s.pipe->secret);

    if (!empty)
        return ft_fail(err, FT_ENOMEM, "no memory for a state");
    ft_state_free(r->p->state);
    r->p->state = empty;
    r->fault = FT_OK;
    return FT_OK;
}

static enum ft_status take_state(struct reading *r, const struct ft_msg *m, struct ft_err *err)
{
    enum ft_status st;

    if (has_prefix(m->key, "run/")) /* of a model without state */
        return FT_OK;
    if (ft_span_is(m->key, ANEW_KEY))
        return take_anew(r, err);
    if (r->fault != FT_OK)
        return FT_OK;
    st = ft_state_restore(r->p->state, m->key, m->value, err);
    if (st != FT_EINPUT)
        return st;
    r->fault = ft_fail(&r->fault_err, FT_EUSAGE,
                       "topic %s holds another model's state (--rebuild-state makes it anew): %s",
                       m->topic, err->text);
    return FT_OK;
}

static void take_mark(struct reading *r, const struct ft_msg *m)
{
    char text[24] = "";
    struct ft_run run;

    if (!has_prefix(m->key, "run/") || !m->value.p || m->value.n >= sizeof(text) ||
        !ft_run_parse(&run, (struct ft_span){m->key.p + 4, m->key.n - 4}))
        return; /* of a model with state */
    memcpy(text, m->value.p, m->value.n);
    ft_sc_mark_of(r->c, r->p, &run)->row = strtoull(text, NULL, 10);
}

static enum ft_status take_record(struct reading *r, const struct ft_msg *m, struct ft_err *err)
{
    if (take_era(r->p, m))
        return FT_OK;
    if (r->p->state)
        return take_state(r, m, err);
    take_mark(r, m);
    return FT_OK;
}

static enum ft_status restore(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    struct reading r = {.c = c, .p = p, .take = take_record};
    int64_t started = ft_now_ms();
    enum ft_status st = read_all(&r, c->s.pipe->topics.state, p->partition, -1, err);

    if (st == FT_OK && r.n)
        ft_log(FT_INFO, "score", "partition %d: %" PRIu64 " records of state restored in %.1f s",
               p->partition, r.n, (double)(ft_now_ms() - started) / 1000);
    if (st == FT_OK && r.fault != FT_OK) {
        *err = r.fault_err;
        return r.fault;
    }
    return st;
}

/* ---- making the state anew --------------------------------------------------------------------------- */

static enum ft_status only_era(struct reading *r, const struct ft_msg *m, struct ft_err *err)
{
    (void)err;
    (void)take_era(r->p, m);
    return FT_OK;
}

static enum ft_status bury(struct reading *r, const struct ft_msg *m, struct ft_err *err)
{
    if (!m->value.p || has_prefix(m->key, FT_SC_ERA_PREFIX) || ft_span_is(m->key, ANEW_KEY))
        return FT_OK;
    return ft_sc_emit(r->c, r->p, m->key, (struct ft_span){0}, err);
}

static enum ft_status relive(struct reading *r, const struct ft_msg *m, struct ft_err *err)
{
    struct ft_sc *c = r->c;
    const struct ft_txn *row = &c->txn[0];
    struct ft_span text;
    struct ft_time time;

    if (!m->value.p || ft_codec_read_txn(c->codec[0], m->value, &c->txn[0], err) != FT_OK)
        return FT_OK; /* rejected the first time too */
    ft_score_batch(c->scorer, c->scratch, r->p->state, &row, 1, c->threshold, c->scored);
    if (c->scored[0].status == FT_ENOMEM)
        return ft_fail(err, FT_ENOMEM, "no memory for the customers' state");
    if (c->scored[0].status != FT_OK || c->scored[0].repeated)
        return FT_OK;
    text = (struct ft_span){row->col[FT_COL_TIME].p, row->col[FT_COL_TIME].n};
    if (ft_parse_time(text, &time) && (!r->n_lived++ || time.unix_s < r->earliest_s)) {
        r->earliest_s = time.unix_s;
        snprintf(r->earliest, sizeof(r->earliest), "%.*s", (int)text.n, text.p);
    }
    return FT_OK;
}

/* Of another partition: those of customers who belong to this one since there are more partitions. */
static enum ft_status relive_moved(struct reading *r, const struct ft_msg *m, struct ft_err *err)
{
    if (!m->key.p || ft_bus_partition_of(m->key, r->c->n_input) != r->p->partition)
        return FT_OK;
    return relive(r, m, err);
}

/*
 * The transactions before offset until.  When the topic had another number of partitions, customers came from others: what
 * they did there was before what they do here.
 */
static enum ft_status live_again(struct reading *r, int64_t until, struct ft_err *err)
{
    const char *topic = r->c->s.pipe->topics.transactions;
    bool moved = partitions_of(r->p->era) != r->c->n_input;
    enum ft_status st = FT_OK;

    r->take = relive_moved;
    for (int i = 0; moved && i < r->c->n_input && st == FT_OK; i++) {
        if (i == r->p->partition)
            continue;
        st = read_all(r, topic, i, -1, err);
        ft_state_forget_runs(r->p->state); /* rows rise within a partition only */
    }
    r->take = relive;
    return st == FT_OK && until > 0 ? read_all(r, topic, r->p->partition, until, err) : st;
}

/* Old records are buried and new ones written in one transaction: a crash leaves the one or the other. */
static enum ft_status replace(struct reading *r, struct ft_err *err)
{
    enum ft_status st = ft_sc_begin(r->p, err);

    if (st == FT_OK)
        st = ft_sc_emit(r->c, r->p, FT_SPAN(ANEW_KEY), FT_SPAN("1"), err);
    r->take = bury;
    if (st == FT_OK)
        st = read_all(r, r->c->s.pipe->topics.state, r->p->partition, -1, err);
    if (st == FT_OK)
        st = ft_sc_emit_changes(r->c, r->p, err);
    return st == FT_OK ? ft_sc_end_txn(r->c, r->p, err) : ft_sc_ended(r->c, st);
}

static enum ft_status rebuild(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    const char *topic = c->s.pipe->topics.transactions;
    struct reading r = {.c = c, .p = p, .take = only_era};
    int64_t until = -1;
    enum ft_status st;

    do
        st = ft_consumer_committed(c->in, topic, p->partition, CALL_MS, &until, err);
    while (ft_sc_once_more(c, st));
    if (st == FT_OK)
        st = read_all(&r, c->s.pipe->topics.state, p->partition, -1, err);
    r.expired = false;
    if (st == FT_OK)
        st = live_again(&r, until, err);
    if (st == FT_OK)
        ft_log(r.expired ? FT_WARN : FT_INFO, "score",
               "partition %d: state made anew from %" PRIu64 " transactions, the earliest of %s%s",
               p->partition, r.n_lived, r.n_lived ? r.earliest : "never",
               r.expired ? "; older ones have expired, so that customers' pasts begin there" : "");
    return st == FT_OK ? replace(&r, err) : ft_sc_ended(c, st);
}

/* Each partition once, or a partition that goes and comes back would be made anew each time. */
static bool is_rebuilt(const struct ft_sc *c, int32_t partition)
{
    const size_t slot = (size_t)partition / 64;

    return slot >= sizeof(c->rebuilt) / sizeof(c->rebuilt[0]) ||
           (c->rebuilt[slot] >> (partition % 64) & 1);
}

static enum ft_status fill_state(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    enum ft_status st;

    p->state = ft_state_new(c->scorer, c->s.pipe->secret);
    if (!p->state)
        return ft_fail(err, FT_ENOMEM, "no memory for the state of partition %d", p->partition);
    if (!c->o.rebuild_state || is_rebuilt(c, p->partition))
        return restore(c, p, err);
    st = rebuild(c, p, err);
    if (st == FT_OK)
        c->rebuilt[p->partition / 64] |= 1ull << (p->partition % 64);
    return st;
}

static enum ft_status take_over(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    char id[512];
    struct ft_producer_opts po = {.transactional_id = id,
                                  .linger_ms = c->o.linger_ms,
                                  .large = true,
                                  .transaction_timeout_ms = c->o.rebuild_state ? REBUILD_MS : 0};
    enum ft_status st;

    restored(c, p, 0);
    snprintf(id, sizeof(id), "fraudtop-%s-%s-%d", c->o.group, c->s.pipe->topics.transactions,
             p->partition);
    st = ft_producer_new(&p->txn, c->s.pipe->bus, &po, err);
    if (st != FT_OK)
        return st;
    do
        st = ft_txn_init(p->txn, 5 * CALL_MS, err);
    while (ft_sc_once_more(c, st));
    if (st != FT_OK)
        return ft_sc_ended(c, st);
    st = c->keeps_state ? fill_state(c, p, err) : restore(c, p, err);
    p->commit_ms = ft_now_ms();
    restored(c, p, 1);
    return st;
}

/* Each partition is a matter of its own, and most of the time it is the broker that is waited for. */
struct crew {
    struct ft_sc *c;
    atomic_size_t next; /* of the parts */
    pthread_mutex_t lock;
    enum ft_status st; /* the first trouble */
    struct ft_err *err;
};

static void *crew_main(void *arg)
{
    struct crew *w = arg;
    struct ft_err err;
    size_t i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->c->n_part) {
        struct ft_sc_part *p = &w->c->part[i];
        enum ft_status st = p->owned && !p->txn ? take_over(w->c, p, &err) : FT_OK;

        pthread_mutex_lock(&w->lock);
        if (st != FT_OK && w->st == FT_OK) {
            w->st = st;
            *w->err = err;
            atomic_store(&w->next, w->c->n_part);
        }
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static enum ft_status check_partitions(struct ft_sc *c, struct ft_err *err)
{
    bool more = false;

    for (size_t i = 0; i < c->n_part; i++)
        more |= c->part[i].owned && c->part[i].partition >= c->n_input;
    if (more && c->keeps_state)
        return ft_fail(err, FT_EUSAGE,
                       "topic %s has more partitions than at the start: customers have moved; end "
                       "all scorers, then score --rebuild-state makes the state anew",
                       c->s.pipe->topics.transactions);
    return more ? ft_sc_changelog(c, err) : FT_OK;
}

enum ft_status ft_sc_take_over(struct ft_sc *c, struct ft_err *err)
{
    struct crew w = {.c = c, .err = err};
    enum ft_status st = check_partitions(c, err);
    pthread_t mate[CREW - 1];
    size_t n = 0;

    if (st != FT_OK)
        return st;
    ft_stage_state(&c->s, FT_STAGE_RESTORING);
    pthread_mutex_init(&w.lock, NULL);
    while (!c->o.rebuild_state && n < CREW - 1 && n + 1 < c->n_part &&
           pthread_create(&mate[n], NULL, crew_main, &w) == 0)
        n++;
    crew_main(&w);
    while (n)
        pthread_join(mate[--n], NULL);
    pthread_mutex_destroy(&w.lock);
    ft_stage_state(&c->s, FT_STAGE_RUNNING);
    return w.st;
}
