extension RGBImage {
    /// Brightness of every pixel, 0 … 255, row-major. Source: ITU-R BT.601.
    package var luma: [Double] {
        let weights = [0.299, 0.587, 0.114]
        var luma = [Double](repeating: 0, count: width * height)
        for (index, value) in pixels.enumerated() { luma[index / 3] += weights[index % 3] * Double(value) }
        return luma
    }
}
