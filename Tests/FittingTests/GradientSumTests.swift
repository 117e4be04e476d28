import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import Ranks

/// Sums of gradients that are told of while they are computed.
@Suite struct GradientSumTests {
    /// A model of four tensors, the third of which is larger than a bucket.
    private struct Model: Parameterized {
        var parts: [Tensor]

        static let sizes = [5, 3, 300_000, 7]

        /// Numbers whose sum depends on the order.
        init(_ seed: Int) {
            parts = Self.sizes.map { size in
                Tensor((0..<size).map { Float(1 + seed * 7 + $0 % 1000) / 3 * (seed % 2 == 0 ? 1e6 : 1e-3) }, shape: [size])
            }
        }

        mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
            for i in parts.indices { visitor(path / i, .learned, &parts[i]) }
        }

        var numbers: [[Float]] { parts.map(\.values) }
    }

    private static let shards = 5

    private static func alone() -> [[Float]] { RankGroup.alone.sum((0..<shards).map { Model($0) }).numbers }

    /// The order of the pass is not that of the model, and one tensor is told of by nobody.
    @Test(arguments: [2, 3, 5])
    func theSumIsToTheBitThatOfOneProcess(count: Int) throws {
        let sums = try InProcessRanks.run(count) { ranks in
            let own = ranks.share(of: Self.shards)
            let sum = GradientSum(of: own.count, ranks, isOverlapping: true)
            let gradients = own.map { Model($0) }
            for (place, gradient) in gradients.enumerated() {
                let receiver = sum.receiver(place)!
                receiver([gradient.parts[3]])
                receiver([gradient.parts[2], gradient.parts[0]])
            }
            return sum.sum(gradients).numbers
        }
        for sum in sums { #expect(try sum.get() == Self.alone()) }
    }

    /// As where a layer is passed twice: what was told first is not what counts.
    @Test func aTensorThatChangesAfterwardsCountsAsItIsInTheEnd() throws {
        let sums = try InProcessRanks.run(2) { ranks in
            let sum = GradientSum(of: 1, ranks, isOverlapping: true)
            var gradient = Model(ranks.rank)
            gradient.parts[1] = Tensor(zeros: [3])
            sum.receiver(0)!([gradient.parts[1]])
            gradient.parts[1].add(Model(ranks.rank).parts[1])
            sum.receiver(0)!([gradient.parts[1]])
            return sum.sum([gradient]).numbers
        }
        let expected = RankGroup.alone.sum([Model(0), Model(1)]).numbers
        for sum in sums { #expect(try sum.get() == expected) }
    }

    /// An encoder's half that is not trained does not go over the network.
    @Test func whatDoesNotMoveIsNotSent() throws {
        let sent = Mailbox<Int>()
        let sums = try InProcessRanks.run(2, watch: Self.sending(to: sent)) { ranks in
            var gradient = Model(ranks.rank)
            gradient.clear { $0 >= 2 }
            let sum = GradientSum(of: 1, ranks, isOverlapping: true)
            sum.receiver(0)!([gradient.parts[1]])
            return sum.sum([gradient]) { $0 < 2 }.numbers
        }
        let whole = RankGroup.alone.sum([Model(0), Model(1)]).numbers
        let expected = Array(whole[..<2]) + Model.sizes[2...].map { [Float](repeating: 0, count: $0) }
        for sum in sums { #expect(try sum.get() == expected) }
        #expect(sent.posted == [(5 + 3) * MemoryLayout<Float>.size])
    }

    /// The first rank's pass goes on only when the other rank has had a bucket of what the first half has left.
    @Test func aBucketIsOnItsWayBeforeThePassHasEnded() throws {
        let sent = Mailbox<Int>()
        let sums = try InProcessRanks.run(2, watch: Self.sending(to: sent)) { ranks in
            let sum = GradientSum(of: 1, ranks, isOverlapping: true)
            let gradient = Model(ranks.rank)
            sum.receiver(0)!([gradient.parts[2]])
            if ranks.isFirst { #expect(sent.take() == 1 << 20, "nothing was sent while the pass went on") }
            for index in [3, 1, 0] { sum.receiver(0)!([gradient.parts[index]]) }
            return sum.sum([gradient]).numbers
        }
        let expected = RankGroup.alone.sum([Model(0), Model(1)]).numbers
        for sum in sums { #expect(try sum.get() == expected) }
    }

    /// Notes how much the first rank sends.
    private static func sending(to sent: Mailbox<Int>) -> @Sendable (Int, Transfer) -> Void {
        { rank, transfer in
            if rank == 0, case .send(let bytes, _) = transfer { sent.post(bytes.count) }
        }
    }

    /// Numbers below 1e-38 count as zero on the threads that compute, whoever adds them.
    @Test func theSmallestNumbersAreTheSameToo() throws {
        let numbers: [[Float]] = [[1e-40, 3e-38, 1], [1e-40, -2.9e-38, 1e-40], [2e-38, 1e-39, 0]]
        @Sendable func model(_ row: Int) -> Model {
            var model = Model(0)
            model.parts = [Tensor(numbers[row], shape: [3])]
            return model
        }
        let expected = RankGroup.alone.sum((0..<3).map(model)).numbers
        for sum in try InProcessRanks.run(3, { $0.sum([model($0.rank)]).numbers }) { #expect(try sum.get() == expected) }
    }
}
