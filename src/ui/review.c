/* Deciding, undoing, claiming, noting: what a reviewer does to a row, wherever it is shown. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define MANY 20 /* more at once want their number typed */

static const char *const fraud_reasons[] = {"card stolen", "account taken over", "merchant",
                                            "other"};
static const char *const legit_reasons[] = {"holder confirms", "usual for this customer",
                                            "known merchant", "other"};

const struct ft_flagged *ft_con_row(const struct ft_con *c)
{
    switch (ft_con_top(c)) {
    case FT_PLACE_LIVE:
        return ft_list_selected(&c->flagged);
    case FT_PLACE_QUEUE:
        return ft_list_selected(&c->queue);
    case FT_PLACE_CASE:
        return &c->cs.row;
    default:
        return NULL;
    }
}

const char *ft_read_only(const struct ft_con *c)
{
    return c->opts.read_only    ? "This console is read only."
           : c->live->read_only ? "Read only: the database role may not write decisions."
                                : NULL;
}

/* Why nothing can be decided now; NULL: it can. */
static const char *refused(const struct ft_con *c)
{
    if (ft_read_only(c))
        return ft_read_only(c);
    if (c->newest->pg.state == FT_PART_NONE)
        return "There is no database here: nothing can be decided.";
    if (c->newest->pg.state == FT_PART_DOWN)
        return "The database is down: decisions are not taken until it is back.";
    return NULL;
}

bool ft_review_can(const struct ft_con *c, enum ft_act act)
{
    const struct ft_flagged *r = ft_con_row(c);

    switch (act) {
    case FT_ACT_DECIDE:
    case FT_ACT_CLAIM:
    case FT_ACT_NOTE:
        return r && !refused(c);
    case FT_ACT_UNDO:
    case FT_ACT_NEXT_FREE:
        return !refused(c);
    case FT_ACT_OPEN:
    case FT_ACT_MARK:
    case FT_ACT_COPY_ID:
    case FT_ACT_EXPORT:
        return r != NULL;
    case FT_ACT_UNMARK:
        return c->queue.n_mark > 0;
    case FT_ACT_FIRST:
        return !c->flagged.following;
    case FT_ACT_WHAT_IF:
        return c->cs.data.have;
    default:
        return true;
    }
}

/* ---- deciding ------------------------------------------------------------------------------------- */

static void forget(struct ft_con *c)
{
    free(c->decide.id);
    memset(&c->decide, 0, sizeof(c->decide));
}

static const struct ft_flagged *find_row(const struct ft_con *c, const struct ft_uuid *id)
{
    const struct ft_list *lists[] = {&c->queue, &c->flagged};

    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < lists[k]->n; i++)
            if (ft_uuid_cmp(&lists[k]->row[i].id, id) == 0)
                return &lists[k]->row[i];
    return ft_uuid_cmp(&c->cs.id, id) == 0 ? &c->cs.row : NULL;
}

/* The marked rows, else the one that is selected; false: none. */
static bool choose(struct ft_con *c)
{
    struct ft_list *l = ft_con_list(c);
    const struct ft_flagged *r = ft_con_row(c);
    size_t n = l && ft_con_top(c) != FT_PLACE_CASE ? l->n_mark : 0;

    forget(c);
    if (n == 0 && !r)
        return false;
    c->decide.id = calloc(n ? n : 1, sizeof(*c->decide.id));
    if (!c->decide.id)
        return false;
    if (n)
        memcpy(c->decide.id, l->mark, n * sizeof(*l->mark));
    else
        c->decide.id[0] = r->id;
    c->decide.n = n ? n : 1;
    return true;
}

static void describe(struct ft_con *c)
{
    char amount[40], *out = c->prompt.above;
    size_t size = sizeof(c->prompt.above), hidden = 0;
    struct ft_list *l = ft_con_list(c);
    double sum = 0, high = 0;
    const struct ft_flagged *r;
    char id[FT_SHORT_ID];

    if (c->decide.n == 1 && (r = find_row(c, &c->decide.id[0]))) {
        ft_fmt_amount(amount, sizeof(amount), ft_span_of(r->amount));
        snprintf(out, size, "1 transaction: tx %s, %s, %s, score %.3f", ft_show_id(&r->id, id),
                 amount, ft_show_merchant(c, r->merchant), r->score);
        return;
    }
    for (size_t i = 0; i < c->decide.n; i++)
        if ((r = find_row(c, &c->decide.id[i]))) {
            sum += strtod(r->amount, NULL);
            high = r->score > high ? r->score : high;
        }
    if (l && ft_con_top(c) != FT_PLACE_CASE)
        hidden = ft_list_marked_hidden(l);
    ft_fmt_count(amount, sizeof(amount), (uint64_t)(sum + 0.5));
    snprintf(out, size, "%zu transactions: sum %s, highest score %.3f", c->decide.n, amount, high);
    if (hidden)
        snprintf(out, size,
                 "%zu transactions (%zu of them HIDDEN by the filter): sum %s, highest score %.3f",
                 c->decide.n, hidden, amount, high);
}

