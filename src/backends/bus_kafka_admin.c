/* Questions about the cluster: topics, partitions, groups, offsets; and making topics. */
#include "bus_kafka.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define HOUR_MS 3600000

static struct kb_bus *kb(struct ft_bus *bus)
{
    return (struct kb_bus *)bus;
}

static enum ft_status fail_topic(rd_kafka_resp_err_t e, const char *topic, struct ft_err *err)
{
    return ft_fail(err, kb_status(e), "topic %s: %s", topic, kb_text(e));
}

/* Passes by itself, as after a topic was made or its leader changed: true after a moment, while there is time. */
static bool again(rd_kafka_resp_err_t e, int64_t deadline)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
        break;
    default:
        return false;
    }
    if (ft_now_ms() + 50 >= deadline)
        return false;
    ft_sleep_ms(50);
    return true;
}

/* To the broker as times: the first and the next offset. */
enum { FIRST = -2, NEXT = -1 };

static rd_kafka_resp_err_t ask_offsets(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                       int64_t time, int64_t deadline)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time;
    return list->cnt ? rd_kafka_offsets_for_times(rk, list, kb_left(deadline))
                     : RD_KAFKA_RESP_ERR_NO_ERROR;
}

/*
 * Not rd_kafka_query_watermark_offsets: that asks one partition after the other, and waits for as long as a broker hangs.
 */
rd_kafka_resp_err_t kb_watermarks(rd_kafka_t *rk, const char *topic, struct ft_partition_info *part,
                                  size_t n, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    int64_t deadline = ft_now_ms() + timeout_ms;
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, topic, part[i].partition);
    for (int time = FIRST; !e && time <= NEXT; time++)
        do {
            e = ask_offsets(rk, list, time, deadline);
            for (int i = 0; !e && i < list->cnt; i++) {
                e = list->elems[i].err;
                *(time == FIRST ? &part[i].low : &part[i].high) = list->elems[i].offset;
            }
        } while (again(e, deadline));
    rd_kafka_topic_partition_list_destroy(list);
    return e;
}

enum ft_status kb_cluster_id(struct ft_bus *bus, int timeout_ms, char *out, size_t size,
                             struct ft_err *err)
{
    struct kb_bus *b = kb(bus);
    int64_t deadline = ft_now_ms() + timeout_ms;
    enum ft_status st = kb_reach(b, deadline, err);
    char *id;

    if (st != FT_OK)
        return st;
    id = rd_kafka_clusterid(b->admin.rk, kb_left(deadline));
    if (!id)
        return ft_fail(err, FT_EUNREACHABLE, "%s: the cluster does not tell its id", b->brokers);
    snprintf(out, size, "%s", id);
    rd_kafka_mem_free(b->admin.rk, id);
    return FT_OK;
}

/* All topics at once: asking for a single one would make it, where the broker is so inclined. */
static enum ft_status metadata(struct kb_bus *b, int64_t deadline,
                               const struct rd_kafka_metadata **md, struct ft_err *err)
{
    enum ft_status st = kb_reach(b, deadline, err);
    rd_kafka_resp_err_t e;

    if (st != FT_OK)
        return st;
    e = rd_kafka_metadata(b->admin.rk, 1, NULL, md, kb_left(deadline));
    if (e)
        return ft_fail(err, kb_status(e), "%s: list of topics: %s", b->brokers, kb_text(e));
    return FT_OK;
}

static const struct rd_kafka_metadata_topic *find_topic(const struct rd_kafka_metadata *md,
                                                        const char *name)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0)
            return &md->topics[i];
    return NULL;
}

/* ---- making topics --------------------------------------------------------------------------------- */

