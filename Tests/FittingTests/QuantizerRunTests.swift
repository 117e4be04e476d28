import TestSupport
import Testing

@testable import Files
@testable import Fitting
@testable import Images
@testable import Jobs
@testable import Laboratory
@testable import Networks
@testable import Pictures
@testable import TokenizerCore

@Suite struct QuantizerRunTests {
    @Test(arguments: QuantizerRun.Method.allCases, [.vit, .linear] as [RectifierConfiguration])
    func aResumedRunEndsInTheSameBytes(method: QuantizerRun.Method, rectifier: RectifierConfiguration) throws {
        try withScratchFolder { folder in
            var options = try options(method, in: folder)
            options.rectifier = rectifier
            #expect(try run(folder + "/whole", options))
            for _ in 0..<3 { #expect(try !run(folder + "/parts", options, stopAfter: 2)) }
            #expect(try run(folder + "/parts", options))
            try expectSameRun(folder + "/whole", "\(folder)/parts")
        }
    }

    @Test(arguments: QuantizerRun.Method.allCases)
    func aResumedRunOfTwoStagesEndsInTheSameBytes(method: QuantizerRun.Method) throws {
        try withScratchFolder { folder in
            var options = try options(method, stages: 2, in: folder)
            #expect(try run(folder + "/whole", options))
            for _ in 0..<3 { #expect(try !run(folder + "/parts", options, stopAfter: 2)) }
            #expect(try run(folder + "/parts", options))
            try expectSameRun(folder + "/whole", "\(folder)/parts")
            let layout = try FittedQuantizer(folder + "/whole/fit").quantizer.layout
            #expect(layout.stages == 2 && layout.tokens == 384 && layout.codebooks == 2)
            options.quantizer.stages = nil
            #expect(throws: FileError.self) { try run(folder + "/whole", options) }
        }
    }

    @Test func aResumedRunWithEveryOptionOfTheLoopEndsInTheSameBytes() throws {
        try withScratchFolder { folder in
            var options = try options(.adam, in: folder)
            options.gradient = GradientOptions(
                loss: .joint, schedule: Schedule(.cosine, warmup: 2), accumulation: 2, averaging: 0.9, drawn: .squaredError)
            #expect(try run(folder + "/whole", options))
            for _ in 0..<3 { #expect(try !run(folder + "/parts", options, stopAfter: 2)) }
            #expect(try run(folder + "/parts", options))
            try expectSameRun(folder + "/whole", "\(folder)/parts")
        }
    }

    /// Rates far too high, from which a rectifier has not recovered after two epochs. They magnify how a processor rounds, so that with any one of
    /// them the last epoch is the best somewhere.
    @Test func theBestEpochIsPublishedAndTheLastRecorded() throws {
        try withScratchFolder { folder in
            var options = try options(.adam, in: folder)
            (options.epochs, options.gradient.schedule) = (2, Schedule(.constant))
            for rate: Float in [1, 0.5, 0.2, 0.1] {
                options.learningRate = rate
                let run = "\(folder)/run-\(rate)"
                #expect(try self.run(run, options))
                let epochs = try TrainingLog.entries(run + "/log.jsonl").filter { $0.values["held_out_rectified_mse"] != nil }
                let errors = epochs.map { $0.values["held_out_rectified_mse"]! }
                #expect(epochs.count == 2)
                let fit = try FittedQuantizer(run + "/fit").description
                #expect(fit.epochs?.best?.rectifiedMSE == errors.min())
                #expect(fit.epochs?.bestStep == epochs[errors.firstIndex(of: errors.min()!)!].step)
                #expect(fit.epochs?.last.rectifiedMSE == errors.last)
                if errors.last! > errors.min()! { return }
            }
            Issue.record("the last epoch was the best at every rate")
        }
    }

    /// Trained by what is drawn, the epoch is chosen by it, too.
    @Test func aRectifierIsTrainedAndChosenByWhatIsDrawn() throws {
        try withScratchFolder { folder in
            var options = try options(.lloyd, in: folder)
            options.gradient.drawn = .squaredError
            #expect(try run(folder + "/run", options))
            let losses = try TrainingLog.entries(folder + "/run/log.jsonl").filter { $0.values["held_out_rectifier_loss"] != nil }
            #expect(losses.count == 4 && losses.allSatisfy { $0.values["rectifier_loss"]! > 0 })
            let best = losses.min { $0.values["held_out_rectifier_loss"]! < $1.values["held_out_rectifier_loss"]! }
            #expect(try FittedQuantizer(folder + "/run/fit").description.epochs?.bestStep == best?.step)
        }
    }

    /// What a kill leaves: a log that is ahead of the saved state, nothing of the steps since, and a draft that was being written.
    @Test(arguments: zip([.adam, .lloyd, .lloyd] as [QuantizerRun.Method], [1, 1, 2]))
    func aRunKilledAtAnyStepEndsInTheSameBytes(method: QuantizerRun.Method, stages: Int) throws {
        try withScratchFolder { folder in
            let options = try self.options(method, stages: stages, in: folder)
            #expect(try run(folder + "/whole", options))
            #expect(try !run(folder + "/running", options, stopAfter: 3))
            var copies: [String] = []
            var copiedSteps = 0
            _ = try QuantizerRun(folder + "/running", options: options, console: .silent).run(saveEvery: .seconds(3600)) {
                let steps = Self.steps(in: folder + "/running")
                guard steps > copiedSteps else { return false }
                copiedSteps = steps
                copies.append("\(folder)/killed-\(copies.count)")
                try? TinyTraining.copy(folder + "/running", to: copies.last!)
                return false
            }
            #expect(copies.count >= 5)
            for copy in copies {
                try StoredFolder.create(copy + "/states/.99.revq-draft")
                try StoredFile.write([1], to: copy + "/states/.99.revq-draft/tensors.safetensors", .relaxed)
                #expect(try run(copy, options))
                #expect(try StoredFolder.names(in: copy + "/states").count == 1)
                try expectSameRun(folder + "/whole", "\(copy)")
            }
        }
    }

    /// As when a dataset is copied while a fit is interrupted.
    @Test func picturesThatWereOnlyMovedDoNotEndARun() throws {
        try withScratchFolder { folder in
            let options = try options(.lloyd, in: folder)
            #expect(try !run(folder + "/run", options, stopAfter: 2))
            let picture = folder + "/pictures/00000002.png"
            try StoredFile.write(StoredFile.read(picture), to: picture)
            let place = (folder + "/pictures", folder + "/vae")
            _ = try TinyTraining.extraction(place, to: folder + "/latents").run(isStopRequested: { false })
            #expect(try run(folder + "/run", options))
        }
    }

    /// It may come while the sensitivity is measured, while codes are chosen, and inside a pass.
    @Test(arguments: [1, 2])
    func aStopAtAnyMomentLosesNothing(stages: Int) throws {
        try withScratchFolder { folder in
            var options = try options(.lloyd, stages: stages, in: folder)
            options.quantizer.start = .kMeansPlusPlus
            #expect(try run(folder + "/whole", options))
            var questions = 0
            _ = try QuantizerRun(folder + "/counted", options: options, console: .silent).run(saveEvery: .zero) {
                questions += 1
                return false
            }
            for stop in stride(from: 0, to: questions, by: max(1, questions / 12)) {
                var asked = 0
                let path = "\(folder)/stopped-\(stop)"
                let isComplete = try QuantizerRun(path, options: options, console: .silent).run(saveEvery: .seconds(3600)) {
                    asked += 1
                    return asked > stop
                }
                #expect(!isComplete && asked == stop + 1, "nothing is asked again once the answer was yes")
                #expect(try run(path, options))
                try expectSameRun(folder + "/whole", "\(path)")
            }
        }
    }

    @Test(arguments: [.vit, .linear] as [RectifierConfiguration])
    func aFitBecomesACheckpointThatLoads(rectifier: RectifierConfiguration) throws {
        try withScratchFolder { folder in
            var options = try options(.lloyd, in: folder)
            options.rectifier = rectifier
            #expect(try run(folder + "/run", options))
            let publication = try Publication(
                vae: folder + "/vae", fit: folder + "/run/fit", images: folder + "/pictures", most: 2)
            let first = try publication.publish(as: "tiny", under: folder + "/checkpoints", console: .silent)
            #expect(first == folder + "/checkpoints/tiny/000001")
            #expect(try publication.publish(as: "tiny", under: folder + "/checkpoints", console: .silent).hasSuffix("000002"))
            let checkpoint = try Checkpoint(first)
            let tokenizer = try VisualTokenizer(checkpoint)
            #expect(checkpoint.manifest.metrics.images == 2)
            let pictures = PixelBatch(images: [ProceduralImages(seed: 4, side: 32).image(at: 5)])
            #expect(tokenizer.encode(pictures).tokensPerImage == options.quantizer.tokens)
        }
    }

    /// Codes that tokens share hold at any size; those of single tokens do not.
    @Test func sharedCodesServeOtherImageSizes() throws {
        try withScratchFolder { folder in
            let original = try options(.lloyd, in: folder)
            var options = original
            #expect(try run(folder + "/run", options))
            let large = try Publication(
                vae: folder + "/vae", fit: folder + "/run/fit", imageSize: 64, images: folder + "/pictures", most: 1)
            let tokenizer = try VisualTokenizer.load(from: large.publish(as: "large", under: folder + "/checkpoints", console: .silent))
            #expect(tokenizer.specification.tokensPerImage == 4 * options.quantizer.tokens)
            #expect(tokenizer.specification.imageSize == 64)
            for (change, reason) in [
                (
                    {
                        $0.quantizer.sharing = .untied; $0.quantizer.codes = 4
                    }, "its latents are normalised site by site"
                ),
                ({ $0.rectifier = RectifierConfiguration(.mlp(width: 8, depth: 1), isResidual: true) }, "its rectifier sees the whole image"),
            ] as [((inout QuantizerRun.Options) -> Void, String)] {
                change(&options)
                let path = "\(folder)/run-\(reason.count)"
                #expect(try run(path, options))
                let expected = FileError(path: "64", reason: "cannot make it a tokenizer of 64-pixel images: \(reason)")
                #expect(throws: expected) {
                    try Publication(vae: folder + "/vae", fit: path + "/fit", imageSize: 64, images: folder + "/pictures", most: 1)
                }
                options = original
            }
        }
    }

    @Test func refusesADamagedFit() throws {
        try withScratchFolder { folder in
            #expect(try run(folder + "/run", try options(.lloyd, in: folder)))
            let path = folder + "/run/fit/fit.json"
            let whole = String(decoding: try StoredFile.read(path), as: UTF8.self)
            for (old, new, problem) in [
                ("\"height\" : 8", "\"height\" : 0", "latents of [48, 0, 8] for images of 32 pixels are impossible"),
                ("\"channels\" : 48", "\"channels\" : -48", "latents of [-48, 8, 8] for images of 32 pixels are impossible"),
                (
                    "\"imageSize\" : 32", "\"imageSize\" : 9223372036854775807",
                    "latents of [48, 8, 8] for images of 9223372036854775807 pixels are impossible"
                ),
                ("\"tokens\" : 192", "\"tokens\" : 0", "0 tokens do not divide 3072 latent values"),
                ("\"dimension\" : 16", "\"dimension\" : 1", "a token has 16 numbers, not 1"),
                (
                    "\"headDimension\" : 16", "\"headDimension\" : 0",
                    "a rectifier of width 48, depth 1 and heads of 0 is impossible: heads divide the width, at most 8192; the depth is at most 64"
                ),
            ] {
                #expect(whole.contains(old))
                try StoredFile.write(Array(whole.replacing(old, with: new).utf8), to: path)
                #expect(throws: FileError(path: path, reason: "\(path) is damaged: \(problem)")) { try FittedQuantizer(folder + "/run/fit") }
            }
        }
    }

    @Test func refusesAnotherAutoencodersFit() throws {
        try withScratchFolder { folder in
            #expect(try run(folder + "/run", try options(.lloyd, in: folder)))
            let other = folder + "/other"
            try StoredFolder.create(other)
            try StoredFile.write([0], to: other + "/\(Autoencoder.weightsName)")
            #expect(throws: FileError(path: other, reason: "\(folder)/run/fit was fitted to the latents of another autoencoder than \(other)")) {
                try Publication(vae: other, fit: folder + "/run/fit", images: folder + "/pictures", most: 2)
            }
        }
    }

    @Test func refusesImpossibleNumbersBeforeTheRunExists() throws {
        try withScratchFolder { folder in
            let valid = try options(.adam, in: folder)
            for change in [
                { $0.quantizer.tokens = 7 }, { $0.quantizer.grouping = .klt(side: 3) }, { $0.vae = nil }, { $0.quantizer.codes = 1 << 14 },
                { $0.batch = 0 }, { $0.batch = .max }, { $0.epochs = .max },
                {
                    $0.method = .lloyd; $0.passes = .max
                }, { $0.learningRate = .nan }, { $0.quantizer.codes = 0 },
                { $0.gradient.accumulation = 0 },
                { $0.gradient.accumulation = $0.batch + 1 }, { $0.gradient.averaging = 1 }, { $0.gradient.averaging = .nan },
                { $0.gradient.schedule.warmup = -1 },
                {
                    $0.gradient.loss = .joint; $0.method = .lloyd
                },
                {
                    $0.gradient.loss = .joint; $0.rectifier = .linear
                },
                {
                    $0.gradient.drawn = .squaredError; $0.rectifier = .linear
                },
                {
                    $0.gradient.drawn = .squaredError; $0.vae = nil; $0.quantizer.distortion = .normalised
                },
                { $0.gradient.drawn = .init(distance: .mse, perceptual: [.init(network: "absent", weight: 1)]) },
            ] as [(inout QuantizerRun.Options) -> Void] {
                var options = valid
                change(&options)
                #expect(throws: FileError.self) { try run(folder + "/run", options) }
            }
            #expect(try !StoredFolder.names(in: folder).contains("run"))
            var options = valid
            options.vae = try TinyTraining.vae(in: folder + "/other", seed: 2)
            let other = "\(options.latents) holds latents of another autoencoder than \(folder)/other"
            #expect(throws: FileError(path: folder + "/other", reason: other)) { try run(folder + "/run", options) }
        }
    }

    @Test func theDecoderIsMeasuredOnce() throws {
        try withScratchFolder { folder in
            let (options, path) = (try options(.lloyd, in: folder), folder + "/run")
            var lines: [String] = []
            func call(stopAfter steps: Int = .max) throws -> Bool {
                lines = []
                let run = try QuantizerRun(path, options: options, console: Console(isTerminal: false) { lines.append($0) })
                return try run.run(saveEvery: .seconds(3600)) { Self.steps(in: path) >= steps }
            }
            #expect(try !call(stopAfter: 2))
            // Five images of 48 elements each.
            #expect(
                lines[0].hasPrefix("split 60/15/25, seed 3152: ") && lines[1] == "0/240 decodes · 0 %\n"
                    && lines.contains { $0.hasPrefix("240/240 decodes · 100 % · ") })
            let (kept, whole) = (path + "/sensitivity.safetensors", try StoredFile.read(path + "/sensitivity.safetensors"))
            try StoredFile.write(Array(whole.dropLast(4)) + [0, 0, 0x80, 0x7F], to: kept)
            let reason = "\(kept): tensor gram holds NaN or infinite values"
            #expect(throws: FileError(path: kept, reason: reason)) { try call() }
            try StoredFile.write(whole, to: kept)
            #expect(try call())
            #expect(lines.count > 1 && !lines.contains { $0.contains("decodes") })
            #expect(try call())
            #expect(lines.count == 1 && lines[0].hasPrefix("finished before: held-out MSE "), "\(lines)")
        }
    }

