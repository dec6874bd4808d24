"""A load of RTMP publishers or players, as a process of its own.

    rtmp_load.py publish FILE SECONDS URL...
    rtmp_load.py play SECONDS COUNT URL

Prints `ready` when all are connected, then `done`, with what was sent or received, and how late
the latest message left. URLs are read from standard input where none is given.
"""

import heapq
import json
import resource
import select
import sys
import time
from pathlib import Path

if __package__:
    from .rtmp import Connection, Recording, record
else:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from support.rtmp import Connection, Recording, record


def publish(recording: Recording, urls: list[str], seconds: float) -> dict:
    """Publishes to every URL in real time, evenly staggered over one frame."""
    connections = [Connection(url, publish=True) for url in urls]
    print("ready", flush=True)
    start = time.monotonic()
    stagger = 0.0333 / len(connections)
    for connection in connections:
        connection.send(recording.preamble)
    queue = [(start + i * stagger, i, 0, 0) for i in range(len(connections))]
    heapq.heapify(queue)
    sent, latest, next_answer = 0, 0.0, start + 1
    while True:
        due, number, loop, index = queue[0]
        now = time.monotonic()
        if due > now:
            time.sleep(min(due - now, 0.01))
            continue
        if now - start > seconds:
            break
        latest = max(latest, now - due)
        data = recording.loop(loop)[index][1]
        connections[number].send(data)
        sent += len(data)
        index += 1
        if index == len(recording.tags):
            loop, index = loop + 1, 0
        offset = start + number * stagger
        following = offset + recording.loop(loop)[index][0] / 1000
        heapq.heapreplace(queue, (following, number, loop, index))
        if now > next_answer:
            next_answer = now + 1
            for connection in connections:
                connection.answer()
    behind = sum(len(connection.backlog) for connection in connections)
    for connection in connections:
        connection.close()
    return {"bytes": sent, "late": round(latest, 3), "unsent": behind}


def play(url: str, count: int, seconds: float) -> dict:
    """Plays one URL that many times and throws away what comes."""
    connections = {}
    poll = select.epoll()
    for _ in range(count):
        connection = Connection(url, publish=False)
        connections[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    print("ready", flush=True)
    buffer = bytearray(1 << 18)
    received = dict.fromkeys(connections, 0)
    told = dict.fromkeys(connections, 0)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for number, _ in poll.poll(left):
            try:
                got = connections[number].socket.recv_into(buffer)
            except BlockingIOError:
                continue
            if not got:
                raise ConnectionError("the server closed a player")
            received[number] += got
            if received[number] - told[number] > 1_000_000:
                told[number] = received[number]
                session = connections[number].session
                session.acknowledge(received[number])
                connections[number].send(bytes(session.output))
                session.output.clear()
    return {"bytes": sum(received.values()), "least": min(received.values())}


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    if sys.argv[1] == "publish":
        urls = sys.argv[4:] or sys.stdin.read().split()
        result = publish(record(Path(sys.argv[2])), urls, float(sys.argv[3]))
    else:
        result = play(sys.argv[4], int(sys.argv[3]), float(sys.argv[2]))
    print("done", json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
