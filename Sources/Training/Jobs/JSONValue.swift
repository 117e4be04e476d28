/// Any JSON, for comparing what two runs were asked to do.
enum JSONValue: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

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

    /// The first place, in alphabetical order, where `other` differs: a dotted name and both values.
    func difference(from other: JSONValue, at path: String = "") -> (path: String, here: String, there: String)? {
        guard self != other else { return nil }
        guard case .object(let mine) = self, case .object(let theirs) = other else { return (path, text, other.text) }
        for key in Set(mine.keys).union(theirs.keys).sorted() {
            let name = path.isEmpty ? key : "\(path).\(key)"
            if let difference = (mine[key] ?? .null).difference(from: theirs[key] ?? .null, at: name) { return difference }
        }
        return nil
    }

    private var text: String {
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
