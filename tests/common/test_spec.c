// Good specs: SLM-Lab's grammar in small, what is resolved, and what is written back.
#include "common/rng.h"
#include "common/spec.h"
#include "common/spec_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ------ the lab's shapes

// templates, anchors of whole sections, merges, variables, null for no value
static const char lab_yaml[] =
    "_body: &body\n"
    "  modules:\n"
    "    body:\n"
    "      Sequential:\n"
    "        - LazyLinear:\n"
    "            out_features: 32\n"
    "        - LazyBatchRenorm1d:\n"
    "            momentum: 0.01\n"
    "            eps: 0.001\n"
    "            warmup_steps: 1_000\n"
    "        - ReLU:\n"
    "  graph:\n"
    "    input: x\n"
    "    modules:\n"
    "      body: [x]\n"
    "    output: body\n"
    "_norm: &norm\n"
    "  modules:\n"
    "    body:\n"
    "      Sequential:\n"
    "        - Linear: {in_features: 3, out_features: 8, bias: true}\n"
    "        - LayerNorm:\n"
    "            normalized_shape: [8]\n"
    "        - Tanh\n"
    "_net: &net\n"
    "  type: TorchArcNet\n"
    "  arc: *body\n"
    "  hid_layers_activation: relu\n"
    "  init_fn: orthogonal_\n"
    "  clip_grad_val: null\n"
    "  loss_spec:\n"
    "    name: SmoothL1Loss\n"
    "  optim_spec:\n"
    "    name: Adam\n"
    "    lr: 1.0e-3\n"
    "    betas: [0.5, 0.999]\n"
    "  gpu: auto\n"
    "_algorithm: &algorithm\n"
    "  name: CrossQ\n"
    "  action_pdtype: default\n"
    "  action_policy: default\n"
    "  gamma: 0.99\n"
    "  training_frequency: 1\n"
    "  log_alpha_max: 0.5\n"
    "_agent: &agent\n"
    "  name: CrossQ\n"
    "  algorithm: *algorithm\n"
    "  memory: {name: Replay, batch_size: 256, max_size: 1e6, use_cer: false}\n"
    "  net: *net\n"
    "  critic_net: *net\n"
    "_meta: &meta {distributed: false, log_frequency: 500, eval_frequency: 500, max_session: 4}\n"
    "any:\n"
    "  agent: *agent\n"
    "  env:\n"
    "    name: ${env}\n"
    "    num_envs: 16\n"
    "    max_t: null\n"
    "    max_frame: ${max_frame}\n"
    "  meta: *meta\n"
    "long:\n"
    "  agent:\n"
    "    <<: *agent\n"
    "    algorithm:\n"
    "      <<: *algorithm\n"
    "      gamma: 0.9999\n"
    "      training_iter: 2\n"
    "    net:\n"
    "      <<: *net\n"
    "      arc: *norm\n"
    "  env: {name: Swimmer-v5, num_envs: 16, max_frame: 3e5}\n"
    "  meta: {<<: *meta, eval_frequency: 1000}\n";

// the older files: JSON, agent and env in lists of one, trailing commas, body, search
static const char lab_json[] =
    "{\n"
    "  \"old\": {\n"
    "    \"agent\": [{\n"
    "      \"name\": \"SoftActorCritic\",\n"
    "      \"algorithm\": {\"name\": \"SoftActorCritic\", \"action_pdtype\": \"Normal\",\n"
    "        \"training_frequency\": 4, \"training_iter\": 4, \"alpha_lr\": 0.0001},\n"
    "      \"memory\": {\"name\": \"PrioritizedReplay\", \"alpha\": 0.6, \"epsilon\": 0.0001,\n"
    "        \"batch_size\": 1256, \"max_size\": 1e6, \"use_cer\": true},\n"
    "      \"net\": {\n"
    "        \"type\": \"MLPNet\", \"hid_layers\": [\n"
    "          64,\n"
    "          32\n"
    "        ],\n"
    "        \"hid_layers_activation\": \"tanh\", \"init_fn\": \"xavier_uniform_\",\n"
    "        \"clip_grad_val\": 0.5, \"loss_spec\": {\"name\": \"MSELoss\"},\n"
    "        \"optim_spec\": {\"name\": \"AdamW\", \"lr\": 0.0003,},\n"
    "        \"lr_scheduler_spec\": null, \"update_type\": \"polyak\", \"update_frequency\": 1,\n"
    "        \"polyak_coef\": 0.01, \"gpu\": \"auto\"\n"
    "      }\n"
    "    }],\n"
    "    \"env\": [{\"name\": \"${env}\", \"num_envs\": 8, \"max_t\": null,\n"
    "      \"max_frame\": \"${frames}\"}],\n"
    "    \"body\": {\"product\": \"outer\", \"num\": 1},\n"
    "    \"meta\": {\"distributed\": \"synced\", \"max_trial\": 1,\n"
    "      \"search_scheduler\": {\"grace_period\": 1}},\n"
    "    \"search\": {\"agent.algorithm.gamma__uniform\": [0.98, 0.999]}\n"
    "  }\n"
    "}\n";

