"""Sync with a headquarters in memory, and with transports that throw, lie, block, call back, and come by the dozen."""

import threading

import pytest

import amparo
from amparo import FieldError, FrameRefusal, Proceed, SyncEnd, SyncLevel, TransportError
from conftest import KEY, PLACE, RECIPIENTS, consent_request, request, start, to_the_end
from table import CANARY, Line, clean

#: By the clock of headquarters, which stands: 2026-11-22.
NOW_MS = 1_795_330_800_000
#: Headquarters has it, and nothing that breaks there loses it.
SAFE = {SyncLevel.DURABLE, SyncLevel.DELIVERED}


class Field:
    """An enrolled device that knows the demonstration agencies, with a closed screening that was referred to one."""

    def __init__(self, device):
        self.device, self.hq = device, amparo.Headquarters()
        device.install_pack(RECIPIENTS)
        device.enrolled(self.hq.enrol(device.enrolment_request(self.hq.ticket())))
        self.line = Line(self.hq.exchange)
        view = to_the_end(device, start(device, "four-questions"))
        self.id, self.case = view.line.id, view.line.case
        device.record_outcome(self.id)
        self.referral = device.refer(self.id, "cl-sernameg-shelter", None).referral
        device.close_screening(self.id)
        device.move_referral(self.id, self.referral, amparo.ReferralState.SENT, None)

    def level(self):
        [line] = [line for line in self.device.sync_state().screenings if line.id == self.id]
        return line.level

    def sync(self, transport=None, listener=None):
        return self.device.sync(transport or self.line, listener)


@pytest.fixture
def field(device):
    return Field(device)


class Listener(amparo.ProgressListener):
    def __init__(self, do=lambda done: Proceed.GO_ON):
        self.do, self.heard = do, []

    def progress(self, done, total):
        self.heard.append((done, total))
        return self.do(done)


def works(field):
    assert field.device.verify().whole
    assert isinstance(field.sync().end, SyncEnd.DONE)
    assert field.device.sync_state().waiting == 0


def test_from_enrolment_to_an_answer(device):
    hq = amparo.Headquarters()
    with pytest.raises(FieldError.WrongState) as caught:
        device.sync(Line(), None)
    assert caught.value.code == "not-enrolled" and device.enrolment() is None
    with pytest.raises(FieldError.WrongState) as caught:
        device.enrolled(b"")
    assert caught.value.code == "enrolment-not-asked"
    field = Field(device)
    enrolment = device.enrolment()
    assert (enrolment.agency, enrolment.url, enrolment.since_ms) == ("synthetic-agency", "http://127.0.0.1/", NOW_MS)
    assert len(enrolment.device) == 32
    # Another headquarters' certificate, or this one's for another device.
    with pytest.raises(FieldError.InvalidInput):
        device.enrolled(hq.enrol(device.enrolment_request(hq.ticket()))[:-2] + b"\0\0")
    state = device.sync_state()
    assert field.level() == SyncLevel.SEALED and state.waiting > 0 and state.contact_ms is None
    listener = Listener()
    report = field.sync(listener=listener)
    assert isinstance(report.end, SyncEnd.DONE) and report.receipts > 0 and not report.aside and not report.refused
    assert listener.heard == [(n, 0) for n in range(report.exchanges + 1)]
    assert report.up_bytes == sum(len(upload) for upload in field.line.uploads)
    state = device.sync_state()
    assert field.level() in SAFE and state.waiting == 0 and state.contact_ms is not None
    assert (state.agency, state.follow_ups, state.aside, state.revoked_ms) == ("synthetic-agency", [], 0, None)
    field.hq.answer(field.referral, amparo.ReferralState.ACCEPTED)
    field.hq.ask(field.case, "synthetic follow-up")
    assert field.sync().entries == 2
    assert field.level() == SyncLevel.ANSWERED
    [referral] = device.screening(field.id).referrals
    assert referral.state == amparo.ReferralState.ACCEPTED
    [letter] = device.sync_state().follow_ups
    assert (letter.text, letter.case, letter.agency) == ("synthetic follow-up", field.case, "demo-agency-chile")
    works(field)


