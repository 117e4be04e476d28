/// Where the kernels expect the parts of a codebook: the boxes of regions of 16 cells, `[d][low, high][regions]`, those of the cells,
/// `[d][low, high][cells]`, then the cells, each `codes[d][64]` and the bits of their 32-bit `indices[64]`.
struct CodebookLayout: Sendable {
    let codes: Int
    let d: Int

    /// Boxes are compared 16 at a time, and a region has so many cells.
    private static let boxesAtATime = 16

    /// Number of cells, those that fill up the last region included.
    var cells: Int { Self.filledUp((codes + CodeCells.size - 1) / CodeCells.size) }
    /// Number of regions, those that fill up the last 16 included.
    var regions: Int { Self.filledUp(cells / Self.boxesAtATime) }

    private static func filledUp(_ boxes: Int) -> Int { (boxes + boxesAtATime - 1) / boxesAtATime * boxesAtATime }

    private var boxesCount: Int { 2 * d * (regions + cells) }
    private var cellCount: Int { (d + 1) * CodeCells.size }
    /// Floats in all.
    var count: Int { boxesCount + cells * cellCount }

    /// - Parameters:
    ///   - codebook: `[codes, d]`.
    ///   - target: receives ``count`` floats.
    func arrange(_ codebook: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        let order = CodeCells.order(codebook, count: codes, d: d)
        target.update(repeating: .infinity, count: count)
        let boxes = target + 2 * d * regions
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
                let values = UnsafeBufferPointer(start: start + axis * CodeCells.size, count: members.count)
                boxes[2 * axis * cells + cell] = values.min()!
                boxes[(2 * axis + 1) * cells + cell] = values.max()!
            }
        }
        boxRegions(of: boxes, into: target)
    }

    /// - Parameters:
    ///   - boxes: those of the cells.
    ///   - target: receives those of the regions that hold codes.
    private func boxRegions(of boxes: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        let occupied = (codes + CodeCells.size - 1) / CodeCells.size
        for first in stride(from: 0, to: occupied, by: Self.boxesAtATime) {
            let (region, members) = (first / Self.boxesAtATime, min(Self.boxesAtATime, occupied - first))
            for axis in 0..<d {
                let low = UnsafeBufferPointer(start: boxes + 2 * axis * cells + first, count: members)
                let high = UnsafeBufferPointer(start: boxes + (2 * axis + 1) * cells + first, count: members)
                target[2 * axis * regions + region] = low.min()!
                target[(2 * axis + 1) * regions + region] = high.max()!
            }
        }
    }
}
