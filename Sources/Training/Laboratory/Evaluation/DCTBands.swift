import Compute
import Images

/// The block-DCT coefficients of pictures, sorted into bands of equal colour and equal distance from frequency zero: what a codec without
/// learning would give one quantiser.
struct DCTBands {
    /// Where the coefficients of one band lie in ``BlockTransform``'s tensors, the same for every picture.
    struct Band {
        var places: [Int] = []
        /// Coefficients of this band in each block.
        var perBlock = 0
    }

    let transform: BlockTransform
    let bands: [Band]
    /// Per band: picture after picture, in the order of the places.
    let values: [[Float]]
    let images: Int
    /// `[3, w, h]`.
    private let shape: [Int]

    /// - Precondition: there are pictures, all of one size that `side` divides.
    init(of pictures: [RGBImage], side: Int) {
        let transform = BlockTransform(side: side)
        shape = [3, pictures[0].width, pictures[0].height]
        let bands = Self.bands(shape, side)
        var values = [[Float]](repeating: [], count: bands.count)
        for picture in pictures {
            let coefficients = transform.coefficients(of: picture)
            coefficients.withPointer { x in
                for (index, band) in bands.enumerated() { values[index] += band.places.map { x[$0] } }
            }
        }
        (self.transform, self.bands, self.values, images) = (transform, bands, values, pictures.count)
    }

    /// Blocks per picture.
    var blocks: Int { shape[1] * shape[2] / (transform.side * transform.side) }

    /// Picture `image` drawn from values in the layout of ``values``.
    func picture(_ image: Int, from values: [[Float]]) -> RGBImage {
        var coefficients = Tensor(zeros: shape)
        coefficients.withMutablePointer { x in
            for (band, values) in zip(bands, values) where !values.isEmpty {
                for (index, place) in band.places.enumerated() { x[place] = values[image * band.places.count + index] }
            }
        }
        return transform.picture(of: coefficients)
    }

    private static func bands(_ shape: [Int], _ side: Int) -> [Band] {
        let radii = Int((2 * Double(side * side)).squareRoot()) + 1
        var bands = [Band](repeating: Band(), count: 3 * radii)
        // Block by block, so that the coefficients of one block follow each other in a band.
        for channel in 0..<3 {
            for left in stride(from: 0, to: shape[1], by: side) {
                for top in stride(from: 0, to: shape[2], by: side) {
                    for frequency in 0..<side * side {
                        let (u, v) = frequency.quotientAndRemainder(dividingBy: side)
                        let band = channel * radii + Int(Double(u * u + v * v).squareRoot().rounded())
                        bands[band].places.append((channel * shape[1] + left + u) * shape[2] + top + v)
                        if left == 0 && top == 0 { bands[band].perBlock += 1 }
                    }
                }
            }
        }
        return bands.filter { !$0.places.isEmpty }
    }
}
