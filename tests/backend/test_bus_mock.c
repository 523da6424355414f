/* Error paths of the Kafka bus, on the client library's mock cluster: brokers that refuse, load, fence or vanish. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "ft_test.h"

#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fraudtop/bus.h"
#include "fraudtop/log.h"

#define WAIT 10000

#define OK(call)                                                                                   \
    do {                                                                                           \
        struct ft_err ok_err = {""};                                                               \
        enum ft_status st_ = (call);                                                               \
        if (st_ != FT_OK)                                                                          \
            fail_msg("%s: %s: %s", #call, ft_status_name(st_), ok_err.text);                       \
    } while (0)

enum {
    PRODUCE = 0,
    LIST_OFFSETS = 2,
    OFFSET_COMMIT = 8,
    OFFSET_FETCH = 9,
    INIT_PRODUCER_ID = 22,
    ADD_PARTITIONS = 24,
    END_TXN = 26
};

struct mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    struct ft_bus *bus;
    struct ft_producer *producer;
    enum ft_status fate[16];
    int n_fates;
};

/* Stands before the library's, which can wait for ever, but not whenever a test wants it to. */
static atomic_bool never_returns;

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    rd_kafka_error_t *(*real)(rd_kafka_t *, int);
    void *found = dlsym(RTLD_NEXT, "rd_kafka_commit_transaction");

    while (atomic_load(&never_returns))
        pause();
    memcpy(&real, &found, sizeof(real));
    return real(rk, timeout_ms);
}

static atomic_bool nothing_comes;

rd_kafka_message_t *rd_kafka_consumer_poll(rd_kafka_t *rk, int timeout_ms)
{
    rd_kafka_message_t *(*real)(rd_kafka_t *, int), *m;
    void *found = dlsym(RTLD_NEXT, "rd_kafka_consumer_poll");

    memcpy(&real, &found, sizeof(real));
    m = real(rk, timeout_ms);
    if (m && atomic_load(&nothing_comes)) { /* no end of a partition either */
        rd_kafka_message_destroy(m);
        return NULL;
    }
    return m;
}

static void on_delivered(void *user, uint64_t token, enum ft_status st, int32_t partition,
                         int64_t offset)
{
    struct mock *m = user;

    (void)partition;
    (void)offset;
    m->fate[token] = st;
    m->n_fates++;
}

static struct ft_producer *make_producer(struct mock *m, const char *transactional_id)
{
    struct ft_producer_opts o = {
        .transactional_id = transactional_id, .delivered = on_delivered, .user = m};
    struct ft_producer *p;

    OK(ft_producer_new(&p, m->bus, &o, &ok_err));
    return p;
}

static int setup(void **state)
{
    struct mock *m = calloc(1, sizeof(*m));
    struct ft_bus_opts o = {.client_id = "test"};

    m->rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, NULL, 0);
    m->cluster = rd_kafka_mock_cluster_new(m->rk, 1);
    rd_kafka_mock_topic_create(m->cluster, "t", 1, 1);
    o.brokers = rd_kafka_mock_cluster_bootstraps(m->cluster);
    OK(ft_bus_open(&m->bus, &o, &ok_err));
    m->producer = make_producer(m, NULL);
    for (int i = 0; i < 16; i++)
        m->fate[i] = FT_ECONFLICT; /* not told yet */
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct mock *m = *state;

    ft_producer_free(m->producer);
    ft_bus_close(m->bus);
    rd_kafka_mock_cluster_destroy(m->cluster);
    rd_kafka_destroy(m->rk);
    free(m);
    return 0;
}

static void send_one(struct ft_producer *p, uint64_t token)
{
    OK(ft_send(p, "t", 0, FT_SPAN("k"), FT_SPAN("v"), NULL, 0, -1, token, &ok_err));
}

static int n_in_log(struct mock *m)
{
    struct ft_partition_info *info;
    size_t n;
    int64_t high;

    OK(ft_bus_partitions(m->bus, "t", NULL, WAIT, &info, &n, &ok_err));
    high = info[0].high;
    free(info);
    return (int)high;
}

