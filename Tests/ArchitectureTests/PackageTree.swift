import Foundation

/// Package.swift and the sources beside it, read as text: targets in their order, what each declares, and what its files import.
/// `Tools/architecture.py` holds the same rules and draws them.
struct PackageTree {
    struct Target {
        let name: String
        let path: String
        let dependencies: [String]
    }

    /// From, to: a module, or a folder with all modules in it. What holds for an arrow holds for every path of arrows.
    static let forbidden = [
        ("Sources/Server/", "Sources/Training/"), ("Sources/Training/", "Sources/Server/"),
        ("HTTPTransport", "Compute"), ("HTTPTransport", "Images"), ("HTTPTransport", "Networks"), ("HTTPTransport", "TokenizerCore"),
        ("Sources/TokenizerCore/", "Sources/Server/"), ("Compute", "Networks"), ("Threads", "Sources/"),
    ]
    /// Modules of the toolchain, which no target declares.
    static let toolchain: Set = ["Dispatch", "Foundation", "FoundationEssentials", "Glibc", "PackageDescription", "Synchronization", "Testing"]

    let targets: [Target]
    /// The text of each Swift file by its path.
    let files: [String: String]

    init(manifest: String, files: [String: String]) {
        let text = manifest.replacing(#/(^|\s)//.*/#.anchorsMatchLineEndings()) { $0.output.1 }
        let products = Dictionary(
            uniqueKeysWithValues: text.matches(of: #/let (\w+) = Target\.Dependency\.product\(\s*name: "(\w+)"/#).map { ($0.output.1, $0.output.2) })
        let list = text.split(separator: "targets: [\n", maxSplits: 1).last ?? ""
        let starts = list.matches(of: #/\.(systemLibrary|target|executableTarget|testTarget)\(\s*name: "([^"]+)"/#)
        let ends = starts.dropFirst().map(\.range.lowerBound) + [list.endIndex]
        targets = zip(starts, ends).map { start, end in
            let (name, declaration) = (String(start.output.2), list[start.range.lowerBound..<end])
            let folder = start.output.1 == "testTarget" ? "Tests" : "Sources"
            let path = declaration.firstMatch(of: #/path: "([^"]+)"/#).map { String($0.output.1) }
            let declared = declaration.firstMatch(of: #/dependencies: \[([^\]]*)\]/#)?.output.1 ?? ""
            let words = declared.matches(of: #/"([\w-]+)"|(\w+)/#).map { $0.output.1 ?? products[$0.output.2!] ?? $0.output.2! }
            return Target(name: name, path: path ?? "\(folder)/\(name)", dependencies: words.map { String($0) })
        }
        self.files = files
    }

    /// Everything under a folder.
    init(root: URL) throws {
        var files: [String: String] = [:]
        for folder in ["Sources", "Tests", "Benchmarks"] {
            for case let path as String in FileManager.default.enumerator(atPath: root.path + "/" + folder) ?? .init() where path.hasSuffix(".swift")
            {
                files["\(folder)/\(path)"] = try String(contentsOf: root.appending(path: "\(folder)/\(path)"), encoding: .utf8)
            }
        }
        self.init(manifest: try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8), files: files)
    }

    var violations: [String] {
        targets.enumerated().flatMap { index, target in
            let above = Set(targets[..<index].map(\.name))
            let all = Set(targets.map(\.name))
            let upward = target.dependencies.filter { all.contains($0) && !above.contains($0) }
            let reached = reachable(from: target.name)
            let broken = Self.forbidden.filter { matches(target, $0.0) }.flatMap { rule in
                targets.filter { reached.contains($0.name) && matches($0, rule.1) }
            }
            return upward.map { "\(target.name) -> \($0) points up" } + broken.map { "\(target.name) -> \($0.name) is forbidden" }
                + undeclared(by: target)
        }
    }

    private func undeclared(by target: Target) -> [String] {
        let allowed = Self.toolchain.union(target.dependencies).union([target.name])
        return files.keys.filter { $0.hasPrefix(target.path + "/") }.sorted().flatMap { path in
            let sockets = files[path]!.firstMatch(of: #/\b(sockaddr\w*|AF_INET6?|AF_UNIX|SOCK_STREAM|epoll_\w+)\b/#)
            return Self.imports(files[path]!).subtracting(allowed).sorted().map { "\(path) imports \($0), which \(target.name) does not declare" }
                + (target.path.hasPrefix("Sources/TokenizerCore/") && sockets != nil ? ["\(path) says \(sockets!.output.1)"] : [])
        }
    }

    static func imports(_ text: String) -> Set<String> {
        let line =
            #/^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|typealias|func|var|let)\s+)?(\w+)/#
        return Set(text.matches(of: line.anchorsMatchLineEndings()).map { String($0.output.1) })
    }

    private func reachable(from name: String) -> Set<String> {
        let arrows = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0.dependencies) })
        var (found, waiting) = (Set<String>(), [name])
        while let next = waiting.popLast() {
            for dependency in arrows[next] ?? [] where found.insert(dependency).inserted { waiting.append(dependency) }
        }
        return found
    }

    private func matches(_ target: Target, _ rule: String) -> Bool {
        rule.hasSuffix("/") ? target.path.hasPrefix(rule) : target.name == rule
    }
}
