"""One contender in a process of its own: contender.py NAME URL plain|stream COUNT [THREADS].

Prints the CPU time of a call in microseconds, the kernel's part included.
"""

import sys
import threading
import time

from contenders import runner


def main():
    name, url, kind, count = *sys.argv[1:4], int(sys.argv[4])
    threads = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    run = runner(name, url, kind == "stream")
    measure(run, max(count // 10, 16), threads)
    print(measure(run, count, threads))


def measure(run, count, threads):
    """Microseconds a call, of `threads` threads that share the calls."""
    share = count // threads
    workers = [threading.Thread(target=run, args=(share,)) for _ in range(threads)]
    began = time.process_time()
    if threads == 1:
        run(share)
    else:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return (time.process_time() - began) / (share * threads) * 1e6


if __name__ == "__main__":
    main()
