/*
 * Topics, partitions and messages for the Health screen.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console_ask.h"
#include "fraudtop/txn.h"
#include "topic_read.h"

#define ASK_MS 2000     /* for one question to the broker */
#define READ_MS 2500    /* for reading messages; a search takes what it found by then */
#define MOST 500        /* messages in an answer */
#define VALUE_MAX 16384 /* of a message that is shown */

/* ---- partitions ----------------------------------------------------------------------------------------- */

/* What the lag gains a second (negative: it shrinks) since the last question; NaN: not known yet. */
static double slope(struct ft_console *c, const char *topic, const struct ft_partition_info *p,
                    int64_t now_ms)
{
    struct ft_part_seen *free_one = NULL;
    double v = (double)NAN;

    for (size_t i = 0; i < FT_PARTS_SEEN; i++) {
        struct ft_part_seen *s = &c->part_seen[i];

        if (!s->topic[0] && !free_one)
            free_one = s;
        if (s->partition != p->partition || strcmp(s->topic, topic) != 0)
            continue;
        if (now_ms > s->at_ms + 200)
            v = (double)(ft_partition_lag(p) - s->lag) * 1000 / (double)(now_ms - s->at_ms);
        s->lag = ft_partition_lag(p);
        s->at_ms = now_ms;
        return v;
    }
    if (free_one) {
        snprintf(free_one->topic, sizeof(free_one->topic), "%s", topic);
        free_one->partition = p->partition;
        free_one->lag = ft_partition_lag(p);
        free_one->at_ms = now_ms;
    }
    return v;
}

static enum ft_status add_partitions(struct ft_console *c, cJSON *list, const char *topic,
                                     const char *group, struct ft_err *err)
{
    struct ft_partition_info *p = NULL;
    size_t n = 0;
    struct ft_bus *bus = c->pipeline->pipe.bus;
    enum ft_status st = ft_bus_partitions(bus, topic, group, ASK_MS, &p, &n, err);

    if (st == FT_OK)
        st = ft_bus_owners(bus, topic, group, ASK_MS, p, n, err);
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        cJSON *o = cJSON_CreateObject();
        double per_s = slope(c, topic, &p[i], ft_now_ms());

        cJSON_AddStringToObject(o, "topic", topic);
        cJSON_AddNumberToObject(o, "partition", p[i].partition);
        cJSON_AddNumberToObject(o, "end", (double)p[i].high);
        if (p[i].committed >= 0)
            cJSON_AddNumberToObject(o, "committed", (double)p[i].committed);
        cJSON_AddNumberToObject(o, "lag", (double)ft_partition_lag(&p[i]));
        if (!isnan(per_s))
            cJSON_AddNumberToObject(o, "per_s", per_s);
        cJSON_AddStringToObject(o, "owner", p[i].owner);
        cJSON_AddItemToArray(list, o);
    }
    free(p);
    return st;
}

enum ft_status ft_ask_partitions(struct ft_console *c, const cJSON *args, cJSON *out,
                                 struct ft_err *err)
{
    const struct ft_topics *t = &c->pipeline->pipe.topics;
    cJSON *list = cJSON_AddArrayToObject(out, "partitions");
    enum ft_status st =
        add_partitions(c, list, t->transactions, ft_app_group(c->app, "score"), err);

    (void)args;
    if (st == FT_OK)
        st = add_partitions(c, list, t->scoring, ft_app_group(c->app, "sink"), err);
    return st;
}

/* ---- topics --------------------------------------------------------------------------------------------- */

/* The group that reads a topic of ours; NULL: none. */
static const char *group_of(struct ft_console *c, const char *topic)
{
    const struct ft_topics *t = &c->pipeline->pipe.topics;

    return strcmp(topic, t->transactions) == 0 ? ft_app_group(c->app, "score")
           : strcmp(topic, t->scoring) == 0    ? ft_app_group(c->app, "sink")
                                               : NULL;
}

static void add_topic(struct ft_console *c, cJSON *list, const struct ft_topic_info *t)
{
    const char *group = group_of(c, t->name);
    cJSON *o = cJSON_CreateObject();
    int64_t lag;

    cJSON_AddStringToObject(o, "topic", t->name);
    cJSON_AddNumberToObject(o, "partitions", t->partitions);
    if (t->messages >= 0)
        cJSON_AddNumberToObject(o, "messages", (double)t->messages);
    if (group && ft_bus_lag(c->pipeline->pipe.bus, t->name, group, ASK_MS, &lag, NULL) == FT_OK) {
        cJSON_AddStringToObject(o, "group", group);
        cJSON_AddNumberToObject(o, "lag", (double)lag);
    }
    cJSON_AddItemToArray(list, o);
}

static int by_name(const void *a, const void *b)
{
    const struct ft_topic_info *x = a, *y = b;

    return strcmp(x->name, y->name);
}

