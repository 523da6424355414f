/* What a scene answers: the same questions as a real feed, from its rows and from what was decided in it. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "scene_int.h"

static const char me[] = "ana";

static void set_text(cJSON *o, const char *name, const char *value)
{
    cJSON_AddStringToObject(o, name, value);
}

static void set_number(cJSON *o, const char *name, double v)
{
    if (isnan(v))
        cJSON_AddNullToObject(o, name);
    else
        cJSON_AddNumberToObject(o, name, v);
}

static void set_time(cJSON *o, const char *name, int64_t wall_ms)
{
    time_t t = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&t, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    set_text(o, name, text);
}

static const char *status_name(char s)
{
    return s == 'f'   ? "fraud"
           : s == 'l' ? "legitimate"
           : s == 'e' ? "escalated"
           : s == 's' ? "snoozed"
                      : "open";
}

static int newest_event(const struct ft_scene *s, const struct ft_uuid *id)
{
    int n = 0;

    for (size_t i = 0; i < s->n_event; i++)
        n += ft_uuid_cmp(&s->event[i].id, id) == 0;
    return n;
}

static cJSON *case_object(const struct ft_scene *s, const struct ft_flagged *r)
{
    cJSON *o = cJSON_CreateObject();
    char id[FT_UUID_TEXT + 1];

    ft_uuid_format(&r->id, id);
    set_text(o, "transaction_id", id);
    set_number(o, "score", r->score);
    set_number(o, "threshold", r->threshold);
    set_text(o, "model", "seed-004 1");
    set_text(o, "amount", r->amount);
    set_text(o, "event", r->event);
    set_time(o, "arrived", r->arrived_ms);
    set_text(o, "merchant", r->merchant);
    set_text(o, "category", r->category);
    set_text(o, "name_1", r->name_1);
    set_text(o, "name_2", r->name_2);
    set_text(o, "street", r->street);
    set_text(o, "city", r->city);
    set_text(o, "state", r->state);
    set_text(o, "gender", r->gender);
    set_number(o, "distance_km", r->distance_km);
    set_text(o, "why", r->why);
    set_text(o, "status", status_name(r->status));
    set_text(o, "claimed_by", r->claimed_by);
    if (r->claimed_ms)
        set_time(o, "claimed_at", r->claimed_ms);
    set_number(o, "number", newest_event(s, &r->id));
    return o;
}

/* ---- the queue ------------------------------------------------------------------------------------ */

static cJSON *queue(struct ft_scene *s, const cJSON *args, struct ft_answer *a)
{
    static const char *const sorts[] = {"", "risk", "score", "amount", "waiting"};
    cJSON *o = cJSON_CreateObject(), *cases = cJSON_AddArrayToObject(o, "cases");
    struct ft_flagged *rows = calloc(s->n_row + 1, sizeof(*rows));
    struct ft_list l;
    struct ft_err err;
    size_t n = 0, at;
    int64_t wall = s->start_wall_ms + ft_scene_ms(s);

    ft_list_init(&l, FT_SORT_RISK);
    l.masked = false;
    if (ft_filter_parse(&l.filter, ft_js_text(args, "filter"), false, &at, &err) != FT_OK) {
        a->ok = false;
        snprintf(a->error, sizeof(a->error), "%.230s", err.text);
    }
    for (int i = 1; i < FT_N_SORTS; i++)
        if (strcmp(ft_js_text(args, "sort"), sorts[i]) == 0)
            l.sort = (enum ft_sort)i;
    l.reverse = ft_js_true(args, "reverse");
    for (size_t i = 0; rows && i < s->n_row; i++)
        if (ft_scene_queued(s, &s->row[i]))
            rows[n++] = s->row[i];
    ft_list_set(&l, rows, n, 0, wall);
    for (size_t i = 0; i < l.n_view && i < 1000; i++)
        cJSON_AddItemToArray(cases, case_object(s, ft_list_row(&l, i)));
    set_number(o, "total", (double)l.n_view);
    ft_list_fini(&l);
    free(rows);
    return o;
}

/* ---- a case --------------------------------------------------------------------------------------- */

