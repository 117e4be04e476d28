import HTTPTransport
import Threads

/// Asks the server that runs with some configuration on this machine whether it is ready: what a container's health check calls.
package struct ReadinessProbe: Sendable {
    static let path = "/readyz"

    /// Health and metrics may have a port of their own, which no other load can keep out. What listens everywhere listens on loopback.
    let address: SocketAddress

    /// - Throws: where nobody can know the port: the server took any that was free.
    package init(_ configuration: ServerConfiguration) throws(ConfigurationError) {
        let port = configuration.adminPort ?? configuration.port
        guard port != 0 else { throw ConfigurationError(description: "--probe wants a port, not 0, which stands for any that is free") }
        let isEverywhere = ["0.0.0.0", "::"].contains(configuration.host)
        address = SocketAddress(host: isEverywhere ? "127.0.0.1" : configuration.host, port: port)
    }

    /// - Parameter limit: for connecting and for the answer, each.
    /// - Returns: whether it is ready, and one line that says what was asked and what came.
    package func ask(within limit: Duration = .seconds(2)) -> (isReady: Bool, line: String) {
        let url = "http://\(address)\(Self.path)"
        do throws(SystemError) {
            guard let answer = try HTTPProbe.get(Self.path, at: address, within: limit) else { return (false, "\(url) answered no HTTP") }
            let body = answer.body.split(whereSeparator: \.isNewline).joined(separator: " ")
            return (answer.status == 200, "\(url) answered \(answer.status): \(body)")
        } catch {
            return (false, "\(url): \(error)")
        }
    }
}