static rd_kafka_NewTopic_t *new_topic(const struct ft_topic_spec *s, struct ft_err *err)
{
    char text[200], number[32];
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(
        s->name, s->partitions, s->replication > 0 ? s->replication : -1, text, sizeof(text));

    if (!t) {
        ft_fail(err, FT_EUSAGE, "topic %s: %s", s->name, text);
        return NULL;
    }
    if (s->retention_ms > 0 && !s->compacted) {
        snprintf(number, sizeof(number), "%" PRId64, s->retention_ms);
        rd_kafka_NewTopic_set_config(t, "retention.ms", number);
    }
    if (s->max_message_bytes > 0) {
        snprintf(number, sizeof(number), "%d", s->max_message_bytes);
        rd_kafka_NewTopic_set_config(t, "max.message.bytes", number);
    }
    if (s->compacted) { /* with the broker's segments of 7 days or 1 GiB nothing would be compacted for long */
        rd_kafka_NewTopic_set_config(t, "cleanup.policy", "compact");
        rd_kafka_NewTopic_set_config(t, "segment.ms", "600000");
        rd_kafka_NewTopic_set_config(t, "segment.bytes", "67108864");
        rd_kafka_NewTopic_set_config(t, "min.cleanable.dirty.ratio", "0.2");
    }
    return t;
}

static enum ft_status created(struct kb_bus *b, rd_kafka_event_t *ev, struct ft_err *err)
{
    const rd_kafka_CreateTopics_result_t *r = rd_kafka_event_CreateTopics_result(ev);
    rd_kafka_resp_err_t e = rd_kafka_event_error(ev);
    const rd_kafka_topic_result_t **list;
    size_t n = 0;

    if (e || !r)
        return ft_fail(err, kb_status(e), "%s: topics could not be made: %s", b->brokers,
                       kb_text(e));
    list = rd_kafka_CreateTopics_result_topics(r, &n);
    for (size_t i = 0; i < n; i++) {
        const char *why = rd_kafka_topic_result_error_string(list[i]);

        e = rd_kafka_topic_result_error(list[i]);
        if (e && e != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return ft_fail(err, kb_status(e), "topic %s could not be made: %s",
                           rd_kafka_topic_result_name(list[i]), why ? why : kb_text(e));
        if (!e)
            ft_log(FT_INFO, "kafka", "topic %s was made", rd_kafka_topic_result_name(list[i]));
    }
    return FT_OK;
}

static enum ft_status create(struct kb_bus *b, rd_kafka_NewTopic_t **list, size_t n,
                             int64_t deadline, struct ft_err *err)
{
    rd_kafka_t *rk = b->admin.rk;
    rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    int left = kb_left(deadline);
    rd_kafka_event_t *ev;
    enum ft_status st;

    rd_kafka_AdminOptions_set_request_timeout(o, left, NULL, 0);
    rd_kafka_AdminOptions_set_operation_timeout(o, left, NULL, 0);
    rd_kafka_CreateTopics(rk, list, n, o, q);
    ev = rd_kafka_queue_poll(q, left + 1000);
    st = ev ? created(b, ev, err)
            : ft_fail(err, FT_EUNREACHABLE, "%s: topics could not be made in time", b->brokers);
    if (ev)
        rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
    rd_kafka_AdminOptions_destroy(o);
    return st;
}

static enum ft_status grown(const char *topic, rd_kafka_event_t *ev, struct ft_err *err)
{
    const rd_kafka_CreatePartitions_result_t *r = rd_kafka_event_CreatePartitions_result(ev);
    rd_kafka_resp_err_t e = rd_kafka_event_error(ev);
    const rd_kafka_topic_result_t **list;
    size_t n = 0;

    if (!e && r) {
        list = rd_kafka_CreatePartitions_result_topics(r, &n);
        e = n ? rd_kafka_topic_result_error(list[0]) : 0;
    }
    /* Somebody else was first: what it has now is seen by whoever asks. */
    if (e && e != RD_KAFKA_RESP_ERR_INVALID_PARTITIONS)
        return ft_fail(err, kb_status(e), "topic %s: no more partitions could be made: %s", topic,
                       kb_text(e));
    if (!e)
        ft_log(FT_INFO, "kafka", "topic %s has more partitions", topic);
    return FT_OK;
}

static enum ft_status grow(struct kb_bus *b, const struct ft_topic_spec *s, int64_t deadline,
                           struct ft_err *err)
{
    char text[200];
    rd_kafka_NewPartitions_t *p =
        rd_kafka_NewPartitions_new(s->name, (size_t)s->partitions, text, sizeof(text));
    rd_kafka_t *rk = b->admin.rk;
    rd_kafka_AdminOptions_t *o;
    rd_kafka_queue_t *q;
    rd_kafka_event_t *ev;
    enum ft_status st;

