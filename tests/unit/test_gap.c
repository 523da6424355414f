/* The lowest gap and the timetable: what is safe to keep, and when a row is due. */
#include "../ft_test.h"

#include "fraudtop/gap.h"
#include "fraudtop/pacer.h"

static void low_waits_for_the_slowest(void **state)
{
    struct ft_gap g;

    (void)state;
    assert_true(ft_gap_init(&g, 4, 100));
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(ft_gap_open(&g), 100 + i);
    assert_true(ft_gap_full(&g));
    assert_false(ft_gap_done(&g, 102));
    assert_false(ft_gap_done(&g, 101));
    assert_int_equal(g.low, 100);
    assert_true(ft_gap_done(&g, 100));
    assert_int_equal(g.low, 103);
    assert_false(ft_gap_full(&g));
    ft_gap_fini(&g);
}

static void reports_of_others_change_nothing(void **state)
{
    struct ft_gap g;

    (void)state;
    assert_true(ft_gap_init(&g, 8, 5));
    assert_false(ft_gap_done(&g, 4)); /* finished long ago */
    assert_false(ft_gap_done(&g, 5)); /* never begun */
    ft_gap_open(&g);
    assert_true(ft_gap_done(&g, 5));
    assert_false(ft_gap_done(&g, 5)); /* twice */
    assert_true(ft_gap_empty(&g));
    ft_gap_fini(&g);
}

static void the_window_is_used_again_and_again(void **state)
{
    struct ft_gap g;

    (void)state;
    assert_true(ft_gap_init(&g, 16, 0));
    for (uint64_t round = 0; round < 1000; round++) {
        uint64_t first = g.next;

        while (!ft_gap_full(&g))
            ft_gap_open(&g);
        for (uint64_t i = 16; i-- > 0;) /* backwards: the worst order */
            ft_gap_done(&g, first + i);
        assert_int_equal(g.low, first + 16);
    }
    ft_gap_fini(&g);
}

static void a_timetable_catches_up_after_a_stall(void **state)
{
    struct ft_pacer p;
    const int64_t second = 1000000000;

    (void)state;
    ft_pacer_init(&p, 100, 0, 0);
    assert_int_equal(ft_pacer_due(&p, 0, 0), 0);
    ft_pacer_next(&p);
    assert_int_equal(ft_pacer_due(&p, 0, 5 * second), second / 100); /* long due */
    ft_pacer_rate(&p, 10, 5 * second);
    assert_int_equal(ft_pacer_due(&p, 0, 5 * second), 5 * second);
    ft_pacer_next(&p);
    assert_int_equal(ft_pacer_due(&p, 0, 5 * second), 5 * second + second / 10);
}

static void a_pause_is_not_caught_up(void **state)
{
    struct ft_pacer p;
    const int64_t second = 1000000000;

    (void)state;
    ft_pacer_init(&p, 1, 0, 0);
    ft_pacer_next(&p);
    ft_pacer_pause(&p, true, second / 2);
    ft_pacer_pause(&p, true, second); /* again: no effect */
    ft_pacer_pause(&p, false, 10 * second + second / 2);
    assert_int_equal(ft_pacer_due(&p, 0, 11 * second), 11 * second);
}

static void event_time_runs_faster_and_never_back(void **state)
{
    struct ft_pacer p;
    const int64_t second = 1000000000;

    (void)state;
    ft_pacer_init(&p, 0, 60, 7 * second);
    assert_int_equal(ft_pacer_due(&p, 1000000, 7 * second), 7 * second);
    assert_int_equal(ft_pacer_due(&p, 1000120, 7 * second), 9 * second);
    assert_int_equal(ft_pacer_due(&p, 1000060, 7 * second), 9 * second);
}

static void without_a_limit_every_row_is_due_now(void **state)
{
    struct ft_pacer p;

    (void)state;
    ft_pacer_init(&p, 0, 0, 3);
    assert_int_equal(ft_pacer_due(&p, 0, 3), 3);
    ft_pacer_next(&p);
    assert_int_equal(ft_pacer_due(&p, 0, 12345), 12345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(low_waits_for_the_slowest),
        cmocka_unit_test(reports_of_others_change_nothing),
        cmocka_unit_test(the_window_is_used_again_and_again),
        cmocka_unit_test(a_timetable_catches_up_after_a_stall),
        cmocka_unit_test(a_pause_is_not_caught_up),
        cmocka_unit_test(event_time_runs_faster_and_never_back),
        cmocka_unit_test(without_a_limit_every_row_is_due_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
