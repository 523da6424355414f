/*
 * Topics, partitions and messages for the Health screen: the console's worker reads them with a consumer of its own,
 * without a group, so that looking changes nothing.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console_ask.h"

#define ASK_MS 2000     /* for one question to the broker */
#define READ_MS 2500    /* for reading messages; a search takes what it found by then */
#define MOST 500        /* messages in an answer */
#define VALUE_MAX 16384 /* of a message that is shown */

static double number(const cJSON *o, const char *name, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

static const char *word(const cJSON *o, const char *name)
{
    const char *v = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    return v && *v ? v : NULL;
}

/* ---- partitions ----------------------------------------------------------------------------------------- */

/* Committed a second since the last question, from what was committed then. */
static double speed(struct ft_console *c, const char *topic, const struct ft_partition_info *p,
                    int64_t now_ms)
{
    struct ft_part_seen *free_one = NULL;
    double v = -1;

    for (size_t i = 0; i < FT_PARTS_SEEN; i++) {
        struct ft_part_seen *s = &c->part_seen[i];

        if (!s->topic[0] && !free_one)
            free_one = s;
        if (s->partition != p->partition || strcmp(s->topic, topic) != 0)
            continue;
        if (now_ms > s->at_ms + 200)
            v = (double)(p->committed - s->committed) * 1000 / (double)(now_ms - s->at_ms);
        s->committed = p->committed;
        s->at_ms = now_ms;
        return v;
    }
    if (free_one) {
        snprintf(free_one->topic, sizeof(free_one->topic), "%s", topic);
        free_one->partition = p->partition;
        free_one->committed = p->committed;
        free_one->at_ms = now_ms;
    }
    return v;
}

static enum ft_status add_partitions(struct ft_console *c, cJSON *list, const char *topic,
                                     const char *group, struct ft_err *err)
{
    struct ft_partition_info *p = NULL;
    size_t n = 0;
    enum ft_status st = ft_bus_partitions(c->pipeline->pipe.bus, topic, group, ASK_MS, &p, &n, err);

    for (size_t i = 0; st == FT_OK && i < n; i++) {
        cJSON *o = cJSON_CreateObject();
        int64_t from = p[i].committed >= 0 ? p[i].committed : p[i].low;
        double per_s = speed(c, topic, &p[i], ft_now_ms());

        cJSON_AddStringToObject(o, "topic", topic);
        cJSON_AddNumberToObject(o, "partition", p[i].partition);
        cJSON_AddNumberToObject(o, "end", (double)p[i].high);
        if (p[i].committed >= 0)
            cJSON_AddNumberToObject(o, "committed", (double)p[i].committed);
        cJSON_AddNumberToObject(o, "lag", (double)(p[i].high > from ? p[i].high - from : 0));
        if (per_s >= 0)
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

enum ft_status ft_ask_topics(struct ft_console *c, const cJSON *args, cJSON *out,
                             struct ft_err *err)
{
    struct ft_bus *bus = c->pipeline->pipe.bus;
    cJSON *list = cJSON_AddArrayToObject(out, "topics");
    struct ft_topic_info *t = NULL;
    size_t n = 0;
    enum ft_status st = ft_bus_topics(bus, ASK_MS, &t, &n, err);

    (void)args;
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        cJSON *o = cJSON_CreateObject();
        struct ft_partition_info *p = NULL;
        size_t n_parts = 0;
        double messages = 0;

        cJSON_AddStringToObject(o, "topic", t[i].name);
        cJSON_AddNumberToObject(o, "partitions", t[i].partitions);
        if (ft_bus_partitions(bus, t[i].name, NULL, ASK_MS, &p, &n_parts, err) == FT_OK) {
            for (size_t k = 0; k < n_parts; k++)
                messages += (double)(p[k].high - p[k].low);
            cJSON_AddNumberToObject(o, "messages", messages);
        }
        free(p);
        cJSON_AddItemToArray(list, o);
    }
    free(t);
    return st;
}

/* ---- messages ------------------------------------------------------------------------------------------- */

struct browse {
    const char *topic, *find;
    double partition, offset, at_ms; /* NaN, -1: not given */
    size_t limit;
    struct ft_assigned part[256];
    int64_t end[256];
    size_t n;
    cJSON *found; /* in order of reading */
};

static void add_message(struct browse *b, const struct ft_msg *m)
{
    cJSON *o = cJSON_CreateObject();
    struct ft_buf text;
    char at[40];
    time_t s = (time_t)(m->timestamp_ms / 1000);
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(at + strlen(at), sizeof(at) - strlen(at), ".%03dZ", (int)(m->timestamp_ms % 1000));
    cJSON_AddNumberToObject(o, "partition", m->partition);
    cJSON_AddNumberToObject(o, "offset", (double)m->offset);
    cJSON_AddStringToObject(o, "timestamp", m->timestamp_ms >= 0 ? at : "");
    cJSON_AddNumberToObject(o, "bytes", (double)m->value.n);
    ft_buf_init(&text, 8 * VALUE_MAX);
    for (size_t i = 0; i < m->key.n && i < 32; i++)
        ft_buf_fmt(&text, "%02x", (unsigned char)m->key.p[i]);
    cJSON_AddStringToObject(o, "key", text.n ? text.p : "");
    ft_buf_clear(&text);
    ft_buf_json(&text,
                (struct ft_span){m->value.p, m->value.n < VALUE_MAX ? m->value.n : VALUE_MAX});
    if (!text.failed)
        cJSON_AddItemToObject(o, "value",
                              cJSON_CreateRaw(text.p)); /* a string: escaped, whatever it held */
    ft_buf_fini(&text);
    cJSON_AddItemToArray(b->found, o);
    if ((size_t)cJSON_GetArraySize(b->found) > b->limit * b->n + MOST)
        cJSON_DeleteItemFromArray(b->found, 0);
}

static bool holds(struct ft_span text, const char *needle)
{
    size_t n = strlen(needle);

    for (size_t i = 0; n && i + n <= text.n; i++)
        if (memcmp(text.p + i, needle, n) == 0)
            return true;
    return false;
}

/* Where to begin: at the offset, the time, the start of the id's run, or so many before the end. */
static int64_t begin(struct ft_console *c, const struct browse *b,
                     const struct ft_partition_info *p)
{
    int64_t start = p->high - (int64_t)b->limit, at = -1;
    struct ft_uuid id;
    struct ft_run run;
    uint64_t row;

    if (b->find && ft_uuid_parse(&id, ft_span_of(b->find)) && ft_uuid_to_row(&id, &run, &row))
        at = (int64_t)run.start_ms;
    if (b->at_ms >= 0)
        at = (int64_t)b->at_ms;
    if (b->offset >= 0)
        start = (int64_t)b->offset;
    else if (at >= 0 && ft_bus_offset_at(c->pipeline->pipe.bus, b->topic, p->partition, at, ASK_MS,
                                         &start, NULL) != FT_OK)
        start = p->low;
    else if (b->find && at < 0)
        start = p->low;
    return start < p->low ? p->low : start;
}

static enum ft_status prepare(struct ft_console *c, struct browse *b, struct ft_err *err)
{
    struct ft_partition_info *p = NULL;
    size_t n = 0;
    enum ft_status st =
        ft_bus_partitions(c->pipeline->pipe.bus, b->topic, NULL, ASK_MS, &p, &n, err);

    for (size_t i = 0; st == FT_OK && i < n && b->n < 256; i++) {
        if (b->partition >= 0 && p[i].partition != (int32_t)b->partition)
            continue;
        b->end[b->n] = p[i].high;
        b->part[b->n] = (struct ft_assigned){
            .topic = b->topic, .partition = p[i].partition, .start = begin(c, b, &p[i])};
        b->n += b->part[b->n].start < p[i].high; /* one with nothing to read is left out */
    }
    free(p);
    return st;
}

static size_t left(const struct browse *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->part[i].start < b->end[i];
    return n;
}

static enum ft_status read_messages(struct ft_console *c, struct browse *b, struct ft_err *err)
{
    const struct ft_consumer_opts opts = {.queued_kbytes = 8192, .read_uncommitted = true};
    int64_t until = ft_now_ms() + READ_MS;
    struct ft_consumer *in = NULL;
    struct ft_msg m;
    enum ft_status st;

    if (!b->n)
        return FT_OK;
    st = ft_consumer_new(&in, c->pipeline->pipe.bus, &opts, err);
    if (st == FT_OK)
        st = ft_consumer_assign(in, b->part, b->n, err);
    while (st == FT_OK && left(b) && ft_now_ms() < until && !c->stop) {
        enum ft_status got = ft_consumer_poll(in, 100, &m, err);

        if (got != FT_OK)
            continue;
        for (size_t i = 0; i < b->n; i++)
            if (b->part[i].partition == m.partition)
                b->part[i].start = m.offset + 1;
        if (!b->find || holds(m.value, b->find))
            add_message(b, &m);
        ft_msg_done(&m);
        if (b->find && (size_t)cJSON_GetArraySize(b->found) >= b->limit)
            break;
    }
    if (in)
        ft_consumer_close(in, 200);
    return st;
}

static int newest_first(const void *a, const void *b)
{
    const cJSON *x = *(cJSON *const *)a, *y = *(cJSON *const *)b;
    int by_time = strcmp(word(y, "timestamp") ? word(y, "timestamp") : "",
                         word(x, "timestamp") ? word(x, "timestamp") : "");
    double d = number(y, "offset", 0) - number(x, "offset", 0);

    return by_time ? by_time : (d > 0) - (d < 0);
}

static void give_newest(cJSON *out, struct browse *b)
{
    int n = cJSON_GetArraySize(b->found);
    cJSON **all = malloc(sizeof(*all) * (size_t)(n + 1)),
          *list = cJSON_AddArrayToObject(out, "messages");

    for (int i = 0; all && i < n; i++)
        all[i] = cJSON_DetachItemFromArray(b->found, 0);
    if (all)
        qsort(all, (size_t)n, sizeof(*all), newest_first);
    for (int i = 0; all && i < n; i++) {
        if ((size_t)i < b->limit)
            cJSON_AddItemToArray(list, all[i]);
        else
            cJSON_Delete(all[i]);
    }
    free(all);
}

enum ft_status ft_ask_messages(struct ft_console *c, const cJSON *args, cJSON *out,
                               struct ft_err *err)
{
    const char *at = word(args, "at");
    struct browse *b = calloc(1, sizeof(*b));
    struct ft_time t;
    enum ft_status st = FT_OK;

    if (!b)
        return ft_fail(err, FT_ENOMEM, "no memory for messages");
    b->topic = word(args, "topic");
    b->find = word(args, "find");
    b->partition = number(args, "partition", -1);
    b->offset = number(args, "offset", -1);
    b->limit = (size_t)number(args, "limit", 50);
    b->limit = b->limit < 1 ? 1 : b->limit > MOST ? MOST : b->limit;
    b->at_ms = number(args, "at", -1);
    b->found = cJSON_CreateArray();
    if (at && ft_parse_time(ft_span_of(at), &t))
        b->at_ms = (double)t.unix_s * 1000;
    else if (at)
        st = ft_fail(err, FT_EUSAGE, "\"%s\" is no time: YYYY-MM-DD HH:MM:SS in UTC", at);
    if (!b->topic)
        st = ft_fail(err, FT_EUSAGE, "which topic?");
    if (st == FT_OK)
        st = prepare(c, b, err);
    if (st == FT_OK)
        st = read_messages(c, b, err);
    if (st == FT_OK)
        give_newest(out, b);
    cJSON_Delete(b->found);
    free(b);
    return st;
}
