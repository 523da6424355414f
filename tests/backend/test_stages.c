/* The stages on the loopback and a throw-away PostgreSQL: what goes in comes out once, whatever it looks like. */
#include "pg_test.h"

#include <ctype.h>

#include "fraudtop/log.h"
#include "fraudtop/loopback.h"
#include "fraudtop/pipeline.h"

#define ROWS 90 /* of data/new_small.csv */
static const char small_csv[] = FT_SOURCE_DIR "/data/new_small.csv";
static const char messages[] = FT_SOURCE_DIR "/tests/data/messages/";

static struct pg_test server;

struct world {
    struct ft_pipe pipe;
    struct ft_scorer *scorer;
    struct ft_stage *score, *sink;
    struct ft_producer *out;
    char state_dir[64];
    char run[FT_RUN_TEXT + 1];
};

static void ok(enum ft_status st, const struct ft_err *err)
{
    if (st != FT_OK)
        fail_msg("%s: %s", ft_status_name(st), err->text);
}

static const char *conninfo(void)
{
    return ft_pg_conninfo(server.pg);
}

static long count(const char *sql)
{
    return strtol(pg_test_sql(conninfo(), sql), NULL, 10);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct ft_bus_opts bo = {.brokers = NULL};
    struct ft_producer_opts po = {.linger_ms = 0, .large = true};
    struct ft_config *cfg = ft_config_new();
    struct ft_store *store;
    struct ft_err err;

    snprintf(w->state_dir, sizeof(w->state_dir), "/tmp/fraudtop-stages-XXXXXX");
    assert_non_null(mkdtemp(w->state_dir));
    ft_topics_from(&w->pipe.topics, cfg);
    ft_config_free(cfg);
    memset(w->pipe.secret, 7, sizeof(w->pipe.secret));
    ok(ft_bus_open(&w->pipe.bus, &bo, &err), &err);
    ok(ft_topics_ensure(w->pipe.bus, &w->pipe.topics, 1000, &err), &err);
    ok(ft_scorer_load(&w->scorer, FT_SOURCE_DIR "/models/seed-004", "", false, &err), &err);
    ok(ft_producer_new(&w->out, w->pipe.bus, &po, &err), &err);
    ok(ft_store_open(&store, conninfo(), true, 5000, &err), &err);
    ft_store_close(store);
    pg_test_sql(conninfo(), "TRUNCATE fraud_scores, fraudtop_verdicts, fraudtop_cases CASCADE");
    *state = w;
    return 0;
}

static void stop(struct ft_stage **s)
{
    struct ft_err err;

    if (!*s)
        return;
    ft_stage_stop(*s);
    ok(ft_stage_join(*s, 10000, &err), &err);
    ft_stage_free(*s);
    *s = NULL;
}

/* The stages ask it as long as they run, and it reads their counters until it ends. */
static void stop_control(struct world *w)
{
    struct ft_stage *s[] = {w->score, w->sink};
    struct ft_err err;

    for (int i = 0; i < 2; i++)
        if (s[i]) {
            ft_stage_stop(s[i]);
            ok(ft_stage_join(s[i], 10000, &err), &err);
        }
    ft_control_stop(w->pipe.control);
    w->pipe.control = NULL;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];

    stop(&w->score);
    stop(&w->sink);
    ft_producer_free(w->out);
    ft_bus_close(w->pipe.bus);
    ft_scorer_free(w->scorer);
    snprintf(command, sizeof(command), "rm -rf %s", w->state_dir);
    (void)!system(command);
    free(w);
    return 0;
}

static void start_score(struct world *w, bool exactly_once)
{
    struct ft_score_opts so = {.scorer = w->scorer,
                               .group = "score",
                               .threshold = 0.5,
                               .reasons = 3,
                               .exactly_once = exactly_once,
                               .linger_ms = 0};
    struct ft_err err;

    ok(ft_score_start(&w->score, &w->pipe, &so, &err), &err);
}

static void start_sink(struct world *w)
{
    struct ft_sink_opts so = {.conninfo = conninfo(), .group = "sink"};
    struct ft_err err;

    ok(ft_sink_start(&w->sink, &w->pipe, &so, &err), &err);
}

