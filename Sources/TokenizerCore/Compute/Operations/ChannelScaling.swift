import CKernels

extension Tensor {
    /// Each channel by its own line, `x · scale + shift + shortcut`, in place where nobody else holds the memory.
    ///
    /// - Parameters:
    ///   - scale: `[c]`, and so is `shift`.
    ///   - shortcut: of this tensor's shape.
    package consuming func scalingChannels(by scale: [Float], shiftedBy shift: [Float], adding shortcut: Tensor?) -> Tensor {
        let (rows, c, kernels) = (self.rows, self.c, InstructionSet.current.kernels)
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
