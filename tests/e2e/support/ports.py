"""Which ports a test's processes listen on."""

import random
import socket
from pathlib import Path

FIRST = 10000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

_held = []  # Descriptors, open until this process ends.


def free_port():
    """A port that nobody listens on, nor will before this process ends.

    It is outside the range from which the kernel takes the ports of outgoing connections (ip(7),
    ip_local_port_range): one of those could have it before it is listened on. An abstract socket
    (unix(7)) keeps other tests from it, private_postgres.h knows the same. Nor does a socket in
    /tmp have its number, which another user may have left behind.
    """
    first_ephemeral = int(EPHEMERAL.read_text(encoding="ascii").split()[0])
    while True:
        port = random.randrange(FIRST, max(first_ephemeral, FIRST + 1000))
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if (_is_bound(held, f"\0pgweir-test-port-{port}") and _is_free(port)
                and not Path(f"/tmp/.s.PGSQL.{port}").exists()):
            _held.append(held.detach())
            return port
        held.close()


def free_ports(count):
    return [free_port() for _ in range(count)]


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # As who will listen does.
        return _is_bound(probe, ("127.0.0.1", port))


def _is_bound(probe, address):
    try:
        probe.bind(address)
    except OSError:
        return False
    return True
