/// The attention core of DC-AE: similarity is `relu(q)·relu(k)`, so that keys and values can be summed up once for all queries.
///
/// diffusers forms the similarities themselves where positions are fewer than a head's dimension; the function is the same.
///
/// Heads are runs of `3·d` consecutive channels holding q, k and v: head 0's k is channels d ..< 2d of the *concatenated* projections.
/// Each (image, head) is one piece of work. The scales are attended to one by one, their results lie side by side.
///
/// Source: diffusers `SanaMultiscaleLinearAttention.apply_linear_attention` and `apply_quadratic_attention`.
package struct ReLUAttention: Sendable {
    let headDimension: Int
    private static let epsilon: Float = 1e-15

    package init(headDimension: Int) {
        self.headDimension = headDimension
    }

    /// - Parameter views: queries, keys and values at each scale, `[n, h, w, heads·3·d]`.
    /// - Returns: `[n, h, w, views·heads·d]`.
    package func forward(_ views: [Tensor]) -> Tensor {
        let geometry = Heads(views, headDimension)
        let kernels = ComputeContext.current.kernels
        let scratchCount = kernels.attend_scratch(geometry.positions, headDimension)
        var y = Tensor(uninitialized: views[0].shape.dropLast() + [geometry.outputWidth])
        for (index, qkv) in views.enumerated() {
            withPointers(writing: &y, reading: qkv) { y, qkv in
                geometry.forEach { head in
                    withScratch(scratchCount) { scratch in
                        kernels.attend(
                            qkv + geometry.inputOffset(head), geometry.positions, geometry.inputWidth, headDimension, Self.epsilon,
                            y + geometry.outputOffset(head, view: index), geometry.outputWidth, scratch)
                    }
                }
            }
        }
        return y
    }

    /// The gradients for `views`.
    package func backward(_ dy: Tensor, _ views: [Tensor]) -> [Tensor] {
        let geometry = Heads(views, headDimension)
        let kernels = ComputeContext.current.kernels
        let scratchCount = kernels.attend_backward_scratch(geometry.positions, headDimension)
        return views.enumerated().map { index, qkv in
            var dqkv = Tensor(uninitialized: qkv.shape)
            withPointers(writing: &dqkv, reading: qkv, dy) { dqkv, qkv, dy in
                geometry.forEach { head in
                    let input = geometry.inputOffset(head)
                    withScratch(scratchCount) { scratch in
                        kernels.attend_backward(
                            qkv + input, geometry.positions, geometry.inputWidth, headDimension, Self.epsilon,
                            dy + geometry.outputOffset(head, view: index), geometry.outputWidth, dqkv + input, scratch)
                    }
                }
            }
            return dqkv
        }
    }
}

/// How heads lie in the feature maps of one scale, and in what is made of those of all.
private struct Heads {
    let images, positions, heads, headDimension, views: Int

    init(_ views: [Tensor], _ headDimension: Int) {
        let qkv = views[0]
        precondition(qkv.c % (3 * headDimension) == 0, "\(qkv.c) channels are not heads of 3·\(headDimension)")
        precondition(views.allSatisfy { $0.shape == qkv.shape }, "scales of \(views.map(\.shape))")
        images = qkv.n
        positions = qkv.h * qkv.w
        heads = qkv.c / (3 * headDimension)
        self.headDimension = headDimension
        self.views = views.count
    }

    var inputWidth: Int { heads * 3 * headDimension }
    var outputWidth: Int { views * heads * headDimension }

    func inputOffset(_ piece: Int) -> Int { piece / heads * positions * inputWidth + piece % heads * 3 * headDimension }
    func outputOffset(_ piece: Int, view: Int) -> Int {
        piece / heads * positions * outputWidth + (view * heads + piece % heads) * headDimension
    }

    /// Calls `body` for each head of each image, of one view.
    func forEach(_ body: (_ piece: Int) -> Void) {
        let products = images * heads * positions * 2 * headDimension * (headDimension + 1)
        let cost = ComputeProfile.Cost(multiplications: products, floats: images * positions * heads * 4 * headDimension)
        Workers.forEach(images * heads, operation: "attention", cost: cost, body)
    }
}