def test_a_ticket_says_where_and_leads_nowhere_else(device):
    for url in ("https://hq.example:8443/amparo", "http://127.0.0.1:8443"):
        assert device.ticket_url(amparo.Headquarters.at(url).ticket()) == url
    away = amparo.Headquarters.at("http://hq.example").ticket()
    for ask in (device.ticket_url, device.enrolment_request):
        for ticket, code in ((away, "address"), (away[:-1], "form"), ("https://hq.example", "form")):
            with pytest.raises(FieldError.InvalidInput) as caught:
                ask(ticket)
            assert (caught.value.field, caught.value.code) == ("ticket", code)
            clean(caught.value)
    # To ask where is to ask for nothing: there is no request to answer.
    with pytest.raises(FieldError.WrongState) as caught:
        device.enrolled(b"")
    assert caught.value.code == "enrolment-not-asked"


def test_by_files(field):
    for _ in range(2):
        volumes = field.device.export_bundle()
        assert len({volume.name for volume in volumes}) == len(volumes) >= 1
        for volume in volumes:
            for replies in field.hq.carry(volume.bytes):
                seen = field.device.import_bundle(replies)
                again = field.device.import_bundle(replies)
                assert seen.replies == again.replies > 0 and again.receipts == again.entries == 0
    assert field.level() in SAFE
    works(field)


def test_a_revoked_device_is_told_and_wiped(field):
    open_ = start(field.device, "four-questions").line.id
    field.sync()
    field.hq.revoke()
    field.sync()
    assert field.device.sync_state().revoked_ms == NOW_MS
    wiped = field.device.wipe()
    assert (wiped.screenings, wiped.failed) == (2, 0)
    for id_ in (field.id, open_):
        with pytest.raises(FieldError.NotFound) as caught:
            field.device.screening(id_)
        assert caught.value.what == "purged"
    assert field.device.screenings(0, 9).total == 2 and field.device.wipe().screenings == 0
    # What is sealed is still sent, and kept aside there.
    report = field.sync()
    assert {line.why for line in report.refused} == {FrameRefusal.REVOKED} and report.refused[0].times > 0
    assert field.device.verify().whole and start(field.device).line.id


ENDS = [
    (b"", SyncEnd.STUCK), (b"\0" * 20_000_000, SyncEnd.STUCK), (CANARY.encode(), SyncEnd.STUCK), (CANARY, SyncEnd.STUCK), (b"\xf6" * 20_000_000, SyncEnd.STUCK),
    (TransportError.Offline(), SyncEnd.OFFLINE), (TransportError.Refused(code=503), SyncEnd.REFUSED),
    (TransportError.Cut(replies=b""), SyncEnd.CUT), (TransportError.Cut(replies=b"\x82" * 1000), SyncEnd.CUT),
]


@pytest.mark.parametrize("gives, end", ENDS, ids=[str(n) for n in range(len(ENDS))])
def test_how_it_ends(field, gives, end):
    report = field.sync(Line(gives))
    assert isinstance(report.end, end) and report.receipts == report.entries == 0
    if end is SyncEnd.REFUSED:
        assert report.end.code == 503
    assert field.level() == (SyncLevel.SEALED if end in (SyncEnd.OFFLINE, SyncEnd.REFUSED) else SyncLevel.SENT)
    works(field)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("gives", [RuntimeError(CANARY), KeyboardInterrupt(CANARY), FieldError.DiskFull(), TransportError.Failed(),
                                   TransportError.Refused(code=2**16), 1.5, None], ids=str)
def test_what_no_transport_should_do(field, gives):
    with pytest.raises(FieldError.Host) as caught:
        field.sync(Line(gives))
    assert caught.value.code == "transport"
    clean(caught.value)
    works(field)


