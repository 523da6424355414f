#ifndef FT_CODEC_MEMBER_H
#define FT_CODEC_MEMBER_H

#include "fraudtop/txn.h"

/* ,"name": of each column. */
extern const struct ft_span ft_codec_member[FT_N_COLS];

#endif
