#include "scene_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEFORE_S 600 /* seconds that the run is old at the start */
#define FIRST_ROW 3118

const char *const ft_scene_names[FT_N_SCRIPTS + 1] = {"normal",  "attack", "drift", "kafka-down",
                                                      "pg-down", "lag",    "empty", NULL};

static const char *const merchants[] = {
    "fraud_Kovacek-Dibbert",   "fraud_Rodriguez LLC",
    "fraud_Huels-Nolan",       "fraud_Lynch-Wisozk",
    "fraud_Pagac LLC",         "fraud_Jacobi and Sons",
    "fraud_Stokes and Sipes",  "fraud_Renner Ltd",
    "fraud_Trantow PLC",       "fraud_Cormier LLC",
    "fraud_Streich and Price", "fraud_Sporer Inc",
    "fraud_Cole and Hills",    "fraud_Harber Inc",
    "fraud_Fisher-Schowalter", "fraud_Kuhic, Bins and Pfeffer",
    "fraud_Zemlak Group",      "fraud_Terry-Huel",
};
static const char *const categories[] = {
    "shopping_net",   "misc_net",      "grocery_pos",   "home",
    "shopping_pos",   "gas_transport", "grocery_net",   "food_dining",
    "health_fitness", "entertainment", "personal_care", "travel",
};
static const char *const people[][2] = {
    {"Maria",     "Rodriguez"},
    {"Catherine", "Young"    },
    {"Samuel",    "Hudson"   },
    {"Frances",   "Mckee"    },
    {"Theo",      "Conway"   },
    {"Mark",      "Beck"     },
    {"Kim",       "Mcdonald" },
    {"Jennifer",  "Miller"   },
    {"Adam",      "Vance"    },
    {"Daniel",    "Barnett"  },
    {"Ella",      "Tapia"    },
    {"Mary",      "West"     },
    {"Bruce",     "Torres"   },
};
static const char *const cities[][2] = {
    {"Cross Plains",   "TX"},
    {"Falconer",       "NY"},
    {"Phenix City",    "AL"},
    {"Southfield",     "MI"},
    {"Grand Junction", "TN"},
    {"Marietta",       "SC"},
    {"Minneapolis",    "MN"},
    {"Lamberton",      "MN"},
    {"Sterling City",  "TX"},
    {"Kirby",          "OH"},
    {"Comfrey",        "MN"},
    {"Hurley",         "SD"},
    {"Detroit",        "MI"},
};
static const char *const streets[] = {"561 Perry Cove", "43039 Riley Greens", "9443 Cynthia Court",
                                      "4664 Sanchez Common"};
static const char *const whys[] = {
    "amount 3.1x usual, 03h",
    "first buy in category",
    "2nd in 4 min, merch",
    "amount 2.2x usual",
    "hour 03, amount",
    "amount 5.0x usual",
    "4th in 1 h",
    "category, merchant",
    "amount, category",
    "hour 02",
};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t ft_scene_ms(const struct ft_scene *s)
{
    return s->fixed ? s->fixed_ms : now_ms() - s->begun_ms;
}

uint64_t ft_scene_hash(const struct ft_scene *s, uint64_t stream, uint64_t n)
{
    uint64_t z = s->seed * 0x9E3779B97F4A7C15u + stream * 0xD1B54A32D192ED03u + n + 1;

    for (int i = 0; i < 2; i++) { /* splitmix64 */
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        z ^= z >> 31;
    }
    return z;
}

double ft_scene_unit(const struct ft_scene *s, uint64_t stream, uint64_t n)
{
    return (double)(ft_scene_hash(s, stream, n) >> 11) * 0x1p-53;
}

/* ---- flagged rows --------------------------------------------------------------------------------- */

/* How many rows have been flagged by ms after the start. */
static uint64_t rows_by(const struct ft_scene *s, int64_t ms)
{
    int64_t burst = ms - 5000;

    if (s->script == FT_SCRIPT_EMPTY)
        return 0;
    if (s->script == FT_SCRIPT_KAFKA_DOWN)
        return FIRST_ROW;
    if (s->script == FT_SCRIPT_ATTACK && burst > 0)
        return FIRST_ROW + 5 + (uint64_t)burst / 60;
    return FIRST_ROW + (uint64_t)(ms > 0 ? ms : 0) / 1000;
}

