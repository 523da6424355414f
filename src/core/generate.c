#include "fraudtop/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/txn.h"
#include "generate_data.h"

#define MAX_CATEGORIES 32
#define MAX_PENDING                                                                                \
    65536 /* frauds that are planned and not yet made; more make the oldest ones due at once */
#define N_ACTIVE 65536 /* marks of customers with an episode, by the low bits of their number */
#define ROW_ROOM 1024  /* no row is longer */
#define MORNING 0.39   /* share of payments before noon */

struct fraud {
    int64_t due; /* minute of the whole span */
    uint64_t serial, customer;
};

struct ft_maker {
    struct ft_made_opts opts;
    int64_t start_day; /* since 1970 */
    uint64_t random[2];
    uint64_t row, honest_left, frauds_left, planned, n_frauds;
    uint64_t weight[3][MAX_CATEGORIES]; /* cumulated: before noon, after it, of frauds */
    struct fraud *heap;                 /* the next one first */
    size_t n_heap;
    uint64_t serial;
    uint32_t active[N_ACTIVE];
    int64_t shown; /* the minute of time_text */
    char time_text[17];
};

/* ---- chance --------------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood): good bits from any number. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* xoroshiro128+ (Blackman, Vigna). */
static uint64_t chance(struct ft_maker *m)
{
    uint64_t a = m->random[0], b = m->random[1], sum = a + b;

    b ^= a;
    m->random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    m->random[1] = b << 37 | b >> 27;
    return sum;
}

/* 0 .. below 1. */
static double share(struct ft_maker *m)
{
    return (double)(chance(m) >> 11) * 0x1p-53;
}

/* 0 .. n - 1 from the upper bits of r; n below 2^32. */
static uint64_t below(uint64_t r, uint64_t n)
{
    return (r >> 32) * n >> 32;
}

/* ---- customers ------------------------------------------------------------------------------------ */

struct customer {
    const char *first, *last, *street, *job;
    const struct ft_made_city *city;
    char gender;
    unsigned house, flat;
    double spending;
    uint64_t habits; /* from which favourites come */
};

/* A customer is known by the number alone, so that any number of them takes no memory. */
static void find_customer(const struct ft_maker *m, uint64_t number, struct customer *c)
{
    uint64_t r = mix(m->opts.seed ^ mix(number)), s = mix(r), t = mix(s);

    c->gender = r & 1 ? 'F' : 'M';
    c->first = c->gender == 'F' ? ft_made_first_f[below(r, ft_made_first_f_n)]
                                : ft_made_first_m[below(r, ft_made_first_m_n)];
    c->last = ft_made_last[below(r << 32, ft_made_last_n)];
    c->street = ft_made_street[below(s, ft_made_street_n)];
    c->job = ft_made_job[below(s << 32, ft_made_job_n)];
    c->city = &ft_made_city[below(t, ft_made_city_n)];
    /* House and flat together are the number, so no two customers have both in common. */
    c->house = (unsigned)(number * 7919 % 90000) + 100;
    c->flat = (unsigned)(number / 90000);
    c->spending = 0.6 + (double)(t & 1023) / 1023;
    c->habits = mix(t);
}

static uint64_t honest_customer(struct ft_maker *m)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++) {
        double u = share(m);

        number =
            (uint64_t)(u * u * (double)m->opts.customers); /* some pay more often than others */
        if (!m->active[number % N_ACTIVE])
            break;
    }
    return number;
}

/* ---- what is bought ------------------------------------------------------------------------------- */

static size_t choose(const uint64_t *weight, uint64_t r)
{
    uint64_t at = below(r, weight[ft_made_category_n - 1]);
    size_t i = 0;

    while (weight[i] <= at)
        i++;
    return i;
}

static size_t honest_category(struct ft_maker *m, const struct customer *c, bool morning)
{
    const uint64_t *weight = m->weight[morning ? 0 : 1];
    uint64_t r = chance(m);

    if (r & 1) /* one of three favourites of this half of the day */
        r = mix(c->habits + (r >> 1) % 3);
    return choose(weight, r);
}

