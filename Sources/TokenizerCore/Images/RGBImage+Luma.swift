extension RGBImage {
    /// Brightness of every pixel, 0 … 255, row-major. Source: ITU-R BT.601.
    package var luma: [Double] {
        pixels.withUnsafeBufferPointer { pixels in
            (0..<width * height).map { index in
                let (red, green, blue) = (Double(pixels[3 * index]), Double(pixels[3 * index + 1]), Double(pixels[3 * index + 2]))
                return 0.299 * red + 0.587 * green + 0.114 * blue
            }
        }
    }
}
