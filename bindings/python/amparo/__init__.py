"""Amparo for Python: the offline backend of a screening and referral app.

One object, :class:`Device`; flat records (``..View`` comes out, ``..Request`` goes in); one error,
:class:`FieldError`, by what the caller can do. Every method blocks and may be called from any thread.

Never log a view, a request or an answer field by field: that is what a person said. ``str`` and ``repr`` of those
that hold it show their name only.
"""

import contextlib
import ctypes
import typing

from .amparo import *  # noqa: F401,F403
from .amparo import Device, KeyStore, LogSink, OpenRequest


class _Wiping(KeyStore):
    """The host's keystore. A key that it gives as a ``bytearray`` is passed on where it lies, and overwritten once
    the call is over; ``bytes`` cannot be."""

    def __init__(self, keystore: KeyStore) -> None:
        if not isinstance(keystore, KeyStore):
            raise TypeError(f"a KeyStore is required, not {type(keystore).__name__}")
        self._keystore = keystore
        self._given: typing.List[bytearray] = []

    def wrap(self, plain: bytes) -> bytes:
        return self._keystore.wrap(plain)

    def unwrap(self, wrapped: bytes) -> bytes:
        key = self._keystore.unwrap(wrapped)
        if not isinstance(key, bytearray):
            return key
        self._given.append(key)
        return (ctypes.c_char * len(key)).from_buffer(key)  # type: ignore[return-value]

    def __enter__(self) -> "_Wiping":
        return self

    def __exit__(self, *_: object) -> None:
        for key in self._given:
            key[:] = bytes(len(key))


@contextlib.contextmanager
def opened(
    request: OpenRequest, keystore: KeyStore, log: typing.Optional[LogSink] = None
) -> typing.Iterator[Device]:
    """Opens the device with the host's keystore and locks it at the end, also after an exception. A key that the
    keystore unwraps into a ``bytearray`` is overwritten before this returns."""
    with _Wiping(keystore) as wiping:
        device = Device.open_with_keystore(request, wiping, log)
    try:
        yield device
    finally:
        device.lock()


def unlock(device: Device, keystore: KeyStore) -> None:
    """Opens the store again after ``lock``, as :meth:`Device.unlock_with_keystore` does. A key that the keystore
    unwraps into a ``bytearray`` is overwritten before this returns."""
    with _Wiping(keystore) as wiping:
        device.unlock_with_keystore(wiping)
