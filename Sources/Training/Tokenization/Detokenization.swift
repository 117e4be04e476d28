import Compute
import Files
import Images
import Jobs
import TokenizerCore

/// `revq-train detokenize`: a folder of tokens → a PNG file for each picture and view, named by the picture's number.
package struct Detokenization {
    private let folder: TokenFolder
    private let terms: TokenTerms
    private let indices: [PartIndex]
    private let encoder: PictureEncoder
    private let output: String
    private let console: Console

    /// - Throws: when the tokens are another checkpoint's, or a file is missing or truncated; nothing is written.
    package init(_ tokens: String, _ checkpoint: Checkpoint, output: String, _ console: Console) throws {
        folder = TokenFolder(path: tokens)
        guard StoredFile.exists(folder.place(TokenFolder.metadataName)) else {
            throw FileError(path: tokens, reason: "\(tokens) has no \(TokenFolder.metadataName): expected a folder that revq-train tokenize filled")
        }
        let (folder, terms) = (folder, try folder.terms())
        guard terms.fingerprint == checkpoint.fingerprint else {
            throw FileError(
                path: tokens,
                reason:
                    "\(tokens) holds tokens of fingerprint \(terms.fingerprint), the checkpoint has \(checkpoint.fingerprint): name the one that made them"
            )
        }
        indices = try folder.parts().map { try folder.index($0) }
        for index in indices { try folder.checkSizes(index, terms) }
        encoder = try PictureEncoder(checkpoint, size: terms.size, crop: terms.crop, views: terms.views)
        (self.terms, self.output, self.console) = (terms, output, console)
    }

    /// - Returns: how many pictures were drawn; nil when a stop was requested first.
    /// - Throws: when a file is not what was written, or the output cannot be written.
    package func run(isStopRequested: @escaping @Sendable () -> Bool = { StopSignal.isRequested }) throws(FileError) -> Int? {
        try StoredFolder.create(output)
        if indices.count < terms.parts { console.say("only \(indices.count) of \(Figure.count(terms.parts, "part")) are there") }
        let total = indices.reduce(0) { $0 + $1.usable.count }
        var done = 0
        console.begin(total: total, unit: "image")
        for index in indices {
            let (pictures, tokens) = (index.usable, try folder.tokens(index, terms))
            let taken = try draw(pictures, tokens, isStopRequested) {
                done += 1; console.update(done: done)
            }
            guard taken == pictures.count else { break }
        }
        console.closeLine()
        return done == total ? total : nil
    }

    private func draw(
        _ pictures: [PictureEntry], _ tokens: [[Int32]], _ isStopRequested: @escaping @Sendable () -> Bool, _ tell: () -> Void
    ) throws(FileError) -> Int {
        var context = ComputeContext.current
        context.threads = encoder.threadsPerLane
        let work = OrderedWork(threads: encoder.lanes, window: 2 * encoder.lanes, context: context)
        let drawing = PictureDrawing(encoder: encoder, views: terms.viewsPerPicture, tokens: folder.path, output: output)
        return try work.run(pictures.count, isStopRequested: isStopRequested) { place in
            Result { () throws(FileError) in try drawing.draw(pictures[place], tokens[place]) }
        } take: { _, result throws(FileError) in
            try result.get()
            tell()
        }
    }
}

/// How a picture's views are drawn, on any thread.
private struct PictureDrawing: Sendable {
    let encoder: PictureEncoder
    let views: Int
    /// The folder of the tokens, for messages, and that of the pictures.
    let tokens, output: String

    func draw(_ picture: PictureEntry, _ tokens: [Int32]) throws(FileError) {
        let perView = tokens.count / views
        for view in 0..<views {
            let image: RGBImage
            do throws(PictureEncoder.Problem) {
                image = try encoder.draw(
                    Array(tokens[view * perView..<(view + 1) * perView]), width: picture.width ?? 0, height: picture.height ?? 0)
            } catch {
                throw FileError(path: self.tokens, reason: "\(self.tokens): picture \(picture.number): \(error)")
            }
            let name = views == 1 ? picture.key : "\(picture.key)-\(view)"
            try StoredFile.write(PNGEncoder.encode(image), to: "\(output)/\(name).png", .relaxed)
        }
    }
}
