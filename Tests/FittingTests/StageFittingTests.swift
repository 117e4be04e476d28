import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

/// Codes of several stages: by Lloyd's algorithm one after the other, by gradient steps together.
@Suite struct StageFittingTests {
    private static let shape = LatentShape(channels: 2, height: 2, width: 4)

    /// The first stage's codes are vectors of their group, the second's what the first leaves of such vectors.
    @Test(arguments: [QuantizerOptions.Start.sample, .kMeansPlusPlus])
    func laterCodesBeginAtWhatIsLeft(start: QuantizerOptions.Start) throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 3, latents: 16, codebooks: 4, stages: 2)
        let vectors = QuantizerTrainingTests.latents(5, 16)
        let quantizer = GroupQuantizer(layout, start: start, from: vectors, seed: 1)
        let first = GroupQuantizer(
            try GroupQuantizer.Layout(tokens: 4, codes: 3, latents: 16, codebooks: 2), codebooks: quantizer.codebooks.images(0..<2))
        var left = vectors
        left.subtract(first.codes(first.tokens(ofVectors: vectors)))
        for codebook in 0..<4 {
            let rows = stride(from: 0, to: 80, by: 4).map { Array((codebook < 2 ? vectors : left).values[$0..<$0 + 4]) }
            // Groups 0 and 1 of an image share the first codebook of each stage, 2 and 3 the second.
            let own = rows.indices.filter { $0 % 4 / 2 == codebook % 2 }.map { rows[$0] }
            for code in 0..<3 {
                let start = (codebook * 3 + code) * 4
                #expect(own.contains(Array(quantizer.codebooks.values[start..<start + 4])), "code \(code) of codebook \(codebook)")
            }
        }
    }

    /// Against sums over all remainders in order, in double precision.
    @Test(arguments: [2, 4, 8])
    func aPassMovesOneStageToTheMeansOfWhatItHasToCode(codebooks: Int) throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 5, latents: 16, codebooks: codebooks, grouping: .spatial, stages: 2)
        var transform = try VectorTransform(.spatial, shape: Self.shape, dimension: 4)
        transform.scale(by: Tensor([2], shape: [1]))
        let vectors = transform.vectors(QuantizerTrainingTests.latents(50, Self.shape))
        let rows = SharedRows(of: vectors)
        let start = GroupQuantizer(layout, shape: Self.shape, transform: transform, start: .sample, from: rows, seed: 1, stages: 1) { false }!
        #expect(start.codebooks.images(layout.codebooks(ofStage: 1)).values.allSatisfy { $0 == 0 }, "it has not begun")
        var trainer = LloydTrainer(start, passes: 1, reset: .none, seed: 1)
        for stage in 0..<2 {
            var before = trainer.quantizer
            // Among what the finished stage leaves.
            if stage == 1 { #expect(before.chooseCodes(ofStage: 1, .sample, from: rows, seed: 1) { false }) }
            let error = trainer.advance(on: vectors, pass: stage) { false }!
            let tokens = before.tokens(ofVectors: vectors)
            let left = before.remainders(of: vectors, along: tokens).values
            // Weighted by the squared scale, and what the stages up to this one leave.
            let mean = 4 * squaredDistance(vectors.values, before.codes(tokens).values) / Double(vectors.count)
            #expect(abs(error - mean) < 1e-6 * mean)
            expectErrors(of: vectors, before, left, mean)
            let moved = trainer.quantizer.codebooks
            for cell in 0..<codebooks * 5 {
                let own = tokens.indices.indices.filter { position in
                    let codebook = position % 8 * codebooks / 8
                    return codebook * 5 + Int(tokens.indices[position]) == cell
                }
                for j in 0..<4 where !own.isEmpty && layout.codebooks(ofStage: stage).contains(cell / 5) {
                    let sum = own.reduce(0.0) { sum, position in sum + Double(left[position * 4 + j]) }
                    #expect(abs(Double(moved.values[cell * 4 + j]) - sum / Double(own.count)) < 1e-6)
                }
            }
            let other = layout.codebooks(ofStage: 1 - stage)
            #expect(moved.images(other).values == before.codebooks.images(other).values)
        }
    }

    /// - Parameters:
    ///   - left: what each stage had.
    ///   - mean: of what all stages leave.
    private func expectErrors(of vectors: Tensor, _ quantizer: GroupQuantizer, _ left: [Float], _ mean: Double) {
        let errors = Assignment(ofVectors: vectors, by: quantizer).errors()
        let each = quantizer.codesOfEach(quantizer.tokens(ofVectors: vectors)).values
        #expect(abs(errors.mean - mean) < 1e-6 * mean)
        for position in [0, 3, 4, 7, 399] {
            let own = position * 4..<position * 4 + 4
            let squares = 4 * squaredDistance(Array(left[own]), Array(each[own]))
            #expect(abs(Double(errors.perToken[position]) - squares) < 1e-5 * squares)
        }
    }

    /// As many passes for each stage, and all stages moved in each of these.
    @Test func fourStagesLeaveLessOneAfterTheOtherThanTogether() throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 8, latents: 8, codebooks: 4, stages: 4)
        let vectors = QuantizerTrainingTests.latents(1000, 8)
        let start = GroupQuantizer(layout, from: vectors, seed: 1)
        let passes = 8
        var (trainer, together) = (LloydTrainer(start, passes: passes, reset: .distortion, seed: 1), start)
        for pass in 0..<4 * passes { _ = trainer.advance(on: vectors, pass: pass) { false }! }
        let root = RandomSource(seed: 1, stream: 1)
        for pass in 0..<passes {
            let cells = LloydCells(of: SharedRows(of: vectors), together) { false }!
            together.codebooks.withMutablePointer { cells.move($0, step: pass < passes - LloydTrainer.passesToTheMean ? 1.8 : 1) }
            CodebookReset.distortion.apply(to: &together, usage: cells.usage, random: root.substream(UInt64(pass)))
        }
        let errors = [trainer.quantizer, together].map { Assignment(ofVectors: vectors, by: $0).errors().mean }
        #expect(errors[0] < errors[1], "\(errors)")
    }

    /// Asked at every moment of the pass that a stage begins with: choosing, what is left, and the cells. A stage that was stopped begins anew.
    @Test func aStopWhileAStageBeginsMovesNothing() throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 8, latents: 16, codebooks: 2, stages: 2)
        let vectors = QuantizerTrainingTests.latents(300, 16)
        let start = GroupQuantizer(layout, from: vectors, seed: 1)
        var whole = LloydTrainer(start, passes: 2, reset: .distortion, seed: 1)
        let errors = (0..<4).map { whole.advance(on: vectors, pass: $0) { false } }
        for stop in 0..<7 {
            var stopped = LloydTrainer(start, passes: 2, reset: .distortion, seed: 1)
            for pass in 0..<2 { _ = stopped.advance(on: vectors, pass: pass) { false } }
            let finished = stopped.quantizer.codebooks.images(0..<1).values
            var asked = 0
            let none = stopped.advance(on: vectors, pass: 2) {
                asked += 1
                return asked > stop
            }
            #expect(none == nil && asked == stop + 1, "once for the codebook, and for three slices twice")
            #expect(stopped.quantizer.codebooks.images(0..<1).values == finished)
            #expect((2..<4).map { stopped.advance(on: vectors, pass: $0) { false } } == Array(errors[2...]))
            #expect(stopped.quantizer.codebooks.values == whole.quantizer.codebooks.values)
        }
    }

    private func squaredDistance(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0.0) { sum, pair in
            let difference = Double(pair.0) - Double(pair.1)
            return sum + difference * difference
        }
    }

    /// Two stages of n codes tell n² vectors apart.
    @Test func twoStagesFindSumsOfTwo() throws {
        let coarse: [Float] = [-90, -30, 30, 90]
        let fine: [Float] = [-6, -2, 2, 6]
        let vectors = Tensor((0..<160).map { coarse[$0 % 4] + fine[$0 / 4 % 4] }, shape: [160, 1])
        func error(tokens: Int) throws -> Double {
            let layout = try GroupQuantizer.Layout(tokens: tokens, codes: 4, latents: 1, codebooks: tokens, stages: tokens)
            var trainer = LloydTrainer(
                GroupQuantizer(layout, start: .kMeansPlusPlus, from: vectors, seed: 3), passes: 12, reset: .distortion, seed: 1)
            return (0..<12 * tokens).map { trainer.advance(on: vectors, pass: $0) { false }! }.last!
        }
        let (one, two) = (try error(tokens: 1), try error(tokens: 2))
        #expect(abs(one - 20) < 1e-3, "what one stage leaves is the fine part")
        #expect(two < one / 1000)
    }

    /// The slope of the distortion along the gradient for the codes, both stages moved at once, is its squared norm: codes that no vector changes.
    @Test func theGradientForCodesIsASlope() throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 3, latents: 16, codebooks: 4, stages: 2)
        let vectors = QuantizerTrainingTests.latents(20, 16)
        let quantizer = GroupQuantizer(layout, from: vectors, seed: 1)
        let assignment = Assignment(ofVectors: vectors, by: quantizer)
        let gradient = CodeGradient(layout, assignment.gradient, at: assignment.tokens)
        func loss(_ step: Float) -> Double {
            var moved = quantizer
            var direction = gradient.dense
            direction.multiply(by: step)
            moved.codebooks.add(direction)
            return squaredDistance(vectors.values, moved.codes(assignment.tokens).values) / 320
        }
        let squared = gradient.norm * gradient.norm
        #expect(squared > 0)
        let slope = (loss(0.01) - loss(-0.01)) / 0.02
        #expect(abs(slope - squared) < 1e-3 * squared)
    }

    @Test func gradientStepsLowerTheErrorOfAllStages() throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 8, latents: 16, codebooks: 4, stages: 2)
        let latents = QuantizerTrainingTests.latents(64, Self.shape)
        let start = GroupQuantizer(layout, shape: Self.shape, from: latents.rows, seed: 1) { false }!
        var trainer = QuantizerTrainer(
            start, Rectifier(.none, shape: Self.shape, .random(seed: 1)),
            options: .init(epochs: 20, batch: 16, learningRate: 0.01, reset: .none, movesCodes: true), imageCount: 64, seed: 1)
        let losses = (0..<trainer.totalSteps).map { _ in trainer.advance(on: latents).quantized }
        let first = losses.prefix(4).reduce(0, +) / 4
        let last = losses.suffix(4).reduce(0, +) / 4
        #expect(last < 0.95 * first)
        let epoch = try #require(trainer.lastEpoch)
        #expect(abs(epoch.distortion - last) < 1e-5, "an epoch's error is what the last stage leaves")
    }

    /// A code that an encoder's vectors are not near to is put where something is left for its stage.
    @Test func runningCodesArePutWhereSomethingIsLeft() throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 2, latents: 2, codebooks: 2, stages: 2)
        let quantizer = GroupQuantizer(layout, codebooks: Tensor([10, 20, 1, 900], shape: [2, 2, 1]))
        var codes = RunningCodes(averaging: 0, seed: 1)
        let found = codes.follow(Tensor([11, 21.5], shape: [1, 2]), of: quantizer, step: 1, ranks: .alone)
        let values: [Float] = found.codebooks.values
        #expect(found.resets == 1)
        #expect(values[3] == 1 || values[3] == 1.5, "\(values)")
        #expect(Array(values.prefix(3)) == [11, 21.5, 1.25] as [Float])
    }

    @Test func boundsAreThoseOfAllStagesBits() throws {
        let one = try QuantizerOptions(tokens: 4, codes: 16, sharing: .one).layout(for: Self.shape)
        let two = try QuantizerOptions(tokens: 8, codes: 16, sharing: .one, stages: 2).layout(for: Self.shape)
        #expect([one.dimension, one.groups, one.codebooks] == [4, 4, 1])
        #expect([two.dimension, two.groups, two.codebooks] == [4, 4, 2])
        #expect(two.bits == 2 * one.bits)
        let shape = LatentShape(channels: 4, height: 2, width: 2)
        let codebooks = try QuantizerOptions.Sharing.allCases.map { sharing in
            try QuantizerOptions(tokens: 4, codes: 4, grouping: .spatial, sharing: sharing, stages: 2).layout(for: shape).codebooks
        }
        #expect(codebooks == [4, 2, 2], "untied, one for each set of channels, one; in each of two stages")
        #expect(throws: GroupQuantizer.LayoutError(description: "3 stages do not divide 8 tokens")) {
            try QuantizerOptions(tokens: 8, codes: 4, stages: 3).layout(for: Self.shape)
        }
    }
}
