import FoundationEssentials
import TokenizerCore

extension Report.Fact {
    /// When and with what something was measured.
    public static var thisMachine: [Report.Fact] {
        [
            Report.Fact("measured", Date.now.formatted(.iso8601)),
            Report.Fact("processor path", "\(InstructionSet.current), \(Workers.count) threads"),
        ]
    }
}