static const char *find_merchant(struct ft_maker *m, const struct customer *c, size_t category)
{
    const struct ft_made_category *k = &ft_made_category[category];
    uint64_t r = chance(m);

    if (r % 5 < 3)
        r = mix(c->habits ^ (category + 1) * 0x10001u ^ (r >> 8) % 3);
    return ft_made_merchant[(size_t)k->first + below(r, (uint64_t)k->n)];
}

static double between(double low, double high, double u)
{
    return low + (high - low) * u;
}

/* In cents, at least 1.00. */
static uint64_t honest_amount(struct ft_maker *m, const struct ft_made_category *k, double spending)
{
    const double *q = k->amount;
    double u = share(m), v;

    if (u < 0.1)
        v = between(q[0] < 2 ? q[0] : 1, q[0], u / 0.1);
    else if (u < 0.5)
        v = between(q[0], q[1], (u - 0.1) / 0.4);
    else if (u < 0.9)
        v = between(q[1], q[2], (u - 0.5) / 0.4);
    else if (u < 0.99)
        v = between(q[2], q[3], (u - 0.9) / 0.09);
    else
        v = between(q[3], 3 * q[3], (u - 0.99) / 0.01 * share(m));
    v *= spending;
    return v < 1 ? 100 : (uint64_t)(v * 100);
}

static uint64_t fraud_amount(struct ft_maker *m, const struct ft_made_category *k)
{
    const double *q = k->fraud_amount;
    double u = share(m);

    return (uint64_t)(100 *
                      (u < 0.5 ? between(q[0], q[1], 2 * u) : between(q[1], q[2], 2 * u - 1)));
}

/* ---- frauds to come ------------------------------------------------------------------------------- */

static bool is_before(const struct fraud *a, const struct fraud *b)
{
    return a->due != b->due ? a->due < b->due : a->serial < b->serial;
}

