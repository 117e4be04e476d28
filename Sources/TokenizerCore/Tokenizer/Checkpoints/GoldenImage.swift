import Compute

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

/// How far a loaded checkpoint may be from what its golden images say.
struct GoldenTolerance {
    /// A token may differ when the golden code is at most this much farther away, relative to the nearest one's distance.
    let tie: Float
    /// And at most this share of the tokens may.
    let differingShare: Double
    /// How far below the promised PSNR the picture may be, in dB.
    let decibels: Double

    init(_ precision: Precision) {
        switch precision {
        case .float32:
            // Another instruction set rounds differently, which may decide a near tie between two codes the other way.
            (tie, differingShare, decibels) = (1e-3, 0.02, 0)
        case .bfloat16:
            // Rounding moves latents by half a percent, which decides the tokens near the border of two cells the other way: about 1 %
            // of them on photographs with the default checkpoint, whose pictures lose nothing. How near depends on the codebook, so the
            // share alone is bounded, with room for finer ones; of a broken checkpoint hardly any token agrees.
            (tie, differingShare, decibels) = (.infinity, 0.1, 0.1)
        }
    }
}
