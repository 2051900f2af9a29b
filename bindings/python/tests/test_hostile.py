"""Every exported function with valid, hostile and boundary input, and with a panic inside.

Whatever goes in, the process lives, what comes out is a value or a typed exception that holds nothing of the
input, the store verifies, and the next call works.
"""

import inspect

import pytest

import amparo
from amparo import AnswerValue, ConsentPurpose, FieldError, ReferralState, ShareScope, StepState
from conftest import KEY, PACKS, PLACE, ROOT_JSON, an_answer, consent_request, request, start, to_the_end

CANARY = "CANARY-juana-perez"
#: Texts that no id has the form of, and texts that break what reads them badly.
TEXTS = ["", " ", CANARY, CANARY.lower(), "x" * 100_000, "\0", "a\0b", "'; DROP TABLE fact; --", "../../etc/passwd",
         "\u202e" + CANARY, "é" * 65, "💥", "{}", "%s%n", "00" * 16, "0" * 31 + "G"]
#: What Python itself refuses before anything crosses.
PYTHONS_OWN = (TypeError, ValueError, OverflowError, AttributeError)


class Lit:
    """A screening with a referral, and what every function takes when all is well."""

    def __init__(self, device):
        self.device = device
        view = to_the_end(device, start(device))
        self.id = device.record_outcome(view.line.id).line.id
        offer = device.contacts(self.id, []).contacts.offers[0]
        self.service = offer.service.id
        self.referral = device.refer(self.id, self.service, None).referral
        sharing = consent_request(ConsentPurpose.SHARE_SERVICE, self.service, [ShareScope.NEEDS])
        self.counter = device.consent(self.id, sharing).counter
        device.consent(self.id, consent_request(ConsentPurpose.SHARE_IDENTITY, self.service, [ShareScope.IDENTITY]))
        self.item = device.back(self.id, None).next.question
        self.step = view.steps[-1].id


def valid(lit):
    """Name and arguments of every method of the device that a host calls, as they should be."""
    talk = consent_request(ConsentPurpose.STATISTICS)
    waiver = amparo.WaiverRequest(purpose=ConsentPurpose.STORE, situation=amparo.ExceptionKind.LEGAL_DUTY,
                                  document="Synthetic law 1", place="art. 1", told=True)
    identity = amparo.IdentityRequest(field=amparo.IdentityField.NAME, value="Synthetic")
    return {
        "answer": (lit.id, lit.item.item, an_answer(lit.item)),
        "back": (lit.id, lit.item.item),
        "card": (lit.id, lit.referral, "es"),
        "checklists": ("es",),
        "consent": (lit.id, talk),
        "contacts": (lit.id, [amparo.ServiceKind.SHELTER]),
        "diagnostics": (),
        "gate": (lit.id, []),
        "give_identity": (lit.id, identity),
        "install_pack": (PACKS[0],),
        "install_packs": (PACKS[:2], None),
        "is_locked": (),
        "log_step": (lit.id, lit.step, StepState.SKIPPED(reason="synthetic")),
        "lookup": ("trata", "CL", "es", 3),
        "move_referral": (lit.id, lit.referral, ReferralState.SENT, None),
        "packet": (lit.id, lit.referral, [ShareScope.NEEDS], None),
        "packs": ("es",),
        "posts": ("CL",),
        "record_outcome": (lit.id,),
        "refer": (lit.id, lit.service, None),
        "refuse_consent": (lit.id, talk),
        "rest": (),
        "screening": (lit.id,),
        "screenings": (0, 10),
        "set_language": (lit.id, "en"),
        "set_person_language": (lit.id, "ht"),
        "show": (lit.id, lit.item.item),
        "start": (amparo.StartRequest(checklist="four-questions", place=PLACE, lang="es"),),
        "stop": (lit.id, amparo.StopReason.NO_TIME),
        "verify": (),
        "waive_consent": (lit.id, waiver),
        "withdraw_consent": (lit.id, lit.counter),
        "close_screening": (lit.id,),
        "unlock": (KEY,),
        "unlock_with_keystore": None,
        "lock": (),
    }


