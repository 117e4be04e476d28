import Compute
import Files

/// Tensors that several safetensors files share, as an index beside them says: `{"weight_map": {"name": "file", …}}`.
///
/// Source: the layout that diffusers and transformers write for models beyond a few gigabytes.
struct ShardedSafetensors: TensorSource {
    private struct Index: Decodable {
        let weight_map: [String: String]
    }

    let path: String
    private let shards: [String: SafetensorsFile]
    private let shardOfTensor: [String: String]

    /// - Parameter path: the index.
    /// - Throws: when it is malformed, names a file elsewhere, or a tensor that its file does not have.
    init(index path: String) throws(FileError) {
        let map = try JSONFile.read(Index.self, from: path).weight_map
        var shards: [String: SafetensorsFile] = [:]
        for name in Set(map.values) {
            guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
                throw FileError(path: path, reason: "\(path) names a file elsewhere: \(name.prefix(80))")
            }
            shards[name] = try SafetensorsFile("\(PathName.folder(of: path))/\(name)")
        }
        for (tensor, shard) in map where shards[shard]?.names.contains(tensor) != true {
            throw FileError(path: path, reason: "\(path) says that \(shard) has the tensor \(tensor.prefix(80)), which it has not")
        }
        (self.path, self.shards, shardOfTensor) = (path, shards, map)
    }

    var names: Set<String> { Set(shardOfTensor.keys) }

    func tensor(_ name: String) throws(FileError) -> Tensor {
        guard let shard = shardOfTensor[name].flatMap({ shards[$0] }) else {
            throw FileError(path: path, reason: "\(path) has no tensor named \(name)")
        }
        return try shard.tensor(name)
    }
}
