"""Another host, made of network namespaces, and a router to it that can be cut or made slow.

The learner stays where the test is; nothing there changes but an interface and a route. Needs root,
ip and iptables.
"""
import itertools
import os
import shutil
import subprocess
import sys
import time

NUMBERS = itertools.count()


def missing():
    """Why this machine cannot do it, or None."""
    if os.geteuid() != 0:
        return 'network namespaces need root'
    lacking = [p for p in ('ip', 'iptables') if shutil.which(p) is None]
    if lacking:
        return f'no {" and no ".join(lacking)} here'
    # containers may be root and yet not be allowed to
    probe = f'crossfleet-{os.getpid()}'
    if subprocess.run(['ip', 'netns', 'add', probe], capture_output=True, check=False).returncode:
        return 'this root may not make network namespaces'
    sh(f'ip netns del {probe}')
    return None


def sh(command):
    subprocess.run(command.split(), check=True, capture_output=True)


class Network:
    """address: where the far host finds this one."""

    def __init__(self):
        n = next(NUMBERS)
        net = f'10.{100 + os.getpid() % 100}.{n}'
        self.router, self.host = f'crossfleet-{os.getpid()}-{n}r', f'crossfleet-{os.getpid()}-{n}h'
        self.link = f'cf{os.getpid() % 1000000}-{n}'
        self.address = f'{net}.1'
        self.prefix = ('ip', 'netns', 'exec', self.host)
        self.on_router = f'ip netns exec {self.router}'
        self.queue = None
        try:
            self.build(net)
        except BaseException:
            self.__exit__()
            raise

    def build(self, net):
        for command in f'''
            ip netns add {self.router}
            ip netns add {self.host}
            ip link add {self.link} type veth peer name near netns {self.router}
            ip -n {self.router} link add far type veth peer name eth0 netns {self.host}
            ip addr add {net}.1/30 dev {self.link}
            ip link set {self.link} up
            ip -n {self.router} addr add {net}.2/30 dev near
            ip -n {self.router} addr add {net}.5/30 dev far
            ip -n {self.router} link set near up
            ip -n {self.router} link set far up
            {self.on_router} sysctl -w net.ipv4.ip_forward=1
            ip -n {self.host} addr add {net}.6/30 dev eth0
            ip -n {self.host} link set eth0 up
            ip -n {self.host} link set lo up
            ip -n {self.host} route add default via {net}.5
            ip route add {net}.4/30 via {net}.2'''.strip().split('\n'):
            sh(command)

    def start(self, fleet, name):
        """Starts an actor on the far host."""
        return fleet.start_actor(name, prefix=self.prefix)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.queue is not None:
            self.queue.kill()
            self.queue.wait()
        for name in (self.host, self.router):
            subprocess.run(['ip', 'netns', 'del', name], check=False, capture_output=True)

    def cut(self):
        """Packets vanish, in both directions; nobody is told."""
        sh(f'{self.on_router} iptables -I FORWARD -j DROP')

    def heal(self):
        sh(f'{self.on_router} iptables -D FORWARD -j DROP')

    def slow(self, delay_ms, loss):
        """Every packet takes so much longer, in each direction; a share of them is lost."""
        self.queue = subprocess.Popen(
            [*self.on_router.split(), sys.executable,
             os.path.join(os.path.dirname(os.path.abspath(__file__)), 'slow_link.py'),
             str(delay_ms), str(loss)], stdout=subprocess.PIPE)
        # it says so when it listens
        self.queue.stdout.readline()
        sh(f'{self.on_router} iptables -A FORWARD -j NFQUEUE --queue-num 1')

    def fast(self):
        """As it was before slow()."""
        sh(f'{self.on_router} iptables -D FORWARD -j NFQUEUE --queue-num 1')
        time.sleep(0.2)
        self.queue.kill()
        self.queue.wait()
        self.queue = None