    @Test func aRefusedCallLeavesItsFolderToTheCorrectedOne() throws {
        try withScratchFolder { folder in
            var options = try options(.lloyd, in: folder)
            let shard = folder + "/latents/latents-00000.safetensors"
            let whole = try StoredFile.read(shard)
            try StoredFile.write(Array(whole.dropLast()) + [whole.last! ^ 1], to: shard)
            #expect(throws: FileError.self) { try run(folder + "/run", options) }
            try StoredFile.write(whole, to: shard)
            options.passes = 2
            #expect(try run(folder + "/run", options))
            options.passes = 1
            let reason = "\(folder)/run was begun with options.passes = 2, not 1: use the same options, or a new folder"
            #expect(throws: FileError(path: folder + "/run", reason: reason)) { try run(folder + "/run", options) }
        }
    }

    /// With a rate that does not depend on the run's length.
    @Test(arguments: [false, true])
    func aRunWithMoreEpochsIsTheRunThatHadThemFromTheStart(isFinished: Bool) throws {
        try withScratchFolder { folder in
            var options = try options(.adam, in: folder)
            options.gradient = GradientOptions(schedule: Schedule(.constant, warmup: 3), averaging: 0.9)
            options.rectifier = .linear
            #expect(try run(folder + "/whole", options))
            options.epochs = 2
            #expect(try run(folder + "/parts", options, stopAfter: isFinished ? nil : 3) == isFinished)
            options.epochs = 4
            #expect(try run(folder + "/parts", options))
            try expectSameRun(folder + "/whole", folder + "/parts")
            #expect(StoredFile.exists(folder + "/parts/fit-before") == isFinished)
        }
    }

