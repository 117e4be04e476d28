import Glibc
import Synchronization

/// Keeps freed tensor memory for the next tensor of about the same size, so that steady-state work allocates nothing large.
final class BufferPool: Sendable {
    static let shared = BufferPool()

    private struct State {
        /// By their capacity in floats.
        var free: [Int: [UInt]] = [:]
        var heldBytes = 0
    }

    /// Past this many idle bytes, freed buffers go back to the system.
    static let maximumHeldBytes = 2 << 30
    private static let hugePageBytes = 2 << 20
    /// A tensor may sit in a buffer this many times as large: feature maps shrink and grow by factors of two from stage to stage, and one
    /// stage's idle memory serves the next.
    private static let slack = 4
    private let state = Mutex(State())

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
        let most = isLasting || wanted * MemoryLayout<Float>.stride < Self.hugePageBytes ? wanted : Self.slack * wanted
        return recycled(wanted...most) ?? (Self.allocate(wanted), wanted)
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
            guard let best, let address = state.free[best]?.popLast() else { return nil }
            state.heldBytes -= best * 4
            return (UnsafeMutablePointer(bitPattern: address)!, best)
        }
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let bytes = capacity * MemoryLayout<Float>.stride
        let isLarge = bytes >= hugePageBytes
        var memory: UnsafeMutableRawPointer?
        let failure = posix_memalign(&memory, isLarge ? hugePageBytes : 64, bytes)
        precondition(failure == 0, "cannot allocate \(bytes) bytes for a tensor")
        if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
        return memory!.bindMemory(to: Float.self, capacity: capacity)
    }
}
