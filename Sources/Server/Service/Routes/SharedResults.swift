import Compute
import Files
import Images
import Locks
import TokenizerCore

/// What is computed once for all who ask for the same at the same time, and what is remembered of it.
///
/// One of them leads and computes; the others follow and are given what comes of it. Where its client goes, the next one leads.
final class SharedResults: Sendable {
    /// What decides a result: who makes it, and of which bytes.
    struct Key: Hashable, Sendable {
        let operation: Operation
        let fingerprint: String
        let version: Int
        let precision: Precision
        /// Of the picture, where that is not the model's own.
        let size: PictureSize?
        /// SHA-256 of a file's bytes, or of tokens.
        let contents: String

        /// All of it in one line.
        var text: String {
            "\(operation.rawValue) \(fingerprint) \(version) \(precision.rawValue) \(size.map { "\($0) " } ?? "")\(contents)"
        }

        /// - Parameter size: nil for the model's own.
        init(_ operation: Operation, _ source: ComputeItem.Source, by facts: ModelFacts, size: PictureSize? = nil) {
            (self.operation, self.size) = (operation, size)
            (fingerprint, version, precision) = (facts.fingerprint, facts.version, facts.precision)
            contents =
                switch source {
                case .picture(let file): file.withUnsafeBytes { FileDigest.sha256(of: $0) }
                case .pixels(let image): "pixels " + image.pixels.withUnsafeBytes { FileDigest.sha256(of: $0) }
                case .tokens(let tokens): tokens.indices.withUnsafeBytes { FileDigest.sha256(of: $0) }
                }
        }
    }

    enum Place {
        case known(Outcome)
        case leads
        case follows
    }

    private struct Flight {
        var leader: ComputeItem
        var followers: [ComputeItem] = []
    }

    private struct State {
        var flights: [Key: Flight] = [:]
        var memory: ResultMemory
    }

    private let state: Lock<State>

    /// - Parameter limitBytes: of what is remembered; 0 for nothing.
    init(limitBytes: Int) {
        state = Lock(State(memory: ResultMemory(limitBytes: limitBytes)))
    }

    /// How many have been found remembered, and how many have followed another one.
    var counts: (remembered: Int, followed: Int) { state.withLock { ($0.memory.hits, $0.memory.followed) } }

    /// Enters an item that has its place with others that want the same.
    func join(_ item: ComputeItem, for key: Key) -> Place {
        state.withLock { state in
            if let outcome = state.memory[key] { return .known(outcome) }
            guard state.flights[key] != nil else {
                state.flights[key] = Flight(leader: item)
                return .leads
            }
            state.memory.followed += 1
            state.flights[key]?.followers.append(item)
            return .follows
        }
    }

    /// The leader has its result, which goes to the others too.
    func settle(_ item: ComputeItem, for key: Key, _ result: Result<Outcome, Problem>) {
        let followers: [ComputeItem] = state.withLock { state in
            guard state.flights[key]?.leader === item else { return [] }
            if case .success(let outcome) = result { state.memory[key] = outcome }
            return state.flights.removeValue(forKey: key)?.followers ?? []
        }
        followers.forEach { $0.receive(result) }
    }

    /// Nobody waits for this item any more.
    func leave(_ item: ComputeItem, for key: Key) {
        let successor: ComputeItem? = state.withLock { state in
            guard var flight = state.flights[key] else { return nil }
            guard flight.leader === item else {
                flight.followers.removeAll { $0 === item }
                state.flights[key] = flight
                return nil
            }
            guard !flight.followers.isEmpty else {
                state.flights[key] = nil
                return nil
            }
            flight.leader = flight.followers.removeFirst()
            state.flights[key] = flight
            return flight.leader
        }
        successor?.lead()
    }
}
