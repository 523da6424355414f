/* Case: why was this flagged, and what did this customer and this merchant do before? */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"
#include "fraudtop/txn.h"

static const char *const pane_name[FT_N_CASE_PANES] = {"overview", "fields", "why", "customer",
                                                       "merchant", "audit",  "raw"};

static const cJSON *part(const struct ft_con *c, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(c->cs.data.json, name);
}

/* ---- opening -------------------------------------------------------------------------------------- */

static void answered(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    struct ft_flagged row;

    if (ft_uuid_cmp(&c->cs.asked, &c->cs.id) != 0) { /* of the one that was shown before */
        ft_case_reload(c);
        return;
    }
    if (a->ok) {
        ft_js_case(json, &row);
        c->cs.row = row;
    }
    ft_loaded_take(c, &c->cs.data, a);
}

void ft_case_reload(struct ft_con *c)
{
    char id[FT_UUID_TEXT + 1], args[80];

    ft_uuid_format(&c->cs.id, id);
    snprintf(args, sizeof(args), "{\"transaction_id\":\"%s\"}", id);
    if (ft_con_load(c, &c->cs.data, FT_ASK_CASE, answered, args))
        c->cs.asked = c->cs.id;
}

static bool is_shown(const struct ft_con *c, const struct ft_uuid *id)
{
    return c->cs.opened && ft_uuid_cmp(&c->cs.id, id) == 0;
}

/* Another case takes the place of the one that was shown. */
static void show(struct ft_con *c, const struct ft_uuid *id, const struct ft_flagged *row)
{
    struct ft_flagged known = {
        .id = *id, .score = (double)NAN, .threshold = (double)NAN, .label = -1};

    if (is_shown(c, id))
        return;
    if (row)
        known = *row;
    ft_loaded_drop(&c->cs.data);
    c->cs.id = *id;
    c->cs.row = known;
    c->cs.n_what_if = 0;
    c->cs.scroll = 0;
    c->cs.opened = true;
}

void ft_case_open(struct ft_con *c, const struct ft_uuid *id, const struct ft_flagged *row)
{
    enum ft_place top = ft_con_top(c);

    show(c, id, row);
    if (top != FT_PLACE_CASE)
        c->cs.from = top;
    /* It stands beside the list, the next free one too, which was not selected in it. */
    if (c->cs.from == FT_PLACE_QUEUE)
        ft_list_select(&c->queue, id, c->now_ms);
    ft_case_reload(c);
    ft_con_push(c, FT_PLACE_CASE);
}

void ft_case_peek(struct ft_con *c, const struct ft_flagged *row)
{
    const struct ft_flagged *known = &c->cs.row;
    bool same = is_shown(c, &row->id) && c->cs.data.have && known->status == row->status &&
                strcmp(known->claimed_by, row->claimed_by) == 0;

    if (same || (is_shown(c, &row->id) && (c->cs.data.asked || c->cs.data.failed)))
        return;
    show(c, &row->id, row);
    c->cs.pane = FT_CASE_OVERVIEW;
    c->cs.from = FT_PLACE_QUEUE;
    ft_case_reload(c);
}

/* ---- pieces --------------------------------------------------------------------------------------- */

static const char *weekday(const char *event)
{
    static const char *const names[] = {" Mon", " Tue", " Wed", " Thu", " Fri", " Sat", " Sun"};
    struct ft_time t;

    return ft_parse_time(ft_span_of(event), &t) ? names[t.weekday] : "";
}

static void draw_facts(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_flagged *r = &c->cs.row;
    const cJSON *data = part(c, "data");
    char arrived[24], amount[40], who[120];
    int half = b.w * 45 / 80, x = b.x + half, w = b.w - half;
    const char *model = half < 44 ? "" : ft_js_text(c->cs.data.json, "model");

    ft_show_date(c, r->arrived_ms, arrived, sizeof(arrived));
    ft_fmt_amount(amount, sizeof(amount), ft_span_of(r->amount));
    ft_show_customer(c, r->name_1, r->name_2, who, sizeof(who));
    ft_putf(cv, b.y, b.x + 1, half - 2, r->score >= 0.9 ? FT_ROLE_FRAUD : FT_ROLE_STRONG,
            isnan(r->threshold) ? "score %.3f  (not by a scorer of ours)"
                                : "score %.3f  (threshold %.3f%s%.*s)",
            r->score, r->threshold, *model ? ", " : "", half - 34, model);
    ft_putf(cv, b.y + 1, b.x + 1, half - 2, FT_ROLE_NORMAL, "event   %s%s",
            *r->event ? r->event : "?", weekday(r->event));
    ft_putf(cv, b.y + 2, b.x + 1, half - 2, FT_ROLE_NORMAL, "arrived %s", arrived);
    ft_putf(cv, b.y + 3, b.x + 1, half - 2, FT_ROLE_MASKED, "card    %s, %s%s%s", who,
            *r->gender ? r->gender : "?", data ? ", " : "", ft_js_text(data, "jobs"));
    ft_putf(cv, b.y, x, w, FT_ROLE_STRONG, "amount   %s", *amount ? amount : "?");
    ft_putf(cv, b.y + 1, x, w, FT_ROLE_NORMAL, "merchant %s",
            *r->merchant ? ft_show_merchant(c, r->merchant) : "?");
    ft_putf(cv, b.y + 2, x, w, FT_ROLE_NORMAL, "category %s", *r->category ? r->category : "?");
    if (isnan(r->distance_km))
        ft_putf(cv, b.y + 3, x, w, FT_ROLE_NORMAL, "home     %s %s", r->city, r->state);
    else
        ft_putf(cv, b.y + 3, x, w, FT_ROLE_NORMAL, "home     %s %s, %.0f km", r->city, r->state,
                r->distance_km);
}