/* Sends rows of the small file; resume NULL: a new run.  Returns the rows that were acknowledged. */
static uint64_t replay(struct world *w, const char *resume, uint64_t limit)
{
    const char *files[] = {small_csv};
    struct ft_replay_opts ro = {
        .files = files, .n_files = 1, .limit = limit, .state_dir = w->state_dir, .resume = resume};
    struct ft_replay_status v;
    struct ft_stage *s;
    struct ft_err err;
    uint64_t n;

    ok(ft_replay_new(&s, &w->pipe, &ro, &err), &err);
    ok(ft_replay_start(s, &err), &err);
    ok(ft_stage_join(s, 20000, &err), &err);
    ft_replay_status(s, &v);
    snprintf(w->run, sizeof(w->run), "%s", v.run_text);
    n = ft_counted(ft_stage_counters(s), FT_M_ACKED);
    ft_stage_free(s);
    return n;
}

static void wait_for(struct ft_stage *s, enum ft_metric m, uint64_t n)
{
    for (int i = 0; i < 2000 && ft_counted(ft_stage_counters(s), m) < n; i++)
        ft_sleep_ms(10);
    assert_int_equal(ft_counted(ft_stage_counters(s), m), n);
}

static void send_bytes(struct world *w, const char *topic, const char *p, size_t n)
{
    struct ft_err err;
    struct ft_span value = {p, n};
    const struct ft_header header = {"from", FT_SPAN("another")};

    ok(ft_send(w->out, topic, FT_BY_KEY, (struct ft_span){0}, value, &header, 1, -1, 0, &err),
       &err);
    ok(ft_producer_flush(w->out, 5000, &err), &err);
}

/* Each line of a file is a message. */
static size_t send_lines(struct world *w, const char *topic, const char *file, bool upper_ids)
{
    char path[512], line[65536];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s%s", messages, file);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        char *id = strstr(line, "transaction_id");

        line[strcspn(line, "\n")] = '\0';
        for (char *c = id ? id + 17 : NULL; upper_ids && c && *c && *c != ','; c++)
            *c = (char)toupper((unsigned char)*c);
        send_bytes(w, topic, line, strlen(line));
        n++;
    }
    fclose(f);
    return n;
}

/* ---- tests ---------------------------------------------------------------------------------------- */

static void every_row_is_stored_once(void **state)
{
    struct world *w = *state;

    start_score(w, false);
    start_sink(w);
    assert_int_equal(replay(w, NULL, 0), ROWS);
    wait_for(w->sink, FT_M_STORED, ROWS);
    assert_int_equal(count("SELECT count(*) FROM fraud_scores"), ROWS);
    assert_int_equal(ft_counted(ft_stage_counters(w->score), FT_M_SCORED), ROWS);
    /* flagged ones became cases with their data */
    assert_int_equal(count("SELECT count(*) FROM fraud_scores WHERE fraud_flag = 1"),
                     count("SELECT count(*) FROM fraudtop_cases WHERE data ? 'amount'"));
}

static void a_run_continues_where_it_ended(void **state)
{
    struct world *w = *state;

    start_score(w, false);
    start_sink(w);
    assert_int_equal(replay(w, NULL, 40), 40);
    wait_for(w->sink, FT_M_STORED, 40);
    /* the loopback is of this process, so a resume begins at row 0, under the same ids */
    assert_int_equal(replay(w, w->run, ROWS), ROWS);
    wait_for(w->sink, FT_M_STORED, ROWS);
    assert_int_equal(count("SELECT count(*) FROM fraud_scores"), ROWS);
}

static void the_python_sender_is_understood(void **state)
{
    struct world *w = *state;
    char line[4096], path[512];
    FILE *f;

    start_score(w, false);
    start_sink(w);
    assert_int_equal(send_lines(w, w->pipe.topics.transactions, "transactions.jsonl", true), ROWS);
    wait_for(w->sink, FT_M_STORED, ROWS);
    /* and answered as its detector answers, which rounds to ten decimals */
    snprintf(path, sizeof(path), "%sscoring.jsonl", messages);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        double want = strtod(strstr(line, "\"score\":") + 8, NULL);
        char *id = strstr(line, "\"transaction_id\":\"") + 18, sql[200];

        id[36] = '\0';
        snprintf(sql, sizeof(sql), "SELECT score FROM fraud_scores WHERE transaction_id = '%s'",
                 id);
        assert_near(strtod(pg_test_sql(conninfo(), sql), NULL), want, 5.1e-11);
    }
    fclose(f);
}

