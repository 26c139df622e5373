/* Lets one process have other clocks than its machine: what is preloaded with this adds to every reading of a clock
 * what stands in the file that LAB_CLOCKS names: two numbers of 64 bits, nanoseconds for the wall clock and for all
 * the others. The machine's own clocks are never touched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offsets;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("LAB_CLOCKS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (file >= 0) {
        void *shared = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
        offsets = shared == MAP_FAILED ? NULL : shared;
        close(file);
    }
}

int clock_gettime(clockid_t clock, struct timespec *told)
{
    if (!real)
        begin();
    int failed = real(clock, told);
    if (failed || !offsets || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return failed;
    int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
    int64_t all = (int64_t)told->tv_sec * 1000000000 + told->tv_nsec + offsets[is_wall ? 0 : 1];
    told->tv_sec = all / 1000000000;
    told->tv_nsec = all % 1000000000;
    return 0;
}
