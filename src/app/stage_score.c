/*
 * Score: messages of the topic "transactions" become verdicts on the topic "scoring".
 *
 * An input offset is committed only when every earlier result of its partition has its delivery report.  With
 * exactly_once, or where the model keeps state, each input partition has a transactional producer of its own
 * (fraudtop-GROUP-TOPIC-PARTITION), so that whoever takes the partition over ends what a killed owner left open:
 *
 *                        results by              offsets by                  state by
 *     plain              the thread's producer   the consumer                -
 *     exactly once       the transaction         the transaction             -
 *     state              the thread's producer   the transaction             the transaction
 *     both               the transaction         the transaction             the transaction
 */
#include "stage_score.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define STOP_MS 3000
#define CALL_MS 1000 /* one try of a blocking call */

bool ft_sc_time_is_up(struct ft_sc *c)
{
    if (!ft_stage_stopping(&c->s))
        return false;
    if (!c->stop_by_ms)
        c->stop_by_ms = ft_now_ms() + STOP_MS;
    return ft_now_ms() >= c->stop_by_ms;
}

static void set_error(struct ft_sc *c, const char *text)
{
    pthread_mutex_lock(&c->s.lock);
    snprintf(c->status.error, sizeof(c->status.error), "%s", text);
    pthread_mutex_unlock(&c->s.lock);
}

/* ---- partitions ------------------------------------------------------------------------------------ */

static struct ft_sc_part *find(struct ft_sc *c, int32_t partition)
{
    for (size_t i = 0; i < c->n_part; i++)
        if (c->part[i].partition == partition)
            return &c->part[i];
    return NULL;
}

static struct ft_sc_part *add_part(struct ft_sc *c, int32_t partition)
{
    struct ft_sc_part *p = find(c, partition);
    uint16_t generation;

    if (!p) {
        struct ft_sc_part *more = realloc(c->part, (c->n_part + 1) * sizeof(*p));

        if (!more)
            return NULL;
        c->part = more;
        c->last = NULL;
        p = &c->part[c->n_part++];
        *p = (struct ft_sc_part){.partition = partition};
    }
    generation = (uint16_t)(p->generation + 1);
    ft_sc_drop_part(p);
    *p = (struct ft_sc_part){.partition = partition, .generation = generation, .first = -1};
    p->after = malloc(FT_SC_WINDOW * sizeof(*p->after));
    if (!p->after || !ft_gap_init(&p->gap, FT_SC_WINDOW, 0))
        return NULL;
    p->owned = true;
    return p;
}

void ft_sc_drop_part(struct ft_sc_part *p)
{
    ft_gap_fini(&p->gap);
    free(p->after);
    p->after = NULL;
    ft_producer_free(p->txn);
    p->txn = NULL;
    ft_state_free(p->state);
    p->state = NULL;
    p->owned = p->in_txn = false;
}

static void show_parts(struct ft_sc *c)
{
    int n = 0;
    uint64_t customers = 0, bytes = 0;

    for (size_t i = 0; i < c->n_part; i++) {
        if (!c->part[i].owned)
            continue;
        n++;
        if (c->part[i].state) {
            customers += ft_state_customers(c->part[i].state);
            bytes += ft_state_bytes(c->part[i].state);
        }
    }
    pthread_mutex_lock(&c->s.lock);
    c->status.partitions = n;
    c->status.customers = customers;
    c->status.state_bytes = bytes;
    pthread_mutex_unlock(&c->s.lock);
}

static void assigned(void *user, struct ft_assigned *a, size_t n)
{
    struct ft_sc *c = user;

    for (size_t i = 0; i < n && c->trouble == FT_OK; i++) {
        struct ft_sc_part *p = add_part(c, a[i].partition);

        if (!p)
            c->trouble = ft_fail(&c->trouble_err, FT_ENOMEM, "no memory for a partition");
    }
    if (c->trouble == FT_OK && c->by_txn)
        c->trouble = ft_sc_take_over(c, &c->trouble_err);
    if (c->trouble != FT_OK)
        for (size_t i = 0; i < n; i++)
            a[i].paused = true; /* nothing is read with half a state */
    atomic_store(&c->s.ready, 1);
    show_parts(c);
}

