/*
 * The lowest gap of a sequence whose members finish out of order: rows sent and not yet acknowledged, messages
 * scored whose results are still under way.  Everything below `low` is finished, nothing at or above `next` was begun;
 * at most `window` members are between them.  Not thread-safe.
 *
 *     if (!ft_gap_full(&g)) { seq = ft_gap_open(&g); send(..., seq); }
 *     in the delivery report: ft_gap_done(&g, seq);      position that is safe to keep: g.low
 */
#ifndef FRAUDTOP_GAP_H
#define FRAUDTOP_GAP_H

#include <stdbool.h>
#include <stdint.h>

struct ft_gap {
    uint64_t low, next;
    uint32_t mask; /* window - 1 */
    uint8_t *done; /* by sequence & mask */
};

/* window: a power of two.  false: no memory. */
bool ft_gap_init(struct ft_gap *g, uint32_t window, uint64_t first);
void ft_gap_fini(struct ft_gap *g);

static inline bool ft_gap_full(const struct ft_gap *g)
{
    return g->next - g->low > g->mask;
}
static inline bool ft_gap_empty(const struct ft_gap *g)
{
    return g->next == g->low;
}
/* Begins the next member; only when not full. */
uint64_t ft_gap_open(struct ft_gap *g);
/* Finishes one; members that are not open (late reports of a former owner) are ignored.  True when low moved. */
bool ft_gap_done(struct ft_gap *g, uint64_t seq);

#endif
