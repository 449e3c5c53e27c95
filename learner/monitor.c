#include "learner/monitor.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void monitor_path(char *path, const struct monitor *m, uint32_t slot)
{
    snprintf(path, CSV_PATH, "%s/actor-%u.monitor.csv", m->directory, slot);
}

// the slot of a monitor file's name, or -1
static long monitor_slot(const char *name)
{
    unsigned slot;
    int      end = 0;
    if (sscanf(name, "actor-%u.monitor.csv%n", &slot, &end) != 1 || end == 0 || name[end] != '\0')
        return -1;
    return slot < MONITOR_SLOTS ? (long)slot : -1;
}

int monitor_open(struct monitor *m, const char *directory, const char *env, double t_start,
                 double limit, csv_row_fn *row, void *context, struct error *err)
{
    memset(m, 0, sizeof *m);
    snprintf(m->directory, sizeof m->directory, "%s", directory);
    snprintf(m->header, sizeof m->header, "#{\"t_start\": %.6f, \"env_id\": \"%s\"}\nr,l,t\n",
             t_start, env);
    DIR *dir = opendir(directory);
    int  code = 0;
    if (dir == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", directory, strerror(errno));
    for (struct dirent *e; code == 0 && (e = readdir(dir)) != NULL;) {
        char       path[CSV_PATH];
        struct csv c;
        long       slot = monitor_slot(e->d_name);
        if (slot < 0)
            continue;
        monitor_path(path, m, (uint32_t)slot);
        code = csv_open(&c, path, m->header, 2, limit, row, context, err);
        m->ready[slot] = code == 0;
    }
    closedir(dir);
    return code;
}

int monitor_episode(struct monitor *m, uint32_t slot, double ep_return, uint64_t length,
                    double elapsed_s, struct error *err)
{
    assert(slot < MONITOR_SLOTS);
    struct csv c = {.used = 0};
    monitor_path(c.path, m, slot);
    if (!m->ready[slot]) {
        char path[CSV_PATH];
        monitor_path(path, m, slot);
        int code = csv_open(&c, path, m->header, 2, INFINITY, NULL, NULL, err);
        if (code != 0)
            return code;
        m->ready[slot] = true;
    }
    csv_number(&c, ep_return);
    csv_count(&c, length);
    csv_number(&c, round(elapsed_s * 1e6) / 1e6);
    return csv_end(&c, err);
}