static void drop_batch(struct ft_sc *c)
{
    for (size_t i = 0; i < c->n; i++)
        ft_msg_done(&c->msg[i]);
    c->n = 0;
}

static void revoked(void *user, const struct ft_assigned *a, size_t n, bool lost)
{
    struct ft_sc *c = user;
    struct ft_err err;

    if (lost || c->trouble != FT_OK)
        drop_batch(c);
    else if (ft_sc_score(c, &err) == FT_OK)
        (void)!ft_sc_commit(c, true, &err);
    for (size_t i = 0; i < n; i++) {
        struct ft_sc_part *p = find(c, a[i].partition);

        if (!p)
            continue;
        if (p->in_txn)
            (void)!ft_txn_abort(p->txn, CALL_MS, &err);
        ft_sc_drop_part(p);
    }
    show_parts(c);
}

/* ---- results --------------------------------------------------------------------------------------- */

/* A token names partition slot, generation and sequence, so that late reports of a former owner are told apart. */
static uint64_t token_of(const struct ft_sc *c, const struct ft_sc_part *p, uint64_t seq)
{
    return (uint64_t)(p - c->part + 1) << 48 | (uint64_t)p->generation << 32 | (uint32_t)seq;
}

static void delivered(void *user, uint64_t token, enum ft_status st, int32_t partition,
                      int64_t offset)
{
    struct ft_sc *c = user;
    size_t slot = (size_t)(token >> 48) - 1;
    struct ft_sc_part *p;

    (void)partition;
    (void)offset;
    if (st != FT_OK) {
        c->trouble = ft_fail(&c->trouble_err, st == FT_EUSAGE ? FT_EUSAGE : FT_EFATAL,
                             "topic %s: a result was not delivered (%s)", c->s.pipe->topics.scoring,
                             ft_status_name(st));
        return;
    }
    if (slot >= c->n_part)
        return;
    p = &c->part[slot];
    if (!p->owned || p->generation != (uint16_t)(token >> 32))
        return;
    ft_gap_done(&p->gap, p->gap.low + (uint32_t)((uint32_t)token - (uint32_t)p->gap.low));
}

/* Serves delivery reports; waits for one when told to. */
static enum ft_status serve(struct ft_sc *c, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = ft_producer_poll(c->out, timeout_ms, err);

    if (c->trouble != FT_OK) {
        *err = c->trouble_err;
        return c->trouble;
    }
    return st == FT_EFATAL ? st : FT_OK;
}

static void say_waiting(struct ft_sc *c)
{
    struct ft_bus_health h;

    ft_bus_health(c->s.pipe->bus, &h);
    if (!h.known || h.up)
        return;
    ft_stage_state(&c->s, FT_STAGE_WAITING);
    set_error(c, h.error);
    if (ft_seldom(&c->said))
        ft_log(FT_WARN, "score", "waiting for Kafka: %s", h.error);
}

/* Where the results of a partition go; begins its transaction when there is none. */
static enum ft_status results_of(struct ft_sc *c, struct ft_sc_part *p, struct ft_producer **out,
                                 struct ft_err *err)
{
    enum ft_status st;

    *out = c->out;
    if (!c->o.exactly_once)
        return FT_OK;
    *out = p->txn;
    if (p->in_txn)
        return FT_OK;
    st = ft_txn_begin(p->txn, err);
    p->in_txn = st == FT_OK;
    return st;
}

