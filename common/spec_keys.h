// The table of spec keys: the single place where a key, its type, range, default, unit and help live.
// Parser, checks, resolved spec and help are made from it (common/spec_table.c).
//
//   UINT(path, member, range, range, default, unit, help)     uint64_t
//   NUMBER(path, member, range, range, default, unit, help)   double
//   FLAG(path, member, default, help)                         bool
//   WORD(path, member, words, default, help)                  enum: "first|second", also "name,alias"
//   TEXT(path, member, default, help)                         char[]
//
// range is FROM(x) or ABOVE(x), then TO(x) or BELOW(x) or ANY. default is NEEDED, IS(x), or
// IS(x) OR_NULL(y): the key may be null, which means y. What SLM-Lab has too keeps its default.
#ifndef COMMON_SPEC_KEYS_H
#define COMMON_SPEC_KEYS_H

// clang-format off

#define SPEC_AGENT_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                          \
  WORD("agent.algorithm.name", algorithm.kind, "CrossQ|SoftActorCritic", NEEDED, "which algorithm")                             \
  WORD("agent.algorithm.action_pdtype", algorithm.pdtype, "default|Normal|Categorical", IS(0),                                  \
       "distribution of actions; default: the one that fits the task")                                                         \
  NUMBER("agent.algorithm.gamma", algorithm.gamma, FROM(0), TO(1), IS(0.99), "", "discount of a step")                          \
  UINT("agent.algorithm.training_frequency", algorithm.training_frequency, FROM(1), TO(1e9), IS(1), "steps",                    \
       "updates per step = training_iter / max(training_frequency, env.num_envs)")                                             \
  UINT("agent.algorithm.training_iter", algorithm.training_iter, FROM(1), TO(1e6), IS(0) OR_NULL(0), "updates",                 \
       "the ratio's numerator; null: env.num_envs")                                                                            \
  UINT("agent.algorithm.training_start_step", algorithm.training_start_step, FROM(0), TO(1e15), IS(0) OR_NULL(0), "steps",      \
       "uniform random actions and no updates before; null: max(1000, batch_size)")                                            \
  UINT("agent.algorithm.policy_delay", algorithm.policy_delay, FROM(1), TO(1e6), IS(0) OR_NULL(0), "updates",                   \
       "critic updates for each actor update; null: 3 for CrossQ, 1 for SoftActorCritic")                                      \
  UINT("agent.algorithm.n_step", algorithm.n_step, FROM(1), TO(1000), IS(1), "steps", "rewards summed before bootstrapping")    \
  NUMBER("agent.algorithm.critic_loss_scale", algorithm.critic_loss_scale, ABOVE(0), TO(1e6), IS(1), "",                        \
         "factor of the critics' mean loss; the paper's is 0.5")                                                               \
  NUMBER("agent.algorithm.log_std_min", algorithm.log_std_min, FROM(-100), TO(100), IS(-5), "",                                 \
         "least log standard deviation of a Normal policy; the paper's is -20")                                                \
  NUMBER("agent.algorithm.log_std_max", algorithm.log_std_max, FROM(-100), TO(100), IS(2), "", "largest")                       \
  NUMBER("agent.algorithm.target_entropy", algorithm.target_entropy, FROM(-1e6), TO(1e6), IS(NAN) OR_NULL(NAN), "nats",         \
         "null: -A for Normal, 0.6 ln A for Categorical")                                                                      \
  NUMBER("agent.algorithm.alpha_init", algorithm.alpha_init, ABOVE(0), TO(1e6), IS(1), "", "temperature at the start")          \
  NUMBER("agent.algorithm.alpha_lr", algorithm.alpha_lr, ABOVE(0), TO(10), IS(0) OR_NULL(0), "",                                \
         "learning rate of log alpha; null: the actor's")                                                                      \
  NUMBER("agent.algorithm.alpha_beta1", algorithm.alpha_beta1, FROM(0), BELOW(1), IS(0) OR_NULL(0), "",                         \
         "first beta of log alpha's optimiser; null: the actor's")                                                             \
  WORD("agent.algorithm.alpha_loss", algorithm.alpha_loss, "alpha|log_alpha", IS(0),                                            \
       "the factor of (entropy - target_entropy) in the temperature's loss")                                                   \
  NUMBER("agent.algorithm.log_alpha_min", algorithm.log_alpha_min, FROM(-100), TO(100), IS(-5) OR_NULL(-INFINITY), "",          \
         "least log alpha; null: no bound, as in the paper")                                                                   \
  NUMBER("agent.algorithm.log_alpha_max", algorithm.log_alpha_max, FROM(-100), TO(100), IS(2) OR_NULL(INFINITY), "",            \
         "largest log alpha; null: no bound, as in the paper")                                                                 \
  WORD("agent.memory.name", memory.kind, "Replay|PrioritizedReplay", NEEDED, "how rows are drawn")                              \
  UINT("agent.memory.batch_size", memory.batch_size, FROM(1), TO(65536), NEEDED, "rows", "rows of an update")                   \
  UINT("agent.memory.max_size", memory.max_size, FROM(1), TO(1e10), NEEDED, "rows", "rows kept, the newest")                    \
  FLAG("agent.memory.use_cer", memory.use_cer, IS(0), "the newest row joins each batch")                                        \
  NUMBER("agent.memory.alpha", memory.alpha, FROM(0), TO(1), IS(0.6), "", "PrioritizedReplay: exponent of priorities")          \
  NUMBER("agent.memory.epsilon", memory.epsilon, ABOVE(0), TO(1e6), IS(1e-4), "", "PrioritizedReplay: added to each error")     \
  NUMBER("agent.memory.beta", memory.beta, FROM(0), TO(1), IS(0.4), "",                                                         \
         "PrioritizedReplay: exponent of importance weights at the start; 0 and 0: no weights, as in SLM-Lab")                 \
  NUMBER("agent.memory.beta_final", memory.beta_final, FROM(0), TO(1), IS(1), "", "its value at env.max_frame")

