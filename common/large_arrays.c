#include "common/large_arrays.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void large_arrays_map(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 512 << 10);
#endif
}
