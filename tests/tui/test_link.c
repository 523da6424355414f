/* What the console costs the line, and what it makes of whatever is typed. */
#include "pty.h"

#define END_MS 10000

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static double bytes_per_second(struct term *t, int settle_ms, int ms)
{
    int64_t start;
    size_t before;

    read_for(t, settle_ms, NULL);
    start = now_ms();
    before = t->n;
    read_for(t, ms, NULL);
    return (double)(t->n - before) * 1000 / (double)(now_ms() - start);
}

static void check_budget(const char *scene, int cols, int rows, const char *keys, double most)
{
    struct term t;
    double rate;

    open_scene(&t, scene, cols, rows, NULL);
    assert_true(read_for(&t, END_MS, READY));
    if (*keys)
        type(&t, keys);
    rate = bytes_per_second(&t, 1500, 8000);
    printf("%s %d x %d %s: %.0f B/s (at most %.0f), first bytes after %d ms\n", scene, cols, rows,
           keys, rate, most, (int)t.first_ms);
    if (rate > most)
        fail_msg("%s at %d x %d %s: %.0f bytes a second, more than %.0f", scene, cols, rows, keys,
                 rate, most);
    if (count(t.out, "\033[2J") + count(t.out, "\033[H\033[J") > 1)
        fail_msg("%s: the screen was cleared more than once", scene);
    assert_true(t.first_ms < 5000); /* 50 ms on a machine with nothing else to do */
    type(&t, "Q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    close_term(&t);
}

static void test_bytes_for_the_link(void **state)
{
    (void)state;
    check_budget("normal", 80, 24, "", 700);
    check_budget("normal", 140, 40, "", 1000);
    check_budget("attack", 80, 24, "", 3000);
    check_budget("attack", 140, 40, "", 4000);
    check_budget("normal", 80, 24, "z", 60);
    check_budget("normal", 140, 40, "z", 60);
    check_budget("normal", 80, 24, "?", 60);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Random keys and random sizes: it lives, and still gives the terminal back. */
static void test_monkey(void **state)
{
    static const char *const keys[] = {
        "1",      "2",        "3",       "4",       "5", "6", "j",    "k",
        "g",      "G",        "\r",      "\033",    "?", "/", "f",    "d",
        "l",      "e",        "s",       "u",       "a", "i", " ",    "v",
        "M",      "y",        "z",       "W",       "c", "o", "\t",   "\033[Z",
        "\033[A", "\033[B",   "\033[5~", "\033[6~", "w", "J", "K",    "[",
        "]",      "}",        "A",       "p",       ":", "x", "\177", "amount>5 ",
        "+",      "-",        "I",       "n",       "N", "U", ".",    "h",
        "t",      "\xC3\xA9", "\xFF",    "\014",    "S", "r", "\021", "\033[200~dfQ\033[201~",
    };
    unsigned seed = 20261120;
    struct term t;

    (void)state;
    open_scene(&t, "attack", 80, 24, NULL);
    assert_true(read_for(&t, END_MS, READY));
    for (int i = 0; i < 1500; i++) {
        if (i % 10 == 0) {
            struct winsize ws = {.ws_col = (unsigned short)(1 + next_random(&seed) % 200),
                                 .ws_row = (unsigned short)(1 + next_random(&seed) % 60)};

            ioctl(t.master, TIOCSWINSZ, &ws);
        }
        type(&t, keys[next_random(&seed) % (sizeof(keys) / sizeof(*keys))]);
        read_for(&t, 5, NULL);
        if (t.n > OUTPUT_MAX / 2)
            t.n = 0;
        if (waitpid(t.pid, NULL, WNOHANG) == t.pid)
            fail_msg("it ended after %d keys", i);
    }
    kill(t.pid, SIGTERM);
    assert_int_equal(ended(&t, END_MS, false), 143);
    close_term(&t);
}

/* Text that is pasted into a list is not a row of commands. */
static void test_pasted_text_is_no_command(void **state)
{
    struct term t;

    (void)state;
    open_scene(&t, "normal", 80, 24, NULL);
    assert_true(read_for(&t, END_MS, READY));
    type(&t, "\033[200~QQQ 2dq\r\033[201~");
    read_for(&t, 1000, NULL);
    assert_int_equal(waitpid(t.pid, NULL, WNOHANG), 0);
    type(&t, "q"); /* a typed one still is */
    assert_int_equal(ended(&t, END_MS, false), 0);
    close_term(&t);
}

/* A recording has the form of asciicast v2, and the same scene with the same clock gives the same pictures. */
static void test_recording(void **state)
{
    char path[200], line[512];
    const char *args[] = {"demo", "--scene", "normal", "--record", path, NULL};
    struct term t;
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/x.cast", state_home());
    unlink(path);
    open_term(&t, 80, 24, NULL, args);
    assert_true(read_for(&t, END_MS, READY));
    read_for(&t, 1500, NULL);
    type(&t, "q");
    assert_int_equal(ended(&t, END_MS, false), 0);
    close_term(&t);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    assert_non_null(strstr(line, "\"version\": 2"));
    assert_non_null(strstr(line, "\"width\": 80"));
    assert_non_null(fgets(line, sizeof(line), f));
    assert_int_equal(strncmp(line, "[0.000, \"o\", \"", 14), 0);
    fclose(f);
    open_term(&t, 80, 24, NULL, args); /* and it is never overwritten */
    assert_int_equal(ended(&t, END_MS, false), 2);
    close_term(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_for_the_link),
        cmocka_unit_test(test_monkey),
        cmocka_unit_test(test_pasted_text_is_no_command),
        cmocka_unit_test(test_recording),
    };

    if (!getenv("FRAUDTOP"))
        return ft_test_skip("FRAUDTOP does not name the program");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
