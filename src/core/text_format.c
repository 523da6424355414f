#include "fraudtop/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/txn.h"

/* The C library's printf is safe here: the program never sets LC_NUMERIC. */

void ft_fmt_count(char *out, size_t size, uint64_t n)
{
    char digits[24], text[32];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    snprintf(out, size, "%s", text);
}

void ft_fmt_signed(char *out, size_t size, int64_t n)
{
    char text[32];

    ft_fmt_count(text, sizeof(text), n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    snprintf(out, size, "%s%s", n < 0 ? "-" : n > 0 ? "+" : "", text);
}

/* Three significant figures and a letter, for v >= 1000. */
static void scaled(char *out, size_t size, double v)
{
    static const char letters[] = "kMGTPE";
    int i = 0;

    for (v /= 1000; v >= 999.5 && letters[i + 1]; i++)
        v /= 1000;
    snprintf(out, size, "%.*f %c", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, letters[i]);
}

static void whole(char *out, size_t size, double v)
{
    ft_fmt_count(out, size, (uint64_t)llround(v));
}

void ft_fmt_rate(char *out, size_t size, double per_s)
{
    if (!isfinite(per_s) || per_s < 0)
        snprintf(out, size, "-");
    else if (per_s >= 99999.5)
        scaled(out, size, per_s);
    else if (per_s < 99.95 && fabs(per_s - round(per_s)) >= 0.05)
        snprintf(out, size, "%.1f", per_s);
    else
        whole(out, size, per_s);
}

void ft_fmt_short(char *out, size_t size, double v)
{
    if (!isfinite(v) || v < 0)
        snprintf(out, size, "-");
    else if (v >= 9999.5)
        scaled(out, size, v);
    else
        whole(out, size, v);
}

void ft_fmt_money(char *out, size_t size, double v)
{
    if (!isfinite(v))
        snprintf(out, size, "-");
    else if (v < 0)
        snprintf(out, size, "-%.0f", -v);
    else if (v >= 999500)
        scaled(out, size, v);
    else if (v >= 99999.5)
        snprintf(out, size, "%.2f M", v / 1e6);
    else
        whole(out, size, v);
}

void ft_fmt_amount(char *out, size_t size, struct ft_span t)
{
    char text[40], grouped[32];
    size_t i = 0, digits;
    double v = 0, place = 0.1;
    uint64_t cents;

    if (i < t.n && t.p[i] == '+')
        i++;
    for (digits = i; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++)
        v = v * 10 + (t.p[i] - '0');
    digits = i - digits;
    if (i < t.n && t.p[i] == '.')
        for (i++; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++, place /= 10)
            v += place * (t.p[i] - '0');
    if (i != t.n || digits == 0 || v >= 1e15) { /* another spelling: shown as it came */
        ft_text_clean(out, size, t);
        return;
    }
    cents = (uint64_t)llround(v * 100);
    ft_fmt_count(grouped, sizeof(grouped), cents / 100);
    snprintf(text, sizeof(text), "%s.%02d", grouped, (int)(cents % 100));
    snprintf(out, size, "%s", text);
}

void ft_fmt_age(char *out, size_t size, int64_t ms)
{
    int64_t s = ms / 1000;

    if (ms < 0)
        snprintf(out, size, "-");
    else if (s < 100 * 3600)
        snprintf(out, size, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    else if (s < (int64_t)9999 * 86400)
        snprintf(out, size, "%dd %02dh", (int)(s / 86400), (int)(s / 3600 % 24));
    else
        snprintf(out, size, "> 27 y");
}

void ft_fmt_mmss(char *out, size_t size, int64_t ms)
{
    if (ms < 0 || ms >= 3600000)
        ft_fmt_age(out, size, ms);
    else
        snprintf(out, size, "%02d:%02d", (int)(ms / 60000), (int)(ms / 1000 % 60));
}

void ft_fmt_double(char *out, size_t size, double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        int n = snprintf(out, size, "%.*g", digits, v);

        if (!isfinite(v) || (ft_parse_double((struct ft_span){out, (size_t)n}, &back) && back == v))
            return;
    }
}

void ft_fmt_ms(char *out, size_t size, double ms)
{
    if (!isfinite(ms) || ms < 0)
        snprintf(out, size, "-");
    else if (ms < 9.95)
        snprintf(out, size, "%.1f ms", ms);
    else if (ms < 999.5)
        snprintf(out, size, "%.0f ms", ms);
    else if (ms < 99950)
        snprintf(out, size, "%.1f s", ms / 1000);
    else if (ms < 6e6)
        snprintf(out, size, "%.0f min", ms / 60000);
    else
        snprintf(out, size, "%.1f h", ms / 3600000);
}

void ft_fmt_bytes(char *out, size_t size, uint64_t n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    int i = 0;

    for (; v >= 999.5 && i < 6; i++)
        v /= 1000;
    snprintf(out, size, "%.*f %s", i && v < 9.95 ? 1 : 0, v, units[i]);
}

void ft_fmt_clock(char *out, size_t size, int64_t wall_ms, int offset_s)
{
    int64_t s = (wall_ms / 1000 + offset_s) % 86400;

    if (s < 0)
        s += 86400;
    snprintf(out, size, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

void ft_fmt_value(char *out, size_t size, const char *value)
{
    char *end;
    double number = strtod(value, &end);

    if (*value && !*end && strlen(value) > 10) /* seventeen digits tell nobody more */
        snprintf(out, size, "%.4g", number);
    else
        snprintf(out, size, "%s", value);
}
