/* The JSON form of models: loaded, scored, explained. */
#include "../core_try.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (core_try(data, size) == FC_ENOMEM) /* cJSON's nothing was taken for a lack of memory */
        abort();
    return 0;
}
