"""Real learners and actors for the fault tests: start them, hurt them, count every transition.

A fleet is one run of Pendulum: a learner without local actors, actors by name, and all that they
printed. Fleet.account() holds three independent books against each other:

  the learner   rows in the replay file, and how many each incarnation of a slot delivered
  the actors    rows that a process saw acknowledged, said when it leaves
  the rows      none is there twice, and each one's successor is there too, unless the episode or
                its process ended: so a row that is missing in the middle shows
"""
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

BIN = os.environ.get('CROSSFLEET_BIN', 'build/release')
HEADER = 96  # bytes before the slots of a replay file
NICE = int(os.environ.get('NICE', '0'))
PATIENCE = 90  # seconds; what must come in the end may be slow on a busy machine
EPISODE = 200  # steps of every episode of Pendulum
ENDED = re.compile(r'slot (\d+): incarnation (\d+) ended with (\d+) rows')
JOINED = re.compile(r'as slot (\d+), incarnation (\d+)')
LEFT = re.compile(r'(\d+) rows acknowledged, (\d+) not')


class Failure(Exception):
    """What a test expected and did not find."""


def wait(what, condition, seconds=PATIENCE):
    """Waits until condition() is true; says what was waited for when it does not become so."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f'{what}: not within {seconds} s')
        time.sleep(0.1)


PORTS = iter(range(25000 + os.getpid() % 200 * 3, 26000, 3))


def free_port():
    """A port that is free together with the next one (weights) and the one after (HTTP)."""
    for port in PORTS:
        sockets = [socket.socket() for _ in range(3)]
        try:
            for offset, s in enumerate(sockets):
                s.bind(('', port + offset))
            return port
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise Failure('no free ports')


class Process:
    """A program whose output goes to a file."""

    def __init__(self, command, log):
        self.log = log
        with open(log, 'w') as out:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          preexec_fn=lambda: os.nice(NICE))

    def running(self):
        return self.popen.poll() is None

    def send(self, sig):
        self.popen.send_signal(sig)

    def end(self, sig, seconds=PATIENCE):
        """Sends a signal and returns the exit code."""
        if self.running():
            self.send(sig)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failure(f'{self.log}: still there {seconds} s after {sig.name}') from None

    def text(self):
        with open(self.log, errors='replace') as f:
            return f.read()


class Fleet:
    """One run. Use it with `with`: nothing that it started outlives it."""

    def __init__(self, address='127.0.0.1', ratio=4, rows=1000000):
        self.work = tempfile.mkdtemp(prefix='crossfleet-fault-')
        self.run = os.path.join(self.work, 'run')
        self.address, self.port = address, free_port()
        self.sets = [f'agent.algorithm.training_frequency={ratio}', f'env.max_frame={rows}',
                     f'agent.memory.max_size={rows}', 'agent.memory.batch_size=64',
                     'meta.eval_frequency=0', 'meta.log_frequency=5000',
                     'cluster.learner_threads=1', 'cluster.checkpoint_interval_s=5']
        self.learners, self.actors, self.processes = [], {}, []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for p in [*self.processes, *self.learners]:
            if p.running():
                p.popen.kill()
                p.popen.wait()
        if kind is not None and os.environ.get('KEEP'):
            print(f'kept: {self.work}')
        else:
            shutil.rmtree(self.work, ignore_errors=True)

    # ------ learner

    def start_learner(self):
        """Starts a learner, or the next one of the same run."""
        command = [f'{BIN}/crossfleet-learner', 'train', 'configs/pendulum.yaml', '--run', self.run,
                   '--resume', '--quiet', '--seed', '1', '--actors', '0',
                   '--bind', f'tcp://{self.address}:{self.port}',
                   '--http', f'127.0.0.1:{self.port + 2}']
        if self.address != '127.0.0.1':
            command.append('--insecure')
        for s in self.sets:
            command += ['--set', s]
        self.learners.append(Process(command, f'{self.work}/learner-{len(self.learners)}.log'))
        wait('the learner answers', self.status)

    def status(self, page='status.json'):
        """The learner's own figures, None when it does not answer."""
        learner = self.learners[-1]
        if not learner.running():
            raise Failure(f'the learner ended: {learner.text()[-500:]}')
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.port + 2}/{page}', timeout=5) as f:
                text = f.read().decode()
            return json.loads(text) if page.endswith('json') else text
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def figure(self, name):
        """One figure of /status.json."""
        return wait(f'the learner says {name}', self.status)[name]

    def metric(self, name):
        """One figure of /metrics."""
        text = wait('the learner has metrics', lambda: self.status('metrics'))
        return float(re.search(rf'^{name} (\S+)$', text, re.M).group(1))

    # ------ actors

    def start_actor(self, name, prefix=()):
        """Starts an actor; one of the same name that still runs goes on running, unnamed."""
        command = [*prefix, f'{BIN}/crossfleet-actor', 'run', '--name', name, '--connect',
                   f'tcp://{self.address}:{self.port}']
        p = Process(command, f'{self.work}/{name}-{len(self.processes)}.log')
        self.processes.append(p)
        self.actors[name] = p
        return p

    def steps(self, name):
        """Rows that the learner has of a name, as its page says."""
        rows = [a for a in self.figure('actors') if a['name'] == name]
        return rows[0]['steps'] if rows else 0

    def more_from(self, name, least=200):
        """Waits until an actor delivers."""
        before = self.steps(name)
        wait(f'rows of {name}', lambda: self.steps(name) >= before + least)

    def connected(self):
        return self.figure('actors_connected')

    def learning(self):
        """Waits until updates go up, in the ratio that the spec asks for."""
        before = self.figure('updates')
        wait('updates go up', lambda: self.figure('updates') > before + 50)
        wait('the ratio is in its band', self.in_band)

    def in_band(self):
        s = wait('the learner has a status', self.status)
        return s['utd'] is not None and s['utd_low'] <= s['utd'] <= s['utd_high']

    # ------ the end

    def finish(self, deserted=False):
        """Stops everybody politely and does the accounts; returns them.

        deserted: actors may have left while there was no learner to say what is in
        """
        for name, p in self.actors.items():
            code = p.end(signal.SIGTERM)
            if code != 128 + signal.SIGTERM:
                raise Failure(f'{name} ended with {code}: {p.text()[-500:]}')
        wait('all actors are gone', lambda: self.connected() == 0)
        wait('the last updates are done', self.in_band)
        page = {'steps': self.figure('steps'),
                'lost': self.metric('crossfleet_transitions_lost_total'),
                'again': self.metric('crossfleet_transitions_duplicate_total')}
        code = self.learners[-1].end(signal.SIGTERM)
        if code != 128 + signal.SIGTERM:
            raise Failure(f'the learner ended with {code}')
        return self.account(page, deserted)

    def account(self, page, deserted):
        """Holds the books against each other; returns the figures or raises all differences."""
        replay = Replay(f'{self.run}/checkpoint/replay.bin')
        # (slot, incarnation) -> rows: those that ended, then those that had the slots last
        delivered = {}
        for learner in self.learners:
            for slot, incarnation, rows in ENDED.findall(learner.text()):
                delivered[int(slot), int(incarnation)] = int(rows)
        delivered.update(replay.marks)
        joined = [[tuple(map(int, m)) for m in JOINED.findall(p.text())] for p in self.processes]
        wrong = []

        def same(what, a, b):
            if a != b:
                wrong.append(f'{what}: {a} and {b}')

        same('rows in the replay, rows that incarnations delivered', replay.inserted,
             sum(delivered.values()))
        same('rows in the replay, steps of the checkpoint', replay.inserted,
             checkpoint_steps(self.run))
        same('rows in the replay, steps of the page', replay.inserted, page['steps'])
        same('lost', page['lost'], 0)
        same('duplicate rows', replay.inserted - replay.different(), 0)
        said = silent = unanswered = 0
        for p, sessions in zip(self.processes, joined):
            left = LEFT.search(p.text())
            if left is None:
                silent += 1
                continue
            said += int(left.group(1))
            rows = sum(delivered.get(s, 0) for s in sessions)
            # rows on their way when another process took its place, or when it left while no
            # learner was there, may be in or not, and it says that it does not know
            unknown = int(left.group(2)) if deserted or 'refused: ' in p.text() else 0
            unanswered += unknown
            if not 0 <= rows - int(left.group(1)) <= unknown:
                wrong.append(f'{p.log}: {left.group(0)}, but {rows} delivered')
        # a process that got a second incarnation goes on with the same episode
        first = [sum(delivered.get(s, 0) for s in sessions) for sessions in joined]
        same('open ends of episodes, processes that ended within one', replay.open_ends(),
             sum(rows % EPISODE != 0 for rows in first))
        same('incarnations that nobody says to have had',
             [s for s in delivered if not any(s in j for j in joined) and delivered[s]], [])
        if wrong:
            raise Failure('; '.join(wrong))
        return (f'{replay.inserted} rows of {len(self.processes)} processes and {len(delivered)} '
                f'incarnations, 0 lost, 0 twice; {said} acknowledged to who left, {unanswered} '
                f'without an answer, {silent} killed; {int(page["again"])} came again and were '
                f'dropped')


