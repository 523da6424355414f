/*
 * The private server.  Below the state folder:
 *     postgres/cluster        data, made under another name and renamed when complete; with a marker of ours
 *     postgres/log            what initdb and the server say
 *     postgres/start.lock     one start, stop or reset at a time
 *     postgres/users.lock     shared by the programs that use the server (pg_keeper.h)
 *     postgres/keeper.lock    held by the keeper
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fraudtop/log.h"
#include "fraudtop/store.h"
#include "pg.h"
#include "pg_keeper.h"
#include "pg_programs.h"

#define MARKER "fraudtop-cluster"
#define START_MS 120000 /* recovery after a crash included */
#define LOCK_MS 60000
#define PATH_SIZE 1024

struct ft_pg {
    struct ft_pg_user user;
    struct ft_pg_programs programs;
    char state[PATH_SIZE - 64], base[PATH_SIZE - 48], cluster[PATH_SIZE], log[PATH_SIZE];
    char users_path[PATH_SIZE], keeper_path[PATH_SIZE];
    char socket[108], conninfo[300], admin[300];
    int port, users_fd;
    pid_t keeper; /* ours; 0: somebody else's */
    bool throw_away;
    const char *const *settings;
};

/* ---- files -------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static enum ft_status make_folder(const char *path, mode_t mode, struct ft_err *err)
{
    char part[PATH_SIZE];

    snprintf(part, sizeof(part), "%s", path);
    for (char *p = part + 1;; p++) {
        char c = *p;

        if (c && c != '/')
            continue;
        *p = '\0';
        if (mkdir(part, c ? 0755 : mode) != 0 && errno != EEXIST)
            return ft_fail(err, FT_EIO, "%s: %s", part, strerror(errno));
        *p = c;
        if (!c)
            return FT_OK;
    }
}

/* A folder that is ours alone: made, or found with this owner and no rights for others. */
static enum ft_status own_folder(const char *path, const struct ft_pg_user *u, struct ft_err *err)
{
    struct stat st;

    if (mkdir(path, 0700) == 0 && u->drop && chown(path, u->uid, u->gid) != 0)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    if (lstat(path, &st) != 0)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode) || st.st_uid != u->uid || (st.st_mode & 0022))
        return ft_fail(err, FT_EIO, "%s: is there, but not a folder of user %s alone: remove it",
                       path, u->name);
    return FT_OK;
}

static enum ft_status write_file(const struct ft_pg *pg, const char *folder, const char *name,
                                 const char *text, struct ft_err *err)
{
    char path[PATH_SIZE + 32];
    size_t n = strlen(text);
    int fd;
    bool ok;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    ok = write(fd, text, n) == (ssize_t)n &&
         (!pg->user.drop || fchown(fd, pg->user.uid, pg->user.gid) == 0);
    close(fd);
    return ok ? FT_OK : ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
}

/* The last line of the server's log that says what went wrong. */
static void last_error(const struct ft_pg *pg, char *out, size_t size)
{
    char line[512];
    FILE *f = fopen(pg->log, "r");

    snprintf(out, size, "see %s", pg->log);
    if (!f)
        return;
    if (fseek(f, -4096, SEEK_END) != 0)
        rewind(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "FATAL:") || strstr(line, "error:") || strstr(line, "PANIC:"))
            snprintf(out, size, "%s (%s)", line, pg->log);
    }
    fclose(f);
}

/* ---- where -------------------------------------------------------------------------------------------- */

