import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Images
@testable import Jobs
@testable import Networks
@testable import Ranks
@testable import TokenizerCore

/// Trainings that several ranks share. The ranks are threads here; `MPITests` has processes.
@Suite struct SharedWorkTests {
    private static let shape = LatentShape(channels: 2, height: 2, width: 4)
    private static let vit = RectifierConfiguration(.vit(width: 16, depth: 1, headDimension: 8, scales: [3]), isResidual: true)

    /// Five slices, more than there are ranks and not as many for each, of one codebook, a few, and many; and of two stages.
    @Test(arguments: zip([1, 4, 80, 2, 8, 80], [1, 1, 1, 2, 2, 2]))
    func lloydIsToTheBitThatOfOneProcess(codebooks: Int, stages: Int) throws {
        let vectors = QuantizerTrainingTests.latents(600, 160)
        let layout = try GroupQuantizer.Layout(tokens: 80, codes: 16, latents: 160, codebooks: codebooks, stages: stages)
        let start = GroupQuantizer(layout, from: vectors, seed: 1)
        @Sendable func fit(_ ranks: RankGroup) -> (codes: [Float], errors: [Double?]) {
            var trainer = LloydTrainer(start, passes: 4, reset: .distortion, seed: 1, ranks: ranks)
            let errors = (0..<4 * stages).map { trainer.advance(on: vectors, pass: $0) { false } }
            return (trainer.quantizer.codebooks.values, errors)
        }
        let alone = fit(.alone)
        for count in [2, 3, 4, 7] {
            for result in try InProcessRanks.run(count, fit) {
                let shared = try result.get()
                #expect(shared.codes == alone.codes && shared.errors == alone.errors, "\(count) ranks")
            }
        }
    }

    /// One of them was told to stop: none moves its codes.
    @Test func aPassIsStoppedByAnyRank() throws {
        let vectors = QuantizerTrainingTests.latents(600, 16)
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 4, latents: 16, codebooks: 1)
        let start = GroupQuantizer(layout, from: vectors, seed: 1)
        let stopped = try InProcessRanks.run(3) { ranks in
            var trainer = LloydTrainer(start, passes: 4, reset: .distortion, seed: 1, ranks: ranks)
            let error = trainer.advance(on: vectors, pass: 0) { ranks.rank == 1 }
            return error == nil && trainer.quantizer.codebooks.values == start.codebooks.values
        }
        for result in stopped { #expect(try result.get()) }
    }

    /// The codes, their use and their gradient follow from tokens that all have; the rectifier's gradient is a sum in another order.
    @Test(arguments: [GradientOptions.Loss.detached, .joint])
    func gradientStepsAreThoseOfOneProcessUpToRounding(loss: GradientOptions.Loss) throws {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 8, latents: 16, codebooks: 4)
        let start = GroupQuantizer(layout, shape: Self.shape, from: QuantizerTrainingTests.latents(32, 16), seed: 1) { false }!
        let latents = QuantizerTrainingTests.latents(32, Self.shape)
        @Sendable func train(_ ranks: RankGroup) -> (codes: [Float], network: [Float], losses: [Double]) {
            var trainer = QuantizerTrainer(
                start, Rectifier(Self.vit, shape: Self.shape, .random(seed: 1)),
                options: .init(
                    epochs: 4, batch: 13, learningRate: 0.01, reset: .code, movesCodes: true,
                    gradient: GradientOptions(loss: loss, accumulation: 2, averaging: 0.5)),
                imageCount: 32, seed: 1, ranks: ranks)
            let losses = (0..<trainer.totalSteps).map { _ in trainer.advance(on: latents).rectified }
            return (trainer.quantizer.codebooks.values, trainer.averagedRectifier.tensors.flatMap(\.tensor.values), losses)
        }
        let alone = train(.alone)
        for count in [2, 4] {
            let all = try InProcessRanks.run(count, train).map { try $0.get() }
            for shared in all {
                #expect(shared.codes == all[0].codes && shared.network == all[0].network, "all ranks have the same")
                // The codes do not see the rectifier's rounding where their loss does not.
                if loss == .detached { #expect(shared.codes == alone.codes) }
                // Twelve steps, each of which passes the seventh digit on; see `partsOfABatchAddUpToTheWhole`.
                #expect(zip(shared.losses, alone.losses).allSatisfy { abs($0 - $1) < 1e-4 * $1 })
            }
        }
    }

