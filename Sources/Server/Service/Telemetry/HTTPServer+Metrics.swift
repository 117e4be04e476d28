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
        text.family("revq_http_protocol_requests_total", .counter, "Heads of requests read, by the protocol of their connection.")
        text.sample("revq_http_protocol_requests_total", [("protocol", "HTTP/1")], counts.requestsByHTTP1)
        text.sample("revq_http_protocol_requests_total", [("protocol", "HTTP/2")], counts.requestsByHTTP2)
        text.family("revq_http2_connections_total", .counter, "Connections that came to speak HTTP/2.")
        text.sample("revq_http2_connections_total", [], counts.http2Connections)
        text.family("revq_http2_misbehaved_total", .counter, "HTTP/2 connections ended because of what their client did, by what it did.")
        for misbehaviour in HTTP2Misbehaviour.allCases {
            text.sample("revq_http2_misbehaved_total", [("reason", misbehaviour.rawValue)], counts.http2Misbehaviours[misbehaviour] ?? 0)
        }
        text.family("revq_http_bytes_total", .counter, "Bytes read and written.")
        text.sample("revq_http_bytes_total", [("direction", "read")], counts.bytesRead)
        text.sample("revq_http_bytes_total", [("direction", "written")], counts.bytesWritten)
        text.family("revq_http_body_bytes", .gauge, "Bytes of request bodies in memory.")
        text.sample("revq_http_body_bytes", [], bufferedBodyBytes)
    }
}