    if (!p)
        return ft_fail(err, FT_EUSAGE, "topic %s: %s", s->name, text);
    o = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    q = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_set_request_timeout(o, kb_left(deadline), NULL, 0);
    rd_kafka_CreatePartitions(rk, &p, 1, o, q);
    ev = rd_kafka_queue_poll(q, kb_left(deadline) + 1000);
    st = ev ? grown(s->name, ev, err)
            : ft_fail(err, FT_EUNREACHABLE, "topic %s: no more partitions in time", s->name);
    if (ev)
        rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
    rd_kafka_AdminOptions_destroy(o);
    rd_kafka_NewPartitions_destroy(p);
    return st;
}

/* Whether all topics are there with a leader for each partition. */
static bool all_there(const struct rd_kafka_metadata *md, const struct ft_topic_spec *spec,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rd_kafka_metadata_topic *t = find_topic(md, spec[i].name);

        if (!t || t->err || !t->partition_cnt ||
            (spec[i].grow && t->partition_cnt < spec[i].partitions))
            return false;
        for (int k = 0; k < t->partition_cnt; k++)
            if (t->partitions[k].leader < 0)
                return false;
    }
    return true;
}

static enum ft_status wait_until_there(struct kb_bus *b, const struct ft_topic_spec *spec, size_t n,
                                       int64_t deadline, struct ft_err *err)
{
    for (;;) {
        const struct rd_kafka_metadata *md;
        enum ft_status st = metadata(b, deadline, &md, err);
        bool there;

        if (st != FT_OK)
            return st;
        there = all_there(md, spec, n);
        rd_kafka_metadata_destroy(md);
        if (there)
            return FT_OK;
        if (ft_now_ms() >= deadline)
            return ft_fail(err, FT_EUNREACHABLE, "%s: the topics have no leader yet", b->brokers);
        ft_sleep_ms(50);
    }
}

enum ft_status kb_ensure_topics(struct ft_bus *bus, const struct ft_topic_spec *spec, size_t n,
                                int timeout_ms, struct ft_err *err)
{
    struct kb_bus *b = kb(bus);
    int64_t deadline = ft_now_ms() + timeout_ms;
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_NewTopic_t **list = calloc(n ? n : 1, sizeof(rd_kafka_NewTopic_t *));
    size_t n_new = 0;
    enum ft_status st;

    if (!list)
        return ft_fail(err, FT_ENOMEM, "kafka: no memory");
    st = metadata(b, deadline, &md, err);
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        const struct rd_kafka_metadata_topic *t = find_topic(md, spec[i].name);

        if (t && spec[i].grow && t->partition_cnt < spec[i].partitions)
            st = grow(b, &spec[i], deadline, err);
        if (t)
            continue;
        list[n_new] = new_topic(&spec[i], err);
        if (list[n_new])
            n_new++;
        else
            st = FT_EUSAGE;
    }
    if (!md)
        goto out;
    if (st == FT_OK && n_new)
        st = create(b, list, n_new, deadline, err);
    if (st == FT_OK)
        st = wait_until_there(b, spec, n, deadline, err);
    rd_kafka_metadata_destroy(md);
out:
    rd_kafka_NewTopic_destroy_array(list, n_new);
    free(list);
    return st;
}

/* ---- questions ------------------------------------------------------------------------------------- */

enum ft_status kb_topics(struct ft_bus *bus, int timeout_ms, struct ft_topic_info **out, size_t *n,
                         struct ft_err *err)
{
    const struct rd_kafka_metadata *md;
    enum ft_status st = metadata(kb(bus), ft_now_ms() + timeout_ms, &md, err);

