import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

/// Reference values are `Fixtures/make_quantizer_references.py`'s.
@Suite struct QuantizerDesignTests {
    private static let shape = LatentShape(channels: 2, height: 2, width: 4)

    /// Numbers that numpy can make too.
    private static func latents(images: Int, _ shape: LatentShape) -> Latents {
        func noise(_ i: Int) -> Double { Double((i * 7919 + i * i * 31) % 1009) / 1009 - 0.5 }
        var values: [Float] = []
        for n in 0..<images {
            for c in 0..<shape.channels {
                for y in 0..<shape.height {
                    for x in 0..<shape.width {
                        let i = ((n * shape.channels + c) * shape.height + y) * shape.width + x
                        values.append(Float(noise(i) + 0.8 * noise(n * 131 + 7 * y + x) * Double(c + 1) + 0.5 * Double(c)))
                    }
                }
            }
        }
        return Latents(rows: Tensor(values, shape: [images, shape.count]), shape: shape)
    }

    @Test func aKLTGivesEveryGroupTheComponentsThatNumPyDoes() throws {
        let latents = Self.latents(images: 40, Self.shape)
        let options = QuantizerOptions(tokens: 4, codes: 4, grouping: .klt(side: 2))
        let design = try #require(try QuantizerDesign(options, training: SharedLatents(latents), decoder: nil, seed: 1) { false })
        let vectors = try #require(design.transform).vectors(design.normalizer.normalize(latents))
        // Two groups of components at two places.
        var variances = [Double](repeating: 0, count: 8)
        for (i, value) in vectors.values.enumerated() { variances[i % 16 / 8 * 4 + i % 4] += Double(value) * Double(value) / 80 }
        let expected = [
            1.920658398657, 1.097667341187, 0.602915363219, 0.369131973539, 1.587529681259, 1.566509350569, 0.51916868577, 0.336419205799,
        ]
        #expect(zip(variances, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func sharedCodebooksScaleTheirGroups() throws {
        var latents = Self.latents(images: 40, Self.shape)
        // The second channel ten times as large: its statistics say so, and normalised it is like the first.
        latents.map.withMutablePointer { x in for i in 0..<40 * 16 where i % 2 == 1 { x[i] *= 10 } }
        var options = QuantizerOptions(tokens: 4, codes: 4, sharing: .one)
        let strips = try #require(try QuantizerDesign(options, training: SharedLatents(latents), decoder: nil, seed: 1) { false })
        #expect(strips.transform == nil && strips.layout.grouping == nil)
        #expect(Set(strips.normalizer.deviation.values).count == 2, "statistics of channels hold at any image size")
        options.grouping = .klt(side: 1)
        options.tokens = 16
        let design = try #require(try QuantizerDesign(options, training: SharedLatents(latents), decoder: nil, seed: 1) { false })
        let transform = try #require(design.transform)
        let vectors = transform.vectors(design.normalizer.normalize(latents)).values
        for position in 0..<2 {
            let own = vectors.indices.filter { $0 % 16 / 8 == position }
            let square = own.reduce(0.0) { $0 + Double(vectors[$1]) * Double(vectors[$1]) } / Double(own.count)
            #expect(abs(square - 1) < 1e-4, "each group's vectors have deviation 1")
        }
        #expect(transform.importance[0] > transform.importance[1])
    }