/* It sets no key: a model with customers' state scores all the same, and says what that means. */
static void messages_without_a_key_are_scored_and_told(void **state)
{
    struct world *w = *state;
    struct ft_score_status v;
    struct ft_err err;

    ft_scorer_free(w->scorer);
    ok(ft_scorer_load(&w->scorer, FT_SOURCE_DIR "/models/velocity", "", false, &err), &err);
    start_score(w, false);
    start_sink(w);
    ft_score_status(w->score, &v);
    assert_false(v.no_key);
    assert_int_equal(send_lines(w, w->pipe.topics.transactions, "transactions.jsonl", true), ROWS);
    wait_for(w->sink, FT_M_STORED, ROWS);
    ft_score_status(w->score, &v);
    assert_true(v.no_key);
}

static void the_python_detector_is_understood(void **state)
{
    struct world *w = *state;

    start_sink(w);
    assert_int_equal(send_lines(w, w->pipe.topics.scoring, "scoring.jsonl", false), ROWS);
    wait_for(w->sink, FT_M_STORED, ROWS);
    assert_int_equal(count("SELECT count(*) FROM fraud_scores"), ROWS);
}

static void missing_cells_are_scored(void **state)
{
    struct world *w = *state;
    size_t n;

    start_score(w, false);
    start_sink(w);
    n = send_lines(w, w->pipe.topics.transactions, "transactions-with-gaps.jsonl", false);
    for (int i = 0; i < 500 && ft_counted(ft_stage_counters(w->score), FT_M_SCORED) +
                                       ft_counted(ft_stage_counters(w->score), FT_M_DEAD) <
                                   n;
         i++)
        ft_sleep_ms(10);
    wait_for(w->sink, FT_M_STORED, ft_counted(ft_stage_counters(w->score), FT_M_SCORED));
    assert_true(ft_counted(ft_stage_counters(w->score), FT_M_SCORED) > 0);
}

/* The newest dead letter of a topic, read from its start. */
static void check_dead(struct world *w, const char *topic, size_t want, const char *payload,
                       size_t payload_n, int64_t offset)
{
    struct ft_consumer_opts co = {.eof_events = true};
    struct ft_partition_info *part;
    struct ft_assigned a[8];
    struct ft_consumer *in;
    struct ft_msg m;
    struct ft_err err;
    size_t n, ends = 0, found = 0, same = 0;

    ok(ft_bus_partitions(w->pipe.bus, topic, NULL, 1000, &part, &n, &err), &err);
    for (size_t i = 0; i < n; i++)
        a[i] = (struct ft_assigned){topic, part[i].partition, FT_START_EARLIEST, false};
    free(part);
    ok(ft_consumer_new(&in, w->pipe.bus, &co, &err), &err);
    ok(ft_consumer_assign(in, a, n, &err), &err);
    while (ends < n) {
        enum ft_status st = ft_consumer_poll(in, 2000, &m, &err);

        if (st == FT_END) {
            ends++;
            continue;
        }
        ok(st, &err);
        found++;
        assert_true(ft_msg_header(&m, "error").n > 0);
        assert_true(ft_msg_header(&m, "time").n > 0);
        assert_true(ft_msg_header(&m, "source.topic").n > 0);
        assert_true(ft_msg_header(&m, "source.partition").n > 0);
        assert_true(ft_span_is(ft_msg_header(&m, "from"), "another")); /* its own is kept */
        if (m.value.n == payload_n && (!payload_n || memcmp(m.value.p, payload, payload_n) == 0))
            same++;
        ft_msg_done(&m);
    }
    (void)offset;
    ft_consumer_close(in, 1000);
    assert_int_equal(found, want);
    assert_true(same >= 1);
}

