/* SipHash-2-4 with 128 bits of output (Aumasson and Bernstein), fed piece by piece. */
#ifndef FRAUDTOP_SIPHASH_H
#define FRAUDTOP_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct ft_siphash {
    uint64_t v[4];
    uint64_t tail; /* bytes that do not yet make a word, the first one lowest */
    uint64_t n;    /* bytes so far */
};

void ft_siphash_init(struct ft_siphash *h, const uint8_t key[16]);
void ft_siphash_add(struct ft_siphash *h, const void *data, size_t n);
void ft_siphash_end(struct ft_siphash *h, uint8_t out[16]);

#endif
