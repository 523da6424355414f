#include "pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fraudtop/log.h"

enum ft_status ft_pg_class(const char *sqlstate)
{
    static const struct {
        char prefix[6];
        enum ft_status status;
    } classes[] = {
        {"57014", FT_AGAIN       }, /* a time limit of ours, or of the role's */
        {"55P03", FT_AGAIN       }, /* somebody holds a lock for long */
        {"25006", FT_EUNREACHABLE}, /* read only: a standby, until somebody promotes it */
        {"08",    FT_EUNREACHABLE},
        {"40",    FT_EUNREACHABLE},
        {"53",    FT_EUNREACHABLE},
        {"57",    FT_EUNREACHABLE},
        {"58",    FT_EUNREACHABLE},
        {"22",    FT_EINPUT      },
        {"23",    FT_EINPUT      },
        {"54",    FT_EINPUT      }, /* too large for the server */
        {"28",    FT_EUSAGE      },
        {"3D",    FT_EUSAGE      },
        {"3F",    FT_EUSAGE      },
        {"42",    FT_EUSAGE      },
    };

    for (size_t i = 0; sqlstate && i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(sqlstate, classes[i].prefix, strlen(classes[i].prefix)) == 0)
            return classes[i].status;
    return FT_EFATAL;
}

/* libpq's texts have several lines and a final newline; ours are one line. */
static void one_line(char *out, size_t size, const char *text)
{
    size_t n = 0;

    for (; *text && n + 1 < size; text++) {
        if (strncmp(text, "\nLOCATION:", 10) == 0) { /* of the verbose form: nobody wants it */
            text = strchr(text + 1, '\n');
            if (!text)
                break;
        }
        if ((unsigned char)*text >= 0x20)
            out[n++] = *text;
        else if (n && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    while (n && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

/* Errors of a connection that was never made carry no SQLSTATE field; the verbose text has it: "FATAL:  28P01: ". */
static const char *state_in_text(const char *text, char state[6])
{
    static const char *const severity[] = {"FATAL:  ", "ERROR:  "};

    for (size_t i = 0; i < 2; i++) {
        const char *p = strstr(text, severity[i]);

        if (p && strlen(p) > 13 && p[13] == ':') {
            memcpy(state, p + 8, 5);
            state[5] = '\0';
            return state;
        }
    }
    return NULL;
}

static enum ft_status connect_failed(PGconn *conn, struct ft_err *err)
{
    /* What the client itself finds wrong, and waiting does not mend. */
    static const char *const settings[] = {
        "no password supplied",  "certificate verify failed", "root certificate file",
        "certificate file",      "server certificate for",    "server does not support SSL",
        "private key file",      "invalid sslmode",           "invalid connection option",
        "invalid port number",   "invalid integer value",     "definition of service",
        "authentication method", "server certificate's",      "could not get server's host name",
        "certificate authority",
    };
    const char *text = PQerrorMessage(conn);
    char line[400], state[6];
    enum ft_status st = FT_EUNREACHABLE;

    if (state_in_text(text, state)) {
        st = ft_pg_class(state);
        if (st != FT_EUNREACHABLE)
            st = FT_EUSAGE;
    }
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (strstr(text, settings[i]))
            st = FT_EUSAGE;
    one_line(line, sizeof(line), text);
    return ft_fail(err, st, "postgresql: %s%s", *line ? line : "no connection",
                   strstr(text, "certificate verify failed") /* libpq does not say why */
                       ? " (its authority is not the one of sslrootcert, or its time is over)"
                       : "");
}

static int time_left(int64_t until_ms)
{
    int64_t left = until_ms - ft_now_ms();

    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void on_notice(void *user, const PGresult *res)
{
    char line[200];

    (void)user;
    one_line(line, sizeof(line), PQresultErrorMessage(res));
    ft_log(FT_DEBUG, "pg", "%s", line);
}

/* true: the socket is ready as asked; false: time is up. */
static bool wait_for(PGconn *conn, bool to_write, int64_t until_ms)
{
    struct pollfd p = {.fd = PQsocket(conn), .events = to_write ? POLLIN | POLLOUT : POLLIN};

    for (;;) {
        int n, left = time_left(until_ms);

        n = poll(&p, 1, left);
        if (n > 0 || (n < 0 && errno != EINTR))
            return true;
        if (left == 0 || ft_now_ms() >= until_ms)
            return false;
    }
}

static enum ft_status finish_connect(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    int64_t until = ft_now_ms() + timeout_ms;
    PostgresPollingStatusType s = PGRES_POLLING_WRITING;

    PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(conn, on_notice, NULL);
    while (PQstatus(conn) != CONNECTION_BAD && s != PGRES_POLLING_OK) {
        if (!wait_for(conn, s == PGRES_POLLING_WRITING, until))
            return ft_fail(err, FT_EUNREACHABLE, "postgresql: %s%s%s does not answer within %d ms",
                           PQhost(conn) ? PQhost(conn) : "server", PQport(conn) ? ":" : "",
                           PQport(conn) ? PQport(conn) : "", timeout_ms);
        s = PQconnectPoll(conn);
        if (s == PGRES_POLLING_FAILED)
            break;
    }
    if (PQstatus(conn) != CONNECTION_OK)
        return connect_failed(conn, err);
    PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
    if (PQserverVersion(conn) < 140000)
        return ft_fail(err, FT_EUSAGE,
                       "postgresql: version 14 or newer is needed, the server is %d",
                       PQserverVersion(conn) / 10000);
    if (PQsetnonblocking(conn, 1) != 0)
        return ft_fail(err, FT_EUNREACHABLE, "postgresql: %s", PQerrorMessage(conn));
    return FT_OK;
}

/* The list of conninfo's settings; refuses secrets in it and never repeats what it could not read. */
static enum ft_status parse_conninfo(PQconninfoOption **out, const char *conninfo,
                                     struct ft_err *err)
{
    char *text = NULL;
    PQconninfoOption *o = PQconninfoParse(conninfo, &text);

    PQfreemem(text);
    if (!o)
        return ft_fail(err, FT_EUSAGE,
                       "-d: not a connection string; write 'host=... dbname=fraud' or "
                       "postgresql://host/fraud");
    for (PQconninfoOption *i = o; i->keyword; i++)
        if (strstr(i->keyword, "password") && i->val && *i->val) {
            PQconninfoFree(o);
            return ft_fail(err, FT_EUSAGE,
                           "-d: a password does not belong on the command line; put it in "
                           "~/.pgpass or PGPASSFILE, or in PGPASSWORD");
        }
    *out = o;
    return FT_OK;
}

#define MAX_SETTINGS 96

enum ft_status ft_pg_connect(PGconn **out, const char *conninfo, const char *const *extra,
                             int timeout_ms, struct ft_err *err)
{
    static const char *const ours[] = {
        "client_encoding", "UTF8", "keepalives_idle", "10", "keepalives_interval", "5", NULL};
    const char *key[MAX_SETTINGS + 1], *value[MAX_SETTINGS + 1];
    PQconninfoOption *o = NULL;
    PGconn *conn = NULL;
    enum ft_status st;
    int n = 0;

    st = parse_conninfo(&o, conninfo ? conninfo : "", err);
    if (st != FT_OK)
        return st;
    key[n] = "fallback_application_name";
    value[n++] = "fraudtop";
    for (const char *const *e = ours; *e; e += 2) {
        key[n] = e[0];
        value[n++] = e[1];
    }
    for (PQconninfoOption *i = o; i->keyword && n < MAX_SETTINGS - 8; i++)
        if (i->val && strcmp(i->keyword, "client_encoding") != 0) {
            key[n] = i->keyword;
            value[n++] = i->val;
        }
    for (; extra && *extra && n < MAX_SETTINGS; extra += 2) {
        key[n] = extra[0];
        value[n++] = extra[1];
    }
    key[n] = value[n] = NULL;
    conn = PQconnectStartParams(key, value, 0);
    if (!conn)
        st = ft_fail(err, FT_ENOMEM, "postgresql: no memory");
    else
        st = finish_connect(conn, timeout_ms, err);
    PQconninfoFree(o);
    if (st != FT_OK) {
        PQfinish(conn);
        conn = NULL;
    }
    *out = conn;
    return st;
}

enum ft_status ft_pg_check(PGconn *conn, PGresult *res, const char *what, struct ft_err *err)
{
    ExecStatusType s = PQresultStatus(res);
    const char *state, *text;
    char line[400];
    enum ft_status st;

    if (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK)
        return FT_OK;
    state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    st = state ? ft_pg_class(state) : FT_EUNREACHABLE;
    if (PQstatus(conn) == CONNECTION_BAD && st != FT_EUSAGE)
        st = FT_EUNREACHABLE;
    one_line(line, sizeof(line), text ? text : PQerrorMessage(conn));
    return ft_fail(err, st, "postgresql: %s: %s%s%s%s", what, line, state ? " (" : "",
                   state ? state : "", state ? ")" : "");
}

static enum ft_status gone(PGconn *conn, const char *what, struct ft_err *err)
{
    char line[300];

    one_line(line, sizeof(line), PQerrorMessage(conn));
    return ft_fail(err, FT_EUNREACHABLE, "postgresql: %s: %s", what,
                   *line ? line : "connection lost");
}

/* Time is up: the connection hangs in a statement and cannot be used for another. */
static enum ft_status give_up(PGconn *conn, const char *what, struct ft_err *err)
{
    shutdown(PQsocket(conn), SHUT_RDWR);
    (void)PQconsumeInput(conn); /* so that PQstatus says it too */
    return ft_fail(err, FT_EUNREACHABLE, "postgresql: %s: the server does not answer", what);
}

static enum ft_status send_all(PGconn *conn, int64_t until, const char *what, struct ft_err *err)
{
    int left;

    while ((left = PQflush(conn)) > 0) {
        if (!wait_for(conn, true, until))
            return give_up(conn, what, err);
        if (!PQconsumeInput(conn))
            return gone(conn, what, err);
    }
    return left < 0 ? gone(conn, what, err) : FT_OK;
}

/* Until the next PQgetResult does not block. */
static enum ft_status await(PGconn *conn, int64_t until, const char *what, struct ft_err *err)
{
    while (PQisBusy(conn)) {
        if (!wait_for(conn, false, until))
            return give_up(conn, what, err);
        if (!PQconsumeInput(conn))
            return gone(conn, what, err);
    }
    return FT_OK;
}

/* The last result of what was sent; earlier ones (of several statements) only when they are errors. */
static enum ft_status receive(PGconn *conn, int64_t until, PGresult **out, const char *what,
                              struct ft_err *err)
{
    PGresult *last = NULL, *res;
    enum ft_status st;

    for (;;) {
        st = await(conn, until, what, err);
        if (st != FT_OK) {
            PQclear(last);
            return st;
        }
        res = PQgetResult(conn);
        if (!res)
            break;
        if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(res);
            continue;
        }
        PQclear(last);
        last = res;
    }
    st = ft_pg_check(conn, last, what, err);
    if (st == FT_OK && out)
        *out = last;
    else
        PQclear(last);
    return st;
}

static enum ft_status run(PGconn *conn, int sent, int timeout_ms, PGresult **res, const char *what,
                          struct ft_err *err)
{
    int64_t until = ft_now_ms() + timeout_ms;
    enum ft_status st;

    if (res)
        *res = NULL;
    if (!sent)
        return gone(conn, what, err);
    st = send_all(conn, until, what, err);
    return st == FT_OK ? receive(conn, until, res, what, err) : st;
}

enum ft_status ft_pg_exec(PGconn *conn, const char *sql, const struct ft_pg_params *p,
                          int timeout_ms, PGresult **res, const char *what, struct ft_err *err)
{
    int sent = p ? PQsendQueryParams(conn, sql, p->n, NULL, p->value, p->length, p->format,
                                     p->binary_result)
                 : PQsendQuery(conn, sql);

    return run(conn, sent, timeout_ms, res, what, err);
}

enum ft_status ft_pg_exec_prepared(PGconn *conn, const char *name, const struct ft_pg_params *p,
                                   int timeout_ms, PGresult **res, const char *what,
                                   struct ft_err *err)
{
    return run(
        conn,
        PQsendQueryPrepared(conn, name, p->n, p->value, p->length, p->format, p->binary_result),
        timeout_ms, res, what, err);
}

/* The answers to all statements up to the end of the pipeline; the first trouble is the one to tell, those behind it were
 * not run. */
static enum ft_status receive_together(PGconn *conn, int64_t until, const char *what,
                                       struct ft_err *err)
{
    enum ft_status st = FT_OK, waited;
    struct ft_err later;

    for (;;) {
        PGresult *res;
        bool end;

        waited = await(conn, until, what, st == FT_OK ? err : &later);
        if (waited != FT_OK)
            return waited;
        res = PQgetResult(conn);
        if (!res)
            continue; /* between two statements */
        end = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
        if (!end && st == FT_OK)
            st = ft_pg_check(conn, res, what, err);
        PQclear(res);
        if (end)
            return st;
    }
}

enum ft_status ft_pg_exec_together(PGconn *conn, const struct ft_pg_call *call, size_t n,
                                   int timeout_ms, const char *what, struct ft_err *err)
{
    int64_t until = ft_now_ms() + timeout_ms;
    int sent = PQenterPipelineMode(conn);
    enum ft_status st;

    for (size_t i = 0; sent && i < n; i++) {
        const struct ft_pg_params *p = &call[i].params;

        sent = PQsendQueryPrepared(conn, call[i].name, p->n, p->value, p->length, p->format, 0);
    }
    if (!sent || !PQpipelineSync(conn))
        return gone(conn, what, err);
    st = send_all(conn, until, what, err);
    if (st == FT_OK)
        st = receive_together(conn, until, what, err);
    if (!PQexitPipelineMode(conn) && st == FT_OK)
        st = gone(conn, what, err);
    return st;
}

enum ft_status ft_pg_prepare(PGconn *conn, const char *name, const char *sql, int timeout_ms,
                             struct ft_err *err)
{
    return run(conn, PQsendPrepare(conn, name, sql, 0, NULL), timeout_ms, NULL, name, err);
}
