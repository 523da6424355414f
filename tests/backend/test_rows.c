#include "ft_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "fraudtop/rows.h"

#define HEAD "transaction_time,amount,merch,note,target\n"

static char folder[] = "/tmp/fraudtop-rows-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4][200];
    static int at;

    at = (at + 1) % 4;
    snprintf(path[at], sizeof(path[at]), "%s/%s", folder, name);
    return path[at];
}

static const char *write_bytes(const char *name, const void *p, size_t n, const char *mode)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, mode);

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
    return path;
}

static const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text), "wb");
}

static const char *write_gzip(const char *name, const char *text, const char *mode)
{
    const char *path = path_of(name);
    gzFile f = gzopen(path, mode);

    assert_non_null(f);
    assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
    gzclose(f);
    return path;
}

static const char *write_zstd(const char *name, const char *text, const char *mode)
{
    size_t room = ZSTD_compressBound(strlen(text));
    void *p = malloc(room);
    size_t n = ZSTD_compress(p, room, text, strlen(text), 3);
    const char *path = write_bytes(name, p, n, mode);

    free(p);
    return path;
}

static void add_txn(struct ft_buf *out, const struct ft_txn *t)
{
    static const char kind[] = "-_tn";

    ft_buf_fmt(out, "[%d", t->label);
    for (int c = 0; c < FT_N_COLS; c++)
        if (t->col[c].kind != FT_CELL_ABSENT)
            ft_buf_fmt(out, "|%c%.*s", kind[t->col[c].kind], (int)t->col[c].n, t->col[c].p);
    for (size_t i = 0; i < t->n_extra; i++)
        ft_buf_fmt(out, "|%.*s=%c%.*s", (int)t->extra[i].name.n, t->extra[i].name.p,
                   kind[t->extra[i].cell.kind], (int)t->extra[i].cell.n, t->extra[i].cell.p);
    ft_buf_char(out, ']');
}

static void add_row(struct ft_buf *out, enum ft_status st, const struct ft_txn *t,
                    const struct ft_row_pos *pos, const struct ft_err *err)
{
    ft_buf_fmt(out, "%u:%u", (unsigned)pos->row, (unsigned)pos->line);
    if (st == FT_OK)
        add_txn(out, t);
    else
        ft_buf_fmt(out, "!%s{%.*s}", err->text, (int)pos->text.n, pos->text.p);
}

/* All rows as text: "row:line[label|cells]" with t text, n number, _ missing; "row:line!reason{text}". */
static char *read_rows(const char *const *paths, size_t n, const struct ft_rows_opts *opts)
{
    struct ft_rows *r;
    struct ft_err err = {""};
    struct ft_row_pos pos;
    struct ft_txn t;
    struct ft_buf out;
    enum ft_status st;

    ft_buf_init(&out, 256u << 20);
    ft_buf_text(&out, "");
    st = ft_rows_open(&r, paths, n, opts, &err);
    if (st != FT_OK) {
        ft_buf_fmt(&out, "%s: %s", ft_status_name(st), err.text);
        return out.p;
    }
    while ((st = ft_rows_next(r, &t, &pos, &err)) == FT_OK || st == FT_EINPUT)
        add_row(&out, st, &t, &pos, &err);
    if (st != FT_END)
        ft_buf_fmt(&out, "%s: %s", ft_status_name(st), err.text);
    ft_rows_close(r);
    return out.p;
}

