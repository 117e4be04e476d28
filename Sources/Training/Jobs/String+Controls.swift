extension String {
    /// With U+FFFD for control characters, which a terminal would obey.
    package var withoutControls: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 32 || (127..<160).contains($0.value) ? "\u{FFFD}" : $0 }))
    }
}
