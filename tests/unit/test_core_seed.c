/* The model of the Python pipeline, over the first rows of the sample: equal to CatBoost on its own features. */
#include <zlib.h>

#include "vectors.h"

#define DATA FT_SOURCE_DIR "/data/"

static char *unzipped(const char *path)
{
    size_t cap = (size_t)64 << 20, n;
    char *p = malloc(cap);
    gzFile f = gzopen(path, "rb");

    assert_non_null(f);
    assert_non_null(p);
    n = (size_t)gzread(f, p, (unsigned)cap - 1);
    p[n] = '\0';
    gzclose(f);
    vectors_keep(p, NULL);
    return p;
}

/* Cuts the next line into at most max cells, in place. */
static size_t next_row(char **at, char **cells, size_t max)
{
    char *p = *at;
    size_t n = 0;

    while (*p && n < max) {
        bool quoted = *p == '"';
        char *end = quoted ? strchr(p + 1, '"') : p + strcspn(p, ",\n");
        char last;

        cells[n++] = p + quoted;
        end += quoted;
        last = *end;
        *end = '\0';
        if (quoted)
            end[-1] = '\0';
        p = end + (last != '\0');
        if (last != ',')
            break;
    }
    *at = p;
    return n;
}

/* Saturday or Sunday (Sakamoto's rule). */
static bool is_weekend(int y, int m, int d)
{
    static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    int day;

    y -= m < 3;
    day = (y + y / 4 - y / 100 + y / 400 + shift[m - 1] + d) % 7;
    return day == 0 || day == 6;
}

static void put(const struct fc_model *m, struct fc_scratch *s, size_t row, char **cells)
{
    /* model feature: column of the file, -1 where it comes from the time */
    static const int column[] = {1, 2, 3, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    int time[6];
    char text[16];

    assert_int_equal(
        sscanf(cells[0], "%d-%d-%d %d:%d", &time[1], &time[2], &time[3], &time[4], &time[5]), 5);
    time[0] = is_weekend(time[1], time[2], time[3]);
    for (size_t f = 0; f < 19; f++) {
        const char *cell = f < 13 ? cells[column[f]] : text;

        if (f >= 13)
            snprintf(text, sizeof(text), "%d", time[f - 13]);
        if (fc_model_feature(m, f)->kind == FC_CATEGORICAL)
            fc_put_cat(s, row, f, cell, strlen(cell));
        else
            fc_put_num(s, row, f, strtod(cell, NULL));
    }
}

static void the_first_5000_rows_score_as_catboost_scores_them(void **state)
{
    struct fc_model *m = vectors_load(FT_SOURCE_DIR "/models/seed-004/model.cbm");
    struct fc_scratch *s = fc_scratch_new(m, FC_MAX_ROWS);
    char *rows = unzipped(DATA "test.csv.gz"),
         *scores = unzipped(DATA "expected_seed_scores.csv.gz");
    char *cells[32], *want[2];
    double raw[FC_MAX_ROWS];
    int flagged = 0;

    (void)state;
    next_row(&rows, cells, 32);
    next_row(&scores, want, 2);
    for (size_t from = 0; from < 5000; from += 1000) {
        for (size_t i = 0; i < 1000; i++) {
            assert_int_equal(next_row(&rows, cells, 32), 18);
            put(m, s, i, cells);
        }
        fc_eval(m, s, 1000, raw);
        for (size_t i = 0; i < 1000; i++) {
            assert_int_equal(next_row(&scores, want, 2), 2);
            assert_near(fc_sigmoid(raw[i]), strtod(want[1], NULL), 1e-16);
            flagged += raw[i] > 0;
        }
    }
    assert_int_equal(flagged, 34);
    fc_scratch_free(s);
    fc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_5000_rows_score_as_catboost_scores_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