/* Begins a message's result: its place in the order of its partition. */
static enum ft_status open_result(struct ft_sc *c, struct ft_sc_part *p, const struct ft_msg *m,
                                  uint64_t *token, struct ft_err *err)
{
    uint64_t seq;

    while (ft_gap_full(&p->gap)) {
        enum ft_status st = serve(c, 50, err);

        if (st != FT_OK)
            return st;
        if (ft_sc_time_is_up(c))
            return FT_ESTOPPED;
        say_waiting(c);
    }
    seq = ft_gap_open(&p->gap);
    p->after[seq & p->gap.mask] = m->offset + 1;
    p->next = m->offset + 1;
    p->first = p->first < 0 ? m->offset : p->first;
    p->n_since++;
    *token = c->o.exactly_once ? 0 : token_of(c, p, seq);
    return FT_OK;
}

static void close_result(struct ft_sc_part *p, uint64_t token)
{
    if (!token) /* in the transaction, or nothing to send */
        ft_gap_done(&p->gap, p->gap.next - 1);
}

static enum ft_status send(struct ft_sc *c, struct ft_producer *out, const struct ft_msg *m,
                           struct ft_span value, uint64_t token, struct ft_err *err)
{
    for (;;) {
        enum ft_status st = ft_send(out, c->s.pipe->topics.scoring, FT_BY_KEY, m->key, value, NULL,
                                    0, m->timestamp_ms, token, err);

        if (st != FT_AGAIN)
            return st;
        if (ft_sc_time_is_up(c))
            return FT_ESTOPPED;
        say_waiting(c);
        st = ft_producer_poll(out, 50, err);
        if (st == FT_EFATAL)
            return st;
        st = serve(c, 0, err);
        if (st != FT_OK)
            return st;
    }
}

static enum ft_status reject(struct ft_sc *c, struct ft_sc_part *p, const struct ft_msg *m,
                             const char *reason, struct ft_err *err)
{
    struct ft_producer *out;
    uint64_t token = 0;
    enum ft_status st = open_result(c, p, m, &token, err);

    if (st == FT_OK)
        st = results_of(c, p, &out, err);
    if (st == FT_OK)
        st = ft_dead_letter(out, c->s.pipe->topics.transactions_dlq, m, reason, token, err);
    if (st != FT_OK)
        return st;
    close_result(p, token);
    ft_count(&c->s.counters, FT_M_DEAD, 1);
    if (ft_seldom(&c->said_bad))
        ft_log(FT_WARN, "score", "%s partition %d offset %" PRId64 ": %s (to %s)", m->topic,
               m->partition, m->offset, reason, c->s.pipe->topics.transactions_dlq);
    return FT_OK;
}

/* The same ones are chosen whenever they are scored again: by the id, not by chance. */
static bool sampled(const struct ft_sc *c, const struct ft_uuid *id)
{
    uint64_t h = 0;

    if (c->sample <= 0)
        return false;
    for (size_t i = 0; i < 16; i++)
        h = (h ^ id->b[i]) * 0x100000001B3u;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    h ^= h >> 32;
    return (double)(h >> 11) * 0x1p-53 < c->sample;
}

static void describe(struct ft_sc *c, size_t i, struct ft_verdict *v)
{
    struct ft_sc_text *t = &c->text;

    ft_buf_clear(&t->reasons);
    ft_buf_clear(&t->data);
    ft_buf_clear(&t->features);
    ft_buf_clear(&t->history);
    ft_buf_clear(&t->usual);
    v->has_threshold = true;
    v->threshold = c->threshold;
    if (c->o.reasons &&
        ft_score_reasons_json(c->scorer, c->scratch, i, c->o.reasons, &t->reasons) == FT_OK)
        v->reasons_json = (struct ft_span){t->reasons.p, t->reasons.n};
    if (ft_codec_write_data(&t->data, &c->txn[i]))
        v->data_json = (struct ft_span){t->data.p, t->data.n};
    if (ft_score_features_json(c->scorer, c->scratch, i, &t->features) == FT_OK)
        v->features_json = (struct ft_span){t->features.p, t->features.n};
    if (ft_scorer_info(c->scorer)->keeps_history &&
        ft_score_history_json(c->scratch, i, &t->history, &t->usual) == FT_OK) {
        v->history_json = (struct ft_span){t->history.p, t->history.n};
        v->usual_json = (struct ft_span){t->usual.p, t->usual.n};
    }
}

