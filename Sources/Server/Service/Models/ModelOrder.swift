/// What an operator may order about a model's versions.
enum ModelOrder: Sendable, Equatable {
    /// Look at once, and try again what has failed.
    case reload
    /// Back to the version before; a canary goes.
    case rollback
    /// The canary becomes the stable version.
    case promote
    /// This version is served, whatever is newer.
    case pin(version: String)
    case unpin
    /// Takes back what has kept a version, or all of them, from being served: a rollback, an unloading, a failure.
    case load(version: String?)
    /// The model goes out of memory, or one version that is not the stable one.
    case unload(version: String?)
}
