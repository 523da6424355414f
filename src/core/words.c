/* State features in words, for reasons: "4th in 1 h", "3.1 x usual", "first in misc_net". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "state.h"

static const char *ordinal(unsigned n)
{
    if (n % 100 >= 11 && n % 100 <= 13)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

/* "in 1 h", "today", "ever" */
static const char *span_of(const struct ft_scorer *s, const struct ft_feature *f, char out[24])
{
    if (f->over == FT_OVER_WINDOW)
        snprintf(out, 24, "in %s", s->window[f->window].text);
    else
        snprintf(out, 24, "%s", f->over == FT_OVER_TODAY ? "today" : "ever");
    return out;
}

static void since_words(double minutes, char *out, size_t size)
{
    if (minutes < 120)
        snprintf(out, size, "%.0f min after the last", minutes);
    else if (minutes < 48 * 60)
        snprintf(out, size, "%.0f h after the last", floor(minutes / 60));
    else
        snprintf(out, size, "%.0f d after the last", floor(minutes / 1440));
}

static void count_words(unsigned n, const char *what, const char *span, char *out, size_t size)
{
    if (n)
        snprintf(out, size, "%u %s before %s", n, what, span);
    else
        snprintf(out, size, "none %s before %s", what, span);
}

static void ratio_words(double usual, double amount, const char *of, char *out, size_t size)
{
    double x = usual > 0 ? amount / usual : 0;

    if (usual > 0)
        snprintf(out, size, x < 0.1 && x > 0 ? "%.2f x %s" : "%.1f x %s", x, of);
}

static void category_words(const struct ft_feature *f, const struct ft_past *p,
                           struct ft_span category, char *out, size_t size)
{
    int n = category.n < 24 ? (int)category.n : 24;

    while (n < (int)category.n && n && ((unsigned char)category.p[n] & 0xC0) == 0x80)
        n--; /* not within a character */
    if (n == 0)
        category = FT_SPAN("no category");
    n = n ? n : (int)category.n;

    if (f->take == FT_TAKE_LOG_RATIO_MEAN && p->n_category)
        ratio_words(expm1(p->category_log_sum / p->n_category), p->amount, "usual in its category",
                    out, size);
    else if (p->n_category == 0)
        snprintf(out, size, "first in %.*s", n, category.p);
    else
        snprintf(out, size, "%u before in %.*s", p->n_category, n, category.p);
}

/* Earlier scores as percent: how suspicious a transaction looked by itself. */
static void score_words(const struct ft_feature *f, double log_odds, const char *span, char *out,
                        size_t size)
{
    double percent = 100 / (1 + exp(-log_odds));

    switch (f->take) {
    case FT_TAKE_SCORE_LAST:
        snprintf(out, size, "the one before %.0f %%", percent);
        break;
    case FT_TAKE_SCORE_EWMA:
        snprintf(out, size, "lately %.0f %%", percent);
        break;
    case FT_TAKE_SCORE_MAX:
        snprintf(out, size, "up to %.0f %% %s", percent, span);
        break;
    case FT_TAKE_SCORE_MIN:
        snprintf(out, size, "from %.0f %% %s", percent, span);
        break;
    case FT_TAKE_SCORE_MEAN:
        snprintf(out, size, "mean %.0f %% %s", percent, span);
        break;
    default:
        break;
    }
}

bool ft_has_plain_words(const struct ft_feature *f)
{
    switch (f->make) {
    case FT_MAKE_HOUR:
    case FT_MAKE_HOUR_FROM_4:
    case FT_MAKE_DAY_OF_WEEK:
    case FT_MAKE_LOG1P:
    case FT_MAKE_DISTANCE_KM:
        return true;
    default:
        return false;
    }
}

