/* Putting a threshold, a sample's size or a model into force from any machine: a record on the control topic. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fraudtop/text.h"
#include "services.h"

void ft_app_who(const struct ft_app *app, char *out, size_t size)
{
    const char *name = ft_cfg_text(app->cfg, "review.as"), *sudo = getenv("SUDO_USER");
    const struct passwd *pw = name ? NULL : getpwuid(getuid());

    if (!name)
        name = sudo && getuid() == 0 ? sudo : pw ? pw->pw_name : "unknown";
    snprintf(out, size, "%s", name);
}

static enum ft_status finish(struct ft_buf *b, const char *who, const char *note, char *out,
                             size_t size, struct ft_err *err)
{
    ft_buf_text(b, ",\"who\":");
    ft_buf_json(b, ft_span_of(who));
    ft_buf_text(b, ",\"note\":");
    ft_buf_json(b, ft_span_of(note));
    ft_buf_char(b, '}');
    if (b->failed || b->n >= size) {
        ft_buf_fini(b);
        return ft_fail(err, FT_EUSAGE, "the note is too long");
    }
    memcpy(out, b->p, b->n + 1);
    ft_buf_fini(b);
    return FT_OK;
}

enum ft_status ft_in_force_json(const struct ft_app *app, const char *kind, double value,
                                const char *note, char *out, size_t size, struct ft_err *err)
{
    struct ft_buf b;
    char who[64], number[40];

    ft_app_who(app, who, sizeof(who));
    ft_fmt_double(number, sizeof(number), value);
    ft_buf_init(&b, size);
    ft_buf_fmt(&b, "{\"%s\":%s", kind, number);
    return finish(&b, who, note, out, size, err);
}

enum ft_status ft_in_force_text(const struct ft_app *app, const char *kind, const char *value,
                                const char *note, char *out, size_t size, struct ft_err *err)
{
    struct ft_buf b;
    char who[64];

    ft_app_who(app, who, sizeof(who));
    ft_buf_init(&b, size);
    ft_buf_fmt(&b, "{\"%s\":", kind);
    ft_buf_json(&b, ft_span_of(value));
    return finish(&b, who, note, out, size, err);
}

enum ft_status ft_in_force_put(struct ft_app *app, const char *kind, const char *json,
                               struct ft_err *err)
{
    struct ft_bus_opts bo = ft_app_bus_opts(app, false);
    int timeout_ms = ft_app_connect_ms(app);
    struct ft_topics topics;
    struct ft_bus *bus;
    enum ft_status st = ft_bus_open(&bus, &bo, err);

    if (st != FT_OK)
        return st;
    ft_topics_from(&topics, app->cfg);
    st = ft_topics_ensure(bus, &topics, timeout_ms, err);
    if (st == FT_OK)
        st = ft_control_put(bus, &topics, kind, json, timeout_ms, err);
    ft_bus_close(bus);
    return st;
}
