#include "offline.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define LINE_MAX_BYTES ((size_t)1 << 30)

/* Blocks pass in the order of their numbers. */
struct turnstile {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t next;
};

/* Some of the customers. */
struct shard {
    struct turnstile turn;
    struct ft_state *state;
};

struct engine {
    struct ft_offline *o;
    struct ft_rows *rows;
    pthread_mutex_t reading;
    enum ft_status broken; /* why the rows ended early; what was read before is handed on */
    struct ft_err why;
    struct turnstile writing;
    struct shard *shard; /* NULL: no state */
    size_t n_shards;
    atomic_bool failed;
    pthread_mutex_t failing;
    enum ft_status status;
    struct ft_err err;
    struct ft_quarantine *quarantine;
    char quarantine_path[1200];
    struct ft_progress progress;
    uint64_t bytes;
};

/* What is known of a row of the block at hand. */
struct row {
    struct ft_row_pos pos;
    struct ft_txn txn;
    struct ft_scored got;
    enum ft_status status; /* FT_OK, FT_EINPUT */
    size_t text, n_text;   /* in the worker's out, or its reasons */
    uint32_t shard;
};

struct worker {
    struct engine *e;
    pthread_t thread;
    struct ft_rows_block block;
    struct ft_row_parser *parser;
    struct ft_score_scratch *x;
    struct row *row;
    size_t n_rows, cap_rows;
    struct ft_field *extra;
    size_t n_extra, cap_extra;
    char *cells; /* cells that do not lie in the block as they are */
    size_t n_cells, cap_cells;
    struct ft_buf out, reasons;
};

/* ---- order ---------------------------------------------------------------------------------------- */

enum ft_status ft_offline_not_written(struct ft_err *err)
{
    return errno == EPIPE
               ? ft_fail(err, FT_ESTOPPED, "nobody reads the result any more")
               : ft_fail(err, FT_EIO, "the result could not be written: %s", strerror(errno));
}

static void fail(struct engine *e, enum ft_status st, const struct ft_err *err)
{
    pthread_mutex_lock(&e->failing);
    if (!atomic_exchange(&e->failed, true)) {
        e->status = st;
        e->err = *err;
    }
    pthread_mutex_unlock(&e->failing);
    for (size_t i = 0; i <= e->n_shards; i++) {
        struct turnstile *t = i < e->n_shards ? &e->shard[i].turn : &e->writing;

        pthread_mutex_lock(&t->lock);
        pthread_cond_broadcast(&t->moved);
        pthread_mutex_unlock(&t->lock);
    }
}

