import Glibc

/// What Linux's control groups grant this process, by either of their versions. A group's limit binds those below it.
package struct ControlGroup: Sendable {
    /// The folders of the process's own groups and of those above them: each with the controller that it is for, nil for all.
    private let folders: [(path: String, controller: String?)]

    static let own = ControlGroup(root: "/sys/fs/cgroup", membership: KernelFile.text("/proc/self/cgroup") ?? "")

    /// - Parameters:
    ///   - root: where the groups are mounted.
    ///   - membership: the text of `/proc/self/cgroup`, with lines such as `0::/a/b` and, in version 1, `4:cpu,cpuacct:/a/b`.
    init(root: String, membership: String) {
        var folders: [(path: String, controller: String?)] = []
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let names = fields[2].split(separator: "/")
            let controllers: [String?] = fields[1].isEmpty ? [nil] : fields[1].split(separator: ",").map { String($0) }
            // A container sees its own group as the root, so a path may lead nowhere; the root is always looked at.
            for count in 0...names.count {
                let below = names.prefix(count).map { "/" + $0 }.joined()
                folders += controllers.map { (root + ($0.map { "/" + $0 } ?? "") + below, $0) }
            }
        }
        self.folders = folders
    }

    /// The processor time, in processors; nil where it is not limited.
    var processors: Double? {
        limits(controller: "cpu") { folder, isUnified in
            // `200000 100000` is two processors; `max 100000` and `-1 100000` are no limit.
            let files = isUnified ? ["cpu.max"] : ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
            let numbers = files.flatMap { KernelFile.numbers("\(folder)/\($0)") }
            guard numbers.count == 2, let time = numbers[0], let period = numbers[1], time > 0, period > 0 else { return nil }
            return time / period
        }
    }

    /// The memory, in bytes; nil where it is not limited.
    var memoryBytes: Int? {
        limits(controller: "memory") { folder, isUnified in
            KernelFile.numbers("\(folder)/\(isUnified ? "memory.max" : "memory.limit_in_bytes")").first ?? nil
        }.flatMap { Int(exactly: $0.rounded()) }
    }

    private func limits(controller: String, _ limit: (_ folder: String, _ isUnified: Bool) -> Double?) -> Double? {
        folders.filter { $0.controller == nil || $0.controller == controller }.compactMap { limit($0.path, $0.controller == nil) }.min()
    }
}

/// A small file of the kernel's, which has no size to go by.
enum KernelFile {
    static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// The words of the file; nil for each that is no number, such as `max`.
    static func numbers(_ path: String) -> [Double?] {
        (text(path) ?? "").split { $0 == " " || $0 == "\n" }.map { Double($0) }
    }
}
