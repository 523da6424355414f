/*
 * The changelog's records.  A customer's record (key: his 16 bytes), all little-endian:
 *
 *     u8 version (1), u8 kind 'C', u32 layout (of the manifest: what the state is kept for)
 *     i64 base_s, first_old_s, last_old_s; f64 sum_old, square_old, max_old
 *     u32 n_old, nights_old, n_lost; f32 score_old, ewma_old
 *     u8 n_categories, u8 n_ids, u16 n_events, u16 n_history_bytes
 *     categories: u32 hash, u32 n_old, f64 log_sum_old
 *     events: f64 amount, i32 dt, f32 score, u8 category, u8 night
 *     ids: u64; history: bytes as history.c has them
 *
 * A run's mark (key: "run:" and the run's name): u8 version, u8 'M', u64 row, u64 order of its last use.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define VERSION 1
#define MARK_PREFIX "run:"
#define EVENT_BYTES 18
#define CATEGORY_BYTES 16

/* What must be the same for a state to be of use: bit 0 earlier scores, then history, then the gap in days. */
static uint32_t layout_of(const struct ft_scorer *s)
{
    return (s->keeps_scores ? 1u : 0u) | (uint32_t)s->n_history << 1 |
           (uint32_t)(s->gap_s / 86400) << 8;
}

/* ---- bytes ---------------------------------------------------------------------------------------- */