static double logit(double p)
{
    p = p > 0.9999 ? 0.9999 : p < 0.0001 ? 0.0001 : p;
    return log(p / (1 - p));
}

static void add_reason(cJSON *list, const char *feature, const char *value, const char *text,
                       double v)
{
    cJSON *o = cJSON_CreateObject();

    set_text(o, "feature", feature);
    set_text(o, "value", value);
    set_text(o, "text", text);
    set_number(o, "contribution", v);
    cJSON_AddItemToArray(list, o);
}

/* Shares of what lies between the base value and the raw score. */
static void add_reasons(cJSON *o, const struct ft_flagged *r)
{
    double raw = logit(r->score), base = -5, all = raw - base;
    cJSON *list = cJSON_AddArrayToObject(o, "reasons"),
          *others = cJSON_AddObjectToObject(o, "others");
    char hour[8];

    snprintf(hour, sizeof(hour), "%.2s", strlen(r->event) > 13 ? r->event + 11 : "?");
    set_number(o, "raw", raw);
    set_number(o, "base", base);
    set_text(o, "method", "exact");
    add_reason(list, "amount", r->amount, "usual 41.20, max 120.00", 0.44 * all);
    add_reason(list, "hour", hour, "usual 08-21", 0.28 * all);
    add_reason(list, "merch", r->merchant, "412 tx, 6 fraud", 0.24 * all);
    add_reason(list, "cat_id", r->category, "14 of 34 before", -0.04 * all);
    set_number(others, "n", 15);
    set_number(others, "contribution", all - (0.44 + 0.28 + 0.24 - 0.04) * all);
}

static void add_data(cJSON *o, const struct ft_flagged *r)
{
    cJSON *d = cJSON_AddObjectToObject(o, "data");

    set_text(d, "transaction_time", r->event);
    set_text(d, "merch", r->merchant);
    set_text(d, "cat_id", r->category);
    set_number(d, "amount", strtod(r->amount, NULL));
    set_text(d, "name_1", r->name_1);
    set_text(d, "name_2", r->name_2);
    set_text(d, "gender", r->gender);
    set_text(d, "street", r->street);
    set_text(d, "one_city", r->city);
    set_text(d, "us_state", r->state);
    set_number(d, "post_code", 14733);
    set_number(d, "lat", 42.1187);
    set_number(d, "lon", -79.1989);
    set_number(d, "population_city", 3833);
    set_text(d, "jobs", "Metallurgist");
    set_number(d, "merchant_lat", 41.3511);
    set_number(d, "merchant_lon", -78.4402);
}

static void add_history(cJSON *o, const struct ft_scene *s, const struct ft_flagged *r)
{
    static const struct {
        const char *time, *amount, *category, *merchant;
        double score;
    } past[] = {
        {"2020-02-23 03:08:30", "36.90", "gas_transport", "fraud_Trantow PLC",       0.031},
        {"2020-02-22 18:10:02", "41.18", "grocery_pos",   "fraud_Streich and Price", 0.004},
        {"2020-02-21 12:44:51", "28.00", "food_dining",   "fraud_Cole and Hills",    0.002},
        {"2020-02-20 09:12:20", "55.71", "grocery_pos",   "fraud_Renner Ltd",        0.006},
    };
    cJSON *list = cJSON_AddArrayToObject(o, "history"),
          *usual = cJSON_AddObjectToObject(o, "usual"),
          *same = cJSON_AddArrayToObject(o, "customer"),
          *merchant = cJSON_AddArrayToObject(o, "merchant_cases"),
          *stats = cJSON_AddObjectToObject(o, "merchant_stats");
    int flagged = 0, fraud = 0;

    for (size_t i = 0; i < sizeof(past) / sizeof(*past); i++) {
        cJSON *one = cJSON_CreateObject();

        set_text(one, "time", past[i].time);
        set_text(one, "amount", past[i].amount);
        set_text(one, "category", past[i].category);
        set_text(one, "merchant", past[i].merchant);
        set_number(one, "score", past[i].score);
        cJSON_AddItemToArray(list, one);
    }
    set_number(usual, "count", 34);
    set_number(usual, "mean", 41.2);
    set_number(usual, "max", 120);
    for (size_t i = 0; i < s->n_row && i < 300; i++) {
        const struct ft_flagged *x = &s->row[i];

        if (ft_uuid_cmp(&x->id, &r->id) == 0)
            continue;
        if (strcmp(x->name_1, r->name_1) == 0 && cJSON_GetArraySize(same) < 1)
            cJSON_AddItemToArray(same, case_object(s, x));
        if (strcmp(x->merchant, r->merchant) == 0) {
            flagged++;
            fraud += x->status == 'f';
            if (cJSON_GetArraySize(merchant) < 6)
                cJSON_AddItemToArray(merchant, case_object(s, x));
        }
    }
    set_number(stats, "flagged", flagged);
    set_number(stats, "fraud", fraud);
}

