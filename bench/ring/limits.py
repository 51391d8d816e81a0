"""The limits of the ring, the one copy of them, and what pgweir needed when each was set.

A limit is lowered when pgweir needs less, and raised only by a commit that says what the more has
bought. The exact ones (`syscalls` to `allocations`) are what the design promises, rounded to two
decimals, because some work goes by the clock and not by transactions; that of `instructions` leaves
5 % for another compiler or another CPU's memcpy. Nothing here depends on how fast a machine is.
"""

import dataclasses

MEANINGS = {
    "syscalls": "system calls of the data reactor per transaction, without the waits for events",
    "sends": "send, sendto, sendmsg … per transaction: one to the server and one to the client",
    "epoll_ctl": "changes of what is watched, per transaction",
    "login calls": "system calls of login and data reactor for a client that is trusted and leaves",
    "allocations": "calls of malloc, operator new … in the data reactor per transaction, once warm",
    "instructions": "user instructions of the data reactor per transaction, as callgrind counts",
    "memory": "bytes of user memory per idle client that is logged in",
    "wake-ups": "times per second that any thread wakes, while thousands of clients are idle",
}


@dataclasses.dataclass(frozen=True)
class Limit:
    figure: str
    workload: str  # KIND/CLIENTS of a sandwich, KIND-tls/…; in front of ten servers.
    most: float
    measured: float

    @property
    def name(self):
        return f"{self.figure} {self.workload}"

    def holds(self, value):
        return round(value, 2) <= self.most


LIMITS = [
    Limit("syscalls", "simple/1", 4, 4.00),
    Limit("syscalls", "simple/100", 4, 4.00),
    Limit("syscalls", "prepared/1", 4, 4.00),
    Limit("syscalls", "prepared/100", 4, 4.00),
    Limit("syscalls", "pipelined/1", 0.4, 0.40),  # Ten transactions in one send.
    Limit("syscalls", "pipelined/100", 0.4, 0.40),
    Limit("syscalls", "parsed/100", 4, 4.00),
    # One receive for a batch, not two for each record.
    Limit("syscalls", "simple-tls/1", 4, 4.00),
    Limit("syscalls", "simple-tls/100", 4, 4.00),
    Limit("syscalls", "prepared-tls/100", 4, 4.00),
    Limit("sends", "prepared/1", 2, 2.00),
    Limit("sends", "prepared/100", 2, 2.00),
    Limit("epoll_ctl", "simple/100", 0, 0.00),
    Limit("epoll_ctl", "prepared/100", 0, 0.00),
    # Seven, and one to wake the data reactor where it has gone to sleep since the last client.
    Limit("login calls", "trust/1", 8.1, 7.62),
    Limit("allocations", "simple/1", 0, 0.00),
    Limit("allocations", "prepared/1", 0, 0.00),
    Limit("allocations", "parsed/1", 0, 0.00),
    Limit("allocations", "pipelined/1", 0, 0.00),
    # Who waits for a server has its query parked.
    Limit("allocations", "simple/100", 0, 0.00),
    Limit("allocations", "prepared/100", 0, 0.00),
    Limit("allocations", "simple-tls/1", 0, 0.00),
    Limit("allocations", "prepared-tls/100", 0, 0.00),
    Limit("instructions", "simple/1", 5_690, 5_416),
    Limit("instructions", "simple/100", 5_640, 5_365),
    Limit("instructions", "prepared/1", 7_430, 7_073),
    Limit("instructions", "prepared/100", 7_380, 7_024),
    Limit("instructions", "parsed/1", 9_670, 9_205),
    Limit("instructions", "pipelined/1", 4_640, 4_416),
    Limit("instructions", "simple-tls/1", 15_770, 15_019),
    Limit("instructions", "prepared-tls/100", 17_520, 16_685),
    Limit("memory", "idle", 512, 346),
    Limit("memory", "idle-prepared", 1_024, 941),
    Limit("memory", "idle-tls", 1_024, 818),
    Limit("wake-ups", "idle", 2, 1.6),
]
