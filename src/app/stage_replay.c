/*
 * Replay: rows of CSV files become messages of the topic "transactions", by a timetable.  A row counts as sent for good
 * when Kafka acknowledged it; the journal keeps the lowest row that is not.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/codec.h"
#include "fraudtop/gap.h"
#include "fraudtop/journal.h"
#include "fraudtop/log.h"
#include "fraudtop/pacer.h"
#include "stage.h"

#define WINDOW (1u << 18) /* rows between the lowest unacknowledged and the newest */
#define POLL_ROWS 128     /* at full speed delivery reports are served every so many rows */
#define PUBLISH_NS 200000000
#define WRONG_FILE_ROWS 1000

struct replay {
    struct ft_stage s; /* first */
    struct ft_replay_opts o;
    struct ft_journal j;
    char journal_path[FT_PATH_MAX];
    struct ft_keeper *keeper; /* NULL: without a journal */
    int lock_fd;
    const char *file[FT_JOURNAL_FILES]; /* of a resumed run */
    struct ft_rows *rows;
    struct ft_quarantine *quarantine;
    uint64_t quarantine_skip; /* bad rows that an earlier process has put there already */
    struct ft_producer *producer;
    struct ft_gap gap;
    uint8_t *bad; /* by row & gap.mask */
    uint64_t rejected_low;
    enum ft_status failed; /* of a delivery */
    struct ft_pacer pacer;
    struct ft_buf msg;
    uint8_t pool[8192]; /* random bytes */
    size_t pool_at;
    int64_t wall_offset_ms; /* for ft_wall_step */
    int64_t journal_ms, publish_ms;
    uint64_t since_poll, control_seq;
    int64_t published_ns;
    struct ft_seldom waiting;
    _Atomic int want_pause;
    _Atomic int want_rate; /* a new rate lies in rate_bits */
    _Atomic uint64_t rate_bits;
    struct ft_run_control seen;
    struct ft_replay_status status; /* under s.lock */
};

/* ---- before the start ----------------------------------------------------------------------------- */

static enum ft_status load_journal(struct replay *r, struct ft_err *err)
{
    struct ft_run run;
    enum ft_status st;

    if (!ft_run_parse(&run, ft_span_of(r->o.resume)))
        return ft_fail(err, FT_EUSAGE,
                       "--resume %s: not the name of a run (it is printed at its start and end)",
                       r->o.resume);
    st = ft_journal_path(r->journal_path, sizeof(r->journal_path), r->o.state_dir, &run, err);
    if (st == FT_OK)
        st = ft_journal_lock(&r->lock_fd, r->o.state_dir, &run, err);
    if (st != FT_OK)
        return st;
    st = ft_journal_read(r->journal_path, &r->j, err);
    if (st == FT_EUSAGE)
        return ft_fail(err, FT_EUSAGE, "--resume %s: no journal of this run in %s/runs",
                       r->o.resume, r->o.state_dir);
    if (st != FT_OK)
        return st;
    if (r->o.n_files == 0) {
        for (size_t i = 0; i < r->j.n_files; i++)
            r->file[i] = r->j.file[i];
        r->o.files = r->file;
        r->o.n_files = r->j.n_files;
    }
    if (!r->o.label && r->j.label[0])
        r->o.label = r->j.label;
    if (!r->o.limit)
        r->o.limit = r->j.limit;
    r->o.ids = FT_IDS_ROW;
    return FT_OK;
}

static enum ft_status check_run_id(struct replay *r, struct ft_err *err)
{
    if (r->o.run_id && !ft_run_parse(&r->j.run, ft_span_of(r->o.run_id)))
        return ft_fail(err, FT_EUSAGE,
                       "--run-id %s: 12 hexadecimal digits, a dash and 9 more are wanted",
                       r->o.run_id);
    return FT_OK;
}

static enum ft_status rows_of(struct ft_rows **out, const struct ft_replay_opts *o, uint64_t start,
                              struct ft_err *err)
{
    struct ft_rows_opts ro = {.label = o->label,
                              .need = o->need,
                              .n_need = o->n_need,
                              .required = o->required,
                              .n_required = o->n_required,
                              .stop_fd = o->stop_fd,
                              .check = true,
                              .start_row = start};

