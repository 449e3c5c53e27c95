#include "learner/publisher.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

// tensor "<layer>.<part>", one without a value when the layer has none
static struct network_tensor tensor_of(const struct network *actor, const char *layer,
                                       const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    for (size_t i = 0; i < actor->n_tensors; i++)
        if (strcmp(actor->tensors[i].name, name) == 0)
            return actor->tensors[i];
    return (struct network_tensor){0};
}

static void sources_find(struct publisher *p, const struct network *actor, bool discrete)
{
    for (size_t i = 0; i <= p->net->n_layers; i++) {
        char layer[32];
        if (i < p->net->n_layers)
            snprintf(layer, sizeof layer, "%zu", i);
        else  // the heads are stacked, the first one's tensors begin them all
            snprintf(layer, sizeof layer, "%s", discrete ? "logits" : "mean");
        struct network_tensor weight = tensor_of(actor, layer, "weight");
        p->source[i] = (struct policy_source){
            .weight = weight.value,
            .bias = tensor_of(actor, layer, "bias").value,
            .mean = tensor_of(actor, layer, "running_mean").value,
            .var = tensor_of(actor, layer, "running_var").value,
            .ld = weight.ld,
        };
    }
    assert(p->source[p->net->n_layers].weight != NULL);
}

int publisher_init(struct publisher *p, const struct spec *spec, const struct network *actor,
                   size_t A, bool discrete, const struct policy_about *about, struct error *err)
{
    *p = (struct publisher){.net = &spec->actor_net, .about = *about};
    const struct algorithm_spec *a = &spec->algorithm;
    if (policy_init(&p->policy, p->net, actor->in, A, discrete, a->log_std_min, a->log_std_max, 1,
                    err) < 0 ||
        policy_init(&p->kept, p->net, actor->in, A, discrete, a->log_std_min, a->log_std_max, 1,
                    err) < 0) {
        publisher_free(p);
        return ERR_MEMORY;
    }
    sources_find(p, actor, discrete);
    return 0;
}

void publisher_free(struct publisher *p)
{
    policy_free(&p->policy);
    policy_free(&p->kept);
    *p = (struct publisher){0};
}

void publisher_fold(struct publisher *p)
{
    policy_fold(&p->policy, p->net, p->source);
    p->version++;
}

void publisher_keep(struct publisher *p, uint64_t steps)
{
    memcpy(p->kept.floats, p->policy.floats, p->kept.n_floats * sizeof(float));
    p->kept_version = p->version;
    p->kept_steps = steps;
}

static int save(struct publisher *p, const char *path, const struct policy *policy,
                uint64_t version, uint64_t steps, double eval_return, struct error *err)
{
    p->about.weights_version = version;
    p->about.steps = steps;
    p->about.eval_return = eval_return;
    return policy_file_save(path, policy, &p->about, err);
}

int publisher_save(struct publisher *p, const char *path, uint64_t steps, double eval_return,
                   struct error *err)
{
    return save(p, path, &p->policy, p->version, steps, eval_return, err);
}

int publisher_save_kept(struct publisher *p, const char *path, double eval_return,
                        struct error *err)
{
    return save(p, path, &p->kept, p->kept_version, p->kept_steps, eval_return, err);
}
