import Testing

@testable import Compute

@Suite struct ComputeProfileTests {
    private let picture = Tensor(repeating: 1, shape: [2, 32, 32, 16])

    @Test func namesOperationsWithTheirWork() {
        let convolution = PackedConvolution(Tensor(repeating: 0.1, shape: [32, 16, 3, 3]))
        let matrix = PackedMatrix(Tensor(repeating: 0.1, shape: [8, 32]))
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) {
            for _ in 0..<2 { _ = project(convolve(picture, with: convolution), with: matrix) }
        }
        let winograd = profile.entries["3×3 Winograd"]
        #expect(winograd?.calls == 2)
        // 36 products for each of 64 tiles of 4×4 in two images.
        #expect(winograd?.cost.multiplications == 2 * (2 * 64 * 36 * 16 * 32))
        #expect(
            profile.entries["1×1"]?.cost
                == ComputeProfile.Cost(
                    multiplications: 2 * (2048 * 32 * 8), floats: 2 * (2048 * 32 + 32 * 8 + 2048 * 8)))
        #expect(profile.entries["1×1"]!.duration > .zero)
    }

    /// What an operation calls inside belongs to it, on whichever thread it runs.
    @Test func nestedOperationsAreNotCountedTwice() {
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) {
            Workers.forEach(4, operation: "outer") { _ in Workers.forEach(2, operation: "inner") { _ in } }
        }
        #expect(profile.entries.keys.sorted() == ["outer"])
    }

    @Test func countsTheTensorsThatAreAliveTogether() {
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) {
            var kept: [Tensor] = []
            for _ in 0..<3 { kept.append(Tensor(zeros: [1024])) }
            kept = []
            kept.append(Tensor(zeros: [2048]))
        }
        #expect(profile.peakBytes == 3 * 4096)
    }

    @Test func countsWhatWasAskedForHoweverMuchThePoolHadAtHand() {
        let million = 1 << 20
        let profile = ComputeProfile()
        // Freed again at once.
        _ = (0..<8).map { _ in Tensor(zeros: [4 * million]) }
        ComputeContext.with(\.profile, profile) { _ = (0..<8).map { _ in Tensor(zeros: [2 * million]) } }
        #expect(profile.peakBytes == 8 * 8 * million)
    }
}
