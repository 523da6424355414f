/* The changelog: states saved and restored at any moment score as if nothing had happened. */
#include "state_case.h"

/* ---- a store of records ---------------------------------------------------------------------------- */

struct record {
    char key[64];
    size_t n_key;
    char *value;
    size_t n;
};
struct store {
    struct record *record;
    size_t n;
};

static enum ft_status keep(void *user, struct ft_span key, struct ft_span value)
{
    struct store *s = user;
    struct record *r = NULL;

    for (size_t i = 0; i < s->n && !r; i++)
        if (s->record[i].n_key == key.n && memcmp(s->record[i].key, key.p, key.n) == 0)
            r = &s->record[i];
    if (!r) {
        s->record = realloc(s->record, (s->n + 1) * sizeof(*r));
        r = &s->record[s->n++];
        memcpy(r->key, key.p, key.n);
        r->n_key = key.n;
        r->value = NULL;
    }
    free(r->value);
    r->n = value.n;
    r->value = value.p ? malloc(value.n + 1) : NULL;
    if (value.p)
        memcpy(r->value, value.p, value.n);
    return FT_OK;
}

static void restore(struct state_case *c, const struct store *s)
{
    struct ft_err err;

    ft_state_free(c->state);
    c->state = ft_state_new(c->s, case_secret);
    for (size_t i = 0; i < s->n; i++) {
        const struct record *r = &s->record[i];

        if (ft_state_restore(c->state, (struct ft_span){r->key, r->n_key},
                             (struct ft_span){r->value, r->n}, &err) != FT_OK)
            fail_msg("%s", err.text);
    }
}

static void store_free(struct store *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->record[i].value);
    free(s->record);
}

/* ---- random lives ---------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

struct random_row {
    char time[24], amount[16], category[16], customer[16];
    struct ft_txn txn;
    double first;
};

/* Times that jump, some far; few customers, so that each lives through much. */
static void make_row(struct random_row *r, uint64_t *seed, uint64_t number)
{
    static const struct ft_run run = {1700000000000, 9};
    uint64_t jump = next_random(seed) % 100;
    uint64_t day = jump == 0 ? next_random(seed) % 28 : number / 400 % 28;
    struct case_row row = {r->time, r->amount, r->category, r->customer, 0};

    snprintf(r->time, sizeof(r->time), "20%02d-%02d-%02d %02d:%02d",
             jump == 1 ? 10 + (int)(next_random(seed) % 20) : 20, 1 + (int)(number / 11200 % 12),
             1 + (int)day, (int)(next_random(seed) % 24), (int)(next_random(seed) % 60));
    snprintf(r->amount, sizeof(r->amount), "%d.%02d", (int)(next_random(seed) % 900),
             (int)(next_random(seed) % 100));
    snprintf(r->category, sizeof(r->category), "kind %d", (int)(next_random(seed) % 14));
    snprintf(r->customer, sizeof(r->customer), "c%d", (int)(next_random(seed) % 7));
    r->first = (double)(next_random(seed) % 1000) / 100 - 7;
    r->txn = case_txn(&row);
    if (number % 3 == 0) /* a foreign sender's */
        r->txn.id = (struct ft_uuid){
            {(uint8_t)number, (uint8_t)(number >> 8), 7, 1, 2, 3, 0x44}
        };
    else
        ft_uuid_from_row(&r->txn.id, &run, number);
}

static size_t live(struct state_case *c, uint64_t seed, uint64_t from, uint64_t to, char *out)
{
    struct ft_feature_info info;
    size_t n = 0;

    for (uint64_t i = 0; i < to; i++) {
        struct random_row r;

        make_row(&r, &seed, i);
        if (i < from)
            continue;
        case_live_txn(c, &r.txn, r.first);
        for (size_t f = 0; ft_scorer_stage_feature(c->s, 1, f, &info); f++) {
            n += ft_score_value(c->s, c->x, 1, 0, f, out + n, 64);
            out[n++] = ' ';
        }
    }
    return n;
}

