import Compute
import Files
import Images
import Locks
import TokenizerCore

/// A checkpoint with the framing of its pictures: a picture's file → its tokens.
///
/// Its calls may run side by side, each on a thread of its own; tokens depend on nothing but the picture.
package final class PictureEncoder: Sendable {
    /// What a picture became.
    struct Encoded: Sendable, Equatable {
        /// Of each view, in pixels.
        let width, height: Int
        /// Those of all views, one after the other.
        let tokens: [Int32]
    }

    /// Why a picture could not be used, in one line.
    struct Problem: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    let framing: Framing
    /// Of the squares, or of the shorter side; in pixels.
    package var size: Int { framing.size }
    let checkpoint: CheckpointManifest
    /// How many calls may run side by side, and how many threads each may use.
    let lanes, threadsPerLane: Int
    /// Calls that keep as many cores busy. Where these are all there are, and memory allows it, one more: a core is idle while the thread that
    /// is next wakes up.
    let callsAtOnce: Int
    /// What sides are multiples of.
    private let step: Int
    private let tokenizer: VisualTokenizer
    /// For a picture of another size, in each lane.
    private let memory: MemoryLimit
    private let resized = Lock<[SIMD2<Int>: VisualTokenizer]>([:])

    /// - Parameter size: nil for the checkpoint's own.
    /// - Throws: when the checkpoint has no tokens for such pictures.
    package init(_ checkpoint: Checkpoint, size: Int?, crop: Framing.Crop, views: Views) throws {
        let original = try VisualTokenizer(checkpoint)
        framing = Framing(size: size ?? original.imageSize, crop: crop, views: views)
        self.checkpoint = checkpoint.manifest
        step = try Self.step(of: original, framing, checkpoint.directory)
        let isOther = framing.size != original.imageSize
        tokenizer = isOther ? try original.resized(width: framing.size, height: framing.size) : original
        let threads = ComputeContext.current.threads
        let most = tokenizer.largestBatch / views.count
        lanes = max(1, min(threads, most))
        callsAtOnce = threads < Processors.usable ? lanes : max(lanes, min(threads + 1, most))
        threadsPerLane = max(1, threads / lanes)
        memory = MemoryLimit(bytes: MemoryLimit.machine.bytes / callsAtOnce)
    }

    private static func step(of tokenizer: VisualTokenizer, _ framing: Framing, _ path: String) throws -> Int {
        guard framing.crop == .none else { return 1 }
        guard framing.views != .tenCrop else {
            throw FileError(path: path, reason: "--views ten-crop takes squares: it does not go with --crop none")
        }
        let step = try tokenizer.sizeStep
        guard framing.size > 0, framing.size % step == 0 else {
            throw FileError(path, "with --crop none its pictures have sides that are multiples of \(step) pixels, --size \(framing.size) is none")
        }
        return step
    }

    /// How many tokens each view has; nil where that differs from picture to picture.
    var tokensPerView: Int? { framing.crop == .centre ? tokenizer.tokensPerImage : nil }
    var codebookSize: Int { tokenizer.codebookSize }

    /// What the tokenizer sees of a file.
    func views(of bytes: [UInt8]) throws(Problem) -> [RGBImage] {
        do {
            return try framing.views(of: bytes, step: step)
        } catch {
            throw Problem(description: "\(error)")
        }
    }

    func encode(_ bytes: [UInt8]) throws(Problem) -> Encoded {
        let views = try views(of: bytes)
        let (width, height) = (views[0].width, views[0].height)
        let tokens = try tokenizer(width: width, height: height).encode(PixelBatch(images: views))
        return Encoded(width: width, height: height, tokens: tokens.indices)
    }

    /// Draws a view from its tokens.
    func draw(_ tokens: [Int32], width: Int, height: Int) throws(Problem) -> RGBImage {
        let tokenizer = try tokenizer(width: width, height: height)
        guard tokens.count == tokenizer.tokensPerImage, tokens.allSatisfy({ (0..<Int32(codebookSize)).contains($0) }) else {
            throw Problem(
                description: "these are not the \(tokenizer.tokensPerImage) tokens of 0 ..< \(codebookSize) that \(width)×\(height) pixels have")
        }
        return tokenizer.draw(Tokens(ofOneImage: tokens)).images()[0]
    }

    private func tokenizer(width: Int, height: Int) throws(Problem) -> VisualTokenizer {
        if width == tokenizer.width && height == tokenizer.height { return tokenizer }
        let key = SIMD2(width, height)
        if let known = resized.withLock({ $0[key] }) { return known }
        do {
            let other = try tokenizer.resized(width: width, height: height, within: memory)
            resized.withLock { $0[key] = other }
            return other
        } catch {
            throw Problem(description: "\(error)")
        }
    }
}