/* The same through blocks. */
static char *read_blocks(const char *const *paths, size_t n, const struct ft_rows_opts *opts)
{
    struct ft_rows *r;
    struct ft_rows_block b;
    struct ft_row_parser *p;
    struct ft_err err = {""};
    struct ft_row_pos pos;
    struct ft_txn t;
    struct ft_buf out;
    enum ft_status st;
    uint64_t number = 0;

    ft_buf_init(&out, 256u << 20);
    ft_buf_text(&out, "");
    st = ft_rows_open(&r, paths, n, opts, &err);
    if (st != FT_OK) {
        ft_buf_fmt(&out, "%s: %s", ft_status_name(st), err.text);
        return out.p;
    }
    p = ft_row_parser_new(r);
    ft_rows_block_init(&b);
    while ((st = ft_rows_next_block(r, &b, &err)) == FT_OK) {
        uint64_t rows = 0;

        assert_int_equal(b.number, number++);
        ft_row_parser_start(p, &b);
        while ((st = ft_row_parser_next(p, &t, &pos, &err)) != FT_END) {
            assert_true(pos.row >= b.row && pos.row < b.row + b.n_rows);
            add_row(&out, st, &t, &pos, &err);
            rows++;
        }
        assert_true(rows <= b.n_rows);
    }
    if (st != FT_END)
        ft_buf_fmt(&out, "%s: %s", ft_status_name(st), err.text);
    ft_rows_block_fini(&b);
    ft_row_parser_free(p);
    ft_rows_close(r);
    return out.p;
}

static void check_opts(const char *const *paths, size_t n, const struct ft_rows_opts *opts,
                       const char *want)
{
    char *got = read_rows(paths, n, opts), *blocks = read_blocks(paths, n, opts);

    assert_string_equal(got, want);
    assert_string_equal(blocks, want);
    free(got);
    free(blocks);
}

static void check(const char *path, const char *want)
{
    const struct ft_rows_opts opts = {.label = "target", .check = true};

    check_opts(&path, 1, &opts, want);
}

static void test_rows_become_transactions(void **state)
{
    (void)state;
    check(write_text("a.csv", HEAD "2019-09-14 02:46,25.79,\"Stokes, Inc\",hello,1\n"
                                   "2019-09-14 02:47,007,,,\n"),
          "0:2[1|t2019-09-14 02:46|tStokes, Inc|n25.79|note=thello]"
          "1:3[-1|t2019-09-14 02:47|_|t007|note=_]");
}

static void test_bad_rows_have_their_reason(void **state)
{
    (void)state;
    check(write_text("bad.csv", HEAD "2019-09-14 02:46,1,a,b\n"
                                     "2019-09-14 02:46,1,a,b,0,x\n"
                                     "2019-09-14 02:46,ten,a,b,0\n"
                                     "yesterday,1,a,b,0\n"
                                     "2019-09-14 02:46Z,1,a,b,0\n"
                                     "2019-09-14 02:46,-1,a,b,0\n"
                                     "2019-09-14 02:46,1,a,b,2\n"
                                     "2019-09-14 02:46,1,Jos\xE9,b,0\n"
                                     "2019-09-14 02:46,1,\"a,b,0\n"
                                     "2019-09-14 02:46,1,a,b,0\n"),
          "0:2!4 fields where the header has 5{2019-09-14 02:46,1,a,b}"
          "1:3!6 fields where the header has 5{2019-09-14 02:46,1,a,b,0,x}"
          "2:4!amount: \"ten\" is not a number{2019-09-14 02:46,ten,a,b,0}"
          "3:5!transaction_time: \"yesterday\" is not a time (YYYY-MM-DD HH:MM[:SS])"
          "{yesterday,1,a,b,0}"
          "4:6!transaction_time: \"2019-09-14 02:46Z\" ends with Z, which only messages may"
          "{2019-09-14 02:46Z,1,a,b,0}"
          "5:7!amount: -1 is negative{2019-09-14 02:46,-1,a,b,0}"
          "6:8!target: \"2\" is neither 0 nor 1 nor empty{2019-09-14 02:46,1,a,b,2}"
          "7:9!invalid UTF-8 (byte 0xE9 after 22 bytes){2019-09-14 02:46,1,Jos\xE9,b,0}"
          "8:10!unterminated quote{2019-09-14 02:46,1,\"a,b,0}"
          "9:11[0|t2019-09-14 02:46|ta|n1|note=tb]");
}

