import Compute

/// Normalises each channel over all positions and images.
///
/// Inference uses the running statistics. A pass that keeps activations is a training pass: it uses the batch's own statistics, and
/// `backward` leaves them in the gradient's `runningMean` and `runningVariance`, from where the optimiser mixes them in.
///
/// Source: `torch.nn.BatchNorm2d`, ε 1e-5.
package struct BatchNorm: Layer {
    /// Each `[c]`.
    var weight, bias, runningMean, runningVariance: Tensor
    private static let epsilon: Float = 1e-5

    init(channels: Int, _ initializer: inout Initializer) {
        weight = initializer.constant(1, [channels])
        bias = initializer.constant(0, [channels])
        runningMean = initializer.constant(0, [channels])
        runningVariance = initializer.constant(1, [channels])
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        forward(x, adding: nil, keeping: &kept)
    }

    /// `forward(x) + shortcut`, in one pass.
    func forward(_ x: consuming Tensor, adding shortcut: Tensor?, keeping kept: inout Tape) -> Tensor {
        precondition(x.c == weight.count, "BatchNorm over \(weight.count) channels got \(x.shape)")
        var (mean, variance) = (runningMean.values, runningVariance.values)
        if kept.isKeeping {
            kept.keep(x)
            (mean, variance) = Self.statistics(of: x)
        }
        let (gain, offset) = (weight.values, bias.values)
        let scale = zip(gain, variance).map { $0 / ($1 + Self.epsilon).squareRoot() }
        let shift = (0..<x.c).map { offset[$0] - mean[$0] * scale[$0] }
        return x.scalingChannels(by: scale, shiftedBy: shift, adding: shortcut)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout BatchNorm) -> Tensor {
        let x = kept.take()
        let (rows, c) = (x.rows, x.c)
        let (mean, variance) = Self.statistics(of: x)
        let inverse = variance.map { 1 / ($0 + Self.epsilon).squareRoot() }
        var sums = [Double](repeating: 0, count: c)
        var products = sums
        x.withPointer { x in
            dy.withPointer { dy in
                for i in 0..<rows * c {
                    let channel = i % c
                    sums[channel] += Double(dy[i])
                    products[channel] += Double(dy[i] * (x[i] - mean[channel]) * inverse[channel])
                }
            }
        }
        let gain = weight.values
        var dx = consume dy
        dx.withMutablePointer { dx in
            x.withPointer { x in
                for i in 0..<rows * c {
                    let channel = i % c
                    let normalised = (x[i] - mean[channel]) * inverse[channel]
                    let pull = (Float(sums[channel]) + normalised * Float(products[channel])) / Float(rows)
                    dx[i] = gain[channel] * inverse[channel] * (dx[i] - pull)
                }
            }
        }
        let unbiased = Float(rows) / Float(max(rows - 1, 1))
        gradient.weight.add(Tensor(products.map(Float.init), shape: [c]))
        gradient.bias.add(Tensor(sums.map(Float.init), shape: [c]))
        gradient.runningMean.add(Tensor(mean, shape: [c]))
        gradient.runningVariance.add(Tensor(variance.map { $0 * unbiased }, shape: [c]))
        kept.finish(gradient)
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        visitor(path / "bias", .learned, &bias)
        visitor(path / "running_mean", .measured, &runningMean)
        visitor(path / "running_var", .measured, &runningVariance)
    }

    /// Mean and population variance of every channel.
    private static func statistics(of x: Tensor) -> (mean: [Float], variance: [Float]) {
        let (rows, c) = (x.rows, x.c)
        var sums = [Double](repeating: 0, count: c)
        var squares = sums
        x.withPointer { x in
            for i in 0..<rows * c { sums[i % c] += Double(x[i]) }
            for i in 0..<rows * c {
                let deviation = Double(x[i]) - sums[i % c] / Double(rows)
                squares[i % c] += deviation * deviation
            }
        }
        return (sums.map { Float($0 / Double(rows)) }, squares.map { Float($0 / Double(rows)) })
    }
}
