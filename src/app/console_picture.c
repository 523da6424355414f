/*
 * What the database shows, read once a second by the console's reader.  What changes fast is read each time, the rest
 * less often; the list keeps what it has and takes the newest rows in.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "console_ask.h"
#include "fraudtop/log.h"

#define NEWEST 100     /* rows of the list read each time */
#define SLOW_MS 5000   /* between two readings of the long windows and of the whole list */
#define HOURS_MS 30000 /* between two readings of the hours */
#define FIVE_MIN_MS 300000
#define LONG_WINDOW 20000 /* scores of the five-minute window at the most */

struct ft_picture {
    struct ft_case_totals totals;
    struct ft_scores window[FT_N_WINDOWS];
    struct ft_flagged list[FT_LIVE_FLAGGED];
    size_t n_list;
    int64_t read_ms;
    double ms; /* of one short question */
};

struct ft_picture *ft_picture_new(void)
{
    struct ft_picture *p = calloc(1, sizeof(*p));

    if (p)
        p->totals.oldest_ms = -1;
    return p;
}

void ft_picture_free(struct ft_picture *p)
{
    free(p);
}

static bool has(const struct ft_flagged *list, size_t n, const struct ft_uuid *id)
{
    for (size_t i = 0; i < n; i++)
        if (ft_uuid_cmp(&list[i].id, id) == 0)
            return true;
    return false;
}

/* The newest rows, then what was known before behind them. */
static enum ft_status read_list(struct ft_picture *p, const struct ft_picture *before, bool whole,
                                struct ft_cases *s, struct ft_err *err)
{
    enum ft_status st =
        ft_cases_latest(s, p->list, whole ? FT_LIVE_FLAGGED : NEWEST, &p->n_list, err);
    size_t newest = p->n_list;

    if (st != FT_OK || whole || newest < NEWEST)
        return st;
    for (size_t i = 0; i < before->n_list && p->n_list < FT_LIVE_FLAGGED; i++)
        if (!has(p->list, newest, &before->list[i].id))
            p->list[p->n_list++] = before->list[i];
    return st;
}

/* Of so many hours, the present one among them. */
static enum ft_status read_hours(struct ft_cases *s, int hours, struct ft_scores *out,
                                 struct ft_err *err)
{
    const cJSON *bin;
    cJSON *o;
    char *json;
    size_t i = 0;
    enum ft_status st = ft_cases_histograms(s, hours, &json, err);

    *out = (struct ft_scores){0};
    if (st != FT_OK)
        return st;
    o = cJSON_Parse(json);
    free(json);
    cJSON_ArrayForEach(bin, cJSON_GetObjectItemCaseSensitive(o, "all"))
    {
        if (i < FT_SCORE_BINS && cJSON_IsNumber(bin)) {
            out->bin[i] = (uint64_t)bin->valuedouble;
            out->count += out->bin[i++];
        }
    }
    cJSON_Delete(o);
    return FT_OK;
}

/* The run's histogram: the hours since it began, less what those hours held when it was first seen. */
static enum ft_status read_run(struct ft_picture *p, struct ft_picture_run *r, const char *run,
                               int64_t since_ms, struct ft_cases *s, struct ft_err *err)
{
    bool fresh = !r->since_ms || strcmp(r->run, run) != 0;
    struct ft_scores now;
    enum ft_status st;

    if (fresh) {
        snprintf(r->run, sizeof(r->run), "%s", run);
        r->since_ms = since_ms;
    }
    st = read_hours(s, (int)((ft_wall_ms() - r->since_ms) / 3600000) + 1, &now, err);
    if (st != FT_OK)
        return st;
    if (fresh)
        r->before = now;
    for (size_t i = 0; i < FT_SCORE_BINS; i++) {
        uint64_t had = r->before.bin[i] < now.bin[i] ? r->before.bin[i] : now.bin[i];

        p->window[FT_WIN_RUN].bin[i] = now.bin[i] - had;
    }
    p->window[FT_WIN_RUN].count = now.count > r->before.count ? now.count - r->before.count : 0;
    return FT_OK;
}

