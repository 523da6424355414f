/*
 * The customers of a partition: found by key, each with its events.  What they mean is in past.c.
 */
#include "state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_STARTS 64

bool ft_state_grow(struct ft_state *st, void **p, size_t *cap, size_t n, size_t size)
{
    size_t want = *cap ? *cap : 4;
    void *q;

    if (n <= *cap)
        return true;
    while (want < n)
        want += want / 3 + 1;
    q = realloc(*p, want * size);
    if (!q)
        return false;
    *p = q;
    st->bytes += (want - *cap) * size;
    *cap = want;
    return true;
}

/* ---- the table ------------------------------------------------------------------------------------ */

static uint64_t key_hash(const uint8_t key[FT_KEY_BYTES])
{
    uint64_t h;

    memcpy(&h, key, sizeof(h)); /* a keyed hash already */
    return h;
}

struct ft_customer *ft_customer_at(const struct ft_state *st, uint32_t index)
{
    return &st->slab[index / FT_SLAB][index % FT_SLAB];
}

static uint32_t tag_of(const uint8_t key[FT_KEY_BYTES])
{
    return (uint32_t)(key_hash(key) >> 32);
}

/* The slot that holds the key, or the free one where it would go. */
static struct ft_slot *find_slot(const struct ft_state *st, const uint8_t key[FT_KEY_BYTES])
{
    size_t mask = st->table_size - 1, i = key_hash(key) & mask;
    uint32_t tag = tag_of(key);

    while (st->table[i].at &&
           (st->table[i].tag != tag ||
            memcmp(ft_customer_at(st, st->table[i].at - 1)->key, key, FT_KEY_BYTES)))
        i = (i + 1) & mask;
    return &st->table[i];
}

uint32_t ft_customer_find(const struct ft_state *st, const uint8_t key[FT_KEY_BYTES])
{
    uint32_t at = st->table_size ? find_slot(st, key)->at : 0;

    return at ? at - 1 : FT_NO_CUSTOMER;
}

static void prefetch(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i += 64)
        __builtin_prefetch((const char *)p + i);
}

void ft_customer_prefetch(const struct ft_state *st, const uint8_t key[FT_KEY_BYTES], int step)
{
    size_t mask = st->table_size - 1, i = key_hash(key) & mask;
    const struct ft_customer *c;
    uint32_t tag = tag_of(key);

    if (!st->table_size)
        return;
    if (step == 0) {
        __builtin_prefetch(&st->table[i]);
        return;
    }
    while (st->table[i].at && st->table[i].tag != tag)
        i = (i + 1) & mask;
    if (!st->table[i].at)
        return;
    c = ft_customer_at(st, st->table[i].at - 1);
    if (step == 1) {
        prefetch(c, sizeof(*c));
        return;
    }
    prefetch(c->category, c->n_categories * sizeof(*c->category));
    prefetch(c->event, c->n_events < 25 ? c->n_events * sizeof(*c->event) : 500);
    if (c->history) { /* its oldest item, which goes, and the end, where one is added */
        __builtin_prefetch(c->history + c->history_at);
        prefetch(c->history + c->history_at + c->n_history_bytes, 128);
    }
}

static bool grow_table(struct ft_state *st)
{
    size_t size = st->table_size ? 2 * st->table_size : 1024, old = st->table_size;
    struct ft_slot *from = st->table, *table = calloc(size, sizeof(*table));

    if (!table)
        return false;
    st->table = table;
    st->table_size = size;
    for (size_t i = 0; i < old; i++)
        if (from[i].at)
            *find_slot(st, ft_customer_at(st, from[i].at - 1)->key) = from[i];
    free(from);
    return true;
}

static bool add_slab(struct ft_state *st)
{
    struct ft_customer *slab;

    if (st->n_slabs == st->cap_slabs) {
        size_t cap = st->cap_slabs ? 2 * st->cap_slabs : 16;
        struct ft_customer **p = realloc(st->slab, cap * sizeof(*p));

        if (!p)
            return false;
        st->slab = p;
        st->cap_slabs = cap;
    }
    slab = calloc(FT_SLAB, sizeof(*slab));
    if (!slab)
        return false;
    st->slab[st->n_slabs++] = slab;
    return true;
}