/* An error without the id that it begins with: what it says has more need of the line. */
static const char *without_id(const char *error)
{
    struct ft_uuid id;

    return strlen(error) > FT_UUID_TEXT + 2 && error[FT_UUID_TEXT] == ':' &&
                   ft_uuid_parse(&id, (struct ft_span){error, FT_UUID_TEXT})
               ? error + FT_UUID_TEXT + 2
               : error;
}

static void decided(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    const cJSON *refused_ones = cJSON_GetObjectItemCaseSensitive(json, "refused");
    const cJSON *first = cJSON_GetArrayItem(refused_ones, 0);
    double n = ft_js_number(json, "decided");

    if (!a->ok) {
        if (ft_js_true(json, "unsure"))
            ft_say_error(c, "Look at the case before you decide again: %s", a->error);
        else if (n > 0)
            ft_say_error(c, "%.0f written, the others not: %s", n, a->error);
        else
            ft_say_error(c, "Nothing was written: %s", without_id(a->error));
        ft_queue_reload(c);
        return;
    }
    if (first && n < 1 && cJSON_GetArraySize(refused_ones) == 1)
        ft_say_error(c, "Nothing was written: %s", without_id(ft_js_text(first, "error")));
    else if (first)
        ft_say_error(c, "%.0f written, %d refused; the first: %s", n,
                     cJSON_GetArraySize(refused_ones), without_id(ft_js_text(first, "error")));
    else if (n == 1)
        ft_say(c, "Written: %s. u undoes it.", c->decide.verdict);
    else
        ft_say(c, "Written: %s, %.0f transactions. u undoes the last.", c->decide.verdict, n);
    ft_list_unmark(&c->queue);
    ft_list_unmark(&c->flagged);
    ft_queue_reload(c);
    if (ft_con_top(c) == FT_PLACE_CASE && !first && c->cs.from == FT_PLACE_QUEUE) {
        ft_list_move(&c->queue, 1, c->now_ms);
        ft_con_act(c, FT_ACT_NEXT_TX);
    } else if (ft_con_top(c) == FT_PLACE_CASE) {
        ft_case_reload(c);
    } else if (ft_con_list(c) && c->decide.n == 1 && !first) { /* the next one at once */
        ft_list_move(ft_con_list(c), 1, c->now_ms);
    }
}

static void member(struct ft_buf *b, const char *name, const char *value)
{
    ft_buf_fmt(b, ",\"%s\":", name);
    ft_buf_json(b, ft_span_of(value));
}

static void send_decision(struct ft_con *c)
{
    struct ft_buf b;
    char id[FT_UUID_TEXT + 1];

    ft_buf_init(&b, 1 << 22);
    ft_buf_text(&b, "{\"transaction_ids\":[");
    for (size_t i = 0; i < c->decide.n; i++) {
        ft_uuid_format(&c->decide.id[i], id);
        ft_buf_fmt(&b, "%s\"%s\"", i ? "," : "", id);
    }
    ft_buf_text(&b, "]");
    if (c->decide.n == 1 && c->cs.data.have && ft_con_top(c) == FT_PLACE_CASE &&
        !isnan(ft_js_number(c->cs.data.json, "number")))
        ft_buf_fmt(&b, ",\"numbers\":[%.0f]", ft_js_number(c->cs.data.json, "number"));
    member(&b, "verdict", c->decide.verdict);
    member(&b, "reason", c->decide.reason);
    member(&b, "note", c->decide.note);
    if (c->decide.until[0])
        member(&b, "until", c->decide.until);
    ft_buf_char(&b, '}');
    if (b.failed || !ft_con_ask(c, FT_ASK_DECIDE, decided, b.p))
        ft_say_error(c, "Decisions cannot be taken here.");
    else
        ft_say(c, "Writing ...");
    ft_buf_fini(&b);
}

static void number_typed(struct ft_con *c, const char *text)
{
    if (strtoul(text, NULL, 10) == c->decide.n)
        send_decision(c);
    else
        ft_say_error(c, "That is not %zu: nothing was written.", c->decide.n);
}

static void hidden_answer(struct ft_con *c, const char *text)
{
    if (*text == 'y')
        send_decision(c);
    else
        ft_say(c, "Nothing was written.");
}

