/* Laying out never fails on its own output, and its one-line form is a fixed point. */
#include <stdlib.h>
#include <string.h>

#include "fraudtop/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ft_layout line = {0}, screen = {.indent = 2, .mask = true, .clean = true};
    struct ft_span text = {(const char *)data, size};
    struct ft_buf a, b;

    ft_buf_init(&a, 1 << 22);
    ft_buf_init(&b, 1 << 22);
    ft_layout_json(&b, text, &screen, NULL);
    ft_buf_clear(&b);
    if (ft_layout_json(&a, text, &line, NULL) == FT_OK) {
        if (ft_layout_json(&b, (struct ft_span){a.p, a.n}, &line, NULL) != FT_OK || a.n != b.n ||
            memcmp(a.p, b.p, a.n) != 0)
            abort();
    }
    ft_buf_fini(&a);
    ft_buf_fini(&b);
    return 0;
}