uint32_t ft_customer_make(struct ft_state *st, const uint8_t key[FT_KEY_BYTES])
{
    uint32_t index = ft_customer_find(st, key);
    struct ft_customer *c;

    if (index != FT_NO_CUSTOMER)
        return index;
    if (st->n_customers >= st->table_size / 4 * 3 && !grow_table(st))
        return FT_NO_CUSTOMER;
    if (st->first_free != FT_NO_CUSTOMER) {
        index = st->first_free;
        st->first_free = (uint32_t)ft_customer_at(st, index)->base_s;
    } else {
        if (st->n_made == FT_NO_CUSTOMER || (st->n_made == st->n_slabs * FT_SLAB && !add_slab(st)))
            return FT_NO_CUSTOMER;
        index = st->n_made++;
    }
    c = ft_customer_at(st, index);
    *c = (struct ft_customer){.used = 1};
    memcpy(c->key, key, FT_KEY_BYTES);
    *find_slot(st, key) = (struct ft_slot){index + 1, tag_of(key)};
    st->n_customers++;
    return index;
}

static void free_arrays(struct ft_state *st, struct ft_customer *c)
{
    st->bytes -= c->cap_events * sizeof(*c->event) + c->cap_categories * sizeof(*c->category) +
                 (c->id ? FT_MAX_IDS * sizeof(*c->id) : 0) + c->cap_history;
    free(c->event);
    free(c->category);
    free(c->id);
    free(c->history);
}

void ft_customer_clear(struct ft_state *st, struct ft_customer *c)
{
    struct ft_customer keep = *c;

    free_arrays(st, c);
    *c = (struct ft_customer){.used = 1, .changed = keep.changed};
    memcpy(c->key, keep.key, FT_KEY_BYTES);
}

/* Takes a slot out of the table and moves up what was pushed behind it. */
static void close_gap(struct ft_state *st, size_t gap)
{
    size_t mask = st->table_size - 1;

    for (size_t i = (gap + 1) & mask; st->table[i].at; i = (i + 1) & mask) {
        size_t home = key_hash(ft_customer_at(st, st->table[i].at - 1)->key) & mask;

        if (((i - home) & mask) >= ((i - gap) & mask)) {
            st->table[gap] = st->table[i];
            gap = i;
        }
    }
    st->table[gap].at = 0;
}

void ft_customer_remove(struct ft_state *st, uint32_t index)
{
    struct ft_customer *c = ft_customer_at(st, index);

    close_gap(st, (size_t)(find_slot(st, c->key) - st->table));
    free_arrays(st, c);
    /* used stays 0 and the key unset: a free one that stands in the list of changes is passed over. */
    *c = (struct ft_customer){.base_s = st->first_free, .changed = c->changed};
    st->first_free = index;
    st->n_customers--;
}

bool ft_customer_changed(struct ft_state *st, uint32_t index)
{
    struct ft_customer *c = ft_customer_at(st, index);
    size_t bytes = st->bytes;
    void *p = st->changed;

    if (c->changed)
        return true;
    if (!ft_state_grow(st, &p, &st->cap_changed, st->n_changed + 1, sizeof(*st->changed)))
        return false;
    st->changed = p;
    st->bytes = bytes; /* counted by ft_state_bytes */
    st->changed[st->n_changed++] = index;
    c->changed = 1;
    return true;
}

struct ft_state *ft_state_new(const struct ft_scorer *s, const uint8_t secret[16])
{
    struct ft_state *st = calloc(1, sizeof(*st));

    if (!st)
        return NULL;
    st->s = s;
    memcpy(st->secret, secret, 16);
    st->first_free = FT_NO_CUSTOMER;
    st->clock_s = INT64_MAX;
    st->expired_s = INT64_MIN;
    ft_buf_init(&st->record, 1u << 20);
    return st;
}

