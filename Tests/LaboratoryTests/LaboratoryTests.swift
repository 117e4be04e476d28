import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Images
@testable import Laboratory
@testable import Pictures
@testable import TokenizerCore

@Suite struct LaboratoryTests {
    private static func domain(_ folder: String, withPictures: Bool = true, split: Split = .usual, count: Int = 136) throws -> LatentDomain {
        let pictures = folder + "/pictures"
        if !StoredFolder.exists(pictures) {
            _ = try Synthesis(directory: pictures, count: count, size: 32, seed: 4).run(.silent)
            _ = try TinyTraining.vae(in: folder + "/vae", seed: 1)
        }
        if !withPictures { StoredFolder.remove(folder + "/latents/originals") }
        let source = LatentDomain.Source(
            vae: folder + "/vae", images: withPictures ? pictures : nil, latents: folder + "/latents", size: 32, split: split)
        return try #require(try LatentDomain(source, in: folder, networks: .none, console: .silent))
    }

    private func measured<E: Experiment>(_ experiment: E, _ cells: [E.Cell]) throws -> [ExperimentResult<E.Cell, E.Figures>] {
        var experiment = experiment
        return try cells.map { cell in
            let figures = try experiment.measure(cell) { false }
            return ExperimentResult(cell: cell, figures: try #require(figures))
        }
    }

    /// In a report's grid of `cells` cells, beside the original and the autoencoder's own picture.
    private static func images(_ html: String, cells: Int) -> Bool {
        html.split(separator: "<img ", omittingEmptySubsequences: false).count - 1 == SamplePictures.count * (2 + cells)
    }

    @Test func samplesBelongToTheirOriginals() throws {
        try withScratchFolder { folder in
            let samples = SamplePictures(in: folder + "/pictures")
            let pictures = (0..<3).map { ProceduralImages(seed: 4, side: 32).image(at: $0) }
            let places = [0, 3, 6]
            #expect(samples.pictures(places, of: "a cell") == nil)
            try samples.keep(Array(zip(places, pictures)), of: "a cell")
            #expect(samples.pictures(places, of: "a cell") == pictures && samples.pictures(places, of: "another") == nil)
            #expect(samples.pictures([0, 1, 2], of: "a cell") == nil, "those of other originals")
            StoredFolder.remove(folder + "/pictures/a-cell-4.png")
            #expect(samples.pictures(places, of: "a cell") == nil, "the third would stand beside the second original")
        }
    }

    /// Neighbours are often of one photograph.
    @Test func reportsShowPicturesFromAllOverThePart() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder)
            let count = domain.originals.count
            let places = (0..<3).map { $0 * count / 3 }
            let grid = try #require(domain.grid("all", [("as they are", domain.reporting)]))
            #expect(grid.rows.map(\.caption) == places.map { "held-out picture \($0 + 1) of \(count)" })
            #expect(grid.rows.map(\.images[0]) == places.map { domain.originals[$0].image })
            #expect(grid.rows.allSatisfy { $0.images[1] == $0.images[2] })
            try domain.keepSample(of: domain.reporting, "a cell")
            let kept = try #require(domain.grid("all", of: [("cell", "a cell")]))
            #expect(kept.rows.map(\.images) == grid.rows.map(\.images))
        }
    }

    @Test func picturesAreThoseThatAreReportedOn() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder, split: TinyTraining.split, count: 6)
            #expect(domain.training.count == 3 && domain.choosing.count == 1 && domain.originals.count == 2)
            #expect(domain.originals.map(\.image) == [2, 5].map { ProceduralImages(seed: 4, side: 32).image(at: $0) })
            let drawn = PixelBatch(domain.vae.decoder(domain.reporting.map)).images()
            let psnr = zip(drawn, domain.originals).map { PeakSignalToNoise.decibels($0, $1.image) }.reduce(0, +) / 2
            let figures = try #require(domain.pictures(of: domain.reporting))
            #expect(abs(figures.difference.psnr - psnr) < 1e-9)
            #expect(figures.psnr.map { abs($0.mean - psnr) < 1e-9 && $0.low! < psnr && $0.high! > psnr && $0.pictures == 2 } == true)
            let withoutPictures = try Self.domain(folder, withPictures: false)
            #expect(withoutPictures.pictures(of: domain.reporting) == nil)
            #expect(throws: FileError.self) { try Self.domain(folder, split: #require(Split(shares: "98/1/1"))) }
        }
    }

    @Test func noiseIsWhatItIsCalled() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder, split: TinyTraining.split, count: 24)
            let experiment = try ToleranceExperiment(domain, Self.tolerated)
            let cells: [ToleranceExperiment.Cell] = [.normalised(0), .normalised(0.1), .raw(0.1), .channel(5), .ideal(96), .tokens(96)]
            let json = JSONFile.bytes(cells[1...5].map { $0 }, isPretty: false)
            #expect(
                String(decoding: json, as: UTF8.self)
                    == "[{\"kind\":\"normalised\",\"value\":0.1},{\"kind\":\"raw\",\"value\":0.1},{\"kind\":\"channel\",\"value\":5},"
                    + "{\"kind\":\"ideal\",\"value\":96},{\"kind\":\"tokens\",\"value\":96}]")
            #expect(try JSONDecoder().decode([ToleranceExperiment.Cell].self, from: Data(json)) == cells[1...5].map { $0 })
            let results = try measured(experiment, cells)
            #expect(results[0].figures.rawMSE == 0 && results[0].figures.pictures == domain.pictures(of: domain.reporting))
            #expect(abs(results[1].figures.normalisedMSE / 0.1 - 1) < 0.05)
            #expect(abs(results[2].figures.rawMSE / (0.1 * experiment.meanVariance) - 1) < 0.05)
            let noisy = try #require(try experiment.latents(.channel(5)) { false }).map.values
            let clean = domain.reporting.map.values
            let changed = Set(noisy.indices.filter { noisy[$0] != clean[$0] }.map { $0 % domain.shape.channels })
            #expect(changed == [5])
            #expect(results[1].figures.pictures.difference.psnr < results[0].figures.pictures.difference.psnr)
            let html = experiment.report(results).html
            #expect(html.contains("The knee for noise alike"))
            #expect(!html.contains("paper (DC-AE") && html.contains("rFID was not measured"), "the paper's points alone are no finding")
            #expect(html.contains("Picture quality against the error of the latents, \(domain.measured)"), "what was measured")
            let channels = try #require(html.split(separator: "<figure>").first { $0.contains("What noise on one channel") })
            #expect(channels.contains("<circle") && !channels.contains("fill=\"none\""), "nothing lies between channels")
        }
    }

    private static let tolerated = ToleranceExperiment.Options(tokens: [96, 7], codes: 4, grouping: .strip, passes: 2, seed: 1)

    /// Of white latents the least error at their bits, and of tokens what their quantiser leaves.
    @Test func equalBitsAreSpentAsNoiseAndAsTokens() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder, split: TinyTraining.split, count: 24)
            let experiment = try ToleranceExperiment(domain, Self.tolerated)
            let measured = experiment.cells.filter { if case .tokens = $0 { true } else { false } }
            #expect(measured == [.tokens(96)] && experiment.refusals == ["7 tokens: 7 tokens do not divide 3072 latent values"])
            #expect(experiment.cells.contains(.ideal(7)))
            let results = try self.measured(experiment, [.normalised(0), .ideal(96), .tokens(96)])
            let (ideal, tokens) = (results[1].figures, results[2].figures)
            #expect(ideal.bits == 192 && tokens.bits == 192 && results[0].figures.bits == nil)
            // The share of 2^(−2·192/3072) is lost, and noise of s(1 − s) joins the rest; it is drawn for two pictures or more.
            let (share, z) = (0.917004, experiment.normalizer.normalize(domain.reporting).map)
            let lost = share * share * z.sumOfSquares / Double(z.count)
            #expect(abs(ideal.normalisedMSE / (lost + share * (1 - share)) - 1) < 0.05)
            let html = experiment.report(results).html
            #expect(html.contains("ideal codes of white latents") && html.contains("7 tokens do not divide") && html.contains(">96 tokens</"))
            var stopped = experiment
            let unfinished = try [ToleranceExperiment.Cell.tokens(96), .normalised(0)].map { try stopped.measure($0) { true } }
            #expect(unfinished.allSatisfy { $0 == nil })
            #expect(throws: ExperimentError("--codes is in 2...16777216, not 1")) {
                try ToleranceExperiment.Options(tokens: [96], codes: 1, grouping: .strip, passes: 1, seed: 1).check()
            }
        }
    }

    /// Against the slopes of the picture in every direction, one after the other.
    @Test func jacobianNormsAreThoseOfTheSlopes() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder, split: TinyTraining.split, count: 24)
            let (decoder, shape) = (domain.vae.decoder, domain.shape)
            let one = domain.reporting.images(0..<1)
            let normalizer = LatentNormalizer(fitting: domain.training)
            let found = try #require(JacobianNorms(of: decoder, at: one, normalizer, seed: 1) { false })
            var (raw, normalised) = ([Double](repeating: 0, count: shape.channels), [Double](repeating: 0, count: shape.channels))
            let step: Float = 0.01
            let deviation = normalizer.deviation.values
            for element in 0..<shape.count {
                func drawn(_ change: Float) -> Tensor {
                    var changed = one
                    changed.map.withMutablePointer { $0[element] += change }
                    return decoder(changed.map)
                }
                let (above, below) = (drawn(step), drawn(-step))
                let slope = SquaredError.mean(above, below) / Double(4 * step * step) / 4
                raw[element % shape.channels] += slope
                normalised[element % shape.channels] += slope * Double(deviation[element]) * Double(deviation[element])
            }
            // Four passes at 64 sites: each channel errs by about √(2 / 256), one in twenty by twice that, and their sum by less.
            for channel in raw.indices {
                #expect(abs(found.raw[channel] / raw[channel] - 1) < 0.4 && abs(found.normalised[channel] / normalised[channel] - 1) < 0.4)
            }
            #expect(abs(found.rawTotal / raw.reduce(0, +) - 1) < 0.05 && abs(found.normalisedTotal / normalised.reduce(0, +) - 1) < 0.05)
            #expect(found.channelsFelt > 1 && found.channelsFelt <= Double(shape.channels))
            #expect(JacobianNorms(of: decoder, at: one, normalizer, seed: 1) { false } == found, "signs follow from the seed")
            #expect(JacobianNorms(of: decoder, at: one, normalizer, seed: 1) { true } == nil)
        }
    }

    @Test func autoencodersAreComparedSideBySide() throws {
        try withScratchFolder { folder in
            let first = try Self.domain(folder, split: TinyTraining.split, count: 24)
            _ = try TinyTraining.vae(in: folder + "/other", seed: 2)
            let source = LatentDomain.Source(
                vae: folder + "/other", images: folder + "/pictures", latents: nil, size: 32, split: TinyTraining.split)
            let second = try #require(try LatentDomain(source, in: folder, number: 1, networks: .none, console: .silent))
            let comparison = try ToleranceComparison(["runs/vae", "runs/other"], [first, second], Self.tolerated)
            #expect(comparison.cells.count == 2 * comparison.members[0].experiment.cells.count)
            #expect(comparison.cells.suffix(96).allSatisfy { $0.treatment.isOfOneChannel })
            let treatments: [ToleranceExperiment.Cell] = [
                .normalised(0), .normalised(0.001), .normalised(0.01), .normalised(0.1), .normalised(1), .tokens(96), .channel(2),
            ]
            let cells = ["vae", "other"].flatMap { name in treatments.map { ToleranceComparison.Cell(autoencoder: name, treatment: $0) } }
            let results = try measured(comparison, cells)
            let alone = try measured(ToleranceExperiment(second, Self.tolerated), [.normalised(0.1)])
            #expect(results[10].figures.pictures == alone[0].figures.pictures, "each is measured as if it were alone")
            let html = comparison.report(results).html
            for text in ["What decides tolerance", "vae: Noise on one channel", "other, tokens", "a linear decoder", "96 tokens of 4 codes"] {
                #expect(html.contains(text), "\(text)")
            }
            let others = try #require(
                try LatentDomain(
                    .init(vae: folder + "/vae", images: folder + "/pictures", latents: nil, size: 64, split: TinyTraining.split), in: folder,
                    number: 2,
                    networks: .none, console: .silent))
            #expect(throws: ExperimentError("b was measured on other pictures: choose a new folder")) {
                try ToleranceComparison(["a", "b"], [first, others], Self.tolerated)
            }
        }
    }

    @Test func autoencodersAreNamedByWhatTellsThemApart() {
        #expect(ToleranceComparison.names(of: ["runs/plain", "runs/kl/"]) == ["plain", "kl"])
        #expect(ToleranceComparison.names(of: ["a/plain/vae", "a/kl/vae", "vae"]) == ["plain/vae", "kl/vae", "vae"])
        #expect(ToleranceComparison.names(of: ["a", "a"]) == ["a", "a"])
    }

    @Test func theKneeIsWhereTheErrorHasDoubled() throws {
        func figures(_ mse: Double, psnr: Double) throws -> ToleranceExperiment.Figures {
            let difference = "{\"psnr\":\(psnr),\"lumaPSNR\":0,\"redPSNR\":0}"
            let json = "{\"rawMSE\":\(10 * mse),\"normalisedMSE\":\(mse),\"pictures\":{\"difference\":\(difference),\"images\":1}}"
            return try JSONDecoder().decode(ToleranceExperiment.Figures.self, from: Data(json.utf8))
        }
        let loss = 3.010299956639812
        let found = try #require(
            ToleranceExperiment.knee([try figures(0, psnr: 30), try figures(0.01, psnr: 29), try figures(0.04, psnr: 30 - 2 * loss + 1)]))
        #expect(abs(found.normalised - 0.02) < 1e-9 && abs(found.raw - 0.2) < 1e-9, "half way between 1 and 2·3.01 − 1 dB, by logarithms")
        #expect(ToleranceExperiment.knee([try figures(0, psnr: 30), try figures(0.01, psnr: 29), try figures(0.04, psnr: 28)]) == nil)
    }

    @Test func sweepsFitMeasureAndReport() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder)
            let tokens = try TokenSweep(
                domain, .init(tokens: [96, 48, 7], codes: [4, 16], grouping: .strip, distortion: .normalised, sharing: .one, passes: 3, seed: 1))
            #expect(tokens.cells.map(\.tokens) == [96, 96, 48, 48], "7 tokens do not divide the latents")
            let figures = try measured(tokens, tokens.cells)
            #expect(figures[0].figures.heldOut.quantizedMSE > figures[1].figures.heldOut.quantizedMSE, "more codes, less error")
            #expect(figures[2].figures.bits == 96 && figures[2].figures.heldOut.quantizedMSE > figures[0].figures.heldOut.quantizedMSE)
            let html = tokens.report(figures).html
            for bound in ["Zador, white, 4 codes", "Zador, white, 16 codes", "Shannon, white", "water-filling of the measured covariance"] {
                #expect(html.contains(bound))
            }
            #expect(Self.images(html, cells: 2), "both numbers of tokens with the larger codebook")
            #expect(html.contains("7 tokens of 4 codes: 7 tokens do not divide 3072 latent values") && html.contains("paper, without rectifier"))

            let grouping = try GroupingSweep(
                domain,
                .init(tokens: 768, codes: 8, groupings: [.strip, .klt(side: 1)], distortions: [.normalised], sharings: [.one], passes: 2, seed: 1))
            let groupings = try measured(grouping, grouping.cells)
            let groupingHTML = grouping.report(groupings).html
            #expect(groupingHTML.contains(">klt-1</text>") && Self.images(groupingHTML, cells: 2))
            let every = try GroupingSweep(
                domain, .init(tokens: 384, codes: 8, groupings: nil, distortions: [.normalised], sharings: [.one], passes: 2, seed: 1))
            #expect(every.cells.map(\.grouping.name) == ["strip", "block-2x4", "spatial", "klt-1", "klt-2"])
            #expect(throws: ExperimentError.self) {
                try GroupingSweep(
                    domain, .init(tokens: 7, codes: 8, groupings: [.strip], distortions: [.normalised], sharings: [.one], passes: 2, seed: 1))
            }
        }
    }

    @Test func resetsAreComparedAtThePapersImagesPerCode() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder)
            let ablation = try ResetAblation(domain, .init(tokens: 48, epochs: 2, batch: 64, learningRate: 0.01, seed: 1))
            #expect(ablation.sizes == [2, 4, 8, 16, 32, 64], "114 images, as few as two for each code")
            let results = try measured(ablation, [.init(codes: 64, reset: .none), .init(codes: 64, reset: .paper)])
            #expect(results[1].figures.training.codebookUse >= results[0].figures.training.codebookUse)
            let html = ablation.report(results).html
            #expect(html.contains("with reset (paper)") && Self.images(html, cells: 2))
            var stopped = ablation
            let unfinished = try stopped.measure(.init(codes: 2, reset: .none)) { true }
            #expect(unfinished == nil)
            #expect(throws: ExperimentError.self) {
                try ResetAblation(domain, .init(tokens: 48, epochs: 2, batch: 64, learningRate: 2, seed: 1))
            }
            #expect(throws: ExperimentError.self) {
                try ResetAblation(domain, .init(tokens: 48, epochs: 2, batch: .max, learningRate: 0.01, seed: 1))
            }
        }
    }

    @Test func rectifiersShareTheirCodes() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder)
            let sweep = try RectifierSweep(
                domain, .init(tokens: [96], codes: 8, passes: 2, epochs: 3, batch: 64, learningRate: 0.01, width: 48, depth: 1, head: 8, seed: 1))
            #expect(sweep.cells.count == 9)
            let figures = try measured(sweep, sweep.cells)
            #expect(Set(figures.map(\.figures.quality.quantizedMSE)).count == 1)
            let identity = figures[0].figures
            #expect(abs(identity.quality.rectifiedMSE - identity.quality.quantizedMSE) < 1e-9 && identity.parameters == 0)
            #expect(figures.dropFirst().allSatisfy { $0.figures.parameters > 0 })
            for result in figures {
                let isTrained = [.mlp, .cnn, .vit].contains(result.cell.kind)
                #expect(result.figures.epochs.count == (isTrained ? 3 : 0))
                #expect(!isTrained || result.figures.epochs.last != result.figures.quality.rectifiedMSE, "epochs are measured on the choosing part")
                #expect(result.figures.training != result.figures.quality, "on other latents")
            }
            for result in figures {
                let gain = try #require(result.figures.gain)
                let change = try #require(result.figures.pictures).difference.psnr - identity.pictures!.difference.psnr
                #expect(abs(gain.mean - change) < 1e-9, "against the originals")
            }
            let html = sweep.report(figures).html
            #expect(Self.images(html, cells: RectifierSweep.Kind.allCases.count), "each kind once")
            #expect(html.contains("mlp, residual") && html.contains("Held-out error by epoch, 96 tokens"))
        }
    }

    /// Groupings and stages behind which the same rectifiers are tried, one of them trained by what is drawn.
    @Test func rectifiersAreTriedBehindSeveralStages() throws {
        try withScratchFolder { folder in
            let domain = try Self.domain(folder)
            let options = RectifierSweep.Options(
                tokens: [96], groupings: [.strip, .klt(side: 2)], stages: [1, 2, 5], codes: 8, distortion: .weighted, passes: 2, epochs: 1, batch: 64,
                learningRate: 0.01, width: 48, depth: 1, head: 8,
                rectifiers: .init(kinds: [.linear, .vit], forms: [.residual], losses: [.latent, .pixel]), seed: 1)
            let sweep = try RectifierSweep(domain, options)
            #expect(sweep.refusals.map { $0.prefix { $0 != ":" } } == ["96 tokens in 5 stages", "96 tokens of klt-2 in 5 stages"])
            #expect(
                sweep.cells.prefix(8).map(\.description) == [
                    "96 tokens, identity", "96 tokens, linear, residual", "96 tokens, vit, residual", "96 tokens, vit, residual, pixel loss",
                    "96 tokens in 2 stages, identity", "96 tokens in 2 stages, linear, residual", "96 tokens in 2 stages, vit, residual",
                    "96 tokens in 2 stages, vit, residual, pixel loss",
                ])
            #expect(sweep.cells.count == 16)
            let figures = try measured(sweep, Array(sweep.cells[0..<8]))
            #expect(Set(figures.prefix(4).map(\.figures.quality.quantizedMSE)).count == 1)
            #expect(figures[0].figures.quality.quantizedMSE != figures[4].figures.quality.quantizedMSE)
            #expect(figures[6].figures.quality.rectifiedMSE != figures[7].figures.quality.rectifiedMSE, "another loss, another network")
            let html = sweep.report(figures).html
            #expect(html.contains("Not possible: 96 tokens in 5 stages: 5 stages do not divide"))
            #expect(html.contains("vit, residual, pixel loss, in 2 stages") && html.contains("vit, residual, pixel loss, strips"))
            #expect(throws: ExperimentError.self) {
                var alone = options
                alone.rectifiers.losses = [.perceptual]
                return try RectifierSweep(domain, alone)
            }
        }
    }

    @Test func transferredCodesGetTheStatisticsOfTheirNewDomain() throws {
        try withScratchFolder { folder in
            let first = try Self.domain(folder)
            let options = TransferExperiment.Options(quantizer: QuantizerOptions(tokens: 96, codes: 8, sharing: .one), passes: 3, seed: 1)
            let same = try TransferExperiment(from: first, to: first, options)
            let results = try measured(same, same.cells)
            #expect(Set(results.map(\.figures.heldOut.quantizedMSE)).count == 1, "a domain transfers to itself without loss")
            let html = same.report(results).html
            #expect(html.contains("statistics refitted") && html.contains("autoencoder alone, first and second domain"))
            #expect(Self.images(html, cells: 3), "all but the first domain's own")
            let resumed = try TransferExperiment(from: first, to: first, options)
            #expect(resumed.report(results).html == html, "pictures outlive an interruption")
            let blind = try Self.domain(folder, withPictures: false)
            let without = try TransferExperiment(from: blind, to: blind, options)
            #expect(Self.images(without.report(try measured(without, [.kept])).html, cells: -2), "no originals, no grid")
        }
    }
}
