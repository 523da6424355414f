/* The longer questions of pg_cases_read.c, laid out by hand. */
#ifndef FT_PG_CASES_SQL_H
#define FT_PG_CASES_SQL_H

#include "pg_cases.h"

/* clang-format off */

#define COLUMNS                                                                                    \
    "'{transaction_time,merch,cat_id,amount,name_1,name_2,gender,street,one_city,us_state,"        \
    "post_code,lat,lon,population_city,jobs,merchant_lat,merchant_lon}'::text[]"
#define CASES_OF(what)                                                                             \
    "coalesce((SELECT json_agg(json_build_object(" SQL_CASE_MEMBERS ") ORDER BY c.scored_at DESC)" \
    "  FROM (SELECT * FROM fraudtop_cases o WHERE o." what " = c0." what                           \
    "   AND o.transaction_id <> c0.transaction_id ORDER BY o.scored_at DESC LIMIT 20) c),"         \
    " '[]'::json)"

/* A transaction that is no case (not flagged, or not looked at yet) is shown by what there is.  In two objects: a function
 * takes 100 arguments. */
static const char show_sql[] =
    "WITH c AS MATERIALIZED (SELECT * FROM fraudtop_cases WHERE transaction_id = $1::uuid"
    "  UNION ALL SELECT (jsonb_populate_record(NULL::fraudtop_cases, jsonb_build_object("
    "   'transaction_id', s.transaction_id, 'score', s.score, 'scored_at', s.scored_at,"
    "   'amount', v.amount, 'model', v.model, 'label', v.label, 'flagged', s.fraud_flag = 1,"
    "   'sampled', false, 'number', 0,"
    "   'status', CASE WHEN s.fraud_flag = 1 THEN 'open' ELSE 'not flagged' END))).*"
    "  FROM fraud_scores s LEFT JOIN fraudtop_verdicts v USING (transaction_id)"
    "  WHERE transaction_id = $1::uuid AND NOT EXISTS"
    "   (SELECT FROM fraudtop_cases k WHERE k.transaction_id = s.transaction_id)) "
    "SELECT left(json_build_object('schema', 'cases.show/1', " SQL_CASE_MEMBERS ","
    " 'flagged', c.flagged,"
    " 'raw', CASE WHEN c.score > 0 AND c.score < 1 THEN ln(c.score / (1 - c.score)) END,"
    " 'method', CASE WHEN jsonb_typeof(c.reasons) = 'array' THEN 'exact' ELSE 'none' END,"
    " 'reasons', coalesce(c.reasons, '[]'),"
    " 'data', coalesce((SELECT json_object_agg(key, value ORDER BY array_position(" COLUMNS ", key), key)"
    "   FROM jsonb_each(" SQL_DATA ")), '{}'::json),"
    " 'usual', c.usual, 'history', coalesce(c.history, '[]'), 'features', c.features,"
    " 'challenger', coalesce(c.challenger, (SELECT challenger FROM fraudtop_verdicts v"
    "   WHERE v.transaction_id = c.transaction_id)))::text, -1)"
    " || ', ' || substr(json_build_object("
    " 'customer', " CASES_OF("customer") ", 'merchant_cases', " CASES_OF("merchant") ","
    " 'merchant_stats', (SELECT json_build_object('flagged', count(*), 'fraud',"
    "   count(*) FILTER (WHERE m.status = 'fraud')) FROM (SELECT status FROM fraudtop_cases o"
    "   WHERE o.merchant = c0.merchant AND o.flagged ORDER BY scored_at DESC LIMIT 1000) m),"
    " 'events', coalesce((SELECT json_agg(json_build_object('number', e.number,"
    "   'at', " SQL_TIME("e.at") ", 'by', e.who, 'db_role', e.db_role, 'kind', e.kind,"
    "   'verdict', CASE WHEN e.kind IN ('fraud', 'legitimate', 'escalate', 'snooze') THEN e.kind END,"
    "   'reason', e.reason, 'note', e.note, 'until', " SQL_TIME("e.until") ", 'score', e.score,"
    "   'model', e.model, 'threshold', e.threshold, 'replaces', e.replaces) ORDER BY e.number)"
    "  FROM fraudtop_events e WHERE e.transaction_id = c0.transaction_id), '[]'::json))::text, 2)"
    " FROM c, c AS c0";

