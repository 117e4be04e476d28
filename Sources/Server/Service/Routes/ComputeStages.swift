import Threads

/// What every request passes through.
struct ComputeStages: Sendable {
    let registry: ModelRegistry
    let queue: BatchQueue
    /// Decodes pictures, which may take long; and nothing else, so that tokens never wait for it.
    let pictures: WorkPool
    /// Reads tokens and writes answers.
    let answers: WorkPool
    let intake: ImageIntake
    let results: SharedResults
    let watchdog: Watchdog
    let trials: CanaryTrials
    /// Most members of a list.
    let listLimit: Int
    let sizes: SizeLimits
}
