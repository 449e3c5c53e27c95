#!/usr/bin/env python3
"""Plays a crossfleet policy file with nothing but numpy.

    from crossfleet_policy import Policy
    policy = Policy.load("runs/cheetah")          # a run directory or a .safetensors file
    action = policy.act(observation)              # in the task's own units

    python crossfleet_policy.py runs/cheetah --episodes 10 --seed 0

The second form steps the policy's own task in Gymnasium, if that is installed.
"""

import argparse
import json
import os
import struct
import sys

import numpy as np


def read_safetensors(path):
    """Returns (tensors by name, metadata) of a file whose tensors are all F32."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 8:
        raise ValueError(f"{path}: is no safetensors file")
    (size,) = struct.unpack("<Q", data[:8])
    if size > len(data) - 8:
        raise ValueError(f"{path}: is cut off")
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    body = data[8 + size :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] != "F32" or not 0 <= begin <= end <= len(body):
            raise ValueError(f"{path}: tensor {name} is not a whole F32 one")
        tensors[name] = np.frombuffer(body[begin:end], "<f4").reshape(entry["shape"])
    return tensors, metadata


class Policy:
    """A policy as crossfleet saved it: layers, and how outputs become actions.

    Attributes: env (Gymnasium's name), obs_size, action_size, discrete, action_low, action_high (float32,
    the task's bounds), metadata (everything the file says, strings).
    """

    def __init__(self, tensors, metadata):
        self.metadata = metadata
        self.env = metadata["env"]
        self.obs_size = int(metadata["obs_size"])
        self.action_size = int(metadata["action_size"])
        self.discrete = metadata["distribution"] == "categorical"
        self.log_std_range = float(metadata["log_std_min"]), float(metadata["log_std_max"])
        if not self.discrete:
            self.action_low = np.asarray(json.loads(metadata["action_low"]), np.float64)
            self.action_high = np.asarray(json.loads(metadata["action_high"]), np.float64)
        self.layers = []
        for i, layer in enumerate(json.loads(metadata["layers"])):
            weight = tensors.get(f"layers.{i}.weight")
            self.layers.append((layer, weight, tensors.get(f"layers.{i}.bias")))

    @classmethod
    def load(cls, path):
        """Reads a policy file, or the latest one of a run directory."""
        if os.path.isdir(path):
            path = os.path.join(path, "policy", "latest.safetensors")
        return cls(*read_safetensors(path))

    def forward(self, observation):
        """(B, obs_size) -> (B, 2 action_size): mean, log_std; or (B, action_size) logits."""
        x = np.asarray(observation, np.float32)
        for layer, weight, bias in self.layers:
            kind = layer["kind"]
            if kind == "linear":
                x = x @ weight.T + bias
            elif kind == "relu":
                x = np.maximum(x, np.float32(0))
            elif kind == "tanh":
                x = np.tanh(x)
            elif kind == "affine":
                x = x * weight + bias
            elif kind == "layer_norm":
                centred = x - x.mean(axis=-1, keepdims=True)
                variance = (centred**2).mean(axis=-1, keepdims=True)
                x = centred / np.sqrt(variance + np.float32(layer["eps"])) * weight + bias
            else:
                raise ValueError(f"unknown layer {kind}: the policy is newer than this file")
        return x

    def act(self, observation, rng=None):
        """The policy's mode, or a sample with rng = np.random.default_rng(seed).

        observation (obs_size) or (B, obs_size). Returns actions in the task's units (float32), or
        indices if discrete, with the same leading shape.
        """
        observation = np.asarray(observation, np.float32)
        y = self.forward(np.atleast_2d(observation))
        if self.discrete:
            if rng is not None:
                y = y + rng.gumbel(size=y.shape)
            action = y.argmax(axis=-1)
        else:
            mean, log_std = np.split(y, 2, axis=-1)
            if rng is not None:
                std = np.exp(np.clip(log_std, *self.log_std_range))
                mean = mean + std * rng.standard_normal(std.shape)
            span = self.action_high - self.action_low
            action = self.action_low + (np.tanh(mean.astype(np.float64)) + 1) / 2 * span
            action = action.astype(np.float32)
        return action if observation.ndim > 1 else action[0]


def play(policy, episodes, seed, render=False):
    """Returns of that many episodes of the policy's mode in Gymnasium."""
    import gymnasium

    env = gymnasium.make(policy.env, render_mode="human" if render else None)
    returns = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        total, over = 0.0, False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(policy.act(observation))
            total += float(reward)
            over = terminated or truncated
        returns.append(total)
    env.close()
    return returns


def main():
    parser = argparse.ArgumentParser(description="Plays a crossfleet policy in Gymnasium.")
    parser.add_argument("policy", help="a .safetensors file or a run directory")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--render", action="store_true", help="show it in a window")
    args = parser.parse_args()
    try:
        policy = Policy.load(args.policy)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"crossfleet_policy: {error}")
    try:
        returns = play(policy, args.episodes, args.seed, args.render)
    except ImportError as error:
        sys.exit(f"crossfleet_policy: {error}; pip install 'gymnasium[mujoco]'")
    print(
        f"{policy.env}: return {np.mean(returns):.2f} +- {np.std(returns):.2f} over "
        f"{len(returns)} episodes (min {min(returns):.2f}, max {max(returns):.2f})"
    )


if __name__ == "__main__":
    main()
