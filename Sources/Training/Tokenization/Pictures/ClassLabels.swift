/// Numbers for the folders that pictures lie in, in byte order of the folders' names: the labels of torchvision's `ImageFolder`.
///
/// A class is the innermost folder of a picture's path, wherever that begins; an archive's own name is no folder.
struct ClassLabels: Sendable {
    /// The classes' names; a class's number is its place.
    let names: [String]
    private let numbers: [String: Int]

    /// - Parameter pictures: the names of all pictures, as paths.
    init(of pictures: some Sequence<String>) {
        var found: Set<String> = []
        for picture in pictures { if let name = Self.folder(of: picture) { found.insert(name) } }
        names = found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    }

    /// The label of a picture; nil where it lies in no folder.
    subscript(_ picture: String) -> Int? { Self.folder(of: picture).flatMap { numbers[$0] } }

    private static func folder(of picture: String) -> String? {
        picture.split(separator: "/").dropLast().last { !$0.hasSuffix(".tar") }.map(String.init)
    }
}
