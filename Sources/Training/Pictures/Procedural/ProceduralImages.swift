import Compute
import Images

/// An endless, seeded set of square pictures with the statistics of photographs, for training without any.
///
/// Picture `index` is a function of seed, side and index alone, bit for bit the same on every machine.
package struct ProceduralImages: Sendable {
    /// Changes whenever the pictures of a given seed do, so that a folder of another generation is not continued.
    package static let generation = 1
    /// The sides of which pictures can be made, in pixels.
    package static let sides = 32...2048

    private let side: Int
    private let root: RandomSource

    /// - Precondition: `side` is one of ``sides``.
    package init(seed: UInt64, side: Int) {
        precondition(Self.sides.contains(side), "a procedural image's side is in \(Self.sides), got \(side)")
        self.side = side
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "procedural images"))
    }

    /// Paints picture `index`; about 20 ms for 256 × 256.
    package func image(at index: Int) -> RGBImage {
        var scene = Scene(side: side, source: root.substream(UInt64(index)))
        scene.compose()
        var source = scene.source
        let development = Development(from: &source)
        return development.image(from: scene.canvas, noise: scene.noise, source: &source)
    }
}
