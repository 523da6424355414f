/* The sink's side of PostgreSQL: each id once, first verdict stays, what belongs to it written with it. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "fraudtop/log.h"
#include "pg_test.h"

static struct pg_test server;

static const char *sql(const char *text)
{
    return pg_test_sql(ft_pg_conninfo(server.pg), text);
}

static struct ft_store *open_store(void)
{
    struct ft_store *s = NULL;
    struct ft_err err = {""};

    if (ft_store_open(&s, ft_pg_conninfo(server.pg), true, 5000, &err) != FT_OK)
        fail_msg("%s", err.text);
    return s;
}

static const struct ft_run run = {1700000000000, 42};

static struct ft_verdict verdict(uint64_t row, double score)
{
    struct ft_verdict v = {.score = score,
                           .flag = score > 0.5,
                           .label = FT_LABEL_UNKNOWN,
                           .model = FT_SPAN("seed-004 1"),
                           .amount = FT_SPAN("25.70")};

    ft_uuid_from_row(&v.id, &run, row);
    return v;
}

static size_t write_rows(struct ft_store *s, const struct ft_verdict *v, size_t n)
{
    struct ft_err err = {""};
    size_t n_new = 0;

    if (ft_store_write(s, "c", "g", v, n, NULL, 0, &n_new, &err) != FT_OK)
        fail_msg("%s", err.text);
    return n_new;
}

static int empty(void **unused)
{
    struct ft_store *s = open_store();

    (void)unused;
    ft_store_close(s);
    sql("TRUNCATE fraud_scores, fraudtop_verdicts, fraudtop_cases, fraudtop_events,"
        " fraudtop_score_deltas, fraudtop_score_hours, fraudtop_score_totals, "
        "fraudtop_sink_offsets");
    return 0;
}

static void first_verdict_stays(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v[3] = {verdict(2, 0.1), verdict(1, 0.2), verdict(2, 0.9)};
    struct ft_verdict again = verdict(1, 0.8);

    (void)unused;
    again.data_json = FT_SPAN("{\"merch\":\"late\"}");
    assert_int_equal(write_rows(s, v, 3), 2); /* row 2 came twice in one batch */
    assert_int_equal(write_rows(s, &again, 1), 0);
    assert_string_equal(sql("SELECT string_agg(score::text, ' ' ORDER BY transaction_id)"
                            " FROM fraud_scores"),
                        "0.2 0.1");
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_cases"), "0");
    assert_string_equal(sql("SELECT sum(x) FROM fraudtop_score_deltas, unnest(n) x"), "2");
    ft_store_close(s);
}

static void keeps_what_belongs_to_a_verdict(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v[3] = {verdict(1, 0.9), verdict(2, 0.1), verdict(3, 0.2)};

    (void)unused;
    v[0].label = 1;
    v[0].has_threshold = true;
    v[0].threshold = 0.5;
    v[0].data_json =
        FT_SPAN("{\"merch\":\"Kovacek, \\\"x\\\"\",\"name_1\":\"A\",\"name_2\":\"B\"}");
    v[0].reasons_json = FT_SPAN("[{\"feature\":\"amount\",\"value\":25.7,\"contribution\":3.5}]");
    v[0].challenger_json = FT_SPAN("{\"model\":\"b 2\",\"score\":0.25}");
    v[1].label = 0;
    v[1].sampled = true;
    v[2].amount = (struct ft_span){0};
    v[2].model = (struct ft_span){0};
    assert_int_equal(write_rows(s, v, 3), 3);
    assert_string_equal(sql("SELECT string_agg(concat_ws(' ', amount, label, name,"
                            " challenger->>'score'), ', ' ORDER BY transaction_id)"
                            " FROM fraudtop_verdicts LEFT JOIN fraudtop_models USING (model)"),
                        "25.70 1 seed-004 1 0.25, 25.70 0 seed-004 1, ");
    assert_string_equal(
        sql("SELECT string_agg(concat_ws(' ', flagged, sampled, threshold, merchant,"
            " round(risk::numeric, 2), status, reasons->0->>'feature'), ', ' ORDER BY "
            "transaction_id)"
            " FROM fraudtop_cases"),
        "t f 0.5 Kovacek, \"x\" 23.13 open amount, f t 2.57 open");
    assert_string_equal(sql("SELECT string_agg(concat_ws(':', c, x, a), ' ' ORDER BY c)"
                            " FROM fraudtop_score_deltas, unnest(cell, n, amount) t(c, x, a)"),
                        "400:1:0 2200:1:25.70 11800:1:25.70");
    ft_store_close(s);
}

