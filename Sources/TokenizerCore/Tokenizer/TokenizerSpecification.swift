import Networks

/// What a tokenizer is apart from its weights: all that ``VisualTokenizer`` needs to know of it.
package struct TokenizerSpecification: Sendable, Equatable, Codable {
    /// How images become squares; part of what a token means.
    package enum Preprocessing: String, Sendable, Codable {
        /// Shorter side to the image size with Pillow's antialiased bilinear filter, centre crop, p / 127.5 − 1.
        case centreCrop = "shorter-side-bilinear-antialias-centre-crop-v1"
    }

    /// Side of the square images, in pixels.
    package let imageSize: Int
    package let latentShape: LatentShape
    package let quantizer: GroupQuantizer.Layout
    package let rectifier: RectifierConfiguration
    package let preprocessing: Preprocessing

    package init(imageSize: Int, _ quantizer: GroupQuantizer, _ rectifier: Rectifier) {
        (self.imageSize, latentShape) = (imageSize, quantizer.shape)
        (self.quantizer, self.rectifier) = (quantizer.layout, rectifier.configuration)
        preprocessing = .centreCrop
    }

    package var tokensPerImage: Int { quantizer.tokens }
    package var codebookSize: Int { quantizer.codes }

    /// What is impossible about the numbers, if anything.
    var problem: String? {
        if !(8...8192).contains(imageSize) { return "an image size of \(imageSize) is not in 8…8192" }
        if !latentShape.isPossible { return "latents of \([latentShape.channels, latentShape.height, latentShape.width]) are impossible" }
        if let problem = quantizer.problem(for: latentShape) { return problem }
        do {
            try rectifier.validate(for: latentShape)
        } catch {
            return "\(error)"
        }
        return nil
    }

    /// Its share of a fingerprint: one spelling for each specification.
    var canonicalNames: [String] {
        [
            "\(imageSize)", "\(latentShape.channels)×\(latentShape.height)×\(latentShape.width)", quantizer.canonicalName,
            rectifier.canonicalName, preprocessing.rawValue,
        ]
    }
}
