/*
 * A broker that is killed, hangs, or is away while messages flow: nothing is lost, nothing comes twice, memory is
 * bounded, and the health says what is wrong.  Starts a Kafka of its own, to be able to.
 * ctest: serial
 */
#include "../bus_rig.h"

#include <stdatomic.h>
#include <unistd.h>

static int port;
static char folder[64], brokers[64];

static struct ft_bus *open_kafka(void)
{
    /* A session that outlives a restart and a busy machine: one that ends means repeats, which no case here is about. */
    static const struct ft_prop session = {"session.timeout.ms", "45000"};
    struct ft_bus_opts o = {.client_id = "test", .brokers = brokers, .prop = &session, .n_prop = 1};
    struct ft_bus *bus;

    OK(ft_bus_open(&bus, &o, &ok_err));
    return bus;
}

static int server(const char *command)
{
    char line[400];

    snprintf(
        line, sizeof(line),
        FT_SOURCE_DIR
        "/scripts/kafka-server %s --port %d --dir %s --heap 300m --timeout 150 -q >>%s.out 2>&1",
        command, port, folder, folder);
    return system(line);
}

/* ---- a stream while something happens -------------------------------------------------------------- */

struct stream {
    struct suite *s;
    pthread_t thread;
    bool runs;
    atomic_bool stop;
    atomic_int n_sent;
    bool failed;
};

static struct stream
    stream; /* not on the stack: a failed check jumps out of the test, and its thread goes on */

/* Numbers, a thousand a second, into one partition. */
static void *send_numbers(void *user)
{
    struct stream *t = user;
    struct ft_producer *p = t->s->producer;

    for (int i = 0; !atomic_load(&t->stop) && !t->failed; i++) {
        char text[16];
        enum ft_status st;

        snprintf(text, sizeof(text), "%d", i);
        while ((st = ft_send(p, t->s->topic, 0, FT_SPAN("k"), ft_span_of(text), NULL, 0, -1, 1,
                             NULL)) == FT_AGAIN)
            ft_producer_poll(p, 10, NULL);
        t->failed = st != FT_OK;
        atomic_store(&t->n_sent, i + 1);
        ft_producer_poll(p, 1, NULL);
    }
    t->failed = t->failed || ft_producer_flush(p, 60000, NULL) != FT_OK;
    return NULL;
}

struct reading {
    int next;
    bool repeats; /* a member whose session ended begins at the last commit again */
};

/* Reads on until ms have passed: none is missing, and each comes once and in order unless repeats are due. */
static void read_numbers(struct ft_consumer *c, struct reading *r, int64_t ms)
{
    int64_t until = ft_now_ms() + ms;

    while (ft_now_ms() < until) {
        struct ft_msg m;
        char got[16];

        if (ft_consumer_poll(c, 50, &m, NULL) != FT_OK)
            continue;
        snprintf(got, sizeof(got), "%.*s", (int)m.value.n, m.value.p);
        ft_msg_done(&m);
        if (r->repeats && atoi(got) < r->next)
            continue;
        if (atoi(got) != r->next)
            fail_msg("got %s, not %d", got, r->next);
        r->next++;
    }
}

static void end_stream(void)
{
    atomic_store(&stream.stop, true);
    if (stream.runs)
        pthread_join(stream.thread, NULL);
    stream.runs = false;
}

/* Also after a failed case, which may have left the broker stopped or hung. */
static int outage_teardown(void **state)
{
    server("resume");
    server("start");
    end_stream();
    return suite_teardown(state);
}

/* Runs a stream, lets happen() take place in the middle, and checks that every number arrived. */
static void stream_through(struct suite *s, void (*happen)(struct suite *s, struct ft_consumer *c,
                                                           struct reading *r))
{
    struct ft_consumer *c = make_consumer(s, s->group);
    struct reading r = {0};
    int64_t until;