static cJSON *event_object(const struct ft_scene_event *e)
{
    cJSON *o = cJSON_CreateObject();

    set_time(o, "at", e->wall_ms);
    set_text(o, "by", e->by);
    set_text(o, "kind", e->kind);
    set_text(o, "reason", e->reason);
    set_text(o, "note", e->note);
    set_text(o, "until", e->until);
    return o;
}

/* By a whole id, or the beginning or the end of one. */
static const struct ft_flagged *find_row(struct ft_scene *s, const char *id)
{
    size_t n = strlen(id);
    char text[FT_UUID_TEXT + 1];

    for (size_t i = 0; n >= 4 && i < s->n_row; i++) {
        ft_uuid_format(&s->row[i].id, text);
        if (n <= FT_UUID_TEXT &&
            (strncmp(text, id, n) == 0 || strcmp(text + FT_UUID_TEXT - n, id) == 0))
            return &s->row[i];
    }
    return NULL;
}

static cJSON *one_case(struct ft_scene *s, const cJSON *args, struct ft_answer *a)
{
    const struct ft_flagged *r = find_row(s, ft_js_text(args, "transaction_id"));
    cJSON *o, *events;

    if (!r) {
        a->ok = false;
        snprintf(a->error, sizeof(a->error), "no such transaction: %.60s",
                 ft_js_text(args, "transaction_id"));
        return NULL;
    }
    o = case_object(s, r);
    add_reasons(o, r);
    add_data(o, r);
    add_history(o, s, r);
    events = cJSON_AddArrayToObject(o, "events");
    for (size_t i = 0; i < s->n_event; i++)
        if (ft_uuid_cmp(&s->event[i].id, &r->id) == 0)
            cJSON_AddItemToArray(events, event_object(&s->event[i]));
    return o;
}

/* ---- what reviewers do ---------------------------------------------------------------------------- */

static struct ft_scene_event *add_event(struct ft_scene *s, struct ft_flagged *r, const char *kind)
{
    struct ft_scene_event *e =
        &s->event[s->n_event < FT_SCENE_EVENTS ? s->n_event++ : FT_SCENE_EVENTS - 1];

    memset(e, 0, sizeof(*e));
    e->wall_ms = s->start_wall_ms + ft_scene_ms(s);
    e->id = r->id;
    e->before = r->status;
    snprintf(e->by, sizeof(e->by), "%s", me);
    snprintf(e->kind, sizeof(e->kind), "%s", kind);
    return e;
}

static cJSON *decide(struct ft_scene *s, const cJSON *args)
{
    cJSON *o = cJSON_CreateObject(), *refused = cJSON_AddArrayToObject(o, "refused");
    const char *verdict = ft_js_text(args, "verdict");
    const cJSON *one;
    int n = 0;

    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(args, "transaction_ids"))
    {
        struct ft_flagged *r;
        struct ft_scene_event *e;
        struct ft_uuid id;
        char text[64];

        if (!cJSON_IsString(one) || !ft_uuid_parse(&id, ft_span_of(one->valuestring)) ||
            !(r = ft_scene_row(s, &id)))
            continue;
        if (r->claimed_by[0] &&
            strcmp(r->claimed_by, me) != 0) { /* somebody else is at it, and was first */
            cJSON *x = cJSON_CreateObject();

            set_text(x, "transaction_id", one->valuestring);
            snprintf(text, sizeof(text), "%s has claimed it", r->claimed_by);
            set_text(x, "error", text);
            cJSON_AddItemToArray(refused, x);
            continue;
        }
        e = add_event(s, r, verdict);
        snprintf(e->reason, sizeof(e->reason), "%s", ft_js_text(args, "reason"));
        snprintf(e->note, sizeof(e->note), "%s", ft_js_text(args, "note"));
        snprintf(e->until, sizeof(e->until), "%s", ft_js_text(args, "until"));
        r->status = verdict[0];
        n++;
    }
    set_number(o, "decided", n);
    return o;
}

