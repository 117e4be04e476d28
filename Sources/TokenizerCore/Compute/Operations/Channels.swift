import CKernels

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
        withPointers(writing: &y, reading: x) { y, x in
            for i in 0..<count {
                var sum: Float = 0
                for j in 0..<size { sum += x[i * size + j] }
                y[i] = sum * factor
            }
        }
        return y
    }

    private static func spread(_ x: Tensor, size: Int, factor: Float) -> Tensor {
        var y = Tensor(uninitialized: x.shape.dropLast() + [x.c * size])
        let count = x.count
        withPointers(writing: &y, reading: x) { y, x in
            for i in 0..<count {
                let value = x[i] * factor
                for j in 0..<size { y[i * size + j] = value }
            }
        }
        return y
    }
}

extension Tensor {
    /// Joins feature maps of equal size channel after channel.
    package static func concatenatingChannels(_ parts: [Tensor]) -> Tensor {
        let width = parts.reduce(0) { $0 + $1.c }
        var whole = Tensor(uninitialized: parts[0].shape.dropLast() + [width])
        let rows = whole.rows
        whole.withMutablePointer { target in
            var offset = 0
            for part in parts {
                precondition(part.rows == rows, "\(part.shape) has other positions than \(parts[0].shape)")
                let c = part.c
                let target = target + offset
                part.withPointer { source in
                    RowPieces.forEach(rows: rows, width: c) { range in
                        for row in range { (target + row * width).update(from: source + row * c, count: c) }
                    }
                }
                offset += c
            }
        }
        return whole
    }
}

extension Tensor {
    /// The first `count` channels of a feature map.
    package func leadingChannels(_ count: Int) -> Tensor {
        precondition(count <= c, "\(shape) has no \(count) channels")
        return withWidth(count)
    }

    /// The gradient of ``leadingChannels(_:)``: zeros behind the channels that there are, `width` in all.
    package func followedByZeros(to width: Int) -> Tensor {
        precondition(width >= c, "\(shape) has more than \(width) channels")
        return withWidth(width)
    }

    private func withWidth(_ width: Int) -> Tensor {
        let (rows, c) = (self.rows, self.c)
        let common = min(c, width)
        var y = Tensor(uninitialized: shape.dropLast() + [width])
        withPointers(writing: &y, reading: self) { y, x in
            RowPieces.forEach(rows: rows, width: max(c, width)) { range in
                for row in range {
                    (y + row * width).update(from: x + row * c, count: common)
                    (y + row * width + common).update(repeating: 0, count: width - common)
                }
            }
        }
        return y
    }
}

extension Tensor {
    /// Each channel by its own line, `x · scale + shift + shortcut`, in place where nobody else holds the memory.
    ///
    /// - Parameters:
    ///   - scale: `[c]`, and so is `shift`.
    ///   - shortcut: of this tensor's shape.
    package consuming func scalingChannels(by scale: [Float], shiftedBy shift: [Float], adding shortcut: Tensor?) -> Tensor {
        let (rows, c, kernels) = (self.rows, self.c, ComputeContext.current.kernels)
        precondition(scale.count == c && shift.count == c, "\(scale.count) scales for \(shape)")
        var y = self
        withPointers(writing: &y, reading: shortcut) { y, shortcut in
            RowPieces.forEach(rows: rows, width: c) { range in
                let offset = range.lowerBound * c
                kernels.scale_shift(y + offset, range.count, c, scale, shift, .REVQ_IDENTITY, shortcut.map { $0 + offset }, y + offset)
            }
        }
        return y
    }
}
