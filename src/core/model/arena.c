#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN ((size_t)64)
#define BLOCK ((size_t)1 << 15)

struct fc_block {
    struct fc_block *before;
    char *at, *end;
};

static char *aligned(char *p)
{
    return p + (ALIGN - (uintptr_t)p % ALIGN) % ALIGN;
}

void *fc_arena_get(struct fc_arena *a, size_t n, size_t size)
{
    struct fc_block *b = a->last;
    size_t bytes, cap;
    char *p;

    if (size && n > (SIZE_MAX / 4) / size)
        return NULL;
    bytes = (n * size + ALIGN - 1) / ALIGN * ALIGN;
    if (b && (size_t)(b->end - b->at) >= bytes) {
        p = b->at;
        b->at += bytes;
        return p;
    }
    cap = bytes > BLOCK / 4 ? bytes : BLOCK;
    b = calloc(1, sizeof(*b) + ALIGN + cap);
    if (!b)
        return NULL;
    p = aligned((char *)(b + 1));
    b->at = p + bytes;
    b->end = p + cap;
    if (a->last && cap == bytes) { /* a large item: the block with room left stays the newest */
        b->at = b->end;
        b->before = a->last->before;
        a->last->before = b;
    } else {
        b->before = a->last;
        a->last = b;
    }
    return p;
}

char *fc_arena_text(struct fc_arena *a, const void *p, size_t n)
{
    char *text = fc_arena_get(a, n + 1, 1);

    if (text && n)
        memcpy(text, p, n);
    return text;
}

void fc_arena_free(struct fc_arena *a)
{
    struct fc_block *b = a->last;

    while (b) {
        struct fc_block *before = b->before;

        free(b);
        b = before;
    }
    a->last = NULL;
}
