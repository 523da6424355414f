/* The loopback: the suite that Kafka passes too, and its own rules (full topics, compaction, failing calls). */
#include "../bus_suite.h"

#include "fraudtop/loopback.h"

static struct ft_bus *open_loopback(void)
{
    struct ft_bus_opts o = {.client_id = "test", .loopback_bytes = 64 << 10};
    struct ft_bus *bus;

    OK(ft_bus_open(&bus, &o, &ok_err));
    return bus;
}

static enum ft_status try_send(struct suite *s, int32_t partition, size_t n)
{
    static const char block[1024];

    return ft_send(s->producer, s->topic, partition, FT_SPAN("k"), (struct ft_span){block, n}, NULL,
                   0, -1, 0, NULL);
}

/* Sends 1,000-byte messages until one does not fit. */
static int fill(struct suite *s)
{
    int n = 0;

    while (n < 1000 && try_send(s, 0, 1000) == FT_OK)
        n++;
    return n;
}

static void a_full_topic_waits_for_the_group_that_reads_it(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_consumer(s, s->group), *browser;
    struct ft_offset next = {s->topic, 0, 0};
    int n = fill(s);
    struct ft_msg m;

    assert_in_range(n, 50, 64);
    assert_int_equal(try_send(s, 0, 1000), FT_AGAIN);
    browser = make_reader(s, FT_START_EARLIEST); /* holds nothing back, frees nothing */
    assert_int_equal(count_to_end(browser), n);
    assert_int_equal(try_send(s, 0, 1000), FT_AGAIN);
    for (int i = 0; i < n; i++) {
        next_message(c, &m);
        assert_int_equal(m.offset, i);
        ft_msg_done(&m);
    }
    assert_int_equal(try_send(s, 0, 1000), FT_AGAIN); /* read, but not committed */
    next.next = n / 2;
    OK(ft_consumer_commit(c, &next, 1, true, &ok_err));
    assert_in_range(fill(s), n / 2 - 10, n / 2);
    assert_int_equal(ft_loopback_dropped(s->bus, s->topic), 0);
    ft_consumer_close(browser, 0);
    ft_consumer_close(c, 0);
    assert_int_equal(try_send(s, 0, 1000), FT_AGAIN); /* the group will come back */
}

static void *commit_soon(void *user)
{
    struct suite *s = user;
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_offset next = {s->topic, 0, 0};
    struct ft_msg m;

    for (int i = 0; i < 20; i++) {
        next_message(c, &m);
        next.next = m.offset + 1;
        ft_msg_done(&m);
    }
    ft_sleep_ms(50);
    OK(ft_consumer_commit(c, &next, 1, true, &ok_err));
    return c;
}

static void a_waiting_sender_wakes_when_there_is_room(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_consumer(s, s->group);
    int64_t start;
    pthread_t thread;
    void *other;

    fill(s);
    ft_consumer_close(c, 0);
    assert_int_equal(pthread_create(&thread, NULL, commit_soon, s), 0);
    start = ft_now_ms();
    while (try_send(s, 0, 1000) == FT_AGAIN)
        ft_producer_poll(s->producer, 5000, NULL);
    assert_true(ft_now_ms() - start < 4000);
    pthread_join(thread, &other);
    ft_consumer_close(other, 0);
}

static void a_topic_that_nobody_reads_keeps_its_newest(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c;

    for (int i = 0; i < 500; i++)
        assert_int_equal(try_send(s, i % 3, 1000), FT_OK);
    c = make_reader(s, FT_START_EARLIEST);
    assert_int_equal(count_to_end(c) + ft_loopback_dropped(s->bus, s->topic), 500);
    assert_in_range(ft_loopback_dropped(s->bus, s->topic), 430, 460);
    ft_consumer_close(c, 0);
}

static void a_compacted_topic_is_a_map_by_key(void **state)
{
    struct suite *s = *state;
    struct ft_topic_spec spec = {.name = "map", .partitions = 1, .compacted = true};
    struct ft_assigned part = {"map", 0, FT_START_EARLIEST, false};
    struct ft_consumer_opts o = {.eof_events = true};
    struct ft_consumer *c;
    struct ft_msg m;
    int64_t last = -1;
    int n = 0;

    OK(ft_bus_ensure_topics(s->bus, &spec, 1, 0, &ok_err));
    for (int i = 0; i < 20000; i++) {
        char key[16], value[16];

        snprintf(key, sizeof(key), "%d", i % 100);
        snprintf(value, sizeof(value), "%d", i);
        OK(ft_send(s->producer, "map", 0, ft_span_of(key), ft_span_of(value), NULL, 0, -1, 0,
                   &ok_err));
    }
    OK(ft_send(s->producer, "map", 0, FT_SPAN("7"), ft_span_of(NULL), NULL, 0, -1, 0, &ok_err));
    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    OK(ft_consumer_assign(c, &part, 1, &ok_err));
    while (ft_consumer_poll(c, 0, &m, NULL) == FT_OK) {
        assert_true(m.offset > last);
        last = m.offset;
        if (ft_span_is(m.key, "7")) {
            assert_null(m.value.p);
        } else {
            char value[16];

            snprintf(value, sizeof(value), "%.*s", (int)m.value.n, m.value.p);
            assert_true(atoi(value) >= 19900);
        }
        ft_msg_done(&m);
        n++;
    }
    assert_int_equal(n, 100);
    assert_int_equal(last, 20000);
    ft_consumer_close(c, 0);
}

