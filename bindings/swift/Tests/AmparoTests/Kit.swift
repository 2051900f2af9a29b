import Amparo
import Foundation
import XCTest

/// What stands for words of a person; it may be in no error and no log line.
let canary = "CANARY-juana-perez"

/// Folders, content and keys for tests. Everything is synthetic.
enum Kit {
    /// The top of the checkout, five names above this file.
    static let root = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }

    static func content(_ name: String) throws -> Data {
        try Data(contentsOf: root.appendingPathComponent("content").appendingPathComponent(name))
    }

    static func files(in folder: String, ending: String) throws -> [URL] {
        let place = root.appendingPathComponent(folder)
        return try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == ending }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    static func packs() throws -> [Data] {
        // As the shell's scenarios: of one device, without recipients.
        let packs = try files(in: "content/packs", ending: "pack")
            .filter { !$0.lastPathComponent.hasPrefix("recipients-") }
            .map { try Data(contentsOf: $0) }
        XCTAssertFalse(packs.isEmpty)
        return packs
    }

    /// A folder that is not there yet.
    static func newFolder() -> URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("amparo-\(UUID().uuidString)")
    }

    static func request(_ folder: URL) throws -> OpenRequest {
        OpenRequest(folder: folder.path, rootJson: try content("keys/root.json"))
    }

    static let keyBytes = Data((0..<32).map { UInt8($0) })

    static func key() -> StoreKey {
        var bytes = Data((0..<32).map { UInt8($0) })
        return StoreKey(taking: &bytes)
    }

    static let place = PlaceRequest(country: "CL", post: "cl-los-libertadores", area: "CL-VS", setting: .border)

    static func start(_ checklist: Name = "ilo-adult-labour", lang: Lang = "es") -> StartRequest {
        StartRequest(checklist: checklist, place: place, lang: lang)
    }

    /// A device with every pack, in a folder that is removed after the test.
    static func device(_ test: XCTestCase, log: LogSink? = nil) throws -> Device {
        let folder = newFolder()
        test.addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        let device = try Device.create(request: try request(folder), key: keyBytes, log: log)
        _ = try device.installPacks(packs: try packs(), listener: nil)
        return device
    }

    /// An answer that fits the question.
    static func answer(_ question: QuestionView) -> AnswerValue {
        switch question.kind {
        case .yesNo: return .yes
        case .oneOf(let options): return .choice(option: options[0].id)
        case .anyOf(let options): return .choices(options: [options[0].id])
        case .number(_, let max, _): return .number(value: max)
        case .date: return .date(date: "2026-11-22")
        case .age: return .age(lowest: 30, highest: 39)
        case .shortText: return .text(text: "synthetic")
        }
    }

    static func consent(
        _ purpose: ConsentPurpose, _ receiver: Name? = nil, _ scope: [ShareScope] = []
    ) -> ConsentRequest {
        ConsentRequest(purpose: purpose, receiver: receiver, scope: scope, lang: "es", by: .person)
    }

    /// Leads a screening to the end of its questions.
    static func toTheEnd(_ device: Device, _ first: ScreeningView) throws -> ScreeningView {
        var view = first
        for _ in 0..<700 {
            let id = view.line.id
            switch view.next {
            case .end:
                return view
            case .ask(let question):
                view = try device.answer(id: id, item: question.item, answer: answer(question))
            case .gate:
                _ = try device.gate(id: id, confirmed: view.gateChecks.map { $0.id })
                _ = try device.consent(id: id, request: consent(.talk))
                view = try device.consent(id: id, request: consent(.store)).screening
            }
        }
        throw FieldError.NotFound(what: "end")
    }
}

/// The error is typed and holds nothing of what was given in.
func assertClean(_ error: Error, file: StaticString = #filePath, line: UInt = #line) {
    XCTAssertTrue(error is FieldError, "not typed", file: file, line: line)
    let shown = "\(error) \(String(reflecting: error)) \(error.localizedDescription)".lowercased()
    XCTAssertFalse(shown.contains("canary") || shown.contains("juana"), "holds input", file: file, line: line)
    XCTAssertLessThan(shown.count, 1000, file: file, line: line)
}

/// A keystore that turns every bit. Not for real use.
final class TurningKeyStore: KeyStore {
    let failure: Error?

    init(failure: Error? = nil) {
        self.failure = failure
    }

    func wrap(plain: Data) throws -> Data {
        if let failure { throw failure }
        return Data(plain.map { $0 ^ 0xFF })
    }

    func unwrap(wrapped: Data) throws -> Data {
        try wrap(plain: wrapped)
    }
}

/// An error whose text holds what must not be shown.
struct TalkativeError: Error {
    let text = canary
}

/// Keeps the lines of the log.
final class Lines: LogSink, @unchecked Sendable {
    private let turn = NSLock()
    private var kept: [String] = []

    var all: [String] {
        turn.lock()
        defer { turn.unlock() }
        return kept
    }

    func write(level: LogLevel, code: String, text: String) throws {
        turn.lock()
        defer { turn.unlock() }
        kept.append("\(level) \(code) \(text)")
    }
}

/// A transport that does this.
final class Line: Transport {
    let work: @Sendable (Data) throws -> Data

    init(_ work: @escaping @Sendable (Data) throws -> Data) {
        self.work = work
    }

    func exchange(upload: Data) throws -> Data { try work(upload) }
}
