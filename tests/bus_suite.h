/*
 * What both implementations of fraudtop/bus.h must do: the same tests run on the loopback (tests/unit) and on Kafka
 * (tests/integration), so that tests of the stages on the loopback mean something.  Topics and groups get a name of their
 * own in every test.
 */
#ifndef FT_BUS_SUITE_H
#define FT_BUS_SUITE_H

#include "bus_rig.h"

/* ---- the tests ------------------------------------------------------------------------------------- */

static void a_message_arrives_as_it_was_sent(void **state)
{
    struct suite *s = *state;
    struct ft_header h[] = {
        {"error",         FT_SPAN("not JSON")},
        {"source.offset", FT_SPAN("12")      }
    };
    struct ft_consumer *c = make_reader(s, FT_START_EARLIEST);
    int64_t at_ms = ft_wall_ms() - 123456; /* not years ago: the retention would take it */
    struct ft_msg m;

    OK(ft_send(s->producer, s->topic, 1, FT_SPAN("key"), FT_SPAN("a\0b"), h, 2, at_ms, 0, &ok_err));
    next_message(c, &m);
    assert_string_equal(m.topic, s->topic);
    assert_int_equal(m.partition, 1);
    assert_int_equal(m.offset, 0);
    assert_true(m.timestamp_ms == at_ms);
    assert_true(ft_span_is(m.key, "key"));
    assert_int_equal(m.value.n, 3);
    assert_memory_equal(m.value.p, "a\0b", 3);
    assert_true(ft_span_is(ft_msg_header(&m, "error"), "not JSON"));
    assert_true(ft_span_is(ft_msg_header(&m, "source.offset"), "12"));
    assert_int_equal(ft_msg_header(&m, "other").n, 0);
    assert_int_equal(ft_msg_headers(&m, h, 2), 2);
    assert_string_equal(h[1].name, "source.offset");
    ft_msg_done(&m);
    ft_consumer_close(c, WAIT);
}

static void no_key_no_value_and_an_empty_value_differ(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_reader(s, FT_START_EARLIEST);
    struct ft_msg m;

    OK(ft_send(s->producer, s->topic, 0, FT_SPAN("k"), ft_span_of(NULL), NULL, 0, -1, 0, &ok_err));
    next_message(c, &m);
    assert_non_null(m.key.p);
    assert_null(m.value.p);
    ft_msg_done(&m);
    OK(ft_send(s->producer, s->topic, 0, ft_span_of(NULL), FT_SPAN(""), NULL, 0, -1, 0, &ok_err));
    next_message(c, &m);
    assert_null(m.key.p);
    assert_non_null(m.value.p);
    assert_int_equal(m.value.n, 0);
    assert_true(llabs(m.timestamp_ms - ft_wall_ms()) < 60000);
    ft_msg_done(&m);
    ft_consumer_close(c, WAIT);
}

/* Keys and their hashes as Kafka's own clients compute them (its UtilsTest). */
static void a_key_has_one_partition_the_same_everywhere(void **state)
{
    static const char *const key[] = {"21", "foobar", "a-little-bit-long-string"};
    static const uint32_t hash[] = {(uint32_t)-973932308, (uint32_t)-790332482,
                                    (uint32_t)-985981536};
    struct suite *s = *state;

    for (size_t i = 0; i < 3; i++)
        send_to(s, FT_BY_KEY, key[i], "x", i + 1);
    flush(s);
    assert_int_equal(s->n_reports, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s->report[i + 1].st, FT_OK);
        assert_int_equal(s->report[i + 1].partition, (hash[i] & 0x7fffffff) % 3);
    }
}

static void reports_tell_where_a_message_lies(void **state)
{
    struct suite *s = *state;

    for (uint64_t i = 0; i < 5; i++)
        send_to(s, 2, "k", "v", 10 + i);
    send_to(s, 2, "k", "without a token", 0);
    assert_true(ft_producer_pending(s->producer) <= 6);
    flush(s);
    assert_int_equal(ft_producer_pending(s->producer), 0);
    assert_int_equal(s->n_reports, 5);
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(s->report[10 + i].st, FT_OK);
        assert_int_equal(s->report[10 + i].partition, 2);
        assert_int_equal(s->report[10 + i].offset, i);
    }
}

