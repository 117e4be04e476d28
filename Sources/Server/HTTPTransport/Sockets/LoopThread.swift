import Glibc

/// A thread that runs one closure and can be waited for.
struct LoopThread: Sendable {
    private let thread: pthread_t

    init(_ body: sending @escaping () -> Void) throws(SystemError) {
        let box = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { box in
            Unmanaged<Body>.fromOpaque(box!).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemError(operation: "pthread_create", code: code)
        }
        self.thread = thread
    }

    /// Waits until the closure has returned; may be called once.
    func join() {
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
