import Testing

@testable import Compute

struct BufferPoolTests {
    private let million = 1 << 20

    /// A pool that gets back at its end what was taken and not given.
    private final class Pool {
        private let pool = BufferPool()
        private var taken: [(base: UnsafeMutablePointer<Float>, capacity: Int)] = []

        var heldBytes: Int { pool.heldBytes }

        func releaseUnused() { pool.releaseUnused() }

        func take(_ count: Int, isLasting: Bool) -> (base: UnsafeMutablePointer<Float>, capacity: Int) {
            let buffer = pool.take(count, isLasting: isLasting)
            taken.append(buffer)
            return buffer
        }

        func give(_ base: UnsafeMutablePointer<Float>, _ capacity: Int) {
            taken.removeAll { $0.base == base }
            pool.give(base, capacity)
        }

        deinit {
            for buffer in taken { pool.give(buffer.base, buffer.capacity) }
        }
    }

    @Test func idleMemoryServesSmallerTensors() {
        let pool = Pool()
        let (large, larger) = (pool.take(2 * million, isLasting: false), pool.take(4 * million, isLasting: false))
        pool.give(larger.base, larger.capacity)
        pool.give(large.base, large.capacity)
        let taken = pool.take(million, isLasting: false)
        #expect(taken.base == large.base && taken.capacity == 2 * million, "the smallest that suffices")
        // It goes back as what it is.
        pool.give(taken.base, taken.capacity)
        #expect(pool.take(2 * million, isLasting: false).base == large.base)
    }

    @Test func whatHasBeenIdleGoesBackToTheSystem() {
        let pool = Pool()
        func use(_ counts: Int...) {
            let buffers = counts.map { pool.take($0, isLasting: false) }
            for buffer in buffers { pool.give(buffer.base, buffer.capacity) }
        }
        use(1024, 1024, 2048)
        #expect(pool.heldBytes == 4 * (1024 + 1024 + 2048))
        pool.releaseUnused()
        #expect(pool.heldBytes == 4 * (1024 + 1024 + 2048), "all of it was in use a moment ago")
        use(1024)
        pool.releaseUnused()
        #expect(pool.heldBytes == 4 * 1024, "one would have done")
        pool.releaseUnused()
        #expect(pool.heldBytes == 0)
    }

    @Test func whatStaysOrIsSmallWastesNothing() {
        let pool = Pool()
        let large = pool.take(2 * million, isLasting: false)
        pool.give(large.base, large.capacity)
        #expect(pool.take(million, isLasting: true).capacity == million)
        #expect(pool.take(1000, isLasting: false).capacity == 1024)
        #expect(pool.take(million / 8, isLasting: false).capacity == million / 8)
        #expect(pool.take(2 * million, isLasting: true).base == large.base)
    }

    @Test func nothingIsServedFromFarLargerMemory() {
        let pool = Pool()
        let large = pool.take(32 * million, isLasting: false)
        pool.give(large.base, large.capacity)
        #expect(pool.take(million, isLasting: false).capacity == million)
    }

    @Test func idleMemoryThatIsTooSmallMakesRoom() {
        let pool = Pool()
        let small = (0..<3).map { _ in pool.take(million, isLasting: false) }
        for buffer in small { pool.give(buffer.base, buffer.capacity) }
        #expect(pool.heldBytes == 12 * million)
        _ = pool.take(2 * million, isLasting: true)
        #expect(pool.heldBytes == 12 * million, "what stays is not made from what comes back")
        _ = pool.take(2 * million, isLasting: false)
        #expect(pool.heldBytes == 4 * million)
    }
}
