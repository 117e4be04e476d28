import ArgumentParser
import Compute
import Images
import Networks
import TokenizerCore

/// What the reduced precision costs: the same images in both.
struct Agreement: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Computes images in fp32 and in bf16 and prints how far apart latents, tokens and pictures are.",
        discussion: """
            With a checkpoint: per image, the share of equal tokens and the PSNR of both reconstructions. With an autoencoder alone: \
            the relative error (L2) of latents and of pictures drawn from the same latents; noise when there are no images.
            """)

    @Option(help: "A checkpoint.")
    var checkpoint: String?
    @Option(help: "An autoencoder's folder in the diffusers layout, instead of a checkpoint.")
    var vae: String?
    @Option(help: "A folder of PNG and JPEG images; needed with a checkpoint.")
    var images: String?
    @Option(help: "Side of the square images for an autoencoder, in pixels.")
    var size = 256

    func validate() throws {
        guard (checkpoint == nil) != (vae == nil) else { throw ValidationError("name one of --checkpoint and --vae") }
        guard checkpoint == nil || images != nil else { throw ValidationError("--checkpoint needs --images") }
        guard size >= 1 else { throw ValidationError("--size is at least 1") }
        try Precision.bfloat16.validate()
    }

    func run() throws {
        if let checkpoint, let images { try compareTokens(checkpoint, images) }
        if let vae { try compareAutoencoder(vae) }
    }

    private func compareTokens(_ folder: String, _ images: String) throws {
        let exact = try VisualTokenizer.load(from: folder)
        let rounded = try VisualTokenizer.load(from: folder, precision: .bfloat16)
        var (equal, all) = (0, 0)
        var decibels: (exact: [Double], rounded: [Double]) = ([], [])
        print("image\tequal tokens\tPSNR fp32\tPSNR bf16\tPSNR bf16 tokens drawn in fp32")
        for (name, picture) in try Samples.pictures(images, size: exact.specification.imageSize) {
            let pixels = PixelBatch(images: [picture])
            let (tokens, others) = (exact.encode(pixels), rounded.encode(pixels))
            let same = zip(tokens.indices, others.indices).count { $0 == $1 }
            let quality = [exact.draw(tokens), rounded.draw(others), exact.draw(others)].map {
                PeakSignalToNoise.decibels($0.images()[0], picture)
            }
            print("\(name)\t\(same) of \(tokens.indices.count)\t" + quality.map { Self.text($0, places: 3) }.joined(separator: "\t"))
            (equal, all) = (equal + same, all + tokens.indices.count)
            decibels.exact.append(quality[0])
            decibels.rounded.append(quality[1])
        }
        let count = Double(decibels.exact.count)
        print(
            """
            all\t\(equal) of \(all) (\(Self.text(100 * Double(equal) / Double(all), places: 1)) %)\t\
            \(Self.text(decibels.exact.reduce(0, +) / count, places: 3))\t\(Self.text(decibels.rounded.reduce(0, +) / count, places: 3))
            """)
    }

    private func compareAutoencoder(_ folder: String) throws {
        let exact = try Autoencoder(directory: folder)
        let rounded = try Autoencoder(directory: folder, precision: .bfloat16)
        guard size % exact.configuration.factor == 0 else {
            throw ValidationError("--size is a multiple of the autoencoder's factor \(exact.configuration.factor)")
        }
        let inputs = try images.map { try Samples.pictures($0, size: size).map { ($0.name, PixelBatch(images: [$0.picture]).pixels) } }
        print("image\tlatents\tpictures")
        for (name, pixels) in inputs ?? [("noise", Samples.noise([1, size, size, 3]))] {
            let latents = exact.encoder(pixels)
            let errors = [
                rounded.encoder(pixels).relativeError(to: latents), rounded.decoder(latents).relativeError(to: exact.decoder(latents)),
            ]
            print("\(name)\t" + errors.map { Self.text($0, places: 7) }.joined(separator: "\t"))
        }
    }

    private static func text(_ value: Double, places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return "\((value * scale).rounded() / scale)"
    }
}
