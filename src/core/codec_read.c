#include "fraudtop/codec.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "codec_member.h"
#include "json_scan.h"

struct ft_codec {
    char *
        scratch; /* unescaped strings, and JSON texts in which NaN became null (at most a third longer) */
    struct ft_field *extra;
    size_t cap_extra;
};

struct ft_codec *ft_codec_new(void)
{
    struct ft_codec *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->cap_extra = 16;
    c->scratch = malloc(2u * FT_MSG_MAX);
    c->extra = malloc(c->cap_extra * sizeof(*c->extra));
    if (!c->scratch || !c->extra) {
        ft_codec_free(c);
        return NULL;
    }
    return c;
}

void ft_codec_free(struct ft_codec *c)
{
    if (!c)
        return;
    free(c->scratch);
    free(c->extra);
    free(c);
}

static enum ft_status not_json(const struct ft_json *j, struct ft_err *err)
{
    return ft_fail(err, FT_EINPUT, "not JSON: %s (byte %zu)", j->why, (size_t)(j->p - j->start));
}

static enum ft_status too_large(struct ft_span msg, struct ft_err *err)
{
    return ft_fail(err, FT_EINPUT, "%zu bytes; at most %u are read", msg.n, FT_MSG_MAX);
}

static struct ft_span keep(struct ft_json *j, const char *p, size_t n)
{
    char *to = j->scratch + j->used;

    memcpy(to, p, n);
    j->used += n;
    return (struct ft_span){to, n};
}

/* JSON text with the bare tokens of Python made null, so that others can read it. */
static struct ft_span without_nonfinite(struct ft_json *j, struct ft_span text)
{
    static const struct ft_span token[] = {
        {"NaN",       3},
        {"-Infinity", 9},
        {"Infinity",  8}
    };
    struct ft_span out = {j->scratch + j->used, 0};
    bool quoted = false;

    for (size_t i = 0; i < text.n;) {
        size_t k = 0;

        if (text.p[i] == '"')
            quoted = !quoted;
        if (quoted && text.p[i] == '\\')
            out.n += keep(j, text.p + i++, 1).n;
        while (!quoted && k < 3 &&
               (text.n - i < token[k].n || memcmp(text.p + i, token[k].p, token[k].n) != 0))
            k++;
        if (!quoted && k < 3) {
            out.n += keep(j, "null", 4).n;
            i += token[k].n;
        } else {
            out.n += keep(j, text.p + i++, 1).n;
        }
    }
    return out;
}

/* ---- transactions --------------------------------------------------------------------------------- */

static struct ft_cell to_cell(struct ft_json *j, const struct ft_json_value *v)
{
    struct ft_cell cell = {.p = v->text.p, .n = (uint32_t)v->text.n, .kind = FT_CELL_MISSING};

    switch (v->kind) {
    case FT_JSON_STRING:
        cell.kind = v->text.n ? FT_CELL_TEXT : FT_CELL_MISSING;
        break;
    case FT_JSON_NUMBER:
        cell.kind = FT_CELL_NUMBER;
        break;
    case FT_JSON_TRUE:
        cell.kind = FT_CELL_TRUE;
        break;
    case FT_JSON_FALSE:
        cell.kind = FT_CELL_FALSE;
        break;
    case FT_JSON_ARRAY:
    case FT_JSON_OBJECT:
        if (j->nonfinite) {
            struct ft_span text = without_nonfinite(j, v->text);

            cell.p = text.p;
            cell.n = (uint32_t)text.n;
        }
        cell.kind = FT_CELL_NESTED;
        break;
    default:
        cell.n = 0;
    }
    return cell;
}

static enum ft_status add_extra(struct ft_codec *c, struct ft_txn *t, struct ft_span name,
                                struct ft_cell cell, struct ft_err *err)
{
    if (t->n_extra == c->cap_extra) {
        struct ft_field *more = realloc(c->extra, 2 * c->cap_extra * sizeof(*more));

        if (!more)
            return ft_fail(err, FT_ENOMEM, "no memory for %zu members", t->n_extra);
        c->extra = more;
        c->cap_extra *= 2;
    }
    c->extra[t->n_extra++] = (struct ft_field){name, cell};
    return FT_OK;
}

/* The column of the next member: as a rule the one that follows the last; -1: none of them, called name. */
static bool read_column(struct ft_json *j, int next, int *col, struct ft_span *name)
{
    const struct ft_span *expected = &ft_codec_member[next < FT_N_COLS ? next : 0];
    size_t n = expected->n - 1; /* without the comma */

    if (next < FT_N_COLS && (size_t)(j->end - j->p) >= n && memcmp(j->p, expected->p + 1, n) == 0) {
        j->p += n;
        *col = next;
        return true;
    }
    if (!ft_json_name(j, name))
        return false;
    *col = ft_col_find(*name);
    return true;
}

