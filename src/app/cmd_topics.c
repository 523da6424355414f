/* fraudtop topics: topics, partitions, groups, lag; the messages in them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "fraudtop/filter.h"
#include "fraudtop/layout.h"
#include "fraudtop/text.h"
#include "fraudtop/txn.h"
#include "topic_read.h"

#define LINES 10 /* messages that tail shows unless told otherwise */
#define HELD_MAX                                                                                   \
    10000 /* messages that are held to be put into order; more are shown as they come */

struct browse {
    struct ft_app *app;
    struct ft_bus *bus;
    int timeout_ms;
    struct ft_layout how;
    struct ft_buf buf;
    uint64_t limit, shown; /* limit 0: none */
    struct ft_topic_read read;
};

/* ---- what all share -------------------------------------------------------------------------------- */

/* The group that reads a topic of ours: --group, else the stage's. */
static const char *group_of(const struct ft_app *app, const char *topic)
{
    if (strcmp(topic, ft_cfg_text(app->cfg, "topics.transactions")) == 0)
        return ft_app_group(app, "score");
    if (strcmp(topic, ft_cfg_text(app->cfg, "topics.scoring")) == 0)
        return ft_app_group(app, "sink");
    return NULL;
}

static void put_line(struct browse *b)
{
    if (!b->buf.failed) {
        fwrite(b->buf.p, 1, b->buf.n, stdout);
        putchar('\n');
    }
    ft_buf_clear(&b->buf);
}

static void put_text(struct ft_buf *out, struct ft_span text)
{
    char clean[FT_TEXT_CHARS * 4 + 1];

    ft_buf_add(out, clean, ft_text_clean(clean, sizeof(clean), text));
}

/* ---- list ------------------------------------------------------------------------------------------ */

struct line {
    const char *topic, *group;
    int partitions;
    int64_t messages, lag;
};

static enum ft_status measure(struct browse *b, const struct ft_topic_info *t, struct line *l,
                              struct ft_err *err)
{
    *l = (struct line){.topic = t->name,
                       .group = group_of(b->app, t->name),
                       .partitions = t->partitions,
                       .messages = t->messages};
    return l->group ? ft_bus_lag(b->bus, t->name, l->group, b->timeout_ms, &l->lag, err) : FT_OK;
}

static void line_json(struct ft_buf *out, const struct line *l)
{
    ft_buf_text(out, "{\"topic\":");
    ft_buf_json(out, ft_span_of(l->topic));
    ft_buf_fmt(out, ",\"partitions\":%d,\"messages\":", l->partitions);
    if (l->messages >= 0)
        ft_buf_fmt(out, "%" PRId64 ",\"group\":", l->messages);
    else
        ft_buf_text(out, "null,\"group\":");
    if (l->group) {
        ft_buf_json(out, ft_span_of(l->group));
        ft_buf_fmt(out, ",\"lag\":%" PRId64 "}", l->lag);
    } else {
        ft_buf_text(out, "null,\"lag\":null}");
    }
}

static void line_text(struct ft_buf *out, const struct line *l)
{
    char messages[32] = "?", lag[32] = "";

    if (l->messages >= 0)
        ft_fmt_count(messages, sizeof(messages), (uint64_t)l->messages);
    if (l->group)
        ft_fmt_count(lag, sizeof(lag), (uint64_t)l->lag);
    ft_buf_fmt(out, "%-32s %10d %14s  ", l->topic, l->partitions, messages);
    ft_buf_fmt(out, "%-24s %12s", l->group ? l->group : "", lag);
    while (out->n && out->p[out->n - 1] == ' ')
        out->n--;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ft_topic_info *)a)->name, ((const struct ft_topic_info *)b)->name);
}

static enum ft_status list(struct browse *b, struct ft_err *err)
{
    bool all = ft_cfg_flag(b->app->cfg, "list.all"), json = b->app->json, first = true;
    struct ft_topic_info *topics;
    enum ft_status st;
    struct line l;
    size_t n;