static int64_t row_ms(const struct ft_scene *s, uint64_t k)
{
    int64_t n = (int64_t)k - FIRST_ROW;

    if (s->script == FT_SCRIPT_ATTACK && n >= 5)
        return 5000 + (n - 5) * 60;
    return n < 0 ? n * 7000 : n * 1000;
}

static void event_time(char *out, size_t size, int64_t unix_s)
{
    time_t t = (time_t)unix_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm);
}

static void make_row(const struct ft_scene *s, uint64_t k, struct ft_flagged *r)
{
    bool burst = s->script == FT_SCRIPT_ATTACK && k >= FIRST_ROW + 5;
    size_t who = ft_scene_hash(s, 1, k) % COUNT(people);
    double u = ft_scene_unit(s, 2, k), amount = 40 + 1200 * u * u;

    memset(r, 0, sizeof(*r));
    for (int i = 0; i < 8; i++) {
        r->id.b[i] = (uint8_t)(ft_scene_hash(s, 3, k) >> 8 * i);
        r->id.b[8 + i] = (uint8_t)(ft_scene_hash(s, 4, k) >> 8 * i);
    }
    r->id.b[6] = (uint8_t)(0x80 | (r->id.b[6] & 0x0F));
    r->id.b[8] = (uint8_t)(0x80 | (r->id.b[8] & 0x3F));
    r->threshold = 0.5;
    r->score = 0.5 + 0.499 * sqrt(ft_scene_unit(s, 5, k));
    if (burst)
        r->score = 0.93 + 0.069 * ft_scene_unit(s, 5, k), amount = 480 + 40 * u;
    snprintf(r->amount, sizeof(r->amount), "%.2f", amount);
    event_time(r->event, sizeof(r->event), 1582427564 + ((int64_t)k - FIRST_ROW) * 7);
    r->arrived_ms = s->start_wall_ms + row_ms(s, k);
    snprintf(r->merchant, sizeof(r->merchant), "%s",
             merchants[burst ? 16 : ft_scene_hash(s, 6, k) % COUNT(merchants)]);
    snprintf(r->category, sizeof(r->category), "%s",
             categories[burst ? 0 : ft_scene_hash(s, 7, k) % COUNT(categories)]);
    snprintf(r->name_1, sizeof(r->name_1), "%s", people[who][0]);
    snprintf(r->name_2, sizeof(r->name_2), "%s", people[who][1]);
    snprintf(r->street, sizeof(r->street), "%s", streets[who % COUNT(streets)]);
    snprintf(r->city, sizeof(r->city), "%s", cities[who][0]);
    snprintf(r->state, sizeof(r->state), "%s", cities[who][1]);
    snprintf(r->gender, sizeof(r->gender), "%s", who % 2 ? "M" : "F");
    snprintf(r->why, sizeof(r->why), "%s",
             burst ? "merchant, 9th in 1 min" : whys[ft_scene_hash(s, 8, k) % COUNT(whys)]);
    r->distance_km = 5 + floor(100 * ft_scene_unit(s, 9, k));
    r->label = (int8_t)(ft_scene_unit(s, 10, k) < 0.8);
    /* Of the last 400 before the start one in ten waits for review; the others were decided before. */
    r->status = k < FIRST_ROW && (k + 400 < FIRST_ROW || ft_scene_hash(s, 11, k) % 10)
                    ? (r->label ? 'f' : 'l')
                    : 'o';
    if (r->status == 'o' && ft_scene_hash(s, 12, k) % 14 == 0) {
        snprintf(r->claimed_by, sizeof(r->claimed_by), "ben");
        r->claimed_ms = s->start_wall_ms - 180000;
    }
    r->memory_only = s->script == FT_SCRIPT_PG_DOWN;
}

bool ft_scene_queued(const struct ft_scene *s, const struct ft_flagged *row)
{
    (void)s;
    return row->status == 'o';
}

void ft_scene_refresh(struct ft_scene *s)
{
    uint64_t want = rows_by(s, ft_scene_ms(s)), have = s->newest;
    size_t more;

    if (want <= have)
        return;
    more = want - have < FT_LIVE_FLAGGED ? (size_t)(want - have) : FT_LIVE_FLAGGED;
    if (s->n_row + more > FT_LIVE_FLAGGED)
        s->n_row = FT_LIVE_FLAGGED - more;
    memmove(s->row + more, s->row, s->n_row * sizeof(*s->row));
    for (size_t i = 0; i < more; i++)
        make_row(s, want - 1 - i, &s->row[i]);
    s->n_row += more;
    s->newest = want;
}

