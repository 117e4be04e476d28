import Files
import Glibc

/// What a launcher says in the environment about the processes that it has started together.
package enum RankedJob {
    /// Whether this process is one of several: `mpirun` says how many, Slurm's `srun` only to a library that asks it.
    package static func isAnnounced(_ environment: (String) -> String? = variable) -> Bool {
        if let count = environment("OMPI_COMM_WORLD_SIZE") { return count != "1" }
        return environment("PMIX_RANK") != nil && environment("SLURM_NTASKS") != "1"
    }

    /// The ranks of this process's job; alone where no launcher has announced others.
    /// - Throws: when there are others, but no library to reach them by.
    package static func join() throws(FileError) -> RankGroup {
        guard isAnnounced() else { return .alone }
        let communicator = try MPICommunicator()
        return RankGroup(communicator.count > 1 ? communicator : nil)
    }

    package static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
