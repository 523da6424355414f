#include "model_force.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "review.h"
#include "services.h"
#include "watch.h"

#define WAIT_MS 12000 /* for every scorer to say that it uses the model */

struct scorers {
    int live, use;   /* processes that score; of them with the model wanted */
    char other[160]; /* one that does not */
};

static void look(struct ft_watch *w, struct ft_live *l, const char *model, struct scorers *out)
{
    struct ft_process p[FT_WATCH_PROCESSES];

    *out = (struct scorers){0};
    memset(l, 0, sizeof(*l));
    l->now_ms = ft_now_ms();
    ft_watch_live(w, l, p);
    for (size_t i = 0; i < l->n_process; i++) {
        if (!p[i].detail[0] || strcmp(p[i].state, "gone") == 0)
            continue;
        out->live++;
        if (!model || strcmp(p[i].detail, model) == 0)
            out->use++;
        else
            snprintf(out->other, sizeof(out->other), "%s %d on %.48s uses %.64s", p[i].role,
                     p[i].pid, p[i].host, p[i].detail);
    }
}

/* model: "NAME VERSION" as heartbeats have it; NULL: whichever. */
static enum ft_status wait_for(struct ft_bus *bus, const struct ft_topics *topics,
                               const char *model, struct scorers *s, struct ft_err *err)
{
    struct ft_live *l = calloc(1, sizeof(*l));
    int64_t start = ft_now_ms();
    struct ft_watch *w = NULL;
    enum ft_status st = l ? ft_watch_start(&w, bus, topics, NULL, NULL, err)
                          : ft_fail(err, FT_ENOMEM, "no memory to watch the scorers");

    /* Two heartbeats of everybody are awaited, so that the slower ones are seen too. */
    while (st == FT_OK && !ft_stop_signal() && ft_now_ms() - start < WAIT_MS) {
        look(w, l, model, s);
        if (s->use == s->live && ft_now_ms() - start > 2500)
            break;
        ft_sleep_ms(100);
    }
    ft_watch_stop(w);
    free(l);
    return st;
}

static void say(const struct ft_app *app, const char *model, const struct scorers *s)
{
    struct ft_buf b;

    ft_buf_init(&b, 4096);
    ft_buf_text(&b, "{\"schema\":\"model.promote/1\",\"model\":");
    ft_buf_json(&b, ft_span_of(model));
    ft_buf_fmt(&b, ",\"scorers\":%d,\"using\":%d}", s->live, s->use);
    if (app->json)
        printf("%s\n", b.p);
    else if (!s->live)
        printf("%s is in force; no scorer lives just now, those that start use it\n",
               *model ? model : "each scorer's own model");
    else
        printf("%s is in force: %d of %d scoring processes use it\n",
               *model ? model : "each scorer's own model", s->use, s->live);
    ft_buf_fini(&b);
}

/* name "": each scorer's own; shown: as heartbeats have it. */
static enum ft_status put(struct ft_app *app, const char *name, const char *shown, const char *note,
                          struct ft_err *err)
{
    struct ft_bus_opts bo = ft_app_bus_opts(app, false);
    int timeout_ms = ft_app_connect_ms(app);
    struct scorers s = {0};
    struct ft_topics topics;
    struct ft_bus *bus = NULL;
    char json[1800];
    enum ft_status st = ft_in_force_text(app, "model", name, note, json, sizeof(json), err);

    ft_topics_from(&topics, app->cfg);
    if (st == FT_OK)
        st = ft_bus_open(&bus, &bo, err);
    if (st == FT_OK)
        st = ft_topics_ensure(bus, &topics, timeout_ms, err);
    if (st == FT_OK)
        st = ft_control_put(bus, &topics, "model", json, timeout_ms, err);
    if (st == FT_OK)
        st = wait_for(bus, &topics, *shown ? shown : NULL, &s, err);
    if (st == FT_OK)
        say(app, *shown ? shown : name, &s);
    if (st == FT_OK && s.use < s.live)
        st = ft_fail(err, FT_EIO,
                     "%s: its log says why; a model with another state needs score --rebuild-state",
                     s.other);
    if (bus)
        ft_bus_close(bus);
    return st;
}

/* What cannot be loaded here is not put into force anywhere. */
static enum ft_status checked(struct ft_app *app, const char *name, char *shown, size_t size,
                              struct ft_err *err)
{
    struct ft_scorer *s = NULL;
    enum ft_status st = ft_app_scorer(app, name, &s, err);

    if (st != FT_OK)
        return st;
    snprintf(shown, size, "%s %s", ft_scorer_info(s)->name, ft_scorer_info(s)->version);
    ft_scorer_free(s);
    return FT_OK;
}

enum ft_status ft_model_promote(struct ft_app *app, struct ft_err *err)
{
    const char *note = ft_cfg_text(app->cfg, "review.note");
    char shown[160];
    enum ft_status st;

    if (!note || !*note)
        return ft_fail(err, FT_EUSAGE, "a promotion wants a reason: --note TEXT");
    st = checked(app, app->args[1], shown, sizeof(shown), err);
    return st == FT_OK ? put(app, app->args[1], shown, note, err) : st;
}

/* The newest record that names another model than the one in force. */
static enum ft_status before(struct ft_app *app, char *name, size_t size, struct ft_err *err)
{
    const cJSON *r, *records;
    struct ft_review review;
    const char *now = NULL;
    char *json = NULL;
    enum ft_status st = ft_review_open(&review, app, err);
    cJSON *o;

    if (st != FT_OK)
        return st;
    *name = '\0';
    st = ft_cases_promoted(review.cases, 100, &json, err);
    o = st == FT_OK ? cJSON_Parse(json) : NULL;
    records = cJSON_GetObjectItemCaseSensitive(o, "records");
    if (st == FT_OK && cJSON_GetArraySize(records) == 0)
        st = ft_fail(err, FT_EUSAGE, "no model was promoted, so there is none to go back to");
    cJSON_ArrayForEach(r, records)
    {
        const char *v = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r, "model"));

        if (!now) {
            now = v ? v : "";
        } else if (strcmp(v ? v : "", now) != 0) {
            snprintf(name, size, "%s", v ? v : "");
            break;
        }
    }
    cJSON_Delete(o);
    free(json);
    ft_review_close(&review);
    return st;
}

enum ft_status ft_model_rollback(struct ft_app *app, struct ft_err *err)
{
    const char *note = ft_cfg_text(app->cfg, "review.note");
    char name[256], shown[160] = "";
    enum ft_status st = before(app, name, sizeof(name), err);

    if (st == FT_OK && *name)
        st = checked(app, name, shown, sizeof(shown), err);
    return st == FT_OK ? put(app, name, shown, note && *note ? note : "rollback", err) : st;
}
