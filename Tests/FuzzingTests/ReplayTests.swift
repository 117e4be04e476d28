import Foundation
import Testing

/// Every seed, and every input that a fuzzer has ever found, once through its target.
@Suite struct ReplayTests {
    private static let corpora = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpora")

    @Test(arguments: FuzzTarget.allCases)
    func nothingFoundBreaksAnything(_ target: FuzzTarget) throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.corpora.appending(path: target.rawValue), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files { target.run([UInt8](try Data(contentsOf: file))) }
    }
}
