import Testing

@testable import TokenizerCore