    /// Passes before the last two do not depend on the run's length; those that do are said to.
    @Test(arguments: [1, 2])
    func aRunWithMorePassesGoesOnFromItsCodes(stages: Int) throws {
        try withScratchFolder { folder in
            var options = try options(.lloyd, stages: stages, in: folder)
            #expect(try run(folder + "/whole", options))
            var said: [String] = []
            let console = Console(isTerminal: false) { said.append($0) }
            for (name, passes, stop) in [("early", 6, 3), ("late", 6, Int.max)] {
                options.passes = passes
                #expect(try run("\(folder)/\(name)", options, stopAfter: stop) == (stop == .max))
                options.passes = 8
                #expect(try QuantizerRun("\(folder)/\(name)", options: options, console: console).run(saveEvery: .zero) { false })
            }
            try expectSameRun(folder + "/whole", folder + "/early")
            #expect(said.contains { $0.hasPrefix("--passes grows from 6: the result will be that") })
            #expect(said.contains { $0.hasPrefix("--passes grows from 6: the last passes ended at the means") })
            let (late, whole) = (try TrainingLog.entries(folder + "/late/log.jsonl"), try TrainingLog.entries(folder + "/whole/log.jsonl"))
            #expect(late.map(\.step) == Array(1...whole.count))
        }
    }

