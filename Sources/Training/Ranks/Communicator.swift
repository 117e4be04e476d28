/// How bytes get from one process of a job to another. Everything that ranks do together is made of these three transfers.
package protocol Communicator: Sendable {
    /// Which of the processes this is: 0 ..< ``count``.
    var rank: Int { get }
    var count: Int { get }

    /// Starts a transfer. Between two ranks those of one kind arrive in the order in which they were started.
    /// - Returns: what waits until the memory may be used again: what was sent may change, what was received is there. Called once.
    func begin(_ transfer: Transfer) -> () -> Void

    /// Lets transfers go on that were begun: a library without a thread of its own works while it is called.
    func progress()

    /// Ends all processes of the job at once, without waiting for them.
    func abort(status: Int32) -> Never

    /// Waits until every process has come here, and takes leave of them.
    func leave()
}

/// Both sides name equally many bytes.
package enum Transfer {
    case send(UnsafeRawBufferPointer, to: Int)
    case receive(UnsafeMutableRawBufferPointer, from: Int)
    /// From one rank to all others, started by all of them, in the same order.
    case broadcast(UnsafeMutableRawBufferPointer, from: Int)
}