static void bad_messages_go_to_the_dead_letters(void **state)
{
    struct world *w = *state;
    const char *in = w->pipe.topics.transactions, *out = w->pipe.topics.scoring;
    static const char *const bad[] = {
        "not JSON",
        "{}",
        "[]",
        "{\"data\":{\"amount\":1}}",
        "{\"transaction_id\":\"no uuid\",\"data\":{\"amount\":1}}",
        ("{\"transaction_id\":\"0199c0de-0000-8000-8000-000000000001\",\"data\":{\"amount\":"
         "\"much\",\"transaction_time\":\"2020-01-01 10:00\"}}"),
        ("{\"transaction_id\":\"0199c0de-0000-8000-8000-000000000002\",\"data\":{\"amount\":-1,"
         "\"transaction_time\":\"2020-01-01 10:00\"}}"),
        "{\"transaction_id\":\"0199c0de-0000-8000-8000-000000000003\",\"data\":7}",
    };
    const size_t n_bad = sizeof(bad) / sizeof(bad[0]);
    size_t big_n = 1000000;
    char *big = malloc(big_n);

    assert_non_null(big);
    memset(big, 'x', big_n);
    start_score(w, false);
    start_sink(w);
    for (size_t i = 0; i < n_bad; i++)
        send_bytes(w, in, bad[i], strlen(bad[i]));
    send_bytes(w, in, big, big_n);
    send_bytes(w, in, "", 0);
    send_bytes(w, in, NULL, 0);
    assert_int_equal(replay(w, NULL, 0), ROWS); /* the pipeline goes on */
    wait_for(w->sink, FT_M_STORED, ROWS);
    wait_for(w->score, FT_M_DEAD, n_bad + 3);
    stop(&w->score);
    check_dead(w, w->pipe.topics.transactions_dlq, n_bad + 3, big, big_n, 0);
    check_dead(w, w->pipe.topics.transactions_dlq, n_bad + 3, bad[0], strlen(bad[0]), 0);

    send_bytes(w, out,
               "[{\"score\":1e999,\"fraud_flag\":0,\"transaction_id\":"
               "\"0199c0de-0000-8000-8000-000000000004\"}]",
               86);
    send_bytes(w, out, "also no JSON", 12);
    send_bytes(w, out, big, big_n);
    send_bytes(w, out, "", 0);
    /* of an array only the bad element is lost */
    static const char half[] = "[{\"score\":0.25,\"fraud_flag\":0,\"transaction_id\":"
                               "\"0199c0de-0000-8000-8000-000000000005\"},{\"score\":\"?\"}]";
    send_bytes(w, out, half, sizeof(half) - 1);
    wait_for(w->sink, FT_M_STORED, ROWS + 1);
    wait_for(w->sink, FT_M_SINK_DEAD, 5);
    stop(&w->sink);
    check_dead(w, w->pipe.topics.scoring_dlq, 5, half, sizeof(half) - 1, 0);
    free(big);
}

static void a_message_that_comes_twice_is_one_row(void **state)
{
    struct world *w = *state;

    start_score(w, false);
    start_sink(w);
    send_lines(w, w->pipe.topics.transactions, "transactions.jsonl", false);
    send_lines(w, w->pipe.topics.transactions, "transactions.jsonl", false);
    wait_for(w->sink, FT_M_SINK_RECEIVED, 2 * ROWS);
    wait_for(w->sink, FT_M_STORED, ROWS);
    wait_for(w->sink, FT_M_SINK_REPEATED, ROWS);
    assert_int_equal(count("SELECT count(*) FROM fraud_scores"), ROWS);
}

/* How many messages a topic holds for readers of committed ones. */
static size_t held(struct world *w, const char *topic)
{
    struct ft_consumer_opts co = {.eof_events = true};
    struct ft_partition_info *part;
    struct ft_assigned a[8];
    struct ft_consumer *in;
    struct ft_msg m;
    struct ft_err err;
    size_t n, ends = 0, found = 0;

    ok(ft_bus_partitions(w->pipe.bus, topic, NULL, 1000, &part, &n, &err), &err);
    for (size_t i = 0; i < n; i++)
        a[i] = (struct ft_assigned){topic, part[i].partition, FT_START_EARLIEST, false};
    free(part);
    ok(ft_consumer_new(&in, w->pipe.bus, &co, &err), &err);
    ok(ft_consumer_assign(in, a, n, &err), &err);
    while (ends < n) {
        enum ft_status st = ft_consumer_poll(in, 2000, &m, &err);

        if (st == FT_END) {
            ends++;
            continue;
        }
        ok(st, &err);
        found++;
        ft_msg_done(&m);
    }
    ft_consumer_close(in, 1000);
    return found;
}

