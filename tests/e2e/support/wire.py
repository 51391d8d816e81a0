"""A PostgreSQL client of bytes: for what no driver would ever send."""

import socket
import ssl
import struct

PROTOCOL_3_0 = 196608
PROTOCOL_3_2 = 196610
CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104


def startup(version=PROTOCOL_3_0, **parameters):
    parameters = {"user": "app", "database": "app", **parameters}
    body = struct.pack("!i", version)
    body += b"".join(name.encode() + b"\0" + text.encode() + b"\0"
                     for name, text in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def request(code, body=b""):
    return struct.pack("!ii", 8 + len(body), code) + body


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def parse(sql, name=b"", types=()):
    """`types` are OIDs of parameters."""
    return message(b"P", name + b"\0" + sql.encode() + b"\0" +
                   struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(portal=b"", name=b"", values=(), formats=(), result_formats=()):
    """`values` are bytes, or None for null; formats are 0 for text and 1 for binary."""
    body = portal + b"\0" + name + b"\0" + _shorts(formats) + struct.pack("!h", len(values))
    for each in values:
        body += struct.pack("!i", -1) if each is None else struct.pack("!i", len(each)) + each
    return message(b"B", body + _shorts(result_formats))


def _shorts(numbers):
    return struct.pack(f"!h{len(numbers)}h", len(numbers), *numbers)


def describe_statement(name=b""):
    return message(b"D", b"S" + name + b"\0")


def describe_portal(name=b""):
    return message(b"D", b"P" + name + b"\0")


def execute(portal=b"", rows_max=0):
    return message(b"E", portal + b"\0" + struct.pack("!i", rows_max))


def close_statement(name=b""):
    return message(b"C", b"S" + name + b"\0")


def close_portal(name=b""):
    return message(b"C", b"P" + name + b"\0")


def copy_data(data):
    return message(b"d", data)


def copy_fail(reason):
    return message(b"f", reason + b"\0")


def function_call(function, *integers):
    """Calls a function by its OID with integers in binary, for a binary result."""
    arguments = b"".join(struct.pack("!ii", 4, each) for each in integers)
    return message(b"F", struct.pack("!ihhh", function, 1, 1, len(integers)) + arguments +
                   struct.pack("!h", 1))


COPY_DONE = message(b"c")
SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")


class Wire:
    """One connection; closed by the end of the `with` block."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def start_tls(self, protocols=()):
        """Whatever the certificate; protocols: of ALPN."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(protocols)
        self.socket = context.wrap_socket(self.socket)

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data):
        """Byte by byte, each in a segment of its own as far as the kernel lets us say so."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])

    def take(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError(f"closed after {data!r}")
            data += part
        return data

    def read(self):
        """The next message: its kind and its body."""
        kind = self.take(1)
        (length,) = struct.unpack("!i", self.take(4))
        return kind, self.take(length - 4)

    def read_until(self, last):
        """All messages up to and with the first of kind `last`."""
        messages = [self.read()]
        while messages[-1][0] != last:
            messages.append(self.read())
        return messages

    def log_in(self, **parameters):
        self.send(startup(**parameters))
        return self.read_until(b"Z")

    def ask(self, sql):
        self.send(query(sql))
        return self.read_until(b"Z")

    def is_closed(self):
        """Waits for the end, whatever comes before it."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True


def kinds(messages):
    return b"".join(kind for kind, _ in messages).decode()


def sqlstate(body):
    """The SQLSTATE of an ErrorResponse's body."""
    fields = {part[:1]: part[1:] for part in body.split(b"\0") if part}
    return fields[b"C"].decode()
