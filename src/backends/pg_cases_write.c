/* Decisions, claims, notes: each one row appended to fraudtop_events.  The trigger there keeps the case's state and
 * refuses a number that is not the next one; that refusal is the conflict. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "pg_cases.h"

#define NOTE_TRIES 5 /* a note conflicts with nobody: with another number, again */

struct event {
    const char *id; /* whole */
    const char *kind, *reason, *note;
    int number;       /* of the newest event seen; -1: look */
    int64_t until_ms; /* wall clock; 0: none */
    int64_t for_ms;   /* of a claim: from the server's now on */
    int replaces;
};

static void say_unique(struct ft_cases *c, const char *id, struct ft_err *err)
{
    static const char sql[] = "SELECT who, kind, to_char(at, 'HH24:MI:SS'), note, number FROM"
                              " fraudtop_events WHERE transaction_id = $1::uuid"
                              " ORDER BY number DESC LIMIT 1";
    struct ft_args a;
    PGresult *res;
    struct ft_err other;

    ft_args_init(&a);
    ft_args_text(&a, id);
    if (ft_cases_query(c, sql, &a, &res, "looking who was first", &other) == FT_OK) {
        if (PQntuples(res) == 0)
            ft_fail(err, FT_ECONFLICT, "%s: the case has changed, look again", id);
        else
            ft_fail(err, FT_ECONFLICT, "%s: %s was first: %s at %s%s%s%s; nothing was written", id,
                    PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1), PQgetvalue(res, 0, 2),
                    PQgetisnull(res, 0, 3) ? "" : ", \"", PQgetvalue(res, 0, 3),
                    PQgetisnull(res, 0, 3) ? "" : "\"");
        PQclear(res);
    }
    ft_args_fini(&a);
}

static const char event_sql[] =
    "INSERT INTO fraudtop_events (transaction_id, number, kind, reason, note, who, until, "
    "threshold,"
    " replaces) SELECT $1::uuid, CASE WHEN $2::int4 >= 0 THEN $2::int4 ELSE"
    "  coalesce((SELECT number FROM fraudtop_cases WHERE transaction_id = $1::uuid), 0) END + 1,"
    " $3, $4, $5, $6, coalesce(to_timestamp(nullif($7::float8, 0) / 1000),"
    "  clock_timestamp() + nullif($9::float8, 0) * interval '1 ms'),"
    " (SELECT (value ->> 'threshold')::float8 FROM fraudtop_in_force WHERE kind = 'threshold'"
    "  AND jsonb_typeof(value -> 'threshold') = 'number' ORDER BY at DESC LIMIT 1),"
    " nullif($8::int4, 0) RETURNING number, txid_current()";

/*
 * The server was lost between COMMIT and its answer: it knows what became of the transaction, once it can be asked again.  FT_OK:
 * written; FT_AGAIN: not written; else nobody knows yet.
 */
static enum ft_status fate(struct ft_cases *c, const char *txid, struct ft_err *err)
{
    const struct ft_pg_params p = {.value = &txid, .n = 1};
    int64_t until = ft_now_ms() + FT_CASES_MS;
    enum ft_status st;

    do {
        PGresult *res;

        st = ft_cases_writer(c, err);
        if (st == FT_OK)
            st = ft_pg_exec(c->write, "SELECT txid_status($1::int8)", &p, FT_CASES_MS, &res,
                            "asking whether it was written", err);
        if (st == FT_OK) {
            const char *status = PQgetvalue(res, 0, 0);

            st = strcmp(status, "committed") == 0 ? FT_OK
                 : strcmp(status, "aborted") == 0 ? FT_AGAIN
                                                  : FT_EUNREACHABLE; /* in progress */
            PQclear(res);
            if (st == FT_OK || st == FT_AGAIN)
                return st;
        }
        ft_sleep_ms(100);
    } while (ft_now_ms() < until);
    return FT_EUNREACHABLE;
}

/* In a transaction of its own: a server that hangs and comes to itself after we have given it up finds no COMMIT, so that what
 * was said not to be written is not. */
static enum ft_status write_event(struct ft_cases *c, const struct ft_pg_params *p, int *number,
                                  struct ft_err *err)
{
    struct ft_err lost;
    PGresult *res = NULL;
    char txid[24];
    enum ft_status st =
        ft_pg_exec(c->write, "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'", NULL,
                   FT_CASES_MS, NULL, "writing to the case", err);