static enum ft_status read_data(struct ft_codec *c, struct ft_json *j, struct ft_txn *t,
                                struct ft_err *err)
{
    struct ft_span name;
    bool first = true;
    int next = 0, col; /* next: what comes when they are in the contract's order */

    ft_json_blanks(j);
    if (j->p < j->end && *j->p != '{')
        return ft_fail(err, FT_EINPUT, "data: not an object");
    if (!ft_json_open(j, '{'))
        return not_json(j, err);
    while (ft_json_goes_on(j, '}', &first) && read_column(j, next, &col, &name)) {
        struct ft_json_value v;
        struct ft_cell cell;

        j->nonfinite = false;
        if (!ft_json_value(j, &v))
            return not_json(j, err);
        cell = to_cell(j, &v);
        if (col < 0) {
            enum ft_status st = add_extra(c, t, name, cell, err);

            if (st != FT_OK)
                return st;
            continue;
        }
        if (t->col[col].kind != FT_CELL_ABSENT)
            return ft_fail(err, FT_EINPUT, "%s: comes twice", ft_col_name[col]);
        if (cell.kind == FT_CELL_NESTED)
            return ft_fail(err, FT_EINPUT, "%s: neither a number nor a text", ft_col_name[col]);
        t->col[col] = cell;
        next = col + 1;
    }
    t->extra = c->extra;
    return j->why ? not_json(j, err) : FT_OK;
}

/* 0 or 1 as a number or as text, false or true; -1 for anything else. */
static int zero_or_one(const struct ft_json_value *v)
{
    double d;

    if (v->kind == FT_JSON_TRUE || v->kind == FT_JSON_FALSE)
        return v->kind == FT_JSON_TRUE;
    if (v->kind != FT_JSON_NUMBER && v->kind != FT_JSON_STRING)
        return -1;
    if (v->text.n == 1) /* as everybody writes it */
        return *v->text.p == '0' ? 0 : *v->text.p == '1' ? 1 : -1;
    if (!ft_parse_double(v->text, &d) || (d != 0 && d != 1))
        return -1;
    return d == 1;
}

static bool is_nothing(const struct ft_json_value *v)
{
    return v->kind == FT_JSON_NULL || v->kind == FT_JSON_NONFINITE ||
           (v->kind == FT_JSON_STRING && v->text.n == 0);
}

enum { SEEN_ID = 1, SEEN_DATA = 2, SEEN_LABEL = 4 };

static enum ft_status read_member(struct ft_codec *c, struct ft_json *j, struct ft_span name,
                                  int *seen, struct ft_txn *t, struct ft_err *err)
{
    struct ft_json_value v;
    int which = ft_span_is(name, "data")             ? SEEN_DATA
                : ft_span_is(name, "transaction_id") ? SEEN_ID
                : ft_span_is(name, "label")          ? SEEN_LABEL
                                                     : 0;

    if (*seen & which)
        return ft_fail(err, FT_EINPUT, "%.*s: comes twice", (int)name.n, name.p);
    *seen |= which;
    if (which == SEEN_DATA)
        return read_data(c, j, t, err);
    if (!ft_json_value(j, &v))
        return not_json(j, err);
    if (which == SEEN_ID) {
        if (v.kind != FT_JSON_STRING || !ft_uuid_parse(&t->id, v.text))
            return ft_fail(err, FT_EINPUT, "transaction_id: %.*s is not a UUID",
                           v.text.n > 60 ? 60 : (int)v.text.n, v.text.p);
    } else if (which == SEEN_LABEL && !is_nothing(&v)) {
        t->label = (int8_t)zero_or_one(&v);
        if (t->label < 0)
            return ft_fail(err, FT_EINPUT, "label: %.*s is neither 0 nor 1",
                           v.text.n > 60 ? 60 : (int)v.text.n, v.text.p);
    }
    return FT_OK;
}

enum ft_status ft_codec_read_txn(struct ft_codec *c, struct ft_span msg, struct ft_txn *out,
                                 struct ft_err *err)
{
    struct ft_json j;
    struct ft_span name;
    bool first = true;
    int seen = 0;

    memset(out, 0, sizeof(*out));
    out->label = FT_LABEL_UNKNOWN;
    if (msg.n > FT_MSG_MAX)
        return too_large(msg, err);
    ft_json_start(&j, msg, c->scratch);
    if (!ft_json_open(&j, '{'))
        return ft_fail(err, FT_EINPUT, "not a JSON object");
    while (ft_json_member(&j, &first, &name)) {
        enum ft_status st = read_member(c, &j, name, &seen, out, err);

        if (st != FT_OK)
            return st;
    }
    if (j.why || !ft_json_ended(&j))
        return not_json(&j, err);
    if (!(seen & SEEN_ID))
        return ft_fail(err, FT_EINPUT, "no transaction_id");
    if (!(seen & SEEN_DATA))
        return ft_fail(err, FT_EINPUT, "no data");
    return FT_OK;
}

