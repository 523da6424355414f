/* Settings from all their sources, then the command. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "fraudtop/pipeline.h"
#include "fraudtop/scoring.h"

#ifndef FT_VERSION
#define FT_VERSION "unknown"
#endif

enum { CONFIG_MAX = 1 << 20 };

/* ---- what commands share --------------------------------------------------------------------------- */

static const char *hint_of(enum ft_status st)
{
    switch (st) {
    case FT_EUSAGE:
        return "fraudtop COMMAND --help shows examples and options; fraudtop doctor the settings";
    case FT_EUNREACHABLE:
        return "fraudtop doctor checks the services and says how to mend them";
    case FT_ECONFLICT:
        return "look at the case again, then decide";
    default:
        return "";
    }
}

/* There are two services; what does not name PostgreSQL speaks of Kafka. */
static bool is_postgres(const char *text)
{
    return strncmp(text, "postgresql", 10) == 0;
}

static const char *code_of(enum ft_status st, const char *text)
{
    if (st != FT_EUNREACHABLE)
        return ft_status_name(st);
    return is_postgres(text) ? "postgres_unreachable" : "kafka_unreachable";
}

/* One line, whatever the text came from. */
static void say(const char *text)
{
    fputs("fraudtop: ", stderr);
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text, stderr);
    fputc('\n', stderr);
}

static int fail(bool json, enum ft_status st, const char *text)
{
    char named[600];
    struct ft_buf b;

    if (st == FT_ESTOPPED)
        return ft_stop_exit(1);
    if (st == FT_EUNREACHABLE && !is_postgres(text) && strncmp(text, "kafka", 5) != 0) {
        snprintf(named, sizeof(named), "kafka: %s", text);
        text = named;
    }
    if (!json) {
        say(text);
        if (st == FT_EUNREACHABLE)
            say(hint_of(st));
        return ft_status_exit(st);
    }
    ft_buf_init(&b, 8192);
    ft_buf_text(&b, "{\"schema\":\"error/1\",\"code\":");
    ft_buf_json(&b, ft_span_of(code_of(st, text)));
    ft_buf_text(&b, ",\"message\":");
    ft_buf_json(&b, ft_span_of(text));
    ft_buf_text(&b, ",\"hint\":");
    ft_buf_json(&b, ft_span_of(hint_of(st)));
    ft_buf_text(&b, "}\n");
    if (!b.failed)
        fwrite(b.p, 1, b.n, stderr);
    ft_buf_fini(&b);
    return ft_status_exit(st);
}

int ft_app_fail(const struct ft_app *app, enum ft_status st, const struct ft_err *err)
{
    return fail(app->json, st, err->text);
}

int ft_app_usage(const struct ft_app *app, const char *fmt, ...)
{
    struct ft_err err;
    va_list args;

    va_start(args, fmt);
    vsnprintf(err.text, sizeof(err.text), fmt, args);
    va_end(args);
    return fail(app->json, FT_EUSAGE, err.text);
}

double ft_app_rate(const struct ft_app *app)
{
    if (ft_cfg_is_set(app->cfg, "replay.rate"))
        return ft_cfg_real(app->cfg, "replay.rate");
    return app->command->bit == FT_CMD_RUN ? 0 : 100;
}

const char *ft_app_group(const struct ft_app *app, const char *stage)
{
    const char *group = ft_cfg_text(app->cfg, "service.group");

    if (group)
        return group;
    return ft_cfg_text(app->cfg, strcmp(stage, "sink") == 0 ? "sink.group" : "score.group");
}

