import Files
import Images

extension VisualTokenizer {
    /// Checks that each golden image still has its tokens and is still drawn as well as when the checkpoint was made.
    func reproduce(_ golden: [GoldenImage], in directory: String) throws(CheckpointError) {
        guard !golden.isEmpty else { throw CheckpointError(directory, "it has no golden images to check it with") }
        for image in golden {
            guard manifest.files[image.file] != nil else {
                throw CheckpointError(directory, "golden image \(image.file.prefix(80)) is not among the manifest's files")
            }
            let picture: RGBImage
            do throws(FileError) {
                picture = try Self.picture("\(directory)/\(image.file)")
            } catch {
                throw CheckpointError(directory, error.reason)
            }
            guard picture.width == manifest.imageSize && picture.height == manifest.imageSize else {
                throw CheckpointError(directory, "golden image \(image.file) is \(picture.width)×\(picture.height), not \(manifest.imageSize)")
            }
            try check(image, PixelBatch(images: [picture]), picture, directory)
        }
    }

    private func check(_ golden: GoldenImage, _ pixels: PixelBatch, _ picture: RGBImage, _ directory: String) throws(CheckpointError) {
        let tolerance = GoldenTolerance(precision)
        let runs = runs(pixels)
        let tokens = tokens(ofRuns: runs)
        guard golden.tokens.count == tokens.indices.count, golden.tokens.allSatisfy({ (0..<Int32(manifest.codebookSize)).contains($0) })
        else {
            throw CheckpointError(directory, "the tokens listed for \(golden.file) are not \(tokens.indices.count) of \(manifest.codebookSize) codes")
        }
        let differing = tokens.indices.indices.filter { tokens.indices[$0] != golden.tokens[$0] }
        let wrong = differing.first { token in
            let nearest = distance(runs, token: token, code: tokens.indices[token])
            return distance(runs, token: token, code: golden.tokens[token]) > nearest * (1 + tolerance.tie)
        }
        guard wrong == nil, Double(differing.count) <= tolerance.differingShare * Double(tokens.indices.count) else {
            throw CheckpointError(directory, "it does not reproduce the tokens of \(golden.file): \(differing.count) of \(tokens.indices.count) differ")
        }
        let psnr = PeakSignalToNoise.decibels(decode(tokens).images()[0], picture)
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