void ft_state_free(struct ft_state *st)
{
    if (!st)
        return;
    for (uint32_t i = 0; i < st->n_made; i++)
        free_arrays(st, ft_customer_at(st, i));
    for (size_t i = 0; i < st->n_slabs; i++)
        free(st->slab[i]);
    free(st->slab);
    free(st->table);
    free(st->changed);
    free(st->gone);
    ft_buf_fini(&st->record);
    free(st);
}

size_t ft_state_customers(const struct ft_state *st)
{
    return st->n_customers;
}

size_t ft_state_bytes(const struct ft_state *st)
{
    return sizeof(*st) + st->bytes + st->n_slabs * FT_SLAB * sizeof(struct ft_customer) +
           st->table_size * sizeof(*st->table) + st->cap_changed * sizeof(*st->changed) +
           st->cap_gone * sizeof(*st->gone) + st->record.cap;
}

/* ---- events --------------------------------------------------------------------------------------- */

/* An event leaves: what it was goes into the numbers of the life. */
static void fold(struct ft_customer *c, const struct ft_event *e)
{
    double amount = ft_event_amount(e);
    int64_t time_s = c->base_s + e->dt;

    if (c->n_old == 0) {
        c->first_old_s = c->last_old_s = time_s;
        c->max_old = amount;
        c->ewma_old = e->score;
    } else {
        c->first_old_s = time_s < c->first_old_s ? time_s : c->first_old_s;
        c->last_old_s = time_s > c->last_old_s ? time_s : c->last_old_s;
        c->max_old = amount > c->max_old ? amount : c->max_old;
        c->ewma_old = 0.7f * c->ewma_old + 0.3f * e->score;
    }
    c->n_old++;
    c->sum_old += amount;
    c->square_old += amount * amount;
    c->nights_old += e->night;
    c->score_old = e->score;
    if (e->category < c->n_categories) {
        c->category[e->category].n_old++;
        c->category[e->category].log_sum_old += log1p(amount);
    }
}

/*
 * Moves the customer's base to now: events that no window can reach from here (7 days old, or ten years in the future) are folded, the others kept in order.
 */
static void rebase(struct ft_customer *c, int64_t now_s)
{
    int64_t by = c->base_s - now_s;
    uint16_t n = 0;

    for (uint16_t i = 0; i < c->n_events; i++) {
        struct ft_event *e = &c->event[i];
        int64_t dt = e->dt + by;

        if (dt <= -FT_WEEK_S || dt > FT_GAP_MAX_S) {
            fold(c, e);
            continue;
        }
        c->event[n] = *e;
        c->event[n++].dt = (int32_t)dt;
    }
    c->n_events = n;
    c->base_s = now_s;
}

static uint8_t find_category(const struct ft_customer *c, uint32_t hash)
{
    uint8_t i = 0;

    while (i < c->n_categories && c->category[i].hash != hash)
        i++;
    return i;
}

/* Room for one more category: a new slot, or that of the rarest one, which is forgotten. */
static uint8_t reuse_category(struct ft_customer *c)
{
    uint32_t n[FT_MAX_CATEGORIES + 1] = {0};
    uint8_t rarest = 0;

    for (uint16_t i = 0; i < c->n_events; i++)
        n[c->event[i].category]++;
    for (uint8_t i = 0; i < c->n_categories; i++) {
        n[i] += c->category[i].n_old;
        if (n[i] < n[rarest])
            rarest = i;
    }
    for (uint16_t i = 0; i < c->n_events; i++)
        if (c->event[i].category == rarest)
            c->event[i].category = FT_MAX_CATEGORIES;
    c->n_lost++;
    return rarest;
}

static bool reserve_event(struct ft_state *st, struct ft_customer *c)
{
    size_t cap = c->cap_events;
    void *p = c->event;
    bool ok = c->n_events == FT_MAX_EVENTS ||
              ft_state_grow(st, &p, &cap, c->n_events + 1u, sizeof(*c->event));

    c->event = p;
    c->cap_events = (uint16_t)cap;
    return ok;
}

