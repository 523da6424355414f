#include "pg_programs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Output of "program argument", at most size - 1 bytes; nothing of ours is in the child. */
static bool output_of(const char *program, const char *argument, char *out, size_t size)
{
    int p[2], status = -1;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    if (pipe(p) != 0)
        return false;
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDIN_FILENO);
        dup2(p[1], STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(p[0]);
        close(p[1]);
        execlp(program, program, argument, (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    while (pid > 0 && n + 1 < size &&
           ((got = read(p[0], out + n, size - 1 - n)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0)
            n += (size_t)got;
    close(p[0]);
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Major version of DIR/postgres when DIR has both programs, else 0. */
static int major_of(const char *dir)
{
    char path[FT_PG_PATH + 16], text[128];
    const char *p;

    snprintf(path, sizeof(path), "%s/initdb", dir);
    if (access(path, X_OK) != 0)
        return 0;
    snprintf(path, sizeof(path), "%s/postgres", dir);
    if (access(path, X_OK) != 0 || !output_of(path, "-V", text, sizeof(text)))
        return 0;
    p = strpbrk(text, "0123456789"); /* postgres (PostgreSQL) 15.20 (Debian ...) */
    return p ? (int)strtol(p, NULL, 10) : 0;
}

static void consider(struct ft_pg_programs *best, const char *dir, int major)
{
    int m;

    if (strlen(dir) >= sizeof(best->bin) || (major && best->major == major))
        return;
    m = major_of(dir);
    if (m >= 14 && m > best->major && (major == 0 || m == major)) {
        snprintf(best->bin, sizeof(best->bin), "%s", dir);
        best->major = m;
    }
}

static void consider_path(struct ft_pg_programs *best, int major)
{
    const char *path = getenv("PATH");
    char dir[FT_PG_PATH];

    for (const char *p = path; p && *p;) {
        size_t n = strcspn(p, ":");

        if (n && n < sizeof(dir)) {
            snprintf(dir, sizeof(dir), "%.*s", (int)n, p);
            consider(best, dir, major);
        }
        p += n + (p[n] == ':');
    }
}

enum ft_status ft_pg_programs_find(struct ft_pg_programs *out, int major)
{
    static const char *const places[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
                                         "/usr/local/pgsql/bin", "/usr/lib64/pgsql/bin"};
    char dir[FT_PG_PATH];

    memset(out, 0, sizeof(*out));
    consider_path(out, major);
    if (output_of("pg_config", "--bindir", dir, sizeof(dir)))
        consider(out, dir, major);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        glob_t g;

        if (glob(places[i], 0, NULL, &g) == 0)
            for (size_t k = 0; k < g.gl_pathc; k++)
                consider(out, g.gl_pathv[k], major);
        globfree(&g);
    }
    return out->major ? FT_OK : FT_END;
}

enum ft_status ft_pg_user(struct ft_pg_user *out, struct ft_err *err)
{
    bool root = geteuid() == 0;
    struct passwd *p = root ? getpwnam("postgres") : getpwuid(geteuid());

    if (!p)
        return ft_fail(
            err, FT_EUSAGE,
            root ? "PostgreSQL does not run as root, and there is no user postgres: run as an "
                   "ordinary user or give -d"
                 : "this user has no name in the user database: give -d");
    out->uid = p->pw_uid;
    out->gid = p->pw_gid;
    out->drop = root;
    out->n_group = (int)(sizeof(out->group) / sizeof(out->group[0]));
    if (getgrouplist(p->pw_name, p->pw_gid, out->group, &out->n_group) < 0) {
        out->group[0] = p->pw_gid;
        out->n_group = 1;
    }
    snprintf(out->name, sizeof(out->name), "%s", p->pw_name);
    return FT_OK;
}

static void close_others(void)
{
    long max = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
        return;
#endif
    for (int fd = 3; fd < (max > 65536 || max < 0 ? 65536 : (int)max); fd++)
        close(fd);
}

bool ft_pg_child_setup(const struct ft_pg_user *user, const char *log)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t none;
    int null = open("/dev/null", O_RDWR), out = null;

    for (int sig = 1; sig < 32; sig++)
        sigaction(sig, &dfl, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (log)
        out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (out < 0)
        out = null;
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    close_others();
    if (user->drop && (setgroups((size_t)user->n_group, user->group) != 0 ||
                       setgid(user->gid) != 0 || setuid(user->uid) != 0))
        return false;
    umask(077);
    return chdir("/") == 0;
}

int ft_pg_run(const struct ft_pg_user *user, const char *log, const char *const argv[])
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (ft_pg_child_setup(user, log))
            execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
