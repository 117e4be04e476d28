import Glibc

/// SIGTERM and SIGINT as something to wait for, instead of something that strikes.
package struct TerminationSignals {
    private var set = sigset_t()

    /// Holds both signals back. Threads inherit this, so it comes before the first one is started.
    package init() {
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the first signal. The next one ends the process at once.
    /// - Returns: its name.
    package mutating func wait() -> String {
        var signal: CInt = 0
        while sigwait(&set, &signal) != 0 {}
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        return signal == SIGINT ? "SIGINT" : "SIGTERM"
    }
}
