#include "fraudtop/gap.h"

#include <assert.h>
#include <stdlib.h>

bool ft_gap_init(struct ft_gap *g, uint32_t window, uint64_t first)
{
    assert(window && (window & (window - 1)) == 0);
    *g = (struct ft_gap){.low = first, .next = first, .mask = window - 1};
    g->done = calloc(window, 1);
    return g->done != NULL;
}

void ft_gap_fini(struct ft_gap *g)
{
    free(g->done);
    *g = (struct ft_gap){0};
}

uint64_t ft_gap_open(struct ft_gap *g)
{
    assert(!ft_gap_full(g));
    g->done[g->next & g->mask] = 0;
    return g->next++;
}

bool ft_gap_done(struct ft_gap *g, uint64_t seq)
{
    uint64_t before = g->low;

    if (seq < g->low || seq >= g->next)
        return false;
    g->done[seq & g->mask] = 1;
    while (g->low < g->next && g->done[g->low & g->mask])
        g->low++;
    return g->low != before;
}
