/* Rows that others wrote to fraud_scores become cases. */
#include <stdio.h>

#include "pg.h"

/*
 * Rows of the last moments are looked at again and again, as a transaction may take a while to be seen.  A
 * row with an older scored_at of its own becomes a case when somebody names it.  Oldest first and some at a time, so that the
 * first look at a big table of somebody's holds up nobody: then it goes on from the last one.
 */
#define AT_ONCE "2000"

static const char adopt_sql[] =
    "WITH since AS (SELECT until - $1::float8 * interval '1 s' AS t FROM fraudtop_adopted),"
    " dated AS MATERIALIZED (SELECT transaction_id, score, scored_at FROM fraud_scores s"
    "  WHERE fraud_flag = 1 AND scored_at >= (SELECT t FROM since) AND NOT EXISTS"
    "   (SELECT FROM fraudtop_cases c WHERE c.transaction_id = s.transaction_id)"
    "  ORDER BY scored_at LIMIT " AT_ONCE "),"
    " seen AS (SELECT * FROM dated UNION ALL (SELECT transaction_id, score, now() FROM "
    "fraud_scores s"
    "   WHERE fraud_flag = 1 AND scored_at IS NULL AND NOT EXISTS"
    "    (SELECT FROM fraudtop_cases c WHERE c.transaction_id = s.transaction_id) LIMIT " AT_ONCE
    ")),"
    " made AS (INSERT INTO fraudtop_cases (transaction_id, score, scored_at, flagged)"
    "  SELECT transaction_id, score, scored_at, true FROM seen"
    "  ON CONFLICT (transaction_id) DO NOTHING RETURNING score),"
    " counted AS (INSERT INTO fraudtop_score_deltas (hour, cell, n, amount)"
    "  SELECT floor(extract(epoch FROM now()) / 3600)::int4, array_agg(cell), array_agg(n),"
    "   array_agg(0) FROM (SELECT (6000 + greatest(least(floor(score * 2000), 1999), 0))::int2"
    "   AS cell, count(*)::int4 AS n FROM made GROUP BY 1) t HAVING count(*) > 0),"
    " till AS (SELECT CASE WHEN count(*) < " AT_ONCE " THEN now() ELSE max(scored_at) END AS t"
    "  FROM dated) "
    "UPDATE fraudtop_adopted SET until = t FROM till WHERE until < t";

enum ft_status ft_pg_adopt(PGconn *conn, int again_s, struct ft_err *err)
{
    char seconds[16];
    const char *value[] = {seconds};
    struct ft_pg_params p = {.value = value, .n = 1};
    enum ft_status st;

    snprintf(seconds, sizeof(seconds), "%d", again_s);
    /* The first look at a big table of somebody's may take long; what a crash takes back is found again. */
    st = ft_pg_exec(
        conn, "BEGIN; SET LOCAL statement_timeout = '60s'; SET LOCAL synchronous_commit = off",
        NULL, 5000, NULL, "looking for rows of others", err);
    if (st == FT_OK)
        st = ft_pg_exec(conn, adopt_sql, &p, 60000, NULL, "looking for rows of others", err);
    if (st == FT_OK)
        return ft_pg_exec(conn, "COMMIT", NULL, 5000, NULL, "looking for rows of others", err);
    (void)ft_pg_exec(conn, "ROLLBACK", NULL, 5000, NULL, "rollback", NULL);
    return st;
}