static enum ft_status verdict(struct ft_sc *c, struct ft_sc_part *p, size_t i, struct ft_err *err)
{
    const struct ft_scored *r = &c->scored[i];
    const struct ft_txn *t = &c->txn[i];
    const struct ft_cell *amount = &t->col[FT_COL_AMOUNT];
    struct ft_verdict v = {.id = t->id, .score = r->score, .flag = r->flag, .label = t->label};
    struct ft_producer *out;
    uint64_t token = 0;
    enum ft_status st;

    v.model = ft_span_of(c->model_name);
    if (amount->kind == FT_CELL_NUMBER || amount->kind == FT_CELL_TEXT)
        v.amount = (struct ft_span){amount->p, amount->n};
    v.sampled = !r->flag && sampled(c, &t->id);
    if (c->rival && c->rival_scored[i].status == FT_OK) {
        ft_buf_clear(&c->text.rival);
        ft_buf_text(&c->text.rival, "{\"model\":");
        ft_buf_json(&c->text.rival, ft_span_of(c->rival_name));
        ft_buf_text(&c->text.rival, ",\"score\":");
        ft_buf_double(&c->text.rival, c->rival_scored[i].score);
        ft_buf_char(&c->text.rival, '}');
        v.challenger_json = (struct ft_span){c->text.rival.p, c->text.rival.n};
    }
    if (r->flag || v.sampled)
        describe(c, i, &v);
    ft_buf_clear(&c->text.msg);
    if (!ft_codec_write_verdict(&c->text.msg,
                                &v)) { /* too long with all that: the verdict itself counts */
        ft_buf_clear(&c->text.msg);
        v.data_json = v.features_json = v.history_json = v.usual_json = (struct ft_span){0};
        if (!ft_codec_write_verdict(&c->text.msg, &v))
            return reject(c, p, &c->msg[i], "its verdict is too long", err);
    }
    st = open_result(c, p, &c->msg[i], &token, err);
    if (st == FT_OK)
        st = results_of(c, p, &out, err);
    if (st == FT_OK)
        st = send(c, out, &c->msg[i], (struct ft_span){c->text.msg.p, c->text.msg.n}, token, err);
    if (st != FT_OK)
        return st;
    close_result(p, token);
    ft_count(&c->s.counters, FT_M_SCORED, 1);
    if (r->flag)
        ft_count(&c->s.counters, FT_M_FLAGGED, 1);
    return FT_OK;
}

/* It came a second time; the first one's verdict is out or in the transaction. */
static enum ft_status repeated(struct ft_sc *c, struct ft_sc_part *p, size_t i, struct ft_err *err)
{
    uint64_t token;
    enum ft_status st = open_result(c, p, &c->msg[i], &token, err);

    ft_count(&c->s.counters, FT_M_REPEATED, 1);
    if (st == FT_OK)
        close_result(p, 0);
    return st;
}

/* ---- a batch --------------------------------------------------------------------------------------- */

/* The model in force; one that cannot be loaded here changes nothing. */
static void switch_model(struct ft_sc *c, const char *model)
{
    const struct ft_scorer *s = c->o.scorer;
    struct ft_err err;

    if (strcmp(model, c->in_force) == 0)
        return;
    snprintf(c->in_force, sizeof(c->in_force), "%s", model);
    if (*model && (!c->o.load || c->o.load(c->o.user, model, &s, &err) != FT_OK)) {
        ft_log(FT_ERROR, "score",
               "model %s is in force but cannot be used here: %s; going on with %s", model,
               c->o.load ? err.text : "no way to load it", c->model_name);
        return;
    }
    c->next = s == c->scorer ? NULL : s;
}