    st = ft_bus_topics(b->bus, b->timeout_ms, &topics, &n, err);
    if (st == FT_OK && !all)
        n = ft_topics_of_users(topics, n);
    if (st == FT_OK)
        st = ft_bus_count(b->bus, topics, n, b->timeout_ms, err);
    if (st != FT_OK) {
        free(topics);
        return st;
    }
    qsort(topics, n, sizeof(*topics), by_name);
    ft_buf_fmt(&b->buf,
               json ? "{\"schema\":\"topics/1\",\"topics\":[" : "%-32s %10s %14s  %-24s %12s\n",
               "TOPIC", "PARTITIONS", "MESSAGES", "GROUP", "LAG");
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        st = measure(b, &topics[i], &l, err);
        if (!first)
            ft_buf_char(&b->buf, json ? ',' : '\n');
        first = false;
        (json ? line_json : line_text)(&b->buf, &l);
    }
    if (st == FT_OK) {
        ft_buf_text(&b->buf, json ? "]}" : "");
        put_line(b);
    }
    free(topics);
    return st;
}

/* ---- show ------------------------------------------------------------------------------------------ */

static void part_json(struct ft_buf *out, const struct ft_partition_info *p, bool group)
{
    ft_buf_fmt(out, "{\"partition\":%d,\"low\":%" PRId64 ",\"high\":%" PRId64 ",\"committed\":",
               (int)p->partition, p->low, p->high);
    if (p->committed >= 0)
        ft_buf_fmt(out, "%" PRId64, p->committed);
    else
        ft_buf_text(out, "null");
    if (group)
        ft_buf_fmt(out, ",\"lag\":%" PRId64 ",\"owner\":", ft_partition_lag(p));
    else
        ft_buf_text(out, ",\"lag\":null,\"owner\":");
    if (p->owner[0])
        ft_buf_json(out, ft_span_of(p->owner));
    else
        ft_buf_text(out, "null");
    ft_buf_char(out, '}');
}

static void show_json(struct ft_buf *out, const char *topic, const char *group,
                      const struct ft_partition_info *part, size_t n)
{
    ft_buf_text(out, "{\"schema\":\"topic/1\",\"topic\":");
    ft_buf_json(out, ft_span_of(topic));
    ft_buf_text(out, ",\"group\":");
    if (group)
        ft_buf_json(out, ft_span_of(group));
    else
        ft_buf_text(out, "null");
    ft_buf_text(out, ",\"partitions\":[");
    for (size_t i = 0; i < n; i++) {
        ft_buf_text(out, i ? "," : "");
        part_json(out, &part[i], group != NULL);
    }
    ft_buf_text(out, "]}");
}

static void show_text(struct ft_buf *out, const char *topic, const char *group,
                      const struct ft_partition_info *part, size_t n)
{
    ft_buf_fmt(out, "topic %s", topic);
    if (group)
        ft_buf_fmt(out, ", group %s", group);
    ft_buf_fmt(out, "\n%9s %14s %14s %14s %12s  %s", "PARTITION", "FIRST", "END", "COMMITTED",
               "LAG", "OWNER");
    for (size_t i = 0; i < n; i++) {
        const struct ft_partition_info *p = &part[i];
        char committed[32] = "-", lag[32] = "-";

        if (p->committed >= 0)
            snprintf(committed, sizeof(committed), "%" PRId64, p->committed);
        if (group)
            snprintf(lag, sizeof(lag), "%" PRId64, ft_partition_lag(p));
        ft_buf_fmt(out, "\n%9d %14" PRId64 " %14" PRId64 " %14s %12s  ", (int)p->partition, p->low,
                   p->high, committed, lag);
        put_text(out, ft_span_of(p->owner[0] ? p->owner : "-"));
    }
}

static enum ft_status show(struct browse *b, const char *topic, struct ft_err *err)
{
    const char *group = ft_cfg_text(b->app->cfg, "service.group");
    struct ft_partition_info *part;
    enum ft_status st;
    size_t n;

    if (!group)
        group = group_of(b->app, topic);
    st = ft_bus_partitions(b->bus, topic, group, b->timeout_ms, &part, &n, err);
    if (st == FT_OK && group)
        st = ft_bus_owners(b->bus, topic, group, b->timeout_ms, part, n, err);
    if (st != FT_OK) {
        free(part);
        return st;
    }
    (b->app->json ? show_json : show_text)(&b->buf, topic, group, part, n);
    put_line(b);
    free(part);
    return FT_OK;
}

/* ---- messages -------------------------------------------------------------------------------------- */

static void put_time(struct ft_buf *out, int64_t ms)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    if (ms < 0 || !gmtime_r(&s, &tm)) {
        ft_buf_char(out, '-');
        return;
    }
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    ft_buf_fmt(out, "%s.%03dZ", text, (int)(ms % 1000));
}