static void any_call_can_be_made_to_fail(void **state)
{
    struct suite *s = *state;
    struct ft_producer_opts po = {0};
    struct ft_producer *p;
    struct ft_err err;

    ft_loopback_fail(s->bus, FT_CALL_SEND, 2, 1, FT_EUNREACHABLE);
    assert_int_equal(try_send(s, 0, 1), FT_OK);
    assert_int_equal(try_send(s, 0, 1), FT_OK);
    assert_int_equal(try_send(s, 0, 1), FT_EUNREACHABLE);
    assert_int_equal(try_send(s, 0, 1), FT_OK);
    ft_loopback_fail(s->bus, FT_CALL_DELIVER, 0, 1, FT_EUNREACHABLE);
    send_to(s, 0, "k", "v", 5);
    flush(s);
    assert_int_equal(s->report[5].st, FT_EUNREACHABLE);
    ft_loopback_fail(s->bus, FT_CALL_PRODUCER_NEW, 0, 1, FT_ENOMEM);
    assert_int_equal(ft_producer_new(&p, s->bus, &po, &err), FT_ENOMEM);
    assert_string_equal(err.text, "loopback: made to fail");
}

static void what_retention_took_is_told(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_msg m;
    struct ft_err err;

    for (int i = 0; i < 5; i++)
        send_to(s, 0, "k", (char[]){(char)('a' + i), 0}, 0);
    flush(s);
    expect_next(c, "a");
    ft_loopback_trim(s->bus, s->topic, 0, 3);
    assert_int_equal(ft_consumer_seek(c, s->topic, 0, 1, NULL), FT_OK);
    while (ft_consumer_poll(c, 0, &m, &err) != FT_EINPUT)
        ;
    assert_non_null(strstr(err.text, "2 unread messages"));
    expect_next(c, "d");
    ft_consumer_close(c, 0);
}

static void a_topic_made_anew_is_read_from_its_beginning(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_err err;
    struct ft_msg m;
    enum ft_status st;

    send_to(s, 0, "k", "a", 0);
    send_to(s, 0, "k", "b", 0);
    expect_next(c, "a");
    expect_next(c, "b");
    ft_loopback_remake(s->bus, s->topic);
    send_to(s, 0, "k", "new", 0);
    while ((st = ft_consumer_poll(c, 0, &m, &err)) == FT_END || st == FT_AGAIN)
        ;
    assert_int_equal(st, FT_EINPUT);
    assert_non_null(strstr(err.text, "made anew"));
    expect_next(c, "new");
    ft_consumer_close(c, 0);
}

static void count_lost(void *user, const struct ft_assigned *part, size_t n, bool lost)
{
    (void)part;
    (void)n;
    *(int *)user += lost;
}

static void an_expelled_member_loses_its_partitions_and_joins_again(void **state)
{
    struct suite *s = *state;
    const char *topics[] = {s->topic};
    int n_lost = 0;
    struct ft_consumer_opts o = {
        .group = s->group, .topics = topics, .n_topics = 1, .revoked = count_lost, .user = &n_lost};
    struct ft_offset next = {s->topic, 0, 1};
    struct ft_consumer *c;
    struct ft_msg m;

    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    send_to(s, 0, "k", "a", 0);
    expect_next(c, "a");
    ft_loopback_expel(c);
    assert_int_equal(ft_consumer_commit(c, &next, 1, true, NULL), FT_AGAIN);
    expect_next(c, "a"); /* was not committed: comes again */
    assert_int_equal(n_lost, 1);
    assert_int_equal(ft_consumer_poll(c, 0, &m, NULL), FT_AGAIN);
    ft_consumer_close(c, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TESTS,
        SUITE_TEST(a_full_topic_waits_for_the_group_that_reads_it),
        SUITE_TEST(a_waiting_sender_wakes_when_there_is_room),
        SUITE_TEST(a_topic_that_nobody_reads_keeps_its_newest),
        SUITE_TEST(a_compacted_topic_is_a_map_by_key),
        SUITE_TEST(any_call_can_be_made_to_fail),
        SUITE_TEST(what_retention_took_is_told),
        SUITE_TEST(a_topic_made_anew_is_read_from_its_beginning),
        SUITE_TEST(an_expelled_member_loses_its_partitions_and_joins_again),
    };

    suite_open = open_loopback;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
