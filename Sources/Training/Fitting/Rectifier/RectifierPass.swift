import Compute
import Networks
import Ranks

/// One batch through the rectifier and back.
struct RectifierPass {
    /// Mean squared error after the rectifier.
    private(set) var squaredError = 0.0
    /// What it is trained by.
    private(set) var loss = 0.0
    /// dL/d(parameters).
    private(set) var gradient: Rectifier
    /// dL/d(quantised latents); where ranks share the batch, those of this rank's share until ``completeInputGradient(_:)``.
    private(set) var inputGradient: Latents

    /// - Parameters:
    ///   - q: quantised latents.
    ///   - z: what they should have been.
    ///   - loss: what `gradient` is of.
    ///   - parts: how many parts of the batch pass one after the other, their gradients added up.
    ///   - ranks: who shares the batch; their sums differ from those of one process by rounding.
    init(_ rectifier: Rectifier, _ q: Latents, _ z: Latents, loss: RectifierLoss = .latents, parts: Int, ranks: RankGroup = .alone) {
        gradient = rectifier.zeroed()
        guard rectifier.configuration.network != .identity else {
            let (value, dq) = SquaredError.loss(q.map, z.map)
            (squaredError, self.loss, inputGradient) = (value, value, Latents(dq))
            return
        }
        inputGradient = Latents(Tensor(uninitialized: q.map.shape))
        let own = ranks.share(of: q.count)
        let sum = GradientSum(of: 1, ranks, isOverlapping: q.count >= ranks.count)
        let shares = (0..<parts).map { part in
            own.lowerBound + own.count * part / parts..<own.lowerBound + own.count * (part + 1) / parts
        }.filter { !$0.isEmpty }
        for (place, images) in shares.enumerated() {
            // The last one finishes what all have added to.
            let receiver = place == shares.count - 1 ? sum.receiver(0) : nil
            add(rectifier, q.images(images).map, z.images(images).map, loss, images, of: q.count, receiver)
        }
        gradient = sum.sum([gradient])
        let sums = ranks.sum([[squaredError, self.loss]])
        (squaredError, self.loss) = (sums[0], sums[1])
    }

    /// Gives every rank the gradient of the whole batch for the quantised latents.
    mutating func completeInputGradient(_ ranks: RankGroup) {
        guard ranks.count > 1 else { return }
        let (images, count) = (inputGradient.count, inputGradient.map.count)
        inputGradient.map.withMutablePointer { ranks.complete(UnsafeMutableBufferPointer(start: $0, count: count), sharedBy: images) }
    }

    private mutating func add(
        _ rectifier: Rectifier, _ q: Tensor, _ z: Tensor, _ loss: RectifierLoss, _ images: Range<Int>, of n: Int,
        _ receiver: GradientReceiver?
    ) {
        let share = Double(images.count) / Double(n)
        var kept = Tape.keeping
        kept.receiver = receiver
        let y = rectifier.forward(q, keeping: &kept)
        let (value, gradientOfOutput) = loss(y, z)
        var dy = gradientOfOutput
        if images.count < n { dy.multiply(by: Float(share)) }
        let dq = rectifier.backward(dy, from: &kept, into: &gradient)
        self.loss += value * share
        squaredError += (loss.isOfLatents ? value : SquaredError.mean(y, z)) * share
        let start = images.lowerBound * inputGradient.shape.count
        inputGradient.map.withMutablePointer { target in
            dq.withPointer { (target + start).update(from: $0, count: dq.count) }
        }
    }
}
