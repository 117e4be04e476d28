/// A dotted name as the weight files have it: `encoder.down_blocks.0.1.conv1.weight`.
public struct ParameterPath: Sendable, CustomStringConvertible {
    public let description: String

    public static let root = ParameterPath("")

    public init(_ name: String) {
        description = name
    }

    public static func / (path: ParameterPath, name: String) -> ParameterPath {
        ParameterPath(path.description.isEmpty ? name : "\(path.description).\(name)")
    }

    public static func / (path: ParameterPath, index: Int) -> ParameterPath {
        path / String(index)
    }
}