static void tell_threshold(struct ft_sc *c)
{
    pthread_mutex_lock(&c->s.lock);
    c->status.threshold = c->threshold;
    pthread_mutex_unlock(&c->s.lock);
}

static void what_is_in_force(struct ft_sc *c)
{
    const struct ft_scorer *now;
    struct ft_in_force f;

    if (!c->s.pipe->control || !ft_control_get(c->s.pipe->control, &c->control_seq, &f))
        return;
    if (!c->o.model_given || f.model_ms >= c->started_ms)
        switch_model(c, f.model);
    now = c->next ? c->next : c->scorer;
    c->threshold = c->o.threshold_given || now == c->o.scorer ? c->o.threshold
                                                              : ft_scorer_info(now)->threshold;
    if (f.has_threshold && (!c->o.threshold_given || f.threshold_ms >= c->started_ms))
        c->threshold = f.threshold;
    c->sample = f.has_sample ? f.sample : c->o.sample;
    tell_threshold(c);
}

static struct ft_sc_part *part_of(struct ft_sc *c, const struct ft_msg *m)
{
    struct ft_sc_part *p =
        c->last && c->last < c->part + c->n_part && c->last->partition == m->partition
            ? c->last
            : find(c, m->partition);

    c->last = p;
    return p && p->owned ? p : NULL;
}

enum ft_status ft_sc_score(struct ft_sc *c, struct ft_err *err)
{
    const struct ft_txn *rows[FT_SCORE_BATCH];
    struct ft_state *state = NULL;
    size_t n = c->n;
    enum ft_status st = FT_OK;

    if (!n)
        return FT_OK;
    for (size_t i = 0; i < n; i++) {
        rows[i] = &c->txn[i];
        if (sampled(c, &c->txn[i].id))
            ft_score_want_history(c->scratch, i);
    }
    if (c->keeps_state) { /* then a batch is of one partition */
        struct ft_sc_part *p = part_of(c, &c->msg[0]);

        if (!p) {
            drop_batch(c);
            return FT_OK;
        }
        state = p->state;
    }
    ft_score_batch(c->scorer, c->scratch, state, rows, n, c->threshold, c->scored);
    if (c->rival)
        ft_score_batch(c->rival, c->rival_scratch, NULL, rows, n, c->threshold, c->rival_scored);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        struct ft_sc_part *p = part_of(c, &c->msg[i]);

        if (!p)
            continue;
        if (c->scored[i].status == FT_ENOMEM) /* ours, not the message's: it is read again */
            st = ft_fail(err, FT_ENOMEM, "no memory for the customers' state");
        else if (c->scored[i].status != FT_OK)
            st = reject(c, p, &c->msg[i], ft_score_reason(c->scratch, i), err);
        else if (c->again[i] || c->scored[i].repeated)
            st = repeated(c, p, i, err);
        else
            st = verdict(c, p, i, err);
    }
    drop_batch(c);
    return st;
}

/* Scored all the same, but a customer whose messages are spread has a part of his past in each partition. */
static void note_no_key(struct ft_sc *c)
{
    if (c->no_key)
        return;
    c->no_key = true;
    pthread_mutex_lock(&c->s.lock);
    c->status.no_key = true;
    pthread_mutex_unlock(&c->s.lock);
    ft_log(FT_WARN, "score", "%s", FT_NO_KEY_TEXT);
}

/* A message into the batch; what is none is rejected at once, in its place. */
static enum ft_status take(struct ft_sc *c, struct ft_msg *m, struct ft_err *err)
{
    struct ft_sc_part *p = part_of(c, m);
    struct ft_err why = {.text = ""};
    enum ft_status st;

