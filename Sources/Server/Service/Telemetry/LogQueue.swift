import Glibc
import Logging
import Threads

/// Log lines on their way out, written by a thread of their own: whoever logs never waits for whoever reads.
///
/// A reader that stalls costs lines, never answers: what does not fit is dropped and counted, and the count is logged once there is
/// room again.
package final class LogQueue: Sendable {
    private struct State {
        var lines: [String] = []
        var bytes = 0
        var dropped = 0
        var isWriting = false
        var isClosed = false
    }

    private let maximumBytes: Int
    private let state: Monitor<State>

    /// - Parameters:
    ///   - maximumBytes: what may wait.
    ///   - write: takes some whole lines; may block.
    /// - Throws: where the system has no room for its thread.
    package init(maximumBytes: Int = 1 << 20, write: @escaping @Sendable (String) -> Void) throws(SystemError) {
        let state = Monitor(State())
        self.maximumBytes = maximumBytes
        self.state = state
        // Never joined: it may be inside a write that does not return.
        _ = try DedicatedThread {
            while let text = Self.next(of: state) { write(text) }
        }
    }

    deinit {
        state.withLock { $0.isClosed = true }
    }

    /// Puts a line behind those that wait.
    package func add(_ line: String) {
        state.withLock { state in
            guard state.bytes + line.utf8.count <= maximumBytes else {
                state.dropped += 1
                return
            }
            state.lines.append(line)
            state.bytes += line.utf8.count
        }
    }

    /// Waits until everything is written, but no longer than this.
    package func flush(within limit: Duration) {
        let end = ContinuousClock.now + limit
        state.wait { state in
            state.lines.isEmpty && !state.isWriting || ContinuousClock.now >= end ? .done(()) : .wait(until: end)
        }
    }

    private static func next(of state: Monitor<State>) -> String? {
        state.withLock { $0.isWriting = false }
        return state.wait { state in
            guard !state.lines.isEmpty else { return state.isClosed ? .done(nil) : .wait(until: nil) }
            let note = state.dropped > 0 ? "\(state.dropped) log lines were dropped: nobody read them in time\n" : ""
            let text = state.lines.joined() + note
            state = State(isWriting: true, isClosed: state.isClosed)
            return .done(text)
        }
    }

    /// Writes to a descriptor, and gives up on the text if it is broken.
    package static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}

/// Logs to a ``LogQueue``: `2026-01-31T12:00:00Z info revq-server: POST /encode bytes=512 status=200`.
package struct QueuedLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel = Logger.Level.info
    private let label: String
    private let queue: LogQueue

    package init(label: String, queue: LogQueue) {
        self.label = label
        self.queue = queue
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let line = "\(Self.now()) \(event.level) \(label): \(event.message)\(fields)"
        // A value from outside must not look like a line of its own.
        let printable = line.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
        queue.add(String(printable) + "\n")
    }

    private static func now() -> String {
        var (seconds, parts) = (time(nil), tm())
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
