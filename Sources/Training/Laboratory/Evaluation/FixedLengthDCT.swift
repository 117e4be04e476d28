/// See ``DCTBaseline/Coding/fixedLength``.
struct FixedLengthDCT {
    /// The quantised values in the layout of ``DCTBands/values`` (empty for a band without bits), and the bits of a picture.
    let coded: (values: [[Float]], bits: Double)

    private static let mostBits = 8

    init(_ bands: DCTBands, bits: Double) {
        var tables = bands.values.map(Table.init)
        // Bits that coefficients of each band have; the first `extra` of a block have one more.
        var depth = [Int](repeating: 0, count: tables.count)
        var extra = depth
        var left = Int(bits) / bands.blocks
        while left > 0, let band = Self.mostRewarding(&tables, depth) {
            let granted = min(left, bands.bands[band].perBlock)
            if granted == bands.bands[band].perBlock { depth[band] += 1 } else { extra[band] = granted }
            left -= granted
        }
        let values = bands.values.indices.map { band in
            Self.quantized(bands.values[band], &tables[band], depth[band], extra: extra[band], perBlock: bands.bands[band].perBlock)
        }
        coded = (values, Double(Int(bits) / bands.blocks * bands.blocks))
    }

    /// The band whose coefficients gain most from one more bit each, or nil when no bit helps.
    private static func mostRewarding(_ tables: inout [Table], _ depth: [Int]) -> Int? {
        while true {
            let open = tables.indices.filter { depth[$0] < mostBits }
            guard let best = open.max(by: { tables[$0].gain(depth[$0]) < tables[$1].gain(depth[$1]) }) else { return nil }
            if tables[best].isKnown(depth[best] + 1) { return tables[best].gain(depth[best]) > 0 ? best : nil }
            tables[best].learn(depth[best] + 1)
        }
    }

    private static func quantized(_ values: [Float], _ table: inout Table, _ depth: Int, extra: Int, perBlock: Int) -> [Float] {
        guard depth + extra > 0 else { return [] }
        let (fewer, more) = (table.quantizer(depth), extra > 0 ? table.quantizer(depth + 1) : nil)
        return values.enumerated().map { index, value in
            let quantizer = index % perBlock < extra ? more : fewer
            return quantizer.map { $0(value) } ?? 0
        }
    }

    /// The quantisers of one band, made when they are first asked for.
    private struct Table {
        private let sorted: [Float]
        private let sums, squares: [Double]
        private var quantizers: [Int: ScalarQuantizer] = [:]

        init(_ values: [Float]) {
            sorted = values.sorted()
            sums = sorted.reduce(into: [0]) { $0.append($0[$0.count - 1] + Double($1)) }
            squares = sorted.reduce(into: [0]) { $0.append($0[$0.count - 1] + Double($1) * Double($1)) }
        }

        func isKnown(_ bits: Int) -> Bool { bits == 0 || quantizers[bits] != nil }

        mutating func learn(_ bits: Int) {
            quantizers[bits] = ScalarQuantizer(sorted, sums: sums, squares: squares, bits: bits)
        }

        mutating func quantizer(_ bits: Int) -> ScalarQuantizer? {
            if !isKnown(bits) { learn(bits) }
            return quantizers[bits]
        }

        /// What one more bit than `bits` saves per coefficient; at most everything, while that is not known.
        func gain(_ bits: Int) -> Double {
            (distortion(bits) - (quantizers[bits + 1]?.distortion ?? 0)) / Double(sorted.count)
        }

        private func distortion(_ bits: Int) -> Double {
            bits == 0 ? squares[squares.count - 1] : quantizers[bits]?.distortion ?? 0
        }
    }
}
