"""The JSON walks of ``tests/scenarios``, led through the device of this language one call at a time.

Each call is the one that an app makes, and each screen is taken from the view that the last call returned. The
result has the form of the golden files. Not compared: ``why``, the words of the core's own errors, which do not
cross; the class of the error is.
"""

import json
import pathlib

import amparo
from amparo import (
    AnswerKind, AnswerValue, ConsentBy, ConsentPurpose, ExceptionKind, FieldError, IdentityField, NextView,
    ReferralState, ServiceKind, ShareScope, StepState, StopReason, UnknownReason,
)

CONTACTS_SHOWN = 5
STEP_MS, MOVE_MS, HOUR_MS = 10_000, 60_000, 60 * 60 * 1000


def word(enum, text):
    """``no_time`` of a file as a constant of an enum."""
    return enum[text.upper()]


def camel(constant):
    """A constant as Rust writes it."""
    return "".join(part.capitalize() for part in constant.name.split("_"))


def said(text, question):
    """What a file says to a question, as an answer."""
    if text == "yes":
        return AnswerValue.YES()
    if text == "no":
        if isinstance(question.kind, AnswerKind.YES_NO):
            return AnswerValue.NO()
        if isinstance(question.kind, AnswerKind.ANY_OF):
            return AnswerValue.CHOICES(options=[])
        return AnswerValue.UNKNOWN(why=UnknownReason.NOT_ASKED)
    if isinstance(text, str):
        return AnswerValue.UNKNOWN(why=word(UnknownReason, text))
    [(kind, value)] = text.items()
    return known(kind, value)


def known(kind, value):
    if kind == "age":
        lowest, highest = value if isinstance(value, list) else (value["from"], value["to"])
        return AnswerValue.AGE(lowest=lowest, highest=highest)
    return {
        "choice": lambda: AnswerValue.CHOICE(option=value),
        "choices": lambda: AnswerValue.CHOICES(options=value),
        "number": lambda: AnswerValue.NUMBER(value=value),
        "date": lambda: AnswerValue.DATE(date=value),
        "text": lambda: AnswerValue.TEXT(text=value),
    }[kind]()


def answer_of(written):
    """An answer in the form of a fact: ``{"known": {"number": 3}}``."""
    [(kind, value)] = written.items()
    if kind == "unknown":
        return AnswerValue.UNKNOWN(why=word(UnknownReason, value))
    if isinstance(value, str):
        return AnswerValue.YES() if value == "yes" else AnswerValue.NO()
    [(kind, value)] = value.items()
    return known(kind, value)


def written(answer):
    """An answer as golden files hold it."""
    if answer.is_UNKNOWN():
        return {"unknown": answer.why.name.lower()}
    if answer.is_YES():
        return {"known": "yes"}
    if answer.is_NO():
        return {"known": "no"}
    if answer.is_CHOICE():
        return {"known": {"choice": answer.option}}
    if answer.is_CHOICES():
        return {"known": {"choices": sorted(answer.options)}}
    if answer.is_NUMBER():
        return {"known": {"number": answer.value}}
    if answer.is_AGE():
        return {"known": {"age": {"from": answer.lowest, "to": answer.highest}}}
    if answer.is_DATE():
        return {"known": {"date": answer.date}}
    return {"known": {"text": answer.text}}


def outcomes(view):
    return [outcome.outcome.name.lower() for outcome in view.outcome.classes]


