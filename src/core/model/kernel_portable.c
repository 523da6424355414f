#define FC_NAME(name) name##_portable
#include "kernel.inc"
