import Files
import Glibc

/// Open MPI's library, found when a program needs it: a program that never runs under `mpirun` runs without it.
///
/// The names of objects and the constants are those of Open MPI's binary interface, which has been the same since version 3 (libmpi.so.40).
/// MPICH has another one and another file name.
///
/// `@unchecked Sendable`: addresses that never change.
final class MPILibrary: @unchecked Sendable {
    typealias Handle = UnsafeMutableRawPointer

    private static let names = ["libmpi.so.40", "libmpi.so"]
    /// The level of `MPI_Init_thread` at which any thread makes calls, one at a time.
    private static let serialized: Int32 = 2
    static let anySource: Int32 = -1, anyTag: Int32 = -1

    let world, byte: Handle
    let commRank, commSize: @convention(c) (Handle, UnsafeMutablePointer<Int32>) -> Int32
    let isend: @convention(c) (UnsafeRawPointer?, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Handle?>) -> Int32
    let irecv: @convention(c) (UnsafeMutableRawPointer?, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Handle?>) -> Int32
    let ibcast: @convention(c) (UnsafeMutableRawPointer?, Int32, Handle, Int32, Handle, UnsafeMutablePointer<Handle?>) -> Int32
    /// The status that these fill in may be nil.
    let test: @convention(c) (UnsafeMutablePointer<Handle?>, UnsafeMutablePointer<Int32>, UnsafeMutableRawPointer?) -> Int32
    let probe: @convention(c) (Int32, Int32, Handle, UnsafeMutablePointer<Int32>, UnsafeMutableRawPointer?) -> Int32
    let abort: @convention(c) (Handle, Int32) -> Int32
    let finalize: @convention(c) () -> Int32

    /// Loads the library and introduces this process to the others of its job.
    /// - Throws: when there is none, it is another MPI's, or it cannot be initialised.
    init() throws(FileError) {
        // Its plugins look for its symbols among those of the whole program.
        guard let library = Self.names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_GLOBAL) }).first else {
            throw FileError(Self.names[0], "cannot be loaded, which several ranks need: install Open MPI (libopenmpi3 on Debian and Ubuntu)")
        }
        func symbol(_ name: String) throws(FileError) -> Handle {
            guard let found = dlsym(library, name) else { throw FileError(Self.names[0], "has no \(name): it is not Open MPI's, which is needed") }
            return found
        }
        func function<F>(_ name: String, as type: F.Type) throws(FileError) -> F { unsafeBitCast(try symbol(name), to: type) }
        (world, byte) = (try symbol("ompi_mpi_comm_world"), try symbol("ompi_mpi_byte"))
        commRank = try function("MPI_Comm_rank", as: (@convention(c) (Handle, UnsafeMutablePointer<Int32>) -> Int32).self)
        commSize = try function("MPI_Comm_size", as: (@convention(c) (Handle, UnsafeMutablePointer<Int32>) -> Int32).self)
        isend = try function(
            "MPI_Isend",
            as: (@convention(c) (UnsafeRawPointer?, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Handle?>) -> Int32).self)
        irecv = try function(
            "MPI_Irecv",
            as: (@convention(c) (UnsafeMutableRawPointer?, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Handle?>) -> Int32).self)
        ibcast = try function(
            "MPI_Ibcast", as: (@convention(c) (UnsafeMutableRawPointer?, Int32, Handle, Int32, Handle, UnsafeMutablePointer<Handle?>) -> Int32).self)
        test = try function(
            "MPI_Test", as: (@convention(c) (UnsafeMutablePointer<Handle?>, UnsafeMutablePointer<Int32>, UnsafeMutableRawPointer?) -> Int32).self)
        probe = try function(
            "MPI_Iprobe", as: (@convention(c) (Int32, Int32, Handle, UnsafeMutablePointer<Int32>, UnsafeMutableRawPointer?) -> Int32).self)
        abort = try function("MPI_Abort", as: (@convention(c) (Handle, Int32) -> Int32).self)
        finalize = try function("MPI_Finalize", as: (@convention(c) () -> Int32).self)
        let initialize = try function(
            "MPI_Init_thread",
            as: (@convention(c) (UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<Int32>) -> Int32).self)
        var provided: Int32 = 0
        guard initialize(nil, nil, Self.serialized, &provided) == 0, provided >= Self.serialized else {
            throw FileError(Self.names[0], "cannot be initialised beside other threads (level \(provided) of \(Self.serialized))")
        }
    }
}
