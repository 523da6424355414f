#define FC_NAME(name) name##_avx2
#include "kernel.inc"
