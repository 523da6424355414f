#include "screen.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "fraudtop/scene.h"
#include "fraudtop/txn.h"

enum ft_status ft_screen_terminal(struct ft_err *err)
{
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return FT_OK;
    return ft_fail(
        err, FT_EUSAGE,
        "the console needs a terminal, and standard %s is none; use: fraudtop watch --plain",
        isatty(STDIN_FILENO) ? "output" : "input");
}

static enum ft_screen first_screen(const char *name)
{
    static const char *const names[] = {"live", "queue", "threshold", "replay", "health", "log"};

    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return (enum ft_screen)(FT_SCREEN_LIVE + (int)i);
    return FT_SCREEN_LIVE;
}

/* The lines of a section that is a list, with this between them; NULL: none. */
static char *joined(const struct ft_config *cfg, const char *key, const char *between)
{
    const char *const *value;
    size_t n = ft_cfg_list(cfg, key, &value);
    struct ft_buf b;

    if (!n)
        return NULL;
    ft_buf_init(&b, 64 << 10);
    for (size_t i = 0; i < n; i++) {
        ft_buf_text(&b, i ? between : "");
        ft_buf_text(&b, value[i]);
    }
    if (!b.failed)
        return b.p;
    ft_buf_fini(&b);
    return NULL;
}

static void to_log(void *self, const char *line)
{
    (void)self;
    ft_log(FT_INFO, "console", "%s", line);
}

/* Nothing is configured, and nothing was ever chosen on a screen here. */
static bool first_start(const struct ft_config *cfg, const char *state_file)
{
    return !ft_cfg_is_set(cfg, "service.brokers") && !ft_cfg_is_set(cfg, "service.database") &&
           !ft_cfg_text(cfg, "display.scene") && access(state_file, F_OK) != 0;
}

/* What can be chosen on screen, too: a setting goes before that, its default does not. */
static const char *if_set(const struct ft_config *cfg, const char *name)
{
    return ft_cfg_is_set(cfg, name) ? ft_cfg_text(cfg, name) : NULL;
}

static int message_ms(const struct ft_config *cfg)
{
    int ms = (int)ft_cfg_ms(cfg, "display.message");

    return !ft_cfg_is_set(cfg, "display.message") ? 0 : ms ? ms : -1;
}

void ft_ui_from(struct ft_ui_from *o, const struct ft_app *app)
{
    const struct ft_config *cfg = app->cfg;
    const char *log = ft_cfg_text(cfg, "log.file"), *config = ft_cfg_text(cfg, "general.config");
    struct ft_paths paths;

    ft_paths_find(&paths, NULL);
    *o = (struct ft_ui_from){.keys = joined(cfg, "display.keys", " "),
                             .colours = joined(cfg, "display.colours", "\n")};
    snprintf(o->state_file, sizeof(o->state_file), "%s/state", app->state_dir);
    snprintf(o->config_file, sizeof(o->config_file), "%s", config ? config : paths.config);
    if (log)
        snprintf(o->log_file, sizeof(o->log_file), "%s", log);
    else
        snprintf(o->log_file, sizeof(o->log_file), "%s/log", app->state_dir);
    o->ui = (struct ft_ui_opts){
        .first = first_screen(ft_cfg_text(cfg, "display.screen")),
        .ascii = ft_cfg_flag(cfg, "display.ascii"),
        .mouse = ft_cfg_flag(cfg, "display.mouse"),
        .mask = strcmp(ft_cfg_text(cfg, "display.mask"), "on") == 0 ||
                ft_cfg_text(cfg, "display.record"),
        .read_only = ft_cfg_flag(cfg, "review.read_only"),
        .slow = ft_cfg_flag(cfg, "display.slow"),
        .theme = if_set(cfg, "display.theme"),
        .colours = o->colours,
        .color = ft_cfg_text(cfg, "output.color"),
        .refresh_ms =
            ft_cfg_is_set(cfg, "display.refresh") ? (int)ft_cfg_ms(cfg, "display.refresh") : 0,
        .strip_prefix = ft_cfg_text(cfg, "display.merchant_strip_prefix"),
        .record = ft_cfg_text(cfg, "display.record"),
        .keys = o->keys,
        .state_file = o->state_file,
        .config_file = o->config_file,
        .log_file = o->log_file,
        .cursor = ft_cfg_text(cfg, "display.cursor"),
        .bell = if_set(cfg, "display.bell"),
        .graph = if_set(cfg, "display.graph"),
        .message_ms = message_ms(cfg),
        .note_required = ft_cfg_flag(cfg, "review.note_required"),
        .clipboard = ft_cfg_flag(cfg, "display.clipboard"),
        .over_limit_ms = ft_cfg_ms(cfg, "review.time_limit"),
        .stop_fd = ft_stop_fd(),
        .stop_signal = ft_stop_flag(),
        .log = to_log,
    };
}

