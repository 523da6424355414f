#include "fraudtop/layout.h"

#include <string.h>

#include "fraudtop/text.h"
#include "fraudtop/txn.h"

#define DEPTH_MAX 64

struct state {
    struct ft_buf *out;
    const char *p, *start, *end;
    const struct ft_layout *how;
    int depth;
};

static bool value(struct state *s, bool hide, bool *hidden);

static void blanks(struct state *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct state *s, char c)
{
    blanks(s);
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static void new_line(struct state *s)
{
    if (!s->how->indent)
        return;
    ft_buf_char(s->out, '\n');
    for (int i = 0; i < s->depth * s->how->indent; i++)
        ft_buf_char(s->out, ' ');
}

/* The length of an escape sequence, 0 when it is none. */
static size_t escape(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] == 'u') {
        for (int i = 2; i < 6; i++)
            if (p + i >= end || !strchr("0123456789abcdefABCDEF", p[i]) || !p[i])
                return 0;
        return 6;
    }
    return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
}

/* One character of a string, as it stands but for what must not reach a screen or is no UTF-8. */
static bool character(struct state *s)
{
    struct ft_span rest = {s->p, (size_t)(s->end - s->p)};
    size_t n;
    uint32_t c;

    if (*s->p == '\\') {
        n = escape(s->p, s->end);
        ft_buf_add(s->out, s->p, n);
        s->p += n;
        return n != 0;
    }
    if ((unsigned char)*s->p < 0x20)
        return false;
    c = ft_char_next(rest, &n);
    if (s->how->clean && (ft_char_width(c) < 0 || (c == 0xFFFD && n == 1)))
        ft_buf_char(s->out, '?');
    else if (c == 0xFFFD && n == 1)
        ft_buf_text(s->out, "\xEF\xBF\xBD");
    else
        ft_buf_add(s->out, s->p, n);
    s->p += n;
    return true;
}

/* *text is what stands between the quotes. */
static bool string(struct state *s, bool hide, struct ft_span *text)
{
    size_t mark;

    if (!take(s, '"'))
        return false;
    ft_buf_char(s->out, '"');
    mark = s->out->n;
    text->p = s->p;
    while (s->p < s->end && *s->p != '"')
        if (!character(s))
            return false;
    text->n = (size_t)(s->p - text->p);
    if (s->p >= s->end)
        return false;
    s->p++;
    if (hide && text->n && !s->out->failed) {
        s->out->n = mark;
        ft_buf_text(s->out, "***");
    }
    ft_buf_char(s->out, '"');
    return true;
}

static size_t digits(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

static bool number(struct state *s)
{
    const char *p = s->p + (*s->p == '-');
    size_t n = digits(p, s->end);

    if (n == 0 || (n > 1 && *p == '0'))
        return false;
    p += n;
    if (p < s->end && *p == '.') {
        n = digits(++p, s->end);
        if (n == 0)
            return false;
        p += n;
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < s->end && (*p == '+' || *p == '-');
        n = digits(p, s->end);
        if (n == 0)
            return false;
        p += n;
    }
    ft_buf_add(s->out, s->p, (size_t)(p - s->p));
    s->p = p;
    return true;
}

static bool word(struct state *s)
{
    static const struct {
        const char *text;
        bool json;
    } words[] = {
        {"true",      true },
        {"false",     true },
        {"null",      true },
        {"NaN",       false},
        {"Infinity",  false},
        {"-Infinity", false},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t n = strlen(words[i].text);

        if ((size_t)(s->end - s->p) < n || memcmp(s->p, words[i].text, n) != 0)
            continue;
        s->p += n;
        ft_buf_text(s->out, words[i].json || s->how->indent ? words[i].text : "null");
        return true;
    }
    return false;
}

/* A name written with escapes is none that anybody writes: better hidden. */
static bool is_private(struct ft_span key)
{
    return (key.n && memchr(key.p, '\\', key.n)) || ft_span_is(key, "name_1") ||
           ft_span_is(key, "name_2") || ft_span_is(key, "street");
}

static bool member(struct state *s, bool *hide_value)
{
    struct ft_span key;
    bool named = false;

    if (!string(s, false, &key) || !take(s, ':'))
        return false;
    ft_buf_text(s->out, s->how->indent ? ": " : ":");
    /* {"feature":"street","value":...}: a reason tells of the column under another name */
    if (!value(s, is_private(key) || (*hide_value && ft_span_is(key, "value")), &named))
        return false;
    if (ft_span_is(key, "feature"))
        *hide_value = named;
    return true;
}

/* The members of an object or the elements of an array; the opening sign is taken. */
static bool list(struct state *s, char open, bool hide)
{
    char close = open == '{' ? '}' : ']';
    bool hide_value = false, named;

    if (++s->depth > DEPTH_MAX)
        return false;
    ft_buf_char(s->out, open);
    if (!take(s, close)) {
        do {
            new_line(s);
            if (open == '{' ? !member(s, &hide_value) : !value(s, hide, &named))
                return false;
            blanks(s);
            if (s->p < s->end && *s->p == ',')
                ft_buf_char(s->out, ',');
        } while (take(s, ','));
        if (!take(s, close))
            return false;
        s->depth--;
        new_line(s);
    } else {
        s->depth--;
    }
    ft_buf_char(s->out, close);
    return true;
}

/* hide: what stands here is the customer's.  *named: it was a string that names a private column. */
static bool value(struct state *s, bool hide, bool *named)
{
    bool masked = hide && s->how->mask;
    struct ft_span text;
    size_t mark;
    bool ok;

    blanks(s);
    *named = false;
    if (s->p >= s->end)
        return false;
    if (*s->p == '{' || *s->p == '[')
        return list(s, *s->p++, hide);
    if (*s->p == '"') {
        ok = string(s, masked, &text);
        *named = ok && is_private(text);
        return ok;
    }
    mark = s->out->n;
    ok = word(s) || number(s);
    if (ok && masked && !s->out->failed && s->out->p[mark] != 'n') { /* a number as a name */
        s->out->n = mark;
        ft_buf_text(s->out, "\"***\"");
    }
    return ok;
}

enum ft_status ft_layout_json(struct ft_buf *out, struct ft_span text, const struct ft_layout *how,
                              struct ft_err *err)
{
    struct state s = {out, text.p, text.p, text.n ? text.p + text.n : text.p, how, 0};
    bool named, ok = value(&s, false, &named);

    if (ok)
        blanks(&s);
    if (!ok || s.p != s.end)
        return ft_fail(err, FT_EINPUT, "not JSON from byte %zu on", (size_t)(s.p - s.start));
    if (out->failed)
        return ft_fail(err, FT_ENOMEM, "no memory to lay out %zu bytes", text.n);
    return FT_OK;
}
