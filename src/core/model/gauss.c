#include <math.h>

#include "explain.h"

/* Newton's method on the Legendre polynomial P_n, from Tricomi's first guess (Abramowitz and Stegun, 22.16.6). */
void fc_gauss(size_t n, double *x, double *weight)
{
    const double pi = 3.14159265358979323846;

    for (size_t i = 0; i < n; i++) {
        double z = cos(pi * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1;

        for (int round = 0; round < 20; round++) {
            double p = 1, before = 0, step;

            for (size_t k = 1; k <= n; k++) {
                double next =
                    ((2.0 * (double)k - 1) * z * p - ((double)k - 1) * before) / (double)k;

                before = p;
                p = next;
            }
            slope = (double)n * (z * p - before) / (z * z - 1);
            step = p / slope;
            z -= step;
            if (fabs(step) < 1e-16)
                break;
        }
        x[i] = (1 - z) / 2;
        weight[i] = 1 / ((1 - z * z) * slope * slope);
    }
}