    if (st == FT_OK)
        st = ft_pg_exec(c->write, event_sql, p, FT_CASES_MS, &res, "writing to the case", err);
    if (st != FT_OK) {
        if (PQstatus(c->write) == CONNECTION_OK)
            (void)ft_pg_exec(c->write, "ROLLBACK", NULL, FT_CASES_MS, NULL, "rollback", NULL);
        return st;
    }
    *number = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
    snprintf(txid, sizeof(txid), "%s", PQgetvalue(res, 0, 1));
    PQclear(res);
    st = ft_pg_exec(c->write, "COMMIT", NULL, FT_CASES_MS, NULL, "writing to the case", &lost);
    if (st == FT_EUNREACHABLE || st == FT_AGAIN)
        st = fate(c, txid, err);
    else if (st != FT_OK && err)
        *err = lost;
    if (st == FT_AGAIN) {
        if (err)
            *err = lost;
        return FT_EUNREACHABLE;
    }
    if (st == FT_EUNREACHABLE) {
        c->unsure = true;
        ft_fail(err, st, "postgresql: lost while it was writing: whether it has is not known yet");
    }
    return st;
}

/* *number: of the event.  FT_ECONFLICT: somebody was first; err does not say who yet. */
static enum ft_status append_event(struct ft_cases *c, const struct event *e, int *number,
                                   struct ft_err *err)
{
    char seen[16], until[24], replaces[16], for_ms[24];
    const char *value[] = {e->id,  seen,  e->kind,  e->reason, e->note,
                           c->who, until, replaces, for_ms};
    struct ft_pg_params p = {.value = value, .n = 9};
    struct ft_err local;
    enum ft_status st;

    err = err ? err : &local;
    c->unsure = false;
    st = ft_cases_writer(c, err);
    if (st != FT_OK)
        return st;
    snprintf(seen, sizeof(seen), "%d", e->number);
    snprintf(until, sizeof(until), "%" PRId64, e->until_ms);
    snprintf(replaces, sizeof(replaces), "%d", e->replaces);
    snprintf(for_ms, sizeof(for_ms), "%" PRId64, e->for_ms);
    st = write_event(c, &p, number, err);
    return st == FT_EINPUT && strstr(err->text, "(23505)") ? FT_ECONFLICT : st;
}

bool ft_cases_unsure(const struct ft_cases *c)
{
    return c && c->unsure;
}

static enum ft_status answer(char **json, const char *schema, const char *id, const char *verdict,
                             int number, struct ft_err *err)
{
    struct ft_buf b;

    ft_buf_init(&b, 4096);
    ft_buf_fmt(&b, "{\"schema\":\"%s\",\"transaction_id\":\"%s\",\"verdict\":", schema, id);
    ft_buf_json(&b, ft_span_of(verdict));
    ft_buf_fmt(&b, ",\"number\":%d}", number);
    if (b.failed) {
        ft_buf_fini(&b);
        return ft_fail(err, FT_ENOMEM, "no memory for the answer");
    }
    *json = b.p; /* the caller's now */
    return FT_OK;
}

/* ---- decide -------------------------------------------------------------------------------------------- */

static enum ft_status check_decision(const struct ft_case_decision *d, struct ft_err *err)
{
    static const char *const verdicts[] = {"fraud", "legitimate", "escalate", "snooze"};
    bool known = false;

    for (size_t i = 0; d->verdict && i < 4; i++)
        known = known || strcmp(d->verdict, verdicts[i]) == 0;
    if (!known)
        return ft_fail(err, FT_EUSAGE,
                       "verdict \"%.40s\"; there are fraud, legitimate, escalate, snooze",
                       d->verdict ? d->verdict : "");
    if (strcmp(d->verdict, "escalate") == 0 && (!d->note || !*d->note))
        return ft_fail(err, FT_EUSAGE, "escalate wants a note (--note) for whoever takes it on");
    if (strcmp(d->verdict, "snooze") == 0 && d->until_ms <= ft_wall_ms())
        return ft_fail(err, FT_EUSAGE, "snooze wants a time to come (--until 4h)");
    return FT_OK;
}

/* Without having seen the case one decides only what is undecided and nobody else's at the moment. */
static enum ft_status check_unseen(struct ft_cases *c, const char *id, int *number,
                                   struct ft_err *err)
{
    static const char sql[] =
        "SELECT number, status, decided_by, CASE WHEN claimed_until > now() THEN claimed_by END,"
        " to_char(decided_at, 'HH24:MI:SS'), to_char(claimed_at, 'HH24:MI:SS') FROM fraudtop_cases"
        " WHERE transaction_id = $1::uuid";
    struct ft_args a;
    PGresult *res;
    enum ft_status st;

