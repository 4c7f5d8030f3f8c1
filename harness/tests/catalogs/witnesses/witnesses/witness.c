/* Takes its time. */
#include <stdint.h>

void witness_spin(uint64_t rounds)
{
    for (volatile uint64_t i = 0; i < rounds; i++)
        ;
}
