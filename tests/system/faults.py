#!/usr/bin/env python3
"""Faults with real processes: each must leave every transition in the replay exactly once.

    faults.py [NAME...]     all of them, or these
"""
import concurrent.futures
import os
import signal
import sys
import time

from fleet import Failure, Fleet, wait
from network import Network, missing

AT_ONCE = 4  # runs beside each other: most of the time they wait


def started(fleet, names):
    fleet.start_learner()
    for name in names:
        fleet.start_actor(name)
    for name in names:
        fleet.more_from(name)
    fleet.learning()


def replaced(process):
    code = wait('the old process ends', lambda: not process.running() and process.popen.poll())
    if code != 1:
        raise Failure(f'the old process ended with {code}')


def an_actor_is_killed_mid_block():
    with Fleet() as fleet:
        started(fleet, ['a', 'b'])
        # whatever it is doing at that moment
        for _ in range(5):
            fleet.actors['a'].end(signal.SIGKILL)
            fleet.more_from('b')
            fleet.start_actor('a')
            fleet.more_from('a')
        fleet.learning()
        return fleet.finish()


def an_actor_stands_still_for_30_s():
    with Fleet() as fleet:
        started(fleet, ['a', 'b'])
        fleet.actors['a'].send(signal.SIGSTOP)
        wait('the learner gives the actor up', lambda: fleet.connected() == 1)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            fleet.learning()
        fleet.actors['a'].send(signal.SIGCONT)
        fleet.more_from('a')
        fleet.learning()
        return fleet.finish()


def the_learner_is_killed_and_comes_back():
    with Fleet() as fleet:
        started(fleet, ['a', 'b', 'c'])
        for pause in (0, 5, 12):
            wait('a checkpoint', lambda: fleet.figure('checkpoints') > 0)
            fleet.learners[-1].end(signal.SIGKILL)
            time.sleep(pause)
            fleet.start_learner()
            for name in 'abc':
                fleet.more_from(name)
            fleet.learning()
        for name, p in fleet.actors.items():
            if not p.running():
                raise Failure(f'{name} did not outlive the learner')
        return fleet.finish()


def the_learner_stands_still_for_25_s():
    with Fleet() as fleet:
        started(fleet, ['a', 'b'])
        learner = fleet.learners[-1]
        learner.send(signal.SIGSTOP)
        time.sleep(25)
        learner.send(signal.SIGCONT)
        for name in 'ab':
            fleet.more_from(name)
        fleet.learning()
        return fleet.finish()


def four_actors_come_and_four_go():
    with Fleet() as fleet:
        started(fleet, ['a', 'b'])
        for name in 'cdef':
            fleet.start_actor(name)
        for name in 'abcdef':
            fleet.more_from(name)
        for name in 'abcd':
            code = fleet.actors.pop(name).end(signal.SIGTERM)
            if code != 128 + signal.SIGTERM:
                raise Failure(f'{name} left with {code}')
        wait('four are gone', lambda: fleet.connected() == 2)
        for name in 'ef':
            fleet.more_from(name)
        fleet.learning()
        return fleet.finish()


def a_name_comes_again_while_its_old_process_is_frozen():
    with Fleet() as fleet:
        started(fleet, ['a', 'b'])
        # a frozen process keeps its connection: the kernel answers for it
        frozen = fleet.actors['a']
        frozen.send(signal.SIGSTOP)
        fleet.start_actor('a')
        fleet.more_from('a')
        if fleet.connected() != 2:
            raise Failure(f'{fleet.connected()} actors are connected')
        # and the one that was replaced is told so when it wakes
        frozen.send(signal.SIGCONT)
        replaced(frozen)
        fleet.more_from('a')
        fleet.learning()
        return fleet.finish()


def an_actor_is_cut_off_for_20_s():
    with Network() as network, Fleet(network.address) as fleet:
        started(fleet, ['near'])
        network.start(fleet, 'far')
        fleet.more_from('far')
        network.cut()
        end = time.monotonic() + 20
        wait('the learner gives the actor up', lambda: fleet.connected() == 1)
        while time.monotonic() < end:
            fleet.learning()
        network.heal()
        healed = time.monotonic()
        fleet.more_from('far', least=1)
        back = time.monotonic() - healed
        fleet.more_from('far')
        fleet.learning()
        return f'{fleet.finish()}; back {back:.1f} s after it healed'


def the_network_takes_50_ms_and_loses_1_percent():
    with Network() as network, Fleet(network.address) as fleet:
        network.slow(delay_ms=50, loss=0.01)
        fleet.start_learner()
        for name in 'ab':
            network.start(fleet, name)
        for name in 'ab':
            fleet.more_from(name, least=2000)
        fleet.learning()
        return fleet.finish()


def a_name_comes_again_from_elsewhere_while_its_host_is_cut_off():
    with Network() as network, Fleet(network.address) as fleet:
        started(fleet, ['b'])
        old = network.start(fleet, 'a')
        fleet.more_from('a')
        network.cut()
        fleet.start_actor('a')
        fleet.more_from('a')
        network.heal()
        replaced(old)
        fleet.more_from('a')
        fleet.learning()
        return fleet.finish()


# the longest first; those of the second list need namespaces
LOCAL = [an_actor_stands_still_for_30_s, the_learner_is_killed_and_comes_back,
         the_learner_stands_still_for_25_s, an_actor_is_killed_mid_block,
         four_actors_come_and_four_go, a_name_comes_again_while_its_old_process_is_frozen]
FAR = [an_actor_is_cut_off_for_20_s, the_network_takes_50_ms_and_loses_1_percent,
       a_name_comes_again_from_elsewhere_while_its_host_is_cut_off]


def attempt(fault):
    start = time.monotonic()
    try:
        return True, fault(), time.monotonic() - start
    except Failure as failure:
        return False, str(failure), time.monotonic() - start


def main():
    faults, failed, why = LOCAL + FAR, 0, missing()
    if why is not None:
        print(f'left out, {why}: {", ".join(f.__name__ for f in FAR)}')
        faults = LOCAL
    names = {f.__name__: f for f in faults}
    unknown = set(sys.argv[1:]) - set(names)
    if unknown:
        print(f'no fault {", ".join(unknown)}; there are: {", ".join(names)}')
        return 2
    faults = [names[n] for n in sys.argv[1:]] or faults
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {pool.submit(attempt, f): f for f in faults}
        for run in concurrent.futures.as_completed(runs):
            good, text, seconds = run.result()
            name = runs[run].__name__.replace('_', ' ')
            verdict = 'ok    ' if good else 'FAILED'
            print(f'{verdict} {name} ({seconds:.0f} s)\n       {text}', flush=True)
            failed += not good
    print(f'{len(faults) - failed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
    sys.exit(main())
