/*
 * Projections: many CTR features and tables look at the same one, so equal ones are kept once and known by number.
 */
#include <string.h>

#include "model.h"

enum fc_status fc_interner_init(struct fc_interner *in, struct fc_source *s, struct fc_arena *keep,
                                struct fc_arena *tmp, size_t most)
{
    size_t slots = 16;

    while (slots < 2 * most)
        slots *= 2;
    s->projection = fc_arena_get(keep, most, sizeof(*s->projection));
    in->slot = fc_arena_get(tmp, slots, sizeof(*in->slot));
    in->mask = slots - 1;
    return s->projection && in->slot ? FC_OK : FC_ENOMEM;
}

static uint64_t stir(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static uint64_t hash(const struct fc_projection *p)
{
    uint64_t h = stir(p->n_cats, (uint64_t)p->n_nums << 32 | p->n_hots);

    for (uint32_t i = 0; i < p->n_cats; i++)
        h = stir(h, (uint32_t)p->cat[i]);
    for (uint32_t i = 0; i < p->n_nums; i++) {
        uint32_t bits;

        memcpy(&bits, &p->num[i].border, sizeof(bits)); /* -0 was made 0 when it was read */
        h = stir(h, (uint64_t)(uint32_t)p->num[i].index << 32 | bits);
    }
    for (uint32_t i = 0; i < p->n_hots; i++)
        h = stir(h, (uint64_t)(uint32_t)p->hot[i].index << 32 | (uint32_t)p->hot[i].value);
    return h;
}

static bool equal(const struct fc_projection *a, const struct fc_projection *b)
{
    if (a->n_cats != b->n_cats || a->n_nums != b->n_nums || a->n_hots != b->n_hots)
        return false;
    for (uint32_t i = 0; i < a->n_cats; i++)
        if (a->cat[i] != b->cat[i])
            return false;
    for (uint32_t i = 0; i < a->n_nums; i++)
        if (a->num[i].index != b->num[i].index || a->num[i].border != b->num[i].border)
            return false;
    for (uint32_t i = 0; i < a->n_hots; i++)
        if (a->hot[i].index != b->hot[i].index || a->hot[i].value != b->hot[i].value)
            return false;
    return true;
}

uint32_t fc_projection_number(struct fc_interner *in, struct fc_source *s,
                              const struct fc_projection *p)
{
    size_t at = (size_t)hash(p) & in->mask;

    while (in->slot[at] && !equal(&s->projection[in->slot[at] - 1], p))
        at = (at + 1) & in->mask;
    if (!in->slot[at]) {
        s->projection[s->n_projections++] = *p;
        in->slot[at] = (uint32_t)s->n_projections;
    }
    return in->slot[at] - 1;
}