def test_replies_that_are_cut_anywhere(field):
    whole = []
    field.sync(Line(lambda upload: whole.append(field.hq.exchange(upload)) or b""))
    for at in range(0, len(whole[0]), max(1, len(whole[0]) // 40)):
        assert isinstance(field.sync(Line(TransportError.Cut(replies=whole[0][:at]))).end, SyncEnd.CUT)
    # Changed on the way: nothing of it is believed.
    for at in range(0, len(whole[0]), max(1, len(whole[0]) // 40)):
        changed = bytearray(whole[0])
        changed[at] ^= 0xFF
        field.sync(Line(bytes(changed)))
    works(field)


def test_a_listener_stops_and_throws(field):
    report = field.sync(listener=Listener(lambda done: Proceed.STOP))
    assert isinstance(report.end, SyncEnd.STOPPED) and report.exchanges == 0 and not field.line.uploads
    report = field.sync(listener=Listener(lambda done: Proceed.STOP if done else Proceed.GO_ON))
    assert isinstance(report.end, SyncEnd.STOPPED) and report.exchanges == 1 == len(field.line.uploads)

    def boom(done):
        if done == at:
            raise RuntimeError(CANARY)
        return Proceed.GO_ON

    for at in (0, 1):
        with pytest.raises(FieldError.Host) as caught:
            field.sync(listener=Listener(boom))
        assert caught.value.code == "callback"
        clean(caught.value)
    works(field)


def test_a_blocked_transport_holds_nobody_up_and_another_thread_cancels(field):
    reached, released, cancelled = threading.Event(), threading.Event(), threading.Event()

    def block(upload):
        reached.set()
        assert released.wait(60)
        return field.hq.exchange(upload)

    seen = []
    listener = Listener(lambda done: Proceed.STOP if cancelled.is_set() else Proceed.GO_ON)
    thread = threading.Thread(target=lambda: seen.append(field.sync(Line(block), listener)))
    thread.start()
    assert reached.wait(60)
    # Meanwhile a screening from its beginning to its end, and another sync.
    other = to_the_end(field.device, start(field.device, "four-questions")).line.id
    field.device.record_outcome(other)
    field.device.close_screening(other)
    assert field.device.verify().whole and isinstance(field.sync().end, SyncEnd.DONE)
    cancelled.set()
    released.set()
    thread.join(60)
    assert [type(report.end) for report in seen] == [SyncEnd.STOPPED]
    works(field)


def test_a_transport_that_calls_back(field):
    device, inner = field.device, []

    def back(upload):
        view = start(device, "four-questions")
        device.answer(view.line.id, view.next.question.item, amparo.AnswerValue.UNKNOWN(why=amparo.UnknownReason.NOT_OBSERVABLE))
        assert device.verify().whole and device.sync_state().waiting >= 0
        if len(inner) < 3:
            inner.append(None)
            device.sync(Line(back), None)
            device.purge_due()
            device.export_bundle()
        return field.hq.exchange(upload)

    # The replies of the outer one are old by then.
    assert isinstance(field.sync(Line(back)).end, (SyncEnd.DONE, SyncEnd.STUCK)) and len(inner) == 3
    works(field)


def test_locking_from_within(field, folder):
    def lock(upload):
        field.device.lock()
        field.device.lock()
        assert field.device.is_locked()
        with pytest.raises(FieldError.WrongState):
            field.device.sync_state()
        # The store is still held by the sync that runs.
        with pytest.raises(FieldError.Busy):
            field.device.unlock(KEY)
        return field.hq.exchange(upload)

    with pytest.raises(FieldError.WrongState) as caught:
        field.sync(Line(lock))
    assert caught.value.code == "locked"
    field.device.unlock(KEY)
    # What came after the lock was not applied; it comes again.
    assert field.level() == SyncLevel.SEALED
    works(field)
    with pytest.raises(FieldError.WrongState):
        field.sync(Line(lock), Listener(lambda done: field.device.lock() or Proceed.GO_ON))
    field.device.unlock(KEY)
    works(field)
    field.device.lock()
    assert amparo.Device.open(request(folder), KEY, None).verify().whole


def test_sixteen_threads(field):
    faults, ends = [], []

    def work(n):
        try:
            view = to_the_end(field.device, start(field.device, "four-questions"))
            field.device.record_outcome(view.line.id)
            field.device.close_screening(view.line.id)
            for _ in range(3):
                ends.append(type(field.sync(Line(field.hq.exchange)).end))
        except BaseException as error:  # noqa: B036
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not faults and len(ends) == 48
    works(field)
    assert {line.level for line in field.device.sync_state().screenings} <= SAFE
    assert not field.device.sync_state().aside


def test_consent_withdrawn_after_it_was_sent_is_sent(field):
    field.sync()
    counter = field.device.consent(field.id, consent_request(amparo.ConsentPurpose.STATISTICS)).counter
    field.sync()
    field.device.withdraw_consent(field.id, counter)
    before = len(field.line.uploads)
    field.sync()
    assert len(field.line.uploads) > before
    works(field)
    assert PLACE.country == "CL" and field.device.screening(field.id).line.closed
