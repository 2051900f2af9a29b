"""What is just allowed, and what is just not, for every exported function. The limits are those of `schema/src/limits.rs`
and of the documentation, written again here."""

import pytest

import amparo
from amparo import AnswerValue, ConsentPurpose, FieldError, ReferralState, ServiceKind, ShareScope, StepState, StopReason, TransportError
from conftest import KEY, PACKS, PLACE, ROOT_JSON, consent_request
from table import EXPORTED, Keys, Line, Lit, call, clean, works

OK = None
NONE = "00" * 16
NAME, LONG_NAME = "a" * 64, "a" * 65
REASON, LONG_REASON = "ñ" * 280, "ñ" * 281
Invalid, State, Missing = FieldError.InvalidInput, FieldError.WrongState, FieldError.NotFound


def age(lowest, highest):
    return AnswerValue.AGE(lowest=lowest, highest=highest)


def identity(value):
    return amparo.IdentityRequest(field=amparo.IdentityField.NAME, value=value)


def waiver(document, purpose=ConsentPurpose.STORE):
    return amparo.WaiverRequest(purpose=purpose, situation=amparo.ExceptionKind.LEGAL_DUTY, document=document,
                                place="art. 1", told=False)


def begin(case=None, country="CL", post=None, area=None):
    place = amparo.PlaceRequest(country=country, post=post, area=area, setting=amparo.Setting.BORDER)
    return amparo.StartRequest(checklist="four-questions", case=case, place=place, lang="es")


def sharing(receiver, *scope):
    return consent_request(ConsentPurpose.SHARE_SERVICE, receiver, scope)


