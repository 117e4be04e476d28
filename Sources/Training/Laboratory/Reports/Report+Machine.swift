import Compute
import FoundationEssentials

extension Report.Fact {
    /// When and with what something was measured.
    package static var thisMachine: [Report.Fact] {
        [
            Report.Fact("measured", Date.now.formatted(.iso8601)),
            Report.Fact("processor path", "\(ComputeContext.current.instructionSet), \(ComputeContext.current.threads) threads"),
        ]
    }
}