static void passing_errors_are_retried(void **state)
{
    struct mock *m = *state;

    rd_kafka_mock_push_request_errors(m->cluster, PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    assert_int_equal(m->fate[1], FT_OK);
}

static void a_refused_message_is_told_and_the_next_passes(void **state)
{
    struct mock *m = *state;

    rd_kafka_mock_push_request_errors(m->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    assert_int_equal(m->fate[1], FT_EINPUT);
    send_one(m->producer, 2);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    assert_int_equal(m->fate[2], FT_OK);
}

/* Two requests on their way, of which the broker refuses the first and takes the second, as on a partition made anew. */
static void send_two_of_which_one_is_taken(struct mock *m, struct ft_producer *p)
{
    send_one(p, 1);
    OK(ft_producer_flush(p, WAIT, &ok_err));
    rd_kafka_mock_broker_set_rtt(m->cluster, 1, 300);
    rd_kafka_mock_push_request_errors(m->cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    send_one(p, 2);
    for (int64_t until = ft_now_ms() + 100; ft_now_ms() < until;)
        OK(ft_producer_poll(p, 10, &ok_err));
    send_one(p, 3);
}

static void the_message_before_one_that_was_taken_is_not_delivered_by_that(void **state)
{
    struct mock *m = *state;
    int told = 0;

    send_two_of_which_one_is_taken(m, m->producer);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    rd_kafka_mock_broker_set_rtt(m->cluster, 1, 0);
    for (int i = 1; i <= 3; i++)
        told += m->fate[i] == FT_OK;
    assert_int_equal(told, n_in_log(m));
    assert_int_equal(m->fate[2], FT_EUNREACHABLE);
}

static void one_whose_fate_nobody_is_told_fails_the_flush(void **state)
{
    struct mock *m = *state;
    struct ft_err err;

    rd_kafka_mock_push_request_errors(m->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_UNKNOWN);
    send_one(m->producer, 0);
    assert_int_equal(ft_producer_flush(m->producer, WAIT, &err), FT_EFATAL);
}

static void a_transaction_is_committed_whole_or_not_at_all(void **state)
{
    struct mock *m = *state;
    struct ft_producer *p = make_producer(m, "x");
    enum ft_status st;
    struct ft_err err;

    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_two_of_which_one_is_taken(m, p);
    rd_kafka_mock_broker_set_rtt(m->cluster, 1, 0);
    st = ft_txn_commit(p, WAIT, &err);
    if (st == FT_OK) {
        assert_int_equal(n_in_log(m), 3);
    } else {
        assert_int_equal(st, FT_EINPUT);
        OK(ft_txn_abort(p, WAIT, &ok_err));
    }
    ft_producer_free(p);
}

static void a_call_that_never_returns_is_left_behind(void **state)
{
    struct mock *m = *state;
    struct ft_producer *p = make_producer(m, "x");
    struct ft_err err;
    int64_t begin;

    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_one(p, 1);
    OK(ft_producer_flush(p, WAIT, &ok_err));
    atomic_store(&never_returns, true);
    assert_int_equal(ft_txn_commit(p, 50, &err), FT_EFATAL);
    begin = ft_now_ms();
    assert_int_equal(ft_txn_abort(p, WAIT, &err), FT_EFATAL);
    ft_producer_free(p);
    assert_true(ft_now_ms() - begin < WAIT / 2);
    atomic_store(&never_returns,
                 false); /* the thread that waits there goes on waiting: no signal wakes it */
    p = make_producer(m, "x");
    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_one(p, 2);
    OK(ft_txn_commit(p, WAIT, &ok_err));
    assert_int_equal(m->fate[2], FT_OK);
    ft_producer_free(p);
}

static void no_right_to_write_is_usage(void **state)
{
    struct mock *m = *state;

    rd_kafka_mock_push_request_errors(m->cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    assert_int_equal(m->fate[1], FT_EUSAGE);
}

static void a_broker_that_goes_away_shows_in_health_and_loses_nothing(void **state)
{
    struct mock *m = *state;
    struct ft_bus_health h;
    int64_t until = ft_now_ms() + WAIT;

    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    ft_bus_health(m->bus, &h);
    assert_true(h.known && h.up);

    rd_kafka_mock_broker_set_down(m->cluster, 1);
    send_one(m->producer, 2);
    do {
        OK(ft_producer_poll(m->producer, 50, &ok_err));
        ft_bus_health(m->bus, &h);
    } while (h.up && ft_now_ms() < until);
    assert_false(h.up);
    assert_true(h.error[0] != '\0');
    assert_int_equal(ft_producer_flush(m->producer, 300, NULL), FT_AGAIN);
    assert_int_equal(ft_producer_pending(m->producer), 1);

    rd_kafka_mock_broker_set_up(m->cluster, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    assert_int_equal(m->fate[2], FT_OK);
    ft_bus_health(m->bus, &h);
    assert_true(h.up);
}

static void a_full_queue_says_again(void **state)
{
    struct mock *m = *state;
    struct ft_prop prop = {"queue.buffering.max.messages", "10"};
    struct ft_bus_opts o = {.brokers = "127.0.0.1:1", .prop = &prop, .n_prop = 1};
    struct ft_producer_opts po = {0};
    struct ft_producer *p;
    struct ft_bus *bus;
    enum ft_status st = FT_OK;
    int64_t start;
    int n = 0;

    (void)m;
    OK(ft_bus_open(&bus, &o, &ok_err));
    OK(ft_producer_new(&p, bus, &po, &ok_err));
    while (n < 100 &&
           (st = ft_send(p, "t", 0, FT_SPAN("k"), FT_SPAN("v"), NULL, 0, -1, 0, NULL)) == FT_OK)
        n++;
    assert_int_equal(st, FT_AGAIN);
    assert_int_equal(n, 10);
    start = ft_now_ms();
    ft_producer_free(p); /* drops them, without waiting for a broker */
    ft_bus_close(bus);
    assert_true(ft_now_ms() - start < 3000);
}

static void nobody_there_is_unreachable_in_time(void **state)
{
    struct ft_bus_opts o = {.brokers = "127.0.0.1:1"};
    struct ft_topic_spec spec = {.name = "t", .partitions = 1};
    int64_t start = ft_now_ms();
    struct ft_bus *bus;
    struct ft_err err;
    char id[80];

    (void)state;
    OK(ft_bus_open(&bus, &o, &ok_err));
    assert_int_equal(ft_bus_ensure_topics(bus, &spec, 1, 800, &err), FT_EUNREACHABLE);
    assert_non_null(strstr(err.text, "127.0.0.1:1"));
    assert_non_null(strstr(err.text, "refused"));
    assert_int_equal(ft_bus_cluster_id(bus, 300, id, sizeof(id), &err), FT_EUNREACHABLE);
    assert_true(ft_now_ms() - start < 3000);
    ft_bus_close(bus);
}

/* ---- transactions ---------------------------------------------------------------------------------- */

static void a_coordinator_that_loads_is_waited_for(void **state)
{
    struct mock *m = *state;
    struct ft_producer *p = make_producer(m, "x");

    rd_kafka_mock_push_request_errors(m->cluster, INIT_PRODUCER_ID, 2,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    OK(ft_txn_init(p, WAIT, &ok_err));
    ft_producer_free(p);
}

static void a_refused_partition_aborts_the_transaction(void **state)
{
    struct mock *m = *state;
    struct ft_producer *p = make_producer(m, "x");

    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    rd_kafka_mock_push_request_errors(m->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    send_one(p, 1);
    assert_int_equal(ft_txn_commit(p, WAIT, NULL), FT_EINPUT);
    assert_int_equal(m->fate[1], FT_EINPUT);
    for (int i = 0; i < 5 && m->fate[2] != FT_OK; i++) {
        OK(ft_txn_abort(p, WAIT, &ok_err));
        OK(ft_txn_begin(p, &ok_err)); /* and goes on, once the hole in the sequence is mended */
        send_one(p, 2);
        if (ft_txn_commit(p, WAIT, NULL) != FT_OK)
            m->fate[2] = FT_ECONFLICT;
    }
    assert_int_equal(m->fate[2], FT_OK);
    ft_producer_free(p);
}

static void an_aborted_message_is_told_so(void **state)
{
    struct mock *m = *state;
    struct ft_producer_opts o = {
        .transactional_id = "x", .linger_ms = 20000, .delivered = on_delivered, .user = m};
    struct ft_producer *p;

    OK(ft_producer_new(&p, m->bus, &o, &ok_err));
    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_one(p, 1);
    OK(ft_txn_abort(p, WAIT, &ok_err));
    ft_producer_poll(p, 100, NULL);
    assert_int_equal(m->fate[1], FT_ESTOPPED);
    assert_int_equal(ft_producer_pending(p), 0);
    ft_producer_free(p);
}

static void a_fenced_producer_knows_it(void **state)
{
    struct mock *m = *state;
    struct ft_producer *p = make_producer(m, "x");
    struct ft_err err;

    OK(ft_txn_init(p, WAIT, &ok_err));
    OK(ft_txn_begin(p, &ok_err));
    send_one(p, 1);
    OK(ft_producer_flush(p, WAIT, &ok_err));
    rd_kafka_mock_push_request_errors(m->cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    assert_int_equal(ft_txn_commit(p, WAIT, &err), FT_EFENCED);
    assert_non_null(strstr(err.text, "another instance"));
    assert_int_equal(ft_send(p, "t", 0, FT_SPAN("k"), FT_SPAN("v"), NULL, 0, -1, 2, &err),
                     FT_EFENCED);
    ft_producer_free(p);
}

/* ---- consumers ------------------------------------------------------------------------------------- */

static struct ft_consumer *make_member(struct mock *m)
{
    static const char *const topics[] = {"t"};
    struct ft_consumer_opts o = {.group = "g", .topics = topics, .n_topics = 1};
    struct ft_consumer *c;

    OK(ft_consumer_new(&c, m->bus, &o, &ok_err));
    return c;
}

static void next_message(struct ft_consumer *c)
{
    int64_t until = ft_now_ms() + 2 * WAIT;
    struct ft_msg msg;

    while (ft_consumer_poll(c, 50, &msg, NULL) != FT_OK)
        if (ft_now_ms() > until)
            fail_msg("no message");
    ft_msg_done(&msg);
}

static void a_commit_after_the_partition_went_away_is_to_be_repeated(void **state)
{
    struct mock *m = *state;
    struct ft_offset next = {"t", 0, 1};
    struct ft_consumer *c = make_member(m);

    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    next_message(c);
    rd_kafka_mock_push_request_errors(m->cluster, OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    assert_int_equal(ft_consumer_commit(c, &next, 1, true, NULL), FT_AGAIN);
    ft_consumer_close(c, 3000);
}

static void a_reader_to_whom_nothing_comes_begins_anew(void **state)
{
    struct mock *m = *state;
    struct ft_consumer *c = make_member(m);
    struct ft_msg msg;
    struct ft_err err;
    enum ft_status st;
    int64_t until = ft_now_ms() + 3 * WAIT;

    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    next_message(c);
    atomic_store(&nothing_comes, true);
    send_one(m->producer, 2);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    do
        st = ft_consumer_poll(c, 100, &msg, &err);
    while ((st == FT_AGAIN || st == FT_EUNREACHABLE) && ft_now_ms() < until);
    atomic_store(&nothing_comes, false);
    assert_int_equal(st, FT_EFATAL);
    assert_non_null(strstr(err.text, "nothing comes"));
    ft_consumer_close(c, 1000);
}

/* The coordinator moves while a member that was just given partitions asks where they begin: 2.0.2 asks once. */
static void a_coordinator_that_moves_does_not_stop_a_member(void **state)
{
    struct mock *m = *state;
    rd_kafka_resp_err_t moved[200];
    int64_t began = ft_now_ms();
    struct ft_consumer *c;
    struct ft_msg msg;
    bool moves = true;

    for (size_t i = 0; i < 200; i++)
        moved[i] = RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    rd_kafka_mock_push_request_errors_array(m->cluster, OFFSET_FETCH, 200, moved);
    c = make_member(m);
    for (enum ft_status st; (st = ft_consumer_poll(c, 50, &msg, NULL)) != FT_OK;) {
        if (st == FT_EFATAL) { /* as every stage does */
            ft_consumer_close(c, 3000);
            c = make_member(m);
        }
        if (moves && ft_now_ms() - began >
                         8000) { /* our own question has been given up, the library's has failed */
            rd_kafka_mock_clear_request_errors(m->cluster, OFFSET_FETCH);
            moves = false;
        }
        if (ft_now_ms() - began > 4 * WAIT)
            fail_msg("no message");
    }
    assert_false(moves);
    ft_msg_done(&msg);
    ft_consumer_close(c, 3000);
}

/* 2.0.2 stops to fetch at a limit of what is read ahead, and by itself looks again after a second. */
static void a_backlog_comes_without_pauses(void **state)
{
    static const char *const topics[] = {"t"};
    struct mock *m = *state;
    struct ft_consumer_opts o = {.group = "g",
                                 .topics = topics,
                                 .n_topics = 1,
                                 .queued_kbytes = 2048,
                                 .queued_messages = 8192};
    struct ft_consumer *c;
    struct ft_msg msg;
    char value[1000];

    for (int i = 0; i < 4500; i++) {
        ft_random(value, sizeof(value)); /* nothing to compress */
        OK(ft_send(m->producer, "t", 0, FT_SPAN("k"), (struct ft_span){value, sizeof(value)}, NULL,
                   0, -1, 1, &ok_err));
        if (i % 50 == 49)
            OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    }
    OK(ft_consumer_new(&c, m->bus, &o, &ok_err));
    next_message(c);
    ft_sleep_ms(300); /* the limit is reached */
    for (int i = 1; i < 4500; i++) {
        if (ft_consumer_poll(c, 600, &msg, NULL) != FT_OK)
            fail_msg("nothing comes after %d messages", i);
        ft_msg_done(&msg);
    }
    ft_consumer_close(c, 3000);
}

/* A topic just made: the broker that is asked how much it holds does not lead it yet. */
static void counting_waits_for_leaders(void **state)
{
    struct mock *m = *state;
    struct ft_topic_info *topics;
    uint64_t messages = 0;
    size_t n;

    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    rd_kafka_mock_push_request_errors(
        m->cluster, LIST_OFFSETS, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    OK(ft_bus_topics(m->bus, WAIT, &topics, &n, &ok_err));
    OK(ft_bus_count(m->bus, topics, n, WAIT, &ok_err));
    for (size_t i = 0; i < n; i++)
        messages += topics[i].messages > 0 ? (uint64_t)topics[i].messages : 0;
    assert_int_equal(messages, 1);
    free(topics);
}

/* 2.0.2 aborts the process when the coordinator is back that a question had waited for in vain. */
static void a_coordinator_that_is_back_after_a_question_ran_out(void **state)
{
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, NULL, 0);
    rd_kafka_mock_cluster_t *two = rd_kafka_mock_cluster_new(rk, 2);
    struct ft_bus_opts o = {.client_id = "test", .brokers = rd_kafka_mock_cluster_bootstraps(two)};
    struct ft_partition_info part = {.partition = 0};
    struct ft_bus *bus;
    struct ft_err err;

    (void)state;
    rd_kafka_mock_topic_create(two, "t", 1, 2);
    rd_kafka_mock_coordinator_set(two, "group", "g", 2);
    rd_kafka_mock_broker_set_down(two, 2);
    OK(ft_bus_open(&bus, &o, &ok_err));
    assert_int_equal(ft_bus_owners(bus, "t", "g", 2000, &part, 1, &err), FT_EUNREACHABLE);
    rd_kafka_mock_broker_set_up(two, 2);
    ft_sleep_ms(3000);
    ft_bus_close(bus);
    rd_kafka_mock_cluster_destroy(two);
    rd_kafka_destroy(rk);
}

static void closing_is_bounded_when_the_broker_is_gone(void **state)
{
    struct mock *m = *state;
    struct ft_consumer *c = make_member(m);
    int64_t start;

    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    next_message(c);
    rd_kafka_mock_broker_set_down(m->cluster, 1);
    start = ft_now_ms();
    ft_consumer_close(c, 2000);
    assert_true(ft_now_ms() - start < 2500);
}

static void a_hanging_broker_does_not_hold_up_the_end(void **state)
{
    struct mock *m = *state;
    struct ft_consumer *c = make_member(m);
    int64_t start;

    send_one(m->producer, 1);
    OK(ft_producer_flush(m->producer, WAIT, &ok_err));
    next_message(c);
    rd_kafka_mock_broker_set_rtt(m->cluster, 1, 30000);
    start = ft_now_ms();
    ft_consumer_close(c, 2000);
    assert_true(ft_now_ms() - start < 2500);
    rd_kafka_mock_broker_set_rtt(m->cluster, 1, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(passing_errors_are_retried),
        TEST(a_refused_message_is_told_and_the_next_passes),
        TEST(the_message_before_one_that_was_taken_is_not_delivered_by_that),
        TEST(one_whose_fate_nobody_is_told_fails_the_flush),
        TEST(a_transaction_is_committed_whole_or_not_at_all),
        TEST(a_call_that_never_returns_is_left_behind),
        TEST(a_reader_to_whom_nothing_comes_begins_anew),
        TEST(no_right_to_write_is_usage),
        TEST(a_broker_that_goes_away_shows_in_health_and_loses_nothing),
        TEST(a_full_queue_says_again),
        TEST(nobody_there_is_unreachable_in_time),
        TEST(a_coordinator_that_loads_is_waited_for),
        TEST(a_refused_partition_aborts_the_transaction),
        TEST(an_aborted_message_is_told_so),
        TEST(a_fenced_producer_knows_it),
        TEST(a_commit_after_the_partition_went_away_is_to_be_repeated),
        TEST(a_coordinator_that_moves_does_not_stop_a_member),
        TEST(a_backlog_comes_without_pauses),
        TEST(counting_waits_for_leaders),
        TEST(a_coordinator_that_is_back_after_a_question_ran_out),
        TEST(closing_is_bounded_when_the_broker_is_gone),
        TEST(a_hanging_broker_does_not_hold_up_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
