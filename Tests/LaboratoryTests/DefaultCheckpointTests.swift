import Testing

@testable import Compute
@testable import Files
@testable import Images
@testable import Laboratory
@testable import Pictures
@testable import TokenizerCore

/// The checkpoint in the repository is what a new user meets first.
@Suite struct DefaultCheckpointTests {
    private static let repository = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    private static let model = repository + "/checkpoints/default"

    private var newest: String {
        get throws {
            let versions = try StoredFolder.names(in: Self.model).filter { Int($0) != nil }
            return "\(Self.model)/\(try #require(versions.last))"
        }
    }

    @Test func itLoadsAndReproducesItsGoldenImages() throws {
        let checkpoint = try Checkpoint(newest)
        let specification = try VisualTokenizer(checkpoint).specification
        #expect(checkpoint.manifest.name == "default")
        #expect(specification.imageSize == 256)
        #expect(specification.tokensPerImage <= 512)
    }

    /// Loading compares the golden tokens with those of the processor that made the checkpoint; only near ties may differ.
    @Test(arguments: InstructionSet.allCases.filter(\.isSupported))
    func itIsTheSameTokenizerOnOlderProcessors(_ instructions: InstructionSet) throws {
        let newest = try newest
        try ComputeContext.with(\.instructionSet, instructions) { _ = try VisualTokenizer.load(from: newest) }
    }

    @Test func itIsSmallEnoughToBeCloned() throws {
        func bytes(_ path: String) throws -> Int {
            try StoredFolder.names(in: path).reduce(0) { sum, name in
                let inner = "\(path)/\(name)"
                return try sum + (StoredFolder.exists(inner) ? bytes(inner) : StoredFile.read(inner).count)
            }
        }
        #expect(try bytes(Self.model) <= 16_000_000)
    }

    /// What its readme states, to the last hundredth; photographs were not trained on.
    @Test func itDrawsPhotographs() throws {
        let checkpoint = try Checkpoint(newest)
        let photographs = SquareImages(try ImageSource(Self.repository + "/Tests/Photographs"), size: checkpoint.manifest.specification.imageSize)
        var evaluation = Evaluation(checkpoint)
        try evaluation.measure(photographs, 0..<photographs.count, .silent)
        #expect(evaluation.entries.count == 10)
        #expect(evaluation.metrics.psnr >= 25.1)
        #expect(evaluation.metrics.vaePSNR > evaluation.metrics.psnr, "a quantiser takes something away")
    }

    /// The code is one of 32×32 patches, and what draws them must not show it. Without the refiner the steps there are 3.6 times the others.
    @Test func itsPatchesHaveNoEdges() throws {
        let tokenizer = try VisualTokenizer.load(from: newest)
        let photographs = SquareImages(try ImageSource(Self.repository + "/Tests/Photographs"), size: tokenizer.specification.imageSize)
        let pixels = PixelBatch(images: (0..<photographs.count).compactMap { photographs.image(at: $0) })
        let pictures = tokenizer.draw(tokenizer.encode(pixels)).images()
        let atEdges = Self.meanStep(in: pictures) { $0 % 32 == 0 }
        #expect(atEdges < 2 * Self.meanStep(in: pictures) { $0 % 32 != 0 })
    }

    /// The mean difference of neighbouring values, into the chosen rows and columns.
    private static func meanStep(in pictures: [RGBImage], into isChosen: (Int) -> Bool) -> Double {
        var (sum, count) = (0, 0)
        for picture in pictures {
            func step(_ x: Int, _ y: Int, fromX: Int, fromY: Int) {
                for c in 0..<3 {
                    sum += abs(Int(picture.pixels[(y * picture.width + x) * 3 + c]) - Int(picture.pixels[(fromY * picture.width + fromX) * 3 + c]))
                }
                count += 3
            }
            for k in (1..<picture.width).filter(isChosen) {
                for j in 0..<picture.height {
                    step(k, j, fromX: k - 1, fromY: j)
                    step(j, k, fromX: j, fromY: k - 1)
                }
            }
        }
        return Double(sum) / Double(count)
    }
}
