/*
 * What Kafka does to its readers and writers over the months: messages that the retention removed unread, topics made
 * anew, members and owners of transactions that are killed.
 */
#include "../bus_rig.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

static char brokers[128];
static const char *self;

static struct ft_bus *open_kafka(void)
{
    struct ft_bus_opts o = {.client_id = "test", .brokers = brokers};
    struct ft_bus *bus;

    OK(ft_bus_open(&bus, &o, &ok_err));
    return bus;
}

/* ---- what only an administrator does --------------------------------------------------------------- */

static rd_kafka_t *admin_new(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[200];

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
}

static void wait_for(rd_kafka_t *rk, rd_kafka_queue_t *q)
{
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, WAIT);

    assert_non_null(ev);
    assert_int_equal(rd_kafka_event_error(ev), 0);
    rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
    rd_kafka_destroy(rk);
}

static void delete_before(const char *topic, int32_t partition, int64_t offset)
{
    rd_kafka_t *rk = admin_new();
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *d;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    d = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &d, 1, NULL, q);
    wait_for(rk, q);
    rd_kafka_DeleteRecords_destroy(d);
    rd_kafka_topic_partition_list_destroy(list);
}

static void delete_topic(const char *topic)
{
    rd_kafka_t *rk = admin_new();
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *d = rd_kafka_DeleteTopic_new(topic);

    rd_kafka_DeleteTopics(rk, &d, 1, NULL, q);
    wait_for(rk, q);
    rd_kafka_DeleteTopic_destroy(d);
}

/* ---- another process ------------------------------------------------------------------------------- */