static double contributions(const struct ft_con *c)
{
    const cJSON *one;
    double sum = 0, others = ft_js_number(part(c, "others"), "contribution");

    cJSON_ArrayForEach(one, part(c, "reasons"))
    {
        double v = ft_js_number(one, "contribution");

        sum += isnan(v) ? 0 : v;
    }
    return sum + (isnan(others) ? 0 : others);
}

/*
 * "exact" is a claim: only when base and contributions give the raw score.  Without the model that scored there are only the
 * reasons that the verdict brought.
 */
static const char *method(const struct ft_con *c)
{
    const cJSON *json = c->cs.data.json;
    double raw = ft_js_number(json, "raw"), base = ft_js_number(json, "base"),
           gap = fabs(base + contributions(c) - raw);

    if (cJSON_GetArraySize(part(c, "reasons")) == 0)
        return "none";
    if (isnan(base))
        return "as sent";
    return strcmp(ft_js_text(json, "method"), "exact") == 0 && gap <= 1e-6 * fmax(1, fabs(raw))
               ? "exact"
               : "approximate";
}

/* The value of a feature as people read it. */
static void reason_value(const struct ft_con *c, const cJSON *one, char *out, size_t size)
{
    const char *value = ft_js_text(one, "value"), *feature = ft_js_text(one, "feature");

    if (strcmp(feature, "amount") == 0)
        ft_fmt_amount(out, size, ft_span_of(value));
    else if (strcmp(feature, "merch") == 0)
        snprintf(out, size, "%s", ft_show_merchant(c, value));
    else
        ft_fmt_value(out, size, value);
}

static void draw_reason(const struct ft_con *c, struct ft_canvas *cv, int y, struct ft_box b,
                        const cJSON *one, double most)
{
    double v = ft_js_number(one, "contribution");
    const char *text = ft_js_text(one, "text");
    bool wide = b.w >= 100;
    int bar = wide        ? 18
              : b.w >= 76 ? 14
                          : 10,
        x = b.x + 8 + bar + 2, room = b.w - (x - b.x) - 17, used;
    char value[160];

    reason_value(c, one, value, sizeof(value));
    ft_putf(cv, y, b.x + 1, 6, v > 0 ? FT_ROLE_FRAUD : FT_ROLE_GOOD, "%+.1f", v);
    ft_hbar(cv, y, b.x + 8, bar, v > 0 ? FT_ROLE_FRAUD : FT_ROLE_GOOD, fabs(v) / most);
    ft_put(cv, y, x, 16, FT_ROLE_NORMAL, ft_js_text(one, "feature"));
    used = ft_put(cv, y, x + 17, wide ? 20 : room, FT_ROLE_STRONG, value);
    used = wide ? 21 : used ? used + 2 : 0; /* columns where there is room for them */
    ft_put(cv, y, x + 17 + used, room - used, FT_ROLE_MUTED, text);
}