    return ft_rows_open(out, o->files, o->n_files, &ro, err);
}

static enum ft_status open_rows(struct replay *r, uint64_t start, struct ft_err *err)
{
    ft_rows_close(r->rows);
    r->rows = NULL;
    return rows_of(&r->rows, &r->o, start, err);
}

/* How many records the quarantine file holds: bad rows come in order, so that many are not written again. */
static uint64_t quarantined(const char *path)
{
    struct ft_csv *csv = ft_csv_new(1 << 20);
    struct ft_csv_row row;
    struct ft_err err;
    FILE *f = fopen(path, "rb");
    char chunk[16384];
    uint64_t n = 0;
    bool end = false;

    while (csv && f && !end) {
        enum ft_csv_event e = ft_csv_next(csv, &row, &err);

        if (e == FT_CSV_MORE) {
            size_t got = fread(chunk, 1, sizeof(chunk), f);

            if (got)
                ft_csv_feed(csv, chunk, got);
            else
                ft_csv_finish(csv);
        } else if (e == FT_CSV_END) {
            end = true;
        } else {
            n++;
        }
    }
    if (f)
        fclose(f);
    ft_csv_free(csv);
    return n ? n - 1 : 0; /* the header */
}

static void keep_files(struct replay *r)
{
    r->j.n_files = 0;
    if (r->o.n_files > FT_JOURNAL_FILES)
        return; /* then a resume must name them */
    for (size_t i = 0; i < r->o.n_files; i++) {
        char full[PATH_MAX];

        if (!realpath(r->o.files[i], full))
            snprintf(full, sizeof(full), "%s", r->o.files[i]);
        snprintf(r->j.file[r->j.n_files++], FT_PATH_MAX, "%s", full);
    }
}

static enum ft_status new_run(struct replay *r, struct ft_err *err)
{
    uint64_t print = ft_rows_fingerprint(r->rows);
    uint64_t start = (uint64_t)ft_wall_ms(), mix;
    enum ft_status st;

    r->j.started_ms = (int64_t)start;
    r->j.fingerprint = print;
    r->j.limit = r->o.limit;
    r->j.ids = (int)r->o.ids;
    snprintf(r->j.label, sizeof(r->j.label), "%s", r->o.label ? r->o.label : "");
    keep_files(r);
    if (!r->o.run_id) {
        /* Two runs that begin in the same millisecond differ by chance. */
        ft_random(&mix, sizeof(mix));
        mix ^= print;
        r->j.run = (struct ft_run){.start_ms = start & ((1ull << 48) - 1),
                                   .hash = (mix ^ mix >> 34) & ((1ull << 34) - 1)};
    }
    st = ft_journal_path(r->journal_path, sizeof(r->journal_path), r->o.state_dir, &r->j.run, err);
    if (st != FT_OK || r->o.no_journal)
        return st;
    return ft_journal_lock(&r->lock_fd, r->o.state_dir, &r->j.run, err);
}

static enum ft_status continue_run(struct replay *r, struct ft_err *err)
{
    bool embedded = ft_bus_embedded(r->s.pipe->bus);

    if (ft_rows_fingerprint(r->rows) != r->j.fingerprint)
        return ft_fail(err, FT_EINPUT,
                       "--resume %s: %s is not the file that this run began with (it changed)",
                       r->o.resume, r->o.files[0]);
    if (r->j.ids != FT_IDS_ROW || !r->j.fingerprint)
        return ft_fail(err, FT_EUSAGE,
                       "--resume %s: a pipe, or ids that are not made from rows, "
                       "cannot be continued",
                       r->o.resume);
    if (embedded) { /* the loopback died with its process */
        r->j.row = 0;
        r->j.rejected = 0;
    }
    return FT_OK;
}

