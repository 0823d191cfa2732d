/* Stands before the C library (LD_PRELOAD) and counts what an audio thread must never do, on the thread that has said it is one.
 *
 * Everything is passed on to the real function. The GIL is counted by its name where Python is a shared library; where it is
 * linked into the executable, which nothing can stand before, by the mutex inside it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FORBIDDEN(_) \
    _(malloc) _(calloc) _(realloc) _(free) _(posix_memalign) _(aligned_alloc) _(memalign) _(mmap) _(munmap) \
    _(pthread_mutex_lock) _(pthread_mutex_trylock) _(pthread_mutex_unlock) _(pthread_cond_wait) _(pthread_cond_timedwait) \
    _(pthread_cond_signal) _(pthread_rwlock_rdlock) _(pthread_rwlock_wrlock) _(sem_wait) _(sem_post) \
    _(read) _(write) _(writev) _(open) _(openat) _(close) _(fwrite) _(fputs) _(puts) _(printf) \
    _(nanosleep) _(usleep) _(sched_yield) \
    _(PyGILState_Ensure) _(PyGILState_Release) _(PyEval_RestoreThread) _(PyEval_SaveThread)

#define NUMBER(name) IN_##name,
enum { FORBIDDEN(NUMBER) KINDS };
#define TEXT(name) #name,
static const char *names[] = {FORBIDDEN(TEXT)};
static long counts[KINDS];
/* initial-exec: the flag is read without a call, which could itself allocate */
static __thread int watched __attribute__((tls_model("initial-exec")));

void interpose_watch(int on) { watched = on; }
int interpose_kinds(void) { return KINDS; }
const char *interpose_name(int kind) { return names[kind]; }
long interpose_count(int kind) { return __atomic_load_n(&counts[kind], __ATOMIC_RELAXED); }

#define COUNT(name) \
    if (watched) __atomic_fetch_add(&counts[IN_##name], 1, __ATOMIC_RELAXED)

/* The next definition behind this library, else the executable's own, which stands before it. */
static void *find(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    return found ? found : dlsym(RTLD_DEFAULT, name);
}

#define PASS(result, name, declared, given)              \
    result name declared                                 \
    {                                                    \
        static result(*real) declared;                   \
        COUNT(name);                                     \
        if (!real) *(void **)&real = find(#name);        \
        return real given;                               \
    }
#define PASS_VOID(name, declared, given)                 \
    void name declared                                   \
    {                                                    \
        static void(*real) declared;                     \
        COUNT(name);                                     \
        if (!real) *(void **)&real = find(#name);        \
        real given;                                      \
    }

/* glibc's own names for its allocator: dlsym allocates, so it cannot be asked for malloc. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

void *malloc(size_t size) { COUNT(malloc); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { COUNT(calloc); return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { COUNT(realloc); return __libc_realloc(old, size); }
void free(void *old) { COUNT(free); __libc_free(old); }
void *memalign(size_t alignment, size_t size) { COUNT(memalign); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { COUNT(aligned_alloc); return __libc_memalign(alignment, size); }
int posix_memalign(void **made, size_t alignment, size_t size)
{
    COUNT(posix_memalign);
    *made = __libc_memalign(alignment, size);
    return *made ? 0 : 12; /* ENOMEM */
}

PASS(void *, mmap, (void *at, size_t size, int rights, int flags, int file, off_t offset), (at, size, rights, flags, file, offset))
PASS(int, munmap, (void *at, size_t size), (at, size))
PASS(int, pthread_mutex_lock, (pthread_mutex_t *mutex), (mutex))
PASS(int, pthread_mutex_trylock, (pthread_mutex_t *mutex), (mutex))
PASS(int, pthread_mutex_unlock, (pthread_mutex_t *mutex), (mutex))
PASS(int, pthread_cond_wait, (pthread_cond_t *condition, pthread_mutex_t *mutex), (condition, mutex))
PASS(int, pthread_cond_timedwait, (pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until), (condition, mutex, until))
PASS(int, pthread_cond_signal, (pthread_cond_t *condition), (condition))
PASS(int, pthread_rwlock_rdlock, (pthread_rwlock_t *lock), (lock))
PASS(int, pthread_rwlock_wrlock, (pthread_rwlock_t *lock), (lock))
PASS(int, sem_wait, (sem_t *semaphore), (semaphore))
PASS(int, sem_post, (sem_t *semaphore), (semaphore))
PASS(ssize_t, read, (int file, void *to, size_t size), (file, to, size))
PASS(ssize_t, write, (int file, const void *from, size_t size), (file, from, size))
PASS(ssize_t, writev, (int file, const struct iovec *parts, int number), (file, parts, number))
PASS(int, close, (int file), (file))
PASS(size_t, fwrite, (const void *from, size_t size, size_t number, FILE *file), (from, size, number, file))
PASS(int, fputs, (const char *text, FILE *file), (text, file))
PASS(int, puts, (const char *text), (text))
PASS(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
PASS(int, usleep, (useconds_t time), (time))
PASS(int, sched_yield, (void), ())
PASS(int, PyGILState_Ensure, (void), ())
PASS_VOID(PyGILState_Release, (int state), (state))
PASS_VOID(PyEval_RestoreThread, (void *state), (state))
PASS(void *, PyEval_SaveThread, (void), ())

int printf(const char *format, ...)
{
    COUNT(printf);
    va_list values;
    va_start(values, format);
    int written = vprintf(format, values);
    va_end(values);
    return written;
}

/* The mode is passed on whether or not the caller gave one: the real function reads it only where it must be there. */
int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    COUNT(open);
    if (!real) *(void **)&real = find("open");
    va_list values;
    va_start(values, flags);
    int mode = va_arg(values, int);
    va_end(values);
    return real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    static int (*real)(int, const char *, int, ...);
    COUNT(openat);
    if (!real) *(void **)&real = find("openat");
    va_list values;
    va_start(values, flags);
    int mode = va_arg(values, int);
    va_end(values);
    return real(folder, path, flags, mode);
}
