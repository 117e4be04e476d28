/// How another protocol takes the connection over.
extension HTTP1Connection {
    /// What the client says of itself where it would rather speak HTTP/2 from the request in work on.
    var http2Settings: [UInt8]? { framing?.http2Settings }

    /// Hands out what has been received and not been understood, to be understood as another protocol. This one is over.
    mutating func takeInput() -> [UInt8] {
        defer { close() }
        return input.takeAll()
    }

    /// Hands out what the body in work has of the budget, to whoever answers its request in its place.
    mutating func takeReservation() -> BodyReservation? {
        body.take()?.takeReservation()
    }
}