static cJSON *undo(struct ft_scene *s, const cJSON *args, struct ft_answer *a)
{
    cJSON *o = cJSON_CreateObject();
    char id[FT_UUID_TEXT + 1];

    for (size_t i = s->n_event; i-- > 0;) {
        struct ft_scene_event *e = &s->event[i];
        struct ft_flagged *r = ft_scene_row(s, &e->id);

        if (!r || strcmp(e->kind, "note") == 0 || strcmp(e->kind, "undo") == 0 || e->number < 0)
            continue;
        ft_uuid_format(&e->id, id);
        set_text(o, "transaction_id", id);
        set_text(o, "verdict", e->kind);
        r->status = e->before;
        e->number = -1; /* undone */
        e = add_event(s, r, "undo");
        snprintf(e->note, sizeof(e->note), "%s", ft_js_text(args, "note"));
        return o;
    }
    a->ok = false;
    snprintf(a->error, sizeof(a->error), "you decided nothing within the last ten minutes");
    return o;
}

static cJSON *claim(struct ft_scene *s, const cJSON *args, struct ft_answer *a)
{
    cJSON *o = cJSON_CreateObject();
    bool want = ft_js_true(args, "claim");
    struct ft_flagged *r;
    struct ft_uuid id;

    if (!ft_uuid_parse(&id, ft_span_of(ft_js_text(args, "transaction_id"))) ||
        !(r = ft_scene_row(s, &id)))
        return o;
    if (r->claimed_by[0] && strcmp(r->claimed_by, me) != 0) {
        a->ok = false;
        snprintf(a->error, sizeof(a->error), "%s claimed it first", r->claimed_by);
        return o;
    }
    snprintf(r->claimed_by, sizeof(r->claimed_by), "%s", want ? me : "");
    r->claimed_ms = want ? s->start_wall_ms + ft_scene_ms(s) : 0;
    cJSON_AddBoolToObject(o, "claimed", want);
    return o;
}

static cJSON *next(struct ft_scene *s)
{
    cJSON *o = cJSON_CreateObject();
    char id[FT_UUID_TEXT + 1];

    for (size_t i = 0; i < s->n_row; i++)
        if (ft_scene_queued(s, &s->row[i]) && !s->row[i].claimed_by[0]) {
            snprintf(s->row[i].claimed_by, sizeof(s->row[i].claimed_by), "%s", me);
            s->row[i].claimed_ms = s->start_wall_ms + ft_scene_ms(s);
            ft_uuid_format(&s->row[i].id, id);
            set_text(o, "transaction_id", id);
            break;
        }
    return o;
}

static cJSON *note(struct ft_scene *s, const cJSON *args)
{
    struct ft_flagged *r;
    struct ft_uuid id;

    if (ft_uuid_parse(&id, ft_span_of(ft_js_text(args, "transaction_id"))) &&
        (r = ft_scene_row(s, &id)))
        snprintf(add_event(s, r, "note")->note, 200, "%s", ft_js_text(args, "note"));
    return cJSON_CreateObject();
}