static enum ft_status prepare(struct replay *r, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    int n;

    st = r->o.resume ? load_journal(r, err) : check_run_id(r, err);
    if (st == FT_OK && r->o.n_files == 0)
        st = ft_fail(err, FT_EUSAGE, "a FILE is wanted (CSV; - is standard input)");
    if (st == FT_OK)
        st = open_rows(r, 0, err);
    if (st == FT_OK)
        st = r->o.resume ? continue_run(r, err) : new_run(r, err);
    if (st == FT_OK && r->j.row)
        st = open_rows(r, r->j.row, err);
    if (st != FT_OK)
        return st;
    r->j.embedded = ft_bus_embedded(r->s.pipe->bus);
    if (r->o.quarantine) { /* else a resumed run's journal names it */
        snprintf(r->j.quarantine, sizeof(r->j.quarantine), "%s", r->o.quarantine);
    } else if (!r->j.quarantine[0]) {
        n = (int)strlen(r->journal_path) - (int)strlen(".json");
        snprintf(r->j.quarantine, sizeof(r->j.quarantine), "%.*s.rejected.csv", n, r->journal_path);
    }
    if (r->o.resume) {
        uint64_t have = quarantined(r->j.quarantine);

        r->quarantine_skip = have > r->j.rejected ? have - r->j.rejected : 0;
    }
    return r->o.no_journal ? FT_OK : ft_journal_write(r->journal_path, &r->j, err);
}

static void fill_status(struct replay *r)
{
    struct ft_replay_status *v = &r->status;

    v->run = r->j.run;
    ft_run_format(&r->j.run, v->run_text);
    snprintf(v->file, sizeof(v->file), "%s", r->o.files[0]);
    v->bytes_total = ft_rows_bytes(r->rows);
    v->rate = r->o.rate;
    v->speed = r->o.speed;
    v->started_ms = r->j.started_ms;
    if (r->rejected_low) /* by the processes before this one */
        snprintf(v->quarantine, sizeof(v->quarantine), "%s", r->j.quarantine);
    v->resumable = !r->o.no_journal && r->j.ids == FT_IDS_ROW && r->j.fingerprint != 0;
}

static void count_from(struct replay *r, uint64_t row)
{
    struct ft_counters *c = &r->s.counters;

    atomic_store(&c->n[FT_M_READ], row);
    atomic_store(&c->n[FT_M_REJECTED], r->rejected_low);
    atomic_store(&c->n[FT_M_SENT], row - r->rejected_low);
    atomic_store(&c->n[FT_M_ACKED], row - r->rejected_low);
}

static void destroy(struct ft_stage *s)
{
    struct replay *r = (struct replay *)s;

    ft_rows_close(r->rows);
    ft_quarantine_close(r->quarantine, NULL);
    ft_journal_unlock(r->lock_fd);
    ft_gap_fini(&r->gap);
    free(r->bad);
    ft_buf_fini(&r->msg);
}

/* ---- sending -------------------------------------------------------------------------------------- */

static void delivered(void *user, uint64_t token, enum ft_status st, int32_t partition,
                      int64_t offset)
{
    struct replay *r = user;
    uint64_t row = token - 1, before = r->gap.low;

    (void)partition;
    (void)offset;
    if (st != FT_OK) {
        r->failed = st;
        return;
    }
    ft_count(&r->s.counters, FT_M_ACKED, 1);
    ft_gap_done(&r->gap, row);
    for (; before < r->gap.low; before++)
        r->rejected_low += r->bad[before & r->gap.mask];
}

static enum ft_status journal_failed(struct ft_err *err)
{
    ft_err_prefix(err, "the journal of the run cannot be kept (--no-journal goes on without)");
    return FT_EIO;
}

static enum ft_status keep_journal(struct replay *r, bool now, struct ft_err *err)
{
    int64_t t = ft_now_ms();

    if (!r->keeper || (!now && t - r->journal_ms < 1000))
        return FT_OK;
    r->journal_ms = t;
    r->j.row = r->gap.low;
    r->j.rejected = r->rejected_low;
    return ft_keeper_put(r->keeper, &r->j, err) == FT_OK ? FT_OK : journal_failed(err);
}

/* The last word is on the disk when this returns. */
static enum ft_status end_journal(struct replay *r, struct ft_err *err)
{
    struct ft_err ignored;
    enum ft_status st;

    keep_journal(r, true, &ignored);
    st = ft_keeper_stop(r->keeper, err);
    r->keeper = NULL;
    return st == FT_OK ? FT_OK : journal_failed(err);
}

/* Of a run with a limit, the part that it will come to. */
static uint64_t bytes_total(const struct replay *r, uint64_t done, uint64_t row)
{
    uint64_t all = ft_rows_bytes(r->rows);
    double part = (double)done * (double)r->o.limit / (double)row;

    return r->o.limit && part < (double)all ? (uint64_t)part : all;
}

