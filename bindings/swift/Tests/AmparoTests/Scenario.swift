import Amparo
import Foundation
import XCTest

/// One JSON walk of `tests/scenarios`, led through the async layer one call at a time as an app does; each screen is
/// taken from the view that the last call returned. The result has the form of the golden files, without `why`: the
/// words of the core's own errors do not cross.
final class Scenario {
    private static let shown = 5

    private let raw: Device
    private let device: AmparoDevice
    private let file: JSON
    private var personLang: Lang?
    private var answers: [String: JSON]
    private var otherwise: JSON
    private var current: Screening?
    private var lastReferral: ReferralId?

    /// A device of its own for the file, with every pack.
    init(_ file: JSON, folder: URL) throws {
        XCTAssertEqual(file["synthetic"]?.asFlag, true)
        let made = try scenarioDevice(
            request: try Kit.request(folder), key: Data(repeating: 7, count: 32),
            at: try XCTUnwrap(file["at"]?.asText), seed: UInt64(try XCTUnwrap(file["seed"]?.asWhole)))
        _ = try made.installPacks(packs: try Kit.packs(), listener: nil)
        raw = made
        device = AmparoDevice(made)
        self.file = file
        personLang = file["person_lang"]?.asText
        answers = file["answers"]?.asFields ?? [:]
        otherwise = file["otherwise"] ?? .null
    }

    func run() async throws -> JSON {
        let walk = try await screen(try text("checklist"), case: nil)
        var moves: [JSON] = []
        for move in file["then"]?.asList ?? [] {
            try raw.advanceMs(ms: 60_000)
            let name = try XCTUnwrap(move.asText ?? move.asFields?.keys.first)
            do {
                let value = try await make(name, move.asFields?[name] ?? .null)
                moves.append(.fields(["move": .text(name), "ok": value]))
            } catch let error as FieldError {
                moves.append(.fields(["move": .text(name), "error": .text(Words.kind(error))]))
            }
        }
        let lines = try await device.screenings(skip: 0, most: 500).lines
        return .fields([
            "about": file["about"] ?? .null,
            "walk": walk,
            "moves": .list(moves),
            "result": try json(try raw.reportJson(id: try screening().id)),
            "screenings": .list(lines.map { line -> JSON in
                JSON.fields([
                    "screening": .text(line.id), "case": .text(line.`case`), "code": .text(line.code),
                    "memorable": .text(line.memorable), "closed": .flag(line.closed),
                    "opened_ms": .whole(line.openedMs),
                ])
            }),
        ])
    }

    private func text(_ name: String) throws -> String { try XCTUnwrap(file[name]?.asText) }

    private func json(_ text: String) throws -> JSON { try JSON.read(Data(text.utf8)) }

    private func screening() throws -> Screening { try XCTUnwrap(current) }

    private func last() throws -> ReferralId {
        guard let lastReferral else { throw FieldError.NotFound(what: "referral") }
        return lastReferral
    }

    private func outcomes(_ view: ScreeningView) -> JSON {
        JSON.texts(view.outcome.classes.map { Words.word(for: $0.outcome) })
    }

    // The walk.

    private func screen(_ checklist: Name, case known: CaseId?) async throws -> JSON {
        let place = try XCTUnwrap(file["place"])
        let request = StartRequest(
            checklist: checklist, case: known,
            place: PlaceRequest(
                country: try XCTUnwrap(place["country"]?.asText), post: place["post"]?.asText,
                area: place["area"]?.asText, setting: try Words.find(place["setting"]?.asText, in: Words.settings)),
            lang: try text("lang"))
        let started = try await device.start(request)
        current = started
        lastReferral = nil
        if let personLang { try await started.setPersonLanguage(personLang) }
        return try await walk(started)
    }

    private func walk(_ screening: Screening) async throws -> JSON {
        var steps: [JSON] = []
        let stop = file["stop_before"]?.asTexts ?? []
        for _ in 0..<2000 {
            try raw.advanceMs(ms: 10_000)
            switch screening.view.next {
            case .ask(let question) where stop.count == 2 && stop[0] == question.item:
                try await screening.stop(try Words.find(stop[1], in: Words.stops))
                steps.append(.fields(["stopped_before": .text(question.item)]))
            case .ask(let question):
                let answer = try Answers.said(answers[question.item] ?? otherwise, question)
                var position = JSON.null
                if let number = question.number, let of = question.of {
                    position = .fields(["number": .whole(Int64(number)), "of": .whole(Int64(of))])
                }
                steps.append(.fields([
                    "item": .text(question.item), "position": position, "answer": Answers.written(answer),
                ]))
                try await screening.answer(question.item, answer)
            case .gate:
                steps.append(try await gate(screening))
            case .end:
                let view = try await screening.recordOutcome()
                steps.append(.fields(["outcomes": outcomes(view)]))
                return .list(steps)
            }
        }
        throw FieldError.NotFound(what: "end")
    }

