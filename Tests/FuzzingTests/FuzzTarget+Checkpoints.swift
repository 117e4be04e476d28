import FoundationEssentials
import Glibc

@testable import Compute
@testable import Files
@testable import Networks
@testable import TokenizerCore

extension FuzzTarget {
    /// Tensors lie in the file, and together fill it.
    static func runSafetensors(_ bytes: [UInt8]) {
        guard let file = try? SafetensorsFile(FileContents(copying: ReadableFile(FuzzFolder.file(bytes, "weights")))) else { return }
        for name in file.names {
            guard let entry = try? file.entry(name) else { preconditionFailure("no entry for \(name)") }
            file.withBytes(of: entry) { precondition($0.count <= bytes.count && $0.reduce(0, ^) == $0.reduce(0, ^)) }
            if let tensor = try? file.tensor(name) { precondition(tensor.count == entry.count && tensor.values.count == entry.count) }
        }
    }

    /// A manifest that is read is written and read again as the same, and whatever it says, what it needs is told without taking it.
    static func runManifest(_ bytes: [UInt8]) {
        let folder = FuzzFolder.path
        _ = FuzzFolder.file(bytes, CheckpointManifest.fileName)
        _ = try? CheckpointManifest(directory: folder)
        guard let written = try? JSONDecoder().decode(CheckpointManifest.self, from: Data(bytes)) else { return }
        // As if its author had known the fingerprint.
        let signed = CheckpointManifest(
            name: written.name, version: written.version, specification: written.specification, vae: written.vae, files: written.files,
            metrics: written.metrics)
        _ = FuzzFolder.file(signed.serialized(), CheckpointManifest.fileName)
        guard let manifest = try? CheckpointManifest(directory: folder) else { return }
        precondition(manifest == signed, "not the same when it was written and read")
        _ = try? CheckpointFiles(manifest, in: folder) { false }.vae(.float32)
    }

    /// A configuration that is read is written and read again as the same, and its networks are made without their numbers.
    static func runAutoencoder(_ bytes: [UInt8]) {
        guard let configuration = try? AutoencoderConfiguration(bytes, of: "config.json") else { return }
        let again = try? AutoencoderConfiguration(JSONFile.bytes(configuration), of: "config.json")
        precondition(again == configuration, "not the same when it was written and read")
        guard let autoencoder = try? Autoencoder(placeholder: configuration, .float32, of: "vae") else { return }
        precondition(autoencoder.largestFileBytes > 0)
    }
}

/// Where bytes become files; gone with the process.
private enum FuzzFolder {
    static let path: String = {
        var template = Array("/tmp/revq-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("no scratch folder: \(String(cString: strerror(errno)))") }
        atexit { StoredFolder.remove(FuzzFolder.path) }
        return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// Replaces the file of that name.
    static func file(_ bytes: [UInt8], _ name: String) -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        precondition(write(descriptor, bytes, bytes.count) == bytes.count, "cannot write \(file)")
        return file
    }
}