/* Ours are 16 bytes of a hash: shown as hexadecimal digits, as any key that is no plain text. */
static void put_key(struct browse *b, struct ft_span key)
{
    bool plain = true;

    for (size_t i = 0, n; i < key.n && plain; i += n) {
        struct ft_span rest = {key.p + i, key.n - i};
        uint32_t c = ft_char_next(rest, &n);

        plain = ft_char_width(c) >= 0 && !(c == 0xFFFD && n == 1);
    }
    if (plain && b->app->json) {
        ft_buf_json(&b->buf, key);
        return;
    }
    if (plain) {
        put_text(&b->buf, key);
        return;
    }
    ft_buf_text(&b->buf, b->app->json ? "\"0x" : "0x");
    for (size_t i = 0; i < key.n; i++)
        ft_buf_fmt(&b->buf, "%02x", (unsigned char)key.p[i]);
    ft_buf_text(&b->buf, b->app->json ? "\"" : "");
}

static void put_value_json(struct browse *b, struct ft_span v)
{
    size_t mark = b->buf.n;

    if (!v.p) {
        ft_buf_text(&b->buf, "\"value\":null");
        return;
    }
    ft_buf_text(&b->buf, "\"value\":");
    if (ft_layout_json(&b->buf, v, &b->how, NULL) == FT_OK)
        return;
    b->buf.n = mark; /* no JSON: as text, which may hold a name */
    ft_buf_fmt(&b->buf, "\"bytes\":%zu,\"text\":", v.n);
    if (b->how.mask)
        ft_buf_text(&b->buf, "null");
    else
        ft_buf_json(&b->buf, v);
}

static void message_json(struct browse *b, const struct ft_msg *m)
{
    struct ft_header h[16];
    size_t n = ft_msg_headers(m, h, 16);

    ft_buf_text(&b->buf, "{\"topic\":");
    ft_buf_json(&b->buf, ft_span_of(m->topic));
    ft_buf_fmt(&b->buf,
               ",\"partition\":%d,\"offset\":%" PRId64 ",\"timestamp_ms\":%" PRId64 ",\"key\":",
               (int)m->partition, m->offset, m->timestamp_ms);
    if (m->key.p)
        put_key(b, m->key);
    else
        ft_buf_text(&b->buf, "null");
    ft_buf_text(&b->buf, ",\"headers\":{");
    for (size_t i = 0; i < n; i++) {
        ft_buf_text(&b->buf, i ? "," : "");
        ft_buf_json(&b->buf, ft_span_of(h[i].name));
        ft_buf_char(&b->buf, ':');
        ft_buf_json(&b->buf, h[i].value);
    }
    ft_buf_text(&b->buf, "},");
    put_value_json(b, m->value);
    ft_buf_char(&b->buf, '}');
}

static void message_text(struct browse *b, const struct ft_msg *m)
{
    struct ft_header h[16];
    size_t n = ft_msg_headers(m, h, 16), mark;

    ft_buf_fmt(&b->buf, "%s [%d] %" PRId64 "  ", m->topic, (int)m->partition, m->offset);
    put_time(&b->buf, m->timestamp_ms);
    ft_buf_text(&b->buf, "  key ");
    put_key(b, m->key.p ? m->key : FT_SPAN("-"));
    for (size_t i = 0; i < n; i++) {
        ft_buf_text(&b->buf, "\n  ");
        put_text(&b->buf, ft_span_of(h[i].name));
        ft_buf_text(&b->buf, ": ");
        put_text(&b->buf, h[i].value);
    }
    ft_buf_char(&b->buf, '\n');
    mark = b->buf.n;
    if (!m->value.p) {
        ft_buf_text(&b->buf, "(no value)");
    } else if (ft_layout_json(&b->buf, m->value, &b->how, NULL) != FT_OK) {
        b->buf.n = mark;
        ft_buf_fmt(&b->buf, "(%zu bytes, not JSON%s) ", m->value.n,
                   b->how.mask ? "; --mask off shows them" : "");
        if (!b->how.mask)
            put_text(&b->buf, m->value);
    }
}

static void show_message(struct browse *b, const struct ft_msg *m)
{
    (b->app->json ? message_json : message_text)(b, m);
    put_line(b);
    b->shown++;
}

/* ---- where to begin -------------------------------------------------------------------------------- */

static bool parse_since(const char *text, int64_t *ms)
{
    struct ft_time t;

    if (ft_parse_age(ft_span_of(text), ms)) {
        *ms = ft_wall_ms() - *ms;
        return true;
    }
    if (!ft_parse_time(ft_span_of(text), &t))
        return false;
    *ms = t.unix_s * 1000;
    return true;
}