    private func gate(_ screening: Screening) async throws -> JSON {
        let missing = file["gate_missing"]?.asTexts ?? []
        let confirmed = screening.view.gateChecks.map { $0.id }.filter { !missing.contains($0) }
        let view = try await screening.gate(confirmed: confirmed)
        guard view.gatePassed else {
            let postponed = view.gateChecks.filter { $0.missing }.map { $0.id }
            try await screening.stop(.unsafe)
            return .fields(["gate": .fields(["postponed": JSON.texts(postponed)])])
        }
        let talk = file["talk"]?.asFlag ?? true
        let store = file["store"]?.asFlag ?? true
        let asked: [(ConsentPurpose, Bool)] = talk ? [(.talk, true), (.store, store)] : [(.talk, false)]
        for (purpose, agrees) in asked {
            let lang = try personLang ?? text("lang")
            let request = ConsentRequest(purpose: purpose, lang: lang, by: .person)
            if agrees {
                try await screening.consent(request)
            } else {
                try await screening.refuseConsent(request)
            }
        }
        if talk { return .fields(["gate": .text("passed"), "talk": .flag(true), "store": .flag(store)]) }
        try await screening.stop(.personStopped)
        return .fields(["gate": .text("passed"), "talk": .flag(false)])
    }

    // The moves.

    private func make(_ name: String, _ value: JSON) async throws -> JSON {
        let screening = try self.screening()
        switch name {
        case "advance_hours":
            for _ in 0..<(value.asWhole ?? 0) { try raw.advanceMs(ms: 60 * 60 * 1000) }
            return .null
        case "set_clock":
            try raw.setClock(at: try XCTUnwrap(value.asText))
            return .null
        case "answer":
            let pair = try XCTUnwrap(value.asList)
            let view = try await screening.answer(try XCTUnwrap(pair[0].asText), try Answers.fact(pair[1]))
            return .text(next(view))
        case "outcome":
            return outcomes(try await screening.recordOutcome())
        case "contacts":
            return try await contacts(screening, value)
        case "lookup":
            let typed = try XCTUnwrap(value.asText)
            let found = try await device.lookup(typed, country: nil, lang: try text("lang"), most: UInt32(Self.shown))
            return .fields(["services": JSON.texts(found.services.map { $0.id }), "more": .flag(found.more)])
        case "step":
            return try await step(screening, value)
        case "again":
            if let other = value["answers"]?.asFields { answers = other }
            let checklist = try XCTUnwrap(value["checklist"]?.asText)
            return try await screen(checklist, case: screening.view.line.`case`)
        case "next_person":
            personLang = value["person_lang"]?.asText
            answers = value["answers"]?.asFields ?? [:]
            otherwise = value["otherwise"] ?? .null
            return try await screen(try text("checklist"), case: nil)
        case "close":
            let closed = try await screening.close()
            return .fields([
                "outcomes": outcomes(closed.screening), "keep": .text(Words.rust(closed.keep)),
                "segments": .whole(Int64(closed.segments)),
            ])
        case "verify":
            return try json(try raw.verifyJson())
        default:
            return try await share(screening, name, value)
        }
    }

    /// Moves about consent and referral.
    private func share(_ screening: Screening, _ name: String, _ value: JSON) async throws -> JSON {
        switch name {
        case "refer":
            return try await refer(screening, value.asText)
        case "referral":
            let to = try Words.find(value["to"]?.asText, in: Words.referral)
            try await screening.moveReferral(try last(), to: to, reason: value["reason"]?.asText)
        case "consent":
            let by = try Words.find(value["by"]?.asText, in: Words.by)
            let given = try await screening.consent(try request(screening, value, by))
            return .fields(["counter": .whole(Int64(given.counter))])
        case "refuse":
            try await screening.refuseConsent(try request(screening, value, .person))
        case "withdraw":
            try await screening.withdrawConsent(counter: UInt64(try XCTUnwrap(value.asWhole)))
        case "waive":
            let law = try XCTUnwrap(value["legal_basis"])
            try await screening.waiveConsent(WaiverRequest(
                purpose: try Words.find(value["purpose"]?.asText, in: Words.purposes),
                situation: try Words.find(value["situation"]?.asText, in: Words.situations),
                document: try XCTUnwrap(law["document"]?.asText), place: try XCTUnwrap(law["place"]?.asText),
                told: try XCTUnwrap(value["told"]?.asFlag)))
        case "identity":
            try await screening.giveIdentity(IdentityRequest(
                field: try Words.find(value["field"]?.asText, in: Words.identity),
                value: try XCTUnwrap(value["value"]?.asText)))
        case "packet":
            let packet = try await screening.packet(try last(), scope: try scopes(value))
            return try JSON.read(packet.bytes)
        case "card":
            return try await card(screening, try XCTUnwrap(value.asText))
        default:
            throw Words.NoSuchWord(word: name)
        }
        return .null
    }