size_t ft_plain_words(const struct ft_feature *f, const char *column, const struct ft_value *v,
                      bool more, char *out, size_t size)
{
    static const char day[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    char text[64] = "";
    const char *name = "";
    int n;

    if (f->make == FT_MAKE_DAY_OF_WEEK) {
        if (v->num >= 0 && v->num < 7)
            snprintf(text, sizeof(text), "%s", day[(int)v->num]);
    } else if (f->make == FT_MAKE_HOUR || f->make == FT_MAKE_HOUR_FROM_4) {
        if (isfinite(v->num))
            snprintf(text, sizeof(text), "%02.0f h",
                     f->make == FT_MAKE_HOUR ? v->num : fmod(v->num + 4, 24));
    } else if (f->make == FT_MAKE_LOG1P) {
        name = column;
        snprintf(text, sizeof(text), "%.15g", round(100 * expm1(v->num)) / 100);
    } else if (f->make == FT_MAKE_DISTANCE_KM && isfinite(v->num)) {
        name = f->name;
        snprintf(text, sizeof(text), "%.1f km", v->num);
    } else {
        ft_value_text(v, text, sizeof(text));
        name = f->category && strlen(text) > 2 ? "" : f->name;
    }
    if (!text[0])
        name = f->name; /* a missing value */
    n = snprintf(out, size, "%s%s%s%s", more ? ", " : "", name, *name && *text ? " " : "", text);
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

void ft_stage_words(double log_odds, bool more, char *out, size_t size)
{
    snprintf(out, size, "%s%.0f %% alone", more ? ": " : "", 100 / (1 + exp(-log_odds)));
}

static void amount_words(const struct ft_feature *f, const struct ft_past *p, double value,
                         const char *span, char *out, size_t size)
{
    bool life = f->over == FT_OVER_LIFE;

    switch (f->take) {
    case FT_TAKE_SUM:
        if (value > 0)
            snprintf(out, size, "%.2f spent before %s", value, span);
        else
            snprintf(out, size, "nothing spent before %s", span);
        break;
    case FT_TAKE_MAX:
        if (value > 0)
            snprintf(out, size, "largest before %.2f %s", value, span);
        else
            snprintf(out, size, "none before %s", span);
        break;
    case FT_TAKE_MIN:
        snprintf(out, size, "smallest before %.2f %s", value, span);
        break;
    case FT_TAKE_LOG_RATIO_MAX:
        ratio_words(p->max, p->amount, "the largest before", out, size);
        break;
    default: /* mean, and what compares with it */
        ratio_words(life ? p->sum / p->n : value, p->amount, "usual", out, size);
        if (!life && *out)
            snprintf(out + strlen(out), size - strlen(out), " %s", span);
        break;
    }
}

static void number_words(const struct ft_feature *f, unsigned n, const char *span, char *out,
                         size_t size)
{
    switch (f->take) {
    case FT_TAKE_COUNT:
        snprintf(out, size, "%u%s %s", n + 1, ordinal(n + 1), span);
        break;
    case FT_TAKE_SAME_CATEGORY:
        snprintf(out, size, "%u%s of its category %s", n + 1, ordinal(n + 1), span);
        break;
    case FT_TAKE_DISTINCT:
        snprintf(out, size, n == 1 ? "%u category before" : "%u categories before", n);
        break;
    default:
        count_words(n, f->take == FT_TAKE_NIGHT_COUNT ? "at night" : "suspicious", span, out, size);
        break;
    }
}

/* Has no value of its own where nothing was before. */
static bool compares(enum ft_take take)
{
    return take == FT_TAKE_MIN || take == FT_TAKE_MEAN || take == FT_TAKE_SCORE_MAX ||
           take == FT_TAKE_SCORE_MIN || take == FT_TAKE_SCORE_MEAN;
}

/* In words why there is nothing to tell; false: there is. */
static bool nothing_words(const struct ft_feature *f, const struct ft_past *p, const char *span,
                          char *out, size_t size)
{
    bool in_window = f->over == FT_OVER_WINDOW || f->over == FT_OVER_TODAY;

    if ((f->over == FT_OVER_LIFE || f->take == FT_TAKE_RATE_RATIO) && p->n == 0)
        snprintf(out, size, "first of this customer");
    else if (in_window && compares(f->take) && ft_past_window(f, p)->n == 0)
        snprintf(out, size, "none before %s", span);
    else
        return false;
    return true;
}

void ft_past_words(const struct ft_scorer *s, const struct ft_feature *f, const struct ft_past *p,
                   double value, struct ft_span category, char *out, size_t size)
{
    char span[24];

    out[0] = '\0';
    span_of(s, f, span);
    if (f->over == FT_OVER_CATEGORY) {
        category_words(f, p, category, out, size);
        return;
    }
    if (nothing_words(f, p, span, out, size) || !isfinite(value))
        return;
    switch (f->take) {
    case FT_TAKE_COUNT:
    case FT_TAKE_NIGHT_COUNT:
    case FT_TAKE_SAME_CATEGORY:
    case FT_TAKE_DISTINCT:
    case FT_TAKE_SCORE_ABOVE:
        number_words(f, value >= 0 && value < 1e9 ? (unsigned)value : 0, span, out, size);
        break;
    case FT_TAKE_SUM:
    case FT_TAKE_MAX:
    case FT_TAKE_MIN:
    case FT_TAKE_MEAN:
    case FT_TAKE_STD:
    case FT_TAKE_LOG_RATIO_MEAN:
    case FT_TAKE_LOG_RATIO_MAX:
    case FT_TAKE_DEVIATION:
        amount_words(f, p, value, span, out, size);
        break;
    case FT_TAKE_NIGHT_SHARE:
        snprintf(out, size, "%.0f %% at night usually", 100 * value);
        break;
    case FT_TAKE_SINCE_LAST:
        since_words(value, out, size);
        break;
    case FT_TAKE_AGE:
        snprintf(out, size, "known for %.0f d", floor(value));
        break;
    case FT_TAKE_RATE_RATIO:
        snprintf(out, size, "%.1f x the usual rate %s", value, span);
        break;
    default:
        score_words(f, value, span, out, size);
        break;
    }
}
