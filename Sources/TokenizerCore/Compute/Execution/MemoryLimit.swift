import Glibc

/// How much memory computations may take.
package struct MemoryLimit: Sendable, Equatable {
    package let bytes: Int

    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// What the machine has, or less where the process's control group allows less.
    package static let machine = MemoryLimit(bytes: min(physicalBytes, ControlGroup.own.memoryBytes ?? .max))

    private static var physicalBytes: Int { Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))) }
}
