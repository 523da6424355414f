/*
 * State features: what a customer's past says at a moment.  Each formula is in docs/features.md.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "state.h"

static void start_window(struct ft_window_sum *w)
{
    *w = (struct ft_window_sum){.min = INFINITY, .score_max = -INFINITY, .score_min = INFINITY};
}

static void add_to_window(struct ft_window_sum *w, const struct ft_event *e, double amount,
                          bool same)
{
    w->n++;
    w->nights += e->night;
    w->same += same;
    w->sum += amount;
    w->max = amount > w->max ? amount : w->max;
    w->min = amount < w->min ? amount : w->min;
    w->score_sum += (double)e->score;
    w->score_max = e->score > w->score_max ? e->score : w->score_max;
    w->score_min = e->score < w->score_min ? e->score : w->score_min;
}

/* The life as far as it is folded. */
static void start_life(const struct ft_customer *c, uint8_t slot, struct ft_past *p)
{
    p->n = c->n_old;
    p->nights = c->nights_old;
    p->sum = c->sum_old;
    p->square = c->square_old;
    p->max = c->max_old;
    p->first_s = c->first_old_s;
    p->last_s = c->last_old_s;
    p->score_last = (double)c->score_old;
    p->score_ewma = (double)c->ewma_old;
    if (slot < c->n_categories) {
        p->n_category = c->category[slot].n_old;
        p->category_log_sum = c->category[slot].log_sum_old;
    }
}

static void add_to_life(struct ft_past *p, const struct ft_event *e, double amount, int64_t time_s,
                        bool same)
{
    float ewma = (float)p->score_ewma;

    if (p->n == 0) {
        p->first_s = p->last_s = time_s;
        p->max = amount;
        ewma = e->score;
    } else {
        p->first_s = time_s < p->first_s ? time_s : p->first_s;
        p->last_s = time_s > p->last_s ? time_s : p->last_s;
        p->max = amount > p->max ? amount : p->max;
        ewma = 0.7f * ewma + 0.3f * e->score;
    }
    p->n++;
    p->nights += e->night;
    p->sum += amount;
    p->square += amount * amount;
    p->score_last = (double)e->score;
    p->score_ewma = (double)ewma;
    if (same) {
        p->n_category++;
        p->category_log_sum += log1p(amount);
    }
}

