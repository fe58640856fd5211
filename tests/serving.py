"""A server as the tests ask it: the application in this process, or `vectable serve` as a process of its own."""

import asyncio
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from vectable.serving.app import make_serving
from vectable.serving.shelf import Shelf

ADDRESS = re.compile(r"at (http://\S+)/v1/models")
HOST = "http://localhost:8000"


class Asked:
    """An application, asked without a socket.

    Args:
        models: folders by name.
        how: arguments of `make_serving`.
    """

    def __init__(self, models, **how):
        self.serving = make_serving(Shelf(models), **how)

    def __call__(self, method, path, **how):
        """The answer to one request."""
        return self.together([(method, path, how)])[0]

    def get(self, path, **how):
        return self("GET", path, **how)

    def post(self, path, **how):
        return self("POST", path, **how)

    def together(self, requests):
        """The answers to several requests at once."""

        async def ask():
            transport = httpx.ASGITransport(self.serving.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await asyncio.gather(*(client.request(method, path, **how) for method, path, how in requests))

        return asyncio.run(ask())


@dataclass
class Server:
    """A running `vectable serve`.

    Attributes:
        process: that was started.
        address: where it answers.
        said: lines on its standard error so far.
        log: lines on its standard output so far.
    """

    process: subprocess.Popen
    address: str = ""
    said: list = field(default_factory=list)
    log: list = field(default_factory=list)

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])


@contextmanager
def served(*arguments, **how):
    """A server on a free port, ready to answer; ended at the end."""
    command = [sys.executable, "-m", "vectable", "serve", *map(str, arguments), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(command, **pipes, **how) as process:
        server = Server(process)
        ready = threading.Event()

        def read_errors():
            for line in process.stderr:
                server.said.append(line.rstrip("\n"))
                if found := ADDRESS.search(line):
                    server.address = found[1]
                    ready.set()
            ready.set()

        readers = [
            threading.Thread(target=read_errors),
            threading.Thread(target=lambda: server.log.extend(line.rstrip("\n") for line in process.stdout)),
        ]
        for one in readers:
            one.start()
        try:
            ready.wait(120)
            assert server.address, server.said
            yield server
        finally:
            process.terminate()
            process.wait(60)
            for one in readers:
                one.join()