static void test_a_required_cell_must_not_be_empty(void **state)
{
    static const char *const required[] = {"amount", "transaction_time"};
    const struct ft_rows_opts opts = {.required = required, .n_required = 2};
    const char *path = write_text("required.csv", "amount,merch\n1,\n,x\n");

    (void)state;
    check_opts(&path, 1, &opts, "0:2[-1|_|n1]1:3!amount: is empty{,x}");
}

static void check_refused(const char *path, const char *want)
{
    static const char *const need[] = {"amount", "merch"};
    const struct ft_rows_opts opts = {.label = "target", .need = need, .n_need = 2};
    const char *at = strstr(want, "FILE");
    char text[400] = "";

    if (at)
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - want), want, path, at + 4);
    check_opts(&path, 1, &opts, text);
}

/* All names of a long list, as far as there is room for them: none is cut. */
static void test_many_missing_columns_are_named(void **state)
{
    enum { N = 100 };
    static char names[N][16];
    static const char *need[N];
    struct ft_rows_opts opts = {.need = need};
    const char *path = write_text("h6.csv", "lat\n1\n");
    struct ft_rows *rows = NULL;
    struct ft_err err;

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "feature_%02d", i);
        need[i] = names[i];
    }
    opts.n_need = 30;
    assert_int_equal(ft_rows_open(&rows, &path, 1, &opts, &err), FT_EINPUT);
    assert_non_null(strstr(err.text, "feature_00, feature_01, "));
    assert_string_equal(err.text + strlen(err.text) - 10, "feature_29");
    opts.n_need = N;
    assert_int_equal(ft_rows_open(&rows, &path, 1, &opts, &err), FT_EINPUT);
    assert_non_null(strstr(err.text, "feature_64, feature_65 and 34 more"));
}

static void test_headers_are_checked(void **state)
{
    (void)state;
    check_refused(write_text("h1.csv", "lat,target\n1,0\n"),
                  "bad_input: FILE: the header lacks columns that are needed: amount, merch");
    check_refused(write_text("h2.csv", "amount,merch\n1,0\n"),
                  "usage: FILE: the header has no column \"target\" for the label");
    check_refused(write_text("h3.csv", "amount,merch,target,merch\n"),
                  "bad_input: FILE:1: two columns are called \"merch\"");
    check_refused(write_text("h4.csv", ""),
                  "bad_input: FILE: is empty; its first line must name the columns");
    check_refused(write_text("h5.csv", "\n\n"),
                  "bad_input: FILE: is empty; its first line must name the columns");
    check_refused(write_text("h6.csv", "amount,\"merch,target\n1,2,3\n"),
                  "bad_input: FILE:1: the header cannot be read: unterminated quote");
    check_refused(write_text("h7.csv", "amount,merch,target,Jos\xE9\n"),
                  "bad_input: FILE:1: the header is not UTF-8");
    check_refused(write_text("h8.csv", "amount,merch,target"), "");
    check_refused(write_text("h9.csv", "\xEF\xBB\xBF\"amount\",\"merch\",\"target\"\r\n"), "");
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    check_refused(folder, "bad_input: FILE: is a directory: name the files in it");
    check_refused(path_of("absent.csv"),
                  "bad_input: FILE: cannot be opened: No such file or directory");
    check_refused("/dev/null", "bad_input: FILE: is empty; its first line must name the columns");
    check_refused(write_bytes("a.xz",
                              "\xFD"
                              "7zXZ\0\0\4",
                              8, "wb"),
                  "bad_input: FILE: is an xz file: unpack it first, or pack it with gzip or zstd");
}

static void test_packed_files(void **state)
{
    const char *want =
        "0:2[0|t2019-09-14 02:46|ta|n1|note=tb]1:3[1|t2019-09-14 02:47|tc|n2|note=td]";
    const char *first = HEAD "2019-09-14 02:46,1,a,b,0\n", *second = "2019-09-14 02:47,2,c,d,1\n";
    const char *path;

    (void)state;
    path = write_gzip("two.gz", first, "wb");
    write_gzip("two.gz", second, "ab"); /* another member */
    check(path, want);
    write_bytes("two.gz", "\0\0\0\0", 4, "ab"); /* padding, as tapes have it */
    check(path, want);
    path = write_zstd("two.zst", first, "wb");
    write_zstd("two.zst", second, "ab");
    check(path, want);
}

