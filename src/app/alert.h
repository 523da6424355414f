/*
 * Alerts for nobody at the screen: alert.command is run by the shell, its reason in $FRAUDTOP_ALERT, when Kafka or
 * PostgreSQL goes down, scorers or sinks are gone, a lag grows for alert.lag, or a case is over time; at most one in
 * alert.interval, what happens meanwhile is told with the next.  Each is also a row of fraudtop_alerts; without a command
 * the outages are, for the handover.
 *
 * A thread of its own: whoever shows the figures hands them over and never waits.
 */
#ifndef FT_ALERT_H
#define FT_ALERT_H

#include "app.h"
#include "fraudtop/feed.h"

struct ft_alert;

/* writes: outages are written down without a command, too.  *out is NULL when there is nothing to do: then the calls below do
 * nothing.  conninfo outlives it. */
enum ft_status ft_alert_start(struct ft_alert **out, const struct ft_app *app, const char *conninfo,
                              bool writes, struct ft_err *err);
void ft_alert_see(struct ft_alert *a, const struct ft_live *l);
/* And frees; a command that still runs is left alone. */
void ft_alert_stop(struct ft_alert *a);

#endif
