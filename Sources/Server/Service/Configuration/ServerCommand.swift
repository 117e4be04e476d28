import Files

/// What a command line asks for.
package enum ServerCommand: Sendable {
    case serve(ServerConfiguration)
    /// Ask whoever serves with this whether it is ready.
    case probe(ServerConfiguration)
    /// Print this and exit.
    case show(String)

    /// What is no setting: it has no value that could come from somewhere else.
    private enum Switch: String, CaseIterable {
        case printConfiguration = "print-config"
        case checkConfiguration = "check-config"
        case probe
        case help

        var help: String {
            switch self {
            case .printConfiguration: "Show every setting with its value and origin, and exit."
            case .checkConfiguration: "Check every setting, and exit."
            case .probe: "Ask the server that runs here with these settings whether it is ready, say so, and exit with 0 or 1."
            case .help: "Show this, and exit."
            }
        }
    }

    private static let file = "config"
    private static let fileHelp = "A JSON object with settings by their names, such as {\"port\": 8080}."

    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: all variables of the process. Those that start with `REVQ_` must be known.
    package init(_ arguments: [String], environment: [String: String]) throws(ConfigurationError) {
        let standard = try ServerConfiguration(SettingSources()).settings
        let names = standard.map(\.name)
        let switchable = Set(standard.filter(\.isSwitch).map(\.name))
        var (flags, switches) = try Self.parse(arguments, names: names + [Self.file], switchable: switchable)
        if switches.contains(.help) {
            self = .show(Self.help(standard))
            return
        }
        var variables = try Self.variables(environment, names: names + [Self.file])
        let (flagged, variable) = (flags.removeValue(forKey: Self.file), variables.removeValue(forKey: Self.file))
        let values = try (flagged ?? variable).map { path throws(ConfigurationError) in try Self.readFile(path, names: names) }
        let configuration = try ServerConfiguration(SettingSources(flags: flags, environment: variables, file: values ?? [:]))
        if switches.contains(.printConfiguration) {
            self = .show(configuration.listing)
        } else if switches.contains(.checkConfiguration) {
            self = .show("The configuration is valid.")
        } else if switches.contains(.probe) {
            self = .probe(configuration)
        } else {
            self = .serve(configuration)
        }
    }

    /// Takes `--name value` and `--name=value` apart.
    /// - Parameter switchable: the names whose flag alone means `true`.
    private static func parse(
        _ arguments: [String], names: [String], switchable: Set<String>
    ) throws(ConfigurationError) -> (flags: [String: String], switches: Set<Switch>) {
        var (flags, switches): ([String: String], Set<Switch>) = ([:], [])
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0].dropFirst(2))
            if argument == "-h" {
                switches.insert(.help)
            } else if argument.hasPrefix("--"), let known = Switch(rawValue: String(argument.dropFirst(2))) {
                switches.insert(known)
            } else {
                guard argument.hasPrefix("--"), names.contains(name) else {
                    throw ConfigurationError(description: "unknown option \(argument); revq-server --help lists what there is")
                }
                guard let value = parts.count > 1 ? String(parts[1]) : switchable.contains(name) ? "true" : rest.popFirst() else {
                    throw ConfigurationError(description: "--\(name) has no value")
                }
                guard flags.updateValue(value, forKey: name) == nil else { throw ConfigurationError(description: "--\(name) occurs twice") }
            }
        }
        return (flags, switches)
    }

    private static func variables(_ environment: [String: String], names: [String]) throws(ConfigurationError) -> [String: String] {
        let known = Dictionary(uniqueKeysWithValues: names.map { (Setting.variable($0), $0) })
        var values: [String: String] = [:]
        for (variable, value) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix(Setting.prefix) && !isServiceLink(variable, value) {
            guard let name = known[variable] else {
                let listed = known.keys.sorted().joined(separator: ", ")
                throw ConfigurationError(description: "unknown environment variable \(variable); known are \(listed)")
            }
            values[name] = value
        }
        return values
    }

    /// Kubernetes tells every container about every service of its namespace: for one named `revq` it sets `REVQ_SERVICE_HOST`,
    /// `REVQ_PORT=tcp://10.0.0.1:8080` and `REVQ_PORT_8080_TCP_ADDR`, none of which is meant for this server.
    private static func isServiceLink(_ variable: String, _ value: String) -> Bool {
        let words = variable.split(separator: "_")
        let isPort = words.indices.dropLast(2).contains { words[$0] == "PORT" && Int(words[$0 + 1]) != nil }
        let isService = variable.hasSuffix("_SERVICE_HOST") || variable.contains("_SERVICE_PORT")
        return isPort || isService || ["tcp://", "udp://", "sctp://"].contains { value.hasPrefix($0) }
    }

    private static func readFile(_ path: String, names: [String]) throws(ConfigurationError) -> [String: String] {
        var values: [String: String] = [:]
        do {
            try JSONReader.readDocument(StoredFile.read(path), fields: names) { name, reader throws(PayloadError) in
                values[name] = try reader.readText(name)
            }
        } catch let error as PayloadError {
            throw ConfigurationError(description: "the configuration file \(path): \(error.reason)")
        } catch {
            throw ConfigurationError(description: "\(error)")
        }
        return values
    }

    private static func help(_ settings: [Setting]) -> String {
        let options = settings.map { ("--\($0.name)\($0.isSwitch ? "" : " <value>")", "\($0.help) (default: \($0.standard))") }
        let others = [("--\(file) <file>", fileHelp)] + Switch.allCases.map { ("--\($0.rawValue)", $0.help) }
        return """
            Serves a visual tokenizer over HTTP.

            Every option with a value has an environment variable, \(Setting.prefix) and its name in capitals: REVQ_MAX_BATCH.
            An option wins over the environment, the environment over the file, the file over the default.

            \((options + others).map { "  \($0.0)\n      \($0.1)" }.joined(separator: "\n"))
            """
    }
}
