import Compute

/// The sides that training crops may have: one for each step.
package struct CropSides: Codable, Equatable, Sendable {
    /// Ascending.
    let all: [Int]

    /// - Precondition: at least one.
    package init(_ sides: [Int]) {
        precondition(!sides.isEmpty, "crops need a side")
        all = Set(sides).sorted()
    }

    var smallest: Int { all.first! }
    var largest: Int { all.last! }

    /// Each is as likely.
    func side(step: Int, seed: UInt64) -> Int {
        guard all.count > 1 else { return largest }
        var random = RandomSource(seed: seed, stream: RandomSource.stream(named: "crop sides")).substream(UInt64(step))
        return all[random.below(all.count)]
    }

    /// A number where there is one, as runs of earlier versions have it.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self.init(try (try? container.decode(Int.self)).map { [$0] } ?? container.decode([Int].self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if all.count == 1 { try container.encode(all[0]) } else { try container.encode(all) }
    }
}

extension CropSides: ExpressibleByIntegerLiteral {
    package init(integerLiteral side: Int) { self.init([side]) }
}
