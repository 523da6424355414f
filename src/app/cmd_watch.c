/*
 * fraudtop watch: the live figures and the flagged transactions as lines, for logs, scripts and screen readers.  No
 * cursor movement, no colour.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "fraudtop/text.h"

#define FIRST_ROWS 10 /* flagged ones from before the start that are printed */

struct watch {
    struct ft_app *app;
    struct ft_feed *feed;
    struct ft_live live;
    struct ft_uuid printed[FT_LIVE_FLAGGED];
    size_t n_printed;
    bool masked;
    uint64_t message_seq;
};

/* ---- flagged rows --------------------------------------------------------------------------------------- */

static bool known(const struct watch *w, const struct ft_uuid *id)
{
    for (size_t i = 0; i < w->n_printed; i++)
        if (ft_uuid_cmp(&w->printed[i], id) == 0)
            return true;
    return false;
}

static void stamp(char *out, size_t size, int64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void customer(const struct watch *w, const struct ft_flagged *f, char *out, size_t size)
{
    char one[64], two[64];

    ft_text_clean(one, sizeof(one), ft_span_of(f->name_1));
    ft_text_clean(two, sizeof(two), ft_span_of(f->name_2));
    if (w->masked && one[0]) {
        size_t n = 1;

        while (((unsigned char)one[n] & 0xC0) == 0x80) /* a whole character */
            n++;
        snprintf(out, size, "%.*s. %s", (int)n, one, two);
    } else {
        snprintf(out, size, "%s %s", one, two);
    }
}

static void print_row(const struct watch *w, const struct ft_flagged *f)
{
    char id[FT_UUID_TEXT + 1], who[140], merchant[520], category[200], city[200], why[400],
        amount[32];
    const char *strip = ft_cfg_text(w->app->cfg, "display.merchant_strip_prefix"), *m = f->merchant;

    if (strip && *strip && strncmp(m, strip, strlen(strip)) == 0)
        m += strlen(strip);
    ft_uuid_format(&f->id, id);
    customer(w, f, who, sizeof(who));
    ft_text_clean(merchant, sizeof(merchant), ft_span_of(m));
    ft_text_clean(category, sizeof(category), ft_span_of(f->category));
    ft_text_clean(city, sizeof(city), ft_span_of(f->city));
    ft_text_clean(why, sizeof(why), ft_span_of(f->why));
    ft_fmt_amount(amount, sizeof(amount), ft_span_of(f->amount));
    printf("flagged %.8s event %s score %.3f amount %s merchant %s category %s customer %s city %s "
           "%s%s%s\n",
           id, f->event[0] ? f->event : "unknown", f->score, amount[0] ? amount : "unknown",
           merchant[0] ? merchant : "unknown", category[0] ? category : "unknown",
           who[0] != ' ' ? who : "unknown", city[0] ? city : "unknown", f->state,
           why[0] ? " why " : "", why);
}

static void text_member(struct ft_buf *b, const char *name, const char *value)
{
    ft_buf_fmt(b, ",\"%s\":", name);
    if (*value)
        ft_buf_json(b, ft_span_of(value));
    else
        ft_buf_text(b, "null");
}

static void print_row_json(const struct watch *w, const struct ft_flagged *f, struct ft_buf *b)
{
    char id[FT_UUID_TEXT + 1], at[32], who[140];

    ft_uuid_format(&f->id, id);
    stamp(at, sizeof(at), f->arrived_ms);
    customer(w, f, who, sizeof(who));
    ft_buf_clear(b);
    ft_buf_fmt(b, "{\"schema\":\"flagged/1\",\"transaction_id\":\"%s\",\"score\":", id);
    ft_buf_double(b, f->score);
    ft_buf_text(b, ",\"threshold\":");
    ft_buf_double(b, f->threshold);
    ft_buf_fmt(b, ",\"arrived\":\"%s\"", at);
    text_member(b, "event", f->event);
    text_member(b, "amount", f->amount);
    text_member(b, "merchant", f->merchant);
    text_member(b, "category", f->category);
    text_member(b, "customer", who[0] != ' ' ? who : "");
    text_member(b, "city", f->city);
    text_member(b, "state", f->state);
    text_member(b, "why", f->why);
    ft_buf_text(b, "}\n");
    fwrite(b->p, 1, b->n, stdout);
}

static void print_new(struct watch *w, bool first, struct ft_buf *b)
{
    const struct ft_live *l = &w->live;
    size_t newest = first && l->n_list > FIRST_ROWS ? FIRST_ROWS : l->n_list;

    for (size_t i = newest; i-- > 0;) { /* oldest first, as a log reads */
        if (known(w, &l->list[i].id))
            continue;
        if (w->app->json)
            print_row_json(w, &l->list[i], b);
        else
            print_row(w, &l->list[i]);
    }
    w->n_printed = l->n_list;
    for (size_t i = 0; i < l->n_list; i++)
        w->printed[i] = l->list[i].id;
}

/* ---- figures -------------------------------------------------------------------------------------------- */

static const char *state_of(const struct ft_part *p)
{
    static const char *const word[] = {"unknown", "up", "down", "none", "embedded"};

    return word[p->state];
}

static const char *rate(char *out, size_t size, double v)
{
    ft_fmt_rate(out, size, v);
    return out;
}

static void print_figures(const struct watch *w)
{
    const struct ft_live *l = &w->live;
    char at[32], a[24], b[24], c[24], p50[24], p99[24], lag[2][24] = {"unknown", "unknown"};

    stamp(at, sizeof(at), l->wall_ms);
    ft_fmt_ms(p50, sizeof(p50), l->p50_ms);
    ft_fmt_ms(p99, sizeof(p99), l->p99_ms);
    if (l->lag_score >= 0)
        ft_fmt_count(lag[0], sizeof(lag[0]), (uint64_t)l->lag_score);
    if (l->lag_sink >= 0)
        ft_fmt_count(lag[1], sizeof(lag[1]), (uint64_t)l->lag_sink);
    printf("%s kafka %s, postgres %s, replayed %s/s, scored %s/s, stored %s/s, lag score %s sink "
           "%s, to store p50 %s "
           "p99 %s, threshold %.3f, queue %" PRIu64 " open",
           at, state_of(&l->kafka), state_of(&l->pg), rate(a, sizeof(a), l->replayed_per_s),
           rate(b, sizeof(b), l->scored_per_s), rate(c, sizeof(c), l->stored_per_s), lag[0], lag[1],
           p50, p99, l->threshold, l->queue_open);
    if (l->has_labels)
        printf(", true %" PRIu64 " false %" PRIu64 " missed %" PRIu64, l->tp, l->fp, l->fn);
    putchar('\n');
}

static void number_member(struct ft_buf *b, const char *name, double v)
{
    ft_buf_fmt(b, ",\"%s\":", name);
    ft_buf_double(b, v);
}

static void print_figures_json(const struct watch *w, struct ft_buf *b)
{
    const struct ft_live *l = &w->live;
    char at[32];

    stamp(at, sizeof(at), l->wall_ms);
    ft_buf_clear(b);
    ft_buf_fmt(b,
               "{\"schema\":\"watch/"
               "1\",\"at\":\"%s\",\"kafka\":\"%s\",\"postgres\":\"%s\",\"replayed\":%" PRIu64
               ",\"scored\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"flagged\":%" PRIu64
               ",\"rejected\":%" PRIu64 ",\"dead_lettered\":%" PRIu64
               ",\"processes\":{\"replay\":%d,\"score\":%d,\"sink\":%d}",
               at, state_of(&l->kafka), state_of(&l->pg), l->replayed, l->scored, l->stored,
               l->flagged, l->rejected, l->dead, l->n_replay, l->n_score, l->n_sink);
    number_member(b, "replayed_per_s", l->replayed_per_s);
    number_member(b, "scored_per_s", l->scored_per_s);
    number_member(b, "stored_per_s", l->stored_per_s);
    number_member(b, "flagged_per_s", l->flagged_per_s);
    number_member(b, "lag_score", l->lag_score < 0 ? (double)NAN : (double)l->lag_score);
    number_member(b, "lag_sink", l->lag_sink < 0 ? (double)NAN : (double)l->lag_sink);
    number_member(b, "latency_p50_ms", l->p50_ms);
    number_member(b, "latency_p99_ms", l->p99_ms);
    number_member(b, "threshold", l->threshold);
    ft_buf_fmt(
        b, ",\"queue\":{\"open\":%" PRIu64 ",\"claimed\":%" PRIu64 ",\"over_limit\":%" PRIu64 "}",
        l->queue_open, l->queue_claimed, l->queue_over_limit);
    if (l->has_labels)
        ft_buf_fmt(b,
                   ",\"label\":{\"tp\":%" PRIu64 ",\"fp\":%" PRIu64 ",\"tn\":%" PRIu64
                   ",\"fn\":%" PRIu64 "}",
                   l->tp, l->fp, l->tn, l->fn);
    ft_buf_text(b, "}\n");
    fwrite(b->p, 1, b->n, stdout);
}

/* What is wrong is said when it begins and when it ends, not every minute. */
static void print_trouble(const char *name, const struct ft_part *now, enum ft_part_state *was)
{
    char text[200];

    if (now->state == *was)
        return;
    ft_text_clean(text, sizeof(text), ft_span_of(now->error));
    if (now->state == FT_PART_DOWN)
        printf("%s is down: %s\n", name, text);
    else if (*was == FT_PART_DOWN)
        printf("%s is up again\n", name);
    *was = now->state;
}

static void look(struct watch *w, int64_t every_ms, int64_t count)
{
    enum ft_part_state kafka = FT_PART_UNKNOWN, pg = FT_PART_UNKNOWN;
    int64_t next = ft_now_ms() + (w->app->json ? 0 : 2500);
    struct ft_buf b;

    ft_buf_init(&b, 64 << 10);
    for (bool first = true; !ft_stop_signal() && !ferror(stdout); first = false) {
        w->feed->live(w->feed->self, &w->live);
        print_new(w, first, &b);
        if (!w->app->json) {
            print_trouble("kafka", &w->live.kafka, &kafka);
            print_trouble("postgres", &w->live.pg, &pg);
        }
        if (ft_now_ms() >= next) {
            if (w->app->json)
                print_figures_json(w, &b);
            else
                print_figures(w);
            next = ft_now_ms() + every_ms;
            if (count && --count == 0)
                break;
        }
        fflush(stdout);
        for (int i = 0; i < 10 && !ft_stop_signal(); i++)
            ft_sleep_ms(50);
    }
    ft_buf_fini(&b);
}

int ft_cmd_watch(struct ft_app *app)
{
    int64_t every = ft_cfg_is_set(app->cfg, "watch.interval")
                        ? ft_cfg_ms(app->cfg, "watch.interval")
                    : ft_cfg_flag(app->cfg, "watch.plain") ? 60000
                                                           : 1000;
    struct ft_pipeline p;
    struct ft_console *c = NULL;
    struct ft_console_opts co = {.app = app, .pipeline = &p, .read_only = true, .alerts = true};
    struct watch *w = calloc(1, sizeof(*w));
    struct ft_err err;
    enum ft_status st;

    if (app->n_args)
        return free(w), ft_app_usage(app, "watch takes no words: \"%s\"", app->args[0]);
    if (!w)
        return ft_app_fail(app, ft_fail(&err, FT_ENOMEM, "no memory to watch"), &err);
    st = ft_pipeline_open(&p, app, "watch", FT_WITH_STORE, &err);
    if (st == FT_OK)
        st = ft_pipeline_start(&p, &err);
    if (st == FT_OK)
        st = ft_console_start(&c, &co, &err);
    if (st == FT_OK) {
        ft_console_ready(c, 3000);
        w->app = app;
        w->feed = ft_console_feed(c);
        w->masked = strcmp(ft_cfg_text(app->cfg, "display.mask"), "on") == 0;
        look(w, every, ft_cfg_int(app->cfg, "watch.count"));
    }
    ft_console_stop(c);
    ft_pipeline_close(&p);
    free(w);
    return st == FT_OK ? ft_stop_exit(0) : ft_app_fail(app, st, &err);
}