// keys of both networks: P is "agent.net." or "agent.critic_net.", M the member; type, arc, hid_layers
// and hid_layers_activation, which give the layers, are read by common/spec_net.c
#define SPEC_NET_KEYS(P, M, UINT, NUMBER, FLAG, WORD, TEXT)                                                                      \
  WORD(P "init_fn", M.init, "torch|orthogonal_,orthogonal|xavier_uniform_,xavier_uniform|xavier_normal_,xavier_normal|"         \
       "kaiming_uniform_,kaiming_uniform|kaiming_normal_,kaiming_normal|lecun_normal,lecun_normal_", IS(0) OR_NULL(0),          \
       "initial weights; null: torch's own")                                                                                   \
  WORD(P "loss_spec.name", M.loss, "MSELoss|SmoothL1Loss", IS(0), "loss of the critics")                                        \
  NUMBER(P "clip_grad_val", M.clip_grad_val, ABOVE(0), TO(1e9), IS(0) OR_NULL(0), "",                                           \
         "largest norm of the gradient; null: no clipping")                                                                    \
  WORD(P "optim_spec.name", M.optim.kind, "Adam,GlobalAdam|AdamW", IS(0), "optimiser")                                                     \
  NUMBER(P "optim_spec.lr", M.optim.lr, ABOVE(0), TO(10), IS(1e-3), "", "learning rate")                                        \
  NUMBER(P "optim_spec.betas.0", M.optim.beta1, FROM(0), BELOW(1), IS(0.9), "", "decay of the mean of gradients")               \
  NUMBER(P "optim_spec.betas.1", M.optim.beta2, FROM(0), BELOW(1), IS(0.999), "", "decay of the mean of their squares")         \
  NUMBER(P "optim_spec.eps", M.optim.eps, ABOVE(0), TO(1), IS(1e-8), "", "added to the root of the latter")                     \
  NUMBER(P "optim_spec.weight_decay", M.optim.weight_decay, FROM(0), TO(10), IS(0) OR_NULL(0), "",                              \
         "null: 0 for Adam, 0.01 for AdamW, as in torch")                                                                      \
  WORD(P "lr_scheduler_spec.name", M.optim.schedule, "constant|LinearToMin,LinearToZero", IS(0),                                \
       "learning rate against environment steps, up to env.max_frame")                                                         \
  NUMBER(P "lr_scheduler_spec.min_factor", M.optim.final_factor, FROM(0), TO(1), IS(0), "",                                     \
         "LinearToMin: what is left of lr at env.max_frame")                                                                   \
  NUMBER(P "polyak_coef", M.polyak_coef, ABOVE(0), TO(1), IS(0.005), "",                                                        \
         "SoftActorCritic: targets move by this share of the distance to their critics")                                       \
  FLAG(P "weight_norm", M.weight_norm, IS(0), "CrossQ + WN: rows of hidden layers are scaled to norm 1 after each update")

