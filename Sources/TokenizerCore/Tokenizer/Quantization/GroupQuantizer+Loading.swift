import Files
import Networks

extension GroupQuantizer {
    /// Reads the transform and the codes that a file holds under `prefix`.
    /// - Throws: when a tensor is missing, wrongly shaped or not finite, or the transform cannot be reversed.
    package init(_ layout: Layout, shape: LatentShape, from file: SafetensorsFile, prefix: String) throws(FileError) {
        do throws(LayoutError) {
            try self.init(placeholder: layout, shape: shape)
        } catch {
            throw FileError(file.path, error.description)
        }
        try load(from: file, prefix: prefix)
        if let problem = transform?.problem { throw FileError(file.path, problem) }
    }
}
