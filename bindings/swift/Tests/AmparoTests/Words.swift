import Amparo
import Foundation

/// Words of scenario files (`no_time`) and the constants of generated enums (`noTime`), both ways.
enum Words {
    static let unknown: [UnknownReason] = [.notAsked, .refused, .notObservable, .interrupted, .doesNotKnow]
    static let purposes: [ConsentPurpose] = [.talk, .store, .shareService, .shareIdentity, .statistics]
    static let by: [ConsentBy] = [.person, .guardian, .authority]
    static let situations: [ExceptionKind] = [.childAtRisk, .imminentDanger, .legalDuty]
    static let identity: [IdentityField] = [.name, .nationality, .document, .safeContact]
    static let referral: [ReferralState] = [
        .offered, .declined, .sent, .accepted, .rejected, .done, .revoked, .overdue,
    ]
    static let services: [ServiceKind] = [
        .dedicatedLine, .shelter, .specialised, .child, .victimSupport, .women, .labour, .migration, .justice,
        .police, .emergency, .other,
    ]
    static let scopes: [ShareScope] = [.needs, .outcome, .indicators, .identity]
    static let stops: [StopReason] = [.personStopped, .unsafe, .noTime, .urgentHelp]
    static let settings: [Setting] = [.border, .workplace, .street, .custody, .consulate, .other]

    struct NoSuchWord: Error {
        let word: String
    }

    /// The constant for a word.
    static func find<T>(_ word: String?, in all: [T]) throws -> T {
        guard let word, let found = all.first(where: { Words.word(for: $0) == word }) else {
            throw NoSuchWord(word: word ?? "")
        }
        return found
    }

    /// The word for a constant.
    static func word<T>(for constant: T) -> String {
        var word = ""
        for letter in String(describing: constant) {
            if letter.isUppercase { word.append("_") }
            word.append(contentsOf: letter.lowercased())
        }
        return word
    }

    /// A constant as Rust writes it: `aggregateOnly` is `AggregateOnly`.
    static func rust<T>(_ constant: T) -> String {
        let name = String(describing: constant)
        return name.prefix(1).uppercased() + name.dropFirst()
    }

    /// The class of an error, without its fields.
    static func kind(_ error: FieldError) -> String {
        String(String(describing: error).prefix { $0 != "(" })
    }
}

/// Answers, as files and golden files write them.
enum Answers {
    /// What a file says to a question.
    static func said(_ written: JSON, _ question: QuestionView) throws -> AnswerValue {
        guard let word = written.asText else { return try value(written) }
        switch word {
        case "yes": return .yes
        case "no":
            switch question.kind {
            case .yesNo: return .no
            case .anyOf: return .choices(options: [])
            default: return .unknown(why: .notAsked)
            }
        default: return .unknown(why: try Words.find(word, in: Words.unknown))
        }
    }

    /// An answer in the form of a fact: `{"known": {"number": 3}}`.
    static func fact(_ written: JSON) throws -> AnswerValue {
        if let why = written["unknown"] { return .unknown(why: try Words.find(why.asText, in: Words.unknown)) }
        guard let known = written["known"] else { throw Words.NoSuchWord(word: "fact") }
        if let word = known.asText { return word == "yes" ? .yes : .no }
        return try value(known)
    }

    private static func value(_ written: JSON) throws -> AnswerValue {
        if let option = written["choice"]?.asText { return .choice(option: option) }
        if let options = written["choices"]?.asTexts { return .choices(options: options) }
        if let number = written["number"]?.asWhole { return .number(value: number) }
        if let date = written["date"]?.asText { return .date(date: date) }
        if let text = written["text"]?.asText { return .text(text: text) }
        if let age = written["age"] {
            let ends = age.asList ?? [age["from"] ?? .null, age["to"] ?? .null]
            if ends.count == 2, let lowest = ends[0].asWhole, let highest = ends[1].asWhole {
                return .age(lowest: UInt8(lowest), highest: UInt8(highest))
            }
        }
        throw Words.NoSuchWord(word: "answer")
    }

    /// An answer as golden files hold it.
    static func written(_ answer: AnswerValue) -> JSON {
        switch answer {
        case .unknown(let why): return .fields(["unknown": .text(Words.word(for: why))])
        case .yes: return known(.text("yes"))
        case .no: return known(.text("no"))
        case .choice(let option): return known(.fields(["choice": .text(option)]))
        case .choices(let options): return known(.fields(["choices": JSON.texts(options.sorted())]))
        case .number(let value): return known(.fields(["number": .whole(value)]))
        case .date(let date): return known(.fields(["date": .text(date)]))
        case .text(let text): return known(.fields(["text": .text(text)]))
        case .age(let lowest, let highest):
            let ends: [String: JSON] = ["from": .whole(Int64(lowest)), "to": .whole(Int64(highest))]
            return known(.fields(["age": .fields(ends)]))
        }
    }

    private static func known(_ value: JSON) -> JSON { .fields(["known": value]) }
}
