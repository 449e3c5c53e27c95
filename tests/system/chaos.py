#!/usr/bin/env python3
"""chaos.py SECONDS [SEED]: actors are killed, stopped, cut off, replaced and restarted at
random every few seconds, the learner twice; at the end every transition is accounted for.
"""
import contextlib
import os
import random
import signal
import sys
import time

from fleet import PATIENCE, Failure, Fleet, wait
from network import Network, missing

NEAR, FAR = ['a', 'b', 'c', 'd'], ['x', 'y']


class Chaos:
    def __init__(self, seed):
        self.fleet = self.network = None
        self.names, self.random = NEAR, random.Random(seed)
        self.later = []     # (when, what), what undoes something
        self.busy = set()   # whom something is being done to
        self.counts = {}

    def start(self, name):
        if name in FAR:
            self.network.start(self.fleet, name)
        else:
            self.fleet.start_actor(name)

    def undo(self, name, least, most, what):
        self.busy.add(name)
        self.later.append((time.monotonic() + self.random.uniform(least, most), name, what))

    def kill(self, name):
        self.fleet.actors[name].end(signal.SIGKILL)
        self.undo(name, 0, 5, lambda: self.start(name))

    def leave(self, name):
        self.fleet.actors[name].end(signal.SIGTERM)
        self.undo(name, 0, 5, lambda: self.start(name))

    def replace(self, name):
        # the old one wakes up to find another in its place
        frozen = self.fleet.actors[name]
        frozen.send(signal.SIGSTOP)
        self.start(name)
        self.undo(name, 2, 15, lambda: frozen.send(signal.SIGCONT))

    def stop(self, name):
        process = self.fleet.actors[name]
        process.send(signal.SIGSTOP)
        self.undo(name, 1, 20, lambda: process.send(signal.SIGCONT))

    def cut(self, name):
        if name not in FAR or 'network' in self.busy:
            return False
        self.network.cut()
        self.undo('network', 1, 20, self.network.heal)
        return True

    def kill_learner(self):
        self.counts['learner'] = self.counts.get('learner', 0) + 1
        self.fleet.learners[-1].end(signal.SIGKILL)
        self.undo('learner', 0, 10, self.fleet.start_learner)

    def event(self):
        idle = [n for n in self.names if n not in self.busy]
        if not idle:
            return
        name = self.random.choice(idle)
        do = self.random.choice(
            [self.kill, self.kill, self.stop, self.leave, self.replace, self.cut])
        if do(name) is not False:
            self.counts[do.__name__] = self.counts.get(do.__name__, 0) + 1

    def repair(self, everything=False):
        due = [entry for entry in self.later if everything or entry[0] <= time.monotonic()]
        self.later = [entry for entry in self.later if entry not in due]
        for _, name, what in due:
            what()
            self.busy.discard(name)

    def run(self, seconds):
        """A whole run; returns its accounts."""
        with contextlib.ExitStack() as stack:
            if missing() is None:
                self.network = stack.enter_context(Network())
                self.names = NEAR + FAR
            address = self.network.address if self.network else '127.0.0.1'
            self.fleet = stack.enter_context(Fleet(address, ratio=2, rows=8000000))
            self.fleet.start_learner()
            for name in self.names:
                self.start(name)
            wait('all actors are here', lambda: self.fleet.connected() == len(self.names))
            self.rage(seconds)
            wait('all actors are back', lambda: self.fleet.connected() == len(self.names))
            for name in self.names:
                self.fleet.more_from(name)
            self.fleet.learning()
            return self.fleet.finish(deserted=True)

    def rage(self, seconds):
        begin = time.monotonic()
        learners = [begin + seconds / 3, begin + 2 * seconds / 3]
        event, look, rise, updates = begin, begin, begin, 0
        while time.monotonic() < begin + seconds:
            now = time.monotonic()
            self.repair()
            if learners and now > learners[0]:
                learners.pop(0)
                self.kill_learner()
            if now > event:
                self.event()
                event = now + self.random.uniform(1, 4)
            if now > look and 'learner' not in self.busy:
                look = now + 5
                status = self.fleet.status() or {}
                # a learner that was restarted shows nothing before its first actor comes
                if status.get('updates', 0) not in (0, updates):
                    updates, rise = status['updates'], now
                if now - rise > PATIENCE:
                    raise Failure(f'no update for {PATIENCE} s: {status.get("sentence")}')
            time.sleep(0.05)
        self.repair(everything=True)


def main():
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    chaos = Chaos(seed)
    try:
        figures = chaos.run(seconds)
    except Failure as failure:
        print(f'FAILED after {chaos.counts}: {failure}\n0 passed, 1 failed')
        return 1
    done = ', '.join(f'{n} {name}' for name, n in sorted(chaos.counts.items()))
    print(f'{done}\n{figures}\n1 passed, 0 failed')
    return 0


if __name__ == '__main__':
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
    sys.exit(main())
