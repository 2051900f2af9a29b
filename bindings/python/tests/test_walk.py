"""One screening, drawn from one view at a time."""

import pytest

import amparo
from conftest import consent_request, start, to_the_end


def test_a_screening_from_start_to_close(device):
    view = start(device)
    screening = view.line.id
    assert view.outcome.classes and not view.outcome.recorded
    assert isinstance(view.next, amparo.NextView.ASK) and view.next.question.number == 1
    assert view.previous is None
    view = device.record_outcome(to_the_end(device, view).line.id)
    assert view.outcome.recorded and view.progress.open == 0
    assert amparo.Outcome.PRESUMED in [outcome.outcome for outcome in view.outcome.classes]
    assert all(outcome.title.text and outcome.title.lang == "es" for outcome in view.outcome.classes)
    assert view.outcome.noted and all(noted.shown_by for noted in view.outcome.noted)
    assert amparo.Obligation.FORBIDDEN in [step.obligation for step in view.steps[:10]]
    view = device.contacts(screening, [])
    offer = view.contacts.offers[0]
    channel = offer.service.channels[0].index if offer.service.channels else None
    offered = device.refer(screening, offer.service.id, channel)
    [referral] = offered.screening.referrals
    assert referral.id == offered.referral and amparo.ReferralState.SENT in referral.may_become
    sharing = consent_request(
        amparo.ConsentPurpose.SHARE_SERVICE, offer.service.id, [amparo.ShareScope.NEEDS]
    )
    given = device.consent(screening, sharing)
    [state] = [c.state for c in given.screening.consents if c.purpose == amparo.ConsentPurpose.SHARE_SERVICE]
    assert state == amparo.ConsentState.GIVEN
    packet = device.packet(screening, offered.referral, [amparo.ShareScope.NEEDS], None)
    assert packet.bytes.startswith(b"{") and not packet.sealed
    sealed = device.packet(screening, offered.referral, [amparo.ShareScope.NEEDS], "09" + "00" * 31)
    assert sealed.sealed and packet.bytes[:40] not in sealed.bytes
    assert device.card(screening, offered.referral, "es").memorable == view.line.memorable
    device.move_referral(screening, offered.referral, amparo.ReferralState.SENT, None)
    closed = device.close_screening(screening)
    assert closed.keep == amparo.Keep.FULL and closed.segments == 1 and closed.screening.line.closed
    view = device.withdraw_consent(screening, given.counter)
    with pytest.raises(amparo.FieldError.WrongState):
        device.packet(screening, offered.referral, [amparo.ShareScope.NEEDS], None)
    assert device.screenings(0, 10).total == 1
    assert device.verify().whole


def test_without_consent_to_store_only_the_outcome_is_left(device):
    def not_storing(view):
        while not isinstance(view.next, amparo.NextView.GATE):
            question = view.next.question
            view = device.answer(view.line.id, question.item, amparo.AnswerValue.UNKNOWN(why=amparo.UnknownReason.NOT_OBSERVABLE))
        view = device.gate(view.line.id, [check.id for check in view.gate_checks])
        view = device.consent(view.line.id, consent_request(amparo.ConsentPurpose.TALK)).screening
        return device.refuse_consent(view.line.id, consent_request(amparo.ConsentPurpose.STORE))

    view = not_storing(start(device))
    view = to_the_end(device, view)
    before = [outcome.outcome for outcome in view.outcome.classes]
    closed = device.close_screening(view.line.id)
    assert closed.keep == amparo.Keep.AGGREGATE_ONLY
    after = device.screening(view.line.id)
    assert after.outcome.erased and not after.outcome.noted
    assert [outcome.outcome for outcome in after.outcome.classes] == before
    assert device.verify().whole


def test_a_missing_check_postpones_and_is_named(device):
    view = start(device)
    while isinstance(view.next, amparo.NextView.ASK):
        view = device.answer(view.line.id, view.next.question.item, amparo.AnswerValue.NO()
                             if isinstance(view.next.question.kind, amparo.AnswerKind.YES_NO)
                             else amparo.AnswerValue.UNKNOWN(why=amparo.UnknownReason.NOT_ASKED))
    checks = [check.id for check in view.gate_checks]
    view = device.gate(view.line.id, checks[1:])
    assert not view.gate_passed
    assert [check.id for check in view.gate_checks if check.missing] == checks[:1]
    view = device.stop(view.line.id, amparo.StopReason.UNSAFE)
    assert view.stopped == amparo.StopReason.UNSAFE and isinstance(view.next, amparo.NextView.END)


def test_back_and_show_change_nothing(device):
    view = start(device)
    first = view.next.question.item
    view = device.answer(view.line.id, first, amparo.AnswerValue.UNKNOWN(why=amparo.UnknownReason.NOT_OBSERVABLE))
    second = view.next.question.item
    assert view.previous == first
    back = device.back(view.line.id, second)
    assert back.next.question.item == first and back.next.question.answer is not None
    assert device.show(view.line.id, first).next.question.item == first
    assert device.back(view.line.id, first).next.question.item == first
    assert device.screening(view.line.id).next.question.item == second


def test_words_are_in_the_languages_of_the_screening(device):
    view = start(device, lang="en")
    assert view.next.question.prompt.lang == "en" and not view.next.question.prompt.fallback
    view = device.set_person_language(view.line.id, "es")
    assert view.said_lang == "es"
    assert {consent.said.lang for consent in view.consents} == {"es"}
    assert {consent.words.lang for consent in view.consents} == {"en"}
    view = device.set_person_language(view.line.id, "qu")
    said = [consent.said for consent in view.consents]
    assert all(words.fallback for words in said if words.lang != "qu")
    assert device.set_language(view.line.id, "es").lang == "es"


def test_lookup_needs_no_screening(device):
    found = device.lookup("trata", "CL", "es", 5)
    assert 0 < len(found.services) <= 5
    assert all(service.country == "CL" for service in found.services)
    assert device.lookup("", None, "es", 0).services == []