static void check_ends_with(const char *path, const char *want)
{
    const struct ft_rows_opts opts = {.label = "target"};
    char *got = read_rows(&path, 1, &opts), *blocks = read_blocks(&path, 1, &opts);

    if (!strstr(got, want) || !strstr(blocks, want))
        fail_msg("\"%s\" and \"%s\" lack \"%s\"", got, blocks, want);
    free(got);
    free(blocks);
}

/* What could be read before the damage is given, and the same with blocks. */
static void test_rows_before_the_damage_are_given(void **state)
{
    const struct ft_rows_opts opts = {.label = "target"};
    struct ft_buf text;
    const char *path;
    char *got, *blocks;
    size_t n = 0;

    (void)state;
    ft_buf_init(&text, 1u << 20);
    ft_buf_text(&text, HEAD);
    for (int i = 0; i < 5000; i++)
        ft_buf_fmt(&text, "2019-09-14 02:46,%d,a,b,0\n", i * 7919 % 10007);
    ft_buf_char(&text, '\0');
    path = write_gzip("tail.gz", text.p, "wb");
    write_bytes("tail.gz", "hello", 5, "ab");
    got = read_rows(&path, 1, &opts);
    blocks = read_blocks(&path, 1, &opts);
    assert_string_equal(got, blocks);
    for (const char *p = got; (p = strchr(p, '[')); p++)
        n++;
    assert_int_equal(n, 5000);
    free(got);
    free(blocks);
    ft_buf_fini(&text);
}

static void test_damaged_packed_files(void **state)
{
    const char *text = HEAD "2019-09-14 02:46,1,a,b,0\n";
    const char *path;
    struct stat s;

    (void)state;
    path = write_gzip("cut.gz", text, "wb");
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(truncate(path, s.st_size - 6), 0);
    check_ends_with(path, "it ends too early");
    path = write_gzip("tail.gz", text, "wb");
    write_bytes("tail.gz", "hello", 5, "ab");
    check_ends_with(path, "something else follows its end");
    path = write_zstd("cut.zst", text, "wb");
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(truncate(path, s.st_size - 3), 0);
    check_ends_with(path, "it ends too early");
    path = write_bytes("wrong.zst", "\x28\xB5\x2F\xFDxxxxxxxx", 12, "wb");
    check_ends_with(path, "system: ");
}

static void test_several_files_are_one_row_after_the_other(void **state)
{
    const char *paths[3];
    const struct ft_rows_opts all = {.label = "target"};
    const struct ft_rows_opts middle = {.label = "target", .start_row = 1, .limit = 4};

    (void)state;
    paths[0] = write_text("one.csv", "amount,target\n1,0\n2,0,x\n");
    paths[1] = write_text("two.csv", "target,merch\n1,x\n"); /* its own order and columns */
    paths[2] = write_text("three.csv", "amount,target\n5,\n6,0\n");
    check_opts(paths, 3, &all,
               "0:2[0|n1]1:3!3 fields where the header has 2{2,0,x}2:2[1|tx]3:2[-1|n5]4:3[0|n6]");
    check_opts(paths, 3, &middle, "1:3!3 fields where the header has 2{2,0,x}2:2[1|tx]3:2[-1|n5]");
}

