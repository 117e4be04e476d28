import HTTPTransport
import Logging

/// Writes one line when a request ends.
struct AccessLog: Sendable {
    private let logger: Logger
    private let request: String
    private let start = ContinuousClock.now

    init(_ head: HTTPRequestHead, logger: Logger) {
        self.logger = logger
        request = "\(head.method.rawValue.shortened) \(head.target.shortened)"
    }

    func answered(_ response: HTTPResponse) {
        logger.info(
            "\(request)",
            metadata: [
                "status": "\(response.status.code)", "bytes": "\(response.body.count)", "milliseconds": "\(milliseconds)",
            ])
    }

    func givenUp(_ reason: HTTPCancellation) {
        logger.info("\(request)", metadata: ["given-up": "\(reason)", "milliseconds": "\(milliseconds)"])
    }

    private var milliseconds: Int {
        Int((start.duration(to: .now) / .milliseconds(1)).rounded())
    }
}