static bool reserve_category(struct ft_state *st, struct ft_customer *c)
{
    size_t cap = c->cap_categories;
    void *p = c->category;
    bool ok = c->n_categories == FT_MAX_CATEGORIES ||
              ft_state_grow(st, &p, &cap, c->n_categories + 1u, sizeof(*c->category));

    c->category = p;
    c->cap_categories = (uint8_t)cap;
    return ok;
}

static bool reserve_ids(struct ft_state *st, struct ft_customer *c)
{
    if (c->id)
        return true;
    c->id = malloc(FT_MAX_IDS * sizeof(*c->id));
    if (c->id)
        st->bytes += FT_MAX_IDS * sizeof(*c->id);
    return c->id != NULL;
}

static void add_id(struct ft_customer *c, uint64_t id)
{
    if (c->n_ids == FT_MAX_IDS) {
        memmove(c->id, c->id + 1, (FT_MAX_IDS - 1) * sizeof(*c->id));
        c->n_ids--;
    }
    c->id[c->n_ids++] = id;
}

/* A burst's memory is given back when it is over. */
static void shrink(struct ft_state *st, struct ft_customer *c)
{
    size_t cap = (size_t)c->n_events * 2;
    struct ft_event *p;

    if (c->cap_events <= 32 || cap > c->cap_events / 2)
        return;
    p = realloc(c->event, cap * sizeof(*p));
    if (!p)
        return;
    st->bytes -= (c->cap_events - cap) * sizeof(*p);
    c->event = p;
    c->cap_events = (uint16_t)cap;
}

static bool is_night(int64_t time_s)
{
    int64_t second = time_s % 86400;

    second += second < 0 ? 86400 : 0;
    return second >= 22 * 3600 || second < 4 * 3600;
}

static void run_clock(struct ft_state *st, int64_t time_s)
{
    const int64_t hour = 3600;

    if (st->n_seen < CLOCK_STARTS) {
        st->n_seen++;
        if (time_s < st->clock_s)
            st->clock_s = time_s;
    } else if (time_s > st->clock_s) {
        st->clock_s = time_s - st->clock_s < hour ? time_s : st->clock_s + hour;
    }
}

enum ft_status ft_customer_add(struct ft_state *st, struct ft_customer *c,
                               const struct ft_new_event *n)
{
    struct ft_event *e;
    uint8_t slot;

    if (!reserve_event(st, c) || !reserve_category(st, c) || (n->foreign_id && !reserve_ids(st, c)))
        return FT_ENOMEM;
    rebase(c, n->time_s);
    if (c->n_events == FT_MAX_EVENTS) {
        fold(c, &c->event[0]);
        memmove(c->event, c->event + 1, (FT_MAX_EVENTS - 1) * sizeof(*c->event));
        c->n_events--;
    }
    slot = find_category(c, n->category_hash);
    if (slot == FT_MAX_CATEGORIES)
        slot = reuse_category(c);
    else if (slot == c->n_categories)
        c->n_categories++;
    else
        goto known;
    c->category[slot] = (struct ft_category){.hash = n->category_hash};
known:
    e = &c->event[c->n_events++];
    *e = (struct ft_event){.score = n->score, .category = slot, .night = is_night(n->time_s)};
    memcpy(e->amount, &n->amount, sizeof(e->amount));
    if (n->foreign_id)
        add_id(c, n->foreign_id);
    run_clock(st, n->time_s);
    shrink(st, c);
    return FT_OK;
}

/* ---- repeats -------------------------------------------------------------------------------------- */