static void put(struct ft_buf *b, const void *p, size_t n)
{
    ft_buf_add(b, p, n);
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the state's records are written as they lie in memory: little-endian machines only"
#endif

static void put_u8(struct ft_buf *b, uint8_t v)
{
    put(b, &v, 1);
}

struct cursor {
    const char *p;
    size_t n;
    bool bad;
};

static void get(struct cursor *c, void *out, size_t n)
{
    if (c->bad || c->n < n) {
        c->bad = true;
        memset(out, 0, n);
        return;
    }
    if (n)
        memcpy(out, c->p, n);
    c->p += n;
    c->n -= n;
}

static uint8_t get_u8(struct cursor *c)
{
    uint8_t v;

    get(c, &v, 1);
    return v;
}

/* ---- writing -------------------------------------------------------------------------------------- */

static void write_customer(const struct ft_scorer *s, const struct ft_customer *c, struct ft_buf *b)
{
    uint32_t layout = layout_of(s);

    ft_buf_clear(b);
    put_u8(b, VERSION);
    put_u8(b, 'C');
    put(b, &layout, 4);
    put(b, &c->base_s, 8);
    put(b, &c->first_old_s, 8);
    put(b, &c->last_old_s, 8);
    put(b, &c->sum_old, 8);
    put(b, &c->square_old, 8);
    put(b, &c->max_old, 8);
    put(b, &c->n_old, 4);
    put(b, &c->nights_old, 4);
    put(b, &c->n_lost, 4);
    put(b, &c->score_old, 4);
    put(b, &c->ewma_old, 4);
    put_u8(b, c->n_categories);
    put_u8(b, c->n_ids);
    put(b, &c->n_events, 2);
    put(b, &c->n_history_bytes, 2);
    for (uint8_t i = 0; i < c->n_categories; i++) {
        put(b, &c->category[i].hash, 4);
        put(b, &c->category[i].n_old, 4);
        put(b, &c->category[i].log_sum_old, 8);
    }
    for (uint16_t i = 0; i < c->n_events; i++) {
        const struct ft_event *e = &c->event[i];

        put(b, e->amount, 8);
        put(b, &e->dt, 4);
        put(b, &e->score, 4);
        put_u8(b, e->category);
        put_u8(b, e->night);
    }
    put(b, c->id, c->n_ids * sizeof(*c->id));
    put(b, ft_history_of(c).p, c->n_history_bytes);
}

static struct ft_span mark_key(const struct ft_mark *m, char out[FT_RUN_TEXT + 8])
{
    memcpy(out, MARK_PREFIX, 4);
    ft_run_format(&m->run, out + 4);
    return ft_span_of(out);
}

static enum ft_status emit_marks(struct ft_state *st, ft_state_emit *emit, void *user)
{
    char key[FT_RUN_TEXT + 8];
    enum ft_status status = FT_OK;

    while (st->n_dropped && status == FT_OK) {
        status = emit(user, mark_key(&st->dropped[st->n_dropped - 1], key), (struct ft_span){0});
        st->n_dropped -= status == FT_OK;
    }
    for (size_t i = 0; i < st->n_marks && status == FT_OK; i++) {
        struct ft_mark *m = &st->mark[i];

        if (!m->changed)
            continue;
        ft_buf_clear(&st->record);
        put_u8(&st->record, VERSION);
        put_u8(&st->record, 'M');
        put(&st->record, &m->row, 8);
        put(&st->record, &m->seq, 8);
        if (st->record.failed)
            return FT_ENOMEM;
        status = emit(user, mark_key(m, key), (struct ft_span){st->record.p, st->record.n});
        m->changed = status != FT_OK;
    }
    return status;
}

static enum ft_status emit_customer(struct ft_state *st, uint32_t index, ft_state_emit *emit,
                                    void *user)
{
    struct ft_customer *c = ft_customer_at(st, index);
    enum ft_status status;

    if (!c->used) { /* removed meanwhile: its tombstone is among the gone */
        c->changed = 0;
        return FT_OK;
    }
    write_customer(st->s, c, &st->record);
    if (st->record.failed)
        return FT_ENOMEM;
    status = emit(user, (struct ft_span){(const char *)c->key, FT_KEY_BYTES},
                  (struct ft_span){st->record.p, st->record.n});
    c->changed = status != FT_OK;
    return status;
}

enum ft_status ft_state_changes(struct ft_state *st, ft_state_emit *emit, void *user)
{
    enum ft_status status = ft_state_expire(st);

    for (; st->n_gone && status == FT_OK; st->n_gone -= status == FT_OK)
        status = emit(user, (struct ft_span){(const char *)st->gone[st->n_gone - 1], FT_KEY_BYTES},
                      (struct ft_span){0});
    for (; st->n_changed && status == FT_OK; st->n_changed -= status == FT_OK)
        status = emit_customer(st, st->changed[st->n_changed - 1], emit, user);
    return status == FT_OK ? emit_marks(st, emit, user) : status;
}

/* ---- reading -------------------------------------------------------------------------------------- */

/* The fixed part; false when a number cannot be. */
static bool read_head(struct cursor *in, struct ft_customer *c)
{
    get(in, &c->base_s, 8);
    get(in, &c->first_old_s, 8);
    get(in, &c->last_old_s, 8);
    get(in, &c->sum_old, 8);
    get(in, &c->square_old, 8);
    get(in, &c->max_old, 8);
    get(in, &c->n_old, 4);
    get(in, &c->nights_old, 4);
    get(in, &c->n_lost, 4);
    get(in, &c->score_old, 4);
    get(in, &c->ewma_old, 4);
    c->n_categories = get_u8(in);
    c->n_ids = get_u8(in);
    get(in, &c->n_events, 2);
    get(in, &c->n_history_bytes, 2);
    return !in->bad && c->n_categories <= FT_MAX_CATEGORIES && c->n_ids <= FT_MAX_IDS &&
           c->n_events <= FT_MAX_EVENTS && c->n_history_bytes <= FT_HISTORY_BYTES &&
           in->n == (size_t)c->n_categories * CATEGORY_BYTES + (size_t)c->n_events * EVENT_BYTES +
                        c->n_ids * sizeof(uint64_t) + c->n_history_bytes;
}

/* Years 1 to 9999, so that no sum of times can overflow. */
static bool is_time(int64_t s)
{
    return s >= -62135596800 && s <= 253402300799;
}

static bool make_room(struct ft_state *st, struct ft_customer *c)
{
    size_t cap_categories = 0, cap_events = 0, cap_history = 0;
    void *category = NULL, *event = NULL, *history = NULL;
    bool ok =
        ft_state_grow(st, &category, &cap_categories, c->n_categories, sizeof(*c->category)) &&
        ft_state_grow(st, &event, &cap_events, c->n_events, sizeof(*c->event)) &&
        ft_state_grow(st, &history, &cap_history, c->n_history_bytes, 1);

    c->category = category;
    c->cap_categories = (uint8_t)cap_categories;
    c->event = event;
    c->cap_events = (uint16_t)cap_events;
    c->history = history;
    c->cap_history = (uint16_t)cap_history;
    if (ok && c->n_ids) {
        c->id = calloc(FT_MAX_IDS, sizeof(*c->id));
        st->bytes += c->id ? FT_MAX_IDS * sizeof(*c->id) : 0;
        ok = c->id != NULL;
    }
    return ok;
}

static bool read_lists(struct cursor *in, struct ft_customer *c)
{
    size_t at = 0;
    struct ft_history_item item;
    struct ft_span history;
    bool good = true;

    for (uint8_t i = 0; i < c->n_categories; i++) {
        get(in, &c->category[i].hash, 4);
        get(in, &c->category[i].n_old, 4);
        get(in, &c->category[i].log_sum_old, 8);
    }
    for (uint16_t i = 0; i < c->n_events; i++) {
        struct ft_event *e = &c->event[i];

        *e = (struct ft_event){0};
        get(in, e->amount, 8);
        get(in, &e->dt, 4);
        get(in, &e->score, 4);
        e->category = get_u8(in);
        e->night = get_u8(in);
        good = good && e->dt > -FT_WEEK_S && e->dt <= FT_GAP_MAX_S && e->night <= 1 &&
               (e->category < c->n_categories || e->category == FT_MAX_CATEGORIES);
    }
    get(in, c->id, c->n_ids * sizeof(*c->id));
    get(in, c->history, c->n_history_bytes);
    history = (struct ft_span){(const char *)c->history, c->n_history_bytes};
    while (ft_history_next(history, &at, &item)) {
        c->n_history++;
        good = good && is_time(item.time_s);
    }
    return good && !in->bad && at == history.n && c->n_history <= 10;
}

static enum ft_status restore_customer(struct ft_state *st, struct ft_span key, struct cursor *in,
                                       struct ft_err *err)
{
    struct ft_customer got = {.used = 1}, *c;
    uint32_t index, layout;

    get(in, &layout, 4);
    if (!in->bad && layout != layout_of(st->s))
        return ft_fail(err, FT_EINPUT,
                       "the state was kept for another manifest (earlier scores, history or "
                       "gap_days differ): make it anew with --rebuild-state");
    if (!read_head(in, &got) || !is_time(got.base_s) ||
        (got.n_old && (!is_time(got.first_old_s) || !is_time(got.last_old_s))))
        return ft_fail(err, FT_EINPUT, "a customer's state is damaged");
    index = ft_customer_make(st, (const uint8_t *)key.p);
    if (index == FT_NO_CUSTOMER)
        return ft_fail(err, FT_ENOMEM, "no memory for %zu customers", st->n_customers + 1);
    c = ft_customer_at(st, index);
    ft_customer_clear(st, c);
    got.changed = c->changed;
    memcpy(got.key, key.p, FT_KEY_BYTES);
    *c = got;
    if (!make_room(st, c)) {
        ft_customer_remove(st, index);
        return ft_fail(err, FT_ENOMEM, "no memory for %zu customers", st->n_customers + 1);
    }
    if (!read_lists(in, c)) {
        ft_customer_remove(st, index);
        return ft_fail(err, FT_EINPUT, "a customer's state is damaged");
    }
    return FT_OK;
}

static enum ft_status restore_mark(struct ft_state *st, struct ft_span key, bool tombstone,
                                   struct cursor *in, struct ft_err *err)
{
    struct ft_mark m = {.changed = false};
    size_t i = 0;

    if (!ft_run_parse(&m.run, (struct ft_span){key.p + 4, key.n - 4}))
        return ft_fail(err, FT_EINPUT, "a key of the state is damaged");
    while (i < st->n_marks &&
           (st->mark[i].run.start_ms != m.run.start_ms || st->mark[i].run.hash != m.run.hash))
        i++;
    if (tombstone) {
        if (i < st->n_marks)
            st->mark[i] = st->mark[--st->n_marks];
        return FT_OK;
    }
    get(in, &m.row, 8);
    get(in, &m.seq, 8);
    if (in->bad || in->n)
        return ft_fail(err, FT_EINPUT, "a run's mark is damaged");
    if (i == FT_MAX_MARKS)
        return ft_fail(err, FT_EINPUT, "more than %d runs are marked", FT_MAX_MARKS);
    st->mark[i] = m;
    st->n_marks += i == st->n_marks;
    st->mark_seq = m.seq > st->mark_seq ? m.seq : st->mark_seq;
    return FT_OK;
}

enum ft_status ft_state_restore(struct ft_state *st, struct ft_span key, struct ft_span record,
                                struct ft_err *err)
{
    struct cursor in = {record.p, record.n, false};
    bool mark = key.n == FT_RUN_TEXT + 4 && memcmp(key.p, MARK_PREFIX, 4) == 0;
    uint8_t version, kind;

    if (!mark && key.n != FT_KEY_BYTES)
        return ft_fail(err, FT_EINPUT, "a key of the state has %zu bytes", key.n);
    if (!record.p) {
        uint32_t index;

        if (mark)
            return restore_mark(st, key, true, &in, err);
        index = ft_customer_find(st, (const uint8_t *)key.p);
        if (index != FT_NO_CUSTOMER)
            ft_customer_remove(st, index);
        return FT_OK;
    }
    version = get_u8(&in);
    kind = get_u8(&in);
    if (version != VERSION || kind != (mark ? 'M' : 'C'))
        return ft_fail(err, FT_EINPUT,
                       "a state record of version %d, this program writes %d: make the state anew "
                       "with --rebuild-state",
                       version, VERSION);
    return mark ? restore_mark(st, key, false, &in, err) : restore_customer(st, key, &in, err);
}
