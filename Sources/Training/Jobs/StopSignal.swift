import Glibc
import Synchronization

/// The wish of whoever pressed Ctrl-C or sent SIGTERM: finish this step, save, and leave.
package enum StopSignal {
    private static let requested = Atomic<Bool>(false)

    /// From now on the first SIGINT or SIGTERM sets ``isRequested``; a second one ends the process as usual.
    package static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in StopSignal.requested.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
        for signal in [SIGINT, SIGTERM] { sigaction(signal, &action, nil) }
    }

    package static var isRequested: Bool { requested.load(ordering: .relaxed) }
}
