import TestSupport
import Testing

@testable import Files

@Suite struct RangeLockTests {
    @Test func numbersAreHeldOnceAndOthersAreFree() throws {
        try withScratchFolder { folder in
            let path = folder + "/lock"
            do {
                let first = try #require(try RangeLock(0..<4, of: path))
                #expect(first.isAlone)
                #expect(try RangeLock(3..<5, of: path) == nil)
                let second = try #require(try RangeLock(4..<5, of: path))
                #expect(!first.isAlone && !second.isAlone)
                withExtendedLifetime((first, second)) {}
            }
            #expect(try RangeLock(0..<5, of: path)?.isAlone == true)
        }
    }

    @Test func whatCannotBeOpenedIsNamed() {
        #expect(throws: FileError(path: "/none/x", reason: "cannot open /none/x: No such file or directory")) { try RangeLock(0..<1, of: "/none/x") }
    }
}
