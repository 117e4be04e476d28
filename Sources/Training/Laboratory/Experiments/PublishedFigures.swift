/// What the paper reports, for comparison. ImageNet's validation pictures at 256×256, DC-AE f32c32.
///
/// Source: "Quantize-then-Rectify: Efficient VQ-VAE Training" (ReVQ, arXiv 2507.10547).
enum PublishedFigures {
    /// One line of the paper's main table.
    struct Setting: Sendable {
        let name: String
        let ssim, psnr, lpips, rFID: Double
    }

    static let settings = [
        Setting(name: "ReVQ 512T, 16,384 codes (paper)", ssim: 0.690, psnr: 23.70, lpips: 0.092, rFID: 1.06),
        Setting(name: "ReVQ 256T-B, 65,536 codes (paper)", ssim: 0.620, psnr: 21.69, lpips: 0.129, rFID: 2.57),
        Setting(name: "ReVQ 256T-L, 262,144 codes (paper)", ssim: 0.640, psnr: 21.96, lpips: 0.121, rFID: 2.05),
    ]

    /// Errors of the normalised latents behind quantiser and rectifier, and the rFID of their pictures.
    static let tolerance: [(mse: Double, rFID: Double)] = [(0.012, 1.06), (0.064, 2.57), (0.076, 4.58), (0.62, 189)]
    /// A variance of 0.3 in raw units, divided by the mean variance 4.85 of that autoencoder's latents.
    static let toleratedNormalisedMSE = 0.062

    /// The reset ablation: a tenth of ImageNet's training images, 512 codebooks.
    struct Reset: Sendable {
        let codes: Double
        let loss, lossWithReset, use, useWithReset: Double
        /// Training images for each code of a codebook.
        var imagesPerCode: Double { 128_117 / codes }
    }

    static let resets = [
        Reset(codes: 2048, loss: 0.160, lossWithReset: 0.159, use: 0.987, useWithReset: 1),
        Reset(codes: 4096, loss: 0.131, lossWithReset: 0.129, use: 0.973, useWithReset: 1),
        Reset(codes: 8192, loss: 0.105, lossWithReset: 0.102, use: 0.946, useWithReset: 1),
        Reset(codes: 16_384, loss: 0.082, lossWithReset: 0.076, use: 0.898, useWithReset: 1),
        Reset(codes: 32_768, loss: 0.062, lossWithReset: 0.053, use: 0.805, useWithReset: 0.999),
        Reset(codes: 65_536, loss: 0.045, lossWithReset: 0.034, use: 0.653, useWithReset: 0.979),
    ]

    /// Mean squared error of the normalised latents with a rectifier, by its kind.
    static let rectifiers: [(tokens: Int, kind: String, mse: Double, rFID: Double)] = [
        (512, "vit", 0.012, 1.06), (512, "cnn", 0.012, 1.08), (512, "mlp", 0.013, 1.09),
        (256, "vit", 0.064, 2.57), (256, "cnn", 0.068, 3.00), (256, "mlp", 0.076, 4.58),
    ]

    /// Mean squared error of the normalised latents by tokens per image; the codebooks' size is not stated.
    static let tokens: [(tokens: Double, mse: Double, rectified: Double)] = [
        (2048, 0.011, 0.011), (1024, 0.030, 0.027), (512, 0.046, 0.040), (256, 0.095, 0.073), (128, 0.193, 0.150), (64, 0.261, 0.200),
    ]

    /// Of tables that compare picture quality.
    static let columns = ["", "PSNR rgb, dB", "95 % interval", "PSNR luma", "PSNR red", "SSIM", "LPIPS", "rFID", "KID"]

    static func row(_ setting: Setting) -> [ReportTable.Cell] {
        [
            .text(setting.name), .none, .none, .none, .decibels(setting.psnr), .number(setting.ssim), .number(setting.lpips), .number(setting.rFID),
            .none,
        ]
    }

    static func row(_ name: String, _ figures: PictureFigures?) -> [ReportTable.Cell] {
        let difference = figures?.difference
        return [
            .text(name), .init(decibels: difference?.psnr), .init(intervalOf: figures?.psnr), .init(decibels: difference?.lumaPSNR),
            .init(decibels: difference?.redPSNR), .init(difference?.ssim), .init(difference?.lpips), .init(figures?.distribution?.frechet),
            .init(figures?.distribution?.kernel),
        ]
    }
}
