import Foundation
import TestSupport
import Testing

@testable import Images

/// A case of Fixtures/images/manifest.json, made by make_images.py, with its reference pixels.
struct ImageFixture: Decodable, CustomTestStringConvertible {
    enum Kind: String, Decodable {
        case png, jpeg, resize, square
    }

    let kind: Kind
    let file: String?
    /// Width and height of the formula picture that is resized.
    let source: [Int]?
    let width: Int
    let height: Int
    private let offset: Int

    static let all: [ImageFixture] = {
        let manifest = Data(read("manifest.json"))
        return try! JSONDecoder().decode([ImageFixture].self, from: manifest)
    }()
    private static let pixels = read("pixels.bin")

    static func all(_ kind: Kind) -> [ImageFixture] { all.filter { $0.kind == kind } }
    static var files: [ImageFixture] { all.filter { $0.file != nil } }

    static func named(_ file: String) -> ImageFixture { all.first { $0.file == file }! }

    /// The encoded file.
    var bytes: [UInt8] { Self.read(file!) }

    var reference: RGBImage {
        RGBImage(width: width, height: height, pixels: Array(Self.pixels[offset..<offset + width * height * 3]))
    }

    var testDescription: String { file ?? "\(source!) → \(width)×\(height)" }

    static func read(_ name: String) -> [UInt8] {
        let folder = Fixture.path("images/")
        return Array(FileManager.default.contents(atPath: folder + name)!)
    }
}

/// make_images.py's `picture`: gradients and a texture.
func formulaImage(width: Int, height: Int) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
        for x in 0..<width {
            for c in 0..<3 { pixels.append(UInt8(truncatingIfNeeded: x * x * 3 + y * 7 + c * 85 + (x * y) / 3)) }
        }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
}