static cJSON *what_if(struct ft_scene *s, const cJSON *args)
{
    const cJSON *changes = cJSON_GetObjectItemCaseSensitive(args, "changes"),
                *amount = cJSON_GetObjectItemCaseSensitive(changes, "amount");
    cJSON *o = cJSON_CreateObject();
    struct ft_flagged *r;
    struct ft_uuid id;
    double raw, share = 0.28;

    if (!ft_uuid_parse(&id, ft_span_of(ft_js_text(args, "transaction_id"))) ||
        !(r = ft_scene_row(s, &id)))
        return o;
    raw = logit(r->score);
    if (cJSON_IsString(amount)) {
        double ratio = strtod(amount->valuestring, NULL) / fmax(1, strtod(r->amount, NULL));

        share = 0.62 * (1 - fmin(ratio, 2));
    }
    raw -= share * (raw + 5);
    set_number(o, "raw", raw);
    set_number(o, "score", 1 / (1 + exp(-raw)));
    return o;
}

/* ---- threshold ------------------------------------------------------------------------------------ */

static int by_score(const void *a, const void *b)
{
    const struct ft_flagged *x = *(const struct ft_flagged *const *)a,
                            *y = *(const struct ft_flagged *const *)b;

    return (x->score > y->score) - (x->score < y->score);
}

/* What was reviewed, counted by score; the frauds among it, lowest score first. */
static void add_reviewed(cJSON *o, const struct ft_scene *s)
{
    double bins[2][FT_SCORE_BINS] = {{0}};
    const struct ft_flagged *fraud[400];
    cJSON *known = cJSON_AddArrayToObject(o, "known");
    size_t n = 0;

    for (size_t i = 0; i < s->n_row && i < 400; i++) {
        const struct ft_flagged *r = &s->row[i];

        if (r->status != 'f' && r->status != 'l')
            continue;
        bins[r->status == 'l'][ft_score_bin(r->score, FT_SCORE_BINS)]++;
        if (r->status == 'f')
            fraud[n++] = r;
    }
    cJSON_AddItemToObject(o, "fraud", cJSON_CreateDoubleArray(bins[0], FT_SCORE_BINS));
    cJSON_AddItemToObject(o, "legitimate", cJSON_CreateDoubleArray(bins[1], FT_SCORE_BINS));
    qsort(fraud, n, sizeof(fraud[0]), by_score);
    for (size_t i = 0; i < n; i++) {
        cJSON *one = case_object(s, fraud[i]);

        set_text(one, "by", fraud[i]->id.b[0] % 3 ? "ana" : "ben");
        set_time(one, "at", fraud[i]->arrived_ms + 600000);
        cJSON_AddItemToArray(known, one);
    }
}

static cJSON *threshold(struct ft_scene *s)
{
    cJSON *o = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(o, "all"),
          *amount = cJSON_AddArrayToObject(o, "amount");

    set_number(o, "threshold", s->threshold);
    set_number(o, "hours", 24);
    set_number(o, "sample", s->sample);
    cJSON_AddBoolToObject(o, "labels_from_file", false);
    for (int i = 0; i < FT_SCORE_BINS; i++) {
        double x = i / (double)FT_SCORE_BINS,
               n = x < 0.5 ? 220000 * exp(-i / 55.0) : 0.6 + 6 * pow(x - 0.5, 2) * 4;

        cJSON_AddItemToArray(all, cJSON_CreateNumber(floor(n + 0.5)));
        cJSON_AddItemToArray(amount, cJSON_CreateNumber(floor(n + 0.5) * (80 + 420 * x)));
    }
    add_reviewed(o, s);
    return o;
}

static cJSON *apply(struct ft_scene *s, const cJSON *args)
{
    double x = ft_js_number(args, "threshold"), share = ft_js_number(args, "sample");
    cJSON *o = cJSON_CreateObject();

    if (!isnan(share)) {
        s->sample = share;
        set_number(o, "sample", share);
    }
    if (!isnan(x)) {
        s->threshold = x;
        set_number(o, "threshold", x);
    }
    return o;
}

/* ---- replay, health, log -------------------------------------------------------------------------- */

