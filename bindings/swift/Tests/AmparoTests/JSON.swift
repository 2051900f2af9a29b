import Foundation

/// A JSON value, to read scenarios and to compare results with golden files.
enum JSON: Equatable, Decodable {
    case null
    case flag(Bool)
    case whole(Int64)
    case number(Double)
    case text(String)
    case list([JSON])
    case fields([String: JSON])

    static func read(_ data: Data) throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: data)
    }

    init(from decoder: Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let whole = try? value.decode(Int64.self) {
            self = .whole(whole)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .fields(try value.decode([String: JSON].self))
        }
    }

    /// The value of a field; none where it is not there or null.
    subscript(name: String) -> JSON? {
        guard case .fields(let fields) = self, let value = fields[name], value != .null else { return nil }
        return value
    }

    var asFlag: Bool? {
        if case .flag(let flag) = self { return flag }
        return nil
    }

    var asWhole: Int64? {
        if case .whole(let whole) = self { return whole }
        return nil
    }

    var asText: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    var asList: [JSON]? {
        if case .list(let list) = self { return list }
        return nil
    }

    var asTexts: [String]? { asList?.compactMap { $0.asText } }

    var asFields: [String: JSON]? {
        if case .fields(let fields) = self { return fields }
        return nil
    }

    static func texts(_ texts: [String]) -> JSON { .list(texts.map { .text($0) }) }

    /// Where this is first otherwise than `other`; none where they are the same.
    func difference(from other: JSON, at place: String = "") -> String? {
        switch (self, other) {
        case (.fields(let mine), .fields(let theirs)):
            for name in Set(mine.keys).union(theirs.keys).sorted() {
                guard let left = mine[name], let right = theirs[name] else {
                    return "\(place)/\(name) is on one side only"
                }
                if let found = left.difference(from: right, at: "\(place)/\(name)") { return found }
            }
            return nil
        case (.list(let mine), .list(let theirs)):
            for (at, pair) in zip(mine, theirs).enumerated() {
                if let found = pair.0.difference(from: pair.1, at: "\(place)/\(at)") { return found }
            }
            return mine.count == theirs.count ? nil : "\(place) has \(mine.count) and \(theirs.count)"
        default:
            return self == other ? nil : "\(place): \(self) and \(other)"
        }
    }
}
