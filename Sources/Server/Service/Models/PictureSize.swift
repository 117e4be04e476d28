import Images

/// How large a picture is that tokens stand for, as clients say it: `384` for a square, `256x384` for 256 pixels high and 384 wide.
struct PictureSize: Hashable, Sendable, CustomStringConvertible {
    let height, width: Int

    /// - Returns: nil unless both sides can be a picture's at all.
    init?(height: Int, width: Int) {
        guard CentrePreprocessor.sides.contains(height), CentrePreprocessor.sides.contains(width) else { return nil }
        (self.height, self.width) = (height, width)
    }

    /// - Returns: nil where the text is not one or two sides in decimal digits.
    init?(_ text: String) {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false)
        let numbers = sides.compactMap { side in side.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(side) : nil }
        guard numbers.count == sides.count, (1...2).contains(numbers.count) else { return nil }
        self.init(height: numbers[0], width: numbers.last!)
    }

    /// What a text has to be.
    static let form = "the side of a square in pixels, or HEIGHTxWIDTH, up to \(CentrePreprocessor.sides.upperBound) each"

    var pixels: Int { height * width }
    var isSquare: Bool { height == width }
    var description: String { isSquare ? "\(height)" : "\(height)x\(width)" }
    /// In messages, where one number alone would say too little.
    var words: String { "\(height)x\(width) pixels" }
}