static void push(struct ft_maker *m, struct fraud f)
{
    size_t i = m->n_heap++;

    while (i && is_before(&f, &m->heap[(i - 1) / 2])) {
        m->heap[i] = m->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    m->heap[i] = f;
}

static struct fraud pop(struct ft_maker *m)
{
    struct fraud top = m->heap[0], last = m->heap[--m->n_heap];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < m->n_heap) {
        if (child + 1 < m->n_heap && is_before(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (!is_before(&m->heap[child], &last))
            break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = last;
    return top;
}

/* Two to sixteen frauds on one or two days, most of them between 22 and 4 o'clock. */
static void plan_episode(struct ft_maker *m, int64_t now)
{
    uint64_t n = 2 + below(chance(m), 15), left = m->n_frauds - m->planned;
    uint64_t customer = (uint64_t)(share(m) * (double)m->opts.customers);
    int64_t day = now / 1440, end = (int64_t)(m->opts.days * 1440);
    bool two_days = chance(m) & 1;

    if (n > left)
        n = left;
    for (uint64_t i = 0; i < n; i++) {
        double u = share(m), v = share(m);
        int64_t minute = (int64_t)(u < 0.6    ? between(1320, 1440, v)
                                   : u < 0.85 ? between(0, 240, v)
                                              : between(0, 1440, v));
        int64_t due = (day + (two_days && (i & 1))) * 1440 + minute;

        if (due < now)
            due = now + (int64_t)(v * 180);
        if (due >= end)
            due = now + (int64_t)(v * (double)(end - now));
        push(m, (struct fraud){due, m->serial++, customer});
        m->active[customer % N_ACTIVE]++;
    }
    m->planned += n;
}

/* True when this row is a fraud, and whose. */
static bool next_is_fraud(struct ft_maker *m, int64_t now, uint64_t *customer)
{
    double due_by_now = (double)m->n_frauds / (double)m->opts.rows * (double)(m->row + 1);

    while (m->planned < m->n_frauds && m->n_heap + 16 < MAX_PENDING &&
           ((double)m->planned < due_by_now || (m->n_heap == 0 && m->honest_left == 0)))
        plan_episode(m, now);
    if (m->n_heap == 0)
        return false;
    if (m->honest_left && m->heap[0].due > now && m->n_heap + 16 < MAX_PENDING)
        return false;
    *customer = pop(m).customer;
    m->active[*customer % N_ACTIVE]--;
    return true;
}

/* ---- rows as text --------------------------------------------------------------------------------- */

static char *put(char *to, const char *text)
{
    size_t n = strlen(text);

    memcpy(to, text, n);
    return to + n;
}

static char *put_number(char *to, uint64_t v, int digits)
{
    char text[24], *p = text + sizeof(text);

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v || p > text + sizeof(text) - digits);
    memcpy(to, p, (size_t)(text + sizeof(text) - p));
    return to + (text + sizeof(text) - p);
}

/* v / scale with as many decimals as needed, at least one; scale a power of ten of that many digits. */
static char *put_decimal(char *to, int64_t v, uint64_t scale, int digits)
{
    uint64_t a = v < 0 ? (uint64_t)-v : (uint64_t)v;

    if (v < 0)
        *to++ = '-';
    to = put_number(to, a / scale, 1);
    *to++ = '.';
    to = put_number(to, a % scale, digits);
    while (to[-1] == '0' && to[-2] != '.')
        to--;
    return to;
}

/* The date of a day since 1970 (as days_from_civil the other way round). */
static void civil(int64_t day, int *year, unsigned *month, unsigned *of_month)
{
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * y + y / 4 - y / 100), mp = (5 * of_year + 2) / 153;

    *of_month = of_year - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(y + era * 400) + (*month <= 2);
}

static char *put_time(struct ft_maker *m, char *to, int64_t minute)
{
    if (minute != m->shown) {
        int year;
        unsigned month, day;
        char *p = m->time_text;

        civil(m->start_day + minute / 1440, &year, &month, &day);
        p = put_number(p, (uint64_t)year, 4);
        *p++ = '-';
        p = put_number(p, month, 2);
        *p++ = '-';
        p = put_number(p, day, 2);
        *p++ = ' ';
        p = put_number(p, (uint64_t)(minute % 1440 / 60), 2);
        *p++ = ':';
        put_number(p, (uint64_t)(minute % 60), 2);
        m->shown = minute;
    }
    memcpy(to, m->time_text, 16);
    return to + 16;
}

static char *put_customer(char *to, const struct customer *c)
{
    to = put(to, c->first);
    *to++ = ',';
    to = put(to, c->last);
    *to++ = ',';
    *to++ = c->gender;
    *to++ = ',';
    to = put_number(to, c->house, 1);
    *to++ = ' ';
    to = put(to, c->street);
    if (c->flat) {
        to = put(to, " Apt. ");
        to = put_number(to, c->flat, 1);
    }
    *to++ = ',';
    to = put(to, c->city->text);
    *to++ = ',';
    return put(to, c->job);
}

/* Minute of the span: rows are spread evenly over days, within a day as payments are. */
static int64_t minute_of(struct ft_maker *m)
{
    double x = ((double)m->row + share(m)) / (double)m->opts.rows * m->opts.days;
    double day = floor(x), u = x - day;
    double minute = u < MORNING ? u / MORNING * 720 : 720 + (u - MORNING) / (1 - MORNING) * 720;

    return (int64_t)day * 1440 + (int64_t)minute;
}

bool ft_maker_row(struct ft_maker *m, struct ft_buf *out)
{
    const struct ft_made_category *k;
    struct customer c;
    uint64_t number, r;
    int64_t now, amount;
    size_t category;
    bool fraud;
    char *to;

    if (m->row == m->opts.rows || !ft_buf_reserve(out, ROW_ROOM))
        return false;
    now = minute_of(m);
    fraud = next_is_fraud(m, now, &number);
    if (!fraud)
        number = honest_customer(m);
    find_customer(m, number, &c);
    category = fraud ? choose(m->weight[2], chance(m)) : honest_category(m, &c, now % 1440 < 720);
    k = &ft_made_category[category];
    amount = (int64_t)(fraud ? fraud_amount(m, k) : honest_amount(m, k, c.spending));
    to = put_time(m, out->p + out->n, now);
    *to++ = ',';
    to = put(to, find_merchant(m, &c, category));
    *to++ = ',';
    to = put(to, k->name);
    *to++ = ',';
    to = put_decimal(to, amount, 100, 2);
    *to++ = ',';
    to = put_customer(to, &c);
    *to++ = ',';
    r = chance(m); /* within a degree of the customer, fraud or not */
    to = put_decimal(to, c.city->lat - 1000000 + (int64_t)below(r, 2000001), 1000000, 6);
    *to++ = ',';
    to = put_decimal(to, c.city->lon - 1000000 + (int64_t)below(r << 32, 2000001), 1000000, 6);
    to = put(to, fraud ? ",1\n" : ",0\n");
    out->n = (size_t)(to - out->p);
    *to = '\0';
    m->row++;
    *(fraud ? &m->frauds_left : &m->honest_left) -= 1;
    return true;
}

void ft_maker_header(struct ft_buf *out)
{
    for (int c = 0; c < FT_N_COLS; c++) {
        ft_buf_text(out, ft_col_name[c]);
        ft_buf_char(out, ',');
    }
    ft_buf_text(out, "target\n");
}

/* ---- start ---------------------------------------------------------------------------------------- */

static void add_weights(struct ft_maker *m)
{
    uint64_t sum[3] = {0};

    for (size_t i = 0; i < ft_made_category_n; i++) {
        const struct ft_made_category *k = &ft_made_category[i];
        uint64_t n = (uint64_t)k->honest;

        sum[0] += k->half == FT_MADE_EVENING ? 0 : k->half == FT_MADE_MORNING ? 2 * n : n;
        sum[1] += k->half == FT_MADE_MORNING ? 0 : k->half == FT_MADE_EVENING ? 2 * n : n;
        sum[2] += (uint64_t)k->frauds;
        for (int w = 0; w < 3; w++)
            m->weight[w][i] = sum[w];
    }
}

enum ft_status ft_maker_new(struct ft_maker **out, const struct ft_made_opts *opts,
                            struct ft_err *err)
{
    char text[20] = "";
    struct ft_time time;
    struct ft_maker *m;

    *out = NULL;
    if (strlen(opts->start) == 10) {
        memcpy(text, opts->start, 10);
        memcpy(text + 10, " 00:00", 7);
    }
    if (!ft_parse_time(ft_span_of(text), &time))
        return ft_fail(err, FT_EUSAGE, "\"%s\" is not a date (YYYY-MM-DD)", opts->start);
    if ((double)time.unix_s / 86400 + opts->days > 2932896) /* 9999-12-31 */
        return ft_fail(err, FT_EUSAGE, "%g days from %s go beyond the year 9999", opts->days,
                       opts->start);
    m = calloc(1, sizeof(*m));
    if (!m || !(m->heap = malloc(MAX_PENDING * sizeof(*m->heap)))) {
        free(m);
        return ft_fail(err, FT_ENOMEM, "no memory to make transactions");
    }
    m->opts = *opts;
    m->opts.start = NULL;
    m->start_day = (time.unix_s - (time.unix_s % 86400 + 86400) % 86400) / 86400;
    m->random[0] = mix(opts->seed);
    m->random[1] = mix(m->random[0]);
    m->n_frauds = m->frauds_left = (uint64_t)(opts->fraud_rate * (double)opts->rows + 0.5);
    if (m->n_frauds > opts->rows)
        m->n_frauds = m->frauds_left = opts->rows;
    m->honest_left = opts->rows - m->n_frauds;
    m->shown = -1;
    add_weights(m);
    *out = m;
    return FT_OK;
}

void ft_maker_free(struct ft_maker *m)
{
    if (!m)
        return;
    free(m->heap);
    free(m);
}
