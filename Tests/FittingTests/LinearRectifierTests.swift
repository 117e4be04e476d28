import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Networks

/// Closed-form rectifiers against NumPy's float64 solutions of the same problem.
@Suite struct LinearRectifierTests {
    private let shape = LatentShape(channels: 3, height: 3, width: 4)
    private let file: SafetensorsFile
    private let q, z: Tensor

    init() throws {
        file = try SafetensorsFile(Fixture.path("rectifiers/linear.safetensors"))
        (q, z) = (try file.tensor("q").channelsLast, try file.tensor("z").channelsLast)
    }

    @Test(arguments: [("neighbourhood", .neighbourhood(size: 3)), ("image", .image)] as [(String, LinearRectifier.Reach)], [false, true])
    func agreesWithNumPy(kind: (name: String, reach: LinearRectifier.Reach), isResidual: Bool) throws {
        let solved = try #require(solver(kind.reach, isResidual, batches: [0..<60]).rectifier(penalty: 0.01))
        let prefix = kind.name + (isResidual ? "_residual" : "")
        for (path, _, tensor) in solved.tensors {
            #expect(tensor.relativeError(to: try file.tensor("\(prefix).\(path)")) < 1e-5, "\(path)")
        }
        #expect(SquaredError.loss(solved(q), z).value < SquaredError.loss(q, z).value)
    }

    @Test func batchesAddUp() throws {
        let whole = try #require(solver(.neighbourhood(size: 3), true, batches: [0..<60]).rectifier(penalty: 0.01))
        let parts = try #require(solver(.neighbourhood(size: 3), true, batches: [0..<13, 13..<14, 14..<60]).rectifier(penalty: 0.01))
        for (a, b) in zip(whole.tensors, parts.tensors) { #expect(a.tensor.relativeError(to: b.tensor) < 1e-6) }
    }

    @Test func aLargePenaltyLeavesTheLatentsAsTheyAre() throws {
        let solved = try #require(solver(.image, true, batches: [0..<60]).rectifier(penalty: 1e9))
        let weight = solved.tensors[0].tensor
        #expect(weight.shape == [36, 36, 1, 1] && weight.values.allSatisfy { abs($0) < 1e-8 })
    }

    @Test func tooFewImagesDetermineNothing() {
        #expect(solver(.image, false, batches: [0..<5]).rectifier(penalty: 0) == nil)
        #expect(solver(.image, false, batches: [0..<5]).rectifier(penalty: 1e-3) != nil)
    }

    /// More unknowns than are eliminated at a time, and more columns than a piece of work has.
    @Test func largeSystemsAreSolvedToo() throws {
        var random = RandomSource(seed: 4, stream: 0)
        var (x, map) = (Tensor(uninitialized: [400, 300]), Tensor(uninitialized: [5, 300]))
        random.fill(normal: &x)
        random.fill(normal: &map)
        let y = project(x, with: PackedMatrix(map), bias: Tensor([1, 2, 3, 4, 5], shape: [5]))
        var regression = RidgeRegression(features: 300, targets: 5)
        regression.add(x, y)
        let (weight, bias) = try #require(regression.solution(penalty: 0))
        #expect(weight.relativeError(to: map) < 1e-5)
        #expect(bias.relativeError(to: Tensor([1, 2, 3, 4, 5], shape: [5])) < 1e-5)
    }

    private func solver(_ reach: LinearRectifier.Reach, _ isResidual: Bool, batches: [Range<Int>]) -> LinearRectifierSolver {
        var solver = LinearRectifierSolver(RectifierConfiguration(.linear(reach: reach), isResidual: isResidual), shape: shape)
        for batch in batches { solver.add(q.images(batch), z.images(batch)) }
        return solver
    }
}
