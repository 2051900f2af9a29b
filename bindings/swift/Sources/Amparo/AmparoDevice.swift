import AmparoCore
import Foundation

/// The device: one for the life of the process. The generated `Device` blocks; everything here suspends instead and
/// may be called from the main actor.
///
/// ```swift
/// let device = try await AmparoDevice.open(request, keystore: keystore)
/// let place = PlaceRequest(country: "CL", setting: .border)
/// let screening = try await device.start(StartRequest(checklist: "ilo-adult-labour", place: place, lang: "es"))
/// for await view in screening.views { draw(view) }
/// ```
///
/// Every method throws `FieldError`, by what the caller can do, and nothing else. No field of one holds a text of a
/// person, so errors may be logged; views and requests may not. Cancelling a task does not undo what it called, and
/// only `installPacks` and `sync` end early.
public final class AmparoDevice: Sendable, CustomStringConvertible {
    private let device: Device
    private let blocking = Blocking()

    /// Takes a device that was made otherwise, as the tests do.
    public init(_ device: Device) {
        self.device = device
    }

    /// Opens the store with the key that the app's keystore unwraps; at the first run draws the key, has it wrapped,
    /// and makes the store. What an app calls.
    public static func open(
        _ request: OpenRequest, keystore: KeyStore, log: LogSink? = nil
    ) async throws -> AmparoDevice {
        try await made { try Device.openWithKeystore(request: request, keystore: keystore, log: log) }
    }

    /// Opens the store with this key, and wipes the key.
    public static func open(_ request: OpenRequest, key: StoreKey, log: LogSink? = nil) async throws -> AmparoDevice {
        try await made {
            defer { key.wipe() }
            return try key.lend { try Device.open(request: request, key: $0, log: log) }
        }
    }

    /// Makes a new store with this key, and wipes the key.
    public static func create(_ request: OpenRequest, key: StoreKey, log: LogSink? = nil) async throws -> AmparoDevice {
        try await made {
            defer { key.wipe() }
            return try key.lend { try Device.create(request: request, key: $0, log: log) }
        }
    }

    private static func made(_ work: @escaping @Sendable () throws -> Device) async throws -> AmparoDevice {
        AmparoDevice(try await Blocking().atOnce(work))
    }

    /// True between `lock` and `unlock`. May wait for an `unlock` that is running.
    public var isLocked: Bool { device.isLocked() }

    /// Closes the store and wipes its key from memory, once running calls have ended. Call it when the app goes to
    /// the background or the phone locks. Until `unlock` every call throws `WrongState` with `locked`.
    public func lock() async throws { try await atOnce { try $0.lock() } }

    /// Opens the store again after `lock` with the key that the app's keystore unwraps.
    public func unlock(keystore: KeyStore) async throws {
        try await atOnce { try $0.unlockWithKeystore(keystore: keystore) }
    }

    /// Opens the store again after `lock`, and wipes the key.
    public func unlock(key: StoreKey) async throws {
        try await atOnce { device in
            defer { key.wipe() }
            try key.lend { try device.unlock(key: $0) }
        }
    }

    /// Writes everything home and lets go of what can be read again. Call it when memory is short.
    public func rest() async throws { try await atOnce { try $0.rest() } }

    /// Verifies a pack and installs it.
    @discardableResult
    public func installPack(_ bytes: Data) async throws -> InstalledView {
        try await atOnce { try $0.installPack(bytes: bytes) }
    }