static void publish(struct replay *r, const struct ft_row_pos *pos, const struct ft_txn *t)
{
    struct ft_bus_health health;

    ft_bus_health(r->s.pipe->bus, &health);
    pthread_mutex_lock(&r->s.lock);
    if (pos) {
        snprintf(r->status.file, sizeof(r->status.file), "%s", pos->file);
        r->status.bytes_done = ft_rows_done(r->rows);
        r->status.bytes_total = bytes_total(r, r->status.bytes_done, pos->row + 1);
    }
    if (t && t->col[FT_COL_TIME].kind == FT_CELL_TEXT)
        snprintf(r->status.event_clock, sizeof(r->status.event_clock), "%.*s",
                 (int)(t->col[FT_COL_TIME].n < 20 ? t->col[FT_COL_TIME].n : 20),
                 t->col[FT_COL_TIME].p);
    snprintf(r->status.error, sizeof(r->status.error), "%s",
             health.known && !health.up ? health.error : "");
    r->status.paused = r->pacer.paused;
    r->status.rate = r->pacer.rate;
    r->status.speed = r->pacer.speed;
    pthread_mutex_unlock(&r->s.lock);
}

/* What the console, the control topic or the caller asked for meanwhile. */
static void obey(struct replay *r, int64_t now_ns)
{
    struct ft_run_control c = {0};
    bool pause;

    if (r->s.pipe->control)
        ft_control_of_run(r->s.pipe->control, &r->j.run, &c);
    if (c.known && (!r->seen.known || c.paused != r->seen.paused))
        atomic_store(&r->want_pause, c.paused);
    if (c.known && c.has_rate && (!r->seen.has_rate || c.rate != r->seen.rate))
        ft_replay_rate(&r->s, c.rate);
    r->seen = c;
    if (atomic_exchange(&r->want_rate, 0)) {
        uint64_t bits = atomic_load(&r->rate_bits);
        double rate;

        memcpy(&rate, &bits, sizeof(rate));
        ft_pacer_rate(&r->pacer, rate, now_ns);
    }
    pause = atomic_load(&r->want_pause) != 0;
    if (pause != r->pacer.paused)
        ft_stage_state(&r->s, pause ? FT_STAGE_PAUSED : FT_STAGE_RUNNING);
    ft_pacer_pause(&r->pacer, pause, now_ns);
}

/* Delivery reports, the journal, wishes: what has to go on while nothing is sent. */
static enum ft_status serve(struct replay *r, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = ft_producer_poll(r->producer, timeout_ms, err);
    int64_t now_ms;

    r->since_poll = 0;
    if (r->failed == FT_EINPUT || r->failed == FT_EUSAGE)
        return ft_fail(err, r->failed == FT_EUSAGE ? FT_EUSAGE : FT_EIO,
                       "topic %s: a message is refused (%s)", r->s.pipe->topics.transactions,
                       r->failed == FT_EINPUT ? "too large for it?" : "no right to write there");
    if (st == FT_EFATAL || r->failed != FT_OK)
        return st == FT_EFATAL ? st : ft_fail(err, FT_EFATAL, "a message was not delivered");
    now_ms = ft_now_ms();
    obey(r, ft_now_ns());
    if (now_ms - r->publish_ms >= 100) {
        r->publish_ms = now_ms;
        publish(r, NULL, NULL);
    }
    return keep_journal(r, false, err);
}

/* Waits until the row is due. */
static enum ft_status wait_due(struct replay *r, int64_t event_s, int64_t *due_ns,
                               struct ft_err *err)
{
    for (;;) {
        int64_t now = ft_now_ns(), left;
        enum ft_status st;

        *due_ns = ft_pacer_due(&r->pacer, event_s, now);
        left = r->pacer.paused ? 50000000 : *due_ns - now;
        if (left <= 0)
            return FT_OK;
        if (ft_stage_stopping(&r->s))
            return FT_ESTOPPED;
        st = serve(r, left > 50000000 ? 50 : (int)((left + 999999) / 1000000), err);
        if (st != FT_OK)
            return st;
    }
}

