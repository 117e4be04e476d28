import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Images
@testable import Jobs
@testable import Laboratory
@testable import Networks
@testable import Pictures
@testable import TokenizerCore

@Suite struct AutoencoderRunTests {
    @Test(arguments: TrainedPart.allCases)
    func aResumedRunEndsInTheSameBytes(part: TrainedPart) throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder), part: part)
            options.measureEvery = 2
            #expect(try run(folder + "/whole", options))
            // Stopped twice, once on one thread: neither may show in the result.
            #expect(try !run(folder + "/parts", options, stopAfter: 2))
            #expect(try !run(folder + "/parts", options, stopAfter: 3))
            #expect(try run(folder + "/parts", options))
            for file in ["vae/config.json", "vae/diffusion_pytorch_model.safetensors"] {
                #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/parts/\(file)"))
            }
            func steps(_ run: String) throws -> [TrainingLog.Entry] {
                try TrainingLog.entries("\(folder)/\(run)/log.jsonl").filter { $0.values["loss"] != nil }.map(\.figures)
            }
            let log = try steps("parts")
            #expect(try log == steps("whole"))
            #expect(log.map(\.step) == Array(1...6))
        }
    }

    /// What a reader sees while it trains: also after it was stopped, and the same as without.
    @Test func aRunShowsItsCurvesAndPictures() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            options.measureEvery = 2
            #expect(try run(folder + "/whole", options))
            #expect(try !run(folder + "/parts", options, stopAfter: 3))
            #expect(try run(folder + "/parts", options))
            let (whole, parts) = (PictureSheets(of: folder + "/whole"), PictureSheets(of: folder + "/parts"))
            #expect(try whole.steps() == [0, 2, 4, 6])
            for step in [nil, 0, 2, 4, 6] {
                let pictures = try whole.pictures(step: step)
                #expect(!pictures.isEmpty && pictures.allSatisfy { $0.width == options.size && $0.height == options.size })
                #expect(try pictures == parts.pictures(step: step))
            }
            #expect(try whole.pictures(step: 0) != whole.pictures(step: 6))
            try TrainingReport(folder + "/parts").write()
            let html = String(decoding: try StoredFile.read("\(folder)/parts/\(TrainingReport.name)"), as: UTF8.self)
            for text in ["<figcaption>psnr<", "choosing part", "step 6", "picture 1: original", "<th>training.batch</th>"] {
                #expect(html.contains(text))
            }
        }
    }

    /// Every term of the loss, the adversary's state included.
    @Test func aRunThatIsTrainedToLookRightIsResumedToTheSameBytes() throws {
        try withScratchFolder { folder in
            let network = folder + "/alex.safetensors"
            try SafetensorsWriter.write(Drawn.tensors(.shiftTolerantAlex), precision: .float32, to: network)
            var options = try options(images: try TinyTraining.pictures(in: folder))
            (options.size, options.crop, options.scale, options.measureEvery) = (64, 32, 1.5, 2)
            (options.training.steps, options.training.batch) = (4, 2)
            options.training.loss = .init(distance: .charbonnier, perceptual: [.init(network: network, weight: 0.5)])
            options.training.adversary = .init(weight: 0.2, start: 1, learningRate: 1e-3)
            #expect(try run(folder + "/whole", options))
            #expect(try !run(folder + "/parts", options, stopAfter: 2))
            #expect(try run(folder + "/parts", options))
            let weights = "vae/diffusion_pytorch_model.safetensors"
            #expect(try StoredFile.read("\(folder)/whole/\(weights)") == StoredFile.read("\(folder)/parts/\(weights)"))
            let log = try TrainingLog.entries("\(folder)/parts/log.jsonl").map(\.figures)
            #expect(try log == TrainingLog.entries("\(folder)/whole/log.jsonl").map(\.figures))
            let steps = log.filter { $0.values["loss"] != nil }
            #expect(steps.allSatisfy { $0.values["st_lpips_alex"]! > 0 && $0.values["loss_total"]! > $0.values["st_lpips_alex"]! * 0.5 })
            #expect(steps.map { $0.values["discriminator_loss"] != nil } == [false, true, true, true])
            #expect(log.contains { $0.values["held_out_st_lpips_alex"] != nil })
        }
    }

    /// It is noticed, said, and undone: weights and state are those of the best measurement, and the same command goes on from there.
    @Test func aDiscriminatorThatRunsAwayIsStopped() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            (options.measureEvery, options.training.steps, options.training.averaging) = (1, 40, 0)
            options.training.adversary = .init(weight: 100, start: 3, learningRate: 0.05)
            options.training.learningRate = 0.2
            for _ in 0..<2 {
                do {
                    _ = try run(folder + "/run", options)
                    Issue.record("nothing was noticed")
                } catch let error as FileError {
                    #expect(error.reason.contains("the discriminator has run away with the pictures: "))
                    #expect(error.reason.contains("vae-best") && error.reason.contains("--adversarial-weight"))
                    let states = try StoredFolder.names(in: folder + "/run/states")
                    #expect(states.count == 1 && error.reason.contains("at step \(states[0]), to which this goes back"))
                }
            }
            let vae = try Autoencoder(directory: folder + "/run/vae-best")
            #expect(vae.tensors.allSatisfy { $0.tensor.values.allSatisfy(\.isFinite) })
            #expect(!StoredFile.exists(folder + "/run/vae"))
        }
    }

    /// Its rate falls to the end, so that the result is another one than with all steps from the start.
    @Test func aFinishedRunCanBeExtended() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            #expect(try run(folder + "/run", options))
            let first = try StoredFile.read(folder + "/run/vae/diffusion_pytorch_model.safetensors")
            options.training.steps = 8
            var said: [String] = []
            #expect(
                try AutoencoderRun(folder + "/run", options: options, console: Console(isTerminal: false) { said.append($0) }).run(saveEvery: .zero) {
                    false
                })
            #expect(said.contains { $0.hasPrefix("--steps grows from 6: the learning rate fell") })
            #expect(try run(folder + "/run", options), "called again it has nothing to do")
            let log = try TrainingLog.entries(folder + "/run/log.jsonl").filter { $0.values["loss"] != nil }
            #expect(log.map(\.step) == Array(1...8) && log.allSatisfy { $0.values["gradient_norm"]! > 0 })
            #expect(try StoredFile.read(folder + "/run/vae-before/diffusion_pytorch_model.safetensors") == first)
            #expect(try StoredFile.read(folder + "/run/vae/diffusion_pytorch_model.safetensors") != first)
        }
    }

    /// A constant rate is the same in a longer run: extended by half it ends in the same bytes, the best weights among them.
    @Test func aRunOfConstantRateGrowsToTheBit() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            // Grows worse, so that the best weights are not the last.
            (options.training.schedule, options.training.learningRate, options.measureEvery) = (Schedule(.constant, warmup: 2), 0.1, 2)
            options.training.averaging = 0
            (options.training.steps, options.seed) = (9, 7)
            #expect(try run(folder + "/whole", options))
            options.training.steps = 6
            #expect(try run(folder + "/grown", options))
            options.training.steps = 9
            var said: [String] = []
            let console = Console(isTerminal: false) { said.append($0) }
            #expect(try AutoencoderRun(folder + "/grown", options: options, console: console).run(saveEvery: .zero) { false })
            #expect(said.contains("--steps grows from 6: \(Schedule.remarkOnEquality)\n"))
            let names = try StoredFolder.names(in: folder + "/whole").filter { $0.hasPrefix("vae") }
            #expect(names == ["vae", "vae-best"], "a rate so high that the first steps are the best")
            for name in names {
                let file = "\(name)/diffusion_pytorch_model.safetensors"
                #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/grown/\(file)"), "\(name)")
            }
        }
    }

    /// Weights that did better on held-out pictures than the last are not lost, and are the ones that were measured.
    @Test func theBestWeightsAreKeptBesideTheLast() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            (options.training.learningRate, options.measureEvery, options.training.latentBits) = (0.5, 1, nil)
            options.start = .init(vae: try TinyTraining.vae(in: folder + "/vae", seed: 1))
            options.training.averaging = 0
            #expect(try run(folder + "/run", options))
            let measured = try TrainingLog.entries(folder + "/run/log.jsonl").compactMap { entry in
                entry.values["held_out_psnr"].map { (step: entry.step, psnr: $0) }
            }
            #expect(measured.map(\.step) == Array(0...6))
            let best = try #require(measured.max { $0.psnr < $1.psnr })
            #expect(best.step < 6)
            let picture = try #require(SquareImages(ImageSource(options.images), size: 32).image(at: 0), "the one to choose by")
            let kept = try Autoencoder(directory: folder + "/run/vae-best")
            let psnr = PeakSignalToNoise.decibels(PixelBatch(kept(PixelBatch(images: [picture]).pixels)).images()[0], picture)
            #expect(abs(psnr - best.psnr) < 0.05, "weights are published with eleven bits")
        }
    }

    @Test func aFinishedAutoencoderIsTrainedFurther() throws {
        try withScratchFolder { folder in
            let vae = try TinyTraining.vae(in: folder + "/vae", seed: 1)
            var options = try options(images: try TinyTraining.pictures(in: folder), part: .tail)
            options.start = .init(vae: vae)
            (options.training.averaging, options.training.latentBits) = (0, nil)
            #expect(try run(folder + "/tuned", options))
            let (start, tuned) = (try Autoencoder(directory: vae), try Autoencoder(directory: folder + "/tuned/vae"))
            let moved = zip(start.tensors, tuned.tensors).filter { $0.tensor.values != $1.tensor.values }.map(\.0.path)
            #expect(
                !moved.isEmpty
                    && moved.allSatisfy { ["decoder.up_blocks.1.", "decoder.norm_out.", "decoder.conv_out."].contains(where: $0.hasPrefix) })
            // Whole, through a test channel of its own latents; and the family without a patch code.
            (options.training.part, options.training.latentBits) = (.all, 60)
            #expect(try run(folder + "/whole", options))
            let network = try #require(options.architecture.family as? PatchCodeConfiguration).network
            let plain = Autoencoder(AutoencoderConfiguration(network), .random(seed: 3))
            try StoredFolder.create(folder + "/plain")
            try StoredFile.write(JSONFile.bytes(plain.configuration), to: folder + "/plain/config.json")
            try plain.save(to: "\(folder)/plain/\(Autoencoder.weightsName)")
            options.architecture = plain.configuration
            let reason = "\(vae) is of the family PatchSkipAutoencoderDC, not AutoencoderDC: it cannot be trained further as that"
            #expect(throws: FileError(path: vae, reason: reason)) { try run(folder + "/other", options) }
            #expect(try !StoredFolder.names(in: folder).contains("other"))
            options.start = .init(vae: folder + "/plain")
            options.training.part = .decoder
            #expect(try run(folder + "/dcae", options))
            let drawn = try Autoencoder(directory: folder + "/dcae/vae")
            #expect(drawn.encoder.tensors.map(\.tensor.values) == plain.encoder.tensors.map(\.tensor.values), "what tokens mean is as it was")
        }
    }

    /// Other weights in the same folder are another run.
    @Test func aRunKnowsTheWeightsThatItStartedFrom() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            options.start = .init(vae: try TinyTraining.vae(in: folder + "/vae", seed: 1))
            #expect(try !run(folder + "/run", options, stopAfter: 2))
            _ = try TinyTraining.vae(in: folder + "/vae", seed: 2)
            let error = #expect(throws: FileError.self) { try run(folder + "/run", options) }
            #expect(error?.reason.contains("was begun with start.") == true)
        }
    }

    @Test func aRunEndsAtTheStepAfterItsTime() throws {
        try withScratchFolder { folder in
            let options = try options(images: try TinyTraining.pictures(in: folder))
            #expect(try run(folder + "/whole", options))
            var (minutes, said): (Int, [String]) = (0, [])
            let console = Console(isTerminal: false) { said.append($0) }
            let limit = TimeLimit(minutes: 3) {
                minutes += 1
                return .seconds(60 * (minutes - 1))
            }
            #expect(try !AutoencoderRun(folder + "/parts", options: options, console: console).run(saveEvery: .seconds(3600), until: limit) { false })
            #expect(said.last == "saved at step 3 of 6\n")
            #expect(try run(folder + "/parts", options))
            let file = "vae/diffusion_pytorch_model.safetensors"
            #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/parts/\(file)"))
        }
    }

    @Test func aRangeTestTriesRatesAndWritesItsCurve() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            options.range = LearningRateRange("1e-5:0.1")
            options.training.steps = 5
            let test = try AutoencoderRun(folder + "/range", options: options, console: .silent)
            #expect(try test.testRange { true } == nil)
            let curve = try #require(try test.testRange { false })
            #expect(curve.points.count == 5 && abs(curve.points[2].rate / 1e-3 - 1) < 1e-3)
            #expect(try JSONFile.read(LearningRateCurve.self, from: folder + "/range/lr-range.json").points == curve.points)
            let log = try TrainingLog.entries(folder + "/range/log.jsonl")
            #expect(log.map(\.step) == Array(1...5) && log.map { $0.values["learning_rate"]! } == curve.points.map(\.rate))
        }
    }

    @Test(arguments: [SafetensorsWriter.Precision.float16, .float32])
    func aDecoderTrainedOnTokensIsTheSameTokenizerWithOtherPictures(precision: SafetensorsWriter.Precision) throws {
        try withScratchFolder { folder in
            let options = try fitted(in: folder, precision)
            #expect(try run(folder + "/whole", options))
            for steps in [2, 3] { #expect(try !run(folder + "/parts", options, stopAfter: steps)) }
            #expect(try run(folder + "/parts", options))
            for file in ["vae/config.json", "vae/diffusion_pytorch_model.safetensors", "fit/fit.json", "fit/quantizer.safetensors"] {
                #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/parts/\(file)"))
            }
            let (start, trained) = (try Autoencoder(directory: options.start!.vae), try Autoencoder(directory: folder + "/whole/vae"))
            #expect(trained.configuration == options.architecture)
            #expect(start.encoder.tensors.map(\.tensor.values) == trained.encoder.tensors.map(\.tensor.values))
            let moved = trained.tensors.filter { $0.path.hasSuffix("refiner.conv_out.weight") }
            #expect(moved.count == 1 && moved[0].tensor.sumOfSquares > 0)
            #expect(
                try StoredFile.read(folder + "/whole/fit/quantizer.safetensors") == StoredFile.read(options.start!.fit! + "/quantizer.safetensors"))
            _ = try Publication(vae: folder + "/whole/vae", fit: folder + "/whole/fit", images: options.images, most: 1)
                .publish(as: "tiny", under: folder + "/checkpoints", console: .silent)
        }
    }

    /// An encoder that is trained through tokens: with its decoder and the codes, or alone, so that tokens mean what they meant.
    @Test(arguments: [TrainedPart.all, .encoder])
    func anEncoderIsTrainedStraightThroughTokens(part: TrainedPart) throws {
        try withScratchFolder { folder in
            var options = try fitted(in: folder, architecture: try TinyTraining.architecture())
            (options.training.part, options.measureEvery) = (part, 2)
            options.training.straightThrough = .init(commitment: 0.1, averaging: 0.9)
            #expect(try run(folder + "/whole", options))
            for steps in [2, 3] { #expect(try !run(folder + "/parts", options, stopAfter: steps)) }
            #expect(try run(folder + "/parts", options))
            let codes = "fit/quantizer.safetensors"
            for file in ["vae/config.json", "vae/diffusion_pytorch_model.safetensors", "fit/fit.json", codes] {
                #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/parts/\(file)"), "\(file)")
            }
            let (start, trained) = (try Autoencoder(directory: options.start!.vae), try Autoencoder(directory: folder + "/whole/vae"))
            let moved = zip(start.tensors, trained.tensors).filter { $0.tensor.values != $1.tensor.values }.map(\.0.path)
            #expect(moved.contains { $0.hasPrefix("encoder.") } && moved.contains { $0.hasPrefix("decoder.") } == (part == .all))
            let isSettled = try StoredFile.read("\(folder)/whole/\(codes)") == StoredFile.read(folder + "/fit/\(codes)")
            #expect(isSettled == (part == .encoder))
            let log = try TrainingLog.entries(folder + "/parts/log.jsonl").filter { $0.values["loss"] != nil }
            #expect(log.allSatisfy { $0.values["token_error"]! > 0 && ($0.values["code_resets"] != nil) == (part == .all) })
            _ = try Publication(vae: folder + "/whole/vae", fit: folder + "/whole/fit", images: options.images, most: 1)
                .publish(as: "tiny", under: folder + "/checkpoints", console: .silent)
        }
    }

    /// Crops of several sizes and colours: the same ones however often it was stopped.
    @Test func stepsOfSeveralSizesAreResumedToTheSameBytes() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            (options.crop, options.augmentations) = (CropSides([24, 8, 16]), [.colour])
            #expect(try run(folder + "/whole", options))
            #expect(try !run(folder + "/parts", options, stopAfter: 3))
            #expect(try run(folder + "/parts", options))
            let weights = "vae/diffusion_pytorch_model.safetensors"
            #expect(try StoredFile.read("\(folder)/whole/\(weights)") == StoredFile.read("\(folder)/parts/\(weights)"))
            #expect(Set((0..<40).map { options.crop.side(step: $0, seed: 7) }) == [8, 16, 24])
            let written = String(decoding: try StoredFile.read(folder + "/whole/config.json"), as: UTF8.self)
            #expect(written.contains("\"colour\"") && JSONFile.bytes(CropSides([16])) == JSONFile.bytes(16))
            options.crop = CropSides([16, 18])
            let error = #expect(throws: FileError.self) { try run(folder + "/other", options) }
            #expect(error?.reason.hasSuffix("not 16, 18") == true)
        }
    }

    @Test func tokensOfAnotherAutoencoderAreRefused() throws {
        try withScratchFolder { folder in
            let valid = try fitted(in: folder)
            func refusal(_ change: (inout AutoencoderRun.Options) -> Void) -> String? {
                var options = valid
                change(&options)
                return #expect(throws: FileError.self) { try run(folder + "/run", options) }?.reason
            }
            let fit = try #require(valid.start?.fit)
            #expect(
                refusal { $0.start!.vae = folder + "/other/vae" }
                    == "\(fit) was fitted to the latents of another autoencoder than \(folder)/other/vae")
            var narrow = try #require(valid.architecture.family as? PatchCodeConfiguration)
            narrow.network.latentChannels = 40
            #expect(refusal { $0.architecture = AutoencoderConfiguration(narrow) }?.contains("only in decoder_refiner") == true)
            #expect(refusal { $0.training.part = .encoder }?.contains("--train encoder has nothing to train") == true)
            #expect(refusal { $0.training.latentBits = 60 }?.contains("no test channel") == true)
            #expect(refusal { $0.training.straightThrough = .init(commitment: -1, averaging: 0.9) }?.hasPrefix("--commitment is") == true)
            #expect(refusal { $0.training.straightThrough = .init(commitment: 1, averaging: 1) }?.hasPrefix("--code-averaging is") == true)
            #expect(refusal { $0.start!.fit = folder + "/whole-image/fit" }?.hasSuffix("; it serves --crop 32 with --size 32") == true)
            #expect(try !StoredFolder.names(in: folder).contains("run"))
        }
    }

    /// Options to train a refiner on the tokens of a patch code, and another patch code.
    private func fitted(
        in folder: String, _ precision: SafetensorsWriter.Precision = .float16, architecture: AutoencoderConfiguration? = nil
    ) throws -> AutoencoderRun.Options {
        let pictures = try TinyTraining.pictures(in: folder)
        var options = try options(images: pictures, part: .decoder)
        options.training.latentBits = nil
        (options.architecture, options.training.steps) = (try architecture ?? Self.patchCode(), 0)
        #expect(try run(folder + "/start", options))
        options.seed = 8
        #expect(try run(folder + "/other", options))
        let (vae, latents) = (folder + "/start/vae", folder + "/latents")
        if precision == .float32 {
            // Numbers that half precision does not hold.
            var model = try Autoencoder(directory: vae)
            model.visit(.root) { _, _, tensor in tensor.multiply(by: 1.0001) }
            try model.save(to: "\(vae)/\(Autoencoder.weightsName)")
        }
        _ = try LatentExtraction(to: latents, images: pictures, vae: vae, size: 32, precision: .float32, split: TinyTraining.split, console: .silent)
            .run(isStopRequested: { false })
        let quantizer = QuantizerOptions(tokens: 192, codes: 8, grouping: .klt(side: 1), distortion: .weighted, sharing: .one)
        var fit = QuantizerRun.Options(latents: latents)
        (fit.vae, fit.quantizer, fit.passes) = (vae, quantizer, 2)
        #expect(try QuantizerRun(folder + "/fit", options: fit, console: .silent).run(saveEvery: .seconds(3600)))
        // A codebook for each token belongs to images of one size.
        fit.quantizer = QuantizerOptions(tokens: 192, codes: 2)
        #expect(try QuantizerRun(folder + "/whole-image", options: fit, console: .silent).run(saveEvery: .seconds(3600)))
        options.start = .init(vae: vae, fit: folder + "/fit/fit")
        var code = try #require(options.architecture.family as? PatchCodeConfiguration)
        code.refiner = .init(factor: 2, channels: 8, layers: 1)
        options.architecture = AutoencoderConfiguration(code)
        options.training.steps = 6
        return options
    }

    private static func patchCode() throws -> AutoencoderConfiguration {
        let json = """
            {"_class_name": "PatchSkipAutoencoderDC", "encoder_out_shortcut": false, "decoder_in_shortcut": false, "latent_channels": 48,
             "encoder_block_out_channels": [8, 8, 8], "decoder_block_out_channels": [8, 8, 8], "attention_head_dim": 8,
             "encoder_layers_per_block": [0, 0, 0], "decoder_layers_per_block": [0, 0, 0],
             "encoder_qkv_multiscales": [[], [], []], "decoder_qkv_multiscales": [[], [], []]}
            """
        return try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(json.utf8))
    }

    @Test func theResultLoads() throws {
        try withScratchFolder { folder in
            let options = try options(images: try TinyTraining.pictures(in: folder))
            _ = try run(folder + "/run", options)
            let model = try Autoencoder(directory: folder + "/run/vae")
            #expect(model.configuration == options.architecture)
        }
    }

    /// The principal components alone are a finished autoencoder.
    @Test func noStepsLeaveThePrincipalComponents() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            options.training.steps = 0
            #expect(try run(folder + "/run", options))
            let figures = try #require(try TrainingLog.entries(folder + "/run/log.jsonl").last?.values)
            #expect(figures["reporting_psnr"].map { $0 > 40 && $0 <= PictureFidelity.perfectPSNR } == true, "equal pictures count, too")
            let model = try Autoencoder(directory: folder + "/run/vae")
            var random = RandomSource(seed: 8, stream: 1)
            var pixels = Tensor(uninitialized: [1, 8, 8, 3])
            random.fill(normal: &pixels)
            // 48 components of a 4×4 patch are all there are; weights are stored with eleven bits.
            for (drawn, pixel) in zip(model(pixels).values, pixels.values) { #expect(abs(drawn - pixel) < 0.02) }
        }
    }

    @Test func corruptPicturesAreSkippedAndReported() throws {
        try withScratchFolder { folder in
            let pictures = try TinyTraining.pictures(in: folder)
            try StoredFile.write([1, 2, 3], to: pictures + "/00000001.png")
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            let run = try AutoencoderRun(folder + "/run", options: try options(images: pictures), console: console)
            #expect(try run.run(saveEvery: .seconds(3600), isStopRequested: { false }))
            #expect(lines.filter { $0.hasPrefix("skipped: \(pictures)/00000001.png: ") }.count == 1)
        }
    }

    @Test func impossibleOptionsAreRefusedBeforeTheRunExists() throws {
        try withScratchFolder { folder in
            var options = try options(images: try TinyTraining.pictures(in: folder))
            options.crop = 18
            #expect(throws: FileError.self) { try run(folder + "/run", options) }
            options.crop = 16
            options.split = try #require(Split(shares: "98/1/1", seed: 4))
            let reason =
                "\(options.images) holds too few pictures: the split 98/1/1, seed 4 deals 6 pictures to train on, 0 to choose by, 0 to report on, at least 1, 1 and "
                + "2 are needed; use more pictures, or another --split"
            #expect(throws: FileError(path: options.images, reason: reason)) { try run(folder + "/run", options) }
            #expect(try !StoredFolder.names(in: folder).contains("run"))
        }
    }

    /// A rate that only diverges, a clip that climbs, averages of nothing; and what JSON cannot hold.
    @Test func impossibleNumbersAreNamed() throws {
        try withScratchFolder { folder in
            let valid = try options(images: TinyTraining.pictures(in: folder))
            for (change, reason) in [
                ({ $0.learningRate = 1e30 }, "--learning-rate is in 0...1, not 1e+30"),
                ({ $0.learningRate = .nan }, "--learning-rate is in 0...1, not nan"),
                ({ $0.clip = -1 }, "--clip is a number above 0, not -1.0"), ({ $0.clip = 0 }, "--clip is a number above 0, not 0.0"),
                ({ $0.clip = .nan }, "--clip is a number above 0, not nan"), ({ $0.clip = .infinity }, "--clip is a number above 0, not inf"),
                ({ $0.averaging = 1 }, "--averaging is in 0..<1, not 1.0"), ({ $0.averaging = -1 }, "--averaging is in 0..<1, not -1.0"),
                ({ $0.averaging = .nan }, "--averaging is in 0..<1, not nan"),
                ({ $0.weightDecay = -5 }, "--weight-decay is a number that is not below 0, not -5.0"),
                ({ $0.weightDecay = .nan }, "--weight-decay is a number that is not below 0, not nan"),
                ({ $0.schedule.warmup = -1 }, "--warmup is in 0...1073741824, not -1"),
                ({ $0.schedule.warmup = .max }, "--warmup is in 0...1073741824, not 9223372036854775807"),
                ({ $0.latentBits = .nan }, "--latent-bits is in 0...4096, not nan"), ({ $0.steps = -1 }, "--steps is in 0...16777216, not -1"),
            ] as [((inout AutoencoderTrainer.Options) -> Void, String)] {
                var options = valid
                change(&options.training)
                #expect(throws: FileError(path: options.images, reason: reason)) { try run(folder + "/run", options) }
            }
            #expect(try !StoredFolder.names(in: folder).contains("run"))
        }
    }

    private func run(_ path: String, _ options: AutoencoderRun.Options, stopAfter steps: Int = .max) throws -> Bool {
        var asked = 0
        return try AutoencoderRun(path, options: options, console: .silent).run(saveEvery: .seconds(3600)) {
            asked += 1
            return asked > steps
        }
    }

    private func options(images: String, part: TrainedPart = .all) throws -> AutoencoderRun.Options {
        AutoencoderRun.Options(
            images: images, size: 32, crop: 16, split: TinyTraining.split, seed: 7, architecture: try TinyTraining.architecture(),
            training: .init(
                batch: 4, shards: 2, steps: 6, learningRate: 1e-3, schedule: Schedule(.cosine, warmup: 2), weightDecay: 0, clip: 1, latentBits: 60,
                averaging: 0.9,
                part: part))
    }
}