/* ---- verdicts ------------------------------------------------------------------------------------- */

/* The three members that make a verdict: id, score, flag.  NULL, or what is wrong. */
static const char *read_id(const struct ft_json_value *v, struct ft_verdict *out)
{
    return v->kind == FT_JSON_STRING && ft_uuid_parse(&out->id, v->text)
               ? NULL
               : "transaction_id: not a UUID";
}

static const char *read_score(const struct ft_json_value *v, struct ft_verdict *out)
{
    bool is_number = v->kind == FT_JSON_NUMBER || v->kind == FT_JSON_STRING;

    if (!is_number || !ft_parse_double(v->text, &out->score))
        return "score: not a number";
    return isfinite(out->score) ? NULL : "score: not finite";
}

static const char *read_flag(const struct ft_json_value *v, struct ft_verdict *out)
{
    out->flag = zero_or_one(v);
    return out->flag >= 0 ? NULL : "fraud_flag: neither 0 nor 1";
}

/* Members of ours.  One of another type is somebody else's and passed over, as unknown members are. */
enum member { MODEL, AMOUNT, LABEL, SAMPLED, THRESHOLD, JSON_TEXT };

static const struct {
    struct ft_span name;
    enum member is;
    enum ft_json_kind kind; /* of a JSON text */
    size_t at;              /* where it goes in struct ft_verdict */
} members[] = {
    {{"model", 5},                MODEL,         0,                    0                           },
    {{"amount", 6},               AMOUNT,        0,                    0                           },
    {{"label", 5},                LABEL,         0,                    0                           },
    {{"challenger", 10},          JSON_TEXT,     FT_JSON_OBJECT,       offsetof(struct ft_verdict,   challenger_json)},
    {{"threshold", 9},                           THRESHOLD,                         0,          0            },
    {{"reasons", 7},                           JSON_TEXT,                           FT_JSON_ARRAY,            offsetof(struct ft_verdict,reasons_json)},
    {{"data", 4},              JSON_TEXT,                           FT_JSON_OBJECT,                                     offsetof(struct ft_verdict,                                                       data_json)},
    {{"history", 7}, JSON_TEXT,    FT_JSON_ARRAY,offsetof(struct ft_verdict,history_json)},
    {{"usual", 5},              JSON_TEXT,FT_JSON_OBJECT,                  offsetof(struct ft_verdict,                                                                                                  usual_json)},
    {{"features", 8},     JSON_TEXT,       FT_JSON_OBJECT,offsetof(struct ft_verdict,features_json)},
    {{"sampled", 7},             SAMPLED,             0,             0                               },
};
#define N_MEMBERS (sizeof(members) / sizeof(*members))

static void read_optional(struct ft_json *j, struct ft_span name, const struct ft_json_value *v,
                          struct ft_verdict *out)
{
    bool is_number = v->kind == FT_JSON_NUMBER || v->kind == FT_JSON_STRING;
    size_t i = 0;
    double d;

    while (i < N_MEMBERS && !ft_span_eq(name, members[i].name))
        i++;
    if (i == N_MEMBERS)
        return;
    switch (members[i].is) {
    case MODEL:
        if (v->kind == FT_JSON_STRING)
            out->model = v->text;
        break;
    case AMOUNT:
        if (is_number && ft_parse_double(v->text, &d) && isfinite(d))
            out->amount = v->text;
        break;
    case LABEL:
        out->label = (int8_t)zero_or_one(v); /* -1 is FT_LABEL_UNKNOWN */
        break;
    case SAMPLED:
        out->sampled = v->kind == FT_JSON_TRUE;
        break;
    case THRESHOLD:
        if (v->kind == FT_JSON_NUMBER && ft_parse_double(v->text, &d) && isfinite(d)) {
            out->threshold = d;
            out->has_threshold = true;
        }
        break;
    case JSON_TEXT:
        if (v->kind == members[i].kind) {
            struct ft_span text = j->nonfinite ? without_nonfinite(j, v->text) : v->text;

            memcpy((char *)out + members[i].at, &text, sizeof(text));
        }
    }
}

typedef const char *read_part(const struct ft_json_value *v, struct ft_verdict *out);