static void amounts_are_exact(void **unused)
{
    static const char *const amount[] = {"0",     "0.00",        "25.790",     "1234567890.12",
                                         "10000", "0.0001",      "0.00012345", "1.5e3",
                                         "12e-3", "99999.99999", "-4.5",       "007"};
    static const char *const want = "0 0.00 25.790 1234567890.12 10000 0.0001 0.00012345 1500 0.012"
                                    " 99999.99999 -4.5 7";
    struct ft_verdict v[13];
    struct ft_store *s = open_store();

    (void)unused;
    for (size_t i = 0; i < 12; i++) {
        v[i] = verdict(i, 0.1);
        v[i].amount = ft_span_of(amount[i]);
    }
    v[12] = verdict(12, 0.1);
    v[12].amount = FT_SPAN("12,5");
    write_rows(s, v, 13);
    assert_string_equal(sql("SELECT string_agg(amount::text, ' ' ORDER BY transaction_id)"
                            " FROM fraudtop_verdicts"),
                        want);
    ft_store_close(s);
}

static void offsets_move_with_the_rows(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v = verdict(7, 0.1);
    struct ft_store_offset off[2] =
        {
            {"scoring", 0, 12, v.id},
            {"scoring", 2, 40, v.id}
    },
                           got;
    struct ft_err err = {""};
    size_t n_new;

    (void)unused;
    assert_int_equal(ft_store_offsets(s, "c", "g", "scoring", 0, &got, &err), FT_END);
    assert_int_equal(ft_store_write(s, "c", "g", &v, 1, off, 2, &n_new, &err), FT_OK);
    assert_int_equal(ft_store_offsets(s, "c", "g", "scoring", 2, &got, &err), FT_OK);
    assert_int_equal(got.next_offset, 40);
    assert_memory_equal(got.last_id.b, v.id.b, 16);
    off[0].next_offset = 3; /* a topic made anew begins again */
    assert_int_equal(ft_store_write(s, "c", "g", NULL, 0, off, 1, &n_new, &err), FT_OK);
    assert_int_equal(ft_store_offsets(s, "c", "g", "scoring", 0, &got, &err), FT_OK);
    assert_int_equal(got.next_offset, 3);
    assert_int_equal(ft_store_offsets(s, "c", "other", "scoring", 0, &got, &err), FT_END);
    ft_store_close(s);
}

static void a_bad_row_is_told_and_costs_nothing(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v[2] = {verdict(1, 0.9), verdict(2, 0.9)};
    struct ft_store_offset off = {"scoring", 0, 12, v[0].id}, got;
    struct ft_err err = {""};
    size_t n_new;

    (void)unused;
    v[1].data_json = FT_SPAN("{\"merch\":\"\\ud800\"}"); /* half a surrogate */
    assert_int_equal(ft_store_write(s, "c", "g", v, 2, &off, 1, &n_new, &err), FT_EINPUT);
    assert_int_equal(ft_store_offsets(s, "c", "g", "scoring", 0, &got, &err), FT_END);
    assert_int_equal(ft_store_write(s, "c", "g", v, 1, &off, 1, &n_new, &err), FT_OK);
    assert_int_equal(n_new, 1);
    ft_store_close(s);
}

static void counts_a_run(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v[5] = {verdict(0, 0.9), verdict(1, 0.9), verdict(2, 0.1), verdict(3, 0.1),
                              verdict(4, 0.1)};
    struct ft_run_count c;
    struct ft_err err = {""};

    (void)unused;
    v[0].label = v[2].label = 1;
    v[1].label = v[3].label = 0;
    write_rows(s, v, 5);
    sql("INSERT INTO fraud_scores VALUES (gen_random_uuid(), 0.7, 1)");
    assert_int_equal(ft_store_count_run(s, &run, &c, &err), FT_OK);
    assert_int_equal(c.stored, 5);
    assert_int_equal(c.flagged, 2);
    assert_int_equal(c.tp, 1);
    assert_int_equal(c.fp, 1);
    assert_int_equal(c.fn, 1);
    assert_int_equal(c.tn, 1);
    ft_store_close(s);
}

