"""What the host gives in: keystore, log, listener. They throw, block, call back, and hold nothing up."""

import threading

import pytest

import amparo
from amparo import FieldError, Proceed
from conftest import KEY, PACKS, request, start

CANARY = "CANARY-juana-perez"


class Keys(amparo.KeyStore):
    """Wraps by turning every bit; counts what it was asked."""

    def __init__(self, throws=None, gives=None):
        self.throws, self.gives, self.calls = throws, gives, []

    def _turn(self, what, given):
        self.calls.append(what)
        if self.throws is not None:
            raise self.throws
        return bytes(byte ^ 0xFF for byte in given) if self.gives is None else self.gives

    def wrap(self, plain):
        return self._turn("wrap", plain)

    def unwrap(self, wrapped):
        return self._turn("unwrap", wrapped)


def test_the_first_run_makes_the_key_and_later_ones_find_it(tmp_path):
    keys = Keys()
    device = amparo.Device.open_with_keystore(request(tmp_path), keys, None)
    device.install_packs(PACKS, None)
    screening = start(device).line.id
    device.lock()
    device.lock()
    assert device.is_locked()
    with pytest.raises(FieldError.WrongState):
        device.screening(screening)
    device.unlock_with_keystore(keys)
    device.unlock_with_keystore(keys)
    assert device.screening(screening).line.id == screening
    assert keys.calls[:2] == ["wrap", "unwrap"]
    wrapped = (tmp_path / "store.key").read_bytes()
    assert len(wrapped) == 32 and (tmp_path / "store.key").stat().st_mode & 0o077 == 0
    device.lock()
    again = amparo.Device.open(request(tmp_path), bytes(byte ^ 0xFF for byte in wrapped), None)
    assert again.verify().whole


def test_a_damaged_store_is_not_replaced_by_an_empty_one(tmp_path):
    keys, store = Keys(), tmp_path / "store.db"
    amparo.Device.open_with_keystore(request(tmp_path), keys, None).lock()
    store.write_bytes(b"XXXX" + store.read_bytes()[4:])
    for _ in range(2):
        with pytest.raises(FieldError.StoreDamaged) as caught:
            amparo.Device.open_with_keystore(request(tmp_path), keys, None)
        assert caught.value.code == "set-aside" and not store.exists()


