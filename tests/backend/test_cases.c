/* The review queue on a real server. */
#include <cjson/cJSON.h>
#include <pthread.h>
#include <signal.h>

#include "fraudtop/cases.h"
#include "fraudtop/log.h"
#include "pg_test.h"

static struct pg_test server;
static struct ft_cases *ana, *ben;

static const char *sql(const char *text)
{
    return pg_test_sql(ft_pg_conninfo(server.pg), text);
}

static struct ft_cases *open_as(const char *who, bool read_only)
{
    struct ft_cases_opts opts = {
        .conninfo = ft_pg_conninfo(server.pg), .who = who, .read_only = read_only};
    struct ft_cases *c = NULL;
    struct ft_err err = {""};

    if (ft_cases_open(&c, &opts, 5000, &err) != FT_OK)
        fail_msg("%s", err.text);
    return c;
}

static const struct ft_run run = {1700000000000, 42};

static void id_of(uint64_t row, char out[FT_UUID_TEXT + 1])
{
    struct ft_uuid u;

    ft_uuid_from_row(&u, &run, row);
    ft_uuid_format(&u, out);
}

static const struct {
    double score;
    const char *amount, *merchant, *category, *state, *name;
    int label;
} rows[] = {
    {0.964, "388.05",  "fraud_Huels-Nolan", "grocery_pos",  "TX", "Young",  1 },
    {0.987, "1204.18", "fraud_Kovacek",     "shopping_net", "TX", "Young",  1 },
    {0.561, "268.34",  "fraud_Renner Ltd",  "health",       "MN", "Miller", 0 },
    {0.912, "12.50",   "fraud_Huels-Nolan", "grocery_pos",  "NY", "Vance",  -1},
    {0.020, "900.00",  "fraud_Quiet",       "home",         "NY", "Vance",  0 },
    {0.030, "10.00",   "fraud_Missed",      "home",         "NY", "Vance",  1 },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static int fill(void **unused)
{
    struct ft_verdict v[N_ROWS];
    char data[N_ROWS][400];
    struct ft_store *s = NULL;
    struct ft_err err = {""};
    size_t n_new;

    (void)unused;
    if (ft_store_open(&s, ft_pg_conninfo(server.pg), true, 5000, &err) != FT_OK)
        fail_msg("%s", err.text);
    sql("TRUNCATE fraud_scores, fraudtop_verdicts, fraudtop_cases, fraudtop_events, "
        "fraudtop_in_force,"
        " fraudtop_score_deltas, fraudtop_score_hours, fraudtop_score_totals");
    for (size_t i = 0; i < N_ROWS; i++) {
        v[i] = (struct ft_verdict){.score = rows[i].score,
                                   .flag = rows[i].score > 0.5,
                                   .label = (int8_t)rows[i].label,
                                   .has_threshold = true,
                                   .threshold = 0.5,
                                   .model = FT_SPAN("seed-004 1")};
        ft_uuid_from_row(&v[i].id, &run, i);
        v[i].amount = ft_span_of(rows[i].amount);
        snprintf(data[i], sizeof(data[i]),
                 "{\"transaction_time\":\"2020-02-23 03:12:39\",\"merch\":\"%s\",\"cat_id\":\"%s\","
                 "\"amount\":%s,\"name_1\":\"C\",\"name_2\":\"%s\",\"street\":\"1 Road\","
                 "\"one_city\":\"Falconer\",\"us_state\":\"%s\",\"lat\":42.1,\"lon\":-79.2,"
                 "\"merchant_lat\":41.1,\"merchant_lon\":-79.2}",
                 rows[i].merchant, rows[i].category, rows[i].amount, rows[i].name, rows[i].state);
        v[i].data_json = ft_span_of(data[i]);
        v[i].reasons_json = FT_SPAN(
            "[{\"feature\":\"amount\",\"value\":\"388.05\",\"text\":\"9.4 x usual\","
            "\"contribution\":3.6},{\"feature\":\"hour\",\"value\":\"3\",\"contribution\":2.4},"
            "{\"feature\":\"cat_id\",\"value\":\"x\",\"contribution\":-0.3}]");
    }
    if (ft_store_write(s, "c", "g", v, N_ROWS, NULL, 0, &n_new, &err) != FT_OK)
        fail_msg("%s", err.text);
    ft_store_close(s);
    return 0;
}

/* The answer as a tree; fails unless it is the schema's. */
static cJSON *tree(char *json, const char *schema)
{
    cJSON *o = cJSON_Parse(json);

    free(json);
    assert_non_null(o);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(o, "schema")), schema);
    return o;
}