static void a_message_too_large_is_refused_and_the_next_goes_on(void **state)
{
    struct suite *s = *state;
    size_t n = 3 << 20;
    char *big = calloc(1, n);
    struct ft_err err;

    assert_int_equal(ft_send(s->producer, s->topic, 0, FT_SPAN("k"), (struct ft_span){big, n}, NULL,
                             0, -1, 1, &err),
                     FT_EINPUT);
    assert_non_null(strstr(err.text, s->topic));
    free(big);
    send_to(s, 0, "k", "v", 2);
    flush(s);
    assert_int_equal(s->report[2].st, FT_OK);
    assert_int_equal(s->report[2].offset, 0);
}

static void a_group_goes_on_where_it_committed(void **state)
{
    struct suite *s = *state;
    struct ft_offset next = {s->topic, 0, 2};
    struct ft_consumer *c;
    int64_t committed;
    struct ft_msg m;

    for (int i = 0; i < 4; i++)
        send_to(s, 0, "k", (char[]){(char)('a' + i), 0}, 0);
    flush(s);
    c = make_consumer(s, s->group);
    next_message(c, &m);
    assert_true(ft_span_is(m.value, "a"));
    ft_msg_done(&m);
    OK(ft_consumer_committed(c, s->topic, 0, WAIT, &committed, &ok_err));
    assert_int_equal(committed, -1);
    OK(ft_consumer_commit(c, &next, 1, true, &ok_err));
    OK(ft_consumer_committed(c, s->topic, 0, WAIT, &committed, &ok_err));
    assert_int_equal(committed, 2);
    ft_consumer_close(c, WAIT);
    c = make_consumer(s, s->group);
    expect_next(c, "c");
    expect_next(c, "d");
    ft_consumer_close(c, WAIT);
}

static void held_messages_outlive_the_next_poll(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_reader(s, FT_START_EARLIEST);
    struct ft_msg m[3];

    send_to(s, 0, "k", "one", 0);
    send_to(s, 0, "k", "two", 0);
    send_to(s, 0, "k", "three", 0);
    for (int i = 0; i < 3; i++)
        next_message(c, &m[i]);
    assert_true(ft_span_is(m[0].value, "one"));
    assert_true(ft_span_is(m[2].value, "three"));
    for (int i = 0; i < 3; i++)
        ft_msg_done(&m[i]);
    ft_consumer_close(c, WAIT);
}

static void members_share_and_take_over(void **state)
{
    struct suite *s = *state;
    struct ft_partition_info *info;
    struct member a, b;
    size_t n;

    join_group(s, &a);
    poll_until_shared(&a, NULL);
    join_group(s, &b);
    poll_until_shared(&a, &b);
    for (int i = 0; i < a.owned; i++)
        for (int k = 0; k < b.owned; k++)
            assert_int_not_equal(a.owns[i], b.owns[k]);
    OK(ft_bus_partitions(s->bus, s->topic, s->group, WAIT, &info, &n, &ok_err));
    assert_int_equal(n, 3);
    OK(ft_bus_owners(s->bus, s->topic, s->group, WAIT, info, n, &ok_err));
    for (size_t i = 0; i < n; i++)
        assert_true(info[i].owner[0] != '\0');
    free(info);
    ft_consumer_close(b.c, WAIT);
    assert_int_equal(b.owned, 0);
    poll_until_shared(&a, NULL);
    ft_consumer_close(a.c, WAIT);
    assert_int_equal(a.owned, 0);
}