def test_with_opened_the_device_is_locked_at_the_end(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with amparo.opened(request(tmp_path), Keys()) as device:
            1 / 0
    assert device.is_locked()


def test_a_key_in_a_bytearray_is_wiped(tmp_path):
    given = []

    class Wipeable(Keys):
        def unwrap(self, wrapped):
            given.append(bytearray(super().unwrap(wrapped)))
            return given[-1]

    keys = Wipeable()
    with amparo.opened(request(tmp_path), keys) as device:
        device.lock()
        amparo.unlock(device, keys)
        assert device.verify().whole
    with amparo.opened(request(tmp_path), keys):
        pass
    assert given == [bytearray(32)] * 2
    # Also when it opens nothing.
    for wrong in (bytearray(b"x" * 32), bytearray(b"x" * 31), bytearray()):
        keys.unwrap = lambda _, wrong=wrong: wrong
        with pytest.raises((FieldError.WrongKey, FieldError.InvalidInput)):
            amparo.unlock(device, keys)
        assert wrong == bytearray(len(wrong))
    with pytest.raises(TypeError):
        amparo.unlock(device, object())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("throws, typed", [
    (FieldError.KeyLost(), FieldError.KeyLost),
    (FieldError.NeedsUser(), FieldError.NeedsUser),
    (FieldError.WrongKey(), FieldError.WrongKey),
    (RuntimeError(CANARY), FieldError.Host),
    (KeyboardInterrupt(CANARY), FieldError.Host),
])
def test_a_keystore_that_throws(tmp_path, throws, typed):
    amparo.Device.open_with_keystore(request(tmp_path), Keys(), None).lock()
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(typed) as caught:
        amparo.Device.open_with_keystore(request(tmp_path), Keys(throws), None)
    assert CANARY not in f"{caught.value} {caught.value!r}"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert amparo.Device.open_with_keystore(request(tmp_path), Keys(), None).verify().whole


def test_a_keystore_that_gives_nonsense(tmp_path):
    for nonsense in (b"", b"x", b"x" * 33, b"x" * 100_000):
        amparo.Device.open_with_keystore(request(tmp_path / "s"), Keys(), None).lock()
        with pytest.raises(FieldError.InvalidInput):
            amparo.Device.open_with_keystore(request(tmp_path / "s"), Keys(gives=nonsense), None)
    for nonsense in (b"", b"x" * 100_000):
        with pytest.raises(FieldError.Host):
            amparo.Device.open_with_keystore(request(tmp_path / "new"), Keys(gives=nonsense), None)
    with pytest.raises(FieldError.WrongKey):
        amparo.Device.open_with_keystore(request(tmp_path / "s"), Keys(gives=b"x" * 32), None)


def test_two_first_runs_at_once_make_one_key(tmp_path):
    class Again(Keys):
        def wrap(self, plain):
            with pytest.raises(FieldError.Busy):
                amparo.Device.open_with_keystore(request(tmp_path), Keys(), None)
            return super().wrap(plain)

    amparo.Device.open_with_keystore(request(tmp_path), Again(), None).lock()
    amparo.Device.open_with_keystore(request(tmp_path), Keys(), None).lock()
    for n in range(10):
        folder, ready, seen = tmp_path / str(n), threading.Barrier(8), []

        def first_run():
            ready.wait()
            try:
                seen.append(amparo.Device.open_with_keystore(request(folder), Keys(), None))
            except (FieldError.Busy, FieldError.WrongState) as error:
                seen.append(error)

        threads = [threading.Thread(target=first_run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        made = [device for device in seen if isinstance(device, amparo.Device)]
        assert len(seen) == 8 and made
        for device in made:
            device.lock()
        # The key that is kept is the key of the store.
        assert amparo.Device.open_with_keystore(request(folder), Keys(), None).verify().whole


def test_without_the_key_file_the_store_is_not_made_anew(tmp_path):
    amparo.Device.open_with_keystore(request(tmp_path), Keys(), None).lock()
    (tmp_path / "store.key").unlink()
    store = (tmp_path / "store.db").read_bytes()
    keys = Keys()
    with pytest.raises(FieldError.KeyLost):
        amparo.Device.open_with_keystore(request(tmp_path), keys, None)
    assert keys.calls == [] and (tmp_path / "store.db").read_bytes() == store


class Lines(amparo.LogSink):
    def __init__(self, do=None):
        self.lines, self.do = [], do

    def write(self, level, code, text):
        self.lines.append((level, code, text))
        if self.do:
            self.do()


def test_the_log_holds_codes_and_nothing_said(folder):
    log = Lines()
    device = amparo.Device.open(request(folder), KEY, log)
    view = start(device)
    for bad in (CANARY.lower(), view.next.question.item):
        with pytest.raises(FieldError):
            device.answer(view.line.id, bad, amparo.AnswerValue.TEXT(text=CANARY))
    device.lock()
    assert (amparo.LogLevel.INFO, "opened", "findings 0") == log.lines[0]
    assert [line[1:] for line in log.lines if line[0] == amparo.LogLevel.WARN][0] == ("no-such-item", "answer")
    assert "juana" not in repr(log.lines).lower()


def test_a_log_that_throws_or_calls_back(folder):
    def boom():
        raise RuntimeError(CANARY)

    device = amparo.Device.open(request(folder), KEY, Lines(boom))
    with pytest.raises(FieldError.NotFound):
        device.screening("00" * 16)
    device.lock()
    log = Lines()
    device = amparo.Device.open(request(folder), KEY, log)
    screening = start(device).line.id

    def call_back():
        if len(log.lines) < 20:
            assert device.screening(screening).line.id == screening
            with pytest.raises(FieldError):
                device.screening("00" * 16)

    log.do = call_back
    with pytest.raises(FieldError.NotFound):
        device.screening("11" * 16)
    # A host may even lock from within.
    log.do = lambda: None if device.is_locked() else device.lock()
    with pytest.raises(FieldError.NotFound):
        device.screening("11" * 16)
    assert device.is_locked()


class Listener(amparo.ProgressListener):
    def __init__(self, do):
        self.do, self.heard = do, []

    def progress(self, done, total):
        self.heard.append((done, total))
        return self.do(done)


def test_a_listener_hears_stops_throws_and_calls_back(tmp_path):
    device = amparo.Device.create(request(tmp_path), KEY, None)
    stop = Listener(lambda done: Proceed.STOP if done == 3 else Proceed.GO_ON)
    with pytest.raises(FieldError.Interrupted):
        device.install_packs(PACKS, stop)
    assert stop.heard == [(n, len(PACKS)) for n in range(4)] and device.diagnostics().packs == 3

    def boom(_):
        raise RuntimeError(CANARY)

    with pytest.raises(FieldError.Host) as caught:
        device.install_packs(PACKS, Listener(boom))
    assert CANARY not in f"{caught.value} {caught.value!r}"
    back = Listener(lambda done: Proceed.GO_ON if device.diagnostics().packs >= min(done, 3) else Proceed.STOP)
    assert len(device.install_packs(PACKS, back)) == len(PACKS)
    assert device.verify().whole


def test_another_thread_cancels_and_a_blocked_listener_holds_nobody_up(tmp_path):
    device = amparo.Device.create(request(tmp_path), KEY, None)
    reached, cancelled = threading.Event(), threading.Event()

    def wait(done):
        if done == 2:
            reached.set()
            assert cancelled.wait(30)
            return Proceed.STOP
        return Proceed.GO_ON

    caught = []

    def install():
        try:
            device.install_packs(PACKS, Listener(wait))
        except FieldError as error:
            caught.append(error)

    thread = threading.Thread(target=install)
    thread.start()
    assert reached.wait(30)
    assert device.diagnostics().packs == 2 and device.verify().whole
    cancelled.set()
    thread.join(30)
    assert [type(error) for error in caught] == [FieldError.Interrupted]
    assert device.diagnostics().packs == 2


def test_sixteen_threads(folder):
    device = amparo.Device.open(request(folder), KEY, None)
    faults, done = [], []

    def work(n):
        try:
            view = start(device)
            for _ in range(5):
                question = view.next.question
                view = device.answer(view.line.id, question.item, amparo.AnswerValue.UNKNOWN(why=amparo.UnknownReason.NOT_OBSERVABLE))
                # The view is of this screening and of this moment, whatever the others do.
                assert view.previous == question.item
                device.lookup("trata", None, "es", 2)
            done.append(view.line.id)
        except BaseException as error:  # noqa: B036
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults and len(set(done)) == 16
    assert device.screenings(0, 500).total == 16 and device.verify().whole


def test_locking_while_others_work(folder):
    device = amparo.Device.open(request(folder), KEY, None)
    screening = start(device).line.id
    stop, kinds = threading.Event(), set()

    def work():
        while not stop.is_set():
            try:
                device.screening(screening)
                kinds.add("ok")
            except FieldError as error:
                kinds.add(type(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        device.lock()
        device.unlock(KEY)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert kinds <= {"ok", FieldError.WrongState}
    assert device.screening(screening).line.id == screening and device.verify().whole