static void a_restored_state_goes_on_as_if_nothing_had_happened(void **state)
{
    enum { ROWS = 3000, BYTES = ROWS * 40 * 26 };
    char *want = malloc(BYTES), *got = malloc(BYTES);
    struct state_case c = case_new(CASE_MANIFEST);
    size_t n_want;
    uint64_t seed = 1;

    (void)state;
    n_want = live(&c, 42, 0, ROWS, want);
    for (int cut = 0; cut < 12; cut++) {
        struct store s = {0};
        uint64_t first = next_random(&seed) % ROWS, second = next_random(&seed) % ROWS, at = 0;
        uint64_t stop[3] = {first < second ? first : second, first < second ? second : first, ROWS};
        size_t n = 0;

        ft_state_free(c.state);
        c.state = ft_state_new(c.s, case_secret);
        for (int i = 0; i < 3; i++) {
            n += live(&c, 42, at, stop[i], got + n);
            at = stop[i];
            assert_int_equal(ft_state_changes(c.state, keep, &s), FT_OK);
            restore(&c, &s);
        }
        assert_int_equal(n, n_want);
        assert_memory_equal(got, want, n);
        store_free(&s);
    }
    case_free(&c);
    free(want);
    free(got);
}

static enum ft_status count(void *user, struct ft_span key, struct ft_span value)
{
    size_t *n = user;

    (void)key;
    n[value.p == NULL]++;
    return FT_OK;
}

static void only_changes_are_emitted(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    struct case_row r = {"2020-03-02 13:00", "1", "home", "a", -4};
    size_t n[2] = {0, 0};

    (void)state;
    case_live(&c, &r);
    case_live(&c, &r);
    r.customer = "b";
    case_live(&c, &r);
    assert_int_equal(ft_state_changes(c.state, count, n), FT_OK);
    assert_int_equal(n[0], 2); /* one record a customer, however many transactions */
    assert_int_equal(ft_state_changes(c.state, count, n), FT_OK);
    assert_int_equal(n[0], 2);
    case_live(&c, &r);
    assert_int_equal(ft_state_changes(c.state, count, n), FT_OK);
    assert_int_equal(n[0], 3);
    case_free(&c);
}

static enum ft_status refuse(void *user, struct ft_span key, struct ft_span value)
{
    size_t *left = user;

    (void)key;
    (void)value;
    return (*left)-- > 0 ? FT_OK : FT_AGAIN;
}

static void what_could_not_be_emitted_stays_changed(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    char name[8];
    struct case_row r = {"2020-03-02 13:00", "1", "home", name, -4};
    size_t left = 3, n[2] = {0, 0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        case_live(&c, &r);
    }
    assert_int_equal(ft_state_changes(c.state, refuse, &left), FT_AGAIN);
    assert_int_equal(ft_state_changes(c.state, count, n), FT_OK);
    assert_int_equal(n[0], 7);
    case_free(&c);
}

static void who_would_start_anew_is_freed(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST); /* gap_days 100 */
    struct case_row r = {"2020-01-01 00:00", "1", "home", "old", -4};
    char time[24];
    struct store s = {0};
    size_t n[2] = {0, 0};

    (void)state;
    case_live(&c, &r);
    r.customer = "wrong date";
    r.time = "2999-07-01 00:00";
    case_live(&c, &r);
    r.customer = "new";
    r.time = time;
    for (int hour = 0; hour < 24 * 215; hour++) { /* to 3 August */
        snprintf(time, sizeof(time), "2020-%02d-%02d %02d:00", 1 + hour / 720,
                 1 + hour / 24 % 30 - (hour / 720 == 1), hour % 24);
        if (time[8] == '0' && time[9] == '0')
            time[9] = '1';
        case_live(&c, &r);
        if (hour == 24 * 190) { /* not twice the gap yet */
            assert_int_equal(ft_state_changes(c.state, keep, &s), FT_OK);
            assert_int_equal(ft_state_customers(c.state), 3);
        }
    }
    assert_int_equal(ft_state_changes(c.state, count, n), FT_OK);
    assert_int_equal(ft_state_customers(c.state), 2);
    assert_int_equal(n[0], 1);
    assert_int_equal(n[1], 1);
    /* the tombstone is understood when it is read back */
    restore(&c, &s);
    assert_int_equal(ft_state_customers(c.state), 3);
    for (size_t i = 0; i < s.n; i++)
        assert_int_equal(ft_state_restore(c.state, (struct ft_span){s.record[i].key, 16},
                                          (struct ft_span){NULL, 0}, NULL),
                         FT_OK);
    assert_int_equal(ft_state_customers(c.state), 0);
    store_free(&s);
    case_free(&c);
}

