import Amparo
import Foundation
import XCTest

/// Every function of the device with hostile and boundary input, and with a panic inside: a typed error that holds
/// nothing of the input, the store verifies, and the next call works.
final class HostileTests: XCTestCase {
    private let texts = [
        "", " ", canary, canary.lowercased(), String(repeating: "x", count: 100_000), "\0", "a\0b",
        "'; DROP TABLE fact; --", "../../etc/passwd", "\u{202e}" + canary, String(repeating: "é", count: 65),
        "\u{1F4A5}", "{}", "%s%n", String(repeating: "0", count: 31) + "G", String(repeating: "a", count: 31),
    ]

    /// A screening with a referral, and what every function takes when all is well.
    private struct Lit {
        let device: Device
        let id: ScreeningId
        let service: Name
        let referral: ReferralId
        let counter: UInt64
        let question: QuestionView
        let step: Name

        init(_ device: Device) throws {
            self.device = device
            let view = try Kit.toTheEnd(device, try device.start(request: Kit.start()))
            id = view.line.id
            step = try XCTUnwrap(view.steps.last).id
            _ = try device.recordOutcome(id: id)
            let contacts = try XCTUnwrap(device.contacts(id: id, kinds: []).contacts)
            service = try XCTUnwrap(contacts.offers.first).service.id
            referral = try device.refer(id: id, service: service, channel: nil).referral
            counter = try device.consent(id: id, request: Kit.consent(.shareService, service, [.needs])).counter
            _ = try device.consent(id: id, request: Kit.consent(.shareIdentity, service, [.identity]))
            guard case .ask(let last) = try device.back(id: id, item: nil).next else {
                throw FieldError.NotFound(what: "item")
            }
            question = last
        }
    }

    private typealias Call = (String, () throws -> Void)

    /// Every function with one text in each place that takes one, and whether it is an id.
    private func calls(_ lit: Lit, _ text: String) -> [Call] {
        let device = lit.device, id = lit.id, item = lit.question.item
        let yes = AnswerValue.yes
        let place = Kit.place
        let identity = IdentityRequest(field: .name, value: text + String(repeating: canary, count: 100))
        let waiver = WaiverRequest(
            purpose: .store, situation: .legalDuty, document: String(repeating: text + " ", count: 5000),
            place: text, told: true)
        return [
            ("screening", { _ = try device.screening(id: text) }),
            ("answer id", { _ = try device.answer(id: text, item: item, answer: yes) }),
            ("answer item", { _ = try device.answer(id: id, item: text, answer: yes) }),
            ("answer choice", { _ = try device.answer(id: id, item: item, answer: .choice(option: text)) }),
            ("answer date", { _ = try device.answer(id: id, item: item, answer: .date(date: text)) }),
            ("back", { _ = try device.back(id: text, item: nil) }),
            ("back item", { _ = try device.back(id: id, item: text) }),
            ("show", { _ = try device.show(id: id, item: text) }),
            ("gate", { _ = try device.gate(id: id, confirmed: [text]) }),
            ("logStep", { _ = try device.logStep(id: id, step: text, state: .done) }),
            ("recordOutcome", { _ = try device.recordOutcome(id: text) }),
            ("closeScreening", { _ = try device.closeScreening(id: text) }),
            ("setLanguage", { _ = try device.setLanguage(id: text, lang: "es") }),
            ("setPersonLanguage", { _ = try device.setPersonLanguage(id: text, lang: "es") }),
            ("stop", { _ = try device.stop(id: text, reason: .noTime) }),
            ("start", { _ = try device.start(request: StartRequest(checklist: text, place: place, lang: "es")) }),
            ("start case", { _ = try device.start(
                request: StartRequest(checklist: "four-questions", case: text, place: place, lang: "es")) }),
            ("card", { _ = try device.card(id: id, referral: text, lang: "es") }),
            ("consent", { _ = try device.consent(id: id, request: Kit.consent(.shareService, text, [.needs])) }),
            ("contacts", { _ = try device.contacts(id: text, kinds: []) }),
            ("giveIdentity", { _ = try device.giveIdentity(id: id, request: identity) }),
            ("moveReferral", { _ = try device.moveReferral(id: id, referral: text, to: .sent, reason: nil) }),
            ("packet", { _ = try device.packet(id: id, referral: text, scope: [.needs], recipient: nil) }),
            ("packet recipient", { _ = try device.packet(
                id: id, referral: lit.referral, scope: [.needs], recipient: text) }),
            ("refer", { _ = try device.refer(id: id, service: text, channel: nil) }),
            ("refuseConsent", { _ = try device.refuseConsent(id: text, request: Kit.consent(.statistics)) }),
            ("waiveConsent", { _ = try device.waiveConsent(id: text, request: waiver) }),
            ("withdrawConsent", { _ = try device.withdrawConsent(id: text, counter: lit.counter) }),
            ("posts", { _ = try device.posts(country: text) }),
            ("enrolmentRequest", { _ = try device.enrolmentRequest(ticket: text) }),
            ("ticketUrl", { _ = try device.ticketUrl(ticket: text) }),
            ("enrolled", { _ = try device.enrolled(bytes: Data(text.utf8)) }),
            ("importBundle", { _ = try device.importBundle(bytes: Data(text.utf8)) }),
            ("sync", { _ = try device.sync(transport: Line { _ in throw TalkativeError() }, listener: nil) }),
            ("installPack", { _ = try device.installPack(bytes: Data(text.utf8)) }),
            ("installPacks", { _ = try device.installPacks(packs: [Data(text.utf8)], listener: nil) }),
            ("unlock", {
                try device.lock()
                defer { try? device.unlock(key: Kit.keyBytes) }
                try device.unlock(key: Data(text.utf8))
            }),
        ]
    }