/* After some batches of new ids the store takes all for new; a repeat among them must change nothing all the same. */
static void repeats_in_a_long_run_change_nothing(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v[10], mixed[3];
    struct ft_err err = {""};
    uint64_t row = 0;

    (void)unused;
    for (int batch = 0; batch < 100; batch++) {
        for (int i = 0; i < 10; i++, row++) {
            v[i] = verdict(row, i == 0 ? 0.9 : 0.1);
            v[i].label = (int8_t)(i & 1);
        }
        if (batch == 50)
            v[3].amount = FT_SPAN("0.123456"); /* more decimals than are counted fast */
        assert_int_equal(write_rows(s, v, 10), 10);
    }
    mixed[0] = verdict(row, 0.9);
    mixed[1] = verdict(5, 0.9); /* was 0.1 */
    mixed[2] = verdict(row + 1, 0.1);
    assert_int_equal(write_rows(s, mixed, 3), 2);
    assert_int_equal(write_rows(s, mixed, 3), 0);
    assert_string_equal(sql("SELECT count(*) || ' ' || sum(fraud_flag) FROM fraud_scores"),
                        "1002 101");
    assert_string_equal(sql("SELECT count(*) || ' ' || sum(amount) FROM fraudtop_verdicts"),
                        "1002 25725.823456");
    assert_int_equal(ft_store_fold(s, &err), FT_OK);
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_score_deltas"), "0");
    assert_string_equal(
        sql("SELECT string_agg(part || ':' || n, ' ' ORDER BY part) || ' ' || sum(amount)"
            " FROM fraudtop_score_totals"),
        "0:1 1:400 2:500 3:1 4:100 25725.823456");
    assert_string_equal(sql("SELECT sum(n) || ' ' || sum(amount) FROM fraudtop_score_hours"),
                        "1002 25725.823456");
    ft_store_close(s);
}

/* A batch of every kind of row, from number `row` on. */
static void write_all_kinds(struct ft_store *s, uint64_t row)
{
    struct ft_verdict v[4] = {verdict(row, 0.9), verdict(row + 1, 0.2), verdict(row + 2, 0.1),
                              verdict(row + 3, 0.75)};
    struct ft_store_offset off[2] = {
        {"scoring", 0, (int64_t)row + 4, v[3].id},
        {"scoring", 1, 7,                {{0}}  }
    };
    struct ft_err err = {""};
    size_t n_new = 0;

    v[0].label = 1;
    v[0].has_threshold = true;
    v[0].threshold = 0.5;
    v[0].data_json = FT_SPAN("{\"merch\":\"Kovacek\",\"name_1\":\"A\",\"name_2\":\"B\"}");
    v[0].reasons_json = FT_SPAN("[{\"feature\":\"amount\",\"contribution\":3.5}]");
    v[0].history_json = FT_SPAN("[{\"amount\":1}]");
    v[0].usual_json = FT_SPAN("{\"mean\":2}");
    v[0].features_json = FT_SPAN("{\"amount\":25.7}");
    v[0].challenger_json = FT_SPAN("{\"model\":\"b 2\",\"score\":0.25}");
    v[1].sampled = true;
    v[1].amount = FT_SPAN("0.5");
    v[2].amount = v[2].model = (struct ft_span){0};
    if (ft_store_write(s, "c", "g", v, 4, off, 2, &n_new, &err) != FT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n_new, 4);
}

static void the_fast_way_stores_the_same(void **unused)
{
    static const char all[] =
        "SELECT string_agg(concat_ws(' ', score, fraud_flag, v.amount, v.challenger, v.model, "
        "v.label,"
        "  '|', to_jsonb(c) - 'transaction_id' - 'scored_at'), '; ' ORDER BY transaction_id)"
        " FROM fraud_scores JOIN fraudtop_verdicts v USING (transaction_id)"
        " LEFT JOIN fraudtop_cases c USING (transaction_id, score)";
    static const char counts[] =
        "SELECT string_agg(concat_ws(' ', c, x, a::float8), ', ' ORDER BY c)"
        " FROM fraudtop_score_deltas, unnest(cell, n, amount) t(c, x, a)";
    struct ft_store *s = open_store();
    char careful[8192], counted[400];
    struct ft_verdict v;

    (void)unused;
    write_all_kinds(s, 0);
    snprintf(careful, sizeof(careful), "%s", sql(all));
    snprintf(counted, sizeof(counted), "%s", sql(counts));
    assert_non_null(strstr(careful, "Kovacek"));
    for (uint64_t row = 10; row < 30; row++) {
        v = verdict(row, 0.1);
        assert_int_equal(write_rows(s, &v, 1), 1);
    }
    sql("TRUNCATE fraud_scores, fraudtop_verdicts, fraudtop_cases, fraudtop_score_deltas");
    write_all_kinds(s, 100);
    assert_string_equal(sql(all), careful);
    assert_string_equal(sql(counts), counted);
    assert_string_equal(
        sql("SELECT string_agg(concat_ws(' ', partition, next_offset, last_id), ', '"
            " ORDER BY partition) FROM fraudtop_sink_offsets"),
        "0 104 018bcfe5-6800-8000-8000-2a0000000067, 1 7");
    ft_store_close(s);
}