static void another_manifests_state_is_refused(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    struct state_case other = case_new(
        "{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"stages\":[{\"name\":\"a\",\"features\":["
        "{\"name\":\"n\",\"window\":\"1h\",\"value\":\"amount\",\"aggregate\":\"sum\"}]}]}");
    struct case_row r = {"2020-03-02 13:00", "1", "home", "a", -4};
    struct store s = {0};
    struct ft_err err;

    (void)state;
    case_live(&c, &r);
    assert_int_equal(ft_state_changes(c.state, keep, &s), FT_OK);
    assert_int_equal(ft_state_restore(other.state, (struct ft_span){s.record[0].key, 16},
                                      (struct ft_span){s.record[0].value, s.record[0].n}, &err),
                     FT_EINPUT);
    assert_non_null(strstr(err.text, "--rebuild-state"));
    assert_int_equal(ft_state_customers(other.state), 0);
    store_free(&s);
    case_free(&c);
    case_free(&other);
}

/* Every cut of a record, and every single byte changed: refused or taken, never a crash. */
static void damaged_records_do_no_harm(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    static char out[40 * 64 * 200];
    struct store s = {0};

    (void)state;
    live(&c, 7, 0, 120, out);
    assert_int_equal(ft_state_changes(c.state, keep, &s), FT_OK);
    for (size_t i = 0; i < s.n; i++) {
        struct record *r = &s.record[i];
        struct ft_span key = {r->key, r->n_key};

        for (size_t n = 0; n < r->n; n++) {
            assert_int_equal(ft_state_restore(c.state, key, (struct ft_span){r->value, n}, NULL),
                             FT_EINPUT);
            r->value[n] = (char)(r->value[n] ^ 0x80);
            ft_state_restore(c.state, key, (struct ft_span){r->value, r->n}, NULL);
            if (n % 16 == 0)
                live(&c, 7, 118, 120, out);
            r->value[n] = (char)(r->value[n] ^ 0x80);
        }
    }
    store_free(&s);
    case_free(&c);
}

static void old_runs_make_room_for_new_ones(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    struct case_row r = {"2020-03-02 13:00", "1", "home", "a", -4};
    struct ft_txn t = case_txn(&r);
    struct store s = {0};
    struct ft_run run = {1700000000000, 0};

    (void)state;
    for (run.hash = 0; run.hash < 100; run.hash++) {
        ft_uuid_from_row(&t.id, &run, 1);
        case_live_txn(&c, &t, 0);
        assert_int_equal(ft_state_changes(c.state, keep, &s), FT_OK);
    }
    restore(&c, &s);
    run.hash = 99;
    ft_uuid_from_row(&t.id, &run, 1);
    assert_true(ft_state_seen(c.state, &t));
    run.hash = 0;
    ft_uuid_from_row(&t.id, &run, 1);
    assert_false(ft_state_seen(c.state, &t));
    store_free(&s);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_state_goes_on_as_if_nothing_had_happened),
        cmocka_unit_test(only_changes_are_emitted),
        cmocka_unit_test(what_could_not_be_emitted_stays_changed),
        cmocka_unit_test(who_would_start_anew_is_freed),
        cmocka_unit_test(another_manifests_state_is_refused),
        cmocka_unit_test(damaged_records_do_no_harm),
        cmocka_unit_test(old_runs_make_room_for_new_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
