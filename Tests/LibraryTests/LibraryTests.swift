import Foundation
import Testing
import TokenizerCore

/// The library as a program outside of this package uses it.
@Suite struct LibraryTests {
    private static let repository = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    private static let model = repository + "/checkpoints/default"

    /// The lines between the marks stand in the readme.
    private func redraw(_ photograph: String, to drawing: String) throws -> (tokens: Tokens, drawn: RGBImage) {
        let model = Self.model
        // README
        let tokenizer = try VisualTokenizer(Checkpoint(newestIn: model))

        let bytes = try Data(contentsOf: URL(fileURLWithPath: photograph))
        let picture = try RGBImage(decoding: Array(bytes))
        let tokens = tokenizer.encode([picture])
        print("\(tokens.tokensPerImage) tokens of \(tokenizer.codebookSize) codes: \(tokens[0].prefix(8))…")

        let drawn = try tokenizer.decode(tokens)[0]
        try Data(drawn.png).write(to: URL(fileURLWithPath: drawing))
        // end
        return (tokens, drawn)
    }

    @Test func aPhotographGoesThroughTokens() throws {
        let drawing = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString).png"
        defer { try? FileManager.default.removeItem(atPath: drawing) }
        let (tokens, drawn) = try redraw(Self.repository + "/Tests/Photographs/chelsea.jpg", to: drawing)
        let tokenizer = try VisualTokenizer(Checkpoint(newestIn: Self.model))
        #expect(tokens.count == 1 && tokens.indices.count == tokenizer.tokensPerImage)
        #expect(tokens.indices.allSatisfy { (0..<Int32(tokenizer.codebookSize)).contains($0) })
        #expect(drawn.width == tokenizer.imageSize && drawn.height == tokenizer.imageSize)
        #expect(try RGBImage(decoding: Array(Data(contentsOf: URL(fileURLWithPath: drawing)))) == drawn)
        #expect(tokenizer.encode([]).count == 0)
    }

    @Test func whatCannotBeUsedIsRefused() throws {
        #expect(throws: ImageError.self) { try RGBImage(decoding: [1, 2, 3]) }
        #expect(throws: CheckpointError.self) { try Checkpoint(newestIn: Self.repository + "/Tests/Photographs") }
        let tokenizer = try VisualTokenizer(Checkpoint(newestIn: Self.model))
        let count = tokenizer.tokensPerImage
        #expect(throws: TokenError.self) { try tokenizer.decode(Tokens(tokensPerImage: count + 1, indices: [])) }
        let outside = Tokens(tokensPerImage: count, indices: Array(repeating: Int32(tokenizer.codebookSize), count: count))
        #expect(throws: TokenError.self) { try tokenizer.decode(outside) }
    }
}