enum ft_status ft_picture_read(struct ft_picture *p, const struct ft_picture *before,
                               struct ft_picture_run *r, struct ft_cases *s, const char *run,
                               int64_t since_ms, struct ft_err *err)
{
    int64_t now = ft_now_ms();
    bool slow = now - r->slow_ms >= SLOW_MS || !r->slow_ms,
         hours = now - r->hours_ms >= HOURS_MS || !r->hours_ms;
    uint64_t flagged;
    int64_t start = ft_now_ns();
    enum ft_status st = ft_cases_scores(s, 100, 0, &p->window[FT_WIN_100], &flagged, err);

    p->ms = (double)(ft_now_ns() - start) / 1e6;
    if (st == FT_OK)
        st = read_list(p, before, slow, s, err);
    if (st == FT_OK)
        st = ft_cases_totals(s, &p->totals, err);
    if (st == FT_OK)
        st = ft_cases_scores(s, 1000, 0, &p->window[FT_WIN_1000], &flagged, err);
    if (st == FT_OK && !slow) {
        p->window[FT_WIN_5MIN] = before->window[FT_WIN_5MIN];
        p->window[FT_WIN_RUN] = before->window[FT_WIN_RUN];
    }
    if (st == FT_OK && !hours) {
        p->window[FT_WIN_HOUR] = before->window[FT_WIN_HOUR];
        p->window[FT_WIN_DAY] = before->window[FT_WIN_DAY];
    }
    if (st == FT_OK && slow)
        st = ft_cases_scores(s, LONG_WINDOW, ft_wall_ms() - FIVE_MIN_MS, &p->window[FT_WIN_5MIN],
                             &flagged, err);
    if (st == FT_OK && slow)
        st = read_run(p, r, run, since_ms, s, err);
    if (st == FT_OK && slow)
        r->slow_ms = now;
    if (st == FT_OK && hours)
        st = read_hours(s, 1, &p->window[FT_WIN_HOUR], err);
    if (st == FT_OK && hours)
        st = read_hours(s, 24, &p->window[FT_WIN_DAY], err);
    if (st == FT_OK && hours)
        r->hours_ms = now;
    p->read_ms = ft_now_ms();
    return st;
}

void ft_picture_show(const struct ft_picture *p, struct ft_live *out, struct ft_flagged *shown)
{
    const struct ft_case_totals *t = &p->totals;

    memcpy(out->window, p->window, sizeof(out->window));
    out->db_read = p->read_ms != 0;
    out->db_stored = t->stored;
    out->db_flagged = t->flagged;
    out->has_labels = t->has_labels;
    out->tp = t->tp;
    out->fp = t->fp;
    out->tn = t->tn;
    out->fn = t->fn;
    out->money_flagged = t->money_flagged;
    out->money_missed = t->money_missed;
    out->money_false_alarm = t->money_false_alarm;
    out->queue_open = t->open;
    out->queue_claimed = t->claimed;
    out->queue_over_limit = t->over_limit;
    out->queue_oldest_ms = t->oldest_ms;
    out->decided_today = t->decided_today;
    out->decided_fraud = t->fraud_today;
    out->decided_legitimate = t->legitimate_today;
    out->decided_escalated = t->escalated_today;
    memcpy(shown, p->list, p->n_list * sizeof(*shown));
    out->list = shown;
    out->n_list = p->n_list;
    out->flagged_read_ms = p->read_ms;
    out->pg.ms = p->ms;
}

uint64_t ft_scores_above(const struct ft_scores *s, double threshold)
{
    uint64_t n = 0;

    for (size_t i = ft_score_bin(threshold, FT_SCORE_BINS); i < FT_SCORE_BINS; i++)
        n += s->bin[i];
    return n;
}
