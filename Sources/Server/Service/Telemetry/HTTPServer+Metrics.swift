import HTTPTransport

/// What the transport holds at the moment of a scrape.
extension HTTPServer {
    func write(to text: inout PrometheusText) {
        let counts = counts
        text.family("revq_http_connections", .gauge, "Connections open.")
        text.sample("revq_http_connections", [], openConnections)
        text.family("revq_http_connections_accepted_total", .counter, "Connections accepted.")
        text.sample("revq_http_connections_accepted_total", [], counts.connectionsAccepted)
        text.family("revq_http_connections_closed_total", .counter, "Connections closed by the server before their client was done, by the reason.")
        for (reason, count) in [
            ("full", counts.connectionsRefusedBecauseFull), ("address", counts.connectionsRefusedByAddress),
            ("descriptors", counts.connectionsRefusedForDescriptors), ("evicted", counts.connectionsEvicted),
            ("head_timeout", counts.headTimeouts), ("body_timeout", counts.bodyTimeouts), ("answer_timeout", counts.answerTimeouts),
            ("write_timeout", counts.writeTimeouts), ("idle", counts.idleTimeouts),
        ] {
            text.sample("revq_http_connections_closed_total", [("reason", reason)], count)
        }
        text.family("revq_http_bytes_total", .counter, "Bytes read and written.")
        text.sample("revq_http_bytes_total", [("direction", "read")], counts.bytesRead)
        text.sample("revq_http_bytes_total", [("direction", "written")], counts.bytesWritten)
        text.family("revq_http_body_bytes", .gauge, "Bytes of request bodies in memory.")
        text.sample("revq_http_body_bytes", [], bufferedBodyBytes)
    }
}
