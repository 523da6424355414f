#include "fraudtop/uuid.h"

#include <string.h>

#define ROW_BITS 40
#define HASH_LOW_BITS 22 /* of the 34 bits of the hash, those behind the variant */

static void put48(uint8_t *b, uint64_t v)
{
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(v >> (40 - 8 * i));
}

static uint64_t get48(const uint8_t *b)
{
    uint64_t v = 0;

    for (int i = 0; i < 6; i++)
        v = v << 8 | b[i];
    return v;
}

static void set_version(struct ft_uuid *u, unsigned version)
{
    u->b[6] = (uint8_t)((u->b[6] & 0x0Fu) | version << 4);
    u->b[8] = (uint8_t)((u->b[8] & 0x3Fu) | 0x80u);
}

/* 16 for what is no digit: a table, since the digits of an id cannot be guessed and wrong guesses cost more. */
static inline unsigned hex_value(char c)
{
#define X 16
#define X16 X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X
    static const uint8_t value[256] = {
        X16, X16, X16, 0,  1,  2, 3, 4, 5, 6, 7,   8,   9,   X,   X,   X,   X,   X,   X,  X,  10,
        11,  12,  13,  14, 15, X, X, X, X, X, X,   X,   X,   X,   X16, X,   10,  11,  12, 13, 14,
        15,  X,   X,   X,  X,  X, X, X, X, X, X16, X16, X16, X16, X16, X16, X16, X16, X16};
#undef X
#undef X16

    return value[(unsigned char)c];
}

bool ft_uuid_parse(struct ft_uuid *out, struct ft_span text)
{
    bool dashes = text.n == FT_UUID_TEXT;
    const char *p = text.p;

    if (!dashes && text.n != 32)
        return false;
    for (int i = 0; i < 16; i++) {
        unsigned high, low;

        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
            return false;
        high = hex_value(p[0]);
        low = hex_value(p[1]);
        if ((high | low) & 16)
            return false;
        out->b[i] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    return true;
}

void ft_uuid_format(const struct ft_uuid *u, char out[FT_UUID_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = hex[u->b[i] >> 4];
        *out++ = hex[u->b[i] & 15];
    }
    *out = '\0';
}

int ft_uuid_cmp(const struct ft_uuid *a, const struct ft_uuid *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

void ft_uuid_from_row(struct ft_uuid *out, const struct ft_run *run, uint64_t row)
{
    uint64_t high = run->hash >> HASH_LOW_BITS & 0xFFF;
    uint64_t low = (run->hash & ((1u << HASH_LOW_BITS) - 1)) << ROW_BITS |
                   (row & (((uint64_t)1 << ROW_BITS) - 1));

    put48(out->b, run->start_ms);
    out->b[6] = (uint8_t)(high >> 8);
    out->b[7] = (uint8_t)high;
    for (int i = 0; i < 8; i++)
        out->b[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    set_version(out, 8);
}

bool ft_uuid_to_row(const struct ft_uuid *u, struct ft_run *run, uint64_t *row)
{
    uint64_t high, low = 0;

    if (u->b[6] >> 4 != 8 || u->b[8] >> 6 != 2)
        return false;
    high = (uint64_t)(u->b[6] & 0x0F) << 8 | u->b[7];
    for (int i = 0; i < 8; i++)
        low = low << 8 | u->b[8 + i];
    low &= ((uint64_t)1 << 62) - 1;
    run->start_ms = get48(u->b);
    run->hash = high << HASH_LOW_BITS | low >> ROW_BITS;
    *row = low & (((uint64_t)1 << ROW_BITS) - 1);
    return true;
}

void ft_run_range(const struct ft_run *run, struct ft_uuid *lo, struct ft_uuid *hi)
{
    ft_uuid_from_row(lo, run, 0);
    ft_uuid_from_row(hi, run, ((uint64_t)1 << ROW_BITS) - 1);
}

void ft_run_format(const struct ft_run *run, char out[FT_RUN_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (int i = 0; i < 12; i++)
        *out++ = hex[run->start_ms >> (44 - 4 * i) & 15];
    *out++ = '-';
    for (int i = 0; i < 9; i++)
        *out++ = hex[run->hash >> (32 - 4 * i) & 15];
    *out = '\0';
}

bool ft_run_parse(struct ft_run *out, struct ft_span text)
{
    uint64_t start = 0, hash = 0;

    if (text.n != FT_RUN_TEXT || text.p[12] != '-')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned v = hex_value(text.p[i]);

        if (i == 12)
            continue;
        if (v > 15)
            return false;
        if (i < 12)
            start = start << 4 | v;
        else
            hash = hash << 4 | v;
    }
    if (hash >> 34)
        return false;
    *out = (struct ft_run){.start_ms = start, .hash = hash};
    return true;
}

void ft_uuid_from_time(struct ft_uuid *out, uint64_t unix_ms, const uint8_t random[10])
{
    put48(out->b, unix_ms);
    memcpy(out->b + 6, random, 10);
    set_version(out, 7);
}

void ft_uuid_from_random(struct ft_uuid *out, const uint8_t random[16])
{
    memcpy(out->b, random, 16);
    set_version(out, 4);
}
