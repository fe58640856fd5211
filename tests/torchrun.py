"""Programs that torchrun starts in several processes on this machine alone, with an end to their patience."""

import json
import os
import subprocess
import sys

SECONDS = 240


def torchrun_command(n_processes, *program, restarts=0):
    """The command that runs a program of this folder (or a module, "-m", "vectable", ...) in so many processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes=1", f"--nproc-per-node={n_processes}"]
    command += ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    return [*command, f"--max-restarts={restarts}", *map(str, program)]


def torchrun(n_processes, *program, restarts=0, seconds=SECONDS):
    """Run a program in so many processes; what process 0 printed last, read as JSON."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = torchrun_command(n_processes, *program, restarts=restarts)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=variables, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