    /// Each rank's images, in parts of their own.
    @Test(arguments: [2, 3])
    func aPassIsThatOfOneProcessUpToRounding(count: Int) throws {
        let (z, q) = (QuantizerTrainingTests.latents(20, Self.shape).images(0..<10), QuantizerTrainingTests.latents(20, Self.shape).images(10..<20))
        @Sendable func pass(_ ranks: RankGroup) -> RectifierPass {
            var pass = RectifierPass(Rectifier(Self.vit, shape: Self.shape, .random(seed: 2)), q, z, parts: 2, ranks: ranks)
            pass.completeInputGradient(ranks)
            return pass
        }
        func gradients(_ pass: RectifierPass) -> [[Float]] { pass.gradient.tensors.map(\.tensor.values) + [pass.inputGradient.map.values] }
        let alone = pass(.alone)
        for result in try InProcessRanks.run(count, pass) {
            let shared = try result.get()
            #expect(abs(shared.loss - alone.loss) < 1e-6)
            for (a, b) in zip(gradients(shared), gradients(alone)) {
                let (difference, norm) = zip(a, b).reduce((0.0, 0.0)) { sums, pair in
                    (sums.0 + Double(pair.0 - pair.1) * Double(pair.0 - pair.1), sums.1 + Double(pair.1) * Double(pair.1))
                }
                #expect(difference.squareRoot() < 1e-6 * max(1, norm.squareRoot()))
            }
        }
    }

    @Test(arguments: TrainedPart.allCases)
    func anAutoencoderIsToTheBitThatOfOneProcess(part: TrainedPart) throws {
        try withScratchFolder { folder in
            let options = try vae(folder, part)
            #expect(try AutoencoderRun(folder + "/alone", options: options, console: .silent).run(saveEvery: .zero) { false })
            for count in [2, 4] {
                #expect(try train("\(folder)/\(count)", options, ranks: count))
                try expectSame(folder + "/alone", "\(folder)/\(count)", ["vae/diffusion_pytorch_model.safetensors", "vae/config.json"])
            }
        }
    }

    /// The pass goes through the whole decoder, whatever of it is trained.
    @Test(arguments: TrainedPart.allCases)
    func onlyGradientsOfWhatIsTrainedAreSent(part: TrainedPart) throws {
        let model = Autoencoder(try TinyTraining.architecture(), .random(seed: 3))
        let crops = QuantizerTrainingTests.latents(2, LatentShape(channels: 3, height: 16, width: 16)).map
        let sent = Mailbox<Int>()
        let losses = try InProcessRanks.run(2) { rank, transfer in
            if rank == 0, case .send(let bytes, _) = transfer { sent.post(bytes.count) }
        } _: { ranks in
            var trainer = AutoencoderTrainer(
                model, variances: [Double](repeating: 1, count: 48),
                options: .init(
                    batch: 2, shards: 2, steps: 1, learningRate: 1e-3, schedule: Schedule(.cosine), weightDecay: 0, clip: 1, latentBits: nil,
                    averaging: 0.9, part: part),
                seed: 1, ranks: ranks)
            return trainer.train(on: crops.images(ranks.rank..<ranks.rank + 1))
        }
        #expect(try losses.allSatisfy { try $0.get().isFinite })
        let moves = part.moves(in: model)
        let trained = zip(model.tensors, moves.encoder + moves.decoder).reduce(0) { $0 + ($1.1 ? $1.0.tensor.count : 0) }
        // And the error.
        let expected = trained * MemoryLayout<Float>.stride + MemoryLayout<Double>.stride
        #expect(sent.posted.reduce(0, +) == expected)
    }

    /// Four ranks begin, three go on, one finishes.
    @Test func aRunGoesOnWithAnotherNumberOfRanks() throws {
        try withScratchFolder { folder in
            let options = try vae(folder, .all)
            #expect(try AutoencoderRun(folder + "/alone", options: options, console: .silent).run(saveEvery: .zero) { false })
            #expect(try !train(folder + "/run", options, ranks: 4, stopAfter: 2))
            #expect(try !train(folder + "/run", options, ranks: 3, stopAfter: 2))
            #expect(try AutoencoderRun(folder + "/run", options: options, console: .silent).run(saveEvery: .zero) { false })
            try expectSame(folder + "/alone", folder + "/run", ["vae/diffusion_pytorch_model.safetensors"])
        }
    }

    @Test(arguments: QuantizerRun.Method.allCases)
    func aFitGoesOnWithAnotherNumberOfRanks(method: QuantizerRun.Method) throws {
        try withScratchFolder { folder in
            let options = try fit(folder, method)
            #expect(try QuantizerRun(folder + "/alone", options: options, console: .silent).run(saveEvery: .zero) { false })
            #expect(try !train(folder + "/run", options, ranks: 4, stopAfter: 2))
            #expect(try train(folder + "/run", options, ranks: 2))
            try expectSame(folder + "/alone", folder + "/run", ["fit/quantizer.safetensors", "fit/rectifier.safetensors", "fit/fit.json"])
            #expect(try train(folder + "/run", options, ranks: 2), "called again it has nothing to do")
        }
    }

