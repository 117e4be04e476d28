import Glibc

/// A thread of its own for work that blocks, computes or waits for events.
package struct DedicatedThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body` once.
    /// - Throws: where the system has no room for another thread.
    package init(_ body: sending @escaping () -> Void) throws(SystemError) {
        let box = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { box in
                Unmanaged<Body>.fromOpaque(box!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemError(operation: "start a thread", code: code)
        }
        self.thread = thread
    }

    /// Leaves it alone: its memory goes back when `body` returns. Called instead of ``join()``, once.
    package func detach() {
        let code = pthread_detach(thread)
        precondition(code == 0, "detaching a thread failed: \(code)")
    }

    /// Waits until `body` has returned. Called once; a thread whose end nobody waits for is detached.
    package func join() {
        let code = pthread_join(thread, nil)
        precondition(code == 0, "joining a thread failed: \(code)")
    }

    private final class Body {
        let run: () -> Void

        init(run: @escaping () -> Void) {
            self.run = run
        }
    }
}

/// A system call that failed for a reason its caller cannot mend.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was attempted: `bind 127.0.0.1:8080`.
    package let operation: String
    /// The value of `errno`.
    package let code: CInt

    package init(operation: String, code: CInt) {
        self.operation = operation
        self.code = code
    }

    /// `bind 127.0.0.1:8080: Address already in use`.
    package var description: String {
        "\(operation): \(String(cString: strerror(code)))"
    }
}