static void start_at_two_and_hold_one(void *user, struct ft_assigned *part, size_t n)
{
    (void)user;
    for (size_t i = 0; i < n; i++) {
        part[i].start = part[i].partition == 0 ? 2 : FT_START_COMMITTED;
        part[i].paused = part[i].partition == 1;
    }
}

static void the_assigned_callback_says_where_to_begin(void **state)
{
    struct suite *s = *state;
    const char *topics[] = {s->topic};
    struct ft_consumer_opts o = {
        .group = s->group, .topics = topics, .n_topics = 1, .assigned = start_at_two_and_hold_one};
    struct ft_consumer *c;
    struct ft_msg m;

    send_to(s, 0, "k", "0", 0);
    send_to(s, 0, "k", "1", 0);
    send_to(s, 0, "k", "2", 0);
    send_to(s, 1, "k", "held", 0);
    flush(s);
    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    expect_next(c, "2");
    assert_int_equal(poll_for(c, &m, 700), FT_AGAIN);
    assert_int_equal(ft_consumer_resume(c, s->topic, 1), FT_OK);
    expect_next(c, "held");
    ft_consumer_close(c, WAIT);
}

static void pause_resume_and_seek(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_msg m;

    for (int i = 0; i < 6; i++)
        send_to(s, 0, "k", (char[]){(char)('0' + i), 0}, 0);
    flush(s);
    expect_next(c, "0");
    expect_next(c, "1");
    assert_int_equal(ft_consumer_pause(c, s->topic, 0), FT_OK);
    do /* ends of the partitions may still be told */
        assert_true(poll_for(c, &m, 400) != FT_OK);
    while (poll_for(c, &m, 400) == FT_END);
    assert_int_equal(ft_consumer_resume(c, s->topic, 0), FT_OK);
    expect_next(c, "2"); /* a pause loses and repeats nothing */
    OK(ft_consumer_seek(c, s->topic, 0, 5, &ok_err));
    expect_next(c, "5");
    OK(ft_consumer_seek(c, s->topic, 0, 1, &ok_err));
    expect_next(c, "1");
    OK(ft_consumer_seek(c, s->topic, 0, FT_START_EARLIEST, &ok_err));
    expect_next(c, "0");
    assert_int_equal(ft_consumer_pause(c, "no-such-topic", 0), FT_AGAIN);
    ft_consumer_close(c, WAIT);
}

static void readers_without_a_group_begin_anywhere(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c;

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 4; k++)
            send_to(s, i, "k", "old", 0);
    flush(s);
    c = make_reader(s, FT_START_EARLIEST);
    assert_int_equal(count_to_end(c), 12);
    ft_consumer_close(c, WAIT);
    c = make_reader(s, 3);
    assert_int_equal(count_to_end(c), 3);
    ft_consumer_close(c, WAIT);
    c = make_reader(s, FT_START_LATEST);
    assert_int_equal(count_to_end(c), 0);
    send_to(s, 1, "k", "new", 0);
    expect_next(c, "new");
    ft_consumer_close(c, WAIT);
}

static void lag_is_what_was_not_read(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c;

    for (int i = 0; i < 10; i++)
        send_to(s, 0, "k", "v", 0);
    flush(s);
    c = make_consumer(s, s->group);
    expect_next(c, "v");
    expect_next(c, "v");
    assert_int_equal(ft_consumer_lag(c), 8);
    for (int i = 0; i < 8; i++)
        expect_next(c, "v");
    assert_int_equal(ft_consumer_lag(c), 0);
    ft_consumer_close(c, WAIT);
}

