/*
 * An allocator that fails when told to, for one test program: the n-th allocation from now on returns NULL, the others work.
 * It also counts living blocks, so that a leak on a way out after a failure shows.  Sanitizers and valgrind have an
 * allocator of their own: there ft_alloc_works says no, and tests that want failures are to be skipped.
 */
#ifndef FT_ALLOC_H
#define FT_ALLOC_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FT_ALLOC_FAILS 0
#endif
#endif
#if !defined(FT_ALLOC_FAILS)
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FT_ALLOC_FAILS 1
#else
#define FT_ALLOC_FAILS 0
#endif
#endif

static long ft_alloc_left = -1; /* allocations until one fails; -1: none will */
static long ft_alloc_live;      /* blocks taken and not given back */

#if FT_ALLOC_FAILS
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);

static int ft_alloc_fails_now(void)
{
    if (ft_alloc_left < 0 || ft_alloc_left-- > 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    void *p = ft_alloc_fails_now() ? NULL : __libc_malloc(n);

    ft_alloc_live += p != NULL;
    return p;
}

void *calloc(size_t n, size_t size)
{
    void *p = ft_alloc_fails_now() ? NULL : __libc_calloc(n, size);

    ft_alloc_live += p != NULL;
    return p;
}

void *realloc(void *p, size_t n)
{
    void *q = ft_alloc_fails_now() ? NULL : __libc_realloc(p, n);

    ft_alloc_live += !p && q;
    return q;
}

void free(void *p)
{
    ft_alloc_live -= p != NULL;
    __libc_free(p);
}
#endif

static inline int ft_alloc_works(void)
{
    void *p;
    long before = ft_alloc_live;

    p = malloc(1);
    before = ft_alloc_live - before;
    free(p);
    return before == 1;
}

/*
 * Runs work failing its first, second, ... allocation until it passes without a failure; work must give back all it took
 * and returns whether it succeeded.  Returns how many allocations were made to fail; -1: blocks were lost.
 */
static inline long ft_alloc_try_all(int (*work)(void))
{
    for (long n = 0;; n++) {
        long before = ft_alloc_live;
        int ok;

        ft_alloc_left = n;
        ok = work();
        if (ft_alloc_live != before)
            return -1;
        if (ft_alloc_left >= 0) { /* the turn of the failing one never came */
            ft_alloc_left = -1;
            return ok ? n : -1;
        }
    }
}

#endif
