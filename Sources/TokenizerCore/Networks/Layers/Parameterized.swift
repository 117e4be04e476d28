import Compute
import Files

/// Something made of named tensors.
package protocol Parameterized: Sendable {
    /// Calls `visitor` once for every tensor, in a fixed order: the one list that loading, saving, counting, clipping and the
    /// optimiser share.
    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor)
}

/// Receives each tensor of a layer with its name; may replace or change it.
package typealias ParameterVisitor = (_ path: ParameterPath, _ role: ParameterRole, _ tensor: inout Tensor) -> Void

/// Where a tensor's values come from while a network is trained.
package enum ParameterRole: Sendable {
    /// Gradients.
    case learned
    /// The batches: running statistics.
    case measured
    /// Computed before training and left as it is.
    case fixed
}

extension Parameterized {
    /// The same structure with every tensor zero: where gradients are summed, and where an optimiser's moments start.
    package func zeroed() -> Self {
        var zero = self
        zero.visit(.root) { _, _, tensor in tensor = Tensor(zeros: tensor.shape) }
        return zero
    }

    /// All tensors in visiting order.
    package var tensors: [(path: String, role: ParameterRole, tensor: Tensor)] {
        var layer = self
        var all: [(String, ParameterRole, Tensor)] = []
        layer.visit(.root) { path, role, tensor in all.append((path.description, role, tensor)) }
        return all
    }
}

/// A dotted name as the weight files have it: `encoder.down_blocks.0.1.conv1.weight`.
package struct ParameterPath: Sendable, CustomStringConvertible {
    package let description: String

    package static let root = ParameterPath("")

    package init(_ name: String) {
        description = name
    }

    package static func / (path: ParameterPath, name: String) -> ParameterPath {
        ParameterPath(path.description.isEmpty ? name : "\(path.description).\(name)")
    }

    package static func / (path: ParameterPath, index: Int) -> ParameterPath {
        path / String(index)
    }

    /// The name beside this one, under the same parent: beside `encoder`, `quant_conv`.
    package func beside(_ name: String) -> ParameterPath {
        guard let dot = description.lastIndex(of: ".") else { return ParameterPath(name) }
        return ParameterPath(String(description[...dot]) + name)
    }
}

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

    /// The most bytes that a file of these tensors needs: numbers of 32 bits, and the names before them.
    package var largestFileBytes: Int {
        let names = 1 << 20
        return names + tensors.reduce(0) { $0 + MemoryLayout<Float>.size * $1.tensor.count }
    }

    /// Writes every tensor under its name.
    package func save(to path: String, precision: SafetensorsWriter.Precision = .float32) throws(FileError) {
        try SafetensorsWriter.write(tensors.map { ($0.path, $0.tensor) }, precision: precision, to: path)
    }
}