static const char *text_of(const cJSON *o, const char *name)
{
    const char *t = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    return t ? t : "(none)";
}

static double number_of(const cJSON *o, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(n) ? n->valuedouble : (double)NAN;
}

/* Last letters of the merchants listed, in order: "Kovacek Nolan". */
static void expect_list(struct ft_cases *c, const char *filter, const char *sort, bool all,
                        const char *want)
{
    struct ft_case_query q = {.filter = filter, .sort = sort, .all = all, .limit = 10};
    struct ft_err err = {""};
    char *json, got[400] = "";
    cJSON *o, *k;

    if (ft_cases_list(c, &q, &json, &err) != FT_OK)
        fail_msg("%s: %s", filter, err.text);
    o = tree(json, "cases.list/1");
    cJSON_ArrayForEach(k, cJSON_GetObjectItem(o, "cases"))
    {
        const char *amount = text_of(k, "amount");

        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", *got ? " " : "", amount);
    }
    if (strcmp(got, want) != 0)
        fail_msg("%s by %s: \"%s\", not \"%s\"", filter, sort, got, want);
    assert_int_equal((int)number_of(o, "total"),
                     cJSON_GetArraySize(cJSON_GetObjectItem(o, "cases")));
    cJSON_Delete(o);
}

static void queue_is_ordered_and_filtered(void **unused)
{
    (void)unused;
    expect_list(ana, "", "risk", false, "1204.18 388.05 268.34 12.50");
    expect_list(ana, "", "score", false, "1204.18 388.05 12.50 268.34");
    expect_list(ana, "", "amount", false, "1204.18 388.05 268.34 12.50");
    expect_list(ana, "score>=0.9 amount>100", "risk", false, "1204.18 388.05");
    expect_list(ana, "!merchant~kovacek", "risk", false, "388.05 268.34 12.50");
    expect_list(ana, "state=TX|NY", "risk", false, "1204.18 388.05 12.50");
    expect_list(ana, "category=health", "risk", false, "268.34");
    expect_list(ana, "customer=\"C Young\"", "risk", false, "1204.18 388.05");
    expect_list(ana, "huels", "risk", false, "388.05 12.50");
    expect_list(ana, "claimed=no waiting<1h", "risk", false, "1204.18 388.05 268.34 12.50");
    expect_list(ana, "label=0", "risk", false, "268.34");
    expect_list(ana, "event>=2020-02 event<2020-03", "risk", false, "1204.18 388.05 268.34 12.50");
    expect_list(ana, "distance>100 distance<120", "risk", false, "1204.18 388.05 268.34 12.50");
    expect_list(ana, "merchant=\"x' OR 1=1 --\"", "risk", false, "");
    expect_list(ana, "status=fraud", "risk", false, "");
}

static void bad_filters_point_at_the_character(void **unused)
{
    struct ft_case_query q = {.filter = "amount>5 scroe>1"};
    struct ft_err err = {""};
    char *json;

    (void)unused;
    assert_int_equal(ft_cases_list(ana, &q, &json, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "character 10"));
    q = (struct ft_case_query){.sort = "id"};
    assert_int_equal(ft_cases_list(ana, &q, &json, &err), FT_EUSAGE);
}

