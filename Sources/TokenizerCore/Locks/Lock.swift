import Glibc

/// A value that threads share, behind a mutex of the system.
///
/// `Synchronization.Mutex` would do, but ThreadSanitizer does not see it: its futex is taken inside the standard library, which is not
/// instrumented, so that every value it protects is reported as a race. Two threads that append to one array under it show that in a dozen
/// lines; under a pthread mutex the same program is clean.
///
/// `@unchecked Sendable`: `state` is touched only while `mutex` is held, which lives at a fixed address that this object owns.
package final class Lock<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    package func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
