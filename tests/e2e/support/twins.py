"""Twins: one client that speaks through pgweir and one that speaks to PostgreSQL, word for word.

`compare` plays a conversation to both and finds the first answer that differs; `shorten` leaves out
of a conversation what the difference does not need.
"""

import contextlib
import re
from typing import NamedTuple

from support import wire
from support.wire import Wire

ASYNCHRONOUS = b"NSA"
ANSWERED_BY_READY = b"QFS"
UNANSWERED = b"Hdcf"
NEEDED = b"SHdcf"  # Without one of these a shorter conversation might wait for ever.
# The kinds of which one ends what Parse, Bind, Close, Describe or Execute is answered with.
COMPLETIONS = b"123TnCsI"

# What may differ, and all of it: kind of the message → what is compared of its body.
NORMAL_FORMS = {
    b"K": lambda body: b"",       # BackendKeyData: pid and secret.
    b"A": lambda body: body[4:],  # NotificationResponse: the pid of the notifier.
    # ErrorResponse: where in PostgreSQL's source, for a Bind may fail at the Parse that pgweir puts
    # in front of it; and the name of a statement that the client has no longer, which pgweir leaves
    # empty.
    b"E": lambda body: re.sub(rb'\0[FLR][^\0]*|(?<=prepared statement )"[^"]*"', b"", body),
}


class Difference(NamedTuple):
    turn: int
    direct: list
    through_pgweir: list


class Due:
    """Which answers a client is owed for what it sent: so that nobody has to wait for silence."""

    def __init__(self):
        self.sent = []  # Kinds of messages that are not answered in full.
        self.is_skipping = False  # As the server does from an error up to the next Sync.

    def add(self, messages):
        self.sent += [each[:1] for each in messages]
        self.drop_unanswered()

    def hear(self, kind):
        if not self.sent or kind in ASYNCHRONOUS:
            return
        if self.sent[0] in ANSWERED_BY_READY:
            if kind == b"Z":
                del self.sent[0]
        elif kind == b"E":
            self.is_skipping = True
        elif kind in COMPLETIONS:
            del self.sent[0]
        self.drop_unanswered()

    def drop_unanswered(self):
        while self.sent and (self.sent[0] in UNANSWERED or
                             self.is_skipping and self.sent[0] != b"S"):
            del self.sent[0]
        if self.sent:
            self.is_skipping = False


class Twin:
    """One end of a conversation."""

    def __init__(self, port, startup):
        self.wire = Wire(port)
        self.due = Due()
        self.reported = {}
        self.welcome = self.normal(self.wire.log_in(**startup))

    def tell(self, messages, is_slow=False):
        self.due.add(messages)
        with contextlib.suppress(OSError):  # What became of the connection is seen when reading.
            (self.wire.send_slowly if is_slow else self.wire.send)(b"".join(messages))

    def hear(self):
        """All messages that are due, in their normal form; the last may be an EOF or a timeout."""
        heard = []
        try:
            while self.due.sent:
                heard.append(self.wire.read())
                self.due.hear(heard[-1][0])
        except (EOFError, OSError) as error:
            heard.append((type(error).__name__.encode(), b""))
        return self.normal(heard)

    def leave(self):
        """Says good-bye, and returns what comes until the end."""
        self.tell([wire.SYNC])
        heard = self.hear()
        self.wire.send(wire.TERMINATE)
        with contextlib.suppress(EOFError, OSError):
            while True:
                heard.append(self.wire.read())
        return heard

    def normal(self, messages):
        """Parameters may be reported at any time, in any order, and again: the last word counts."""
        before = dict(self.reported)
        self.reported.update(body.split(b"\0")[:2] for kind, body in messages if kind == b"S")
        self.reported.pop(b"pgweir.version", None)  # The one thing that pgweir says of its own.
        reports = sorted((b"S", report) for report in self.reported.items() - before.items())
        return reports + [(kind, NORMAL_FORMS.get(kind, bytes)(body))
                          for kind, body in messages if kind != b"S"]


def compare(ports, startups, turns):
    """The first Difference, or None. `ports` are PostgreSQL's and pgweir's."""
    twins = [[Twin(port, startup) for port in ports] for startup in startups]
    try:
        for number, (direct, through) in enumerate(twins):
            if direct.welcome != through.welcome:
                return Difference(-number, direct.welcome, through.welcome)
        return _talk(twins, turns) or _part(twins, len(turns))
    finally:
        for pair in twins:
            for twin in pair:
                twin.wire.socket.close()


def _talk(twins, turns):
    for number, turn in enumerate(turns):
        pair = twins[turn.client]
        for twin in pair:
            twin.tell(turn.messages, turn.is_slow)
        answers = [twin.hear() for twin in pair]
        if answers[0] != answers[1]:
            return None if _is_excused(*answers) else Difference(number, *answers)
    return None


def _is_excused(direct, through):
    """What ends a comparison: a failed transaction, where pgweir cannot prepare what the server
    lacks; or an internal error of PostgreSQL itself (18.4, "unexpected state STARTED"), from which
    pgweir has kept its client by a reset."""
    return _has_error(through, b"25P02") or _has_error(direct, b"XX000")


def _has_error(messages, sqlstate):
    return any(kind == b"E" and b"\0C" + sqlstate + b"\0" in body for kind, body in messages)


def _part(twins, number):
    for pair in twins:
        answers = [twin.leave() for twin in pair]
        if answers[0] != answers[1]:
            return Difference(number, *answers)
    return None


def shorten(turns, still_differs):
    """Leaves out turns, many at first, and then messages, as long as `still_differs(turns)`."""
    for count in (16, 4, 1):
        for place in reversed(range(0, len(turns), count)):
            shorter = turns[:place] + turns[place + count:]
            if still_differs(shorter):
                turns = shorter
    for place, turn in enumerate(turns):
        for message in [each for each in turn.messages if each[:1] not in NEEDED]:
            messages = list(turns[place].messages)
            messages.remove(message)
            shorter = [*turns[:place], turn._replace(messages=messages), *turns[place + 1:]]
            if still_differs(shorter):
                turns = shorter
    return turns
