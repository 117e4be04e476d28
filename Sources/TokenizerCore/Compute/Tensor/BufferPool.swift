import Glibc
import Locks

/// Keeps freed tensor memory for the next tensor of about the same size, so that steady-state work allocates nothing large.
package final class BufferPool: Sendable {
    package static let shared = BufferPool()

    private struct State {
        /// By their capacity in floats.
        var free: [Int: [UInt]] = [:]
        /// The fewest idle buffers of each capacity since the last ``releaseUnused()``: so many were not needed.
        var unused: [Int: Int] = [:]
        var heldBytes = 0

        mutating func pop(_ capacity: Int) -> UInt? {
            guard let address = free[capacity]?.popLast() else { return nil }
            heldBytes -= capacity * 4
            unused[capacity] = min(unused[capacity] ?? 0, free[capacity]!.count)
            return address
        }
    }

    /// Past this many idle bytes, freed buffers go back to the system.
    package static let maximumHeldBytes = 2 << 30
    private static let hugePageBytes = 2 << 20
    /// A large tensor may sit in a buffer this many times its size: feature maps shrink and grow by factors of two from stage to stage,
    /// and one stage's idle memory serves the next.
    private static let slack = 16
    private let state = Lock(State())

    deinit {
        for (_, addresses) in state.withLock({ $0.free }) {
            for address in addresses { Glibc.free(UnsafeMutableRawPointer(bitPattern: address)) }
        }
    }

    /// Bytes of idle buffers.
    var heldBytes: Int { state.withLock { $0.heldBytes } }

    /// Sizes are rounded up so that tensors of nearly equal size share buffers: powers of two below 4 KiB, then 1/8 steps.
    static func roundedCapacity(_ count: Int) -> Int {
        var step = 64
        while step * 16 < count { step *= 2 }
        return max(64, (count + step - 1) / step * step)
    }

    /// A buffer for at least `count` floats.
    ///
    /// - Parameter isLasting: whether it will be kept for long; then it has no more than its rounded capacity.
    func take(_ count: Int, isLasting: Bool) -> (base: UnsafeMutablePointer<Float>, capacity: Int) {
        let wanted = Self.roundedCapacity(count)
        let isFlexible = !isLasting && Self.isLarge(wanted)
        if let found = recycled(wanted...(isFlexible ? Self.slack * wanted : wanted)) { return found }
        if isFlexible { release(wanted) }
        return (Self.allocate(wanted), wanted)
    }

    func give(_ base: UnsafeMutablePointer<Float>, _ capacity: Int) {
        let isKept = state.withLock { state -> Bool in
            guard state.heldBytes + capacity * 4 <= Self.maximumHeldBytes else { return false }
            state.heldBytes += capacity * 4
            state.free[capacity, default: []].append(UInt(bitPattern: base))
            return true
        }
        if !isKept { free(base) }
    }

    /// The smallest idle buffer with one of these capacities.
    private func recycled(_ capacities: ClosedRange<Int>) -> (base: UnsafeMutablePointer<Float>, capacity: Int)? {
        state.withLock { state in
            let isExact = !(state.free[capacities.lowerBound] ?? []).isEmpty
            let best = isExact ? capacities.lowerBound : state.free.filter { capacities.contains($0.key) && !$0.value.isEmpty }.keys.min()
            guard let best, let address = state.pop(best) else { return nil }
            return (UnsafeMutablePointer(bitPattern: address)!, best)
        }
    }

    /// Gives large idle buffers that have proved too small back to the system, up to `capacity` floats, in exchange for one that is about
    /// to be allocated and will serve their tensors too.
    private func release(_ capacity: Int) {
        let released = state.withLock { state -> [UInt] in
            var (released, left) = ([UInt](), capacity)
            for size in state.free.keys.filter({ Self.isLarge($0) && $0 < capacity }).sorted(by: >) {
                while left >= size, let address = state.pop(size) {
                    released.append(address)
                    left -= size
                }
            }
            return released
        }
        for address in released { free(UnsafeMutableRawPointer(bitPattern: address)) }
    }

    /// Gives buffers back to the system that have been idle since the last call: of each capacity as many as were left when the most were in
    /// use. Called every now and then it lets go of what rare work, such as a large batch, has left behind, and steady work loses nothing.
    package func releaseUnused() {
        let released = state.withLock { state -> [UInt] in
            var released: [UInt] = []
            for (capacity, count) in state.unused where count > 0 {
                released += state.free[capacity]!.prefix(count)
                state.free[capacity]!.removeFirst(count)
                state.heldBytes -= count * capacity * 4
            }
            state.free = state.free.filter { !$0.value.isEmpty }
            state.unused = state.free.mapValues(\.count)
            return released
        }
        for address in released { free(UnsafeMutableRawPointer(bitPattern: address)) }
    }

    private static func isLarge(_ capacity: Int) -> Bool { capacity * MemoryLayout<Float>.stride >= hugePageBytes }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let bytes = capacity * MemoryLayout<Float>.stride
        var memory: UnsafeMutableRawPointer?
        let failure = posix_memalign(&memory, isLarge(capacity) ? hugePageBytes : 64, bytes)
        precondition(failure == 0, "cannot allocate \(bytes) bytes for a tensor")
        if isLarge(capacity) { madvise(memory, bytes, MADV_HUGEPAGE) }
        return memory!.bindMemory(to: Float.self, capacity: capacity)
    }
}
