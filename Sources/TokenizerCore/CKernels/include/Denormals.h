/// Numbers below the smallest normal float cost a processor a hundred times as much as others, and mean nothing here.
#pragma once

/// Makes this thread treat them as zero. Returns what revq_restore_denormals needs.
unsigned long revq_flush_denormals(void);
void revq_restore_denormals(unsigned long before);
