import Compute

/// The rate at which this machine's memory is read and written, on as many threads as the tokenizer uses.
enum CopyBandwidth {
    /// Two arrays of 256 MiB, more than the last-level caches of most machines.
    private static let floats = 64 << 20
    private static let floatsPerPiece = 1 << 16

    /// Bytes read plus bytes written in a second, in units of 10⁹; the better of two passes, as the first one maps the pages.
    static func gigabytesPerSecond() -> Double {
        let source = Tensor(repeating: 1, shape: [floats])
        var target = Tensor(uninitialized: [floats])
        let milliseconds = (0..<2).map { _ in
            target.withMutablePointer { target in
                source.withPointer { source in
                    Stopwatch.milliseconds {
                        Workers.forEach(floats / floatsPerPiece) { piece in
                            (target + piece * floatsPerPiece).update(from: source + piece * floatsPerPiece, count: floatsPerPiece)
                        }
                    }
                }
            }
        }
        return Double(2 * 4 * floats) / 1e6 / milliseconds.min()!
    }
}