    @Test func aSensitivityIsMeasuredOnce() throws {
        let vae = Autoencoder(try TinyTraining.architecture(), .random(seed: 3))
        let shape = LatentShape(channels: 48, height: 1, width: 1)
        let latents = Self.latents(images: 2, shape)
        let probe = DecoderProbe(vae.decoder, at: latents)
        let (first, box) = (LatentNormalizer(fitting: latents), LatentBox(allChannelsOf: shape, side: 1))
        let unit = LatentNormalizer(mean: Tensor(zeros: [48]), deviation: Tensor(repeating: 1, shape: [48]), shape: shape)
        func ask(_ normalizer: LatentNormalizer, seed: UInt64) throws -> (gram: SymmetricMatrix, questions: Int) {
            var questions = 0
            let gram = probe.gram(normalizer, box, seed: seed) {
                questions += 1
                return false
            }
            return (try #require(gram), questions)
        }
        let measured = try ask(first, seed: 1)
        let again = try ask(first, seed: 1)
        #expect(measured.questions > 0 && again.questions == 0 && again.gram == measured.gram)
        for other in [try ask(unit, seed: 1), try ask(first, seed: 2)] { #expect(other.questions > 0 && other.gram != measured.gram) }
    }

    /// One box of one place, so that signs cancel and finite differences say what must come out.
    @Test func sensitivityIsTheGramMatrixOfTheDecodersChanges() throws {
        let vae = Autoencoder(try TinyTraining.architecture(), .random(seed: 3))
        let shape = LatentShape(channels: 48, height: 1, width: 1)
        let latents = Self.latents(images: 2, shape)
        let normalizer = LatentNormalizer(
            mean: Tensor(zeros: [48]), deviation: Tensor((0..<48).map { 1 + Float($0) / 48 }, shape: [48]), shape: shape)
        let gram = try #require(
            DecoderSensitivity(of: vae.decoder, at: latents, normalizer, LatentBox(allChannelsOf: shape, side: 1), seed: 1) { false }
        ).gram
        let changes = (0..<2).map { image in
            let z = latents.images(image..<image + 1).map.values
            return (0..<48).map { channel in
                var (up, down) = (z, z)
                up[channel] += 0.05 * normalizer.deviation.values[channel]
                down[channel] -= 0.05 * normalizer.deviation.values[channel]
                let pictures = [up, down].map { vae.decoder(Tensor($0, shape: [1, 1, 1, 48])).values }
                return zip(pictures[0], pictures[1]).map { Double($0 - $1) / 0.1 }
            }
        }
        for i in 0..<48 {
            for j in 0..<48 {
                let expected = changes.reduce(0) { sum, change in sum + zip(change[i], change[j]).reduce(0) { $0 + $1.0 * $1.1 } } / 2
                let scale = (gram[i, i] * gram[j, j]).squareRoot()
                #expect(abs(gram[i, j] - expected) < 0.1 * scale, "\(i), \(j)")
            }
        }
    }

    /// What the weighted distortion is for: better pictures at the same bits.
    @Test(arguments: [Grouping.spatial, .klt(side: 1)])
    func weightedCodesDrawBetterPictures(_ grouping: Grouping) throws {
        var vae = Autoencoder(try TinyTraining.architecture(), .random(seed: 3))
        // A decoder that feels some channels much more than others.
        vae.visit(.root) { path, _, tensor in
            guard path.description == "decoder.conv_in.weight" else { return }
            tensor.withMutablePointer { w in for i in 0..<48 * 48 * 9 { w[i] *= i / 9 % 48 % 8 == 0 ? 4 : 0.5 } }
        }
        let shape = LatentShape(channels: 48, height: 4, width: 4)
        let latents = Self.latents(images: 60, shape)
        let (training, heldOut) = (latents.images(0..<52), latents.images(52..<60))
        let errors = try QuantizerOptions.Distortion.allCases.map { distortion in
            let options = QuantizerOptions(tokens: 192, codes: 64, grouping: grouping, distortion: distortion, sharing: .channel)
            let fit = try #require(
                try LloydFit(options, training: training, heldOut: heldOut, decoder: DecoderProbe(vae.decoder, at: training), passes: 8, seed: 1) {
                    false
                })
            let z = fit.design.normalizer.normalize(heldOut)
            return PictureQuality(DrawnPictures(of: z, fit.design.normalizer, fit.quantizer, .none, vae.decoder)).quantizedMSE
        }
        #expect(errors[1] < errors[0], "\(errors)")
    }

    @Test func boundsOrderAsTheoryDoes() throws {
        let latents = Self.latents(images: 40, Self.shape)
        let options = QuantizerOptions(tokens: 4, codes: 16, grouping: .klt(side: 2))
        let design = try #require(try QuantizerDesign(options, training: SharedLatents(latents), decoder: nil, seed: 1) { false })
        let bounds = try #require(QuantizerBounds(design, latents: design.normalizer.normalize(latents)))
        #expect(abs(bounds.shannon - 0.25) < 1e-5 && bounds.boxSide == 2)
        #expect(bounds.zador > bounds.shannon && bounds.groupedZador < bounds.zador && bounds.waterFilling < bounds.groupedZador)
    }

    /// One image, fewer boxes than elements need, and channels that say the same.
    @Test func tooFewImagesHaveNoBounds() throws {
        var equal = Self.latents(images: 40, Self.shape)
        equal.map.withMutablePointer { x in for i in 0..<40 * 16 where i % 2 == 1 { x[i] = x[i - 1] } }
        for (latents, sharing) in [(Self.latents(images: 1, Self.shape), .untied), (Self.latents(images: 3, Self.shape), .one), (equal, .one)]
            as [(Latents, QuantizerOptions.Sharing)]
        {
            let options = QuantizerOptions(tokens: 4, codes: 1, grouping: sharing == .untied ? .strip : .klt(side: 2), sharing: sharing)
            let design = try #require(try QuantizerDesign(options, training: SharedLatents(latents), decoder: nil, seed: 1) { false })
            #expect(QuantizerBounds(design, latents: design.normalizer.normalize(latents)) == nil)
        }
    }

    @Test func refusesWhatCannotBeFitted() throws {
        let shape = LatentShape(channels: 8, height: 16, width: 16)
        func reason(_ options: QuantizerOptions, images: Int = 100, hasAutoencoder: Bool = true) -> String? {
            do throws(GroupQuantizer.LayoutError) {
                try options.check(shape, images: images, hasAutoencoder: hasAutoencoder)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(reason(.init(tokens: 512, codes: 100)) == nil)
        #expect(
            reason(.init(tokens: 512, codes: 101))
                == "100 training images give each codebook 100 vectors, fewer than its 101 codes: use more images, fewer codes, or codebooks that tokens share"
        )
        #expect(reason(.init(tokens: 512, codes: 16_384, sharing: .one)) == nil)
        #expect(reason(.init(tokens: 511, codes: 4)) == "511 tokens do not divide 2048 latent values")
        let shapes = "8×16×16 latents cannot be cut into"
        #expect(reason(.init(tokens: 512, codes: 4, grouping: .block(height: 2, width: 4))) == "\(shapes) block-2x4 groups of 4; block-2x2 would fit")
        #expect(reason(.init(tokens: 1, codes: 4, grouping: .block(height: 2, width: 4))) == "\(shapes) block-2x4 groups of 2048")
        #expect(reason(.init(tokens: 512, codes: 4, distortion: .weighted), hasAutoencoder: false)?.contains("--vae") == true)
    }
}
