import Testing

@testable import HTTPTransport

@Suite struct SocketAddressTests {
    @Test(
        "An IPv6 client counts by its network, since it may have 2⁶⁴ addresses",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("::1", "::/64"), ("unknown", "unknown"),
        ])
    func origin(_ host: String, _ origin: String) {
        #expect(SocketAddress(host: host, port: 1).origin == origin)
    }
}
