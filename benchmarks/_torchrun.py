"""Scripts beside this one in several processes on this machine, started by torchrun on the loopback interface."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def torchrun(n_processes: int, script: str, *words: object, restarts: int = 0, seconds: float = 900) -> dict:
    """Run a script and read the JSON of the last line that process 0 printed."""
    done = subprocess.run(
        torchrun_command(n_processes, script, *words, restarts=restarts),
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds,
        env=torchrun_variables(),
        check=False,
    )
    if done.returncode:
        sys.exit(f"{script} in {n_processes} processes ended with status {done.returncode}; what it said stands above.")
    return json.loads(done.stdout.splitlines()[-1])


def torchrun_command(n_processes: int, script: str, *words: object, restarts: int = 0) -> list[str]:
    """The command."""
    how = ["--nnodes=1", f"--nproc-per-node={n_processes}", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0"]
    how += ["--local-addr=127.0.0.1", f"--max-restarts={restarts}"]
    return [sys.executable, "-m", "torch.distributed.run", *how, str(HERE / script), *map(str, words)]


def torchrun_variables() -> dict[str, str]:
    """The environment: loopback, and one thread for each process."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