static uint32_t bits(uint64_t v)
{
    uint32_t n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

static int64_t day_start(int64_t time_s)
{
    int64_t second = time_s % 86400;

    return time_s - second - (second < 0 ? 86400 : 0);
}

void ft_past_look(const struct ft_scorer *s, const struct ft_customer *c, int64_t time_s,
                  double amount, uint32_t category_hash, struct ft_past *p)
{
    int64_t today = day_start(time_s);
    uint64_t seen = 0;
    uint8_t slot = 0;

    memset(p, 0, sizeof(*p));
    for (size_t w = 0; w < s->n_windows; w++)
        start_window(&p->window[w]);
    start_window(&p->today);
    p->now_s = time_s;
    p->amount = amount;
    if (!c)
        return;
    while (slot < c->n_categories && c->category[slot].hash != category_hash)
        slot++;
    start_life(c, slot, p);
    for (uint8_t i = 0; i < c->n_categories; i++)
        seen |= (uint64_t)(c->category[i].n_old > 0) << i;
    for (uint16_t i = 0; i < c->n_events; i++) {
        const struct ft_event *e = &c->event[i];
        int64_t at = c->base_s + e->dt, age = time_s - at;
        double a = ft_event_amount(e);
        bool same = e->category == slot && slot < c->n_categories;

        if (age < 0)
            continue; /* no looking into the future */
        for (size_t w = s->n_windows; w > 0 && age < s->window[w - 1].seconds; w--)
            add_to_window(&p->window[w - 1], e, a, same);
        if (at >= today)
            add_to_window(&p->today, e, a, same);
        add_to_life(p, e, a, at, same);
        seen |= (uint64_t)1 << e->category;
    }
    p->n_distinct = bits(seen & ~((uint64_t)1 << FT_MAX_CATEGORIES)) + c->n_lost;
}

/* ---- values --------------------------------------------------------------------------------------- */

static double mean_of(const struct ft_past *p)
{
    return p->sum / p->n;
}

static double deviation_of(const struct ft_past *p)
{
    double mean = mean_of(p), v = p->square / p->n - mean * mean;

    return v > 0 ? sqrt(v) : 0; /* rounding may leave less than nothing */
}

static double age_days(const struct ft_past *p)
{
    return p->n && p->now_s > p->first_s ? (double)(p->now_s - p->first_s) / 86400 : 0;
}

static double since_minutes(const struct ft_past *p)
{
    return p->now_s > p->last_s ? (double)(p->now_s - p->last_s) / 60 : 0;
}

const struct ft_window_sum *ft_past_window(const struct ft_feature *f, const struct ft_past *p)
{
    return f->over == FT_OVER_TODAY ? &p->today : &p->window[f->window];
}

static double count_above(const struct ft_scorer *s, const struct ft_feature *f,
                          const struct ft_past *p, const struct ft_customer *c)
{
    int64_t today = day_start(p->now_s);
    double n = 0;

    for (uint16_t i = 0; c && i < c->n_events; i++) {
        int64_t at = c->base_s + c->event[i].dt, age = p->now_s - at;
        bool in = f->over == FT_OVER_TODAY ? at >= today : age < s->window[f->window].seconds;

        n += age >= 0 && in && (double)c->event[i].score > f->above;
    }
    return n;
}

static double life_value(const struct ft_feature *f, const struct ft_past *p)
{
    switch (f->take) {
    case FT_TAKE_COUNT:
        return p->n;
    case FT_TAKE_SUM:
        return p->sum;
    case FT_TAKE_MAX:
        return p->max;
    case FT_TAKE_NIGHT_COUNT:
        return p->nights;
    case FT_TAKE_DISTINCT:
        return p->n_distinct;
    case FT_TAKE_AGE:
        return age_days(p);
    default:
        break;
    }
    if (p->n == 0)
        return f->empty;
    switch (f->take) {
    case FT_TAKE_MEAN:
        return mean_of(p);
    case FT_TAKE_STD:
        return deviation_of(p);
    case FT_TAKE_NIGHT_SHARE:
        return (double)p->nights / p->n;
    case FT_TAKE_SINCE_LAST:
        return since_minutes(p);
    case FT_TAKE_LOG_RATIO_MEAN:
        return log1p(p->amount) - log1p(mean_of(p));
    case FT_TAKE_LOG_RATIO_MAX:
        return log1p(p->amount) - log1p(p->max);
    case FT_TAKE_DEVIATION:
        return (p->amount - mean_of(p)) / (deviation_of(p) + 1);
    case FT_TAKE_SCORE_LAST:
        return p->score_last;
    default:
        return p->score_ewma;
    }
}

static double category_value(const struct ft_feature *f, const struct ft_past *p)
{
    if (f->take == FT_TAKE_COUNT)
        return p->n_category;
    if (p->n_category == 0)
        return f->empty;
    if (f->take == FT_TAKE_LOG_MEAN)
        return p->category_log_sum / p->n_category;
    return log1p(p->amount) - p->category_log_sum / p->n_category; /* log_ratio_mean */
}

static double window_value(const struct ft_feature *f, const struct ft_past *p)
{
    const struct ft_window_sum *w = ft_past_window(f, p);

    switch (f->take) {
    case FT_TAKE_COUNT:
        return w->n;
    case FT_TAKE_SUM:
        return w->sum;
    case FT_TAKE_MAX:
        return w->max;
    case FT_TAKE_NIGHT_COUNT:
        return w->nights;
    case FT_TAKE_SAME_CATEGORY:
        return w->same;
    default:
        break;
    }
    if (f->take == FT_TAKE_RATE_RATIO)
        return p->n ? w->n / (p->n / fmax(age_days(p), 1)) : f->empty;
    if (w->n == 0)
        return f->empty;
    switch (f->take) {
    case FT_TAKE_MIN:
        return w->min;
    case FT_TAKE_MEAN:
        return w->sum / w->n;
    case FT_TAKE_SCORE_MAX:
        return (double)w->score_max;
    case FT_TAKE_SCORE_MIN:
        return (double)w->score_min;
    default:
        return w->score_sum / w->n; /* FT_TAKE_SCORE_MEAN */
    }
}

double ft_past_value(const struct ft_scorer *s, const struct ft_feature *f, const struct ft_past *p,
                     const struct ft_customer *c)
{
    if (f->take == FT_TAKE_SCORE_ABOVE)
        return count_above(s, f, p, c);
    if (f->over == FT_OVER_LIFE)
        return life_value(f, p);
    return f->over == FT_OVER_CATEGORY ? category_value(f, p) : window_value(f, p);
}
