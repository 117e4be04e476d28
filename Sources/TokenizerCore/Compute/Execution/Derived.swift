import Synchronization

/// A value and what is made of it when it is first needed: weights, and the layout that the kernels read.
///
/// Copies share what was made. Whoever changes the value gets a form of their own, made anew: the type sees to it.
package struct Derived<Source: Sendable, Form: Sendable>: Sendable {
    package var source: Source {
        didSet { lazy = Lazy() }
    }
    private var lazy = Lazy()

    package init(_ source: Source) {
        self.source = source
    }

    /// What `make` answered for this value the first time.
    package func form(_ make: (Source) -> Form) -> Form {
        lazy.value.withLock { value in
            if value == nil { value = make(source) }
            return value!
        }
    }

    private final class Lazy: Sendable {
        let value = Mutex<Form?>(nil)
    }
}
