import Glibc

/// Any JSON, for comparing what two runs were asked to do.
enum JSONValue: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// A place where two values differ: its dotted name and what stands there.
    struct Difference {
        let path: String
        let here, there: JSONValue
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    /// Where `other` means something else, in alphabetical order; two names of one file mean the same.
    func differences(from other: JSONValue, at path: String = "") -> [Difference] {
        guard !means(other) else { return [] }
        guard case .object(let mine) = self, case .object(let theirs) = other else { return [Difference(path: path, here: self, there: other)] }
        return Set(mine.keys).union(theirs.keys).sorted().flatMap { key in
            (mine[key] ?? .null).differences(from: theirs[key] ?? .null, at: path.isEmpty ? key : "\(path).\(key)")
        }
    }

    private func means(_ other: JSONValue) -> Bool {
        guard case .string(let mine) = self, case .string(let theirs) = other, mine != theirs else { return self == other }
        guard let place = Self.canonical(mine) else { return false }
        return place == Self.canonical(theirs)
    }

    /// The one name of the file that a text names; nil where there is none.
    private static func canonical(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// A whole number.
    var integer: Int? {
        if case .number(let value) = self { Int(exactly: value) } else { nil }
    }

    var text: String {
        switch self {
        case .null: "none"
        case .bool(let value): "\(value)"
        case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .string(let value): value
        case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .object(let members): "{" + members.keys.sorted().map { "\($0): \(members[$0]!.text)" }.joined(separator: ", ") + "}"
        }
    }
}
