// One step of AdamW, at the speed of memory.

static void adamw(const revq_adamw_step *step, const float *gradient, ptrdiff_t count, float *parameter, float *first, float *second) {
    vfloat keep_first = splat(step->beta1), keep_second = splat(step->beta2);
    for (ptrdiff_t i = 0; i < count; i += LANES) {
        ptrdiff_t left = count - i;
        vfloat g = load_some(gradient + i, left) * splat(step->gradient_scale);
        vfloat m = keep_first * load_some(first + i, left) + (1.0f - keep_first) * g;
        vfloat v = keep_second * load_some(second + i, left) + (1.0f - keep_second) * g * g;
        store_some(first + i, m, left);
        store_some(second + i, v, left);
        vfloat root = __builtin_elementwise_sqrt(v) * splat(step->second_correction) + step->epsilon;
        store_some(
            parameter + i, load_some(parameter + i, left) * splat(step->shrink) - splat(step->step_size) * m / root, left);
    }
}
