import Compute
import Networks

/// One batch through the rectifier and back.
struct RectifierPass {
    /// Mean squared error after the rectifier.
    private(set) var loss = 0.0
    /// dL/d(parameters).
    private(set) var gradient: Rectifier
    /// dL/d(quantised latents).
    private(set) var inputGradient: Latents

    /// - Parameters:
    ///   - q: quantised latents.
    ///   - z: what they should have been.
    ///   - parts: how many parts of the batch pass one after the other, their gradients added up.
    init(_ rectifier: Rectifier, _ q: Latents, _ z: Latents, parts: Int) {
        gradient = rectifier.zeroed()
        guard rectifier.configuration.network != .identity else {
            let (value, dq) = SquaredError.loss(q.map, z.map)
            (loss, inputGradient) = (value, Latents(dq))
            return
        }
        inputGradient = Latents(Tensor(uninitialized: q.map.shape))
        let n = q.count
        for part in 0..<parts {
            let images = n * part / parts..<n * (part + 1) / parts
            guard !images.isEmpty else { continue }
            add(rectifier, q.images(images).map, z.images(images).map, images, of: n)
        }
    }

    private mutating func add(_ rectifier: Rectifier, _ q: Tensor, _ z: Tensor, _ images: Range<Int>, of n: Int) {
        let share = Double(images.count) / Double(n)
        var kept = Tape.keeping
        let (value, gradientOfOutput) = SquaredError.loss(rectifier.forward(q, keeping: &kept), z)
        var dy = gradientOfOutput
        if images.count < n { dy.multiply(by: Float(share)) }
        let dq = rectifier.backward(dy, from: &kept, into: &gradient)
        loss += value * share
        let start = images.lowerBound * inputGradient.shape.count
        inputGradient.map.withMutablePointer { target in
            dq.withPointer { (target + start).update(from: $0, count: dq.count) }
        }
    }
}