/* ---- several at once ---------------------------------------------------------------------------------- */

#define RACE_ROWS 20000
#define RACE_BATCH 500

struct racer {
    pthread_t thread;
    unsigned seed;
    size_t n_new;
    enum ft_status st;
    struct ft_err err;
};

/* Writes all rows in an order of its own, in unsorted batches. */
static void *race(void *arg)
{
    struct racer *r = arg;
    struct ft_verdict *v = calloc(RACE_ROWS, sizeof(*v));
    struct ft_store *s = NULL;

    r->st = ft_store_open(&s, ft_pg_conninfo(server.pg), true, 10000, &r->err);
    for (uint64_t i = 0; i < RACE_ROWS; i++)
        v[i] = verdict(i, i % 50 ? 0.1 : 0.9);
    for (size_t i = RACE_ROWS - 1; i > 0; i--) {
        size_t k = (size_t)rand_r(&r->seed) % (i + 1);
        struct ft_verdict t = v[i];

        v[i] = v[k];
        v[k] = t;
    }
    for (size_t i = 0; i < RACE_ROWS && r->st == FT_OK; i += RACE_BATCH) {
        size_t n_new;

        r->st = ft_store_write(s, "c", "g", v + i, RACE_BATCH, NULL, 0, &n_new, &r->err);
        r->n_new += n_new;
    }
    ft_store_close(s);
    free(v);
    return NULL;
}

static void overlapping_sinks_store_each_row_once(void **unused)
{
    struct racer r[3] = {{.seed = 1}, {.seed = 2}, {.seed = 3}};
    size_t n_new = 0;

    (void)unused;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(r[i].thread, NULL);
        if (r[i].st != FT_OK)
            fail_msg("%s", r[i].err.text);
        n_new += r[i].n_new;
    }
    assert_int_equal(n_new, RACE_ROWS);
    assert_string_equal(sql("SELECT count(*) FROM fraud_scores"), "20000");
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_verdicts"), "20000");
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_cases"), "400");
    assert_string_equal(
        sql("SELECT (SELECT coalesce(sum(x), 0) FROM fraudtop_score_deltas, unnest(n) x)"
            " + (SELECT coalesce(sum(n), 0) FROM fraudtop_score_hours)"),
        "20000");
}

static void *open_only(void *arg)
{
    struct racer *r = arg;
    struct ft_store *s = NULL;

    r->st = ft_store_open(&s, ft_pg_conninfo(server.pg), true, 10000, &r->err);
    ft_store_close(s);
    return NULL;
}

static void writers_that_start_together_make_one_schema(void **unused)
{
    struct racer r[6] = {{.seed = 0}};

    (void)unused;
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&r[i].thread, NULL, open_only, &r[i]), 0);
    for (int i = 0; i < 6; i++) {
        pthread_join(r[i].thread, NULL);
        if (r[i].st != FT_OK)
            fail_msg("%s", r[i].err.text);
    }
    assert_string_equal(sql("SELECT count(*) = max(version) FROM fraudtop_schema"), "t");
}

/* ---- what can be wrong ---------------------------------------------------------------------------------- */

static void expect_open(const char *conninfo, enum ft_status want, const char *text)
{
    struct ft_store *s = NULL;
    struct ft_err err = {""};
    enum ft_status st = ft_store_open(&s, conninfo, true, 2000, &err);

    if (st != want || !strstr(err.text, text))
        fail_msg("%s: status %s, \"%s\"", conninfo, ft_status_name(st), err.text);
    assert_null(s);
}

