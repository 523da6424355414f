/* What the console does to the terminal: it is given back on every way out, and takes every terminal there is. */
#include "pty.h"

#include <sys/stat.h>

#define END_MS 20000

static void check_restored(struct term *t, const char *what)
{
    struct termios now;

    tcgetattr(t->slave, &now);
    if (now.c_lflag != t->before.c_lflag || now.c_iflag != t->before.c_iflag ||
        now.c_oflag != t->before.c_oflag)
        fail_msg("%s: the terminal's settings are not those from before", what);
    if (!strstr(t->out, "\033[?1049h") || !strstr(t->out, "\033[?1049l"))
        fail_msg("%s: the alternate screen was not entered and left", what);
    if (strstr(strstr(t->out, "\033[?1049l"), "\033[?1049h"))
        fail_msg("%s: the alternate screen was entered again", what);
    if (strstr(t->out, "\033[?2004h") && !strstr(t->out, "\033[?2004l"))
        fail_msg("%s: paste brackets are still on", what);
}

/* ---- ways out ------------------------------------------------------------------------------------- */

static void test_every_signal_restores_the_terminal(void **state)
{
    static const int ways[][2] = {
        {SIGINT,  130},
        {SIGTERM, 143},
        {SIGHUP,  129}
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct term t;

        open_scene(&t, "normal", 80, 24, NULL);
        assert_true(read_for(&t, END_MS, READY));
        kill(t.pid, ways[i][0]);
        assert_int_equal(ended(&t, END_MS, false), ways[i][1]);
        check_restored(&t, strsignal(ways[i][0]));
        close_term(&t);
    }
}

static void test_keys_end_it(void **state)
{
    static const char *const keys[] = {"q", "Q", ":quit\r", "2\rQ", "?qq", "\003"};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct term t;

        open_scene(&t, "normal", 80, 24, NULL);
        assert_true(read_for(&t, END_MS, READY));
        type(&t, keys[i]);
        assert_int_equal(ended(&t, END_MS, false), keys[i][0] == 3 ? 130 : 0);
        check_restored(&t, keys[i]);
        close_term(&t);
    }
}

static void test_a_fault_restores_the_terminal(void **state)
{
    static const int faults[] = {SIGSEGV, SIGABRT, SIGFPE};

    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct term t;

        open_scene(&t, "normal", 80, 24, NULL);
        assert_true(read_for(&t, END_MS, READY));
        kill(t.pid, faults[i]);
        assert_int_equal(ended(&t, END_MS, false), 1000 + faults[i]); /* a core is still made */
        check_restored(&t, strsignal(faults[i]));
        assert_non_null(strstr(t.out, "ended by a fault"));
        close_term(&t);
    }
}

/* Nobody reads the terminal, its buffer is full: the program still ends. */
static void test_a_stuck_terminal_does_not_hold_up_the_stop(void **state)
{
    static const int ways[][2] = {
        {SIGINT,  130},
        {SIGTERM, 143},
        {SIGHUP,  129}
    };

    (void)state;
    for (size_t k = 0; k < sizeof(ways) / sizeof(*ways); k++) {
        struct term t;

        open_scene(&t, "attack", 140, 40, NULL);
        assert_true(read_for(&t, END_MS, READY));
        for (int i = 0; i < 60; i++) { /* full frames until the buffer takes no more */
            type(&t, "\f");
            usleep(60000);
        }
        kill(t.pid, ways[k][0]);
        assert_int_equal(ended(&t, END_MS, true), ways[k][1]);
        close_term(&t);
    }
}

