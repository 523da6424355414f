/* Pictures of screens without a terminal. */
#ifndef FT_SNAPSHOT_H
#define FT_SNAPSHOT_H

#include "console.h"

/* The first lines of each: version, time, host, filter, whether names are masked. */
void ft_snapshot_head(const struct ft_con *c, struct ft_buf *out, enum ft_place place);
/* With colours, as escape sequences. */
void ft_snapshot_ansi(const struct ft_canvas *cv, const struct ft_theme *theme, struct ft_buf *out);
/* {"schema":"screen/1", "cols", "rows", "lines":[]} */
void ft_snapshot_json(const struct ft_con *c, const struct ft_canvas *cv, enum ft_place place,
                      struct ft_buf *out);

#endif