    /// Before anything is written.
    @Test func ranksWithUnequalOptionsAreRefused() throws {
        try withScratchFolder { folder in
            let (fit, training) = (try fit(folder, .lloyd), try vae(folder, .all))
            func reasons(_ body: @escaping @Sendable (RankGroup) throws -> Void) throws -> Set<String> {
                Set(try InProcessRanks.run(3, body).map { if case .failure(let error) = $0 { "\(error)" } else { "none" } })
            }
            let reason = "rank 2 of 3 has other options than rank 0: all ranks need the same"
            let passes = try reasons { ranks in
                var own = fit
                if ranks.rank == 2 { own.passes += 1 }
                _ = try QuantizerRun(folder + "/run", options: own, console: .silent, ranks: ranks)
            }
            let seeds = try reasons { ranks in
                var own = training
                if ranks.rank == 2 { own.seed += 1 }
                _ = try AutoencoderRun(folder + "/run", options: own, console: .silent, ranks: ranks)
            }
            let shards = try reasons { ranks in
                var own = training
                own.training.shards = 2
                _ = try AutoencoderRun(folder + "/run", options: own, console: .silent, ranks: ranks)
            }
            #expect(passes == [reason] && seeds == [reason])
            #expect(shards == ["3 ranks cannot share 2 shards: --shards is at least the number of ranks"])
            #expect(!StoredFolder.exists(folder + "/run"))
        }
    }

    /// A folder that differs from host to host under one name is seen by what is in it.
    @Test func digestsTellPicturesApart() throws {
        try withScratchFolder { folder in
            let keys = ["a", "b"].map { PictureKey(standingFor: $0) }
            #expect(JobFacts.digest(keys) != JobFacts.digest(keys.reversed() as [PictureKey]))
            #expect(JobFacts.common.allSatisfy { !$0.digest.isEmpty } && JobFacts.common[0].digest.count == 64)
        }
    }

    private func train(_ path: String, _ options: AutoencoderRun.Options, ranks: Int, stopAfter steps: Int = .max) throws -> Bool {
        try agreed(
            InProcessRanks.run(ranks) { ranks in
                let asked = Asked()
                return try AutoencoderRun(path, options: options, console: .silent, ranks: ranks).run(saveEvery: .zero) {
                    // The last rank alone is told to stop.
                    ranks.rank == ranks.count - 1 && asked.count() > steps
                }
            })
    }

    private func train(_ path: String, _ options: QuantizerRun.Options, ranks: Int, stopAfter steps: Int = .max) throws -> Bool {
        try agreed(
            InProcessRanks.run(ranks) { ranks in
                try QuantizerRun(path, options: options, console: .silent, ranks: ranks).run(saveEvery: .zero) {
                    ranks.isFirst && steps != .max && ((try? TrainingLog.entries(path + "/log.jsonl").count) ?? 0) >= steps
                }
            })
    }

    /// What all ranks say.
    private func agreed(_ results: [Result<Bool, any Error>]) throws -> Bool {
        let all = try results.map { try $0.get() }
        #expect(Set(all).count == 1)
        return all[0]
    }

    private func expectSame(_ a: String, _ b: String, _ files: [String]) throws {
        for file in files { #expect(try StoredFile.read("\(a)/\(file)") == StoredFile.read("\(b)/\(file)"), "\(b)/\(file)") }
        #expect(try TrainingLog.entries(a + "/log.jsonl").map(\.figures) == TrainingLog.entries(b + "/log.jsonl").map(\.figures), "\(b)")
    }

    private func vae(_ folder: String, _ part: TrainedPart) throws -> AutoencoderRun.Options {
        AutoencoderRun.Options(
            images: StoredFolder.exists(folder + "/pictures") ? folder + "/pictures" : try TinyTraining.pictures(in: folder), size: 32, crop: 16,
            split: TinyTraining.split, seed: 7, measureEvery: 2, architecture: try TinyTraining.architecture(),
            training: .init(
                batch: 8, shards: 4, steps: 5, learningRate: 1e-3, schedule: Schedule(.cosine, warmup: 2), weightDecay: 0, clip: 1, latentBits: 60,
                averaging: 0.9, part: part))
    }

    /// Without a rectifier that is trained, whose last bits depend on the number of ranks.
    private func fit(_ folder: String, _ method: QuantizerRun.Method) throws -> QuantizerRun.Options {
        _ = try TinyTraining.extraction(TinyTraining.place(in: folder), to: folder + "/latents").run { false }
        var options = QuantizerRun.Options(
            latents: folder + "/latents", method: method, quantizer: QuantizerOptions(tokens: 192, codes: 2), passes: method == .lloyd ? 4 : 0,
            epochs: 4, batch: 2, learningRate: 0.01, reset: .distortion,
            rectifier: RectifierConfiguration(.linear(reach: .neighbourhood(size: 3)), isResidual: true))
        options.gradient.averaging = 0.5
        return options
    }
}

/// How often something was asked, on one thread.
private final class Asked {
    private var times = 0

    func count() -> Int {
        times += 1
        return times
    }
}
