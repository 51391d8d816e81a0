"""A figure that was measured, and what explains it; or that it could not be."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Measured:
    value: float
    detail: str = ""  # What it is made of; for whoever asks why it is too much.


class Failed(Exception):
    """pgweir, the sandwich or a tool that watches did not do its part, and nothing is known."""


class Refused(Failed):
    """The kernel lets nobody be traced here, which says nothing of pgweir."""