static cJSON *files(const struct ft_scene *s, const cJSON *args)
{
    static const struct {
        const char *name;
        double size, rows;
        int labels;
        const char *last;
        double rejected;
    } list[] = {
        {"new_small.csv",     17000, 90,       0, "2026-11-18T09:02:00Z", 0},
        {"test_labelled.csv", 221e6, 786431,   1, "2026-11-19T20:10:00Z", 0},
        {"transactions.csv",  7.2e9, 24331193, 1, "",                     0},
    };
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "files"),
          *one = cJSON_CreateObject();

    set_text(o, "folder", *ft_js_text(args, "folder") ? ft_js_text(args, "folder") : "/data");
    set_text(one, "name", "..");
    cJSON_AddTrueToObject(one, "folder");
    cJSON_AddItemToArray(a, one);
    for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
        one = cJSON_CreateObject();
        set_text(one, "name", list[i].name);
        set_number(one, "size", list[i].size);
        set_number(one, "rows", list[i].rows);
        cJSON_AddBoolToObject(one, "labels", list[i].labels);
        set_text(one, "last_run", list[i].last);
        set_number(one, "rejected", list[i].rejected);
        if (i == 2)
            set_text(one, "state", "running");
        if (i == 0 && s->waits) {
            set_text(one, "state", "waiting");
            set_number(one, "place", 1);
            cJSON_AddTrueToObject(one, "own");
        }
        cJSON_AddItemToArray(a, one);
    }
    return o;
}

/* Begun behind the one that runs, it is the smallest file that waits. */
static cJSON *replay_start(struct ft_scene *s)
{
    cJSON *o = cJSON_CreateObject();

    if (s->stopped) {
        s->stopped = s->paused = false;
    } else {
        s->waits = true;
        set_number(o, "waiting", 1);
    }
    return o;
}

static cJSON *replay_stop(struct ft_scene *s, const cJSON *args)
{
    if (!*ft_js_text(args, "waiting"))
        s->stopped = true;
    s->waits = false;
    return cJSON_CreateObject();
}

static cJSON *rejects(void)
{
    static const struct {
        double line;
        const char *reason, *text;
    } list[] = {
        {88210,   "amount is not a number",       "2019-08-02 11:02,fraud_Kuhn LLC,home,12;50,..."},
        {91002,   "amount is not a number",       "2019-08-02 11:07,fraud_Kuhn LLC,home,n/a,..."  },
        {1204551, "wrong number of columns (16)", "2019-08-03 04:40,fraud_Renner Ltd,misc_pos"    },
    };
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "rows");

    set_number(o, "total", 12);
    set_text(o, "path", "quarantine.csv");
    for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
        cJSON *one = cJSON_CreateObject();

        set_number(one, "line", list[i].line);
        set_text(one, "reason", list[i].reason);
        set_text(one, "text", list[i].text);
        cJSON_AddItemToArray(a, one);
    }
    return o;
}

static cJSON *partitions(struct ft_scene *s)
{
    static const char *const owner[] = {"box-1 4122", "box-1 4122", "box-2 988", "box-1 4123"};
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "partitions");
    bool lag = s->script == FT_SCRIPT_LAG;

    for (int i = 0; i < 4; i++) {
        cJSON *one = cJSON_CreateObject();
        double end = i < 3 ? 4160596 - i / 2 : 12480583,
               behind = i < 3 ? (lag ? 37200 + i * 11 : 402 - i) : 310;

        set_text(one, "topic", i < 3 ? "transactions" : "scoring");
        set_number(one, "partition", i < 3 ? i : (double)NAN);
        set_number(one, "end", end);
        set_number(one, "committed", end - behind);
        set_number(one, "lag", behind);
        set_number(one, "per_s", i == 3 ? -2 : lag ? 413 : -95 - 3 * i);
        set_text(one, "owner", owner[i]);
        cJSON_AddItemToArray(a, one);
    }
    return o;
}

static cJSON *topics(void)
{
    static const char *const names[] = {"transactions", "scoring",          "transactions.dlq",
                                        "scoring.dlq",  "fraudtop.control", "fraudtop.status"};
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "topics");

    for (int i = 0; i < 6; i++) {
        cJSON *one = cJSON_CreateObject();

        set_text(one, "topic", names[i]);
        set_number(one, "partitions", i < 2 ? 3 : 1);
        set_number(one, "messages", i < 2 ? 12480583 : i < 4 ? 0 : 4 + i);
        if (i < 2) {
            set_text(one, "group", i ? "fraudtop-sink" : "fraudtop-score");
            set_number(one, "lag", i ? 310 : 1203);
        }
        cJSON_AddItemToArray(a, one);
    }
    return o;
}