static uint32_t hash_text(const char *text)
{
    uint32_t h = 2166136261u;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

/* User postgres must be able to walk to the folder. */
static enum ft_status reachable(const char *path, const struct ft_pg_user *u, struct ft_err *err)
{
    char part[PATH_SIZE];
    struct stat st;

    snprintf(part, sizeof(part), "%s", path);
    for (char *p = strrchr(part, '/'); p && p > part; p = strrchr(part, '/')) {
        *p = '\0';
        if (stat(part, &st) == 0 && !(st.st_mode & 0001) &&
            !(st.st_uid == u->uid && (st.st_mode & 0100)) &&
            !(st.st_gid == u->gid && (st.st_mode & 0010)))
            return ft_fail(err, FT_EUSAGE,
                           "%s: user %s, as whom PostgreSQL runs, cannot enter it: choose another "
                           "state folder (XDG_STATE_HOME)",
                           part, u->name);
    }
    return FT_OK;
}

static enum ft_status state_folder(struct ft_pg *pg, const char *given, struct ft_err *err)
{
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char path[PATH_SIZE], *real;
    struct stat st;
    enum ft_status bad;

    if (given)
        snprintf(path, sizeof(path), "%s", given);
    else if (xdg && *xdg == '/')
        snprintf(path, sizeof(path), "%s/fraudtop", xdg);
    else if (pg->user.drop)
        snprintf(path, sizeof(path), "/var/lib/fraudtop");
    else
        snprintf(path, sizeof(path), "%s/.local/state/fraudtop", home ? home : "");
    bad = make_folder(path, 0700, err);
    if (bad != FT_OK)
        return bad;
    /* For user postgres to pass through; what lies in it keeps its own rights. */
    if (pg->user.drop && stat(path, &st) == 0 && !(st.st_mode & 0001))
        (void)chmod(path, (st.st_mode & 07777) | 0011);
    real = realpath(path, NULL);
    if (!real)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    if (strlen(real) >= sizeof(pg->state))
        bad = ft_fail(err, FT_EUSAGE, "%s: the path is too long", real);
    snprintf(pg->state, sizeof(pg->state), "%s", real);
    free(real);
    return bad;
}

static enum ft_status socket_folder(struct ft_pg *pg, struct ft_err *err)
{
    const char *run = getenv("XDG_RUNTIME_DIR");

    if (pg->user.drop && access("/run", W_OK) == 0)
        snprintf(pg->socket, sizeof(pg->socket), "/run/fraudtop");
    else if (!pg->user.drop && run && *run == '/' && strlen(run) < 70 && access(run, W_OK) == 0)
        snprintf(pg->socket, sizeof(pg->socket), "%s/fraudtop", run);
    else
        snprintf(pg->socket, sizeof(pg->socket), "/tmp/fraudtop-%s", pg->user.name);
    return own_folder(pg->socket, &pg->user, err);
}

static enum ft_status lay_out(struct ft_pg *pg, const struct ft_pg_opts *opts, struct ft_err *err)
{
    enum ft_status st = ft_pg_user(&pg->user, err);

    if (st == FT_OK)
        st = state_folder(pg, opts ? opts->state_dir : NULL, err);
    if (st != FT_OK)
        return st;
    pg->throw_away = opts && opts->throw_away;
    pg->settings = pg->throw_away ? opts->settings : NULL;
    snprintf(pg->base, sizeof(pg->base), "%s/postgres", pg->state);
    snprintf(pg->cluster, sizeof(pg->cluster), "%s/cluster", pg->base);
    snprintf(pg->log, sizeof(pg->log), "%s/log", pg->base);
    snprintf(pg->users_path, sizeof(pg->users_path), "%s/users.lock", pg->base);
    snprintf(pg->keeper_path, sizeof(pg->keeper_path), "%s/keeper.lock", pg->base);
    pg->port = 20000 + (int)(hash_text(pg->base) % 40000);
    st = own_folder(pg->base, &pg->user, err);
    return st == FT_OK && pg->user.drop ? reachable(pg->base, &pg->user, err) : st;
}

/* ---- locks -------------------------------------------------------------------------------------------- */

static int open_lock(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static enum ft_status lock_within(int fd, int how, int ms, const char *what, struct ft_err *err)
{
    for (int64_t until = ft_now_ms() + ms; flock(fd, how | LOCK_NB) != 0; ft_sleep_ms(20))
        if (fd < 0 || ft_now_ms() > until)
            return ft_fail(err, fd < 0 ? FT_EIO : FT_AGAIN, "private PostgreSQL: %s: %s", what,
                           fd < 0 ? strerror(errno) : "another fraudtop holds it");
    return FT_OK;
}

/* ---- the cluster -------------------------------------------------------------------------------------- */

static int cluster_version(const struct ft_pg *pg)
{
    char path[PATH_SIZE + 16], text[16] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/PG_VERSION", pg->cluster);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (!fgets(text, sizeof(text), f))
        text[0] = '\0';
    fclose(f);
    return (int)strtol(text, NULL, 10);
}

static bool cluster_is_ours(const struct ft_pg *pg)
{
    char path[PATH_SIZE + 32];

    snprintf(path, sizeof(path), "%s/" MARKER, pg->cluster);
    return access(path, F_OK) == 0;
}

static enum ft_status find_programs(struct ft_pg *pg, struct ft_err *err)
{
    int have = cluster_version(pg);

    if (ft_pg_programs_find(&pg->programs, have) == FT_OK)
        return FT_OK;
    if (have && ft_pg_programs_find(&pg->programs, 0) == FT_OK)
        return ft_fail(
            err, FT_EUSAGE,
            "%s was made by PostgreSQL %d, installed is %d: install the programs of %d, or "
            "give it up with: fraudtop demo --reset",
            pg->cluster, have, pg->programs.major, have);
    return ft_fail(
        err, FT_EUSAGE,
        "no PostgreSQL server programs (14 or newer) found: install the package postgresql, "
        "or name a server with -d");
}

static void remove_half_made(const struct ft_pg *pg)
{
    char path[PATH_SIZE + 16];

    snprintf(path, sizeof(path), "%s.new", pg->cluster);
    remove_tree(path);
}

static enum ft_status run_initdb(struct ft_pg *pg, const char *folder, struct ft_err *err)
{
    /* C.UTF-8 is not everywhere; C sorts and stores UTF-8 as well. */
    static const char *const locales[] = {"--locale=C.UTF-8", "--locale=C"};
    char initdb[FT_PG_PATH + 16], why[300];

    snprintf(initdb, sizeof(initdb), "%s/initdb", pg->programs.bin);
    for (size_t i = 0; i < 2; i++) {
        const char *argv[] = {initdb,
                              "-D",
                              folder,
                              "-U",
                              pg->user.name,
                              "-A",
                              "peer",
                              "-E",
                              "UTF8",
                              locales[i],
                              pg->throw_away ? "--no-sync" : NULL,
                              NULL};

        remove_half_made(pg);
        if (ft_pg_run(&pg->user, pg->log, argv) == 0)
            return FT_OK;
    }
    last_error(pg, why, sizeof(why));
    return ft_fail(err, FT_EIO, "private PostgreSQL: initdb failed: %s", why);
}

static enum ft_status make_cluster(struct ft_pg *pg, struct ft_err *err)
{
    char folder[PATH_SIZE + 16];
    enum ft_status st;

    snprintf(folder, sizeof(folder), "%s.new", pg->cluster);
    st = run_initdb(pg, folder, err);
    if (st == FT_OK && pg->user.drop) /* we are root and want in as the owner */
        st = write_file(pg, folder, "pg_ident.conf",
                        "fraudtop root postgres\nfraudtop postgres postgres\n", err);
    if (st == FT_OK && pg->user.drop)
        st = write_file(pg, folder, "pg_hba.conf", "local all all peer map=fraudtop\n", err);
    if (st == FT_OK)
        st = write_file(pg, folder, MARKER,
                        "Made by fraudtop, which may delete it (demo --reset).\n", err);
    if (st == FT_OK && rename(folder, pg->cluster) != 0)
        st = ft_fail(err, FT_EIO, "%s: %s", pg->cluster, strerror(errno));
    if (st != FT_OK)
        remove_half_made(pg);
    return st;
}

/* ---- the server --------------------------------------------------------------------------------------- */

static void set_conninfo(struct ft_pg *pg)
{
    const char *no_address = getenv("PGHOSTADDR") ? " hostaddr=''" : "";

    snprintf(pg->conninfo, sizeof(pg->conninfo), "host=%s port=%d user=%s dbname=fraud%s",
             pg->socket, pg->port, pg->user.name, no_address);
    snprintf(pg->admin, sizeof(pg->admin), "host=%s port=%d user=%s dbname=postgres%s", pg->socket,
             pg->port, pg->user.name, no_address);
}

/* A stale pid may be anybody's by now. */
static bool is_postgres(pid_t pid)
{
    char path[48], name[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    f = fopen(path, "r");
    if (!f)
        return access("/proc/self/comm", R_OK) != 0 && (kill(pid, 0) == 0 || errno == EPERM);
    if (!fgets(name, sizeof(name), f))
        name[0] = '\0';
    fclose(f);
    return strncmp(name, "postgres", 8) == 0;
}

/* postmaster.pid: pid, data folder, start time, port, socket folder, ...  0: no server claims the cluster. */
static pid_t claimed_by(struct ft_pg *pg, char *socket, size_t size, int *port)
{
    char path[PATH_SIZE + 32], line[256];
    FILE *f;
    pid_t pid = 0;

    snprintf(path, sizeof(path), "%s/postmaster.pid", pg->cluster);
    f = fopen(path, "r");
    *socket = '\0';
    *port = 0;
    for (int i = 1; f && i <= 5 && fgets(line, sizeof(line), f); i++) {
        line[strcspn(line, "\n")] = '\0';
        if (i == 1)
            pid = (pid_t)strtol(line, NULL, 10);
        else if (i == 4)
            *port = (int)strtol(line, NULL, 10);
        else if (i == 5)
            snprintf(socket, size, "%s", line);
    }
    if (f)
        fclose(f);
    return pid > 0 && is_postgres(pid) ? pid : 0;
}

/* Connects as the owner and makes sure that it is the server of our cluster. */
static enum ft_status try_server(struct ft_pg *pg, PGconn **out, struct ft_err *err)
{
    PGconn *conn;
    PGresult *res = NULL;
    enum ft_status st;

    *out = NULL;
    set_conninfo(pg);
    st = ft_pg_connect(&conn, pg->admin, NULL, 5000, err);
    if (st == FT_OK)
        st =
            ft_pg_exec(conn, "SHOW data_directory", NULL, 5000, &res, "looking at the server", err);
    if (st == FT_OK && strcmp(PQgetvalue(res, 0, 0), pg->cluster) != 0)
        st = ft_fail(err, FT_EIO, "private PostgreSQL: the server on %s, port %d, is of %s",
                     pg->socket, pg->port, PQgetvalue(res, 0, 0));
    PQclear(res);
    if (st != FT_OK) {
        PQfinish(conn);
        return st;
    }
    *out = conn;
    return FT_OK;
}

#define MAX_SETTINGS 16

/* What the server is started with.  Settings lie here and not in a file: another version of us may want others. */
struct server_argv {
    char postgres[FT_PG_PATH + 16], port[16];
    const char *arg[8 + 2 * (MAX_SETTINGS + 12)];
};

static void fill_argv(struct server_argv *a, const struct ft_pg *pg)
{
    const char *const ours[] = {"listen_addresses=",
                                "shared_buffers=64MB",
                                "max_wal_size=256MB",
                                "max_connections=20",
                                "wal_level=minimal",
                                "max_wal_senders=0",
                                "log_min_messages=warning",
                                "logging_collector=off",
                                "unix_socket_permissions=0700",
                                pg->throw_away ? "fsync=off" : "fsync=on",
                                NULL};
    const char *const *lists[] = {ours, pg->settings};
    size_t n = 0;

    snprintf(a->postgres, sizeof(a->postgres), "%s/postgres", pg->programs.bin);
    snprintf(a->port, sizeof(a->port), "%d", pg->port);
    a->arg[n++] = a->postgres;
    a->arg[n++] = "-D";
    a->arg[n++] = pg->cluster;
    a->arg[n++] = "-k";
    a->arg[n++] = pg->socket;
    a->arg[n++] = "-p";
    a->arg[n++] = a->port;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; lists[k] && lists[k][i] && i < MAX_SETTINGS; i++) {
            a->arg[n++] = "-c";
            a->arg[n++] = lists[k][i];
        }
    a->arg[n] = NULL;
}

static enum ft_status start_keeper(struct ft_pg *pg, pid_t adopt, struct ft_err *err)
{
    struct server_argv a;
    struct ft_pg_keeper k = {.user = &pg->user,
                             .log = pg->log,
                             .users_lock = pg->users_path,
                             .keeper_lock = pg->keeper_path,
                             .argv = a.arg,
                             .adopt = adopt};
    struct stat st;

    fill_argv(&a, pg);
    if (stat(pg->log, &st) == 0 && st.st_size > 1 << 20 && truncate(pg->log, 0) != 0)
        ft_log(FT_DEBUG, "pg", "%s: %s", pg->log, strerror(errno));
    pg->keeper = ft_pg_keeper_start(&k);
    return pg->keeper > 0 ? FT_OK
                          : ft_fail(err, FT_EIO, "private PostgreSQL: fork: %s", strerror(errno));
}

static bool keeper_lives(const struct ft_pg *pg)
{
    int fd = open_lock(pg->keeper_path);
    bool taken = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;

    if (fd >= 0)
        close(fd);
    return taken;
}

static enum ft_status wait_for_server(struct ft_pg *pg, PGconn **conn, struct ft_err *err)
{
    int64_t until = ft_now_ms() + START_MS;
    char why[300];
    enum ft_status st;

    for (;;) {
        st = try_server(pg, conn, err);
        if (st == FT_OK)
            return st;
        if (pg->keeper > 0 && waitpid(pg->keeper, NULL, WNOHANG) != 0) {
            pg->keeper = 0;
            last_error(pg, why, sizeof(why));
            return ft_fail(err, FT_EIO, "private PostgreSQL did not start: %s", why);
        }
        if (ft_now_ms() > until)
            return ft_fail(err, FT_EIO, "private PostgreSQL does not answer: see %s", pg->log);
        ft_sleep_ms(20);
    }
}

/* A server that runs already is used; one that is just stopping is waited for. */
static enum ft_status find_or_start(struct ft_pg *pg, PGconn **conn, struct ft_err *err)
{
    char socket[sizeof(pg->socket)];
    int64_t until = ft_now_ms() + 15000;
    enum ft_status st;
    pid_t pid;
    int port;

    for (;;) {
        pid = claimed_by(pg, socket, sizeof(socket), &port);
        if (pid == 0 || ft_now_ms() > until)
            break;
        if (*socket && port) {
            char kept[sizeof(pg->socket)];
            int kept_port = pg->port;

            snprintf(kept, sizeof(kept), "%s", pg->socket);
            snprintf(pg->socket, sizeof(pg->socket), "%s", socket);
            pg->port = port;
            if (try_server(pg, conn, err) == FT_OK) {
                if (keeper_lives(pg))
                    return FT_OK;
                return start_keeper(pg, pid, err);
            }
            snprintf(pg->socket, sizeof(pg->socket), "%s", kept);
            pg->port = kept_port;
        }
        ft_sleep_ms(50);
    }
    st = start_keeper(pg, 0, err);
    return st == FT_OK ? wait_for_server(pg, conn, err) : st;
}

static enum ft_status make_database(PGconn *conn, struct ft_err *err)
{
    PGresult *res;
    enum ft_status st = ft_pg_exec(conn, "SELECT 1 FROM pg_database WHERE datname = 'fraud'", NULL,
                                   10000, &res, "looking for database fraud", err);
    bool there = st == FT_OK && PQntuples(res) > 0;

    if (st == FT_OK)
        PQclear(res);
    if (st == FT_OK && !there)
        st = ft_pg_exec(conn, "CREATE DATABASE fraud", NULL, 60000, NULL, "making database fraud",
                        err);
    return st;
}

/* With the start lock held. */
static enum ft_status start_locked(struct ft_pg *pg, struct ft_err *err)
{
    PGconn *conn = NULL;
    enum ft_status st = FT_OK;

    if (pg->throw_away && cluster_is_ours(pg))
        remove_tree(pg->cluster);
    pg->users_fd = open_lock(pg->users_path);
    if (st == FT_OK)
        st = lock_within(pg->users_fd, LOCK_SH, LOCK_MS, "waiting for the server to stop", err);
    if (st == FT_OK)
        st = find_programs(pg, err);
    if (st == FT_OK && cluster_version(pg) == 0)
        st = make_cluster(pg, err);
    if (st == FT_OK)
        st = find_or_start(pg, &conn, err);
    if (st == FT_OK)
        st = make_database(conn, err);
    PQfinish(conn);
    return st;
}

enum ft_status ft_pg_start(struct ft_pg **out, const struct ft_pg_opts *opts, struct ft_err *err)
{
    struct ft_pg *pg = calloc(1, sizeof(*pg));
    char path[PATH_SIZE + 16];
    enum ft_status st;
    int fd = -1;

    *out = NULL;
    if (!pg)
        return ft_fail(err, FT_ENOMEM, "private PostgreSQL: no memory");
    pg->users_fd = -1;
    st = lay_out(pg, opts, err);
    if (st == FT_OK)
        st = socket_folder(pg, err);
    if (st == FT_OK) {
        snprintf(path, sizeof(path), "%s/start.lock", pg->base);
        fd = open_lock(path);
        st = lock_within(fd, LOCK_EX, LOCK_MS, path, err);
    }
    if (st == FT_OK)
        st = start_locked(pg, err);
    if (fd >= 0)
        close(fd);
    if (st != FT_OK) {
        ft_pg_stop(pg);
        return st;
    }
    *out = pg;
    return FT_OK;
}

const char *ft_pg_conninfo(const struct ft_pg *pg)
{
    return pg->conninfo;
}

void ft_pg_stop(struct ft_pg *pg)
{
    bool last = false;

    if (!pg)
        return;
    if (pg->users_fd >= 0) {
        last = flock(pg->users_fd, LOCK_EX | LOCK_NB) == 0; /* nobody else uses it */
        close(pg->users_fd);
    }
    for (int ms = 0; last && ms < 25000 && keeper_lives(pg); ms += 20)
        ft_sleep_ms(20);
    if (pg->keeper > 0)
        (void)waitpid(pg->keeper, NULL, last ? 0 : WNOHANG);
    if (last && pg->throw_away && cluster_is_ours(pg))
        remove_tree(pg->base);
    free(pg);
}

static enum ft_status reset_locked(struct ft_pg *pg, struct ft_err *err)
{
    enum ft_status st;

    pg->users_fd = open_lock(pg->users_path);
    st = lock_within(pg->users_fd, LOCK_EX, 15000, "its server is in use", err);
    if (st == FT_OK && access(pg->cluster, F_OK) == 0) {
        if (!cluster_is_ours(pg) || cluster_version(pg) == 0)
            st = ft_fail(err, FT_EUSAGE, "%s was not made by fraudtop: nothing was deleted",
                         pg->cluster);
        else
            remove_tree(pg->cluster);
    }
    if (pg->users_fd >= 0)
        close(pg->users_fd);
    return st;
}

enum ft_status ft_pg_reset(const struct ft_pg_opts *opts, struct ft_err *err)
{
    struct ft_pg *pg = calloc(1, sizeof(*pg));
    char path[PATH_SIZE + 16];
    enum ft_status st;
    int fd = -1;

    if (!pg)
        return ft_fail(err, FT_ENOMEM, "private PostgreSQL: no memory");
    st = lay_out(pg, opts, err);
    if (st == FT_OK) {
        snprintf(path, sizeof(path), "%s/start.lock", pg->base);
        fd = open_lock(path);
        st = lock_within(fd, LOCK_EX, LOCK_MS, path, err);
    }
    if (st == FT_OK)
        st = reset_locked(pg, err);
    if (fd >= 0)
        close(fd);
    free(pg);
    return st;
}
