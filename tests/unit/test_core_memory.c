/* Memory that runs out: each allocation of loading, scoring and explaining fails in turn; nothing crashes or leaks. */
#include "core_try.h"
#include "vectors.h"

#define SMALL FT_SOURCE_DIR "/tests/fuzz/corpus/" /* every allocation means loading once more */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_FAIL 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#undef CAN_FAIL
#endif
#endif
#endif

#ifdef CAN_FAIL
/* glibc lets a program have its own; those of the libraries come here, too. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

static long left = -1; /* allocations until one fails; below 0: none does */
static long alive;     /* blocks in use */
static bool counting;

static bool fails(void)
{
    return counting && left >= 0 && left-- == 0;
}

static void *counted(void *p)
{
    if (p && counting)
        alive++;
    return p;
}

void *malloc(size_t n)
{
    return fails() ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    if (fails())
        return NULL;
    return p ? __libc_realloc(p, n) : counted(__libc_realloc(p, n));
}

void free(void *p)
{
    if (p && counting)
        alive--;
    __libc_free(p);
}

/* The number of allocations after which everything went well. */
static long fail_each(const char *path)
{
    size_t n;
    char *bytes = vectors_file(path, &n);
    enum fc_status st = FC_ENOMEM;
    long nth = 0;

    assert_non_null(bytes);
    for (; nth < 20000; nth++) {
        bool all;

        left = nth;
        alive = 0;
        counting = true;
        st = core_try(bytes, n);
        counting = false;
        all = left >= 0; /* none failed any more */
        if (alive != 0)
            fail_msg("%s: allocation %ld failed, and %ld blocks were left behind", path, nth,
                     alive);
        if (all)
            break;
        /* sorting and remembered explanations do without */
        if (st != FC_ENOMEM && st != FC_OK)
            fail_msg("%s: allocation %ld failed, and that was told as %d", path, nth, (int)st);
    }
    assert_int_equal(st, FC_OK);
    free(bytes);
    return nth;
}

static void every_allocation_may_fail(void **state)
{
    static const char *const files[] = {
        SMALL "cbm/ctr",          SMALL "cbm/hot",
        SMALL "cbm/mean",         SMALL "cbm/classes",
        SMALL "cbm/nodes",        SMALL "cbm/levels",
        SMALL "model_json/ctr",   SMALL "model_json/hot",
        SMALL "model_json/mean",  SMALL "model_json/classes",
        SMALL "model_json/nodes", SMALL "model_json/levels",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_true(fail_each(files[i]) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    /* No service is missing that could be had: also no failure in continuous integration. */
    fputs("SKIPPED: the allocator cannot be replaced here (no glibc, or a sanitizer has its own)\n",
          stderr);
    return 77;
}
#endif
