import Images
import TokenizerCore

/// How two versions of a model do on one picture.
struct VersionComparison: Sendable, Equatable {
    /// The share of equal tokens; nil where the two do not give a picture as many.
    let agreement: Double?
    /// In dB over the picture as the model sees it; of equal pictures ``mostDecibels``.
    let stablePSNR, canaryPSNR: Double

    private static let mostDecibels = 100.0

    /// A picture's tokens, and what a version draws for them.
    typealias Drawn = (tokens: Tokens, image: RGBImage)

    /// - Parameter picture: of the image size of both.
    init(_ picture: RGBImage, stable: Drawn, canary: Drawn) {
        let (a, b) = (stable.tokens.indices, canary.tokens.indices)
        agreement = a.count == b.count ? Double(zip(a, b).count { $0 == $1 }) / Double(max(a.count, 1)) : nil
        stablePSNR = min(PeakSignalToNoise.decibels(picture, stable.image), Self.mostDecibels)
        canaryPSNR = min(PeakSignalToNoise.decibels(picture, canary.image), Self.mostDecibels)
    }
}

extension VersionComparison {
    /// Of any two versions, each of which does all by itself.
    init(_ picture: RGBImage, by stable: any Engine, and canary: any Engine) throws {
        func drawn(by engine: any Engine) throws -> Drawn {
            let tokens = try engine.encode([picture])
            return (tokens, try engine.decode(tokens)[0])
        }
        self.init(picture, stable: try drawn(by: stable), canary: try drawn(by: canary))
    }
}

extension Engine {
    func compare(_ picture: RGBImage, with canary: any Engine) throws -> VersionComparison {
        try VersionComparison(picture, by: self, and: canary)
    }
}
