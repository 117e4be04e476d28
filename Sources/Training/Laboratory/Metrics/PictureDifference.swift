import Fitting
import Images

/// How far a drawn picture is from its original.
package struct PictureDifference: Codable, Equatable, Sendable {
    /// PSNR in dB over the bytes of red, green and blue.
    package let psnr: Double
    /// PSNR in dB of the brightness.
    package let lumaPSNR: Double
    /// PSNR in dB of red alone: what the code published with ReVQ computes, and so the paper's figures.
    package let redPSNR: Double
    /// See ``StructuralSimilarity``; nil for pictures smaller than its window.
    package let ssim: Double?
    /// See ``PerceptualNetwork``.
    package let lpips: Double?

    static let perfectPSNR = PictureFidelity.perfectPSNR

    /// - Precondition: equal sizes.
    init(_ drawn: RGBImage, _ original: RGBImage, lpips network: PerceptualNetwork?) {
        let (a, b) = (drawn.luma, original.luma)
        let lumaError = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(a.count)
        psnr = min(Self.perfectPSNR, PeakSignalToNoise.decibels(drawn, original))
        lumaPSNR = min(Self.perfectPSNR, PeakSignalToNoise.decibels(meanSquaredError: lumaError))
        redPSNR = min(Self.perfectPSNR, PeakSignalToNoise.decibels(meanSquaredError: Self.redError(drawn, original)))
        ssim = StructuralSimilarity.mean(drawn, original)
        lpips = network?.distance(drawn, original)
    }

    private init(psnr: Double, lumaPSNR: Double, redPSNR: Double, ssim: Double?, lpips: Double?) {
        (self.psnr, self.lumaPSNR, self.redPSNR, self.ssim, self.lpips) = (psnr, lumaPSNR, redPSNR, ssim, lpips)
    }

    /// The mean of each figure over pictures.
    /// - Precondition: there is one.
    static func mean(_ differences: [PictureDifference]) -> PictureDifference {
        precondition(!differences.isEmpty, "no pictures have no mean")
        func mean(_ value: (PictureDifference) -> Double) -> Double { differences.reduce(0) { $0 + value($1) } / Double(differences.count) }
        func mean(_ value: (PictureDifference) -> Double?) -> Double? {
            let values = differences.compactMap(value)
            return values.count == differences.count ? values.reduce(0, +) / Double(values.count) : nil
        }
        return PictureDifference(psnr: mean(\.psnr), lumaPSNR: mean(\.lumaPSNR), redPSNR: mean(\.redPSNR), ssim: mean(\.ssim), lpips: mean(\.lpips))
    }

    private static func redError(_ a: RGBImage, _ b: RGBImage) -> Double {
        var sum = 0
        for i in stride(from: 0, to: a.pixels.count, by: 3) {
            let difference = Int(a.pixels[i]) - Int(b.pixels[i])
            sum += difference * difference
        }
        return Double(sum) / Double(a.width * a.height)
    }
}