static void what_cannot_be_opened_is_said(void **unused)
{
    char text[400];

    (void)unused;
    expect_open("host=127.0.0.1 port=1 dbname=fraud", FT_EUNREACHABLE, "refused");
    expect_open("host=192.0.2.1 dbname=fraud", FT_EUNREACHABLE, "");
    expect_open("host=localhost password=geheim", FT_EUSAGE, "~/.pgpass");
    expect_open("postgresql://a:geheim@localhost/fraud", FT_EUSAGE, "~/.pgpass");
    expect_open("geheim", FT_EUSAGE, "not a connection string");
    snprintf(text, sizeof(text), "%s dbname=nosuch", ft_pg_conninfo(server.pg));
    expect_open(text, FT_EUSAGE, "nosuch");
    snprintf(text, sizeof(text), "%s user=nobody_at_all", ft_pg_conninfo(server.pg));
    expect_open(text, FT_EUSAGE, "nobody_at_all");
}

static void another_shape_is_refused_and_left_alone(void **unused)
{
    (void)unused;
    sql("DROP TABLE fraud_scores; CREATE TABLE fraud_scores (transaction_id text PRIMARY KEY,"
        " score double precision, fraud_flag integer NOT NULL)");
    expect_open(ft_pg_conninfo(server.pg), FT_EUSAGE, "transaction_id is text, not uuid");
    expect_open(ft_pg_conninfo(server.pg), FT_EUSAGE, "score is not NOT NULL");
    expect_open(ft_pg_conninfo(server.pg), FT_EUSAGE, "scored_at");
    assert_string_equal(sql("SELECT count(*) FROM information_schema.columns"
                            " WHERE table_name = 'fraud_scores'"),
                        "3");
    sql("DROP TABLE fraud_scores");
    ft_store_close(open_store());
}

static void a_table_made_by_others_is_taken(void **unused)
{
    struct ft_store *s;
    struct ft_verdict v = verdict(1, 0.9);

    (void)unused;
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        "CREATE TABLE fraud_scores (transaction_id UUID PRIMARY KEY, score DOUBLE PRECISION NOT "
        "NULL,"
        " fraud_flag INTEGER NOT NULL, scored_at TIMESTAMPTZ DEFAULT now())");
    s = open_store();
    assert_int_equal(write_rows(s, &v, 1), 1);
    ft_store_close(s);
}

/* A service of its own owns the table; we may write to it, and make our tables beside it. */
static void a_table_of_another_owner_is_used(void **unused)
{
    char conninfo[300];
    struct ft_store *s = NULL;
    struct ft_verdict v = verdict(1, 0.9);
    struct ft_err err = {""};

    (void)unused;
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP ROLE IF EXISTS maker;"
        "DROP ROLE IF EXISTS sinker; CREATE ROLE maker; CREATE ROLE sinker;"
        "GRANT USAGE, CREATE ON SCHEMA public TO sinker;"
        "CREATE TABLE fraud_scores (transaction_id uuid PRIMARY KEY, score double precision NOT "
        "NULL,"
        " fraud_flag integer NOT NULL, scored_at timestamptz DEFAULT now());"
        "ALTER TABLE fraud_scores OWNER TO maker; GRANT SELECT, INSERT ON fraud_scores TO sinker");
    snprintf(conninfo, sizeof(conninfo), "%s options='-c role=sinker'", ft_pg_conninfo(server.pg));
    ft_log_level(FT_ERROR); /* the commands for the missing indexes */
    if (ft_store_open(&s, conninfo, true, 5000, &err) != FT_OK)
        fail_msg("%s", err.text);
    ft_log_level(FT_WARN);
    assert_int_equal(write_rows(s, &v, 1), 1);
    ft_store_close(s);
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP ROLE maker; DROP ROLE sinker");
}

static void an_outage_is_told_to_the_next_shift(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v = verdict(1, 0.1);
    struct ft_err err = {""};
    size_t n_new;

    (void)unused;
    sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = 'fraud'");
    assert_int_equal(ft_store_write(s, "c", "g", &v, 1, NULL, 0, &n_new, &err), FT_EUNREACHABLE);
    ft_sleep_ms(1100);
    assert_int_equal(ft_store_reconnect(s, 2000, &err), FT_OK);
    assert_string_equal(sql("SELECT kind || ' ' || (ended_at - at BETWEEN '1 s' AND '5 s')"
                            " FROM fraudtop_alerts"),
                        "pg_down true");
    assert_int_equal(ft_store_put_alert(s, "lag", "grows", 5000, 0, &err), FT_OK);
    assert_int_equal(ft_store_put_alert(s, "lag", "grew", 5000, 9000, &err), FT_OK);
    assert_string_equal(
        sql("SELECT string_agg(message || ' ' || extract(epoch FROM ended_at)::int, ' ')"
            " FROM fraudtop_alerts WHERE kind = 'lag'"),
        "grew 9");
    ft_store_close(s);
}

