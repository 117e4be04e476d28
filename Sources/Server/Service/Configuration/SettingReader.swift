/// One thing that can be set, and what it is set to.
struct Setting: Sendable, Equatable {
    /// The flag without its dashes, and the key in a file.
    let name: String
    let help: String
    let standard: String
    let value: String
    let origin: Origin
    /// Whether its flag needs no value: `--no-playground` is `--no-playground=true`.
    let isSwitch: Bool

    /// Where a value came from.
    enum Origin: Sendable, Equatable, CustomStringConvertible {
        case flag, environment, file, standard

        var description: String {
            switch self {
            case .flag: "flag"
            case .environment: "environment"
            case .file: "file"
            case .standard: "default"
            }
        }
    }

    /// The name as the user gave it: `--max-batch`, `REVQ_MAX_BATCH`.
    var givenName: String {
        switch origin {
        case .flag, .standard: "--\(name)"
        case .environment: Self.variable(name)
        case .file: "\"\(name)\" in the configuration file"
        }
    }

    static let prefix = "REVQ_"

    /// Such as `REVQ_MAX_BATCH` for `max-batch`.
    static func variable(_ name: String) -> String {
        prefix + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}

/// Values by the names of their settings. A flag wins over the environment, the environment over a file, a file over the default.
struct SettingSources {
    var flags: [String: String] = [:]
    var environment: [String: String] = [:]
    var file: [String: String] = [:]
}

/// Reads settings from their sources, one after another, and remembers each: reading one is all it takes to declare it.
struct SettingReader {
    private let sources: SettingSources
    private(set) var settings: [Setting] = []

    init(_ sources: SettingSources) {
        self.sources = sources
    }

    mutating func text(_ name: String, default standard: String, _ help: String) throws(ConfigurationError) -> String {
        let setting = take(name, standard, help)
        guard !setting.value.isEmpty else { throw ConfigurationError(description: "\(setting.givenName) is empty") }
        return setting.value
    }

    mutating func integer(
        _ name: String, default standard: Int, in range: ClosedRange<Int>, _ help: String
    ) throws(ConfigurationError) -> Int {
        try within(range, take(name, "\(standard)", help), "an integer")
    }

    mutating func number(
        _ name: String, default standard: Double, in range: ClosedRange<Double>, _ help: String
    ) throws(ConfigurationError) -> Double {
        try within(range, take(name, "\(standard)", help), "a number")
    }

    /// Reads a number, or `none`, which is the default.
    mutating func optionalInteger(_ name: String, in range: ClosedRange<Int>, _ help: String) throws(ConfigurationError) -> Int? {
        let setting = take(name, "none", help)
        guard setting.value != "none" else { return nil }
        guard let value = Int(setting.value), range.contains(value) else {
            throw wrong(setting, "an integer from \(range.lowerBound) to \(range.upperBound), or none")
        }
        return value
    }

    /// Reads whether something is switched on, which by default it is not.
    mutating func isOn(_ name: String, _ help: String) throws(ConfigurationError) -> Bool {
        let setting = take(name, "false", help, isSwitch: true)
        guard let value = Bool(setting.value) else { throw wrong(setting, "true or false") }
        return value
    }

    /// Reads whole seconds.
    mutating func seconds(
        _ name: String, default standard: Int, in range: ClosedRange<Int>, _ help: String
    ) throws(ConfigurationError) -> Duration {
        .seconds(try integer(name, default: standard, in: range, help))
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, default standard: Choice, _ help: String
    ) throws(ConfigurationError) -> Choice {
        let setting = take(name, standard.rawValue, help)
        guard let choice = Choice(rawValue: setting.value) else {
            throw wrong(setting, Choice.allCases.map(\.rawValue).joined(separator: " or "))
        }
        return choice
    }

    /// Why the value of a setting that has been read is none.
    func wrong(_ name: String, _ expected: String) -> ConfigurationError {
        wrong(setting(name), expected)
    }

    /// The setting of this name, which has been read.
    func setting(_ name: String) -> Setting {
        guard let setting = settings.first(where: { $0.name == name }) else { preconditionFailure("\(name) has not been read") }
        return setting
    }

    private func within<Value: Comparable & LosslessStringConvertible>(
        _ range: ClosedRange<Value>, _ setting: Setting, _ kind: String
    ) throws(ConfigurationError) -> Value {
        guard let value = Value(setting.value), range.contains(value) else {
            throw wrong(setting, "\(kind) from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private mutating func take(_ name: String, _ standard: String, _ help: String, isSwitch: Bool = false) -> Setting {
        let given: [(String?, Setting.Origin)] = [
            (sources.flags[name], .flag), (sources.environment[name], .environment), (sources.file[name], .file),
        ]
        let (value, origin) = given.first { $0.0 != nil } ?? (standard, .standard)
        let setting = Setting(name: name, help: help, standard: standard, value: value ?? standard, origin: origin, isSwitch: isSwitch)
        settings.append(setting)
        return setting
    }

    private func wrong(_ setting: Setting, _ expected: String) -> ConfigurationError {
        ConfigurationError(description: "\(setting.givenName) is \"\(setting.value)\"; expected \(expected)")
    }
}

/// The server cannot start as it was told to.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package let description: String
}
