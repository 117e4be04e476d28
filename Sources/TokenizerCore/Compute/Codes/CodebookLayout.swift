/// Where the kernels expect the parts of a codebook: `boxes[d][low, high][cells]`, then cells of `codes[d][64]` and the bits of
/// their 32-bit `indices[64]`.
struct CodebookLayout: Sendable {
    let codes: Int
    let d: Int

    /// Boxes are compared 16 at a time.
    private static let cellsAtATime = 16

    /// Number of cells, those that fill up the last 16 included.
    var cells: Int {
        let perBlock = CodeCells.size * Self.cellsAtATime
        return (codes + perBlock - 1) / perBlock * Self.cellsAtATime
    }

    private var boxesCount: Int { 2 * d * cells }
    private var cellCount: Int { (d + 1) * CodeCells.size }
    /// Floats in all.
    var count: Int { boxesCount + cells * cellCount }

    /// - Parameters:
    ///   - codebook: `[codes, d]`.
    ///   - target: receives ``count`` floats.
    func arrange(_ codebook: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        let order = CodeCells.order(codebook, count: codes, d: d)
        target.update(repeating: .infinity, count: count)
        for cell in 0..<cells {
            let start = target + boxesCount + cell * cellCount
            let indices = start + d * CodeCells.size
            indices.update(repeating: Float(bitPattern: UInt32(Int32.max)), count: CodeCells.size)
            let first = cell * CodeCells.size
            guard first < codes else { continue }
            let members = order[first..<min(first + CodeCells.size, codes)]
            for (place, code) in members.enumerated() {
                indices[place] = Float(bitPattern: UInt32(bitPattern: code))
                for axis in 0..<d { start[axis * CodeCells.size + place] = codebook[Int(code) * d + axis] }
            }
            for axis in 0..<d {
                let (low, high) = (target + 2 * axis * cells + cell, target + (2 * axis + 1) * cells + cell)
                let values = UnsafeBufferPointer(start: start + axis * CodeCells.size, count: members.count)
                low.pointee = values.min()!
                high.pointee = values.max()!
            }
        }
    }
}
