#include "pg_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 50
#define FAST_STOP_MS 10000
#define LIVED_MS 3000

/* Everything below runs in a forked child of a program with threads: only async-signal-safe calls. */

static void tick(void)
{
    struct timespec t = {0, TICK_MS * 1000000L};

    nanosleep(&t, NULL);
}

static pid_t start_server(const struct ft_pg_keeper *k)
{
    pid_t keeper = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    setpgid(0, 0);
    if (!ft_pg_child_setup(k->user, k->log))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGINT);
    if (getppid() != keeper) /* killed before the line above */
        _exit(125);
    execv(k->argv[0], (char *const *)(uintptr_t)k->argv);
    _exit(127);
}

static bool ended(pid_t pid, bool child)
{
    if (child)
        return waitpid(pid, NULL, WNOHANG) != 0;
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static void stop_server(pid_t pid, bool child)
{
    kill(pid, SIGINT);
    for (int ms = 0; ms < FAST_STOP_MS; ms += TICK_MS) {
        if (ended(pid, child))
            return;
        tick();
    }
    kill(pid, SIGQUIT);
    for (int ms = 0; ms < FAST_STOP_MS && !ended(pid, child); ms += TICK_MS)
        tick();
}

/* One that has lived for a while is started again whenever it ends (killed, disk full); one that never did is not. */
static void keep(const struct ft_pg_keeper *k, int users)
{
    bool child = k->adopt <= 0, proven = !child;
    pid_t pid = child ? start_server(k) : k->adopt;
    int lived_ms = 0;

    while (flock(users, LOCK_EX | LOCK_NB) != 0) {
        tick();
        lived_ms += TICK_MS;
        proven = proven || lived_ms >= LIVED_MS;
        if (pid > 0 && !ended(pid, child))
            continue;
        pid = 0;
        if (!proven)
            return;
        if (lived_ms < LIVED_MS) /* not more often than that */
            continue;
        child = true;
        pid = start_server(k);
        lived_ms = 0;
    }
    if (pid > 0)
        stop_server(pid, child);
}

pid_t ft_pg_keeper_start(const struct ft_pg_keeper *k)
{
    const struct ft_pg_user self = {.drop = false};
    pid_t pid = fork();
    int mine, users;

    if (pid != 0)
        return pid;
    setsid();
    if (!ft_pg_child_setup(&self, k->log))
        _exit(126);
    prctl(PR_SET_NAME, "fraudtop-pg");
    mine = open(k->keeper_lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    users = open(k->users_lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (mine < 0 || users < 0 || flock(mine, LOCK_EX) != 0)
        if (mine < 0 || users < 0 || errno != EINTR)
            _exit(125);
    keep(k, users);
    _exit(0);
}
