import HTTPTransport
import TestSupport
import Testing

@testable import Compute
@testable import Service

@Suite struct ServerConfigurationTests {
    private let folder = ScratchFolder()

    private func configuration(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> ServerConfiguration {
        guard case .serve(let configuration) = try ServerCommand(arguments, environment: environment) else {
            throw ConfigurationError(description: "nothing to serve")
        }
        return configuration
    }

    private func reason(_ arguments: [String] = [], _ environment: [String: String] = [:]) -> String? {
        do {
            _ = try ServerCommand(arguments, environment: environment)
            return nil
        } catch { return error.description }
    }

    private func shown(_ arguments: [String], _ environment: [String: String] = [:]) throws -> String? {
        guard case .show(let text) = try ServerCommand(arguments, environment: environment) else { return nil }
        return text
    }

    @Test func everySettingHasADefault() throws {
        let configuration = try configuration([], ["PATH": "/bin"])
        #expect(configuration.checkpoints == "checkpoints")
        #expect(configuration.host == "127.0.0.1")
        #expect(configuration.port == 8080)
        #expect(configuration.threads == Processors.usable)
        #expect(configuration.maxBatch == 8)
        #expect(configuration.maxDelay == .zero)
        #expect(configuration.maxQueue == 64)
        #expect(configuration.hasPlayground)
        #expect(configuration.maxList == 64 && configuration.cacheBytes == 0 && configuration.maxSizePixels == 1 << 20)
        #expect(configuration.apiKeys == nil && configuration.crossOrigin == nil)
        #expect(configuration.images.maxDecodedBytes == 64 << 20)
        #expect(configuration.precision == .float32)
        #expect(configuration.drainDelay == .zero)
        #expect(configuration.connectionLimits == HTTPLimits())
        #expect(configuration.bodyBudgetBytes == 256 << 20)
    }

    @Test func everyLimitOfAConnectionCanBeSet() throws {
        let names = [
            "max-request-line-bytes", "max-head-bytes", "max-header-fields", "max-small-chunks", "max-discarded-bytes", "head-timeout",
            "body-timeout", "write-timeout", "idle-timeout", "min-rate-grace", "min-rate", "max-buffered-bytes",
        ]
        let configuration = try configuration(names.enumerated().map { "--\($0.element)=\(1000 + $0.offset)" })
        let limits = configuration.connectionLimits
        let sizes = [limits.requestLineBytes, limits.headBytes, limits.headerFields, limits.smallChunks, limits.discardBytes]
        let times = [limits.headTimeout, limits.bodyTimeout, limits.writeTimeout, limits.keepAliveTimeout, limits.transferGrace]
        #expect(sizes == [1000, 1001, 1002, 1003, 1004])
        #expect(times == (1005...1009).map { .seconds($0) })
        #expect(limits.minimumBytesPerSecond == 1010)
        #expect(configuration.bodyBudgetBytes == 1011)
    }

    @Test func everyLimitOfHTTP2CanBeSet() throws {
        let names = ["max-streams", "max-resets", "max-control-frames", "max-settings", "max-continuations", "stream-window", "connection-window"]
        let values = [10, 11, 12, 13, 14, 70_000, 70_001]
        let limits = try configuration(zip(names, values).map { "--http2-\($0)=\($1)" }).connectionLimits.http2
        #expect([limits.concurrentStreams, limits.resetsPerSecond, limits.controlFramesPerSecond] == [10, 11, 12])
        #expect([limits.settings, limits.continuations, limits.streamWindowBytes, limits.connectionWindowBytes] == [13, 14, 70_000, 70_001])
        #expect(reason(["--http2-stream-window", "1"]) == "--http2-stream-window is \"1\"; expected an integer from 65535 to 1073741824")
        #expect(
            reason(["--http2-stream-window=70000", "--http2-connection-window=65535"])?.hasPrefix("--http2-stream-window is 70000, more") == true)
    }

    @Test func helpNamesEverySettingWithItsDefault() throws {
        let help = try #require(try shown(["--help"]))
        for setting in try configuration().settings {
            #expect(help.contains(setting.isSwitch ? "--\(setting.name)\n" : "--\(setting.name) <value>\n"))
            #expect(help.contains("\(setting.help) (default: \(setting.standard))"))
        }
        #expect(try shown(["-h"]) == help)
    }