static enum ft_status add_topic(struct browse *b, const char *topic, struct ft_err *err)
{
    bool one = ft_cfg_is_set(b->app->cfg, "topics.partition");

    return ft_topic_read_add(&b->read, topic,
                             one ? ft_cfg_int(b->app->cfg, "topics.partition") : -1, err);
}

/* Reads to the end (or until stopped), giving each message to use, which keeps it or not; false from use ends it. */
static enum ft_status read_all(struct browse *b, bool (*use)(struct browse *b, struct ft_msg *m),
                               struct ft_err *err)
{
    while (!ft_stop_signal()) {
        struct ft_msg m;
        enum ft_status st = ft_topic_read_next(&b->read, &m, err);

        if (st == FT_AGAIN && b->read.follow)
            fflush(stdout);
        if (st == FT_OK && !use(b, &m))
            return FT_OK;
        if (st != FT_OK && st != FT_AGAIN)
            return st == FT_END ? FT_OK : st;
    }
    return FT_OK;
}

/* ---- tail ------------------------------------------------------------------------------------------ */

static bool show_one(struct browse *b, struct ft_msg *m)
{
    show_message(b, m);
    ft_msg_done(m);
    return !b->limit || b->shown < b->limit;
}

struct held {
    struct ft_msg *m;
    size_t n;
};

