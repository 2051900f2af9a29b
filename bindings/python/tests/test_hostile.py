"""Every exported function with valid, hostile and boundary input, and with a panic inside.

Whatever goes in, the process lives, what comes out is a value or a typed exception that holds nothing of the
input, the store verifies, and the next call works.
"""

import enum

import pytest

import amparo
from amparo import AnswerValue, FieldError, ReferralState, StepState, TransportError
from conftest import KEY, PLACE, ROOT_JSON, request
from table import CANARY, EXPORTED, METHODS, Keys, Line, call, clean, valid, works

#: Texts that no id has the form of, and texts that break what reads them badly.
TEXTS = ["", " ", CANARY, CANARY.lower(), "x" * 100_000, "\0", "a\0b", "'; DROP TABLE fact; --", "../../etc/passwd",
         "\u202e" + CANARY, "é" * 65, "💥", "{}", "%s%n", "00" * 16, "0" * 31 + "G"]
#: They take nothing that could be hostile: a locked device is all that can be wrong.
TAKE_NOTHING = {"diagnostics", "enrolment", "export_bundle", "is_locked", "lock", "purge_due", "rest", "sync_state", "verify", "wipe"}


def test_the_table_names_every_function(lit):
    assert set(valid(lit)) == EXPORTED


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_valid(lit, name):
    result = call(lit, name, valid(lit)[name])
    if name in ("rest", "unlock", "unlock_with_keystore", "lock"):
        assert result is None
    elif name != "is_locked":  # which is False
        assert result is not None
    works(lit)


@pytest.mark.parametrize("name", METHODS)
def test_locked(lit, name):
    arguments = valid(lit)[name]
    lit.device.lock()
    if name in ("is_locked", "lock", "unlock", "unlock_with_keystore"):
        call(lit, name, arguments)
    else:
        with pytest.raises(FieldError.WrongState) as caught:
            call(lit, name, arguments)
        assert caught.value.code == "locked"
    works(lit)


def hostile(arguments):
    """Arguments with each one replaced by something hostile, one at a time."""
    for at, value in enumerate(arguments):
        for bad in replaced(value):
            yield (*arguments[:at], bad, *arguments[at + 1:])


def replaced(value):
    if isinstance(value, str):
        yield from TEXTS
        yield "a" * 31
        yield "\ud800"
    elif isinstance(value, bytes):
        yield from (b"", b"\0" * 31, b"\xff" * 33, value[:-1], value + b"\0", b"\xa4" * 1000, value[:50] + b"\xff" + value[51:])
    elif isinstance(value, bool):
        pass
    elif isinstance(value, int):
        yield from (-1, 0, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64)
    elif isinstance(value, list):
        yield [None]
        yield value * 200
        if not value or isinstance(value[0], str):
            yield [CANARY]
            yield ["no-such-thing"]
        if value and isinstance(value[0], bytes):
            yield [b"", CANARY.encode()]
    elif isinstance(value, AnswerValue):
        yield from hostile_answers()
    elif isinstance(value, enum.Enum):
        yield "BORDER"
    elif isinstance(value, amparo.KeyStore):
        for nonsense in (b"", b"x", b"\0" * 32, b"x" * 33, b"x" * 100_000, CANARY, None, 1.5, [1]):
            yield Keys(nonsense)
        yield Throwing()
        yield amparo.KeyStore()
    elif isinstance(value, amparo.Transport):
        yield from hostile_lines()
        yield amparo.Transport()
    elif hasattr(value, "__dict__"):
        for field, inner in vars(value).items():
            for bad in replaced(inner):
                yield changed(value, field, bad)
    yield None
    yield 1.5
    yield object()


class Throwing(amparo.KeyStore):
    def wrap(self, plain):
        raise RuntimeError(CANARY)

    unwrap = wrap


def changed(record, field, bad):
    copy = object.__new__(type(record))
    copy.__dict__.update(record.__dict__)
    setattr(copy, field, bad)
    return copy


def hostile_lines():
    """Transports that give and throw what no transport should."""
    for reply in (b"x", b"\0" * 100_000, b"\xff" * 100_000, b"\x82\x00" * 10_000, b"\x9f" * 100_000, b"\x5b" + b"\xff" * 8,
                  CANARY, CANARY.encode(), None, 1.5, [1]):
        yield Line(reply)
    yield Line(lambda upload: upload)
    for thrown in (RuntimeError(CANARY), KeyboardInterrupt(CANARY), MemoryError(CANARY), FieldError.Host(code=CANARY),
                   TransportError.Offline(), TransportError.Failed(), TransportError.Refused(code=0), TransportError.Refused(code=2**16),
                   TransportError.Refused(code=CANARY), TransportError.Cut(replies=CANARY.encode()), TransportError.Cut(replies=None)):
        yield Line(thrown)


