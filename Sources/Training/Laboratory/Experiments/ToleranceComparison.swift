import Networks

/// How much the decoders of several autoencoders tolerate, on the same pictures: at equal noise, and at equal bits.
package struct ToleranceComparison: Experiment {
    package struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        /// Its name.
        package let autoencoder: String
        package let treatment: ToleranceExperiment.Cell

        package var description: String { "\(autoencoder), \(treatment)" }
    }

    /// One of the autoencoders.
    struct Member: Sendable {
        let name: String
        var experiment: ToleranceExperiment
    }

    private(set) var members: [Member]

    /// Single channels, which are many, come last: what compares the autoencoders is there before.
    package var cells: [Cell] {
        let all = members.flatMap { member in member.experiment.cells.map { Cell(autoencoder: member.name, treatment: $0) } }
        return all.filter { !$0.treatment.isOfOneChannel } + all.filter { $0.treatment.isOfOneChannel }
    }

    /// - Parameters:
    ///   - folders: of the autoencoders.
    ///   - domains: of each, with the same pictures.
    /// - Throws: when there are no pictures to measure, or they differ.
    package init(_ folders: [String], _ domains: [LatentDomain], _ options: ToleranceExperiment.Options) throws(ExperimentError) {
        members = []
        for (name, domain) in zip(Self.names(of: folders), domains) {
            guard domain.originals.map(\.image) == domains[0].originals.map(\.image) else {
                throw ExperimentError("\(name) was measured on other pictures: choose a new folder")
            }
            members.append(Member(name: name, experiment: try ToleranceExperiment(domain, options)))
        }
    }

    /// The ends of the folders' paths, as short as tells them apart.
    static func names(of folders: [String]) -> [String] {
        let parts = folders.map { $0.split(separator: "/") }
        let longest = parts.map(\.count).max() ?? 0
        let names = (1...max(1, longest)).lazy.map { length in parts.map { $0.suffix(length).joined(separator: "/") } }
        return names.first { Set($0).count == folders.count } ?? folders
    }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> ToleranceExperiment.Figures? {
        guard let place = members.firstIndex(where: { $0.name == cell.autoencoder }) else {
            preconditionFailure("no autoencoder \(cell.autoencoder)")
        }
        return try members[place].experiment.measure(cell.treatment, isStopRequested: isStopRequested)
    }
}
