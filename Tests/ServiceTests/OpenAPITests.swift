import Glibc
import Testing

@testable import HTTPTransport
@testable import Service

/// Holds `openapi.yaml` against the route table.
@Suite struct OpenAPITests {
    private let lines: [Substring]

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try #require(fopen("/\(root)/openapi.yaml", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The keys of the mapping that `path` leads to. The file indents each level by two spaces.
    private func keys(under path: [String]) -> [String] {
        block(path).compactMap { line in
            let indent = line.prefix { $0 == " " }.count
            guard indent == path.count * 2, line.dropFirst(indent).first != "-", let key = Self.key(line) else { return nil }
            return key
        }
    }

    private func block(_ path: [String]) -> [Substring] {
        path.enumerated().reduce(lines) { lines, step in
            let indent = step.offset * 2
            guard let start = lines.firstIndex(where: { Self.indent($0) == indent && Self.key($0) == step.element }) else { return [] }
            return Array(lines[(start + 1)...].prefix { $0.isEmpty || Self.indent($0) > indent })
        }
    }

    private static func indent(_ line: Substring) -> Int {
        line.prefix { $0 == " " }.count
    }

    private static func key(_ line: Substring) -> String? {
        line.firstIndex(of: ":").map { line[..<$0].filter { $0 != " " && $0 != "\"" } }
    }

    /// The members of `name: [a, b]` in a line.
    private static func list(_ name: String, in line: Substring) -> [String] {
        guard let start = line.firstRange(of: "\(name): [")?.upperBound, let end = line[start...].firstIndex(of: "]") else { return [] }
        return line[start..<end].split(separator: ",").map { $0.filter { $0 != " " } }
    }

    @Test func pathsAndMethodsAreThoseOfTheTable() {
        #expect(keys(under: ["paths"]).sorted() == Set(Route.table.map(\.path)).sorted())
        for path in keys(under: ["paths"]) {
            let methods = Route.table.filter { $0.path == path }.map { $0.method.rawValue.lowercased() }
            #expect(keys(under: ["paths", path]) == methods)
        }
    }

    @Test(arguments: Route.table)
    func statusesAndCodesAreThoseOfTheTable(route: Route) {
        let path = ["paths", route.path, route.method.rawValue.lowercased(), "responses"]
        let expected = Dictionary(grouping: route.problems, by: { "\($0.status)" }).mapValues { Set($0.map(\.rawValue)) }
        #expect(Set(keys(under: path)) == Set(expected.keys).union(route.endpoint.hasTag ? ["200", "304"] : ["200"]))
        for line in block(path) {
            guard let status = Self.key(line), let codes = expected[status], Self.indent(line) == 8 else { continue }
            #expect(Set(Self.list("x-problem-codes", in: line)) == codes, "\(route.path) \(status)")
            #expect(line.contains("content: *problem"))
        }
    }

    @Test(arguments: Route.table)
    func mediaTypesAreThoseOfTheTable(route: Route) {
        let operation = ["paths", route.path, route.method.rawValue.lowercased()]
        #expect(keys(under: operation + ["responses", "200", "content"]) == route.offers)
        let usesImageBody = block(operation + ["requestBody"]).contains { $0.contains("requestBodies/Image\"") }
        let body = usesImageBody ? ["components", "requestBodies", "Image", "content"] : operation + ["requestBody", "content"]
        #expect(keys(under: body) == route.accepts)
    }

    @Test(arguments: Route.table)
    func parametersAreThoseOfTheTable(route: Route) {
        let parameters = block(["paths", route.path, route.method.rawValue.lowercased(), "parameters"]).filter { $0.contains("$ref") }
        #expect(parameters.contains { $0.contains("parameters/Model\"") } == route.parameters.contains("model"))
        #expect(parameters.contains { $0.contains("parameters/FingerprintQuery\"") } == route.parameters.contains("fingerprint"))
        #expect(parameters.contains { $0.contains("parameters/Size\"") } == route.parameters.contains("size"))
        let versions = ["Version", "PinnedVersion", "OrderedVersion"].map { "parameters/\($0)\"" }
        #expect(parameters.contains { line in versions.contains { line.contains($0) } } == route.parameters.contains("version"))
    }

    @Test func everyCodeIsListed() {
        let values = block(["components", "schemas", "Problem", "properties", "code", "enum"]).map { $0.filter { $0 != " " && $0 != "-" } }
        #expect(Set(values.filter { !$0.isEmpty }) == Set(ProblemCode.allCases.map(\.rawValue)))
        #expect(block(["x-problem"]).contains { $0.contains(MediaType.problem) })
    }
}

extension Endpoint {
    /// Whether its answers have a tag, which the interface says.
    fileprivate var hasTag: Bool {
        if case .compute = self { true } else { false }
    }
}
