import Compute
import Images
import TokenizerCore

/// What goes into the engine for one request: one image, or its tokens.
enum EngineInput: Sendable {
    case image(RGBImage)
    case tokens(Tokens)
}

/// What comes out for it.
enum EngineOutput: Sendable, Equatable {
    case tokens(Tokens)
    case image(RGBImage)
}

/// The engine could not serve one item.
struct EngineFailure: Error, Equatable, CustomStringConvertible {
    let description: String
}

extension Engine {
    /// Runs a batch; if that fails, each item alone, so that a bad item fails without its neighbours.
    /// - Precondition: the inputs are images for `encode` and `reconstruct`, tokens for `decode`.
    func runEach(_ operation: Operation, _ inputs: [EngineInput]) -> [Result<EngineOutput, EngineFailure>] {
        do throws(EngineFailure) {
            return try run(operation, inputs).map { .success($0) }
        } catch {
            guard inputs.count > 1, !ComputeContext.current.isInterrupted else { return inputs.map { _ in .failure(error) } }
            return inputs.flatMap { runEach(operation, [$0]) }
        }
    }

    private func run(_ operation: Operation, _ inputs: [EngineInput]) throws(EngineFailure) -> [EngineOutput] {
        do {
            switch operation {
            case .encode: return try checkedEncode(images(of: inputs)).images.map { .tokens(Tokens(ofOneImage: Array($0))) }
            case .decode: return try checkedDecode(tokens(of: inputs)).map { .image($0) }
            case .reconstruct: return try checkedDecode(checkedEncode(images(of: inputs))).map { .image($0) }
            }
        } catch {
            throw EngineFailure(description: "\(operation.rawValue) failed: \(error)")
        }
    }

    private func checkedEncode(_ images: [RGBImage]) throws -> Tokens {
        let tokens = try encode(images)
        try checkIsWanted()
        guard tokens.count == images.count, tokens.tokensPerImage == facts.tokensPerImage else {
            throw EngineFailure(description: "the engine's tokens are not those of \(images.count) images, \(facts.tokensPerImage) each")
        }
        return tokens
    }

    private func checkedDecode(_ tokens: Tokens) throws -> [RGBImage] {
        let images = try decode(tokens)
        try checkIsWanted()
        guard images.count == tokens.count else {
            throw EngineFailure(description: "the engine gave \(images.count) images for the tokens of \(tokens.count)")
        }
        return images
    }

    /// What was interrupted means nothing.
    private func checkIsWanted() throws(EngineFailure) {
        guard !ComputeContext.current.isInterrupted else { throw EngineFailure(description: "nobody waits for it any more") }
    }

    private func images(of inputs: [EngineInput]) -> [RGBImage] {
        inputs.map { input in
            guard case .image(let image) = input else { preconditionFailure("tokens were queued where images belong") }
            return image
        }
    }

    private func tokens(of inputs: [EngineInput]) -> Tokens {
        Tokens(
            joining: inputs.map { input in
                guard case .tokens(let tokens) = input else { preconditionFailure("an image was queued where tokens belong") }
                return tokens
            })
    }
}
