import TestSupport
import Testing

@testable import Compute

/// What a process may keep busy, by affinity and control groups.
@Suite struct ProcessorsTests {
    private let root = ScratchFolder()

    private func quota(_ membership: String) -> Double? {
        ControlGroup(root: root.path, membership: membership).processors
    }

    @Test func theTightestLimitOnTheWayUpBinds() throws {
        #expect(quota("0::/pod/box\n") == nil)
        try root.write("max 100000\n", to: "pod/box/cpu.max")
        #expect(quota("0::/pod/box\n") == nil)
        try root.write("150000 100000\n", to: "pod/cpu.max")
        #expect(quota("0::/pod/box\n") == 1.5)
        try root.write("50000 100000\n", to: "cpu.max")
        #expect(quota("0::/elsewhere\n") == 0.5)
    }

    @Test func readsTheFirstVersionToo() throws {
        try root.write("-1\n", to: "cpu/a/cpu.cfs_quota_us")
        try root.write("100000\n", to: "cpu/a/cpu.cfs_period_us")
        #expect(quota("4:cpu,cpuacct:/a\n3:memory:/a\n") == nil)
        try root.write("200000\n", to: "cpu/a/cpu.cfs_quota_us")
        #expect(quota("4:cpu,cpuacct:/a\n3:memory:/a\n") == 2)
    }

    @Test func memoryIsLimitedInTheSameWay() throws {
        func memory(_ membership: String) -> Int? { ControlGroup(root: root.path, membership: membership).memoryBytes }
        #expect(memory("0::/pod/box\n") == nil)
        try root.write("max\n", to: "pod/box/memory.max")
        try root.write("2000000000\n", to: "pod/memory.max")
        #expect(memory("0::/pod/box\n") == 2_000_000_000)
        try root.write("9223372036854771712\n", to: "memory/memory.limit_in_bytes")
        try root.write("1000000000\n", to: "memory/a/memory.limit_in_bytes")
        #expect(memory("3:memory:/a\n4:cpu:/b\n") == 1_000_000_000)
    }

    @Test func affinityBinds() {
        #expect(Processors.permitted(status: "Name:\tx\nCpus_allowed:\tff00,0000000b\nCpus_allowed_list:\t0-1,3,40-47\n") == 11)
        #expect(Processors.permitted(status: "") == nil)
        #expect(Processors.usable >= 1)
    }
}
