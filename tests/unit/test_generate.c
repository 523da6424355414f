#include "ft_test.h"

#include "fraudtop/csv.h"
#include "fraudtop/generate.h"
#include "fraudtop/txn.h"

static struct ft_buf make(const struct ft_made_opts *opts)
{
    struct ft_maker *m;
    struct ft_buf b;

    ft_buf_init(&b, 256u << 20);
    assert_int_equal(ft_maker_new(&m, opts, NULL), FT_OK);
    ft_maker_header(&b);
    while (ft_maker_row(m, &b))
        ;
    ft_maker_free(m);
    assert_false(b.failed);
    return b;
}

static const struct ft_made_opts usual = {.rows = 20000,
                                          .customers = 300,
                                          .seed = 7,
                                          .fraud_rate = 0.01,
                                          .days = 60,
                                          .start = "2019-12-01"};

/* What a table of made-up rows must be, whatever the options. */
struct seen {
    uint64_t rows, frauds, nights, *hash;
    char last_time[20];
};

static uint64_t hash_of(struct ft_span text)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * 1099511628211u;
    return h;
}

static void check_row(const struct ft_csv_row *row, struct seen *s)
{
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};
    struct ft_err err = {""};
    struct ft_time time;
    bool fraud = ft_span_is(row->field[FT_N_COLS], "1");

    assert_int_equal(row->n_fields, FT_N_COLS + 1);
    for (int c = 0; c < FT_N_COLS; c++) {
        struct ft_span f = row->field[c];

        assert_true(f.n > 0);
        t.col[c] = (struct ft_cell){f.p, (uint32_t)f.n, FT_CELL_TEXT};
        if (ft_col_is_number((enum ft_col)c))
            assert_true(ft_is_json_number(f));
    }
    if (ft_txn_check(&t, &err) != FT_OK)
        fail_msg("%s", err.text);
    assert_true(fraud || ft_span_is(row->field[FT_N_COLS], "0"));
    assert_int_equal(row->field[FT_COL_TIME].n, 16);
    assert_true(memcmp(row->field[FT_COL_TIME].p, s->last_time, 16) >= 0);
    memcpy(s->last_time, row->field[FT_COL_TIME].p, 16);
    assert_true(ft_parse_time(row->field[FT_COL_TIME], &time));
    s->nights += fraud && (time.hour >= 22 || time.hour < 4);
    s->frauds += fraud;
    s->hash[s->rows++] = hash_of(row->text);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static struct seen check_table(const struct ft_made_opts *opts)
{
    struct ft_buf b = make(opts);
    struct ft_csv *c = ft_csv_new(FT_CSV_MAX_ROW);
    struct ft_csv_row row;
    struct seen s = {.last_time = "0000"};

    s.hash = calloc(opts->rows + 1, sizeof(*s.hash));
    ft_csv_feed(c, b.p, b.n);
    ft_csv_finish(c);
    assert_int_equal(ft_csv_next(c, &row, NULL), FT_CSV_ROW);
    for (int k = 0; k < FT_N_COLS; k++)
        assert_true(ft_span_is(row.field[k], ft_col_name[k]));
    while (ft_csv_next(c, &row, NULL) == FT_CSV_ROW)
        check_row(&row, &s);
    assert_int_equal(s.rows, opts->rows);
    qsort(s.hash, s.rows, sizeof(*s.hash), by_value);
    for (uint64_t i = 1; i < s.rows; i++)
        assert_true(s.hash[i] != s.hash[i - 1]);
    free(s.hash);
    ft_csv_free(c);
    ft_buf_fini(&b);
    return s;
}

static void test_rows_are_valid_distinct_and_in_order(void **state)
{
    struct seen s = check_table(&usual);

    (void)state;
    assert_int_equal(s.frauds, 200);
    assert_true(s.nights > 120);                           /* thieves shop at night */
    assert_true(memcmp(s.last_time, "2020-01-2", 9) == 0); /* 60 days from the first of December */
}

static void test_shares_of_frauds(void **state)
{
    static const struct {
        double rate;
        uint64_t frauds;
    } cases[] = {
        {0,      0   },
        {1,      5000},
        {0.5,    2500},
        {0.0001, 1   }
    };
    struct ft_made_opts opts = usual;

    (void)state;
    opts.rows = 5000;
    for (size_t i = 0; i < 4; i++) {
        opts.fraud_rate = cases[i].rate;
        assert_int_equal(check_table(&opts).frauds, cases[i].frauds);
    }
}

static void test_odd_sizes(void **state)
{
    struct ft_made_opts opts = usual;

    (void)state;
    opts.rows = 0;
    check_table(&opts);
    opts.rows = 1;
    opts.customers = 1;
    check_table(&opts);
    opts.rows = 3000;
    opts.days = 0.001;
    check_table(&opts);
    opts.customers = 1000000000;
    opts.days = 36500;
    opts.start = "0001-01-01";
    check_table(&opts);
    opts.rows = 400000; /* more frauds waiting than are kept */
    opts.days = 1;
    opts.fraud_rate = 0.9;
    assert_int_equal(check_table(&opts).frauds, 360000);
}

static void test_the_seed_decides(void **state)
{
    struct ft_made_opts other = usual;
    struct ft_buf a = make(&usual), b = make(&usual), c;

    (void)state;
    other.seed = 8;
    c = make(&other);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    assert_true(a.n != c.n || memcmp(a.p, c.p, a.n) != 0);
    ft_buf_fini(&a);
    ft_buf_fini(&b);
    ft_buf_fini(&c);
}

static void test_dates_that_are_none(void **state)
{
    static const char *const bad[] = {"", "today", "2019-02-30", "2019-1-1", "2019-01-01 00:00"};
    struct ft_made_opts opts = usual;
    struct ft_maker *m;
    struct ft_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        opts.start = bad[i];
        assert_int_equal(ft_maker_new(&m, &opts, &err), FT_EUSAGE);
    }
    opts.start = "9999-12-01";
    assert_int_equal(ft_maker_new(&m, &opts, &err), FT_EUSAGE);
    assert_string_equal(err.text, "60 days from 9999-12-01 go beyond the year 9999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_valid_distinct_and_in_order),
        cmocka_unit_test(test_shares_of_frauds),
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_the_seed_decides),
        cmocka_unit_test(test_dates_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
