import ArgumentParser
import Compute
import Files
import Networks
import TokenizerCore

/// What is measured: the operations of one tokenizer.
struct Subject {
    enum Operation: String, Codable, CaseIterable {
        case encode, decode, quantise, rectify
    }

    /// Where the tokenizer comes from: a checkpoint, or its parts.
    struct Source: ParsableArguments {
        @Option(help: "A checkpoint.")
        var checkpoint: String?
        @Option(help: "An autoencoder's folder in the diffusers layout, instead of a checkpoint.")
        var vae: String?
        @Option(help: "A safetensors file whose tensor `codebooks` is [T, N, d]: one codebook for each of T tokens.")
        var codebooks: String?
        @Option(help: "A safetensors file with the weights of an EfficientViT rectifier.")
        var rectifier: String?
        @Option(help: "The rectifier's width and depth.")
        var rectifierShape = [512, 3]
        @Option(help: "Precision of the large products: fp32 or bf16.")
        var precision = Precision.float32

        func validate() throws {
            guard (checkpoint == nil) != (vae == nil) else { throw ValidationError("name one of --checkpoint and --vae") }
            guard checkpoint == nil || (codebooks == nil && rectifier == nil) else {
                throw ValidationError("a checkpoint has its own codebooks and rectifier")
            }
            try precision.validate()
            guard rectifierShape.count == 2 else { throw ValidationError("--rectifier-shape takes two numbers, width and depth") }
        }
    }

    /// Feature maps are `[n, h, w, c]`; latents to quantise are `[n, T·d]`, and their tokens `[n, T]`.
    private(set) var operations: [Operation: (Tensor) -> Tensor] = [:]

    /// Pixels along a side for one position of the latents.
    private(set) var factor = 1

    var names: [String] { Operation.allCases.filter { operations[$0] != nil }.map(\.rawValue) }

    init(_ source: Source) throws {
        if let folder = source.checkpoint {
            add(try Checkpoint(folder, precision: source.precision))
        } else if let folder = source.vae {
            let autoencoder = try Autoencoder(directory: folder, precision: source.precision)
            add(autoencoder)
            if let file = source.codebooks { try addCodebooks(file) }
            if let file = source.rectifier { try addRectifier(file, source, channels: autoencoder.configuration.latentChannels) }
        }
    }

    private mutating func add(_ checkpoint: Checkpoint) {
        add(checkpoint.vae)
        operations[.quantise] = { latents in
            let tokens = checkpoint.quantizer.tokens(Latents(rows: latents, shape: checkpoint.quantizer.shape))
            return Self.tensor(tokens.indices, tokensPerImage: tokens.tokensPerImage)
        }
        operations[.rectify] = { checkpoint.rectifier($0) }
    }

    private mutating func add(_ autoencoder: Autoencoder) {
        factor = autoencoder.configuration.factor
        operations[.encode] = { autoencoder.encoder($0) }
        operations[.decode] = { autoencoder.decoder($0) }
    }

    private mutating func addCodebooks(_ file: String) throws {
        let codebooks = try SafetensorsFile(file).tensor("codebooks")
        guard codebooks.shape.count == 3, codebooks.count > 0 else {
            throw ValidationError("\(file): codebooks are [T, N, d], not \(codebooks.shape)")
        }
        let search = CodeSearch(codebooks)
        operations[.quantise] = { latents in
            Self.tensor(search.nearest(latents, tokensPerImage: search.groups), tokensPerImage: search.groups)
        }
    }

    private mutating func addRectifier(_ file: String, _ source: Source, channels: Int) throws {
        let (width, depth) = (source.rectifierShape[0], source.rectifierShape[1])
        let configuration = RectifierConfiguration(.vit(width: width, depth: depth, headDimension: 32, scales: [5]), isResidual: false)
        // An EfficientViT works at any resolution, so only the channels of this shape matter.
        let shape = LatentShape(channels: channels, height: 1, width: 1)
        try configuration.validate(for: shape)
        var rectifier = Rectifier(configuration, shape: shape, .placeholder.computing(in: source.precision))
        try rectifier.load(from: SafetensorsFile(file))
        let loaded = rectifier
        operations[.rectify] = { loaded($0) }
    }

    private static func tensor(_ tokens: [Int32], tokensPerImage: Int) -> Tensor {
        Tensor(tokens.map(Float.init), shape: [tokens.count / tokensPerImage, tokensPerImage])
    }
}