/* False: somebody failed meanwhile. */
static bool enter(struct engine *e, struct turnstile *t, uint64_t number)
{
    pthread_mutex_lock(&t->lock);
    while (t->next != number && !atomic_load(&e->failed))
        pthread_cond_wait(&t->moved, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return !atomic_load(&e->failed);
}

static void leave(struct turnstile *t)
{
    pthread_mutex_lock(&t->lock);
    t->next++;
    pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}

/* ---- a block's rows ------------------------------------------------------------------------------- */

static bool room(void **p, size_t *cap, size_t n, size_t size)
{
    size_t want = *cap ? *cap : 1024;
    void *q;

    if (n <= *cap)
        return true;
    while (want < n)
        want *= 2;
    q = realloc(*p, want * size);
    if (!q)
        return false;
    *p = q;
    *cap = want;
    return true;
}

/* Cells of unquoted fields lie in the block and stay; others are the parser's until its next row. */
static void keep_cell(struct worker *w, struct ft_cell *c)
{
    if (!c->n || (c->p >= w->block.p && c->p < w->block.p + w->block.n))
        return;
    memcpy(w->cells + w->n_cells, c->p, c->n);
    c->p = w->cells + w->n_cells;
    w->n_cells += c->n;
}

static bool keep_row(struct worker *w, struct row *r)
{
    size_t n = r->txn.n_extra;
    void *p = w->extra;

    for (size_t c = 0; c < FT_N_COLS; c++)
        keep_cell(w, &r->txn.col[c]);
    if (!room(&p, &w->cap_extra, w->n_extra + n, sizeof(*w->extra)))
        return false;
    w->extra = p;
    for (size_t i = 0; i < n; i++) {
        w->extra[w->n_extra + i] = r->txn.extra[i];
        keep_cell(w, &w->extra[w->n_extra + i].cell);
    }
    r->txn.extra =
        (const struct ft_field *)(uintptr_t)w->n_extra; /* an index until all are there */
    w->n_extra += n;
    return true;
}

static uint32_t shard_of(const struct engine *e, const struct ft_txn *t)
{
    static const uint8_t secret[16];
    uint8_t key[FT_KEY_BYTES];
    uint32_t h;

    if (e->n_shards < 2 || !ft_txn_key(t, secret, key))
        return 0;
    memcpy(&h, key + 8, sizeof(h)); /* the state's table uses the other half */
    return h % (uint32_t)e->n_shards;
}

static void keep_reason(struct worker *w, struct row *r, const char *reason)
{
    r->status = FT_EINPUT;
    r->text = w->reasons.n;
    r->n_text = strlen(reason);
    ft_buf_add(&w->reasons, reason, r->n_text + 1);
}

static enum ft_status parse_block(struct worker *w, struct ft_err *err)
{
    void *p = w->row, *q = w->cells;
    enum ft_status st = FT_OK;

    w->n_rows = w->n_extra = w->n_cells = 0;
    ft_buf_clear(&w->out);
    ft_buf_clear(&w->reasons);
    if (!room(&p, &w->cap_rows, w->block.n_rows, sizeof(*w->row)) ||
        !room(&q, &w->cap_cells, w->block.n + 1, 1))
        return ft_fail(err, FT_ENOMEM, "no memory for a block of rows");
    w->row = p;
    w->cells = q;
    ft_row_parser_start(w->parser, &w->block);
    while (w->n_rows < w->cap_rows) {
        struct row *r = &w->row[w->n_rows];

        st = ft_row_parser_next(w->parser, &r->txn, &r->pos, err);
        if (st != FT_OK && st != FT_EINPUT)
            break;
        w->n_rows++;
        r->status = st;
        r->n_text = 0;
        if (st == FT_EINPUT)
            keep_reason(w, r, err->text);
        else if (!keep_row(w, r))
            return ft_fail(err, FT_ENOMEM, "no memory for a block of rows");
    }
    for (size_t i = 0; i < w->n_rows; i++) {
        struct row *r = &w->row[i];

        if (r->status == FT_OK)
            r->txn.extra = w->extra ? w->extra + (uintptr_t)r->txn.extra : NULL;
        r->shard = r->status == FT_OK ? shard_of(w->e, &r->txn) : 0;
    }
    return st == FT_END || st == FT_OK || st == FT_EINPUT ? FT_OK : st;
}

/* ---- scoring -------------------------------------------------------------------------------------- */

static enum ft_status given_scores(const struct ft_offline *o, const struct row *r, double *out,
                                   struct ft_err *err)
{
    uint64_t row = r->pos.row;

    *out = row < o->n_first ? o->first_raw[row] : (double)NAN;
    if (isnan(*out))
        return ft_fail(err, FT_EINPUT, "row %llu: the file of stage scores has no value for it",
                       (unsigned long long)row);
    return FT_OK;
}

static enum ft_status score_batch(struct worker *w, struct ft_state *state, const uint32_t *index,
                                  size_t n, struct ft_err *err)
{
    const struct ft_offline *o = w->e->o;
    const struct ft_txn *txn[FT_SCORE_BATCH];
    struct ft_scored got[FT_SCORE_BATCH];
    double first[FT_SCORE_BATCH];
    enum ft_status st = FT_OK;

    for (size_t i = 0; i < n && st == FT_OK; i++) {
        txn[i] = &w->row[index[i]].txn;
        if (o->first_raw)
            st = given_scores(o, &w->row[index[i]], &first[i], err);
    }
    if (st != FT_OK)
        return st;
    if (o->features)
        ft_score_features(o->scorer, w->x, state, txn, n, o->first_raw ? first : NULL, got);
    else
        ft_score_batch(o->scorer, w->x, state, txn, n, o->threshold, got);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        struct row *r = &w->row[index[i]];
        struct ft_offline_row row = {r->pos.row, &r->txn, got[i]};

        r->got = got[i];
        if (got[i].status == FT_EINPUT) {
            keep_reason(w, r, ft_score_reason(w->x, i));
            continue;
        }
        if (got[i].status != FT_OK)
            return ft_fail(err, got[i].status, "row %llu: %s", (unsigned long long)r->pos.row,
                           ft_score_reason(w->x, i));
        r->text = w->out.n;
        if (o->format)
            st = o->format(o->user, &row, w->x, i, &w->out, err);
        r->n_text = w->out.n - r->text;
    }
    return st;
}

