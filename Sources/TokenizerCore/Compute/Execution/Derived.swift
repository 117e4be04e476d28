import Locks

/// A value and what is made of it when it is first needed: weights, and the layout that the kernels read.
///
/// Copies share what was made. Whoever changes the value gets a form of their own, made anew: the type sees to it.
package struct Derived<Source: Sendable, Form: Sendable>: Sendable {
    package var source: Source {
        get { value }
        // What was made may hold the value too: let go first, so that a tensor held by nobody else changes in place.
        _modify {
            lazy = Lock(nil)
            yield &value
        }
    }
    private var value: Source
    private var lazy = Lock<Form?>(nil)

    package init(_ source: Source) {
        value = source
    }

    /// What `make` answered for this value the first time.
    package func form(_ make: (Source) -> Form) -> Form {
        lazy.withLock { form in
            if form == nil { form = make(value) }
            return form!
        }
    }
}