static void topics_and_partitions_can_be_asked_for(void **state)
{
    struct suite *s = *state;
    struct ft_topic_info *topics;
    struct ft_partition_info *part;
    struct ft_offset next = {s->topic, 1, 1};
    struct ft_consumer *c;
    bool found = false;
    int64_t offset, t0 = ft_wall_ms() - 60000;
    struct ft_err err;
    struct ft_msg m;
    size_t n;

    OK(ft_send(s->producer, s->topic, 1, FT_SPAN("k"), FT_SPAN("a"), NULL, 0, t0 + 5000, 0,
               &ok_err));
    OK(ft_send(s->producer, s->topic, 1, FT_SPAN("k"), FT_SPAN("b"), NULL, 0, t0 + 7000, 0,
               &ok_err));
    flush(s);
    OK(ft_bus_topics(s->bus, WAIT, &topics, &n, &ok_err));
    for (size_t i = 0; i < n; i++)
        if (strcmp(topics[i].name, s->topic) == 0) {
            found = true;
            assert_int_equal(topics[i].partitions, 3);
            OK(ft_bus_count(s->bus, &topics[i], 1, WAIT, &ok_err));
            assert_int_equal(topics[i].messages, 2);
        }
    OK(ft_bus_count(s->bus, topics, n, WAIT, &ok_err));
    for (size_t i = 0; i < n; i++)
        assert_true(topics[i].messages >= (strcmp(topics[i].name, s->topic) == 0 ? 2 : 0));
    snprintf(topics[0].name, sizeof(topics[0].name), "there-is-none-such");
    OK(ft_bus_count(s->bus, topics, 1, WAIT, &ok_err));
    assert_int_equal(topics[0].messages, -1);
    free(topics);
    assert_true(found);

    c = make_consumer(s, s->group);
    next_message(c, &m);
    ft_msg_done(&m);
    OK(ft_consumer_commit(c, &next, 1, true, &ok_err));
    ft_consumer_close(c, WAIT);
    OK(ft_bus_partitions(s->bus, s->topic, s->group, WAIT, &part, &n, &ok_err));
    assert_int_equal(n, 3);
    assert_int_equal(part[1].low, 0);
    assert_int_equal(part[1].high, 2);
    assert_int_equal(part[1].committed, 1);
    assert_int_equal(part[0].high, 0);
    assert_int_equal(part[0].committed, -1);
    OK(ft_bus_owners(s->bus, s->topic, s->group, WAIT, part, n, &ok_err));
    assert_string_equal(part[1].owner, "");
    free(part);
    assert_int_not_equal(
        ft_bus_partitions(s->bus, "there-is-none-such", NULL, 3000, &part, &n, &err), FT_OK);
    assert_non_null(strstr(err.text, "there-is-none-such"));

    OK(ft_bus_offset_at(s->bus, s->topic, 1, t0 + 5001, WAIT, &offset, &ok_err));
    assert_int_equal(offset, 1);
    OK(ft_bus_offset_at(s->bus, s->topic, 1, t0 + 8000, WAIT, &offset, &ok_err));
    assert_int_equal(offset, 2);
    OK(ft_bus_offset_at(s->bus, s->topic, 1, 0, WAIT, &offset, &ok_err));
    assert_int_equal(offset, 0);
}

static void making_a_topic_twice_changes_nothing(void **state)
{
    struct suite *s = *state;
    struct ft_topic_spec spec = {.name = s->topic, .partitions = 7, .replication = 1};
    struct ft_partition_info *part;
    size_t n;

    OK(ft_bus_ensure_topics(s->bus, &spec, 1, WAIT, &ok_err));
    OK(ft_bus_partitions(s->bus, s->topic, NULL, WAIT, &part, &n, &ok_err));
    assert_int_equal(n, 3);
    free(part);
}

static void a_topic_may_be_made_after_its_reader(void **state)
{
    struct suite *s = *state;
    char name[80];
    const char *topics[] = {name};
    struct ft_topic_spec spec = {.name = name, .partitions = 2, .replication = 1};
    struct ft_consumer_opts o = {.group = s->group, .topics = topics, .n_topics = 1};
    struct ft_consumer *c;
    struct ft_msg m;
    int64_t made;

    snprintf(name, sizeof(name), "%s-later", s->topic);
    OK(ft_consumer_new(&c, s->bus, &o, &ok_err));
    assert_int_equal(poll_for(c, &m, 1500), FT_AGAIN);
    OK(ft_bus_ensure_topics(s->bus, &spec, 1, WAIT, &ok_err));
    made = ft_now_ms();
    OK(ft_send(s->producer, name, 0, FT_SPAN("k"), FT_SPAN("v"), NULL, 0, -1, 0, &ok_err));
    expect_next(c, "v");
    assert_true(ft_now_ms() - made < 6000);
    ft_consumer_close(c, WAIT);
}

