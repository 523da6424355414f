/* The program at a pseudo-terminal: started as a user starts it, keys typed, signals sent, each byte looked at. */
#ifndef FT_TUI_PTY_H
#define FT_TUI_PTY_H

#include "ft_test.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX (8 << 20)

struct term {
    pid_t pid;
    int master, slave; /* slave: held open here, so that its settings can be read */
    struct termios before;
    char *out;
    size_t n;
    int64_t first_ms; /* from the start to the first byte */
};

static inline int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char state_path[] = "/tmp/fraudtop-tui-XXXXXX";

static inline void remove_state(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", state_path);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", state_path);
}

/* A folder for settings and state, made once, gone with the test. */
static inline const char *state_home(void)
{
    static int made;

    if (!made++) {
        if (!mkdtemp(state_path))
            abort();
        atexit(remove_state);
    }
    return state_path;
}

static inline void in_child(const struct term *t, const char *const *env, const char *const *args)
{
    const char *argv[16] = {getenv("FRAUDTOP")};

    setsid();
    ioctl(t->slave, TIOCSCTTY, 0);
    for (int fd = 0; fd < 3; fd++)
        dup2(t->slave, fd);
    close(t->master);
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("XDG_STATE_HOME", state_home(), 1);
    setenv("XDG_CONFIG_HOME", state_home(), 1);
    if (chdir(state_home()) != 0) /* what keys export lands there */
        _exit(126);
    unsetenv("TMUX");
    unsetenv("NO_COLOR");
    for (; env && *env; env += 2)
        if (env[1])
            setenv(env[0], env[1], 1);
        else
            unsetenv(env[0]);
    for (int i = 0; args[i]; i++)
        argv[i + 1] = args[i];
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

/* env: name, value (NULL: unset), ..., NULL. */
static inline void open_term(struct term *t, int cols, int rows, const char *const *env,
                             const char *const *args)
{
    struct winsize ws = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};

    char state[200];

    memset(t, 0, sizeof(*t));
    t->out = calloc(1, OUTPUT_MAX);
    assert_non_null(t->out);
    snprintf(state, sizeof(state), "%s/fraudtop/state", state_home());
    unlink(state); /* what an earlier run chose on screen */
    assert_int_equal(openpty(&t->master, &t->slave, NULL, NULL, &ws), 0);
    tcgetattr(t->slave, &t->before);
    t->first_ms = -1;
    t->pid = fork();
    if (t->pid == 0)
        in_child(t, env, args);
    fcntl(t->master, F_SETFL, O_NONBLOCK);
}

static inline void open_scene(struct term *t, const char *scene, int cols, int rows,
                              const char *const *env)
{
    const char *args[] = {"demo", "--scene", scene, NULL};

    open_term(t, cols, rows, env, args);
}

/* Reads what comes for ms; ends early when the text want was seen (NULL: none). */
static inline bool read_for(struct term *t, int ms, const char *want)
{
    int64_t start = now_ms(), left;
    size_t from = t->n;

    while ((left = start + ms - now_ms()) > 0) {
        struct pollfd p = {t->master, POLLIN, 0};
        ssize_t got;

        if (poll(&p, 1, (int)left) <= 0)
            continue;
        got = read(t->master, t->out + t->n, OUTPUT_MAX - 1 - t->n);
        if (got <= 0) {
            usleep(5000);
            continue;
        }
        if (t->first_ms < 0)
            t->first_ms = now_ms() - start;
        t->n += (size_t)got;
        t->out[t->n] = '\0';
        if (want && strstr(t->out + from, want))
            return true;
    }
    return want == NULL;
}

/* Types n bytes, reading meanwhile where the program is behind with taking them; false: it takes none for 20 s. */
static inline bool type_bytes(struct term *t, const char *keys, size_t n)
{
    int64_t since = now_ms();

    for (size_t done = 0; done < n;) {
        ssize_t w = write(t->master, keys + done, n - done);

        if (w > 0) {
            done += (size_t)w;
            since = now_ms();
        } else if (now_ms() - since > 20000) {
            return false;
        } else {
            read_for(t, 5, NULL);
        }
    }
    return true;
}

static inline void type(struct term *t, const char *keys)
{
    assert_true(type_bytes(t, keys, strlen(keys)));
}

/* Waits at most ms for the end, reading meanwhile unless blind; the exit status, -1: none, or 1000 + signal. */
static inline int ended(struct term *t, int ms, bool blind)
{
    int64_t start = now_ms();
    int status;

    while (now_ms() - start < ms) {
        if (!blind)
            read_for(t, 10, NULL);
        else
            usleep(10000);
        if (waitpid(t->pid, &status, WNOHANG) != t->pid)
            continue;
        if (!blind)
            read_for(t, 50, NULL);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    }
    kill(t->pid, SIGKILL);
    waitpid(t->pid, &status, 0);
    return -1;
}

static inline void close_term(struct term *t)
{
    close(t->master);
    close(t->slave);
    free(t->out);
}

#define READY "following" /* the Live screen is drawn */

#endif
