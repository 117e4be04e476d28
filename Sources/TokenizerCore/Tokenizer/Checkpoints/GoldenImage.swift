/// An image that travels with a checkpoint, with the tokens it had when the checkpoint was made: a loaded checkpoint that does not
/// reproduce them is broken.
struct GoldenImage: Sendable, Codable {
    /// The PNG beside the manifest, already square.
    let file: String
    let tokens: [Int32]
    /// PSNR in dB that the reconstruction must reach.
    let psnrFloor: Double

    static let listName = "golden.json"
    /// How far below the measured PSNR the floor lies: rounding differs between instruction sets, pictures do not.
    static let psnrMargin = 0.05
}
