import Files

/// Formats of pictures that are not read: recognised, so that nothing is passed over in silence.
package enum ForeignFormat {
    private static let extensions = [
        "webp": "WebP", "tif": "TIFF", "tiff": "TIFF", "bmp": "BMP", "gif": "GIF", "avif": "AVIF", "heic": "HEIC", "heif": "HEIC",
        "jxl": "JPEG XL", "jp2": "JPEG 2000",
    ]
    private static let signatures: [(name: String, offset: Int, bytes: [UInt8])] = [
        ("WebP", 8, Array("WEBP".utf8)), ("TIFF", 0, [0x49, 0x49, 0x2A, 0]), ("TIFF", 0, [0x4D, 0x4D, 0, 0x2A]), ("BMP", 0, Array("BM".utf8)),
        ("GIF", 0, Array("GIF8".utf8)), ("AVIF", 4, Array("ftypavif".utf8)), ("HEIC", 4, Array("ftypheic".utf8)),
        ("HEIC", 4, Array("ftypmif1".utf8)), ("JPEG XL", 0, [0xFF, 0x0A]), ("JPEG XL", 4, Array("JXL ".utf8)), ("JPEG 2000", 4, Array("jP  ".utf8)),
    ]

    /// The format that a file's extension, in lower case, stands for.
    static func named(byExtension name: String) -> String? { extensions[name] }

    /// The format that a file's bytes are of, whatever it is called.
    package static func named(byContents bytes: [UInt8]) -> String? {
        signatures.first { bytes.dropFirst($0.offset).starts(with: $0.bytes) }?.name
    }

    /// What was found, as one line says it: `1 GIF, 2 WebP`.
    package static func summary(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}