    func testTextsAreRefusedTyped() throws {
        let lit = try Lit(try Kit.device(self))
        var refused: [String: Int] = [:]
        for text in texts {
            for (name, call) in calls(lit, text) {
                do {
                    try call()
                    refused[name, default: 0] += 0
                } catch {
                    assertClean(error)
                    refused[name, default: 0] += 1
                }
            }
        }
        // Some texts have the form of an id that nobody has; most have no form at all.
        for (name, times) in refused { XCTAssertGreaterThan(times, texts.count / 2, name) }
        try works(lit)
    }

    func testBoundaries() throws {
        let lit = try Lit(try Kit.device(self))
        let device = lit.device, id = lit.id, item = lit.question.item
        let long = String(repeating: canary, count: 100)
        let answers: [AnswerValue] = [
            .number(value: Int64.min), .number(value: Int64.max), .age(lowest: 200, highest: 1),
            .age(lowest: 255, highest: 255), .date(date: "9999-12-31"), .choices(options: (0..<5000).map { "o\($0)" }), .text(text: canary),
            .choices(options: ["same", "same"]),
        ]
        var calls: [() throws -> Void] = [
            { _ = try device.screenings(skip: UInt32.max, most: UInt32.max) },
            { _ = try device.lookup(typed: "", country: nil, lang: "es", most: UInt32.max) },
            { _ = try device.lookup(typed: long, country: nil, lang: "es", most: 1) },
            { _ = try device.refer(id: id, service: lit.service, channel: UInt32.max) },
            { _ = try device.withdrawConsent(id: id, counter: UInt64.max) },
            { _ = try device.packet(id: id, referral: lit.referral, scope: [], recipient: nil) },
            { _ = try device.logStep(id: id, step: lit.step, state: .skipped(reason: long)) },
            { _ = try device.moveReferral(id: id, referral: lit.referral, to: .declined, reason: long) },
        ]
        for answer in answers {
            calls.append({ _ = try device.answer(id: id, item: item, answer: answer) })
        }
        for call in calls {
            do { try call() } catch { assertClean(error) }
        }
        try works(lit)
    }

    func testBadRootsFoldersAndKeys() throws {
        let folder = Kit.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let good = try Kit.request(folder)
        for root in [Data(), Data("{}".utf8), Data(repeating: 0xFF, count: 100), Data(canary.utf8)] {
            let request = OpenRequest(folder: folder.path, rootJson: root)
            XCTAssertThrowsError(try Device.create(request: request, key: Kit.keyBytes, log: nil)) { assertClean($0) }
        }
        for key in [Data(), Data(count: 31), Data(count: 33), Data(canary.utf8)] {
            XCTAssertThrowsError(try Device.create(request: good, key: key, log: nil)) { assertClean($0) }
        }
        for path in ["", "relative", canary, "/dev/null/" + canary, "/\0" + canary] {
            let request = OpenRequest(folder: path, rootJson: good.rootJson)
            XCTAssertThrowsError(try Device.create(request: request, key: Kit.keyBytes, log: nil)) { assertClean($0) }
        }
        XCTAssertThrowsError(try Device.open(request: good, key: Kit.keyBytes, log: nil)) { assertClean($0) }
    }

