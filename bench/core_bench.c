/*
 * How fast the core is: rows of card transactions through a model that has the features of models/seed-004 (in any
 * order, any subset), on one thread.
 *
 *     core_bench [--json] [--seconds S] [--rows N] [--batch N] [--path avx512|avx2|portable]
 *                [--only FIGURE] [--scores FILE] MODEL TRANSACTIONS.csv[.gz]
 *
 * All rows are different and in memory before the clock starts.  The clock is the thread's processor time, and each
 * figure the best of the rounds that fit into S seconds (default 1): what one core can do when nobody else is using it.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "fraudcore.h"

#define MAX_CELLS 64

struct cell {
    union {
        const char *text;
        double number;
    } as;
    uint32_t n;
    int32_t hash;
};

struct bench {
    struct fc_model *m;
    struct fc_scratch *s;
    struct cell *cell; /* row * n_features + feature */
    bool *is_cat;
    size_t n_rows, n_features, batch;
    double *raw;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "core_bench: %s: %s\n", what, why);
    exit(1);
}

static void *room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    if (!p)
        die("memory", "none left");
    return p;
}

/* The whole file, unpacked where it is packed. */
static char *slurp(const char *path, size_t *n)
{
    gzFile f = gzopen(path, "rb");
    size_t cap = (size_t)1 << 20;
    char *p = room(cap, 1);
    int got;

    if (!f)
        die(path, "cannot be opened");
    *n = 0;
    while ((got = gzread(f, p + *n, (unsigned)(cap - *n))) > 0) {
        *n += (size_t)got;
        if (*n == cap && !(p = realloc(p, (cap *= 2) + 1)))
            die("memory", "none left");
    }
    if (got < 0)
        die(path, "cannot be read");
    p[*n] = '\0';
    gzclose(f);
    return p;
}

/* Cuts the line at *at into cells, in place. */
static size_t cut(char **at, char **cells)
{
    char *p = *at;
    size_t n = 0;

    while (*p && n < MAX_CELLS) {
        bool quoted = *p == '"';
        char *end = p + quoted + strcspn(p + quoted, quoted ? "\"" : ",\n"), last;

        cells[n++] = p + quoted;
        last = quoted && *end ? end[1] : *end;
        *end = '\0';
        p = end + quoted + (last != '\0');
        if (last != ',')
            break;
    }
    *at = p;
    return n;
}

/* Features that come from the time; the others are columns. */
static const char *const from_time[] = {"is_weekend", "year", "month", "day", "hour", "minute"};

static int time_part(const char *text, int part)
{
    static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    int t[6] = {0}, y, day;

    if (sscanf(text, "%d-%d-%d%*[ T]%d:%d", &t[1], &t[2], &t[3], &t[4], &t[5]) != 5 || t[2] < 1 ||
        t[2] > 12)
        die(text, "not a time");
    y = t[1] - (t[2] < 3);
    day = (y + y / 4 - y / 100 + y / 400 + shift[t[2] - 1] + t[3]) % 7;
    t[0] = day == 0 || day == 6;
    return t[part];
}

static char *number_text(int v)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d", v);
    char *p = room((size_t)n, 1);

    return memcpy(p, text, (size_t)n);
}

static void fill(struct bench *b, char *text, size_t most)
{
    char *cells[MAX_CELLS], *header[MAX_CELLS];
    size_t n_header = cut(&text, header), time_at = n_header, lines = 0;
    int column[MAX_CELLS];

    for (size_t i = 0; i < n_header; i++)
        if (strcmp(header[i], "transaction_time") == 0)
            time_at = i;
    for (size_t f = 0; f < b->n_features; f++) {
        const struct fc_feature *feature = fc_model_feature(b->m, f);

        column[f] = MAX_CELLS;
        b->is_cat[f] = feature->kind == FC_CATEGORICAL;
        for (size_t i = 0; i < n_header; i++)
            if (strcmp(header[i], feature->name) == 0)
                column[f] = (int)i;
        for (int i = 0; i < 6; i++)
            if (strcmp(from_time[i], feature->name) == 0 && time_at < n_header)
                column[f] = -1 - i;
        if (column[f] == MAX_CELLS)
            die(feature->name, "a feature that is neither a column nor a part of the time");
    }
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    b->cell = room(lines * b->n_features, sizeof(*b->cell));
    while (*text && b->n_rows < most && cut(&text, cells) == n_header) {
        for (size_t f = 0; f < b->n_features; f++) {
            struct cell *c = &b->cell[b->n_rows * b->n_features + f];

            const char *cell_text = column[f] >= 0
                                        ? cells[column[f]]
                                        : number_text(time_part(cells[time_at], -1 - column[f]));

            c->n = (uint32_t)strlen(cell_text);
            c->hash = fc_cat_hash(cell_text, c->n);
            if (b->is_cat[f])
                c->as.text = cell_text;
            else
                c->as.number = *cell_text ? strtod(cell_text, NULL) : (double)NAN;
        }
        b->n_rows++;
    }
    if (!b->n_rows)
        die("transactions", "no rows");
}

/* ---- what is measured ---- */

static void put(struct bench *b, size_t at, size_t row, bool hashed)
{
    const struct cell *c = &b->cell[row * b->n_features];

    for (size_t f = 0; f < b->n_features; f++, c++) {
        if (!b->is_cat[f])
            fc_put_num(b->s, at, f, c->as.number);
        else if (hashed)
            fc_put_cat_hash(b->s, at, f, c->hash);
        else
            fc_put_cat(b->s, at, f, c->as.text, c->n);
    }
}

