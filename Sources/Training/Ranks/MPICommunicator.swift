import Files
import Glibc

/// The processes that one `mpirun` or `srun` has started.
///
/// What goes wrong within MPI ends the job, as Open MPI does by itself: a rank that has died cannot be waited for.
package struct MPICommunicator: Communicator {
    package let rank, count: Int
    private let library: MPILibrary

    /// Bytes of one message: their number is an `int` in MPI.
    private static let mostBytes = 1 << 30
    /// A transfer is asked after so often in a row, which takes some microseconds, then after each nap: whoever waits longer leaves its core to
    /// ranks and threads that have something to do.
    private static let patience = 64
    private static let napNanoseconds = 50_000

    /// - Throws: when the library cannot be loaded.
    package init() throws(FileError) {
        library = try MPILibrary()
        var (rank, count): (Int32, Int32) = (0, 0)
        _ = library.commRank(library.world, &rank)
        _ = library.commSize(library.world, &count)
        (self.rank, self.count) = (Int(rank), Int(count))
    }

    package func begin(_ transfer: Transfer) -> () -> Void {
        let (library, requests) = (library, requests(of: transfer))
        return {
            for request in requests { Self.wait(for: request, library) }
        }
    }

    private static func wait(for request: MPILibrary.Handle?, _ library: MPILibrary) {
        var (request, isOver, asked) = (request, 0 as Int32, 0)
        while true {
            _ = library.test(&request, &isOver, nil)
            if isOver != 0 { return }
            asked += 1
            guard asked > patience else { continue }
            var nap = timespec(tv_sec: 0, tv_nsec: napNanoseconds)
            nanosleep(&nap, nil)
        }
    }

    package func progress() {
        var isThere: Int32 = 0
        _ = library.probe(MPILibrary.anySource, MPILibrary.anyTag, library.world, &isThere, nil)
    }

    private func requests(of transfer: Transfer) -> [MPILibrary.Handle?] {
        switch transfer {
        case .send(let bytes, let to):
            Self.pieces(bytes.count).map { piece in
                started { library.isend(bytes.baseAddress! + piece.lowerBound, Int32(piece.count), library.byte, Int32(to), 0, library.world, $0) }
            }
        case .receive(let bytes, let from):
            Self.pieces(bytes.count).map { piece in
                started { library.irecv(bytes.baseAddress! + piece.lowerBound, Int32(piece.count), library.byte, Int32(from), 0, library.world, $0) }
            }
        case .broadcast(let bytes, let from):
            Self.pieces(bytes.count).map { piece in
                started { library.ibcast(bytes.baseAddress! + piece.lowerBound, Int32(piece.count), library.byte, Int32(from), library.world, $0) }
            }
        }
    }

    private func started(_ start: (UnsafeMutablePointer<MPILibrary.Handle?>) -> Int32) -> MPILibrary.Handle? {
        var request: MPILibrary.Handle?
        _ = start(&request)
        return request
    }

    private static func pieces(_ bytes: Int) -> [Range<Int>] {
        stride(from: 0, to: bytes, by: mostBytes).map { $0..<min($0 + mostBytes, bytes) }
    }

    package func abort(status: Int32) -> Never {
        _ = library.abort(library.world, status)
        exit(status)
    }

    package func leave() {
        _ = library.finalize()
    }
}