#define SPEC_ENV_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                            \
  TEXT("env.name", env.name, NEEDED, "the task, or custom, or plugin")                                                         \
  UINT("env.num_envs", env.num_envs, FROM(1), TO(1e6), IS(1), "",                                                               \
       "the ratio's divisor, as in SLM-Lab; cluster.envs_per_actor says how many run")                                         \
  UINT("env.max_t", env.max_t, FROM(1), TO(1e9), IS(0) OR_NULL(0), "steps", "time limit of an episode; null: the task's own")   \
  UINT("env.max_frame", env.max_frame, FROM(1), TO(1e15), NEEDED, "steps", "environment steps of the whole training")           \
  TEXT("env.model", env.task.model, IS(0) OR_NULL(0), "custom: MJCF file, relative to the spec file")                           \
  TEXT("env.plugin", env.task.plugin, IS(0) OR_NULL(0), "plugin: shared object, relative to the spec file")                     \
  UINT("env.frame_skip", env.task.frame_skip, FROM(1), TO(10000), IS(1), "steps", "custom: simulation steps of a control step") \
  NUMBER("env.reset_noise.qpos", env.task.noise_qpos, FROM(0), TO(1e3), IS(0), "m, rad",                                        \
         "custom: uniform noise around the model's pose at rest")                                                              \
  NUMBER("env.reset_noise.qvel", env.task.noise_qvel, FROM(0), TO(1e3), IS(0), "m/s, rad/s", "custom: uniform noise around 0")

#define SPEC_META_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                           \
  UINT("meta.log_frequency", meta.log_frequency, FROM(1), TO(1e15), IS(1000), "steps", "between rows of progress.csv")          \
  UINT("meta.eval_frequency", meta.eval_frequency, FROM(0), TO(1e15), IS(10000), "steps",                                       \
       "between evaluations; 0: only at the end")                                                                              \
  UINT("meta.eval_episodes", meta.eval_episodes, FROM(1), TO(1e4), IS(10), "", "episodes of an evaluation")                     \
  UINT("meta.seed", seed, FROM(0), TO(UINT64_MAX), IS(0), "", "--seed wins")

#define SPEC_CLUSTER_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                        \
  UINT("cluster.envs_per_actor", cluster.envs_per_actor, FROM(1), TO(4096), IS(0) OR_NULL(0), "",                               \
       "environments of an actor; null: env.num_envs / actors, rounded up")                                                    \
  NUMBER("cluster.publish_interval_s", cluster.publish_interval_s, FROM(0), TO(3600), IS(0.05), "s",                            \
         "least time between two broadcasts of weights")                                                                       \
  UINT("cluster.credit_window", cluster.credit_window, FROM(1), TO(1e6), IS(256), "rows",                                       \
       "most transitions of an actor on their way")                                                                            \
  UINT("cluster.block_rows", cluster.block_rows, FROM(1), TO(65536), IS(32), "rows", "most transitions of a message")           \
  NUMBER("cluster.limiter_tolerance", cluster.limiter_tolerance, FROM(1), TO(1e12), IS(0) OR_NULL(0), "steps",                  \
         "how far rows may run ahead of updates; null: 128, or twice what ratio and block_rows need")                          \
  NUMBER("cluster.heartbeat_s", cluster.heartbeat_s, ABOVE(0), TO(3600), IS(2), "s", "between signs of life")                   \
  NUMBER("cluster.heartbeat_timeout_s", cluster.heartbeat_timeout_s, ABOVE(0), TO(86400), IS(10), "s",                          \
         "silence after which a peer is gone; an actor warns after it without weights, and pauses after three times it")                                                                                 \
  NUMBER("cluster.checkpoint_interval_s", cluster.checkpoint_interval_s, FROM(0), TO(1e6), IS(30), "s",                         \
         "between checkpoints; 0: only at the end and when stopped")                                                           \
  UINT("cluster.lockstep_checkpoint_steps", cluster.lockstep_checkpoint_steps, FROM(1), TO(1e15), IS(5000), "steps",            \
       "between checkpoints of --lockstep")                                                                                    \
  UINT("cluster.learner_threads", cluster.learner_threads, FROM(0), TO(64), IS(0), "", "threads of an update; 0: by the machine") \
  UINT("cluster.max_actors", cluster.max_actors, FROM(1), TO(65536), IS(1024), "", "most actors at a time")                     \
  UINT("cluster.max_policy_lag", cluster.max_policy_lag, FROM(0), TO(1e15), IS(0), "versions",                                  \
       "an actor whose weights are older waits for newer ones; 0: any will do")                                                                     \
  UINT("cluster.max_skipped_updates", cluster.max_skipped_updates, FROM(1), TO(1e9), IS(100), "updates",                        \
       "updates in a row that may be not finite before the learner stops")

#define SPEC_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                                \
  SPEC_AGENT_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                              \
  SPEC_NET_KEYS("agent.net.", actor_net, UINT, NUMBER, FLAG, WORD, TEXT)                                                       \
  SPEC_NET_KEYS("agent.critic_net.", critic_net, UINT, NUMBER, FLAG, WORD, TEXT)                                               \
  SPEC_ENV_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                                \
  SPEC_META_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                               \
  SPEC_CLUSTER_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)