class Run:
    """One scenario on a device of its own."""

    def __init__(self, device, scenario):
        self.device, self.scenario = device, scenario
        self.person_lang = scenario.get("person_lang")
        self.answers, self.otherwise = scenario.get("answers", {}), scenario["otherwise"]
        self.view, self.last_referral, self.given = None, None, {}

    @property
    def id(self):
        return self.view.line.id

    def go(self):
        walk = self.screen(self.scenario["checklist"], None)
        moves = []
        for move in self.scenario.get("then", []):
            self.device.advance_ms(MOVE_MS)
            name, value = (move, None) if isinstance(move, str) else next(iter(move.items()))
            try:
                moves.append({"move": name, "ok": getattr(self, name)(value)})
            except FieldError as error:
                moves.append({"move": name, "error": type(error).__name__.split(".")[-1]})
        lines = self.device.screenings(0, 500).lines
        return {
            "about": self.scenario["about"],
            "walk": walk,
            "moves": moves,
            "result": json.loads(self.device.report_json(self.id)),
            "screenings": [
                {"screening": line.id, "case": line.case, "code": line.code, "memorable": line.memorable,
                 "closed": line.closed, "opened_ms": line.opened_ms}
                for line in lines
            ],
        }

    def screen(self, checklist, case):
        place = dict(self.scenario["place"])
        place["setting"] = word(amparo.Setting, place["setting"])
        self.view = self.device.start(amparo.StartRequest(
            checklist=checklist, case=case, place=amparo.PlaceRequest(**place), lang=self.scenario["lang"]))
        self.last_referral = None
        self.given = {}
        if self.person_lang is not None:
            self.view = self.device.set_person_language(self.id, self.person_lang)
        return self.walk()

    def walk(self):
        shown = []
        stop = self.scenario.get("stop_before")
        while True:
            self.device.advance_ms(STEP_MS)
            following = self.view.next
            if isinstance(following, NextView.ASK):
                question = following.question
                if stop is not None and stop[0] == question.item:
                    self.view = self.device.stop(self.id, word(StopReason, stop[1]))
                    shown.append({"stopped_before": question.item})
                    continue
                answer = said(self.answers.get(question.item, self.otherwise), question)
                position = None if question.number is None else {"number": question.number, "of": question.of}
                shown.append({"item": question.item, "position": position, "answer": written(answer)})
                self.view = self.device.answer(self.id, question.item, answer)
            elif isinstance(following, NextView.GATE):
                shown.append(self.gate())
            else:
                self.view = self.device.record_outcome(self.id)
                shown.append({"outcomes": outcomes(self.view)})
                return shown

    def gate(self):
        checks = [check.id for check in self.view.gate_checks]
        missing = self.scenario.get("gate_missing", [])
        self.view = self.device.gate(self.id, [check for check in checks if check not in missing])
        if not self.view.gate_passed:
            postponed = [check.id for check in self.view.gate_checks if check.missing]
            self.view = self.device.stop(self.id, StopReason.UNSAFE)
            return {"gate": {"postponed": postponed}}
        talk, store = self.scenario.get("talk", True), self.scenario.get("store", True)
        for purpose, agrees in [(ConsentPurpose.TALK, talk), (ConsentPurpose.STORE, store)][: 2 if talk else 1]:
            request = amparo.ConsentRequest(
                purpose=purpose, lang=self.person_lang or self.scenario["lang"], by=ConsentBy.PERSON)
            if agrees:
                self.view = self.device.consent(self.id, request).screening
            else:
                self.view = self.device.refuse_consent(self.id, request)
        if not talk:
            self.view = self.device.stop(self.id, StopReason.PERSON_STOPPED)
            return {"gate": "passed", "talk": False}
        return {"gate": "passed", "talk": True, "store": store}

    # The moves, by their names in the files.

    def advance_hours(self, hours):
        for _ in range(hours):
            self.device.advance_ms(HOUR_MS)

    def set_clock(self, at):
        self.device.set_clock(at)

    def answer(self, value):
        item, answer = value
        self.view = self.device.answer(self.id, item, answer_of(answer))
        if isinstance(self.view.next, NextView.ASK):
            return f'Item(Name("{self.view.next.question.item}"))'
        return "Gate" if isinstance(self.view.next, NextView.GATE) else "End"

    def outcome(self, _):
        self.view = self.device.record_outcome(self.id)
        return outcomes(self.view)

    def contacts(self, kinds):
        kinds = [word(ServiceKind, kind) for kind in kinds]
        found = self.device.contacts(self.id, kinds).contacts
        golden = json.loads(self.device.contacts_json(self.id, kinds, CONTACTS_SHOWN))
        # What an app is given is what the golden file holds.
        assert [offer.service.id for offer in found.offers][:CONTACTS_SHOWN] == [o["service"] for o in golden["offers"]]
        assert [out.id for out in found.excluded][:CONTACTS_SHOWN] == [out["service"] for out in golden["excluded"]]
        assert found.rung.name.lower() == golden["rung"]
        return golden

    def refer(self, service):
        offers = self.device.contacts(self.id, []).contacts.offers
        if service is None:
            if not offers:
                raise FieldError.NotFound("service")
            service = offers[0].service.id
        channels = [offer.service.channels for offer in offers if offer.service.id == service]
        channel = channels[0][0].index if channels and channels[0] else None
        offered = self.device.refer(self.id, service, channel)
        self.view, self.last_referral = offered.screening, offered.referral
        return {"referral": offered.referral, "service": service}

    def last(self):
        if self.last_referral is None:
            raise FieldError.NotFound("referral")
        return self.last_referral

    def referral(self, value):
        to = word(ReferralState, value["to"])
        self.view = self.device.move_referral(self.id, self.last(), to, value.get("reason"))

    def request(self, purpose, scope, by):
        purpose = word(ConsentPurpose, purpose)
        receiver = None
        if purpose in (ConsentPurpose.SHARE_SERVICE, ConsentPurpose.SHARE_IDENTITY) and self.last_referral is not None:
            [receiver] = [held.service for held in self.view.referrals if held.id == self.last_referral]
        return amparo.ConsentRequest(
            purpose=purpose, receiver=receiver, scope=[word(ShareScope, part) for part in scope],
            lang=self.view.said_lang, by=by)

    def consent(self, value):
        request = self.request(value["purpose"], value.get("scope", []), word(ConsentBy, value["by"]))
        given = self.device.consent(self.id, request)
        self.view = given.screening
        self.given[value["purpose"]] = given.counter
        return {"counter": given.counter}

    def refuse(self, value):
        self.view = self.device.refuse_consent(self.id, self.request(value["purpose"], [], ConsentBy.PERSON))

    def withdraw(self, purpose):
        if purpose not in self.given:
            raise FieldError.NotFound("consent")
        self.view = self.device.withdraw_consent(self.id, self.given[purpose])

    def waive(self, value):
        law = value["legal_basis"]
        self.view = self.device.waive_consent(self.id, amparo.WaiverRequest(
            purpose=word(ConsentPurpose, value["purpose"]), situation=word(ExceptionKind, value["situation"]),
            document=law["document"], place=law["place"], told=value["told"]))

    def identity(self, value):
        request = amparo.IdentityRequest(field=word(IdentityField, value["field"]), value=value["value"])
        self.view = self.device.give_identity(self.id, request)

    def packet(self, scope):
        scope = [word(ShareScope, part) for part in scope]
        return json.loads(self.device.packet(self.id, self.last(), scope, None).bytes)

    def card(self, lang):
        golden = json.loads(self.device.card_json(self.id, self.last(), lang))
        card = self.device.card(self.id, self.last(), lang)
        assert (card.memorable, card.name.text, card.display) == (golden["memorable"], golden["name"], golden["display"])
        return golden

    def step(self, value):
        state = value["state"]
        if state == "done":
            state = StepState.DONE()
        else:
            [(kind, reason)] = state.items()
            state = getattr(StepState, kind.upper())(reason=reason["reason"])
        self.view = self.device.log_step(self.id, value["step"], state)
        forbidden = [step.id for step in self.view.steps if step.obligation == amparo.Obligation.FORBIDDEN]
        return "Breach" if state.is_DONE() and value["step"] in forbidden else "Plain"

    def again(self, value):
        if value.get("answers") is not None:
            self.answers = value["answers"]
        return self.screen(value["checklist"], self.view.line.case)

    def next_person(self, value):
        self.person_lang = value.get("person_lang")
        self.answers, self.otherwise = value.get("answers", {}), value["otherwise"]
        return self.screen(self.scenario["checklist"], None)

    def lookup(self, typed):
        found = self.device.lookup(typed, None, self.scenario["lang"], CONTACTS_SHOWN)
        return {"services": [service.id for service in found.services], "more": found.more}

    def close(self, _):
        closed = self.device.close_screening(self.id)
        self.view = closed.screening
        return {"outcomes": outcomes(self.view), "keep": camel(closed.keep), "segments": closed.segments}

    def verify(self, _):
        return json.loads(self.device.verify_json())


def run(file, folder, root_json, packs):
    """The result of a scenario file, in the form of the golden files without ``why``."""
    scenario = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    assert scenario["synthetic"] is True
    request = amparo.OpenRequest(folder=str(folder), root_json=root_json)
    device = amparo.scenario_device(request, bytes([7]) * 32, scenario["at"], scenario["seed"])
    device.install_packs(packs, None)
    return Run(device, scenario).go()
