"""Runs a command within a time and a memory limit, and says what it took."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30
POLL_SECONDS = 0.05


@dataclass
class Limits:
    """What one step may take."""

    seconds: float
    memory_gib: float


@dataclass
class Run:
    """How a command ended: `over` names the limit that stopped it, `None` if it ended by itself."""

    code: int
    seconds: float
    over: str | None
    stderr: str


def resident_bytes(pid):
    """The resident memory of a process; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else 0


def peak_bytes():
    """The most memory that this process has had resident."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def run(command, environment, limits, log):
    """Runs `command` and kills it once it is over a limit. Memory is watched rather than capped: an allocation that
    fails would end in one of many ways, and address space is no measure of memory."""
    start, over = time.monotonic(), None
    with open(log, "wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=output)
        try:
            while process.poll() is None:
                if time.monotonic() - start > limits.seconds:
                    over = f"{limits.seconds:g} s"
                elif resident_bytes(process.pid) > limits.memory_gib * GIB:
                    over = f"{limits.memory_gib:g} GiB"
                if over:
                    break
                time.sleep(POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
    return Run(process.returncode, time.monotonic() - start, over, Path(log).read_text(errors="replace"))
