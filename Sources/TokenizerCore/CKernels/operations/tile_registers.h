// AMX's registers, as every product uses them: eight of 16 rows of 64 bytes.

/// A thread that holds any makes the system save 8 KiB at every switch, so they are given back after use.
INLINE void begin_tiles(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } layout = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        layout.row_bytes[i] = 64;
        layout.rows[i] = 16;
    }
    _tile_loadconfig(&layout);
}

INLINE void end_tiles(void) { _tile_release(); }