static enum ft_status decide(struct ft_cases *c, uint64_t row, int number, const char *verdict,
                             struct ft_err *err)
{
    char id[FT_UUID_TEXT + 1], *json = NULL;
    struct ft_case_decision d = {.id = id,
                                 .number = number,
                                 .verdict = verdict,
                                 .note = "because",
                                 .until_ms = ft_wall_ms() + 3600000};
    enum ft_status st;

    id_of(row, id);
    st = ft_cases_decide(c, &d, &json, err);
    free(json);
    return st;
}

static void second_decision_is_told_who_was_first(void **unused)
{
    struct ft_err err = {""};

    (void)unused;
    assert_int_equal(decide(ana, 0, 0, "fraud", &err), FT_OK);
    assert_int_equal(decide(ben, 0, 0, "legitimate", &err), FT_ECONFLICT);
    assert_non_null(strstr(err.text, "ana was first: fraud"));
    assert_non_null(strstr(err.text, "because"));
    assert_int_equal(decide(ben, 0, -1, "legitimate", &err), FT_ECONFLICT);
    assert_non_null(strstr(err.text, "ana was first: fraud"));
    assert_string_equal(sql("SELECT string_agg(who || ' ' || kind || ' ' || number, ', ')"
                            " FROM fraudtop_events"),
                        "ana fraud 1");
    expect_list(ana, "", "risk", false, "1204.18 268.34 12.50");
    expect_list(ana, "", "risk", true, "1204.18 388.05 268.34 12.50");
    expect_list(ana, "status=fraud", "risk", false, "388.05");
}

struct racer {
    pthread_t thread;
    struct ft_cases *c;
    enum ft_status st;
    struct ft_err err;
};

static void *race(void *arg)
{
    struct racer *r = arg;

    r->st = decide(r->c, 1, 0, "fraud", &r->err);
    return NULL;
}

static void of_two_at_once_one_is_written(void **unused)
{
    struct racer r[2] = {{.c = ana}, {.c = ben}};

    (void)unused;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(r[i].thread, NULL);
    assert_true((r[0].st == FT_OK && r[1].st == FT_ECONFLICT) ||
                (r[1].st == FT_OK && r[0].st == FT_ECONFLICT));
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_events"), "1");
}

static void undo_takes_back_the_own_last_decision(void **unused)
{
    struct ft_err err = {""};
    char *json;

    (void)unused;
    assert_int_equal(decide(ana, 0, 0, "fraud", &err), FT_OK);
    assert_int_equal(ft_cases_undo(ana, "", &json, &err), FT_EUSAGE);
    assert_int_equal(ft_cases_undo(ben, "oops", &json, &err), FT_EUSAGE);
    assert_int_equal(ft_cases_undo(ana, "oops", &json, &err), FT_OK);
    cJSON_Delete(tree(json, "cases.undo/1"));
    expect_list(ana, "", "risk", false, "1204.18 388.05 268.34 12.50");
    assert_int_equal(ft_cases_undo(ana, "oops", &json, &err), FT_EUSAGE);
    /* Back to what was there before, not simply to open. */
    assert_int_equal(decide(ana, 0, 2, "escalate", &err), FT_OK);
    assert_int_equal(decide(ben, 0, 3, "legitimate", &err), FT_OK);
    assert_int_equal(ft_cases_undo(ben, "wrong row", &json, &err), FT_OK);
    free(json);
    expect_list(ana, "status=escalated", "risk", false, "388.05");
    assert_string_equal(
        sql("SELECT string_agg(kind || coalesce('<' || replaces, ''), ' ' ORDER BY number)"
            " FROM fraudtop_events"),
        "fraud undo<1 escalate legitimate undo<4");
}