static struct spec spec, other;

static void parse(const char *text, const char *name, const struct spec_options *options)
{
    struct error err = {0};
    if (spec_parse(&spec, text, strlen(text), "f", name, options, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

static void the_lab_s_yaml_is_read_as_it_is(void **state)
{
    (void)state;
    const char         *var[] = {"env=Ant-v5", "max_frame=2e6", "unused=1"};
    struct spec_options options = {.var = var, .n_var = 3};
    parse(lab_yaml, "any", &options);
    assert_string_equal(spec.name, "any");
    assert_string_equal(spec.env.name, "Ant-v5");
    assert_int_equal(spec.env.max_frame, 2000000);
    assert_int_equal(spec.env.max_t, 0);
    assert_int_equal(spec.algorithm.kind, ALGORITHM_CROSSQ);
    assert_int_equal(spec.memory.max_size, 1000000);
    assert_int_equal(spec.actor_net.n_layers, 3);
    const struct layer_spec *renorm = &spec.critic_net.layers[1];
    assert_int_equal(spec.critic_net.layers[0].out, 32);
    assert_int_equal(renorm->kind, LAYER_BATCH_RENORM);
    assert_int_equal(renorm->warmup_steps, 1000);
    assert_true(renorm->eps == 0.001 && renorm->r_max == 3 && renorm->d_max == 5);
    assert_int_equal(renorm->ramp, RENORM_LINEAR);
    assert_int_equal(renorm->form, RENORM_TEXTBOOK);
    assert_int_equal(spec.actor_net.init, INIT_ORTHOGONAL);
    assert_int_equal(spec.actor_net.loss, LOSS_SMOOTH_L1);
    assert_true(spec.actor_net.clip_grad_val == 0);
    assert_true(spec.actor_net.optim.beta1 == 0.5 && spec.actor_net.optim.eps == 1e-8);
}

static void merged_sections_change_what_they_say(void **state)
{
    (void)state;
    parse(lab_yaml, "long", NULL);
    assert_true(spec.algorithm.gamma == 0.9999);
    assert_true(spec.algorithm.log_alpha_max == 0.5);
    assert_int_equal(spec.env.max_frame, 300000);
    assert_int_equal(spec.meta.eval_frequency, 1000);
    assert_int_equal(spec.meta.log_frequency, 500);
    assert_int_equal(spec.actor_net.n_layers, 3);
    assert_int_equal(spec.actor_net.layers[0].out, 8);
    assert_int_equal(spec.actor_net.layers[1].kind, LAYER_LAYER_NORM);
    assert_true(spec.actor_net.layers[1].eps == 1e-5);
    assert_int_equal(spec.actor_net.layers[2].kind, LAYER_TANH);
    assert_int_equal(spec.critic_net.layers[0].out, 32);
}

static void the_lab_s_json_is_read_as_it_is(void **state)
{
    (void)state;
    const char         *var[] = {"env=HalfCheetah-v5", "frames=1e5"};
    struct spec_options options = {.var = var, .n_var = 2};
    parse(lab_json, NULL, &options);
    assert_int_equal(spec.algorithm.kind, ALGORITHM_SAC);
    assert_int_equal(spec.algorithm.pdtype, PDTYPE_NORMAL);
    assert_int_equal(spec.memory.kind, MEMORY_PRIORITIZED);
    assert_true(spec.memory.use_cer);
    assert_int_equal(spec.env.max_frame, 100000);
    assert_int_equal(spec.actor_net.n_layers, 4);
    assert_int_equal(spec.actor_net.layers[1].kind, LAYER_TANH);
    assert_int_equal(spec.actor_net.optim.kind, OPTIM_ADAMW);
    // critics without a net of their own are as the actor
    assert_memory_equal(&spec.critic_net, &spec.actor_net, sizeof spec.actor_net);
    assert_true(spec.critic_net.polyak_coef == 0.01);
}

static void keys_that_mean_nothing_get_a_line_each(void **state)
{
    (void)state;
    char               *text = NULL;
    size_t              size = 0, lines = 0;
    FILE               *notes = open_memstream(&text, &size);
    const char         *var[] = {"env=A", "frames=1"};
    struct spec_options options = {.var = var, .n_var = 2};
    struct error        err = {0};
    assert_int_equal(
        spec_parse(&spec, lab_json, strlen(lab_json), "f", "old", &options, notes, &err), 0);
    fclose(notes);
    for (const char *c = text; (c = strchr(c, '\n')) != NULL; c++)
        lines++;
    assert_int_equal(lines, 9);
    assert_non_null(strstr(text, "f:18: agent.net.gpu: accepted, means nothing here: everything "
                                 "runs on the processor\n"));
    free(text);
}

// ------ what is left out

#define MINIMAL(algorithm, rest)                                                                   \
    "agent:\n  algorithm: {name: " algorithm "}\n"                                                 \
    "  memory: {name: Replay, batch_size: 256, max_size: 100000}\n"                                \
    "  net: {type: MLPNet, hid_layers: [8]}\n"                                                     \
    "env: {name: A, max_frame: 10" rest "}\n"

static void defaults_follow_other_keys(void **state)
{
    (void)state;
    parse(MINIMAL("CrossQ", ", num_envs: 8"), NULL, NULL);
    assert_int_equal(spec.algorithm.training_iter, 8);
    assert_int_equal(spec.algorithm.training_start_step, 1000);
    assert_int_equal(spec.algorithm.policy_delay, 3);
    assert_true(isnan(spec.algorithm.target_entropy));
    assert_true(spec.algorithm.log_alpha_min == -5 && spec.algorithm.log_alpha_max == 2);
    assert_true(spec.algorithm.alpha_beta1 == 0.9);
    assert_true(spec.actor_net.optim.weight_decay == 0);
    assert_true(spec.cluster.publish_interval_s == 0.05);
    assert_true(spec.cluster.checkpoint_interval_s == 30);
    assert_int_equal(spec.cluster.max_actors, 1024);

    parse(MINIMAL("SoftActorCritic", ""), NULL, NULL);
    assert_int_equal(spec.algorithm.policy_delay, 1);
    assert_int_equal(spec.env.num_envs, 1);

    const char *set[] = {
        "agent.memory.batch_size=2000",           "agent.net.optim_spec.name=AdamW",
        "agent.net.optim_spec.betas=[0.5, 0.99]", "agent.net.optim_spec.lr=1e-2",
        "agent.algorithm.log_alpha_max=null",     "cluster.learner_threads=2"};
    struct spec_options options = {.set = set, .n_set = 6};
    parse(MINIMAL("CrossQ", ""), NULL, &options);
    assert_int_equal(spec.algorithm.training_start_step, 2000);
    assert_true(spec.actor_net.optim.weight_decay == 0.01);
    assert_true(spec.algorithm.alpha_beta1 == 0.5);
    assert_true(isinf(spec.algorithm.log_alpha_max));
    assert_int_equal(spec.cluster.learner_threads, 2);

    // a null is a key left out; a zero is one given
    const char         *zero[] = {"agent.algorithm.training_start_step=0"};
    struct spec_options start = {.set = zero, .n_set = 1};
    parse(MINIMAL("CrossQ", ""), NULL, &start);
    assert_int_equal(spec.algorithm.training_start_step, 0);
}

static void a_spec_without_a_name_is_called_after_its_file(void **state)
{
    (void)state;
    struct error err = {0};
    const char  *text = MINIMAL("CrossQ", "");
    assert_int_equal(
        spec_parse(&spec, text, strlen(text), "some/where/walk.v2.yaml", "", NULL, NULL, &err), 0);
    assert_string_equal(spec.name, "walk");
}

static void set_reaches_into_lists_after_aliases_are_expanded(void **state)
{
    (void)state;
    const char *set[] = {"agent.net.arc.modules.body.Sequential.0.LazyLinear.out_features=64",
                         "agent.critic_net.optim_spec.betas.0=0.25"};
    const char *var[] = {"env=A", "max_frame=5"};
    struct spec_options options = {.set = set, .n_set = 2, .var = var, .n_var = 2};
    parse(lab_yaml, "any", &options);
    assert_int_equal(spec.actor_net.layers[0].out, 64);
    assert_int_equal(spec.critic_net.layers[0].out, 32);
    assert_true(spec.critic_net.optim.beta1 == 0.25);
    assert_true(spec.actor_net.optim.beta1 == 0.5);
}

static void modules_are_joined_by_their_graph(void **state)
{
    (void)state;
    parse("agent:\n"
          "  algorithm: {name: CrossQ}\n"
          "  memory: {name: Replay, batch_size: 2, max_size: 2}\n"
          "  net:\n"
          "    type: TorchArcNet\n"
          "    arc:\n"
          "      modules:\n"
          "        head: {Sequential: [{LazyLinear: {out_features: 3}}]}\n"
          "        norm: {LazyBatchRenorm1d: {ramp: step, form: adjusted}}\n"
          "      graph: {input: x, modules: {head: [norm], norm: [x]}, output: head}\n"
          "env: {name: A, max_frame: 1}\n",
          NULL, NULL);
    assert_int_equal(spec.actor_net.n_layers, 2);
    assert_int_equal(spec.actor_net.layers[0].kind, LAYER_BATCH_RENORM);
    assert_int_equal(spec.actor_net.layers[0].ramp, RENORM_STEP);
    assert_int_equal(spec.actor_net.layers[1].out, 3);
}

static void a_custom_task_is_read(void **state)
{
    (void)state;
    parse("agent:\n"
          "  algorithm: {name: CrossQ}\n"
          "  memory: {name: Replay, batch_size: 2, max_size: 2}\n"
          "  net: {type: MLPNet, hid_layers: [8]}\n"
          "env:\n"
          "  name: custom\n"
          "  model: robot.xml\n"
          "  frame_skip: 5\n"
          "  max_t: 1000\n"
          "  max_frame: 1e5\n"
          "  kwargs: {a: 0.5, b: true, c: [-1, .inf]}\n"
          "  observation:\n"
          "    - qpos\n"
          "    - {term: up, body: torso}\n"
          "  reward:\n"
          "    - {term: forward_velocity, body: torso, weight: 2}\n"
          "    - {term: distance, site: tip, to_body: goal, weight: -1}\n"
          "  termination:\n"
          "    - {term: height, body: torso, range: [0.2, .inf]}\n"
          "  reset_noise: {qpos: 0.1, qvel: 0.2}\n",
          NULL, NULL);
    const struct task_spec *task = &spec.env.task;
    assert_string_equal(task->model, "robot.xml");
    assert_int_equal(task->frame_skip, 5);
    assert_true(task->noise_qpos == 0.1 && task->noise_qvel == 0.2);
    assert_int_equal(task->n_observation, 2);
    assert_string_equal(task->observation[1].of.name, "torso");
    assert_int_equal(task->observation[1].line, 14);
    assert_true(task->reward[0].weight == 2);
    assert_int_equal(task->reward[1].of.kind, TASK_SITE);
    assert_int_equal(task->reward[1].to.kind, TASK_BODY);
    assert_true(task->termination[0].range[0] == 0.2 && isinf(task->termination[0].range[1]));
    assert_int_equal(spec.env.n_kwargs, 3);
    assert_true(spec.env.kwargs[1].value[0] == 1 && spec.env.kwargs[1].n == 1);
    assert_true(spec.env.kwargs[2].value[0] == -1 && isinf(spec.env.kwargs[2].value[1]));
    assert_int_equal(spec.env.kwargs[2].line, 11);
}

// ------ ratio and hash

static void the_ratio_is_an_exact_reduced_fraction(void **state)
{
    (void)state;
    static const struct {
        uint64_t iter, frequency, envs, p, q;
    } cases[] = {
        {1, 1, 16, 1, 16},
        {2, 1, 16, 1, 8},
        {4, 4, 8, 1, 2},
        {16, 1, 16, 1, 1},
        {25, 15, 8, 5, 3},
        {4, 1, 1, 4, 1},
        {3, 1, 7, 3, 7},
        {1000000, 1, 1, 1000000, 1},
        {1, 4, 16, 1, 16},
        {6, 4, 3, 3, 2},
        {1, 1000000000, 1, 1, 1000000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t p, q;
        spec.algorithm.training_iter = cases[i].iter;
        spec.algorithm.training_frequency = cases[i].frequency;
        spec.env.num_envs = cases[i].envs;
        spec_ratio(&spec, &p, &q);
        assert_int_equal(p, cases[i].p);
        assert_int_equal(q, cases[i].q);
    }
}

static void environments_are_divided_among_local_actors(void **state)
{
    (void)state;
    parse(lab_yaml, "long", NULL);
    spec.env.num_envs = 16;
    spec.cluster.envs_per_actor = 0;
    assert_int_equal(spec_envs_per_actor(&spec, 0), 16);
    assert_int_equal(spec_envs_per_actor(&spec, 3), 6);
    spec.cluster.envs_per_actor = 4;
    assert_int_equal(spec_envs_per_actor(&spec, 3), 4);
}

static void updates_get_the_cores_that_actors_leave(void **state)
{
    (void)state;
    parse(lab_yaml, "long", NULL);
    spec.cluster.learner_threads = 0;
    assert_int_equal(spec_learner_threads(&spec, 2, 2), 2);
    assert_int_equal(spec_learner_threads(&spec, 16, 4), 12);
    assert_int_equal(spec_learner_threads(&spec, 16, 100), 8);
    spec.cluster.learner_threads = 3;
    assert_int_equal(spec_learner_threads(&spec, 16, 4), 3);
}

static void the_hash_tells_all_but_seed_and_file(void **state)
{
    (void)state;
    parse(lab_yaml, "long", NULL);
    uint32_t hash = spec_hash(&spec);
    spec.seed = 7;
    snprintf(spec.file, sizeof spec.file, "elsewhere");
    assert_int_equal(spec_hash(&spec), hash);
    spec.algorithm.gamma = 0.5;
    assert_int_not_equal(spec_hash(&spec), hash);
}

// ------ writing

// reads what spec_write writes, and compares: all but file and lines must be as they were
static void assert_reads_back(const struct spec *s)
{
    char        *text = NULL;
    size_t       size = 0;
    struct error err = {0};
    FILE        *out = open_memstream(&text, &size);
    assert_int_equal(spec_write(s, out, &err), 0);
    fclose(out);
    if (spec_parse(&other, text, size, s->file, NULL, NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < other.env.n_kwargs; i++)
        other.env.kwargs[i].line = s->env.kwargs[i].line;
    for (size_t i = 0; i < TASK_TERMS; i++) {
        other.env.task.observation[i].line = s->env.task.observation[i].line;
        other.env.task.reward[i].line = s->env.task.reward[i].line;
        other.env.task.termination[i].line = s->env.task.termination[i].line;
    }
    assert_int_equal(spec_hash(s), spec_hash(&other));
    assert_memory_equal(s, &other, sizeof other);
    free(text);
}

static void a_random_value(struct rng *rng, const struct spec_key *key, void *base)
{
    char    *member = (char *)base + key->offset;
    double   low = key->low, high = key->high < 1e9 ? key->high : 1e9;
    double   number = rng_range(rng, low < -1e6 ? -1e6 : low, high);
    uint64_t whole = (uint64_t)low + rng_below(rng, (uint64_t)(high - low) + 1);
    bool     flag = rng_below(rng, 2) == 1;
    int      word = 0;
    if (number <= low)
        number = low + (high - low) / 3;
    for (const char *c = key->words; c != NULL && (c = strchr(c, '|')) != NULL; c++)
        word += rng_below(rng, 2) == 1;
    if (key->kind == SPEC_UINT)
        memcpy(member, &whole, sizeof whole);
    else if (key->kind == SPEC_NUMBER)
        memcpy(member, &number, sizeof number);
    else if (key->kind == SPEC_FLAG)
        memcpy(member, &flag, sizeof flag);
    else if (key->kind == SPEC_WORD)
        memcpy(member, &word, sizeof word);
}

static void a_random_net(struct rng *rng, struct net_spec *net)
{
    size_t                 n;
    const struct spec_key *keys = spec_table_layers(&n);
    memset(net->layers, 0, sizeof net->layers);
    net->n_layers = 1 + rng_below(rng, NET_MAX_LAYERS);
    for (size_t i = 0; i < net->n_layers; i++) {
        net->layers[i].kind = (enum layer_kind)rng_below(rng, 5);
        for (size_t k = 0; k < n; k++)
            if ((net->layers[i].kind == LAYER_LINEAR && keys[k].path[4] == 'L') ||
                (net->layers[i].kind == LAYER_BATCH_RENORM && keys[k].path[4] == 'B') ||
                (net->layers[i].kind == LAYER_LAYER_NORM && keys[k].path[4] == 'r'))
                a_random_value(rng, &keys[k], &net->layers[i]);
    }
}

// makes pairs that must be in order so
static void order(struct spec *s)
{
    if (s->memory.max_size < s->memory.batch_size)
        s->memory.max_size = s->memory.batch_size;
    s->memory.batch_size += s->memory.batch_size < 2;
    if (s->algorithm.log_std_min >= s->algorithm.log_std_max)
        s->algorithm.log_std_max = s->algorithm.log_std_min + 1;
    if (s->algorithm.log_alpha_min > s->algorithm.log_alpha_max)
        s->algorithm.log_alpha_max = INFINITY;
    s->cluster.credit_window += s->cluster.block_rows;
    s->cluster.heartbeat_timeout_s += s->cluster.heartbeat_s;
    if (s->actor_net.optim.schedule == SCHEDULE_CONSTANT)
        s->actor_net.optim.final_factor = 0;
    if (s->critic_net.optim.schedule == SCHEDULE_CONSTANT)
        s->critic_net.optim.final_factor = 0;
    s->algorithm.log_std_min = fmin(s->algorithm.log_std_min, 99);
    s->algorithm.log_std_max = fmin(s->algorithm.log_std_max, 100);
    s->cluster.credit_window =
        s->cluster.credit_window > 1000000 ? 1000000 : s->cluster.credit_window;
}

static void any_spec_reads_back_as_it_was_written(void **state)
{
    (void)state;
    struct rng             rng;
    size_t                 n;
    const struct spec_key *keys = spec_table(&n);
    rng_init(&rng, 4, RNG_TEST, 0);
    for (int round = 0; round < 300; round++) {
        memset(&spec, 0, sizeof spec);
        snprintf(spec.file, sizeof spec.file, "f");
        snprintf(spec.name, sizeof spec.name, "round: %d \"x\"", round);
        for (size_t i = 0; i < n; i++)
            a_random_value(&rng, &keys[i], &spec);
        snprintf(spec.env.name, sizeof spec.env.name, "Task-v%d # \\", round);
        a_random_net(&rng, &spec.actor_net);
        a_random_net(&rng, &spec.critic_net);
        spec.cluster.heartbeat_s = fmin(spec.cluster.heartbeat_s, 3000);
        spec.cluster.heartbeat_timeout_s = fmin(spec.cluster.heartbeat_timeout_s, 80000);
        order(&spec);
        assert_reads_back(&spec);
    }
}

static void special_specs_read_back(void **state)
{
    (void)state;
    const char         *var[] = {"env=A", "frames=1"};
    struct spec_options options = {.var = var, .n_var = 2};
    parse(lab_yaml, "long", NULL);
    assert_reads_back(&spec);
    parse(lab_json, NULL, &options);
    assert_reads_back(&spec);
    a_custom_task_is_read(NULL);
    assert_reads_back(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lab_s_yaml_is_read_as_it_is),
        cmocka_unit_test(merged_sections_change_what_they_say),
        cmocka_unit_test(the_lab_s_json_is_read_as_it_is),
        cmocka_unit_test(keys_that_mean_nothing_get_a_line_each),
        cmocka_unit_test(defaults_follow_other_keys),
        cmocka_unit_test(a_spec_without_a_name_is_called_after_its_file),
        cmocka_unit_test(set_reaches_into_lists_after_aliases_are_expanded),
        cmocka_unit_test(modules_are_joined_by_their_graph),
        cmocka_unit_test(a_custom_task_is_read),
        cmocka_unit_test(the_ratio_is_an_exact_reduced_fraction),
        cmocka_unit_test(environments_are_divided_among_local_actors),
        cmocka_unit_test(updates_get_the_cores_that_actors_leave),
        cmocka_unit_test(the_hash_tells_all_but_seed_and_file),
        cmocka_unit_test(any_spec_reads_back_as_it_was_written),
        cmocka_unit_test(special_specs_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