static void batches(struct bench *b, bool hashed)
{
    for (size_t from = 0; from < b->n_rows; from += b->batch) {
        size_t n = b->n_rows - from < b->batch ? b->n_rows - from : b->batch;

        for (size_t i = 0; i < n; i++)
            put(b, i, from + i, hashed);
        fc_eval(b->m, b->s, n, b->raw + from);
    }
}

static void batch_text(struct bench *b)
{
    batches(b, false);
}

static void batch_hashed(struct bench *b)
{
    batches(b, true);
}

static void single_text(struct bench *b)
{
    for (size_t i = 0; i < b->n_rows; i++) {
        put(b, 0, i, false);
        fc_eval(b->m, b->s, 1, b->raw + i);
    }
}

static void single_hashed(struct bench *b)
{
    for (size_t i = 0; i < b->n_rows; i++) {
        put(b, 0, i, true);
        fc_eval(b->m, b->s, 1, b->raw + i);
    }
}

static void hash_alone(struct bench *b)
{
    for (size_t i = 0; i < b->n_rows; i++)
        put(b, i % b->batch, i, false);
}

static void explain(struct bench *b)
{
    double *value = b->raw, base;
    struct fc_err err;

    for (size_t from = 0; from < b->n_rows; from += b->batch) {
        size_t n = b->n_rows - from < b->batch ? b->n_rows - from : b->batch;

        for (size_t i = 0; i < n; i++)
            put(b, i, from + i, true);
        for (size_t i = 0; i < n; i++)
            if (fc_shap(b->m, b->s, i, value, &base, &err) != FC_OK)
                die("explain", err.text);
    }
}

/* The raw scores of all rows, as doubles of this machine. */
static void write_scores(struct bench *b, const char *path)
{
    FILE *f = fopen(path, "wb");

    batch_text(b);
    if (!f || fwrite(b->raw, sizeof(*b->raw), b->n_rows, f) != b->n_rows || fclose(f) != 0)
        die(path, "cannot be written");
}

/* Rows a second: the best round. */
static double measure(struct bench *b, void (*run)(struct bench *), double seconds, bool cold)
{
    double best = 0, end = now() + seconds;

    if (!cold)
        run(b);
    do {
        double start = now(), rate;

        run(b);
        rate = (double)b->n_rows / (now() - start);
        best = rate > best ? rate : best;
    } while (!cold && now() < end);
    return best;
}

static const struct {
    const char *name, *what;
    void (*run)(struct bench *);
    bool cold;
} figures[] = {
    {"batch",         "batches, strings hashed",           batch_text,    false},
    {"batch_hashed",  "batches, hashes kept",              batch_hashed,  false},
    {"single",        "one row a call, strings hashed",    single_text,   false},
    {"single_hashed", "one row a call, hashes kept",       single_hashed, false},
    {"put",           "strings hashed and put, no scores", hash_alone,    false},
    {"shap_first",    "SHAP, leaves not seen before",      explain,       true },
    {"shap",          "SHAP",                              explain,       false},
};
#define N_FIGURES (sizeof(figures) / sizeof(figures[0]))

int main(int argc, char **argv)
{
    struct bench b = {.batch = 1024};
    bool json = false;
    double seconds = 1, load_s;
    size_t most = SIZE_MAX, n;
    struct fc_err err;
    const char *path = NULL, *only = NULL, *scores = NULL;
    char *bytes;
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc)
            most = (size_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--scores") == 0 && i + 1 < argc)
            scores = argv[++i];
        else if (strcmp(argv[i], "--path") == 0 && i + 1 < argc)
            path = argv[++i];
        else if (strcmp(argv[i], "--batch") == 0 && i + 1 < argc)
            b.batch = (size_t)strtoul(argv[++i], NULL, 10);
        else
            die(argv[i], "not an option");
    }
    if (argc - i != 2 || b.batch < 1 || b.batch > FC_MAX_ROWS)
        die("usage", "core_bench [--json] [--seconds S] [--rows N] [--batch N] [--path P] [--only "
                     "FIGURE] MODEL "
                     "TRANSACTIONS");
    bytes = slurp(argv[i], &n);
    load_s = now();
    if (fc_model_load(&b.m, bytes, n, &err) != FC_OK)
        die(argv[i], err.text);
    load_s = now() - load_s;
    free(bytes);
    b.n_features = fc_model_info(b.m)->n_features;
    if (b.n_features > MAX_CELLS)
        die(argv[i], "too many features");
    b.is_cat = room(b.n_features, sizeof(*b.is_cat));
    fill(&b, slurp(argv[i + 1], &n), most);
    b.raw = room(b.n_rows + b.n_features, sizeof(*b.raw));
    b.s = fc_scratch_new(b.m, b.batch);
    if (!b.s)
        die("memory", "none left");
    if (path && !fc_scratch_use(b.s, path))
        die(path, "not a path of this processor");
    if (scores)
        write_scores(&b, scores);
    printf(json ? "{\"rows\":%zu,\"load_ms\":%.1f,\"path\":\"%s\""
                : "%zu rows, model loaded in %.1f ms, path %s\n",
           b.n_rows, load_s * 1e3, fc_scratch_path(b.s));
    for (size_t k = 0; k < N_FIGURES; k++) {
        double rate;

        if (only && strcmp(only, figures[k].name) != 0)
            continue;
        if (figures[k].run == explain && !fc_model_info(b.m)->has_weights)
            continue;
        rate = measure(&b, figures[k].run, seconds, figures[k].cold);
        if (json)
            printf(",\"%s\":%.0f", figures[k].name, rate);
        else
            printf("%-36s %12.0f rows/s %9.3f us/row\n", figures[k].what, rate, 1e6 / rate);
    }
    if (json)
        printf("}\n");
    fc_scratch_free(b.s);
    fc_model_free(b.m);
    return 0;
}
