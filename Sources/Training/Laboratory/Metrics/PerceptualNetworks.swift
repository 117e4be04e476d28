import Files

/// The classifiers behind rFID, KID and LPIPS, as far as their weights were given.
package struct PerceptualNetworks: Sendable {
    let inception: InceptionNetwork?
    let lpips: LPIPSNetwork?

    /// - Parameters:
    ///   - inception: path of ``InceptionNetwork``'s weights.
    ///   - lpips: path of ``LPIPSNetwork``'s weights.
    ///   - imageSize: of the pictures that will be compared.
    /// - Throws: when a file cannot be used, or the pictures are too small.
    package init(inception: String?, lpips: String?, imageSize: Int) throws(FileError) {
        if let lpips, imageSize < LPIPSNetwork.smallestSide {
            throw FileError(path: lpips, reason: "LPIPS needs pictures of at least \(LPIPSNetwork.smallestSide) pixels, not \(imageSize)")
        }
        self.inception = if let inception { try InceptionNetwork(inception) } else { nil }
        self.lpips = if let lpips { try LPIPSNetwork(lpips) } else { nil }
    }

    private init() {
        (inception, lpips) = (nil, nil)
    }

    /// No weights were given.
    package static let none = PerceptualNetworks()
}
