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
