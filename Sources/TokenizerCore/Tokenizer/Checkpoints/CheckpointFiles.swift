import Compute
import Files
import FoundationEssentials
import Networks

/// Reads the files that a manifest lists: first their sizes, then their hashes, then what is in them.
///
/// What is used is what was hashed: everything is copied into memory, so that nothing written into a served folder changes a picture or
/// ends the process. Only an autoencoder's weights beyond ``maximumCopiedBytes`` stay mapped, because a copy would take the memory twice
/// that their packed form takes once.
struct CheckpointFiles {
    private let directory: String
    private let manifest: CheckpointManifest
    private let goesOn: () -> Bool
    private let listed: [String: ListedFile]

    /// The largest autoencoder whose weights are copied.
    static let maximumCopiedBytes = 64 << 20
    /// What no weights are in: golden images and their list, and what people add.
    private static let maximumOtherBytes = 64 << 20

    /// - Parameter goesOn: asked again and again; once it says no, reading ends with an error.
    init(_ manifest: CheckpointManifest, in directory: String, while goesOn: @escaping () -> Bool) throws(FileError) {
        (self.directory, self.manifest, self.goesOn) = (directory, manifest, goesOn)
        var listed: [String: ListedFile] = [:]
        for (name, digest) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let most = try Self.maximumBytes(of: name, manifest.specification)
            listed[name] = try ListedFile("\(directory)/\(name)", digest, atMost: most)
        }
        self.listed = listed
    }

    private static func maximumBytes(of name: String, _ specification: TokenizerSpecification) throws(FileError) -> Int {
        let shape = specification.latentShape
        switch name {
        case Checkpoint.quantizerName:
            do throws(GroupQuantizer.LayoutError) {
                let quantizer = try GroupQuantizer(placeholder: specification.quantizer, shape: shape)
                return quantizer.largestFileBytes + LatentNormalizer(placeholder: shape).largestFileBytes
            } catch {
                throw FileError(name, error.description)
            }
        case Checkpoint.rectifierName:
            return Rectifier(specification.rectifier, shape: shape, .placeholder).largestFileBytes
        default:
            return maximumOtherBytes
        }
    }

    /// Checks the files that are not read here.
    func verifyOthers() throws(FileError) {
        let read = [Checkpoint.quantizerName, Checkpoint.rectifierName, GoldenImage.listName]
        for (name, file) in listed.sorted(by: { $0.key < $1.key }) where !read.contains(name) {
            try file.verify(while: goesOn)
        }
    }

    func weights(_ name: String) throws(FileError) -> SafetensorsFile {
        try SafetensorsFile(file(name).copied(while: goesOn))
    }

    func golden() throws(FileError) -> [GoldenImage] {
        let bytes = try file(GoldenImage.listName).copied(while: goesOn).withBytes { Data($0) }
        do {
            return try JSONDecoder().decode([GoldenImage].self, from: bytes)
        } catch {
            throw FileError("\(directory)/\(GoldenImage.listName)", "is not a list of golden images: \(error.summary)")
        }
    }

    private func file(_ name: String) throws(FileError) -> ListedFile {
        guard let file = listed[name] else { throw FileError("\(directory)/\(name)", "is not among the manifest's files") }
        return file
    }

    /// The autoencoder, which checkpoints in memory may have brought.
    func vae(_ precision: Precision) throws(FileError) -> Autoencoder {
        try AutoencoderCache.shared.autoencoder(manifest.vae, precision) { () throws(FileError) in try loadVAE(precision) }
    }

    /// The autoencoder that lies in the checkpoint's own folder, or beside it where many share one.
    func loadVAE(_ precision: Precision) throws(FileError) -> Autoencoder {
        let own = "\(directory)/\(CheckpointManifest.VAE.ownDirectoryName)"
        let folder = StoredFolder.exists(own) ? own : "\(PathName.folder(of: directory))/\(manifest.vae.sharedDirectoryName)"
        let path = "\(folder)/\(Autoencoder.configurationName)"
        let file = try ListedFile(path, manifest.vae.configuration, atMost: AutoencoderConfiguration.maximumFileBytes)
        let configuration = try AutoencoderConfiguration(file.copied(while: goesOn).withBytes { Array($0) }, of: path)
        var vae = try Autoencoder(placeholder: configuration, precision, of: folder)
        let weights = try ListedFile("\(folder)/\(Autoencoder.weightsName)", manifest.vae.weights, atMost: vae.largestFileBytes)
        let isSmall = weights.bytes <= Self.maximumCopiedBytes
        try vae.load(from: SafetensorsFile(isSmall ? weights.copied(while: goesOn) : weights.mapped(while: goesOn)))
        return vae
    }
}
