import Compute

/// Everything the server can be told, checked as a whole before anything is opened.
package struct ServerConfiguration: Sendable, Equatable {
    package let checkpoints: String
    package let host: String
    package let port: UInt16
    package let threads: Int
    package let maxBatch: Int
    package let maxDelay: Duration
    package let maxQueue: Int
    package let precision: Precision
    private let values: [Setting: String]
    private let origins: [Setting: SettingOrigin]

    /// - Parameter flags: the values given on the command line.
    /// - Parameter environment: all variables of the process. Those that start with `REVQ_` must be known.
    /// - Throws: ``ConfigurationError`` naming the flag or variable, its value, and what was expected.
    package init(flags: [Setting: String], environment: [String: String]) throws(ConfigurationError) {
        let known = Set(Setting.allCases.map(\.variable))
        if let unknown = environment.keys.filter({ $0.hasPrefix(Setting.prefix) && !known.contains($0) }).min() {
            let names = known.sorted().joined(separator: ", ")
            throw ConfigurationError(description: "unknown environment variable \(unknown); known are \(names)")
        }
        var values: [Setting: String] = [:]
        var origins: [Setting: SettingOrigin] = [:]
        for setting in Setting.allCases {
            let variable = environment[setting.variable]
            values[setting] = flags[setting] ?? variable ?? setting.standard
            origins[setting] = flags[setting] != nil ? .flag : variable != nil ? .environment : .standard
        }
        self.values = values
        self.origins = origins

        let reader = SettingReader(values: values, origins: origins)
        checkpoints = try reader.text(.checkpoints)
        host = try reader.text(.host)
        port = UInt16(try reader.integer(.port, in: 0...65_535))
        threads = try reader.integer(.threads, in: 1...1_024)
        maxBatch = try reader.integer(.maxBatch, in: 1...1_024)
        maxDelay = .milliseconds(try reader.integer(.maxDelayMilliseconds, in: 0...10_000))
        maxQueue = try reader.integer(.maxQueue, in: 1...65_536)
        precision = try reader.precision(.precision)
        guard maxBatch <= maxQueue else {
            let names = (batch: reader.name(.maxBatch), queue: reader.name(.maxQueue))
            throw ConfigurationError(
                description: "\(names.batch) is \(maxBatch), more than \(names.queue), which is \(maxQueue); a batch cannot exceed the queue")
        }
    }

    /// One line per setting: its value, and where it came from.
    package var listing: String {
        Setting.allCases.map { "\($0.rawValue) = \(values[$0] ?? "") (\(origins[$0] ?? .standard))" }.joined(separator: "\n")
    }
}

/// Reads the text of settings, and names them in errors as the user gave them.
private struct SettingReader {
    let values: [Setting: String]
    let origins: [Setting: SettingOrigin]

    func text(_ setting: Setting) throws(ConfigurationError) -> String {
        guard let text = values[setting], !text.isEmpty else { throw ConfigurationError(description: "\(name(setting)) is empty") }
        return text
    }

    func integer(_ setting: Setting, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        let text = try text(setting)
        guard let value = Int(text), range.contains(value) else {
            throw ConfigurationError(
                description: "\(name(setting)) is \"\(text)\"; expected an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func precision(_ setting: Setting) throws(ConfigurationError) -> Precision {
        let text = try text(setting)
        guard let precision = Precision(rawValue: text) else {
            let names = Precision.allCases.map(\.rawValue).joined(separator: " or ")
            throw ConfigurationError(description: "\(name(setting)) is \"\(text)\"; expected \(names)")
        }
        if let obstacle = precision.obstacle { throw ConfigurationError(description: "\(name(setting)) is \"\(text)\": \(obstacle)") }
        return precision
    }

    func name(_ setting: Setting) -> String {
        origins[setting] == .environment ? setting.variable : setting.flag
    }
}

/// The server cannot start as it was told to.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(description: String) {
        self.description = description
    }
}
