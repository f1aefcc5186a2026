"""Servers as child processes: started on a free port, known by the address they print, stopped by their id."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin")).resolve()


def eventually(condition, what, seconds=10, pause=0.005):
    """Waits until the condition holds, and returns its value; past the deadline an error says what did not happen."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(pause)
    return value


@contextlib.contextmanager
def undisturbed():
    """Signals that would end us wait for the end of the block. In the main thread only, as signal handlers are."""
    waiting = []
    handlers = {number: signal.signal(number, lambda got, _: waiting.append(got))
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in waiting:
            signal.raise_signal(number)


class Program:
    """A server that prints `listening on http://HOST:PORT`. Both its outputs go to one log file.

    After kill() it can be started again, and then takes the port it had. The kernel kills it when we die, however
    we die.
    """

    def __init__(self, name, command, directory, env=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log_path = self.directory / f"{name}.log"
        self.env = dict(os.environ) if env is None else env
        self.process = None
        self.port = 0

    def start(self, seconds=30):
        with open(self.log_path, "ab") as log:
            begin = log.tell()
            command = ["setpriv", "--pdeathsig", "KILL", *self.command, "--port", str(self.port)]
            with undisturbed():  # a child that we do not know of yet would outlive us
                self.process = subprocess.Popen(command, cwd=self.directory, env=self.env, stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=subprocess.STDOUT)
        found = eventually(lambda: self._listening(begin), f"{self.name} listens", seconds)
        self.port = int(found[1])
        return self

    def _listening(self, begin):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log_text()[begin:][-2000:]}")
        with open(self.log_path, "rb") as log:
            log.seek(begin)
            return re.search(rb"^listening on http://[^:\s]+:(\d+)\s*$", log.read(), re.MULTILINE)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def freeze(self):
        """It keeps its sockets and answers nothing: whatever it is sent from now on stays unanswered."""
        self.signal(signal.SIGSTOP)

    def kill(self):
        """kill -9: its connections are reset, its port refuses."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=5):
        """Asks it to end; kills it if it does not. Harmless when it has ended or never began."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        self.signal(signal.SIGCONT)  # it may be frozen
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
