/// A run of numbers in a file of its own beside the pickle.
struct PickleStorage: Equatable {
    enum ElementType: String {
        case float32 = "Float"
        case float16 = "Half"
        case bfloat16 = "BFloat16"
        case float64 = "Double"
        case int64 = "Long"
        case int32 = "Int"
        case int16 = "Short"
        case int8 = "Char"
        case uint8 = "Byte"
        case bool = "Bool"

        var bytes: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16, .bfloat16, .int16: 2
            case .int8, .uint8, .bool: 1
            }
        }
    }

    let type: ElementType
    let key: String
    /// How many numbers.
    let count: Int
}

/// A view of a storage.
struct PickleTensor: Equatable {
    let storage: PickleStorage
    /// In numbers, from the storage's start.
    let offset: Int
    let shape: [Int]
    let strides: [Int]

    /// How many numbers the view has.
    var count: Int { shape.reduce(1, *) }

    private static let maximumRank = 16

    /// Nil unless every number of the view lies in the storage and there are at most as many: no number is repeated by a stride of 0.
    init?(_ storage: PickleStorage, offset: Int, shape: [Int], strides: [Int]) {
        guard shape.count == strides.count, shape.count <= Self.maximumRank, offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        var (count, last) = (1, offset)
        for (extent, stride) in zip(shape, strides) {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            let (reach, overflowOfReach) = max(0, extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflowOfSum) = last.addingReportingOverflow(reach)
            guard !overflow, !overflowOfReach, !overflowOfSum else { return nil }
            (count, last) = (product, sum)
        }
        guard count <= storage.count, count == 0 || last < storage.count else { return nil }
        (self.storage, self.offset, self.shape, self.strides) = (storage, offset, shape, strides)
    }
}
