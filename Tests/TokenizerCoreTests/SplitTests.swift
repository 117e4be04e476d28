import TestSupport
import Testing

@testable import Files
@testable import TokenizerCore

@Suite struct SplitTests {
    private static let keys = (0..<4000).map { PictureKey(standingFor: "\($0)") }

    @Test(arguments: ["80/10/10", "60/15/25", "98/1/1"])
    func partsHaveTheirShares(shares: String) throws {
        let split = try #require(Split(shares: shares, seed: 3))
        for part in Split.Part.allCases {
            let places = Self.keys.map(split.place).filter { $0.part == part }
            let expected = Double(split.share(of: part)) / 100 * Double(Self.keys.count)
            #expect(abs(Double(places.count) - expected) < 4 * expected.squareRoot(), "\(part)")
            let lower = places.count { $0.quantile < 0.5 }
            #expect(places.allSatisfy { (0..<1).contains($0.quantile) })
            #expect(abs(2 * lower - places.count) < 4 * Int(Double(places.count).squareRoot()) + 1, "\(part)")
        }
    }

    /// These parts must never change: what was trained before would then have met what is reported on.
    @Test func aPicturesPartIsFixedByContentsAndSeed() {
        let parts = Self.keys.prefix(40).map { String(Split.usual.part(of: $0).rawValue.first!) }.joined()
        #expect(parts == Self.fixed)
        #expect(parts != Self.keys.prefix(40).map { String(Split(choosing: 10, reporting: 10, seed: 1)!.part(of: $0).rawValue.first!) }.joined())
        #expect(PictureKey(FileDigest(contents: [1, 2, 3])).digits == "039058c6f2c0cb49")
    }

    private static let fixed = "tttttcttttttttttttctttttctttttttctttttct"

    @Test(arguments: ["80/10", "80/10/11", "100/0/0", "80/20/0", "a/b/c", "", "80/10/10/0", "110/-5/-5"])
    func sharesThatDealToNoThreePartsAreNone(shares: String) {
        #expect(Split(shares: shares) == nil)
    }

    @Test func recordsSurviveTheDiskAndJoin() throws {
        let split = Split.usual
        let (first, second) = (
            PictureParts(split, of: Self.keys.prefix(300)), PictureParts(Split(choosing: 20, reporting: 20)!, of: Self.keys.prefix(400))
        )
        let read = try JSONFile.bytes(first).withUnsafeBytes { bytes in
            try withTemporaryFile(Array(bytes)) { try JSONFile.read(PictureParts.self, from: $0) }
        }
        #expect(read == first && read.split == split)
        var joined = first
        joined.join(second)
        #expect(Set(joined.training) == Set(first.training).union(second.training))
        #expect(joined.seen.isDisjoint(with: joined.reporting))
        #expect(joined.training.count + joined.choosing.count + joined.reporting.count == 400)
        #expect(first.training.count + first.choosing.count + first.reporting.count == 300)
        #expect(PictureParts(split, of: Self.keys.prefix(300) + Self.keys.prefix(300)) == first, "a copy of a picture is that picture")
    }

    private func withTemporaryFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
        try withScratchFolder { folder in
            try StoredFile.write(bytes, to: folder + "/file")
            return try body(folder + "/file")
        }
    }

    @Test func anIntervalIsOfPicturesAndTheSameEveryTime() {
        let values = (0..<50).map { Double($0 % 7) }
        let mean = PictureMean(values, of: Array(0..<50))
        #expect(mean == PictureMean(values, of: Array(0..<50)))
        #expect(abs(mean.mean - values.reduce(0, +) / 50) < 1e-12 && mean.pictures == 50)
        // The deviation of the mean is that of the values over √50, 0.28.
        #expect(abs(mean.low! - (mean.mean - 0.56)) < 0.12 && abs(mean.high! - (mean.mean + 0.56)) < 0.12)
        // Ten crops of each of five pictures say what five pictures say.
        let crops = PictureMean((0..<50).map { Double($0 / 10) }, of: (0..<50).map { $0 / 10 })
        #expect(crops == PictureMean([0, 1, 2, 3, 4], of: Array(0..<5)) && crops.pictures == 5)
        #expect(PictureMean([3], of: [0]).low == nil)
    }
}
