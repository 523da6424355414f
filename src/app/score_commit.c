/*
 * How the scorer's position moves: by the consumer, or in a transaction of the input partition's own producer together
 * with the changed states.  Whoever takes a partition over first ends what a former owner left open, then restores.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "stage_score.h"

#define CALL_MS 1000
#define TXN_MESSAGES 10000
#define RESTORE_KBYTES 65536

/* A failed call is made again while that can help and nobody asked us to end. */
static bool once_more(struct ft_sc *c, enum ft_status st)
{
    return ft_status_retriable(st) && !ft_sc_time_is_up(c);
}

static enum ft_status ended(struct ft_sc *c, enum ft_status st)
{
    return ft_status_retriable(st) && ft_sc_time_is_up(c) ? FT_ESTOPPED : st;
}

/* ---- marks: the highest row of each run ------------------------------------------------------------- */

static struct ft_sc_mark *mark_of(struct ft_sc *c, struct ft_sc_part *p, const struct ft_run *run)
{
    struct ft_sc_mark *oldest = p->mark, *m = NULL;

    for (size_t i = 0; i < p->n_mark; i++) {
        if (p->mark[i].run.start_ms == run->start_ms && p->mark[i].run.hash == run->hash)
            m = &p->mark[i];
        if (p->mark[i].used < oldest->used)
            oldest = &p->mark[i];
    }
    if (!m) {
        m = p->n_mark < FT_SC_RUNS ? &p->mark[p->n_mark++] : oldest;
        *m = (struct ft_sc_mark){.run = *run};
    }
    m->used = ++c->use_clock;
    return m;
}

/* Rows of a run arrive rising, so one that is not higher than the highest came before.  Ids that only look like ours
 * (other version 8 ones) have a start outside of living memory. */
static bool known_row(struct ft_sc *c, struct ft_sc_part *p, const struct ft_uuid *id)
{
    const uint64_t since_2015 = 1420070400000, until_2100 = 4102444800000;
    struct ft_run run;
    uint64_t row;
    struct ft_sc_mark *m;

    if (!ft_uuid_to_row(id, &run, &row) || run.start_ms < since_2015 || run.start_ms > until_2100)
        return false;
    m = mark_of(c, p, &run);
    if (row < m->row)
        return true;
    m->row = row + 1;
    m->changed = true;
    return false;
}

