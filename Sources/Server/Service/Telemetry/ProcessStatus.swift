import Glibc

/// What the system knows of this process.
struct ProcessStatus: Sendable {
    let residentBytes: Int
    let processorSeconds: Double
    let openDescriptors: Int

    init() {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        processorSeconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        residentBytes = Self.residentPages() * Int(sysconf(Int32(_SC_PAGESIZE)))
        openDescriptors = Self.entries(of: "/proc/self/fd")
    }

    /// The second number of `/proc/self/statm`; 0 where it cannot be read.
    private static func residentPages() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, CInt(line.count), file) != nil else { return 0 }
        let numbers = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
        return numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0
    }

    private static func entries(of path: String) -> Int {
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) { count += entry.pointee.d_name.0 == CChar(UInt8(ascii: ".")) ? 0 : 1 }
        return count
    }

    func write(to text: inout PrometheusText) {
        text.family("process_resident_memory_bytes", .gauge, "Memory that the process holds.")
        text.sample("process_resident_memory_bytes", [], residentBytes)
        text.family("process_cpu_seconds_total", .counter, "Processor time that the process has had.")
        text.sample("process_cpu_seconds_total", [], processorSeconds)
        text.family("process_open_fds", .gauge, "Descriptors that the process has open.")
        text.sample("process_open_fds", [], openDescriptors)
    }
}
