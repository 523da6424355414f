/* A configuration file: any bytes end in settings, warnings or an error, never in anything else. */
#include <stddef.h>
#include <stdint.h>

#include "fraudtop/config.h"

static void ignore(void *user, const char *line)
{
    (void)user;
    (void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_config *c = ft_config_new();
    struct ft_err err;
    const struct ft_prop *prop;

    if (!c)
        return 0;
    if (ft_config_ini(c, (const char *)data, size, "fuzz", "demo", ignore, NULL, &err) == FT_OK)
        for (size_t i = 0; i < ft_n_options; i++) {
            ft_cfg_text(c, ft_options[i].key);
            ft_cfg_source(c, ft_options[i].key);
        }
    (void)ft_config_properties(c, (const char *)data, size, "fuzz", &err);
    ft_cfg_props(c, &prop);
    ft_config_free(c);
    return 0;
}
