import Testing

@testable import Files
@testable import Tokenization

/// Which share of the work is a job's.
@Suite struct ShardChoiceTests {
    @Test func sharesCoverAllOnceAndAreAlike() throws {
        for (total, count) in [(8, 4), (7, 4), (3, 4), (0, 2), (1000, 7)] {
            let shares = try (0..<count).map { try ShardChoice("\($0)/\(count)").share(of: total) }
            #expect(shares.flatMap { Array($0) } == Array(0..<total))
            let sizes = shares.map(\.count)
            #expect(sizes.max()! - sizes.min()! <= 1)
        }
    }

    @Test(arguments: [
        ("4/4", "--shard 4 of 4 is out of range: expected 0 to 3"), ("-1/4", "--shard -1 of 4 is out of range: expected 0 to 3"),
        ("1", "--shard is i/n, such as 0/4 for the first of four, not 1"), ("1/0", "--shard is i/n, such as 0/4 for the first of four, not 1/0"),
        ("a/b", "--shard is i/n, such as 0/4 for the first of four, not a/b"),
    ])
    func whatIsNoShareIsRefused(text: String, reason: String) {
        #expect(throws: FileError(path: text.hasSuffix("/4") ? "--shard" : text, reason: reason)) { try ShardChoice(text) }
    }

    @Test(
        arguments: [
            ([:], nil, 0, 1), (["JOB_COMPLETION_INDEX": "2"], 4, 2, 4),
            (["SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "4"], nil, 2, 4),
            (["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"], nil, 1, 2),
            // A rank of its own in a Slurm array says nothing.
            (["SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2", "OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"], nil, 0, 2),
        ] as [([String: String], Int?, Int, Int)])
    func aClusterNumbersItsJobs(environment: [String: String], count: Int?, index: Int, total: Int) throws {
        let choice = try ShardChoice(environment: environment, count: count)
        #expect(choice.index == index && choice.count == total && (choice.source == nil) == environment.isEmpty)
    }

    @Test(
        arguments: [
            (["JOB_COMPLETION_INDEX": "2"], nil, "JOB_COMPLETION_INDEX is 2, but not of how many: add --shards N, or say --shard i/n"),
            (["JOB_COMPLETION_INDEX": "4"], 4, "JOB_COMPLETION_INDEX 4 of 4 is out of range: expected 0 to 3"),
            (["SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_COUNT": "4"], nil, "SLURM_ARRAY_TASK_ID is no number: x"),
            (
                ["JOB_COMPLETION_INDEX": "0", "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"], 2,
                "JOB_COMPLETION_INDEX and OMPI_COMM_WORLD_RANK both number this job: say --shard i/n"
            ),
            ([:], 4, "--shards is 4, but nothing numbers this job: add --shard i/4"),
            (["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"], 4, "--shards is 4, but OMPI_COMM_WORLD_RANK is one of 2"),
        ] as [([String: String], Int?, String)])
    func whatAClusterCannotMeanIsRefused(environment: [String: String], count: Int?, reason: String) {
        #expect { try ShardChoice(environment: environment, count: count) } throws: { ($0 as? FileError)?.reason == reason }
    }
}
