import Compute

/// A convolution and the ``BlurPooling`` behind it. Both are linear, so that away from the borders they are one convolution with a kernel that is
/// two pixels wider and a stride of 2: a good third of the multiplications, and nothing is ever held at full resolution.
///
/// The blur mirrors what was convolved. Before the first result that makes the first of its results equal the second; behind the last it
/// weighs two results instead of three, or makes the last of its own equal the one before.
struct BlurredConvolution: Sendable {
    private let steps: FrozenConvolution
    /// The wider kernels, by whether the last row and the last column of the blur's results are formed.
    private let kernels: [[(weight: Tensor, packed: PackedConvolution)]]
    private let bias: Tensor
    private let kernel, padding: Int

    /// - Parameters:
    ///   - weight: `[out, in, k, k]`, with `k` odd.
    ///   - bias: `[out]`.
    ///   - padding: such that k / 2 − padding is odd.
    init(weight: Tensor, bias: Tensor, padding: Int) {
        (kernel, self.padding, self.bias) = (weight.shape[2], padding, bias)
        precondition((kernel / 2 - padding) % 2 == 1, "a kernel of \(kernel) with a padding of \(padding) cannot be blurred at stride 2")
        steps = FrozenConvolution(weight: weight, bias: bias, padding: padding, stride: 1)
        kernels = [false, true].map { isLastRow in
            [false, true].map { isLastColumn in
                let blurred = weight.blurred(Self.taps(isLastRow), Self.taps(isLastColumn))
                return (blurred, PackedConvolution(blurred))
            }
        }
    }

    /// What the blur weighs three results of the convolution with; the last of them is beyond the border where it is mirrored.
    private static func taps(_ isLast: Bool) -> [Float] { isLast ? [0.5, 0.5, 0] : BlurPooling.weights }

    /// - Parameter x: `[n, h, w, in]`.
    /// - Returns: what ``BlurPooling`` makes of the convolution's result.
    func forward(_ x: Tensor) -> Tensor {
        guard isMerged else { return BlurPooling.forward(steps.forward(x)) }
        let (rows, columns) = (line(x.h), line(x.w))
        var y = Tensor(uninitialized: [x.n, rows.count, columns.count, bias.count])
        forEachPart(rows, columns) { row, column, kernel in
            let part = convolve(x.block(row.start..<x.h, column.start..<x.w), with: kernel.packed, bias: bias, stride: 2)
            y.set(part.block(row.strided, column.strided), row.results.lowerBound, column.results.lowerBound)
        }
        for (copy, source) in rows.copies { y.set(y.block(source..<source + 1, 0..<y.w), copy, 0) }
        for (copy, source) in columns.copies { y.set(y.block(0..<y.h, source..<source + 1), 0, copy) }
        return y
    }

    /// - Parameter shape: of what was convolved.
    func backward(_ dy: consuming Tensor, shape: [Int]) -> Tensor {
        let (h, w) = (shape[1], shape[2])
        let (rows, columns) = (line(h), line(w))
        guard isMerged else {
            let convolved = [shape[0], rows.convolved, columns.convolved, bias.count]
            return steps.backward(BlurPooling.backward(dy, shape: convolved), shape: shape)
        }
        for (copy, source) in columns.copies { dy.add(dy.block(0..<dy.h, copy..<copy + 1), 0, source) }
        for (copy, source) in rows.copies { dy.add(dy.block(copy..<copy + 1, 0..<dy.w), source, 0) }
        var dx = Tensor(zeros: shape)
        forEachPart(rows, columns) { row, column, kernel in
            let part = [shape[0], h - row.start, w - column.start, shape[3]]
            var strided = Tensor(zeros: [shape[0], (part[1] + 1) / 2, (part[2] + 1) / 2, bias.count])
            strided.set(dy.block(row.results, column.results), row.strided.lowerBound, column.strided.lowerBound)
            dx.add(stridedConvolutionGradient(strided, shape: part, weight: kernel.weight, stride: 2), row.start, column.start)
        }
        return dx
    }

    /// Where all is to be summed as PyTorch sums it, one step follows the other.
    private var isMerged: Bool { ComputeContext.current.algorithm != .direct }

