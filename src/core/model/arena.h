/*
 * Memory that is released all at once.  A model and everything it holds live in one arena, so that a load which
 * fails half-way leaves nothing behind.  Not thread-safe.
 */
#ifndef FC_ARENA_H
#define FC_ARENA_H

#include <stddef.h>

struct fc_block;

struct fc_arena {
    struct fc_block *last; /* the newest block; {0} is an empty arena */
};

/* Room for n items of size bytes each, zeroed, aligned to 64 bytes; NULL when memory is out (or n * size too large).
 * n may be 0. */
void *fc_arena_get(struct fc_arena *a, size_t n, size_t size);
/* A copy of n bytes with a zero byte after them. */
char *fc_arena_text(struct fc_arena *a, const void *p, size_t n);
void fc_arena_free(struct fc_arena *a);

#endif