def hostile_answers():
    for text in TEXTS:
        yield AnswerValue.TEXT(text=text)
        yield AnswerValue.CHOICE(option=text)
        yield AnswerValue.CHOICES(options=[text, text])
        yield AnswerValue.DATE(date=text)
    yield AnswerValue.CHOICES(options=[f"o{n}" for n in range(5000)])
    for number in (-(2**63), 2**63 - 1, 2**63):
        yield AnswerValue.NUMBER(value=number)
    for ages in ((0, 0), (200, 1), (0, 255), (255, 255), (-1, 3), (0, 256)):
        yield AnswerValue.AGE(lowest=ages[0], highest=ages[1])
    yield AnswerValue.DATE(date="9999-12-31")
    yield AnswerValue.DATE(date="-9999-01-01")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", sorted(EXPORTED - TAKE_NOTHING))
def test_hostile(lit, name):
    refused = 0
    for arguments in hostile(valid(lit)[name]):
        try:
            call(lit, name, arguments)
        except BaseException as error:  # noqa: B036 - whatever it is, it is looked at
            clean(error)
            refused += 1
        if lit.device.is_locked():
            lit.device.unlock(KEY)
    assert refused > 0
    works(lit)


@pytest.mark.parametrize("name", sorted(EXPORTED - {"is_locked"}))
@pytest.mark.parametrize("when", ["", ":after"])
def test_panic(lit, name, when, capfd):
    arguments = valid(lit)[name]
    # Installing several is installing one, several times.
    amparo.set_fail_point({"install_packs": "install_pack"}.get(name, name) + when)
    if name.startswith("unlock"):
        lit.device.lock()
    with pytest.raises(FieldError.Internal) as caught:
        call(lit, name, arguments)
    assert caught.value.code == "panic"
    clean(caught.value)
    amparo.set_fail_point(None)
    works(lit)
    out, err = capfd.readouterr()
    assert "CANARY" not in out + err


def test_bad_roots_folders_and_keys(tmp_path):
    for root in (b"", b"{}", b"\xff" * 100, ROOT_JSON[:-2], CANARY.encode(), b"[" * 100_000):
        with pytest.raises(FieldError.PackRejected) as caught:
            amparo.Device.create(amparo.OpenRequest(folder=str(tmp_path / "a"), root_json=root), KEY, None)
        clean(caught.value)
    for key in (b"", b"x" * 31, b"x" * 33, CANARY.encode()):
        with pytest.raises(FieldError.InvalidInput) as caught:
            amparo.Device.create(request(tmp_path / "b"), key, None)
        clean(caught.value)
    for folder in ("", "relative", CANARY, "/dev/null/" + CANARY, "/\0" + CANARY, "/proc/" + CANARY):
        with pytest.raises(FieldError) as caught:
            amparo.Device.create(amparo.OpenRequest(folder=folder, root_json=ROOT_JSON), KEY, None)
        clean(caught.value)


def test_wrong_key_missing_store_and_a_second_one(folder, tmp_path):
    with pytest.raises(FieldError.WrongKey):
        amparo.Device.open(request(folder), b"\0" * 32, None)
    with pytest.raises(FieldError.NotFound):
        amparo.Device.open(request(tmp_path / "none"), KEY, None)
    with pytest.raises(FieldError.WrongState):
        amparo.Device.create(request(folder), KEY, None)
    assert amparo.Device.open(request(folder), KEY, None).verify().whole


def test_a_damaged_store_is_set_aside_and_said(folder):
    store = folder / "store.db"
    bytes_ = bytearray(store.read_bytes())
    for at in range(100, len(bytes_), 4096):
        bytes_[at] ^= 0xFF
    store.write_bytes(bytes_)
    with pytest.raises((FieldError.StoreDamaged, FieldError.WrongKey)) as caught:
        amparo.Device.open(request(folder), KEY, None)
    clean(caught.value)
    assert [path for path in folder.iterdir() if path.stat().st_size == len(bytes_)], "nothing may be deleted"


def test_what_was_said_is_in_no_exception(lit):
    """Free text that is refused, at every place that takes one."""
    device, long = lit.device, CANARY * 100
    calls = [
        lambda: device.log_step(lit.id, lit.step, StepState.SKIPPED(reason=long)),
        lambda: device.log_step(lit.id, lit.step, StepState.IMPOSSIBLE(reason="\u202e" + CANARY)),
        lambda: device.log_step(lit.id, CANARY.lower(), StepState.DONE()),
        lambda: device.move_referral(lit.id, lit.referral, ReferralState.DECLINED, long),
        lambda: device.give_identity(lit.id, amparo.IdentityRequest(field=amparo.IdentityField.NAME, value=long)),
        lambda: device.lookup(long, None, "es", 1),
        lambda: device.answer(lit.id, lit.item.item, AnswerValue.TEXT(text=CANARY)),
        lambda: device.refer(lit.id, CANARY.lower(), None),
        lambda: device.start(amparo.StartRequest(checklist=CANARY.lower(), place=PLACE, lang="es")),
    ]
    for call in calls:
        with pytest.raises(FieldError) as caught:
            call()
        clean(caught.value)
    works(lit)
