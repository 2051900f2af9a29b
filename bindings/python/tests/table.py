"""Every exported function: what it takes when all is well, how it is called, and what must hold after any call."""

import functools
import pathlib
import shutil
import struct

import pytest

import amparo
from amparo import ConsentPurpose, FieldError, ReferralState, ShareScope, StepState
from conftest import KEY, PACKS, PLACE, ROOT, an_answer, consent_request, request, start, to_the_end

CANARY = "CANARY-juana-perez"
#: What Python itself refuses before anything crosses.
PYTHONS_OWN = (TypeError, ValueError, OverflowError, AttributeError, struct.error)


def exported():
    """Names of what is shipped, from the snapshot of what Python is offered, and those among them that make a device."""
    text = (ROOT / "bindings/api/python.txt").read_text()
    body = text.split("class Device(DeviceProtocol):\n")[1].split("\nclass ")[0]
    loose = [line for line in text.splitlines() if line.startswith("def ")]
    assert not loose, f"functions outside the device: put them into the table: {loose}"
    lines = [line.strip() for line in body.splitlines()]
    makers = {line[4:].split("(")[0] for line in lines if "(cls," in line}
    return {line[4:].split("(")[0] for line in lines}, makers


EXPORTED, MAKERS = exported()
METHODS = sorted(EXPORTED - MAKERS)


class Keys(amparo.KeyStore):
    """Wraps by turning every bit, or gives what it is told to."""

    def __init__(self, gives=None):
        self.gives = gives

    def wrap(self, plain):
        return bytes(byte ^ 0xFF for byte in plain) if self.gives is None else self.gives

    unwrap = wrap


class Line(amparo.Transport):
    """Gives what it is told to, throws it, or gives what comes of the upload."""

    def __init__(self, gives=b""):
        self.gives, self.uploads = gives, []

    def exchange(self, upload):
        self.uploads.append(upload)
        if isinstance(self.gives, BaseException):
            raise self.gives
        return self.gives(upload) if callable(self.gives) else self.gives


class Lit:
    """A screening with a referral, whose folder also holds the key as :class:`Keys` wraps it."""

    def __init__(self, device, folder: pathlib.Path):
        self.device, self.folder = device, folder
        (folder / "store.key").write_bytes(Keys().wrap(KEY))
        view = to_the_end(device, start(device))
        self.id, self.case, self.checks = view.line.id, view.line.case, [check.id for check in view.gate_checks]
        device.record_outcome(self.id)
        self.service = device.contacts(self.id, []).contacts.offers[0].service.id
        self.referral = device.refer(self.id, self.service, None).referral
        sharing = consent_request(ConsentPurpose.SHARE_SERVICE, self.service, [ShareScope.NEEDS])
        self.counter = device.consent(self.id, sharing).counter
        device.consent(self.id, consent_request(ConsentPurpose.SHARE_IDENTITY, self.service, [ShareScope.IDENTITY]))
        self.item = device.back(self.id, None).next.question
        self.step = view.steps[-1].id
        self.hq = amparo.Headquarters()
        self.certificate = self.hq.enrol(device.enrolment_request(self.hq.ticket()))
        device.enrolled(self.certificate)

    @functools.cached_property
    def replies(self):
        """A file from headquarters."""
        [replies] = self.hq.carry(self.device.export_bundle()[0].bytes)
        return replies

    def request(self, name):
        """For what makes a device: a folder without a store for `create`, else a copy of a store."""
        folder = self.folder.parent / name
        if name != "create" and not folder.exists():
            shutil.copytree(self.folder.parent / "copied", folder)
        return request(folder)


def valid(lit):
    """Name and arguments of every function, as they should be."""
    statistics = consent_request(ConsentPurpose.STATISTICS)
    waiver = amparo.WaiverRequest(purpose=ConsentPurpose.STORE, situation=amparo.ExceptionKind.LEGAL_DUTY,
                                  document="Synthetic law 1", place="art. 1", told=True)
    identity = amparo.IdentityRequest(field=amparo.IdentityField.NAME, value="Synthetic")
    return {
        "answer": (lit.id, lit.item.item, an_answer(lit.item)),
        "back": (lit.id, lit.item.item),
        "card": (lit.id, lit.referral, "es"),
        "checklists": ("es",),
        "close_screening": (lit.id,),
        "consent": (lit.id, statistics),
        "contacts": (lit.id, [amparo.ServiceKind.SHELTER]),
        "create": (lit.request("create"), KEY, None),
        "diagnostics": (),
        "enrolled": (lit.certificate,),
        "enrolment": (),
        "enrolment_request": (lit.hq.ticket(),),
        "export_bundle": (),
        "gate": (lit.id, []),
        "give_identity": (lit.id, identity),
        "import_bundle": (lit.replies,),
        "install_pack": (PACKS[0],),
        "install_packs": (PACKS[:2], None),
        "is_locked": (),
        "lock": (),
        "log_step": (lit.id, lit.step, StepState.SKIPPED(reason="synthetic")),
        "lookup": ("trata", "CL", "es", 3),
        "move_referral": (lit.id, lit.referral, ReferralState.SENT, None),
        "open": (lit.request("open"), KEY, None),
        "open_with_keystore": (lit.request("open_with_keystore"), Keys(), None),
        "packet": (lit.id, lit.referral, [ShareScope.NEEDS], None),
        "packs": ("es",),
        "posts": ("CL",),
        "purge_due": (),
        "record_outcome": (lit.id,),
        "refer": (lit.id, lit.service, None),
        "refuse_consent": (lit.id, statistics),
        "rest": (),
        "screening": (lit.id,),
        "screenings": (0, 10),
        "set_language": (lit.id, "en"),
        "set_person_language": (lit.id, "ht"),
        "show": (lit.id, lit.item.item),
        "start": (amparo.StartRequest(checklist="four-questions", place=PLACE, lang="es"),),
        "stop": (lit.id, amparo.StopReason.NO_TIME),
        "sync": (Line(lit.hq.exchange), None),
        "sync_state": (),
        "ticket_url": (lit.hq.ticket(),),
        "unlock": (KEY,),
        "unlock_with_keystore": (Keys(),),
        "verify": (),
        "waive_consent": (lit.id, waiver),
        "wipe": (),
        "withdraw_consent": (lit.id, lit.counter),
    }


def call(lit, name, arguments):
    """Calls it: unlocking on a locked device, and what makes a device on a folder of its own."""
    if name in MAKERS:
        made = getattr(amparo.Device, name)(*arguments)
        assert not made.is_locked()
        made.lock()
        return made
    if name.startswith("unlock"):
        lit.device.lock()
    return getattr(lit.device, name)(*arguments)


def clean(error):
    """The exception is typed and holds nothing of the input."""
    assert isinstance(error, (FieldError, *PYTHONS_OWN)), repr(error)
    if isinstance(error, FieldError):
        shown = f"{error} {error!r} {error.args} {vars(error)}"
        assert "canary" not in shown.lower() and "juana" not in shown.lower() and len(shown) < 400, shown


def works(lit):
    """The device opens if it was locked, the store is whole, and the next call works."""
    if lit.device.is_locked():
        lit.device.unlock(KEY)
    [line] = [line for line in lit.device.sync_state().screenings if line.id == lit.id]
    if line.purged:
        with pytest.raises(FieldError.NotFound) as caught:
            lit.device.screening(lit.id)
        assert caught.value.what == "purged"
    else:
        assert lit.device.screening(lit.id).line.id == lit.id
    assert lit.device.verify().whole
