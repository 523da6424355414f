/* Entries, partitions and topics of the loopback. */
#include "bus_loopback.h"

#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define HEADER_HEAD                                                                                \
    (2 * sizeof(uint32_t)) /* lengths of name (with its zero) and value come first */

struct lb_entry *lb_entry_new(struct ft_span key, struct ft_span value, const struct ft_header *h,
                              size_t n_headers, int64_t timestamp_ms)
{
    size_t headers = 0;
    struct lb_entry *e;
    char *w;

    for (size_t i = 0; i < n_headers; i++)
        headers += HEADER_HEAD + strlen(h[i].name) + 1 + h[i].value.n;
    if (key.n > UINT32_MAX || value.n > UINT32_MAX || headers > UINT32_MAX)
        return NULL;
    e = malloc(sizeof(*e) + key.n + value.n + headers);
    if (!e)
        return NULL;
    atomic_init(&e->refs, 1);
    e->offset = -1;
    e->timestamp_ms = timestamp_ms < 0 ? ft_wall_ms() : timestamp_ms;
    e->key_n = (uint32_t)key.n;
    e->value_n = (uint32_t)value.n;
    e->headers_n = (uint32_t)headers;
    e->has_key = key.p != NULL;
    e->has_value = value.p != NULL;
    w = e->data;
    if (key.n)
        memcpy(w, key.p, key.n);
    w += key.n;
    if (value.n)
        memcpy(w, value.p, value.n);
    w += value.n;
    for (size_t i = 0; i < n_headers; i++) {
        uint32_t len[2] = {(uint32_t)strlen(h[i].name) + 1, (uint32_t)h[i].value.n};

        memcpy(w, len, sizeof(len));
        memcpy(w + HEADER_HEAD, h[i].name, len[0]);
        if (len[1])
            memcpy(w + HEADER_HEAD + len[0], h[i].value.p, len[1]);
        w += HEADER_HEAD + len[0] + len[1];
    }
    return e;
}

void lb_entry_unref(struct lb_entry *e)
{
    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        free(e);
}

size_t lb_entry_headers(const struct lb_entry *e, struct ft_header *out, size_t max)
{
    const char *r = e->data + e->key_n + e->value_n, *end = r + e->headers_n;
    size_t n = 0;

    while (r < end && n < max) {
        uint32_t len[2];

        memcpy(len, r, sizeof(len));
        out[n].name = r + HEADER_HEAD;
        out[n++].value = (struct ft_span){r + HEADER_HEAD + len[0], len[1]};
        r += HEADER_HEAD + len[0] + len[1];
    }
    return n;
}

size_t lb_entry_bytes(const struct lb_entry *e)
{
    return sizeof(*e) + sizeof(struct lb_slot) + e->key_n + e->value_n + e->headers_n;
}

/* ---- partitions ------------------------------------------------------------------------------------ */

struct lb_slot *lb_part_slot(const struct lb_part *p, size_t i)
{
    return &p->ring[(p->head + i) & (p->cap - 1)];
}

size_t lb_part_find(const struct lb_part *p, int64_t offset)
{
    size_t lo = 0, hi = p->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (lb_part_slot(p, mid)->offset < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool grow(struct lb_part *p)
{
    size_t cap = p->cap ? p->cap * 2 : 64;
    struct lb_slot *ring = malloc(cap * sizeof(*ring));

    if (!ring)
        return false;
    for (size_t i = 0; i < p->n; i++)
        ring[i] = *lb_part_slot(p, i);
    free(p->ring);
    p->ring = ring;
    p->head = 0;
    p->cap = cap;
    return true;
}

static void pop_first(struct lb_topic *t, struct lb_part *p)
{
    struct lb_slot *s = lb_part_slot(p, 0);

    if (s->e) {
        t->bytes -= lb_entry_bytes(s->e);
        lb_entry_unref(s->e);
    } else {
        p->n_holes--;
    }
    p->low = s->offset + 1;
    p->head++;
    p->n--;
}

void lb_part_trim(struct lb_topic *t, struct lb_part *p, int64_t low)
{
    while (p->n && lb_part_slot(p, 0)->offset < low)
        pop_first(t, p);
    if (p->low < low)
        p->low = low < p->next ? low : p->next;
}

/* ---- compacted topics: a map from key to its newest entry ------------------------------------------ */

static uint64_t hash_of(const char *p, size_t n)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 1099511628211u;
    return h ^ h >> 29;
}

static struct lb_entry **map_place(const struct lb_part *p, const struct lb_entry *e)
{
    size_t i = (size_t)hash_of(e->data, e->key_n) & (p->map_cap - 1);

    while (p->map[i] &&
           (p->map[i]->key_n != e->key_n || memcmp(p->map[i]->data, e->data, e->key_n) != 0))
        i = (i + 1) & (p->map_cap - 1);
    return &p->map[i];
}

static bool map_grow(struct lb_part *p)
{
    struct lb_part bigger = {.map_cap = p->map_cap ? p->map_cap * 2 : 64};

    bigger.map = calloc(bigger.map_cap, sizeof(struct lb_entry *));
    if (!bigger.map)
        return false;
    for (size_t i = 0; i < p->map_cap; i++)
        if (p->map[i])
            *map_place(&bigger, p->map[i]) = p->map[i];
    free(p->map);
    p->map = bigger.map;
    p->map_cap = bigger.map_cap;
    return true;
}

/* Holes are squeezed out when they are the larger part, so that the ring stays as long as there are keys. */
static void squeeze(struct lb_part *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->n; i++)
        if (lb_part_slot(p, i)->e)
            *lb_part_slot(p, kept++) = *lb_part_slot(p, i);
    p->n = kept;
    p->n_holes = 0;
}

