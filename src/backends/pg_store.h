/* Inside of a store, for pg_store*.c. */
#ifndef FT_PG_STORE_H
#define FT_PG_STORE_H

#include "fraudtop/hist.h"
#include "fraudtop/store.h"
#include "pg.h"
#include "pg_array.h"

#define FT_PG_WRITE_MS 30000 /* a server that takes longer for a batch hangs */

/* Columns of a batch, in the order in which the statements take them as parameters. */
enum write_column {
    W_CASE_ID, /* of flagged and sampled rows */
    W_CASE_SCORE,
    W_CASE_THRESHOLD,
    W_CASE_AMOUNT,
    W_CASE_MODEL,
    W_CASE_LABEL,
    W_CASE_FLAGGED,
    W_CASE_SAMPLED,
    W_CASE_DATA,
    W_CASE_REASONS,
    W_CASE_HISTORY,
    W_CASE_USUAL,
    W_CASE_FEATURES,
    W_CASE_CHALLENGER,
    W_SCORE, /* of all rows */
    W_FLAG,
    W_ID,
    W_AMOUNT,
    W_LABEL, /* empty: no row has one */
    W_MODEL,
    W_CHALLENGER, /* empty: no row has one */
    W_CELL,
    W_TOPIC, /* the sink's offsets */
    W_PARTITION,
    W_NEXT_OFFSET,
    W_LAST_ID,
    W_CLUSTER,    /* no array */
    W_GROUP,      /* no array */
    W_COUNT_CELL, /* the batch's counts: only of use when all of it is new */
    W_COUNT_N,
    W_COUNT_AMOUNT,
    W_N
};

#define FT_PG_MODELS 16 /* names remembered with their number; more are asked again */
#define FT_PG_CELLS (6 * FT_SCORE_BINS)

/* Rows of a batch by cell: (flag * 3 + label + 1) * FT_SCORE_BINS + bin. */
struct cell_counts {
    uint32_t n[FT_PG_CELLS];
    int64_t amount[FT_PG_CELLS]; /* ten-thousandths */
    uint16_t used[FT_PG_CELLS];  /* cells that are not empty */
    size_t n_used;
    bool exact; /* every amount had at most four decimals */
};

struct ft_store {
    PGconn *conn;
    char *conninfo;
    bool writer, prepared;
    int64_t lost_ms; /* wall clock: since when writes fail; 0: they do not */
    struct ft_pg_array column[W_N];
    struct sort_key *order; /* of the batch, by id */
    size_t order_cap;
    struct {
        char name[128];
        int32_t number;
    } model[FT_PG_MODELS];
    size_t n_model;
    struct cell_counts *counts;
    unsigned clean;     /* batches in a row without an id that was there already */
    size_t unfolded;    /* counts since they were folded */
    int64_t folded_ms;  /* monotonic */
    int64_t adopted_ms; /* monotonic: when rows of others were looked for */
};

#endif
