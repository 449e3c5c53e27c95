#include "learner/doctor.h"

#include "common/blas.h"
#include "common/clock.h"
#include "common/command.h"
#include "common/product.h"
#include "common/version.h"
#include "proto/link.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { DOCTOR_M = 256, DOCTOR_N = 512 };

// Floating point operations of a spin, a few milliseconds.
#define DOCTOR_SPIN 1e9

enum doctor_verdict { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_FAIL };

struct doctor {
    FILE *out;
    int   failed;
    long  cores;
};

static void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *what,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

static void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *what,
                       const char *format, ...)
{
    static const char *const words[] = {"ok  ", "note", "FAIL"};
    va_list                  args;
    fprintf(d->out, "%s  %-12s ", words[verdict], what);
    va_start(args, format);
    vfprintf(d->out, format, args);
    va_end(args);
    putc('\n', d->out);
    fflush(d->out);
    d->failed += verdict == DOCTOR_FAIL;
}

// ---------------------------------------------------------------- processor

// the text after "key" and a colon in a file like /proc/cpuinfo; false when it has none
static bool doctor_field(char *value, size_t size, const char *path, const char *key)
{
    char  line[8192];
    bool  found = false;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || colon == NULL)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(value, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        found = true;
    }
    fclose(file);
    return found;
}

// whole CPUs that a container may use, or all
static long doctor_cores(void)
{
    long   cores = sysconf(_SC_NPROCESSORS_ONLN);
    double quota, period;
    FILE  *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file == NULL)
        return cores;
    if (fscanf(file, "%lf %lf", &quota, &period) == 2 && period > 0 &&
        quota / period < (double)cores)
        cores = quota < period ? 1 : (long)(quota / period);
    fclose(file);
    return cores;
}

static void doctor_processor(struct doctor *d)
{
    char model[256] = "unknown processor";
    doctor_field(model, sizeof model, "/proc/cpuinfo", "model name");
    d->cores = doctor_cores();
    long actors = d->cores > 2 ? d->cores / 2 : d->cores;
    doctor_say(d, DOCTOR_OK, "processor", "%s, %ld cores", model, d->cores);
    doctor_say(
        d, DOCTOR_OK, "advice",
        "--actors %ld; cluster.learner_threads 0 takes the rest. When the status page says that "
        "actors wait, fewer actors and more threads are faster",
        actors);
}

// Best rates on one thread, Gflop/s: of the learner's own kind of product, and of its arithmetic alone.
struct doctor_rates {
    double product, spin;  // spin is 0 without a kernel of our own
};

static double doctor_rate(double start, double flops)
{
    return 1e-9 * flops / (clock_now() - start);
}

// the two in turn, so that a clock that rises or falls does so for both
static struct doctor_rates doctor_measure(const struct product_kernel *own)
{
    size_t              m = DOCTOR_M, n = DOCTOR_N, k = DOCTOR_N;
    float              *x = calloc(m * k + n * k + m * n, sizeof *x);
    float               sums[PRODUCT_KERNEL_WIDTH];
    struct doctor_rates best = {0};
    double              once = own != NULL ? own->spin(sums, 1) : 0, end = clock_now() + 0.5;
    if (x == NULL)
        return best;
    while (clock_now() < end) {
        double start = clock_now();
        for (int i = 0; i < 4; i++)
            product_nt(x + m * k + n * k, n, x, k, x + m * k, k, m, n, k);
        best.product = fmax(best.product, doctor_rate(start, 4 * 2.0 * (double)(m * n * k)));
        if (own == NULL)
            continue;
        start = clock_now();
        double flops = own->spin(sums, (size_t)(DOCTOR_SPIN / once));
        best.spin = fmax(best.spin, doctor_rate(start, flops));
    }
    free(x);
    return best;
}

// What a product reaches at least of the arithmetic alone when no other program takes the processor: 0.9 with
// panels; 0.55 to 0.6 for a kernel that also prepares its operands.
static double doctor_idle(const struct product_kernel *own)
{
    return own->multiply == NULL ? 0.6 : 0.45;
}

