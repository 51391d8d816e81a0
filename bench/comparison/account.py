"""A second opinion about the CPU time of a pooler: that of a control group of its own, where work
cannot hide in children or threads that nobody knows of.

Source of truth: the kernel's cgroup-v1/cpuacct. Without it, or without the right to use it, there
is no second opinion.
"""

import pathlib
import time

ROOT = pathlib.Path("/sys/fs/cgroup/cpuacct")
PATIENCE = 2  # Seconds; the kernel empties a group some time after its last process was waited for.


def open_account(name):
    """An Account, or None."""
    group = ROOT / name
    try:
        (ROOT / "cpuacct.usage").read_text()
        group.mkdir()
    except OSError:
        return None
    return Account(group)


class Account:
    def __init__(self, group):
        self.group = group

    def join(self):
        """The process that calls this, and all that it will start."""
        (self.group / "cgroup.procs").write_text("0")

    def seconds(self):
        return int((self.group / "cpuacct.usage").read_text()) / 1e9

    def close(self):
        """Once its processes have ended; where one does not, the group stays behind."""
        deadline = time.monotonic() + PATIENCE
        while self.group.exists() and time.monotonic() < deadline:
            try:
                self.group.rmdir()
            except OSError:
                time.sleep(0.01)


def thread_seconds(pids):
    """What the threads of these processes account for."""
    seconds = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds


def hidden_share(group_seconds, known_seconds):
    """How much of what the group has used the threads do not account for."""
    if group_seconds <= 0:
        return 0.0
    return max(group_seconds - known_seconds, 0) / group_seconds
