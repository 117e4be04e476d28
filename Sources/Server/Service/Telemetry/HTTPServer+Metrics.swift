import HTTPTransport
import Synchronization

/// What the transport holds at the moment of a scrape.
extension HTTPServer {
    func write(to text: inout PrometheusText) {
        text.family("revq_http_connections", .gauge, "Connections open.")
        text.sample("revq_http_connections", [], openConnections)
        text.family("revq_http_connections_total", .counter, "Connections, by what became of them.")
        let outcomes = [
            ("accepted", counters.accepted.load(ordering: .relaxed)), ("refused", counters.refused.load(ordering: .relaxed)),
            ("evicted", counters.evicted.load(ordering: .relaxed)), ("expired", counters.expired.load(ordering: .relaxed)),
        ]
        for (outcome, count) in outcomes { text.sample("revq_http_connections_total", [("outcome", outcome)], count) }
        text.family("revq_http_body_bytes", .gauge, "Bytes of request bodies in memory.")
        text.sample("revq_http_body_bytes", [], bufferedBodyBytes)
    }
}
