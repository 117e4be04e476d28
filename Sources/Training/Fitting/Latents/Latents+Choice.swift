import Compute
import Networks

extension Latents {
    /// The chosen images, in the given order.
    package func images(at indices: some Collection<Int>) -> Latents {
        Latents(map.images(at: Array(indices)))
    }

    /// At most `most` images, evenly spread over all.
    func spread(_ most: Int) -> Latents {
        count <= most ? self : images(at: (0..<most).map { $0 * count / most })
    }

    /// `most` images at a time, in their order; the last batch may be smaller.
    func batches(of most: Int) -> some Sequence<Latents> {
        stride(from: 0, to: count, by: most).lazy.map { images($0..<Swift.min($0 + most, count)) }
    }
}