static void make_id(struct replay *r, struct ft_uuid *id, uint64_t row)
{
    if (r->j.ids == FT_IDS_ROW) {
        ft_uuid_from_row(id, &r->j.run, row);
        return;
    }
    if (r->pool_at + 16 > sizeof(r->pool)) {
        ft_random(r->pool, sizeof(r->pool));
        r->pool_at = 0;
    }
    if (r->j.ids == FT_IDS_TIME)
        ft_uuid_from_time(id, (uint64_t)ft_wall_ms(), r->pool + r->pool_at);
    else
        ft_uuid_from_random(id, r->pool + r->pool_at);
    r->pool_at += 16;
}

static void say_waiting(struct replay *r)
{
    struct ft_bus_health h;

    ft_stage_state(&r->s, FT_STAGE_WAITING);
    if (!ft_seldom(&r->waiting))
        return;
    ft_bus_health(r->s.pipe->bus, &h);
    if (h.known && !h.up)
        ft_log(FT_WARN, "replay", "waiting for Kafka (%s); %zu messages wait to be delivered",
               h.error, ft_producer_pending(r->producer));
}

static enum ft_status send_row(struct replay *r, struct ft_txn *t, uint64_t row, int64_t due_ns,
                               struct ft_err *err)
{
    uint8_t key[FT_KEY_BYTES];
    struct ft_span k = {0};
    int64_t due_ms = due_ns / 1000000 + r->wall_offset_ms;
    enum ft_status st;

    make_id(r, &t->id, row);
    if (ft_txn_key(t, r->s.pipe->secret, key))
        k = (struct ft_span){(const char *)key, sizeof(key)};
    ft_buf_clear(&r->msg);
    if (!ft_codec_write_txn(&r->msg, t))
        return ft_fail(err, FT_EINPUT, "too long for a message (%u bytes at the most)", FT_MSG_MAX);
    for (;;) {
        st = ft_send(r->producer, r->s.pipe->topics.transactions, FT_BY_KEY, k,
                     (struct ft_span){r->msg.p, r->msg.n}, NULL, 0, due_ms, row + 1, err);
        if (st != FT_AGAIN)
            break;
        if (ft_stage_stopping(&r->s))
            return FT_ESTOPPED;
        say_waiting(r);
        st = serve(r, 100, err);
        if (st != FT_OK)
            return st;
    }
    if (st == FT_OK) {
        ft_count(&r->s.counters, FT_M_SENT, 1);
        if (atomic_load_explicit(&r->s.counters.state, memory_order_relaxed) == FT_STAGE_WAITING)
            ft_stage_state(&r->s, FT_STAGE_RUNNING);
    }
    return st;
}

/* "amount: "12,5" is not a number" and its like count as one reason: what is quoted is left out. */
static void reason_kind(char *out, size_t size, const char *reason)
{
    bool quoted = false;
    size_t n = 0;

    for (const char *p = reason; *p && n + 1 < size; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (!quoted && !(*p == ' ' && n && out[n - 1] == ' '))
            out[n++] = *p;
    }
    out[n] = '\0';
}

static void note_reason(struct replay *r, const struct ft_row_pos *pos, const char *reason)
{
    struct ft_replay_status *v = &r->status;
    char kind[sizeof(v->reject[0].reason)];
    size_t i = 0;

    reason_kind(kind, sizeof(kind), reason);
    pthread_mutex_lock(&r->s.lock);
    while (i < v->n_reject && strcmp(v->reject[i].reason, kind) != 0)
        i++;
    if (i == v->n_reject && i < sizeof(v->reject) / sizeof(v->reject[0])) {
        snprintf(v->reject[i].reason, sizeof(kind), "%s", kind);
        v->reject[i].first_line = pos->line;
        v->n_reject++;
    }
    if (i < v->n_reject)
        v->reject[i].rows++;
    if (!*v->quarantine)
        snprintf(v->quarantine, sizeof(v->quarantine), "%s", r->j.quarantine);
    pthread_mutex_unlock(&r->s.lock);
}

static enum ft_status reject_row(struct replay *r, const struct ft_row_pos *pos, const char *reason,
                                 struct ft_err *err)
{
    uint64_t n = ft_counted(&r->s.counters, FT_M_REJECTED), before = r->gap.low;
    enum ft_status st = FT_OK;

