import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Networks
@testable import Ranks
@testable import TokenizerCore

/// Latents of which no rank holds all.
@Suite struct SharedRowsTests {
    /// More slices than ranks, the last of them not whole.
    private static let vectors = QuantizerTrainingTests.latents(600, 16)
    private static let shape = LatentShape(channels: 2, height: 2, width: 4)

    @Test(arguments: [1, 2, 3, 4, 7])
    func everyRankGetsTheChosenRows(count: Int) throws {
        var random = RandomSource(seed: 1, stream: 1)
        let places = (0..<100).map { _ in random.below(600) }
        let found = try InProcessRanks.run(count) { ranks in
            let rows = SharedRows(of: Self.vectors, ranks)
            return (own: rows.own.n, rows: rows.rows(at: places).values, halves: rows.split(2).rows(at: [3, 1199, 0]).values)
        }
        let all = try found.map { try $0.get() }
        #expect(all.reduce(0) { $0 + $1.own } == 600 && all.allSatisfy { $0.own <= 600 / count + SharedRows.imagesOfSlice })
        for found in all {
            #expect(found.rows == places.flatMap { Self.vectors.images($0..<$0 + 1).values })
            #expect(found.halves == [3, 1199, 0].flatMap { Self.vectors.reshaped([1200, 8]).images($0..<$0 + 1).values })
        }
    }

    @Test(arguments: [1, 3, 7])
    func latentsAreGivenInEveryWay(count: Int) throws {
        let latents = Latents(Self.vectors.reshaped([600] + Self.shape.map))
        let found = try InProcessRanks.run(count) { ranks in
            let shared = Self.shared(latents, ranks)
            return [shared.images(120..<140), shared.spread(7), shared.spread(1000)].map(\.map.values)
                + [shared.batches(of: 250).flatMap(\.map.values)]
        }
        let expected = [latents.images(120..<140), latents.spread(7), latents].map(\.map.values) + [latents.map.values]
        for found in found { #expect(try found.get() == expected) }
    }

    @Test(arguments: [false, true])
    func statisticsAreToTheBitThoseOfOneProcess(ofChannels: Bool) throws {
        let latents = Latents(Self.vectors.reshaped([600] + Self.shape.map))
        let alone = ofChannels ? LatentNormalizer(fittingChannelsOf: latents) : LatentNormalizer(fitting: latents)
        for count in [2, 3, 7] {
            let found = try InProcessRanks.run(count) { LatentNormalizer(fitting: Self.shared(latents, $0), ofChannels: ofChannels) }
            for normalizer in try found.map({ try $0.get() }) {
                #expect(normalizer.mean.values == alone.mean.values && normalizer.deviation.values == alone.deviation.values)
            }
        }
    }

    @Test(arguments: [QuantizerOptions.Start.sample, .kMeansPlusPlus], [1, 4])
    func theFirstCodesAreThoseOfOneProcess(start: QuantizerOptions.Start, codebooks: Int) throws {
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 32, latents: 16, codebooks: codebooks)
        let alone = GroupQuantizer(layout, start: start, from: Self.vectors, seed: 1).codebooks.values
        let found = try InProcessRanks.run(3) { ranks in
            GroupQuantizer(layout, shape: .flat(16), transform: nil, start: start, from: SharedRows(of: Self.vectors, ranks), seed: 1) { false }?
                .codebooks.values
        }
        for codes in found { #expect(try codes.get() == alone) }
        let stopped = try InProcessRanks.run(3) { ranks in
            GroupQuantizer(layout, shape: .flat(16), transform: nil, start: start, from: SharedRows(of: Self.vectors, ranks), seed: 1) {
                ranks.rank == 1
            } == nil
        }
        for stopped in stopped { #expect(try stopped.get(), "one of them was told to stop") }
    }

    /// Where they are learned from, and once more in the end.
    @Test func whatIsMeasuredOnThemIsToTheBitThatOfOneProcess() throws {
        let latents = Latents(Self.vectors.reshaped([600] + Self.shape.map))
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 8, latents: 16, codebooks: 4)
        let quantizer = GroupQuantizer(layout, shape: Self.shape, from: latents.rows, seed: 1) { false }!
        let linear = RectifierConfiguration(.linear(reach: .neighbourhood(size: 3)), isResidual: true)
        @Sendable func fit(_ training: SharedLatents) -> LinearRectifierFit {
            LinearRectifierFit(linear, behind: quantizer, training: training, choosing: latents.images(0..<50))
        }
        let alone = (fit(SharedLatents(latents)), LatentQuality(of: latents, quantizer, .none))
        let found = try InProcessRanks.run(3) { ranks in
            let shared = Self.shared(latents, ranks)
            return (fit(shared), LatentQuality(of: shared, quantizer, .none))
        }
        for (fit, quality) in try found.map({ try $0.get() }) {
            #expect(fit.rectifier.tensors.map(\.tensor.values) == alone.0.rectifier.tensors.map(\.tensor.values))
            #expect(fit.choosingMSE == alone.0.choosingMSE && quality == alone.1)
        }
    }

    /// From the statistics to the last figures. Of four ranks one has none of the three slices.
    @Test(arguments: QuantizerRun.Method.allCases, [nil, 2])
    func aFitIsToTheBitThatOfOneProcess(method: QuantizerRun.Method, stages: Int?) throws {
        let latents = Latents(Self.vectors.reshaped([600] + Self.shape.map))
        let options = QuantizerRun.Options(
            latents: "", method: method,
            quantizer: QuantizerOptions(tokens: 4 * (stages ?? 1), codes: 8, grouping: .klt(side: 2), stages: stages), passes: 3, epochs: 2,
            batch: 64,
            learningRate: 0.01, reset: .distortion, rectifier: RectifierConfiguration(.linear(reach: .neighbourhood(size: 3)), isResidual: true))
        @Sendable func fit(_ training: SharedLatents) throws -> Fit {
            let design = try #require(try QuantizerDesign(options.quantizer, training: training, decoder: nil, seed: 1) { false })
            let (plan, normalizer) = (FitPlan(options, images: training.count), design.normalizer)
            let started = try FitSession(
                plan, design, training: SharedLatents(own: normalizer.normalize(training.own), of: training.count, training.ranks),
                choosing: normalizer.normalize(latents.images(300..<350)), reporting: normalizer.normalize(latents.images(350..<400)), begun: nil
            ) { false }
            var session = try #require(started)
            let figures = (0..<plan.totalSteps).map { _ in session.advance { false } }
            let learned = Learned(session)
            return Fit(
                figures: figures, codes: session.quantizer.codebooks.values, rectifier: session.rectifier.tensors.map(\.tensor.values),
                qualities: [session.quality, learned.quality], sample: learned.sample.map.values)
        }
        let training = latents.images(0..<300)
        let alone = try fit(SharedLatents(training))
        for count in [2, 3, 4] {
            for found in try InProcessRanks.run(count, { try fit(Self.shared(training, $0)) }) {
                #expect(try found.get() == alone, "\(count) ranks")
            }
        }
    }

    private struct Fit: Equatable {
        let figures: [[String: Double]?]
        let codes: [Float]
        let rectifier: [[Float]]
        let qualities: [LatentQuality]
        let sample: [Float]
    }

    private static func shared(_ latents: Latents, _ ranks: RankGroup) -> SharedLatents {
        let rows = SharedRows(of: latents.map, ranks)
        return SharedLatents(own: Latents(rows.own), of: rows.count, ranks)
    }
}
