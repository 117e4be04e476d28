/// The attention core of DC-AE: similarity is `relu(q)·relu(k)`, so that keys and values can be summed up once for all queries.
///
/// diffusers forms the similarities themselves where positions are fewer than a head's dimension; the function is the same.
///
/// Heads are runs of `3·d` consecutive channels holding q, k and v: head 0's k is channels d ..< 2d of the *concatenated* projections.
/// Each (image, head) is one piece of work.
///
/// Source: diffusers `SanaMultiscaleLinearAttention.apply_linear_attention` and `apply_quadratic_attention`.
struct ReLUAttention: Sendable {
    let headDimension: Int
    private static let epsilon: Float = 1e-15

    /// - Parameter qkv: `[n, h, w, heads·3·d]`.
    /// - Returns: `[n, h, w, heads·d]`.
    func forward(_ qkv: Tensor) -> Tensor {
        let geometry = Heads(qkv, headDimension)
        let kernels = InstructionSet.current.kernels
        var y = Tensor(uninitialized: qkv.shape.dropLast() + [geometry.outputWidth])
        y.withMutablePointer { y in
            qkv.withPointer { qkv in
                geometry.forEach { head in
                    var scratch = Tensor(uninitialized: [headDimension * (headDimension + 1)])
                    scratch.withMutablePointer { scratch in
                        kernels.attend(
                            qkv + geometry.inputOffset(head), geometry.positions, geometry.inputWidth, headDimension, Self.epsilon,
                            y + geometry.outputOffset(head), geometry.outputWidth, scratch)
                    }
                }
            }
        }
        return y
    }

    /// The gradient for `qkv`.
    func backward(_ dy: Tensor, qkv: Tensor) -> Tensor {
        let geometry = Heads(qkv, headDimension)
        let kernels = InstructionSet.current.kernels
        let scratchCount = kernels.attend_backward_scratch(geometry.positions, headDimension)
        var dqkv = Tensor(uninitialized: qkv.shape)
        dqkv.withMutablePointer { dqkv in
            qkv.withPointer { qkv in
                dy.withPointer { dy in
                    geometry.forEach { head in
                        let (input, output) = (geometry.inputOffset(head), geometry.outputOffset(head))
                        var scratch = Tensor(uninitialized: [scratchCount])
                        scratch.withMutablePointer { scratch in
                            kernels.attend_backward(
                                qkv + input, geometry.positions, geometry.inputWidth, headDimension, Self.epsilon, dy + output,
                                geometry.outputWidth, dqkv + input, scratch)
                        }
                    }
                }
            }
        }
        return dqkv
    }
}

/// How heads lie in a feature map of concatenated projections.
private struct Heads {
    let images, positions, heads, headDimension: Int

    init(_ qkv: Tensor, _ headDimension: Int) {
        precondition(qkv.c % (3 * headDimension) == 0, "\(qkv.c) channels are not heads of 3·\(headDimension)")
        images = qkv.n
        positions = qkv.h * qkv.w
        heads = qkv.c / (3 * headDimension)
        self.headDimension = headDimension
    }

    var inputWidth: Int { heads * 3 * headDimension }
    var outputWidth: Int { heads * headDimension }

    func inputOffset(_ piece: Int) -> Int { piece / heads * positions * inputWidth + piece % heads * 3 * headDimension }
    func outputOffset(_ piece: Int) -> Int { piece / heads * positions * outputWidth + piece % heads * headDimension }

    func forEach(_ body: (_ piece: Int) -> Void) {
        let products = images * heads * positions * 2 * headDimension * (headDimension + 1)
        let cost = ComputeProfile.Cost(multiplications: products, floats: images * positions * (inputWidth + outputWidth))
        Workers.forEach(images * heads, operation: "attention", cost: cost, body)
    }
}
