import Files

/// Which share of the work is this process's: number `index` of `count`, counted from 0.
package struct ShardChoice: Sendable, Equatable {
    package let index, count: Int
    /// What said so, for people; nil where nothing did.
    package let source: String?

    package static let all = ShardChoice(index: 0, count: 1, source: nil)

    private init(index: Int, count: Int, source: String?) {
        (self.index, self.count, self.source) = (index, count, source)
    }

    /// - Parameter text: "i/n" with i in 0 ..< n.
    /// - Throws: when it is something else.
    package init(_ text: String) throws(FileError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1 else {
            throw FileError(path: text, reason: "--shard is i/n, such as 0/4 for the first of four, not \(text)")
        }
        try self.init(index, of: count, "--shard")
    }

    private init(_ index: Int, of count: Int, _ source: String) throws(FileError) {
        guard (0..<count).contains(index) else {
            throw FileError(path: source, reason: "\(source) \(index) of \(count) is out of range: expected 0 to \(count - 1)")
        }
        self.init(index: index, count: count, source: source)
    }

    /// What a cluster says in the environment: Kubernetes' `JOB_COMPLETION_INDEX`, Slurm's array, Open MPI's rank; ``all`` where none does.
    ///
    /// - Parameter count: how many share the work, which Kubernetes does not say.
    /// - Throws: when several do, or what they say is impossible.
    package init(environment: [String: String], count: Int?) throws(FileError) {
        func number(_ name: String) throws(FileError) -> Int? {
            guard let text = environment[name] else { return nil }
            guard let number = Int(text) else { throw FileError(path: name, reason: "\(name) is no number: \(text.prefix(40))") }
            return number
        }
        var found: [ShardChoice] = []
        if let index = try number("JOB_COMPLETION_INDEX") {
            guard let count else {
                throw FileError(
                    path: "JOB_COMPLETION_INDEX", reason: "JOB_COMPLETION_INDEX is \(index), but not of how many: add --shards N, or say --shard i/n")
            }
            found.append(try ShardChoice(index, of: count, "JOB_COMPLETION_INDEX"))
        }
        for (index, first, total) in [
            ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"), ("OMPI_COMM_WORLD_RANK", "", "OMPI_COMM_WORLD_SIZE"),
        ] {
            guard let rank = try number(index), let total = try number(total), total > 1 else { continue }
            let start = try number(first) ?? 0
            found.append(try ShardChoice(rank - start, of: total, index))
        }
        guard found.count < 2 else {
            throw FileError(
                path: "--shard", reason: "\(found.compactMap(\.source).joined(separator: " and ")) both number this job: say --shard i/n")
        }
        let choice = found.first ?? .all
        guard count == nil || count == choice.count else {
            throw FileError(
                path: "--shards",
                reason: "--shards is \(count!), but "
                    + (choice.source.map { "\($0) is one of \(choice.count)" } ?? "nothing numbers this job: add --shard i/\(count!)"))
        }
        self = choice
    }

    /// Its share of `total` things in a row: as many for each as for any other, or one more.
    func share(of total: Int) -> Range<Int> { total * index / count..<total * (index + 1) / count }
}