    if (r->quarantine_skip) {
        r->quarantine_skip--;
    } else {
        if (!r->quarantine)
            st = ft_quarantine_open(&r->quarantine, r->j.quarantine, err);
        if (st == FT_OK)
            st = ft_quarantine_add(r->quarantine, pos, reason, err);
        if (st != FT_OK)
            return st;
    }
    if (n < 5)
        ft_log(FT_WARN, "replay", "%s:%" PRIu64 ": %s (not sent%s)", pos->file, pos->line, reason,
               n == 4 ? "; more of them only in the quarantine file" : "");
    note_reason(r, pos, reason);
    ft_count(&r->s.counters, FT_M_REJECTED, 1);
    r->bad[pos->row & r->gap.mask] = 1;
    ft_gap_done(&r->gap, pos->row);
    for (; before < r->gap.low; before++)
        r->rejected_low += r->bad[before & r->gap.mask];
    if (pos->row + 1 == WRONG_FILE_ROWS && n >= WRONG_FILE_ROWS / 10)
        ft_log(FT_WARN, "replay", "%s: %" PRIu64 " of the first %d rows are bad: the right file?",
               pos->file, n + 1, WRONG_FILE_ROWS);
    if (r->o.strict)
        return ft_fail(err, FT_EINPUT, "%s:%" PRIu64 ": %s (--strict)", pos->file, pos->line,
                       reason);
    return FT_OK;
}

/* One row.  FT_END after the last. */
static enum ft_status one_row(struct replay *r, struct ft_err *err)
{
    struct ft_row_pos pos = {0};
    struct ft_txn t;
    struct ft_err why;
    struct ft_time event = {0};
    int64_t due_ns = 0;
    enum ft_status st;

    if (r->o.limit && r->gap.next >= r->o.limit)
        return FT_END;
    while (ft_gap_full(&r->gap)) {
        if (ft_stage_stopping(&r->s))
            return FT_ESTOPPED;
        say_waiting(r);
        st = serve(r, 100, err);
        if (st != FT_OK)
            return st;
    }
    st = ft_rows_next(r->rows, &t, &pos, &why);
    if (st != FT_OK && st != FT_EINPUT) {
        *err = why;
        return st;
    }
    ft_gap_open(&r->gap);
    r->bad[pos.row & r->gap.mask] = 0;
    ft_count(&r->s.counters, FT_M_READ, 1);
    if (st == FT_EINPUT)
        return reject_row(r, &pos, why.text, err);
    if (r->pacer.speed > 0)
        ft_parse_time((struct ft_span){t.col[FT_COL_TIME].p, t.col[FT_COL_TIME].n}, &event);
    st = wait_due(r, event.unix_s, &due_ns, err);
    if (st != FT_OK)
        return st;
    st = send_row(r, &t, pos.row, due_ns, &why);
    if (st == FT_EINPUT)
        return reject_row(r, &pos, why.text, err);
    if (st != FT_OK) {
        *err = why;
        return st;
    }
    ft_pacer_next(&r->pacer);
    if (due_ns - r->published_ns >= PUBLISH_NS) { /* a slow replay moves on the screen, too */
        publish(r, &pos, &t);
        (void)ft_wall_step(&r->wall_offset_ms);
        r->published_ns = due_ns;
    }
    return ++r->since_poll < POLL_ROWS ? FT_OK : serve(r, 0, err);
}

/* Until every row that was sent is acknowledged, or a stop's patience ends. */
static enum ft_status drain(struct replay *r, struct ft_err *err)
{
    int64_t give_up = 0;

    while (ft_producer_pending(r->producer)) {
        enum ft_status st = serve(r, 20, err);

        if (st != FT_OK)
            return st;
        if (!ft_stage_stopping(&r->s)) {
            say_waiting(r);
            continue;
        }
        if (!give_up)
            give_up = ft_now_ms() + 3000;
        if (ft_now_ms() >= give_up) {
            ft_log(FT_WARN, "replay", "%zu messages were not delivered",
                   ft_producer_pending(r->producer));
            return FT_ESTOPPED;
        }
    }
    return FT_OK;
}

static enum ft_status send_rows(struct replay *r, struct ft_err *err)
{
    enum ft_status st, drained;
    struct ft_err other;