static void the_cluster_has_an_identity(void **state)
{
    struct suite *s = *state;
    char a[80] = "", b[80] = "";

    OK(ft_bus_cluster_id(s->bus, WAIT, a, sizeof(a), &ok_err));
    OK(ft_bus_cluster_id(s->bus, WAIT, b, sizeof(b), &ok_err));
    assert_true(strlen(a) > 8);
    assert_string_equal(a, b);
}

static void the_bus_knows_that_it_is_up(void **state)
{
    struct suite *s = *state;
    struct ft_bus_health h;

    send_to(s, 0, "k", "v", 1);
    flush(s);
    ft_bus_health(s->bus, &h);
    assert_true(h.known);
    assert_true(h.up);
    assert_true(h.since_ms <= ft_now_ms());
}

/* ---- transactions ---------------------------------------------------------------------------------- */

static void send_in(struct suite *s, struct ft_producer *p, const char *value)
{
    OK(ft_send(p, s->topic, 0, FT_SPAN("k"), ft_span_of(value), NULL, 0, -1, 0, &ok_err));
}

static void a_transaction_is_seen_whole_or_not_at_all(void **state)
{
    struct suite *s = *state;
    struct ft_producer *p = make_producer(s, s->group);
    struct ft_consumer *c = make_reader(s, FT_START_EARLIEST);

    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_in(s, p, "aborted");
    OK(ft_producer_flush(p, WAIT, &ok_err));
    OK(ft_txn_abort(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_in(s, p, "one");
    send_in(s, p, "two");
    OK(ft_producer_flush(p, WAIT, &ok_err));
    assert_int_equal(count_to_end(c), 0);
    OK(ft_txn_commit(p, WAIT, &ok_err));
    expect_next(c, "one");
    expect_next(c, "two");
    OK(ft_txn_begin(p, &ok_err)); /* an empty one does no harm */
    OK(ft_txn_commit(p, WAIT, &ok_err));
    ft_consumer_close(c, WAIT);
    ft_producer_free(p);
}

static void offsets_travel_with_the_transaction(void **state)
{
    struct suite *s = *state;
    struct ft_producer *p = make_producer(s, s->group);
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_offset next = {s->topic, 1, 1};
    int64_t committed;
    struct ft_msg m;

    send_to(s, 1, "k", "in", 0);
    flush(s);
    OK(ft_txn_init(p, WAIT, &ok_err));
    next_message(c, &m);
    ft_msg_done(&m);

    OK(ft_txn_begin(p, &ok_err));
    send_in(s, p, "out");
    OK(ft_txn_send_offsets(p, c, &next, 1, WAIT, &ok_err));
    OK(ft_txn_abort(p, WAIT, &ok_err));
    OK(ft_consumer_committed(c, s->topic, 1, WAIT, &committed, &ok_err));
    assert_int_equal(committed, -1);

    OK(ft_txn_begin(p, &ok_err));
    send_in(s, p, "out");
    OK(ft_txn_send_offsets(p, c, &next, 1, WAIT, &ok_err));
    OK(ft_txn_commit(p, WAIT, &ok_err));
    OK(ft_consumer_committed(c, s->topic, 1, WAIT, &committed, &ok_err));
    assert_int_equal(committed, 1);
    ft_consumer_close(c, WAIT);
    ft_producer_free(p);
}

static void a_second_instance_fences_the_first(void **state)
{
    struct suite *s = *state;
    struct ft_producer *old = make_producer(s, s->group), *new = make_producer(s, s->group);
    struct ft_consumer *c = make_reader(s, FT_START_EARLIEST);
    struct ft_err err = {""};

    OK(ft_txn_init(old, WAIT, &ok_err));
    OK(ft_txn_begin(old, &ok_err));
    send_in(s, old, "of the old one");
    OK(ft_producer_flush(old, WAIT, &ok_err));
    OK(ft_txn_init(new, WAIT, &ok_err)); /* aborts what the old one had begun */
    assert_int_equal(ft_txn_commit(old, WAIT, &err), FT_EFENCED);
    assert_non_null(strstr(err.text, s->group));
    OK(ft_txn_begin(new, &ok_err));
    send_in(s, new, "of the new one");
    OK(ft_txn_commit(new, WAIT, &ok_err));
    expect_next(c, "of the new one");
    ft_consumer_close(c, WAIT);
    ft_producer_free(old);
    ft_producer_free(new);
}

/* ---- two threads ----------------------------------------------------------------------------------- */

static void *send_many(void *user)
{
    struct suite *s = user;

    for (int i = 0; i < 20000; i++) {
        char text[16];
        enum ft_status st;

        snprintf(text, sizeof(text), "%d", i);
        while ((st = ft_send(s->producer, s->topic, 0, FT_SPAN("k"), ft_span_of(text), NULL, 0, -1,
                             1, NULL)) == FT_AGAIN)
            ft_producer_poll(s->producer, 10, NULL);
        if (st != FT_OK)
            return NULL;
        if (i % 100 == 0)
            ft_producer_poll(s->producer, 0, NULL);
    }
    return s;
}

static void a_stream_keeps_its_order(void **state)
{
    struct suite *s = *state;
    struct ft_consumer *c = make_consumer(s, s->group);
    struct ft_offset next = {s->topic, 0, 0};
    pthread_t thread;
    void *sent;

    assert_int_equal(pthread_create(&thread, NULL, send_many, s), 0);
    for (int i = 0; i < 20000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        expect_next(c, text);
        next.next = i + 1;
        if (next.next % 100 == 0)
            OK(ft_consumer_commit(c, &next, 1, false, &ok_err));
    }
    pthread_join(thread, &sent);
    assert_non_null(sent);
    flush(s);
    assert_int_equal(s->n_reports, 20000);
    ft_consumer_close(c, WAIT);
}

#define SUITE_TESTS                                                                                \
    SUITE_TEST(a_message_arrives_as_it_was_sent),                                                  \
        SUITE_TEST(no_key_no_value_and_an_empty_value_differ),                                     \
        SUITE_TEST(a_key_has_one_partition_the_same_everywhere),                                   \
        SUITE_TEST(reports_tell_where_a_message_lies),                                             \
        SUITE_TEST(a_message_too_large_is_refused_and_the_next_goes_on),                           \
        SUITE_TEST(a_group_goes_on_where_it_committed),                                            \
        SUITE_TEST(held_messages_outlive_the_next_poll), SUITE_TEST(members_share_and_take_over),  \
        SUITE_TEST(the_assigned_callback_says_where_to_begin), SUITE_TEST(pause_resume_and_seek),  \
        SUITE_TEST(readers_without_a_group_begin_anywhere), SUITE_TEST(lag_is_what_was_not_read),  \
        SUITE_TEST(topics_and_partitions_can_be_asked_for),                                        \
        SUITE_TEST(making_a_topic_twice_changes_nothing),                                          \
        SUITE_TEST(a_topic_may_be_made_after_its_reader), SUITE_TEST(the_cluster_has_an_identity), \
        SUITE_TEST(the_bus_knows_that_it_is_up),                                                   \
        SUITE_TEST(a_transaction_is_seen_whole_or_not_at_all),                                     \
        SUITE_TEST(offsets_travel_with_the_transaction),                                           \
        SUITE_TEST(a_second_instance_fences_the_first), SUITE_TEST(a_stream_keeps_its_order)

#endif
