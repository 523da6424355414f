/* The JSON form of models: loaded, scored, explained. */
#include "../core_try.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    core_try(data, size);
    return 0;
}
