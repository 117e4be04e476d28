import Compute

/// Chooses vectors that lie far apart: each with a probability proportional to its squared distance from the nearest one chosen before.
///
/// Source: k-means++: The Advantages of Careful Seeding (Arthur and Vassilvitskii, 2007).
struct SpreadChoice {
    /// Vectors per code to choose among: more of them hardly change the codes and take as much longer.
    static let candidates = 8

    private typealias Lanes = SIMD8<Float>
    /// Vectors whose distances are summed together, to find the drawn one without walking over all.
    private static let block = 64

    private let d: Int
    private var count = 0
    /// `[blocks][d][block / 8]` lanes.
    private var coordinates: [Lanes]
    /// Squared distance from the nearest chosen vector, `[blocks][block / 8]` lanes; zero for places without a vector.
    private var distances: [Lanes]

    /// - Parameter capacity: how many vectors will be added at most.
    init(capacity: Int, d: Int) {
        self.d = d
        let blocks = (capacity + Self.block - 1) / Self.block
        coordinates = Array(repeating: .zero, count: blocks * d * Self.block / 8)
        distances = Array(repeating: .zero, count: blocks * Self.block / 8)
    }

    /// - Parameter vector: d numbers.
    mutating func add(_ vector: UnsafePointer<Float>) {
        let (lane, place) = (count / 8 % (Self.block / 8), count % 8)
        for j in 0..<d { coordinates[(count / Self.block * d + j) * Self.block / 8 + lane][place] = vector[j] }
        distances[count / 8][place] = .infinity
        count += 1
    }

    /// Writes `codes` chosen vectors to `target`, `[codes, d]`. Where fewer are different, the rest are repetitions.
    mutating func choose(_ codes: Int, into target: UnsafeMutablePointer<Float>, _ random: inout RandomSource) {
        var next = random.below(count)
        for code in 0..<codes {
            for j in 0..<d { target[code * d + j] = coordinate(j, of: next) }
            let sums = approach(target + code * d)
            let total = sums.reduce(0, +)
            next = total > 0 && total.isFinite ? draw(Double(random.uniform()) * total, sums) : random.below(count)
        }
    }

    private func coordinate(_ j: Int, of index: Int) -> Float {
        coordinates[(index / Self.block * d + j) * Self.block / 8 + index / 8 % (Self.block / 8)][index % 8]
    }

    /// Takes `code` for chosen.
    /// - Returns: the sum of the distances in each block.
    private mutating func approach(_ code: UnsafePointer<Float>) -> [Double] {
        let lanes = Self.block / 8
        var sums = [Double](repeating: 0, count: distances.count / lanes)
        coordinates.withUnsafeBufferPointer { coordinates in
            distances.withUnsafeMutableBufferPointer { distances in
                for block in sums.indices {
                    var sum = Lanes.zero
                    for lane in 0..<lanes {
                        var squares = Lanes.zero
                        for j in 0..<d {
                            let difference = coordinates[(block * d + j) * lanes + lane] - code[j]
                            squares += difference * difference
                        }
                        let nearest = distances[block * lanes + lane].replacing(with: squares, where: squares .< distances[block * lanes + lane])
                        distances[block * lanes + lane] = nearest
                        sum += nearest
                    }
                    sums[block] = Double(sum.sum())
                }
            }
        }
        return sums
    }

    /// The vector at which the running sum of distances passes `threshold`.
    private func draw(_ threshold: Double, _ sums: [Double]) -> Int {
        var rest = threshold
        let block =
            sums.firstIndex { sum in
                if rest < sum { return true }
                rest -= sum
                return false
            } ?? sums.lastIndex { $0 > 0 }!
        let range = block * Self.block..<min((block + 1) * Self.block, count)
        var last = range.lowerBound
        for index in range where distances[index / 8][index % 8] > 0 {
            last = index
            rest -= Double(distances[index / 8][index % 8])
            if rest < 0 { break }
        }
        return last
    }
}
