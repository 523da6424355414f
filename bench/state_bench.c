/*
 * Customers' state: what it costs in memory, in time for a transaction, and to restore.
 *
 *     state_bench [--customers N] [--rows N] [--history]
 *
 * Customers come in random order, half an hour of event time for each N/50 transactions or so, so that a customer has a
 * few events in his seven days.  Models are left out: this is the state alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state_rows.h"

/* clang-format off */
#define MANIFEST(history) \
    "{\"format\":1,\"name\":\"bench\",\"version\":\"1\",\"state\":{\"history\":" history "}," \
    "\"stages\":[{\"name\":\"first\",\"features\":[{\"name\":\"amount\"}]},{\"name\":\"second\",\"features\":[" \
    CASE_F("a", "1h", "transaction", "count") \
    "," CASE_F("b", "24h", "amount", "sum") \
    "," CASE_F("c", "7d", "amount", "max") \
    "," CASE_F("d", "24h", "night", "count") \
    "," CASE_F("e", "today", "amount", "sum") \
    "," CASE_F("f", "life", "amount", "mean") \
    "," CASE_F("g", "life", "amount", "std") \
    "," CASE_F("h", "category", "log_amount", "mean") \
    "," CASE_F("i", "life", "amount", "log_ratio_mean") \
    "," CASE_F("j", "category", "amount", "log_ratio_mean") \
    "," CASE_F("k", "24h", "score", "max") \
    "," CASE_F("l", "life", "score", "ewma") \
    "," CASE_F("m", "24h", "score", "count_above") \
    "," CASE_F("n", "life", "time", "since_last") \
    "]}]}"
/* clang-format on */

static const uint8_t secret[16] = {7};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* ---- transactions ---------------------------------------------------------------------------------- */

struct made {
    char time[24], amount[16], name[16];
    struct ft_txn txn;
};

static void make(struct made *m, uint64_t *seed, uint64_t row, uint64_t rows, uint64_t customers)
{
    static const char *const kinds[] = {"home",        "travel",      "misc_net",      "misc_pos",
                                        "grocery_pos", "food_dining", "gas_transport", "kids_pets"};
    int minute = (int)(row * 40320 / rows); /* 28 days */
    struct case_row row_of = {.time = m->time, .amount = m->amount, .customer = m->name};

    snprintf(m->time, sizeof(m->time), "2020-02-%02d %02d:%02d", 1 + minute / 1440,
             minute / 60 % 24, minute % 60);
    snprintf(m->amount, sizeof(m->amount), "%d.%02d", (int)(next_random(seed) % 300),
             (int)(next_random(seed) % 100));
    snprintf(m->name, sizeof(m->name), "c%llu",
             (unsigned long long)(row < customers ? row : next_random(seed) % customers));
    row_of.category = kinds[next_random(seed) % 8];
    m->txn = case_txn(&row_of);
    m->txn.col[FT_COL_MERCH] = case_cell("fraud_Stokes, Christiansen and Sipes");
    m->txn.col[FT_COL_NAME_2] = case_cell("Rodriguez");
    m->txn.col[FT_COL_STREET] = case_cell("172 Paula Inlet Apt. 650");
}

/* CPU seconds in the state alone, making of transactions left out. */
static double live(const struct ft_scorer *s, struct ft_state *state, uint64_t rows,
                   uint64_t customers)
{
    static struct made made[FT_SCORE_BATCH];
    static struct ft_scored got[FT_SCORE_BATCH];
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    const struct ft_txn *txn[FT_SCORE_BATCH];
    double first[FT_SCORE_BATCH], seconds = 0;
    uint64_t seed = 1;

    for (uint64_t row = 0; x && row < rows; row += FT_SCORE_BATCH) {
        size_t n = rows - row < FT_SCORE_BATCH ? (size_t)(rows - row) : FT_SCORE_BATCH;
        double start;

        for (size_t i = 0; i < n; i++) {
            make(&made[i], &seed, row + i, rows, customers);
            txn[i] = &made[i].txn;
            first[i] = -3;
        }
        start = cpu_s();
        ft_score_features(s, x, state, txn, n, first, got);
        seconds += cpu_s() - start;
    }
    ft_score_scratch_free(x);
    return seconds;
}

/* ---- the changelog --------------------------------------------------------------------------------- */

struct log {
    char *p;
    size_t n, cap, records;
};

static enum ft_status append(void *user, struct ft_span key, struct ft_span record)
{
    struct log *l = user;
    uint32_t n = (uint32_t)record.n;

    if (l->n + key.n + 4 + n > l->cap) {
        char *p = realloc(l->p, 2 * l->cap + key.n + 4 + n);

        if (!p)
            return FT_ENOMEM;
        l->p = p;
        l->cap = 2 * l->cap + key.n + 4 + n;
    }
    memcpy(l->p + l->n, &n, 4);
    memcpy(l->p + l->n + 4, key.p, key.n);
    memcpy(l->p + l->n + 4 + key.n, record.p, n);
    l->n += 4 + key.n + n;
    l->records++;
    return FT_OK;
}

static double restore(const struct ft_scorer *s, const struct log *l)
{
    struct ft_state *state = ft_state_new(s, secret);
    double start = now_s();
    struct ft_err err;

    for (size_t at = 0; state && at < l->n;) {
        uint32_t n;

        memcpy(&n, l->p + at, 4);
        if (ft_state_restore(state, (struct ft_span){l->p + at + 4, FT_KEY_BYTES},
                             (struct ft_span){l->p + at + 4 + FT_KEY_BYTES, n}, &err) != FT_OK) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        at += 4 + FT_KEY_BYTES + n;
    }
    start = now_s() - start;
    ft_state_free(state);
    return start;
}

int main(int argc, char **argv)
{
    uint64_t customers = 1000000, rows = 0;
    const char *manifest = MANIFEST("0");
    struct ft_scorer *s = NULL;
    struct ft_state *state;
    struct ft_err err = {""};
    struct log log = {.cap = 1u << 20};
    double live_s, emit_s, restore_s;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--history") == 0)
            manifest = MANIFEST("10");
        else if (i + 1 < argc && strcmp(argv[i], "--customers") == 0)
            customers = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--rows") == 0)
            rows = strtoull(argv[++i], NULL, 10);
    }
    rows = rows ? rows : 8 * customers;
    log.p = malloc(log.cap);
    if (!customers || !log.p ||
        ft_scorer_build(&s, "bench", "", ft_span_of(manifest), case_no_file, NULL,
                        FT_SCORER_FEATURES, &err) != FT_OK ||
        !(state = ft_state_new(s, secret))) {
        fprintf(stderr, "state_bench: %s\n", err.text);
        return 1;
    }
    live_s = live(s, state, rows, customers);
    emit_s = now_s();
    if (ft_state_changes(state, append, &log) != FT_OK)
        return 1;
    emit_s = now_s() - emit_s;
    restore_s = restore(s, &log);
    printf(
        "{\"customers\":%zu,\"rows\":%llu,\"bytes_per_customer\":%.0f,\"us_per_transaction\":%.2f,"
        "\"record_bytes\":%.0f,\"emit_s\":%.2f,\"restore_s\":%.2f}\n",
        ft_state_customers(state), (unsigned long long)rows,
        (double)ft_state_bytes(state) / (double)ft_state_customers(state),
        live_s / (double)rows * 1e6, (double)log.n / (double)log.records, emit_s, restore_s);
    ft_state_free(state);
    ft_scorer_free(s);
    free(log.p);
    return 0;
}