static void doctor_products(struct doctor *d)
{
    blas_init();
    const struct product_kernel *own = product_kernel_at(0);
    struct doctor_rates          best = doctor_measure(own);
    if (own == NULL)
        doctor_say(d, DOCTOR_NOTE, "products",
                   "kernel %s: %.0f Gflop/s on one thread, without the kernels of our own -> they "
                   "take a processor with AVX2 and FMA",
                   blas_version(), best.product);
    else if (best.product < doctor_idle(own) * best.spin)
        doctor_say(d, DOCTOR_NOTE, "products",
                   "kernel %s: %.0f Gflop/s on one thread, %.0f%% of what the processor has for it "
                   "-> is the machine idle?",
                   own->name, best.product, 100 * best.product / best.spin);
    else
        doctor_say(d, DOCTOR_OK, "products",
                   "kernel %s, thinnest ones %s: %.0f Gflop/s on one thread, %.0f%% of what the "
                   "processor has for it",
                   own->name, blas_kernel(), best.product, 100 * best.product / best.spin);
}

// ---------------------------------------------------------------- system

static void doctor_memory(struct doctor *d)
{
    char text[64] = "";
    doctor_field(text, sizeof text, "/proc/meminfo", "MemAvailable");
    double gb = strtod(text, NULL) * 1024 / 1e9;
    // a million rows of Humanoid-v5: 2 * 348 + 17 + 4 words
    double humanoid = 1e6 * 4 * (2 * 348 + 17 + 4) / 1e9;
    if (gb < humanoid + 1)
        doctor_say(d, DOCTOR_NOTE, "memory",
                   "%.1f GB free; a million Humanoid-v5 rows take %.1f GB -> agent.memory.max_size",
                   gb, humanoid);
    else
        doctor_say(d, DOCTOR_OK, "memory", "%.1f GB free", gb);
}

static void doctor_disk(struct doctor *d)
{
    struct statvfs fs;
    if (statvfs(".", &fs) != 0) {
        doctor_say(d, DOCTOR_NOTE, "disk", "cannot be asked");
        return;
    }
    double gb = (double)fs.f_bavail * (double)fs.f_frsize / 1e9;
    doctor_say(d,
               gb < 1   ? DOCTOR_FAIL
               : gb < 5 ? DOCTOR_NOTE
                        : DOCTOR_OK,
               "disk", "%.1f GB free here; a run keeps its replay memory and two checkpoints%s", gb,
               gb < 5 ? " -> --run on a larger disk" : "");
}

static void doctor_limits(struct doctor *d)
{
    struct rlimit   files = {.rlim_cur = 0};
    struct timespec tick = {.tv_nsec = 0};
    getrlimit(RLIMIT_NOFILE, &files);
    doctor_say(d,
               files.rlim_cur < 256    ? DOCTOR_FAIL
               : files.rlim_cur < 4096 ? DOCTOR_NOTE
                                       : DOCTOR_OK,
               "open files", "%llu%s", (unsigned long long)files.rlim_cur,
               files.rlim_cur < 4096 ? " -> ulimit -n 4096 before a learner with hundreds of actors"
                                     : "");
    clock_getres(CLOCK_MONOTONIC, &tick);
    // 2020: before that no build of this program existed
    doctor_say(d,
               tick.tv_sec > 0 || tick.tv_nsec > 1000000 || clock_wall() < 1.577e9 ? DOCTOR_NOTE
                                                                                   : DOCTOR_OK,
               "clock", "resolution %ld ns, date %s", tick.tv_nsec,
               clock_wall() < 1.577e9 ? "wrong -> set it: run directories are named by it"
                                      : "plausible");
    char  pages[128] = "";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (file != NULL) {
        if (fgets(pages, sizeof pages, file) != NULL)
            pages[strcspn(pages, "\n")] = '\0';
        fclose(file);
    }
    doctor_say(d, DOCTOR_OK, "huge pages", "%s", pages[0] != '\0' ? pages : "not offered");
}