    private func next(_ view: ScreeningView) -> String {
        switch view.next {
        case .ask(let question): return "Item(Name(\"\(question.item)\"))"
        case .gate: return "Gate"
        case .end: return "End"
        }
    }

    private func scopes(_ words: JSON?) throws -> [ShareScope] {
        try (words?.asTexts ?? []).map { try Words.find($0, in: Words.scopes) }
    }

    private func request(_ screening: Screening, _ value: JSON, _ by: ConsentBy) throws -> ConsentRequest {
        let purpose = try Words.find(value["purpose"]?.asText, in: Words.purposes)
        let view = screening.view
        var receiver: Name?
        if purpose == .shareService || purpose == .shareIdentity {
            receiver = view.referrals.first { $0.id == lastReferral }?.service
        }
        return ConsentRequest(
            purpose: purpose, receiver: receiver, scope: try scopes(value["scope"]), lang: view.saidLang, by: by)
    }

    private func contacts(_ screening: Screening, _ value: JSON) async throws -> JSON {
        let kinds = try (value.asTexts ?? []).map { try Words.find($0, in: Words.services) }
        let view = try await screening.contacts(kinds)
        let found = try XCTUnwrap(view.contacts)
        let golden = try json(try raw.contactsJson(id: screening.id, kinds: kinds, most: UInt32(Self.shown)))
        // What an app is given is what the golden file holds.
        let offers = golden["offers"]?.asList?.compactMap { $0["service"]?.asText } ?? []
        let excluded = golden["excluded"]?.asList?.compactMap { $0["service"]?.asText } ?? []
        XCTAssertEqual(found.offers.prefix(Self.shown).map { $0.service.id }, offers)
        XCTAssertEqual(found.excluded.prefix(Self.shown).map { $0.id }, excluded)
        XCTAssertEqual(Words.word(for: found.rung), golden["rung"]?.asText)
        return golden
    }

    private func refer(_ screening: Screening, _ wanted: Name?) async throws -> JSON {
        let view = try await screening.contacts()
        let offers = view.contacts?.offers ?? []
        guard let service = wanted ?? offers.first?.service.id else { throw FieldError.NotFound(what: "service") }
        let channel = offers.first { $0.service.id == service }?.service.channels.first?.index
        let offered = try await screening.refer(to: service, channel: channel)
        lastReferral = offered.referral
        return .fields(["referral": .text(offered.referral), "service": .text(service)])
    }

    private func card(_ screening: Screening, _ lang: Lang) async throws -> JSON {
        let referral = try last()
        let golden = try json(try raw.cardJson(id: screening.id, referral: referral, lang: lang))
        let card = try await screening.card(referral, lang: lang)
        XCTAssertEqual(card.memorable, golden["memorable"]?.asText)
        XCTAssertEqual(card.name.text, golden["name"]?.asText)
        XCTAssertEqual(card.display, golden["display"]?.asText)
        return golden
    }

    private func step(_ screening: Screening, _ value: JSON) async throws -> JSON {
        let id = try XCTUnwrap(value["step"]?.asText)
        let written = try XCTUnwrap(value["state"])
        let state: StepState
        if let reason = written["skipped"]?["reason"]?.asText {
            state = .skipped(reason: reason)
        } else if let reason = written["impossible"]?["reason"]?.asText {
            state = .impossible(reason: reason)
        } else {
            state = .done
        }
        let view = try await screening.logStep(id, state)
        let forbidden = view.steps.contains { $0.id == id && $0.obligation == .forbidden }
        return .text(state == .done && forbidden ? "Breach" : "Plain")
    }
}
