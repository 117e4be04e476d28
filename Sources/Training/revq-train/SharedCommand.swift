import ArgumentParser
import Files
import Glibc
import Jobs
import Ranks

/// A command whose work several processes can share, which `mpirun` or `srun` has started.
protocol SharedCommand: ComputingCommand {
    func run(_ ranks: RankGroup) throws
}

extension SharedCommand {
    func run() throws {
        try run(.alone)
    }

    /// Does this process's part of the job. What ends one rank ends all of them, with one line for it.
    func runWithAllRanks() throws {
        let ranks = try RankedJob.join()
        guard ranks.count > 1 else { return try run(.alone) }
        do {
            try run(ranks)
        } catch let code as ExitCode {
            // A stop that all have agreed on.
            ranks.leave()
            throw code
        } catch {
            guard ranks.hasBegun else { RevqTrain.refuse(error, ranks) }
            let status = Self.exitCode(for: error).rawValue
            guard ranks.hasFailedTogether else {
                Console().say("Error: rank \(ranks.rank) of \(ranks.count): \(Self.message(for: error))")
                ranks.abort(status: status)
            }
            if ranks.isFirst { Console().say("Error: \(Self.message(for: error))") }
            ranks.leave()
            throw ExitCode(status)
        }
        ranks.leave()
    }
}

extension RevqTrain {
    /// Ends a process that was not called as it should be; of several that one job has, one says why.
    static func refuse(_ error: any Error) -> Never {
        guard exitCode(for: error) != .success, let ranks = try? RankedJob.join(), ranks.count > 1 else { exit(withError: error) }
        refuse(error, ranks)
    }

    /// The same before the ranks have done anything together.
    fileprivate static func refuse(_ error: any Error, _ ranks: RankGroup) -> Never {
        // What the others begin with, too: they may have been called otherwise.
        let text = ranks.isFirst ? fullMessage(for: error) : message(for: error)
        let shared = Result { () throws(FileError) in try ranks.together { () throws(FileError) -> Void in throw FileError(path: "", reason: text) } }
        if ranks.isFirst, case .failure(let error) = shared { Console().sayLines(error.reason) }
        ranks.leave()
        Glibc.exit(exitCode(for: error).rawValue)
    }
}

extension Console {
    /// Says a text of several lines.
    fileprivate func sayLines(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { say(String(line)) }
    }

    /// Standard error for the first rank; the others' progress is the same.
    convenience init(of ranks: RankGroup) {
        if ranks.isFirst { self.init() } else { self.init(isTerminal: false) { _ in } }
    }
}