// ---------------------------------------------------------------- network and programs

static bool doctor_port_free(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int                one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

static void doctor_network(struct doctor *d)
{
    static const struct {
        int         port;
        const char *use, *advice;
    } ports[] = {{5555, "actors", "--bind tcp://127.0.0.1:PORT"},
                 {5556, "weights", "--bind tcp://127.0.0.1:PORT; weights take the port after it"},
                 {9100, "status page", "the next free one is taken, or --http HOST:PORT"}};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        if (doctor_port_free(ports[i].port))
            doctor_say(d, DOCTOR_OK, "port", "%d (%s) is free", ports[i].port, ports[i].use);
        else
            doctor_say(d, DOCTOR_NOTE, "port", "%d (%s) is taken -> %s", ports[i].port,
                       ports[i].use, ports[i].advice);
    }
    char         public_key[LINK_KEY], secret_key[LINK_KEY];
    struct error err = {.code = 0};
    if (link_keypair(public_key, secret_key, &err) == 0)
        doctor_say(d, DOCTOR_OK, "CURVE", "available: keygen, then --keys, for actors elsewhere");
    else
        doctor_say(d, DOCTOR_NOTE, "CURVE",
                   "not in this ZeroMQ -> actors on other machines only with --insecure");
}

// first line that a command prints; false when it fails
static bool doctor_output(char *text, size_t size, const char *command)
{
    FILE *out = popen(command, "r");
    if (out == NULL)
        return false;
    bool any = fgets(text, (int)size, out) != NULL;
    text[any ? strcspn(text, "\n") : 0] = '\0';
    return pclose(out) == 0 && any;
}

static void doctor_programs(struct doctor *d)
{
    char   beside[2048], command[2300], text[256];
    double rate;
    program_directory(beside, sizeof beside);
    snprintf(command, sizeof command, "'%scrossfleet-actor' --version 2>/dev/null | grep -i mujoco",
             beside);
    if (doctor_output(text, sizeof text, command))
        doctor_say(d, DOCTOR_OK, "actor", "%s", text);
    else
        doctor_say(d, DOCTOR_NOTE, "actor",
                   "crossfleet-actor does not start beside this program -> only remote actors; try "
                   "`make all` and `crossfleet-actor --version`");
    // the last column of its line
    snprintf(command, sizeof command,
             "'%scrossfleet-actor' envs --bench 2>/dev/null | sed -n 's/^HalfCheetah-v5 .* //p'",
             beside);
    if (doctor_output(text, sizeof text, command) && (rate = strtod(text, NULL)) > 0)
        doctor_say(d, DOCTOR_OK, "simulation", "HalfCheetah-v5 %.0f steps/s on one thread", rate);
    if (doctor_output(text, sizeof text, "gnuplot --version 2>/dev/null"))
        doctor_say(d, DOCTOR_OK, "report", "%s", text);
    else
        doctor_say(d, DOCTOR_NOTE, "report", "no gnuplot -> apt-get install gnuplot-nox");
    if (doctor_output(text, sizeof text, "ffmpeg -version 2>/dev/null"))
        doctor_say(d, DOCTOR_OK, "video", "%.40s", text);
    else
        doctor_say(d, DOCTOR_NOTE, "video", "no ffmpeg -> apt-get install ffmpeg");
}

int doctor_run(FILE *out)
{
    struct doctor d = {.out = out};
    doctor_say(&d, DOCTOR_OK, "version", "crossfleet %s, %s", version_text(), blas_version());
    doctor_processor(&d);
    doctor_products(&d);
    doctor_memory(&d);
    doctor_disk(&d);
    doctor_limits(&d);
    doctor_network(&d);
    doctor_programs(&d);
    fprintf(out, "%s\n", d.failed == 0 ? "This machine can train." : "See the lines with FAIL.");
    return d.failed;
}
