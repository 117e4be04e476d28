import Compute
import Networks

/// One batch through the rectifier and back.
struct RectifierPass {
    /// Mean squared error after the rectifier.
    private(set) var loss = 0.0
    /// dL/d(parameters).
    private(set) var gradient: Rectifier
    /// dL/d(quantised latents), `[n, C·H·W]`.
    private(set) var inputGradient: Tensor

    /// - Parameters:
    ///   - q: quantised latents, `[n, C·H·W]`.
    ///   - z: what they should have been.
    ///   - parts: how many parts of the batch pass one after the other, their gradients added up.
    init(_ rectifier: Rectifier, _ q: Tensor, _ z: Tensor, shape: LatentShape, parts: Int) {
        gradient = rectifier.zeroed()
        guard rectifier.configuration.network != .identity else {
            (loss, inputGradient) = SquaredError.loss(q, z)
            return
        }
        inputGradient = Tensor(uninitialized: q.shape)
        let n = q.n
        for part in 0..<parts {
            let images = n * part / parts..<n * (part + 1) / parts
            guard !images.isEmpty else { continue }
            add(rectifier, shape.featureMap(q.images(images)), shape.featureMap(z.images(images)), shape, images, of: n)
        }
    }

    private mutating func add(
        _ rectifier: Rectifier, _ q: Tensor, _ z: Tensor, _ shape: LatentShape, _ images: Range<Int>, of n: Int
    ) {
        let share = Double(images.count) / Double(n)
        var kept = Tape.keeping
        let (value, gradientOfOutput) = SquaredError.loss(rectifier.forward(q, keeping: &kept), z)
        var dy = gradientOfOutput
        if images.count < n { dy.multiply(by: Float(share)) }
        let dq = shape.flattened(rectifier.backward(dy, from: &kept, into: &gradient))
        loss += value * share
        let start = images.lowerBound * shape.count
        inputGradient.withMutablePointer { target in
            dq.withPointer { (target + start).update(from: $0, count: dq.count) }
        }
    }
}
