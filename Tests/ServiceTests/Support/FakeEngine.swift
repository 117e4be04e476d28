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
    private let batches: Lock<[Int]>
    /// Those for pictures of other sizes, with tokens by their pixels, which count their batches with it.
    private let others = Lock<[PictureSize: FakeEngine]>([:])
    private let gate: Gate?
    /// What every pixel of its pictures is off.
    private let error: UInt8
    /// Fails whatever it is given.
    private let isBroken: Bool

    convenience init(
        version: Int = 1, fingerprint: String = "f1", imageSize: Int = 8, tokens: Int = 4, codebookSize: Int = 300, gate: Gate? = nil,
        reference: TokenHealth.Reference? = nil, error: UInt8 = 0, isBroken: Bool = false, sizeStep: Int? = nil
    ) {
        self.init(
            ModelFacts(
                version: version, fingerprint: fingerprint, size: PictureSize(height: imageSize, width: imageSize)!, autoencoder: "Fake",
                latentShape: [1, 2, 2], tokensPerImage: tokens, codebookSize: codebookSize, precision: .float32, sizeStep: sizeStep,
                reference: reference), gate, error, isBroken, Lock([]))
    }

    private init(_ facts: ModelFacts, _ gate: Gate?, _ error: UInt8, _ isBroken: Bool, _ batches: Lock<[Int]>) {
        (self.facts, self.gate, self.error, self.isBroken, self.batches) = (facts, gate, error, isBroken, batches)
    }

    func resized(to size: PictureSize) throws(VisualTokenizer.SizeError) -> any Engine {
        others.withLock { others in
            if let known = others[size] { return known }
            let facts = ModelFacts(
                version: facts.version, fingerprint: facts.fingerprint, size: size, autoencoder: facts.autoencoder,
                latentShape: [1, 2 * size.height / facts.size.height, 2 * size.width / facts.size.width],
                tokensPerImage: facts.tokensPerImage * size.pixels / facts.size.pixels, codebookSize: facts.codebookSize,
                precision: facts.precision, sizeStep: facts.sizeStep)
            let other = FakeEngine(facts, gate, error, isBroken, batches)
            others[size] = other
            return other
        }
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
        return firsts.map { Self.image(filledWith: UInt8($0 % 256) &+ error, facts.size) }
    }

    static func image(filledWith byte: UInt8, size: Int = 8) -> RGBImage {
        image(filledWith: byte, PictureSize(height: size, width: size)!)
    }

    static func image(filledWith byte: UInt8, _ size: PictureSize) -> RGBImage {
        RGBImage(width: size.width, height: size.height, pixels: [UInt8](repeating: byte, count: size.pixels * 3))
    }

    private func begin(_ firsts: [Int]) throws {
        batches.withLock { $0.append(firsts.count) }
        gate?.pass()
        if isBroken || firsts.contains(13) { throw Unlucky() }
    }
}