static void test_what_is_known_of_the_files(void **state)
{
    const struct ft_rows_opts opts = {.label = "target"};
    const char *paths[2];
    const struct ft_span *names;
    struct ft_rows *r;
    uint64_t before;

    (void)state;
    paths[0] = write_text("one.csv", "amount,target\n1,0\n");
    paths[1] = write_text("two.csv", "target\n1\n");
    assert_int_equal(ft_rows_open(&r, paths, 2, &opts, NULL), FT_OK);
    assert_int_equal(ft_rows_bytes(r), 27);
    assert_int_equal(ft_rows_header(r, &names), 2);
    assert_true(ft_span_is(names[1], "target"));
    before = ft_rows_fingerprint(r);
    assert_int_not_equal(before, 0);
    ft_rows_close(r);
    assert_int_equal(ft_rows_open(&r, paths, 2, &opts, NULL), FT_OK);
    assert_true(ft_rows_fingerprint(r) == before);
    ft_rows_close(r);
    write_text("two.csv", "target\n0\n");
    assert_int_equal(ft_rows_open(&r, paths, 2, &opts, NULL), FT_OK);
    assert_true(ft_rows_fingerprint(r) != before);
    ft_rows_close(r);
}

/* Behind half of the rows half of the bytes are done, however much was read ahead. */
static void test_how_far_the_rows_are(void **state)
{
    const struct ft_rows_opts opts = {.label = "target"};
    const int rows = 40000;
    struct ft_buf text;
    const char *paths[3];

    (void)state;
    ft_buf_init(&text, 2u << 20);
    ft_buf_text(&text, HEAD);
    for (int i = 0; i < rows; i++)
        ft_buf_fmt(&text, "2019-09-14 02:46,%05d,a,b,0\n", i * 7919 % 100003);
    ft_buf_char(&text, '\0');
    paths[0] = write_text("plain.csv", text.p);
    paths[1] = write_gzip("packed.csv.gz", text.p, "wb");
    paths[2] = write_zstd("packed.csv.zst", text.p, "wb");
    for (int i = 0; i < 3; i++) {
        struct ft_row_pos pos;
        struct ft_rows *r;
        struct ft_txn t;
        uint64_t before = 0, bytes;

        assert_int_equal(ft_rows_open(&r, paths + i, 1, &opts, NULL), FT_OK);
        bytes = ft_rows_bytes(r);
        for (int k = 1; k <= rows; k++) {
            double due = (double)k / rows * (double)bytes, done;
            double slack = (i ? 0.2 : 0.001) * (double)bytes; /* packed: by the packer's blocks */

            assert_int_equal(ft_rows_next(r, &t, &pos, NULL), FT_OK);
            assert_true(ft_rows_done(r) >= before);
            before = ft_rows_done(r);
            done = (double)before;
            assert_true(done > due - slack && done < due + slack);
        }
        assert_int_equal(ft_rows_next(r, &t, &pos, NULL), FT_END);
        assert_int_equal(ft_rows_done(r), bytes);
        ft_rows_close(r);
    }
    ft_buf_fini(&text);
}

static void test_a_file_that_became_shorter(void **state)
{
    const struct ft_rows_opts opts = {.label = NULL};
    const char *paths[2] = {write_text("first.csv", "amount\n1\n"), path_of("shrinks.csv")};
    struct ft_row_pos pos;
    struct ft_err err;
    struct ft_txn t;
    struct ft_rows *r;
    FILE *f = fopen(paths[0], "wb");

    (void)state;
    fprintf(f, "amount\n");
    for (int i = 0; i < 200000; i++)
        fprintf(f, "%d\n", i);
    fclose(f);
    assert_int_equal(ft_rows_open(&r, paths, 1, &opts, &err), FT_OK);
    assert_int_equal(truncate(paths[0], 300000), 0);
    for (;;) {
        enum ft_status st = ft_rows_next(r, &t, &pos, &err);

        if (st == FT_OK)
            continue;
        assert_int_equal(st, FT_EIO);
        assert_non_null(strstr(err.text, "became shorter while it was read"));
        break;
    }
    ft_rows_close(r);
}

