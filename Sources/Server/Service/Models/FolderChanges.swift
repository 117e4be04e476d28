import CEvents
import Glibc
import Threads

/// Sleeps until something happens in some folders, as far as the system tells, or until it is woken.
///
/// The system tells nothing of changes that other machines make on a network volume, so whoever sleeps here looks from time to time all the same.
final class FolderChanges: Sendable {
    private let poller: CInt
    private let wakeup: CInt
    /// -1 where the system gives no more of them.
    private let notifier: CInt

    private enum Source: UInt64 {
        case wakeup, notifier
    }

    /// Names that come and go, and files that are complete; not every write.
    private static let events = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE)
    /// Whoever changes several files is given the time to, so that one look sees them all.
    private static let settling: CInt = 20

    /// - Throws: where the system has no more file descriptors.
    init() throws(SystemError) {
        let (poller, wakeup) = (events_create(), events_wakeup_create())
        guard poller >= 0, wakeup >= 0, events_add(poller, wakeup, events_readable, Source.wakeup.rawValue) == 0 else {
            throw SystemError(operation: "wait for changes of a folder", code: errno)
        }
        let notifier = inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC))
        if notifier >= 0 { _ = events_add(poller, notifier, events_readable, Source.notifier.rawValue) }
        (self.poller, self.wakeup, self.notifier) = (poller, wakeup, notifier)
    }

    deinit {
        for descriptor in [poller, wakeup, notifier] where descriptor >= 0 { close(descriptor) }
    }

    /// Is told of changes in a folder, not in those within it. A folder that is followed already, or cannot be, is passed over.
    func follow(_ folder: String) {
        if notifier >= 0 { inotify_add_watch(notifier, folder, Self.events | UInt32(IN_ONLYDIR)) }
    }

    /// Ends a wait, or the next one.
    func wake() { _ = events_wakeup_signal(wakeup) }

    /// Sleeps until something has happened, for `duration` at most.
    func wait(within duration: Duration) {
        let milliseconds = CInt(clamping: Int64((duration / .milliseconds(1)).rounded(.up)))
        var ready = events_ready()
        guard events_wait(poller, &ready, 1, milliseconds) > 0 else { return }
        if ready.identifier == Source.notifier.rawValue { poll(nil, 0, Self.settling) }
        _ = events_wakeup_clear(wakeup)
        if notifier >= 0 { discardEvents() }
    }

    private func discardEvents() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(notifier, &buffer, buffer.count) > 0 {}
    }
}