/* $1 to $11: what ft_cases_totals has counted. */
static const char stats_sql[] =
    "WITH w AS (SELECT greatest(extract(epoch FROM first_decided_at - scored_at)::float8, 0) AS s"
    "   FROM (SELECT x.* FROM unnest('{fraud,legitimate,escalated,snoozed}'::text[]) AS v(status),"
    "    LATERAL (SELECT first_decided_at, scored_at, decided_at FROM fraudtop_cases c"
    "     WHERE c.status = v.status AND c.status <> 'open' AND first_decided_at IS NOT NULL"
    "     ORDER BY decided_at DESC LIMIT 10000) x ORDER BY decided_at DESC LIMIT 10000) y) "
    "SELECT json_build_object('schema', 'cases.stats/1', 'open', $1::int8, 'claimed', $2::int8,"
    " 'over_limit', $3::int8, 'snoozed', $4::int8, 'escalated', $5::int8,"
    " 'oldest_s', nullif($6::float8, -1) / 1000, 'decided_today', $7::int8,"
    " 'today', json_build_object('fraud', $8::int8, 'legitimate', $9::int8, 'escalated', $10::int8),"
    " 'decided', json_build_object("
    "  'fraud', (SELECT count(*) FROM fraudtop_cases WHERE status = 'fraud'),"
    "  'legitimate', (SELECT count(*) FROM fraudtop_cases WHERE status = 'legitimate')),"
    " 'waiting_s', json_build_object('n', (SELECT count(*) FROM w),"
    "  'median', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s) FROM w),"
    "  'p95', (SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY s) FROM w)),"
    " 'money', json_build_object('flagged', $11::float8, 'confirmed',"
    "  (SELECT coalesce(sum(amount), 0) FROM fraudtop_cases WHERE status = 'fraud')))";

/* Everything that people did and that happened, newest first. */
#define NEWEST(table)                                                                              \
    "(SELECT * FROM " table " WHERE at >= to_timestamp($2::float8 / 1000)"                         \
    " ORDER BY at DESC LIMIT $1::int8) newest"
static const char log_sql[] =
    "WITH l AS (SELECT at, 'case' AS part, 'info' AS level, who, transaction_id, number,"
    "   concat_ws(' ', kind, reason, '\"' || nullif(note, '') || '\"',"
    "    CASE WHEN until IS NOT NULL THEN 'until ' || " SQL_TIME("until") " END) AS text"
    "   FROM " NEWEST("fraudtop_events")
    "  UNION ALL SELECT at, 'control', 'info', who, NULL, NULL, concat_ws(' ', kind,"
    "    CASE WHEN jsonb_typeof(value) = 'object' AND value ? kind THEN value ->> kind"
    "     ELSE value::text END, '\"' || nullif(note, '') || '\"')"
    "   FROM " NEWEST("fraudtop_in_force")
    "  UNION ALL SELECT at, kind, 'warning', host, NULL, NULL, message"
    "   FROM " NEWEST("fraudtop_alerts") ") "
    "SELECT json_build_object('schema', 'cases.log/1', 'entries', coalesce((SELECT json_agg("
    " json_build_object('at', " SQL_TIME("at") ", 'part', part, 'level', level, 'by', who,"
    "  'text', text, 'transaction_id', transaction_id, 'number', number) ORDER BY at DESC)"
    " FROM (SELECT * FROM l ORDER BY at DESC LIMIT $1::int8) x), '[]'::json))";

#define BY_BIN(counts)                                                                             \
    "(SELECT json_agg(coalesce(v, 0) ORDER BY b) FROM generate_series(0, 1999) b"                  \
    " LEFT JOIN (" counts " GROUP BY 1) x USING (b))"