static void claims_keep_others_off_until_they_lapse(void **unused)
{
    struct ft_err err = {""};
    char id[FT_UUID_TEXT + 1], *json;
    cJSON *o;

    (void)unused;
    id_of(1, id);
    assert_int_equal(ft_cases_claim(ana, id, true, &json, &err), FT_OK);
    free(json);
    assert_int_equal(ft_cases_claim(ben, id, true, &json, &err), FT_ECONFLICT);
    assert_non_null(strstr(err.text, "claimed by ana"));
    assert_int_equal(decide(ben, 1, -1, "fraud", &err), FT_ECONFLICT);
    expect_list(ben, "claimed=no", "risk", false, "388.05 268.34 12.50");
    expect_list(ben, "claimed=ana", "risk", false, "1204.18");
    assert_int_equal(ft_cases_next(ben, true, &json, &err), FT_OK);
    o = tree(json, "cases.show/1");
    assert_string_equal(text_of(o, "amount"), "388.05");
    assert_string_equal(text_of(o, "claimed_by"), "ben");
    cJSON_Delete(o);
    sql("UPDATE fraudtop_cases SET claimed_until = now() - interval '1 s' WHERE claimed_by = "
        "'ana'");
    assert_int_equal(ft_cases_claim(ben, id, true, &json, &err), FT_OK);
    free(json);
    assert_int_equal(decide(ben, 1, -1, "fraud", &err), FT_OK);
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_cases WHERE claimed_by IS NOT NULL"),
                        "1");
}

static void snoozed_cases_come_back(void **unused)
{
    struct ft_err err = {""};

    (void)unused;
    assert_int_equal(decide(ana, 1, -1, "snooze", &err), FT_OK);
    expect_list(ana, "", "risk", false, "388.05 268.34 12.50");
    expect_list(ana, "status=snoozed", "risk", false, "1204.18");
    sql("UPDATE fraudtop_cases SET snoozed_until = now() - interval '1 s' WHERE status = "
        "'snoozed'");
    expect_list(ana, "", "risk", false, "1204.18 388.05 268.34 12.50");
}

static void a_case_has_all_there_is(void **unused)
{
    struct ft_err err = {""};
    char id[FT_UUID_TEXT + 1], *json;
    cJSON *o, *events;

    (void)unused;
    id_of(0, id);
    assert_int_equal(ft_cases_note(ana, id, "called, \"no\" answer", &json, &err), FT_OK);
    free(json);
    assert_int_equal(decide(ben, 0, 1, "fraud", &err), FT_OK);
    assert_int_equal(ft_cases_show(ana, id, &json, &err), FT_OK);
    o = tree(json, "cases.show/1");
    assert_string_equal(text_of(o, "status"), "fraud");
    assert_string_equal(text_of(o, "model"), "seed-004 1");
    assert_string_equal(text_of(o, "why"), "9.4 x usual, hour");
    assert_string_equal(text_of(o, "event"), "2020-02-23 03:12:39");
    assert_near(number_of(o, "score"), 0.964, 0);
    assert_near(number_of(o, "raw"), log(0.964 / 0.036), 1e-12);
    assert_near(number_of(o, "distance_km"), 111.195, 0.01);
    assert_string_equal(cJSON_GetObjectItem(o, "data")->child->string, "transaction_time");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "customer")), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "merchant_cases")), 1);
    assert_near(number_of(cJSON_GetObjectItem(o, "merchant_stats"), "fraud"), 1, 0);
    events = cJSON_GetObjectItem(o, "events");
    assert_int_equal(cJSON_GetArraySize(events), 2);
    assert_string_equal(text_of(cJSON_GetArrayItem(events, 0), "note"), "called, \"no\" answer");
    assert_string_equal(text_of(cJSON_GetArrayItem(events, 1), "verdict"), "fraud");
    assert_near(number_of(cJSON_GetArrayItem(events, 1), "score"), 0.964, 0);
    assert_near(number_of(cJSON_GetArrayItem(events, 1), "threshold"), 0.5, 0);
    cJSON_Delete(o);
    /* One that was not flagged, by all there is of it. */
    id_of(4, id);
    assert_int_equal(ft_cases_show(ana, id, &json, &err), FT_OK);
    o = tree(json, "cases.show/1");
    assert_string_equal(text_of(o, "status"), "not flagged");
    assert_string_equal(text_of(o, "amount"), "900.00");
    cJSON_Delete(o);
    assert_int_equal(ft_cases_show(ana, "ffffffff", &json, &err), FT_EUSAGE);
    assert_int_equal(ft_cases_show(ana, "0'; DROP", &json, &err), FT_EUSAGE);
}

