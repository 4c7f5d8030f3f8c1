/* Population moments in two passes, every addition in the order of the data, so that the result is the same bits everywhere. */
#include <math.h>

#include "bindbench_kernels.h"

bb_status bb_sum(const double *data, size_t length, double *result)
{
    if (length == 0)
        return BB_EMPTY;
    double sum = 0.0;
    for (size_t i = 0; i < length; i++)
        sum += data[i];
    *result = sum;
    return BB_OK;
}

bb_status bb_mean(const double *data, size_t length, double *result)
{
    double sum;
    const bb_status status = bb_sum(data, length, &sum);
    if (status == BB_OK)
        *result = sum / (double)length;
    return status;
}

bb_status bb_var(const double *data, size_t length, double *result)
{
    double mean;
    const bb_status status = bb_mean(data, length, &mean);
    if (status != BB_OK)
        return status;
    double squares = 0.0;
    for (size_t i = 0; i < length; i++) {
        const double deviation = data[i] - mean;
        squares += deviation * deviation;
    }
    *result = squares / (double)length;
    return BB_OK;
}

bb_status bb_std(const double *data, size_t length, double *result)
{
    double variance;
    const bb_status status = bb_var(data, length, &variance);
    if (status == BB_OK)
        *result = sqrt(variance);
    return status;
}
