#include "json_scan.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "fraudtop/txn.h"
#include "number.h"

void ft_json_start(struct ft_json *j, struct ft_span text, char *scratch)
{
    *j = (struct ft_json){
        .p = text.p, .end = text.n ? text.p + text.n : text.p, .start = text.p, .scratch = scratch};
}

void ft_json_blanks(struct ft_json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
        j->p++;
}

static bool wrong(struct ft_json *j, const char *why)
{
    j->why = why;
    return false;
}

bool ft_json_ended(struct ft_json *j)
{
    ft_json_blanks(j);
    return j->p == j->end || wrong(j, "text after the value");
}

/* ---- strings -------------------------------------------------------------------------------------- */

/* The first byte from p on that is a quote, a backslash or a control character; high: bytes beyond ASCII came. */
static const char *plain_end(const char *p, const char *end, bool *high)
{
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
        *high |= (unsigned char)*p >= 0x80;
        p++;
    }
    return p;
}

#if defined(__SSE2__) && defined(__GNUC__)
/* Sixteen bytes at once; those beyond ASCII are negative, so they are found as below a blank. */
static const char *string_end(const char *p, const char *end, bool *high)
{
    while (end - p >= 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_cmplt_epi8(b, _mm_set1_epi8(0x20)),
                                   _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8('"')),
                                                _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'))));
        int mask = _mm_movemask_epi8(hit);

        if (mask) {
            p += __builtin_ctz((unsigned)mask);
            return (signed char)*p < 0 ? plain_end(p, end, high) : p;
        }
        p += 16;
    }
    return plain_end(p, end, high);
}
#else
static const char *string_end(const char *p, const char *end, bool *high)
{
    return plain_end(p, end, high);
}
#endif

static int hex4(const char *p, const char *end)
{
    int v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    }
    return to;
}

/* \uXXXX, p behind the u; two of them for what lies beyond U+FFFF. */
static char *unicode_escape(struct ft_json *j, char *to)
{
    int high = hex4(j->p, j->end), low;

    if (high < 0) {
        wrong(j, "\\u without four hexadecimal digits");
        return NULL;
    }
    if (high == 0) {
        wrong(j, "a zero byte in a string");
        return NULL;
    }
    j->p += 4;
    if (high < 0xD800 || high > 0xDFFF)
        return put_utf8(to, (unsigned)high);
    low = j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u' ? hex4(j->p + 2, j->end) : -1;
    if (high > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        wrong(j, "half a surrogate pair");
        return NULL;
    }
    j->p += 6;
    return put_utf8(to, 0x10000u + ((unsigned)high - 0xD800u) * 0x400u + ((unsigned)low - 0xDC00u));
}

static char *escape(struct ft_json *j, char *to)
{
    static const char from[] = "\"\\/bfnrt", mean[] = "\"\\/\b\f\n\r\t";
    const char *at;

    if (j->p == j->end) {
        wrong(j, "a string that is never closed");
        return NULL;
    }
    if (*j->p == 'u') {
        j->p++;
        return unicode_escape(j, to);
    }
    at = *j->p ? strchr(from, *j->p) : NULL;
    if (!at) {
        wrong(j, "an unknown escape in a string");
        return NULL;
    }
    j->p++;
    *to++ = mean[at - from];
    return to;
}

/* The string behind the quote at p. */
static bool read_string(struct ft_json *j, struct ft_span *out)
{
    const char *from = ++j->p;
    char *start = j->scratch + j->used, *to = NULL;
    bool high = false;

    for (;;) {
        const char *stop = string_end(j->p, j->end, &high);
        size_t n = (size_t)(stop - j->p);

        if (to) {
            memcpy(to, j->p, n);
            to += n;
        }
        j->p = stop;
        if (stop == j->end)
            return wrong(j, "a string that is never closed");
        if (*stop == '"')
            break;
        if (*stop != '\\')
            return wrong(j, *stop ? "a control character in a string" : "a zero byte in a string");
        if (!to) {
            n = (size_t)(stop - from);
            memcpy(start, from, n);
            to = start + n;
        }
        j->p++;
        to = escape(j, to);
        if (!to)
            return false;
    }
    *out = to ? (struct ft_span){start, (size_t)(to - start)}
              : (struct ft_span){from, (size_t)(j->p - from)};
    if (high && ft_utf8_check(*out) >= 0)
        return wrong(j, "invalid UTF-8 in a string");
    if (to)
        j->used += out->n;
    j->p++;
    return true;
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '+' || c == '-' || c == '_';
}

