/* Trouble under the sink's writes: what was committed is there once, what was not is written by the same call again. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fraudtop/log.h"
#include "pg_test.h"

static struct pg_test server;

static const char *sql(const char *text)
{
    return pg_test_sql(ft_pg_conninfo(server.pg), text);
}

static const struct ft_run run = {1700000000000, 42};

static struct ft_verdict verdict(uint64_t row)
{
    struct ft_verdict v = {.score = row % 20 ? 0.1 : 0.9,
                           .flag = row % 20 == 0,
                           .label = (int8_t)(row % 3) - 1,
                           .model = FT_SPAN("seed-004 1"),
                           .amount = FT_SPAN("25.70"),
                           .data_json = FT_SPAN("{\"merch\":\"x\"}")};

    ft_uuid_from_row(&v.id, &run, row);
    return v;
}

/* ---- a sink that goes on whatever happens -------------------------------------------------------------- */

struct sink {
    pthread_t thread;
    const char *conninfo;
    atomic_bool stop;
    atomic_ulong rows; /* acknowledged */
    atomic_ulong troubles;
    char last[512];
};

static void *sink_main(void *arg)
{
    struct sink *k = arg;
    struct ft_verdict v[100];
    struct ft_store *s = NULL;
    struct ft_err err = {""};
    unsigned long rows = 0;

    while (!atomic_load(&k->stop)) {
        struct ft_store_offset off = {"scoring", 0, (int64_t)rows + 100, {{0}}};
        enum ft_status st;
        size_t n_new;

        if (!s && ft_store_open(&s, k->conninfo, true, 2000, &err) != FT_OK) {
            k->troubles++;
            ft_sleep_ms(50);
            continue;
        }
        for (size_t i = 0; i < 100; i++)
            v[i] = verdict(rows + i);
        off.last_id = v[99].id;
        st = ft_store_write(s, "c", "g", v, 100, &off, 1, &n_new, &err);
        if (st == FT_OK) {
            rows += 100;
            atomic_store(&k->rows, rows);
            continue;
        }
        k->troubles++;
        snprintf(k->last, sizeof(k->last), "%s: %s", ft_status_name(st), err.text);
        if (st != FT_EUNREACHABLE)
            break;
        while (!atomic_load(&k->stop) && ft_store_reconnect(s, 2000, &err) != FT_OK)
            ft_sleep_ms(50);
    }
    ft_store_close(s);
    return NULL;
}

static void sink_start(struct sink *k, const char *conninfo)
{
    *k = (struct sink){.conninfo = conninfo};
    assert_int_equal(pthread_create(&k->thread, NULL, sink_main, k), 0);
}

/* Waits until so many more rows were acknowledged. */
static void sink_goes_on(struct sink *k, unsigned long more, int ms)
{
    unsigned long from = atomic_load(&k->rows);

    for (; atomic_load(&k->rows) < from + more; ms -= 10) {
        if (ms <= 0)
            fail_msg("%lu rows in time, not %lu more; last trouble: %s",
                     atomic_load(&k->rows) - from, more, k->last);
        ft_sleep_ms(10);
    }
}

static unsigned long sink_stop(struct sink *k)
{
    atomic_store(&k->stop, true);
    pthread_join(k->thread, NULL);
    return atomic_load(&k->rows);
}

/* Everything acknowledged is there; each row once, and the rows, counts and offset of one batch together. */
static void check_store(const char *conninfo, unsigned long acknowledged)
{
    char text[400];

    snprintf(
        text, sizeof(text),
        "SELECT count(*) = count(DISTINCT transaction_id) AND count(*) >= %lu AND count(*) <= %lu"
        " AND count(*) = (SELECT count(*) FROM fraudtop_verdicts)"
        " AND sum(fraud_flag) = (SELECT count(*) FROM fraudtop_cases)"
        " AND count(*) = (SELECT next_offset FROM fraudtop_sink_offsets) FROM fraud_scores",
        acknowledged, acknowledged + 100);
    assert_string_equal(pg_test_sql(conninfo, text), "t");
    assert_string_equal(
        pg_test_sql(conninfo,
                    "SELECT (SELECT count(*) FROM fraud_scores) = (SELECT coalesce(sum(x), 0) FROM"
                    " fraudtop_score_deltas, unnest(n) x) + (SELECT coalesce(sum(n), 0) FROM "
                    "fraudtop_score_hours)"),
        "t");
}

static int fresh(void **unused)
{
    (void)unused;
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    return 0;
}

/* ---- the faults ---------------------------------------------------------------------------------------- */

static pid_t pid_of(const char *text)
{
    return (pid_t)strtol(sql(text), NULL, 10);
}

static void backend_killed_under_writes(void **unused)
{
    struct sink k;

    (void)unused;
    sink_start(&k, ft_pg_conninfo(server.pg));
    for (int i = 0; i < 3; i++) {
        pid_t pid;

        sink_goes_on(&k, 500, 30000);
        pid =
            pid_of("SELECT pid FROM pg_stat_activity WHERE application_name = 'fraudtop' LIMIT 1");
        if (pid > 0)
            kill(pid, SIGKILL); /* the server restarts all of itself */
    }
    sink_goes_on(&k, 1000, 30000);
    check_store(ft_pg_conninfo(server.pg), sink_stop(&k));
    assert_true(k.troubles >= 1);
}

static pid_t postmaster(void)
{
    char path[128];
    FILE *f;
    long pid = 0;

    snprintf(path, sizeof(path), "%s/postgres/cluster/postmaster.pid", server.dir);
    f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%ld", &pid) != 1)
            pid = 0;
        fclose(f);
    }
    return (pid_t)pid;
}

