import Files
import Jobs
import Pictures

/// Classes of pictures: what joins latents with them.
package enum PictureLabels: Sendable {
    case none
    /// The folder that a picture lies in.
    case folders
    /// By names.
    case listed([String: String])

    private static let maximumFileBytes = 1 << 28
    /// Names in a refusal.
    private static let namedAtMost = 3

    /// Reads a text file: the name of a picture, a tab or comma, and its label on each line; empty lines and those that begin with # say
    /// nothing.
    /// - Throws: naming the line that says neither, a picture that has two labels, or labels whose pictures are not there.
    package init(_ path: String, for source: ImageSource) throws(FileError) {
        var labels: [String: String] = [:]
        let text = String(decoding: try StoredFile.read(path, maximumBytes: Self.maximumFileBytes), as: UTF8.self)
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            guard let separator = line.firstIndex(of: "\t") ?? line.lastIndex(of: ","), separator > line.startIndex,
                line.index(after: separator) < line.endIndex
            else {
                throw FileError(
                    path: path,
                    reason: "\(path), line \(number + 1): expected a picture's name, a tab or comma, and its label, not \(line.prefix(80))")
            }
            let (name, label) = (String(line[..<separator]), String(line[line.index(after: separator)...]))
            guard labels.updateValue(label, forKey: name).map({ $0 == label }) ?? true else {
                throw FileError(path: path, reason: "\(path), line \(number + 1): \(name) has another label further up")
            }
        }
        let known = Set((0..<source.count).map(source.name(at:)))
        let strangers = labels.keys.filter { !known.contains($0) }.sorted()
        guard strangers.isEmpty else {
            let rest = strangers.count - Self.namedAtMost
            let names = strangers.prefix(Self.namedAtMost).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
            throw FileError(path: path, reason: "\(path) has labels without pictures in \(source.path): \(names)")
        }
        self = .listed(labels)
    }

    func label(of name: String) -> String? {
        switch self {
        case .none: return nil
        case .folders:
            let folder = PathName.folder(of: name)
            return name.contains("/") ? PathName.last(of: folder) : nil
        case .listed(let labels): return labels[name]
        }
    }
}
