import CKernels

/// Normalises each image's channels in consecutive groups, each over its positions: `activation((x − mean) / √(variance + ε) · weight + bias)`,
/// in place where nobody else holds `x`.
///
/// An image's result does not depend on the others of its batch, nor on the number of threads.
///
/// - Parameters:
///   - x: `[n, …, c]`.
///   - groups: divides c.
///   - weight: `[c]`.
///   - bias: `[c]`.
///
/// Source: `torch.nn.functional.group_norm`; the variance is that of the population.
package func normalizeGroups(
    _ x: consuming Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation? = nil
) -> Tensor {
    let shape = GroupShape(x.shape, groups: groups, weight)
    let (gains, offsets, kernels) = (weight.values, bias.values, ComputeContext.current.kernels)
    var y = consume x
    y.withMutablePointer { y in
        for image in 0..<shape.images {
            let y = y + image * shape.floatsPerImage
            let moments = shape.moments(of: y, epsilon: epsilon)
            let scale = (0..<shape.channels).map { gains[$0] * moments.inverse[shape.group(of: $0)] }
            let shift = (0..<shape.channels).map { offsets[$0] - moments.mean[shape.group(of: $0)] * scale[$0] }
            RowPieces.forEach(rows: shape.positions, width: shape.channels, operation: "group norm") { range in
                let start = y + range.lowerBound * shape.channels
                kernels.scale_shift(start, range.count, shape.channels, scale, shift, revq_activation(activation), nil, start)
            }
        }
    }
    return y
}

/// The gradient for `x` of ``normalizeGroups(_:groups:weight:bias:epsilon:activation:)`` without activation; adds those for weight and bias.
package func normalizeGroupsGradient(
    _ dy: consuming Tensor, at x: Tensor, groups: Int, weight: Tensor, epsilon: Float, addingTo dweight: inout Tensor, _ dbias: inout Tensor
) -> Tensor {
    let shape = GroupShape(x.shape, groups: groups, weight)
    let gains = weight.values
    var (dweights, dbiases) = ([Double](repeating: 0, count: shape.channels), [Double](repeating: 0, count: shape.channels))
    var dx = consume dy
    withPointers(writing: &dx, reading: x) { dx, x in
        for image in 0..<shape.images {
            let (dx, x) = (dx + image * shape.floatsPerImage, x + image * shape.floatsPerImage)
            let moments = shape.moments(of: x, epsilon: epsilon)
            let pull = shape.pull(dx, at: x, moments, gains)
            shape.replace(dx, at: x, moments, gains, pull)
            for i in 0..<shape.channels {
                dweights[i] += pull.products[i]
                dbiases[i] += pull.sums[i]
            }
        }
    }
    dweight.add(Tensor(dweights.map(Float.init), shape: [shape.channels]))
    dbias.add(Tensor(dbiases.map(Float.init), shape: [shape.channels]))
    return dx
}

/// How groups of channels lie in a feature map.
private struct GroupShape {
    let images, positions, channels, groups: Int

    init(_ shape: [Int], groups: Int, _ weight: Tensor) {
        let width = shape[shape.count - 1]
        precondition(width == weight.count && width % groups == 0, "GroupNorm over \(groups) groups of \(weight.count) channels got \(shape)")
        (images, channels, self.groups) = (shape[0], width, groups)
        positions = shape.dropFirst().dropLast().reduce(1, *)
    }

    var floatsPerImage: Int { positions * channels }
    private var perGroup: Int { channels / groups }
    func group(of channel: Int) -> Int { channel / perGroup }

    /// Mean and 1 / √(variance + ε) of each group of an image.
    struct Moments {
        let mean, inverse: [Float]
    }

    func moments(of x: UnsafePointer<Float>, epsilon: Float) -> Moments {
        let sums = sumsOverPositions(width: channels) { range, sums in
            for row in range {
                let x = x + row * channels
                for i in 0..<channels { sums[i] += x[i] }
            }
        }
        let numbers = Double(positions * perGroup)
        let mean = perGroup(sums).map { Float($0 / numbers) }
        let centre = (0..<channels).map { mean[group(of: $0)] }
        let squares = centre.withUnsafeBufferPointer { centre in
            let centre = centre.baseAddress!
            return sumsOverPositions(width: channels) { range, sums in
                for row in range {
                    let x = x + row * channels
                    for i in 0..<channels {
                        let deviation = x[i] - centre[i]
                        sums[i] += deviation * deviation
                    }
                }
            }
        }
        return Moments(mean: mean, inverse: perGroup(squares).map { Float(1 / ($0 / numbers + Double(epsilon)).squareRoot()) })
    }

    /// Of each channel: Σ dy and Σ dy · normalised x; and what they come to for a number of each group.
    struct Pull {
        let sums, products: [Double]
        let mean, slope: [Float]
    }

    func pull(_ dy: UnsafePointer<Float>, at x: UnsafePointer<Float>, _ moments: Moments, _ gains: [Float]) -> Pull {
        let both = sumsOverPositions(width: 2 * channels) { range, sums in
            for row in range {
                let (dy, x) = (dy + row * channels, x + row * channels)
                for i in 0..<channels {
                    let group = group(of: i)
                    sums[i] += dy[i]
                    sums[channels + i] += dy[i] * ((x[i] - moments.mean[group]) * moments.inverse[group])
                }
            }
        }
        let (sums, products) = (Array(both[..<channels]), Array(both[channels...]))
        let numbers = Double(positions * perGroup)
        func average(_ values: [Double]) -> [Float] {
            perGroup(values.indices.map { Double(gains[$0]) * values[$0] }).map { Float($0 / numbers) }
        }
        return Pull(sums: sums, products: products, mean: average(sums), slope: average(products))
    }

    /// Turns dy into dx.
    func replace(_ dy: UnsafeMutablePointer<Float>, at x: UnsafePointer<Float>, _ moments: Moments, _ gains: [Float], _ pull: Pull) {
        RowPieces.forEach(rows: positions, width: channels, floatsPerRow: 3 * channels, operation: "group norm gradient") { range in
            for row in range {
                let (dy, x) = (dy + row * channels, x + row * channels)
                for i in 0..<channels {
                    let group = group(of: i)
                    let normalised = (x[i] - moments.mean[group]) * moments.inverse[group]
                    dy[i] = moments.inverse[group] * (gains[i] * dy[i] - pull.mean[group] - normalised * pull.slope[group])
                }
            }
        }
    }

    private func perGroup(_ values: [Double]) -> [Double] {
        (0..<groups).map { group in values[group * perGroup..<(group + 1) * perGroup].reduce(0, +) }
    }

    /// Sums over an image's positions: of each piece in single precision, of the pieces in double, in their order.
    private func sumsOverPositions(width: Int, add: (_ range: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void) -> [Double] {
        let pieces = RowPieces.count(rows: positions, width: channels)
        var parts = Tensor(zeros: [pieces, width])
        parts.withMutablePointer { parts in
            RowPieces.forEach(rows: positions, width: channels, floatsPerRow: channels, operation: "group sums") { range, piece in
                add(range, parts + piece * width)
            }
        }
        var sums = [Double](repeating: 0, count: width)
        parts.withPointer { parts in
            for piece in 0..<pieces {
                for i in 0..<width { sums[i] += Double(parts[piece * width + i]) }
            }
        }
        return sums
    }
}
