/*
 * The table of a projection: from 64-bit hashes to numbers of answers, eight bytes a place.
 *
 * A hash stands at one of two of 2^bits places, which its first bits and its next bits name (cuckoo hashing), so that
 * two reads and no branch tell whether it is there.  The bits that name the place need not be kept: rotated so that
 * they come first, the other 64 - bits are, and the bits that became free hold which of the two places it is (1 bit)
 * and the number of the answer.  Nothing is lost: a hash that is not in the table is never found.
 */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

#define MAX_MOVES 500 /* to make room for one hash */
#define MAX_BITS 30

/* Puts a hash in: whoever stood at its place moves to the other one of his, and so on.  False: no room was found. */
static bool put(uint64_t *at_place, unsigned bits, uint64_t hash)
{
    size_t at = (size_t)fc_place(hash, bits);

    for (int moves = 0; moves < MAX_MOVES; moves++) {
        uint64_t before = at_place[at];
        size_t first;

        at_place[at] = hash;
        if (before == FC_FREE)
            return true;
        first = (size_t)fc_place(before, bits);
        at = at == first ? (size_t)fc_place(fc_other(before, bits), bits) : first;
        hash = before;
    }
    return false;
}

static bool put_all(uint64_t *at_place, unsigned bits, const uint64_t *hash, size_t n)
{
    memset(at_place, 0xFF, sizeof(*at_place) << bits);
    for (size_t i = 0; i < n; i++)
        if (!put(at_place, bits, hash[i]))
            return false;
    return true;
}

/* ---- answers ---- */

struct row { /* qsort gives no context */
    const unsigned char *p;
    uint32_t n, number;
};

static int by_bytes(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return memcmp(x->p, y->p, x->n);
}

/* Numbers the different answers: number[i] is that of row i.  One byte is its own number. */
static enum fc_status number_answers(struct fc_lookup *l, struct fc_arena *keep,
                                     struct fc_arena *tmp, const unsigned char *rows, size_t n_rows,
                                     uint32_t *number)
{
    struct row *row;
    unsigned char *kept;
    uint32_t n = 0;

    if (l->n_bytes == 1) {
        for (size_t i = 0; i < n_rows; i++)
            number[i] = rows[i];
        return FC_OK;
    }
    row = fc_arena_get(tmp, n_rows, sizeof(*row));
    kept = fc_arena_get(keep, n_rows, l->n_bytes);
    if (!row || !kept)
        return FC_ENOMEM;
    for (size_t i = 0; i < n_rows; i++)
        row[i] = (struct row){rows + i * l->n_bytes, l->n_bytes, (uint32_t)i};
    qsort(row, n_rows, sizeof(*row), by_bytes);
    for (size_t i = 0; i < n_rows; i++) {
        if (i == 0 || by_bytes(&row[i - 1], &row[i]) != 0)
            memcpy(kept + (size_t)n++ * l->n_bytes, row[i].p, l->n_bytes);
        number[row[i].number] = n - 1;
    }
    l->answer = kept;
    return FC_OK;
}

/* ---- the table ---- */

size_t fc_find_hash(const uint64_t *hash, size_t n, uint64_t wanted)
{
    size_t from = 0, to = n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (hash[mid] < wanted)
            from = mid + 1;
        else
            to = mid;
    }
    return from < n && hash[from] == wanted ? from : n;
}

/* What stands at a place, given the hash there.  At a free place it is some hash that is not in the table. */
static uint64_t entry(const struct fc_lookup *l, size_t place, uint64_t at, const uint64_t *hash,
                      size_t n, const uint32_t *number)
{
    uint64_t second = UINT64_C(1) << (l->bits - 1);

    if (at == FC_FREE) {
        at = (uint64_t)place << (64 - l->bits);
        while (fc_find_hash(hash, n, at) < n)
            at++;
        return at << l->bits | number[n];
    }
    if (fc_place(at, l->bits) == place)
        return at << l->bits | number[fc_find_hash(hash, n, at)];
    return fc_other(at, l->bits) << l->bits | second | number[fc_find_hash(hash, n, at)];
}

enum fc_status fc_table_make(struct fc_lookup *l, struct fc_arena *keep, const uint64_t *hash,
                             size_t n, const unsigned char *rows)
{
    struct fc_arena tmp = {0};
    uint32_t *number = fc_arena_get(&tmp, n + 1, sizeof(*number));
    size_t limit = 64 * n + 1024;
    uint64_t *at_place = NULL;
    enum fc_status st = FC_ENOMEM;

    if (!number || number_answers(l, keep, &tmp, rows, n + 1, number) != FC_OK)
        goto out;
    for (l->bits = l->n_bytes == 1 ? 9 : 2; (size_t)1 << l->bits < n * 5 / 2; l->bits++)
        ; /* at most two fifths full: so there is room for the numbers, too */
    do {  /* small tables may lack room by chance; large ones never do, unless made so */
        if ((size_t)1 << l->bits > limit || l->bits > MAX_BITS) {
            st = FC_EFORMAT;
            goto out;
        }
        at_place = fc_arena_get(&tmp, (size_t)1 << l->bits, sizeof(*at_place));
        if (!at_place)
            goto out;
    } while (!put_all(at_place, l->bits++, hash, n));
    l->bits--;
    l->entry = fc_arena_get(keep, (size_t)1 << l->bits, sizeof(*l->entry));
    if (!l->entry)
        goto out;
    for (size_t i = 0; i < (size_t)1 << l->bits; i++)
        l->entry[i] = entry(l, i, at_place[i], hash, n, number);
    l->none = number[n];
    st = FC_OK;
out:
    fc_arena_free(&tmp);
    return st;
}
