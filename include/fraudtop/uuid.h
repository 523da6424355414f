/*
 * Transaction ids.  RFC 9562 UUIDs; bytes are in network order, so that memcmp sorts as PostgreSQL does.
 *
 * An id made from a row (version 8) holds, around the version and variant bits: 48 bits start of the run
 * in ms since 1970, 34 bits hash of the run's identity, 40 bits row number.  Within a run ids rise with the
 * row; the same row of the same run has the same id after a resume; all ids of a run lie in one range.
 */
#ifndef FRAUDTOP_UUID_H
#define FRAUDTOP_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "fraudtop/buf.h"

#define FT_UUID_TEXT 36 /* characters of the text form, without a final zero */

struct ft_uuid {
    uint8_t b[16];
};

/* A run as ids carry it. */
struct ft_run {
    uint64_t start_ms; /* 48 bits */
    uint64_t hash;     /* 34 bits */
};

/* 8-4-4-4-12, upper or lower case, or 32 hexadecimal digits without dashes; nothing else. */
bool ft_uuid_parse(struct ft_uuid *out, struct ft_span text);
/* Lower case with dashes; writes 36 characters and a zero. */
void ft_uuid_format(const struct ft_uuid *u, char out[FT_UUID_TEXT + 1]);
int ft_uuid_cmp(const struct ft_uuid *a, const struct ft_uuid *b);

void ft_uuid_from_row(struct ft_uuid *out, const struct ft_run *run, uint64_t row);
/* True, with run and row, when u has the layout of ft_uuid_from_row (version 8, variant 10).  A foreign
 * version 8 id is not told apart; callers treat it as a run of its own. */
bool ft_uuid_to_row(const struct ft_uuid *u, struct ft_run *run, uint64_t *row);
/* First and last possible id of a run: "WHERE transaction_id BETWEEN lo AND hi". */
void ft_run_range(const struct ft_run *run, struct ft_uuid *lo, struct ft_uuid *hi);
/* A run's name: what is printed as RUN and given to --resume: 12 + 9 hexadecimal digits with a dash. */
#define FT_RUN_TEXT 22
void ft_run_format(const struct ft_run *run, char out[FT_RUN_TEXT + 1]);
bool ft_run_parse(struct ft_run *out, struct ft_span text);

/* Version 7 (time) and 4 (random) from 16 random bytes given by the caller (the core has no clock). */
void ft_uuid_from_time(struct ft_uuid *out, uint64_t unix_ms, const uint8_t random[10]);
void ft_uuid_from_random(struct ft_uuid *out, const uint8_t random[16]);

#endif