void ft_ui_from_fini(struct ft_ui_from *o)
{
    free(o->keys);
    free(o->colours);
    o->keys = o->colours = NULL;
}

void ft_screen_then(const struct ft_ui_then *then)
{
    static char words[64 << 10];
    char *arg[512];
    int n = 0, fd;
    ssize_t size;
    sigset_t none;

    if (then->next == FT_UI_END)
        return;
    fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    size = fd >= 0 ? read(fd, words, sizeof(words) - 1) : 0;
    if (fd >= 0)
        close(fd);
    for (ssize_t at = 0; at < size && n < 500; at += (ssize_t)strlen(words + at) + 1)
        arg[n++] = words + at;
    if (n == 0)
        return;
    if (then->next == FT_UI_DEMO) {
        static char demo[] = "demo", file[sizeof(then->file)];

        arg[n++] = demo;
        memcpy(file, then->file, sizeof(file));
        if (*file)
            arg[n++] = file;
    }
    arg[n] = NULL;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", arg);
}

enum ft_status ft_screen_run(struct ft_app *app, struct ft_feed *feed, struct ft_ui_then *then,
                             void (*drawn)(void *self), void *self, struct ft_err *err)
{
    struct ft_ui_from o;
    enum ft_status st;

    ft_ui_from(&o, app);
    o.ui.then = then;
    o.ui.first_start = first_start(app->cfg, o.state_file);
    o.ui.drawn = drawn;
    o.ui.drawn_self = self;
    st = ft_log_to_file(o.log_file, err);
    if (st == FT_OK)
        st = ft_ui_run(&o.ui, feed, err);
    ft_log_to_stderr();
    ft_ui_from_fini(&o);
    return st;
}

enum ft_status ft_screen_open_scene(struct ft_scene **out, struct ft_app *app, struct ft_err *err)
{
    const char *clock = ft_cfg_text(app->cfg, "display.clock");
    int64_t seed = ft_cfg_int(app->cfg, "generate.seed");
    struct ft_time t;
    enum ft_status st;

    if (clock && !ft_parse_time(ft_span_of(clock), &t))
        return ft_fail(err, FT_EUSAGE, "--clock %s: not a time (YYYY-MM-DD HH:MM:SS)", clock);
    st = ft_scene_new(out, ft_cfg_text(app->cfg, "display.scene"), (uint64_t)seed,
                      clock ? t.unix_s * 1000 : ft_wall_ms(), err);
    return st;
}

int ft_screen_scene(struct ft_app *app)
{
    struct ft_scene *scene = NULL;
    struct ft_err err;
    enum ft_status st = ft_screen_terminal(&err);

    if (st == FT_OK)
        st = ft_screen_open_scene(&scene, app, &err);
    if (st == FT_OK)
        st = ft_screen_run(app, ft_scene_feed(scene), NULL, NULL, NULL, &err);
    ft_scene_free(scene);
    return st == FT_OK ? ft_stop_exit(0) : ft_app_fail(app, st, &err);
}
