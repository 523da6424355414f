/* PostgreSQL over TCP: passwords and certificates, right ones and wrong ones, and no secret in what is said. */
#include <pwd.h>
#include <sys/stat.h>

#include "fraudtop/log.h"
#include "pg_test.h"

#define SECRET "geheimes-Wort"

static struct pg_test server;
static char files[80]; /* certificates */
static int port;

static int shell(const char *fmt, ...)
{
    char command[1200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return system(command);
}

/* Two authorities; the server's certificate is for the name localhost and signed by the first. */
static int make_certificates(void)
{
    return shell(
        "exec 2>/dev/null; cd %s && for ca in one two; do openssl req -x509 -newkey rsa:2048 "
        "-nodes -days 2 -subj /CN=$ca "
        "-keyout $ca.key -out $ca.crt -addext basicConstraints=critical,CA:TRUE; done && "
        "openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out "
        "server.csr && "
        "printf 'subjectAltName=DNS:localhost' > ext && openssl x509 -req -in server.csr -CA "
        "one.crt "
        "-CAkey one.key -CAcreateserial -days 2 -extfile ext -out server.crt && chmod 600 *.key && "
        "printf 'local all all peer map=me\\nhostssl all all 127.0.0.1/32 scram-sha-256\\n"
        "hostssl all all ::1/128 scram-sha-256\\n' > hba && "
        "printf 'me root postgres\\nme %s %s\\n' > ident",
        files, getpwuid(geteuid())->pw_name,
        geteuid() == 0 ? "postgres" : getpwuid(geteuid())->pw_name);
}

static int start(void)
{
    static char text[4][160];
    static const struct {
        const char *name, *file;
    } own[] = {
        {"ssl_cert_file", "server.crt"},
        {"ssl_key_file",  "server.key"},
        {"hba_file",      "hba"       },
        {"ident_file",    "ident"     },
    };
    static const char *settings[7];
    struct ft_pg_opts opts = {.state_dir = server.dir, .throw_away = true, .settings = settings};
    struct ft_err err;
    enum ft_status st;

    snprintf(server.dir, sizeof(server.dir), "/tmp/fraudtop-test-XXXXXX");
    if (!mkdtemp(server.dir))
        return 1;
    snprintf(files, sizeof(files), "%s/files", server.dir);
    if (shell("command -v openssl >/dev/null") != 0)
        return ft_test_skip("openssl is not installed");
    if (mkdir(files, 0755) != 0 || make_certificates() != 0)
        return 1;
    if (geteuid() == 0 && getpwnam("postgres"))
        shell("chown -R postgres %s", files);
    settings[0] = "listen_addresses=localhost";
    settings[1] = "ssl=on";
    for (int i = 0; i < 4; i++) {
        snprintf(text[i], sizeof(text[i]), "%s=%s/%s", own[i].name, files, own[i].file);
        settings[2 + i] = text[i];
    }
    st = ft_pg_start(&server.pg, &opts, &err);
    if (st == FT_EUSAGE)
        return ft_test_skip(err.text);
    if (st != FT_OK)
        fprintf(stderr, "%s\n", err.text);
    return st == FT_OK ? 0 : 1;
}

/* Tries to open; the text of the error must have want and must not have the secret. */
static void expect(const char *settings, enum ft_status want, const char *text)
{
    char conninfo[400];
    struct ft_store *s = NULL;
    struct ft_err err = {""};
    enum ft_status st;

    snprintf(conninfo, sizeof(conninfo), "host=localhost port=%d user=tester dbname=fraud %s", port,
             settings);
    st = ft_store_open(&s, conninfo, true, 5000, &err);
    if (st != want || !strstr(err.text, text))
        fail_msg("%s: %s, \"%s\"", settings, ft_status_name(st), err.text);
    assert_null(strstr(err.text, SECRET));
    assert_null(strstr(err.text, "falsch"));
    ft_store_close(s);
}

static void with_ca(const char *mode, const char *ca, enum ft_status want, const char *text)
{
    char settings[200];

    snprintf(settings, sizeof(settings), "sslmode=%s sslrootcert=%s/%s.crt", mode, files, ca);
    expect(settings, want, text);
}

static void right_password_from_the_environment(void **unused)
{
    (void)unused;
    setenv("PGPASSWORD", SECRET, 1);
    with_ca("verify-full", "one", FT_OK, "");
    unsetenv("PGPASSWORD");
}

static void right_password_from_a_file(void **unused)
{
    char path[120];
    FILE *f;

    (void)unused;
    snprintf(path, sizeof(path), "%s/pgpass", server.dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "localhost:%d:fraud:tester:%s\n", port, SECRET);
    fclose(f);
    chmod(path, 0600);
    setenv("PGPASSFILE", path, 1);
    with_ca("verify-full", "one", FT_OK, "");
    unsetenv("PGPASSFILE");
    unlink(path);
}

static void wrong_password(void **unused)
{
    (void)unused;
    setenv("PGPASSWORD", "falsch", 1);
    with_ca("verify-full", "one", FT_EUSAGE, "password authentication failed");
    unsetenv("PGPASSWORD");
}

static void no_password(void **unused)
{
    (void)unused;
    with_ca("verify-full", "one", FT_EUSAGE, "no password supplied");
}

static void wrong_authority(void **unused)
{
    (void)unused;
    setenv("PGPASSWORD", SECRET, 1);
    with_ca("verify-full", "two", FT_EUSAGE, "certificate verify failed");
    with_ca("verify-ca", "two", FT_EUSAGE, "certificate verify failed");
    with_ca("verify-full", "none", FT_EUSAGE, "root certificate file");
    unsetenv("PGPASSWORD");
}

static void wrong_name_in_the_certificate(void **unused)
{
    char settings[200];

    (void)unused;
    setenv("PGPASSWORD", SECRET, 1);
    snprintf(settings, sizeof(settings),
             "host=127.0.0.1 sslmode=verify-full sslrootcert=%s/one.crt", files);
    expect(settings, FT_EUSAGE, "127.0.0.1");
    unsetenv("PGPASSWORD");
}

static void connection_is_encrypted(void **unused)
{
    char conninfo[300];

    (void)unused;
    setenv("PGPASSWORD", SECRET, 1);
    snprintf(conninfo, sizeof(conninfo),
             "host=localhost port=%d user=tester dbname=fraud sslmode=verify-full "
             "sslrootcert=%s/one.crt",
             port, files);
    assert_string_equal(
        pg_test_sql(conninfo, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t");
    unsetenv("PGPASSWORD");
    expect("sslmode=disable", FT_EUSAGE, "no pg_hba.conf entry");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_password_from_the_environment),
        cmocka_unit_test(right_password_from_a_file),
        cmocka_unit_test(wrong_password),
        cmocka_unit_test(no_password),
        cmocka_unit_test(wrong_authority),
        cmocka_unit_test(wrong_name_in_the_certificate),
        cmocka_unit_test(connection_is_encrypted),
    };
    int bad;

    ft_log_level(FT_WARN);
    unsetenv("PGPASSWORD");
    setenv("HOME", "/nonexistent", 1); /* no .pgpass, no certificates of the user's */
    bad = start();
    if (bad == 0) {
        port = atoi(strstr(ft_pg_conninfo(server.pg), "port=") + 5);
        pg_test_sql(ft_pg_conninfo(server.pg), "SET password_encryption = 'scram-sha-256'; CREATE "
                                               "ROLE tester LOGIN SUPERUSER PASSWORD '" SECRET "'");
        bad = cmocka_run_group_tests(tests, NULL, NULL);
    }
    ft_pg_stop(server.pg);
    shell("rm -rf %s", server.dir);
    return bad;
}