    do
        st = ft_stage_stopping(&r->s) ? FT_ESTOPPED : one_row(r, err);
    while (st == FT_OK);
    if (st == FT_EFATAL)
        return st;
    if (st == FT_END) {
        pthread_mutex_lock(&r->s.lock);
        r->status.read_all = true;
        r->status.bytes_done = r->status.bytes_total;
        pthread_mutex_unlock(&r->s.lock);
    }
    drained = drain(r, st == FT_END || st == FT_ESTOPPED ? err : &other);
    if (drained == FT_EFATAL)
        return drained;
    if (st == FT_END && drained == FT_OK)
        r->j.done = true;
    return st == FT_END ? drained : st;
}

static enum ft_status new_producer(struct replay *r, struct ft_err *err)
{
    /* As fast as it goes the processor is what there is too little of; else the disk is, and each verdict is waited for. */
    bool flat_out = !(r->o.rate > 0) && !(r->o.speed > 0);
    struct ft_producer_opts po = {
        .linger_ms = flat_out ? -1 : 2, .plain = flat_out, .delivered = delivered, .user = r};

    r->failed = FT_OK;
    return ft_producer_new(&r->producer, r->s.pipe->bus, &po, err);
}

/* After a fatal error of the client library: everything not acknowledged is sent again, under the same ids. */
static enum ft_status begin_again(struct replay *r, struct ft_err *err)
{
    struct ft_err why = *err;

    if (!r->status.resumable && !(r->j.ids == FT_IDS_ROW && r->j.fingerprint)) {
        ft_err_prefix(err, "rows of a pipe cannot be sent again");
        return FT_EFATAL;
    }
    ft_log(FT_WARN, "replay", "%s; sending again from row %" PRIu64, why.text, r->gap.low);
    ft_producer_free(r->producer);
    r->producer = NULL;
    r->gap.next = r->gap.low;
    r->quarantine_skip += ft_counted(&r->s.counters, FT_M_REJECTED) - r->rejected_low;
    count_from(r, r->gap.low);
    ft_stage_sleep(&r->s, 500);
    if (open_rows(r, r->gap.low, err) != FT_OK)
        return FT_EINPUT;
    return new_producer(r, err);
}

static enum ft_status run(struct ft_stage *s, struct ft_err *err)
{
    struct replay *r = (struct replay *)s;
    enum ft_status st, kept;
    struct ft_err ignored;

    ft_pacer_init(&r->pacer, r->o.rate, r->o.speed, ft_now_ns());
    (void)ft_wall_step(&r->wall_offset_ms);
    st = r->o.no_journal ? FT_OK : ft_keeper_start(&r->keeper, r->journal_path, err);
    if (st == FT_OK)
        st = new_producer(r, err);
    if (st != FT_OK) {
        ft_keeper_stop(r->keeper, &ignored);
        r->keeper = NULL;
        return st;
    }
    ft_stage_state(s, FT_STAGE_RUNNING);
    do {
        st = send_rows(r, err);
        if (st == FT_EFATAL && !ft_stage_stopping(s))
            st = begin_again(r, err) == FT_OK ? FT_EFATAL : FT_EIO;
        else
            break;
    } while (st == FT_EFATAL);
    kept = end_journal(r, st == FT_OK || st == FT_ESTOPPED ? err : &ignored);
    publish(r, NULL, NULL);
    if (st != FT_OK && st != FT_ESTOPPED) {
        pthread_mutex_lock(&s->lock);
        snprintf(r->status.error, sizeof(r->status.error), "%s", err->text);
        pthread_mutex_unlock(&s->lock);
    }
    ft_producer_free(r->producer);
    r->producer = NULL;
    if (ft_quarantine_close(r->quarantine, &ignored) != FT_OK && kept == FT_OK) {
        *err = ignored;
        kept = FT_EIO;
    }
    r->quarantine = NULL;
    ft_journal_unlock(r->lock_fd); /* it may be continued although we are still looked at */
    r->lock_fd = -1;
    return st == FT_OK || st == FT_ESTOPPED ? (kept == FT_OK ? st : kept) : st;
}

/* ---- interface ------------------------------------------------------------------------------------ */

