/*
 * Models as they lie on disk: a folder with manifest.json and the files that it names, or a bare model file.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fraudtop/scoring.h"
#include "fraudtop/text.h"

#define MANIFEST "manifest.json"
#define MANIFEST_MAX (4u << 20)
#define MODEL_MAX ((size_t)1 << 30)
#define PATH_BYTES 4096

enum kind { NOTHING, FOLDER, PLAIN };

static enum kind kind_of(const char *path)
{
    struct stat sb;

    if (stat(path, &sb) != 0)
        return NOTHING;
    return S_ISDIR(sb.st_mode) ? FOLDER : PLAIN;
}

/* FT_END: there is no such file. */
static enum ft_status read_file(const char *path, struct ft_buf *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return ft_fail(err, errno == ENOENT ? FT_END : FT_EINPUT, "%s: %s", path, strerror(errno));
    do {
        if (!ft_buf_reserve(out, 1u << 16)) {
            st = ft_fail(err, FT_EINPUT, "%s: larger than %zu bytes, or no memory", path, out->max);
            break;
        }
        n = fread(out->p + out->n, 1, 1u << 16, f);
        out->n += n;
    } while (n);
    if (st == FT_OK && ferror(f))
        st = ft_fail(err, FT_EINPUT, "%s: %s", path, strerror(errno));
    fclose(f);
    return st;
}

static enum ft_status read_member(void *user, const char *file, struct ft_buf *out,
                                  struct ft_err *err)
{
    char path[PATH_BYTES];

    if (snprintf(path, sizeof(path), "%s/%s", (const char *)user, file) >= (int)sizeof(path))
        return ft_fail(err, FT_EINPUT, "%s: the path is too long", file);
    return read_file(path, out, err);
}

static enum ft_status load_folder(struct ft_scorer **out, char *path, unsigned flags,
                                  struct ft_err *err)
{
    struct ft_buf text;
    enum ft_status st;

    ft_buf_init(&text, MANIFEST_MAX);
    st = read_member(path, MANIFEST, &text, err);
    if (st == FT_END)
        st = ft_fail(err, FT_EINPUT,
                     "%s: there is no " MANIFEST " in it (a model file alone is given by its own "
                     "path)",
                     path);
    else if (st == FT_OK) {
        st = ft_scorer_build(out, ft_base_name(path), path, (struct ft_span){text.p, text.n},
                             read_member, path, flags, err);
        if (st == FT_END) {
            st = FT_EINPUT;
            ft_err_prefix(err, "the manifest names a file that is not there");
        } else if (st != FT_OK) {
            ft_err_prefix(err, "%s", path);
        }
    }
    ft_buf_fini(&text);
    return st;
}

static enum ft_status load_file(struct ft_scorer **out, const char *path, struct ft_err *err)
{
    struct ft_buf bytes;
    enum ft_status st;

    ft_buf_init(&bytes, MODEL_MAX);
    st = read_file(path, &bytes, err);
    if (st == FT_OK) {
        st = ft_scorer_build_bare(out, ft_base_name(path), path, (struct ft_span){bytes.p, bytes.n},
                                  err);
        if (st != FT_OK)
            ft_err_prefix(err, "%s", path);
    }
    ft_buf_fini(&bytes);
    return st;
}

/* Where a model of this name is: fills path. */
static enum kind find(const char *name, const char *data_dir, char path[PATH_BYTES])
{
    const char *const roots[] = {".", data_dir};

    for (size_t i = 0; i < 2 && !strchr(name, '/'); i++) {
        if (!roots[i] || !*roots[i])
            continue;
        snprintf(path, PATH_BYTES, "%s/models/%s", roots[i], name);
        if (kind_of(path) != NOTHING)
            return kind_of(path);
    }
    snprintf(path, PATH_BYTES, "%s", name);
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    return kind_of(path);
}

static enum ft_status load(struct ft_scorer **out, const char *name, const char *data_dir,
                           unsigned flags, struct ft_err *err)
{
    char path[PATH_BYTES];

    *out = NULL;
    switch (find(name, data_dir, path)) {
    case FOLDER:
        return load_folder(out, path, flags, err);
    case PLAIN:
        return load_file(out, path, err);
    case NOTHING:
        break;
    }
    if (strchr(name, '/'))
        return ft_fail(err, FT_EUSAGE, "%s: there is no such model", name);
    return ft_fail(err, FT_EUSAGE,
                   "model %s: neither in ./models nor in %s/models (\"fraudtop model list\" shows "
                   "what there is)",
                   name, data_dir && *data_dir ? data_dir : "the data folder");
}

enum ft_status ft_scorer_load(struct ft_scorer **out, const char *name, const char *data_dir,
                              bool force, struct ft_err *err)
{
    return load(out, name, data_dir, force ? FT_SCORER_FORCE : 0, err);
}

enum ft_status ft_scorer_load_features(struct ft_scorer **out, const char *name,
                                       const char *data_dir, struct ft_err *err)
{
    return load(out, name, data_dir, FT_SCORER_FEATURES | FT_SCORER_FORCE, err);
}

/* ---- which there are ------------------------------------------------------------------------------ */

static int is_model(const char *root, const char *name)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/models/%s/" MANIFEST, root, name);
    return name[0] != '.' && kind_of(path) == PLAIN;
}

static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum ft_status ft_models_list(const char *data_dir, void (*each)(void *user, const char *path),
                              void *user)
{
    const char *const roots[] = {".", data_dir};

    for (size_t i = 0; i < 2; i++) {
        struct dirent **entry;
        char path[PATH_BYTES];
        int n;

        if (!roots[i] || !*roots[i] || (i && same_folder(roots[0], roots[i])))
            continue;
        snprintf(path, sizeof(path), "%s/models", roots[i]);
        n = scandir(path, &entry, NULL, alphasort);
        for (int j = 0; j < n; j++) {
            if (is_model(roots[i], entry[j]->d_name)) {
                snprintf(path, sizeof(path), "%s/models/%s", roots[i], entry[j]->d_name);
                each(user, path);
            }
            free(entry[j]);
        }
        if (n >= 0)
            free(entry);
    }
    return FT_OK;
}
