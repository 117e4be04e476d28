import Compute
import Files

extension Parameterized {
    /// Replaces every tensor by the one of that name, strictly: a missing or wrongly shaped tensor, or one whose values are
    /// not finite, is an error, and so is a tensor of the file under `prefix` that no layer asked for.
    ///
    /// - Parameter prefix: where the layer's names start in the file, such as `encoder`; empty for the whole file.
    package mutating func load(from file: some TensorSource, prefix: String = "") throws(FileError) {
        var unread = file.names.filter { prefix.isEmpty || $0.hasPrefix(prefix + ".") }
        // A counter that training frameworks keep beside the running statistics; it means nothing here.
        unread = unread.filter { !$0.hasSuffix(".num_batches_tracked") }
        var problem: FileError?
        visit(ParameterPath(prefix)) { path, _, tensor in
            guard problem == nil else { return }
            do throws(FileError) {
                tensor = try file.tensor(path.description, shape: tensor.shape)
                unread.remove(path.description)
            } catch {
                problem = error
            }
        }
        if let problem { throw problem }
        guard unread.isEmpty else {
            let names = unread.sorted().prefix(3).joined(separator: ", ")
            throw FileError(file.path, "holds \(unread.count) tensors that this configuration has no place for: \(names)")
        }
    }

    /// Writes every tensor under its name.
    package func save(to path: String, precision: SafetensorsWriter.Precision = .float32) throws(FileError) {
        try SafetensorsWriter.write(tensors.map { ($0.path, $0.tensor) }, precision: precision, to: path)
    }
}
