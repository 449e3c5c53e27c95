// What a wrong spec is told: file, line, path, what is wrong, what is allowed. Each case is the good
// spec below with one change.
#include "common/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// clang-format off
static const char good[] =
    "s:\n"
    "  agent:\n"
    "    algorithm: {name: CrossQ, gamma: 0.99}\n"
    "    memory: {name: Replay, batch_size: 256, max_size: 1000}\n"
    "    net: {type: MLPNet, hid_layers: [8, 8]}\n"
    "    critic_net:\n"
    "      type: TorchArcNet\n"
    "      arc:\n"
    "        modules:\n"
    "          body:\n"
    "            Sequential:\n"
    "              - LazyLinear: {out_features: 16}\n"
    "              - LazyBatchRenorm1d: {momentum: 0.01}\n"
    "              - LayerNorm: {normalized_shape: [16]}\n"
    "              - ReLU:\n"
    "        graph: {input: x, modules: {body: [x]}, output: body}\n"
    "      optim_spec: {name: Adam, lr: 1.0e-3, betas: [0.5, 0.999]}\n"
    "  env: {name: Pendulum-v1, max_frame: 1000}\n"
    "  meta: {eval_episodes: 10}\n"
    "  cluster: {heartbeat_s: 2}\n";

static const struct {
    const char *from, *to, *message;
} cases[] = {
    {"gamma: 0.99",
     "gama: 0.99",
     "f:3: agent.algorithm.gama: unknown key, did you mean gamma?"},
    {"gamma: 0.99",
     "gamma: 1.5",
     "f:3: agent.algorithm.gamma: is 1.5, allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: high",
     "f:3: agent.algorithm.gamma: is the text \"high\", allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: .nan",
     "f:3: agent.algorithm.gamma: is .nan, allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: .inf",
     "f:3: agent.algorithm.gamma: is .inf, allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: [0.99]",
     "f:3: agent.algorithm.gamma: is a list, allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: \"0.99\"",
     "f:3: agent.algorithm.gamma: is the text \"0.99\", allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: 0.99x",
     "f:3: agent.algorithm.gamma: is the text \"0.99x\", allowed: a number in [0, 1]"},
    {"gamma: 0.99",
     "gamma: 0.99, gamma: 0.98",
     "f:3: gamma: repeated key, first on line 3"},
    {"gamma: 0.99",
     "gamma: 0.99, learning_rate: 3",
     "f:3: agent.algorithm.learning_rate: unknown key, allowed: name, action_pdtype, gamma, "
     "training_frequency, training_iter, training_start_step, policy_delay, n_step, "
     "critic_loss_scale, log_std_min, log_std_max, target_entropy, alpha_init, alpha_lr, "
     "alpha_beta1, alpha_loss, log_alpha_min, log_alpha_max, action_policy, symlog, "
     "spectral_norm, entropy_penalty_coef, normalize_state"},
    {"gamma: 0.99",
     "gamma: 0.99, batch_size: 3",
     "f:3: agent.algorithm.batch_size: unknown key, did you mean agent.memory.batch_size?"},
    {"name: CrossQ, ",
     "",
     "f:3: agent.algorithm.name: missing key, allowed: CrossQ or SoftActorCritic"},
    {"name: CrossQ",
     "name: CrosQ",
     "f:3: agent.algorithm.name: is the text \"CrosQ\", allowed: CrossQ or SoftActorCritic"},
    {"name: CrossQ",
     "name: no",
     "f:3: agent.algorithm.name: is the text \"no\", allowed: CrossQ or SoftActorCritic"},
    {"gamma: 0.99",
     "training_iter: 0",
     "f:3: agent.algorithm.training_iter: is 0, allowed: a whole number in [1, 1000000] or null"},
    {"gamma: 0.99",
     "training_frequency: 1.5",
     "f:3: agent.algorithm.training_frequency: is 1.5, allowed: a whole number in [1, 1000000000]"},
    {"gamma: 0.99",
     "training_start_step: -1",
     "f:3: agent.algorithm.training_start_step: is -1, allowed: a whole number >= 0 or null"},
    {"gamma: 0.99",
     "alpha_loss: beta",
     "f:3: agent.algorithm.alpha_loss: is the text \"beta\", allowed: alpha or log_alpha"},
    {"gamma: 0.99",
     "log_std_min: 3",
     "f:3: agent.algorithm.log_std_min: is 3, allowed: less than log_std_max"},
    {"gamma: 0.99",
     "log_alpha_min: 4",
     "f:3: agent.algorithm.log_alpha_min: is 4, allowed: at most log_alpha_max"},
    {"gamma: 0.99",
     "alpha_beta1: 1",
     "f:3: agent.algorithm.alpha_beta1: is 1, allowed: a number in [0, 1) or null"},
    {"gamma: 0.99",
     "symlog: true",
     "f:3: agent.algorithm.symlog: is true, allowed: false (it is not done here)"},
    {"gamma: 0.99",
     "action_policy: random",
     "f:3: agent.algorithm.action_policy: is the text \"random\", allowed: default (actions are "
     "drawn from the policy)"},
    {"gamma: 0.99",
     "action_pdtype: GumbelSoftmax",
     "f:3: agent.algorithm.action_pdtype: is the text \"GumbelSoftmax\", allowed: default, "
     "Normal or Categorical"},
    {"batch_size: 256",
     "batch_size: 1e3x",
     "f:4: agent.memory.batch_size: is the text \"1e3x\", allowed: a whole number in [1, 65536]"},
    {"batch_size: 256",
     "batch_size: 0",
     "f:4: agent.memory.batch_size: is 0, allowed: a whole number in [1, 65536]"},
    {"batch_size: 256",
     "batch_size: 010",
     "f:4: agent.memory.batch_size: is the text \"010\", allowed: a whole number in [1, 65536]"},
    {"batch_size: 256",
     "batch_size: 0x100",
     "f:4: agent.memory.batch_size: is the text \"0x100\", allowed: a whole number in [1, 65536]"},
    {"batch_size: 256",
     "batch_size: 1_00_",
     "f:4: agent.memory.batch_size: is the text \"1_00_\", allowed: a whole number in [1, 65536]"},
    {"batch_size: 256",
     "batch_size: 1001",
     "f:4: agent.memory.batch_size: is 1001, allowed: at most max_size"},
    {"batch_size: 256",
     "batch_size: 1",
     "f:4: agent.memory.batch_size: is 1, allowed: at least 2 rows, BatchRenorm needs them"},
    {"batch_size: 256, ",
     "",
     "f:4: agent.memory.batch_size: missing key, allowed: a whole number in [1, 65536]"},
    {"max_size: 1000",
     "max_size: null",
     "f:4: agent.memory.max_size: is null, allowed: a whole number in [1, 10000000000]"},
    {"max_size: 1000",
     "max_size: 1000, use_cer: yes",
     "f:4: agent.memory.use_cer: is the text \"yes\", allowed: true or false"},
    {"name: Replay",
     "name: OnPolicyReplay",
     "f:4: agent.memory.name: is the text \"OnPolicyReplay\", allowed: Replay or "
     "PrioritizedReplay"},
    {"type: MLPNet",
     "type: ConvNet",
     "f:5: agent.net.type: is the text \"ConvNet\", allowed: TorchArcNet or MLPNet"},
    {"type: MLPNet, ",
     "",
     "f:5: agent.net.type: missing key, allowed: TorchArcNet or MLPNet"},
    {"hid_layers: [8, 8]",
     "hid_layers: 8",
     "f:5: agent.net.hid_layers: is 8, allowed: a list of widths, such as [256, 256]"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, none]",
     "f:5: agent.net.hid_layers.1: is the text \"none\", allowed: a whole number in [1, 65536]"},
    {"hid_layers: [8, 8]",
     "hid_layers: []",
     "f:5: agent.net.hid_layers: is an empty list, allowed: a list of widths, such as [256, 256]"},
    {"hid_layers: [8, 8]",
     "hid_layer: [8, 8]",
     "f:5: agent.net.hid_layer: unknown key, did you mean hid_layers?\n"
     "f:5: agent.net.hid_layers: missing key, an MLPNet needs it"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], hid_layers_activation: selu",
     "f:5: agent.net.hid_layers_activation: is the text \"selu\", allowed: relu or tanh"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], init_fn: normal_",
     "f:5: agent.net.init_fn: is the text \"normal_\", allowed: torch, orthogonal_, "
     "xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_ or lecun_normal or null"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], clip_grad_val: 0",
     "f:5: agent.net.clip_grad_val: is 0, allowed: a number in (0, 1000000000] or null"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], loss_spec: {name: L1Loss}",
     "f:5: agent.net.loss_spec.name: is the text \"L1Loss\", allowed: MSELoss or SmoothL1Loss"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], loss_spec: MSELoss",
     "f:5: agent.net.loss_spec: is the text \"MSELoss\", allowed: a map"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], update_type: replace",
     "f:5: agent.net.update_type: is the text \"replace\", allowed: polyak (targets always move "
     "by polyak_coef)"},
    {"hid_layers: [8, 8]",
     "hid_layers: [8, 8], lr_scheduler_spec: {name: StepLR}",
     "f:5: agent.net.lr_scheduler_spec.name: is the text \"StepLR\", allowed: constant or "
     "LinearToMin"},
    {"LazyLinear: {out_features: 16}",
     "LazyConv2d: {out_channels: 16}",
     "f:12: agent.critic_net.arc.modules.body.Sequential.0: no layer LazyConv2d here, allowed: "
     "LazyLinear, LazyBatchRenorm1d, LayerNorm, ReLU, Tanh"},
    {"LazyLinear: {out_features: 16}",
     "LazyLinear:",
     "f:12: agent.critic_net.arc.modules.body.Sequential.0.LazyLinear.out_features: missing key, "
     "allowed: a whole number in [1, 65536]"},
    {"LazyLinear: {out_features: 16}",
     "LazyLinear: {out_features: 0}",
     "f:12: agent.critic_net.arc.modules.body.Sequential.0.LazyLinear.out_features: is 0, "
     "allowed: a whole number in [1, 65536]"},
    {"LazyLinear: {out_features: 16}",
     "LazyLinear: {out_feature: 16}",
     "f:12: agent.critic_net.arc.modules.body.Sequential.0.LazyLinear.out_features: missing key, "
     "allowed: a whole number in [1, 65536]\n"
     "f:12: agent.critic_net.arc.modules.body.Sequential.0.LazyLinear.out_feature: unknown key, "
     "did you mean out_features?"},
    {"LazyLinear: {out_features: 16}",
     "LazyLinear: 16",
     "f:12: agent.critic_net.arc.modules.body.Sequential.0.LazyLinear: is 16, allowed: a map of "
     "arguments"},
    {"LazyLinear: {out_features: 16}",
     "LazyLinear: {out_features: 16, bias: false}",
     "f:12: agent.critic_net.arc.modules.body.Sequential.0.LazyLinear.bias: is false, allowed: "
     "true"},
    {"LazyLinear: {out_features: 16}",
     "LazyLinear: {out_features: 32}",
     "f:14: agent.critic_net.arc.modules.body.Sequential.2.LayerNorm.normalized_shape: is 16, "
     "allowed: the layer's width, 32"},
    {"momentum: 0.01",
     "momentum: 0",
     "f:13: agent.critic_net.arc.modules.body.Sequential.1.LazyBatchRenorm1d.momentum: is 0, "
     "allowed: a number in (0, 1]"},
    {"momentum: 0.01",
     "momentum: 0.01, ramp: cosine",
     "f:13: agent.critic_net.arc.modules.body.Sequential.1.LazyBatchRenorm1d.ramp: is the text "
     "\"cosine\", allowed: linear or step"},
    {"- ReLU:",
     "- [ReLU]",
     "f:15: agent.critic_net.arc.modules.body.Sequential.3: is a list, allowed: one layer, "
     "LazyLinear, LazyBatchRenorm1d, LayerNorm, ReLU, Tanh"},
    {"- ReLU:",
     "- Swish",
     "f:15: agent.critic_net.arc.modules.body.Sequential.3: no layer Swish here, allowed: "
     "LazyLinear, LazyBatchRenorm1d, LayerNorm, ReLU, Tanh"},
    {"output: body",
     "output: head",
     "f:16: agent.critic_net.arc.graph: is no chain, allowed: each module once, from input to "
     "output"},
    {"modules: {body: [x]}",
     "modules: {body: [x], tail: [body]}",
     "f:16: agent.critic_net.arc.graph: is no chain, allowed: each module once, from input to "
     "output"},
    {"graph: {input: x, modules: {body: [x]}, output: body}",
     "graph: none",
     "f:16: agent.critic_net.arc.graph: is no graph, allowed: input: NAME, modules: {MODULE: "
     "[NAME]}, output: MODULE"},
    {"        modules:",
     "        module:",
     "f:9: agent.critic_net.arc.module: unknown key, did you mean modules?\n"
     "f:9: agent.critic_net.arc.modules: missing, allowed: a map of modules, such as body: "
     "{Sequential: [...]}"},
    {"betas: [0.5, 0.999]",
     "betas: [0.5]",
     "f:17: agent.critic_net.optim_spec.betas: is a list of 1, allowed: a list of 2 numbers"},
    {"betas: [0.5, 0.999]",
     "betas: 0.5",
     "f:17: agent.critic_net.optim_spec.betas: is 0.5, allowed: a list of 2 numbers"},
    {"betas: [0.5, 0.999]",
     "betas: [0.5, 1]",
     "f:17: agent.critic_net.optim_spec.betas.1: is 1, allowed: a number in [0, 1)"},
    {"lr: 1.0e-3",
     "lr: 0",
     "f:17: agent.critic_net.optim_spec.lr: is 0, allowed: a number in (0, 10]"},
    {"lr: 1.0e-3",
     "learning_rate: 1.0e-3",
     "f:17: agent.critic_net.optim_spec.learning_rate: unknown key, allowed: name, lr, betas, "
     "eps, weight_decay"},
    {"name: Pendulum-v1",
     "name: 5",
     "f:18: env.name: is 5, allowed: a text shorter than 64 bytes"},
    {"name: Pendulum-v1",
     "name: ${env}",
     "f:18: not YAML: did not find expected ',' or '}', while parsing a flow mapping (line 18)"},
    {"name: Pendulum-v1, ",
     "",
     "f:18: env.name: missing key, allowed: a text shorter than 64 bytes"},
    {"max_frame: 1000",
     "max_frame: 1e300",
     "f:18: env.max_frame: is 1e300, allowed: a whole number >= 1"},
    {"max_frame: 1000",
     "max_frame: 1000, kwargs: {a: b}",
     "f:18: env.kwargs.a: is the text \"b\", allowed: a number, true, false, or a list of two "
     "numbers"},
    {"max_frame: 1000",
     "max_frame: 1000, kwargs: [1]",
     "f:18: env.kwargs: is a list, allowed: a map"},
    {"max_frame: 1000",
     "max_frame: 1000, model: a.xml",
     "f:18: env.model: is the text \"a.xml\", allowed: only with env.name custom"},
    {"max_frame: 1000",
     "max_frame: 1000, observation: [qpos]",
     "f:18: env.name: is the text \"Pendulum-v1\", allowed: custom, when there are "
     "env.observation, env.reward or env.termination"},
    {"name: Pendulum-v1",
     "name: custom",
     "f:18: env.model: is left out, allowed: a file, env.name custom needs it\n"
     "f:18: env.observation: is left out, allowed: a list of terms, env.name custom needs it\n"
     "f:18: env.reward: is left out, allowed: a list of terms, env.name custom needs it"},
    {"name: Pendulum-v1",
     "name: custom, model: a.xml, observation: [qqpos], reward: [{term: alive, wight: 1}], "
     "termination: [{term: height, body: a, range: [2, 1]}]",
     "f:18: env.observation.0: there is no term \"qqpos\" here, allowed: qpos qvel position "
     "velocity angular_velocity up offset contact sensor x y height upright distance joint "
     "speed\n"
     "f:18: env.reward.0.wight: unknown key, did you mean weight?\n"
     "f:18: env.termination.0: range must be [low, high] with low <= high"},
    {"eval_episodes: 10",
     "eval_episodes: 0",
     "f:19: meta.eval_episodes: is 0, allowed: a whole number in [1, 10000]"},
    {"eval_episodes: 10",
     "eval_episode: 10",
     "f:19: meta.eval_episode: unknown key, did you mean eval_episodes?"},
    {"heartbeat_s: 2",
     "heartbeat_s: 12",
     "f:20: cluster.heartbeat_timeout_s: is left out, allowed: more than cluster.heartbeat_s"},
    {"heartbeat_s: 2",
     "block_rows: 300",
     "f:20: cluster.block_rows: is 300, allowed: at most cluster.credit_window"},
    {"meta: {eval_episodes: 10}",
     "meta: 3",
     "f:19: meta: is 3, allowed: a map"},
    {"  meta:",
     "  mata:",
     "f:19: mata: unknown key, did you mean meta?"},
    {"  meta:",
     "  xyz: 1\n"
     "  meta:",
     "f:19: xyz: unknown key, allowed: agent, env, meta, cluster, search, body, name, git_sha"},
    {"gamma: 0.99}",
     "gamma: 0.99",
     "f:4: not YAML: did not find expected ',' or '}', while parsing a flow mapping (line 3)"},
    {"gamma: 0.99",
     "gamma: *g",
     "f:3: not YAML: found undefined alias"},
    {"gamma: 0.99",
     "<<: 3",
     "f:3: <<: is no map, allowed: a map or a list of maps"},
};
// clang-format on

