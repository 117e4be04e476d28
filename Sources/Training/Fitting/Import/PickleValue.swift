/// What a pickle of tensors is made of.
///
/// Lists and dictionaries can hold themselves, so they are named by their place in ``Pickle/containers`` instead of being nested.
enum PickleValue: Equatable {
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    // Boxed, because a pickle has few of them and many of the others.
    indirect case storage(PickleStorage)
    indirect case tensor(PickleTensor)
}

/// The names of Python objects that may appear.
enum PickleGlobal: Equatable {
    case orderedDictionary
    case rebuildTensor
    case storageType(PickleStorage.ElementType)

    /// Nil for every other object of Python.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch", _):
            guard name.hasSuffix("Storage"), let type = PickleStorage.ElementType(rawValue: String(name.dropLast(7))) else { return nil }
            self = .storageType(type)
        default: return nil
        }
    }
}

/// A pickle, read.
struct Pickle {
    /// A tuple's or list's items, or a dictionary's members in order.
    enum Container {
        case items([PickleValue])
        case members([(key: PickleValue, value: PickleValue)])
    }

    let root: PickleValue
    let containers: [Container]

    /// The members of a dictionary under text keys; the last one counts where a key comes twice.
    /// - Returns: nil when `value` is no dictionary.
    func members(of value: PickleValue) -> [String: PickleValue]? {
        guard case .dictionary(let index) = value, case .members(let members) = containers[index] else { return nil }
        var named: [String: PickleValue] = [:]
        for case (.string(let key), let value) in members { named[key] = value }
        return named
    }
}