enum ft_status ft_replay_new(struct ft_stage **out, const struct ft_pipe *pipe,
                             const struct ft_replay_opts *opts, struct ft_err *err)
{
    struct replay *r = calloc(1, sizeof(*r));
    enum ft_status st;

    *out = NULL;
    if (!r)
        return ft_fail(err, FT_ENOMEM, "no memory for the replay");
    ft_stage_init(&r->s, FT_STAGE_REPLAY, pipe);
    r->s.run = run;
    r->s.destroy = destroy;
    r->o = *opts;
    r->lock_fd = -1;
    r->pool_at = sizeof(r->pool);
    ft_buf_init(&r->msg, FT_MSG_MAX);
    st = prepare(r, err);
    if (st == FT_OK) {
        r->bad = calloc(WINDOW, 1);
        if (!r->bad || !ft_gap_init(&r->gap, WINDOW, r->j.row))
            st = ft_fail(err, FT_ENOMEM, "no memory for the replay");
    }
    if (st != FT_OK) {
        ft_stage_free(&r->s);
        return st;
    }
    r->rejected_low = r->j.rejected;
    count_from(r, r->j.row);
    fill_status(r);
    *out = &r->s;
    return FT_OK;
}

enum ft_status ft_replay_check(const struct ft_replay_opts *opts, struct ft_err *err)
{
    struct ft_rows *rows;
    enum ft_status st = rows_of(&rows, opts, 0, err);

    if (st == FT_OK)
        ft_rows_close(rows);
    return st;
}

enum ft_status ft_replay_start(struct ft_stage *s, struct ft_err *err)
{
    return ft_stage_begin(s, err);
}

void ft_replay_pause(struct ft_stage *s, bool paused)
{
    atomic_store(&((struct replay *)s)->want_pause, paused);
}

void ft_replay_rate(struct ft_stage *s, double rate)
{
    struct replay *r = (struct replay *)s;
    uint64_t bits;

    memcpy(&bits, &rate, sizeof(bits));
    atomic_store(&r->rate_bits, bits);
    atomic_store(&r->want_rate, 1);
}

void ft_replay_status(struct ft_stage *s, struct ft_replay_status *out)
{
    struct replay *r = (struct replay *)s;

    pthread_mutex_lock(&s->lock);
    *out = r->status;
    pthread_mutex_unlock(&s->lock);
}

void ft_replay_heartbeat(struct ft_stage *s, struct ft_buf *out)
{
    struct ft_replay_status v;

    ft_replay_status(s, &v);
    ft_buf_fmt(out, ",\"run\":{\"id\":\"%s\",\"file\":", v.run_text);
    ft_buf_json(out, ft_span_of(v.file));
    ft_buf_fmt(out,
               ",\"read\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"acked\":%" PRIu64
               ",\"rejected\":%" PRIu64,
               ft_counted(&s->counters, FT_M_READ), ft_counted(&s->counters, FT_M_SENT),
               ft_counted(&s->counters, FT_M_ACKED), ft_counted(&s->counters, FT_M_REJECTED));
    ft_buf_fmt(out,
               ",\"done\":%s,\"paused\":%s,\"rate\":%.17g,\"speed\":%.17g,\"bytes_done\":%" PRIu64
               ",\"bytes_total\":%" PRIu64 ",\"started_ms\":%" PRId64 ",\"event\":",
               ft_stage_ended(s) ? "true" : "false", v.paused ? "true" : "false", v.rate, v.speed,
               v.bytes_done, v.bytes_total, v.started_ms);
    ft_buf_json(out, ft_span_of(v.event_clock));
    ft_buf_text(out, ",\"error\":");
    ft_buf_json(out, ft_span_of(v.error));
    ft_buf_text(out, ",\"quarantine\":");
    ft_buf_json(out, ft_span_of(v.quarantine));
    ft_buf_text(out, ",\"rejects\":[");
    for (size_t i = 0; i < v.n_reject; i++) {
        ft_buf_text(out, i ? ",{\"reason\":" : "{\"reason\":");
        ft_buf_json(out, ft_span_of(v.reject[i].reason));
        ft_buf_fmt(out, ",\"rows\":%" PRIu64 ",\"first_line\":%" PRIu64 "}", v.reject[i].rows,
                   v.reject[i].first_line);
    }
    ft_buf_text(out, "]}");
}
