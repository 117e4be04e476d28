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
        var dqkv = Tensor(uninitialized: qkv.shape)
        dqkv.withMutablePointer { dqkv in
            dy.withPointer { dy in
                geometry.forEach { head in
                    let parts = HeadParts(qkv, head, geometry)
                    let output = MatrixView(base: dy + geometry.outputOffset(head), stride: geometry.outputWidth)
                    backward(output, parts, into: dqkv + geometry.inputOffset(head), stride: geometry.inputWidth)
                }
            }
        }
        return dqkv
    }

    /// o = (q·M) / (q·Σk + ε) with M = kᵀv.
    private func linear(_ parts: HeadParts, into y: UnsafeMutablePointer<Float>, stride: Int) {
        let (d, positions) = (headDimension, parts.positions)
        let memory = parts.memory()
        memory.withPointer { memory in
            parts.q.withPointer { q in
                MatrixProduct.multiply(
                    MatrixView(base: q, stride: d), MatrixView(base: memory, stride: d), into: y, stride: stride, m: positions, n: d, k: d)
            }
        }
        let weights = parts.totals(epsilon: Self.epsilon)
        for i in 0..<positions {
            for j in 0..<d { y[i * stride + j] /= weights[i] }
        }
    }

    private func backward(_ dy: MatrixView, _ parts: HeadParts, into dqkv: UnsafeMutablePointer<Float>, stride: Int) {
        let (d, positions) = (headDimension, parts.positions)
        let memory = parts.memory()
        let weights = parts.totals(epsilon: Self.epsilon)
        var output = Tensor(uninitialized: [positions, d])
        output.withMutablePointer { linear(parts, into: $0, stride: d) }
        // o = a / t: da = do / t, dt = −(do · o) / t.
        var da = Tensor(uninitialized: [positions, d])
        var dt = [Float](repeating: 0, count: positions)
        da.withMutablePointer { da in
            output.withPointer { output in
                for i in 0..<positions {
                    for j in 0..<d {
                        let share = dy.base[i * dy.stride + j] / weights[i]
                        da[i * d + j] = share
                        dt[i] -= share * output[i * d + j]
                    }
                }
            }
        }
        var dmemory = Tensor(uninitialized: [d, d])
        var dq = Tensor(uninitialized: [positions, d]), dk = dq, dv = dq
        let view = { (pointer: UnsafePointer<Float>) in MatrixView(base: pointer, stride: d) }
        parts.q.withPointer { q in
            da.withPointer { da in
                dmemory.withMutablePointer { MatrixProduct.multiply(view(q).transposed, view(da), into: $0, stride: d, m: d, n: d, k: positions) }
                memory.withPointer { memory in
                    dq.withMutablePointer { MatrixProduct.multiply(view(da), view(memory).transposed, into: $0, stride: d, m: positions, n: d, k: d) }
                }
            }
        }
        dmemory.withPointer { dmemory in
            parts.v.withPointer { v in
                dk.withMutablePointer { MatrixProduct.multiply(view(v), view(dmemory).transposed, into: $0, stride: d, m: positions, n: d, k: d) }
            }
            parts.k.withPointer { k in
                dv.withMutablePointer { MatrixProduct.multiply(view(k), view(dmemory), into: $0, stride: d, m: positions, n: d, k: d) }
            }
        }
        store(parts, dq: dq, dk: dk, dv: dv, dt: dt, into: dqkv, stride: stride)
    }

    /// Adds what flows through the totals t = q·Σk, masks q and k where ReLU was zero, and writes the head's channels.
    private func store(
        _ parts: HeadParts, dq: Tensor, dk: Tensor, dv: Tensor, dt: [Float], into dqkv: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let (d, positions) = (headDimension, parts.positions)
        let keySum = parts.keySum
        let (q, k, dq, dk, dv) = (parts.q.values, parts.k.values, dq.values, dk.values, dv.values)
        var dkeySum = [Float](repeating: 0, count: d)
        for i in 0..<positions {
            for j in 0..<d { dkeySum[j] += dt[i] * q[i * d + j] }
        }
        for i in 0..<positions {
            let row = dqkv + i * stride
            for j in 0..<d {
                row[j] = q[i * d + j] > 0 ? dq[i * d + j] + dt[i] * keySum[j] : 0
                row[d + j] = k[i * d + j] > 0 ? dk[i * d + j] + dkeySum[j] : 0
                row[2 * d + j] = dv[i * d + j]
            }
        }
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
        Workers.forEach(images * heads, body)
    }
}

/// One head of one image: relu(q), relu(k) and v, each `[positions, d]` and contiguous.
private struct HeadParts {
    let q, k, v: Tensor
    let positions, d: Int

    init(_ qkv: Tensor, _ piece: Int, _ geometry: Heads) {
        let (d, positions, stride) = (geometry.headDimension, geometry.positions, geometry.inputWidth)
        var (q, k, v) = (Tensor(uninitialized: [positions, d]), Tensor(uninitialized: [positions, d]), Tensor(uninitialized: [positions, d]))
        qkv.withPointer { qkv in
            let start = qkv + geometry.inputOffset(piece)
            q.withMutablePointer { for i in 0..<positions { for j in 0..<d { $0[i * d + j] = max(0, start[i * stride + j]) } } }
            k.withMutablePointer { for i in 0..<positions { for j in 0..<d { $0[i * d + j] = max(0, start[i * stride + d + j]) } } }
            v.withMutablePointer { for i in 0..<positions { for j in 0..<d { $0[i * d + j] = start[i * stride + 2 * d + j] } } }
        }
        (self.q, self.k, self.v, self.positions, self.d) = (q, k, v, positions, d)
    }

    /// kᵀv, `[d, d]`.
    func memory() -> Tensor {
        var memory = Tensor(uninitialized: [d, d])
        memory.withMutablePointer { memory in
            k.withPointer { k in
                v.withPointer { v in
                    MatrixProduct.multiply(
                        MatrixView(base: k, stride: d).transposed, MatrixView(base: v, stride: d), into: memory, stride: d,
                        m: d, n: d, k: positions)
                }
            }
        }
        return memory
    }

    /// Σ over positions of k, `[d]`.
    var keySum: [Float] {
        var sum = [Float](repeating: 0, count: d)
        k.withPointer { k in
            for i in 0..<positions { for j in 0..<d { sum[j] += k[i * d + j] } }
        }
        return sum
    }

    /// q·Σk + ε for every query.
    func totals(epsilon: Float) -> [Float] {
        let keySum = keySum
        return q.withPointer { q in
            (0..<positions).map { i in
                var total: Float = 0
                for j in 0..<d { total += q[i * d + j] * keySum[j] }
                return total + epsilon
            }
        }
    }
}
