#include "flat.h"

#include <string.h>

#include "model.h"

uint16_t fc_le16(const void *at)
{
    const unsigned char *p = at;

    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t fc_le32(const void *at)
{
    const unsigned char *p = at;

    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t fc_le64(const void *at)
{
    const unsigned char *p = at;

    return fc_le32(p) | (uint64_t)fc_le32(p + 4) << 32;
}

int32_t fc_le_i32(const void *at)
{
    uint32_t u = fc_le32(at);
    int32_t v;

    memcpy(&v, &u, sizeof(v));
    return v;
}

float fc_le_f32(const void *at)
{
    uint32_t u = fc_le32(at);
    float v;

    memcpy(&v, &u, sizeof(v));
    return v;
}

double fc_le_f64(const void *at)
{
    uint64_t u = fc_le64(at);
    double v;

    memcpy(&v, &u, sizeof(v));
    return v;
}

static void bad(struct fc_flat *f, const char *what, uint64_t at)
{
    if (f->st == FC_OK)
        f->st = fc_fail(f->err, FC_EFORMAT, "%s: %s at byte %llu", f->blob, what,
                        (unsigned long long)at);
}

static struct fc_flat_table table_at(struct fc_flat *f, uint64_t at)
{
    struct fc_flat_table t = {0};
    int64_t vt;
    size_t vt_size, size;

    if (f->st != FC_OK)
        return t;
    if (f->n < 4 || at > f->n - 4) {
        bad(f, "a table outside the blob", at);
        return t;
    }
    vt = (int64_t)at - fc_le_i32(f->p + at);
    if (vt < 0 || (uint64_t)vt > f->n - 4) {
        bad(f, "a vtable outside the blob, of the table", at);
        return t;
    }
    vt_size = fc_le16(f->p + vt);
    size = fc_le16(f->p + vt + 2);
    if (vt_size < 4 || vt_size % 2 || vt_size > f->n - (size_t)vt) {
        bad(f, "a vtable of bad size", (uint64_t)vt);
        return t;
    }
    if (size < 4 || size > f->n - at) {
        bad(f, "a table of bad size", at);
        return t;
    }
    return (struct fc_flat_table){(size_t)at, size, (size_t)vt + 4, (vt_size - 4) / 2};
}

struct fc_flat_table fc_flat_root(struct fc_flat *f)
{
    if (f->st == FC_OK && f->n < 8)
        bad(f, "too short for a flatbuffers blob, ends", f->n);
    if (f->st != FC_OK)
        return (struct fc_flat_table){0};
    return table_at(f, fc_le32(f->p));
}

/* Where a field's value of that size is, or NULL when it is absent. */
static const unsigned char *field_at(struct fc_flat *f, const struct fc_flat_table *t,
                                     unsigned field, size_t size)
{
    size_t offset;

    if (f->st != FC_OK || !t->size || field >= t->n_slots)
        return NULL;
    offset = fc_le16(f->p + t->slots + 2 * (size_t)field);
    if (offset == 0)
        return NULL;
    if (offset < 4 || size > t->size || offset > t->size - size) {
        bad(f, "a field outside its table", t->at + offset);
        return NULL;
    }
    return f->p + t->at + offset;
}

int32_t fc_flat_i32(struct fc_flat *f, const struct fc_flat_table *t, unsigned field,
                    int32_t absent)
{
    const unsigned char *p = field_at(f, t, field, 4);

    return p ? fc_le_i32(p) : absent;
}

int8_t fc_flat_i8(struct fc_flat *f, const struct fc_flat_table *t, unsigned field, int8_t absent)
{
    const unsigned char *p = field_at(f, t, field, 1);

    return p ? (int8_t)(*p < 128 ? *p : *p - 256) : absent;
}

float fc_flat_f32(struct fc_flat *f, const struct fc_flat_table *t, unsigned field, float absent)
{
    const unsigned char *p = field_at(f, t, field, 4);

    return p ? fc_le_f32(p) : absent;
}

double fc_flat_f64(struct fc_flat *f, const struct fc_flat_table *t, unsigned field, double absent)
{
    const unsigned char *p = field_at(f, t, field, 8);

    return p ? fc_le_f64(p) : absent;
}

struct fc_flat_table fc_flat_table(struct fc_flat *f, const struct fc_flat_table *t, unsigned field)
{
    const unsigned char *p = field_at(f, t, field, 4);

    if (!p)
        return (struct fc_flat_table){0};
    return table_at(f, (uint64_t)(p - f->p) + fc_le32(p));
}

/* The items of the vector that begins at a position. */
static struct fc_flat_vector vector_at(struct fc_flat *f, uint64_t at, size_t item)
{
    size_t n;

    if (f->n < 4 || at > f->n - 4) {
        bad(f, "a vector or string outside the blob", at);
        return (struct fc_flat_vector){0};
    }
    n = fc_le32(f->p + at);
    if (n > (f->n - (size_t)at - 4) / item) {
        bad(f, "a vector or string longer than the blob", at);
        return (struct fc_flat_vector){0};
    }
    if (n * item > *f->budget) {
        bad(f, "vectors that overlap far more than any writer makes them", at);
        return (struct fc_flat_vector){0};
    }
    *f->budget -= n * item;
    return (struct fc_flat_vector){f->p + at + 4, n};
}

struct fc_flat_vector fc_flat_vector(struct fc_flat *f, const struct fc_flat_table *t,
                                     unsigned field, size_t item)
{
    const unsigned char *p = field_at(f, t, field, 4);

    if (!p)
        return (struct fc_flat_vector){0};
    return vector_at(f, (uint64_t)(p - f->p) + fc_le32(p), item);
}

struct fc_flat_vector fc_flat_refs(struct fc_flat *f, const struct fc_flat_table *t, unsigned field)
{
    return fc_flat_vector(f, t, field, 4);
}

struct fc_flat_table fc_flat_table_at(struct fc_flat *f, const struct fc_flat_vector *v, size_t i)
{
    const unsigned char *p = v->p + 4 * i;

    if (f->st != FC_OK)
        return (struct fc_flat_table){0};
    return table_at(f, (uint64_t)(p - f->p) + fc_le32(p));
}

struct fc_flat_vector fc_flat_string_at(struct fc_flat *f, const struct fc_flat_vector *v, size_t i)
{
    const unsigned char *p = v->p + 4 * i;

    if (f->st != FC_OK)
        return (struct fc_flat_vector){0};
    return vector_at(f, (uint64_t)(p - f->p) + fc_le32(p), 1);
}