/* SIGUSR1 leaves a picture as text beside the log, and the screen goes on. */
static void test_a_picture_on_demand(void **state)
{
    char command[200];
    struct term t;

    (void)state;
    open_scene(&t, "normal", 80, 24, NULL);
    assert_true(read_for(&t, END_MS, READY));
    kill(t.pid, SIGUSR1);
    read_for(&t, 1500, NULL);
    type(&t, "q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    close_term(&t);
    snprintf(command, sizeof(command), "grep -q 'newest first' %s/fraudtop/screen-*.txt",
             state_home());
    assert_int_equal(system(command), 0);
}

static void test_closing_the_terminal_ends_it(void **state)
{
    struct term t;
    int status = 0, n = 0;

    (void)state;
    open_scene(&t, "normal", 80, 24, NULL);
    assert_true(read_for(&t, END_MS, READY));
    close(t.slave);
    close(t.master);
    while (n++ < 1000 && waitpid(t.pid, &status, WNOHANG) != t.pid)
        usleep(10000);
    assert_true(n < 1000 && WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 129);
    free(t.out);
}

static void test_stop_and_continue(void **state)
{
    struct term t;
    int status;

    (void)state;
    open_scene(&t, "normal", 80, 24, NULL);
    assert_true(read_for(&t, END_MS, READY));
    kill(t.pid, SIGSTOP);
    assert_int_equal(waitpid(t.pid, &status, WUNTRACED), t.pid);
    read_for(&t, 200, NULL);
    kill(t.pid, SIGCONT);
    assert_true(read_for(&t, END_MS, READY)); /* everything is drawn again */
    type(&t, "q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    close_term(&t);
}

/* ---- what the terminal is ------------------------------------------------------------------------- */

static void test_terminal_names(void **state)
{
    static const char *const good[] = {"xterm",
                                       "xterm-256color",
                                       "vt100",
                                       "linux",
                                       "screen",
                                       "tmux-256color",
                                       "no-such-terminal",
                                       "xterm-brandnew",
                                       "unknown",
                                       "",
                                       NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        const char *env[] = {"TERM", good[i], NULL};
        struct term t;

        open_scene(&t, "normal", 80, 24, env);
        if (!read_for(&t, END_MS, READY))
            fail_msg("TERM=%s: no picture: %.200s", good[i] ? good[i] : "(unset)", t.out);
        type(&t, "q");
        assert_int_equal(ended(&t, END_MS, false), 0);
        close_term(&t);
    }
}

/* An arrow is one in either of its forms, whatever the description says: its Esc closes nothing. */
static void test_arrows_in_both_forms(void **state)
{
    static const char *const arrows[] = {"\033[B", "\033OB", "\033[A",
                                         "\033OA", "\033[C", "\033OD"};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(arrows) / sizeof(*arrows); i++) {
        const char *env[] = {"TERM", i % 2 ? "xterm" : "vt100", NULL};
        struct term t;

        open_scene(&t, "normal", 80, 24, env);
        assert_true(read_for(&t, END_MS, READY));
        type(&t, "?");
        assert_true(read_for(&t, END_MS, "HELP: Live"));
        type(&t, arrows[i / 2]);
        read_for(&t, 200, NULL);
        type(&t, "\033"); /* what is still there can be closed */
        assert_true(read_for(&t, END_MS, "tx/s"));
        type(&t, "q");
        assert_int_equal(ended(&t, END_MS, false), 0);
        close_term(&t);
    }
}

static void test_a_dumb_terminal_is_told_what_helps(void **state)
{
    const char *env[] = {"TERM", "dumb", NULL};
    struct term t;

    (void)state;
    open_scene(&t, "normal", 80, 24, env);
    assert_int_equal(ended(&t, END_MS, false), 2);
    assert_non_null(strstr(t.out, "watch --plain"));
    assert_null(strchr(t.out, '\033'));
    close_term(&t);
}

static void test_locales(void **state)
{
    static const char *const locales[] = {"C",           "C.UTF-8",     "de_DE.UTF-8",
                                          "tr_TR.UTF-8", "ja_JP.UTF-8", "xx_YY"};

    (void)state;
    for (size_t i = 0; i < sizeof(locales) / sizeof(*locales); i++) {
        const char *env[] = {"LC_ALL", locales[i], NULL};
        struct term t;

        open_scene(&t, "normal", 80, 24, env);
        assert_true(read_for(&t, END_MS, READY));
        assert_non_null(strstr(t.out, "0.500")); /* a point, in every locale */
        if (strcmp(locales[i], "C") == 0)
            for (size_t k = 0; k < t.n; k++)
                assert_true((unsigned char)t.out[k] < 0x80);
        type(&t, "q");
        assert_int_equal(ended(&t, END_MS, false), 0);
        close_term(&t);
    }
}

/* An SGR sequence that sets a colour. */
static bool has_color(const char *p)
{
    while ((p = strstr(p, "\033["))) {
        const char *end = p + 2 + strspn(p + 2, "0123456789;");

        for (const char *q = p + 2; *end == 'm' && q < end;) {
            char *next;
            long code = strtol(q, &next, 10);

            if ((code >= 30 && code <= 49) || (code >= 90 && code <= 107))
                return true;
            q = next + 1;
        }
        p = end;
    }
    return false;
}

static bool colors_of(const char *const *env)
{
    struct term t;
    bool any;

    open_scene(&t, "kafka-down", 140, 40, env);
    assert_true(read_for(&t, END_MS, READY));
    type(&t, "235");
    read_for(&t, 1500, NULL);
    type(&t, "Q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    any = has_color(t.out);
    close_term(&t);
    return any;
}

static void test_no_color(void **state)
{
    const char *none[] = {"NO_COLOR", "1", NULL}, *empty[] = {"NO_COLOR", "", NULL};

    (void)state;
    assert_false(colors_of(none));
    assert_true(colors_of(empty));
    assert_true(colors_of(NULL));
}

static size_t bells_of(const char *scene, const char *what)
{
    const char *env[] = {"FRAUDTOP_DISPLAY_BELL", what, NULL};
    size_t n = 0;
    struct term t;

    open_scene(&t, scene, 80, 24, env);
    assert_true(read_for(&t, END_MS, READY));
    read_for(&t, 5000, NULL);
    type(&t, "Q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    for (const char *p = t.out; *p; p++)
        n += *p == '\a';
    close_term(&t);
    return n;
}

/* One bell for one event, and only for those that were asked for. */
static void test_bell(void **state)
{
    (void)state;
    assert_int_equal(bells_of("kafka-down", "down"), 1);
    assert_int_equal(bells_of("kafka-down", "down,overtime"), 1);
    assert_int_equal(bells_of("kafka-down", NULL), 0);
    assert_int_equal(bells_of("normal", "down"), 0);
}

static bool holds_of_own_theme(const char *const *env, const char *sequence)
{
    char path[200];
    struct term t;
    bool any;
    FILE *f;

    snprintf(path, sizeof(path), "%s/fraudtop", state_home());
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/fraudtop/config", state_home());
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("[theme]\nfraud = #ff8701 bold\n", f);
    fclose(f);
    open_scene(&t, "attack", 140, 40, env);
    assert_true(read_for(&t, END_MS, READY));
    type(&t, "2Q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    any = strstr(t.out, sequence) != NULL;
    close_term(&t);
    unlink(path);
    return any;
}

/* A theme of the configuration file; its 24-bit colour only where the terminal announces it. */
static void test_own_theme(void **state)
{
    const char *announced[] = {"COLORTERM", "truecolor", NULL}, *not [] = {"COLORTERM", "", NULL};

    (void)state;
    assert_true(holds_of_own_theme(announced, "\033[38;2;255;135;1m"));
    assert_false(holds_of_own_theme(not, "38;2;"));
    assert_true(holds_of_own_theme(not, "\033[38;5;208m"));
}

static void test_without_a_terminal(void **state)
{
    int pipes[2], status;
    char out[4096];
    ssize_t n;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        dup2(null, 0);
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        close(pipes[0]);
        execl(getenv("FRAUDTOP"), "fraudtop", "demo", "--scene", "normal", (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    waitpid(pid, &status, 0);
    n = read(pipes[0], out, sizeof(out) - 1);
    out[n > 0 ? n : 0] = '\0';
    close(pipes[0]);
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_non_null(strstr(out, "watch --plain"));
    assert_null(strchr(out, '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_signal_restores_the_terminal),
        cmocka_unit_test(test_keys_end_it),
        cmocka_unit_test(test_a_fault_restores_the_terminal),
        cmocka_unit_test(test_a_stuck_terminal_does_not_hold_up_the_stop),
        cmocka_unit_test(test_a_picture_on_demand),
        cmocka_unit_test(test_closing_the_terminal_ends_it),
        cmocka_unit_test(test_stop_and_continue),
        cmocka_unit_test(test_terminal_names),
        cmocka_unit_test(test_arrows_in_both_forms),
        cmocka_unit_test(test_a_dumb_terminal_is_told_what_helps),
        cmocka_unit_test(test_locales),
        cmocka_unit_test(test_no_color),
        cmocka_unit_test(test_bell),
        cmocka_unit_test(test_own_theme),
        cmocka_unit_test(test_without_a_terminal),
    };

    if (!getenv("FRAUDTOP"))
        return ft_test_skip("FRAUDTOP does not name the program");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
