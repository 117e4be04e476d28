import Compute
import Files
import Networks
import TokenizerCore

/// `revq-train import revq`: the files that the authors of ReVQ publish, as what ``QuantizerRun`` would have fitted.
///
/// `preprocessor.pth` has `mean` and `std` of every latent number; `ckpt.pth` has the dictionaries `quantizer` (`embeddings`, `[T, N, d]`)
/// and `decoder`, which is the rectifier. The latents are cut into T consecutive vectors.
///
/// Source: ReVQ (arXiv 2507.10547), its published code and `ckpt/preprocessor.pth` there.
package struct PublishedQuantizer {
    private let fitted: FittedQuantizer

    /// - Parameter vae: the autoencoder whose latents were quantised: a folder of the diffusers layout.
    /// - Throws: when a file is none of the kind, or they do not belong together.
    package init(checkpoint: String, preprocessor: String, vae: String) throws(FileError) {
        let configuration = try AutoencoderConfiguration(contentsOf: "\(vae)/\(Autoencoder.configurationName)")
        let (mean, deviation) = try Self.statistics(PyTorchFile(preprocessor).tensors())
        let shape = try Self.latentShape(mean.count, configuration.latentChannels, preprocessor, vae)
        let file = try PyTorchFile(checkpoint)
        let quantizer = try Self.quantizer(file.tensors(under: "quantizer"), shape)
        let rectifier = try Self.rectifier(file.tensors(under: "decoder"), shape)
        let description = FittedQuantizer.Description(
            layout: quantizer.layout, rectifier: rectifier.configuration, latentShape: shape,
            imageSize: shape.height * configuration.factor, vaeWeights: try FileDigest(of: Autoencoder.weightsPath(in: vae)), quality: nil)
        fitted = FittedQuantizer(description, LatentNormalizer(mean: mean, deviation: deviation, shape: shape), quantizer, rectifier, pictures: nil)
    }

    /// Writes a new folder that appears whole; `revq-train publish --fit` takes it.
    package func publish(to directory: String) throws(FileError) { try fitted.publish(to: directory) }

    /// One line for a person.
    package var summary: String {
        let (layout, shape) = (fitted.quantizer.layout, fitted.description.latentShape)
        return
            "\(layout.tokens) tokens of \(layout.codes) codes, latents of \(shape.channels)×\(shape.height)×\(shape.width), "
            + "images of \(fitted.description.imageSize) pixels, rectifier \(fitted.rectifier.configuration.network)"
    }

    private static func statistics(_ tensors: PyTorchTensors) throws(FileError) -> (mean: Tensor, deviation: Tensor) {
        let mean = try tensors.tensor("mean")
        let deviation = try tensors.tensor("std", shape: mean.shape)
        guard mean.shape.count == 1, mean.isFinite, deviation.withPointer({ values in (0..<deviation.count).allSatisfy { values[$0] > 0 } }) else {
            throw FileError(path: tensors.path, reason: "\(tensors.path) does not hold a mean and a positive deviation for every latent number")
        }
        return (mean, deviation)
    }

    /// The latents are square, as the images are.
    private static func latentShape(_ count: Int, _ channels: Int, _ preprocessor: String, _ vae: String) throws(FileError) -> LatentShape {
        let side = Int(Double(count / channels).squareRoot())
        guard side >= 1, channels * side * side == count else {
            throw FileError(
                path: preprocessor,
                reason: "\(preprocessor) is for \(count) latent numbers; \(vae) has \(channels) channels, which makes no square of them")
        }
        return LatentShape(channels: channels, height: side, width: side)
    }

    private static func quantizer(_ tensors: PyTorchTensors, _ shape: LatentShape) throws(FileError) -> GroupQuantizer {
        let latents = shape.count
        let codebooks = try tensors.tensor("embeddings")
        let extents = codebooks.shape
        // With fewer codebooks than tokens theirs alternate from token to token, which none here do; one for all is the same.
        guard extents.count == 3, extents.allSatisfy({ $0 >= 1 }), latents % extents[2] == 0, [1, latents / extents[2]].contains(extents[0]) else {
            throw FileError(
                path: tensors.path,
                reason: "\(tensors.path) has codebooks of shape \(extents); for \(latents) latent numbers [T, N, \(latents)/T] or [1, N, d] is read")
        }
        guard codebooks.isFinite else { throw FileError(path: tensors.path, reason: "\(tensors.path) has codes that are NaN or infinite") }
        do {
            let layout = try GroupQuantizer.Layout(tokens: latents / extents[2], codes: extents[1], latents: latents, codebooks: extents[0])
            return GroupQuantizer(layout, shape: shape, codebooks: codebooks)
        } catch {
            throw FileError(path: tensors.path, reason: "\(tensors.path): \(error)")
        }
    }

    private static func rectifier(_ tensors: PyTorchTensors, _ shape: LatentShape) throws(FileError) -> Rectifier {
        let configuration = RectifierConfiguration(try network(tensors), isResidual: false)
        do {
            try configuration.validate(for: shape)
        } catch {
            throw FileError(path: tensors.path, reason: "\(tensors.path): \(error)")
        }
        var rectifier = Rectifier(configuration, shape: shape, .placeholder)
        if configuration.network != .identity { try rectifier.load(from: tensors) }
        return rectifier
    }

    /// The network that has tensors of these names and shapes.
    private static func network(_ tensors: PyTorchTensors) throws(FileError) -> RectifierConfiguration.Network {
        if tensors.names.isEmpty { return .identity }
        guard let input = tensors.shape(of: "conv_in.weight"), input.count == 4 else {
            throw FileError(
                path: tensors.path, reason: "\(tensors.path): its rectifier is not the EfficientViT one, it has no conv_in.weight of four extents")
        }
        func block(_ number: Int) -> String { "up_blocks.0.\(number)." }
        // One more than any rectifier has is enough to refuse a file that claims thousands.
        let mostBlocks = RectifierConfiguration.Network.largestDepth + 1
        let depth = (0..<mostBlocks).first { number in !tensors.names.contains { $0.hasPrefix(block(number)) } } ?? mostBlocks
        var (scales, headDimension) = ([Int](), 32)
        while scales.count <= RectifierConfiguration.Network.mostScales,
            let kernel = tensors.shape(of: "\(block(0))attn.to_qkv_multiscale.\(scales.count).proj_in.weight"), kernel.count == 4
        {
            scales.append(kernel[3])
            // A grouped 1×1 convolution sees just the channels of one head.
            if let projection = tensors.shape(of: "\(block(0))attn.to_qkv_multiscale.0.proj_out.weight"), projection.count == 4 {
                headDimension = projection[1]
            }
        }
        return .vit(width: input[0], depth: depth, headDimension: headDimension, scales: scales)
    }
}
