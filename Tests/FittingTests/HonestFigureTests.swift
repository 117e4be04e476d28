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

/// What a figure says about itself, and when it is not to be trusted.
@Suite struct HonestFigureTests {
    /// Finding 1: the last files by name were alike and easy, and the error on them lay under that of training.
    @Test func heldOutErrorsFarBelowTrainingAreAWarning() throws {
        let quantizer = try GroupQuantizer.random(tokens: 4, codes: 4, dimension: 4, codebooks: 4)
        var random = RandomSource(seed: 5, stream: 1)
        var training = Tensor(uninitialized: [40, 16])
        random.fill(normal: &training)
        let learned = LatentQuality(of: Latents(flat: training), quantizer, .none)
        func suspicion(_ scale: Float, _ count: Int) -> String? {
            var rows = Tensor(Array(training.values.prefix(count * 16)), shape: [count, 16])
            let codes = quantizer.latents(quantizer.tokens(Latents(flat: rows))).rows
            // Nearer to their codes.
            rows = Tensor(zip(rows.values, codes.values).map { $1 + scale * ($0 - $1) }, shape: [count, 16])
            let sources = (0..<count).map { PictureKey(standingFor: "\($0)") }
            return LatentErrors(of: Latents(flat: rows), sources, quantizer, .none).suspicion(training: learned)
        }
        #expect(suspicion(0.8, 30)?.contains("% below the training error") == true)
        #expect(suspicion(1, 40) == nil && suspicion(0.99, 30) == nil)
    }

    /// Finding 5.
    @Test func aRectifierThatHelpsLatentsAndNotPicturesIsAWarning() throws {
        func picture(_ level: Int) -> RGBImage { RGBImage(width: 8, height: 8, pixels: Array(repeating: UInt8(level), count: 192)) }
        let sources = (0..<12).map { PictureKey(standingFor: "\($0)") }
        func fidelity(_ shift: (Int) -> Int) -> PictureFidelity {
            let originals = (0..<12).map { picture(100 + $0) }
            let drawn = DrawnPictures(
                own: originals, quantized: (0..<12).map { picture(100 + $0 + 4) }, rectified: (0..<12).map { picture(100 + $0 + shift($0)) })
            return PictureFidelity(.choosing, drawn, originals: originals, sources: sources)
        }
        func quality(_ rectified: Double) throws -> LatentQuality {
            try Self.decoded(["quantizedMSE": 0.2, "rectifiedMSE": rectified, "distortion": 0.2, "codebookUse": 1, "perplexity": 4])
        }
        let (better, worse) = (try quality(0.15), try quality(0.25))
        let harmful = fidelity { _ in 5 }
        #expect(harmful.gain.mean < -1.9 && harmful.alarm(better)?.contains("from 0.2 to 0.15, and pictures not: -1.94 dB [-1.94, -1.94]") == true)
        #expect(harmful.alarm(worse) == nil, "another warning's case")
        #expect(fidelity { _ in 3 }.alarm(better) == nil)
        #expect(fidelity { $0 % 2 == 0 ? 3 : 5 }.alarm(better) != nil, "as often worse as better")
        #expect(harmful.summary.contains("choosing part, 12 pictures, 95 % intervals: PSNR 36.09 dB [36.09, 36.09] quantised"))
    }

    /// Finding 9.
    @Test func boundsOfWhiteLatentsAreNotHeldAgainstErrorsBelowThem() throws {
        let bounds: QuantizerBounds = try Self.decoded(["shannon": 0.3, "zador": 0.4, "groupedZador": 0.15, "waterFilling": 0.1, "boxSide": 2])
        #expect(bounds.summary(beside: 0.35).contains("white ones of equal variance would allow 0.3 by codes of any length (Shannon), 0.4 by these"))
        #expect(bounds.summary(beside: 0.2).contains("white ones are no comparison") && !bounds.summary(beside: 0.2).contains("0.4"))
    }