/* This program again, as something that is going to be killed; returns once it says that it is ready. */
static pid_t start_other(const char *what, const struct suite *s)
{
    int out[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(out[1], 9);
        execl(self, self, what, brokers, s->topic, s->group, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    assert_int_equal(read(out[0], &c, 1), 1);
    close(out[0]);
    return pid;
}

static void kill_other(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void say_ready(void *user, struct ft_assigned *part, size_t n)
{
    (void)user;
    (void)part;
    if (n)
        (void)!write(9, "r", 1);
}

static _Noreturn void be_member(const char *topic, const char *group)
{
    struct ft_bus *bus = open_kafka();
    struct ft_consumer_opts o = {
        .group = group, .topics = &topic, .n_topics = 1, .assigned = say_ready};
    struct ft_consumer *c;

    OK(ft_consumer_new(&c, bus, &o, &ok_err));
    for (;;) {
        struct ft_msg m;

        if (ft_consumer_poll(c, 100, &m, NULL) == FT_OK)
            ft_msg_done(&m);
    }
}

static _Noreturn void be_owner(const char *topic, const char *id)
{
    struct ft_bus *bus = open_kafka();
    struct ft_producer_opts o = {.transactional_id = id};
    struct ft_producer *p;

    OK(ft_producer_new(&p, bus, &o, &ok_err));
    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    OK(ft_send(p, topic, 0, FT_SPAN("k"), FT_SPAN("never"), NULL, 0, -1, 0, &ok_err));
    OK(ft_producer_flush(p, WAIT, &ok_err));
    (void)!write(9, "r", 1);
    for (;;)
        pause();
}

/* ---- the tests ------------------------------------------------------------------------------------- */

/* Polls until the reader is told of trouble with an offset. */
static void expect_reset(struct ft_consumer *c, const char *text)
{
    int64_t until = ft_now_ms() + 2 * WAIT;
    struct ft_err err = {""};
    struct ft_msg m;
    enum ft_status st;

    while ((st = ft_consumer_poll(c, 100, &m, &err)) != FT_EINPUT) {
        if (st == FT_OK)
            fail_msg("a message came before the news: %.*s", (int)m.value.n, m.value.p);
        if (ft_now_ms() > until)
            fail_msg("no news");
    }
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void send_letters(struct suite *s, int n)
{
    for (int i = 0; i < n; i++)
        send_to(s, 0, "k", (char[]){(char)('a' + i), 0}, 0);
    flush(s);
}

static void commit_at(struct suite *s, int64_t offset)
{
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_offset next = {s->topic, 0, offset};

    expect_next(c, "a");
    OK(ft_consumer_commit(c, &next, 1, true, &ok_err));
    ft_consumer_close(c, WAIT);
}

static void what_retention_took_from_a_group_is_counted(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c;

    send_letters(s, 8);
    commit_at(s, 2);
    delete_before(s->topic, 0, 5);
    c = make_consumer(s, s->group);
    expect_reset(c, "3 unread messages (offsets 2 to 4) were removed");
    expect_next(c, "f");
    expect_next(c, "g");
    expect_next(c, "h");
    ft_consumer_close(c, WAIT);
}

static void other_partitions_go_on_where_they_were(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c;

    send_letters(s, 4);
    commit_at(s, 1);
    delete_before(s->topic, 0, 3);
    send_to(s, 1, "k", "x", 0);
    send_to(s, 1, "k", "y", 0);
    flush(s);
    c = make_consumer(s, s->group);
    for (int seen = 0; seen < 3;) { /* x, y, d, each once, in any order of partitions */
        struct ft_msg m;
        enum ft_status st = poll_for(c, &m, WAIT);

        if (st == FT_EINPUT || st == FT_END)
            continue;
        assert_int_equal(st, FT_OK);
        if (m.partition == 1)
            assert_true(ft_span_is(m.value, m.offset ? "y" : "x"));
        else
            assert_true(ft_span_is(m.value, "d"));
        seen++;
        ft_msg_done(&m);
    }
    ft_consumer_close(c, WAIT);
}

static void an_offset_behind_the_end_means_a_topic_made_anew(void **state)
{
    struct suite *s = *state;
    struct ft_assigned part = {s->topic, 0, 100, false};
    struct ft_consumer_opts o = {0};
    struct ft_consumer *c;

    send_letters(s, 3);
    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    OK(ft_consumer_assign(c, &part, 1, &ok_err));
    expect_reset(c, "made anew");
    expect_next(c, "a");
    ft_consumer_close(c, WAIT);
}

static void a_topic_deleted_and_made_anew_is_read(void **state)
{
    struct suite *s = *state;
    struct ft_topic_spec spec = {.name = s->topic, .partitions = 3, .replication = 1};
    struct ft_consumer *c = make_consumer(s, s->group);
    int64_t until = ft_now_ms() + 30000;
    bool found = false;

    send_letters(s, 5);
    for (int i = 0; i < 5; i++)
        expect_next(c, (char[]){(char)('a' + i), 0});
    delete_topic(s->topic);
    ft_sleep_ms(300);
    OK(ft_bus_ensure_topics(s->bus, &spec, 1, WAIT, &ok_err));
    ft_producer_free(s->producer);
    s->producer = make_producer(s, NULL);
    send_to(s, 0, "k", "new", 0);
    flush(s);
    while (!found && ft_now_ms() < until) {
        struct ft_msg m;

        if (ft_consumer_poll(c, 100, &m, NULL) != FT_OK)
            continue;
        found = ft_span_is(m.value, "new");
        ft_msg_done(&m);
    }
    assert_true(found);
    ft_consumer_close(c, WAIT);
}

/* Then no fetch fails: the position is the end of the new topic, too. */
static void a_topic_made_anew_with_as_many_messages_is_noticed(void **state)
{
    struct suite *s = *state;
    struct ft_topic_spec spec = {.name = s->topic, .partitions = 3, .replication = 1};
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_offset next = {s->topic, 0, 5};
    int64_t until;
    enum ft_status st = FT_AGAIN;
    struct ft_err err = {""};

    send_letters(s, 5);
    for (int i = 0; i < 5; i++)
        expect_next(c, (char[]){(char)('a' + i), 0});
    OK(ft_consumer_commit(c, &next, 1, true, &ok_err));
    OK(ft_consumer_pause(c, s->topic, 0)); /* it must not look in between */
    delete_topic(s->topic);
    ft_sleep_ms(300);
    OK(ft_bus_ensure_topics(s->bus, &spec, 1, WAIT, &ok_err));
    ft_producer_free(s->producer);
    s->producer = make_producer(s, NULL);
    send_letters(s, 5);
    OK(ft_consumer_resume(c, s->topic, 0));
    until = ft_now_ms() + WAIT;
    while (st != FT_EFATAL && ft_now_ms() < until) {
        struct ft_msg m;

        st = ft_consumer_poll(c, 100, &m, &err);
        if (st == FT_OK)
            ft_msg_done(&m);
    }
    assert_int_equal(st, FT_EFATAL);
    assert_non_null(strstr(err.text, "made anew"));
    ft_consumer_close(c, WAIT);
    c = make_consumer(s, s->group);
    expect_next(c, "a");
    ft_consumer_close(c, WAIT);
}

static void the_partitions_of_a_killed_member_are_taken_over(void **state)
{
    struct suite *s = *state;
    pid_t other = start_other("member", s);
    struct member m;
    int64_t killed;

    join_group(s, &m);
    while (m.owned != 1 && m.owned != 2) {
        struct ft_msg msg;

        if (ft_consumer_poll(m.c, 100, &msg, NULL) == FT_OK)
            ft_msg_done(&msg);
    }
    kill_other(other);
    killed = ft_now_ms();
    while (m.owned != 3 && ft_now_ms() - killed < 20000) {
        struct ft_msg msg;

        if (ft_consumer_poll(m.c, 100, &msg, NULL) == FT_OK)
            ft_msg_done(&msg);
    }
    assert_int_equal(m.owned, 3);
    assert_true(ft_now_ms() - killed < 14000); /* the session's 10 s and a little */
    ft_consumer_close(m.c, WAIT);
}

/* An open transaction hides what lies behind it for a minute, unless the next owner has the same id. */
static void a_killed_owners_transaction_holds_nobody_up(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_reader(s, FT_START_EARLIEST);
    struct ft_producer *p;
    int64_t start;
    pid_t other;

    other = start_other("owner", s);
    kill_other(other);
    send_to(s, 0, "k", "behind it", 0);
    flush(s);
    start = ft_now_ms();
    p = make_producer(s, s->group);
    OK(ft_txn_init(p, WAIT, &ok_err));
    expect_next(c, "behind it");
    assert_true(ft_now_ms() - start < 8000);
    ft_producer_free(p);
    ft_consumer_close(c, WAIT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST(what_retention_took_from_a_group_is_counted),
        SUITE_TEST(other_partitions_go_on_where_they_were),
        SUITE_TEST(an_offset_behind_the_end_means_a_topic_made_anew),
        SUITE_TEST(a_topic_deleted_and_made_anew_is_read),
        SUITE_TEST(a_topic_made_anew_with_as_many_messages_is_noticed),
        SUITE_TEST(the_partitions_of_a_killed_member_are_taken_over),
        SUITE_TEST(a_killed_owners_transaction_holds_nobody_up),
    };

    self = argv[0];
    if (argc == 5) { /* the other process: what, brokers, topic, group */
        snprintf(brokers, sizeof(brokers), "%s", argv[2]);
        if (strcmp(argv[1], "member") == 0)
            be_member(argv[3], argv[4]);
        be_owner(argv[3], argv[4]);
    }
    if (!ft_test_service("kafka", brokers, sizeof(brokers)))
        return ft_test_skip("there is no Kafka for tests");
    suite_open = open_kafka;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