/* The good rows of a shard (of all, without state), in batches. */
static enum ft_status score_shard(struct worker *w, uint32_t shard, struct ft_state *state,
                                  struct ft_err *err)
{
    uint32_t index[FT_SCORE_BATCH];
    enum ft_status st = FT_OK;
    size_t n = 0;

    for (size_t i = 0; i < w->n_rows && st == FT_OK; i++) {
        if (w->row[i].status == FT_OK && w->row[i].shard == shard)
            index[n++] = (uint32_t)i;
        if (n == FT_SCORE_BATCH) {
            st = score_batch(w, state, index, n, err);
            n = 0;
        }
    }
    return st == FT_OK && n ? score_batch(w, state, index, n, err) : st;
}

static enum ft_status score_block(struct worker *w, struct ft_err *err)
{
    struct engine *e = w->e;
    enum ft_status st = FT_OK;

    if (!e->shard)
        return score_shard(w, 0, NULL, err);
    for (uint32_t i = 0; i < e->n_shards && st == FT_OK; i++) {
        if (!enter(e, &e->shard[i].turn, w->block.number))
            return FT_ESTOPPED;
        st = score_shard(w, i, e->shard[i].state, err);
        if (st == FT_OK)
            leave(&e->shard[i].turn);
    }
    if (w->out.failed || w->reasons.failed)
        return ft_fail(err, FT_ENOMEM, "no memory for the results of a block");
    return st;
}

/* ---- results, in order ---------------------------------------------------------------------------- */

static enum ft_status hand_on_row(struct worker *w, struct row *r, struct ft_err *err)
{
    struct ft_offline *o = w->e->o;
    struct ft_offline_row row = {r->pos.row, &r->txn, r->got};

    o->n_rows++;
    if (r->status != FT_OK) {
        o->n_rejected++;
        if (o->reject) {
            o->reject(o->user, r->pos.row, w->reasons.p + r->text);
            return FT_OK;
        }
        return ft_quarantine_add(w->e->quarantine, &r->pos, w->reasons.p + r->text, err);
    }
    o->n_scored++;
    if (r->n_text && fwrite(w->out.p + r->text, 1, r->n_text, o->out) != r->n_text)
        return ft_offline_not_written(err);
    return o->take ? o->take(o->user, &row, err) : FT_OK;
}

static enum ft_status hand_on(struct worker *w, struct ft_err *err)
{
    struct engine *e = w->e;
    enum ft_status st = FT_OK;
    char detail[40];

    for (size_t i = 0; i < w->n_rows && st == FT_OK; i++)
        st = hand_on_row(w, &w->row[i], err);
    snprintf(detail, sizeof(detail), "%llu rejected", (unsigned long long)e->o->n_rejected);
    ft_progress_show(&e->progress, w->block.bytes_done, e->bytes, e->o->n_rows,
                     e->o->n_rejected ? detail : NULL);
    return st;
}

/* ---- threads -------------------------------------------------------------------------------------- */

static enum ft_status read_block(struct engine *e, struct ft_rows_block *b)
{
    enum ft_status st = FT_END;

    pthread_mutex_lock(&e->reading);
    if (e->broken == FT_OK)
        st = ft_rows_next_block(e->rows, b, &e->why);
    if (st != FT_OK && st != FT_END) {
        e->broken = st;
        st = FT_END;
    }
    pthread_mutex_unlock(&e->reading);
    return st;
}

static enum ft_status one_block(struct worker *w, struct ft_err *err)
{
    struct engine *e = w->e;
    enum ft_status st;

    if (ft_stop_signal())
        return ft_fail(err, FT_ESTOPPED, "stopped");
    st = read_block(e, &w->block);
    if (st != FT_OK)
        return st;
    st = parse_block(w, err);
    if (st == FT_OK)
        st = score_block(w, err);
    if (st != FT_OK)
        return st;
    if (!enter(e, &e->writing, w->block.number))
        return FT_ESTOPPED;
    st = hand_on(w, err);
    if (st == FT_OK)
        leave(&e->writing);
    return st;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct ft_err err = {""};
    enum ft_status st = FT_OK;