    /// Findings 4 and 6: each figure is of pictures that nothing was learned from or chosen by.
    @Test func aFitIsReportedOnPicturesItDidNotChooseBy() throws {
        try withScratchFolder { folder in
            let said = try Self.fit(in: folder)
            #expect(said.contains("split 60/15/25, seed 3152: 5 pictures to train on, 1 to choose by, 2 to report on\n"))
            #expect(said.contains { $0.hasPrefix("held-out MSE, reporting part, 2 pictures, 95 % intervals: ") })
            #expect(said.contains { $0.hasPrefix("against the originals, reporting part, 2 pictures, 95 % intervals: PSNR ") })
            let fit = try FittedQuantizer(folder + "/run/fit")
            let (description, store) = (fit.description, try LatentStore(folder + "/latents"))
            #expect(try fit.pictures == store.parts().pictures && fit.pictures?.reporting.count == 2)
            let z = fit.normalizer.normalize(try store.load().images(at: [2, 5]))
            #expect(description.quality == LatentQuality(of: z, fit.quantizer, fit.rectifier))
            #expect(abs(description.errors!.rectified.mean - description.quality!.rectifiedMSE) < 1e-6 && description.errors!.rectified.pictures == 2)
            let vae = try Autoencoder(directory: folder + "/vae")
            let drawn = PixelBatch(vae.decode(fit.normalizer.restore(fit.quantizer.latents(fit.quantizer.tokens(z))))).images()
            let psnr = zip(drawn, [2, 5]).map { PeakSignalToNoise.decibels($0, ProceduralImages(seed: 4, side: 32).image(at: $1)) }
            #expect(abs(description.originals!.quantized.mean - psnr.reduce(0, +) / 2) < 1e-9)
        }
    }

