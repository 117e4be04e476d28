import Compute

/// Deals pictures to three parts: what is learned from, what is chosen by, and what is reported on.
///
/// A picture's part follows from its contents alone. So it is the same whatever else a collection holds and however its files are named or
/// ordered, every crop of a picture and every copy of its file is in one part, and what is trained one after the other on the same
/// pictures agrees on them.
package struct Split: Sendable, Hashable, Codable {
    package enum Part: String, Codable, Sendable, CaseIterable {
        /// Weights, codes and statistics are made from it.
        case training
        /// The best epoch and the like are chosen by it.
        case choosing
        /// What is said about the result is measured on it, and nothing else is done with it.
        case reporting
    }

    /// Percent of all pictures, each at least 1 and together at most 99; the rest is for training.
    package let choosing, reporting: Int
    package let seed: UInt64

    /// - Returns: nil where a part would have no share.
    package init?(choosing: Int, reporting: Int, seed: UInt64 = 0) {
        let shares = 1...98
        guard shares.contains(choosing), shares.contains(reporting), choosing + reporting <= 99 else { return nil }
        (self.choosing, self.reporting, self.seed) = (choosing, reporting, seed)
    }

    private init(usual share: Int) {
        (choosing, reporting, seed) = (share, share, 0)
    }

    /// Eight tenths to learn from, one to choose by, one to report on.
    package static let usual = Split(usual: 10)

    /// Where a picture belongs.
    package func part(of key: PictureKey) -> Part { place(of: key).part }

    /// Where a picture belongs, and where in that part it stands: uniform in 0 ..< 1, so that those below q are a fair share q of the part.
    package func place(of key: PictureKey) -> (part: Part, quantile: Double) {
        var random = RandomSource(seed: seed, stream: RandomSource.stream(named: "split \(key.digits)"))
        let percent = Double(random.next() >> 11) * 0x1p-53 * 100
        let (chosen, reported) = (Double(choosing), Double(reporting))
        if percent < reported { return (.reporting, percent / reported) }
        if percent < reported + chosen { return (.choosing, (percent - reported) / chosen) }
        return (.training, (percent - reported - chosen) / (100 - reported - chosen))
    }

    /// Percent of all pictures.
    package func share(of part: Part) -> Int {
        switch part {
        case .training: 100 - choosing - reporting
        case .choosing: choosing
        case .reporting: reporting
        }
    }
}

/// As users write it: `80/10/10`.
extension Split: CustomStringConvertible {
    /// - Parameter shares: percent for training, choosing and reporting, which add up to 100.
    /// - Returns: nil where they do not, or one is nothing.
    package init?(shares: String, seed: UInt64 = 0) {
        let numbers = shares.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let training = numbers[0], let choosing = numbers[1], let reporting = numbers[2],
            (1...98).contains(training), (1...98).contains(choosing), (1...98).contains(reporting), training + choosing + reporting == 100
        else { return nil }
        self.init(choosing: choosing, reporting: reporting, seed: seed)
    }

    package var shares: String { "\(share(of: .training))/\(choosing)/\(reporting)" }

    package var description: String { seed == 0 ? shares : "\(shares), seed \(seed)" }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let shares = try values.decode(String.self, forKey: .shares)
        guard let split = Split(shares: shares, seed: try values.decode(UInt64.self, forKey: .seed)) else {
            throw DecodingError.dataCorruptedError(forKey: .shares, in: values, debugDescription: "\(shares.prefix(40)) deals to no three parts")
        }
        self = split
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(shares, forKey: .shares)
        try values.encode(seed, forKey: .seed)
    }

    private enum Key: CodingKey {
        case shares, seed
    }
}
