import Files
import Images
import Jobs

extension TokenizingRun {
    /// Draws some of this job's pictures from the tokens in the files, spread over all of them, and says how near they come.
    /// - Throws: when there is no picture, or a file cannot be read.
    package func verify(_ count: Int) throws(FileError) {
        var figures: [Double] = []
        var held: [Int] = []
        for part in parts where try !folder.index(part).usable.isEmpty { held.append(part) }
        let samples = Dictionary(grouping: Self.spread(count, over: held.count), by: { held[$0] })
        for (part, samples) in samples.sorted(by: { $0.key < $1.key }) {
            let index = try folder.index(part)
            let chosen = Set(Self.spread(samples.count, over: index.usable.count)).sorted()
            let tokens = try folder.tokens(index, terms)
            for place in chosen { figures.append(try decibels(index.usable[place], tokens[place])) }
        }
        guard !figures.isEmpty else { throw FileError(path: folder.path, reason: "\(folder.path) holds no picture to verify") }
        let mean = Figure.decimals(figures.reduce(0, +) / Double(figures.count), 2)
        console.say(
            "verified \(Figure.count(figures.count, "image")): PSNR \(mean) dB on average, \(Figure.decimals(figures.min()!, 2)) to \(Figure.decimals(figures.max()!, 2))"
        )
    }

    /// `count` of `total` places, equally far from each other; where there are fewer, some more than once.
    private static func spread(_ count: Int, over total: Int) -> [Int] {
        total == 0 ? [] : (0..<count).map { (2 * $0 + 1) * total / (2 * count) }
    }

    /// Between a picture's first view and what its tokens draw.
    private func decibels(_ picture: PictureEntry, _ tokens: [Int32]) throws(FileError) -> Double {
        let bytes = try source.bytes(at: picture.number)
        guard FileDigest(contents: bytes).sha256 == picture.sha256 else {
            throw FileError(path: picture.name, reason: "\(source.path): \(picture.name) was changed while it was tokenized: repeat the command")
        }
        do throws(PictureEncoder.Problem) {
            let drawn = try encoder.draw(
                Array(tokens.prefix(tokens.count / terms.viewsPerPicture)), width: picture.width ?? 0, height: picture.height ?? 0)
            return PeakSignalToNoise.decibels(drawn, try encoder.views(of: bytes)[0])
        } catch {
            throw FileError(path: picture.name, reason: "\(folder.path): \(picture.name): \(error)")
        }
    }
}