    while (st == FT_OK && !atomic_load(&w->e->failed))
        st = one_block(w, &err);
    if (st != FT_OK && st != FT_END)
        fail(w->e, st, &err);
    return NULL;
}

static void worker_fini(struct worker *w)
{
    ft_rows_block_fini(&w->block);
    ft_row_parser_free(w->parser);
    ft_score_scratch_free(w->x);
    free(w->row);
    free(w->extra);
    free(w->cells);
    ft_buf_fini(&w->out);
    ft_buf_fini(&w->reasons);
}

static enum ft_status worker_init(struct worker *w, struct engine *e, struct ft_err *err)
{
    const struct ft_span *header;
    struct ft_span *names;
    const char *label = ft_cfg_text(e->o->app->cfg, "replay.label");
    size_t n = ft_rows_header(e->rows, &header), n_names = 0;
    enum ft_status st;

    *w = (struct worker){.e = e};
    ft_rows_block_init(&w->block);
    ft_buf_init(&w->out, LINE_MAX_BYTES);
    ft_buf_init(&w->reasons, LINE_MAX_BYTES);
    w->parser = ft_row_parser_new(e->rows);
    w->x = ft_score_scratch_new(e->o->scorer);
    names = calloc(n + 1, sizeof(*names));
    if (!w->parser || !w->x || !names) {
        free(names);
        return ft_fail(err, FT_ENOMEM, "no memory for a thread");
    }
    for (size_t i = 0; i < n; i++)
        if (!label || !ft_span_is(header[i], label))
            names[n_names++] = header[i];
    st = ft_score_bind(e->o->scorer, w->x, names, n_names, err);
    free(names);
    return st;
}

static size_t count_threads(const struct ft_app *app)
{
    int64_t want = ft_cfg_int(app->cfg, "score.threads");

    if (want <= 0)
        want = sysconf(_SC_NPROCESSORS_ONLN);
    if (want <= 0)
        want = 1;
    return want > THREADS_MAX ? THREADS_MAX : (size_t)want;
}

static enum ft_status run_workers(struct engine *e, size_t n, struct ft_err *err)
{
    struct worker *w = calloc(n, sizeof(*w));
    enum ft_status st = w ? FT_OK : ft_fail(err, FT_ENOMEM, "no memory for %zu threads", n);
    size_t n_made = 0, n_started = 0;

    for (; n_made < n && st == FT_OK; n_made++)
        st = worker_init(&w[n_made], e, err);
    while (st == FT_OK && n_started + 1 < n &&
           pthread_create(&w[n_started].thread, NULL, work, &w[n_started]) == 0)
        n_started++; /* fewer threads than wanted do the same work */
    if (st == FT_OK)
        work(&w[n - 1]);
    for (size_t i = 0; i < n_started; i++)
        pthread_join(w[i].thread, NULL);
    for (size_t i = 0; i < n_made; i++)
        worker_fini(&w[i]);
    free(w);
    if (st == FT_OK && atomic_load(&e->failed)) {
        *err = e->err;
        st = e->status;
    } else if (st == FT_OK && e->broken != FT_OK) {
        *err = e->why;
        st = e->broken;
    }
    return st;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void turnstile_init(struct turnstile *t)
{
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->moved, NULL);
    t->next = 0;
}

static void turnstile_fini(struct turnstile *t)
{
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->moved);
}

static enum ft_status make_shards(struct engine *e, size_t n, struct ft_err *err)
{
    static const uint8_t secret[16];

    if (!ft_scorer_info(e->o->scorer)->keeps_state)
        return FT_OK;
    e->shard = calloc(n, sizeof(*e->shard));
    if (!e->shard)
        return ft_fail(err, FT_ENOMEM, "no memory for the customers' state");
    for (; e->n_shards < n; e->n_shards++) {
        struct shard *s = &e->shard[e->n_shards];

        turnstile_init(&s->turn);
        s->state = ft_state_new(e->o->scorer, secret);
        if (!s->state) {
            turnstile_fini(&s->turn);
            return ft_fail(err, FT_ENOMEM, "no memory for the customers' state");
        }
    }
    return FT_OK;
}

