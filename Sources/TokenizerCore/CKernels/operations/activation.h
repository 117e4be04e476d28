// Each activation has a case in this file and nowhere else in this target; a missing one does not compile.
#pragma clang diagnostic error "-Wswitch"

INLINE vfloat silu_of(vfloat x) { return x / (exponential(-x) + 1.0f); }

INLINE vfloat sigmoid_of(vfloat x) { return splat(1) / (exponential(-x) + 1.0f); }

/// silu'(x), given s = sigmoid(x).
INLINE vfloat silu_slope(vfloat x, vfloat s) { return s * (x * (1.0f - s) + 1.0f); }

INLINE vfloat activated(vfloat x, revq_activation activation) {
    switch (activation) {
    case REVQ_IDENTITY: return x;
    case REVQ_RELU: return maximum(x, splat(0));
    case REVQ_SILU: return silu_of(x);
    }
}

/// activation'(x) · dy
INLINE vfloat activation_gradient(vfloat x, vfloat dy, revq_activation activation) {
    switch (activation) {
    case REVQ_IDENTITY: return dy;
    case REVQ_RELU: return (vfloat)((vbits)(x > splat(0)) & (vbits)dy);
    case REVQ_SILU: return dy * silu_slope(x, sigmoid_of(x));
    }
}

/// Calls `function(activation, …)`, compiled for each activation, so that its loops do not ask which one it is.
#define CALL_FOR_ACTIVATION(activation, function, ...)                                                                \
    switch (activation) {                                                                                             \
    case REVQ_IDENTITY: function(REVQ_IDENTITY, __VA_ARGS__); break;                                                  \
    case REVQ_RELU: function(REVQ_RELU, __VA_ARGS__); break;                                                          \
    case REVQ_SILU: function(REVQ_SILU, __VA_ARGS__); break;                                                          \
    }