#define BINS(value, condition)                                                                     \
    BY_BIN("SELECT cell % 2000 AS b, sum(" value ") AS v FROM h WHERE " condition)
#define REVIEWED(verdict)                                                                          \
    BY_BIN("SELECT greatest(least(floor(score * 2000), 1999), 0)::int4 AS b, count(*) AS v"        \
           " FROM r WHERE status = '" verdict "'")
#define SINCE_HOUR "hour > floor(extract(epoch FROM now()) / 3600)::int4 - $1::int4"
#define NOW_IN_FORCE(kind)                                                                         \
    "(SELECT value -> '" kind "' FROM fraudtop_in_force WHERE kind = '" kind "'"                   \
    " ORDER BY at DESC LIMIT 1)"

/* h: counts of all scores by cell; r: what people have found out; labels that came with the data go before it. */
static const char histograms_sql[] =
    "WITH h AS MATERIALIZED (SELECT cell, sum(n) AS n, sum(amount) AS amount FROM ("
    "   SELECT cell, n, amount FROM fraudtop_score_hours WHERE " SINCE_HOUR
    "   UNION ALL SELECT u.cell, u.n, u.amount FROM fraudtop_score_deltas d,"
    "    unnest(d.cell, d.n, d.amount) AS u(cell, n, amount) WHERE " SINCE_HOUR ") x GROUP BY cell),"
    " r AS MATERIALIZED (SELECT transaction_id, score, status, amount, merchant,"
    "   category, decided_by, decided_at, sampled AND NOT flagged AS sampled FROM fraudtop_cases"
    "  WHERE status IN ('fraud', 'legitimate') AND scored_at > now() - $1::int4 * interval '1 hour'),"
    " l AS (SELECT coalesce(sum(n), 0) > 0 AS labels FROM h WHERE cell / 2000 % 3 > 0) "
    "SELECT json_build_object('schema', 'threshold.counts/1', 'hours', $1::int4,"
    " 'threshold', " NOW_IN_FORCE("threshold") ", 'sample', " NOW_IN_FORCE("sample") ","
    " 'total', (SELECT coalesce(sum(n), 0) FROM h), 'labels_from_file', l.labels,"
    " 'reviewed', (SELECT count(*) FROM r),"
    " 'sampled', (SELECT json_build_object('n', count(*), 'fraud', count(*) FILTER"
    "  (WHERE status = 'fraud')) FROM r WHERE sampled),"
    " 'all', " BINS("n", "true") ", 'amount', " BINS("amount", "true") ","
    " 'fraud', CASE WHEN l.labels THEN " BINS("n", "cell / 2000 % 3 = 2")
    "  ELSE " REVIEWED("fraud") " END,"
    " 'legitimate', CASE WHEN l.labels THEN " BINS("n", "cell / 2000 % 3 = 1")
    "  ELSE " REVIEWED("legitimate") " END,"
    " 'fraud_amount', CASE WHEN l.labels THEN " BINS("amount", "cell / 2000 % 3 = 2") " END,"
    " 'known', coalesce((SELECT json_agg(json_build_object('transaction_id', transaction_id,"
    "   'score', score, 'amount', amount::text, 'merchant', merchant, 'category', category, 'by', decided_by,"
    "   'at', " SQL_TIME("decided_at") ") ORDER BY score)"
    "  FROM (SELECT * FROM r WHERE status = 'fraud' ORDER BY score LIMIT 200) k), '[]'::json)) FROM l";

static const char promoted_sql[] =
    "SELECT json_build_object('schema', 'model.promoted/1', 'records', coalesce((SELECT json_agg("
    "  json_build_object('model', value ->> 'model', 'at', " SQL_TIME("at") ","
    "   'who', who, 'note', note) ORDER BY id DESC)"
    "  FROM (SELECT * FROM fraudtop_in_force WHERE kind = 'model' ORDER BY id DESC LIMIT $1::int8) r),"
    " '[]'::json))";

