import Compute
import Glibc
import Images
import Threads

/// New versions on trial: beside the stable one, on a share of the pictures that clients send.
///
/// Clients never get what a canary makes unless they ask for it: a data set half of whose tokens are of another version is of no use. Both versions
/// see the picture on a thread of its own that leaves the processors to whoever is waited for; where it cannot keep up, pictures go by.
final class CanaryTrials: Sendable {
    private struct Trial {
        let canary: ModelIdentity
        /// nil once it is over: whoever holds a version keeps it in memory.
        var versions: (stable: ServedModel, canary: ServedModel)?
        var figures = CanaryFigures()
        /// Of a picture to compare, in percent.
        var credit = 0
        var verdict = CanaryFigures.Verdict.undecided

        var isOver: Bool { versions == nil }
    }

    private struct State {
        /// By model; one that is over is kept for its figures.
        var trials: [String: Trial] = [:]
        var waiting: [(model: String, picture: RGBImage)] = []
        /// Set where nothing is to be compared any more.
        let stopping = Interruption()
    }

    /// More pictures than these wait for nothing.
    private static let mostWaiting = 4
    /// As `nice` counts: a tenth of what others get where all processors are busy.
    private static let niceness: CInt = 10

    let policy: CanaryFigures.Policy
    private let state = Monitor(State())

    init(_ policy: CanaryFigures.Policy) {
        self.policy = policy
    }

    /// Begins a trial, in the place of the model's last one. What takes pictures of another size has failed before it begins.
    func begin(_ stable: ServedModel, beside canary: ServedModel) {
        var trial = Trial(canary: canary.facts.identity, versions: (stable, canary))
        if stable.facts.size != canary.facts.size {
            trial.figures.addFailure()
            trial.verdict = .rolledBack
        }
        state.withLock { $0.trials[stable.name] = trial }
    }

    func end(of model: String) {
        state.withLock { state in
            state.trials[model]?.versions = nil
            state.waiting.removeAll { $0.model == model }
        }
    }

    /// Takes note of a picture that a model is about to encode, where that is of its own size.
    /// - Parameter picture: of the size that the model has.
    func offer(_ picture: RGBImage, to model: ServedModel) {
        guard policy.share > 0 else { return }
        let isTaken = state.withoutWaking { state in
            guard var trial = state.trials[model.name], trial.versions?.stable.engine === model.engine else { return false }
            trial.credit += policy.share
            let isDue = trial.credit >= 100
            if isDue { trial.credit -= 100 }
            state.trials[model.name] = trial
            return isDue && state.waiting.count < Self.mostWaiting
        }
        if isTaken { state.withLock { $0.waiting.append((model.name, picture)) } }
    }

    /// The trials that are decided and not over.
    var decided: [(canary: ServedModel, figures: CanaryFigures, isPromoted: Bool)] {
        state.withoutWaking { state in
            state.trials.values.compactMap { trial in
                guard let canary = trial.versions?.canary, trial.verdict != .undecided else { return nil }
                return (canary, trial.figures, trial.verdict == .promoted)
            }
        }
    }

    /// Decides a running trial for the canary, whatever has been seen.
    /// - Returns: whether there is one.
    func promote(_ model: String) -> Bool { decide(model, .promoted) }

    /// Decides a running trial against the canary.
    /// - Returns: whether there is one.
    func rollBack(_ model: String) -> Bool { decide(model, .rolledBack) }

    private func decide(_ model: String, _ verdict: CanaryFigures.Verdict) -> Bool {
        state.withoutWaking { state in
            guard state.trials[model]?.isOver == false else { return false }
            state.trials[model]?.verdict = verdict
            return true
        }
    }

    /// Of each model's trial, running or the last one.
    var figures: [(model: String, canary: ModelIdentity, figures: CanaryFigures)] {
        state.withoutWaking { state in state.trials.map { ($0.key, $0.value.canary, $0.value.figures) } }.sorted { $0.0 < $1.0 }
    }

    /// Compares until it is stopped. Blocks.
    /// - Parameter decided: called whenever a trial has come to a verdict.
    func run(_ decided: () -> Void) {
        // Of this thread alone, as Linux has it.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        while let (model, versions, picture) = next() {
            let result = Result { try context.run { try Self.compare(picture, versions.stable.engine, versions.canary.engine) } }
            let isDecided = state.withoutWaking { state in
                // What was interrupted means nothing.
                guard !state.stopping.isSet, var trial = state.trials[model], trial.verdict == .undecided,
                    trial.versions?.canary.engine === versions.canary.engine
                else { return false }
                switch result {
                case .success(let comparison?): trial.figures.add(comparison)
                case .success(nil): return false
                case .failure: trial.figures.addFailure()
                }
                trial.verdict = trial.figures.verdict(policy)
                state.trials[model] = trial
                return trial.verdict != .undecided
            }
            if isDecided { decided() }
        }
    }

    func stop() {
        state.withLock { $0.stopping.set() }
    }

    /// One thread is enough for what nobody waits for.
    private var context: ComputeContext {
        var context = ComputeContext.current
        context.threads = 1
        context.interruption = state.withoutWaking { $0.stopping }
        return context
    }

    private func next() -> (model: String, versions: (stable: ServedModel, canary: ServedModel), picture: RGBImage)? {
        state.wait { state in
            guard !state.stopping.isSet else { return .done(nil) }
            while !state.waiting.isEmpty {
                let (model, picture) = state.waiting.removeFirst()
                if let versions = state.trials[model]?.versions { return .done((model, versions, picture)) }
            }
            return .wait(until: nil)
        }
    }

    /// - Returns: nil where the stable version itself fails, which says nothing of the canary.
    /// - Throws: where the canary alone fails.
    private static func compare(_ picture: RGBImage, _ stable: any Engine, _ canary: any Engine) throws -> VersionComparison? {
        do {
            return try stable.compare(picture, with: canary)
        } catch {
            let tokens = try? stable.encode([picture])
            guard let tokens, (try? stable.decode(tokens)) != nil else { return nil }
            throw error
        }
    }
}
