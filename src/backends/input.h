/*
 * The bytes of a file as they are meant: plain, or unpacked when its first bytes say gzip (several members too) or zstd.
 * One thread at a time.
 */
#ifndef FT_INPUT_H
#define FT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fraudtop/status.h"

struct ft_input;

/* path "-": standard input.  stop_fd: when it becomes readable, waiting for a pipe ends (FT_ESTOPPED); 0: none.
 * Refuses a directory, and by name what it cannot unpack (xz, bzip2, zip, UTF-16). */
enum ft_status ft_input_open(struct ft_input **out, const char *path, int stop_fd,
                             struct ft_err *err);
void ft_input_close(struct ft_input *in);
/* Up to size bytes; *n = 0: the end.  Gives what is there rather than wait for a full buffer. */
enum ft_status ft_input_read(struct ft_input *in, char *p, size_t size, size_t *n,
                             struct ft_err *err);
bool ft_input_is_regular(const struct ft_input *in); /* can be opened again */
uint64_t ft_input_size(const struct ft_input *in);   /* bytes on disk; 0: unknown */
uint64_t ft_input_done(const struct ft_input *in);   /* bytes of the packed file used so far */
/* 64 bits of the size and of the first and last 64 KiB; 0 when it is no regular file or cannot be read. */
uint64_t ft_input_fingerprint(const struct ft_input *in);

#endif
