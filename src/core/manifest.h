/* manifest.json → struct ft_scorer (without models).  See docs/formats.md, "Manifest". */
#ifndef FT_CORE_MANIFEST_H
#define FT_CORE_MANIFEST_H

#include "scorer.h"

struct cJSON;

#define FT_MANIFEST_MAX (4u << 20)

/* Fills s, which is all zero before; what was allocated is ft_scorer_free's also after a failure.  *tree is the
 * parsed text (for the check rows); the caller deletes it, also after a failure. */
enum ft_status ft_manifest_parse(struct ft_scorer *s, struct ft_span text, struct cJSON **tree,
                                 struct ft_err *err);
/* What is the same with and without a manifest, once columns and stages are there. */
enum ft_status ft_manifest_finish(struct ft_scorer *s, struct ft_err *err);

#endif
