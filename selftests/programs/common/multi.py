# SPDX-License-Identifier: GPL-2.0
"""What programs/python runs: python3 multi.py WHAT METHOD; fails by an exception."""

import multiprocessing
import sys
import threading
from multiprocessing import shared_memory


def fill(name, index):
    memory = shared_memory.SharedMemory(name=name)
    memory.buf[index] = index + 1
    memory.close()


def memory(context):
    made = shared_memory.SharedMemory(create=True, size=100000)
    assert made.size >= 100000
    children = [context.Process(target=fill, args=(made.name, i)) for i in range(5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert list(made.buf[:6]) == [1, 2, 3, 4, 5, 0]
    try:
        shared_memory.SharedMemory(name=made.name, create=True, size=1)
        raise AssertionError("made twice")
    except FileExistsError:
        pass
    made.close()
    made.unlink()
    try:
        shared_memory.SharedMemory(name=made.name)
        raise AssertionError("found without a name")
    except FileNotFoundError:
        pass
    values = shared_memory.ShareableList([1, "two", 3.0])
    assert list(shared_memory.ShareableList(name=values.shm.name)) == [1, "two", 3.0]
    values.shm.close()
    values.shm.unlink()


def count(lock, value, rounds):
    for _ in range(rounds):
        with lock:
            value.value += 1


def meet(barrier, condition, event, ready):
    barrier.wait(60)
    with condition:
        ready.value += 1
        condition.notify_all()
    assert event.wait(60)


def semaphores(context):
    lock, value = context.Lock(), context.Value("i", 0, lock=False)
    children = [context.Process(target=count, args=(lock, value, 500)) for _ in range(3)]
    for child in children:
        child.start()
    count(lock, value, 500)
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert value.value == 2000, value.value

    barrier, condition, event = context.Barrier(3), context.Condition(), context.Event()
    ready = context.Value("i", 0)
    children = [context.Process(target=meet, args=(barrier, condition, event, ready))
                for _ in range(2)]
    for child in children:
        child.start()
    barrier.wait(60)
    with condition:
        assert condition.wait_for(lambda: ready.value == 2, 60)
    event.set()
    for child in children:
        child.join()
        assert child.exitcode == 0


def square(number):
    return number * number


def echo(requests, answers):
    for number in iter(requests.get, None):
        answers.put(number * 2)


def queues(context):
    requests, answers = context.Queue(), context.Queue()
    child = context.Process(target=echo, args=(requests, answers))
    child.start()
    for number in range(300):
        requests.put(number)
    assert [answers.get(timeout=60) for _ in range(300)] == list(range(0, 600, 2))
    requests.put(None)
    child.join()
    with context.Pool(3) as pool:
        assert pool.map(square, range(200)) == [n * n for n in range(200)]


def bounds(context):
    semaphore = context.Semaphore(2147483647)
    try:
        semaphore.release()
        raise AssertionError("released beyond its bounds")
    except (OSError, ValueError):
        pass
    assert semaphore.acquire(timeout=1)
    semaphore.release()
    bounded = context.BoundedSemaphore(2)
    assert bounded.acquire() and bounded.acquire() and not bounded.acquire(block=False)
    assert not bounded.acquire(timeout=0.01)
    bounded.release()
    bounded.release()
    try:
        bounded.release()
        raise AssertionError("released beyond its bounds")
    except ValueError:
        pass
    # A thread's own are not kipc's business.
    ended = threading.Semaphore(0)
    thread = threading.Thread(target=ended.release)
    thread.start()
    assert ended.acquire(timeout=60)
    thread.join()


if __name__ == "__main__":
    {"memory": memory, "semaphores": semaphores, "queues": queues,
     "bounds": bounds}[sys.argv[1]](multiprocessing.get_context(sys.argv[2]))
