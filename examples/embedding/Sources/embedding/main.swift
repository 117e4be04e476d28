// swift run -c release embedding MODEL PHOTOGRAPH DRAWING
//
// Draws a photograph as its tokens show it: MODEL is a folder such as checkpoints/default, DRAWING the PNG that is written.
import Foundation
import TokenizerCore

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 3, let model = arguments.first, let drawing = arguments.last else {
    FileHandle.standardError.write(Data("usage: embedding MODEL PHOTOGRAPH DRAWING\n".utf8))
    exit(2)
}
let photograph = arguments[2]

do {
    let tokenizer = try VisualTokenizer(Checkpoint(newestIn: model))
    let picture = try RGBImage(decoding: Array(Data(contentsOf: URL(fileURLWithPath: photograph))))
    let tokens = tokenizer.encode([picture])
    print("\(tokens.tokensPerImage) tokens of \(tokenizer.codebookSize) codes: \(tokens[0].prefix(8))…")
    try Data(tokenizer.decode(tokens)[0].png).write(to: URL(fileURLWithPath: drawing))
} catch {
    FileHandle.standardError.write(Data("embedding: \(error)\n".utf8))
    exit(1)
}