    @Test func publishingMeasuresWhatTrainingDidNotMeet() throws {
        try withScratchFolder { folder in
            _ = try Self.fit(in: folder)
            var said: [String] = []
            let console = Console(isTerminal: false) { said.append($0) }
            let publication = try Publication(vae: folder + "/vae", fit: folder + "/run/fit", images: folder + "/pictures", most: 64)
            let path = try publication.publish(as: "tiny", under: folder + "/checkpoints", console: console)
            #expect(said.contains("measuring 2 pictures of 2, the reporting part of the split; 6 of 8 were trained on or chosen by\n"), "\(said)")
            let checkpoint = try Checkpoint(path)
            let (manifest, parts) = (checkpoint.manifest, try checkpoint.pictures())
            #expect(manifest.metrics.images == 2 && manifest.metrics.intervals?.psnr.pictures == 2)
            #expect(abs(manifest.metrics.intervals!.psnr.mean - manifest.metrics.psnr) < 1e-9)
            #expect(manifest.pictures?.measured == .reporting && manifest.pictures?.training == 5 && manifest.pictures?.split == TinyTraining.split)
            #expect(try parts == FittedQuantizer(folder + "/run/fit").pictures)
            // What was trained on alone is nothing to measure on.
            try StoredFolder.create(folder + "/seen")
            for index in [0, 1, 3] {
                try StoredFile.write(StoredFile.read("\(folder)/pictures/0000000\(index).png"), to: "\(folder)/seen/\(index).png")
            }
            let reason = "\(folder)/seen holds no picture to measure on: \(folder)/vae or the fit was trained on or chosen by all of them"
            #expect(throws: FileError(path: folder + "/seen", reason: reason)) {
                try Publication(vae: folder + "/vae", fit: folder + "/run/fit", images: folder + "/seen", most: 64)
                    .publish(as: "none", under: folder + "/checkpoints", console: .silent)
            }
            #expect(try StoredFolder.names(in: folder + "/checkpoints") == ["tiny"])
            let evaluated = try TrainCommand.run(["evaluate", "--checkpoint", path, "--images", folder + "/pictures"])
            #expect(
                evaluated.errors.contains(
                    "warning: 6 of 8 images, by their contents, are among those that the checkpoint was trained on or chosen by"))
            try StoredFile.write(StoredFile.read(path + "/pictures.json") + [10], to: path + "/pictures.json")
            let changed = path + "/pictures.json is not the file that was published: its size or SHA-256 differs"
            #expect(throws: FileError(path: path + "/pictures.json", reason: changed)) { try Checkpoint(path).pictures() }
        }
    }

    @Test func aManifestWithoutTheseFieldsStillLoads() throws {
        let checkpoint = try TinyCheckpoint()
        #expect(try checkpoint.manifest.pictures == nil && checkpoint.manifest.metrics.intervals == nil)
        #expect(try Checkpoint(checkpoint.directory).pictures() == nil)
    }

    /// Finding 4: the autoencoder's own parts are those of the fit.
    @Test func anAutoencoderSaysWhatItWasTrainedOn() throws {
        try withScratchFolder { folder in
            let pictures = try TinyTraining.pictures(in: folder, count: 8)
            func train(_ name: String, _ split: Split) throws -> [String] {
                var said: [String] = []
                let options = AutoencoderRun.Options(
                    images: pictures, size: 32, crop: 16, split: split, seed: 7, architecture: try TinyTraining.architecture(),
                    training: .init(
                        batch: 4, shards: 2, steps: 1, learningRate: 1e-3, schedule: Schedule(.cosine, warmup: 2), weightDecay: 0, clip: 1,
                        latentBits: nil, averaging: 0.9, part: .all))
                let run = try AutoencoderRun("\(folder)/\(name)", options: options, console: Console(isTerminal: false) { said.append($0) })
                #expect(try run.run(saveEvery: .seconds(3600)) { false })
                return said
            }
            let said = try train("same", TinyTraining.split)
            #expect(said.contains { $0.hasPrefix("PSNR ") && $0.contains(" dB [") && $0.contains("reporting part, 2 pictures; ") }, "\(said)")
            let record = try #require(try PictureParts.read(from: folder + "/same/vae"))
            #expect(try record == PictureParts.read(from: folder + "/same") && record.training.count == 5)
            let other = try #require(Split(shares: "40/30/30", seed: 1))
            _ = try train("other", other)
            for (name, isWarned) in [("same", false), ("other", true)] {
                let vae = "\(folder)/\(name)/vae"
                let latents = "\(folder)/\(name)/latents"
                _ = try TinyTraining.extraction((pictures, vae), to: latents).run { false }
                var options = QuantizerRun.Options(latents: latents, vae: vae, quantizer: QuantizerOptions(tokens: 192, codes: 4, sharing: .one))
                options.passes = 1
                var lines: [String] = []
                let run = try QuantizerRun("\(folder)/\(name)/fit", options: options, console: Console(isTerminal: false) { lines.append($0) })
                #expect(try run.run(saveEvery: .seconds(3600)) { false })
                #expect(lines.contains { $0.hasPrefix("warning: \(vae) was trained on ") } == isWarned, "\(lines)")
            }
        }
    }

    @Test func tooFewPicturesAreRefusedBeforeTheRunExists() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            _ = try TinyTraining.extraction(place, to: folder + "/latents", split: Split(shares: "98/1/1", seed: 4)).run { false }
            let reason =
                "\(folder)/latents holds too few pictures: the split 98/1/1, seed 4 deals 6 pictures to train on, 0 to choose by, 0 to report on, at least 1, 1 and 2 "
                + "are needed; use more pictures, or extract with another --split"
            #expect(throws: FileError(path: folder + "/latents", reason: reason)) {
                try QuantizerRun(folder + "/run", options: QuantizerRun.Options(latents: folder + "/latents"), console: .silent)
            }
            #expect(try !StoredFolder.names(in: folder).contains("run"))
        }
    }

    private static func decoded<Value: Decodable>(_ numbers: [String: Double]) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(JSONFile.bytes(numbers)))
    }

    /// - Returns: what was said.
    private static func fit(in folder: String) throws -> [String] {
        let place = try TinyTraining.place(in: folder, count: 8)
        _ = try TinyTraining.extraction(place, to: folder + "/latents").run { false }
        var options = QuantizerRun.Options(
            latents: folder + "/latents", vae: place.vae, quantizer: QuantizerOptions(tokens: 192, codes: 8, sharing: .one), passes: 2)
        options.seed = 3
        var said: [String] = []
        let run = try QuantizerRun(folder + "/run", options: options, console: Console(isTerminal: false) { said.append($0) })
        #expect(try run.run(saveEvery: .seconds(3600)) { false })
        return said
    }
}