static void draw_why(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int scroll)
{
    const cJSON *json = c->cs.data.json, *reasons = part(c, "reasons"), *others = part(c, "others"),
                *usual = part(c, "usual"), *one;
    double most = 0.1, rest = ft_js_number(others, "contribution");
    char title[120];
    int n = 0, most_rows = b.h - 1 - (others && b.h > 2 ? 1 : 0);

    if (isnan(ft_js_number(json, "base")))
        snprintf(title, sizeof(title), "why: the strongest reasons, raw score %+.1f",
                 ft_js_number(json, "raw"));
    else
        snprintf(title, sizeof(title), "why: base %+.1f, features %+.1f, raw score %+.1f",
                 ft_js_number(json, "base"), contributions(c), ft_js_number(json, "raw"));
    if (strcmp(method(c), "none") == 0) {
        ft_title(c, cv, b.y, b.x, b.w, "why", "no reasons");
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
               "This verdict came without reasons (stored by hand, or by another scorer).");
        if (usual && b.h > 2)
            ft_putf(cv, b.y + 2, b.x + 1, b.w - 1, FT_ROLE_NORMAL,
                    "amount %s   usual %.2f, max %.2f", c->cs.row.amount,
                    ft_js_number(usual, "mean"), ft_js_number(usual, "max"));
        return;
    }
    ft_title(c, cv, b.y, b.x, b.w, title, method(c));
    cJSON_ArrayForEach(one, reasons) most = fmax(most, fabs(ft_js_number(one, "contribution")));
    cJSON_ArrayForEach(one, reasons)
    {
        if (n >= scroll && n - scroll < most_rows)
            draw_reason(c, cv, b.y + 1 + n - scroll, b, one, most);
        n++;
    }
    n = n - scroll < most_rows ? n - scroll : most_rows;
    if (others && n + 1 < b.h && n >= 0)
        ft_putf(cv, b.y + 1 + n, b.x + 1, b.w - 1, FT_ROLE_MUTED,
                "%+.1f   %.0f other features together", rest, ft_js_number(others, "n"));
}

/* What a verdict carries is oldest first; what lies nearest to the transaction says most. */
static cJSON *newest_first(const cJSON *rows)
{
    cJSON *out = cJSON_CreateArray(), *copy;
    int n = cJSON_GetArraySize(rows);
    const cJSON *one;
    bool rising = strcmp(ft_js_text(cJSON_GetArrayItem(rows, 0), "time"),
                         ft_js_text(cJSON_GetArrayItem(rows, n - 1), "time")) < 0;

    cJSON_ArrayForEach(one, rows)
    {
        copy = cJSON_Duplicate(one, true);
        if (rising)
            cJSON_InsertItemInArray(out, 0, copy);
        else
            cJSON_AddItemToArray(out, copy);
    }
    return out;
}

static void past_amount(const cJSON *one, char *out, size_t size)
{
    const cJSON *amount = cJSON_GetObjectItemCaseSensitive(one, "amount");
    char number[48];

    if (cJSON_IsNumber(amount))
        snprintf(number, sizeof(number), "%.2f", amount->valuedouble);
    else
        snprintf(number, sizeof(number), "%s", ft_js_text(one, "amount"));
    ft_fmt_amount(out, size, ft_span_of(number));
}

/* ---- in a line ------------------------------------------------------------------------------------ */

void ft_case_why_line(const struct ft_con *c, char *out, size_t size)
{
    const cJSON *one;
    size_t used = 0;

    snprintf(out, size, "%s", c->cs.row.why);
    cJSON_ArrayForEach(one, part(c, "reasons"))
    {
        char value[48];

        reason_value(c, one, value, sizeof(value));
        used +=
            (size_t)snprintf(out + used, size - used, "%s%+.1f %s %s", used ? "   " : "",
                             ft_js_number(one, "contribution"), ft_js_text(one, "feature"), value);
        if (used >= size)
            break;
    }
}

static void usual_amounts(const struct ft_con *c, char mean[40], char max[40])
{
    const cJSON *usual = part(c, "usual");
    char text[48];

    snprintf(text, sizeof(text), "%.2f", ft_js_number(usual, "mean"));
    ft_fmt_amount(mean, 40, ft_span_of(text));
    snprintf(text, sizeof(text), "%.2f", ft_js_number(usual, "max"));
    ft_fmt_amount(max, 40, ft_span_of(text));
}

void ft_case_usual_line(const struct ft_con *c, char *out, size_t size)
{
    double n = ft_js_number(part(c, "usual"), "count");
    char mean[40], max[40];

    *out = '\0';
    usual_amounts(c, mean, max);
    if (n >= 1)
        snprintf(out, size, "usual %s, max %s (%.0f tx)", mean, max, n);
    else if (n >= 0)
        snprintf(out, size, "first known of this customer");
}

/* The newest two of the history. */
void ft_case_before_line(const struct ft_con *c, char *out, size_t size)
{
    cJSON *history = newest_first(part(c, "history"));
    size_t used = 0;

    *out = '\0';
    for (int i = 0; i < 2 && i < cJSON_GetArraySize(history) && used < size; i++) {
        const cJSON *one = cJSON_GetArrayItem(history, i);
        const char *time = ft_js_text(one, "time");
        char amount[40];

        past_amount(one, amount, sizeof(amount));
        used += (size_t)snprintf(out + used, size - used, "%s%.11s %s %.16s %.3f",
                                 used ? "   " : "", strlen(time) > 5 ? time + 5 : time, amount,
                                 ft_show_merchant(c, ft_js_text(one, "merchant")),
                                 ft_js_number(one, "score"));
    }
    cJSON_Delete(history);
}

