"""Contends with kazoo's recipes, as it is told over standard input; see peer.ts."""

import json
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.recipe.election import Election
from kazoo.recipe.lock import Lock

URL, NAME = sys.argv[1:3]


class CuratorLock(Lock):
    """kazoo's lock under Curator's name: so they see one another."""

    _NODE_NAME = "-lock-"
    _EXCLUDE_NAMES = ["-lock-"]


class CuratorLatch(Lock):
    _NODE_NAME = "-latch-"
    _EXCLUDE_NAMES = ["-latch-"]


def election(client, path, identifier):
    """kazoo elects whoever gets a lock. This one is under the name of Curator's latch."""
    elected = Election(client, path, identifier)
    elected.lock = CuratorLatch(client, path, identifier)
    return elected


def clock():
    """CLOCK_MONOTONIC in milliseconds, as in the histories of Node."""
    return time.monotonic_ns() / 1e6


def say(line):
    print(line, flush=True)


def record(kind, at, lease, token):
    say(json.dumps({"type": kind, "at": at, "process": NAME, "lease": lease, "token": {"$bigint": str(token)}}))


class Contest:
    def __init__(self, client, path):
        self.client = client
        self.path = path
        self.stopped = threading.Event()

    def hold(self, lock):
        """Counts one on, in a way that loses a count when somebody else holds it too."""
        at = clock()
        token = self.client.exists(f"{self.path}/{lock.node}").czxid
        record("held", at, self.path, token)
        count = int(self.client.get(f"{self.path}-counter")[0])
        self.client.set(f"{self.path}-counter", str(count + 1).encode())
        record("released", clock(), self.path, token)

    def run(self, kind):
        while not self.stopped.is_set():
            if kind == "elect":
                candidate = election(self.client, self.path, NAME)
                candidate.run(self.hold, candidate.lock)
            else:
                lock = (Lock if kind == "alien" else CuratorLock)(self.client, self.path, NAME)
                with lock:
                    self.hold(lock)
        say("stopped")


def main():
    client = KazooClient(hosts=URL, timeout=10)
    client.start()
    say("ready")
    contest = None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "clock":
            say(clock())
        elif words[0] == "stop":
            contest.stopped.set()
        else:
            contest = Contest(client, words[1])
            threading.Thread(target=contest.run, args=[words[0]], daemon=True).start()


main()