bool ft_sc_seen(struct ft_sc *c, struct ft_sc_part *p, const struct ft_txn *t)
{
    bool seen = !p->state && known_row(c, p, &t->id); /* a state knows by itself: ft_scored */

    if (seen && !c->by_txn) { /* marks live in memory only: counted, and answered again */
        ft_count(&c->s.counters, FT_M_REPEATED, 1);
        return false;
    }
    return seen;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

struct emit {
    struct ft_sc *c;
    struct ft_sc_part *p;
    struct ft_err *err;
};

static enum ft_status emit(void *user, struct ft_span key, struct ft_span record)
{
    struct emit *e = user;

    for (;;) {
        enum ft_status st = ft_send(e->p->txn, e->c->s.pipe->topics.state, e->p->partition, key,
                                    record, NULL, 0, -1, 0, e->err);

        if (st != FT_AGAIN || ft_sc_time_is_up(e->c))
            return ended(e->c, st);
        st = ft_producer_poll(e->p->txn, 50, e->err);
        if (st == FT_EFATAL)
            return st;
    }
}

static enum ft_status emit_marks(struct emit *e)
{
    for (size_t i = 0; i < e->p->n_mark; i++) {
        struct ft_sc_mark *m = &e->p->mark[i];
        char key[FT_RUN_TEXT + 8] = "run/", record[24];
        enum ft_status st;

        if (!m->changed)
            continue;
        ft_run_format(&m->run, key + 4);
        snprintf(record, sizeof(record), "%" PRIu64, m->row);
        st = emit(e, ft_span_of(key), ft_span_of(record));
        if (st != FT_OK)
            return st;
        m->changed = false;
    }
    return FT_OK;
}

static enum ft_status emit_changes(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    struct emit e = {c, p, err};

    return p->state ? ft_state_changes(p->state, emit, &e) : emit_marks(&e);
}

static enum ft_status begin(struct ft_sc_part *p, struct ft_err *err)
{
    enum ft_status st = p->in_txn ? FT_OK : ft_txn_begin(p->txn, err);

    p->in_txn |= st == FT_OK;
    return st;
}

static enum ft_status commit_txn(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    enum ft_status st;

    do
        st = ft_txn_commit(p->txn, CALL_MS, err);
    while (once_more(c, st));
    if (st == FT_OK)
        p->in_txn = false;
    return ended(c, st);
}

/* Results that are not in the transaction must have arrived before the position moves past their messages. */
static enum ft_status wait_results(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    while (!ft_gap_empty(&p->gap)) {
        enum ft_status st = ft_producer_poll(c->out, 20, err);

        if (c->trouble != FT_OK) {
            *err = c->trouble_err;
            return c->trouble;
        }
        if (st == FT_EFATAL)
            return st;
        if (ft_sc_time_is_up(c))
            return FT_ESTOPPED;
    }
    return FT_OK;
}

static enum ft_status commit_part(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    const struct ft_offset off = {c->s.pipe->topics.transactions, p->partition, p->next};
    enum ft_status st = wait_results(c, p, err);

    if (st == FT_OK)
        st = begin(p, err);
    if (st == FT_OK)
        st = emit_changes(c, p, err);
    if (st != FT_OK)
        return st;
    do
        st = ft_txn_send_offsets(p->txn, c->in, &off, 1, CALL_MS, err);
    while (once_more(c, st));
    st = st == FT_OK ? commit_txn(c, p, err) : ended(c, st);
    if (st != FT_OK) {
        if (st == FT_EFENCED)
            ft_err_prefix(err, "partition %d has another owner now", p->partition);
        return st;
    }
    p->committed = p->next;
    p->n_since = 0;
    p->commit_ms = ft_now_ms();
    return FT_OK;
}

static enum ft_status commit_plain(struct ft_sc *c, bool now, struct ft_err *err)
{
    struct ft_offset off[256];
    struct ft_bus_health health;
    size_t n = 0;
    int tries = 0;
    enum ft_status st;

    for (size_t i = 0; i < c->n_part && n < 256; i++) {
        struct ft_sc_part *p = &c->part[i];
        int64_t safe;

        if (!p->owned || p->gap.low == 0)
            continue;
        safe = p->after[(p->gap.low - 1) & p->gap.mask];
        /* Lower: the topic was made anew.  The last commit before letting go is made in any case: one that nobody
         * waited for may have failed. */
        if (safe == p->committed && !now)
            continue;
        p->committed = safe;
        off[n++] = (struct ft_offset){c->s.pipe->topics.transactions, p->partition, safe};
    }
    if (!n)
        return FT_OK;
    ft_bus_health(c->s.pipe->bus, &health);
    do
        st = ft_consumer_commit(c->in, off, n, now && health.up, err);
    while (now && health.up && once_more(c, st) && tries++ < 3);
    /* What could not be committed is read again by somebody: the table absorbs it. */
    return st == FT_EFATAL ? st : FT_OK;
}

enum ft_status ft_sc_commit(struct ft_sc *c, bool now, struct ft_err *err)
{
    int64_t t = ft_now_ms();
    enum ft_status st = FT_OK;

    if (!c->by_txn) {
        if (!now && t - c->commit_ms < c->commit_ms_now)
            return FT_OK;
        c->commit_ms = t;
        if (now && c->out)
            (void)!ft_producer_flush(c->out, 1500, err);
        return commit_plain(c, now, err);
    }
    for (size_t i = 0; i < c->n_part && st == FT_OK; i++) {
        struct ft_sc_part *p = &c->part[i];

        if (p->owned && p->n_since &&
            (now || p->n_since >= TXN_MESSAGES || t - p->commit_ms >= c->commit_ms_now))
            st = commit_part(c, p, err);
    }
    return st;
}

/* ---- taking over ------------------------------------------------------------------------------------ */

enum ft_status ft_sc_changelog(struct ft_sc *c, struct ft_err *err)
{
    const struct ft_topics *t = &c->s.pipe->topics;
    struct ft_topic_info *info = NULL;
    struct ft_topic_spec spec = {
        .name = t->state, .replication = t->replication, .compacted = true};
    size_t n = 0;
    int in = 0, have = 0;
    enum ft_status st;

    do {
        st = ft_bus_topics(c->s.pipe->bus, CALL_MS, &info, &n, err);
        for (size_t i = 0; st == FT_OK && i < n; i++) {
            if (strcmp(info[i].name, t->transactions) == 0)
                in = info[i].partitions;
            if (strcmp(info[i].name, t->state) == 0)
                have = info[i].partitions;
        }
        free(info);
        info = NULL;
        if (st == FT_OK && !in) {
            st = ft_fail(err, FT_AGAIN, "topic %s does not exist yet", t->transactions);
            ft_stage_sleep(&c->s, 500);
        }
    } while (once_more(c, st));
    if (st != FT_OK)
        return ended(c, st);
    if (have && have != in)
        return ft_fail(err, FT_EUSAGE,
                       "topic %s has %d partitions and %s has %d: delete %s, then score "
                       "--rebuild-state makes it anew",
                       t->state, have, t->transactions, in, t->state);
    spec.partitions = in;
    do
        st = have ? FT_OK : ft_bus_ensure_topics(c->s.pipe->bus, &spec, 1, CALL_MS, err);
    while (once_more(c, st));
    return ended(c, st);
}

static void restored(struct ft_sc *c, double share)
{
    pthread_mutex_lock(&c->s.lock);
    c->status.restored = share;
    pthread_mutex_unlock(&c->s.lock);
}

static enum ft_status take_record(struct ft_sc *c, struct ft_sc_part *p, const struct ft_msg *m,
                                  struct ft_err *err)
{
    char text[24] = "";
    struct ft_run run;

    if (p->state) {
        enum ft_status st = ft_state_restore(p->state, m->key, m->value, err);

        if (st == FT_EINPUT) {
            ft_err_prefix(err,
                          "topic %s holds another model's state (--rebuild-state makes it anew)",
                          m->topic);
            return FT_EUSAGE;
        }
        return st;
    }
    if (m->key.n <= 4 || memcmp(m->key.p, "run/", 4) != 0 || !m->value.p ||
        m->value.n >= sizeof(text) ||
        !ft_run_parse(&run, (struct ft_span){m->key.p + 4, m->key.n - 4}))
        return FT_OK; /* of a model with state */
    memcpy(text, m->value.p, m->value.n);
    mark_of(c, p, &run)->row = strtoull(text, NULL, 10);
    return FT_OK;
}

typedef enum ft_status on_record(struct ft_sc *c, struct ft_sc_part *p, const struct ft_msg *m,
                                 struct ft_err *err);

/* Every committed record of a partition from its start up to offset `until` (or the end as it is now). */
static enum ft_status read_all(struct ft_sc *c, struct ft_sc_part *p, const char *topic,
                               int64_t until, on_record *take, uint64_t *n_read, struct ft_err *err)
{
    const struct ft_consumer_opts co = {.queued_kbytes = RESTORE_KBYTES, .eof_events = true};
    const struct ft_assigned part = {topic, p->partition, FT_START_EARLIEST, false};
    struct ft_consumer *in;
    struct ft_msg m;
    enum ft_status st = ft_consumer_new(&in, c->s.pipe->bus, &co, err);

    if (st != FT_OK)
        return st;
    st = ft_consumer_assign(in, &part, 1, err);
    while (st == FT_OK || ft_status_retriable(st)) {
        if (ft_sc_time_is_up(c) || ft_stage_stopping(&c->s)) {
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
        if (m.offset >= until) {
            ft_msg_done(&m);
            break;
        }
        st = take(c, p, &m, err);
        if (++*n_read % 1024 == 0 && until > 0 && until < INT64_MAX)
            restored(c, (double)m.offset / (double)until);
        ft_msg_done(&m);
    }
    ft_consumer_close(in, 500);
    return st;
}

static int64_t end_of(struct ft_sc *c, const char *topic, int32_t partition)
{
    struct ft_partition_info *info = NULL;
    size_t n = 0;
    int64_t high = INT64_MAX;

    if (ft_bus_partitions(c->s.pipe->bus, topic, NULL, CALL_MS, &info, &n, NULL) == FT_OK)
        for (size_t i = 0; i < n; i++)
            if (info[i].partition == partition)
                high = info[i].high;
    free(info);
    return high;
}

/* ---- making the state anew --------------------------------------------------------------------------- */

static enum ft_status bury(struct ft_sc *c, struct ft_sc_part *p, const struct ft_msg *m,
                           struct ft_err *err)
{
    struct emit e = {c, p, err};

    return m->value.p ? emit(&e, m->key, (struct ft_span){0}) : FT_OK;
}

static enum ft_status relive(struct ft_sc *c, struct ft_sc_part *p, const struct ft_msg *m,
                             struct ft_err *err)
{
    const struct ft_txn *row = &c->txn[0];

    if (!m->value.p || ft_codec_read_txn(c->codec[0], m->value, &c->txn[0], err) != FT_OK ||
        ft_state_seen(p->state, row))
        return FT_OK; /* rejected, or repeated, the first time too */
    if (!c->relived++)
        ft_log(FT_INFO, "score", "%s partition %d: state made anew; earliest transaction %.*s",
               m->topic, m->partition, (int)row->col[FT_COL_TIME].n, row->col[FT_COL_TIME].p);
    ft_score_batch(c->scorer, c->scratch, p->state, &row, 1, c->threshold, c->scored);
    return FT_OK;
}

/* Old records are buried and new ones written in one transaction: a crash leaves the one or the other. */
static enum ft_status rebuild(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    const char *topic = c->s.pipe->topics.transactions;
    uint64_t n = 0;
    int64_t until = -1;
    enum ft_status st;

    do
        st = ft_consumer_committed(c->in, topic, p->partition, CALL_MS, &until, err);
    while (once_more(c, st));
    if (st == FT_OK)
        st = begin(p, err);
    if (st == FT_OK)
        st = read_all(c, p, c->s.pipe->topics.state, INT64_MAX, bury, &n, err);
    c->relived = 0;
    n = 0;
    if (st == FT_OK && until > 0)
        st = read_all(c, p, topic, until, relive, &n, err);
    if (st == FT_OK)
        st = emit_changes(c, p, err);
    return st == FT_OK ? commit_txn(c, p, err) : ended(c, st);
}

static bool already_rebuilt(struct ft_sc *c, int32_t partition)
{
    const int32_t slot = partition / 64;

    if (slot >= (int32_t)(sizeof(c->rebuilt) / sizeof(c->rebuilt[0])))
        return true;
    if (c->rebuilt[slot] >> (partition % 64) & 1)
        return true;
    c->rebuilt[slot] |= 1ull << (partition % 64);
    return false;
}

static enum ft_status restore(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    const char *topic = c->s.pipe->topics.state;
    int64_t started = ft_now_ms();
    uint64_t n = 0;
    enum ft_status st;

    st = read_all(c, p, topic, end_of(c, topic, p->partition), take_record, &n, err);
    if (st == FT_OK && n)
        ft_log(FT_INFO, "score", "partition %d: %" PRIu64 " records of state restored in %.1f s",
               p->partition, n, (double)(ft_now_ms() - started) / 1000);
    return st;
}

enum ft_status ft_sc_take_over(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    char id[512];
    struct ft_producer_opts po = {
        .transactional_id = id, .linger_ms = c->o.linger_ms, .large = true};
    enum ft_status st;

    snprintf(id, sizeof(id), "fraudtop-%s-%s-%d", c->o.group, c->s.pipe->topics.transactions,
             p->partition);
    ft_stage_state(&c->s, FT_STAGE_RESTORING);
    restored(c, 0);
    st = ft_producer_new(&p->txn, c->s.pipe->bus, &po, err);
    if (st != FT_OK)
        return st;
    do
        st = ft_txn_init(p->txn, 5 * CALL_MS, err);
    while (once_more(c, st));
    if (st != FT_OK)
        return ended(c, st);
    if (c->keeps_state) {
        p->state = ft_state_new(c->scorer, c->s.pipe->secret);
        if (!p->state)
            return ft_fail(err, FT_ENOMEM, "no memory for the state of partition %d", p->partition);
    }
    st = c->keeps_state && c->o.rebuild_state && !already_rebuilt(c, p->partition)
             ? rebuild(c, p, err)
             : restore(c, p, err);
    p->commit_ms = ft_now_ms();
    restored(c, 1);
    ft_stage_state(&c->s, FT_STAGE_RUNNING);
    return st;
}