static cJSON *messages(struct ft_scene *s, const cJSON *args)
{
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "messages");
    bool scoring = strcmp(ft_js_text(args, "topic"), "scoring") == 0;
    const char *find = ft_js_text(args, "find");

    for (size_t i = 0; i < s->n_row && i < 50; i++) {
        cJSON *one, *value = cJSON_CreateObject();
        char id[FT_UUID_TEXT + 1], *text;

        ft_uuid_format(&s->row[i].id, id);
        if (*find && strcmp(find, id) != 0) {
            cJSON_Delete(value);
            continue;
        }
        one = cJSON_CreateObject();
        set_text(value, "transaction_id", id);
        if (scoring)
            set_number(value, "score", s->row[i].score);
        else
            add_data(value, &s->row[i]);
        text = cJSON_PrintUnformatted(value);
        set_text(one, "topic",
                 *ft_js_text(args, "topic") ? ft_js_text(args, "topic") : "transactions");
        set_number(one, "partition", (double)(i % 3));
        set_number(one, "offset", 4160595 - (double)i);
        set_time(one, "timestamp", s->row[i].arrived_ms);
        set_text(one, "value", text ? text : "");
        free(text);
        cJSON_Delete(value);
        cJSON_AddItemToArray(a, one);
    }
    return o;
}

static void log_line(cJSON *a, int64_t wall, const char *part, const char *level, const char *by,
                     const char *text, const char *id)
{
    cJSON *o = cJSON_CreateObject();

    set_time(o, "at", wall);
    set_text(o, "part", part);
    set_text(o, "level", level);
    set_text(o, "by", by);
    set_text(o, "text", text);
    set_text(o, "transaction_id", id);
    cJSON_AddItemToArray(a, o);
}

static cJSON *log_entries(struct ft_scene *s)
{
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "entries");
    int64_t start = s->start_wall_ms;
    char text[360], id[FT_UUID_TEXT + 1];

    for (size_t i = s->n_event; i-- > 0;) {
        const struct ft_scene_event *e = &s->event[i];

        ft_uuid_format(&e->id, id);
        snprintf(text, sizeof(text), "%s%s%s%s%s%s", e->kind, *e->reason ? " " : "", e->reason,
                 *e->note ? " \"" : "", e->note, *e->note ? "\"" : "");
        log_line(a, e->wall_ms, "case", "info", e->by, text, id);
    }
    if (s->script == FT_SCRIPT_KAFKA_DOWN) {
        log_line(a, start - 42000, "replay", "warning", "", "held: no broker", "");
        log_line(a, start - 42000, "kafka", "error", "", "all brokers down", "");
    }
    if (s->script == FT_SCRIPT_PG_DOWN)
        log_line(a, start - 42000, "pg", "error", "", "server closed the connection unexpectedly",
                 "");
    log_line(a, start - 310000, "replay", "warning", "",
             "row 1,204,551: wrong number of columns (16)", "");
    log_line(a, start - 590000, "model", "info", "", "seed-004 1 loaded, test rows match", "");
    log_line(a, start - 600000, "replay", "info", "",
             "run 0199a3b1c2d3-0f31c2a45 begun: transactions.csv", "");
    return o;
}

static cJSON *stats(void)
{
    cJSON *o = cJSON_CreateObject(), *waited = cJSON_AddObjectToObject(o, "waiting_s");

    set_number(waited, "n", 118);
    set_number(waited, "median", 372);
    set_number(waited, "p95", 1914);
    return o;
}

static cJSON *handover(void)
{
    cJSON *o = cJSON_CreateObject();

    set_text(o, "text",
             "Handover of the last 8 h\n\n  opened            164\n  decided           118   "
             "(fraud 72, legitimate 39, escalated 7)\n"
             "  still open         41   oldest 00:47:10, over the limit 2\n  threshold       0.500 "
             "  unchanged\n  outages          none\n");
    return o;
}

