/* The bus on a real Kafka (FT_TEST_BROKERS): the suite that the loopback passes too. */
#include "../bus_suite.h"

static struct ft_bus *suite_open(void)
{
    struct ft_bus_opts o = {.client_id = "test", .brokers = getenv("FT_TEST_BROKERS")};
    struct ft_bus *bus;

    OK(ft_bus_open(&bus, &o, &ok_err));
    return bus;
}

int main(void)
{
    const struct CMUnitTest tests[] = {SUITE_TESTS};

    if (!getenv("FT_TEST_BROKERS"))
        return ft_test_skip("FT_TEST_BROKERS names no Kafka");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
