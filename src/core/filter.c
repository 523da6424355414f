#include "fraudtop/filter.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ft_filter_field_name[FT_N_FIELDS] = {
    [FT_FIELD_ANY] = "",
    [FT_FIELD_SCORE] = "score",
    [FT_FIELD_AMOUNT] = "amount",
    [FT_FIELD_WAITING] = "waiting",
    [FT_FIELD_DISTANCE] = "distance",
    [FT_FIELD_CATEGORY] = "category",
    [FT_FIELD_MERCHANT] = "merchant",
    [FT_FIELD_CUSTOMER] = "customer",
    [FT_FIELD_STREET] = "street",
    [FT_FIELD_CITY] = "city",
    [FT_FIELD_STATE] = "state",
    [FT_FIELD_ID] = "id",
    [FT_FIELD_STATUS] = "status",
    [FT_FIELD_CLAIMED] = "claimed",
    [FT_FIELD_LABEL] = "label",
    [FT_FIELD_SAMPLED] = "sampled",
    [FT_FIELD_EVENT] = "event",
};

static const char *const op_text[] = {"=", "~", "<", "<=", ">", ">="};

static bool ordered(enum ft_filter_field f)
{
    return f == FT_FIELD_SCORE || f == FT_FIELD_AMOUNT || f == FT_FIELD_WAITING ||
           f == FT_FIELD_DISTANCE;
}

static bool plain_number(struct ft_span t, double *out)
{
    double v = 0, place = 1;
    size_t i = 0, digits = 0;
    bool point = false;

    for (; i < t.n; i++) {
        if (t.p[i] == '.' && !point) {
            point = true;
        } else if (t.p[i] >= '0' && t.p[i] <= '9' && digits < 18) {
            v = v * 10 + (t.p[i] - '0');
            place *= point ? 10 : 1;
            digits++;
        } else {
            return false;
        }
    }
    *out = v / place; /* both exact up to 2^53: correctly rounded for what people type */
    return digits > 0;
}

