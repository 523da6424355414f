/* Where files are: settings, state, installed data. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"

static const char *home(void)
{
    const char *h = getenv("HOME");
    const struct passwd *pw;

    if (h && h[0] == '/')
        return h;
    pw = getpwuid(getuid());
    return pw && pw->pw_dir ? pw->pw_dir : "/";
}

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The owner of a path, or of the nearest folder above it that is there. */
static uid_t owner(const char *path)
{
    char p[1024];
    struct stat st;
    char *slash;

    snprintf(p, sizeof(p), "%s", path);
    while (stat(p, &st) != 0) {
        slash = strrchr(p, '/');
        if (!slash || slash == p)
            return stat("/", &st) == 0 ? st.st_uid : 0;
        *slash = '\0';
    }
    return st.st_uid;
}

static void find_state(struct ft_paths *p)
{
    const char *xdg = getenv("XDG_STATE_HOME");
    bool root = geteuid() == 0;

    /* under sudo the variable may still be the other user's: no file of root's in somebody's home */
    if (xdg && xdg[0] == '/' && !(root && getenv("SUDO_UID") && owner(xdg) != 0))
        snprintf(p->state, sizeof(p->state), "%s/fraudtop", xdg);
    else if (root)
        snprintf(p->state, sizeof(p->state), "/var/lib/fraudtop");
    else
        snprintf(p->state, sizeof(p->state), "%s/.local/state/fraudtop", home());
}

static bool has_models(char *dir, size_t size, const char *base, const char *below)
{
    char models[1200];

    snprintf(models, sizeof(models), "%s%s/models", base, below);
    if (!is_dir(models))
        return false;
    snprintf(dir, size, "%s%s", base, below);
    return true;
}

/* Installed beside us (PREFIX/bin and PREFIX/share/fraudtop), else a folder above us: a build inside the source tree. */
static void find_data(struct ft_paths *p, const char *setting)
{
    char exe[1024];
    ssize_t n;

    p->data[0] = '\0';
    if (setting) {
        snprintf(p->data, sizeof(p->data), "%s", setting);
        return;
    }
    n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 5; up++) {
        char *slash = strrchr(exe, '/');

        if (!slash || slash == exe)
            break;
        *slash = '\0';
        if (has_models(p->data, sizeof(p->data), exe, up == 1 ? "/share/fraudtop" : ""))
            return;
    }
    if (!has_models(p->data, sizeof(p->data), "/usr/local/share", "/fraudtop"))
        has_models(p->data, sizeof(p->data), "/usr/share", "/fraudtop");
}

void ft_paths_find(struct ft_paths *p, const char *data_dir)
{
    const char *xdg = getenv("XDG_CONFIG_HOME");

    if (xdg && xdg[0] == '/')
        snprintf(p->config, sizeof(p->config), "%s/fraudtop/config", xdg);
    else
        snprintf(p->config, sizeof(p->config), "%s/.config/fraudtop/config", home());
    find_state(p);
    find_data(p, data_dir);
}

enum ft_status ft_paths_make(const char *path, unsigned mode, struct ft_err *err)
{
    char part[1024];

    if (strlen(path) >= sizeof(part))
        return ft_fail(err, FT_EIO, "%s: the path is too long", path);
    for (const char *p = path + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
        /* folders on the way are made for us alone, or for all to pass when the last one is */
        if (mkdir(part, *p ? (mode & 1 ? 0755 : 0700) : (mode_t)mode) != 0 && errno != EEXIST)
            return ft_fail(err, FT_EIO, "%s: %s", part, strerror(errno));
        if (!*p)
            break;
    }
    if (!is_dir(path))
        return ft_fail(err, FT_EIO, "%s: not a folder", path);
    return FT_OK;
}
