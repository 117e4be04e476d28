import Glibc

/// A value that threads share and wait on: a mutex and a condition around `State`.
///
/// `Synchronization.Mutex` has no condition to wait on, and the server's threads wait for work and for deadlines.
///
/// `@unchecked Sendable`: `state` is touched only while `mutex` is held; the two pthread objects live at fixed addresses that this
/// object owns.
package final class Monitor<State>: @unchecked Sendable {
    /// What a waiting thread wants after it has looked at the state.
    package enum Step<Result> {
        case done(Result)
        /// Look again when the state has changed, or at this time if it comes first.
        case wait(until: ContinuousClock.Instant?)
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the state, and wakes every waiting thread to look at it again.
    package func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Reads or changes the state in a way that nobody waits for: waking a thread costs more than most of what is done here.
    package func withoutWaking<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state so that one waiting thread has something to do, whichever it is.
    package func wakingOne<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_signal(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&state)
    }

    /// Calls `look` until it is done, sleeping in between as it asks.
    package func wait<Result>(_ look: (inout State) -> Step<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch look(&state) {
            case .done(let result): return result
            case .wait(until: nil): pthread_cond_wait(condition, mutex)
            case .wait(until: let instant?): sleep(until: instant)
            }
        }
    }

    private func sleep(until instant: ContinuousClock.Instant) {
        let remaining = max(.zero, ContinuousClock.now.duration(to: instant)).components
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + Int(remaining.attoseconds / 1_000_000_000)
        time.tv_sec += Int(remaining.seconds) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(condition, mutex, &time)
    }
}

extension Monitor where State == Bool {
    /// Sleeps until the state is true, for `duration` at most.
    /// - Returns: whether it is.
    package func becomesTrue(within duration: Duration) -> Bool {
        let end = ContinuousClock.now + duration
        return wait { isTrue in
            if isTrue { return .done(true) }
            return ContinuousClock.now >= end ? .done(false) : .wait(until: end)
        }
    }
}