struct ft_flagged *ft_scene_row(struct ft_scene *s, const struct ft_uuid *id)
{
    for (size_t i = 0; i < s->n_row; i++)
        if (ft_uuid_cmp(&s->row[i].id, id) == 0)
            return &s->row[i];
    return NULL;
}

/* ---- the picture ---------------------------------------------------------------------------------- */

/* Scored in the second that began at second t (negative: before the start). */
static double rate_at(const struct ft_scene *s, int64_t t)
{
    double wave = 44000 + 6000 * sin((double)t / 29) + 2500 * sin((double)t / 7),
           noise = 3000 * ft_scene_unit(s, 20, (uint64_t)(t + 100000));

    if (s->script == FT_SCRIPT_KAFKA_DOWN && t >= -42)
        return 0;
    if (s->script == FT_SCRIPT_LAG)
        wave *= t > -90 ? 0.55 : 1;
    return s->script == FT_SCRIPT_EMPTY ? 1000 + noise / 30 : floor(wave + noise);
}

static double one_score(const struct ft_scene *s, uint64_t n)
{
    double u = ft_scene_unit(s, 21, n), v = ft_scene_unit(s, 22, n);

    if (s->script != FT_SCRIPT_EMPTY && u > (s->script == FT_SCRIPT_DRIFT ? 0.94 : 0.985))
        return 0.5 + 0.5 * sqrt(v);
    if (u > 0.9)
        return 0.05 + 0.42 * v * v;
    return 0.05 * v * v;
}

static void fill_scores(const struct ft_scene *s, struct ft_scores *h, uint64_t *above, size_t n,
                        uint64_t from, uint64_t weight)
{
    memset(h, 0, sizeof(*h));
    *above = 0;
    for (size_t i = 0; i < n; i++) {
        double score = one_score(s, from + i);

        h->bin[ft_score_bin(score, FT_SCORE_BINS)] += weight;
        h->count += weight;
        *above += score > s->threshold ? weight : 0;
    }
}

/* The whole run: falls by decades, with a hump of frauds at the end. */
static void fill_run(const struct ft_scene *s, struct ft_scores *h, uint64_t total,
                     uint64_t flagged)
{
    double mass = 0, hump = 0;

    memset(h, 0, sizeof(*h));
    for (int i = 0; i < FT_SCORE_BINS; i++) {
        mass += exp(-i / 55.0);
        hump += i >= 1000 ? pow((i - 1000) / 1000.0, 2) + 0.02 : 0;
    }
    for (int i = 0; i < FT_SCORE_BINS; i++) {
        double x = i / (double)FT_SCORE_BINS,
               v = (double)total * exp(-i / 55.0) / mass * (i < 1000 ? 1 : 0);

        if (x >= 0.5)
            v = (double)flagged * (pow((i - 1000) / 1000.0, 2) + 0.02) / hump;
        h->bin[i] = (uint64_t)(v + 0.5);
        h->count += h->bin[i];
    }
    (void)s;
}

static void part(struct ft_part *p, enum ft_part_state state, int64_t since, const char *where,
                 double ms, const char *error)
{
    *p = (struct ft_part){.state = state, .since_ms = since, .ms = ms};
    snprintf(p->where, sizeof(p->where), "%s", where);
    snprintf(p->error, sizeof(p->error), "%s", error);
}

static void set_parts(const struct ft_scene *s, struct ft_live *l)
{
    int64_t down = l->now_ms - 42000 - ft_scene_ms(s);

    part(&l->kafka, FT_PART_UP, l->now_ms - 600000, "localhost:9092", 0.6, "");
    part(&l->pg, FT_PART_UP, l->now_ms - 600000, "dbname=fraud", 0.9, "");
    part(&l->model, FT_PART_UP, l->now_ms - 600000, "models/seed-004", 0, "");
    if (s->script == FT_SCRIPT_KAFKA_DOWN)
        part(&l->kafka, FT_PART_DOWN, down, "localhost:9092", 0, "connection refused (3 tries)");
    if (s->script == FT_SCRIPT_PG_DOWN)
        part(&l->pg, FT_PART_DOWN, down, "dbname=fraud", 0,
             "server closed the connection unexpectedly");
}

