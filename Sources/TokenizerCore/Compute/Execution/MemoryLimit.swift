import Glibc

/// How much memory computations may take.
package struct MemoryLimit: Sendable, Equatable {
    package let bytes: Int

    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// What the machine has, or less where the process's control group allows less.
    package static let machine = MemoryLimit(bytes: min(physicalBytes, controlGroupBytes ?? .max))

    private static var physicalBytes: Int { Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))) }

    /// The limit of a container, by either version of Linux's control groups.
    private static var controlGroupBytes: Int? {
        for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
            if let limit = number(in: path) { return limit }
        }
        return nil
    }

    /// The number that a file of the kernel's holds; nil when it has none, as where "max" stands for no limit.
    private static func number(in path: String) -> Int? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &text, text.count)
        return count > 0 ? Int(String(decoding: text[..<count].filter { $0 > 32 }, as: UTF8.self)) : nil
    }
}
