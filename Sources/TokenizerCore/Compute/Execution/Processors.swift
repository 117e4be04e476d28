import Glibc

/// How many processors this process may keep busy.
package enum Processors {
    /// At least 1: what `taskset` and container limits leave of the machine.
    package static let usable: Int = {
        let permitted = Self.permitted(status: KernelFile.text("/proc/self/status") ?? "") ?? Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        return max(1, min(permitted, ControlGroup.own.processors.map { Int($0.rounded(.up)) } ?? .max))
    }()

    /// How many processors a process may be scheduled on. The system call that tells is not declared to Swift.
    /// - Parameter status: the text of `/proc/self/status`, with a line such as `Cpus_allowed:	00000000,0000000f`.
    static func permitted(status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) else { return nil }
        return line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
    }
}
