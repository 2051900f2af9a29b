"""Memory and handles stay flat. AMPARO_OPENS and AMPARO_CALLS set how often; the release runs 10,000 and 100,000."""

import gc
import os

import amparo
from conftest import KEY, request, start

OPENS = int(os.environ.get("AMPARO_OPENS", "100"))
CALLS = int(os.environ.get("AMPARO_CALLS", "2000"))
#: Growth that is no leak: allocators keep some of what they were given. KiB.
SLACK_KIB = 8 * 1024


def resident_kib():
    gc.collect()
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def handles():
    return len(os.listdir("/proc/self/fd"))


def flat(work, times):
    for _ in range(max(20, times // 10)):
        work()
    memory, fds = resident_kib(), handles()
    for _ in range(times):
        work()
    grown = resident_kib() - memory
    print(f"{times} times: {grown} KiB, {handles() - fds} handles")
    assert handles() == fds
    assert grown < SLACK_KIB


def test_opening_and_dropping(folder):
    def work():
        device = amparo.Device.open(request(folder), KEY, None)
        device.lock()

    flat(work, OPENS // 2)

    def dropped():
        assert amparo.Device.open(request(folder), KEY, None).is_locked() is False

    flat(dropped, OPENS // 2)


def test_calls(device):
    screening = start(device).line.id

    def work():
        device.screening(screening)
        try:
            device.screening("00" * 16)
        except amparo.FieldError.NotFound:
            pass

    flat(work, CALLS // 2)


def test_records_and_callbacks(device):
    class Keys(amparo.KeyStore):
        def wrap(self, plain):
            return plain

        def unwrap(self, wrapped):
            raise RuntimeError("synthetic")

    def work():
        device.lookup("trata", None, "es", 1)
        # It is open already, so the keystore is asked in vain and nothing else happens.
        try:
            device.unlock_with_keystore(Keys())
        except amparo.FieldError:
            pass

    flat(work, CALLS // 10)
