/*
 * CityHash64, version 1.0: the first release, which CatBoost uses (util/digest/city.cpp).  Later releases give
 * other values for some lengths.
 */
#include <string.h>

#include "fraudcore.h"

#define K0 UINT64_C(0xC3A5C85C97CB3127)
#define K1 UINT64_C(0xB492B66FBE98F273)
#define K2 UINT64_C(0x9AE16A3B2F90404F)
#define K3 UINT64_C(0xC949D7C7509E6557)
#define KM UINT64_C(0x9DDFEA08EB382D69)

struct pair {
    uint64_t a, b;
};

static inline uint64_t u64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline uint32_t u32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t rot(uint64_t v, unsigned r)
{
    return v >> r | v << (64 - r);
}

static inline uint64_t mix(uint64_t v)
{
    return v ^ v >> 47;
}

static inline uint64_t hash16(uint64_t u, uint64_t v)
{
    uint64_t a = mix((u ^ v) * KM), b = mix((v ^ a) * KM);

    return b * KM;
}

static inline struct pair weak32(const char *p, uint64_t a, uint64_t b)
{
    uint64_t w = u64(p), x = u64(p + 8), y = u64(p + 16), z = u64(p + 24), c;

    a += w;
    b = rot(b + a + z, 21);
    c = a;
    a += x + y;
    b += rot(a, 44);
    return (struct pair){a + z, b + c};
}

static uint64_t hash33to64(const char *p, size_t n)
{
    uint64_t z = u64(p + 24), a = u64(p) + (n + u64(p + n - 16)) * K0;
    uint64_t b = rot(a + z, 52), c = rot(a, 37), vf, vs, wf, ws, r;

    a += u64(p + 8);
    c += rot(a, 7);
    a += u64(p + 16);
    vf = a + z;
    vs = b + rot(a, 31) + c;
    a = u64(p + 16) + u64(p + n - 32);
    z = u64(p + n - 8);
    b = rot(a + z, 52);
    c = rot(a, 37);
    a += u64(p + n - 24);
    c += rot(a, 7);
    a += u64(p + n - 16);
    wf = a + z;
    ws = b + rot(a, 31) + c;
    r = mix((vf + ws) * K2 + (wf + vs) * K0);
    return mix(r * K0 + vs) * K2;
}

static uint64_t hash_long(const char *p, size_t n)
{
    uint64_t x = u64(p), y = u64(p + n - 16) ^ K1, z = u64(p + n - 56) ^ K0;
    struct pair v = weak32(p + n - 64, n, y), w = weak32(p + n - 32, n * K1, K0);

    z += mix(v.b) * K1;
    x = rot(z + x, 39) * K1;
    y = rot(y, 33) * K1;
    for (size_t blocks = (n - 1) / 64; blocks; blocks--, p += 64) {
        uint64_t old;

        x = rot(x + y + v.a + u64(p + 16), 37) * K1;
        y = rot(y + v.b + u64(p + 48), 42) * K1;
        x ^= w.b;
        y ^= v.a;
        z = rot(z ^ w.a, 33);
        v = weak32(p, v.b * K1, x + w.a);
        w = weak32(p + 32, z + w.b, y);
        old = z;
        z = x;
        x = old;
    }
    return hash16(hash16(v.a, w.a) + mix(y) * K1 + z, hash16(v.b, w.b) + x);
}

uint64_t fc_city_hash64(const char *p, size_t n)
{
    if (n > 32)
        return n > 64 ? hash_long(p, n) : hash33to64(p, n);
    if (n > 16) {
        uint64_t a = u64(p) * K1, b = u64(p + 8), c = u64(p + n - 8) * K2, d = u64(p + n - 16) * K0;

        return hash16(rot(a - b, 43) + rot(c, 30) + d, a + rot(b ^ K3, 20) - c + n);
    }
    if (n > 8) {
        uint64_t a = u64(p), b = u64(p + n - 8);

        return hash16(a, rot(b + n, (unsigned)n)) ^ b;
    }
    if (n > 3)
        return hash16(n + ((uint64_t)u32(p) << 3), u32(p + n - 4));
    if (n) {
        const unsigned char *s = (const unsigned char *)p;
        uint64_t y = s[0] + ((uint64_t)s[n / 2] << 8), z = n + ((uint64_t)s[n - 1] << 2);

        return mix((y * K2) ^ (z * K3)) * K2;
    }
    return K2;
}

int32_t fc_cat_hash(const char *text, size_t n)
{
    uint32_t low = (uint32_t)fc_city_hash64(text, n);
    int32_t h;

    memcpy(&h, &low, sizeof(h));
    return h;
}
