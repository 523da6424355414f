/* The private server: made, shared, found again, and gone when its users are, however they went. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fraudtop/log.h"
#include "pg_test.h"

static char state[64];
static const struct ft_pg_opts kept = {.state_dir = state};

static pid_t server_pid(void)
{
    char path[128], line[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/postgres/cluster/postmaster.pid", state);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    return (pid_t)strtol(line, NULL, 10);
}

static bool gone_within(pid_t pid, int ms)
{
    for (; ms > 0; ms -= 20) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return true;
        ft_sleep_ms(20);
    }
    return false;
}

static struct ft_pg *start(void)
{
    struct ft_pg *pg = NULL;
    struct ft_err err = {""};

    if (ft_pg_start(&pg, &kept, &err) != FT_OK)
        fail_msg("%s", err.text);
    return pg;
}

/* Another program that uses the server until it is killed. */
static pid_t other_user(void)
{
    int p[2];
    char c;
    pid_t pid;

    assert_int_equal(pipe(p), 0);
    pid = fork();
    if (pid == 0) {
        struct ft_pg *pg = start();

        (void)!write(p[1], "x", pg ? 1 : 0);
        for (;;)
            pause();
    }
    close(p[1]);
    assert_int_equal(read(p[0], &c, 1), 1);
    close(p[0]);
    return pid;
}

static void kill_hard(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void keeps_its_data_and_ends_with_the_program(void **unused)
{
    struct ft_pg *pg = start();
    pid_t pid = server_pid();

    (void)unused;
    pg_test_sql(ft_pg_conninfo(pg), "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
    assert_string_equal(pg_test_sql(ft_pg_conninfo(pg), "SHOW fsync"), "on");
    assert_string_equal(pg_test_sql(ft_pg_conninfo(pg), "SHOW listen_addresses"), "");
    ft_pg_stop(pg);
    assert_true(gone_within(pid, 100));
    pg = start();
    assert_string_equal(pg_test_sql(ft_pg_conninfo(pg), "SELECT x FROM kept"), "7");
    ft_pg_stop(pg);
}

static void is_shared_and_the_last_one_turns_it_off(void **unused)
{
    pid_t first = other_user(), pid = server_pid();
    struct ft_pg *pg = start();

    (void)unused;
    assert_int_equal(server_pid(), pid);
    kill_hard(first); /* it had started the server */
    ft_sleep_ms(300);
    assert_string_equal(pg_test_sql(ft_pg_conninfo(pg), "SELECT 1"), "1");
    ft_pg_stop(pg);
    assert_true(gone_within(pid, 3000));
}

static void ends_when_the_program_is_killed(void **unused)
{
    pid_t user = other_user(), pid = server_pid();

    (void)unused;
    assert_true(pid > 0);
    kill_hard(user);
    assert_true(gone_within(pid, 5000));
}

static void is_waited_for_while_it_stops(void **unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        struct ft_pg *pg;

        kill_hard(other_user());
        pg = start();
        assert_string_equal(pg_test_sql(ft_pg_conninfo(pg), "SELECT 1"), "1");
        ft_pg_stop(pg);
    }
}

static void is_started_again_when_it_was_killed(void **unused)
{
    struct ft_pg *pg = start();
    pid_t pid = server_pid();
    PGconn *conn = NULL;

    (void)unused;
    ft_sleep_ms(3200); /* one that dies at once would not be tried again */
    kill(pid, SIGKILL);
    for (int i = 0; i < 200; i++) {
        PQfinish(conn);
        conn = PQconnectdb(ft_pg_conninfo(pg));
        if (PQstatus(conn) == CONNECTION_OK && server_pid() != pid)
            break;
        ft_sleep_ms(50);
    }
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    PQfinish(conn);
    ft_pg_stop(pg);
}

static void survives_a_kill_of_server_and_program(void **unused)
{
    pid_t user = other_user(), pid = server_pid();
    struct ft_pg *pg;

    (void)unused;
    kill(pid, SIGKILL);
    kill_hard(user);
    pg = start(); /* a stale postmaster.pid lies there */
    assert_string_equal(pg_test_sql(ft_pg_conninfo(pg), "SELECT x FROM kept"), "7");
    ft_pg_stop(pg);
}

static void half_made_cluster_is_made_anew(void **unused)
{
    char path[128];
    struct ft_pg *pg;

    (void)unused;
    snprintf(path, sizeof(path), "%s/postgres/cluster.new", state);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(ft_pg_reset(&kept, NULL), FT_OK);
    pg = start();
    assert_int_equal(access(path, F_OK), -1);
    ft_pg_stop(pg);
}

static void other_version_is_said(void **unused)
{
    char path[128];
    struct ft_pg *pg;
    struct ft_err err;
    FILE *f;

    (void)unused;
    snprintf(path, sizeof(path), "%s/postgres/cluster/PG_VERSION", state);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("9\n", f);
    fclose(f);
    assert_int_equal(ft_pg_start(&pg, &kept, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "was made by PostgreSQL 9"));
    assert_non_null(strstr(err.text, "--reset"));
    assert_int_equal(ft_pg_reset(&kept, &err), FT_OK);
    pg = start();
    ft_pg_stop(pg);
}

static void reset_deletes_only_what_is_ours(void **unused)
{
    char marker[128];
    struct ft_err err;

    (void)unused;
    snprintf(marker, sizeof(marker), "%s/postgres/cluster/fraudtop-cluster", state);
    assert_int_equal(unlink(marker), 0);
    assert_int_equal(ft_pg_reset(&kept, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "nothing was deleted"));
}

static int remove_state(void **unused)
{
    char command[128];

    (void)unused;
    snprintf(command, sizeof(command), "rm -rf '%s'", state);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_data_and_ends_with_the_program),
        cmocka_unit_test(is_shared_and_the_last_one_turns_it_off),
        cmocka_unit_test(ends_when_the_program_is_killed),
        cmocka_unit_test(is_waited_for_while_it_stops),
        cmocka_unit_test(survives_a_kill_of_server_and_program),
        cmocka_unit_test(is_started_again_when_it_was_killed),
        cmocka_unit_test(half_made_cluster_is_made_anew),
        cmocka_unit_test(other_version_is_said),
        cmocka_unit_test(reset_deletes_only_what_is_ours),
    };
    struct ft_pg *pg;
    struct ft_err err;
    enum ft_status st;

    snprintf(state, sizeof(state), "/tmp/fraudtop-test-XXXXXX");
    if (!mkdtemp(state))
        return 1;
    st = ft_pg_start(&pg, &kept, &err);
    if (st == FT_EUSAGE) {
        remove_state(NULL);
        return ft_test_skip(err.text);
    }
    if (st == FT_OK)
        ft_pg_stop(pg);
    return cmocka_run_group_tests(tests, NULL, remove_state);
}
