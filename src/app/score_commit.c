/*
 * How the scorer's position moves: by the consumer, or in a transaction of the input partition's own producer together
 * with the changed states.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "stage_score.h"

#define CALL_MS 1000
#define TXN_MESSAGES 10000

/* A failed call is made again while that can help and nobody asked us to end. */
bool ft_sc_once_more(struct ft_sc *c, enum ft_status st)
{
    return ft_status_retriable(st) && !ft_sc_time_is_up(c);
}

enum ft_status ft_sc_ended(struct ft_sc *c, enum ft_status st)
{
    return ft_status_retriable(st) && ft_sc_time_is_up(c) ? FT_ESTOPPED : st;
}

/* ---- marks: the highest row of each run ------------------------------------------------------------- */

struct ft_sc_mark *ft_sc_mark_of(struct ft_sc *c, struct ft_sc_part *p, const struct ft_run *run)
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
    m = ft_sc_mark_of(c, p, &run);
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

enum ft_status ft_sc_emit(struct ft_sc *c, struct ft_sc_part *p, struct ft_span key,
                          struct ft_span record, struct ft_err *err)
{
    for (;;) {
        enum ft_status st = ft_send(p->txn, c->s.pipe->topics.state, p->partition, key, record,
                                    NULL, 0, -1, 0, err);

        if (st != FT_AGAIN || ft_sc_time_is_up(c))
            return ft_sc_ended(c, st);
        st = ft_producer_poll(p->txn, 50, err);
        if (st == FT_EFATAL)
            return st;
    }
}

static enum ft_status emit(void *user, struct ft_span key, struct ft_span record)
{
    struct emit *e = user;

    return ft_sc_emit(e->c, e->p, key, record, e->err);
}

/* Which model decides, and from which offset on: written once, with the first of its results. */
static enum ft_status emit_era(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    char key[FT_SC_ERA_KEY], era[FT_SC_ERA];
    enum ft_status st;

    ft_sc_era(c, era);
    if (strcmp(era, p->era) == 0)
        return FT_OK;
    snprintf(key, sizeof(key), FT_SC_ERA_PREFIX "%020" PRId64, p->first);
    st = ft_sc_emit(c, p, ft_span_of(key), ft_span_of(era), err);
    if (st != FT_OK)
        return st;
    memcpy(p->era, era, sizeof(p->era));
    ft_log(FT_INFO, "score", "partition %d: model %s decides from offset %" PRId64 " on",
           p->partition, c->model_name, p->first);
    return FT_OK;
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

enum ft_status ft_sc_emit_changes(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    struct emit e = {c, p, err};

    return p->state ? ft_state_changes(p->state, emit, &e) : emit_marks(&e);
}

enum ft_status ft_sc_begin(struct ft_sc_part *p, struct ft_err *err)
{
    enum ft_status st = p->in_txn ? FT_OK : ft_txn_begin(p->txn, err);

    p->in_txn |= st == FT_OK;
    return st;
}

enum ft_status ft_sc_end_txn(struct ft_sc *c, struct ft_sc_part *p, struct ft_err *err)
{
    enum ft_status st;

    do
        st = ft_txn_commit(p->txn, CALL_MS, err);
    while (ft_sc_once_more(c, st));
    if (st == FT_OK)
        p->in_txn = false;
    return ft_sc_ended(c, st);
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
        st = ft_sc_begin(p, err);
    if (st == FT_OK)
        st = emit_era(c, p, err);
    if (st == FT_OK)
        st = ft_sc_emit_changes(c, p, err);
    if (st != FT_OK)
        return st;
    do
        st = ft_txn_send_offsets(p->txn, c->in, &off, 1, CALL_MS, err);
    while (ft_sc_once_more(c, st));
    st = st == FT_OK ? ft_sc_end_txn(c, p, err) : ft_sc_ended(c, st);
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
    bool wait;

    ft_bus_health(c->s.pipe->bus, &health);
    wait = now && health.up;
    for (size_t i = 0; i < c->n_part && n < 256; i++) {
        struct ft_sc_part *p = &c->part[i];
        int64_t safe;

        if (!p->owned || p->gap.low == 0)
            continue;
        safe = p->after[(p->gap.low - 1) & p->gap.mask];
        /* Lower: the topic was made anew.  A commit that nobody waited for may have failed: before letting go it is
         * made again. */
        if (safe == p->committed && (!now || p->sure))
            continue;
        p->committed = safe;
        p->sure = wait;
        off[n++] = (struct ft_offset){c->s.pipe->topics.transactions, p->partition, safe};
    }
    if (!n)
        return FT_OK;
    do
        st = ft_consumer_commit(c->in, off, n, wait, err);
    while (wait && ft_sc_once_more(c, st) && tries++ < 3);
    for (size_t i = 0; st != FT_OK && i < c->n_part; i++)
        c->part[i].committed = -1; /* tried again the next time */
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
