/// How good drawn pictures are: means over them, and how they differ from their originals as a set.
package struct PictureFigures: Codable, Equatable, Sendable {
    package let difference: PictureDifference
    /// rFID and KID, where the weights of ``InceptionNetwork`` were given.
    package let distribution: FeatureDistance?
    package let images: Int

    /// Said beside a Fréchet distance of few pictures.
    static func bias(of images: Int) -> String? {
        images >= FeatureDistance.enoughImages
            ? nil
            : "rFID of \(images) images is too large by an unknown amount and compares only with figures of the same \(images) images; KID is unbiased."
    }
}
