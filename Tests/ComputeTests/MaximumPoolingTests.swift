import TestSupport
import Testing

@testable import Compute

/// Values are small whole numbers, so that neighbourhoods have several largest ones.
struct MaximumPoolingTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let images, h, w, c, size, stride: Int
        var keepsRest = false

        var testDescription: String { "\(images)×\(h)×\(w)×\(c), \(size)×\(size) stride \(stride)\(keepsRest ? ", with the rest" : "")" }
    }

    /// Channels around those of vectors, neighbourhoods that overlap, touch, and reach beyond the end.
    static let shapes = [
        Shape(images: 2, h: 5, w: 7, c: 16, size: 3, stride: 1), Shape(images: 1, h: 3, w: 3, c: 1, size: 3, stride: 1),
        Shape(images: 3, h: 6, w: 4, c: 35, size: 2, stride: 2), Shape(images: 2, h: 8, w: 9, c: 20, size: 3, stride: 2, keepsRest: true),
        Shape(images: 1, h: 6, w: 8, c: 7, size: 3, stride: 2),
    ]

    @Test(arguments: InstructionSet.supported, shapes)
    func equalsOneValueAtATime(set: InstructionSet, shape: Shape) {
        var values = TestValues(seed: 41)
        func whole(_ shape: [Int]) -> Tensor { Tensor(values.tensor(shape).values.map { (3 * $0).rounded() }, shape: shape) }
        let pooling = MaximumPooling(size: shape.size, stride: shape.stride, keepsRest: shape.keepsRest)
        let x = whole([shape.images, shape.h, shape.w, shape.c])
        ComputeContext.with(\.instructionSet, set) {
            let y = pooling.forward(x)
            let dy = whole(y.shape)
            let expected = naive(x, dy, shape)
            #expect(y.values == expected.y)
            #expect(pooling.backward(dy, x: x, y: y).values == expected.dx)
        }
    }

    /// Each gradient belongs to the first of the largest values.
    private func naive(_ x: Tensor, _ dy: Tensor, _ shape: Shape) -> (y: [Float], dx: [Float]) {
        let (pixels, dys) = (x.values, dy.values)
        var (y, dx) = ([Float](repeating: 0, count: dys.count), [Float](repeating: 0, count: pixels.count))
        for i in dys.indices {
            let (result, channel) = i.quotientAndRemainder(dividingBy: shape.c)
            let (image, top, left) = (result / (dy.h * dy.w), result / dy.w % dy.h * shape.stride, result % dy.w * shape.stride)
            var largest = -Float.infinity
            var place = 0
            for row in top..<min(top + shape.size, shape.h) {
                for column in left..<min(left + shape.size, shape.w) {
                    let here = ((image * shape.h + row) * shape.w + column) * shape.c + channel
                    if pixels[here] > largest { (largest, place) = (pixels[here], here) }
                }
            }
            y[i] = largest
            dx[place] += dys[i]
        }
        return (y, dx)
    }
}
