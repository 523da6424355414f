/* fraudtop doctor: settings with their sources, checks, and how to mend what failed. */
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "fraudtop/text.h"

#define HIDDEN "(hidden)"

/* What may be seen of a setting; NULL: it has no value. */
static const char *shown(const struct ft_app *app, const struct ft_option *o)
{
    const char *v = ft_cfg_text(app->cfg, o->key);

    return v && o->type == FT_OPT_SECRET ? HIDDEN : v;
}

/* Options that ask for something once are no settings. */
static bool is_setting(const struct ft_option *o)
{
    static const char *const once[] = {"output.help", "output.version", "service.property",
                                       "general.config", "general.profile"};

    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
        if (strcmp(o->key, once[i]) == 0)
            return false;
    return true;
}

static void say(const char *text)
{
    char clean[1100];
    size_t n = ft_text_clean(clean, sizeof(clean) - 1, ft_span_of(text));

    clean[n] = '\0';
    fputs(clean, stdout);
}

/* ---- for people ----------------------------------------------------------------------------------- */

static void print_checks(const struct ft_check *c)
{
    puts("checks");
    for (int i = 0; i < FT_N_CHECKS; i++) {
        printf("  %-9s %-8s ", c[i].name, ft_health_name(c[i].health));
        say(c[i].text);
        putchar('\n');
        if (*c[i].hint)
            printf("  %-18s -> %s\n", "", c[i].hint);
    }
}

static void print_list(const struct ft_app *app, const struct ft_option *o)
{
    const char *const *v;
    size_t n = ft_cfg_list(app->cfg, o->key, &v);

    for (size_t i = 0; i < n; i++) {
        printf("* %-30s ", o->key);
        say(v[i]);
        printf("  (%s)\n", ft_cfg_source(app->cfg, o->key));
    }
}

static void print_settings(const struct ft_app *app, const struct ft_paths *paths)
{
    const struct ft_prop *prop;
    size_t n = ft_cfg_props(app->cfg, &prop);

    printf("\nsettings (* set; your file: %s%s)\n", paths->config,
           access(paths->config, F_OK) == 0 ? "" : ", not there");
    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];
        const char *v = shown(app, o);

        if (!is_setting(o))
            continue;
        if (o->type == FT_OPT_LIST) {
            print_list(app, o);
            continue;
        }
        printf("%c %-30s ", ft_cfg_is_set(app->cfg, o->key) ? '*' : ' ', o->key);
        say(v && *v ? v : "-");
        printf("  (%s)\n", ft_cfg_source(app->cfg, o->key));
    }
    for (size_t i = 0; i < n; i++) {
        printf("* kafka.%-24s ", prop[i].name);
        say(ft_name_is_secret(prop[i].name) ? HIDDEN : prop[i].value);
        printf("  (%s)\n", ft_cfg_prop_source(app->cfg, i));
    }
}

/* ---- for scripts ---------------------------------------------------------------------------------- */

static void json_text(struct ft_buf *b, const char *before, const char *text)
{
    ft_buf_text(b, before);
    if (text)
        ft_buf_json(b, ft_span_of(text));
    else
        ft_buf_text(b, "null");
}

static void json_checks(struct ft_buf *b, const struct ft_check *c)
{
    for (int i = 0; i < FT_N_CHECKS; i++) {
        json_text(b, i ? ",{\"name\":" : "{\"name\":", c[i].name);
        json_text(b, ",\"state\":", ft_health_name(c[i].health));
        json_text(b, ",\"text\":", c[i].text);
        json_text(b, ",\"hint\":", c[i].hint);
        ft_buf_fmt(b, ",\"ms\":%d}", c[i].ms);
    }
}

static void json_settings(const struct ft_app *app, struct ft_buf *b)
{
    const struct ft_prop *prop;
    size_t n = ft_cfg_props(app->cfg, &prop);
    bool first = true;

    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];

        if (!is_setting(o))
            continue;
        json_text(b, first ? "{\"key\":" : ",{\"key\":", o->key);
        json_text(b, ",\"value\":", shown(app, o));
        json_text(b, ",\"source\":", ft_cfg_source(app->cfg, o->key));
        ft_buf_char(b, '}');
        first = false;
    }
    ft_buf_text(b, "],\"properties\":[");
    for (size_t i = 0; i < n; i++) {
        json_text(b, i ? ",{\"name\":" : "{\"name\":", prop[i].name);
        json_text(b, ",\"value\":", ft_name_is_secret(prop[i].name) ? HIDDEN : prop[i].value);
        json_text(b, ",\"source\":", ft_cfg_prop_source(app->cfg, i));
        ft_buf_char(b, '}');
    }
}

static void print_json(const struct ft_app *app, const struct ft_paths *paths,
                       const struct ft_check *c)
{
    struct ft_buf b;

    ft_buf_init(&b, 4 << 20);
    json_text(&b, "{\"schema\":\"doctor/1\",\"config_file\":", paths->config);
    json_text(&b, ",\"state_dir\":", app->state_dir);
    json_text(&b, ",\"data_dir\":", app->data_dir);
    ft_buf_text(&b, ",\"checks\":[");
    json_checks(&b, c);
    ft_buf_text(&b, "],\"settings\":[");
    json_settings(app, &b);
    ft_buf_text(&b, "]}\n");
    if (!b.failed)
        fwrite(b.p, 1, b.n, stdout);
    ft_buf_fini(&b);
}

/* The exit status of the worst: what is configured and cannot be reached is 4, what is wrong 2 or 1. */
static int verdict(const struct ft_check *c)
{
    int status = 0;

    for (int i = 0; i < FT_N_CHECKS; i++)
        if (c[i].health == FT_HEALTH_FAILED) {
            int s = ft_status_exit(c[i].status);

            if (i == FT_CHECK_MODEL)
                s = 2;
            if (!status || s < status)
                status = s;
        }
    return status;
}

int ft_cmd_doctor(struct ft_app *app)
{
    struct ft_check checks[FT_N_CHECKS];
    struct ft_paths paths;

    if (app->n_args)
        return ft_app_usage(app, "doctor takes no words: \"%s\"", app->args[0]);
    ft_paths_find(&paths, ft_cfg_text(app->cfg, "general.data_dir"));
    if (ft_cfg_is_set(app->cfg, "general.config"))
        snprintf(paths.config, sizeof(paths.config), "%s", ft_cfg_text(app->cfg, "general.config"));
    if (!ft_cfg_int(app->cfg, "output.verbose"))
        ft_log_level(FT_ERROR); /* the checks say it */
    ft_doctor_checks(app, checks);
    if (app->json) {
        print_json(app, &paths, checks);
    } else {
        print_checks(checks);
        print_settings(app, &paths);
    }
    return verdict(checks);
}