#: Of the feature `testing`, not of what is shipped.
TESTING = {"advance_ms", "card_json", "contacts_json", "report_json", "set_clock", "verify_json"}
#: Written apart: they make the object.
CONSTRUCTORS = {"create", "open", "open_with_keystore"}


def exported():
    names = {name for name, _ in inspect.getmembers(amparo.Device, callable) if not name.startswith("_")}
    return names - TESTING - CONSTRUCTORS


def clean(error):
    """The exception is typed and holds nothing of the input."""
    assert isinstance(error, (FieldError, *PYTHONS_OWN)), repr(error)
    if isinstance(error, FieldError):
        shown = f"{error} {error!r} {error.args} {vars(error)}"
        assert "canary" not in shown.lower() and "juana" not in shown.lower() and len(shown) < 400, shown


def works(device, screening):
    assert not device.is_locked()
    assert device.screening(screening).line.id == screening
    assert device.verify().whole


@pytest.fixture
def lit(device):
    return Lit(device)


def test_the_table_names_every_function(lit):
    assert set(valid(lit)) == exported()


@pytest.mark.parametrize("name", sorted(exported() - {"unlock_with_keystore"}))
def test_valid(lit, name):
    result = getattr(lit.device, name)(*valid(lit)[name])
    if name in ("rest", "unlock", "lock"):
        assert result is None
    elif name != "is_locked":
        assert result is not None
    if name == "lock":
        with pytest.raises(FieldError.WrongState):
            lit.device.packs("es")
        lit.device.unlock(KEY)
    works(lit.device, lit.id)


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
    elif hasattr(value, "__dict__"):
        for field, inner in vars(value).items():
            for bad in replaced(inner):
                yield changed(value, field, bad)
    yield None
    yield 1.5
    yield object()


def changed(record, field, bad):
    copy = object.__new__(type(record))
    copy.__dict__.update(record.__dict__)
    setattr(copy, field, bad)
    return copy


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


@pytest.mark.parametrize("name", sorted(exported() - {"unlock_with_keystore", "close_screening"}))
def test_hostile(lit, name):
    refused = 0
    for arguments in hostile(valid(lit)[name]):
        try:
            getattr(lit.device, name)(*arguments)
        except BaseException as error:  # noqa: B036 - whatever it is, it is looked at
            clean(error)
            refused += 1
        if name == "lock":
            lit.device.unlock(KEY)
    assert refused > 0 or name in ("diagnostics", "is_locked", "lock", "rest", "verify")
    works(lit.device, lit.id)


@pytest.mark.parametrize("name", sorted(exported() - {"is_locked"} | CONSTRUCTORS))
@pytest.mark.parametrize("when", ["", ":after"])
def test_panic(lit, name, when, tmp_path, capfd):
    class Keys(amparo.KeyStore):
        def wrap(self, plain):
            return plain

        def unwrap(self, wrapped):
            return wrapped

    new = {
        "create": lambda: amparo.Device.create(request(tmp_path / "new"), KEY, None),
        "open": lambda: amparo.Device.open(request(tmp_path / "store"), KEY, None),
        "open_with_keystore": lambda: amparo.Device.open_with_keystore(request(tmp_path / "keyed"), Keys(), None),
        "unlock_with_keystore": lambda: lit.device.unlock_with_keystore(Keys()),
    }
    if name in ("open", "unlock", "unlock_with_keystore"):
        lit.device.lock()
    if name == "unlock_with_keystore":
        (tmp_path / "store/store.key").write_bytes(KEY)
    amparo.set_fail_point(name + when)
    # Installing several is installing one, several times.
    inner = {"install_packs": "install_pack"}
    if name in inner:
        amparo.set_fail_point(inner[name] + when)
    with pytest.raises(FieldError.Internal) as caught:
        new[name]() if name in new else getattr(lit.device, name)(*valid(lit)[name])
    assert caught.value.code == "panic"
    clean(caught.value)
    amparo.set_fail_point(None)
    if lit.device.is_locked():
        lit.device.unlock(KEY)
    works(lit.device, lit.id)
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
    works(device, lit.id)
