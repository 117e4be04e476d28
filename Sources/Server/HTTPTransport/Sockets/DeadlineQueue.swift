/// The times at which connections want to be looked at, earliest first: a binary heap.
///
/// Deadlines mostly move later, at every request, and then nothing is done here: whoever is taken out too early is asked
/// for its deadline again and put back.
struct DeadlineQueue {
    typealias Instant = ContinuousClock.Instant

    struct Entry {
        let deadline: Instant
        let identifier: UInt64
    }

    private var heap: [Entry] = []

    var earliest: Instant? { heap.first?.deadline }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out one entry whose deadline has come.
    mutating func takeDue(at now: Instant) -> Entry? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while let child = earlierChild(of: parent), heap[child].deadline < heap[parent].deadline {
            heap.swapAt(child, parent)
            parent = child
        }
        return first
    }

    private func earlierChild(of parent: Int) -> Int? {
        let left = 2 * parent + 1
        guard left < heap.count else { return nil }
        return left + 1 < heap.count && heap[left + 1].deadline < heap[left].deadline ? left + 1 : left
    }
}
