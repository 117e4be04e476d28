import Glibc

/// What libFuzzer calls, whose `main` makes the program of this folder. Its first argument says which target.
enum FuzzProgram {
    /// Set once, before the first input.
    nonisolated(unsafe) fileprivate static var target = FuzzTarget.http1
}

@_cdecl("LLVMFuzzerInitialize")
func initialize(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    guard count.pointee > 1, let name = arguments.pointee[1], let target = FuzzTarget(rawValue: String(cString: name)) else {
        print("usage: revq-fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [libFuzzer's options and corpora]")
        exit(EX_USAGE)
    }
    FuzzProgram.target = target
    // libFuzzer would take the name for a corpus.
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
func runOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzProgram.target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