static void test_standard_input(void **state)
{
    const char *paths[2] = {"-", "-"};
    const struct ft_rows_opts opts = {.label = NULL};
    int fd = open(write_text("stdin.csv", "amount\n1\n2\n"), O_RDONLY), was = dup(0);
    char *got;

    (void)state;
    dup2(fd, 0);
    got = read_rows(paths, 1, &opts);
    assert_string_equal(got, "0:2[-1|n1]1:3[-1|n2]");
    free(got);
    lseek(0, 0, SEEK_SET);
    got = read_rows(paths, 2, &opts);
    assert_string_equal(got, "usage: standard input (-) can be read but once");
    free(got);
    dup2(was, 0);
    close(fd);
    close(was);
}

static void test_a_pipe_gives_rows_as_they_come_and_can_be_stopped(void **state)
{
    const char *path = path_of("pipe");
    struct ft_rows_opts opts = {.label = NULL};
    int stop[2], to;
    struct ft_row_pos pos;
    struct ft_err err;
    struct ft_txn t;
    struct ft_rows *r;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pipe(stop), 0);
    to = open(path, O_RDWR);
    opts.stop_fd = stop[0];
    assert_int_equal(write(to, "amount\n1\n", 9), 9);
    assert_int_equal(ft_rows_open(&r, &path, 1, &opts, &err), FT_OK);
    assert_int_equal(ft_rows_bytes(r), 0);
    assert_int_equal(ft_rows_fingerprint(r), 0);
    assert_int_equal(ft_rows_next(r, &t, &pos, &err), FT_OK);
    assert_int_equal(write(to, "2\n", 2), 2);
    assert_int_equal(ft_rows_next(r, &t, &pos, &err), FT_OK);
    assert_int_equal(write(stop[1], "x", 1), 1);
    assert_int_equal(ft_rows_next(r, &t, &pos, &err), FT_ESTOPPED);
    ft_rows_close(r);
    close(to);
    close(stop[0]);
    close(stop[1]);
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Large and full of faults: blocks and the single reader agree on every row. */
static void test_blocks_agree_on_faulty_files(void **state)
{
    static const char *const rows[] = {
        "1,plain,0\n",  "2,\"a, b\",1\n",       "3,\"two\nlines\",0\n",
        "4,\"open,1\n", "5,\"\"\"q\"\"\",\r\n", "\n",
        "x,y\n",        "6,\"a\"b,0\n",         "7,c\rd,1\n",
        "8,z,0\r",
    };
    const struct ft_rows_opts opts = {.label = "target", .check = true, .start_row = 100};
    uint64_t seed = 99;

    (void)state;
    for (int round = 0; round < 4; round++) {
        const char *path;
        struct ft_buf b;
        char *one, *many;

        ft_buf_init(&b, 64u << 20);
        ft_buf_text(&b, "amount,merch,target\n");
        while (b.n < 3u << 20) {
            uint64_t k = next_random(&seed);

            if (round == 3 && k % 100000 == 0) { /* a row beyond the limit */
                ft_buf_text(&b, "9,");
                for (int i = 0; i < 1 << 20; i++)
                    ft_buf_char(&b, k & 1 << 20 ? 'x' : '"');
                ft_buf_text(&b, ",0\n");
            }
            ft_buf_text(&b, rows[k % (round == 0 ? 3 : sizeof(rows) / sizeof(*rows))]);
            if (k % 997 == 0 && round)
                ft_buf_add(&b, "10,a\0b,0\n", 9);
        }
        path = write_bytes("faulty.csv", b.p, b.n, "wb");
        one = read_rows(&path, 1, &opts);
        many = read_blocks(&path, 1, &opts);
        assert_true(strlen(one) > 1u << 20);
        assert_string_equal(one, many);
        free(one);
        free(many);
        ft_buf_fini(&b);
    }
}

