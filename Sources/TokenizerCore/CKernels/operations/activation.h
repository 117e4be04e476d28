INLINE vfloat silu_of(vfloat x) { return x / (exponential(-x) + 1.0f); }

INLINE vfloat activated(vfloat x, revq_activation activation) {
    switch (activation) {
    case REVQ_IDENTITY: return x;
    case REVQ_RELU: return maximum(x, splat(0));
    case REVQ_SILU: return silu_of(x);
    }
}