/* Puts e into the map of its key; the entry that it replaces leaves the log. */
static bool replace_key(struct lb_topic *t, struct lb_part *p, struct lb_entry *e)
{
    struct lb_entry **place;

    if (p->map_n * 2 >= p->map_cap && !map_grow(p))
        return false;
    place = map_place(p, e);
    if (*place) {
        struct lb_slot *old = lb_part_slot(p, lb_part_find(p, (*place)->offset));

        t->bytes -= lb_entry_bytes(old->e);
        lb_entry_unref(old->e);
        old->e = NULL;
        p->n_holes++;
    } else {
        p->map_n++;
    }
    *place = e;
    return true;
}

bool lb_append(struct lb_topic *t, int32_t partition, struct lb_entry *e)
{
    struct lb_part *p = &t->part[partition];

    if (t->compacted && p->n_holes > 64 && p->n_holes * 2 > p->n)
        squeeze(p);
    if (p->n == p->cap && !grow(p))
        return false;
    if (t->compacted && e->has_key && !replace_key(t, p, e))
        return false;
    e->offset = p->next++;
    *lb_part_slot(p, p->n++) = (struct lb_slot){e->offset, e};
    t->bytes += lb_entry_bytes(e);
    return true;
}

/* ---- topics ---------------------------------------------------------------------------------------- */

struct lb_topic *lb_topic_find(struct lb_bus *b, const char *name)
{
    for (size_t i = 0; i < b->n_topics; i++)
        if (strcmp(b->topic[i]->name, name) == 0)
            return b->topic[i];
    return NULL;
}

struct lb_topic *lb_topic_new(struct lb_bus *b, const char *name, int partitions, bool compacted,
                              size_t max_message)
{
    struct lb_topic **list = realloc(b->topic, (b->n_topics + 1) * sizeof(*list));
    struct lb_topic *t = calloc(1, sizeof(*t));

    if (list)
        b->topic = list;
    if (!list || !t || strlen(name) >= sizeof(t->name) ||
        !(t->part = calloc((size_t)partitions, sizeof(*t->part)))) {
        free(t);
        return NULL;
    }
    memcpy(t->name, name, strlen(name) + 1);
    t->n_parts = partitions;
    t->compacted = compacted;
    t->max_bytes = b->topic_bytes;
    t->max_message = max_message ? max_message : 1048576;
    b->topic[b->n_topics++] = t;
    lb_groups_new_topic(b, t);
    return t;
}

void lb_topic_empty(struct lb_topic *t)
{
    for (int i = 0; i < t->n_parts; i++) {
        struct lb_part *p = &t->part[i];

        while (p->n)
            pop_first(t, p);
        free(p->ring);
        free(p->map);
        *p = (struct lb_part){0};
    }
    t->bytes = 0;
}

void lb_topic_free(struct lb_topic *t)
{
    lb_topic_empty(t);
    free(t->part);
    free(t);
}

/* The first offset of a partition that some group has not read; INT64_MAX when no group reads the topic. */
static int64_t unread(struct lb_bus *b, const struct lb_topic *t, int partition)
{
    int64_t floor = INT64_MAX;

    for (size_t i = 0; i < b->n_groups; i++) {
        const struct lb_held *h = lb_group_held(b->group[i], t);

        if (h && h->committed[partition] < floor)
            floor = h->committed[partition];
    }
    return floor;
}

bool lb_topic_room(struct lb_bus *b, struct lb_topic *t, size_t more)
{
    size_t enough = t->max_bytes - t->max_bytes / 8; /* some at once: this looks at every group */
    bool freed = true;

    if (t->compacted || t->bytes + more <= t->max_bytes || t->bytes == 0)
        return true;
    while (freed && t->bytes + more > enough) {
        freed = false;
        for (int i = 0; i < t->n_parts; i++) {
            struct lb_part *p = &t->part[i];
            int64_t floor = unread(b, t, i);

            for (int k = 0;
                 k < 8 && p->n && lb_part_slot(p, 0)->offset < floor && t->bytes + more > enough;
                 k++) {
                if (floor == INT64_MAX)
                    t->dropped++;
                pop_first(t, p);
                freed = true;
            }
        }
    }
    return t->bytes + more <= t->max_bytes;
}

int32_t lb_partition_of(struct lb_topic *t, struct ft_span key)
{
    uint32_t n = (uint32_t)t->n_parts;

    if (!key.p)
        return (int32_t)(t->next_spread++ % n);
    return ft_bus_partition_of(key, t->n_parts);
}
