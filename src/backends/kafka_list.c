#include <librdkafka/rdkafka.h>

#include "fraudtop/bus.h"

void ft_bus_list_properties(FILE *out)
{
    rd_kafka_conf_properties_show(out);
}