static struct spec spec;

static void assert_told(const char *text, const struct spec_options *options, const char *message)
{
    struct error err = {0};
    assert_int_equal(spec_parse(&spec, text, strlen(text), "f", NULL, options, NULL, &err),
                     message[0] != '\0' ? ERR_SPEC : 0);
    assert_string_equal(err.text, message);
}

static void replace(char *y, size_t size, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    snprintf(y, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void every_mistake_has_its_line_and_words(void **state)
{
    (void)state;
    char text[4096];
    assert_told(good, NULL, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        replace(text, sizeof text, good, cases[i].from, cases[i].to);
        assert_told(text, NULL, cases[i].message);
    }
}

static void all_mistakes_come_at_once_in_the_order_of_lines(void **state)
{
    (void)state;
    assert_told("agent:\n"
                "  algorithm: {name: CrossQ, gamma: 2}\n"
                "  memory: {name: Replay, batch_size: x, max_size: 9}\n"
                "  net: {type: MLPNet, hid_layers: [0]}\n"
                "env:\n"
                "  name: A\n"
                "  max_frames: 3\n"
                "cluster:\n"
                "  heartbeat_s: 0\n",
                NULL,
                "f:2: agent.algorithm.gamma: is 2, allowed: a number in [0, 1]\n"
                "f:3: agent.memory.batch_size: is the text \"x\", allowed: a whole number in [1, "
                "65536]\n"
                "f:4: agent.net.hid_layers.0: is 0, allowed: a whole number in [1, 65536]\n"
                "f:6: env.max_frame: missing key, allowed: a whole number >= 1\n"
                "f:7: env.max_frames: unknown key, did you mean max_frame?\n"
                "f:9: cluster.heartbeat_s: is 0, allowed: a number in (0, 3600]");
}

static void more_mistakes_than_fit_are_counted(void **state)
{
    (void)state;
    static char  text[20000];
    struct error err = {0};
    size_t       used = (size_t)sprintf(text, "env: {name: A, max_frame: 1}\nagent:\n");
    for (int i = 0; i < 300; i++)
        used += (size_t)sprintf(text + used, "  unknown_key_%d: 1\n", i);
    assert_int_equal(spec_parse(&spec, text, used, "f", NULL, NULL, NULL, &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "f:3: agent.unknown_key_0: unknown key"));
    assert_non_null(strstr(err.text, " more"));
}

static void a_variable_without_a_value_is_one_mistake(void **state)
{
    (void)state;
    char                text[4096];
    const char         *var[] = {"envs=Pendulum-v1", "en=x"};
    struct spec_options options = {.var = var, .n_var = 2};
    replace(text, sizeof text, good, "env: {name: Pendulum-v1, max_frame: 1000}",
            "env:\n    name: ${env}\n    max_frame: ${frames}");
    assert_told(text, &options,
                "f:19: ${env}: no value, give --var env=VALUE\n"
                "f:20: ${frames}: no value, give --var frames=VALUE");
}

static void mistakes_of_set_name_it(void **state)
{
    (void)state;
    static const struct {
        const char *set, *message;
    } sets[] = {
        {"agent.algorithm.gama=1", "--set: agent.algorithm.gama: unknown key, did you mean gamma?"},
        {"agent.algorithm.gamma=2",
         "--set: agent.algorithm.gamma: is 2, allowed: a number in [0, 1]"},
        {"agent.algorithm.gamma=", "--set: agent.algorithm.gamma: is null, allowed: a number in "
                                   "[0, 1]"},
        {"agent.net.hid_layers.2=8", "--set: agent.net.hid_layers.2: no item 2, allowed: 0 to 1"},
        {"agent.net.hid_layers.x=8", "--set: agent.net.hid_layers.x: no item x, allowed: 0 to 1"},
        {"env.name.x=8", "--set: env.name.x: there is nothing below Pendulum-v1"},
        {"gamma", "--set: gamma: expected PATH=VALUE"},
        {"=3", "--set: =3: expected PATH=VALUE"},
        {"env.max_frame=[1",
         "--set: env.max_frame: value:2: not YAML: did not find expected ',' or "
         "']', while parsing a flow sequence (line 1)"},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct spec_options options = {.set = &sets[i].set, .n_set = 1};
        assert_told(good, &options, sets[i].message);
    }
}

static void choosing_a_spec_that_is_not_there_lists_those_that_are(void **state)
{
    (void)state;
    static const char text[] = "_t: {a: 1}\none: {env: {name: A}}\ntwo: {env: {name: B}}\n";
    struct error      err = {0};
    spec_parse(&spec, text, sizeof text - 1, "f", "three", NULL, NULL, &err);
    assert_string_equal(err.text, "f: no spec three in it, allowed: one, two");
    spec_parse(&spec, text, sizeof text - 1, "f", "_t", NULL, NULL, &err);
    assert_string_equal(err.text, "f: no spec _t in it, allowed: one, two");
    spec_parse(&spec, text, sizeof text - 1, "f", NULL, NULL, NULL, &err);
    assert_string_equal(err.text, "f: several specs, choose by FILE:NAME: one, two");
    assert_told("_t: {a: 1}\n", NULL,
                "f: no spec in it, expected agent, env, meta, or named specs");
    assert_told("[1]\n", NULL, "f:1: no map, expected agent, env, meta, or named specs");
    assert_told("a: 3\n", NULL, "f:1: a: is no map, expected agent, env, meta");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(spec_load(&spec, "/nonexistent.yaml:a", NULL, NULL, &err), ERR_SPEC);
    assert_string_equal(
        err.text,
        "/nonexistent.yaml: No such file or directory; specs to start from are in configs/");
    assert_int_equal(spec_load(&spec, "/", NULL, NULL, &err), ERR_SPEC);
    assert_string_equal(err.text, "/: cannot be read: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_line_and_words),
        cmocka_unit_test(all_mistakes_come_at_once_in_the_order_of_lines),
        cmocka_unit_test(more_mistakes_than_fit_are_counted),
        cmocka_unit_test(a_variable_without_a_value_is_one_mistake),
        cmocka_unit_test(mistakes_of_set_name_it),
        cmocka_unit_test(choosing_a_spec_that_is_not_there_lists_those_that_are),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
