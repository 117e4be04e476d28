import Files
import HTTPTransport
import Locks
import Logging
import Threads

/// Who may compute: the keys of a file, which is followed while the server runs, and what each of them has left.
final class KeyRing: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct State {
        var keys: APIKeys
        /// By the names of keys.
        var quotas: [String: Quota] = [:]
        /// The file as it was looked at last, whether or not it was of use.
        var seen: String
        /// Whether that has been taken, or refused.
        var isSettled = true
    }

    private let path: String
    private let logger: Logger
    private let state: Lock<State>
    private let isStopping = Monitor(false)

    /// - Throws: where the file cannot be read, or says what it should not.
    init(_ path: String, logger: Logger) throws(ConfigurationError) {
        (self.path, self.logger) = (path, logger)
        let text = try Self.read(path)
        state = Lock(State(keys: try APIKeys(parsing: text), seen: text))
    }

    private static func read(_ path: String) throws(ConfigurationError) -> String {
        do throws(FileError) {
            let file = try ReadableFile(path)
            return String(decoding: try file.read(0..<file.count), as: UTF8.self)
        } catch {
            throw ConfigurationError(description: "\(error)")
        }
    }

    /// Looks every `interval` until it is stopped. Blocks.
    func run(every interval: Duration) {
        while !isStopping.becomesTrue(within: interval) { refresh() }
    }

    func stop() {
        isStopping.withLock { $0 = true }
    }

    /// Takes the file once it is the same at two looks: half of what somebody is writing would lock others out. Where it is of no use, the keys
    /// that there are stay, and the log says why.
    func refresh() {
        do throws(ConfigurationError) {
            let text = try Self.read(path)
            let isDue = state.withLock { state in
                let isSame = state.seen == text
                defer { (state.seen, state.isSettled) = (text, isSame) }
                return isSame && !state.isSettled
            }
            guard isDue else { return }
            let keys = try APIKeys(parsing: text)
            state.withLock { state in
                // What a key has left stays, unless it may have more or less now.
                let unchanged = Set(keys.keys.filter { state.keys.keys.contains($0) }.map(\.name))
                state.quotas = state.quotas.filter { unchanged.contains($0.key) }
                state.keys = keys
            }
            logger.info("API keys", metadata: ["keys": "\(keys.keys.count)"])
        } catch {
            logger.error("API keys were not taken", metadata: ["reason": "\(error)"])
        }
    }

    /// The key that a request shows.
    /// - Throws: 401 where it shows none, or one that nobody has.
    func key(of head: HTTPRequestHead) throws(Problem) -> APIKeys.Key {
        guard let text = Self.text(of: head) else {
            throw Problem(
                .unauthorized, "an API key is needed; send it as \"Authorization: Bearer …\" or as \"X-API-Key: …\"",
                headers: ["WWW-Authenticate": "Bearer"])
        }
        guard let key = state.withLock({ $0.keys }).key(text) else {
            throw Problem(.unauthorized, "the API key is not known", headers: ["WWW-Authenticate": "Bearer error=\"invalid_token\""])
        }
        return key
    }

    private static func text(of head: HTTPRequestHead) -> String? {
        if let key = head.headers["X-API-Key"] { return key }
        guard let authorization = head.headers["Authorization"] else { return nil }
        let scheme = "Bearer "
        guard authorization.prefix(scheme.count).equalsIgnoringCase(scheme) else { return nil }
        return String(authorization.dropFirst(scheme.count))
    }

    /// Charges a key with some items.
    /// - Throws: 403 where it may not do this at all, 429 where it has not that many left.
    func charge(_ key: APIKeys.Key, _ count: Int, of operation: Operation, at now: Instant = .now) throws(Problem) {
        guard key.operations.contains(operation) else {
            let operations = Operation.allCases.filter(key.operations.contains).map(\.rawValue)
            let allowed = (operations + (key.mayAdminister ? ["administer"] : [])).joined(separator: ", ")
            throw Problem(.forbidden, "the API key \"\(key.name)\" may not \(operation.rawValue); it may \(allowed)")
        }
        guard let perMinute = key.perMinute else { return }
        let wait = state.withLock { $0.quotas[key.name, default: Quota(perMinute: perMinute, at: now)].take(count, at: now) }
        guard let wait else { return }
        throw Problem(
            .quotaExceeded, "the API key \"\(key.name)\" has \(perMinute) items a minute, and not \(count) of them left", retryAfter: wait)
    }
}
