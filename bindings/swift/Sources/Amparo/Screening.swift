import AmparoCore
import Foundation

/// One screening, and a stream of what to draw. Got from `AmparoDevice.start` or `AmparoDevice.screening`; holds
/// nothing that must be closed.
///
/// Every method records (or shows) something, keeps the new view, sends it to `views`, and returns it. When it
/// returns, it is on disk. Calls run one after the other in the order in which they were made. All throw
/// `FieldError`; then nothing was recorded and `view` is as it was.
///
/// Take one `Screening` for a screen and share it: two of the same screening do not hear of each other until
/// `refresh`.
public final class Screening: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    /// Its id: random, may be logged and kept for restoring the app's state.
    public let id: ScreeningId

    private let device: AmparoDevice
    private let turn = NSLock()
    private var shown: ScreeningView
    private var listeners: [UUID: AsyncStream<ScreeningView>.Continuation] = [:]

    init(_ device: AmparoDevice, _ view: ScreeningView) {
        self.device = device
        id = view.line.id
        shown = view
    }

    deinit {
        for listener in listeners.values { listener.finish() }
    }

    /// What to draw now. Never log it: it shows what a person said.
    public var view: ScreeningView {
        turn.lock()
        defer { turn.unlock() }
        return shown
    }

    /// What to draw now and whenever it changes. A reader that is slow is given the newest only. The stream ends
    /// when the screening is let go, or its reader is cancelled. Each reader takes a stream of its own.
    public var views: AsyncStream<ScreeningView> {
        AsyncStream(ScreeningView.self, bufferingPolicy: .bufferingNewest(1)) { continuation in
            let reader = UUID()
            continuation.onTermination = { [weak self] _ in self?.forget(reader) }
            remember(reader, continuation)
        }
    }

    private func remember(_ reader: UUID, _ continuation: AsyncStream<ScreeningView>.Continuation) {
        turn.lock()
        defer { turn.unlock() }
        listeners[reader] = continuation
        continuation.yield(shown)
    }

    private func forget(_ reader: UUID) {
        turn.lock()
        let gone = listeners.removeValue(forKey: reader)
        turn.unlock()
        _ = gone
    }

    private func show(_ view: ScreeningView) {
        turn.lock()
        defer { turn.unlock() }
        shown = view
        for listener in listeners.values { listener.yield(view) }
    }

    /// Reads it again: after `AmparoDevice.unlock`, or when another `Screening` of the same id changed it.
    @discardableResult
    public func refresh() async throws -> ScreeningView { try await change { try $0.screening(id: $1) } }

    /// Shows this item instead of the one that comes next, to correct an answer. Records nothing.
    @discardableResult
    public func show(item: Name) async throws -> ScreeningView { try await change { try $0.show(id: $1, item: item) } }

    /// Goes back from what is shown. At the beginning the same is shown. Records nothing.
    @discardableResult
    public func back() async throws -> ScreeningView {
        try await change { [self] device, id in
            var item: Name?
            if case .ask(let question) = view.next { item = question.item }
            return try device.back(id: id, item: item)
        }
    }

    /// Records an answer. The last answer to an item counts, earlier ones stay in the history.
    @discardableResult
    public func answer(_ item: Name, _ answer: AnswerValue) async throws -> ScreeningView {
        try await change { try $0.answer(id: $1, item: item, answer: answer) }
    }

    /// Records a try of the safe-interview gate with these checks confirmed.
    @discardableResult
    public func gate(confirmed: [Name]) async throws -> ScreeningView {
        try await change { try $0.gate(id: $1, confirmed: confirmed) }
    }

    /// Changes the official's language.
    @discardableResult
    public func setLanguage(_ lang: Lang) async throws -> ScreeningView {
        try await change { try $0.setLanguage(id: $1, lang: lang) }
    }

    /// Chooses the person's language: that of the words that are said.
    @discardableResult
    public func setPersonLanguage(_ lang: Lang) async throws -> ScreeningView {
        try await change { try $0.setPersonLanguage(id: $1, lang: lang) }
    }

    /// Stops the talk. What is known stays; to go on, pass the gate again.
    @discardableResult
    public func stop(_ reason: StopReason) async throws -> ScreeningView {
        try await change { try $0.stop(id: $1, reason: reason) }
    }

    /// Records the outcome as the answers stand. Call it when `next` is the end: deadlines begin here.
    @discardableResult
    public func recordOutcome() async throws -> ScreeningView { try await change { try $0.recordOutcome(id: $1) } }

    /// Logs a step. A forbidden step that was done is a breach: show the official that it will be recorded as one,
    /// and then record it.
    @discardableResult
    public func logStep(_ step: Name, _ state: StepState) async throws -> ScreeningView {
        try await change { try $0.logStep(id: $1, step: step, state: state) }
    }

    /// Records that the person agreed. The counter in the result is what `withdrawConsent` takes.
    @discardableResult
    public func consent(_ request: ConsentRequest) async throws -> ConsentGivenView {
        try await step({ try $0.consent(id: $1, request: request) }, shows: { $0.screening })
    }

    /// Records that the person did not agree.
    @discardableResult
    public func refuseConsent(_ request: ConsentRequest) async throws -> ScreeningView {
        try await change { try $0.refuseConsent(id: $1, request: request) }
    }

    /// Withdraws the consent that was recorded under this counter. Works after closing too.
    @discardableResult
    public func withdrawConsent(counter: UInt64) async throws -> ScreeningView {
        try await change { try $0.withdrawConsent(id: $1, counter: counter) }
    }

    /// Records that the law lets something go ahead without consent.
    @discardableResult
    public func waiveConsent(_ request: WaiverRequest) async throws -> ScreeningView {
        try await change { try $0.waiveConsent(id: $1, request: request) }
    }

    /// Fills `contacts` of the view: who takes this person, now, from here. Kinds best first; none for any.
    @discardableResult
    public func contacts(_ kinds: [ServiceKind] = []) async throws -> ScreeningView {
        try await change { try $0.contacts(id: $1, kinds: kinds) }
    }

    /// Offers a referral to a service, by the `index` of one of its channels.
    @discardableResult
    public func refer(to service: Name, channel: UInt32?) async throws -> ReferralOfferedView {
        try await step({ try $0.refer(id: $1, service: service, channel: channel) }, shows: { $0.screening })
    }

    /// Moves a referral on, to one of its `mayBecome`. Declined, rejected and revoked need a reason.
    @discardableResult
    public func moveReferral(
        _ referral: ReferralId, to state: ReferralState, reason: String? = nil
    ) async throws -> ScreeningView {
        try await change { try $0.moveReferral(id: $1, referral: referral, to: state, reason: reason) }
    }

    /// Records who the person is, only at referral and with consent to share identity. Never shown again.
    @discardableResult
    public func giveIdentity(_ request: IdentityRequest) async throws -> ScreeningView {
        try await change { try $0.giveIdentity(id: $1, request: request) }
    }

    /// The packet for the service of a referral, sealed for the recipient (64 hexadecimal digits) if there is one.
    /// Hand its bytes over, and keep no copy.
    public func packet(_ referral: ReferralId, scope: [ShareScope], recipient: Hash? = nil) async throws -> PacketView {
        let id = self.id
        return try await device.inTurn {
            try $0.packet(id: id, referral: referral, scope: scope, recipient: recipient)
        }
    }

    /// The card for the person: the memorable code and the contact, nothing else.
    public func card(_ referral: ReferralId, lang: Lang) async throws -> CardView {
        let id = self.id
        return try await device.inTurn { try $0.card(id: id, referral: referral, lang: lang) }
    }

    /// Closes and seals it. Without consent to storing everything but the outcome is erased; `keep` says what was
    /// kept, to tell the person.
    @discardableResult
    public func close() async throws -> ClosedView {
        try await step({ try $0.closeScreening(id: $1) }, shows: { $0.screening })
    }

    /// Its id; nothing of a person.
    public var description: String { "Screening(\(id))" }

    /// Nothing of a person.
    public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

    private func change(
        _ work: @escaping @Sendable (Device, ScreeningId) throws -> ScreeningView
    ) async throws -> ScreeningView {
        try await step(work, shows: { $0 })
    }

    private func step<T: Sendable>(
        _ work: @escaping @Sendable (Device, ScreeningId) throws -> T,
        shows: @escaping @Sendable (T) -> ScreeningView
    ) async throws -> T {
        try await device.inTurn { [self] device in
            let result = try work(device, id)
            // Here and not in the caller's task: the last view that is shown is the newest.
            show(shows(result))
            return result
        }
    }
}
