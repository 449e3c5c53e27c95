#!/usr/bin/env python3
"""slow_link.py DELAY_MS LOSS: holds each packet of netfilter queue 1 for a while, drops some.

What tc's netem does, for kernels without it: `iptables -A FORWARD -j NFQUEUE --queue-num 1`. Speaks
nfnetlink itself (linux/netfilter/nfnetlink_queue.h), so nothing needs to be installed.
"""
import collections
import os
import random
import select
import socket
import struct
import sys
import time

NETLINK_NETFILTER, QUEUE = 12, 1
PACKET, VERDICT, CONFIG = 0, 1, 2  # messages of the queue subsystem, number 3
CFG_CMD, CFG_PARAMS, CFG_MAXLEN, PACKET_HEADER, VERDICT_HEADER = 1, 2, 3, 1, 2
DROP, ACCEPT = 0, 1


def message(kind, attribute, value):
    body = struct.pack('=HHIIBBHHH', 3 << 8 | kind, 1, 0, 0, 0, 0, socket.htons(QUEUE),
                       4 + len(value), attribute) + value
    body += bytes(-len(body) % 4)
    return struct.pack('=I', 4 + len(body)) + body


def packets(data):
    """The numbers of the packets that a read from the queue announces."""
    at = 0
    while at + 20 <= len(data):
        size, kind = struct.unpack_from('=IH', data, at)
        attribute = at + 20
        while kind == 3 << 8 | PACKET and attribute < at + size:
            length, name = struct.unpack_from('=HH', data, attribute)
            if name & 0x3fff == PACKET_HEADER:
                yield struct.unpack_from('!I', data, attribute + 4)[0]
                break
            attribute += (length + 3) // 4 * 4
        at += (size + 3) // 4 * 4


def main():
    delay, loss = float(sys.argv[1]) / 1000, float(sys.argv[2])
    random.seed(1)
    queue = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    queue.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    queue.bind((0, 0))
    queue.send(message(CONFIG, CFG_CMD, struct.pack('!BBH', 1, 0, 0)))
    queue.send(message(CONFIG, CFG_PARAMS, struct.pack('!IB', 0, 1)))
    queue.send(message(CONFIG, CFG_MAXLEN, struct.pack('!I', 60000)))
    print('listening', flush=True)
    waiting, parent = collections.deque(), os.getppid()
    # ends with the test that started it
    while os.getppid() == parent:
        pause = waiting[0][0] - time.monotonic() if waiting else 1
        if select.select([queue], [], [], max(0, pause))[0]:
            for number in packets(queue.recv(1 << 16)):
                if random.random() < loss:
                    queue.send(message(VERDICT, VERDICT_HEADER, struct.pack('!II', DROP, number)))
                else:
                    waiting.append((time.monotonic() + delay, number))
        while waiting and waiting[0][0] <= time.monotonic():
            verdict = struct.pack('!II', ACCEPT, waiting.popleft()[1])
            queue.send(message(VERDICT, VERDICT_HEADER, verdict))


if __name__ == '__main__':
    main()
