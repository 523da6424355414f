/*
 * Decimal text to double.  Short numbers (all that CSV files hold in practice) are exact in one multiplication or
 * division (Clinger 1990, "How to Read Floating Point Numbers Accurately"), those of a score's 17 digits in one division of
 * integers; the others are handed to strtod in a form without a point, which is the only thing in it that a locale
 * changes.
 */
#include "fraudtop/txn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* More significant digits than these cannot change the result but by being there (767 are enough for a double). */
#define MAX_DIGITS 800

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *ft_json_number_end(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p == end || !is_digit(*p))
        return NULL;
    if (*p++ != '0')
        while (p < end && is_digit(*p))
            p++;
    if (p < end && *p == '.') {
        if (++p == end || !is_digit(*p))
            return NULL;
        while (p < end && is_digit(*p))
            p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        if (++p < end && (*p == '+' || *p == '-'))
            p++;
        if (p == end || !is_digit(*p))
            return NULL;
        while (p < end && is_digit(*p))
            p++;
    }
    return p;
}

bool ft_is_json_number(struct ft_span text)
{
    return text.n && ft_json_number_end(text.p, text.p + text.n) == text.p + text.n;
}

/* Lower-case word, at most 8 letters: true when text is that word in any case. */
static bool is_word(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(end - p) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != word[i])
            return false;
    return true;
}

static bool parse_word(const char *p, const char *end, bool minus, double *out)
{
    if (is_word(p, end, "inf") || is_word(p, end, "infinity"))
        *out = minus ? -INFINITY : INFINITY;
    else if (is_word(p, end, "nan"))
        *out = NAN;
    else
        return false;
    return true;
}

/* The digits of [p, end) times 10^exponent (which counts from the end of all digits), by strtod. */
static double slow(const char *p, const char *end, long exponent)
{
    char text[MAX_DIGITS + 32];
    size_t n = 0;
    bool cut = false; /* digits other than 0 were left out */

    for (; p < end; p++) {
        if (!is_digit(*p) || (n == 0 && *p == '0'))
            continue;
        if (n < MAX_DIGITS) {
            text[n++] = *p;
            continue;
        }
        cut |= *p != '0';
        exponent++;
    }
    if (n == 0)
        return 0;
    if (cut) {
        text[n++] = '1';
        exponent--;
    }
    snprintf(text + n, sizeof(text) - n, "e%ld", exponent);
    return strtod(text, NULL);
}

#if defined(__SIZEOF_INT128__)
__extension__ typedef unsigned __int128 wide;

/*
 * digits / 10^k for k = 1 .. 27, where 5^k fits 64 bits: the quotient of two normalised integers has 63 or 64 bits, far
 * more than a double's 53; with a last bit that says whether anything remained, rounding it once is exact.
 */
static bool divide(uint64_t digits, long exponent, double *out)
{
    uint64_t power = 1, quotient, normal;
    int shift;

    if (digits == 0 || exponent >= 0 || exponent < -27)
        return false;
    for (long k = exponent; k < 0; k++)
        power *= 5;
    shift = __builtin_clzll(power) - __builtin_clzll(digits);
    normal = power << __builtin_clzll(power);
    digits <<= __builtin_clzll(digits);
    quotient = (uint64_t)(((wide)digits << 63) / normal);
    quotient |= ((wide)digits << 63) != (wide)quotient * normal;
    *out = ldexp((double)quotient, (int)exponent - 63 + shift);
    return true;
}
#else
static bool divide(uint64_t digits, long exponent, double *out)
{
    (void)digits, (void)exponent, (void)out;
    return false;
}
#endif

/* 10^exponent times an integer: exact when both are doubles without loss. */
static bool fast(uint64_t digits, long exponent, double *out)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    if (digits > (uint64_t)1 << 53 || exponent < -22 || exponent > 22)
        return false;
    *out = exponent < 0 ? (double)digits / power[-exponent] : (double)digits * power[exponent];
    return true;
}

bool ft_parse_double(struct ft_span text, double *out)
{
    const char *p = text.p, *end = text.n ? text.p + text.n : text.p, *start, *digits_end;
    uint64_t digits = 0;
    long exponent = 0, given = 0;
    size_t n = 0, significant = 0;
    bool minus = false;

    if (p < end && (*p == '-' || *p == '+'))
        minus = *p++ == '-';
    if (p == end)
        return false;
    start = p;
    for (; p < end && is_digit(*p); p++, n++) {
        significant += significant || *p != '0';
        digits = digits * 10 + (uint64_t)(*p - '0'); /* may wrap: used only below 20 digits */
    }
    if (p < end && *p == '.')
        for (p++; p < end && is_digit(*p); p++, n++, exponent--) {
            significant += significant || *p != '0';
            digits = digits * 10 + (uint64_t)(*p - '0');
        }
    digits_end = p;
    if (n == 0)
        return parse_word(start, end, minus, out);
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = false;

        if (++p < end && (*p == '+' || *p == '-'))
            down = *p++ == '-';
        if (p == end)
            return false;
        for (; p < end && is_digit(*p); p++)
            if (given < 100000000) /* far beyond any double, far below overflow */
                given = given * 10 + (*p - '0');
        if (down)
            given = -given;
    }
    if (p != end)
        return false;
    exponent += given;
    if (significant > 19 || (!fast(digits, exponent, out) && !divide(digits, exponent, out)))
        *out = slow(start, digits_end, exponent);
    if (minus)
        *out = -*out;
    return true;
}