def rows(lit: Lit):
    """Name -> what is expected, and arguments; called in this order on one device."""
    create, opened, keyed = lit.request("create"), lit.request("open"), lit.request("open_with_keystore")
    here = amparo.OpenRequest(folder=str(lit.folder.parent / "nothing"), root_json=ROOT_JSON)
    skipped, talk = (lambda why: StepState.SKIPPED(reason=why)), consent_request(ConsentPurpose.TALK)
    needs = [ShareScope.NEEDS]
    ticket, certificate, replies, up = lit.hq.ticket(), lit.certificate, lit.replies, lit.device.export_bundle()[0].bytes
    tickets = [(OK, (ticket,)), (OK, (" \n".join(ticket.lower()),)), (OK, (ticket + " " * (2000 - len(ticket)),)),
               (Invalid, (ticket + " " * (2001 - len(ticket)),)), (Invalid, (ticket[:-1],)), (Invalid, (ticket[:8],)), (Invalid, ("",))]
    return {
        "answer": [(OK, (lit.id, "person-age", age(0, 120))), (Invalid, (lit.id, "person-age", age(0, 121))),
                   (OK, (lit.id, "person-age", age(120, 120))), (Invalid, (lit.id, "person-age", age(31, 30))),
                   (Invalid, (lit.id, NAME, AnswerValue.YES())), (Invalid, (lit.id, LONG_NAME, AnswerValue.YES()))],
        "back": [(OK, (lit.id, None)), (Missing, (lit.id, NAME)), (Invalid, (lit.id, LONG_NAME))],
        "card": [(OK, (lit.id, lit.referral, "qu")), (State, (lit.id, NONE, "es"))],
        "checklists": [(OK, ("qu",)), (Invalid, ("q",))],
        "close_screening": [(Missing, (NONE,)), (OK, (lit.id,)), (State, (lit.id,))],
        "consent": [(OK, (lit.id, talk)), (OK, (lit.id, sharing(NAME, *needs))), (State, (lit.id, sharing(None, *needs))),
                    (State, (lit.id, sharing(lit.service)))],
        "contacts": [(OK, (lit.id, [])), (OK, (lit.id, list(ServiceKind) * 50)), (Missing, (NONE, []))],
        "create": [(Invalid, (create, KEY[:31], None)), (Invalid, (create, KEY + b"x", None)), (OK, (create, KEY, None)),
                   (State, (create, KEY, None))],
        "diagnostics": [(OK, ()), (OK, ())],
        "enrolled": [(OK, (certificate,)), (OK, (certificate,)), (Invalid, (b"",)), (Invalid, (certificate[:-1],)), (Invalid, (certificate + b"\0",))],
        "enrolment": [(OK, ()), (OK, ())],
        "enrolment_request": tickets,
        "export_bundle": [(OK, ()), (OK, ())],
        "gate": [(OK, (lit.id, [])), (OK, (lit.id, lit.checks * 2)), (State, (lit.id, [NAME])), (Invalid, (lit.id, [LONG_NAME]))],
        "give_identity": [(OK, (lit.id, identity("ñ" * 200))), (State, (lit.id, identity("ñ" * 201))), (State, (lit.id, identity("")))],
        "import_bundle": [(OK, (replies,)), (OK, (replies,)), (Invalid, (b"",)), (Invalid, (replies[:-1],)), (Invalid, (replies + b"\0",)),
                          (Invalid, (up,))],
        "install_pack": [(OK, (PACKS[0],)), (FieldError.PackRejected, (b"",)), (FieldError.PackRejected, (PACKS[0][:-1],))],
        "install_packs": [(OK, ([], None)), (OK, (PACKS[:1] * 3, None)), (FieldError.PackRejected, ([PACKS[0], b""], None))],
        "is_locked": [(OK, ())],
        "lock": [(OK, ()), (OK, ())],
        "log_step": [(OK, (lit.id, lit.step, skipped(REASON))), (Invalid, (lit.id, lit.step, skipped(LONG_REASON))),
                     (Invalid, (lit.id, lit.step, skipped(""))), (Invalid, (lit.id, lit.step, skipped(" "))),
                     (OK, (lit.id, lit.step, StepState.DONE())), (Invalid, (lit.id, NAME, StepState.DONE()))],
        "lookup": [(OK, ("", None, "es", 0)), (OK, ("ñ" * 200, None, "es", 1)), (Invalid, ("ñ" * 201, None, "es", 1)),
                   (OK, ("a", None, "es", 2**32 - 1)), (ValueError, ("a", None, "es", 2**32)), (ValueError, ("a", None, "es", -1))],
        "move_referral": [(OK, (lit.id, lit.referral, ReferralState.SENT, None)), (State, (lit.id, lit.referral, ReferralState.SENT, None)),
                          (State, (lit.id, lit.referral, ReferralState.REVOKED, None)),
                          (State, (lit.id, lit.referral, ReferralState.REVOKED, LONG_REASON)),
                          (OK, (lit.id, lit.referral, ReferralState.REVOKED, REASON))],
        "open": [(Invalid, (opened, KEY[:31], None)), (FieldError.WrongKey, (opened, bytes(32), None)), (OK, (opened, KEY, None)),
                 (Missing, (here, KEY, None))],
        "open_with_keystore": [(Invalid, (keyed, Keys(KEY[:31]), None)), (FieldError.WrongKey, (keyed, Keys(bytes(32)), None)),
                               (OK, (keyed, Keys(), None)), (FieldError.Host, (here, Keys(b"x" * 65537), None)), (OK, (here, Keys(), None))],
        "packet": [(State, (lit.id, lit.referral, [], None)), (OK, (lit.id, lit.referral, needs * 100, None)),
                   (State, (lit.id, lit.referral, list(ShareScope), None)), (OK, (lit.id, lit.referral, needs, "09" + "00" * 31)),
                   # Points of small order, which would seal for everyone.
                   (Invalid, (lit.id, lit.referral, needs, "00" * 32)), (Invalid, (lit.id, lit.referral, needs, "01" + "00" * 31)),
                   (Invalid, (lit.id, lit.referral, needs, "0" * 63)), (Invalid, (lit.id, lit.referral, needs, "0" * 65))],
        "packs": [(OK, ("qu",)), (Invalid, ("q",))],
        "posts": [(OK, ("ZZ",)), (Invalid, ("Z",)), (Invalid, ("ZZZ",))],
        "purge_due": [(OK, ()), (OK, ())],
        "record_outcome": [(OK, (lit.id,)), (OK, (lit.id,)), (Missing, (NONE,))],
        "refer": [(OK, (lit.id, lit.service, 0)), (Invalid, (lit.id, lit.service, 16)), (Invalid, (lit.id, lit.service, 2**32 - 1)),
                  (Missing, (lit.id, NAME, None))],
        "refuse_consent": [(OK, (lit.id, consent_request(ConsentPurpose.STATISTICS))), (Missing, (NONE, talk))],
        "rest": [(OK, ()), (OK, ())],
        "screening": [(OK, (lit.id,)), (Missing, ("ff" * 16,)), (Invalid, (lit.id[:-1],)), (Invalid, (lit.id + "0",))],
        "screenings": [(OK, (0, 0)), (OK, (2**32 - 1, 2**32 - 1)), (ValueError, (2**32, 1)), (ValueError, (0, -1))],
        "set_language": [(OK, (lit.id, "es-419")), (Invalid, (lit.id, "a")), (Invalid, (lit.id, "a" * 36))],
        "set_person_language": [(OK, (lit.id, "zh-Hant-HK")), (Invalid, (lit.id, "a")), (Invalid, (lit.id, "a" * 36))],
        "show": [(OK, (lit.id, "person-age")), (Missing, (lit.id, NAME)), (Invalid, (lit.id, LONG_NAME))],
        "start": [(OK, (begin(case=lit.case),)), (Missing, (begin(case=NONE),)), (OK, (begin(),)), (Missing, (begin(post=NAME),)),
                  (Missing, (begin(area="x" * 100_000),)), (OK, (begin(country="AQ"),)), (Invalid, (begin(country="AQX"),))],
        "stop": [(OK, (lit.id, StopReason.UNSAFE)), (OK, (lit.id, StopReason.UNSAFE)), (Missing, (NONE, StopReason.UNSAFE))],
        "sync": [(OK, (Line(b""), None)), (OK, (Line(bytes(20_000_000)), None)), (OK, (Line(TransportError.Refused(code=2**16 - 1)), None)),
                 (FieldError.Host, (Line(TransportError.Refused(code=2**16)), None)), (FieldError.Host, (Line(TransportError.Failed()), None)),
                 (OK, (Line(TransportError.Cut(replies=b"")), None)), (OK, (Line(lit.hq.exchange), None)), (OK, (Line(lit.hq.exchange), None))],
        "sync_state": [(OK, ()), (OK, ())],
        "ticket_url": tickets,
        "unlock": [(Invalid, (KEY[:31],)), (Invalid, (KEY + b"x",)), (FieldError.WrongKey, (bytes(32),)), (OK, (KEY,))],
        "unlock_with_keystore": [(Invalid, (Keys(KEY[:31]),)), (Invalid, (Keys(KEY + b"x"),)), (FieldError.WrongKey, (Keys(bytes(32)),)),
                                 (OK, (Keys(),))],
        "verify": [(OK, ()), (OK, ())],
        "waive_consent": [(OK, (lit.id, waiver("x"))), (State, (lit.id, waiver(""))), (State, (lit.id, waiver("x" * 65_536))),
                          (State, (lit.id, waiver("x", ConsentPurpose.TALK)))],
        "wipe": [(OK, ()), (OK, ())],
        "withdraw_consent": [(State, (lit.id, 0)), (OK, (lit.id, lit.counter)), (State, (lit.id, 2**64 - 1)),
                             (ValueError, (lit.id, 2**64))],
    }


def test_the_table_names_every_function(lit):
    assert set(rows(lit)) == EXPORTED


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_boundary(lit, name):
    for at, (expected, arguments) in enumerate(rows(lit)[name]):
        try:
            call(lit, name, arguments)
            raised = None
        except Exception as error:
            clean(error)
            raised = error
        assert isinstance(raised, expected) if expected else raised is None, f"row {at}: {expected}, not {raised!r}"
        if name != "lock" and lit.device.is_locked():
            lit.device.unlock(KEY)
    works(lit)


def test_no_page_is_longer_than_said(lit):
    for _ in range(3):
        lit.device.start(begin())
    assert [len(lit.device.screenings(0, most).lines) for most in (0, 1, 3, 4, 5, 2**32 - 1)] == [0, 1, 3, 4, 4, 4]
    assert [len(lit.device.screenings(skip, 10).lines) for skip in (0, 3, 4, 2**32 - 1)] == [4, 1, 0, 0]