static void last_step(struct ft_con *c)
{
    struct ft_list *l = ft_con_list(c);
    char label[100];

    if (c->decide.n > MANY) {
        snprintf(label, sizeof(label), "%s: type the number of transactions to go on",
                 c->decide.verdict);
        ft_prompt_text(c, label, "", number_typed);
    } else if (l && c->decide.n > 1 && ft_con_top(c) != FT_PLACE_CASE && ft_list_marked_hidden(l)) {
        ft_prompt_key(c, "Some are hidden by the filter. Decide these as well?   y yes   n no",
                      "yn", hidden_answer);
    } else {
        send_decision(c);
    }
}

static void note_typed(struct ft_con *c, const char *text)
{
    snprintf(c->decide.note, sizeof(c->decide.note), "%s", text);
    last_step(c);
}

static void ask_note(struct ft_con *c)
{
    bool required = c->opts.note_required || c->decide.verdict[0] == 'e'; /* escalate */
    char label[100];

    snprintf(label, sizeof(label), "%s: note (%sEnter to save, Esc to cancel)", c->decide.verdict,
             required ? "required; " : "");
    ft_prompt_text(c, label, "", note_typed);
    c->prompt.required = required;
}

static void until_typed(struct ft_con *c, const char *text)
{
    int64_t ms;

    if (!ft_parse_age(ft_span_of(text), &ms) || ms < 60000) {
        ft_prompt_text(c, "snooze for how long? 30m, 4h, 2d", text, until_typed);
        return;
    }
    snprintf(c->decide.until, sizeof(c->decide.until), "%s", text);
    ask_note(c);
}

static void reason_chosen(struct ft_con *c, const char *text)
{
    const char *const *reasons = c->decide.verdict[0] == 'f' ? fraud_reasons : legit_reasons;

    snprintf(c->decide.reason, sizeof(c->decide.reason), "%s", reasons[*text - '1']);
    ask_note(c);
}

static void verdict_chosen(struct ft_con *c, const char *text)
{
    snprintf(c->decide.verdict, sizeof(c->decide.verdict), "%s",
             *text == 'f'   ? "fraud"
             : *text == 'l' ? "legitimate"
             : *text == 'e' ? "escalate"
                            : "snooze");
    if (*text == 'f')
        ft_prompt_key(c, "fraud: reason  1 card stolen  2 account taken over  3 merchant  4 other",
                      "1234", reason_chosen);
    else if (*text == 'l')
        ft_prompt_key(c,
                      "legitimate: reason  1 holder confirms  2 usual  3 known merchant  4 other",
                      "1234", reason_chosen);
    else if (*text == 'e')
        ask_note(c);
    else
        ft_prompt_text(c, "snooze for how long? 30m, 4h, 2d", "4h", until_typed);
}

static void decide(struct ft_con *c)
{
    const char *why = refused(c);

    if (why) {
        ft_say_error(c, "%s", why);
        return;
    }
    if (!choose(c)) {
        ft_say(c, "No transaction is selected.");
        return;
    }
    describe(c);
    ft_prompt_key(c, "decide:  f fraud   l legitimate   e escalate   s snooze   Esc cancel", "fles",
                  verdict_chosen);
}

/* ---- undo, claim, note ---------------------------------------------------------------------------- */

static void changed(struct ft_con *c)
{
    ft_queue_reload(c);
    if (ft_con_top(c) == FT_PLACE_CASE)
        ft_case_reload(c);
}

static void undone(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    struct ft_uuid id = {{0}};
    char text[FT_SHORT_ID];

    if (!a->ok) {
        ft_say_error(c, "Not undone: %s", a->error);
    } else {
        ft_uuid_parse(&id, ft_span_of(ft_js_text(json, "transaction_id")));
        ft_say(c, "Undone: %s on tx %s; the Log keeps both.", ft_js_text(json, "verdict"),
               ft_show_id(&id, text));
    }
    changed(c);
}

static void undo_typed(struct ft_con *c, const char *text)
{
    struct ft_buf b;

    ft_buf_init(&b, 4096);
    ft_buf_text(&b, "{\"note\":");
    ft_buf_json(&b, ft_span_of(text));
    ft_buf_char(&b, '}');
    if (b.failed || !ft_con_ask(c, FT_ASK_UNDO, undone, b.p))
        ft_say_error(c, "Nothing can be undone here.");
    ft_buf_fini(&b);
}

static bool ask_about(struct ft_con *c, enum ft_ask_kind kind, const struct ft_uuid *u,
                      const char *more,
                      void (*answered)(struct ft_con *, const struct ft_answer *, const cJSON *))
{
    char id[FT_UUID_TEXT + 1];
    struct ft_buf b;
    bool ok;

    ft_uuid_format(u, id);
    ft_buf_init(&b, 4096);
    ft_buf_fmt(&b, "{\"transaction_id\":\"%s\"%s}", id, more);
    ok = !b.failed && ft_con_ask(c, kind, answered, b.p);
    ft_buf_fini(&b);
    if (!ok)
        ft_say_error(c, "This is not available here.");
    return ok;
}

