import Files
import FoundationEssentials

/// A family of autoencoders: what its `config.json` says (but for `_class_name`, which ``AutoencoderConfiguration`` reads and writes), and the
/// networks that follow from it.
package protocol AutoencoderFamily: Codable, Equatable, Sendable {
    /// What `_class_name` says in its files.
    static var className: String { get }
    /// Keys that no other family has: in the file of another one they would be lost without a word.
    static var ownKeys: Set<String> { get }

    var latentChannels: Int { get }
    /// How many pixels one latent position covers in each direction.
    var factor: Int { get }
    var encoderMemory: HalfMemory { get }
    var decoderMemory: HalfMemory { get }
    /// How the names of the decoder's last tensors begin, below `decoder`: those that can be trained alone because nothing reads what they
    /// give but the picture.
    var decoderTail: [String] { get }

    /// `[n, h, w, 3]` → `[n, h/factor, w/factor, latentChannels]`.
    func encoder(_ initializer: inout Initializer) -> AnyLayer
    /// `[n, h, w, latentChannels]` → `[n, h·factor, w·factor, 3]`.
    func decoder(_ initializer: inout Initializer) -> AnyLayer
}

extension AutoencoderFamily {
    package static var ownKeys: Set<String> { [] }

    fileprivate func isEqual(to other: any AutoencoderFamily) -> Bool { other as? Self == self }
}

/// What a folder's `config.json` says, of whichever family it is.
package struct AutoencoderConfiguration: Sendable {
    /// Every family there is; files that name none are of the first.
    private static let families: [any AutoencoderFamily.Type] = [
        DCAEConfiguration.self, PatchCodeConfiguration.self, KLConfiguration.self, VQModelConfiguration.self, TinyConfiguration.self,
    ]

    package let family: any AutoencoderFamily

    package init(_ family: some AutoencoderFamily) {
        self.family = family
    }

    package var className: String { type(of: family).className }
    package var latentChannels: Int { family.latentChannels }
    package var factor: Int { family.factor }

    /// - Throws: a ``FileError`` naming the key that is missing, malformed or inconsistent.
    package init(contentsOf path: String) throws(FileError) {
        try self.init(StoredFile.read(path, maximumBytes: Self.maximumFileBytes), of: path)
    }

    /// More than any family's keys take.
    package static let maximumFileBytes = 1 << 20

    /// - Parameters:
    ///   - bytes: of the file.
    ///   - path: its name, for messages.
    package init(_ bytes: [UInt8], of path: String) throws(FileError) {
        do {
            self = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(bytes))
        } catch {
            throw FileError(path, "is not an autoencoder's configuration: \(error.summary)")
        }
    }
}

extension AutoencoderConfiguration: Equatable {
    package static func == (a: AutoencoderConfiguration, b: AutoencoderConfiguration) -> Bool { a.family.isEqual(to: b.family) }
}

extension AutoencoderConfiguration: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        static let className = Key(stringValue: "_class_name")
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let name = try values.decodeIfPresent(String.self, forKey: .className) ?? Self.families[0].className
        guard let own = Self.families.first(where: { $0.className == name }) else {
            let names = Self.families.map { $0.className }.joined(separator: ", ")
            throw DecodingError.dataCorruptedError(forKey: .className, in: values, debugDescription: "expected one of \(names), found \(name)")
        }
        family = try own.init(from: decoder)
        for other in Self.families where other.className != name {
            guard let key = values.allKeys.first(where: { other.ownKeys.contains($0.stringValue) }) else { continue }
            throw DecodingError.dataCorruptedError(
                forKey: key, in: values, debugDescription: "\(key.stringValue) is for \(other.className) only")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        try family.encode(to: encoder)
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(className, forKey: .className)
    }
}
