import Synchronization

/// The request bodies of all connections together may not exceed it; every loop thread draws on the same one.
final class BodyBudget: Sendable {
    private let available: Atomic<Int>
    private let total: Int

    init(bytes: Int) {
        precondition(bytes >= 0, "a budget of \(bytes) bytes")
        total = bytes
        available = Atomic(bytes)
    }

    var usedBytes: Int {
        total - available.load(ordering: .relaxed)
    }

    /// Less than a quarter is left.
    var isScarce: Bool {
        available.load(ordering: .relaxed) < total / 4
    }

    func canTake(_ bytes: Int) -> Bool {
        available.load(ordering: .relaxed) >= bytes
    }

    fileprivate func take(_ bytes: Int) -> Bool {
        var current = available.load(ordering: .relaxed)
        while current >= bytes {
            let result = available.weakCompareExchange(
                expected: current, desired: current - bytes, ordering: .relaxed)
            if result.exchanged { return true }
            current = result.original
        }
        return false
    }

    fileprivate func giveBack(_ bytes: Int) {
        available.add(bytes, ordering: .relaxed)
    }
}

/// One body's share of a budget, given back when it goes.
struct BodyReservation: ~Copyable {
    private let budget: BodyBudget
    private var bytes = 0

    init(from budget: BodyBudget) {
        self.budget = budget
    }

    deinit {
        budget.giveBack(bytes)
    }

    mutating func giveBack() {
        budget.giveBack(bytes)
        bytes = 0
    }

    /// - Returns: false, and nothing taken, if the budget does not have that much left.
    mutating func grow(to newBytes: Int) -> Bool {
        guard newBytes > bytes else { return true }
        guard budget.take(newBytes - bytes) else { return false }
        bytes = newBytes
        return true
    }
}