    ft_args_init(&a);
    ft_args_text(&a, id);
    st = ft_cases_query(c, sql, &a, &res, "looking at the case", err);
    ft_args_fini(&a);
    if (st != FT_OK)
        return st;
    *number = PQntuples(res) ? (int)strtol(PQgetvalue(res, 0, 0), NULL, 10) : 0;
    if (PQntuples(res)) {
        const char *status = PQgetvalue(res, 0, 1), *claimed = PQgetvalue(res, 0, 3);

        if (strcmp(status, "fraud") == 0 || strcmp(status, "legitimate") == 0)
            st = ft_fail(err, FT_ECONFLICT, "%s: %s was first: %s at %s; nothing was written", id,
                         PQgetvalue(res, 0, 2), status, PQgetvalue(res, 0, 4));
        else if (*claimed && strcmp(claimed, c->who) != 0)
            st = ft_fail(err, FT_ECONFLICT, "%s: claimed by %s since %s; nothing was written", id,
                         claimed, PQgetvalue(res, 0, 5));
    }
    PQclear(res);
    return st;
}

enum ft_status ft_cases_decide(struct ft_cases *c, const struct ft_case_decision *d, char **json,
                               struct ft_err *err)
{
    char id[FT_UUID_TEXT + 1];
    struct event e = {.id = id,
                      .kind = d->verdict,
                      .reason = d->reason,
                      .note = d->note,
                      .number = d->number,
                      .until_ms =
                          d->verdict && strcmp(d->verdict, "snooze") == 0 ? d->until_ms : 0};
    int number = 0;
    enum ft_status st = check_decision(d, err);

    *json = NULL;
    ft_cases_adopt(c);
    if (st == FT_OK)
        st = ft_cases_id(c, d->id, id, err);
    if (st == FT_OK && d->number < 0)
        st = check_unseen(c, id, &e.number, err);
    if (st != FT_OK)
        return st;
    st = append_event(c, &e, &number, err);
    if (st == FT_ECONFLICT)
        say_unique(c, id, err);
    return st == FT_OK ? answer(json, "cases.decide/1", id, d->verdict, number, err) : st;
}

/* ---- undo, note, claim --------------------------------------------------------------------------------- */

enum ft_status ft_cases_undo(struct ft_cases *c, const char *note, char **json, struct ft_err *err)
{
    static const char sql[] =
        "SELECT e.transaction_id, e.number, e.kind, (SELECT number FROM fraudtop_cases k"
        "  WHERE k.transaction_id = e.transaction_id), e.at > now() - $2::float8 * interval '1 ms',"
        " NOT EXISTS (SELECT FROM fraudtop_events u WHERE u.transaction_id = e.transaction_id"
        "  AND u.number > e.number AND u.kind IN ('fraud', 'legitimate', 'escalate', 'snooze', "
        "'undo'))"
        " FROM fraudtop_events e WHERE e.who = $1"
        " AND e.kind IN ('fraud', 'legitimate', 'escalate', 'snooze') AND NOT EXISTS"
        "  (SELECT FROM fraudtop_events u WHERE u.transaction_id = e.transaction_id"
        "   AND u.kind = 'undo' AND u.replaces = e.number)"
        " ORDER BY e.at DESC LIMIT 1";
    struct ft_args a;
    PGresult *res = NULL;
    struct event e = {.kind = "undo", .note = note};
    int number = 0;
    enum ft_status st;