static const struct {
    struct ft_span name;
    const char *twice, *absent;
    read_part *read;
} parts[] = {
    {{"transaction_id", 14}, "transaction_id: comes twice", "no transaction_id", read_id   },
    {{"score", 5},           "score: comes twice",          "no score",          read_score},
    {{"fraud_flag", 10},     "fraud_flag: comes twice",     "no fraud_flag",     read_flag },
};
#define N_PARTS (sizeof(parts) / sizeof(*parts))

/* An object.  NULL, or what is wrong with it. */
static const char *read_object(struct ft_json *j, struct ft_verdict *out)
{
    struct ft_span name;
    bool first = true;
    unsigned seen = 0;
    const char *why = NULL;

    ft_json_open(j, '{');
    while (ft_json_member(j, &first, &name)) {
        struct ft_json_value v;
        size_t i = 0;

        j->nonfinite = false;
        if (!ft_json_value(j, &v))
            return "not JSON";
        while (i < N_PARTS && !ft_span_eq(name, parts[i].name))
            i++;
        if (i == N_PARTS) {
            read_optional(j, name, &v, out);
            continue;
        }
        if (!why)
            why = seen & 1u << i ? parts[i].twice : parts[i].read(&v, out);
        seen |= 1u << i;
    }
    for (size_t i = 0; i < N_PARTS && !why; i++)
        if (!(seen & 1u << i))
            why = parts[i].absent;
    return why;
}

/* [id, score, flag]. */
static const char *read_triple(struct ft_json *j, struct ft_verdict *out)
{
    bool first = true;
    size_t n = 0;
    const char *why = NULL;

    ft_json_open(j, '[');
    while (ft_json_element(j, &first)) {
        struct ft_json_value v;

        ft_json_value(j, &v);
        if (n < N_PARTS && !why)
            why = parts[n].read(&v, out);
        n++;
    }
    return why || n == N_PARTS ? why : "an array that is not [id, score, flag]";
}

/* One verdict's JSON text, given to the one or the other. */
static void give(struct ft_codec *c, struct ft_span element, const struct ft_codec_verdict_cb *cb)
{
    struct ft_verdict v = {.label = FT_LABEL_UNKNOWN};
    struct ft_json j;
    const char *why;

    ft_json_start(&j, element, c->scratch);
    if (*element.p == '{')
        why = read_object(&j, &v);
    else if (*element.p == '[')
        why = read_triple(&j, &v);
    else
        why = "neither an object nor an array";
    if (why)
        cb->bad(cb->user, element, why);
    else
        cb->good(cb->user, &v);
}

/* What our scorer and pandas write as a rule, an array of one good verdict, read in one pass; false: look closer. */
static bool give_only_one(struct ft_codec *c, struct ft_span msg,
                          const struct ft_codec_verdict_cb *cb)
{
    struct ft_verdict v = {.label = FT_LABEL_UNKNOWN};
    struct ft_json j;

    ft_json_start(&j, msg, c->scratch);
    if (!ft_json_open(&j, '[') || j.p == j.end || *j.p != '{' || read_object(&j, &v) || j.why)
        return false;
    ft_json_blanks(&j);
    if (j.p == j.end || *j.p++ != ']' || !ft_json_ended(&j))
        return false;
    cb->good(cb->user, &v);
    return true;
}

static struct ft_span element_text(const struct ft_json *j, const char *from)
{
    return (struct ft_span){from, (size_t)(j->p - from)};
}

enum ft_status ft_codec_read_verdicts(struct ft_codec *c, struct ft_span msg,
                                      const struct ft_codec_verdict_cb *cb, struct ft_err *err)
{
    struct ft_json j;
    struct ft_json_value whole, v;
    bool first = true;

    if (msg.n > FT_MSG_MAX)
        return too_large(msg, err);
    if (give_only_one(c, msg, cb))
        return FT_OK;
    /* First all of it must be JSON: nothing is taken from a message that is broken further on. */
    ft_json_start(&j, msg, c->scratch);
    if (!ft_json_value(&j, &whole) || !ft_json_ended(&j))
        return not_json(&j, err);
    if (whole.kind == FT_JSON_OBJECT) {
        give(c, whole.text, cb);
        return FT_OK;
    }
    if (whole.kind != FT_JSON_ARRAY)
        return ft_fail(err, FT_EINPUT, "neither an object nor an array");
    ft_json_start(&j, whole.text, c->scratch);
    ft_json_open(&j, '[');
    ft_json_blanks(&j);
    if (*j.p == ']')
        return ft_fail(err, FT_EINPUT, "an empty array");
    if (*j.p != '{' && *j.p != '[') {
        give(c, whole.text, cb);
        return FT_OK;
    }
    while (ft_json_element(&j, &first)) {
        const char *from = j.p;

        ft_json_value(&j, &v);
        j.used = 0;
        give(c, element_text(&j, from), cb);
    }
    return FT_OK;
}
