"""`vectable serve` as the scripts measure it: a process of its own, asked by a small tool over loopback."""

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Server:
    """A running process that answers at a port."""

    def __init__(self, process: subprocess.Popen[str], port: int, seconds: float) -> None:
        self.process, self.port, self.seconds = process, port, seconds

    def cpu_seconds(self) -> float:
        """Seconds of CPU so far, of all threads: unlike rates they hardly depend on what else the machine does."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@contextmanager
def served(folder: Path, *more: str) -> Any:
    """A server of a folder called "shop" and of further ones, FOLDER=NAME, ready to answer; ended at the end."""
    command = [sys.executable, "-m", "vectable", "serve", f"{folder}=shop", *more, "--port", "0", "--no-access-log"]
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        port = int(re.findall(r"http://127.0.0.1:(\d+)", process.stderr.readline())[0])
        try:
            asyncio.run(ask(port, get("/ready")))
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Server(process, port, time.perf_counter() - began)
        finally:
            process.terminate()


async def exchange(reader: Any, writer: Any, request: bytes) -> tuple[int, bytes]:
    """One request and its answer over an open connection."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    return int(head[9:12]), await reader.readexactly(int(length[1])) if length else b""


async def ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = await exchange(reader, writer, request)
    writer.close()
    return found