uint64_t ft_foreign_id(const struct ft_uuid *id)
{
    static const struct ft_uuid none;
    struct ft_run run;
    uint64_t row, a, b;

    if (ft_uuid_cmp(id, &none) == 0 || ft_uuid_to_row(id, &run, &row))
        return 0;
    memcpy(&a, id->b, 8);
    memcpy(&b, id->b + 8, 8);
    a = (a ^ b * 0x9E3779B97F4A7C15u) * 0xFF51AFD7ED558CCDu;
    a ^= a >> 32;
    return a ? a : 1;
}

static struct ft_mark *find_mark(struct ft_state *st, const struct ft_run *run)
{
    for (size_t i = 0; i < st->n_marks; i++)
        if (st->mark[i].run.start_ms == run->start_ms && st->mark[i].run.hash == run->hash)
            return &st->mark[i];
    return NULL;
}

bool ft_marks_seen(const struct ft_state *st, const struct ft_uuid *id)
{
    struct ft_run run;
    uint64_t row;

    if (!ft_uuid_to_row(id, &run, &row))
        return false;
    for (size_t i = 0; i < st->n_marks; i++)
        if (st->mark[i].run.start_ms == run.start_ms && st->mark[i].run.hash == run.hash)
            return row <= st->mark[i].row;
    return false;
}

/* The run that was longest silent makes room. */
static struct ft_mark *new_mark(struct ft_state *st)
{
    struct ft_mark *oldest = &st->mark[0];

    if (st->n_marks < FT_MAX_MARKS)
        return &st->mark[st->n_marks++];
    for (size_t i = 1; i < st->n_marks; i++)
        if (st->mark[i].seq < oldest->seq)
            oldest = &st->mark[i];
    if (st->n_dropped < FT_MAX_MARKS)
        st->dropped[st->n_dropped++] = *oldest;
    return oldest;
}

void ft_marks_note(struct ft_state *st, const struct ft_uuid *id)
{
    struct ft_run run;
    struct ft_mark *m;
    uint64_t row;

    if (!ft_uuid_to_row(id, &run, &row))
        return;
    m = find_mark(st, &run);
    if (!m) {
        m = new_mark(st);
        *m = (struct ft_mark){.run = run};
    }
    m->row = row;
    m->seq = ++st->mark_seq;
    m->changed = true;
}

void ft_state_forget_runs(struct ft_state *st)
{
    st->n_marks = st->n_dropped = 0;
}

bool ft_state_seen(struct ft_state *st, const struct ft_txn *t)
{
    uint64_t id = ft_foreign_id(&t->id);
    uint8_t key[FT_KEY_BYTES];
    uint32_t index;

    if (!id)
        return ft_marks_seen(st, &t->id);
    index = ft_txn_key(t, st->secret, key) ? ft_customer_find(st, key) : FT_NO_CUSTOMER;
    if (index != FT_NO_CUSTOMER) {
        const struct ft_customer *c = ft_customer_at(st, index);

        for (size_t i = 0; i < c->n_ids; i++)
            if (c->id[i] == id)
                return true;
    }
    return false;
}

/* ---- memory --------------------------------------------------------------------------------------- */

enum ft_status ft_state_expire(struct ft_state *st)
{
    int64_t gap_s = st->s->gap_s;

    if (!gap_s || st->n_seen < CLOCK_STARTS)
        return FT_OK;
    if (st->expired_s == INT64_MIN)
        st->expired_s = st->clock_s;
    if (st->clock_s - st->expired_s < gap_s / 16)
        return FT_OK;
    for (uint32_t i = 0; i < st->n_made; i++) {
        struct ft_customer *c = ft_customer_at(st, i);
        void *p = st->gone;
        size_t bytes = st->bytes;

        if (!c->used || st->clock_s - c->base_s <= 2 * gap_s)
            continue;
        if (!ft_state_grow(st, &p, &st->cap_gone, st->n_gone + 1, sizeof(*st->gone)))
            return FT_ENOMEM;
        st->gone = p;
        st->bytes = bytes;
        memcpy(st->gone[st->n_gone++], c->key, FT_KEY_BYTES);
        ft_customer_remove(st, i);
    }
    st->expired_s = st->clock_s;
    return FT_OK;
}
