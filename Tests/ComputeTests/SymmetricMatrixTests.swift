import Testing

@testable import Compute

@Suite struct SymmetricMatrixTests {
    /// numpy.linalg.eigvalsh([[4, 1, -2], [1, 3, 0.5], [-2, 0.5, 5]])
    private let matrix = SymmetricMatrix([4, 1, -2, 1, 3, 0.5, -2, 0.5, 5], n: 3)
    private let eigenvalues = [6.576456854441, 3.839336452466, 1.584206693093]

    @Test func eigenvaluesAndVectorsAreNumPys() {
        let (values, vectors) = matrix.eigen()
        #expect(zip(values, eigenvalues).allSatisfy { abs($0 - $1) < 1e-11 })
        for (k, value) in values.enumerated() {
            let vector = vectors[k * 3..<(k + 1) * 3].map { $0 }
            for i in 0..<3 {
                let product = (0..<3).reduce(0) { $0 + matrix[i, $1] * vector[$1] }
                #expect(abs(product - value * vector[i]) < 1e-12)
            }
            #expect(vector.max { abs($0) < abs($1) }! > 0)
        }
    }

    @Test func functionsOfEigenvalues() {
        let root = matrix.mapEigenvalues { $0.squareRoot() }
        let square = root.conjugating(SymmetricMatrix(diagonal: [1, 1, 1]))
        #expect(zip(square.values, matrix.values).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(matrix.trace == 12)
    }
}
