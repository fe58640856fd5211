"""What is freed inside is kept, and given back afterwards: a setting of the process, so one of its own tries it."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import contextlib, resource, sys
import numpy as np
from vectable.training.memory import keeping_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(20_000_000)  # 160 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6

faults()
before = resident()
with keeping_freed_memory():
    faults()
    kept, held = faults(), resident()
print(kept, held - before, resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc, whose settings these are")
def test_large_blocks_are_kept_inside_and_given_back_afterwards():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    faults, held, afterwards = (float(one) for one in done.stdout.split())
    assert faults < 5 * 160e6 / 4096 / 10, "nearly every page was there already"
    assert held > 150
    assert afterwards < 20