static void draw_what_if(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    char key[16], right[48];

    snprintf(right, sizeof(right), "%s change a value",
             ft_keymap_name(&c->keymap, FT_ACT_WHAT_IF, key, sizeof(key)));
    ft_title(c, cv, b.y, b.x, b.w, "what if", right);
    if (c->cs.n_what_if == 0 && b.h > 1)
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED,
               "nothing tried yet; nothing of it is stored");
    for (size_t i = 0; i < c->cs.n_what_if && (int)i + 1 < b.h; i++) {
        const struct ft_what_if *w = &c->cs.what_if[i];
        enum ft_role role = isnan(w->score) ? FT_ROLE_MUTED : FT_ROLE_NORMAL;
        char score[40] = "scoring ...";
        int y = b.y + 1 + (int)i, used, score_w;

        if (!isnan(w->score))
            snprintf(score, sizeof(score), "score %.3f -> %.3f", c->cs.row.score, w->score);
        score_w = (int)strlen(score); /* it stays, whatever else must be cut */
        used = ft_putf(cv, y, b.x + 1, b.w - 5 - score_w, role, "%s %s -> %s", w->column, w->from,
                       w->to);
        ft_put(cv, y, b.x + 4 + used, score_w, role, score);
    }
}

static void draw_past(const struct ft_con *c, struct ft_canvas *cv, int y, struct ft_box b,
                      const cJSON *one, bool with_customer)
{
    const char *time = ft_js_text(one, "time"), *verdict = ft_js_text(one, "status");
    double score = ft_js_number(one, "score");
    char amount[40], what[160], who[120];

    if (!*time)
        time = ft_js_text(one, "event");
    past_amount(one, amount, sizeof(amount));
    ft_show_customer(c, ft_js_text(one, "name_1"), ft_js_text(one, "name_2"), who, sizeof(who));
    snprintf(what, sizeof(what), "%s",
             with_customer ? who : ft_show_merchant(c, ft_js_text(one, "merchant")));
    ft_putf(cv, y, b.x + 1, 14, FT_ROLE_NORMAL, "%s", strlen(time) > 5 ? time + 5 : time);
    ft_put_right(cv, y, b.x + 16, 10, FT_ROLE_NORMAL, amount);
    ft_put(cv, y, b.x + 28, 14, FT_ROLE_NORMAL, ft_js_text(one, "category"));
    ft_put(cv, y, b.x + 43, b.w - 43 - 18, with_customer ? FT_ROLE_MASKED : FT_ROLE_NORMAL, what);
    if (!isnan(score))
        ft_putf(cv, y, b.x + b.w - 17, 6,
                score > c->live->threshold ? FT_ROLE_FRAUD : FT_ROLE_NORMAL, "%.3f", score);
    if (*verdict && strcmp(verdict, "open") != 0)
        ft_put(cv, y, b.x + b.w - 10, 10, FT_ROLE_STRONG, verdict);
}

static int draw_rows(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b,
                     const cJSON *rows, int scroll, bool with_customer)
{
    const cJSON *one;
    int n = 0;

    cJSON_ArrayForEach(one, rows)
    {
        if (n >= scroll && n - scroll < b.h)
            draw_past(c, cv, b.y + n - scroll, b, one, with_customer);
        n++;
    }
    return n - scroll < b.h ? n - scroll : b.h;
}

static void draw_customer(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int scroll)
{
    const cJSON *flagged = part(c, "customer"), *usual = part(c, "usual");
    cJSON *history;
    char right[140], mean[40], max[40];
    double n = ft_js_number(usual, "count");
    int used, others = cJSON_GetArraySize(flagged), known = cJSON_GetArraySize(part(c, "history"));

    usual_amounts(c, mean, max);
    if (n >= 1)
        snprintf(right, sizeof(right), "%.0f tx, usual %s, max %s, %d more flagged", n, mean, max,
                 others);
    else
        snprintf(right, sizeof(right), "%d more flagged", others);
    if (n >= 1 && (int)strlen(right) + 26 > b.w) /* a rule says all of it or nothing */
        snprintf(right, sizeof(right), "%.0f tx, %d more flagged", n, others);
    ft_title(c, cv, b.y, b.x, b.w, "customer history", right);
    b.y++, b.h--;
    if (known + others == 0) {
        ft_put(cv, b.y, b.x + 1, b.w - 1, FT_ROLE_MUTED,
               isnan(n) ? "not known: this model keeps no history, and nothing else was flagged"
                        : "this is the first that is known of this customer");
        return;
    }
    history = newest_first(part(c, "history"));
    used = draw_rows(c, cv, b, history, scroll, false);
    cJSON_Delete(history);
    used = used < 0 ? 0 : used;
    scroll -= known;
    if (b.h - used > 1 && others && known && scroll <= 0) {
        ft_put(cv, b.y + used, b.x + 1, b.w - 1, FT_ROLE_MUTED, "others that were flagged:");
        used++;
    }
    draw_rows(c, cv, (struct ft_box){b.y + used, b.x, b.h - used, b.w}, flagged,
              scroll > 0 ? scroll : 0, false);
}

