import Glibc
import Synchronization

/// The wish of whoever pressed Ctrl-C or sent SIGTERM: finish this step, save, and leave.
package enum StopSignal {
    /// The signal's number; 0 before one has come.
    private static let received = Atomic<Int32>(0)

    /// From now on the first SIGINT or SIGTERM sets ``isRequested``; a second one ends the process as usual.
    package static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { StopSignal.received.store($0, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
        for signal in [SIGINT, SIGTERM] { sigaction(signal, &action, nil) }
    }

    /// The signal's number; 0 before one has come.
    package static var number: Int { Int(received.load(ordering: .relaxed)) }

    /// Takes it that a signal has come which another process of the same job has received; 0 for none.
    package static func share(_ number: Int) {
        if number != 0 { received.store(Int32(number), ordering: .relaxed) }
    }

    package static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// What a command ends with whose work was cut short: as shells report a process that the signal ended, so that a script that called
    /// it does not go on with half of the work.
    package static var exitStatus: Int32 { 128 + received.load(ordering: .relaxed) }
}
