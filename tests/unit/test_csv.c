#include "ft_test.h"

#include "fraudtop/csv.h"

/*
 * Everything that a reader says about an input, as text: "line[field|field]" for a row, "line!reason{text}" for a bad
 * one.  The input is fed in pieces of the size given.
 */
static char *read_all(const char *p, size_t n, size_t piece, size_t max_row)
{
    struct ft_csv *c = ft_csv_new(max_row);
    struct ft_csv_row row;
    struct ft_err err;
    struct ft_buf out;
    size_t fed = 0;
    char *copy = NULL;

    assert_non_null(c);
    ft_buf_init(&out, 64u << 20);
    ft_buf_text(&out, "");
    for (;;) {
        enum ft_csv_event event = ft_csv_next(c, &row, &err);
        size_t next = n - fed < piece ? n - fed : piece;

        if (event == FT_CSV_END)
            break;
        if (event == FT_CSV_MORE) {
            free(copy); /* so that a reader that still looks at it is caught */
            copy = malloc(next + 1);
            if (next == 0)
                ft_csv_finish(c);
            else
                ft_csv_feed(c, memcpy(copy, p + fed, next), next);
            fed += next;
            continue;
        }
        ft_buf_fmt(&out, "%u", (unsigned)row.line);
        if (event == FT_CSV_BAD) {
            ft_buf_fmt(&out, "!%s{", err.text);
            ft_buf_add(&out, row.text.p, row.text.n);
            ft_buf_char(&out, '}');
        }
        for (size_t i = 0; i < row.n_fields && event == FT_CSV_ROW; i++) {
            ft_buf_char(&out, i ? '|' : '[');
            ft_buf_add(&out, row.field[i].p, row.field[i].n);
        }
        if (event == FT_CSV_ROW)
            ft_buf_char(&out, ']');
        assert_true(row.offset + row.text.n <= row.next && row.next <= n);
        if (row.text.n < 4096 && row.text.n)
            assert_memory_equal(p + row.offset, row.text.p, row.text.n);
    }
    free(copy);
    ft_csv_free(c);
    return out.p;
}

static void check_bytes(const char *p, size_t n, const char *want)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 1u << 20};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        char *got = read_all(p, n, pieces[i], FT_CSV_MAX_ROW);

        assert_string_equal(got, want);
        free(got);
    }
}

static void check(const char *text, const char *want)
{
    check_bytes(text, strlen(text), want);
}

static void test_rows_and_fields(void **state)
{
    (void)state;
    check("a,b,c\n1,2,3\n", "1[a|b|c]2[1|2|3]");
    check("a,b\n1,2", "1[a|b]2[1|2]"); /* no line end at the end */
    check("a\r\nb\rc\nd\r", "1[a]2[b]3[c]4[d]");
    check("a,,\n,\n", "1[a||]2[|]");
    check("", "");
    check("\n\r\n\n", "");
    check("a\n\n\nb\n\n", "1[a]4[b]"); /* empty lines are no rows, but count as lines */
    check(" a , b \n", "1[ a | b ]");
    check("\"\"\n", "1[]"); /* an empty field is a row */
}

static void test_quotes(void **state)
{
    (void)state;
    check("\"a,b\",c\n", "1[a,b|c]");
    check("\"say \"\"hi\"\"\",\"\"\"\"\n", "1[say \"hi\"|\"]");
    check("\"two\nlines\",x\nnext\n", "1[two\nlines|x]3[next]");
    check("\"a\r\nb\rc\",x\r\nnext\r\n", "1[a\r\nb\rc|x]4[next]");
    check("5\" disk,a\"b\"c\n", "1[5\" disk|a\"b\"c]"); /* inside an unquoted field: text */
    check("\"name\",\"x\"\n1,2\n", "1[name|x]2[1|2]");
    check("\"last\"", "1[last]");
    check("a,\"\"", "1[a|]");
}

static void test_byte_order_mark(void **state)
{
    (void)state;
    check("\xEF\xBB\xBF"
          "a,b\n1,2\n",
          "1[a|b]2[1|2]");
    check("\xEF\xBB\xBF\"a\",b\n", "1[a|b]");
    check("\xEF\xBB\xBF", "");
    check("\xEF\xBB", "1[\xEF\xBB]");
    check("a\n\xEF\xBB\xBF"
          "b\n",
          "1[a]2[\xEF\xBB\xBF"
          "b]");
}