static void set_replay(const struct ft_scene *s, struct ft_live *l)
{
    struct ft_replay_view *r = &l->replay;
    static const struct {
        const char *reason;
        uint64_t rows, line;
    } rejects[] = {
        {"amount is not a number",       9, 88210  },
        {"wrong number of columns (16)", 3, 1204551}
    };

    r->active = !s->stopped;
    r->paused = s->paused;
    r->waiting = s->waits;
    r->held = s->script == FT_SCRIPT_KAFKA_DOWN;
    snprintf(r->file, sizeof(r->file), "transactions.csv");
    snprintf(r->run, sizeof(r->run), "0199a3b1c2d3-0f31c2a45");
    r->read = l->replayed + 12;
    r->sent = l->replayed;
    r->acked = l->replayed - 115;
    r->in_flight = 115;
    r->rejected = 12;
    r->bytes_total = 7200000000u;
    r->bytes_done = l->replayed * 297;
    r->rate_limit = s->rate_limit;
    r->per_s = l->replayed_per_s;
    r->eta_s = r->held || r->paused ? -1 : (double)(r->bytes_total - r->bytes_done) / 297 / 48210;
    event_time(r->event_clock, sizeof(r->event_clock), 1582427564 + ft_scene_ms(s) / 1000 * 7);
    r->event_clock[16] = '\0'; /* without seconds */
    snprintf(r->quarantine, sizeof(r->quarantine), "quarantine.csv");
    for (size_t i = 0; i < COUNT(rejects); i++) {
        snprintf(r->reject[i].reason, sizeof(r->reject[i].reason), "%s", rejects[i].reason);
        r->reject[i].rows = rejects[i].rows;
        r->reject[i].first_line = rejects[i].line;
    }
    r->n_reject = COUNT(rejects);
    if (r->held)
        snprintf(r->error, sizeof(r->error), "no broker: waits at row 12,481,902, nothing is lost");
}

static void set_process(struct ft_process *p, const char *role, const char *host, int pid,
                        const char *state, int64_t seen, double per_s, const char *detail)
{
    *p = (struct ft_process){.pid = pid, .seen_ms = seen, .per_s = per_s, .restored = 1};
    snprintf(p->role, sizeof(p->role), "%s", role);
    snprintf(p->host, sizeof(p->host), "%s", host);
    snprintf(p->state, sizeof(p->state), "%s", state);
    snprintf(p->detail, sizeof(p->detail), "%s", detail);
}

static void set_processes(struct ft_scene *s, struct ft_live *l)
{
    bool down = s->script == FT_SCRIPT_KAFKA_DOWN;
    const char *idle = down ? "waiting" : "running";
    double r = l->scored_per_s;

    set_process(&s->process[0], "replay", "box-1", 4121,
                down        ? "held"
                : s->paused ? "paused"
                            : "running",
                l->now_ms, l->replayed_per_s, "transactions.csv");
    set_process(&s->process[1], "score", "box-1", 4122, idle, l->now_ms, r * 0.67,
                "partitions 0 1");
    set_process(&s->process[2], "score", "box-2", 988, idle, l->now_ms, r * 0.33, "partition 2");
    set_process(&s->process[3], "sink", "box-1", 4123,
                s->script == FT_SCRIPT_PG_DOWN ? "waiting" : idle, l->now_ms, l->stored_per_s,
                "partitions 0 1 2");
    l->process = s->process;
    l->n_process = COUNT(s->process);
    l->n_replay = 1;
    l->n_score = 2;
    l->heard = true;
    l->n_sink = 1;
}

static void set_queue(struct ft_scene *s, struct ft_live *l)
{
    l->db_read = true;
    l->queue_oldest_ms = -1;
    for (size_t i = 0; i < s->n_row; i++) {
        int64_t age = l->wall_ms - s->row[i].arrived_ms;

        if (!ft_scene_queued(s, &s->row[i]))
            continue;
        l->queue_open++;
        l->queue_claimed += s->row[i].claimed_by[0] != 0;
        l->queue_over_limit += age > 30 * 60000;
        if (age > l->queue_oldest_ms)
            l->queue_oldest_ms = age;
    }
    l->decided_fraud = 72;
    l->decided_legitimate = 39;
    l->decided_escalated = 7;
    for (size_t i = 0; i < s->n_event; i++) {
        l->decided_fraud += strcmp(s->event[i].kind, "fraud") == 0;
        l->decided_legitimate += strcmp(s->event[i].kind, "legitimate") == 0;
        l->decided_escalated += strcmp(s->event[i].kind, "escalate") == 0;
    }
    l->decided_today = l->decided_fraud + l->decided_legitimate + l->decided_escalated;
}

