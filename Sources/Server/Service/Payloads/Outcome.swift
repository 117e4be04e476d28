import Images

/// What the engine made of one item; of a reconstruction also how far it is from its original.
struct Outcome: Sendable, Equatable {
    let output: EngineOutput
    /// In dB; infinity where nothing differs. nil where there is no original.
    let psnr: Double?
    /// nil where there is no original, or where it is smaller than the window of the measure.
    let ssim: Double?

    init(_ output: EngineOutput, of input: EngineInput) {
        self.output = output
        if case .image(let original) = input, case .image(let image) = output {
            psnr = PeakSignalToNoise.decibels(image, original).rounded(to: 1e-3)
            ssim = StructuralSimilarity.mean(image, original)?.rounded(to: 1e-4)
        } else {
            (psnr, ssim) = (nil, nil)
        }
    }

    /// What it takes in memory, near enough.
    var bytes: Int {
        switch output {
        case .tokens(let tokens): 4 * tokens.indices.count
        case .image(let image): image.pixels.count
        }
    }
}

extension Double {
    /// Infinity stays what it is.
    fileprivate func rounded(to step: Double) -> Double { (self / step).rounded() / (1 / step) }
}
