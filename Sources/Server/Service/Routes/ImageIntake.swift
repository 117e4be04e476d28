import HTTPTransport
import Images

/// Makes the square that a model sees out of an image file, within bounds on time and memory.
struct ImageIntake: Sendable {
    let limits: ImageLimits
    /// Charged with what decoding takes before anything is allocated, until only the square is left.
    let memory: MemoryBudget

    func square(of body: ImageBody, imageSize: Int) throws(Problem) -> RGBImage {
        let header = try Problem.refusing { () throws(ImageError) in
            let header = try ImageHeader.parse(body.file)
            try limits.check(header)
            return header
        }
        try check(body.declaredType, against: header.format)
        let decoded = try Problem.refusing { () throws(MemoryExhausted) in
            try memory.holding(header.bytes(forSquaresOf: imageSize)) {
                Result { () throws(ImageError) in
                    try ImageDecoder.square(body.file, header, imageSize: imageSize, limits: limits)
                }
            }
        }
        return try Problem.refusing { () throws(ImageError) in try decoded.get() }
    }

    private func check(_ declared: String?, against format: ImageHeader.Format) throws(Problem) {
        let found = format == .png ? MediaType.png : MediaType.jpeg
        if let declared, declared != found {
            throw Problem(.imageFormatUnsupported, "the image is said to be \(declared.shortened), but its bytes are \(found)")
        }
    }
}