    stream = (struct stream){.s = s};
    stream.runs = pthread_create(&stream.thread, NULL, send_numbers, &stream) == 0;
    assert_true(stream.runs);
    read_numbers(c, &r, 2000);
    happen(s, c, &r);
    read_numbers(c, &r, 1000);
    end_stream();
    assert_false(stream.failed);
    until = ft_now_ms() + 60000;
    while (r.next < atomic_load(&stream.n_sent) && ft_now_ms() < until)
        read_numbers(c, &r, 100);
    assert_int_equal(r.next, atomic_load(&stream.n_sent));
    assert_int_equal(s->n_reports, r.next);
    ft_consumer_close(c, 5000);
}

static void wait_for_health(struct suite *s, struct ft_consumer *c, struct reading *r, bool up,
                            int64_t ms)
{
    int64_t until = ft_now_ms() + ms;
    struct ft_bus_health h;

    do {
        read_numbers(c, r, 100);
        ft_bus_health(s->bus, &h);
    } while (h.up != up && ft_now_ms() < until);
    assert_int_equal(h.up, up);
    assert_true(up || h.error[0]);
}

static void kill_and_start(struct suite *s, struct ft_consumer *c, struct reading *r)
{
    assert_int_equal(server("kill9"), 0);
    wait_for_health(s, c, r, false, 10000);
    assert_int_equal(server("start"), 0);
    wait_for_health(s, c, r, true, 30000);
}

static void a_killed_broker_loses_and_repeats_nothing(void **state)
{
    stream_through(*state, kill_and_start);
}

static void hang(struct suite *s, struct ft_consumer *c, struct reading *r)
{
    struct ft_bus_health h;

    r->repeats = true;
    assert_int_equal(server("pause"), 0);
    wait_for_health(s, c, r, false, 12000); /* its connections stay: only its silence tells */
    ft_bus_health(s->bus, &h);
    assert_non_null(strstr(h.error, "does not answer"));
    assert_int_equal(server("resume"), 0);
    wait_for_health(s, c, r, true, 30000);
}

static void a_hanging_broker_is_noticed_and_waited_for(void **state)
{
    stream_through(*state, hang);
}

/* ---- away ------------------------------------------------------------------------------------------ */

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void while_kafka_is_away_memory_is_bounded(void **state)
{
    struct suite *s = *state;
    long before = resident_kb();
    static const char block[600];
    enum ft_status st = FT_OK;
    int n = 0;
    int64_t start;

    send_to(s, 0, "k", "v", 1);
    flush(s);
    assert_int_equal(server("stop"), 0);
    while (n < 1000000 &&
           (st = ft_send(s->producer, s->topic, FT_BY_KEY, FT_SPAN("key"),
                         (struct ft_span){block, sizeof(block)}, NULL, 0, -1, 1, NULL)) == FT_OK)
        n++;
    assert_int_equal(st, FT_AGAIN);
    assert_in_range(n, 50000, 100000);
    for (int i = 0; i < 20; i++)
        ft_producer_poll(s->producer, 100, NULL);
    assert_in_range(resident_kb() - before, 1000, 130000);
    start = ft_now_ms();
    assert_int_equal(ft_producer_flush(s->producer, 500, NULL), FT_AGAIN);
    assert_true(ft_now_ms() - start < 1500);
    assert_int_equal(server("start"), 0);
    OK(ft_producer_flush(s->producer, 60000, &ok_err));
    assert_int_equal(s->n_reports, n + 1);
}

#define OUTAGE_TEST(f) cmocka_unit_test_setup_teardown(f, suite_setup, outage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTAGE_TEST(a_killed_broker_loses_and_repeats_nothing),
        OUTAGE_TEST(a_hanging_broker_is_noticed_and_waited_for),
        OUTAGE_TEST(while_kafka_is_away_memory_is_bounded),
    };
    char line[200];
    int failed;

    port = 20000 + (int)(getpid() % 900);
    snprintf(folder, sizeof(folder), "/tmp/fraudtop-test-kafka.%d", (int)getpid());
    snprintf(brokers, sizeof(brokers), "127.0.0.1:%d", port);
    if (server("start") != 0)
        return ft_test_skip("no Kafka of its own could be started");
    suite_open = open_kafka;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    server("resume");
    server("stop");
    snprintf(line, sizeof(line), "rm -rf %s %s.out", folder, folder);
    return system(line) == 0 ? failed : 1;
}