enum ft_status ft_ask_topics(struct ft_console *c, const cJSON *args, cJSON *out,
                             struct ft_err *err)
{
    cJSON *list = cJSON_AddArrayToObject(out, "topics");
    struct ft_topic_info *t = NULL;
    size_t n = 0;
    enum ft_status st = ft_bus_topics(c->pipeline->pipe.bus, ASK_MS, &t, &n, err);

    (void)args;
    n = ft_topics_of_users(t, n);
    if (st == FT_OK)
        st = ft_bus_count(c->pipeline->pipe.bus, t, n, ASK_MS, err);
    if (st == FT_OK)
        qsort(t, n, sizeof(*t), by_name);
    for (size_t i = 0; st == FT_OK && i < n; i++)
        add_topic(c, list, &t[i]);
    free(t);
    return st;
}

/* ---- messages ------------------------------------------------------------------------------------------- */

static void put_time(char *out, size_t size, int64_t ms)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    *out = '\0';
    if (ms < 0 || !gmtime_r(&s, &tm))
        return;
    strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + strlen(out), size - strlen(out), ".%03dZ", (int)(ms % 1000));
}

/* Why a dead letter is one, and whence it came. */
static void add_headers(cJSON *o, const struct ft_msg *m, struct ft_buf *text)
{
    struct ft_header h[16];
    size_t n = ft_msg_headers(m, h, 16);

    ft_buf_clear(text);
    ft_buf_char(text, '{');
    for (size_t i = 0; i < n; i++) {
        ft_buf_text(text, i ? "," : "");
        ft_buf_json(text, ft_span_of(h[i].name));
        ft_buf_char(text, ':');
        ft_buf_json(text, h[i].value);
    }
    ft_buf_char(text, '}');
    if (!text->failed)
        cJSON_AddItemToObject(o, "headers", cJSON_CreateRaw(text->p));
}

static cJSON *message(const struct ft_msg *m)
{
    cJSON *o = cJSON_CreateObject();
    struct ft_buf text;
    char at[40];

    put_time(at, sizeof(at), m->timestamp_ms);
    cJSON_AddStringToObject(o, "topic", m->topic);
    cJSON_AddNumberToObject(o, "partition", m->partition);
    cJSON_AddNumberToObject(o, "offset", (double)m->offset);
    cJSON_AddStringToObject(o, "timestamp", at);
    cJSON_AddNumberToObject(o, "bytes", (double)m->value.n);
    ft_buf_init(&text, 8 * VALUE_MAX);
    for (size_t i = 0; i < m->key.n && i < 32; i++)
        ft_buf_fmt(&text, "%02x", (unsigned char)m->key.p[i]);
    cJSON_AddStringToObject(o, "key", text.n ? text.p : "");
    add_headers(o, m, &text);
    ft_buf_clear(&text);
    ft_buf_json(&text,
                (struct ft_span){m->value.p, m->value.n < VALUE_MAX ? m->value.n : VALUE_MAX});
    if (!text.failed) /* a string: escaped, whatever it held */
        cJSON_AddItemToObject(o, "value", cJSON_CreateRaw(text.p));
    ft_buf_fini(&text);
    return o;
}

struct browse {
    struct ft_topic_read read;
    struct ft_needle needle;
    bool find, from_offset, from_time; /* from: on from there, else the newest of all */
    size_t limit;
    char name[4][250]; /* of the topics that are searched */
    cJSON *found;      /* in order of reading */
};

/* One topic, or all that a transaction goes through. */
static enum ft_status add_topics(struct ft_console *c, struct browse *b, const cJSON *args,
                                 struct ft_err *err)
{
    static const char *const suffix[] = {"", ".dlq"};
    const struct ft_topics *t = &c->pipeline->pipe.topics;
    const char *topic = ft_ask_word(args, "topic");
    enum ft_status st = FT_OK;

    if (topic) {
        snprintf(b->name[0], sizeof(b->name[0]), "%s", topic);
        return ft_topic_read_add(&b->read, b->name[0],
                                 (int64_t)ft_ask_number(args, "partition", -1), err);
    }
    for (int i = 0; i < 4 && st == FT_OK; i++) {
        snprintf(b->name[i], sizeof(b->name[i]), "%.240s%s", i < 2 ? t->transactions : t->scoring,
                 suffix[i % 2]);
        st = ft_topic_read_add(&b->read, b->name[i], -1, err);
        if (st == FT_EINPUT) /* not there (yet) */
            st = FT_OK;
    }
    return st;
}

static enum ft_status where_to_begin(struct browse *b, const cJSON *args, struct ft_err *err)
{
    const char *at = ft_ask_word(args, "at"), *find = ft_ask_word(args, "find");
    double offset = ft_ask_number(args, "offset", -1);
    struct ft_uuid id;
    struct ft_time t;
    int64_t ms;

