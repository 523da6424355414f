#include "fraudtop/txn.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fraudtop/siphash.h"

const char *const ft_col_name[FT_N_COLS] = {
    "transaction_time", "merch",        "cat_id", "amount",          "name_1",
    "name_2",           "gender",       "street", "one_city",        "us_state",
    "post_code",        "lat",          "lon",    "population_city", "jobs",
    "merchant_lat",     "merchant_lon",
};

int ft_col_find(struct ft_span name)
{
    static const uint8_t length[FT_N_COLS] = {16, 5, 6, 6, 6,  6, 6,  6, 8,
                                              8,  9, 3, 3, 15, 4, 12, 12};

    for (int c = 0; c < FT_N_COLS; c++)
        if (length[c] == name.n && memcmp(name.p, ft_col_name[c], name.n) == 0)
            return c;
    return -1;
}

bool ft_col_is_number(enum ft_col c)
{
    return c == FT_COL_AMOUNT || c == FT_COL_POST_CODE || c == FT_COL_LAT || c == FT_COL_LON ||
           c == FT_COL_POPULATION || c == FT_COL_MERCHANT_LAT || c == FT_COL_MERCHANT_LON;
}

/* ---- time ----------------------------------------------------------------------------------------- */

static bool two_digits(const char *p, int8_t *out)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *out = (int8_t)((p[0] - '0') * 10 + p[1] - '0');
    return true;
}

static int days_in_month(int year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the Gregorian calendar (years from March, so that the leap day comes last). */
static int64_t days_from_civil(int year, int month, int day)
{
    int y = year - (month <= 2), m = (month + 9) % 12;
    int era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int of_year = (153 * m + 2) / 5 + day - 1;

    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool ft_parse_time(struct ft_span text, struct ft_time *out)
{
    const char *p = text.p;
    size_t n = text.n;
    int8_t century, year;
    int64_t days;

    if (n && p[n - 1] == 'Z')
        n--;
    if (n != 16 && n != 19)
        return false;
    if (p[4] != '-' || p[7] != '-' || (p[10] != ' ' && p[10] != 'T') || p[13] != ':')
        return false;
    out->second = 0;
    if (!two_digits(p, &century) || !two_digits(p + 2, &year) || !two_digits(p + 5, &out->month) ||
        !two_digits(p + 8, &out->day) || !two_digits(p + 11, &out->hour) ||
        !two_digits(p + 14, &out->minute))
        return false;
    if (n == 19 && (p[16] != ':' || !two_digits(p + 17, &out->second)))
        return false;
    out->year = (int16_t)(century * 100 + year);
    if (out->year < 1 || out->month < 1 || out->month > 12 || out->day < 1 ||
        out->day > days_in_month(out->year, out->month) || out->hour > 23 || out->minute > 59 ||
        out->second > 59)
        return false;
    days = days_from_civil(out->year, out->month, out->day);
    out->weekday = (int8_t)(((days + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    out->unix_s = days * 86400 + out->hour * 3600 + out->minute * 60 + out->second;
    return true;
}

/* ---- checks --------------------------------------------------------------------------------------- */

bool ft_parse_amount(struct ft_span text, double *out)
{
    return ft_parse_double(text, out) && isfinite(*out) && !(*out < 0);
}

/* Bytes of the UTF-8 sequence at p (1 to 4), or 0 when it is none (RFC 3629). */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    size_t length = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

    if (length < 2)
        return length;
    if (length > n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

long ft_utf8_check(struct ft_span text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    size_t i = 0;

    while (i < text.n) {
        size_t step;
        uint64_t word;

        /* Eight bytes at once while none of them is zero or beyond ASCII. */
        while (i + 8 <= text.n && (memcpy(&word, p + i, 8), (((word - ones) | word) & tops) == 0))
            i += 8;
        if (i == text.n)
            break;
        step = p[i] ? utf8_sequence(p + i, text.n - i) : 0;
        if (step == 0)
            return (long)i;
        i += step;
    }
    return -1;
}

static struct ft_span cell_span(const struct ft_cell *cell)
{
    return (struct ft_span){cell->p, cell->n};
}

/* What a cell holds, for a message: at most 40 bytes of it. */
static int shown(struct ft_span text)
{
    return text.n > 40 ? 40 : (int)text.n;
}

static enum ft_status check_amount(struct ft_span text, struct ft_err *reason)
{
    double amount;

    if (!ft_parse_double(text, &amount))
        return ft_fail(reason, FT_EINPUT, "amount: \"%.*s\" is not a number", shown(text), text.p);
    if (!isfinite(amount))
        return ft_fail(reason, FT_EINPUT, "amount: \"%.*s\" is not finite", shown(text), text.p);
    if (amount < 0)
        return ft_fail(reason, FT_EINPUT, "amount: %.*s is negative", shown(text), text.p);
    return FT_OK;
}

static enum ft_status check_cell(enum ft_col col, const struct ft_cell *cell, struct ft_err *reason)
{
    struct ft_span text = cell_span(cell);
    struct ft_time time;
    double v;

    if (cell->kind == FT_CELL_TRUE || cell->kind == FT_CELL_FALSE || cell->kind == FT_CELL_NESTED)
        return ft_fail(reason, FT_EINPUT, "%s: neither a number nor a text", ft_col_name[col]);
    if (col == FT_COL_AMOUNT)
        return check_amount(text, reason);
    if (col == FT_COL_TIME) {
        if (cell->kind == FT_CELL_TEXT && ft_parse_time(text, &time))
            return FT_OK;
        return ft_fail(reason, FT_EINPUT,
                       "transaction_time: \"%.*s\" is not a time (YYYY-MM-DD HH:MM[:SS])",
                       shown(text), text.p);
    }
    if (cell->kind != FT_CELL_NUMBER && !ft_parse_double(text, &v))
        return ft_fail(reason, FT_EINPUT, "%s: \"%.*s\" is not a number", ft_col_name[col],
                       shown(text), text.p);
    return FT_OK;
}

enum ft_status ft_txn_check(const struct ft_txn *t, struct ft_err *reason)
{
    static const uint8_t checked[] = {FT_COL_TIME,        FT_COL_AMOUNT,     FT_COL_LAT,
                                      FT_COL_LON,         FT_COL_POPULATION, FT_COL_MERCHANT_LAT,
                                      FT_COL_MERCHANT_LON};

    for (size_t i = 0; i < sizeof(checked); i++) {
        const struct ft_cell *cell = &t->col[checked[i]];
        enum ft_status st;

        if (cell->kind == FT_CELL_ABSENT || cell->kind == FT_CELL_MISSING)
            continue;
        st = check_cell((enum ft_col)checked[i], cell, reason);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

bool ft_txn_key(const struct ft_txn *t, const uint8_t secret[16], uint8_t out[FT_KEY_BYTES])
{
    static const uint8_t parts[] = {FT_COL_NAME_1, FT_COL_NAME_2, FT_COL_STREET};
    struct ft_siphash h;

    ft_siphash_init(&h, secret);
    for (size_t i = 0; i < sizeof(parts); i++) {
        const struct ft_cell *cell = &t->col[parts[i]];
        uint32_t n = cell->kind == FT_CELL_MISSING ? 0 : cell->n;
        uint8_t length[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};

        if (cell->kind == FT_CELL_ABSENT)
            return false;
        ft_siphash_add(&h, length, sizeof(length));
        ft_siphash_add(&h, cell->p, n);
    }
    ft_siphash_end(&h, out);
    return true;
}
