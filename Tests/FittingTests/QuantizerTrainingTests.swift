import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

@Suite struct QuantizerTrainingTests {
    private let shape = LatentShape(channels: 2, height: 2, width: 4)

    @Test func samplingTakesLatentsOfTheOwnGroup() throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 3, latents: 16, codebooks: 2)
        let latents = Self.latents(5, 16)
        let quantizer = GroupQuantizer(layout, from: latents, seed: 1)
        let rows = stride(from: 0, to: latents.count, by: 4).map { Array(latents.values[$0..<$0 + 4]) }
        for codebook in 0..<2 {
            // Tokens 0 and 1 of an image share the first codebook, 2 and 3 the second.
            let own = rows.indices.filter { $0 % 4 / 2 == codebook }.map { rows[$0] }
            for code in 0..<3 {
                let start = (codebook * 3 + code) * 4
                #expect(own.contains(Array(quantizer.codebooks.values[start..<start + 4])))
            }
        }
    }

    @Test func lloydNeverGetsWorseAndFindsTheMeans() throws {
        // Two tight clusters and two codes that both start in the first.
        let latents = Tensor([0, 0.2, 0.1, 9.9, 10, 10.1], shape: [6, 1])
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 2, latents: 1, codebooks: 1)
        var trainer = LloydTrainer(GroupQuantizer(layout, codebooks: Tensor([0, 0.2], shape: [1, 2, 1])), passes: 5, reset: .distortion, seed: 1)
        let errors = (0..<5).map { trainer.advance(on: latents, pass: $0) { false }! }
        #expect(zip(errors, errors.dropFirst()).allSatisfy { $0 >= $1 })
        #expect(zip(trainer.quantizer.codebooks.values, [0.1, 10] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// Long steps first, and in the last two passes the means; so however many passes there were, codes end at the means of their cells.
    @Test func lloydEndsAtTheMeans() throws {
        let latents = Tensor([1, 2, 3, 6], shape: [4, 1])
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 1, latents: 1, codebooks: 1)
        for passes in 1...4 {
            var trainer = LloydTrainer(GroupQuantizer(layout, codebooks: Tensor([0], shape: [1, 1, 1])), passes: passes, reset: .none, seed: 1)
            let codes = (0..<passes).map { pass in
                _ = trainer.advance(on: latents, pass: pass) { false }
                return trainer.quantizer.codebooks.values[0]
            }
            let expected = ([5.4, 1.08] as [Float]).prefix(max(0, passes - 2)) + Array(repeating: 3, count: min(passes, 2))
            #expect(zip(codes, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(codes)")
        }
    }

    @Test func lloydGivesUnusedCodesHalfOfTheWorstCell() throws {
        let latents = Tensor([-1, 1, 50, 50.1], shape: [4, 1])
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 3, latents: 1, codebooks: 1)
        // Nothing is near the third code; the first cell has the larger error.
        var trainer = LloydTrainer(
            GroupQuantizer(layout, codebooks: Tensor([0, 50, 900], shape: [1, 3, 1])), passes: 3, reset: .distortion, seed: 1)
        _ = trainer.advance(on: latents, pass: 0) { false }
        let codes = trainer.quantizer.codebooks.values
        #expect(abs(codes[2]) < 3 && codes[0] != codes[2])
        _ = trainer.advance(on: latents, pass: 1) { false }
        let error = trainer.advance(on: latents, pass: 2) { false }!
        #expect(error < 0.01)
    }

    @Test func aStopInsideAPassLeavesTheCodesOfThePassBefore() throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 8, latents: 16, codebooks: 1)
        let latents = Self.latents(300, 16)
        let start = GroupQuantizer(layout, from: latents, seed: 1)
        var (stopped, whole) = (LloydTrainer(start, passes: 1, reset: .none, seed: 1), LloydTrainer(start, passes: 1, reset: .none, seed: 1))
        var asked = 0
        let none = stopped.advance(on: latents, pass: 0) {
            asked += 1
            return asked > 1
        }
        #expect(none == nil && asked == 2, "300 images are three parts; the second was not begun")
        #expect(stopped.quantizer.codebooks.values == start.codebooks.values)
        let errors = (stopped.advance(on: latents, pass: 0) { false }, whole.advance(on: latents, pass: 0) { false })
        #expect(errors.0 == errors.1 && stopped.quantizer.codebooks.values == whole.quantizer.codebooks.values)
    }

    /// Against sums over all vectors in order; parts and codebooks must not matter.
    @Test(arguments: [1, 2, 4])
    func lloydMovesCodesToWeightedMeans(codebooks: Int) throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 5, latents: 16, codebooks: codebooks, grouping: .spatial)
        var transform = try VectorTransform(.spatial, shape: shape, dimension: 2)
        transform.scale(by: Tensor([2], shape: [1]))
        let vectors = transform.vectors(Self.latents(50, shape))
        let start = GroupQuantizer(layout, shape: shape, transform: transform, from: vectors, seed: 1) { false }!
        var trainer = LloydTrainer(start, passes: 1, reset: .none, seed: 1)
        let error = trainer.advance(on: vectors, pass: 0) { false }!
        let tokens = start.tokens(ofVectors: vectors).indices
        #expect(abs(error - Assignment(ofVectors: vectors, by: start).errors().mean) < 1e-6 * error)
        for cell in 0..<codebooks * 5 {
            let own = tokens.indices.filter { $0 % 8 * codebooks / 8 * 5 + Int(tokens[$0]) == cell }
            guard !own.isEmpty else { continue }
            for j in 0..<2 {
                let mean = own.reduce(0.0) { $0 + Double(vectors.values[$1 * 2 + j]) } / Double(own.count)
                #expect(abs(Double(trainer.quantizer.codebooks.values[cell * 2 + j]) - mean) < 1e-6)
            }
        }
    }

    @Test func kMeansPlusPlusFindsEveryCluster() throws {
        // Eighteen vectors in one place, and two far away in each of two others.
        let values = (0..<18).map { Float($0) * 1e-4 } + [50, 50.001, -80, -80.001]
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 3, latents: 1, codebooks: 1)
        for seed in 0..<5 {
            let start = GroupQuantizer(layout, start: .kMeansPlusPlus, from: Tensor(values, shape: [22, 1]), seed: UInt64(seed))
            let codes = start.codebooks.values.sorted()
            #expect(codes[0] < -79 && abs(codes[1]) < 1 && codes[2] > 49, "\(codes)")
        }
        // More codes than different vectors: repetitions, no endless search.
        let same = GroupQuantizer(layout, start: .kMeansPlusPlus, from: Tensor([2, 2, 2, 2], shape: [4, 1]), seed: 1)
        #expect(same.codebooks.values == [2, 2, 2])
    }

    @Test func distortionResetSplitsTheWorstCell() throws {
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 4, latents: 1, codebooks: 1)
        var quantizer = GroupQuantizer(layout, codebooks: Tensor([0, 100, 200, 300], shape: [1, 4, 1]))
        var usage = CodeUsage(layout)
        // Code 1 has the largest error, although code 0 is used most.
        let vectors = Tensor([0, 0, 0, 0, 90, 110, 201], shape: [7, 1])
        let assignment = Assignment(ofVectors: vectors, by: quantizer)
        usage.add(assignment.tokens, assignment.errors())
        #expect(usage.errors == [0, 200, 1, 0])
        #expect(CodeUsage(layout, restoring: usage.tensor).errors == usage.errors)
        CodebookReset.distortion.apply(to: &quantizer, usage: usage, random: RandomSource(seed: 1, stream: 0))
        let codes = quantizer.codebooks.values
        #expect(codes[0] == 0 && codes[2] == 200)
        #expect(codes[1] != 100 && abs((codes[1] + codes[3]) / 2 - 100) < 1e-3 && abs(codes[1] - codes[3]) < 40)
    }

    @Test func resetRulesReplaceTheCodesTheySay() throws {
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 10, latents: 1, codebooks: 1)
        let before = GroupQuantizer(layout, codebooks: Tensor((0..<10).map { Float($0) * 100 }, shape: [1, 10, 1]))
        // Codes 0…6 are used, 6 most; 7, 8 and 9 are dead.
        var usage = CodeUsage(layout)
        usage.add(Tokens(tokensPerImage: 1, indices: (0..<7).flatMap { code in Array(repeating: Int32(code), count: code + 1) }))
        let random = RandomSource(seed: 1, stream: 0)
        func after(_ rule: CodebookReset) -> [Float] {
            var quantizer = before
            rule.apply(to: &quantizer, usage: usage, random: random)
            return quantizer.codebooks.values
        }
        #expect(after(.none) == before.codebooks.values)
        // The paper's: all dead codes, the last rank mirrored to the first. The code's: at most a fifth of all.
        for (rule, expected) in [(CodebookReset.paper, [700: 400, 800: 500, 900: 600]), (.code, [800: 500, 900: 600])]
            as [(CodebookReset, [Int: Float])]
        {
            for (old, new) in zip(before.codebooks.values, after(rule)) {
                #expect(abs(new - (expected[Int(old)] ?? old)) < (expected[Int(old)] == nil ? 1e-9 : 1))
            }
        }
    }

    @Test func usageCountsByCodebook() throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 2, latents: 4, codebooks: 2)
        var usage = CodeUsage(layout)
        usage.add(Tokens(tokensPerImage: 4, indices: [0, 1, 1, 1, 0, 1, 1, 1]))
        #expect(usage.counts == [2, 2, 0, 4])
        #expect(usage.usedShare == 0.75)
        #expect(abs(usage.perplexity - 1.5) < 1e-12)
        #expect(CodeUsage(layout, restoring: usage.tensor).counts == usage.counts)
    }

    @Test func gradientStepsLowerBothLosses() throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 8, latents: 16, codebooks: 4)
        let latents = Self.latents(64, shape)
        let start = GroupQuantizer(layout, shape: shape, from: latents.rows, seed: 1) { false }!
        let rectifier = Rectifier(
            RectifierConfiguration(.vit(width: 16, depth: 1, headDimension: 8, scales: [3]), isResidual: true), shape: shape, .random(seed: 1))
        var trainer = QuantizerTrainer(
            start, rectifier, options: .init(epochs: 20, batch: 16, learningRate: 0.01, reset: .paper, movesCodes: true),
            imageCount: 64, seed: 1)
        let losses = (0..<trainer.totalSteps).map { _ in trainer.advance(on: latents) }
        #expect(losses.count == 80)
        #expect(losses.suffix(4).map(\.quantized).reduce(0, +) < losses.prefix(4).map(\.quantized).reduce(0, +))
        #expect(losses.suffix(4).map(\.rectified).reduce(0, +) < losses.suffix(4).map(\.quantized).reduce(0, +))
    }

    @Test(arguments: [LinearRectifier.Reach.neighbourhood(size: 3), .image], [false, true])
    func aLinearRectifierIsTheBestOfItsKindForTheTrainingLatents(reach: LinearRectifier.Reach, isResidual: Bool) throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 3, latents: 16, codebooks: 1)
        // Neighbours resemble each other, which the quantiser ignores and the rectifier uses.
        let noise = Self.latents(301, shape)
        var latents = noise.images(0..<300)
        latents.map.add(noise.images(1..<301).map)
        let quantizer = GroupQuantizer(layout, shape: shape, from: latents.rows, seed: 1) { false }!
        let fit = LinearRectifierFit(
            RectifierConfiguration(.linear(reach: reach), isResidual: isResidual), behind: quantizer,
            training: latents.images(0..<280), choosing: latents.images(280..<300))
        let quality = LatentQuality(of: latents.images(280..<300), quantizer, fit.rectifier)
        #expect(abs(quality.rectifiedMSE - fit.choosingMSE) < 1e-6)
        #expect(quality.rectifiedMSE < quality.quantizedMSE)
    }

    @Test func alarmsSayWhatUsuallyWentWrong() throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 4, latents: 16, codebooks: 1)
        let latents = Self.latents(8, 16)
        func quality(_ codes: [Float], _ scale: Float) -> LatentQuality {
            var scaled = latents
            scaled.multiply(by: scale)
            let codebooks = Tensor(codes.flatMap { Array(repeating: $0, count: 4) }, shape: [1, 4, 4])
            return LatentQuality(of: Latents(flat: scaled), GroupQuantizer(layout, codebooks: codebooks), .none)
        }
        let healthy = quality([-1, 0, 0.5, 1], 1)
        #expect(healthy.codebookUse == 1 && healthy.alarms(training: healthy).isEmpty)
        // Two codes far away are never used; latents twice as large have more than a tenth more error.
        #expect(
            healthy.alarms(training: quality([0, 1, 99, 999], 1)) == [
                "warning: only 50 % of the codes are used: too few latents per code, or a poor start"
            ])
        #expect(quality([-1, 0, 0.5, 1], 2).alarms(training: healthy).count == 1)
    }

    static func latents(_ n: Int, _ shape: LatentShape) -> Latents {
        Latents(rows: latents(n, shape.count), shape: shape)
    }

    static func latents(_ n: Int, _ width: Int) -> Tensor {
        var tensor = Tensor(zeros: [n, width])
        var random = RandomSource(seed: 2, stream: 0)
        random.fill(normal: &tensor)
        return tensor
    }
}