static void rows_written_by_hand_are_cases_too(void **unused)
{
    struct ft_flagged f[20];
    struct ft_err err = {""};
    char *json;
    size_t n;
    cJSON *o;

    (void)unused;
    sql("INSERT INTO fraud_scores (transaction_id, score, fraud_flag) VALUES"
        " ('abcdef12-0000-4000-8000-000000000001', 0.99, 1);"
        "INSERT INTO fraud_scores VALUES ('abcdef12-0000-4000-8000-000000000002', 0.98, 1,"
        " now() - interval '1 year')");
    ft_sleep_ms(1100);
    assert_int_equal(ft_cases_latest(ana, f, 20, &n, &err), FT_OK);
    assert_int_equal(n, 6);
    assert_near(f[0].score, 0.99, 0);
    assert_int_equal(f[0].status, 'o');
    expect_list(ana, "abcdef12-0000-4000-8000-000000000001", "risk", false, "(none)");
    assert_int_equal(ft_cases_note(ben, "abcdef12-0000-4000-8000-000000000002", "old", &json, &err),
                     FT_OK);
    free(json);
    {
        struct ft_case_decision d = {
            .id = "abcdef12-0000-4000-8000-000000000001", .number = 0, .verdict = "fraud"};

        assert_int_equal(ft_cases_decide(ana, &d, &json, &err), FT_OK);
        free(json);
        assert_int_equal(ft_cases_decide(ben, &d, &json, &err), FT_ECONFLICT);
    }
    assert_int_equal(ft_cases_show(ana, "abcdef12-0000-4000-8000-000000000001", &json, &err),
                     FT_OK);
    o = tree(json, "cases.show/1");
    assert_string_equal(text_of(o, "status"), "fraud");
    assert_string_equal(text_of(o, "method"), "none");
    cJSON_Delete(o);
}

static void totals_count_money_and_labels(void **unused)
{
    struct ft_case_totals t;
    struct ft_scores h;
    uint64_t flagged;
    struct ft_err err = {""};

    (void)unused;
    assert_int_equal(decide(ana, 0, 0, "fraud", &err), FT_OK);
    assert_int_equal(decide(ana, 1, 0, "escalate", &err), FT_OK);
    assert_int_equal(ft_cases_totals(ana, &t, &err), FT_OK);
    assert_int_equal(t.stored, 6);
    assert_int_equal(t.flagged, 4);
    assert_int_equal(t.open, 2);
    assert_int_equal(t.decided_today, 2);
    assert_int_equal(t.fraud_today, 1);
    assert_int_equal(t.escalated, 1);
    assert_int_equal(t.over_limit, 0);
    assert_true(t.oldest_ms >= 0 && t.oldest_ms < 60000);
    assert_int_equal(t.tp, 2);
    assert_int_equal(t.fp, 1);
    assert_int_equal(t.tn, 1);
    assert_int_equal(t.fn, 1);
    assert_near(t.money_flagged, 388.05 + 1204.18 + 268.34 + 12.50, 1e-9);
    assert_near(t.money_missed, 10, 0);
    assert_near(t.money_false_alarm, 268.34, 0);
    assert_int_equal(ft_cases_scores(ana, 100, 0, &h, &flagged, &err), FT_OK);
    assert_int_equal(h.count, 6);
    assert_int_equal(flagged, 4);
    assert_int_equal(h.bin[40], 1);
    assert_int_equal(h.bin[1928], 1);
}

