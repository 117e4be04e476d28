import CEvents
import Threads

/// One thread's set of watched descriptors.
struct Poller: ~Copyable {
    /// What a descriptor is watched for.
    struct Interest: OptionSet {
        let rawValue: UInt32

        static let reading = Interest(rawValue: events_readable)
        static let writing = Interest(rawValue: events_writable)
        /// Wakes few of the threads that watch the same descriptor.
        static let exclusive = Interest(rawValue: events_exclusive)
    }

    /// A descriptor that is ready, by the identifier it is watched under.
    struct Ready {
        let identifier: UInt64
        let isReadable: Bool
        let isWritable: Bool
        /// An error, or both directions shut down.
        let isBroken: Bool
    }

    private let socket: Socket
    private var ready = [events_ready](repeating: events_ready(), count: 256)

    init() throws(SystemError) {
        socket = Socket(owning: try SystemCalls.check("epoll_create1") { events_create() })
    }

    func add(_ descriptor: CInt, _ interest: Interest, identifier: UInt64) throws(SystemError) {
        _ = try SystemCalls.check("epoll_ctl") {
            events_add(socket.descriptor, descriptor, interest.rawValue, identifier)
        }
    }

    func change(_ descriptor: CInt, _ interest: Interest, identifier: UInt64) {
        let result = events_change(socket.descriptor, descriptor, interest.rawValue, identifier)
        precondition(result == 0, "descriptor \(descriptor) is not watched")
    }

    func remove(_ descriptor: CInt) {
        let result = events_remove(socket.descriptor, descriptor)
        precondition(result == 0, "descriptor \(descriptor) is not watched")
    }

    /// Waits until something is ready or the time is over.
    /// - Parameter timeout: `nil` to wait for ever.
    mutating func wait(_ timeout: Duration?) -> [Ready] {
        let descriptor = socket.descriptor
        let milliseconds = timeout.map(Self.milliseconds) ?? -1
        let count = ready.withUnsafeMutableBufferPointer { ready in
            events_wait(descriptor, ready.baseAddress, CInt(ready.count), milliseconds)
        }
        // A signal ends the wait early, and the loop goes round once more.
        return ready.prefix(max(0, Int(count))).map { event in
            Ready(
                identifier: event.identifier, isReadable: event.readiness & events_readable != 0,
                isWritable: event.readiness & events_writable != 0, isBroken: event.readiness & events_failed != 0)
        }
    }

    /// Rounded up: a timer must have passed when its wait is over, or the loop would spin.
    private static func milliseconds(_ duration: Duration) -> CInt {
        let (seconds, attoseconds) = duration.components
        guard seconds < 3600 else { return 3_600_000 }
        return max(0, CInt(seconds) * 1000 + CInt((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
