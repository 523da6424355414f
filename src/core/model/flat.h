/*
 * Reads flatbuffers blobs that cannot be trusted: every position is checked against the ends of the blob.
 *
 * The first fault found is kept in err and st; from then on every read gives nothing (0, an empty vector, an absent
 * table), so that a reader may check once at the end of a stretch.  Blobs are not aligned: numbers are copied out.
 */
#ifndef FC_FLAT_H
#define FC_FLAT_H

#include "fraudcore.h"

struct fc_flat {
    const unsigned char *p;
    size_t n;
    const char *blob; /* what is being read, for messages: "core", "CTR table 3" */
    /* Bytes of vectors and strings that may still be read.  Several references may lead to one vector, which a
     * small hostile file could use to unfold into a huge model. */
    uint64_t *budget;
    enum fc_status st;
    struct fc_err *err;
};

struct fc_flat_table {
    size_t at, size; /* size 0: the table is absent */
    size_t slots, n_slots;
};

struct fc_flat_vector {
    const unsigned char *p;
    size_t n; /* items */
};

struct fc_flat_table fc_flat_root(struct fc_flat *f);

int32_t fc_flat_i32(struct fc_flat *f, const struct fc_flat_table *t, unsigned field,
                    int32_t absent);
int8_t fc_flat_i8(struct fc_flat *f, const struct fc_flat_table *t, unsigned field, int8_t absent);
float fc_flat_f32(struct fc_flat *f, const struct fc_flat_table *t, unsigned field, float absent);
double fc_flat_f64(struct fc_flat *f, const struct fc_flat_table *t, unsigned field, double absent);
struct fc_flat_table fc_flat_table(struct fc_flat *f, const struct fc_flat_table *t,
                                   unsigned field);
/* Scalars, structs or the bytes of a string (item 1). */
struct fc_flat_vector fc_flat_vector(struct fc_flat *f, const struct fc_flat_table *t,
                                     unsigned field, size_t item);
/* A vector of tables or strings, and item i of it. */
struct fc_flat_vector fc_flat_refs(struct fc_flat *f, const struct fc_flat_table *t,
                                   unsigned field);
struct fc_flat_table fc_flat_table_at(struct fc_flat *f, const struct fc_flat_vector *v, size_t i);
struct fc_flat_vector fc_flat_string_at(struct fc_flat *f, const struct fc_flat_vector *v,
                                        size_t i);

/* Little-endian numbers at any address. */
uint16_t fc_le16(const void *p);
uint32_t fc_le32(const void *p);
uint64_t fc_le64(const void *p);
int32_t fc_le_i32(const void *p);
float fc_le_f32(const void *p);
double fc_le_f64(const void *p);

#endif