static void figures_come_as_json(void **unused)
{
    struct ft_err err = {""};
    char *json;
    cJSON *o;

    (void)unused;
    assert_int_equal(decide(ana, 1, 0, "escalate", &err), FT_OK);
    assert_int_equal(decide(ben, 0, 0, "fraud", &err), FT_OK);
    assert_int_equal(ft_cases_apply(ana, "threshold", "{\"threshold\":0.65}", "fewer", &err),
                     FT_OK);
    assert_int_equal(ft_cases_stats(ana, &json, &err), FT_OK);
    o = tree(json, "cases.stats/1");
    assert_near(number_of(o, "open"), 2, 0);
    assert_near(number_of(cJSON_GetObjectItem(o, "waiting_s"), "n"), 2, 0);
    cJSON_Delete(o);
    assert_int_equal(ft_cases_log(ana, 10, 0, &json, &err), FT_OK);
    o = tree(json, "cases.log/1");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "entries")), 3);
    assert_string_equal(text_of(cJSON_GetObjectItem(o, "entries")->child, "text"),
                        "threshold 0.65 \"fewer\"");
    cJSON_Delete(o);
    assert_int_equal(ft_cases_histograms(ana, 24, &json, &err), FT_OK);
    o = tree(json, "threshold.counts/1");
    assert_near(number_of(o, "total"), 6, 0);
    assert_near(number_of(o, "threshold"), 0.65, 0);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(o, "labels_from_file")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "all")), 2000);
    assert_near(cJSON_GetArrayItem(cJSON_GetObjectItem(o, "fraud"), 1928)->valuedouble, 1, 0);
    assert_near(cJSON_GetArrayItem(cJSON_GetObjectItem(o, "amount"), 1928)->valuedouble, 388.05,
                1e-9);
    cJSON_Delete(o);
    assert_int_equal(ft_cases_handover(ana, ft_wall_ms() - 3600000, &json, &err), FT_OK);
    o = tree(json, "handover/1");
    assert_near(number_of(o, "opened"), 4, 0);
    assert_string_equal(text_of(cJSON_GetObjectItem(o, "escalated")->child, "note"), "because");
    cJSON_Delete(o);
    assert_int_equal(ft_cases_runs(ana, 10, &json, &err), FT_OK);
    cJSON_Delete(tree(json, "runs/1"));
}

static enum ft_status count_row(void *user, const char *json, struct ft_err *err)
{
    (void)err;
    cJSON_Delete(tree(strdup(json), "cases.case/1"));
    ++*(int *)user;
    return FT_OK;
}

static void exports_row_by_row(void **unused)
{
    struct ft_case_query q = {.all = true};
    struct ft_err err = {""};
    int n = 0;

    (void)unused;
    assert_int_equal(ft_cases_each(ana, &q, count_row, &n, &err), FT_OK);
    assert_int_equal(n, 4);
}

static void read_only_writes_nothing(void **unused)
{
    struct ft_cases *c = open_as("eve", true);
    struct ft_err err = {""};

    (void)unused;
    assert_false(ft_cases_can_write(c));
    assert_true(ft_cases_may_write(c)); /* the role */
    assert_int_equal(decide(c, 0, 0, "fraud", &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "read only"));
    expect_list(c, "", "risk", false, "1204.18 388.05 268.34 12.50");
    ft_cases_close(c);
}

static void masked_names_cannot_be_sought(void **unused)
{
    struct ft_case_query q = {.filter = "customer~young"};
    struct ft_err err = {""};
    char *json;

    (void)unused;
    ft_cases_mask(ana, true);
    assert_int_equal(ft_cases_list(ana, &q, &json, &err), FT_EUSAGE);
    expect_list(ana, "young", "risk", false, "");
    ft_cases_mask(ana, false);
    expect_list(ana, "young", "risk", false, "1204.18 388.05");
}

static void signal_backends(int sig)
{
    char pids[400], *p;

    snprintf(pids, sizeof(pids), "%s",
             sql("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name = "
                 "'fraudtop'"));
    for (p = strtok(pids, " "); p; p = strtok(NULL, " "))
        kill((pid_t)atol(p), sig);
}