static void draw_merchant(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int scroll)
{
    const cJSON *cases = part(c, "merchant_cases"), *stats = part(c, "merchant_stats");
    char right[80] = "", left[160];

    if (stats)
        snprintf(right, sizeof(right), "%.0f flagged, %.0f confirmed fraud",
                 ft_js_number(stats, "flagged"), ft_js_number(stats, "fraud"));
    snprintf(left, sizeof(left), "same merchant: %s", ft_show_merchant(c, c->cs.row.merchant));
    ft_title(c, cv, b.y, b.x, b.w, left, right);
    if (cJSON_GetArraySize(cases) == 0)
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED,
               "nothing else was flagged at this merchant");
    else
        draw_rows(c, cv, (struct ft_box){b.y + 1, b.x, b.h - 1, b.w}, cases, scroll, true);
}

static void draw_events(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int scroll)
{
    const cJSON *events = part(c, "events"), *one;
    int n = 0;

    ft_title(c, cv, b.y, b.x, b.w, "notes and decisions", "append only");
    if (cJSON_GetArraySize(events) == 0)
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED, "none yet");
    cJSON_ArrayForEach(one, events)
    {
        char when[24], text[300];

        ft_show_clock(c, ft_js_time(one, "at"), when, sizeof(when));
        snprintf(text, sizeof(text), "%s %-8s %-10s %s%s%s%s%s", when, ft_js_text(one, "by"),
                 *ft_js_text(one, "verdict") ? ft_js_text(one, "verdict") : ft_js_text(one, "kind"),
                 ft_js_text(one, "reason"), *ft_js_text(one, "reason") ? "  " : "",
                 *ft_js_text(one, "until") ? "until " : "", ft_js_text(one, "until"),
                 *ft_js_text(one, "until") ? "  " : "");
        if (n >= scroll && n - scroll < b.h - 1) {
            int x = ft_put(cv, b.y + 1 + n - scroll, b.x + 1, b.w - 1, FT_ROLE_NORMAL, text);

            ft_put(cv, b.y + 1 + n - scroll, b.x + 1 + x, b.w - 1 - x, FT_ROLE_STRONG,
                   ft_js_text(one, "note"));
        }
        n++;
    }
}

/* A member of the data as it may be shown. */
static void field_text(const struct ft_con *c, const cJSON *m, char *out, size_t size)
{
    const char *name = m->string ? m->string : "";
    size_t n;

    if (cJSON_IsNumber(m))
        snprintf(out, size, "%.15g", m->valuedouble);
    else if (cJSON_IsNull(m))
        snprintf(out, size, "%s", "(empty)");
    else
        snprintf(out, size, "%s", cJSON_IsString(m) ? m->valuestring : "...");
    if (!c->masked)
        return;
    if (strcmp(name, "street") == 0 || strcmp(name, "birth_date") == 0 || strcmp(name, "dob") == 0)
        snprintf(out, size, "***");
    else if (strcmp(name, "name_1") == 0 && *out) {
        ft_char_next(ft_span_of(out), &n);
        if (n + 2 <= size)
            memcpy(out + n, ".", 2);
    }
}

static void draw_fields(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int scroll)
{
    const cJSON *one;
    int n = 0;

    ft_title(c, cv, b.y, b.x, b.w, "fields, as they came", c->masked ? "masked" : "");
    cJSON_ArrayForEach(one, part(c, "data"))
    {
        char text[300];

        field_text(c, one, text, sizeof(text));
        if (n >= scroll && n - scroll < b.h - 1) {
            ft_put(cv, b.y + 1 + n - scroll, b.x + 1, 18, FT_ROLE_STRONG, one->string);
            ft_put(cv, b.y + 1 + n - scroll, b.x + 20, b.w - 20, FT_ROLE_NORMAL, text);
        }
        n++;
    }
    if (n == 0)
        ft_put(cv, b.y + 1, b.x + 1, b.w - 1, FT_ROLE_MUTED,
               "not known: only the score was stored");
}