    *json = NULL;
    if (!note || !*note)
        return ft_fail(err, FT_EUSAGE, "undo wants a note (--note)");
    ft_args_init(&a);
    ft_args_text(&a, c->who);
    ft_args_int(&a, c->undo_ms);
    st = ft_cases_query(c, sql, &a, &res, "looking for your last decision", err);
    ft_args_fini(&a);
    if (st != FT_OK)
        return st;
    if (PQntuples(res) == 0 || *PQgetvalue(res, 0, 4) != 't')
        st = ft_fail(err, FT_EUSAGE, "%s has decided nothing in the last %" PRId64 " minutes",
                     c->who, c->undo_ms / 60000);
    else if (*PQgetvalue(res, 0, 5) != 't')
        st = ft_fail(err, FT_ECONFLICT, "%s: somebody decided after you; nothing was written",
                     PQgetvalue(res, 0, 0));
    if (st == FT_OK) {
        e.id = PQgetvalue(res, 0, 0);
        e.replaces = (int)strtol(PQgetvalue(res, 0, 1), NULL, 10);
        e.number = (int)strtol(PQgetvalue(res, 0, 3), NULL, 10);
        st = append_event(c, &e, &number, err);
        if (st == FT_ECONFLICT)
            say_unique(c, e.id, err);
    }
    if (st == FT_OK)
        st = answer(json, "cases.undo/1", e.id, PQgetvalue(res, 0, 2), number, err);
    PQclear(res);
    return st;
}

enum ft_status ft_cases_note(struct ft_cases *c, const char *id, const char *note, char **json,
                             struct ft_err *err)
{
    char whole[FT_UUID_TEXT + 1];
    struct event e = {.id = whole, .kind = "note", .note = note, .number = -1};
    int number = 0;
    enum ft_status st;

    *json = NULL;
    if (!note || !*note)
        return ft_fail(err, FT_EUSAGE, "the note's text is missing (--note TEXT)");
    ft_cases_adopt(c);
    st = ft_cases_id(c, id, whole, err);
    if (st != FT_OK)
        return st;
    for (int i = 0; i < NOTE_TRIES; i++) {
        st = append_event(c, &e, &number, err);
        if (st != FT_ECONFLICT)
            break;
    }
    if (st == FT_ECONFLICT)
        say_unique(c, whole, err);
    return st == FT_OK ? answer(json, "cases.note/1", whole, "note", number, err) : st;
}

enum ft_status ft_cases_claim(struct ft_cases *c, const char *id, bool claim, char **json,
                              struct ft_err *err)
{
    char whole[FT_UUID_TEXT + 1];
    struct event e = {
        .id = whole, .kind = claim ? "claim" : "release", .for_ms = claim ? c->claim_ms : 0};
    int number = 0;
    enum ft_status st;

    *json = NULL;
    ft_cases_adopt(c);
    st = ft_cases_id(c, id, whole, err);
    if (st == FT_OK)
        st = check_unseen(c, whole, &e.number, err);
    if (st != FT_OK)
        return st;
    st = append_event(c, &e, &number, err);
    if (st == FT_ECONFLICT)
        say_unique(c, whole, err);
    return st == FT_OK ? answer(json, "cases.claim/1", whole, e.kind, number, err) : st;
}

enum ft_status ft_cases_next(struct ft_cases *c, bool claim, char **json, struct ft_err *err)
{
    static const char sql[] = "SELECT c.transaction_id FROM fraudtop_cases c WHERE " SQL_OPEN
                              " AND coalesce(c.claimed_until <= now(), true)"
                              " ORDER BY c.risk DESC, c.transaction_id LIMIT 1";
    char id[FT_UUID_TEXT + 1];
    char *claimed = NULL;
    enum ft_status st;

    *json = NULL;
    ft_cases_adopt(c);
    for (int i = 0; i < NOTE_TRIES; i++) {
        PGresult *res;

        st = ft_cases_query(c, sql, NULL, &res, "looking for the next case", err);
        if (st != FT_OK)
            return st;
        snprintf(id, sizeof(id), "%s", PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
        PQclear(res);
        if (!*id)
            return ft_fail(err, FT_END, "no open case that nobody has claimed");
        if (claim)
            st = ft_cases_claim(c, id, true, &claimed, err);
        free(claimed);
        claimed = NULL;
        if (st != FT_ECONFLICT) /* somebody took it at this moment: the one after */
            break;
    }
    return st == FT_OK ? ft_cases_show(c, id, json, err) : st;
}

enum ft_status ft_cases_apply(struct ft_cases *c, const char *kind, const char *value_json,
                              const char *note, struct ft_err *err)
{
    const char *value[] = {kind, value_json, c->who, note};
    struct ft_pg_params p = {.value = value, .n = 4};
    enum ft_status st = ft_cases_writer(c, err);

    if (st != FT_OK)
        return st;
    return ft_pg_exec(c->write,
                      "INSERT INTO fraudtop_in_force (kind, value, who, note)"
                      " VALUES ($1, $2::jsonb, $3, $4)",
                      &p, FT_CASES_MS, NULL, "putting it into force", err);
}