static void a_server_that_hangs_is_given_up_and_asked_again(void **unused)
{
    struct ft_cases *c = open_as("cai", false);
    struct ft_case_totals t;
    struct ft_err err = {""};
    int64_t from;

    (void)unused;
    assert_int_equal(decide(c, 0, 0, "fraud", &err), FT_OK); /* both connections are there */
    signal_backends(SIGSTOP);
    from = ft_now_ms();
    assert_int_equal(decide(c, 1, 0, "fraud", &err), FT_EUNREACHABLE);
    assert_int_equal(ft_cases_totals(c, &t, &err), FT_EUNREACHABLE);
    assert_true(ft_now_ms() - from < 15000);
    assert_false(ft_cases_unsure(c));
    signal_backends(SIGCONT);
    ft_sleep_ms(500); /* it comes to itself, finds the question, and nobody who wants it done */
    assert_int_equal(ft_cases_reconnect(c, 5000, &err), FT_OK);
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_events"), "1");
    assert_int_equal(ft_cases_totals(c, &t, &err), FT_OK);
    assert_int_equal(decide(c, 2, 0, "fraud", &err), FT_OK);
    ft_cases_close(c);
    assert_int_equal(ft_cases_reconnect(ana, 5000, &err), FT_OK);
    assert_int_equal(ft_cases_reconnect(ben, 5000, &err), FT_OK);
}

/* The server takes seven seconds over COMMIT, and we give it up after five: then it is asked what became of it. */
static void a_commit_without_an_answer_is_looked_up(void **unused)
{
    struct ft_cases *c = open_as("cai", false);
    struct ft_err err = {""};

    (void)unused;
    sql("CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM"
        " pg_sleep(7); RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON "
        "fraudtop_events"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()");
    if (decide(c, 1, 0, "fraud", &err) != FT_OK)
        fail_msg("%s", err.text);
    assert_false(ft_cases_unsure(c));
    sql("DROP FUNCTION linger() CASCADE");
    assert_string_equal(sql("SELECT count(*) FROM fraudtop_events"), "1");
    assert_int_equal(decide(c, 1, 0, "fraud", &err), FT_ECONFLICT);
    ft_cases_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(queue_is_ordered_and_filtered, fill),
        cmocka_unit_test_setup(bad_filters_point_at_the_character, fill),
        cmocka_unit_test_setup(second_decision_is_told_who_was_first, fill),
        cmocka_unit_test_setup(of_two_at_once_one_is_written, fill),
        cmocka_unit_test_setup(undo_takes_back_the_own_last_decision, fill),
        cmocka_unit_test_setup(claims_keep_others_off_until_they_lapse, fill),
        cmocka_unit_test_setup(snoozed_cases_come_back, fill),
        cmocka_unit_test_setup(a_case_has_all_there_is, fill),
        cmocka_unit_test_setup(rows_written_by_hand_are_cases_too, fill),
        cmocka_unit_test_setup(totals_count_money_and_labels, fill),
        cmocka_unit_test_setup(figures_come_as_json, fill),
        cmocka_unit_test_setup(exports_row_by_row, fill),
        cmocka_unit_test_setup(read_only_writes_nothing, fill),
        cmocka_unit_test_setup(masked_names_cannot_be_sought, fill),
        cmocka_unit_test_setup(a_commit_without_an_answer_is_looked_up, fill),
        cmocka_unit_test_setup(a_server_that_hangs_is_given_up_and_asked_again, fill),
    };
    int bad = pg_test_start(&server);

    if (bad)
        return bad;
    ft_log_level(FT_WARN);
    ana = open_as("ana", false);
    ben = open_as("ben", false);
    bad = cmocka_run_group_tests(tests, NULL, NULL);
    ft_cases_close(ana);
    ft_cases_close(ben);
    pg_test_stop(&server);
    return bad;
}
