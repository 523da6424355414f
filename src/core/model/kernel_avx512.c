#define FC_NAME(name) name##_avx512
#include "kernel.inc"
