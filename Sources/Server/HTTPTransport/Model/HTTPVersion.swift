/// The protocol a request arrived by.
package enum HTTPVersion: String, Sendable, CaseIterable {
    case http1_0 = "HTTP/1.0"
    case http1_1 = "HTTP/1.1"
}