/* All that the answer holds, masked where it must be, as lines of JSON. */
char *ft_case_raw(const struct ft_con *c)
{
    cJSON *copy = cJSON_Duplicate(c->cs.data.json, true), *data, *one;
    char text[300], *out;

    if (!copy)
        return NULL;
    data = cJSON_GetObjectItemCaseSensitive(copy, "data");
    cJSON *const where[] = {copy, data, NULL};
    if (c->masked) {
        for (int i = 0; where[i]; i++)
            cJSON_ArrayForEach(one, where[i]) if (cJSON_IsString(one))
            {
                field_text(c, one, text, sizeof(text));
                if (strcmp(text, one->valuestring) != 0)
                    cJSON_SetValuestring(one, text);
            }
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "customer");
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "merchant_cases");
    }
    out = cJSON_Print(copy);
    cJSON_Delete(copy);
    return out;
}

static void draw_raw(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b, int scroll)
{
    char *text = ft_case_raw(c), *p = text;
    int n = 0;

    ft_title(c, cv, b.y, b.x, b.w, "raw", c->masked ? "masked" : "");
    while (p && *p) {
        size_t len = strcspn(p, "\n");
        char line[300];

        if (n >= scroll && n - scroll < b.h - 1) {
            size_t k = 0;

            for (size_t i = 0; i < len && k + 4 < sizeof(line); i++)
                if (p[i] == '\t')
                    line[k++] = ' ', line[k++] = ' ';
                else
                    line[k++] = p[i];
            line[k] = '\0';
            ft_put(cv, b.y + 1 + n - scroll, b.x + 1, b.w - 1, FT_ROLE_NORMAL, line);
        }
        n++;
        p += len + (p[len] == '\n');
    }
    free(text);
}

/* ---- the screen ----------------------------------------------------------------------------------- */

#define TITLE_MORE 10 /* what a title needs beside its two texts */

static void status_text(const struct ft_con *c, int w, char *out, size_t size)
{
    const struct ft_flagged *r = &c->cs.row;
    const char *what = r->status == 'f'   ? "FRAUD"
                       : r->status == 'l' ? "LEGITIMATE"
                       : r->status == 'e' ? "ESCALATED"
                       : r->status == 's' ? "SNOOZED"
                                          : "OPEN";
    const char *who;
    char age[24];

    if (!r->claimed_by[0]) {
        snprintf(out, size, "%s", what);
        return;
    }
    who = strcmp(r->claimed_by, c->live->user) == 0 ? "you" : r->claimed_by;
    ft_show_waiting(c->wall_ms - r->claimed_ms, age, sizeof(age));
    if (snprintf(out, size, "%s  claimed by %s %s", what, who, age) + TITLE_MORE + 15 > w)
        snprintf(out, size, "%s  %.11s", what, who);
}

static void draw_overview(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    int reasons = cJSON_GetArraySize(part(c, "reasons")), why = (reasons ? reasons : 1) + 2,
        y = b.y, tries = c->cs.n_what_if ? (int)c->cs.n_what_if : 1,
        events = cJSON_GetArraySize(part(c, "events")), left;
    bool merchant = b.h >= 26;

    if (b.h < 12) { /* little room: the reasons have it, but for what was tried and written */
        int tried = c->cs.n_what_if ? tries + 1 : 0, written = events ? 2 : 0;

        draw_why(c, cv, (struct ft_box){y, b.x, b.h - tried - written, b.w}, 0);
        if (tried)
            draw_what_if(c, cv, (struct ft_box){y + b.h - tried - written, b.x, tried, b.w});
        if (written)
            draw_events(c, cv, (struct ft_box){y + b.h - written, b.x, written, b.w}, 0);
        return;
    }
    why = why > b.h / 3 ? b.h / 3 : why;
    draw_why(c, cv, (struct ft_box){y, b.x, why, b.w}, 0);
    y += why;
    draw_what_if(c, cv, (struct ft_box){y, b.x, tries + 1, b.w});
    y += tries + 1;
    left = b.y + b.h - y;
    events = events < 1 ? 1 : events > left / 3 ? left / 3 : events;
    events = events < 1 ? 1 : events;
    if (merchant) {
        int part_h = (left - events - 1) / 2;

        draw_customer(c, cv, (struct ft_box){y, b.x, part_h, b.w}, 0);
        draw_merchant(c, cv, (struct ft_box){y + part_h, b.x, left - events - 1 - part_h, b.w}, 0);
    } else if (left - events - 1 >= 2) {
        draw_customer(c, cv, (struct ft_box){y, b.x, left - events - 1, b.w}, 0);
    }
    draw_events(c, cv, (struct ft_box){b.y + b.h - events - 1, b.x, events + 1, b.w}, 0);
}

static void draw_panes(const struct ft_con *c, struct ft_canvas *cv, int y, int x, int w)
{
    int at = x + 1 + ft_put(cv, y, x + 1, w, FT_ROLE_MUTED, w < 78 ? "Tab" : "Tab next pane:");

    for (int i = 0; i < FT_N_CASE_PANES; i++) {
        bool on = (int)c->cs.pane == i;

        at += 1 + ft_putf(cv, y, at + 1, w - (at - x) - 1, on ? FT_ROLE_STRONG : FT_ROLE_MUTED,
                          on ? "[%s]" : " %s ", pane_name[i]);
    }
}