    @Test func gradientNormsAreLogged() throws {
        try withScratchFolder { folder in
            #expect(try run(folder + "/run", options(.adam, in: folder)))
            for entry in try TrainingLog.entries(folder + "/run/log.jsonl") {
                #expect(
                    entry.values["codes_gradient_norm"]! > 0 && entry.values["rectifier_gradient_norm"]! > 0 && entry.values["images_per_second"]! > 0
                )
            }
        }
    }

    /// The same files, and the same figures in the log: times differ.
    private func expectSameRun(_ a: String, _ b: String) throws {
        for file in ["fit/quantizer.safetensors", "fit/rectifier.safetensors", "fit/fit.json"] {
            #expect(try StoredFile.read("\(a)/\(file)") == StoredFile.read("\(b)/\(file)"), "\(b)/\(file)")
        }
        #expect(try TrainingLog.entries(a + "/log.jsonl").map(\.figures) == TrainingLog.entries(b + "/log.jsonl").map(\.figures), "\(b)")
    }

    /// - Parameter steps: of this call.
    private func run(_ path: String, _ options: QuantizerRun.Options, stopAfter steps: Int? = nil) throws -> Bool {
        let before = Self.steps(in: path)
        return try QuantizerRun(path, options: options, console: .silent).run(saveEvery: .seconds(3600)) {
            steps.map { Self.steps(in: path) - before >= $0 } ?? false
        }
    }

    /// Steps that the run's log has.
    private static func steps(in path: String) -> Int {
        (try? TrainingLog.entries(path + "/log.jsonl").count) ?? 0
    }

    private func options(_ method: QuantizerRun.Method, stages: Int = 1, in folder: String) throws -> QuantizerRun.Options {
        let place = try TinyTraining.place(in: folder, count: 8)
        _ = try TinyTraining.extraction(place, to: folder + "/latents").run(isStopRequested: { false })
        return QuantizerRun.Options(
            latents: folder + "/latents", vae: place.vae, method: method,
            quantizer: QuantizerOptions(
                tokens: 192 * stages, codes: 8, grouping: .klt(side: 1), distortion: .weighted, sharing: .one, stages: stages == 1 ? nil : stages),
            passes: 8, epochs: 4, batch: 3,
            learningRate: 0.01, reset: .paper,
            rectifier: .vit, seed: 3)
    }
}

extension RectifierConfiguration {
    fileprivate static let vit = RectifierConfiguration(.vit(width: 48, depth: 1, headDimension: 16, scales: []), isResidual: true)
    fileprivate static let linear = RectifierConfiguration(.linear(reach: .neighbourhood(size: 3)), isResidual: true)
}
