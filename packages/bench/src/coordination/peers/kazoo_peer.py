"""Does the tasks that come in over standard input with kazoo; see tasks.ts."""

import json
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.recipe.election import Election

sessions = []


def clock():
    return time.monotonic_ns() / 1e6


def connect(timeout):
    client = KazooClient(hosts=sys.argv[1], timeout=timeout / 1000)
    client.start()
    return client


def together(count, work):
    threads = [threading.Thread(target=work, args=[index], daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    return threads


def quantiles(milliseconds):
    ordered = sorted(milliseconds)
    at = lambda share: ordered[int(len(ordered) * share)] * 1000 if ordered else 0
    return {"p50": at(0.5), "p99": at(0.99)}


def timed(count, work):
    times = []
    begin = clock()
    for _ in range(count):
        sent = clock()
        work()
        times.append(clock() - sent)
    return {**quantiles(times), "seconds": (clock() - begin) / 1000}


class Handovers:
    """Among holders of one process: how long each took, and whether two held at once."""

    def __init__(self):
        self.times = []
        self.held = 0
        self.holding = 0
        self.overlaps = 0
        self.released = None
        self.begin = clock()

    def took(self):
        now = clock()
        self.held += 1
        self.holding += 1
        if self.holding > 1:
            self.overlaps += 1
        if self.released is not None:
            self.times.append(now - self.released)

    def release(self):
        self.holding -= 1
        self.released = clock()

    def answer(self):
        seconds = (clock() - self.begin) / 1000
        return {**quantiles(self.times), "seconds": seconds, "held": self.held, "overlaps": self.overlaps}


def contend(path, count):
    handovers = Handovers()
    left = [count]

    def contender(index):
        lock = sessions[index].Lock(path)
        while left[0] > 0:
            with lock:
                left[0] -= 1
                handovers.took()
                handovers.release()

    for thread in together(len(sessions), contender):
        thread.join()
    return handovers.answer()


class Contest:
    """Candidates that stand until they are withdrawn. Each leader resigns while there are resignations left."""

    def __init__(self, path, candidates):
        self.path = path
        self.over = False
        self.left = 0
        self.handovers = Handovers()
        self.leads = threading.Event()
        self.resigns = threading.Event()
        self.done = threading.Event()
        self.elections = [Election(sessions[index % len(sessions)], path, str(index)) for index in range(candidates)]
        self.threads = together(candidates, self.stand)

    def stand(self, index):
        while not self.over:
            self.elections[index].run(self.term)

    def term(self):
        self.handovers.took()
        self.leads.set()
        if self.left == 0:
            self.resigns.clear()
            self.done.set()
            if not self.over:
                self.resigns.wait()
        self.left -= 1
        self.handovers.release()

    def resign(self, count):
        self.handovers = Handovers()
        self.handovers.holding = 1
        self.left = count
        self.done.clear()
        self.resigns.set()
        self.done.wait()
        return self.handovers.answer()

    def withdraw(self):
        self.over = True
        for election in self.elections:
            election.cancel()
        self.resigns.set()
        for thread in self.threads:
            thread.join()


class Lead:
    """One candidate, which takes a connection that is not well for the end, as kazoo's documentation asks one to."""

    def __init__(self, path):
        self.elected = threading.Event()
        self.deposed = threading.Event()
        self.deposed_at = None
        sessions[0].add_listener(self.changed)
        threading.Thread(target=Election(sessions[0], path, "leader").run, args=[self.term], daemon=True).start()

    def changed(self, state):
        if state != KazooState.CONNECTED and self.elected.is_set() and not self.deposed.is_set():
            self.deposed_at = clock()
            self.deposed.set()

    def term(self):
        self.elected_at = clock()
        self.elected.set()
        threading.Event().wait()


contest = None
lead = None


def perform(task):
    global contest, lead
    kind = task["task"]
    if kind == "open":
        for client in sessions:
            client.stop()
            client.close()
        sessions[:] = [connect(task["timeout"]) for _ in range(task["sessions"])]
        return {}
    if kind == "trips":
        return timed(task["count"], lambda: sessions[0].set("/", b""))
    if kind == "cycles":
        lock = sessions[0].Lock(task["path"])

        def cycle():
            with lock:
                pass

        return timed(task["count"], cycle)
    if kind == "contend":
        return contend(task["path"], task["count"])
    if kind == "stand":
        begin = clock()
        contest = Contest(task["path"], task["candidates"])
        contest.leads.wait()
        while len(sessions[0].get_children(task["path"])) < task["candidates"]:
            time.sleep(0.01)
        return {"seconds": (clock() - begin) / 1000}
    if kind == "resign":
        return contest.resign(task["count"])
    if kind == "withdraw":
        contest.withdraw()
        return {}
    if kind == "campaign":
        lead = Lead(task["path"])
        lead.elected.wait()
        return {"at": lead.elected_at}
    lead.deposed.wait()
    return {"at": lead.deposed_at}


def main():
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(perform(json.loads(line))), flush=True)


main()
