/* An audio thread in C: calls a PortAudio stream callback with buffers of changing length, as a device would, only without rest.
 *
 * A run is plain (counted by interpose.c where that is loaded), sealed (after a warm-up the kernel kills any system call but
 * exit), or timed (the processor time of each call, into a histogram).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef int (*stream_callback)(const void *, void *, unsigned long, const void *, unsigned long, void *);

enum { PLAIN, SEALED, TIMED };

/* Shared with Python (native.py, _Drive); every number is 64 bits wide. */
struct drive {
    stream_callback callback;
    void *stage;
    const float *take; /* frames interleaved by `inputs`, read around and around */
    long take_frames;
    long inputs;
    float *output; /* room for the longest buffer */
    const long *lengths; /* of the buffers, read around and around */
    long length_count;
    long buffers;
    long warm_up; /* of them, before the watch begins */
    long mode;
    long *histogram; /* of nanoseconds, one bin each; what is longer falls into the last */
    long bins;
    long played; /* buffers so far */
    long started; /* 1 once the watch has begun */
    long refused; /* 1 where the kernel would not put the seal on */
};

enum { CAUGHT = 3 }; /* exit status of a process whose audio thread tried a system call */

static pthread_t thread;
static struct drive *driven;
static long tried = -1; /* the number of that call */

static void on_system_call(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    __atomic_store_n(&tried, (long)info->si_syscall, __ATOMIC_RELEASE);
    syscall(SYS_exit, 1); /* of this thread; it is the one call that the seal allows */
}

/* Tells what the audio thread tried, and ends the process at once: the audio thread may have died with the GIL in its hands. */
static void *tell(void *nothing)
{
    (void)nothing;
    for (;;) {
        long number = __atomic_load_n(&tried, __ATOMIC_ACQUIRE);
        if (number >= 0) {
            dprintf(1, "\n{\"system_call\": %ld}\n", number);
            _exit(CAUGHT);
        }
        usleep(10000);
    }
    return nothing;
}

static int seal(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    struct sigaction action = {.sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static long thread_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void *run(void *nothing)
{
    struct drive *d = driven;
    void (*watch)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "interpose_watch");
    /* A signal meant for the control thread must not be answered here. */
    sigset_t signals;
    sigfillset(&signals);
    sigdelset(&signals, SIGSYS);
    sigdelset(&signals, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &signals, NULL);

    long at = 0;
    for (long i = 0; i < d->buffers; i++) {
        if (i == d->warm_up) {
            if (d->mode == SEALED && seal()) {
                d->refused = 1;
                return nothing;
            }
            if (watch) watch(1);
            __atomic_store_n(&d->started, 1, __ATOMIC_RELEASE);
        }
        long frames = d->lengths[i % d->length_count];
        if (at + frames > d->take_frames) at = 0;
        long before = d->mode == TIMED ? thread_nanoseconds() : 0;
        d->callback(d->take + at * d->inputs, d->output, (unsigned long)frames, NULL, 0, d->stage);
        if (d->mode == TIMED && i >= d->warm_up) {
            long took = thread_nanoseconds() - before;
            d->histogram[took < d->bins ? took : d->bins - 1]++;
        }
        at += frames;
        __atomic_store_n(&d->played, i + 1, __ATOMIC_RELEASE);
    }
    if (watch) watch(0);
    if (d->mode == SEALED) syscall(SYS_exit, 0); /* the usual way out of a thread makes other system calls */
    return nothing;
}

int drive_start(struct drive *d)
{
    static pthread_t teller;
    driven = d;
    if (d->mode == SEALED && pthread_create(&teller, NULL, tell, NULL)) return -1;
    return pthread_create(&thread, NULL, run, NULL);
}

int drive_join(void) { return pthread_join(thread, NULL); }

/* A callback that does nothing: what the clock itself costs. */
int empty_callback(const void *in, void *out, unsigned long frames, const void *time, unsigned long status, void *stage)
{
    (void)in, (void)out, (void)frames, (void)time, (void)status, (void)stage;
    return 0;
}
