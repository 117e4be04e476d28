import Compute
import Files
import Images
import Networks

/// A tokenizer out of a checkpoint, which must do what it did when the checkpoint was made.
extension VisualTokenizer {
    /// Takes what a checkpoint holds and reproduces its golden images, which also warms everything up.
    ///
    /// - Throws: when it does not reproduce them, or an image takes more memory than there is.
    public convenience init(_ checkpoint: Checkpoint) throws(CheckpointError) {
        try self.init(checkpoint, within: .machine) { true }
    }

    /// Takes what a checkpoint holds and reproduces its golden images, which also warms everything up.
    ///
    /// - Parameters:
    ///   - memory: an image that would take more is refused here; batches are computed in parts that do not.
    ///   - goesOn: asked before every golden image; once it says no, loading ends with an error.
    package convenience init(
        _ checkpoint: Checkpoint, within memory: MemoryLimit = .machine, while goesOn: () -> Bool
    ) throws(CheckpointError) {
        do throws(MemoryShortage) {
            try self.init(
                checkpoint.manifest.specification, vae: checkpoint.vae, normalizer: checkpoint.normalizer, quantizer: checkpoint.quantizer,
                rectifier: checkpoint.rectifier, precision: checkpoint.precision, within: memory)
        } catch {
            throw CheckpointError(checkpoint.directory, "\(error)")
        }
        try reproduce(checkpoint.golden, of: checkpoint, while: goesOn)
    }

    /// Loads the checkpoint in `directory`, see ``Checkpoint`` for what is checked.
    /// - Precondition: `precision` has no ``Precision/obstacle``.
    package static func load(
        from directory: String, precision: Precision = .float32, within memory: MemoryLimit = .machine
    ) throws(CheckpointError) -> VisualTokenizer {
        try VisualTokenizer(Checkpoint(directory, precision: precision), within: memory) { true }
    }

    /// Checks that each golden image still has its tokens and is still drawn as well as when the checkpoint was made.
    func reproduce(_ golden: [GoldenImage], of checkpoint: Checkpoint, while goesOn: () -> Bool = { true }) throws(CheckpointError) {
        let (directory, size) = (checkpoint.directory, specification.imageSize)
        guard !golden.isEmpty else { throw CheckpointError(directory, "it has no golden images to check it with") }
        for image in golden {
            guard goesOn() else { throw CheckpointError(directory, "its golden images were not all drawn, because loading was stopped") }
            guard checkpoint.manifest.files[image.file] != nil else {
                throw CheckpointError(directory, "golden image \(image.file.prefix(80)) is not among the manifest's files")
            }
            let picture: RGBImage
            do throws(FileError) {
                picture = try Self.picture("\(directory)/\(image.file)")
            } catch {
                throw CheckpointError(directory, error.reason)
            }
            guard picture.width == size && picture.height == size else {
                throw CheckpointError(directory, "golden image \(image.file) is \(picture.width)×\(picture.height), not \(size)")
            }
            try check(image, PixelBatch(images: [picture]), picture, directory)
        }
    }

    private func check(_ golden: GoldenImage, _ pixels: PixelBatch, _ picture: RGBImage, _ directory: String) throws(CheckpointError) {
        let (tolerance, count) = (GoldenTolerance(precision), specification.tokensPerImage)
        let vectors = vectors(pixels)
        guard golden.tokens.count == count, golden.tokens.allSatisfy({ (0..<Int32(specification.codebookSize)).contains($0) }) else {
            throw CheckpointError(directory, "the tokens listed for \(golden.file) are not \(count) of \(specification.codebookSize) codes")
        }
        // Behind a near tie the later stages have something else to quantise: each is held against what the listed tokens leave it.
        let left = quantizer.remainders(of: vectors, along: Tokens(ofOneImage: golden.tokens))
        let nearest = quantizer.tokens(ofRemainders: left).indices
        let differing = nearest.indices.filter { nearest[$0] != golden.tokens[$0] }
        let wrong = differing.first { token in
            let least = distance(left, token: token, code: nearest[token])
            return distance(left, token: token, code: golden.tokens[token]) > least * (1 + tolerance.tie)
        }
        guard wrong == nil, Double(differing.count) <= tolerance.differingShare * Double(count) else {
            throw CheckpointError(
                directory, "it does not reproduce the tokens of \(golden.file): \(differing.count) of \(count) differ")
        }
        let psnr = PeakSignalToNoise.decibels(draw(tokens(ofVectors: vectors)).images()[0], picture)
        guard psnr >= golden.psnrFloor - tolerance.decibels else {
            throw CheckpointError(directory, "it draws \(golden.file) at \(psnr) dB, \(golden.psnrFloor) dB were promised")
        }
    }

    private static func picture(_ path: String) throws(FileError) -> RGBImage {
        let bytes = try StoredFile.read(path, maximumBytes: 64 << 20)
        do throws(ImageError) {
            return try ImageDecoder.decode(bytes, limits: ImageLimits())
        } catch {
            throw FileError(path, "\(error)")
        }
    }
}
