import ArgumentParser
import Files
import FoundationEssentials
import Jobs

/// The options of a command: which there are, as its parser knows them, and what they were set to.
struct CommandOptions {
    private struct Argument: Decodable {
        struct Name: Decodable {
            let name: String
        }

        let kind: String
        let names: [Name]?
        let preferredName: Name?
        let isRepeating: Bool
    }

    private struct Description: Decodable {
        struct Command: Decodable {
            let arguments: [Argument]
        }

        let command: Command
    }

    private static let fileName = "config"
    /// No values that a file could give.
    private static let switches: Set<String> = [fileName, "help", "version"]

    private let command: any ParsableCommand.Type
    /// By each of their names.
    private let arguments: [String: Argument]

    private init(_ command: any ParsableCommand.Type) {
        self.command = command
        let dump = command._dumpHelp()
        guard let described = try? JSONDecoder().decode(Description.self, from: Data(dump.utf8)) else {
            preconditionFailure("the parser describes its options otherwise than \(Description.self) does: \(dump)")
        }
        let named = described.command.arguments.flatMap { argument in (argument.names ?? []).map { ($0.name, argument) } }
        arguments = Dictionary(named.filter { !Self.switches.contains($0.0) }) { first, _ in first }
    }

    /// The words of a command line, and behind them the options of the file that `--config` names, but for those that are there already.
    /// - Throws: naming the file and what is wrong in it: an option that the command does not have, or a value that none can be.
    static func expanding(_ words: [String], of root: any ParsableCommand.Type) throws(FileError) -> [String] {
        guard let path = try file(words) else { return words }
        var command = root
        for word in words {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else { break }
            command = next
        }
        let options = CommandOptions(command)
        let given = Set(words.compactMap { options.name(of: $0) })
        var all = words
        for (name, value) in try OptionFile(path).entries {
            guard let argument = options.arguments[name] else { throw FileError(path, options.complaint(about: name)) }
            if !given.contains(argument.preferredName?.name ?? name) { all += try options.words(name, value, argument, path) }
        }
        return all
    }

    private static func file(_ words: [String]) throws(FileError) -> String? {
        var found: [String] = []
        for (index, word) in words.enumerated() {
            if word == "--\(fileName)", index + 1 < words.count { found.append(words[index + 1]) }
            if word.hasPrefix("--\(fileName)=") { found.append(String(word.dropFirst("--\(fileName)=".count))) }
        }
        guard found.count < 2 else { throw FileError(path: found[1], reason: "--\(fileName) names two files, \(found[0]) and \(found[1]): name one") }
        return found.first
    }

    /// The option that a word such as `--seed` or `--seed=1` sets, by the name that it is known by first.
    private func name(of word: String) -> String? {
        guard word.hasPrefix("--"), let name = word.dropFirst(2).split(separator: "=", maxSplits: 1).first else { return nil }
        return arguments[String(name)]?.preferredName?.name
    }

    private func complaint(about name: String) -> String {
        if name == "_class_name" { return "is an autoencoder's configuration, not options of \(command._commandName): name it with --architecture" }
        let nearest = arguments.keys.sorted().min { $0.edits(to: name) < $1.edits(to: name) }
        return "\(name) is no option of \(command._commandName)" + (nearest.map { "; the nearest is \($0)" } ?? "")
    }

    private func words(_ name: String, _ value: OptionFile.Value, _ argument: Argument, _ path: String) throws(FileError) -> [String] {
        if argument.kind == "flag" {
            guard !value.isList, ["true", "false"].contains(value.texts[0]) else {
                throw FileError(path, "\(name) is true or false, not \(value.texts.joined(separator: ", "))")
            }
            return value.texts[0] == "true" ? ["--\(name)"] : []
        }
        if argument.isRepeating { return ["--\(name)"] + value.texts }
        guard !value.isList else { throw FileError(path, "\(name) is one value, not a list") }
        return ["--\(name)=\(value.texts[0])"]
    }

    /// A file that repeats a command.
    /// - Parameter command: as it was parsed, with what it computed for options that were not given.
    static func text(of command: some ParsableCommand) -> String {
        let name = type(of: command)._commandName
        return OptionFile.text(
            entries(of: command), heading: "Every option of this run; revq-train \(name) --config with this file repeats it, or goes on with it.")
    }

    private static func entries(of value: Any) -> [(name: String, value: OptionFile.Value)] {
        Mirror(reflecting: value).children.flatMap { child -> [(name: String, value: OptionFile.Value)] in
            guard let option = child.value as? any ParsedOption else { return [] }
            if option.isGroup { return entries(of: option.parsed) }
            // A property wrapper's storage is named after its property.
            let name = (child.label ?? "").drop { $0 == "_" }.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
            guard !switches.contains(name), let value = OptionFile.Value(of: option.parsed) else { return [] }
            return [(name, value)]
        }
    }
}

extension OptionFile.Value {
    /// - Returns: nil for an option that was not given.
    fileprivate init?(of value: Any) {
        if let values = value as? [any ExpressibleByArgument] {
            guard !values.isEmpty else { return nil }
            self.init(values.map(\.defaultValueDescription), isList: true)
        } else if let value = value as? any ExpressibleByArgument {
            self.init([value.defaultValueDescription], isList: false)
        } else {
            return nil
        }
    }
}

/// What the parser's property wrappers have in common.
private protocol ParsedOption {
    var parsed: Any { get }
    var isGroup: Bool { get }
}

extension Option: ParsedOption {
    fileprivate var parsed: Any { wrappedValue }
    fileprivate var isGroup: Bool { false }
}

extension Flag: ParsedOption {
    fileprivate var parsed: Any { wrappedValue }
    fileprivate var isGroup: Bool { false }
}

extension OptionGroup: ParsedOption {
    fileprivate var parsed: Any { wrappedValue }
    fileprivate var isGroup: Bool { true }
}

extension String {
    /// How many characters have to be put in, left out or replaced to make it `other`. Source: Levenshtein (1966).
    fileprivate func edits(to other: String) -> Int {
        let other = Array(other)
        var row = Array(0...other.count)
        for (index, character) in enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for place in other.indices {
                let edited = Swift.min(diagonal + (character == other[place] ? 0 : 1), row[place] + 1, row[place + 1] + 1)
                diagonal = row[place + 1]
                row[place + 1] = edited
            }
        }
        return row[other.count]
    }
}
