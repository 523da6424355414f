/* Doubles as JSON: the same text as printf's %.17g, whatever way it is made. */
#include "../ft_test.h"

#include "fraudtop/buf.h"

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void check(struct ft_buf *b, double v)
{
    char want[40];

    snprintf(want, sizeof(want), "%.17g", v);
    ft_buf_clear(b);
    ft_buf_double(b, v);
    if (strcmp(b->p, want) != 0)
        fail_msg("%s, not %s", b->p, want);
    assert_true(strtod(b->p, NULL) == v);
}

static void random_doubles_are_written_as_printf_writes_them(void **state)
{
    uint64_t s = 20260101;
    struct ft_buf b;

    (void)state;
    ft_buf_init(&b, 100);
    for (int i = 0; i < 300000; i++) {
        uint64_t r = next(&s);
        double unit = (double)(r >> 11) * 0x1p-53, any;

        check(&b, unit);
        check(&b, unit * unit * unit * unit);
        check(&b, -unit * 1e15);
        check(&b, (double)(r % 100000) / 100);
        check(&b, exp(-30 * unit));
        memcpy(&any, &r, sizeof(any));
        if (isfinite(any))
            check(&b, any);
    }
    ft_buf_fini(&b);
}

static void edges(void **state)
{
    static const double v[] = {0,
                               -0.0,
                               1,
                               0.1,
                               0.5,
                               0.25,
                               1e-4,
                               1e-5,
                               9.9e-5,
                               1e16,
                               1e17,
                               1e-11,
                               9e-12,
                               1e22,
                               0.3,
                               2.0 / 3,
                               0.999,
                               1 - 0x1p-53,
                               1e-4 - 1e-20,
                               5e-324,
                               1.7e308,
                               123456,
                               100,
                               4503599627370497.5,
                               9007199254740991.0};
    struct ft_buf b;

    (void)state;
    ft_buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        check(&b, v[i]);
    for (int e = -1074; e < 1024; e++)
        check(&b, ldexp(1, e));
    for (int e = -20; e < 20; e++) {
        check(&b, pow(10, e));
        check(&b, nextafter(pow(10, e), 0));
    }
    ft_buf_clear(&b);
    ft_buf_double(&b, NAN);
    ft_buf_double(&b, INFINITY);
    assert_string_equal(b.p, "nullnull");
    ft_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_doubles_are_written_as_printf_writes_them),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
