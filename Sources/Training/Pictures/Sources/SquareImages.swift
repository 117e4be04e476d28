import Files
import Images
import Locks

/// The images of a source, resized and cropped to one square size or whole, decoded when first asked for and kept while memory allows.
///
/// A file that cannot be used is skipped, once and for all, and reported by ``takeComplaints()``.
package final class SquareImages: Sendable {
    private struct State {
        var images: [RGBImage?]
        var heldBytes = 0
        var isBad: [Bool]
        var complaints: [String] = []
    }

    package let source: ImageSource
    package let size: Int
    private let maximumHeldBytes: Int
    private let isReduced: Bool
    private let scale: Double?
    private let state: Lock<State>

    /// - Parameters:
    ///   - size: the side of the squares in pixels.
    ///   - isReduced: whether large JPEGs are decoded at a fraction of their size, though at least twice the squares' own: faster, not quite the
    ///     pixels that a server sees, and so for learning alone.
    ///   - scale: keeps images whole instead of squares, for crops with a shorter side of up to so many times ``size``.
    ///   - maximumHeldBytes: how much decoded pixels may take; beyond that, images are decoded each time.
    package init(_ source: ImageSource, size: Int, isReduced: Bool = false, wholeUpTo scale: Double? = nil, maximumHeldBytes: Int = 4 << 30) {
        self.source = source
        self.size = size
        self.maximumHeldBytes = maximumHeldBytes
        (self.isReduced, self.scale) = (isReduced, scale)
        state = Lock(
            State(
                images: Array(repeating: nil, count: source.count), isBad: Array(repeating: false, count: source.count),
                complaints: source.remarks.map { "passed over: \($0)" }))
    }

    package var count: Int { source.count }

    /// The image, or nil when its file cannot be used.
    package func image(at index: Int) -> RGBImage? {
        let (known, isBad) = state.withLock { ($0.images[index], $0.isBad[index]) }
        if known != nil || isBad { return known }
        do throws(FileError) {
            let picture = try source.image(
                at: index, from: source.bytes(at: index), reducedTo: isReduced ? Int(2 * Double(size) * (scale ?? 1)) : nil)
            let image = scale == nil ? SquarePreprocessor(imageSize: size)(picture) : picture
            keep(image, at: index)
            return image
        } catch {
            state.withLock {
                if !$0.isBad[index] { $0.complaints.append("skipped: \(error)") }
                $0.isBad[index] = true
            }
            return nil
        }
    }

    /// What has been wrong with files since the last call, and at first what the source passed over, a line each.
    package func takeComplaints() -> [String] {
        state.withLock { state in
            defer { state.complaints = [] }
            return state.complaints
        }
    }

    private func keep(_ image: RGBImage, at index: Int) {
        state.withLock {
            guard $0.images[index] == nil, $0.heldBytes + image.pixels.count <= maximumHeldBytes else { return }
            $0.images[index] = image
            $0.heldBytes += image.pixels.count
        }
    }
}