    @Test func aFlagWinsOverTheEnvironmentAndThatOverTheFile() throws {
        try folder.write(#"{"port": 3, "host": "::2", "max-queue": "16", "threads": 2}"#, to: "revq.json")
        let environment = ["REVQ_PORT": "2", "REVQ_HOST": "::1", "REVQ_CONFIG": folder.path + "/revq.json"]
        let arguments = ["--port", "1", "--max-batch=3"]
        let configuration = try configuration(arguments, environment)
        #expect(configuration.port == 1)
        #expect(configuration.host == "::1")
        #expect(configuration.maxQueue == 16)
        let listing = try #require(try shown(arguments + ["--print-config"], environment)).split(separator: "\n")
        #expect(listing.contains("port = 1 (flag)"))
        #expect(listing.contains("host = ::1 (environment)"))
        #expect(listing.contains("max-batch = 3 (flag)"))
        #expect(listing.contains("max-queue = 16 (file)"))
        #expect(listing.contains("max-delay-ms = 0 (default)"))
    }

    @Test func aSwitchNeedsNoValue() throws {
        #expect(try !configuration(["--no-playground", "--port", "1"]).hasPlayground)
        #expect(try configuration(["--no-playground", "--port", "1"]).port == 1)
        #expect(try configuration(["--no-playground=false"], ["REVQ_NO_PLAYGROUND": "true"]).hasPlayground)
        #expect(try !configuration([], ["REVQ_NO_PLAYGROUND": "true"]).hasPlayground)
        try folder.write(#"{"no-playground": true, "port": 3}"#, to: "switch.json")
        #expect(try !configuration(["--config", folder.path + "/switch.json"]).hasPlayground)
        #expect(reason(["--no-playground=yes"]) == "--no-playground is \"yes\"; expected true or false")
        #expect(reason(["--no-playground", "--no-playground"]) == "--no-playground occurs twice")
        #expect(reason(["--no-playground", "true"]) == "unknown option true; revq-server --help lists what there is")
    }

    @Test func checkingShowsOneLineOrTheError() throws {
        #expect(try shown(["--check-config"]) == "The configuration is valid.")
        #expect(reason(["--check-config", "--port", "x"])?.hasPrefix("--port is ") == true)
    }

    @Test func probingTakesTheSameSettings() throws {
        guard case .probe(let configuration) = try ServerCommand(["--probe"], environment: ["REVQ_PORT": "81"]) else {
            Issue.record("nothing to probe")
            return
        }
        #expect(configuration.port == 81)
        #expect(reason(["--probe", "--port", "x"])?.hasPrefix("--port is ") == true)
    }

    @Test func whatIsUnknownIsNamed() throws {
        #expect(reason([], ["REVQ_PROT": "1"])?.hasPrefix("unknown environment variable REVQ_PROT; known are REVQ_ADMIN_PORT") == true)
        #expect(reason(["--prot", "1"]) == "unknown option --prot; revq-server --help lists what there is")
        #expect(reason(["port"]) == "unknown option port; revq-server --help lists what there is")
        #expect(reason(["--port"]) == "--port has no value")
        #expect(reason(["--port", "1", "--port=2"]) == "--port occurs twice")
        try folder.write(#"{"prot": 1}"#, to: "unknown.json")
        let path = folder.path + "/unknown.json"
        #expect(
            reason(["--config", path])?.hasPrefix("the configuration file \(path): the document has an unknown field \"prot\"; expected") == true)
        try folder.write(#"{"port": 1.5}"#, to: "fraction.json")
        #expect(reason(["--config", folder.path + "/fraction.json"])?.contains("port is written with a fraction") == true)
        #expect(reason(["--config", "/nowhere"])?.contains("/nowhere") == true)
    }

    /// What Kubernetes sets for a service named `revq`, and for one named `revq-canary`.
    @Test func variablesThatNameServicesAreNoSettings() throws {
        let configuration = try configuration(
            [],
            [
                "REVQ_SERVICE_HOST": "10.0.0.1", "REVQ_SERVICE_PORT": "8080", "REVQ_SERVICE_PORT_HTTP": "8080", "REVQ_PORT": "tcp://10.0.0.1:8080",
                "REVQ_PORT_8080_TCP": "tcp://10.0.0.1:8080", "REVQ_PORT_8080_TCP_PROTO": "tcp", "REVQ_PORT_8080_TCP_PORT": "8080",
                "REVQ_PORT_8080_TCP_ADDR": "10.0.0.1", "REVQ_CANARY_SERVICE_HOST": "10.0.0.2", "REVQ_CANARY_PORT": "udp://10.0.0.2:1",
                "REVQ_CANARY_PORT_1_UDP_PROTO": "udp",
            ])
        #expect(configuration.port == 8080)
    }

    @Test(arguments: [
        ("port", "65536"), ("port", "-1"), ("port", "http"), ("port", ""), ("threads", "0"), ("threads", "2.0"), ("max-batch", "0"),
        ("max-delay-ms", "-1"), ("max-delay-ms", "10001"), ("max-queue", "0"), ("max-list", "0"), ("cache-bytes", "-1"), ("max-size-pixels", "-1"),
        ("cors-origins", "a"),
        ("host", ""), ("checkpoints", ""), ("precision", "fp16"),
        ("drain-delay", "5s"),
    ])
    func aWrongValueIsNamedAsTheUserGaveIt(name: String, value: String) throws {
        #expect(try #require(reason(["--\(name)", value])).hasPrefix("--\(name) is "))
        #expect(try #require(reason([], [Setting.variable(name): value])).hasPrefix("\(Setting.variable(name)) is "))
        try folder.write("{\"\(name)\": \"\(value)\"}", to: "wrong.json")
        #expect(try #require(reason(["--config", folder.path + "/wrong.json"])).hasPrefix("\"\(name)\" in the configuration file is "))
    }

    @Test func reducedPrecisionIsRefusedInOneLineWhereTheProcessorCannot() throws {
        ComputeContext.with(\.bfloat16Unit, nil) {
            let text = reason([], ["REVQ_PRECISION": "bf16"])
            #expect(text?.hasPrefix("REVQ_PRECISION is \"bf16\": ") == true && text?.contains("\n") == false)
        }
        let precision = try ComputeContext.with(\.bfloat16Unit, .amx) { try configuration(["--precision", "bf16"]).precision }
        #expect(precision == .bfloat16)
    }

    /// Where it could and fp32 is faster.
    @Test func reducedPrecisionThatDoesNotPayIsRefused() {
        ComputeContext.with(\.bfloat16Unit, .avx512) {
            #expect(
                reason(["--precision", "bf16"]) == "--precision is \"bf16\": precision bf16 is slower than fp32 on this processor, which has "
                    + "AVX512-BF16 but no AMX-BF16; use fp32")
        }
    }

    @Test func aBatchCannotExceedTheQueue() {
        let text = "--max-batch is 9, more than REVQ_MAX_QUEUE, which is 8; a batch cannot exceed the queue"
        #expect(reason(["--max-batch", "9"], ["REVQ_MAX_QUEUE": "8"]) == text)
    }
}
