"""Does the tasks that come in over standard input with kazoo; see tasks.ts."""

import json
import os
import resource
import sys
import threading
import time

from kazoo.client import KazooClient

DATA = b"x" * 100


def connect():
    client = KazooClient(hosts=sys.argv[1], timeout=20)
    client.start()
    return client


def timed(count, in_flight, request):
    times = []
    window = threading.Semaphore(in_flight)

    def done(begin):
        def record(result):
            result.get(block=False)
            times.append(time.perf_counter() - begin)
            window.release()

        return record

    cpu = time.process_time()
    begin = time.perf_counter()
    for _ in range(count):
        window.acquire()
        sent = time.perf_counter()
        request().rawlink(done(sent))
    for _ in range(in_flight):
        window.acquire()
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - cpu
    return answer(seconds, times, cpu)


def answer(seconds, times, cpu):
    times.sort()
    at = lambda share: times[int(len(times) * share)] * 1e6
    return {"seconds": seconds, "p50": at(0.5), "p99": at(0.99), "cpuMicroseconds": cpu * 1e6}


def one_by_one(count, request):
    times = []
    cpu = time.process_time()
    begin = time.perf_counter()
    for _ in range(count):
        sent = time.perf_counter()
        request()
        times.append(time.perf_counter() - sent)
    return answer(time.perf_counter() - begin, times, time.process_time() - cpu)


def wait_all(results):
    for result in results:
        result.get()


def place_watches(count, client, folder, changed):
    paths = [f"{folder}/w{index}" for index in range(count)]
    wait_all([client.create_async(path, DATA) for path in paths])
    wait_all([client.get_async(path, watch=changed) for path in paths])
    return paths


def watches(count, client, folder):
    other = connect()
    left = [count]
    everything = threading.Event()

    def changed(_event):
        left[0] -= 1
        if left[0] == 0:
            everything.set()

    paths = place_watches(count, client, folder, changed)
    begin = time.perf_counter()
    wait_all([other.set_async(path, DATA) for path in paths])
    everything.wait()
    seconds = time.perf_counter() - begin
    wait_all([client.delete_async(path) for path in paths])
    other.stop()
    return {"seconds": seconds}


def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def perform(task, client, folder):
    kind, count = task["task"], task["count"]
    if kind in ("get", "set"):
        if task["inFlight"] == 1:
            return one_by_one(count, (lambda: client.get(folder)) if kind == "get" else (lambda: client.set(folder, DATA)))
        request = (lambda: client.get_async(folder)) if kind == "get" else (lambda: client.set_async(folder, DATA))
        return timed(count, task["inFlight"], request)
    if kind == "createDelete":

        def pair():
            client.create(f"{folder}/n", DATA)
            client.delete(f"{folder}/n")

        return one_by_one(count, pair)
    if kind == "watches":
        return watches(count, client, folder)
    connect().stop()
    before = rss()
    if kind == "watchMemory":
        paths = place_watches(count, client, folder, lambda event: None)
        grown = rss() - before
        wait_all([client.delete_async(path) for path in paths])
    else:
        clients = [connect() for _ in range(count)]
        grown = rss() - before
        for each in clients:
            each.stop()
    return {"bytes": grown / count}


def main():
    client = connect()
    client.ensure_path("/bench")
    folder = f"/bench/{os.getpid()}"
    client.create(folder, DATA)
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(perform(json.loads(line), client, folder)), flush=True)
    client.stop()


main()
