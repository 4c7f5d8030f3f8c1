/* Work that takes as long as it is told to. Whoever includes this has two functions that a profiler can tell apart. */
#ifndef BURN_H
#define BURN_H

#include <stdint.h>
#include <time.h>

static int64_t thread_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The clock is the thread's own, so the truth is the same on a busy machine. It is asked seldom: asking is the operating system's work. */
static inline void burn_for(int64_t ns)
{
    volatile uint64_t x = 1;
    for (int64_t end = thread_time_ns() + ns; thread_time_ns() < end;)
        for (int i = 0; i < 20000; i++)
            x = x * 6364136223846793005u + 1442695040888963407u;
}

__attribute__((noinline, used)) void truth_first(int64_t ns)
{
    burn_for(ns);
    __asm__ volatile(""); /* no tail call: the frame stays */
}

__attribute__((noinline, used)) void truth_second(int64_t ns)
{
    burn_for(ns);
    __asm__ volatile("");
}

#endif
