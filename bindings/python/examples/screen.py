"""One screening from start to close, with a synthetic person. Writes to a folder of its own and removes it.

    python examples/screen.py ROOT_JSON PACK...
"""

import pathlib
import secrets
import sys
import tempfile

import amparo
from amparo import AnswerKind, AnswerValue, ConsentBy, ConsentPurpose, NextView


class Keys(amparo.KeyStore):
    """Stands in for a phone's keystore: keeps the wrapping key in memory. Not for real use."""

    def __init__(self) -> None:
        self.pad = secrets.token_bytes(32)

    def wrap(self, plain: bytes) -> bytes:
        return bytes(a ^ b for a, b in zip(plain, self.pad))

    def unwrap(self, wrapped: bytes) -> bytes:
        return self.wrap(wrapped)


def answer(question: amparo.QuestionView) -> AnswerValue:
    """What the synthetic person says: an adult; yes to everything else that can be answered so."""
    if isinstance(question.kind, AnswerKind.AGE):
        return AnswerValue.AGE(lowest=30, highest=39)
    if isinstance(question.kind, AnswerKind.YES_NO):
        return AnswerValue.YES()
    return AnswerValue.UNKNOWN(why=amparo.UnknownReason.DOES_NOT_KNOW)


def screen(device: amparo.Device) -> None:
    """Leads through the first checklist and closes the screening."""
    checklist = device.checklists("es")[0]
    place = amparo.PlaceRequest(country="CL", setting=amparo.Setting.BORDER)
    view = device.start(amparo.StartRequest(checklist=checklist.id, place=place, lang="es"))
    screening = view.line.id
    print(f"{checklist.title.text}: {view.line.code} ({view.line.memorable})")
    while not isinstance(view.next, NextView.END):
        if isinstance(view.next, NextView.ASK):
            question = view.next.question
            print(f"  {question.number}/{question.of} {question.prompt.text}")
            view = device.answer(screening, question.item, answer(question))
            continue
        view = device.gate(screening, [check.id for check in view.gate_checks])
        for purpose in (ConsentPurpose.TALK, ConsentPurpose.STORE):
            request = amparo.ConsentRequest(purpose=purpose, lang=view.said_lang, by=ConsentBy.PERSON)
            view = device.consent(screening, request).screening
    view = device.record_outcome(screening)
    for outcome in view.outcome.classes:
        print(f"{outcome.title.text}: {outcome.official.text}")
    for step in view.steps[:5]:
        print(f"  - {step.title.text}")
    view = device.contacts(screening, [])
    assert view.contacts is not None
    for offer in view.contacts.offers[:3]:
        print(f"  > {offer.service.name.text}: {[channel.display for channel in offer.service.channels]}")
    closed = device.close_screening(screening)
    print(f"closed: {closed.keep.name}, {closed.segments} sealed segments")


def main(root: str, packs: "list[str]") -> None:
    """Opens, installs, screens, looks up, verifies, locks."""
    with tempfile.TemporaryDirectory() as folder:
        request = amparo.OpenRequest(folder=folder, root_json=pathlib.Path(root).read_bytes())
        with amparo.opened(request, Keys()) as device:
            device.install_packs([pathlib.Path(pack).read_bytes() for pack in packs], None)
            screen(device)
            found = device.lookup("trata", "CL", "es", 3)
            print("lookup:", [service.name.text for service in found.services])
            print("store is whole:", device.verify().whole)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