static const char runs_sql[] =
    "SELECT json_build_object('schema', 'runs/1', 'runs', coalesce((SELECT json_agg("
    "  json_build_object('run', run, 'started_at', " SQL_TIME("started_at") ","
    "   'updated_at', " SQL_TIME("updated_at") ", 'ended_at', " SQL_TIME("ended_at") ","
    "   'state', state, 'host', host, 'detail', detail) ORDER BY started_at DESC)"
    "  FROM (SELECT * FROM fraudtop_runs ORDER BY started_at DESC LIMIT $1::int8) r), '[]'::json),"
    " 'processes', coalesce((SELECT json_agg("
    "  json_build_object('process', process, 'role', role, 'host', host, 'pid', pid, 'state', state,"
    "   'started_at', " SQL_TIME("started_at") ", 'seen_at', " SQL_TIME("seen_at") ","
    "   'detail', detail) ORDER BY process)"
    "  FROM fraudtop_processes WHERE seen_at > now() - interval '1 hour'), '[]'::json))";

/* $1 since; $2 to $6: what ft_cases_totals has counted. */
static const char handover_sql[] =
    "WITH since AS (SELECT to_timestamp($1::float8 / 1000) AS t),"
    " e AS (SELECT kind, count(*) AS n FROM fraudtop_events, since WHERE at >= t"
    "  AND kind IN ('fraud', 'legitimate', 'escalate', 'snooze', 'undo', 'note') GROUP BY kind),"
    " o AS (SELECT count(*) AS n, coalesce(sum(amount), 0) AS amount FROM fraudtop_cases, since"
    "  WHERE flagged AND scored_at >= t) "
    "SELECT json_build_object('schema', 'handover/1', 'since', " SQL_TIME("since.t") ","
    " 'until', " SQL_TIME("now()") ", 'opened', o.n, 'opened_amount', o.amount::text,"
    " 'decided', (SELECT coalesce(json_object_agg(kind, n), '{}'::json) FROM e),"
    " 'still_open', $2::int8, 'claimed', $3::int8, 'over_limit', $4::int8, 'limit_s', $5::float8,"
    " 'oldest_s', nullif($6::float8, -1) / 1000,"
    " 'escalated', coalesce((SELECT json_agg(json_build_object(" SQL_CASE_MEMBERS ", 'note',"
    "   (SELECT note FROM fraudtop_events v WHERE v.transaction_id = c.transaction_id"
    "    AND v.kind = 'escalate' ORDER BY number DESC LIMIT 1)) ORDER BY c.decided_at)"
    "  FROM (SELECT * FROM fraudtop_cases WHERE status = 'escalated'"
    "   ORDER BY decided_at DESC LIMIT 200) c), '[]'::json),"
    " 'snoozed', coalesce((SELECT json_agg(json_build_object(" SQL_CASE_MEMBERS ")"
    "   ORDER BY c.snoozed_until) FROM (SELECT * FROM fraudtop_cases WHERE status = 'snoozed'"
    "   AND snoozed_until > now() ORDER BY snoozed_until LIMIT 200) c), '[]'::json),"
    " 'changes', coalesce((SELECT json_agg(json_build_object('at', " SQL_TIME("at") ","
    "   'kind', kind, 'value', value -> kind, 'by', who, 'note', note) ORDER BY at)"
    "  FROM (SELECT * FROM fraudtop_in_force, since WHERE at >= t"
    "   AND kind IN ('threshold', 'model', 'sample') ORDER BY at LIMIT 200) f), '[]'::json),"
    " 'outages', coalesce((SELECT json_agg(json_build_object('at', " SQL_TIME("at") ","
    "   'ended_at', " SQL_TIME("ended_at") ", 'kind', kind, 'host', host, 'message', message)"
    "   ORDER BY at) FROM (SELECT * FROM fraudtop_alerts, since WHERE at >= t ORDER BY at"
    "   LIMIT 200) a), '[]'::json)) FROM since, o";

/* clang-format on */

#endif