    if (st != FT_OK)
        return st;
    *out = calloc((size_t)md->topic_cnt + 1, sizeof(**out));
    for (int i = 0; *out && i < md->topic_cnt; i++) {
        snprintf((*out)[*n].name, sizeof((*out)[*n].name), "%s", md->topics[i].topic);
        (*out)[*n].messages = -1;
        (*out)[(*n)++].partitions = md->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(md);
    return *out ? FT_OK : ft_fail(err, FT_ENOMEM, "kafka: no memory");
}

/* Adds sign times the offsets; list holds the partitions of all topics, one topic after the other. */
static void add_offsets(const rd_kafka_topic_partition_list_t *list, struct ft_topic_info *topics,
                        size_t n, int sign, rd_kafka_resp_err_t e)
{
    int at = 0;

    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < topics[i].partitions; k++, at++) {
            if (e || list->elems[at].err)
                topics[i].messages = -1;
            if (topics[i].messages >= 0)
                topics[i].messages += sign * list->elems[at].offset;
        }
}

/* The leaders of a topic just made are not known everywhere at once. */
static rd_kafka_resp_err_t offsets_of_leaders(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                              int64_t time, int64_t deadline)
{
    rd_kafka_resp_err_t e;

    do {
        e = ask_offsets(rk, list, time, deadline);
    } while ((e == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
              e == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) &&
             again(e, deadline));
    return e;
}

enum ft_status kb_count(struct ft_bus *bus, struct ft_topic_info *topics, size_t n, int timeout_ms,
                        struct ft_err *err)
{
    struct kb_bus *b = kb(bus);
    int64_t deadline = ft_now_ms() + timeout_ms;
    rd_kafka_topic_partition_list_t *list;
    enum ft_status st = kb_reach(b, deadline, err);
    rd_kafka_resp_err_t e;

    if (st != FT_OK)
        return st;
    list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        topics[i].messages = 0;
        for (int k = 0; k < topics[i].partitions; k++)
            rd_kafka_topic_partition_list_add(list, topics[i].name, k);
    }
    e = offsets_of_leaders(b->admin.rk, list, NEXT, deadline);
    add_offsets(list, topics, n, 1, e);
    if (!e) {
        e = offsets_of_leaders(b->admin.rk, list, FIRST, deadline);
        add_offsets(list, topics, n, -1, e);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (e == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) /* what it says when none has a leader */
        return FT_OK;
    return e ? ft_fail(err, kb_status(e), "%s: offsets: %s", b->brokers, kb_text(e)) : FT_OK;
}

static rd_kafka_event_t *describe(struct kb_client *c, const char *group, int64_t deadline)
{
    rd_kafka_AdminOptions_t *o =
        rd_kafka_AdminOptions_new(c->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_queue_t *q = rd_kafka_queue_new(c->rk);
    rd_kafka_event_t *ev;

    rd_kafka_AdminOptions_set_request_timeout(o, HOUR_MS, NULL, 0); /* see kb_describer */
    rd_kafka_DescribeConsumerGroups(c->rk, &group, 1, o, q);
    ev = rd_kafka_queue_poll(q, kb_left(deadline));
    rd_kafka_queue_destroy(q);
    rd_kafka_AdminOptions_destroy(o);
    return ev;
}

/* The one group that was asked about, alive as long as the event; NULL: why, in e. */
static const rd_kafka_ConsumerGroupDescription_t *described(rd_kafka_event_t *ev,
                                                            rd_kafka_resp_err_t *e)
{
    const rd_kafka_DescribeConsumerGroups_result_t *r =
        ev ? rd_kafka_event_DescribeConsumerGroups_result(ev) : NULL;
    const rd_kafka_ConsumerGroupDescription_t **g = NULL;
    size_t n = 0;

    *e = ev ? rd_kafka_event_error(ev) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (r && !*e)
        g = rd_kafka_DescribeConsumerGroups_result_groups(r, &n);
    if (n)
        *e = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(g[0]));
    return n && !*e ? g[0] : NULL;
}

static struct ft_partition_info *info_of(struct ft_partition_info *list, size_t n, int32_t p)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].partition == p)
            return &list[i];
    return NULL;
}

