#pragma once
#include <cblas.h>

// LAPACK's eigenvalues and eigenvectors of a real symmetric matrix; OpenBLAS contains it.
void dsyev_(
    const char *job, const char *triangle, const int *n, double *matrix, const int *stride, double *eigenvalues, double *work,
    const int *workCount, int *status);