def checkpoint_steps(run):
    """Steps that the newest checkpoint counts."""
    newest = max(glob.glob(f'{run}/checkpoint/[0-9]*/state.safetensors'))
    with open(newest, 'rb') as f:
        size, = struct.unpack('<Q', f.read(8))
        return int(json.loads(f.read(size))['__metadata__']['steps'])


class Replay:
    """A replay file (learner/replay_file.h), read when its learner has ended."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            data = f.read()
        magic, form, self.obs, action, words, slots, capacity, undo, self.inserted = (
            struct.unpack_from('<24sIIIII4xQQQ', data))
        if not magic.startswith(b'crossfleet replay') or form != 3 or self.inserted > capacity:
            raise Failure(f'{path}: format {form}, {self.inserted} of {capacity} rows')
        # a slot: mark before, mark after, and from which count on the later one holds
        mark, at = '<QQ64s', HEADER
        self.marks = {}
        for slot in range(slots):
            before = struct.unpack_from(mark, data, at)
            after = struct.unpack_from(mark, data, at + 80)
            holds, = struct.unpack_from('<Q', data, at + 160)
            incarnation, rows, _ = after if holds <= self.inserted else before
            if incarnation > 0:
                self.marks[slot, incarnation] = rows
            at += 168
        size = 4 * words
        head = (at + undo * size + 4095) // 4096 * 4096
        self.rows = [data[at:at + size] for at in range(head, head + size * self.inserted, size)]
        self.next = 4 * (self.obs + action + 2)

    def different(self):
        return len(set(self.rows))

    def open_ends(self):
        """Rows whose successor is not there though their episode goes on."""
        n, begun = 4 * self.obs, {row[:4 * self.obs] for row in self.rows}
        return sum(row[-8:-4] == b'\0\0\0\0' and row[self.next:self.next + n] not in begun
                   for row in self.rows)
