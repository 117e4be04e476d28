import Glibc
import Logging
import Threads

/// Log lines on their way out, written by a thread of their own: whoever logs never waits for whoever reads.
///
/// A reader that stalls costs lines, never answers: what does not fit is dropped and counted, and the count is logged once there is
/// room again.
package final class LogQueue: Sendable {
    /// How long a line waits for others to be written with it.
    private static let patience = Duration.milliseconds(5)

    private struct State {
        var lines: [String] = []
        var bytes = 0
        /// When the first of them came.
        var since = ContinuousClock.now
        /// Since the last line that told so, and in all.
        var dropped = 0
        var droppedInAll = 0
        var isWriting = false
        var isClosed = false
    }

    private let maximumBytes: Int
    private let state: Monitor<State>

    /// - Parameters:
    ///   - maximumBytes: what may wait.
    ///   - note: the line that says how many were dropped.
    ///   - write: takes some whole lines; may block.
    /// - Throws: where the system has no room for its thread.
    package init(
        maximumBytes: Int = 1 << 20, note: @escaping @Sendable (Int) -> String = { LogFormat.text.note(ofDropped: $0) },
        write: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        let state = Monitor(State())
        self.maximumBytes = maximumBytes
        self.state = state
        // Never joined: it may be inside a write that does not return.
        let thread = try DedicatedThread {
            while let text = Self.next(of: state, note) { write(text) }
        }
        thread.detach()
    }

    deinit {
        state.withLock { $0.isClosed = true }
    }

    /// Puts a line behind those that wait. Only the first one wakes the writer, which then lets others join it.
    package func add(_ line: String) {
        let isFirst = state.withoutWaking { state in
            guard state.bytes + line.utf8.count <= maximumBytes else {
                state.dropped += 1
                state.droppedInAll += 1
                return false
            }
            state.lines.append(line)
            state.bytes += line.utf8.count
            return state.lines.count == 1
        }
        if isFirst { state.withLock { $0.since = .now } }
    }

    /// How many lines did not fit.
    package var droppedLines: Int { state.withLock { $0.droppedInAll } }

    /// Waits until everything is written, but no longer than this.
    package func flush(within limit: Duration) {
        let end = ContinuousClock.now + limit
        state.wait { state in
            state.lines.isEmpty && !state.isWriting || ContinuousClock.now >= end ? .done(()) : .wait(until: end)
        }
    }

    private static func next(of state: Monitor<State>, _ note: (Int) -> String) -> String? {
        state.withLock { $0.isWriting = false }
        return state.wait { state in
            guard !state.lines.isEmpty else { return state.isClosed ? .done(nil) : .wait(until: nil) }
            let due = state.since + patience
            guard state.isClosed || due <= .now else { return .wait(until: due) }
            let text = state.lines.joined() + (state.dropped > 0 ? note(state.dropped) : "")
            state = State(droppedInAll: state.droppedInAll, isWriting: true, isClosed: state.isClosed)
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

/// How log lines are written.
package enum LogFormat: String, Sendable, CaseIterable {
    /// As text to a terminal, as JSON elsewhere.
    case auto
    /// `2026-01-31T12:00:00Z info revq-server: POST /encode bytes=512 status=200`.
    case text
    /// One object a line, all values strings: `{"time":…,"level":"info","logger":…,"message":…,"bytes":"512","status":"200"}`.
    case json

    /// The line that says how many were dropped.
    package func note(ofDropped count: Int) -> String {
        let text = "\(count) log lines were dropped: nobody read them in time"
        return self == .json ? String(decoding: (["level": "warning", "message": .string(text)] as JSONValue).bytes, as: UTF8.self) : text + "\n"
    }

    /// What `auto` means for a descriptor.
    package func resolved(for descriptor: CInt) -> LogFormat {
        self != .auto ? self : isatty(descriptor) == 1 ? .text : .json
    }
}

/// Logs to a ``LogQueue``.
package struct QueuedLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel = Logger.Level.info
    private let label: String
    private let format: LogFormat
    private let queue: LogQueue

    package init(label: String, format: LogFormat = .text, queue: LogQueue) {
        self.label = label
        self.format = format
        self.queue = queue
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        if format == .json {
            let fields: [String: String] = ["time": Self.now(), "level": "\(event.level)", "logger": label, "message": "\(event.message)"]
            let line = fields.merging(all.mapValues { "\($0)" }) { own, _ in own }
            queue.add(String(decoding: JSONValue.object(line.mapValues(JSONValue.string)).bytes, as: UTF8.self))
            return
        }
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