static cJSON *scene_switch(struct ft_scene *s, const cJSON *args, struct ft_answer *a)
{
    struct ft_err err;

    if (ft_scene_switch(s, ft_js_text(args, "name"), &err) != FT_OK) {
        a->ok = false;
        snprintf(a->error, sizeof(a->error), "%.230s", err.text);
    }
    return cJSON_CreateObject();
}

/* ---- questions and answers ------------------------------------------------------------------------ */

static cJSON *reply(struct ft_scene *s, enum ft_ask_kind kind, const cJSON *args,
                    struct ft_answer *a)
{
    switch (kind) {
    case FT_ASK_QUEUE:
        return queue(s, args, a);
    case FT_ASK_CASE:
        return one_case(s, args, a);
    case FT_ASK_DECIDE:
        return decide(s, args);
    case FT_ASK_UNDO:
        return undo(s, args, a);
    case FT_ASK_CLAIM:
        return claim(s, args, a);
    case FT_ASK_NEXT:
        return next(s);
    case FT_ASK_NOTE:
        return note(s, args);
    case FT_ASK_WHAT_IF:
        return what_if(s, args);
    case FT_ASK_THRESHOLD:
        return threshold(s);
    case FT_ASK_APPLY:
        return apply(s, args);
    case FT_ASK_FILES:
        return files(s, args);
    case FT_ASK_REJECTS:
        return rejects();
    case FT_ASK_PARTITIONS:
        return partitions(s);
    case FT_ASK_TOPICS:
        return topics();
    case FT_ASK_MESSAGES:
        return messages(s, args);
    case FT_ASK_LOG:
        return log_entries(s);
    case FT_ASK_STATS:
        return stats();
    case FT_ASK_HANDOVER:
        return handover();
    case FT_ASK_SCENE:
        return scene_switch(s, args, a);
    case FT_ASK_REPLAY_PAUSE:
        s->paused = ft_js_true(args, "pause");
        return cJSON_CreateObject();
    case FT_ASK_REPLAY_STOP:
        return replay_stop(s, args);
    case FT_ASK_REPLAY_START:
        return replay_start(s);
    case FT_ASK_REPLAY_RATE:
        s->rate_limit = ft_js_number(args, "rate");
        return cJSON_CreateObject();
    case FT_ASK_RETRY:
        return cJSON_CreateObject();
    default:
        return NULL;
    }
}

static bool needs_database(enum ft_ask_kind k)
{
    return k == FT_ASK_QUEUE || k == FT_ASK_CASE || k == FT_ASK_DECIDE || k == FT_ASK_UNDO ||
           k == FT_ASK_CLAIM || k == FT_ASK_NEXT || k == FT_ASK_NOTE || k == FT_ASK_STATS;
}

uint64_t ft_scene_ask(void *self, const struct ft_ask *ask)
{
    struct ft_scene *s = self;
    struct ft_answer a = {.ticket = ++s->ticket, .kind = ask->kind, .ok = true};
    cJSON *args, *json;

    if (s->n_answer == FT_SCENE_ANSWERS)
        return 0;
    ft_scene_refresh(s);
    if (s->script == FT_SCRIPT_PG_DOWN && needs_database(ask->kind)) {
        a.ok = false;
        snprintf(a.error, sizeof(a.error), "server closed the connection unexpectedly");
        s->answer[s->n_answer++] = a;
        return a.ticket;
    }
    args = cJSON_Parse(ask->args_json ? ask->args_json : "{}");
    json = reply(s, ask->kind, args, &a);
    if (!json && a.ok)
        a.ticket = 0;
    a.json = a.ok && json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    cJSON_Delete(args);
    if (a.ticket)
        s->answer[s->n_answer++] = a;
    return a.ticket;
}

bool ft_scene_answer(void *self, struct ft_answer *out)
{
    struct ft_scene *s = self;

    if (s->n_answer == 0)
        return false;
    *out = s->answer[0];
    memmove(s->answer, s->answer + 1, --s->n_answer * sizeof(*s->answer));
    return true;
}