static void test_an_open_quote_costs_its_own_line(void **state)
{
    (void)state;
    check("a,b\n1,\"open\n2,x\n3,y\n", "1[a|b]2!unterminated quote{1,\"open}3[2|x]4[3|y]");
    check("1,\"open\n2,\"Stokes, Inc\"\n3,y\n",
          "1!unterminated quote{1,\"open}2[2|Stokes, Inc]3[3|y]");
    check("\"1\",\"open\r\n\"2\",\"x\"\r\n", "1!unterminated quote{\"1\",\"open}2[2|x]");
    check("\"two\nlines\",\"open\nnext,x\n",
          "1!unterminated quote{\"two\nlines\",\"open}3[next|x]");
    check("a\n\"", "1[a]2!unterminated quote{\"}");
    check("a\n\"open to the end\n\n", "1[a]2!unterminated quote{\"open to the end}");
}

static void test_text_after_a_closing_quote(void **state)
{
    static const char why[] =
        "1!text after a closing quote (a quote inside quotes is written \"\"){%s}";
    char want[200];

    (void)state;
    snprintf(want, sizeof(want), why, "\"a\"b,c");
    check("\"a\"b,c", want);
    strcat(want, "2[d]");
    check("\"a\"b,c\nd\n", want);
    snprintf(want, sizeof(want), why, "x,\"a\" ,c");
    strcat(want, "2[d]");
    check("x,\"a\" ,c\r\nd\r\n", want);
}

static void test_zero_bytes(void **state)
{
    (void)state;
    check_bytes("a\nb\0c,d\ne\n", 10, "1[a]2!a zero byte{b"); /* the text is cut here by the zero */
    check_bytes("a\n\"b\0\"\ne\n", 9, "1[a]2!a zero byte{\"b");
}

static void test_a_row_that_is_too_long_is_passed_over(void **state)
{
    static const char text[] = "short,1\n0123456789abcdef,2\nnext,3\n";
    static const size_t pieces[] = {1, 3, 10, 11, 12, 100};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        char *got = read_all(text, sizeof(text) - 1, pieces[i], 10);

        assert_string_equal(got, "1[short|1]2!longer than 10 bytes{0123456789a}3[next|3]");
        free(got);
    }
}

static void test_the_limit_is_exact(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n", "\r", "\nx"};

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t piece = 1; piece < 15; piece++) {
            char text[40], *got;

            snprintf(text, sizeof(text), "0123456789%s", ends[i]);
            got = read_all(text, strlen(text), piece, 10);
            assert_string_equal(got, i == 4 ? "1[0123456789]2[x]" : "1[0123456789]");
            free(got);
            snprintf(text, sizeof(text), "\"123456789\"%s", ends[i]);
            got = read_all(text, strlen(text), piece, 10);
            assert_string_equal(got, i == 4 ? "1!longer than 10 bytes{\"123456789\"}2[x]"
                                            : "1!longer than 10 bytes{\"123456789\"}");
            free(got);
        }
}

static void test_too_many_fields(void **state)
{
    struct ft_buf b;
    char *got;

    (void)state;
    ft_buf_init(&b, 1u << 20);
    for (int i = 0; i < FT_CSV_MAX_FIELDS - 1; i++)
        ft_buf_char(&b, ',');
    ft_buf_text(&b, "\n");
    got = read_all(b.p, b.n, 1000, FT_CSV_MAX_ROW);
    assert_non_null(strstr(got, "1[|||"));
    free(got);
    ft_buf_clear(&b);
    for (int i = 0; i < FT_CSV_MAX_FIELDS; i++)
        ft_buf_char(&b, ',');
    ft_buf_text(&b, "\nx\n");
    got = read_all(b.p, b.n, 1000, FT_CSV_MAX_ROW);
    assert_non_null(strstr(got, "1!more than 4096 fields{,,,"));
    assert_non_null(strstr(got, "2[x]"));
    free(got);
    ft_buf_fini(&b);
}

