/*
 * How the address sanitizer runs under libFuzzer: freed memory is used again soon, so that it stays in the cache, and
 * little of the stack is noted at each allocation.  Several times as many inputs a second.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "quarantine_size_mb=2:thread_local_quarantine_size_kb=64:malloc_context_size=6";
}
