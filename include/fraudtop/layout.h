/*
 * A message of a topic made readable: JSON laid out, one member a line, numbers as they stand.
 */
#ifndef FRAUDTOP_LAYOUT_H
#define FRAUDTOP_LAYOUT_H

#include "fraudtop/buf.h"

struct ft_layout {
    int indent; /* blanks for each level; 0: all in one line, as other programs want it */
    bool mask;  /* the customer's name and street become "***", wherever they stand */
    bool clean; /* for a screen: control characters, marks and bad UTF-8 in strings become '?' */
};

/*
 * Appends text laid out.  The bare NaN and Infinity that Python writes are kept for a screen and become null in one
 * line.  FT_EINPUT: not JSON up to its end, or nested deeper than 64; what was appended then is to be thrown away.
 */
enum ft_status ft_layout_json(struct ft_buf *out, struct ft_span text, const struct ft_layout *how,
                              struct ft_err *err);

#endif
