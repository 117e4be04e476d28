import Glibc

/// A dedicated thread for blocking work.
struct ServiceThread: Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body` once.
    init(_ body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(Body(run: body)).toOpaque()
        let failure = pthread_create(&handle, nil, { argument in
            guard let argument else { preconditionFailure("the thread was started without its body") }
            Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, argument)
        precondition(failure == 0, "the system refuses another thread: \(String(cString: strerror(failure)))")
        self.handle = handle
    }

    /// Waits until the thread's body has returned. Called once, or never.
    func join() {
        pthread_join(handle, nil)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