static void test_going_on_in_the_middle(void **state)
{
    static const char text[] = "a,b\n1,2\n3,4\n";
    struct ft_csv *c = ft_csv_new(100);
    struct ft_csv_row row;

    (void)state;
    ft_csv_seek(c, 8, 3);
    ft_csv_feed(c, text + 8, 4);
    assert_int_equal(ft_csv_next(c, &row, NULL), FT_CSV_ROW);
    assert_int_equal(row.line, 3);
    assert_int_equal(row.offset, 8);
    assert_int_equal(row.next, 12);
    ft_csv_finish(c);
    assert_int_equal(ft_csv_next(c, &row, NULL), FT_CSV_END);
    ft_csv_free(c);
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Any bytes: the same rows however they are cut, and the same when whole rows were taken off before. */
static void test_rows_do_not_depend_on_the_pieces(void **state)
{
    static const char alphabet[] = "ab,,\"\"\"\n\n\r\0x";
    uint64_t seed = 42;

    (void)state;
    for (int round = 0; round < 10000; round++) {
        char text[160], *whole, *pieces, *head, *tail;
        size_t n = next_random(&seed) % sizeof(text), max = 1 + next_random(&seed) % 40, taken;
        uint64_t rows, lines;
        bool too_long;

        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
        whole = read_all(text, n, n + 1, max);
        pieces = read_all(text, n, 1 + next_random(&seed) % 9, max);
        if (strcmp(whole, pieces) != 0)
            fail_msg("round %d: \"%s\" or \"%s\"", round, whole, pieces);
        taken = ft_csv_skim(text, n, true, max, &rows, &lines, &too_long);
        if (!too_long) {
            head = read_all(text, taken, taken + 1, max);
            if (strncmp(whole, head, strlen(head)) != 0)
                fail_msg("round %d: \"%s\" does not begin with \"%s\"", round, whole, head);
            tail = read_all(text + taken, n - taken, n + 1, max);
            free(head);
            free(tail);
        }
        free(whole);
        free(pieces);
    }
}

/* Well-formed CSV: what was written is what is read. */
static void test_random_tables_read_back(void **state)
{
    static const char alphabet[] = "abc,\"\n\r 0123.";
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct ft_buf csv, want;
        unsigned line = 1;
        char *got;

        ft_buf_init(&csv, 1u << 20);
        ft_buf_init(&want, 1u << 20);
        ft_buf_text(&want, "");
        for (size_t rows = next_random(&seed) % 6; rows; rows--) {
            ft_buf_fmt(&want, "%u", line);
            for (size_t k = 0, fields = 2 + next_random(&seed) % 4; k < fields; k++) {
                ft_buf_char(&want, k ? '|' : '[');
                ft_buf_text(&csv, k ? ",\"" : "\"");
                for (size_t i = next_random(&seed) % 30; i; i--) {
                    char ch = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];

                    ft_buf_char(&want, ch);
                    ft_buf_char(&csv, ch);
                    if (ch == '"')
                        ft_buf_char(&csv, ch);
                    /* Carriage returns stand alone here, so that each counts as a line. */
                    if (ch == '\r') {
                        ft_buf_char(&want, '.');
                        ft_buf_char(&csv, '.');
                    }
                    line += ch == '\n' || ch == '\r';
                }
                ft_buf_char(&csv, '"');
            }
            ft_buf_char(&want, ']');
            ft_buf_char(&csv, '\n');
            line++;
        }
        got = read_all(csv.p ? csv.p : "", csv.n, 1 + next_random(&seed) % 50, FT_CSV_MAX_ROW);
        assert_string_equal(got, want.p);
        free(got);
        ft_buf_fini(&csv);
        ft_buf_fini(&want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_and_fields),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_an_open_quote_costs_its_own_line),
        cmocka_unit_test(test_text_after_a_closing_quote),
        cmocka_unit_test(test_zero_bytes),
        cmocka_unit_test(test_a_row_that_is_too_long_is_passed_over),
        cmocka_unit_test(test_the_limit_is_exact),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_going_on_in_the_middle),
        cmocka_unit_test(test_rows_do_not_depend_on_the_pieces),
        cmocka_unit_test(test_random_tables_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