bool ft_parse_age(struct ft_span t, int64_t *ms)
{
    static const struct {
        char letter;
        double ms;
    } units[] = {
        {'s', 1e3   },
        {'m', 6e4   },
        {'h', 3.6e6 },
        {'d', 8.64e7}
    };
    double v, unit = 1000;
    int h, m, s, used = 0;
    char text[16];

    if (t.n == 0 || t.n >= sizeof(text))
        return false;
    memcpy(text, t.p, t.n);
    text[t.n] = '\0';
    if (sscanf(text, "%4d:%2d:%2d%n", &h, &m, &s, &used) == 3 && text[used] == '\0' && h >= 0 &&
        m >= 0 && s >= 0) {
        *ms = ((int64_t)h * 3600 + m * 60 + s) * 1000;
        return true;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (t.p[t.n - 1] == units[i].letter) {
            unit = units[i].ms;
            t.n--;
            break;
        }
    if (!plain_number(t, &v) || v * unit > 9e15)
        return false;
    *ms = (int64_t)(v * unit);
    return true;
}

/* ---- parsing -------------------------------------------------------------------------------------- */

struct parser {
    const char *text, *p;
    bool masked;
    struct ft_err *err;
};

static enum ft_status read_value(struct parser *ps, struct ft_filter_term *t, bool bare)
{
    bool quoted = *ps->p == '"';
    char *out = t->value[t->n].text;
    size_t used = 0, size = sizeof(t->value[0].text);

    if (quoted)
        ps->p++;
    while (*ps->p && (quoted ? *ps->p != '"' : *ps->p != ' ' && *ps->p != '|')) {
        if (used + 1 >= size)
            return ft_fail(ps->err, FT_EUSAGE, "a value has at most %zu characters", size - 1);
        out[used++] = *ps->p++;
    }
    out[used] = '\0';
    if (quoted && *ps->p++ != '"') {
        ps->p = ps->text + strlen(ps->text);
        return ft_fail(ps->err, FT_EUSAGE, "the closing \" is missing");
    }
    if (used == 0)
        return ft_fail(ps->err, FT_EUSAGE,
                       bare ? "a word is missing here" : "a value is missing here");
    t->n++;
    return FT_OK;
}

static enum ft_status check_value(struct parser *ps, struct ft_filter_term *t, size_t i)
{
    struct ft_span text = ft_span_of(t->value[i].text);
    int64_t ms;

    if (t->field == FT_FIELD_WAITING) {
        if (!ft_parse_age(text, &ms))
            return ft_fail(ps->err, FT_EUSAGE, "\"%s\" is not an age; write 90s, 30m, 4h or 2d",
                           text.p);
        t->value[i].number = (double)ms;
    } else if (ordered(t->field) && !plain_number(text, &t->value[i].number)) {
        return ft_fail(ps->err, FT_EUSAGE, "\"%s\" is not a number; %s wants one, as in %s>0.5",
                       text.p, ft_filter_field_name[t->field], ft_filter_field_name[t->field]);
    }
    return FT_OK;
}

static enum ft_status read_values(struct parser *ps, struct ft_filter_term *t)
{
    for (;;) {
        const char *from = ps->p;
        enum ft_status st;

        if (t->n == FT_FILTER_VALUES)
            return ft_fail(ps->err, FT_EUSAGE, "at most %d alternatives", FT_FILTER_VALUES);
        st = read_value(ps, t, t->field == FT_FIELD_ANY);
        if (st != FT_OK)
            return st;
        st = check_value(ps, t, t->n - 1);
        if (st != FT_OK) {
            ps->p = from;
            return st;
        }
        if (*ps->p != '|')
            return FT_OK;
        ps->p++;
    }
}

/* "score>=" and so on; leaves p behind the sign.  A word without a sign is a bare one. */
static enum ft_status read_field(struct parser *ps, struct ft_filter_term *t)
{
    size_t n = strspn(ps->p, "abcdefghijklmnopqrstuvwxyz_"), sign = strspn(ps->p + n, "=~<>");
    enum ft_filter_field f = FT_FIELD_ANY + 1;

    t->field = FT_FIELD_ANY;
    t->op = FT_OP_HAS;
    if (n == 0 || sign == 0)
        return FT_OK;
    while (f < FT_N_FIELDS && !ft_span_is((struct ft_span){ps->p, n}, ft_filter_field_name[f]))
        f++;
    if (f == FT_N_FIELDS)
        return ft_fail(
            ps->err, FT_EUSAGE,
            "no field is called \"%.*s\"; there are score amount waiting distance category "
            "merchant customer city state id status claimed label sampled event",
            (int)n, ps->p);
    if (ps->masked && (f == FT_FIELD_CUSTOMER || f == FT_FIELD_STREET))
        return ft_fail(ps->err, FT_EUSAGE, "%s is masked; m shows it", ft_filter_field_name[f]);
    t->field = f;
    ps->p += n;
    for (t->op = FT_OP_EQ; t->op <= FT_OP_GE; t->op++)
        if (ft_span_is((struct ft_span){ps->p, sign}, op_text[t->op]))
            break;
    if (t->op > FT_OP_GE)
        return ft_fail(ps->err, FT_EUSAGE,
                       "\"%.*s\" is no comparison; there are = ~ < <= > >=", (int)sign, ps->p);
    if (t->op >= FT_OP_LT && !ordered(f) && f != FT_FIELD_EVENT)
        return ft_fail(ps->err, FT_EUSAGE, "%s has no order; use = or ~", ft_filter_field_name[f]);
    if (t->op == FT_OP_HAS && ordered(f))
        return ft_fail(ps->err, FT_EUSAGE,
                       "%s is a number; use = < <= > >=", ft_filter_field_name[f]);
    ps->p += sign;
    return FT_OK;
}

enum ft_status ft_filter_parse(struct ft_filter *f, const char *text, bool masked, size_t *at,
                               struct ft_err *err)
{
    struct parser ps = {text, text, masked, err};
    enum ft_status st = FT_OK;

    memset(f, 0, sizeof(*f));
    for (;;) {
        struct ft_filter_term *t = &f->term[f->n];

        ps.p += strspn(ps.p, " \t");
        if (!*ps.p)
            break;
        if (f->n == FT_FILTER_TERMS) {
            st = ft_fail(err, FT_EUSAGE, "at most %d terms", FT_FILTER_TERMS);
            break;
        }
        if (*ps.p == '!') {
            t->negate = true;
            ps.p++;
        }
        st = read_field(&ps, t);
        if (st == FT_OK)
            st = read_values(&ps, t);
        if (st != FT_OK)
            break;
        f->n++;
    }
    if (st != FT_OK) {
        *at = (size_t)(ps.p - text);
        f->n = 0;
    }
    return st;
}

/* ---- matching ------------------------------------------------------------------------------------- */

static bool has(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; strlen(text) >= n; text++) {
        size_t i = 0;

        while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

static bool compare(enum ft_filter_op op, double a, double b)
{
    switch (op) {
    case FT_OP_LT:
        return a < b;
    case FT_OP_LE:
        return a <= b;
    case FT_OP_GT:
        return a > b;
    case FT_OP_GE:
        return a >= b;
    default:
        return a <= b && a >= b;
    }
}

static const char *status_name(char s)
{
    return s == 'f'   ? "fraud"
           : s == 'l' ? "legitimate"
           : s == 'e' ? "escalated"
           : s == 's' ? "snoozed"
                      : "open";
}

static double number_of(const struct ft_flagged *r, enum ft_filter_field f, int64_t wall_ms)
{
    double v;

    switch (f) {
    case FT_FIELD_SCORE:
        return r->score;
    case FT_FIELD_AMOUNT:
        return plain_number(ft_span_of(r->amount), &v) ? v : (double)NAN;
    case FT_FIELD_WAITING:
        return (double)(wall_ms > r->arrived_ms ? wall_ms - r->arrived_ms : 0);
    default:
        return r->distance_km;
    }
}

static void text_of(const struct ft_flagged *r, enum ft_filter_field f, char *out, size_t size)
{
    char id[FT_UUID_TEXT + 1] = "";
    static const char hex[] = "0123456789abcdef";

    switch (f) {
    case FT_FIELD_ID:
        for (int i = 0, at = 0; i < 16; i++) {
            id[at++] = hex[r->id.b[i] >> 4];
            id[at++] = hex[r->id.b[i] & 15];
            if (i == 3 || i == 5 || i == 7 || i == 9)
                id[at++] = '-';
            id[at] = '\0';
        }
        snprintf(out, size, "%s", id);
        break;
    case FT_FIELD_CATEGORY:
        snprintf(out, size, "%s", r->category);
        break;
    case FT_FIELD_MERCHANT:
        snprintf(out, size, "%s", r->merchant);
        break;
    case FT_FIELD_CUSTOMER:
        snprintf(out, size, "%s %s", r->name_1, r->name_2);
        break;
    case FT_FIELD_STREET:
        snprintf(out, size, "%s", r->street);
        break;
    case FT_FIELD_CITY:
        snprintf(out, size, "%s", r->city);
        break;
    case FT_FIELD_STATE:
        snprintf(out, size, "%s", r->state);
        break;
    case FT_FIELD_STATUS:
        snprintf(out, size, "%s", status_name(r->status));
        break;
    case FT_FIELD_CLAIMED:
        snprintf(out, size, "%s", r->claimed_by[0] ? r->claimed_by : "no");
        break;
    case FT_FIELD_LABEL:
        snprintf(out, size, "%s", r->label == 0 ? "0" : r->label == 1 ? "1" : "none");
        break;
    case FT_FIELD_SAMPLED:
        snprintf(out, size, "%s", r->sampled ? "yes" : "no");
        break;
    case FT_FIELD_EVENT:
        snprintf(out, size, "%s", r->event);
        break;
    default:
        *out = '\0';
    }
}

static bool match_any(const struct ft_flagged *r, const char *word, bool masked)
{
    static const enum ft_filter_field where[] = {FT_FIELD_MERCHANT, FT_FIELD_CITY, FT_FIELD_ID,
                                                 FT_FIELD_CUSTOMER};
    char text[160];

    for (size_t i = 0; i < sizeof(where) / sizeof(*where) - (masked ? 1 : 0); i++) {
        text_of(r, where[i], text, sizeof(text));
        if (has(text, word))
            return true;
    }
    return false;
}

static bool match_value(const struct ft_filter_term *t, size_t i, const struct ft_flagged *r,
                        int64_t wall_ms, bool masked)
{
    const char *want = t->value[i].text;
    char text[160];

    if (t->field == FT_FIELD_ANY)
        return match_any(r, want, masked);
    if (ordered(t->field))
        return compare(t->op, number_of(r, t->field, wall_ms), t->value[i].number);
    text_of(r, t->field, text, sizeof(text));
    if (t->op == FT_OP_HAS)
        return has(text, want);
    if (t->op != FT_OP_EQ) {
        int order = strncmp(text, want, strlen(want));

        return compare(t->op, order, 0);
    }
    if (t->field == FT_FIELD_CLAIMED && strcmp(want, "yes") == 0)
        return r->claimed_by[0] != '\0';
    return strcmp(text, want) == 0;
}

bool ft_filter_match(const struct ft_filter *f, const struct ft_flagged *row, int64_t wall_ms,
                     bool masked)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct ft_filter_term *t = &f->term[i];
        bool hit = false;

        for (size_t v = 0; v < t->n && !hit; v++)
            hit = match_value(t, v, row, wall_ms, masked);
        if (hit == t->negate)
            return false;
    }
    return true;
}
