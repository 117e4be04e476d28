import Compute
import Files

/// The tensors of a diffusers file under the names of today, without those that no autoencoder here has a place for.
package struct DiffusersTensors: TensorSource {
    private let source: any TensorSource
    /// By its name of today, the name in the file.
    private let original: [String: String]

    package init(_ source: any TensorSource) {
        self.source = source
        original = Dictionary(source.names.compactMap { name in Self.current(name).map { ($0, name) } }, uniquingKeysWith: { first, _ in first })
    }

    package var path: String { source.path }
    package var names: Set<String> { Set(original.keys) }
    package func tensor(_ name: String) throws(FileError) -> Tensor { try source.tensor(original[name] ?? name) }

    /// Nil for the codebook of a VQ-GAN. Files of 2022 call an attention's projections otherwise.
    private static func current(_ name: String) -> String? {
        if name.hasPrefix("quantize.") { return nil }
        guard name.contains(".attentions.") else { return name }
        let parts = name.split(separator: ".").map { part in
            ["query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"][part] ?? part
        }
        return parts.joined(separator: ".")
    }
}
