/* The only way to cmocka: it needs these headers before it. */
#ifndef FT_TEST_H
#define FT_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka's assert_float_equal compares as float; scores are doubles. */
#define assert_near(got, want, tolerance)                                                          \
    do {                                                                                           \
        double got_ = (got), want_ = (want);                                                       \
        if (!(fabs(got_ - want_) <= (tolerance)))                                                  \
            fail_msg("%s is %.17g, not %.17g (tolerance %g)", #got, got_, want_,                   \
                     (double)(tolerance));                                                         \
    } while (0)

/* Exit status of a test whose service is missing; with FT_TEST_REQUIRE=1 (continuous integration) a failure. */
static inline int ft_test_skip(const char *why)
{
    const char *require = getenv("FT_TEST_REQUIRE");

    fprintf(stderr, "SKIPPED: %s\n", why);
    return require && *require == '1' ? 1 : 77;
}

/*
 * Address of a service that ctest started for the tests ("kafka": host:port, "postgres": a conninfo without dbname), or NULL:
 * then end with ft_test_skip.  For tests in integration/ and tui/.
 */
static inline const char *ft_test_service(const char *name, char *out, size_t size)
{
    const char *dir = getenv("FT_TEST_SERVICES");
    char path[1024];
    FILE *f;
    bool ok;

    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/nowhere", name);
    f = fopen(path, "r");
    if (!f)
        return NULL;
    ok = fgets(out, (int)size, f) != NULL;
    fclose(f);
    if (!ok)
        return NULL;
    out[strcspn(out, "\n")] = '\0';
    return out;
}

#endif
