import Images
import Jobs
import Synchronization
import TestSupport

@testable import Files
@testable import Tokenization
@testable import TokenizerCore

/// A small checkpoint and a folder with some pictures of two classes, two alike and one broken among them.
final class TokenScene {
    let checkpoint: TinyCheckpoint
    private let scratch = ScratchFolder()
    /// Names in order; the fourth is a copy of the first, the last is no picture.
    static let names = ["cat/a.png", "cat/b.png", "cat/c.png", "dog/a.png", "dog/d.png", "dog/e.png", "dog/z.png"]
    static let usable = [0, 1, 2, 3, 4, 5]

    init() throws {
        checkpoint = try TinyCheckpoint()
        for (index, name) in Self.names.dropLast().enumerated() { try put(TinyCheckpoint.picture(seed: index == 3 ? 0 : UInt64(index)), as: name) }
        try scratch.write("no picture", to: "pictures/dog/z.png")
    }

    var pictures: String { scratch.path + "/pictures" }
    func place(_ name: String) -> String { "\(scratch.path)/\(name)" }

    func put(_ picture: RGBImage, as name: String) throws {
        try StoredFolder.create(PathName.folder(of: "\(pictures)/\(name)"))
        try StoredFile.write(PNGEncoder.encode(picture), to: "\(pictures)/\(name)", .relaxed)
    }

    func encoder(_ views: Views = .none) throws -> PictureEncoder {
        try PictureEncoder(Checkpoint(checkpoint.directory), size: nil, crop: .centre, views: views)
    }

    func run(
        _ format: TokenFormat = .webdataset, to output: String = "tokens", views: Views = .none, shard: String = "0/1", perFile: Int = 3,
        console: Console = .silent
    ) throws -> TokenizingRun {
        try TokenizingRun(
            TokenizingRun.Options(
                images: pictures, output: place(output), format: format, name: format == .llamagen ? "pets" : nil, picturesPerFile: perFile,
                shard: ShardChoice(shard)), encoder(views), console)
    }

    /// The tokens of all views of a usable picture, computed one by one.
    func tokens(_ number: Int, _ views: Views = .none) throws -> [Int32] {
        let bytes = try StoredFile.read("\(pictures)/\(Self.names[number])")
        let framing = Framing(size: TinyCheckpoint.imageSize, crop: .centre, views: views)
        return try framing.views(of: bytes, step: 1).flatMap { try checkpoint.tokenizer.encode([$0]).indices }
    }

    /// All files below a folder whose names are not hidden.
    static func contents(_ folder: String) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try StoredFolder.names(in: folder) where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            if StoredFolder.exists(path) {
                for (inner, bytes) in try Self.contents(path) { contents["\(name)/\(inner)"] = bytes }
            } else {
                contents[name] = try StoredFile.read(path)
            }
        }
        return contents
    }
}

/// What a console was told.
final class Transcript {
    private(set) var text = ""
    var console: Console { Console(isTerminal: false) { self.text += $0 } }
}

/// Asks for a stop after some questions.
final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) {
        left = Atomic(count)
    }

    var isOver: Bool { left.wrappingSubtract(1, ordering: .relaxed).newValue < 0 }
}
