import Compute
import Files
import Foundation
import Images
import Networks
import TokenizerCore

/// A small checkpoint on the reference autoencoder, published into a folder of its own that goes away with it.
package final class TinyCheckpoint {
    package static let imageSize = 128
    package static let shape = LatentShape(channels: 4, height: 4, width: 4)
    package let root: String
    package let directory: String

    package var tokenizer: VisualTokenizer {
        get throws { try VisualTokenizer.load(from: directory) }
    }

    package var manifest: CheckpointManifest {
        get throws { try CheckpointManifest(directory: directory) }
    }

    package init(rectifier configuration: RectifierConfiguration = .none, codes: Int = 48, grouping: Grouping? = nil, stages: Int = 1) throws {
        root = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString)"
        directory = try Self.publisher(rectifier: configuration, codes: codes, grouping: grouping, stages: stages).publish(under: root)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }

    package static func publisher(
        rectifier configuration: RectifierConfiguration = .none, codes: Int = 48, grouping: Grouping? = nil, stages: Int = 1
    ) throws -> CheckpointPublisher {
        var random = RandomSource(seed: 3, stream: 1)
        let layout = try GroupQuantizer.Layout(
            tokens: 16, codes: codes, latents: shape.count, codebooks: 16, grouping: grouping, stages: stages)
        let transform = try grouping.map { try VectorTransform.random($0, layout.dimension, shape) }
        var codebooks = Tensor(uninitialized: [16, codes, layout.dimension])
        random.fill(normal: &codebooks)
        let vae = Fixture.path("dcae_sana")
        return CheckpointPublisher(
            name: "tiny", imageSize: imageSize, vaeDirectory: vae, vae: try Autoencoder(directory: vae),
            normalizer: LatentNormalizer(
                mean: Tensor(zeros: [shape.count]), deviation: Tensor(repeating: 2, shape: [shape.count]), shape: shape),
            quantizer: GroupQuantizer(layout, shape: shape, transform: transform, codebooks: codebooks),
            rectifier: Rectifier(configuration, shape: shape, .random(seed: 1)),
            metrics: .init(
                psnr: 1, vaePSNR: 2, quantizedMSE: 0.5, rectifiedMSE: 0.5, codebookUse: 1, perplexity: 48, images: 1),
            goldenImages: [picture(seed: 7)])
    }

    /// Smooth colours with some noise, different for every seed.
    package static func picture(seed: UInt64) -> RGBImage {
        var random = RandomSource(seed: seed, stream: 2)
        let waves = (0..<6).map { _ in (random.uniform(), random.uniform(), random.uniform()) }
        var pixels: [UInt8] = []
        for y in 0..<imageSize {
            for x in 0..<imageSize {
                for channel in 0..<3 {
                    let (fx, fy, phase) = waves[channel]
                    let value = 128 + 90 * sin(0.12 * (fx * Float(x) + fy * Float(y)) + 6 * phase) + 8 * random.normal()
                    pixels.append(UInt8(max(0, min(255, value))))
                }
            }
        }
        return RGBImage(width: imageSize, height: imageSize, pixels: pixels)
    }

    /// Replaces a file by what `change` makes of its bytes.
    package func edit(_ name: String, _ change: (inout [UInt8]) -> Void) throws {
        let path = "\(directory)/\(name)"
        var bytes = try StoredFile.read(path)
        change(&bytes)
        try StoredFile.write(bytes, to: path)
    }
}