static bool has_model(const struct ft_app *app, const char *name)
{
    const char *const folders[] = {".", app->data_dir};
    char path[1200];

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/models/%s/manifest.json", folders[i], name);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

const char *ft_app_model(const struct ft_app *app)
{
    const char *model = ft_cfg_text(app->cfg, "model.path");

    if (model)
        return model;
    return app->command->bit == FT_CMD_DEMO && has_model(app, "velocity") ? "velocity" : "seed-004";
}

const char *ft_app_challenger(const struct ft_app *app)
{
    const char *model = ft_cfg_text(app->cfg, "score.challenger");

    if (model || app->command->bit != FT_CMD_DEMO || ft_cfg_text(app->cfg, "model.path"))
        return model;
    return has_model(app, "velocity") && has_model(app, "seed-004") ? "seed-004" : NULL;
}

bool ft_model_name(const char *verdict_model, char *name, size_t size)
{
    const char *end = strrchr(verdict_model, ' ');
    size_t n = end ? (size_t)(end - verdict_model) : 0;

    if (n == 0 || n >= size || *verdict_model == '.' || memchr(verdict_model, '/', n))
        return false;
    snprintf(name, size, "%.*s", (int)n, verdict_model);
    return true;
}

enum ft_status ft_app_scorer(const struct ft_app *app, const char *name, struct ft_scorer **out,
                             struct ft_err *err)
{
    enum ft_status st = ft_scorer_load(out, name ? name : ft_app_model(app), app->data_dir,
                                       ft_cfg_flag(app->cfg, "model.force"), err);

    if (st == FT_OK && ft_cfg_is_set(app->cfg, "score.state_gap"))
        ft_scorer_set_gap(*out, ft_cfg_ms(app->cfg, "score.state_gap") / 1000);
    return st == FT_EINPUT ? FT_EUSAGE : st;
}

enum ft_status ft_app_secret(const struct ft_app *app, uint8_t out[16], struct ft_err *err)
{
    const char *hex = ft_cfg_text(app->cfg, "key.secret");

    if (!hex)
        return ft_secret_load(out, ft_cfg_text(app->cfg, "key.file"), app->state_dir, err);
    for (size_t i = 0; i < 16; i++) { /* checked when it was set */
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return FT_OK;
}

bool ft_app_has_brokers(const struct ft_app *app)
{
    return ft_cfg_is_set(app->cfg, "service.brokers");
}

/* libpq's own variables name a server as well as -d does. */
static bool libpq_is_told(void)
{
    static const char *const names[] = {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE",
                                        "PGPORT"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (getenv(names[i]) && *getenv(names[i]))
            return true;
    return false;
}

bool ft_app_has_database(const struct ft_app *app)
{
    return ft_cfg_is_set(app->cfg, "service.database") || libpq_is_told();
}

struct ft_bus_opts ft_app_bus_opts(const struct ft_app *app, bool embed)
{
    struct ft_bus_opts o = {
        .brokers = embed ? NULL : ft_cfg_text(app->cfg, "service.brokers"),
        .unsafe = ft_cfg_flag(app->cfg, "service.unsafe"),
        .client_id = "fraudtop",
    };

    o.n_prop = ft_cfg_props(app->cfg, &o.prop);
    return o;
}

int ft_app_connect_ms(const struct ft_app *app)
{
    bool waits = app->command->bit == FT_CMD_SCORE || app->command->bit == FT_CMD_SINK;

    if (waits && !ft_cfg_is_set(app->cfg, "service.connect_timeout"))
        return -1;
    return (int)ft_cfg_ms(app->cfg, "service.connect_timeout");
}

enum ft_status ft_app_read_file(const char *path, size_t max, char **text, size_t *n,
                                struct ft_err *err)
{
    FILE *f = fopen(path, "rbe");
    char *p;

    if (!f)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    p = malloc(max + 2);
    if (!p) {
        fclose(f);
        return ft_fail(err, FT_ENOMEM, "%s: no memory for %zu bytes", path, max);
    }
    *n = fread(p, 1, max + 1, f);
    if (ferror(f) || *n > max) {
        enum ft_status st = ft_fail(err, FT_EINPUT, "%s: %s", path,
                                    ferror(f) ? strerror(errno) : "the file is too large");

        free(p);
        fclose(f);
        return st;
    }
    fclose(f);
    p[*n] = '\0';
    *text = p;
    return FT_OK;
}

/* ---- settings ------------------------------------------------------------------------------------- */

static void warn(void *user, const char *line)
{
    if (!*(const bool *)user)
        say(line);
}

/* A file that others may read gives its secrets away. */
static void check_mode(const char *path, const char *text, bool quiet)
{
    struct stat st;
    char line[1200];

    if (!ft_name_is_secret(text) || stat(path, &st) != 0 || !(st.st_mode & 077))
        return;
    snprintf(line, sizeof(line), "%s: holds secrets and others may read it: chmod 600 it", path);
    warn(&quiet, line);
}

static enum ft_status read_ini(struct ft_config *cfg, const char *path, bool must,
                               const char *profile, bool quiet, struct ft_err *err)
{
    char *text = NULL;
    size_t n = 0;
    enum ft_status st;

    if (!must && access(path, F_OK) != 0)
        return FT_OK;
    st = ft_app_read_file(path, CONFIG_MAX, &text, &n, err);
    if (st != FT_OK)
        return st == FT_ENOMEM ? st : FT_EUSAGE;
    check_mode(path, text, quiet);
    st = ft_config_ini(cfg, text, n, path, profile, warn, &quiet, err);
    free(text);
    return st;
}

static enum ft_status read_properties(struct ft_config *cfg, bool quiet, struct ft_err *err)
{
    const char *path = ft_cfg_text(cfg, "service.kafka_config");
    char *text = NULL;
    size_t n = 0;
    enum ft_status st;

    if (!path)
        return FT_OK;
    st = ft_app_read_file(path, CONFIG_MAX, &text, &n, err);
    if (st != FT_OK)
        return st == FT_ENOMEM ? st : FT_EUSAGE;
    check_mode(path, text, quiet);
    st = ft_config_properties(cfg, text, n, path, err);
    free(text);
    return st;
}

static const char *variable(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

static enum ft_status apply_cli(struct ft_config *cfg, const struct ft_cli *cli, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    for (size_t i = 0; i < cli->n_values && st == FT_OK; i++) {
        const struct ft_cli_value *v = &cli->value[i];
        const char *value = v->value;
        char count[16];

        if (v->option->type == FT_OPT_COUNT) { /* -v -v */
            snprintf(count, sizeof(count), "%lld", (long long)ft_cfg_int(cfg, v->option->key) + 1);
            value = count;
        }
        st = ft_config_set(cfg, v->option->key, value, v->source, err);
        if (st == FT_OK && strcmp(v->option->key, "service.property") == 0)
            st = ft_config_property(cfg, value, v->source, err);
    }
    return st;
}

/* -vv: what librdkafka has to say, unless somebody chose. */
static enum ft_status add_debug(struct ft_config *cfg, struct ft_err *err)
{
    const struct ft_prop *prop;
    size_t n = ft_cfg_props(cfg, &prop);

    for (size_t i = 0; i < n; i++)
        if (strcmp(prop[i].name, "debug") == 0)
            return FT_OK;
    if (ft_cfg_int(cfg, "output.verbose") < 2)
        return FT_OK;
    return ft_config_property(cfg, "debug=generic,broker,topic,cgrp,eos", "-vv", err);
}

static enum ft_status read_settings(struct ft_config *cfg, const struct ft_cli *cli,
                                    char *const *environ, const struct ft_paths *paths, bool quiet,
                                    struct ft_err *err)
{
    const char *file = ft_cli_last(cli, "general.config");
    const char *profile = ft_cli_last(cli, "general.profile");
    const char *props = ft_cli_last(cli, "service.kafka_config");
    enum ft_status st;

    if (!file)
        file = variable("FRAUDTOP_CONFIG");
    if (!profile)
        profile = variable("FRAUDTOP_PROFILE");
    st = read_ini(cfg, "/etc/fraudtop/config", false, profile, quiet, err);
    if (st == FT_OK)
        st = read_ini(cfg, file ? file : paths->config, file != NULL, profile, quiet, err);
    if (st == FT_OK && profile && !ft_config_has_profile(cfg))
        st = ft_fail(err, FT_EUSAGE, "there is no section [profile.%s] in %s", profile,
                     file ? file : paths->config);
    if (st == FT_OK && !props)
        props = variable("FRAUDTOP_KAFKA_CONFIG");
    if (st == FT_OK && props)
        st = ft_config_set(cfg, "service.kafka_config", props, "--kafka-config", err);
    if (st == FT_OK)
        st = read_properties(cfg, quiet, err);
    if (st == FT_OK)
        st = ft_config_env(cfg, environ, warn, &quiet, err);
    if (st == FT_OK)
        st = apply_cli(cfg, cli, err);
    return st == FT_OK ? add_debug(cfg, err) : st;
}

/* ---- the process ---------------------------------------------------------------------------------- */

/* Descriptors 0 to 2 must be open, or a file of ours would become standard error. */
static void open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

static bool console_without_terminal(const struct ft_app *app)
{
    if (app->command->bit != FT_CMD_CONSOLE || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        return false;
    say(isatty(STDOUT_FILENO) ? "the console needs a terminal, and standard input is none"
                              : "the console needs a terminal, and standard output is none");
    fputs("use: fraudtop watch --plain (fraudtop --help shows all commands)\n", stderr);
    return true;
}

static int finish(int status, bool json)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status == 1) /* 1: that was said */
        return status;
    if (errno == EPIPE)
        return status ? status : 1;
    return fail(json, FT_EIO, "standard output: cannot be written (disk full?)");
}

static void set_log(const struct ft_app *app)
{
    if (app->quiet)
        ft_log_level(FT_ERROR);
    else if (ft_cfg_int(app->cfg, "output.verbose") > 0)
        ft_log_level(FT_DEBUG);
}

static int run(const struct ft_cli *cli, struct ft_config *cfg, const struct ft_paths *paths)
{
    struct ft_app app = {
        .command = cli->command,
        .cfg = cfg,
        .args = cli->args,
        .n_args = cli->n_args,
        .json = ft_cfg_flag(cfg, "output.json"),
        .quiet = ft_cfg_flag(cfg, "output.quiet"),
        .data_dir = paths->data,
        .state_dir = paths->state,
    };
    struct ft_err err;
    enum ft_status st;

    app.progress = !app.quiet && strcmp(ft_cfg_text(cfg, "output.progress"), "none") != 0;
    if (ft_cfg_flag(cfg, "output.no_color"))
        ft_config_set(cfg, "output.color", "never", "--no-color", &err);
    set_log(&app);
    if (console_without_terminal(&app))
        return 2;
    st = ft_stop_init((app.command->bit & (FT_CMD_CONSOLE | FT_CMD_DEMO)) != 0, &err);
    if (st != FT_OK)
        return ft_app_fail(&app, st, &err);
    /* what cannot be made is missed only by the commands that write there: they say so */
    if (ft_paths_make(paths->state, geteuid() == 0 ? 0711 : 0700, &err) != FT_OK)
        ft_log(FT_DEBUG, "state", "%s", err.text);
    return finish(app.command->run(&app), app.json);
}

static bool asked(const struct ft_cli *cli, const char *key)
{
    const char *v = ft_cli_last(cli, key);

    return v && strcmp(v, "on") == 0;
}

static int list_properties(void)
{
    ft_bus_list_properties(stdout);
    return finish(0, false);
}

static int with_settings(struct ft_cli *cli, char *const *environ, bool json)
{
    struct ft_config *cfg = ft_config_new();
    struct ft_paths paths;
    struct ft_err err = {""};
    enum ft_status st;
    int status;

    if (!cfg)
        return fail(json, FT_ENOMEM, "no memory for the settings");
    ft_paths_find(&paths, NULL);
    st = read_settings(cfg, cli, environ, &paths, asked(cli, "output.quiet"), &err);
    if (st == FT_OK && ft_cfg_is_set(cfg, "general.data_dir"))
        ft_paths_find(&paths, ft_cfg_text(cfg, "general.data_dir"));
    if (st == FT_OK)
        status = run(cli, cfg, &paths);
    else
        status = fail(json, st, err.text);
    ft_config_free(cfg);
    return status;
}

/* What ends here: help, version, lists. */
static bool answered(const struct ft_cli *cli, int *status)
{
    const char *property = ft_cli_last(cli, "service.property");

    if (asked(cli, "output.help")) {
        if (cli->command)
            ft_help_command(stdout, cli->command);
        else
            ft_help(stdout);
        *status = finish(0, false);
        return true;
    }
    if (asked(cli, "output.version")) {
        puts("fraudtop " FT_VERSION);
        *status = finish(0, false);
        return true;
    }
    if (property && strcmp(property, "list") == 0) {
        *status = list_properties();
        return true;
    }
    return false;
}

static const struct ft_command *console(void)
{
    const struct ft_command *c = ft_commands;

    while (c->bit != FT_CMD_CONSOLE)
        c++;
    return c;
}

int ft_main(int argc, char **argv, char *const *environ)
{
    struct ft_cli cli;
    struct ft_err err = {""};
    enum ft_status st;
    int status;
    bool json;

    open_standard();
    setlocale(LC_CTYPE,
              ""); /* not LC_ALL: a comma locale must not change how 25.79 is read or written */
    st = ft_cli_parse(&cli, argc, argv, &err);
    json = asked(&cli, "output.json");
    if (st != FT_OK) {
        status = fail(json, st, err.text);
    } else if (!answered(&cli, &status)) {
        if (!cli.command)
            cli.command = console();
        status = with_settings(&cli, environ, json);
    }
    ft_cli_fini(&cli);
    return status;
}