static void exactly_once_leaves_no_repeats_in_the_topic(void **state)
{
    struct world *w = *state;

    start_score(w, true);
    assert_int_equal(replay(w, NULL, 40), 40);
    wait_for(w->score, FT_M_SCORED, 40);
    stop(&w->score);
    start_score(w, true); /* knows from the changelog what came before */
    assert_int_equal(replay(w, w->run, ROWS), ROWS);
    wait_for(w->score, FT_M_SCORED, ROWS - 40);
    wait_for(w->score, FT_M_REPEATED, 40);
    stop(&w->score);
    assert_int_equal(held(w, w->pipe.topics.scoring), ROWS);
    start_sink(w);
    wait_for(w->sink, FT_M_STORED, ROWS);
}

/* The states of the whole batch are changed then, the results of its first rows sent. */
static void a_batch_that_breaks_off_loses_no_result(void **state)
{
    struct world *w = *state;
    struct ft_err err;

    ft_scorer_free(w->scorer);
    ok(ft_scorer_load(&w->scorer, FT_SOURCE_DIR "/models/velocity", "", false, &err), &err);
    assert_int_equal(replay(w, NULL, 0), ROWS);
    for (unsigned good = 0; good < 3; good++) {
        char group[16];
        struct ft_score_opts so = {.scorer = w->scorer,
                                   .group = group,
                                   .threshold = 0.5,
                                   .exactly_once = true,
                                   .linger_ms = 0};

        snprintf(group, sizeof(group), "score%u", good);
        snprintf(w->pipe.topics.scoring, sizeof(w->pipe.topics.scoring), "scoring%u", good);
        snprintf(w->pipe.topics.state, sizeof(w->pipe.topics.state), "state%u", good);
        ft_loopback_fail(w->pipe.bus, FT_CALL_SEND, 2 + 3 * good, 1, FT_EFATAL);
        ok(ft_score_start(&w->score, &w->pipe, &so, &err), &err);
        for (int i = 0;
             i < 500 && ft_counted(ft_stage_counters(w->score), FT_M_SCORED) < ROWS + 2 + 3 * good;
             i++)
            ft_sleep_ms(10);
        stop(&w->score);
        assert_int_equal(held(w, w->pipe.topics.scoring), ROWS);
    }
}

static void a_sink_goes_on_from_the_database(void **state)
{
    struct world *w = *state;

    start_sink(w);
    send_lines(w, w->pipe.topics.scoring, "scoring.jsonl", false);
    wait_for(w->sink, FT_M_STORED, ROWS);
    stop(&w->sink);
    start_sink(w);
    ft_sleep_ms(300);
    assert_int_equal(ft_counted(ft_stage_counters(w->sink), FT_M_SINK_RECEIVED), 0);
    stop(&w->sink);
    /* a database restored from a backup gets its lost rows again */
    pg_test_sql(conninfo(), "DELETE FROM fraud_scores; DELETE FROM fraudtop_verdicts;"
                            "UPDATE fraudtop_sink_offsets SET next_offset = 0, last_id = NULL");
    start_sink(w);
    wait_for(w->sink, FT_M_STORED, ROWS);
}

/* What is put into force reaches the scorer, and the database through the sink's copy. */
static void what_is_in_force_counts_at_once(void **state)
{
    struct world *w = *state;
    struct ft_control_opts co = {.bus = w->pipe.bus,
                                 .topics = &w->pipe.topics,
                                 .role = "test",
                                 .secret = w->pipe.secret,
                                 .copy_conninfo = conninfo()};
    struct ft_err err;

    ok(ft_control_put(w->pipe.bus, &w->pipe.topics, "threshold",
                      "{\"threshold\":0.0,\"who\":\"ana\"}", 1000, &err),
       &err);
    ok(ft_control_start(&w->pipe.control, &co, &err), &err);
    start_score(w, false);
    start_sink(w);
    ft_control_add(w->pipe.control, w->score);
    ft_control_add(w->pipe.control, w->sink);
    assert_int_equal(replay(w, NULL, 40), 40);
    wait_for(w->sink, FT_M_STORED, 40);
    assert_int_equal(count("SELECT count(*) FROM fraud_scores WHERE fraud_flag = 1"), 40);
    ok(ft_control_put(w->pipe.bus, &w->pipe.topics, "threshold", "{\"threshold\":1}", 1000, &err),
       &err);
    ft_sleep_ms(300);
    assert_int_equal(replay(w, NULL, 50), 50);
    wait_for(w->sink, FT_M_STORED, 90);
    assert_int_equal(count("SELECT count(*) FROM fraud_scores WHERE fraud_flag = 1"), 40);
    for (int i = 0;
         i < 300 && count("SELECT count(*) FROM fraudtop_processes WHERE role = 'test'") < 1; i++)
        ft_sleep_ms(20);
    assert_int_equal(count("SELECT count(*) FROM fraudtop_processes WHERE role = 'test'"), 1);
    assert_int_equal(count("SELECT count(*) FROM fraudtop_in_force WHERE who = 'ana'"), 1);
    stop_control(w);
}

