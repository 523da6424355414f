#include "fraudtop/siphash.h"

#include <string.h>

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* Written out, so that compilers make one load of it. */
static uint64_t word_at(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static void put_word(uint8_t *p, uint64_t w)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(w >> 8 * i);
}

static void rounds(uint64_t v[4], int n)
{
    while (n--) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(struct ft_siphash *h, uint64_t word)
{
    h->v[3] ^= word;
    rounds(h->v, 2);
    h->v[0] ^= word;
}

void ft_siphash_init(struct ft_siphash *h, const uint8_t key[16])
{
    uint64_t k0 = word_at(key), k1 = word_at(key + 8);

    h->v[0] = k0 ^ 0x736f6d6570736575u;
    h->v[1] = k1 ^ 0x646f72616e646f6du ^ 0xee; /* 0xee: the 128-bit variant */
    h->v[2] = k0 ^ 0x6c7967656e657261u;
    h->v[3] = k1 ^ 0x7465646279746573u;
    h->tail = 0;
    h->n = 0;
}

/* Fewer than eight bytes. */
static uint64_t part_at(const uint8_t *p, size_t n)
{
    uint64_t w = 0;

    while (n--)
        w = w << 8 | p[n];
    return w;
}

void ft_siphash_add(struct ft_siphash *h, const void *data, size_t n)
{
    const uint8_t *p = data;
    unsigned shift = 8 * (unsigned)(h->n % 8); /* bits of the tail */

    h->n += n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word = word_at(p);

        absorb(h, h->tail | word << shift);
        h->tail = shift ? word >> (64 - shift) : 0;
    }
    if (n) {
        uint64_t word = part_at(p, n);

        h->tail |= word << shift;
        if (shift + 8 * n >= 64) {
            absorb(h, h->tail);
            h->tail = shift ? word >> (64 - shift) : 0;
        }
    }
}

void ft_siphash_end(struct ft_siphash *h, uint8_t out[16])
{
    absorb(h, h->tail | h->n << 56);
    h->v[2] ^= 0xee;
    rounds(h->v, 4);
    put_word(out, h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3]);
    h->v[1] ^= 0xdd;
    rounds(h->v, 4);
    put_word(out + 8, h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3]);
}