static void server_killed_under_writes(void **unused)
{
    struct sink k;

    (void)unused;
    ft_sleep_ms(3500); /* the keeper starts one again that has lived */
    sink_start(&k, ft_pg_conninfo(server.pg));
    sink_goes_on(&k, 500, 30000);
    kill(postmaster(), SIGKILL);
    ft_sleep_ms(500);
    sink_goes_on(&k, 1000, 30000);
    check_store(ft_pg_conninfo(server.pg), sink_stop(&k));
    assert_true(k.troubles >= 1);
}

static void connections_cut_again_and_again(void **unused)
{
    struct sink k;

    (void)unused;
    sink_start(&k, ft_pg_conninfo(server.pg));
    for (int i = 0; i < 20; i++) {
        sink_goes_on(&k, 200, 30000);
        sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name "
            "= 'fraudtop'");
    }
    sink_goes_on(&k, 500, 30000);
    check_store(ft_pg_conninfo(server.pg), sink_stop(&k));
    assert_true(k.troubles >= 5);
}

static void server_that_hangs_is_given_up(void **unused)
{
    struct ft_store *s = NULL;
    struct ft_err err = {""};
    pid_t pid = postmaster();

    (void)unused;
    kill(pid, SIGSTOP);
    assert_int_equal(ft_store_open(&s, ft_pg_conninfo(server.pg), true, 500, &err),
                     FT_EUNREACHABLE);
    kill(pid, SIGCONT);
    assert_non_null(strstr(err.text, "does not answer within 500 ms"));
    assert_null(s);
}

/* Fills the volume of the cluster until writes fail, then makes room. */
static void disk_full_is_waited_out(void **unused)
{
    struct pg_test small = {.dir = "/tmp/fraudtop-test-XXXXXX"};
    struct ft_pg_opts opts = {.state_dir = small.dir, .throw_away = true};
    char filler[100], block[4096];
    struct ft_err err = {""};
    struct sink k;
    FILE *f;

    (void)unused;
    assert_non_null(mkdtemp(small.dir));
    if (geteuid() != 0 || mount("fraudtop", small.dir, "tmpfs", 0, "size=160m,mode=0755") != 0) {
        rmdir(small.dir);
        skip(); /* needs the right to mount */
    }
    if (ft_pg_start(&small.pg, &opts, &err) != FT_OK)
        fail_msg("%s", err.text);
    ft_sleep_ms(3200);
    sink_start(&k, ft_pg_conninfo(small.pg));
    sink_goes_on(&k, 1000, 20000);
    snprintf(filler, sizeof(filler), "%s/filler", small.dir);
    f = fopen(filler, "w");
    assert_non_null(f);
    memset(block, 1, sizeof(block));
    while (fwrite(block, sizeof(block), 1, f) == 1)
        ;
    fclose(f);
    for (int ms = 0; k.troubles == 0 && ms < 30000; ms += 20)
        ft_sleep_ms(20);
    assert_true(k.troubles > 0);
    unlink(filler);
    sink_goes_on(&k, 2000, 60000);
    check_store(ft_pg_conninfo(small.pg), sink_stop(&k));
    ft_pg_stop(small.pg);
    umount(small.dir);
    rmdir(small.dir);
}

/* ---- an older schema ----------------------------------------------------------------------------------- */

static void older_schema_is_brought_up(void **unused)
{
    char *first = NULL;
    size_t n = 0;
    FILE *f = fopen(FT_SOURCE_DIR "/schema/001_base.sql", "r");
    struct ft_store *s = NULL;
    struct ft_err err = {""};

    (void)unused;
    assert_non_null(f);
    assert_true(getdelim(&first, &n, '\0', f) > 0);
    fclose(f);
    sql("CREATE TABLE fraud_scores (transaction_id uuid PRIMARY KEY, score double precision NOT "
        "NULL,"
        " fraud_flag integer NOT NULL, scored_at timestamptz DEFAULT now());"
        "CREATE TABLE fraudtop_schema (version integer PRIMARY KEY, name text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now());"
        "INSERT INTO fraudtop_schema VALUES (1, '001_base')");
    sql(first);
    free(first);
    sql("INSERT INTO fraud_scores VALUES ('00000000-0000-4000-8000-000000000001', 0.9, 1);"
        "INSERT INTO fraudtop_cases (transaction_id, score, scored_at, flagged, data) VALUES"
        " ('00000000-0000-4000-8000-000000000001', 0.9, now(), true, "
        "'{\"merch\":\"m\",\"us_state\":\"TX\"}');"
        "INSERT INTO fraudtop_events (transaction_id, number, kind, who) VALUES"
        " ('00000000-0000-4000-8000-000000000001', 1, 'note', 'ana')");
    if (ft_store_open(&s, ft_pg_conninfo(server.pg), true, 5000, &err) != FT_OK)
        fail_msg("%s", err.text);
    ft_store_close(s);
    assert_string_equal(sql("SELECT merchant || us_state || number FROM fraudtop_cases"), "mTX1");
    assert_string_equal(
        sql("SELECT count(*) = max(version) AND max(version) > 1 FROM fraudtop_schema"), "t");
    assert_string_equal(sql("SELECT who FROM fraudtop_events"), "ana");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(older_schema_is_brought_up, fresh),
        cmocka_unit_test_setup(connections_cut_again_and_again, fresh),
        cmocka_unit_test_setup(backend_killed_under_writes, fresh),
        cmocka_unit_test_setup(server_killed_under_writes, fresh),
        cmocka_unit_test_setup(server_that_hangs_is_given_up, fresh),
        cmocka_unit_test(disk_full_is_waited_out),
    };
    int bad = pg_test_start(&server);

    if (bad)
        return bad;
    ft_log_level(FT_WARN);
    bad = cmocka_run_group_tests(tests, NULL, NULL);
    pg_test_stop(&server);
    return bad;
}
