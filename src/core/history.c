/*
 * A customer's last transactions, for people: packed one behind the other, oldest first.  An item is
 * time (i64), amount, score (f64), then two texts, each with its length before it (u8), cut to 40 and 60 bytes.
 */
#include <string.h>

#include "state.h"

#define ITEM_HEAD 24
#define CATEGORY_MAX 40
#define MERCHANT_MAX 60

static size_t cut(struct ft_span text, size_t max)
{
    size_t n = text.n < max ? text.n : max;

    while (n < text.n && n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--; /* not within a character */
    return n;
}

static size_t item_size(struct ft_span bytes, size_t at)
{
    size_t n = ITEM_HEAD;

    for (int text = 0; text < 2; text++) {
        if (at + n >= bytes.n)
            return 0;
        n += 1 + (size_t)(uint8_t)bytes.p[at + n];
    }
    return at + n <= bytes.n ? n : 0;
}

bool ft_history_next(struct ft_span bytes, size_t *at, struct ft_history_item *out)
{
    size_t n = item_size(bytes, *at), n_category;
    const char *p = bytes.p + *at;

    if (!n)
        return false;
    memcpy(&out->time_s, p, 8);
    memcpy(&out->amount, p + 8, 8);
    memcpy(&out->score, p + 16, 8);
    n_category = (uint8_t)p[ITEM_HEAD];
    out->category = (struct ft_span){p + ITEM_HEAD + 1, n_category};
    p += ITEM_HEAD + 1 + n_category;
    out->merchant = (struct ft_span){p + 1, (uint8_t)p[0]};
    *at += n;
    return true;
}

static uint8_t *put_text(uint8_t *p, struct ft_span text, size_t n)
{
    *p++ = (uint8_t)n;
    if (n)
        memcpy(p, text.p, n);
    return p + n;
}

struct ft_span ft_history_of(const struct ft_customer *c)
{
    return (struct ft_span){c->history ? (const char *)c->history + c->history_at : "",
                            c->n_history_bytes};
}

/* Room for size bytes behind the last item: what left at the front is used before more memory is asked for. */
static bool make_room(struct ft_state *st, struct ft_customer *c, size_t size)
{
    size_t cap = c->cap_history, n = c->n_history_bytes;
    void *grown = c->history;

    if (c->history_at + n + size <= cap)
        return true;
    if (c->history_at)
        memmove(c->history, c->history + c->history_at, n);
    c->history_at = 0;
    if (!ft_state_grow(st, &grown, &cap, n + size, 1))
        return false;
    c->history = grown;
    c->cap_history = (uint16_t)cap;
    return true;
}

enum ft_status ft_history_add(struct ft_state *st, struct ft_customer *c,
                              const struct ft_history_item *item)
{
    size_t n_category = cut(item->category, CATEGORY_MAX);
    size_t n_merchant = cut(item->merchant, MERCHANT_MAX);
    size_t size = ITEM_HEAD + 2 + n_category + n_merchant;
    struct ft_span bytes = ft_history_of(c);
    uint8_t *p;

    if (c->n_history >= st->s->n_history) {
        size_t first = item_size(bytes, 0);

        c->history_at = (uint16_t)(c->history_at + first);
        c->n_history_bytes = (uint16_t)(c->n_history_bytes - first);
        c->n_history--;
    }
    if (!make_room(st, c, size))
        return FT_ENOMEM;
    p = c->history + c->history_at + c->n_history_bytes;
    memcpy(p, &item->time_s, 8);
    memcpy(p + 8, &item->amount, 8);
    memcpy(p + 16, &item->score, 8);
    p = put_text(p + ITEM_HEAD, item->category, n_category);
    put_text(p, item->merchant, n_merchant);
    c->n_history_bytes = (uint16_t)(c->n_history_bytes + size);
    c->n_history++;
    return FT_OK;
}
