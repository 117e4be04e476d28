import Hummingbird

/// What revq answers at `/livez`, as Hummingbird's README has it: a router, an encoded answer.
struct Liveness: ResponseEncodable {
    let status = "alive"
}

let router = Router()
router.get("livez") { _, _ in Liveness() }
let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 8080
var application = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
application.logger.logLevel = .error
try await application.runService()