static enum ft_status group_failed(const char *group, rd_kafka_resp_err_t e, struct ft_err *err)
{
    return ft_fail(err, kb_status(e), "group %s: %s", group, kb_text(e));
}

static enum ft_status add_committed(struct kb_bus *b, const char *topic, const char *group,
                                    int64_t deadline, struct ft_partition_info *part, size_t n,
                                    struct ft_err *err)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t e;
    rd_kafka_t *rk;
    enum ft_status st = kb_asker_get(b, group, &rk, err);

    if (st != FT_OK)
        return st;
    list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, topic, part[i].partition);
    do {
        e = n ? rd_kafka_committed(rk, list, kb_left(deadline)) : RD_KAFKA_RESP_ERR_NO_ERROR;
        for (int i = 0; !e && i < list->cnt; i++) {
            e = list->elems[i].err;
            if (!e && list->elems[i].offset >= 0)
                part[i].committed = list->elems[i].offset;
        }
    } while (again(e, deadline));
    rd_kafka_topic_partition_list_destroy(list);
    return e ? group_failed(group, e, err) : FT_OK;
}

static void add_member(const rd_kafka_MemberDescription_t *m, const char *topic,
                       struct ft_partition_info *list, size_t n)
{
    const rd_kafka_MemberAssignment_t *a = rd_kafka_MemberDescription_assignment(m);
    const rd_kafka_topic_partition_list_t *parts =
        a ? rd_kafka_MemberAssignment_partitions(a) : NULL;

    for (int i = 0; parts && i < parts->cnt; i++) {
        struct ft_partition_info *info = info_of(list, n, parts->elems[i].partition);

        if (info && strcmp(parts->elems[i].topic, topic) == 0)
            snprintf(info->owner, sizeof(info->owner), "%s %s",
                     rd_kafka_MemberDescription_client_id(m), rd_kafka_MemberDescription_host(m));
    }
}

static enum ft_status add_owners(struct kb_bus *b, const char *topic, const char *group,
                                 int64_t deadline, struct ft_partition_info *list, size_t n,
                                 struct ft_err *err)
{
    struct kb_client *c;
    enum ft_status st = kb_describer(b, &c, err);
    const rd_kafka_ConsumerGroupDescription_t *g;
    rd_kafka_event_t *ev;
    rd_kafka_resp_err_t e;

    if (st != FT_OK)
        return st;
    ev = describe(c, group, deadline);
    g = described(ev, &e);
    for (size_t m = 0; g && m < rd_kafka_ConsumerGroupDescription_member_count(g); m++)
        add_member(rd_kafka_ConsumerGroupDescription_member(g, m), topic, list, n);
    if (ev)
        rd_kafka_event_destroy(ev);
    kb_describer_done(c, ev != NULL);
    if (again(e, deadline))
        return add_owners(b, topic, group, deadline, list, n, err);
    return e ? group_failed(group, e, err) : FT_OK;
}

bool kb_nobody_has(struct kb_bus *b, const char *topic, const char *group, int timeout_ms)
{
    int64_t deadline = ft_now_ms() + timeout_ms;
    const struct rd_kafka_metadata *md;
    const struct rd_kafka_metadata_topic *t;
    const rd_kafka_ConsumerGroupDescription_t *g;
    struct kb_client *c;
    rd_kafka_resp_err_t e;
    rd_kafka_event_t *ev;
    bool nobody;

    if (metadata(b, deadline, &md, NULL) != FT_OK)
        return false;
    t = find_topic(md, topic);
    nobody = t && t->partition_cnt > 0;
    rd_kafka_metadata_destroy(md);
    if (!nobody || kb_describer(b, &c, NULL) != FT_OK)
        return false;
    ev = describe(c, group, deadline);
    g = described(ev, &e);
    nobody =
        g && rd_kafka_ConsumerGroupDescription_state(g) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
    for (size_t m = 0; nobody && m < rd_kafka_ConsumerGroupDescription_member_count(g); m++) {
        const rd_kafka_MemberAssignment_t *a =
            rd_kafka_MemberDescription_assignment(rd_kafka_ConsumerGroupDescription_member(g, m));

        nobody = !a || rd_kafka_MemberAssignment_partitions(a)->cnt == 0;
    }
    if (ev)
        rd_kafka_event_destroy(ev);
    kb_describer_done(c, ev != NULL);
    return nobody;
}