static enum ft_status give_other(void *user, const char *model, const struct ft_scorer **out,
                                 struct ft_err *err)
{
    if (strcmp(model, "other") != 0)
        return ft_fail(err, FT_EINPUT, "no such model");
    *out = *(struct ft_scorer **)user;
    return FT_OK;
}

static void another_model_takes_over(void **state)
{
    struct world *w = *state;
    struct ft_scorer *other;
    struct ft_control_opts co = {.bus = w->pipe.bus, .topics = &w->pipe.topics, .role = "test"};
    struct ft_score_opts so = {.scorer = w->scorer,
                               .group = "score",
                               .threshold = 0.5,
                               .load = give_other,
                               .user = &other,
                               .linger_ms = 0};
    struct ft_err err;

    ok(ft_scorer_load(&other, FT_SOURCE_DIR "/models/velocity", "", false, &err), &err);
    ok(ft_control_start(&w->pipe.control, &co, &err), &err);
    ok(ft_score_start(&w->score, &w->pipe, &so, &err), &err);
    start_sink(w);
    assert_int_equal(replay(w, NULL, 40), 40);
    wait_for(w->sink, FT_M_STORED, 40);
    ok(ft_control_put(w->pipe.bus, &w->pipe.topics, "model", "{\"model\":\"none\"}", 1000, &err),
       &err);
    ft_sleep_ms(200); /* nobody has it: said, and nothing changes */
    ok(ft_control_put(w->pipe.bus, &w->pipe.topics, "model", "{\"model\":\"other\"}", 1000, &err),
       &err);
    ft_sleep_ms(500);
    assert_int_equal(replay(w, NULL, 50), 50);
    wait_for(w->sink, FT_M_STORED, 90);
    assert_int_equal(
        count("SELECT count(*) FROM fraudtop_verdicts JOIN fraudtop_models USING (model)"
              " WHERE name LIKE 'velocity%'"),
        50);
    stop(&w->score);
    stop_control(w);
    ft_scorer_free(other);
}

static void a_run_is_paused_and_hurried(void **state)
{
    struct world *w = *state;
    const char *files[] = {small_csv};
    struct ft_replay_opts ro = {
        .files = files, .n_files = 1, .rate = 100, .state_dir = w->state_dir};
    struct ft_stage *s;
    struct ft_err err;
    uint64_t n;

    ok(ft_replay_new(&s, &w->pipe, &ro, &err), &err);
    ok(ft_replay_start(s, &err), &err);
    ft_sleep_ms(200);
    ft_replay_pause(s, true);
    ft_sleep_ms(150);
    n = ft_counted(ft_stage_counters(s), FT_M_SENT);
    assert_in_range(n, 5, 60);
    ft_sleep_ms(300);
    assert_int_equal(ft_counted(ft_stage_counters(s), FT_M_SENT), n);
    ft_replay_rate(s, 0);
    ft_replay_pause(s, false);
    ok(ft_stage_join(s, 5000, &err), &err);
    assert_int_equal(ft_counted(ft_stage_counters(s), FT_M_ACKED), ROWS);
    ft_stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_row_is_stored_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_continues_where_it_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(the_python_sender_is_understood, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_without_a_key_are_scored_and_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_python_detector_is_understood, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_cells_are_scored, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_messages_go_to_the_dead_letters, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_comes_twice_is_one_row, setup, teardown),
        cmocka_unit_test_setup_teardown(exactly_once_leaves_no_repeats_in_the_topic, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_batch_that_breaks_off_loses_no_result, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sink_goes_on_from_the_database, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_in_force_counts_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(another_model_takes_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_is_paused_and_hurried, setup, teardown),
    };
    int rc;

    ft_log_level(FT_ERROR);
    rc = pg_test_start(&server);
    if (rc)
        return rc;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    pg_test_stop(&server);
    return rc;
}