static enum ft_status open_quarantine(struct engine *e, struct ft_err *err)
{
    const struct ft_app *app = e->o->app;
    const char *path = ft_cfg_text(app->cfg, "replay.quarantine");
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    if (path)
        snprintf(e->quarantine_path, sizeof(e->quarantine_path), "%s", path);
    else
        snprintf(e->quarantine_path, sizeof(e->quarantine_path), "%s/%s-%s-%d.rejected.csv",
                 app->state_dir, e->o->what, stamp, (int)getpid());
    return ft_quarantine_open(&e->quarantine, e->quarantine_path, err);
}

static enum ft_status open_rows(struct engine *e, struct ft_err *err)
{
    const struct ft_config *cfg = e->o->app->cfg;
    struct ft_rows_opts opts = {.label = ft_cfg_text(cfg, "replay.label"),
                                .check = ft_scorer_manifest(e->o->scorer).n > 0,
                                .limit = e->o->limit,
                                .stop_fd = ft_stop_fd()};

    if (!opts.limit)
        opts.limit = (uint64_t)ft_cfg_int(cfg, "replay.limit");
    opts.n_need = ft_scorer_columns(e->o->scorer, &opts.need);
    opts.n_required = ft_scorer_required(e->o->scorer, &opts.required);
    return ft_rows_open(&e->rows, e->o->paths, e->o->n_paths, &opts, err);
}

enum ft_status ft_offline_run(struct ft_offline *o, struct ft_err *err)
{
    struct engine e = {.o = o};
    size_t threads = count_threads(o->app);
    struct ft_err ignored;
    enum ft_status st;

    o->n_rows = o->n_scored = o->n_rejected = 0;
    pthread_mutex_init(&e.reading, NULL);
    pthread_mutex_init(&e.failing, NULL);
    turnstile_init(&e.writing);
    st = open_rows(&e, err);
    if (st == FT_OK && !o->reject)
        st = open_quarantine(&e, err);
    if (st == FT_OK && o->header && fputs(o->header, o->out) == EOF)
        st = ft_offline_not_written(err);
    if (st == FT_OK)
        st = make_shards(&e, threads == 1 ? 1 : 2 * threads, err);
    if (st == FT_OK) {
        e.bytes = ft_rows_bytes(e.rows);
        ft_progress_start(&e.progress, o->app, o->what);
        st = run_workers(&e, threads, err);
        ft_progress_end(&e.progress);
    }
    if (o->n_rejected && !o->app->quiet && !o->reject)
        fprintf(stderr, "%s: %llu of %llu rows rejected, see %s\n", o->what,
                (unsigned long long)o->n_rejected, (unsigned long long)o->n_rows,
                e.quarantine_path);
    if (ft_quarantine_close(e.quarantine, st == FT_OK ? err : &ignored) != FT_OK && st == FT_OK)
        st = FT_EIO;
    ft_rows_close(e.rows);
    for (size_t i = 0; i < e.n_shards; i++) {
        ft_state_free(e.shard[i].state);
        turnstile_fini(&e.shard[i].turn);
    }
    free(e.shard);
    turnstile_fini(&e.writing);
    pthread_mutex_destroy(&e.failing);
    pthread_mutex_destroy(&e.reading);
    return st;
}

/* ---- what the commands share ---------------------------------------------------------------------- */

double ft_offline_threshold(const struct ft_app *app, const struct ft_scorer *s)
{
    return ft_cfg_is_set(app->cfg, "model.threshold") ? ft_cfg_real(app->cfg, "model.threshold")
                                                      : ft_scorer_info(s)->threshold;
}

enum ft_status ft_offline_output(const struct ft_app *app, FILE **out, struct ft_err *err)
{
    const char *path = ft_cfg_text(app->cfg, "output.file");

    *out = path && strcmp(path, "-") != 0 ? fopen(path, "w") : stdout;
    return *out ? FT_OK : ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
}

enum ft_status ft_offline_close(const struct ft_app *app, FILE *out, struct ft_err *err)
{
    const char *path = ft_cfg_text(app->cfg, "output.file");
    int bad = out == stdout ? fflush(out) : fclose(out);

    if (bad && errno == EPIPE)
        return ft_offline_not_written(err);
    return bad == 0
               ? FT_OK
               : ft_fail(err, FT_EIO, "%s: %s", path ? path : "standard output", strerror(errno));
}

int ft_offline_exit(const struct ft_app *app, const struct ft_offline *o, enum ft_status st,
                    const struct ft_err *err)
{
    if (st != FT_OK)
        return ft_app_fail(app, st, err);
    return o->n_rejected ? 3 : 0;
}
