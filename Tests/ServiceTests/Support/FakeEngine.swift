import Locks
import TestSupport

@testable import Compute
@testable import Images
@testable import Service
@testable import TokenizerCore

/// An engine that computes nothing: token t of an image is its first byte plus t, an image is filled with its first token.
///
/// An image whose first byte is 13 makes the whole batch fail, as does the first token 13.
final class FakeEngine: Engine {
    struct Unlucky: Error {}

    let facts: ModelFacts
    private let batches = Lock<[Int]>([])
    private let gate: Gate?
    /// What every pixel of its pictures is off.
    private let error: UInt8
    /// Fails whatever it is given.
    private let isBroken: Bool

    init(
        version: Int = 1, fingerprint: String = "f1", imageSize: Int = 8, tokens: Int = 4, codebookSize: Int = 300, gate: Gate? = nil,
        reference: TokenHealth.Reference? = nil, error: UInt8 = 0, isBroken: Bool = false
    ) {
        facts = ModelFacts(
            version: version, fingerprint: fingerprint, imageSize: imageSize, autoencoder: "Fake", latentShape: [1, 2, 2],
            tokensPerImage: tokens, codebookSize: codebookSize, precision: .float32, reference: reference)
        self.gate = gate
        (self.error, self.isBroken) = (error, isBroken)
    }

    /// The size of each batch it was given, in order.
    var batchSizes: [Int] { batches.withLock { $0 } }

    func encode(_ images: [RGBImage]) throws -> Tokens {
        try begin(images.map { Int($0.pixels[0]) })
        return Tokens(
            tokensPerImage: facts.tokensPerImage,
            indices: images.flatMap { image in (0..<facts.tokensPerImage).map { Int32(image.pixels[0]) + Int32($0) } })
    }

    func decode(_ tokens: Tokens) throws -> [RGBImage] {
        let firsts = tokens.images.map { Int($0.first!) }
        try begin(firsts)
        return firsts.map { Self.image(filledWith: UInt8($0 % 256) &+ error, size: facts.imageSize) }
    }

    static func image(filledWith byte: UInt8, size: Int = 8) -> RGBImage {
        RGBImage(width: size, height: size, pixels: [UInt8](repeating: byte, count: size * size * 3))
    }

    private func begin(_ firsts: [Int]) throws {
        batches.withLock { $0.append(firsts.count) }
        gate?.pass()
        if isBroken || firsts.contains(13) { throw Unlucky() }
    }
}
