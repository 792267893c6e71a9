"""
Does the tasks that come in over standard input with kazoo's Party; see tasks.ts. A Party cannot be watched: a
ChildrenWatch tells the names, and whoever is new is read.
"""

import json
import resource
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

DATA = "x" * 100
sessions = []


def connect():
    client = KazooClient(hosts=sys.argv[1], timeout=10)
    client.start()
    return client


def join(path, members, count):
    sessions.extend(connect() for _ in range(count))
    numbers = iter(range(members))
    lock = threading.Lock()

    def joiner():
        while True:
            with lock:
                own = next(numbers, None)
            if own is None:
                return
            sessions[own % count].Party(path, DATA).join()

    begin = time.perf_counter()
    threads = [threading.Thread(target=joiner) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - begin}


class Watcher:
    def __init__(self, path):
        self.client = connect()
        self.path = path
        self.known = {}
        self.changed = threading.Condition()
        self.client.ChildrenWatch(path, self.look)

    def look(self, names):
        for gone in self.known.keys() - set(names):
            del self.known[gone]
        asked = [(name, self.client.get_async(f"{self.path}/{name}")) for name in names if name not in self.known]
        for name, answer in asked:
            try:
                self.known[name] = answer.get()
            except NoNodeError:
                pass
        with self.changed:
            self.changed.notify_all()

    def until(self, count):
        with self.changed:
            self.changed.wait_for(lambda: len(self.known) == count)


watcher = None


def watch(path, members):
    global watcher
    # An empty one at first, so that what is loaded along the way is not counted.
    Watcher(f"{path}-warm").client.stop()
    before = rss()
    begin = time.perf_counter()
    watcher = Watcher(path)
    watcher.until(members)
    return {"seconds": time.perf_counter() - begin, "bytes": rss() - before}


def hear(path, count):
    client = connect()
    members = len(watcher.known)
    times = []
    for _ in range(count):
        party = client.Party(path, DATA)
        begin = time.perf_counter()
        party.join()
        watcher.until(members + 1)
        times.append((time.perf_counter() - begin) * 1e6)
        party.leave()
        watcher.until(members)
    client.stop()
    times.sort()
    return {"p50": times[count // 2], "p99": times[int(count * 0.99)]}


def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def perform(task):
    kind = task["task"]
    if kind == "join":
        return join(task["path"], task["members"], task["sessions"])
    if kind == "watch":
        return watch(task["path"], task["members"])
    if kind == "hear":
        return hear(task["path"], task["count"])
    for client in sessions:
        client.stop()
    sessions.clear()
    return {}


def main():
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(perform(json.loads(line))), flush=True)


main()