    ft_count(&c->s.counters, FT_M_RECEIVED, 1);
    if (!p) { /* taken away meanwhile: its new owner reads it */
        ft_msg_done(m);
        return FT_OK;
    }
    if (c->keeps_state && !m->key.p)
        note_no_key(c);
    if (c->keeps_state && c->n && c->msg[0].partition != m->partition) {
        st = ft_sc_score(c, err);
        if (st != FT_OK) {
            ft_msg_done(m);
            return st;
        }
    }
    st = m->value.p ? ft_codec_read_txn(c->codec[c->n], m->value, &c->txn[c->n], &why)
                    : ft_fail(&why, FT_EINPUT, "null payload");
    if (st != FT_OK) {
        st = ft_sc_score(c, err); /* what came before it stays before it */
        if (st == FT_OK)
            st = reject(c, p, m, why.text, err);
        ft_msg_done(m);
        return st;
    }
    c->again[c->n] = ft_sc_seen(c, p, &c->txn[c->n]);
    c->msg[c->n++] = *m;
    return FT_OK;
}

static void note_lag(struct ft_sc *c)
{
    int64_t now = ft_now_ms();

    if (now - c->lag_ms < 500)
        return;
    c->lag_ms = now;
    atomic_store(&c->s.counters.lag, ft_consumer_lag(c->in));
    show_parts(c);
}

/* Reads what is there, up to a batch, and scores it. */
static enum ft_status turn(struct ft_sc *c, struct ft_err *err)
{
    struct ft_msg m;
    struct ft_err news;
    enum ft_status st = FT_OK;
    int timeout = ft_producer_pending(c->out) ? 5 : 100;

    if (c->by_txn)
        timeout = 10;
    while (st == FT_OK && c->n < FT_SCORE_BATCH) {
        st = ft_consumer_poll(c->in, c->n ? 0 : timeout, &m, &news);
        if (c->trouble != FT_OK) {
            if (st == FT_OK)
                ft_msg_done(&m);
            *err = c->trouble_err;
            return c->trouble;
        }
        if (st == FT_OK) {
            st = take(c, &m, err);
            if (st != FT_OK)
                return st;
        } else if (st == FT_EFATAL) {
            *err = news;
            return st;
        } else if (st == FT_EINPUT) {
            ft_log(FT_ERROR, "score", "%s", news.text);
        } else if (st == FT_EUNREACHABLE) {
            say_waiting(c);
        }
    }
    if (c->n && atomic_load(&c->s.counters.state) != FT_STAGE_RUNNING) {
        ft_stage_state(&c->s, FT_STAGE_RUNNING);
        set_error(c, "");
    }
    what_is_in_force(c);
    st = ft_sc_score(c, err);
    if (st == FT_OK)
        st = serve(c, 0, err);
    if (st == FT_OK)
        st = ft_sc_commit(c, false, err);
    note_lag(c);
    return st;
}

/* ---- the thread ------------------------------------------------------------------------------------ */

static enum ft_status open_session(struct ft_sc *c, struct ft_err *err)
{
    const char *topic = c->s.pipe->topics.transactions;
    struct ft_producer_opts po = {
        .linger_ms = c->o.linger_ms, .large = true, .delivered = delivered, .user = c};
    struct ft_consumer_opts co = {.group = c->o.group,
                                  .topics = &topic,
                                  .n_topics = 1,
                                  .queued_kbytes = c->o.queued_kbytes,
                                  .queued_messages = c->o.queued_messages,
                                  .assigned = assigned,
                                  .revoked = revoked,
                                  .user = c};
    enum ft_status st;

    c->trouble = FT_OK;
    st = ft_producer_new(&c->out, c->s.pipe->bus, &po, err);
    return st == FT_OK ? ft_consumer_new(&c->in, c->s.pipe->bus, &co, err) : st;
}