    func testPanicsAreInternal() throws {
        let lit = try Lit(try Kit.device(self))
        let device = lit.device, id = lit.id
        let calls: [Call] = [
            ("screening", { _ = try device.screening(id: id) }),
            ("answer", { _ = try device.answer(id: id, item: lit.question.item, answer: Kit.answer(lit.question)) }),
            ("contacts", { _ = try device.contacts(id: id, kinds: []) }),
            ("lookup", { _ = try device.lookup(typed: "trata", country: nil, lang: "es", most: 1) }),
            ("screenings", { _ = try device.screenings(skip: 0, most: 1) }),
            ("verify", { _ = try device.verify() }),
            ("packet", { _ = try device.packet(id: id, referral: lit.referral, scope: [.needs], recipient: nil) }),
        ]
        defer { setFailPoint(name: nil) }
        for (name, call) in calls {
            for when in ["", ":after"] {
                setFailPoint(name: name + when)
                XCTAssertThrowsError(try call(), name) {
                    assertClean($0)
                    XCTAssertEqual($0 as? FieldError, .Internal(code: "panic"))
                }
                setFailPoint(name: nil)
            }
        }
        try works(lit)
    }

    func testASyncEndsAsItsTransportDoes() throws {
        let device = try Kit.device(self)
        let headquarters = try Headquarters()
        let request = try device.enrolmentRequest(ticket: try headquarters.ticket())
        _ = try device.enrolled(bytes: try headquarters.enrol(request: request))
        let ends: [(SyncEnd, @Sendable (Data) throws -> Data)] = [
            (.offline, { _ in throw TransportError.Offline }),
            (.refused(code: 503), { _ in throw TransportError.Refused(code: 503) }),
            (.stuck, { _ in Data(count: 20_000_000) }),
            (.cut, { _ in throw TransportError.Cut(replies: Data(canary.utf8)) }),
            (.done, { try headquarters.exchange(upload: $0) }),
        ]
        for (end, work) in ends {
            XCTAssertEqual(try device.sync(transport: Line(work), listener: nil).end, end)
        }
        XCTAssertThrowsError(try device.sync(transport: Line { _ in throw TalkativeError() }, listener: nil)) {
            assertClean($0)
            XCTAssertEqual($0 as? FieldError, .Host(code: "transport"))
        }
        let locks = Line { upload in
            try device.lock()
            return upload
        }
        XCTAssertThrowsError(try device.sync(transport: locks, listener: nil)) {
            XCTAssertEqual($0 as? FieldError, .WrongState(code: "locked"))
        }
        try device.unlock(key: Kit.keyBytes)
        XCTAssertEqual(try device.syncState().waiting, 0)
        XCTAssertTrue(try device.verify().whole)
    }

    func testNothingSaidIsPrinted() throws {
        let lit = try Lit(try Kit.device(self))
        let line = try lit.device.screening(id: lit.id).line
        let skipped = StepState.skipped(reason: canary)
        let given: [Any] = [
            AnswerValue.text(text: canary), AnswerValue.choice(option: canary), skipped,
            IdentityRequest(field: .name, value: canary),
            try lit.device.logStep(id: lit.id, step: lit.step, state: skipped),
            try lit.device.screenings(skip: 0, most: 9),
            try lit.device.card(id: lit.id, referral: lit.referral, lang: "es"),
            try lit.device.closeScreening(id: lit.id),
        ]
        for value in given {
            var dumped = ""
            dump(value, to: &dumped)
            let shown = "\(value) \(String(reflecting: value)) \([value]) \(dumped)".lowercased()
            for word in [canary, "juana", line.code, line.memorable] {
                XCTAssertFalse(shown.contains(word.lowercased()), "\(type(of: value))")
            }
        }
        XCTAssertEqual("\(AnswerValue.yes)", "\(AnswerValue.text(text: canary))")
    }

    func testTheLogHoldsNothingSaid() throws {
        let lines = Lines()
        let device = try Kit.device(self, log: lines)
        let view = try device.start(request: Kit.start())
        let item = canary.lowercased()
        XCTAssertThrowsError(try device.answer(id: view.line.id, item: item, answer: .text(text: canary)))
        XCTAssertFalse(lines.all.isEmpty)
        XCTAssertFalse(lines.all.joined().lowercased().contains("juana"))
    }

    private func works(_ lit: Lit) throws {
        XCTAssertFalse(lit.device.isLocked())
        XCTAssertEqual(try lit.device.screening(id: lit.id).line.id, lit.id)
        XCTAssertTrue(try lit.device.verify().whole)
    }
}
