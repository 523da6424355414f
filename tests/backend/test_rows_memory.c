/* Every allocation of the record layer is made to fail once: nothing crashes, nothing is lost. */
#include "ft_test.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "ft_alloc.h"

#include "fraudtop/codec.h"
#include "fraudtop/evaluate.h"
#include "fraudtop/generate.h"
#include "fraudtop/rows.h"

#define TEXT "amount,merch,note,target\n25.79,\"Stokes, Inc\",a,1\n12,\"open,b,0\n7,c,d,0\n"

static char folder[] = "/tmp/fraudtop-memory-XXXXXX";
static char path[4][100];

static const struct ft_rows_opts opts = {.label = "target", .check = true};

static int read_rows(void)
{
    const char *const paths[] = {path[0], path[1], path[2]};
    struct ft_rows *r;
    struct ft_row_pos pos;
    struct ft_quarantine *q = NULL;
    struct ft_err err = {""};
    struct ft_txn t;
    enum ft_status st = ft_rows_open(&r, paths, 3, &opts, &err);
    int good = 0, bad = 0;

    if (st != FT_OK)
        return !*err.text; /* an error has a text */
    st = ft_quarantine_open(&q, path[3], &err);
    while (st == FT_OK || st == FT_EINPUT) {
        st = ft_rows_next(r, &t, &pos, &err);
        good += st == FT_OK;
        if (st == FT_EINPUT) {
            bad++;
            st = ft_quarantine_add(q, &pos, err.text, &err);
        }
    }
    ft_quarantine_close(q, NULL);
    ft_rows_close(r);
    return st == FT_END && good == 6 && bad == 3;
}

static int read_blocks(void)
{
    const char *const paths[] = {path[0], path[1], path[2]};
    struct ft_rows *r;
    struct ft_row_parser *p;
    struct ft_rows_block b;
    struct ft_row_pos pos;
    struct ft_err err = {""};
    struct ft_txn t;
    enum ft_status st = ft_rows_open(&r, paths, 3, &opts, &err);
    int good = 0;

    if (st != FT_OK)
        return 0;
    ft_rows_block_init(&b);
    p = ft_row_parser_new(r);
    while (p && (st = ft_rows_next_block(r, &b, &err)) == FT_OK) {
        ft_row_parser_start(p, &b);
        while ((st = ft_row_parser_next(p, &t, &pos, &err)) != FT_END)
            good += st == FT_OK;
    }
    ft_row_parser_free(p);
    ft_rows_block_fini(&b);
    ft_rows_close(r);
    return p && st == FT_END && good == 6;
}

static void take(void *user, const struct ft_verdict *v)
{
    *(int *)user += v->flag;
}

static void refuse(void *user, struct ft_span element, const char *reason)
{
    (void)user, (void)element, (void)reason;
}

static int read_and_write_messages(void)
{
    static char msg[4000];
    struct ft_codec *c = ft_codec_new();
    int flags = 0;
    struct ft_codec_verdict_cb cb = {take, refuse, &flags};
    struct ft_txn t;
    struct ft_buf b;
    bool ok;
    size_t n;

    if (!c)
        return 0;
    n = (size_t)snprintf(msg, sizeof(msg),
                         "{\"transaction_id\":\"b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7\",\"data\":{");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(msg + n, sizeof(msg) - n, "%s\"x%d\":%d", i ? "," : "", i, i);
    n += (size_t)snprintf(msg + n, sizeof(msg) - n, "}}");
    ft_buf_init(&b, FT_MSG_MAX);
    ok = ft_codec_read_txn(c, (struct ft_span){msg, n}, &t, NULL) == FT_OK &&
         ft_codec_write_txn(&b, &t);
    ok =
        ok && ft_codec_read_verdicts(c, FT_SPAN("[\"b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7\",0.5,1]"),
                                     &cb, NULL) == FT_OK;
    ft_buf_fini(&b);
    ft_codec_free(c);
    return ok && flags == 1;
}

static int evaluate(void)
{
    struct ft_eval *e = ft_eval_new();
    struct ft_eval_result r;
    bool ok = e != NULL;

    for (int i = 0; i < 20000 && ok; i++)
        ok = ft_eval_add(e, i / 20000.0, i & 1, 1, NULL) == FT_OK;
    ok = ok && ft_eval_compute(e, 0.5, 1, 0.05, 0.9, &r, NULL) == FT_OK && r.positives == 10000;
    ft_eval_free(e);
    return ok;
}

static int generate(void)
{
    const struct ft_made_opts made = {
        .rows = 100, .customers = 3, .fraud_rate = 0.1, .days = 2, .start = "2020-01-01"};
    struct ft_maker *m;
    struct ft_buf b;
    int n = 0;

    if (ft_maker_new(&m, &made, NULL) != FT_OK)
        return 0;
    ft_buf_init(&b, 1u << 20);
    while (ft_maker_row(m, &b))
        n++;
    ft_buf_fini(&b);
    ft_maker_free(m);
    return n == 100;
}

static void check(int (*work)(void), long least)
{
    if (!ft_alloc_works())
        skip();
    assert_true(ft_alloc_try_all(work) >= least);
}

static void test_rows(void **state)
{
    (void)state;
    check(read_rows, 30);
}

static void test_blocks(void **state)
{
    (void)state;
    check(read_blocks, 30);
}

static void test_messages(void **state)
{
    (void)state;
    check(read_and_write_messages, 6);
}

static void test_evaluation(void **state)
{
    (void)state;
    check(evaluate, 4);
}

static void test_generation(void **state)
{
    (void)state;
    check(generate, 3);
}

static int make_files(void **state)
{
    static const char text[] = TEXT;
    char packed[500];
    size_t n = ZSTD_compress(packed, sizeof(packed), text, sizeof(text) - 1, 3);
    int fd;
    gzFile gz;

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < 4; i++)
        snprintf(path[i], sizeof(path[i]), "%s/%d", folder, i);
    fd = open(path[0], O_WRONLY | O_CREAT, 0600);
    if (write(fd, text, sizeof(text) - 1) < 0)
        return -1;
    close(fd);
    gz = gzopen(path[1], "wb");
    gzwrite(gz, text, sizeof(text) - 1);
    gzclose(gz);
    fd = open(path[2], O_WRONLY | O_CREAT, 0600);
    if (write(fd, packed, n) < 0)
        return -1;
    return close(fd);
}

static int remove_files(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        unlink(path[i]);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_messages),   cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_generation),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