    if (find && !ft_uuid_parse(&id, ft_span_of(find)))
        return ft_fail(err, FT_EUSAGE, "\"%s\" is no transaction id (a UUID), offset or @time",
                       find);
    if (find) {
        b->find = true;
        ft_needle_init(&b->needle, &id);
        return ft_sent_after(&id, &ms) ? ft_topic_read_at(&b->read, ms, err) : FT_OK;
    }
    if (at && !ft_parse_time(ft_span_of(at), &t))
        return ft_fail(err, FT_EUSAGE, "\"%s\" is no time: YYYY-MM-DD HH:MM:SS in UTC", at);
    b->from_time = at != NULL;
    b->from_offset = !at && offset >= 0;
    if (at)
        return ft_topic_read_at(&b->read, t.unix_s * 1000, err);
    ft_topic_read_from(&b->read, offset >= 0 ? (int64_t)offset : -(int64_t)b->limit);
    return FT_OK;
}

static enum ft_status read_messages(struct ft_console *c, struct browse *b, struct ft_err *err)
{
    int64_t until = ft_now_ms() + READ_MS;
    size_t most = b->find ? b->limit : b->limit * (b->read.n_parts + 1);
    enum ft_status st = FT_OK;

    while ((st == FT_OK || st == FT_AGAIN) && ft_now_ms() < until && !c->stop &&
           (size_t)cJSON_GetArraySize(b->found) < most) {
        struct ft_msg m;

        st = ft_topic_read_next(&b->read, &m, err);
        if (st != FT_OK)
            continue;
        if (!b->find || ft_needle_in(&b->needle, m.value))
            cJSON_AddItemToArray(b->found, message(&m));
        ft_msg_done(&m);
    }
    return st == FT_AGAIN || st == FT_END ? FT_OK : st;
}

static int newest_first(const void *a, const void *b)
{
    const cJSON *x = *(cJSON *const *)a, *y = *(cJSON *const *)b;
    const char *tx = ft_ask_word(x, "timestamp"), *ty = ft_ask_word(y, "timestamp");
    int by_time = strcmp(ty ? ty : "", tx ? tx : "");
    double d = ft_ask_number(y, "offset", 0) - ft_ask_number(x, "offset", 0);

    return by_time ? by_time : (d > 0) - (d < 0);
}

static int oldest_first(const void *a, const void *b)
{
    return newest_first(b, a);
}

/* The one that was asked for is on top, that of each partition. */
static int by_offset(const void *a, const void *b)
{
    const cJSON *x = *(cJSON *const *)a, *y = *(cJSON *const *)b;
    double d = ft_ask_number(x, "offset", 0) - ft_ask_number(y, "offset", 0);

    if (!(d < 0) && !(d > 0))
        d = ft_ask_number(x, "partition", 0) - ft_ask_number(y, "partition", 0);
    return (d > 0) - (d < 0);
}

static void give(cJSON *out, struct browse *b)
{
    int n = cJSON_GetArraySize(b->found), limit = (int)b->limit;
    cJSON **all = malloc(sizeof(*all) * (size_t)(n + 1)),
          *list = cJSON_AddArrayToObject(out, "messages");

    for (int i = 0; all && i < n; i++)
        all[i] = cJSON_DetachItemFromArray(b->found, 0);
    if (all)
        qsort(all, (size_t)n, sizeof(*all),
              b->from_offset ? by_offset
              : b->from_time ? oldest_first
                             : newest_first);
    for (int i = 0; all && i < n; i++) {
        if (i < limit)
            cJSON_AddItemToArray(list, all[i]);
        else
            cJSON_Delete(all[i]);
    }
    free(all);
}

enum ft_status ft_ask_messages(struct ft_console *c, const cJSON *args, cJSON *out,
                               struct ft_err *err)
{
    struct browse *b = calloc(1, sizeof(*b));
    enum ft_status st;

    if (!b)
        return ft_fail(err, FT_ENOMEM, "no memory for messages");
    b->read = (struct ft_topic_read){
        .bus = c->pipeline->pipe.bus, .timeout_ms = ASK_MS, .queued_kbytes = 8192};
    b->limit = (size_t)ft_ask_number(args, "limit", 50);
    b->limit = b->limit < 1 ? 1 : b->limit > MOST ? MOST : b->limit;
    b->found = cJSON_CreateArray();
    st = add_topics(c, b, args, err);
    if (st == FT_OK)
        st = where_to_begin(b, args, err);
    if (st == FT_OK)
        st = read_messages(c, b, err);
    if (st == FT_OK)
        give(out, b);
    ft_topic_read_fini(&b->read);
    cJSON_Delete(b->found);
    free(b);
    return st;
}
