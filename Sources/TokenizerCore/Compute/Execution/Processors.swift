import Glibc

/// How many processors this process may keep busy.
package enum Processors {
    /// At least 1: what `taskset` and container limits leave of the machine.
    package static let usable: Int = {
        let quota = controlGroupQuota(root: "/sys/fs/cgroup", membership: Processors.text(of: "/proc/self/cgroup") ?? "")
        let permitted = Processors.permitted(status: Processors.text(of: "/proc/self/status") ?? "") ?? Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        return max(1, min(permitted, quota.map { Int($0.rounded(.up)) } ?? .max))
    }()

    /// How many processors a process may be scheduled on. The system call that tells is not declared to Swift.
    /// - Parameter status: the text of `/proc/self/status`, with a line such as `Cpus_allowed:	00000000,0000000f`.
    static func permitted(status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) else { return nil }
        return line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
    }

    /// The processor time that control groups grant, in processors; nil where they do not limit it. A group's limit binds those below it.
    /// - Parameter root: where the groups are mounted.
    /// - Parameter membership: the text of `/proc/self/cgroup`, with lines such as `0::/a/b` and, in version 1, `4:cpu,cpuacct:/a/b`.
    static func controlGroupQuota(root: String, membership: String) -> Double? {
        var quotas: [Double] = []
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let names = fields[2].split(separator: "/")
            // A container sees its own group as the root, so a path may lead nowhere; the root is always looked at.
            for count in 0...names.count {
                let below = names.prefix(count).map { "/" + $0 }.joined()
                if fields[1].isEmpty {
                    quotas += [quota(text(of: "\(root)\(below)/cpu.max"))].compactMap(\.self)
                } else if fields[1].split(separator: ",").contains("cpu") {
                    let folder = "\(root)/cpu\(below)"
                    let parts = [text(of: "\(folder)/cpu.cfs_quota_us"), text(of: "\(folder)/cpu.cfs_period_us")].compactMap(\.self)
                    quotas += [quota(parts.joined(separator: " "))].compactMap(\.self)
                }
            }
        }
        return quotas.min()
    }

    /// `200000 100000` is two processors; `max 100000` and `-1 100000` are no limit.
    private static func quota(_ text: String?) -> Double? {
        let numbers = (text ?? "").split { $0 == " " || $0 == "\n" }.map { Double($0) }
        guard numbers.count == 2, let time = numbers[0], let period = numbers[1], time > 0, period > 0 else { return nil }
        return time / period
    }

    /// The whole of a small file; the kernel's own have no size to go by.
    private static func text(of path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