void ft_case_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    char id[FT_UUID_TEXT + 1], end[FT_SHORT_ID], amount[40], left[64], right[80], age[40];
    struct ft_box body = {b.y + 5, b.x, b.h - 6, b.w};

    const char *state;

    ft_uuid_format(&c->cs.id, id);
    status_text(c, b.w, right, sizeof(right));
    state = ft_loaded_age(c, &c->cs.data, age, sizeof(age), right);
    snprintf(left, sizeof(left), "tx %s", id);
    if ((int)(strlen(left) + strlen(state)) + TITLE_MORE > b.w) /* who has it comes first */
        snprintf(left, sizeof(left), "tx %s", ft_show_id(&c->cs.id, end));
    ft_title(c, cv, b.y, b.x, b.w, left, state);
    if (b.h >= 12) {
        draw_facts(c, cv, (struct ft_box){b.y + 1, b.x, 4, b.w});
    } else {
        body = (struct ft_box){b.y + 2, b.x, b.h - 2, b.w};
        ft_fmt_amount(amount, sizeof(amount), ft_span_of(c->cs.row.amount));
        ft_putf(cv, b.y + 1, b.x, b.w, FT_ROLE_STRONG, "%.3f  %s  %s", c->cs.row.score, amount,
                ft_show_merchant(c, c->cs.row.merchant));
    }
    if (!ft_loaded_draw(c, &c->cs.data, cv, (struct ft_box){body.y + 1, b.x, body.h - 1, b.w})) {
        if (b.h >= 12)
            ft_title(c, cv, body.y, b.x, b.w, "why", "");
        return;
    }
    switch (b.h < 12 && c->cs.pane == FT_CASE_OVERVIEW ? FT_CASE_WHY : c->cs.pane) {
    case FT_CASE_OVERVIEW:
        draw_overview(c, cv, body);
        break;
    case FT_CASE_FIELDS:
        draw_fields(c, cv, body, c->cs.scroll);
        break;
    case FT_CASE_WHY:
        draw_why(c, cv, body, c->cs.scroll);
        break;
    case FT_CASE_CUSTOMER:
        draw_customer(c, cv, body, c->cs.scroll);
        break;
    case FT_CASE_MERCHANT:
        draw_merchant(c, cv, body, c->cs.scroll);
        break;
    case FT_CASE_AUDIT:
        draw_events(c, cv, body, c->cs.scroll);
        break;
    default:
        draw_raw(c, cv, body, c->cs.scroll);
    }
    if (b.h >= 12)
        draw_panes(c, cv, b.y + b.h - 1, b.x, b.w);
}

static void draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    if (cv->cols >= 120 && c->cs.from == FT_PLACE_QUEUE) { /* the list stays at the left */
        ft_views[FT_PLACE_QUEUE]->draw(c, cv, b);
        cv->cursor_x = b.w * 64 / 140 + 1;
        cv->cursor_y = b.y;
        return;
    }
    ft_case_draw(c, cv, b);
    cv->cursor_x = 0;
    cv->cursor_y = b.y;
}

/* ---- what if -------------------------------------------------------------------------------------- */

static void what_if_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    size_t i = c->cs.n_what_if;

    if (i == 0)
        return;
    if (!a->ok) {
        c->cs.n_what_if--;
        ft_say_error(c, "%s", a->error);
        return;
    }
    while (i > 1 && !isnan(c->cs.what_if[i - 1].score))
        i--;
    c->cs.what_if[i - 1].score = ft_js_number(json, "score");
}

static void value_typed(struct ft_con *c, const char *text)
{
    struct ft_what_if *w = &c->cs.what_if[c->cs.n_what_if];
    char id[FT_UUID_TEXT + 1];
    struct ft_buf b;

    snprintf(w->to, sizeof(w->to), "%s", text);
    w->score = (double)NAN;
    ft_uuid_format(&c->cs.id, id);
    ft_buf_init(&b, 4096);
    ft_buf_fmt(&b, "{\"transaction_id\":\"%s\",\"changes\":{", id);
    ft_buf_json(&b, ft_span_of(w->column));
    ft_buf_char(&b, ':');
    ft_buf_json(&b, ft_span_of(text));
    ft_buf_text(&b, "}}");
    if (!b.failed && ft_con_ask(c, FT_ASK_WHAT_IF, what_if_answer, b.p))
        c->cs.n_what_if++;
    else
        ft_say_error(c, "This model cannot score again here.");
    ft_buf_fini(&b);
}

