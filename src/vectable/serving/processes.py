"""The processes of a server: one that answers, or several beside a parent that replaces those that die."""

import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from vectable.errors import VectableError
from vectable.serving.server_options import SHARED_FOLDER, ServerOptions, address_of, listen_at

CANNOT_START = 3  # how a worker ends that cannot load its models
LOOK_SECONDS = 0.2  # between two looks for signals
AGAIN_SECONDS = 2.0  # before a worker that could not start is started again
KILL_SECONDS = 15.0  # that workers have to stop

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def run_server(options: ServerOptions, started: Callable[[str], None]) -> None:
    """Answer until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        started: called with the address, once it is answered at.

    Raises:
        VectableError: a model cannot be loaded, or the address cannot be listened on.
    """
    listening = listen_at(options.host, options.port)
    tell_started = partial(started, address_of(listening))
    for name in THREADS:  # a request's arrays are small: more threads only wait for each other
        os.environ.setdefault(name, "1")
    with listening:
        if options.workers == 1:
            from vectable.serving.worker import answer_requests

            answer_requests(options, listening, tell_started)
            return
        os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="vectable-figures-")
        try:
            _Parent(options, listening, tell_started).run()
        finally:
            shutil.rmtree(os.environ.pop(SHARED_FOLDER), ignore_errors=True)


class _Parent:
    """Starts workers, starts others for those that die, and hands signals on to them."""

    def __init__(self, options: ServerOptions, listening: socket.socket, started: Callable[[], None]) -> None:
        self._options, self._listening, self._tell_started = options, listening, started
        self._context = multiprocessing.get_context("spawn")
        self._ready, self._tell_ready = self._context.Pipe(duplex=False)
        self._workers: list[SpawnProcess] = []
        self._signals: list[int] = []
        self._is_up = False
        self._not_before = 0.0

    def run(self) -> None:
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(one, lambda number, _: self._signals.append(number))
        try:
            while not {signal.SIGTERM, signal.SIGINT} & set(self._signals):
                self._start_missing()
                wait([self._ready, *(one.sentinel for one in self._workers)], LOOK_SECONDS)
                self._look_for_ready()
                self._hand_on_reload()
                self._bury_dead()
        finally:
            self._stop()

    def _start_missing(self) -> None:
        while len(self._workers) < self._options.workers and time.monotonic() >= self._not_before:
            arguments = (self._options, self._listening, self._tell_ready, os.getpid())
            worker = self._context.Process(target=_work, args=arguments)
            worker.start()
            self._workers.append(worker)

    def _look_for_ready(self) -> None:
        while self._ready.poll():
            self._ready.recv_bytes()
            if not self._is_up:
                self._is_up = True
                self._tell_started()

    def _hand_on_reload(self) -> None:
        if signal.SIGHUP in self._signals:
            self._signals = [one for one in self._signals if one != signal.SIGHUP]
            self._signal_all(signal.SIGHUP)

    def _bury_dead(self) -> None:
        for worker in [one for one in self._workers if not one.is_alive()]:
            self._workers.remove(worker)
            if worker.exitcode == CANNOT_START:
                if not self._is_up:
                    raise VectableError("No worker could start; the line above says why.")
                self._not_before = time.monotonic() + AGAIN_SECONDS
            print(f"Worker {worker.pid} ended with {worker.exitcode}; another takes its place.", file=sys.stderr)
            worker.close()

    def _stop(self) -> None:
        self._signal_all(signal.SIGTERM)
        until = time.monotonic() + KILL_SECONDS
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
            if worker.is_alive():
                worker.kill()
                worker.join()

    def _signal_all(self, number: int) -> None:
        for worker in self._workers:
            if worker.is_alive() and worker.pid is not None:
                os.kill(worker.pid, number)


def _work(options: ServerOptions, listening: socket.socket, ready: Connection, parent: int) -> None:
    """What a worker does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    from vectable.serving.worker import answer_requests

    try:
        answer_requests(options, listening, lambda: ready.send_bytes(b"ready"), parent)
    except (VectableError, OSError) as why:
        print(f"vectable: {why}", file=sys.stderr)
        sys.exit(CANNOT_START)
