import TokenizerCore

/// What `revq-train fit` makes: normaliser, quantiser and rectifier, in a folder.
public struct FittedQuantizer: Sendable {
    /// `fit.json`.
    struct Description: Codable {
        var formatVersion = 1
        let layout: GroupQuantizer.Layout
        let rectifier: RectifierConfiguration
        let latentShape: LatentShape
        let imageSize: Int
        let vaeWeights: FileDigest
        /// Nil for what was fitted elsewhere.
        let quality: LatentQuality?
    }

    private static let descriptionName = "fit.json"
    private static let quantizerName = "quantizer.safetensors"
    private static let rectifierName = "rectifier.safetensors"

    let description: Description
    let normalizer: LatentNormalizer
    let quantizer: GroupQuantizer
    let rectifier: Rectifier

    init(_ description: Description, _ normalizer: LatentNormalizer, _ quantizer: GroupQuantizer, _ rectifier: Rectifier) {
        (self.description, self.normalizer, self.quantizer, self.rectifier) = (description, normalizer, quantizer, rectifier)
    }

    /// Reads what ``publish(to:)`` wrote.
    public init(_ directory: String) throws(FileError) {
        description = try JSONFile.read(Description.self, from: "\(directory)/\(Self.descriptionName)")
        let file = try SafetensorsFile("\(directory)/\(Self.quantizerName)")
        let (layout, count) = (description.layout, description.latentShape.count)
        var normalizer = LatentNormalizer(mean: Tensor(zeros: [count]), deviation: Tensor(zeros: [count]))
        try normalizer.load(from: file, prefix: "normalizer")
        var quantizer = GroupQuantizer(layout, codebooks: Tensor(zeros: [layout.codebooks, layout.codes, layout.dimension]))
        try quantizer.load(from: file, prefix: "quantizer")
        var rectifier = Rectifier(description.rectifier, shape: description.latentShape, .placeholder)
        if description.rectifier.network != .identity {
            try rectifier.load(from: SafetensorsFile("\(directory)/\(Self.rectifierName)"))
        }
        (self.normalizer, self.quantizer, self.rectifier) = (normalizer, quantizer, rectifier)
    }

    /// Writes everything to a new folder that appears whole.
    func publish(to directory: String) throws(FileError) {
        let staged = try StagedFolder(for: directory)
        var tensors: [(name: String, tensor: Tensor)] = []
        for (prefix, part) in [("normalizer", normalizer as any Parameterized), ("quantizer", quantizer)] {
            tensors += part.tensors.map { ("\(prefix).\($0.path)", $0.tensor) }
        }
        try SafetensorsWriter.write(tensors, to: "\(staged.path)/\(Self.quantizerName)")
        if description.rectifier.network != .identity { try rectifier.save(to: "\(staged.path)/\(Self.rectifierName)") }
        try StoredFile.write(JSONFile.bytes(description), to: "\(staged.path)/\(Self.descriptionName)")
        try staged.publish()
    }
}
