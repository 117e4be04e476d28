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
}
