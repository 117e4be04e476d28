/// Kernels that need instruction-set dispatch; see the files beside this one, one per operation.
#pragma once
#include "BFloat16Kernels.h"
#include "Denormals.h"
#include "KernelTable.h"
#include "Patches.h"
