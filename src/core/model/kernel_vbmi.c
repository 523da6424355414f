/*
 * Symmetric trees of up to 64 leaves, for processors that look a byte up in a table of 64 in one step (AVX512-VBMI): that
 * is several times as fast as gathering leaf values from memory.
 *
 * The eight bytes of the leaf values lie apart ("planes"), so that a look-up gives one byte of the value of each of the 64
 * rows; three rounds of interleaving put the bytes together again.  They leave the rows in another order, which stays until
 * all trees are added up: register j holds, in each lane L of 16 bytes, the rows 16 L + 2 j and 16 L + 2 j + 1.
 */
#include <immintrin.h>

#include "eval.h"

/* Which leaf each row falls into.  Missing tests of shallow trees are never answered yes. */
static inline __m512i find_leaves(const struct fc_wide_test *test, const unsigned char *columns)
{
    __m512i leaf = _mm512_setzero_si512();

    for (int d = 0; d < FC_WIDE_DEPTH; d++) {
        const unsigned char *at = columns + (size_t)test[d].column * FC_LANES;
        __m512i byte = _mm512_and_si512(_mm512_loadu_si512(at), _mm512_set1_epi32(test[d].mask));
        __mmask64 yes = _mm512_cmpge_epu8_mask(byte, _mm512_set1_epi32(test[d].least));

        leaf = _mm512_mask_add_epi8(leaf, yes, leaf, _mm512_set1_epi8((char)(1 << d)));
    }
    return leaf;
}

static inline void add_values(const unsigned char *plane, __m512i leaf, __m512d sum[8])
{
    __m512i b[8], w[8], q[8];

    for (int k = 0; k < 8; k++)
        b[k] = _mm512_permutexvar_epi8(leaf, _mm512_loadu_si512(plane + k * FC_LANES));
    for (int k = 0; k < 4;
         k++) { /* bytes to pairs: w[k] of rows 0 to 7 of a lane, w[4 + k] of 8 to 15 */
        w[k] = _mm512_unpacklo_epi8(b[2 * k], b[2 * k + 1]);
        w[4 + k] = _mm512_unpackhi_epi8(b[2 * k], b[2 * k + 1]);
    }
    for (int k = 0; k < 8; k += 4) { /* pairs to fours: the low one of a value, then its high one */
        q[k] = _mm512_unpacklo_epi16(w[k], w[k + 1]);
        q[k + 1] = _mm512_unpacklo_epi16(w[k + 2], w[k + 3]);
        q[k + 2] = _mm512_unpackhi_epi16(w[k], w[k + 1]);
        q[k + 3] = _mm512_unpackhi_epi16(w[k + 2], w[k + 3]);
    }
    for (int k = 0; k < 4; k++) {
        __m512i low = _mm512_unpacklo_epi32(q[2 * k], q[2 * k + 1]);
        __m512i high = _mm512_unpackhi_epi32(q[2 * k], q[2 * k + 1]);

        sum[2 * k] = _mm512_add_pd(sum[2 * k], _mm512_castsi512_pd(low));
        sum[2 * k + 1] = _mm512_add_pd(sum[2 * k + 1], _mm512_castsi512_pd(high));
    }
}

void fc_trees_vbmi(const struct fc_plan *plan, const unsigned char *columns, double *raw)
{
    __m512d sum[8];
    double out[8][8];

    if (!plan->wide_test) {
        fc_trees_avx512(plan, columns, raw);
        return;
    }
    for (int j = 0; j < 8; j++)
        sum[j] = _mm512_setzero_pd();
    for (size_t t = 0; t < plan->n_trees; t++)
        add_values(plan->wide_leaf + t * sizeof(double) * FC_LANES,
                   find_leaves(plan->wide_test + t * FC_WIDE_DEPTH, columns), sum);
    for (int j = 0; j < 8; j++)
        _mm512_storeu_pd(out[j], sum[j]);
    for (size_t r = 0; r < FC_LANES; r++)
        raw[r] = plan->scale * out[r % 16 / 2][r / 16 * 2 + r % 2] + plan->bias;
}