/* A run is over when it is done, though its process goes on; when, is what its first word of that says. */
static void a_run_ends_before_its_process(void **unused)
{
    static const char beat[] =
        "{\"role\":\"console\",\"host\":\"a\",\"pid\":7,\"started_ms\":1000,\"state\":\"%s\","
        "\"counters\":{},\"run\":{\"id\":\"0199a3b1c2d3-0f31c2a45\",\"started_ms\":2000%s}}";
    static const struct {
        const char *state, *done, *want;
    } step[] = {
        {"running", ",\"done\":false", "running|"},
        {"running", "",                "running|"}, /* of a program before this one */
        {"running", ",\"done\":true",  "done|5"  },
        {"gone",    ",\"done\":true",  "gone|5"  },
        {"running", ",\"done\":false", "running|"}, /* resumed */
        {"failed",  ",\"done\":true",  "failed|8"},
    };
    struct ft_store *s = open_store();
    struct ft_err err;
    char json[400];

    (void)unused;
    for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
        snprintf(json, sizeof(json), beat, step[i].state, step[i].done);
        if (ft_store_put_process(s, "console/a/7", json, 3000 + 1000 * (int64_t)i, &err) != FT_OK)
            fail_msg("%s", err.text);
        assert_string_equal(
            sql("SELECT state || '|' || coalesce(extract(epoch FROM ended_at)::int4::text, '')"
                " FROM fraudtop_runs"),
            step[i].want);
    }
    ft_store_close(s);
}

static void a_newer_schema_is_not_touched(void **unused)
{
    (void)unused;
    sql("INSERT INTO fraudtop_schema (version, name) VALUES (999, 'future')");
    expect_open(ft_pg_conninfo(server.pg), FT_EUSAGE, "newer fraudtop");
    sql("DELETE FROM fraudtop_schema WHERE version = 999");
}

static void a_lost_connection_is_made_again(void **unused)
{
    struct ft_store *s = open_store();
    struct ft_verdict v[2] = {verdict(1, 0.1), verdict(2, 0.1)};
    struct ft_err err = {""};
    size_t n_new = 9;

    (void)unused;
    assert_int_equal(write_rows(s, v, 1), 1);
    sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = 'fraud'");
    assert_int_equal(ft_store_write(s, "c", "g", v, 2, NULL, 0, &n_new, &err), FT_EUNREACHABLE);
    assert_int_equal(ft_store_reconnect(s, 2000, &err), FT_OK);
    assert_int_equal(write_rows(s, v, 2), 1);
    ft_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_verdict_stays, empty),
        cmocka_unit_test_setup(keeps_what_belongs_to_a_verdict, empty),
        cmocka_unit_test_setup(amounts_are_exact, empty),
        cmocka_unit_test_setup(offsets_move_with_the_rows, empty),
        cmocka_unit_test_setup(a_run_ends_before_its_process, empty),
        cmocka_unit_test_setup(a_bad_row_is_told_and_costs_nothing, empty),
        cmocka_unit_test_setup(counts_a_run, empty),
        cmocka_unit_test_setup(repeats_in_a_long_run_change_nothing, empty),
        cmocka_unit_test_setup(the_fast_way_stores_the_same, empty),
        cmocka_unit_test_setup(overlapping_sinks_store_each_row_once, empty),
        cmocka_unit_test(writers_that_start_together_make_one_schema),
        cmocka_unit_test(what_cannot_be_opened_is_said),
        cmocka_unit_test(another_shape_is_refused_and_left_alone),
        cmocka_unit_test(a_table_made_by_others_is_taken),
        cmocka_unit_test(a_table_of_another_owner_is_used),
        cmocka_unit_test_setup(a_lost_connection_is_made_again, empty),
        cmocka_unit_test_setup(an_outage_is_told_to_the_next_shift, empty),
        cmocka_unit_test_setup(a_newer_schema_is_not_touched, empty),
    };
    int bad = pg_test_start(&server);

    if (bad)
        return bad;
    ft_log_level(FT_WARN);
    bad = cmocka_run_group_tests(tests, NULL, NULL);
    pg_test_stop(&server);
    return bad;
}
