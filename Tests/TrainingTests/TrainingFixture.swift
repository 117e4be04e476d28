import Foundation

/// Files that other programs made; the scripts beside them say how.
enum TrainingFixture {
    static func path(_ name: String) -> String {
        Bundle.module.resourcePath! + "/Fixtures/" + name
    }
}