static enum ft_status list_partitions(struct kb_bus *b, const char *topic, int64_t deadline,
                                      struct ft_partition_info **out, size_t *n, struct ft_err *err)
{
    const struct rd_kafka_metadata *md;
    const struct rd_kafka_metadata_topic *t;
    enum ft_status st = metadata(b, deadline, &md, err);

    if (st != FT_OK)
        return st;
    t = find_topic(md, topic);
    if (!t) {
        st = ft_fail(err, FT_EINPUT, "topic %s: there is none", topic);
        goto out;
    }
    *out = calloc((size_t)t->partition_cnt + 1, sizeof(**out));
    if (!*out) {
        st = ft_fail(err, FT_ENOMEM, "kafka: no memory");
        goto out;
    }
    for (; *n < (size_t)t->partition_cnt; ++*n) /* they come in order of their numbers */
        (*out)[*n] = (struct ft_partition_info){.partition = t->partitions[*n].id, .committed = -1};
out:
    rd_kafka_metadata_destroy(md);
    return st;
}

static int by_number(const void *a, const void *b)
{
    const struct ft_partition_info *x = a, *y = b;

    return (x->partition > y->partition) - (x->partition < y->partition);
}

enum ft_status kb_partitions(struct ft_bus *bus, const char *topic, const char *group,
                             int timeout_ms, struct ft_partition_info **out, size_t *n,
                             struct ft_err *err)
{
    struct kb_bus *b = kb(bus);
    int64_t deadline = ft_now_ms() + timeout_ms;
    enum ft_status st = list_partitions(b, topic, deadline, out, n, err);

    if (st == FT_OK) {
        rd_kafka_resp_err_t e = kb_watermarks(b->admin.rk, topic, *out, *n, kb_left(deadline));

        if (e)
            st = fail_topic(e, topic, err);
    }
    if (st == FT_OK && group)
        st = add_committed(b, topic, group, deadline, *out, *n, err);
    if (st != FT_OK) {
        free(*out);
        *out = NULL;
        *n = 0;
        return st;
    }
    qsort(*out, *n, sizeof(**out), by_number);
    return FT_OK;
}

enum ft_status kb_owners(struct ft_bus *bus, const char *topic, const char *group, int timeout_ms,
                         struct ft_partition_info *part, size_t n, struct ft_err *err)
{
    struct kb_bus *b = kb(bus);
    int64_t deadline = ft_now_ms() + timeout_ms;
    enum ft_status st = kb_reach(b, deadline, err);

    return st == FT_OK ? add_owners(b, topic, group, deadline, part, n, err) : st;
}

enum ft_status kb_offset_at(struct ft_bus *bus, const char *topic, int32_t partition, int64_t ms,
                            int timeout_ms, int64_t *offset, struct ft_err *err)
{
    struct kb_bus *b = kb(bus);
    int64_t deadline = ft_now_ms() + timeout_ms;
    rd_kafka_topic_partition_list_t *list;
    enum ft_status st = kb_reach(b, deadline, err);
    rd_kafka_resp_err_t e;

    if (st != FT_OK)
        return st;
    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    do {
        list->elems[0].offset = ms < 0 ? 0 : ms;
        e = rd_kafka_offsets_for_times(b->admin.rk, list, kb_left(deadline));
        e = e ? e : list->elems[0].err;
    } while (again(e, deadline));
    *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (!e && *offset < 0) { /* none so late: the end */
        struct ft_partition_info p = {.partition = partition};

        e = kb_watermarks(b->admin.rk, topic, &p, 1, kb_left(deadline));
        *offset = p.high;
    }
    return e ? fail_topic(e, topic, err) : FT_OK;
}