static void test_a_line_of_100_megabytes_costs_one_row(void **state)
{
    const char *path = path_of("long.csv");
    const struct ft_rows_opts opts = {.label = NULL};
    char block[1 << 16], *got;
    FILE *f = fopen(path, "wb");

    (void)state;
    memset(block, 'x', sizeof(block));
    fprintf(f, "amount,merch\n1,a\n2,");
    for (int i = 0; i < 1600; i++)
        fwrite(block, 1, sizeof(block), f);
    fprintf(f, "\n3,c\n");
    fclose(f);
    got = read_rows(&path, 1, &opts);
    assert_non_null(strstr(got, "0:2[-1|ta|n1]1:3!longer than 1048576 bytes{2,xxx"));
    assert_non_null(strstr(got, "2:4[-1|tc|n3]"));
    free(got);
    got = read_blocks(&path, 1, &opts);
    assert_non_null(strstr(got, "0:2[-1|ta|n1]1:3!longer than 1048576 bytes{2,xxx"));
    assert_non_null(strstr(got, "2:4[-1|tc|n3]"));
    free(got);
    unlink(path);
}

static void test_quarantine(void **state)
{
    const char *path = path_of("quarantine.csv");
    struct ft_row_pos pos = {.file = "day.csv", .n_files = 1, .line = 7, .text = FT_SPAN("a,\"b")};
    struct ft_quarantine *q;
    struct stat s;
    char text[300] = "";
    FILE *f;

    (void)state;
    assert_int_equal(ft_quarantine_open(&q, path, NULL), FT_OK);
    assert_int_equal(access(path, F_OK), -1); /* only when the first bad row comes */
    assert_int_equal(ft_quarantine_add(q, &pos, "unterminated quote", NULL), FT_OK);
    assert_int_equal(ft_quarantine_rows(q), 1);
    assert_int_equal(ft_quarantine_close(q, NULL), FT_OK);
    assert_int_equal(ft_quarantine_open(&q, path, NULL), FT_OK);
    pos.n_files = 2;
    pos.line = 9;
    assert_int_equal(ft_quarantine_add(q, &pos, "amount: \"x\" is not a number", NULL), FT_OK);
    assert_int_equal(ft_quarantine_close(q, NULL), FT_OK);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    f = fopen(path, "rb");
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    assert_string_equal(text, "line,reason,text\n"
                              "7,\"unterminated quote\",\"a,\"\"b\"\n"
                              "9,\"day.csv: amount: \"\"x\"\" is not a number\",\"a,\"\"b\"\n");
    assert_int_equal(ft_quarantine_close(NULL, NULL), FT_OK);
}

static void test_quarantine_that_cannot_be_written(void **state)
{
    struct ft_row_pos pos = {.file = "day.csv", .line = 7, .text = FT_SPAN("a")};
    struct ft_quarantine *q;
    struct ft_err err;

    (void)state;
    assert_int_equal(ft_quarantine_open(&q, "/dev/full", NULL), FT_OK);
    assert_int_equal(ft_quarantine_add(q, &pos, "why", &err), FT_EIO);
    assert_non_null(strstr(err.text, "/dev/full"));
    ft_quarantine_close(q, NULL);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_become_transactions),
        cmocka_unit_test(test_bad_rows_have_their_reason),
        cmocka_unit_test(test_a_required_cell_must_not_be_empty),
        cmocka_unit_test(test_headers_are_checked),
        cmocka_unit_test(test_many_missing_columns_are_named),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_packed_files),
        cmocka_unit_test(test_damaged_packed_files),
        cmocka_unit_test(test_rows_before_the_damage_are_given),
        cmocka_unit_test(test_several_files_are_one_row_after_the_other),
        cmocka_unit_test(test_what_is_known_of_the_files),
        cmocka_unit_test(test_how_far_the_rows_are),
        cmocka_unit_test(test_a_file_that_became_shorter),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_a_pipe_gives_rows_as_they_come_and_can_be_stopped),
        cmocka_unit_test(test_blocks_agree_on_faulty_files),
        cmocka_unit_test(test_a_line_of_100_megabytes_costs_one_row),
        cmocka_unit_test(test_quarantine),
        cmocka_unit_test(test_quarantine_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