static void claimed(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    if (!a->ok)
        ft_say_error(c, "Not claimed: %s", without_id(a->error));
    else
        ft_say(c, ft_js_true(json, "claimed") ? "Claimed." : "Released.");
    changed(c);
}

static void claim(struct ft_con *c)
{
    const struct ft_flagged *r = ft_con_row(c);

    if (!r)
        return;
    ask_about(c, FT_ASK_CLAIM, &r->id,
              strcmp(r->claimed_by, c->live->user) == 0 ? ",\"claim\":false" : ",\"claim\":true",
              claimed);
}

static void next_free(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    struct ft_uuid id;

    if (!a->ok)
        ft_say_error(c, "%s", a->error);
    else if (!ft_uuid_parse(&id, ft_span_of(ft_js_text(json, "transaction_id"))))
        ft_say(c, "Nobody waits: every open transaction is claimed.");
    else
        ft_case_open(c, &id, find_row(c, &id));
    ft_queue_reload(c);
}

static void noted(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    if (!a->ok)
        ft_say_error(c, "The note was not written: %s", a->error);
    else
        ft_say(c, "The note is written.");
    changed(c);
}

static void note_for(struct ft_con *c, const char *text)
{
    struct ft_buf b;

    if (!*text || c->decide.n != 1)
        return;
    ft_buf_init(&b, 4096);
    ft_buf_text(&b, ",\"note\":");
    ft_buf_json(&b, ft_span_of(text));
    if (!b.failed)
        ask_about(c, FT_ASK_NOTE, &c->decide.id[0], b.p, noted);
    ft_buf_fini(&b);
}

static void note(struct ft_con *c)
{
    struct ft_list *l = ft_con_list(c);
    size_t marks = l ? l->n_mark : 0;

    if (l)
        l->n_mark = 0; /* a note is for one transaction */
    if (choose(c)) {
        describe(c);
        ft_prompt_text(c, "note (Enter to save, Esc to cancel)", "", note_for);
    }
    if (l)
        l->n_mark = marks;
}

/* ---- copying -------------------------------------------------------------------------------------- */

static void copy_row(struct ft_con *c, const struct ft_flagged *r)
{
    char id[FT_UUID_TEXT + 1], who[120];
    struct ft_buf b;

    ft_uuid_format(&r->id, id);
    ft_show_customer(c, r->name_1, r->name_2, who, sizeof(who));
    ft_buf_init(&b, 8192);
    ft_buf_fmt(&b, "{\"schema\":\"flagged/1\",\"transaction_id\":\"%s\",\"score\":", id);
    ft_buf_double(&b, r->score);
    member(&b, "amount", r->amount);
    member(&b, "event", r->event);
    member(&b, "merchant", r->merchant);
    member(&b, "category", r->category);
    member(&b, "customer", who);
    member(&b, "city", r->city);
    member(&b, "state", r->state);
    member(&b, "why", r->why);
    ft_buf_char(&b, '}');
    if (!b.failed) {
        free(c->clipboard);
        c->clipboard = b.p;
        return;
    }
    ft_buf_fini(&b);
}

bool ft_review_act(struct ft_con *c, enum ft_act act)
{
    const struct ft_flagged *r = ft_con_row(c);
    char id[FT_UUID_TEXT + 1];

    if ((act == FT_ACT_UNDO || act == FT_ACT_CLAIM || act == FT_ACT_NEXT_FREE ||
         act == FT_ACT_NOTE) &&
        refused(c)) {
        ft_say_error(c, "%s", refused(c));
        return true;
    }
    switch (act) {
    case FT_ACT_DECIDE:
        decide(c);
        return true;
    case FT_ACT_UNDO:
        ft_prompt_text(c, "undo my last decision: why? (Esc cancels)", "", undo_typed);
        c->prompt.required = true;
        return true;
    case FT_ACT_CLAIM:
        claim(c);
        return true;
    case FT_ACT_NEXT_FREE:
        if (!ft_con_ask(c, FT_ASK_NEXT, next_free, NULL))
            ft_say_error(c, "This is not available here.");
        return true;
    case FT_ACT_NOTE:
        note(c);
        return true;
    case FT_ACT_COPY_ID:
        if (r) {
            ft_uuid_format(&r->id, id);
            free(c->clipboard);
            c->clipboard = strdup(id);
        }
        return true;
    case FT_ACT_COPY_ROW:
        if (r)
            copy_row(c, r);
        return true;
    default:
        return false;
    }
}
