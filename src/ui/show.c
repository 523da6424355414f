/* How things are shown: masked people, merchants, times; and reading members of answers. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "fraudtop/text.h"

const char *ft_show_id(const struct ft_uuid *id, char out[FT_SHORT_ID])
{
    char text[FT_UUID_TEXT + 1];

    ft_uuid_format(id, text);
    memcpy(out, text + FT_UUID_TEXT + 1 - FT_SHORT_ID, FT_SHORT_ID);
    return out;
}

const char *ft_show_threshold(double x, char out[FT_THRESHOLD_TEXT])
{
    double room = x < 0.5 ? x : 1 - x;

    for (int decimals = 3; decimals <= 9; decimals++) {
        snprintf(out, FT_THRESHOLD_TEXT, "%.*f", decimals, x);
        if (fabs(strtod(out, NULL) - x) <= 0.05 * room + 1e-12)
            break;
    }
    return out;
}

void ft_show_customer(const struct ft_con *c, const char *name_1, const char *name_2, char *out,
                      size_t size)
{
    char initial[8] = "";
    size_t n;

    if (!*name_1 && !*name_2)
        snprintf(out, size, "?");
    else if (!c->masked)
        snprintf(out, size, "%s%s%s", name_1, *name_1 && *name_2 ? " " : "", name_2);
    else {
        if (*name_1) {
            uint32_t ch = ft_char_next(ft_span_of(name_1), &n);

            if (n < sizeof(initial) && ft_char_width(ch) > 0)
                memcpy(initial, name_1, n);
        }
        snprintf(out, size, "%s%s%s", initial, *initial ? ". " : "", *name_2 ? name_2 : "***");
    }
}

const char *ft_show_merchant(const struct ft_con *c, const char *merchant)
{
    const char *prefix = c->opts.strip_prefix;
    size_t n = prefix ? strlen(prefix) : 0;

    return n && strncmp(merchant, prefix, n) == 0 && merchant[n] ? merchant + n : merchant;
}

void ft_path_fit(char *out, size_t size, const char *path, int w, bool ascii)
{
    const char *p = path;

    while (*p && ft_text_width(ft_span_of(p)) > w - (p > path)) {
        size_t n;

        ft_char_next(ft_span_of(p), &n);
        p += n;
    }
    snprintf(out, size, "%s%s", p == path ? "" : ascii ? "~" : "\xE2\x80\xA6", p);
}

void ft_show_clock(const struct ft_con *c, int64_t wall_ms, char *out, size_t size)
{
    ft_fmt_clock(out, size, wall_ms, c->utc_offset_s);
}

void ft_show_date(const struct ft_con *c, int64_t wall_ms, char *out, size_t size)
{
    time_t t = (time_t)(wall_ms / 1000 + c->utc_offset_s);
    struct tm tm;

    if (wall_ms <= 0 || !gmtime_r(&t, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(out, size, "?");
}

void ft_show_waiting(int64_t ms, char *out, size_t size)
{
    int64_t step = ms < 60000 ? 10000 : 60000;

    ft_fmt_age(out, size, ms < 0 ? 0 : ms / step * step);
}

/* ---- members of answers --------------------------------------------------------------------------- */

double ft_js_number(const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(m) ? m->valuedouble : (double)NAN;
}

const char *ft_js_text(const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(m) ? m->valuestring : "";
}

bool ft_js_true(const cJSON *o, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, name));
}

/* Days since 1970 of a date (Howard Hinnant's days_from_civil). */
static int64_t days(int y, int m, int d)
{
    int64_t era;
    int yoe, doy, doe;

    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = (int)(y - era * 400);
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

int64_t ft_js_time(const cJSON *o, const char *name)
{
    int y, mo, d, h, mi, s;

    if (sscanf(ft_js_text(o, name), "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &y, &mo, &d, &h, &mi, &s) !=
            6 ||
        mo < 1 || mo > 12)
        return 0;
    return ((days(y, mo, d) * 24 + h) * 60 + mi) * 60000 + (int64_t)s * 1000;
}

static void copy(const cJSON *o, const char *name, char *out, size_t size)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    if (cJSON_IsNumber(m))
        snprintf(out, size, "%.15g", m->valuedouble);
    else
        snprintf(out, size, "%s", cJSON_IsString(m) ? m->valuestring : "");
}

void ft_js_case(const cJSON *o, struct ft_flagged *r)
{
    const char *status = ft_js_text(o, "status");
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(o, "label");

    memset(r, 0, sizeof(*r));
    ft_uuid_parse(&r->id, ft_span_of(ft_js_text(o, "transaction_id")));
    r->score = ft_js_number(o, "score");
    r->threshold = ft_js_number(o, "threshold");
    copy(o, "amount", r->amount, sizeof(r->amount));
    copy(o, "event", r->event, sizeof(r->event));
    r->arrived_ms = ft_js_time(o, "arrived");
    copy(o, "merchant", r->merchant, sizeof(r->merchant));
    copy(o, "category", r->category, sizeof(r->category));
    copy(o, "name_1", r->name_1, sizeof(r->name_1));
    copy(o, "name_2", r->name_2, sizeof(r->name_2));
    copy(o, "street", r->street, sizeof(r->street));
    copy(o, "city", r->city, sizeof(r->city));
    copy(o, "state", r->state, sizeof(r->state));
    copy(o, "gender", r->gender, sizeof(r->gender));
    copy(o, "why", r->why, sizeof(r->why));
    r->distance_km = ft_js_number(o, "distance_km");
    r->label = cJSON_IsNumber(label) ? (int8_t)(label->valuedouble > 0) : -1;
    r->status = *status ? *status : 'o';
    copy(o, "claimed_by", r->claimed_by, sizeof(r->claimed_by));
    r->claimed_ms = ft_js_time(o, "claimed_at");
    r->sampled = ft_js_true(o, "sampled");
}
