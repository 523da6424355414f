/* Inside of a store, for pg_store*.c. */
#ifndef FT_PG_STORE_H
#define FT_PG_STORE_H

#include "fraudtop/store.h"
#include "pg.h"
#include "pg_array.h"

#define FT_PG_WRITE_MS 30000 /* a server that takes longer for a batch hangs */

/* The parameters of the write statement, in its order. */
enum write_column {
    W_ID,
    W_SCORE,
    W_FLAG,
    W_CELL,
    W_AMOUNT,
    W_MODEL,
    W_CHALLENGER, /* empty: none in the batch */
    W_CASE_ID,    /* from here on: flagged and sampled rows only */
    W_CASE_SAMPLED,
    W_CASE_THRESHOLD,
    W_CASE_DATA,
    W_CASE_REASONS,
    W_CASE_HISTORY,
    W_CASE_USUAL,
    W_CASE_FEATURES,
    W_TOPIC, /* the sink's offsets */
    W_PARTITION,
    W_NEXT_OFFSET,
    W_LAST_ID,
    W_N,
    W_CLUSTER = W_N, /* no arrays */
    W_GROUP,
    W_N_PARAMS
};

#define FT_PG_MODELS 16 /* names remembered with their number; more are asked again */

struct ft_store {
    PGconn *conn;
    char *conninfo;
    bool writer, prepared;
    struct ft_pg_array column[W_N];
    struct sort_key *order; /* of the batch, by id */
    size_t order_cap;
    struct {
        char name[128];
        int32_t number;
    } model[FT_PG_MODELS];
    size_t n_model;
    unsigned since_fold; /* batches since the deltas were folded */
    int64_t adopted_ms;  /* monotonic: when foreign rows were looked for */
    int64_t swept_ms;    /* the same, all of them */
};

#endif