static int by_time(const void *a, const void *b)
{
    const struct ft_msg *x = a, *y = b;

    if (x->timestamp_ms != y->timestamp_ms)
        return x->timestamp_ms < y->timestamp_ms ? -1 : 1;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The newest of all partitions together: the newest of each, put into order, and the last of them. */
static enum ft_status newest(struct browse *b, struct ft_err *err)
{
    size_t max = (size_t)b->limit * b->read.n_parts, n = 0, from;
    struct ft_msg *held = calloc(max + 1, sizeof(*held));
    enum ft_status st = FT_OK;

    if (!held)
        return ft_fail(err, FT_ENOMEM, "no memory for %zu messages", max);
    while (n < max && !ft_stop_signal() && (st == FT_OK || st == FT_AGAIN)) {
        st = ft_topic_read_next(&b->read, &held[n], err);
        n += st == FT_OK;
    }
    qsort(held, n, sizeof(*held), by_time);
    from = n > b->limit ? n - (size_t)b->limit : 0;
    for (size_t i = 0; i < n; i++) {
        if (i >= from)
            show_message(b, &held[i]);
        ft_msg_done(&held[i]);
    }
    free(held);
    return st == FT_AGAIN || st == FT_END ? FT_OK : st;
}

static enum ft_status tail(struct browse *b, const char *topic, struct ft_err *err)
{
    const struct ft_config *cfg = b->app->cfg;
    const char *since = ft_cfg_text(cfg, "list.since"), *offset = ft_cfg_text(cfg, "topics.offset");
    bool follow = ft_cfg_flag(cfg, "topics.follow");
    int64_t ms = 0, at = 0;
    char *end = NULL;
    enum ft_status st;

    if (offset) {
        at = strtoll(offset, &end, 10);
        if (end == offset || *end)
            return ft_fail(err, FT_EUSAGE, "--offset: \"%s\" is not a whole number", offset);
    }
    if (since && !parse_since(since, &ms))
        return ft_fail(err, FT_EUSAGE,
                       "--since: \"%s\" is neither an age (8h, 7d) nor a time (2026-01-31 14:00)",
                       since);
    if (!ft_cfg_is_set(cfg, "list.limit"))
        b->limit = since || offset || follow ? 0 : LINES;
    st = add_topic(b, topic, err);
    if (st == FT_OK && since)
        st = ft_topic_read_at(&b->read, ms, err);
    if (st == FT_OK && offset)
        ft_topic_read_from(&b->read, at);
    if (st == FT_OK && !since && !offset && (follow || (b->limit && b->limit <= HELD_MAX)))
        ft_topic_read_from(&b->read, follow ? -(int64_t)LINES : -(int64_t)b->limit);
    if (st != FT_OK)
        return st;
    b->read.follow = follow;
    if (!since && !offset && !follow && b->limit && b->limit <= HELD_MAX)
        return newest(b, err);
    return read_all(b, show_one, err);
}

/* ---- find ------------------------------------------------------------------------------------------ */

struct search {
    struct browse b; /* first: show_found casts */
    struct ft_needle needle;
    char name[4][250]; /* of the topics that are searched */
};

static bool show_found(struct browse *b, struct ft_msg *m)
{
    if (ft_needle_in(&((struct search *)b)->needle, m->value))
        return show_one(b, m);
    ft_msg_done(m);
    return true;
}

static enum ft_status find_id(struct search *s, const char *text, struct ft_err *err)
{
    static const char *const suffix[] = {"", ".dlq"};
    struct browse *b = &s->b;
    const char *names[2] = {ft_cfg_text(b->app->cfg, "topics.transactions"),
                            ft_cfg_text(b->app->cfg, "topics.scoring")};
    const char *since = ft_cfg_text(b->app->cfg, "list.since");
    enum ft_status st = FT_OK;
    struct ft_uuid id;
    int64_t ms;
    bool dated;

    if (!ft_uuid_parse(&id, ft_span_of(text)))
        return ft_fail(err, FT_EUSAGE, "\"%s\" is no transaction id (a UUID)", text);
    if (since && !parse_since(since, &ms))
        return ft_fail(err, FT_EUSAGE, "--since: \"%s\" is neither an age nor a time", since);
    dated = since || ft_sent_after(&id, &ms);
    ft_needle_init(&s->needle, &id);
    for (int i = 0; i < 4 && st == FT_OK; i++) {
        snprintf(s->name[i], sizeof(s->name[i]), "%.240s%s", names[i / 2], suffix[i % 2]);
        st = add_topic(b, s->name[i], err);
        if (st == FT_EINPUT) /* not there (yet) */
            st = FT_OK;
    }
    if (st == FT_OK && dated)
        st = ft_topic_read_at(&b->read, ms, err);
    if (st == FT_OK)
        st = read_all(b, show_found, err);
    if (st == FT_OK && !b->shown && !ft_stop_signal())
        st = ft_fail(err, FT_EINPUT, "no message has the transaction id %s", text);
    return st;
}

/* ---- the command ----------------------------------------------------------------------------------- */

static enum ft_status run(struct search *s, struct ft_err *err)
{
    struct browse *b = &s->b;
    const char *what = b->app->n_args ? b->app->args[0] : "list";

    if (strcmp(what, "list") == 0)
        return list(b, err);
    if (strcmp(what, "show") == 0)
        return show(b, b->app->args[1], err);
    if (strcmp(what, "tail") == 0)
        return tail(b, b->app->args[1], err);
    return find_id(s, b->app->args[1], err);
}

static int check_words(struct ft_app *app)
{
    static const struct {
        const char *word;
        size_t n;
        const char *wants;
    } words[] = {
        {"list", 1, NULL              },
        {"show", 2, "a topic"         },
        {"tail", 2, "a topic"         },
        {"find", 2, "a transaction id"},
    };

    if (app->n_args == 0)
        return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(app->args[0], words[i].word) != 0)
            continue;
        if (app->n_args < words[i].n)
            return ft_app_usage(app, "topics %s wants %s", words[i].word, words[i].wants);
        if (app->n_args > words[i].n)
            return ft_app_usage(app, "topics %s: too many words: \"%s\"", words[i].word,
                                app->args[words[i].n]);
        return 0;
    }
    return ft_app_usage(app, "topics has no \"%s\": list, show, tail, find", app->args[0]);
}

int ft_cmd_topics(struct ft_app *app)
{
    struct search s = {.b = {.app = app}};
    struct ft_bus_opts opts = ft_app_bus_opts(app, false);
    struct ft_err err = {""};
    enum ft_status st;
    int status = check_words(app);

    if (status)
        return status;
    st = ft_bus_open(&s.b.bus, &opts, &err);
    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    ft_buf_init(&s.b.buf, (size_t)64 << 20);
    s.b.timeout_ms = ft_app_connect_ms(app);
    s.b.read.bus = s.b.bus;
    s.b.read.timeout_ms = s.b.timeout_ms;
    s.b.limit = (uint64_t)ft_cfg_int(app->cfg, "list.limit");
    s.b.how.mask = strcmp(ft_cfg_text(app->cfg, "display.mask"), "off") != 0;
    s.b.how.clean = !app->json;
    s.b.how.indent = app->json ? 0 : 2;
    st = run(&s, &err);
    ft_topic_read_fini(&s.b.read);
    ft_buf_fini(&s.b.buf);
    ft_bus_close(s.b.bus);
    fflush(stdout);
    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    return ft_stop_exit(0);
}