static void set_lag(const struct ft_scene *s, struct ft_live *l, int64_t t)
{
    l->lag_score = 900 + (int64_t)(600 * ft_scene_unit(s, 30, (uint64_t)(t + 1000)));
    l->lag_sink = 250 + (int64_t)(100 * ft_scene_unit(s, 31, (uint64_t)(t + 1000)));
    l->lag_score_slope = -150;
    l->lag_sink_slope = 0;
    l->p50_ms = 38 + 9 * ft_scene_unit(s, 32, (uint64_t)(t + 1000));
    l->p99_ms = 160 + 45 * ft_scene_unit(s, 33, (uint64_t)(t + 1000));
    if (s->script == FT_SCRIPT_LAG) {
        l->lag_score = 111600 + t * 1240;
        l->lag_score_slope = 1240;
        l->p50_ms = 2300 + 25 * (double)t;
        l->p99_ms = 4100 + 25 * (double)t;
    }
    if (s->script == FT_SCRIPT_PG_DOWN) {
        l->lag_sink = (42 + t) * 46000;
        l->lag_sink_slope = 46000;
        l->p50_ms = l->p99_ms = (double)NAN;
    }
    if (s->script == FT_SCRIPT_KAFKA_DOWN) {
        l->lag_score = 1204, l->lag_sink = 310;
        l->lag_score_slope = l->lag_sink_slope = 0;
        l->p50_ms = l->p99_ms = (double)NAN;
    }
}

static void set_rates(struct ft_scene *s, struct ft_live *l, int64_t t)
{
    bool pg = s->script == FT_SCRIPT_PG_DOWN;
    int64_t flow = s->script == FT_SCRIPT_KAFKA_DOWN ? 0 : t;

    l->scored_per_s = rate_at(s, t - 1);
    l->replayed_per_s = l->scored_per_s > 0 ? l->scored_per_s + 15 : 0;
    l->stored_per_s = pg ? 0 : l->scored_per_s > 5 ? l->scored_per_s - 5 : 0;
    l->flagged_per_s = (double)(rows_by(s, t * 1000) - rows_by(s, (t - 10) * 1000)) / 10;
    if (s->script != FT_SCRIPT_EMPTY && s->script != FT_SCRIPT_ATTACK && l->scored_per_s > 0)
        l->flagged_per_s = 1;
    l->n_rate = FT_RATE_POINTS;
    for (int i = 0; i < FT_RATE_POINTS; i++)
        l->rate[i] = rate_at(s, t - FT_RATE_POINTS + i);
    l->scored = 12481902 + (uint64_t)(flow * 48210);
    if (s->script == FT_SCRIPT_EMPTY)
        l->scored = 12481 + (uint64_t)(t * 1050);
    l->replayed = l->scored + 1204;
    l->stored = l->scored - 310;
    l->flagged = s->newest;
    l->rejected = s->script == FT_SCRIPT_EMPTY ? 0 : 12;
    l->dead = 0;
}

static void set_labels(struct ft_live *l)
{
    l->has_labels = true;
    l->tp = (uint64_t)((double)l->flagged * 0.81);
    l->fp = l->flagged - l->tp;
    l->fn = (uint64_t)((double)l->tp * 0.35);
    l->tn = l->scored - l->flagged - l->fn;
    l->money_flagged = 411.8 * (double)l->flagged;
    l->money_missed = 271.0 * (double)l->fn;
    l->money_false_alarm = 190.0 * (double)l->fp;
}

