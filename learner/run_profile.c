#include "learner/run_profile.h"

#include "common/log.h"

#include <stdio.h>

#define SPANS 200000  // a lane: an update has about a hundred

int run_profile_start(struct run_profile *p, struct update *update, const char *path,
                      struct error *err)
{
    if (profile_init(&p->profile, update_threads(update), SPANS, err) < 0)
        return err->code;
    p->path = path;
    p->update = update;
    update_set_profile(update, &p->profile);
    return 0;
}

struct profile_lane *run_profile_lane(struct run_profile *p)
{
    return p->update != NULL ? &p->profile.lane[0] : NULL;
}

void run_profile_update(struct run_profile *p)
{
    if (p->update != NULL && ++p->updates == RUN_PROFILE_UPDATES)
        run_profile_stop(p);
}

void run_profile_stop(struct run_profile *p)
{
    struct error err = {0};
    if (p->update == NULL)
        return;
    update_set_profile(p->update, NULL);
    if (p->updates > 0) {
        profile_table(&p->profile, stderr, (size_t)p->updates);
        if (profile_trace(&p->profile, p->path, &err) < 0)
            log_warn("profile", "%s", err.text);
        else
            log_info("profile", "%llu updates are in %s: open it in chrome://tracing or Perfetto",
                     (unsigned long long)p->updates, p->path);
    }
    profile_free(&p->profile);
    *p = (struct run_profile){0};
}
