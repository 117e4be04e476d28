import Dispatch
import Synchronization

@testable import HTTPTransport

/// Hands values from a server's threads to a test.
///
/// These tests block and use no tasks: a task that another must wait for may find every thread of the pool blocked.
final class BlockingQueue<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let count = DispatchSemaphore(value: 0)

    func put(_ element: Element) {
        elements.withLock { $0.append(element) }
        count.signal()
    }

    /// The oldest value, once there is one; `nil` if none comes for a minute.
    func take() -> Element? {
        guard count.wait(timeout: .now() + 60) == .success else { return nil }
        return elements.withLock { $0.removeFirst() }
    }
}