static void scene_live(void *self, struct ft_live *l)
{
    struct ft_scene *s = self;
    int64_t ms = ft_scene_ms(s), t = ms / 1000;
    static const size_t window_n[] = {100, 1000};

    ft_scene_refresh(s);
    memset(l, 0, sizeof(*l));
    l->now_ms = BEFORE_S * 1000 + ms; /* its own clock: the same picture on each machine */
    l->wall_ms = s->start_wall_ms + ms;
    l->seq = ++s->live_seq;
    l->scene = true;
    snprintf(l->user, sizeof(l->user), "ana");
    snprintf(l->host, sizeof(l->host), "box-1");
    snprintf(l->model_name, sizeof(l->model_name), "seed-004 1");
    snprintf(l->model_digest, sizeof(l->model_digest), "5e1c9a07d2b4f311");
    l->threshold = s->threshold;
    set_parts(s, l);
    set_rates(s, l, t);
    set_lag(s, l, t);
    for (int w = 0; w < FT_WIN_5MIN; w++)
        fill_scores(s, &l->window[w], &l->above[w], window_n[w], (uint64_t)(t + 1000) * 40, 1);
    fill_run(s, &l->window[FT_WIN_RUN], l->scored - l->flagged, l->flagged);
    fill_run(s, &l->window[FT_WIN_5MIN], 300 * 48210, 71);
    l->above[FT_WIN_5MIN] = 71;
    fill_run(s, &l->window[FT_WIN_HOUR], (uint64_t)3600 * 48210, 43610);
    l->above[FT_WIN_HOUR] = 43610;
    fill_run(s, &l->window[FT_WIN_DAY], (uint64_t)86400 * 48210, 958000);
    l->above[FT_WIN_DAY] = 958000;
    if (s->script == FT_SCRIPT_DRIFT) {
        fill_scores(s, &l->window[FT_WIN_5MIN], &l->above[FT_WIN_5MIN], 3000, 77, 4800);
        fill_scores(s, &l->window[FT_WIN_HOUR], &l->above[FT_WIN_HOUR], 3000, 77, 4800);
    }
    l->above[FT_WIN_RUN] = l->flagged;
    if (s->script != FT_SCRIPT_EMPTY)
        set_labels(l);
    set_queue(s, l);
    set_replay(s, l);
    set_processes(s, l);
    l->flagged_read_ms = s->script == FT_SCRIPT_PG_DOWN ? l->pg.since_ms : l->now_ms;
    l->list = s->row;
    l->n_list = s->n_row;
    snprintf(l->message, sizeof(l->message), "%s", s->message);
    l->message_seq = s->message_seq;
}

static int scene_wake(void *self)
{
    (void)self;
    return -1;
}

/* ---- life ----------------------------------------------------------------------------------------- */

static enum ft_status script_find(const char *name, enum ft_script *out, struct ft_err *err)
{
    for (int i = 0; i < FT_N_SCRIPTS; i++)
        if (name && strcmp(name, ft_scene_names[i]) == 0) {
            *out = (enum ft_script)i;
            return FT_OK;
        }
    return ft_fail(
        err, FT_EUSAGE,
        "no scene is called \"%s\"; there are normal, attack, drift, kafka-down, pg-down, "
        "lag, empty",
        name ? name : "");
}

enum ft_status ft_scene_new(struct ft_scene **out, const char *name, uint64_t seed,
                            int64_t start_wall_ms, struct ft_err *err)
{
    enum ft_script script;
    struct ft_scene *s;

    *out = NULL;
    if (script_find(name, &script, err) != FT_OK)
        return FT_EUSAGE;
    s = calloc(1, sizeof(*s));
    if (s)
        s->row = calloc(FT_LIVE_FLAGGED, sizeof(*s->row));
    if (!s || !s->row) {
        free(s);
        return ft_fail(err, FT_ENOMEM, "scene: no memory");
    }
    s->script = script;
    s->seed = seed;
    s->start_wall_ms = start_wall_ms;
    s->begun_ms = now_ms();
    s->threshold = 0.5;
    s->rate_limit = 50000;
    s->feed = (struct ft_feed){s, scene_live, ft_scene_ask, ft_scene_answer, scene_wake};
    *out = s;
    return FT_OK;
}

enum ft_status ft_scene_switch(struct ft_scene *s, const char *name, struct ft_err *err)
{
    enum ft_status st = script_find(name, &s->script, err);

    if (st == FT_OK) {
        s->n_row = 0;
        s->newest = 0;
        s->start_wall_ms += ft_scene_ms(s);
        s->begun_ms = now_ms();
        s->fixed_ms = 0;
    }
    return st;
}

void ft_scene_free(struct ft_scene *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_answer; i++)
        free(s->answer[i].json);
    free(s->row);
    free(s);
}

struct ft_feed *ft_scene_feed(struct ft_scene *s)
{
    return &s->feed;
}

void ft_scene_at(struct ft_scene *s, int64_t ms)
{
    s->fixed = true;
    s->fixed_ms = ms;
}
