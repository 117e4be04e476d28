import Compute
import Files
import FoundationEssentials
import Glibc
import Images
import Jobs

/// Fills a folder with procedural pictures, and goes on where an earlier call was interrupted.
package struct Synthesis: Sendable {
    /// What the pictures of a folder are made from; stored beside them.
    struct Descriptor: Codable, Equatable {
        var generator = "revq procedural images"
        var generation = ProceduralImages.generation
        var seed: UInt64
        var size: Int
    }

    static let descriptorName = "synthesis.json"
    private let directory: String
    private let count: Int
    private let descriptor: Descriptor

    /// - Parameters:
    ///   - directory: made where it is missing.
    ///   - count: how many pictures the folder shall hold.
    ///   - size: the side of each in pixels.
    /// - Throws: for impossible numbers.
    package init(directory: String, count: Int, size: Int, seed: UInt64) throws(FileError) {
        guard (1...100_000_000).contains(count) else {
            throw FileError(path: directory, reason: "cannot make \(count) pictures: expected a count in 1...100000000")
        }
        guard ProceduralImages.sides.contains(size) else {
            throw FileError(path: directory, reason: "cannot make pictures of side \(size): expected a size in \(ProceduralImages.sides)")
        }
        self.directory = directory
        self.count = count
        descriptor = Descriptor(seed: seed, size: size)
    }

    /// Makes the pictures that are missing, on all cores.
    /// - Returns: how many pictures of the wanted ones are there; fewer than wanted only when a stop was requested.
    /// - Throws: when the folder holds something else, or cannot be written.
    package func run(_ console: Console) throws(FileError) -> Int {
        try claimDirectory()
        let missing = (0..<count).filter { !isWhole(path($0)) }
        let images = ProceduralImages(seed: descriptor.seed, side: descriptor.size)
        var done = count - missing.count
        console.begin(total: count, start: done, unit: "image")
        // Small chunks keep Ctrl-C and the progress bar prompt.
        let chunk = 4 * ComputeContext.current.threads
        for start in stride(from: 0, to: missing.count, by: chunk) where !StopSignal.isRequested {
            let indices = missing[start..<min(start + chunk, missing.count)]
            try Workers.forEachThrowing(indices.count) { piece throws(FileError) in
                let index = indices[indices.startIndex + piece]
                try StoredFile.write(PNGEncoder.encode(images.image(at: index)), to: path(index), .relaxed)
            }
            done += indices.count
            console.update(done: done)
        }
        console.closeLine()
        return done
    }

    /// Creates the folder, or makes sure that it holds pictures of this very kind.
    private func claimDirectory() throws(FileError) {
        try StoredFolder.create(directory)
        let descriptorPath = "\(directory)/\(Self.descriptorName)"
        guard StoredFile.exists(descriptorPath) else {
            guard try StoredFolder.names(in: directory).isEmpty else {
                throw FileError(
                    path: directory, reason: "\(directory) is not empty and has no \(Self.descriptorName): choose a new folder")
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            // A descriptor of plain numbers and strings always encodes.
            guard let data = try? encoder.encode(descriptor) else { preconditionFailure("\(descriptor) does not encode") }
            return try StoredFile.write([UInt8](data), to: descriptorPath)
        }
        let bytes = try StoredFile.read(descriptorPath, maximumBytes: 1 << 16)
        guard let found = try? JSONDecoder().decode(Descriptor.self, from: Data(bytes)) else {
            throw FileError(path: descriptorPath, reason: "\(descriptorPath) does not describe procedural pictures")
        }
        if let difference = difference(from: found) {
            throw FileError(path: directory, reason: "\(directory) holds pictures of \(difference): choose a new folder")
        }
    }

    private func difference(from found: Descriptor) -> String? {
        if found.generator != descriptor.generator { return "another generator (\(found.generator))" }
        if found.generation != descriptor.generation { return "generation \(found.generation), this version makes \(descriptor.generation)" }
        if found.size != descriptor.size { return "size \(found.size), not \(descriptor.size)" }
        if found.seed != descriptor.seed { return "seed \(found.seed), not \(descriptor.seed)" }
        return nil
    }

    private func path(_ index: Int) -> String {
        let digits = String(index)
        return "\(directory)/\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).png"
    }

    /// Whether the file ends as every PNG does. Renaming makes files appear whole; this finds what a power failure emptied.
    private func isWhole(_ path: String) -> Bool {
        let end: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var tail = [UInt8](repeating: 0, count: end.count)
        guard lseek(file, -end.count, SEEK_END) >= 0, read(file, &tail, end.count) == end.count else { return false }
        return tail == end
    }
}