    private func forEachPart(_ rows: Line, _ columns: Line, _ body: (Line.Part, Line.Part, (weight: Tensor, packed: PackedConvolution)) -> Void) {
        for row in rows.parts {
            for column in columns.parts { body(row, column, kernels[row.isLast ? 1 : 0][column.isLast ? 1 : 0]) }
        }
    }

    private func line(_ extent: Int) -> Line { Line(convolved: extent + 2 * padding - kernel + 1, before: padding + 2, reach: kernel / 2 + 1) }

    /// The results along one direction of the picture.
    private struct Line {
        /// How many the convolution alone has.
        let convolved: Int
        /// Pixels that the patch of the blur's first result begins before the picture, and the wider kernel before its centre.
        let before, reach: Int

        /// How many the blur has.
        var count: Int { (convolved + 1) / 2 + 1 }

        /// Results that one kernel forms.
        struct Part {
            let isLast: Bool
            /// The first pixel that is convolved.
            let start: Int
            let results: Range<Int>
            /// Where they are among all that a stride of 2 from there gives.
            let strided: Range<Int>
        }

        var parts: [Part] {
            let last = convolved / 2
            let inner = part(isLast: false, start: 0, 1..<(convolved - 1) / 2 + 1)
            return convolved % 2 == 0 ? [inner, part(isLast: true, start: (2 * last - before) / 2 * 2, last..<last + 1)] : [inner]
        }

        /// Results that equal others.
        var copies: [(copy: Int, of: Int)] { [(0, 1)] + (convolved % 2 == 1 ? [(count - 1, count - 2)] : []) }

        private func part(isLast: Bool, start: Int, _ results: Range<Int>) -> Part {
            let shift = (reach - before - start) / 2
            return Part(isLast: isLast, start: start, results: results, strided: results.lowerBound + shift..<results.upperBound + shift)
        }
    }
}

extension Tensor {
    /// The kernels `[out, in, k + 2, k + 2]` of a convolution, `[out, in, k, k]`, and what weighs three of its results in each direction.
    fileprivate func blurred(_ rows: [Float], _ columns: [Float]) -> Tensor {
        let (size, wider) = (shape[2], shape[2] + 2)
        var result = Tensor(zeros: [shape[0], shape[1], wider, wider])
        withPointers(writing: &result, reading: self) { target, source in
            for index in 0..<count {
                let (kernel, row, column) = (index / (size * size), index / size % size, index % size)
                for (down, right) in (0..<9).map({ ($0 / 3, $0 % 3) }) {
                    target[(kernel * wider + row + down) * wider + column + right] += source[index] * rows[down] * columns[right]
                }
            }
        }
        return result
    }

    /// Some rows and columns of `[n, h, w, c]`.
    fileprivate func block(_ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
        guard rows.count < h || columns.count < w else { return self }
        var block = Tensor(uninitialized: [n, rows.count, columns.count, c])
        let width = columns.count * c
        withPointers(writing: &block, reading: self) { target, source in
            for line in 0..<n * rows.count {
                let row = line / rows.count * h + rows.lowerBound + line % rows.count
                (target + line * width).update(from: source + (row * w + columns.lowerBound) * c, count: width)
            }
        }
        return block
    }

    /// Puts a block's elements at this row and column.
    fileprivate mutating func set(_ block: Tensor, _ row: Int, _ column: Int) {
        change(block, row, column) { target, source, count in target.update(from: source, count: count) }
    }

    /// Adds a block's elements from this row and column on.
    fileprivate mutating func add(_ block: Tensor, _ row: Int, _ column: Int) {
        change(block, row, column) { target, source, count in
            for i in 0..<count { target[i] += source[i] }
        }
    }

    private mutating func change(
        _ block: Tensor, _ row: Int, _ column: Int, _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
    ) {
        let (h, w, c, width) = (self.h, self.w, self.c, block.w * block.c)
        withPointers(writing: &self, reading: block) { target, source in
            for line in 0..<block.n * block.h {
                let place = (line / block.h * h + row + line % block.h) * w + column
                body(target + place * c, source + line * width, width)
            }
        }
    }
}