/* A number or a bare word; neither may run into the next one. */
static bool read_word(struct ft_json *j, struct ft_json_value *v)
{
    static const struct {
        const char *word;
        enum ft_json_kind kind;
    } words[] = {
        {"null",      FT_JSON_NULL     },
        {"true",      FT_JSON_TRUE     },
        {"false",     FT_JSON_FALSE    },
        {"NaN",       FT_JSON_NONFINITE},
        {"Infinity",  FT_JSON_NONFINITE},
        {"-Infinity", FT_JSON_NONFINITE},
    };
    const char *p = ft_json_number_end(j->p, j->end);

    if (p && (p == j->end || !is_word_char(*p))) {
        v->kind = FT_JSON_NUMBER;
        v->text = (struct ft_span){j->p, (size_t)(p - j->p)};
        j->p = p;
        return true;
    }
    for (p = j->p; p < j->end && is_word_char(*p); p++)
        ;
    v->text = (struct ft_span){j->p, (size_t)(p - j->p)};
    if (v->text.n == 0)
        return wrong(j, p == j->end ? "it ends where a value should be" : "no value");
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (ft_span_is(v->text, words[i].word)) {
            v->kind = words[i].kind;
            j->nonfinite |= v->kind == FT_JSON_NONFINITE;
            j->p = p;
            return true;
        }
    return wrong(j, "neither a number nor a word of JSON");
}

static bool pass_container(struct ft_json *j, char bracket)
{
    struct ft_json_value v;
    struct ft_span name;
    bool first = true;
    size_t used = j->used;

    if (!ft_json_open(j, bracket))
        return false;
    if (bracket == '{')
        while (ft_json_member(j, &first, &name)) {
            if (!ft_json_value(j, &v))
                return false;
            j->used = used; /* what was unescaped in it is not kept */
        }
    else
        while (ft_json_element(j, &first)) {
            if (!ft_json_value(j, &v))
                return false;
            j->used = used;
        }
    return j->why == NULL;
}

bool ft_json_value(struct ft_json *j, struct ft_json_value *v)
{
    const char *from;

    ft_json_blanks(j);
    from = j->p;
    if (j->p < j->end && *j->p == '"') {
        v->kind = FT_JSON_STRING;
        return read_string(j, &v->text);
    }
    if (j->p == j->end || (*j->p != '{' && *j->p != '['))
        return read_word(j, v);
    v->kind = *j->p == '{' ? FT_JSON_OBJECT : FT_JSON_ARRAY;
    if (!pass_container(j, *j->p))
        return false;
    v->text = (struct ft_span){from, (size_t)(j->p - from)};
    return true;
}

bool ft_json_open(struct ft_json *j, char bracket)
{
    ft_json_blanks(j);
    if (j->p == j->end || *j->p != bracket)
        return wrong(j, bracket == '{' ? "no object" : "no array");
    if (++j->depth > FT_JSON_DEPTH)
        return wrong(j, "nested too deeply");
    j->p++;
    return true;
}

/* The comma between values or the closing bracket: true when a value follows. */
bool ft_json_goes_on(struct ft_json *j, char close, bool *first)
{
    ft_json_blanks(j);
    if (j->p == j->end)
        return wrong(j, "it ends inside an object or array");
    if (*j->p == close) {
        j->p++;
        j->depth--;
        return false;
    }
    if (!*first) {
        if (*j->p != ',')
            return wrong(j, "no comma between values");
        j->p++;
        ft_json_blanks(j);
    }
    *first = false;
    return true;
}

bool ft_json_member(struct ft_json *j, bool *first, struct ft_span *name)
{
    return ft_json_goes_on(j, '}', first) && ft_json_name(j, name);
}

bool ft_json_name(struct ft_json *j, struct ft_span *name)
{
    if (j->p == j->end || *j->p != '"')
        return wrong(j, "no name of a member");
    if (!read_string(j, name))
        return false;
    ft_json_blanks(j);
    if (j->p == j->end || *j->p != ':')
        return wrong(j, "no colon after the name of a member");
    j->p++;
    return true;
}

bool ft_json_element(struct ft_json *j, bool *first)
{
    return ft_json_goes_on(j, ']', first);
}
