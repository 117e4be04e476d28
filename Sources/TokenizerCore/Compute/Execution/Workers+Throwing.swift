import Synchronization

extension Workers {
    /// Like ``Workers/forEach(_:_:)`` for pieces that may fail: all pieces are tried, then the failure of the lowest one is thrown.
    package static func forEachThrowing<Failure: Error>(_ pieces: Int, _ body: (Int) throws(Failure) -> Void) throws(Failure) {
        let first = Mutex<(piece: Int, error: Failure)?>(nil)
        forEach(pieces) { piece in
            do throws(Failure) {
                try body(piece)
            } catch {
                first.withLock { if $0 == nil || piece < $0!.piece { $0 = (piece, error) } }
            }
        }
        if let failure = first.withLock({ $0 }) { throw failure.error }
    }
}
