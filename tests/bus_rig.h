/* A bus, a topic of one test alone, and the steps that all tests of the bus take. */
#ifndef FT_BUS_RIG_H
#define FT_BUS_RIG_H

#include "ft_test.h"

#include <pthread.h>

#include "fraudtop/bus.h"
#include "fraudtop/log.h"

static struct ft_bus *(*suite_open)(void); /* set by main before the tests run */

#define WAIT 10000 /* ms, for anything that Kafka takes its time for */

struct suite {
    struct ft_bus *bus;
    char topic[64], group[64];
    struct ft_producer *producer;
    struct report {
        enum ft_status st;
        int32_t partition;
        int64_t offset;
    } report[64];
    size_t n_reports;
};

#define OK(call)                                                                                   \
    do {                                                                                           \
        struct ft_err ok_err = {""};                                                               \
        enum ft_status st_ = (call);                                                               \
        if (st_ != FT_OK)                                                                          \
            fail_msg("%s: %s: %s", #call, ft_status_name(st_), ok_err.text);                       \
    } while (0)

static inline void on_delivered(void *user, uint64_t token, enum ft_status st, int32_t partition,
                                int64_t offset)
{
    struct suite *s = user;

    s->n_reports++;
    if (token < 64)
        s->report[token] = (struct report){st, partition, offset};
}

static inline struct ft_producer *make_producer(struct suite *s, const char *transactional_id)
{
    struct ft_producer_opts o = {
        .transactional_id = transactional_id, .linger_ms = 0, .delivered = on_delivered, .user = s};
    struct ft_producer *p;

    OK(ft_producer_new(&p, s->bus, &o, &ok_err));
    return p;
}

static inline int suite_setup(void **state)
{
    struct suite *s = calloc(1, sizeof(*s));
    struct ft_topic_spec spec = {.partitions = 3, .replication = 1};
    uint64_t name;

    ft_random(&name, sizeof(name));
    s->bus = suite_open();
    snprintf(s->topic, sizeof(s->topic), "t-%016llx", (unsigned long long)name);
    snprintf(s->group, sizeof(s->group), "g-%016llx", (unsigned long long)name);
    spec.name = s->topic;
    OK(ft_bus_ensure_topics(s->bus, &spec, 1, WAIT, &ok_err));
    s->producer = make_producer(s, NULL);
    *state = s;
    return 0;
}

static inline int suite_teardown(void **state)
{
    struct suite *s = *state;

    ft_producer_free(s->producer);
    ft_bus_close(s->bus);
    free(s);
    return 0;
}

static inline void send_to(struct suite *s, int32_t partition, const char *key, const char *value,
                           uint64_t token)
{
    OK(ft_send(s->producer, s->topic, partition, ft_span_of(key), ft_span_of(value), NULL, 0, -1,
               token, &ok_err));
}

static inline void flush(struct suite *s)
{
    OK(ft_producer_flush(s->producer, WAIT, &ok_err));
}

static inline struct ft_consumer *make_consumer(struct suite *s, const char *group)
{
    const char *topics[] = {s->topic};
    struct ft_consumer_opts o = {
        .group = group, .topics = topics, .n_topics = 1, .eof_events = true};
    struct ft_consumer *c;

    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    return c;
}

/* A reader without a group on all three partitions, from start. */
static inline struct ft_consumer *make_reader(struct suite *s, int64_t start)
{
    struct ft_consumer_opts o = {.eof_events = true};
    struct ft_assigned part[3] = {
        {s->topic, 0, start, false},
        {s->topic, 1, start, false},
        {s->topic, 2, start, false}
    };
    struct ft_consumer *c;

    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    OK(ft_consumer_assign(c, part, 3, &ok_err));
    return c;
}

/* Polls until something else than FT_AGAIN or passing trouble comes; FT_AGAIN after ms. */
static inline enum ft_status poll_for(struct ft_consumer *c, struct ft_msg *m, int ms)
{
    int64_t until = ft_now_ms() + ms;
    struct ft_err err;

    do {
        enum ft_status st = ft_consumer_poll(c, 20, m, &err);

        if (st != FT_AGAIN && st != FT_EUNREACHABLE)
            return st;
    } while (ft_now_ms() < until);
    return FT_AGAIN;
}

/* The next message; fails the test when none comes. */
static inline void next_message(struct ft_consumer *c, struct ft_msg *m)
{
    enum ft_status st;

    do
        st = poll_for(c, m, WAIT);
    while (st == FT_END);
    if (st != FT_OK)
        fail_msg("no message: %s", ft_status_name(st));
}

static inline void expect_next(struct ft_consumer *c, const char *value)
{
    struct ft_msg m;

    next_message(c, &m);
    if (!ft_span_is(m.value, value))
        fail_msg("got \"%.*s\", not \"%s\"", (int)m.value.n, m.value.p, value);
    ft_msg_done(&m);
}

/* Reads to the end of all three partitions, counting. */
static inline size_t count_to_end(struct ft_consumer *c)
{
    size_t n = 0;
    int ends = 0;
    bool ended[3] = {false, false, false};

    while (ends < 3) {
        struct ft_msg m;
        enum ft_status st = poll_for(c, &m, WAIT);

        assert_true(st == FT_OK || st == FT_END);
        n += st == FT_OK;
        if (st == FT_END && !ended[m.partition]) {
            ended[m.partition] = true;
            ends++;
        }
        if (st == FT_OK)
            ft_msg_done(&m);
    }
    return n;
}

struct member {
    struct ft_consumer *c;
    int owned;
    int32_t owns[3];
};

static inline void member_assigned(void *user, struct ft_assigned *part, size_t n)
{
    struct member *m = user;

    m->owned = (int)n;
    for (size_t i = 0; i < n; i++)
        m->owns[i] = part[i].partition;
}

static inline void member_revoked(void *user, const struct ft_assigned *part, size_t n, bool lost)
{
    struct member *m = user;

    (void)part;
    (void)lost;
    assert_true((int)n == m->owned);
    m->owned = 0;
}

static inline void join_group(struct suite *s, struct member *m)
{
    const char *topics[] = {s->topic};
    struct ft_consumer_opts o = {.group = s->group,
                                 .topics = topics,
                                 .n_topics = 1,
                                 .assigned = member_assigned,
                                 .revoked = member_revoked,
                                 .user = m};

    *m = (struct member){0};
    OK(ft_consumer_new(&m->c, s->bus, &o, &ok_err));
}

/* Polls both until together they own all three partitions, and each some. */
static inline void poll_until_shared(struct member *a, struct member *b)
{
    int64_t until = ft_now_ms() + 2 * WAIT;

    while ((a->owned + (b ? b->owned : 0) != 3 || (b && !(a->owned && b->owned))) &&
           ft_now_ms() < until) {
        struct ft_msg m;

        if (ft_consumer_poll(a->c, 10, &m, NULL) == FT_OK)
            ft_msg_done(&m);
        if (b && ft_consumer_poll(b->c, 10, &m, NULL) == FT_OK)
            ft_msg_done(&m);
    }
    assert_int_equal(a->owned + (b ? b->owned : 0), 3);
    assert_true(!b || (a->owned && b->owned));
}

#define SUITE_TEST(f) cmocka_unit_test_setup_teardown(f, suite_setup, suite_teardown)

#endif
