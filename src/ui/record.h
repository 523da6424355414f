/* A recording of what went to the terminal, as asciicast v2: one JSON line of header, then [seconds, "o", text] lines. */
#ifndef FT_RECORD_H
#define FT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "fraudtop/status.h"

struct ft_record;

/* Makes the file (0600); never overwrites one. */
enum ft_status ft_record_open(struct ft_record **out, const char *path, struct ft_err *err);
void ft_record_begin(struct ft_record *r, int cols, int rows);
/* The time of what follows; the first call is time 0. */
void ft_record_time(struct ft_record *r, int64_t now_ms);
void ft_record_bytes(void *self, const char *bytes, size_t n);
void ft_record_close(struct ft_record *r);

#endif
