"""A device for each test, on the content of this checkout and on the library with the feature `testing`.

`cargo xtask bindings` makes that library; without it nothing here can run, and pytest says so.
"""

import os
import pathlib
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]
MADE = pathlib.Path(os.environ.get("AMPARO_PYTHON", ROOT / "target/bindings/testing/python"))
if not (MADE / "amparo/amparo.py").exists():
    pytest.exit(f"no library in {MADE}: cargo xtask bindings", returncode=2)
sys.path.insert(0, str(MADE))

import amparo  # noqa: E402

KEY = bytes(range(32))
ROOT_JSON = (ROOT / "content/keys/root.json").read_bytes()
# As the shell's scenarios: of one device, without recipients.
FILES = sorted(path for path in (ROOT / "content/packs").glob("*.pack") if not path.name.startswith("recipients-"))
PACKS = [path.read_bytes() for path in FILES]
#: Who may read what goes to headquarters: a demonstration agency among them.
RECIPIENTS = (ROOT / "content/packs/recipients-americas-demo.pack").read_bytes()
PLACE = amparo.PlaceRequest(country="CL", post="cl-los-libertadores", area="CL-VS", setting=amparo.Setting.BORDER)


def request(folder) -> amparo.OpenRequest:
    return amparo.OpenRequest(folder=str(folder), root_json=ROOT_JSON)


@pytest.fixture(scope="session")
def filled(tmp_path_factory) -> pathlib.Path:
    """A folder with a store on which every pack is installed."""
    folder = tmp_path_factory.mktemp("filled")
    device = amparo.Device.create(request(folder), KEY, None)
    device.install_packs(PACKS, None)
    device.lock()
    return folder


@pytest.fixture
def folder(filled, tmp_path) -> pathlib.Path:
    """A copy of that folder."""
    copy = tmp_path / "store"
    shutil.copytree(filled, copy)
    return copy


@pytest.fixture
def device(folder):
    amparo.set_fail_point(None)
    device = amparo.Device.open(request(folder), KEY, None)
    yield device
    amparo.set_fail_point(None)
    device.lock()


def start(device, checklist="ilo-adult-labour", lang="es"):
    return device.start(amparo.StartRequest(checklist=checklist, place=PLACE, lang=lang))


def consent_request(purpose, receiver=None, scope=(), lang="es", by=amparo.ConsentBy.PERSON):
    return amparo.ConsentRequest(purpose=purpose, receiver=receiver, scope=list(scope), lang=lang, by=by)


def an_answer(question):
    """An answer that fits the question."""
    kind = question.kind
    if isinstance(kind, amparo.AnswerKind.YES_NO):
        return amparo.AnswerValue.YES()
    if isinstance(kind, amparo.AnswerKind.ONE_OF):
        return amparo.AnswerValue.CHOICE(option=kind.options[0].id)
    if isinstance(kind, amparo.AnswerKind.ANY_OF):
        return amparo.AnswerValue.CHOICES(options=[kind.options[0].id])
    if isinstance(kind, amparo.AnswerKind.NUMBER):
        return amparo.AnswerValue.NUMBER(value=kind.max)
    if isinstance(kind, amparo.AnswerKind.AGE):
        return amparo.AnswerValue.AGE(lowest=30, highest=39)
    if isinstance(kind, amparo.AnswerKind.DATE):
        return amparo.AnswerValue.DATE(date="2026-11-22")
    if isinstance(kind, amparo.AnswerKind.SHORT_TEXT):
        return amparo.AnswerValue.TEXT(text="synthetic")
    raise AssertionError(kind)


def to_the_end(device, view, answer=an_answer):
    """Leads a screening to the end of its questions; counts the calls."""
    calls = 0
    while not isinstance(view.next, amparo.NextView.END):
        calls += 1
        assert calls < 700
        if isinstance(view.next, amparo.NextView.ASK):
            question = view.next.question
            view = device.answer(view.line.id, question.item, answer(question))
            continue
        view = device.gate(view.line.id, [check.id for check in view.gate_checks])
        for purpose in (amparo.ConsentPurpose.TALK, amparo.ConsentPurpose.STORE):
            view = device.consent(view.line.id, consent_request(purpose)).screening
    return view


@pytest.fixture
def lit(device, folder, filled):
    """A screening that has come to its end, and what every function takes."""
    from table import Keys, Lit

    shutil.copytree(filled, folder.parent / "copied")
    (folder.parent / "copied/store.key").write_bytes(Keys().wrap(KEY))
    return Lit(device, folder)