static void column_typed(struct ft_con *c, const char *text)
{
    struct ft_what_if *w;
    const cJSON *m;
    char label[120], value[160];

    text = *text ? text : "amount";
    m = cJSON_GetObjectItemCaseSensitive(part(c, "data"), text);
    if (!m) {
        ft_say_error(c, "No column is called \"%s\"; pane fields lists them.", text);
        return;
    }
    if (c->cs.n_what_if == sizeof(c->cs.what_if) / sizeof(*c->cs.what_if)) {
        memmove(&c->cs.what_if[0], &c->cs.what_if[1],
                (c->cs.n_what_if - 1) * sizeof(c->cs.what_if[0]));
        c->cs.n_what_if--;
    }
    w = &c->cs.what_if[c->cs.n_what_if];
    field_text(c, m, value, sizeof(value));
    snprintf(w->column, sizeof(w->column), "%s", text);
    snprintf(w->from, sizeof(w->from), "%s", value);
    snprintf(label, sizeof(label), "%s, now %s: what if", w->column, w->from);
    ft_prompt_text(c, label, "", value_typed);
    c->prompt.required = true;
}

static void what_if(struct ft_con *c)
{
    if (!c->cs.data.have || cJSON_GetArraySize(part(c, "data")) == 0) {
        ft_say(c, "What if needs the transaction's fields, which are not known here.");
        return;
    }
    ft_prompt_text(c, "what if: change which column? (Enter: amount)", "", column_typed);
    snprintf(c->prompt.above, sizeof(c->prompt.above),
             "columns: amount merch cat_id transaction_time one_city us_state ... (pane fields)");
}

/* ---- keys ----------------------------------------------------------------------------------------- */

/* The next or previous transaction of the list that the case came from. */
static void step(struct ft_con *c, int by)
{
    struct ft_list *l = ft_con_list(c);
    const struct ft_flagged *r;
    enum ft_case_pane pane = c->cs.pane;

    if (!l || !l->n_view) {
        ft_say(c, "This transaction was not opened from a list.");
        return;
    }
    if (ft_list_selected(l) && ft_uuid_cmp(&l->sel, &c->cs.id) == 0) {
        if ((by < 0 && l->at == 0) || (by > 0 && l->at + 1 >= l->n_view)) {
            ft_say(c, by < 0 ? "This is the first of the list." : "This is the last of the list.");
            return;
        }
        ft_list_move(l, by, c->now_ms);
    }
    r = ft_list_selected(l);
    if (r)
        ft_case_open(c, &r->id, r);
    c->cs.pane = pane;
}

static bool act(struct ft_con *c, enum ft_act a)
{
    if (c->cs.pane != FT_CASE_OVERVIEW && ft_scroll_act(a, 10, &c->cs.scroll)) {
        if (c->cs.scroll > 400)
            c->cs.scroll = 0;
        return true;
    }
    switch (a) {
    case FT_ACT_DOWN:
    case FT_ACT_UP:
        step(c, a == FT_ACT_DOWN ? 1 : -1);
        return true;
    case FT_ACT_NEXT_PANE:
    case FT_ACT_OPEN:
        c->cs.pane = (c->cs.pane + 1) % FT_N_CASE_PANES;
        c->cs.scroll = 0;
        return true;
    case FT_ACT_PREV_PANE:
        c->cs.pane = (c->cs.pane + FT_N_CASE_PANES - 1) % FT_N_CASE_PANES;
        c->cs.scroll = 0;
        return true;
    case FT_ACT_NEXT_TX:
        step(c, 1);
        return true;
    case FT_ACT_PREV_TX:
        step(c, -1);
        return true;
    case FT_ACT_WHAT_IF:
        what_if(c);
        return true;
    default:
        return ft_review_act(c, a);
    }
}

static void enter(struct ft_con *c)
{
    ft_case_reload(c); /* R: once more, and anew after a failure */
}

static const enum ft_act hints[] = {FT_ACT_DECIDE,  FT_ACT_CLAIM,     FT_ACT_NEXT_TX,
                                    FT_ACT_PREV_TX, FT_ACT_NOTE,      FT_ACT_WHAT_IF,
                                    FT_ACT_COPY_ID, FT_ACT_EXPORT,    FT_ACT_NEXT_PANE,
                                    FT_ACT_UNDO,    FT_ACT_NEXT_FREE, FT_N_ACTS};

const struct ft_view ft_view_case = {.letter = 'C',
                                     .title = "Case",
                                     .tip =
                                         "Tip: {case.whatif} tries another value, {case.forward} "
                                         "and {case.backward} walk the list, "
                                         "{pane.next} shows more, {case.decide} decides",
                                     .hints = hints,
                                     .draw = draw,
                                     .act = act,
                                     .enter = enter,
                                     .can = ft_review_can};