    /// Installs packs one after the other. `progress` hears how many of how many are done, on a background thread.
    /// Cancelling the task ends it with `FieldError.Interrupted`; what was installed before stays.
    @discardableResult
    public func installPacks(
        _ packs: [Data], progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> [InstalledView] {
        let listener = CancellableListener(progress)
        return try await withTaskCancellationHandler {
            try await atOnce { try $0.installPacks(packs: packs, listener: listener) }
        } onCancel: {
            listener.cancel()
        }
    }

    /// Every pack on the device, those in use first.
    public func packs(lang: Lang) async throws -> [PackView] { try await atOnce { try $0.packs(lang: lang) } }

    /// The checklists that may be offered.
    public func checklists(lang: Lang) async throws -> [ChecklistView] {
        try await atOnce { try $0.checklists(lang: lang) }
    }

    /// The posts and crossings of the policy for this country.
    public func posts(country: Country) async throws -> [PostView] {
        try await atOnce { try $0.posts(country: country) }
    }

    /// Opens a screening on the packs in use, and a case unless one is given.
    public func start(_ request: StartRequest) async throws -> Screening {
        Screening(self, try await inTurn { try $0.start(request: request) })
    }

    /// A screening as it stands.
    public func screening(_ id: ScreeningId) async throws -> Screening {
        Screening(self, try await inTurn { try $0.screening(id: id) })
    }

    /// A page of the list, newest first: at most 500 lines after the first `skip`.
    public func screenings(skip: UInt32 = 0, most: UInt32 = 100) async throws -> ScreeningListView {
        try await atOnce { try $0.screenings(skip: skip, most: most) }
    }

    /// Services as typed, accents and case ignored; at most 200. Needs no screening.
    public func lookup(_ typed: String, country: Country?, lang: Lang, most: UInt32 = 20) async throws -> LookupView {
        try await atOnce { try $0.lookup(typed: typed, country: country, lang: lang, most: most) }
    }

    /// The request to be enrolled by a ticket: text of a QR code, a file or a message. Carry it to headquarters;
    /// `enrolled` takes what comes back. Never log a ticket.
    public func enrolmentRequest(_ ticket: String) async throws -> Data {
        try await atOnce { try $0.enrolmentRequest(ticket: ticket) }
    }

    /// The address of the headquarters that gave this ticket; where to POST the request stands in
    /// `bindings/README.md`.
    public func ticketUrl(_ ticket: String) async throws -> String {
        try await atOnce { try $0.ticketUrl(ticket: ticket) }
    }

    /// Takes the certificate that headquarters gave for the last request.
    @discardableResult
    public func enrolled(_ certificate: Data) async throws -> EnrolmentView {
        try await atOnce { try $0.enrolled(bytes: certificate) }
    }

    /// The headquarters to which this device belongs; none before enrolment.
    public func enrolment() async throws -> EnrolmentView? { try await atOnce { try $0.enrolment() } }

    /// Sends what headquarters lacks and fetches what it has, then purges what is due. `transport` is called on a
    /// background thread with no lock held. One that fails is no error: the report says so. `progress` hears how many
    /// exchanges are over. Cancelling the task ends the sync after the exchange that runs, with `.stopped`; a
    /// transport that waits must be ended by its owner.
    @discardableResult
    public func sync(
        _ transport: Transport, progress: (@Sendable (Int) -> Void)? = nil
    ) async throws -> SyncReportView {
        let listener = CancellableListener { exchanges, _ in progress?(exchanges) }
        return try await withTaskCancellationHandler {
            try await atOnce { try $0.sync(transport: transport, listener: listener) }
        } onCancel: {
            listener.cancel()
        }
    }

    /// How sync stands, for all screenings at once.
    public func syncState() async throws -> SyncStateView { try await atOnce { try $0.syncState() } }

    /// What headquarters lacks, as files that anyone may carry. Removes nothing from the device.
    public func exportBundle() async throws -> [VolumeView] { try await atOnce { try $0.exportBundle() } }

    /// Takes one file of replies. Repeats and any order change nothing.
    @discardableResult
    public func importBundle(_ bytes: Data) async throws -> RepliesView {
        try await atOnce { try $0.importBundle(bytes: bytes) }
    }

    /// Purges what headquarters has and the policy lets go. Each `sync` does it at its end.
    @discardableResult
    public func purgeDue() async throws -> PurgeView { try await atOnce { try $0.purgeDue() } }

    /// Wipes what was said in every screening, at once and for good; what is sealed stays and is still sent. For a
    /// phone about to be taken, or one that was revoked. Ask before.
    @discardableResult
    public func wipe() async throws -> PurgeView { try await inTurn { try $0.wipe() } }

    /// Checks the whole store. Takes a while.
    public func verify() async throws -> VerifyView { try await atOnce { try $0.verify() } }

    /// Counts, versions and codes for those who help. Nothing of a person.
    public func diagnostics() async throws -> DiagnosticsView { try await atOnce { try $0.diagnostics() } }

    /// Nothing of what it holds.
    public var description: String { "AmparoDevice" }

    /// One call in the order of calls on screenings.
    func inTurn<T: Sendable>(_ work: @escaping @Sendable (Device) throws -> T) async throws -> T {
        let device = self.device
        return try await blocking.inTurn { try work(device) }
    }

    private func atOnce<T: Sendable>(_ work: @escaping @Sendable (Device) throws -> T) async throws -> T {
        let device = self.device
        return try await blocking.atOnce { try work(device) }
    }
}

/// Passes progress on until the task is cancelled.
private final class CancellableListener: ProgressListener, @unchecked Sendable {
    private let turn = NSLock()
    private let hears: (@Sendable (Int, Int) -> Void)?
    private var cancelled = false

    init(_ hears: (@Sendable (Int, Int) -> Void)?) {
        self.hears = hears
    }

    func cancel() {
        turn.lock()
        cancelled = true
        turn.unlock()
    }

    private func isCancelled() -> Bool {
        turn.lock()
        defer { turn.unlock() }
        return cancelled
    }

    func progress(done: UInt32, total: UInt32) throws -> Proceed {
        if isCancelled() { return .stop }
        hears?(Int(done), Int(total))
        return isCancelled() ? .stop : .goOn
    }
}