static void close_session(struct ft_sc *c, bool clean)
{
    struct ft_err err;

    if (!clean)
        drop_batch(c);
    if (c->out)
        (void)!ft_producer_flush(c->out, clean ? 1000 : 200, &err);
    if (c->in) /* revoked commits and lets the partitions go */
        ft_consumer_close(c->in, 1500);
    c->in = NULL;
    drop_batch(c);
    for (size_t i = 0; i < c->n_part; i++)
        ft_sc_drop_part(&c->part[i]);
    c->n_part = 0;
    c->last = NULL;
    ft_producer_free(c->out);
    c->out = NULL;
}

static enum ft_status session(struct ft_sc *c, struct ft_err *err)
{
    enum ft_status st = open_session(c, err);

    if (st == FT_OK)
        ft_stage_state(&c->s, FT_STAGE_RUNNING);
    while (st == FT_OK && !ft_stage_stopping(&c->s) && !c->next)
        st = turn(c, err);
    (void)ft_sc_time_is_up(c); /* the patience of a stop begins */
    if (st == FT_OK)
        st = ft_sc_commit(c, true, err);
    /* A batch that broke off: states are ahead of its results and must not be committed when partitions are let go. */
    if (st != FT_OK && c->by_txn && c->trouble == FT_OK)
        c->trouble = st;
    close_session(c, st == FT_OK);
    return st;
}

static void know_model(struct ft_sc *c)
{
    const struct ft_scorer_info *info = ft_scorer_info(c->scorer);

    c->keeps_state = info->keeps_state;
    c->by_txn = c->keeps_state || c->o.exactly_once;
    c->commit_ms_now = c->keeps_state && !c->o.exactly_once ? (c->o.state_ms ? c->o.state_ms : 1000)
                       : c->o.commit_ms                     ? c->o.commit_ms
                       : c->o.exactly_once                  ? 100
                                                            : 500;
    snprintf(c->model_name, sizeof(c->model_name), "%s %s", info->name, info->version);
    pthread_mutex_lock(&c->s.lock);
    snprintf(c->status.model, sizeof(c->status.model), "%s", c->model_name);
    pthread_mutex_unlock(&c->s.lock);
}

/* Between two sessions: everything before was committed with the old model. */
static enum ft_status take_model(struct ft_sc *c, struct ft_err *err)
{
    struct ft_score_scratch *x = ft_score_scratch_new(c->next);

    if (!x)
        return ft_fail(err, FT_ENOMEM, "no memory for a model");
    ft_score_scratch_free(c->scratch);
    c->scratch = x;
    c->before = c->before == c->next ? NULL : c->scorer;
    c->scorer = c->next;
    c->next = NULL;
    know_model(c);
    memset(c->rebuilt, 0, sizeof(c->rebuilt));
    ft_log(FT_INFO, "score", "model %s decides from now on", c->model_name);
    return FT_OK;
}

/* A promoted model whose state is not what the changelog holds: the one before it goes on. */
static bool go_back(struct ft_sc *c, enum ft_status st, const struct ft_err *err)
{
    if (st != FT_EUSAGE || !c->before || ft_stage_stopping(&c->s))
        return false;
    ft_log(FT_ERROR, "score", "model %s cannot take over: %s; %s goes on", c->model_name, err->text,
           ft_scorer_info(c->before)->name);
    c->next = c->before;
    return true;
}

static enum ft_status run(struct ft_stage *s, struct ft_err *err)
{
    struct ft_sc *c = (struct ft_sc *)s;
    enum ft_status st = FT_OK;

    /* Nothing is scored before it is known what is in force. */
    while (s->pipe->control && !ft_control_ready(s->pipe->control) && !ft_stage_stopping(s))
        ft_sleep_ms(5);
    what_is_in_force(c);
    while (st == FT_OK && !ft_stage_stopping(s)) {
        st = c->next ? take_model(c, err) : FT_OK;
        if (st == FT_OK && c->by_txn)
            st = ft_sc_changelog(c, err);
        if (st == FT_OK)
            st = session(c, err);
        if (go_back(c, st, err))
            st = FT_OK;
        if ((st == FT_EFATAL || st == FT_EFENCED || st == FT_EINPUT || st == FT_EUNREACHABLE) &&
            !ft_stage_stopping(s)) {
            ft_log(FT_WARN, "score", "%s; beginning again from the last commit", err->text);
            set_error(c, err->text);
            ft_count(&s->counters, FT_M_RETRIES, 1);
            ft_stage_sleep(s, 500);
            st = FT_OK;
        }
    }
    return st;
}

