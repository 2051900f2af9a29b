"""Amparo for Python: the offline backend of a screening and referral app.

One object, :class:`Device`; flat records (``..View`` comes out, ``..Request`` goes in); one error,
:class:`FieldError`, by what the caller can do. Every method blocks and may be called from any thread.

Never log a view, a request or an answer: their ``repr`` shows what a person said.
"""

import contextlib
import typing

from .amparo import *  # noqa: F401,F403
from .amparo import Device, KeyStore, LogSink, OpenRequest


@contextlib.contextmanager
def opened(
    request: OpenRequest, keystore: KeyStore, log: typing.Optional[LogSink] = None
) -> typing.Iterator[Device]:
    """Opens the device with the host's keystore and locks it at the end, also after an exception."""
    device = Device.open_with_keystore(request, keystore, log)
    try:
        yield device
    finally:
        device.lock()
