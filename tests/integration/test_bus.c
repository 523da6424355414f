/* The bus on a real Kafka : the suite that the loopback passes too. */
#include "../bus_suite.h"

static char brokers[128];

static struct ft_bus *open_kafka(void)
{
    struct ft_bus_opts o = {.client_id = "test", .brokers = brokers};
    struct ft_bus *bus;

    OK(ft_bus_open(&bus, &o, &ok_err));
    return bus;
}

int main(void)
{
    const struct CMUnitTest tests[] = {SUITE_TESTS};

    if (!ft_test_service("kafka", brokers, sizeof(brokers)))
        return ft_test_skip("there is no Kafka for tests");
    suite_open = open_kafka;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
