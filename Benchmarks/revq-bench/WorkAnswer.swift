import Compute

/// One line that goes back to a driver; what does not apply is absent.
struct WorkAnswer: Encodable {
    /// One kind of operation in a profile.
    struct Share: Encodable {
        let calls: Int
        let milliseconds: Double
        let multiplications: Int
        let floats: Int

        init(_ entry: ComputeProfile.Entry) {
            (calls, milliseconds) = (entry.calls, entry.duration.milliseconds)
            (multiplications, floats) = (entry.cost.multiplications, entry.cost.floats)
        }

        private enum CodingKeys: String, CodingKey {
            case calls, multiplications, floats
            case milliseconds = "ms"
        }
    }

    var operations: [String]?
    var loadMilliseconds: Double?
    var milliseconds: Double?
    var shares: [String: Share]?
    var tensorPeakBytes: Int?
    var sgemmGigaflops: Double?
    var copyGigabytesPerSecond: Double?

    private enum CodingKeys: String, CodingKey {
        case operations, shares
        case loadMilliseconds = "load_ms"
        case milliseconds = "ms"
        case tensorPeakBytes = "tensor_peak_bytes"
        case sgemmGigaflops = "sgemm_gflops"
        case copyGigabytesPerSecond = "copy_gigabytes_per_second"
    }
}
