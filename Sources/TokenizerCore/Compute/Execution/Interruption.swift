import Synchronization

/// A way to end a computation whose result nobody waits for any more.
///
/// Once it is set, networks that compute in its ``ComputeContext`` pass over the blocks that are left, which all keep the shape of what they
/// are given: the call returns soon, with a result that means nothing. So whoever sets it, or computes with it, asks ``isSet`` before using
/// what came back.
package final class Interruption: Sendable {
    private let value = Atomic(false)

    package init() {}

    package var isSet: Bool { value.load(ordering: .acquiring) }

    package func set() {
        value.store(true, ordering: .releasing)
    }
}
