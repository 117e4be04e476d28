/// How a convolution is computed. Both ways agree to a few millionths of the result's norm.
package enum ConvolutionAlgorithm: Sendable {
    /// A matrix product with the patches of the picture.
    case direct
    /// Winograd's F(4×4, 3×3): a quarter of the multiplications for 3×3 and stride 1, nine sixteenths of them for stride 2.
    case winograd

    /// Set for the duration of a call to compute every convolution that allows it one way, for comparison:
    ///
    ///     ConvolutionAlgorithm.$preferred.withValue(.direct) { tokenizer.encode(pixels) }
    @TaskLocal package static var preferred: ConvolutionAlgorithm?

    /// Below this many 4×4 tiles in an image of results, reading the fourfold weights costs more than the multiplications they save:
    /// the more so, the faster the processor multiplies.
    private static var fewestTiles: Int { InstructionSet.current == .x86_64_amx ? 64 : 16 }

    /// Depends on the processor, the layer and the extents h × w of the result, never on the batch, so that an image's result does not
    /// either.
    static func chosen(for weights: PackedConvolution, stride: Int, h: Int, w: Int) -> ConvolutionAlgorithm {
        guard weights.size == 3, stride <= 2, weights.c % 16 == 0 else { return .direct }
        if let preferred { return preferred }
        // Nine sixteenths of the multiplications do not pay for the transforms where a matrix unit multiplies.
        if stride == 2 && InstructionSet.current == .x86_64_amx { return .direct }
        return WinogradPieces.tiles(h: h, w: w) >= fewestTiles ? .winograd : .direct
    }
}