static void destroy(struct ft_stage *s)
{
    struct ft_sc *c = (struct ft_sc *)s;
    struct ft_buf *const bufs[] = {&c->text.msg,      &c->text.reasons, &c->text.data,
                                   &c->text.features, &c->text.history, &c->text.usual,
                                   &c->text.rival};

    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        ft_buf_fini(bufs[i]);
    for (size_t i = 0; i < FT_SCORE_BATCH; i++)
        ft_codec_free(c->codec[i]);
    ft_score_scratch_free(c->scratch);
    ft_score_scratch_free(c->rival_scratch);
    free(c->part);
}

static bool prepare(struct ft_sc *c)
{
    struct ft_buf *const bufs[] = {&c->text.msg,      &c->text.reasons, &c->text.data,
                                   &c->text.features, &c->text.history, &c->text.usual,
                                   &c->text.rival};
    bool good = true;

    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        ft_buf_init(bufs[i], FT_MSG_MAX);
    for (size_t i = 0; i < FT_SCORE_BATCH; i++) {
        c->codec[i] = ft_codec_new();
        good &= c->codec[i] != NULL;
    }
    c->scratch = ft_score_scratch_new(c->scorer);
    if (c->rival)
        c->rival_scratch = ft_score_scratch_new(c->rival);
    return good && c->scratch && (!c->rival || c->rival_scratch);
}

enum ft_status ft_score_start(struct ft_stage **out, const struct ft_pipe *pipe,
                              const struct ft_score_opts *opts, struct ft_err *err)
{
    struct ft_sc *c = calloc(1, sizeof(*c));
    enum ft_status st;

    *out = NULL;
    if (!c)
        return ft_fail(err, FT_ENOMEM, "no memory for the scorer");
    ft_stage_init(&c->s, FT_STAGE_SCORE, pipe);
    c->s.run = run;
    c->s.destroy = destroy;
    c->o = *opts;
    c->scorer = opts->scorer;
    c->rival = opts->challenger;
    c->threshold = c->status.threshold = opts->threshold;
    c->sample = opts->sample;
    c->started_ms = ft_wall_ms();
    c->status.restored = 1;
    know_model(c);
    if (c->rival)
        snprintf(c->rival_name, sizeof(c->rival_name), "%s %s", ft_scorer_info(c->rival)->name,
                 ft_scorer_info(c->rival)->version);
    st = prepare(c) ? ft_stage_begin(&c->s, err)
                    : ft_fail(err, FT_ENOMEM, "no memory for the scorer");
    if (st != FT_OK) {
        ft_stage_free(&c->s);
        return st;
    }
    *out = &c->s;
    return FT_OK;
}

void ft_score_status(struct ft_stage *s, struct ft_score_status *out)
{
    pthread_mutex_lock(&s->lock);
    *out = ((struct ft_sc *)s)->status;
    pthread_mutex_unlock(&s->lock);
}

void ft_score_heartbeat(struct ft_stage *s, struct ft_buf *out)
{
    struct ft_score_status v;

    ft_score_status(s, &v);
    ft_buf_fmt(out,
               ",\"partitions\":%d,\"customers\":%" PRIu64 ",\"restored\":%.3f,\"score_error\":",
               v.partitions, v.customers, v.restored);
    ft_buf_json(out, ft_span_of(v.error));
    ft_buf_text(out, v.no_key ? ",\"no_key\":true" : "");
    ft_buf_text(out, ",\"threshold\":");
    ft_buf_double(out, v.threshold);
}
