"""Memory and handles stay flat. AMPARO_OPENS and AMPARO_CALLS set how often; the figures are of 10,000 and 100,000.

What is measured is what is held, not what the process has: the bytes that the allocator has given out, the blocks of
Python, the open files. They are counts, which neither time nor other processes change; resident memory, which both
change, is printed beside them.
"""

import ctypes
import gc
import os
import sys
import time

import pytest

import amparo
from conftest import KEY, request, start

OPENS = int(os.environ.get("AMPARO_OPENS", "100"))
CALLS = int(os.environ.get("AMPARO_CALLS", "2000"))
#: Growth that is no leak: what the allocator keeps for the next time. It does not grow with how often.
SLACK_BYTES, SLACK_BLOCKS = 64 * 1024, 200


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]


try:
    _mallinfo = ctypes.CDLL(None).mallinfo2
    _mallinfo.restype = _Mallinfo
except AttributeError:
    pytest.skip("needs mallinfo2 of glibc 2.33 or later", allow_module_level=True)


def held():
    """Bytes that are given out, blocks of Python, open files."""
    gc.collect()
    info = _mallinfo()
    return info.uordblks + info.hblkhd, sys.getallocatedblocks(), len(os.listdir("/proc/self/fd"))


def resident_kib():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def flat(what, work, times):
    for _ in range(max(20, times // 10)):
        work()
    resident, began, before = resident_kib(), time.monotonic(), held()
    for _ in range(times):
        work()
    grown = [after - was for after, was in zip(held(), before)]
    took = (time.monotonic() - began) / times * 1e6
    print(f"\n{times} {what}: {grown[0]} bytes, {grown[1]} blocks, {grown[2]} handles held more; "
          f"{resident_kib() - resident} KiB resident; {took:.0f} us each")
    assert grown[0] < SLACK_BYTES and grown[1] < SLACK_BLOCKS and grown[2] <= 0, grown


@pytest.mark.parametrize("leak", [lambda: ctypes.CDLL(None).malloc(4096), lambda: [], lambda: open(os.devnull, "rb")],
                         ids=["bytes", "blocks", "handles"])
def test_the_measure_sees_a_leak(leak):
    kept = []
    with pytest.raises(AssertionError):
        flat("leaks", lambda: kept.append(leak()), 400)


def test_devices_that_are_kept_are_seen(folder):
    def handles():
        return len(os.listdir("/proc/self/fd"))

    before = handles()
    for _ in range(3):
        amparo.Device.open(request(folder), KEY, None).lock()
    assert handles() == before
    kept = amparo.Device.open(request(folder), KEY, None)
    assert handles() > before
    kept.lock()
    assert handles() == before


def test_opening_and_closing(folder):
    flat("opens and closes", lambda: amparo.Device.open(request(folder), KEY, None).lock(), OPENS)


def test_opening_and_dropping(folder):
    def work():
        assert amparo.Device.open(request(folder), KEY, None).is_locked() is False

    flat("opens and drops", work, OPENS // 4)


def test_calls(device):
    screening = start(device).line.id

    def work():
        device.screening(screening)
        str(device.lookup("trata", None, "es", 1))
        device.is_locked()
        try:
            device.screening("00" * 16)
        except amparo.FieldError.NotFound:
            pass

    flat("times four calls", work, CALLS // 4)


def test_callbacks(folder):
    class Keys(amparo.KeyStore):
        def wrap(self, plain):
            return plain

        def unwrap(self, wrapped):
            raise amparo.FieldError.NeedsUser()

    (folder / "store.key").write_bytes(KEY)
    device = amparo.Device.open(request(folder), KEY, None)

    def work():
        # It is open already, so the keystore is asked in vain and nothing else happens.
        with pytest.raises(amparo.FieldError.NeedsUser):
            device.unlock_with_keystore(Keys())

    flat("callbacks", work, CALLS // 10)
    device.lock()
