import Compute
import Files
import Networks
import TokenizerCore

/// What `revq-train fit` makes: normaliser, quantiser and rectifier, in a folder.
package struct FittedQuantizer: Sendable {
    /// `fit.json`.
    package struct Description: Codable {
        var formatVersion = 1
        let layout: GroupQuantizer.Layout
        let rectifier: RectifierConfiguration
        package let latentShape: LatentShape
        package let imageSize: Int
        let vaeWeights: FileDigest
        /// These are nil for what was fitted elsewhere, and pictures also where no autoencoder was at hand. All are measured on the reporting
        /// part of the split.
        var quality: LatentQuality?
        /// The errors of ``quality``, with their intervals; nil also in what earlier versions fitted.
        var errors: LatentErrors?
        /// Nil also where no gradient steps were taken.
        var epochs: Epochs?
        /// Nil also where there were too few images for them.
        var bounds: QuantizerBounds?
        var pictures: PictureQuality?
        /// Against the pictures themselves; nil also where the store of latents had none.
        var originals: PictureFidelity?

        /// What is impossible about the numbers, if anything.
        var problem: String? {
            guard latentShape.isPossible, (1...8192).contains(imageSize), imageSize % latentShape.height == 0 else {
                return "latents of \([latentShape.channels, latentShape.height, latentShape.width]) for images of \(imageSize) pixels are impossible"
            }
            if let problem = layout.problem(for: latentShape) { return problem }
            do throws(RectifierConfiguration.ConfigurationError) {
                try rectifier.validate(for: latentShape)
                return nil
            } catch {
                return error.description
            }
        }

        func resized(_ layout: GroupQuantizer.Layout, _ shape: LatentShape, imageSize: Int) -> Description {
            Description(
                layout: layout, rectifier: rectifier, latentShape: shape, imageSize: imageSize, vaeWeights: vaeWeights, quality: quality,
                errors: errors, epochs: epochs, bounds: bounds, pictures: pictures, originals: originals)
        }

        func drawn(by vaeWeights: FileDigest) -> Description {
            Description(
                layout: layout, rectifier: rectifier, latentShape: latentShape, imageSize: imageSize, vaeWeights: vaeWeights, quality: quality,
                errors: errors, epochs: epochs, bounds: bounds)
        }
    }

    /// Where a result of gradient steps comes from.
    struct Epochs: Codable, Equatable {
        /// The step that ended the epoch that did best on the choosing part: the result's.
        let bestStep: Int
        /// What it ended with there; nil in what earlier versions fitted.
        var best: LatentQuality?
        /// What the last epoch ended with there.
        let last: LatentQuality
    }

    private static let descriptionName = "fit.json"
    private static let quantizerName = "quantizer.safetensors"
    private static let rectifierName = "rectifier.safetensors"

    package let description: Description
    package let normalizer: LatentNormalizer
    package let quantizer: GroupQuantizer
    package let rectifier: Rectifier
    /// What it was made with; nil where that is not known.
    package let pictures: PictureParts?

    init(
        _ description: Description, _ normalizer: LatentNormalizer, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, pictures: PictureParts?
    ) {
        (self.description, self.normalizer, self.quantizer, self.rectifier) = (description, normalizer, quantizer, rectifier)
        self.pictures = pictures
    }

    /// Reads what ``publish(to:)`` wrote.
    package init(_ directory: String) throws(FileError) {
        let path = "\(directory)/\(Self.descriptionName)"
        description = try JSONFile.read(Description.self, from: path)
        if let problem = description.problem { throw FileError(path: path, reason: "\(path) is damaged: \(problem)") }
        let file = try SafetensorsFile("\(directory)/\(Self.quantizerName)")
        var normalizer = LatentNormalizer(placeholder: description.latentShape)
        try normalizer.load(from: file, prefix: "normalizer")
        let quantizer = try GroupQuantizer(description.layout, shape: description.latentShape, from: file, prefix: "quantizer")
        var rectifier = Rectifier(description.rectifier, shape: description.latentShape, .placeholder)
        if description.rectifier.network != .identity {
            try rectifier.load(from: SafetensorsFile("\(directory)/\(Self.rectifierName)"))
        }
        (self.normalizer, self.quantizer, self.rectifier) = (normalizer, quantizer, rectifier)
        pictures = try PictureParts.read(from: directory)
    }

    /// Identifies what ``init(_:)`` would read.
    static func digest(of directory: String) throws(FileError) -> FileDigest {
        let files = try StoredFolder.names(in: directory).sorted()
        return FileDigest(
            contents: Array(try files.map { name throws(FileError) in try FileDigest(of: "\(directory)/\(name)").sha256 }.joined().utf8))
    }

    /// Writes everything to a new folder that appears whole.
    func publish(to directory: String) throws(FileError) {
        let staged = try StagedFolder(for: directory)
        var tensors: [(name: String, tensor: Tensor)] = []
        for (prefix, part) in [("normalizer", normalizer as any Parameterized), ("quantizer", quantizer)] {
            tensors += part.tensors.map { ("\(prefix).\($0.path)", $0.tensor) }
        }
        try SafetensorsWriter.write(tensors, to: "\(staged.path)/\(Self.quantizerName)")
        if description.rectifier.network != .identity { try rectifier.save(to: "\(staged.path)/\(Self.rectifierName)") }
        try StoredFile.write(JSONFile.bytes(description), to: "\(staged.path)/\(Self.descriptionName)")
        try pictures?.write(to: staged.path)
        try staged.publish()
    }

    /// - Throws: when another autoencoder's latents were fitted than that of the folder `vae`.
    package func check(belongsTo vae: String, named name: String) throws(FileError) {
        guard try FileDigest(of: Autoencoder.weightsPath(in: vae)) == description.vaeWeights else {
            throw FileError(path: vae, reason: "\(name) was fitted to the latents of another autoencoder than \(vae)")
        }
    }

    /// The same for an autoencoder that differs only in its decoder: its latents are those that were fitted.
    func drawn(by vae: String) throws(FileError) -> FittedQuantizer {
        FittedQuantizer(
            description.drawn(by: try FileDigest(of: "\(vae)/\(Autoencoder.weightsName)")), normalizer, quantizer, rectifier, pictures: pictures)
    }

    /// The same with other codes, `[codebooks, N, d]`, whose errors nobody has measured.
    func with(codebooks: Tensor) -> FittedQuantizer {
        var quantizer = quantizer
        quantizer.codebooks = codebooks
        let unmeasured = Description(
            layout: description.layout, rectifier: description.rectifier, latentShape: description.latentShape, imageSize: description.imageSize,
            vaeWeights: description.vaeWeights)
        return FittedQuantizer(unmeasured, normalizer, quantizer, rectifier, pictures: pictures)
    }

    /// The same for images of another size: as many more or fewer tokens from the same codes.
    /// - Throws: when its codes, statistics or rectifier belong to one size.
    package func resized(toImageSize size: Int) throws(FileError) -> FittedQuantizer {
        func refusal(_ reason: String) -> FileError {
            FileError(path: "\(size)", reason: "cannot make it a tokenizer of \(size)-pixel images: \(reason)")
        }
        let shape = description.latentShape
        let factor = description.imageSize / shape.height
        guard (1...8192).contains(size), size % factor == 0 else { throw refusal("the autoencoder takes multiples of \(factor) pixels up to 8192") }
        let other = LatentShape(channels: shape.channels, height: size / factor, width: size / factor)
        let (normalizer, quantizer): (LatentNormalizer, GroupQuantizer)
        do throws(GroupQuantizer.LayoutError) {
            (normalizer, quantizer) = try self.quantizer.resized(to: other, with: self.normalizer, behind: description.rectifier)
        } catch {
            throw refusal(error.description)
        }
        return FittedQuantizer(description.resized(quantizer.layout, other, imageSize: size), normalizer, quantizer, rectifier, pictures: pictures)
    }
}
