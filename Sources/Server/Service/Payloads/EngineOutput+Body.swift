import Files
import HTTPTransport
import Images
import TokenizerCore

/// What a client gets, in the form that it asked for.
extension EngineOutput {
    /// - Parameters:
    ///   - type: one of those that the route offers.
    ///   - quality: of a JPEG, 1 to 100.
    func body(as type: String, quality: Int, of model: ServedModel) -> [UInt8] {
        switch self {
        case .image(let image): image.body(as: type, quality: quality)
        case .tokens(let tokens): tokens.body(as: type, of: model)
        }
    }
}

extension RGBImage {
    fileprivate func body(as type: String, quality: Int) -> [UInt8] {
        switch type {
        case MediaType.jpeg: JPEGEncoder.encode(self, quality: quality)
        case MediaType.npy: NumPyArray(bytes: pixels, shape: [height, width, 3]).serialized()
        default: PNGEncoder.encode(self)
        }
    }
}

extension Tokens {
    fileprivate func body(as type: String, of model: ServedModel) -> [UInt8] {
        switch type {
        case MediaType.npy: NumPyArray(indices, shape: [tokensPerImage]).serialized()
        case MediaType.packed:
            PackedTokens(
                indices, tokensPerImage: tokensPerImage, codebookSize: model.facts.codebookSize, fingerprint: model.facts.fingerprint
            ).serialized()
        case MediaType.octets: model.facts.elementType.bytes(of: indices)
        default: TokensDocument(self, from: model).json.bytes
        }
    }
}

extension ModelFacts {
    /// How tokens are stored where they come as little-endian integers.
    fileprivate var elementType: NumPyArray.ElementType { codebookSize <= 1 << 16 ? .uint16 : .uint32 }
}