// arguments of layers, members of struct layer_spec; ReLU and Tanh have none
#define SPEC_LAYER_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)                                                                          \
  UINT("LazyLinear.out_features", out, FROM(1), TO(65536), NEEDED, "", "features out")                                          \
  NUMBER("LazyBatchRenorm1d.momentum", momentum, ABOVE(0), TO(1), IS(0.01), "", "weight of the new value")                      \
  NUMBER("LazyBatchRenorm1d.eps", eps, ABOVE(0), TO(1), IS(1e-5), "", "added to the variance")                                  \
  UINT("LazyBatchRenorm1d.warmup_steps", warmup_steps, FROM(0), TO(1e15), IS(10000), "updates", "before r and d are full")      \
  NUMBER("LazyBatchRenorm1d.r_max", r_max, FROM(1), TO(1e6), IS(3), "", "bound of r")                                           \
  NUMBER("LazyBatchRenorm1d.d_max", d_max, FROM(0), TO(1e6), IS(5), "", "bound of d")                                           \
  WORD("LazyBatchRenorm1d.ramp", ramp, "linear|step", IS(0), "how the bounds grow during the warm-up")                          \
  WORD("LazyBatchRenorm1d.form", form, "textbook|adjusted", IS(0), "SLM-Lab's, or the paper's code's")                          \
  NUMBER("LayerNorm.eps", eps, ABOVE(0), TO(1), IS(1e-5), "", "added to the variance")

// Keys of SLM-Lab that mean nothing here: IGNORED(path, only, why). With `only` the key is taken only
// with that value, which is what is done here in any case; NULL: whatever it says.
#define SPEC_IGNORED_NET(P, IGNORED)                                                                                             \
  IGNORED(P "gpu", NULL, "everything runs on the processor")                                                                    \
  IGNORED(P "shared", "false", "actor and critics share no layers")                                                             \
  IGNORED(P "use_same_optim", "false", "each network has its own optimiser")                                                    \
  IGNORED(P "normalize", NULL, "it scales images")                                                                              \
  IGNORED(P "batch_norm", "false", "write the layers out in arc")                                                               \
  IGNORED(P "out_layer_activation", "null", "the algorithm makes the heads")                                                    \
  IGNORED(P "update_type", "polyak", "targets always move by polyak_coef")                                                      \
  IGNORED(P "update_frequency", "1", "targets move after each actor update")                                                    \
  IGNORED(P "lr_scheduler_spec.frame", NULL, "the schedule ends at env.max_frame")

#define SPEC_IGNORED(IGNORED)                                                                                                    \
  IGNORED("agent.name", NULL, "agent.algorithm.name decides")                                                                  \
  IGNORED("agent.algorithm.action_policy", "default", "actions are drawn from the policy")                                      \
  IGNORED("agent.algorithm.symlog", "false", "it is not done here")                                                             \
  IGNORED("agent.algorithm.spectral_norm", "false", "it is not done here")                                                      \
  IGNORED("agent.algorithm.entropy_penalty_coef", "0", "it is not done here")                                                   \
  IGNORED("agent.algorithm.normalize_state", "false", "it is not done here")                                                    \
  SPEC_IGNORED_NET("agent.net.", IGNORED)                                                                                      \
  SPEC_IGNORED_NET("agent.critic_net.", IGNORED)                                                                               \
  IGNORED("env.life_loss_info", NULL, "it is about Atari games")                                                                \
  IGNORED("env.continuous", NULL, "it is about LunarLander")                                                                    \
  IGNORED("env.frame_op", NULL, "it is about images")                                                                           \
  IGNORED("env.frame_op_len", NULL, "it is about images")                                                                       \
  IGNORED("env.image_downsize", NULL, "it is about images")                                                                     \
  IGNORED("env.reward_scale", "1", "rewards are not scaled")                                                                    \
  IGNORED("env.normalize_obs", "false", "observations are not scaled")                                                          \
  IGNORED("env.normalize_reward", "false", "rewards are not scaled")                                                            \
  IGNORED("meta.distributed", NULL, "one process learns")                                                                       \
  IGNORED("meta.max_session", NULL, "one run is one session: use --seed for more")                                              \
  IGNORED("meta.max_trial", NULL, "there is no search")                                                                         \
  IGNORED("meta.rigorous_eval", NULL, "see eval_episodes")                                                                      \
  IGNORED("meta.training_mode", NULL, "there is one mode")                                                                      \
  IGNORED("meta.search", NULL, "there is no search")                                                                            \
  IGNORED("meta.search_scheduler", NULL, "there is no search")                                                                  \
  IGNORED("meta.search_resources", NULL, "there is no search")                                                                  \
  IGNORED("meta.resources", NULL, "there is no search")                                                                         \
  IGNORED("search", NULL, "there is no search")                                                                                 \
  IGNORED("body", NULL, "one agent, one task")                                                                                  \
  IGNORED("name", NULL, "the spec's key is its name")                                                                           \
  IGNORED("git_sha", NULL, "the run directory says which version it was")

// clang-format on

#endif
