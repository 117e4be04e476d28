import Compute
import Glibc
import Images

/// Pictures as block-DCT coefficients of orthonormal colours and back; squared errors are the same on both sides.
struct BlockTransform {
    let side: Int
    /// Cosines, `[frequency, position]`, and their transpose.
    private let forward, backward: PackedMatrix

    /// Brightness, red against blue, and green against both.
    private static let colours: [[Float]] = ([[1, 1, 1], [1, 0, -1], [1, -2, 1]] as [[Float]]).map { row in
        let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return row.map { $0 / length }
    }

    init(side: Int) {
        self.side = side
        let cosines = (0..<side * side).map { index in
            let (frequency, position) = index.quotientAndRemainder(dividingBy: side)
            let scale = ((frequency == 0 ? 1.0 : 2.0) / Double(side)).squareRoot()
            return Float(scale * cos(.pi * (Double(position) + 0.5) * Double(frequency) / Double(side)))
        }
        let matrix = Tensor(cosines, shape: [side, side])
        forward = PackedMatrix(matrix)
        backward = PackedMatrix(matrix.transposed)
    }

    /// - Returns: `[3, w, h]`: element (c, x, y) is frequency (x mod side, y mod side) of the block at (x / side, y / side).
    /// - Precondition: `side` divides both sides of the picture.
    func coefficients(of image: RGBImage) -> Tensor {
        precondition(image.width % side == 0 && image.height % side == 0, "blocks of \(side) do not cover \(image.width)×\(image.height)")
        var planes = Tensor(uninitialized: [3, image.height, image.width])
        let pixels = image.width * image.height
        planes.withMutablePointer { planes in
            for pixel in 0..<pixels {
                for (channel, colour) in Self.colours.enumerated() {
                    planes[channel * pixels + pixel] = (0..<3).reduce(0) { $0 + colour[$1] * (Float(image.pixels[3 * pixel + $1]) - 128) }
                }
            }
        }
        return apply(forward, to: apply(forward, to: planes).transposed)
    }

    /// The inverse of ``coefficients(of:)``, rounded to bytes.
    func picture(of coefficients: Tensor) -> RGBImage {
        let planes = apply(backward, to: apply(backward, to: coefficients).transposed)
        let (height, width) = (planes.shape[1], planes.shape[2])
        let pixels = planes.withPointer { planes in
            (0..<width * height * 3).map { index in
                let (pixel, channel) = index.quotientAndRemainder(dividingBy: 3)
                let value = (0..<3).reduce(Float(128)) { $0 + Self.colours[$1][channel] * planes[$1 * width * height + pixel] }
                return UInt8(max(0, min(255, value.rounded())))
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Transforms every run of `side` numbers along the last axis.
    private func apply(_ matrix: PackedMatrix, to planes: Tensor) -> Tensor {
        project(planes.reshaped([planes.count / side, side]), with: matrix).reshaped(planes.shape)
    }
}

extension Tensor {
    /// The last two axes exchanged.
    fileprivate var transposed: Tensor {
        let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
        var result = Tensor(uninitialized: shape.dropLast(2) + [columns, rows])
        result.withMutablePointer { target in
            withPointer { source in
                for matrix in 0..<count / (rows * columns) {
                    let start = matrix * rows * columns
                    for i in 0..<rows {
                        for j in 0..<columns { target[start + j * rows + i] = source[start + i * columns + j] }
                    }
                }
            }
        }
        return result
    }
}
