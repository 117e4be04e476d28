/// One line that a driver sends.
enum WorkRequest: Decodable {
    case prepare(Subject.Operation, input: String)
    case run(Subject.Operation)
    case profile(Subject.Operation)
    case save(Subject.Operation, output: String)
    case rates

    private enum Verb: String, Decodable {
        case prepare, run, profile, save, rates
    }

    private enum Key: String, CodingKey {
        case verb = "do"
        case operation, input, output
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let operation = { try values.decode(Subject.Operation.self, forKey: .operation) }
        switch try values.decode(Verb.self, forKey: .verb) {
        case .prepare: self = .prepare(try operation(), input: try values.decode(String.self, forKey: .input))
        case .run: self = .run(try operation())
        case .profile: self = .profile(try operation())
        case .save: self = .save(try operation(), output: try values.decode(String.self, forKey: .output))
        case .rates: self = .rates
        }
    }
}
