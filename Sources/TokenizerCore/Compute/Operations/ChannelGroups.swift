/// The parameter-free shortcuts of DC-AE: channels averaged in consecutive groups, or each repeated.
package enum ChannelGroups {
    /// `[…, c]` → `[…, c/size]`: the mean of every `size` consecutive channels.
    /// - Precondition: `size` divides c.
    package static func mean(_ x: Tensor, size: Int) -> Tensor {
        reduce(x, size: size, factor: 1 / Float(size))
    }

    /// The gradient of ``mean(_:size:)``.
    package static func meanBackward(_ dy: Tensor, size: Int) -> Tensor {
        spread(dy, size: size, factor: 1 / Float(size))
    }

    /// `[…, c]` → `[…, c·count]`: every channel `count` times in a row.
    ///
    /// Source: `torch.repeat_interleave`.
    package static func `repeat`(_ x: Tensor, count: Int) -> Tensor {
        spread(x, size: count, factor: 1)
    }

    /// The gradient of ``repeat(_:count:)``.
    package static func repeatBackward(_ dy: Tensor, count: Int) -> Tensor {
        reduce(dy, size: count, factor: 1)
    }

    private static func reduce(_ x: Tensor, size: Int, factor: Float) -> Tensor {
        precondition(x.c % size == 0, "groups of \(size) do not divide \(x.c) channels")
        var y = Tensor(uninitialized: x.shape.dropLast() + [x.c / size])
        let count = y.count
        y.withMutablePointer { y in
            x.withPointer { x in
                for i in 0..<count {
                    var sum: Float = 0
                    for j in 0..<size { sum += x[i * size + j] }
                    y[i] = sum * factor
                }
            }
        }
        return y
    }

    private static func spread(_ x: Tensor, size: Int, factor: Float) -> Tensor {
        var y = Tensor(uninitialized: x.shape.dropLast() + [x.c * size])
        let count = x.count
        y.withMutablePointer { y in
            x.withPointer { x in
                for i in 0..<count {
                    let value = x[i] * factor
                    for j in 0..<size { y[i * size + j] = value }
                }
            }
        }
        return y
    }
}
