"""What holds something of a person prints its name only: in no log, no crash report, no assertion is what was said."""

import enum
import logging

import pytest

import amparo
from amparo import AnswerValue, FieldError, ReferralState, StepState
from conftest import RECIPIENTS, consent_request, start
from table import CANARY, Line, Lit

PLAIN = (str, bytes, int, float, type(None), enum.Enum)
#: They print their name, whatever is in them.
NAMED = {"AnswerValue", "CardView", "ConsentRequest", "ConsentView", "ContactsView", "ExcludedView", "FollowUpView", "IdentityRequest", "IndicatorView",
         "OfferView", "OutcomeClassView", "OutcomeView", "PacketView", "QuestionView", "ReferralView", "ScreeningLineView",
         "ScreeningView", "StepState", "StepView", "UnknownView", "VolumeView", "WaiverRequest"}


def parts(value):
    """Every record within a value, and the value."""
    if isinstance(value, (list, tuple)):
        for inner in value:
            yield from parts(inner)
    elif not isinstance(value, PLAIN):
        yield value
        for inner in vars(value).values():
            yield from parts(inner)


def shown(value):
    """All ways by which a value comes into a log."""
    record = logging.LogRecord("x", 0, "x", 0, "%s %r", (value, [value]), None)
    return f"{value} {value!r} {value!s:>5} {[value]} {{}} {record.getMessage()} {(value,)}".lower()


def everything(lit: Lit):
    """What the device gives of a screening in which a canary stands wherever a text may."""
    device, text = lit.device, CANARY
    lit.device.log_step(lit.id, lit.step, StepState.SKIPPED(reason=text))
    given = amparo.IdentityRequest(field=amparo.IdentityField.NAME, value=text)
    device.give_identity(lit.id, given)
    yield given
    yield from (AnswerValue.TEXT(text=text), AnswerValue.CHOICE(option=text), AnswerValue.CHOICES(options=[text]), AnswerValue.DATE(date=text),
                StepState.SKIPPED(reason=text), StepState.IMPOSSIBLE(reason=text))
    yield amparo.WaiverRequest(purpose=amparo.ConsentPurpose.STORE, situation=amparo.ExceptionKind.LEGAL_DUTY, document=text, place=text, told=True)
    yield consent_request(amparo.ConsentPurpose.SHARE_SERVICE, text)
    yield from (start(device), device.contacts(lit.id, []), device.screenings(0, 9), device.card(lit.id, lit.referral, "es"), device.refer(lit.id, lit.service, None))
    packet = device.packet(lit.id, lit.referral, [amparo.ShareScope.NEEDS], None)
    assert b"{" in packet.bytes
    yield packet
    yield device.move_referral(lit.id, lit.referral, ReferralState.DECLINED, text)
    yield device.back(lit.id, None)
    device.install_pack(RECIPIENTS)
    lit.hq.ask(lit.case, text)
    yield device.sync(Line(lit.hq.exchange), None)
    state = device.sync_state()
    assert [letter.text for letter in state.follow_ups] == [text] and state.follow_ups[0].code == device.screening(lit.id).line.code
    yield state
    yield device.export_bundle()
    yield device.enrolment()
    yield device.close_screening(lit.id)


def test_nothing_said_is_printed(lit):
    line = lit.device.screening(lit.id).line
    said = [CANARY.lower(), "juana", line.code.lower(), line.memorable.lower()]
    seen, walked = set(), 0
    for value in everything(lit):
        for part in parts(value):
            walked += 1
            text = shown(part)
            assert not [word for word in said if word in text], type(part)
            name = type(part).__qualname__.split(".")[0]
            if name in NAMED:
                seen.add(name)
                assert str(part) == f"{name}(..)"
                assert len(repr(part)) <= len(name) + 4
    assert walked > 500 and seen == NAMED


def test_an_answer_does_not_tell_which():
    answers = [AnswerValue.YES(), AnswerValue.NO(), AnswerValue.NUMBER(value=7), AnswerValue.AGE(lowest=16, highest=17),
               AnswerValue.UNKNOWN(why=amparo.UnknownReason.REFUSED), AnswerValue.TEXT(text=CANARY)]
    assert {shown(answer) for answer in answers} == {shown(AnswerValue.YES())}
    assert {shown(StepState.DONE()), shown(StepState.SKIPPED(reason=CANARY))} == {shown(StepState.DONE())}


def test_what_is_left_to_read_is_all_there(lit):
    """Printing nothing is no reason to hold nothing."""
    view = lit.device.log_step(lit.id, lit.step, StepState.SKIPPED(reason=CANARY))
    [step] = [step for step in view.steps if step.id == lit.step]
    assert step.state == StepState.SKIPPED(reason=CANARY) and step.state.reason == CANARY


@pytest.mark.parametrize("error", [FieldError.InvalidInput, FieldError.NotFound, FieldError.WrongState])
def test_errors_are_readable_all_the_same(error):
    fields = {FieldError.InvalidInput: {"field": "answer", "code": "too-long"}, FieldError.NotFound: {"what": "item"},
              FieldError.WrongState: {"code": "locked"}}[error]
    assert all(word in f"{error(**fields)}" for word in fields.values())
