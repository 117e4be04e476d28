import Testing

@testable import Compute
@testable import Service

@Suite struct ServerConfigurationTests {
    private func reason(_ flags: [Setting: String] = [:], _ environment: [String: String] = [:]) -> String? {
        do {
            _ = try ServerConfiguration(flags: flags, environment: environment)
            return nil
        } catch { return error.description }
    }

    @Test func everySettingHasADefault() throws {
        let configuration = try ServerConfiguration(flags: [:], environment: ["PATH": "/bin"])
        #expect(configuration.checkpoints == "checkpoints")
        #expect(configuration.host == "127.0.0.1")
        #expect(configuration.port == 8080)
        #expect(configuration.threads >= 1)
        #expect(configuration.maxBatch == 8)
        #expect(configuration.maxDelay == .milliseconds(2))
        #expect(configuration.maxQueue == 64)
        #expect(configuration.precision == .float32)
    }

    @Test func variablesAreNamedAfterTheFlags() {
        #expect(Setting.allCases.map(\.flag) == ["--checkpoints", "--host", "--port", "--threads", "--max-batch", "--max-delay-ms", "--max-queue", "--precision"])
        #expect(Setting.allCases.map(\.variable) == [
            "REVQ_CHECKPOINTS", "REVQ_HOST", "REVQ_PORT", "REVQ_THREADS", "REVQ_MAX_BATCH", "REVQ_MAX_DELAY_MS", "REVQ_MAX_QUEUE", "REVQ_PRECISION",
        ])
    }

    @Test func aFlagWinsOverTheEnvironment() throws {
        let configuration = try ServerConfiguration(
            flags: [.port: "1", .maxBatch: "3"], environment: ["REVQ_PORT": "2", "REVQ_HOST": "::1", "REVQ_MAX_DELAY_MS": "0"])
        #expect(configuration.port == 1)
        #expect(configuration.host == "::1")
        #expect(configuration.maxDelay == .zero)
        let listing = configuration.listing.split(separator: "\n")
        #expect(listing.contains("port = 1 (flag)"))
        #expect(listing.contains("host = ::1 (environment)"))
        #expect(listing.contains("max-batch = 3 (flag)"))
        #expect(listing.contains("max-queue = 64 (default)"))
    }

    @Test func anUnknownVariableIsAnError() {
        #expect(reason([:], ["REVQ_PROT": "1"])?.hasPrefix("unknown environment variable REVQ_PROT; known are REVQ_CHECKPOINTS") == true)
    }

    @Test(arguments: [
        (Setting.port, "65536"), (.port, "-1"), (.port, "http"), (.port, ""), (.threads, "0"), (.threads, "2.0"), (.maxBatch, "0"),
        (.maxDelayMilliseconds, "-1"), (.maxDelayMilliseconds, "10001"), (.maxQueue, "0"), (.host, ""), (.checkpoints, ""), (.precision, "fp16"),
    ])
    func aWrongValueIsNamedAsTheUserGaveIt(setting: Setting, value: String) throws {
        #expect(try #require(reason([setting: value])).hasPrefix("\(setting.flag) is "))
        #expect(try #require(reason([:], [setting.variable: value])).hasPrefix("\(setting.variable) is "))
    }

    @Test func reducedPrecisionIsRefusedInOneLineWhereTheProcessorCannot() throws {
        ComputeContext.with(\.bfloat16Unit, nil) {
            let text = reason([:], ["REVQ_PRECISION": "bf16"])
            #expect(text?.hasPrefix("REVQ_PRECISION is \"bf16\": ") == true && text?.contains("\n") == false)
        }
        if ComputeContext.current.bfloat16Unit != nil {
            #expect(try ServerConfiguration(flags: [.precision: "bf16"], environment: [:]).precision == .bfloat16)
        }
    }

    @Test func aBatchCannotExceedTheQueue() {
        #expect(reason([.maxBatch: "9"], ["REVQ_MAX_QUEUE": "8"]) == "--max-batch is 9, more than REVQ_MAX_QUEUE, which is 8; a batch cannot exceed the queue")
    }
}
