/// Why a request gets no model.
enum ModelError: Error, Equatable {
    /// No checkpoint has been loaded.
    case notReady
    /// Several are served and the request names none.
    case ambiguous(served: [String])
    case unknown(String, served: [String])
    /// Neither a number of a version in memory nor a label that one has.
    case unknownVersion(String, of: String, known: [String])
    /// No version in memory has the tokens' fingerprint.
    case notResident(String, resident: [String])
    /// What holds for the model now does not allow an order.
    case conflict(String)
}
