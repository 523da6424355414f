/*
 * cJSON says of a text that is no JSON and of memory that ran out alike that there is nothing.  This tells them apart:
 * it goes through the text again, without memory.  RFC 8259, as deep as cJSON goes.
 */
#include <string.h>

#include "model.h"

#define MAX_DEPTH 1000 /* cJSON's CJSON_NESTING_LIMIT */

struct check {
    const char *p, *end;
    int depth;
};

static void blanks(struct check *c)
{
    while (c->p < c->end && memchr(" \t\r\n", *c->p, 4))
        c->p++;
}

static bool take(struct check *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted)
        return false;
    c->p++;
    return true;
}

static bool take_word(struct check *c, const char *word)
{
    while (*word)
        if (!take(c, *word++))
            return false;
    return true;
}

static bool digits(struct check *c)
{
    const char *from = c->p;

    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > from;
}

static bool number(struct check *c)
{
    take(c, '-');
    if (!digits(c) || (take(c, '.') && !digits(c)))
        return false;
    if (!take(c, 'e') && !take(c, 'E'))
        return true;
    if (!take(c, '-'))
        take(c, '+');
    return digits(c);
}

static bool hex4(struct check *c, unsigned *v)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";

    *v = 0;
    for (int i = 0; i < 4; i++, c->p++) {
        const char *at = c->p < c->end ? memchr(hex, *c->p, 32) : NULL;

        if (!at)
            return false;
        *v = *v << 4 | (unsigned)((at - hex) % 16);
    }
    return true;
}

static bool escape(struct check *c)
{
    unsigned v, low;

    if (take(c, 'u')) /* a surrogate is nothing without its other half */
        return hex4(c, &v) && (v < 0xD800 || v > 0xDFFF ||
                               (v < 0xDC00 && take_word(c, "\\u") && hex4(c, &low) &&
                                low >= 0xDC00 && low <= 0xDFFF));
    if (c->p == c->end || !memchr("\"\\/bfnrt", *c->p, 8))
        return false;
    c->p++;
    return true;
}

static bool string(struct check *c)
{
    if (!take(c, '"'))
        return false;
    while (c->p < c->end && *c->p != '"')
        if (*c->p++ == '\\' && !escape(c))
            return false;
    return take(c, '"');
}

static bool value(struct check *c);

static bool members(struct check *c, bool named, char close)
{
    bool good = ++c->depth < MAX_DEPTH;

    blanks(c);
    if (good && !take(c, close)) {
        do {
            blanks(c);
            if (named) {
                good = string(c);
                blanks(c);
                good = good && take(c, ':');
            }
            good = good && value(c);
            blanks(c);
        } while (good && take(c, ','));
        good = good && take(c, close);
    }
    c->depth--;
    return good;
}

static bool value(struct check *c)
{
    blanks(c);
    if (take(c, '{'))
        return members(c, true, '}');
    if (take(c, '['))
        return members(c, false, ']');
    switch (c->p < c->end ? *c->p : '\0') {
    case '"':
        return string(c);
    case 't':
        return take_word(c, "true");
    case 'f':
        return take_word(c, "false");
    case 'n':
        return take_word(c, "null");
    default:
        return number(c);
    }
}

bool fc_is_json(const char *text, size_t n, size_t *at)
{
    struct check c = {text, text + n, 0};
    bool good;

    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        c.p += 3;
    good = value(&c);
    blanks(&c);
    *at = (size_t)(c.p - text);
    return good && c.p == c.end;
}
