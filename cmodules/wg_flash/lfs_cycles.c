// Even wear of LittleFS' own blocks.
//
// LittleFS levels the wear of data blocks by taking the next free one round the partition. A pair
// of metadata blocks, though, stays where it is for `block_cycles` erases, and a directory that is
// changed often erases its pair most of all. MicroPython sets 100 (extmod/vfs_lfsx.c) and has no
// parameter for it: after 10,000 changes of one small file on an otherwise quiet partition of 8 MB
// the busiest block had 16 times the mean of erases. With LFS_BLOCK_CYCLES the pair moves on early,
// so that its blocks have as many as the data's; docs/flash.md has the numbers.
//
// The linker puts these functions between MicroPython and LittleFS (--wrap): its sources stay as
// they are. On flash nothing is different, any LittleFS reads it.

#include "lib/littlefs/lfs2.h"

// Erases of a metadata pair before it moves to other blocks. A move costs an erase and a commit to
// the directory above.
#ifndef LFS_BLOCK_CYCLES
#define LFS_BLOCK_CYCLES (3)
#endif

int __real_lfs2_mount(lfs2_t *lfs, const struct lfs2_config *config);
int __real_lfs2_format(lfs2_t *lfs, const struct lfs2_config *config);
int __wrap_lfs2_mount(lfs2_t *lfs, const struct lfs2_config *config);
int __wrap_lfs2_format(lfs2_t *lfs, const struct lfs2_config *config);

// The configuration is part of MicroPython's VfsLfs2 object, which is not constant.
static const struct lfs2_config *with_cycles(const struct lfs2_config *config) {
    ((struct lfs2_config *)config)->block_cycles = LFS_BLOCK_CYCLES;
    return config;
}

int __wrap_lfs2_mount(lfs2_t *lfs, const struct lfs2_config *config) {
    return __real_lfs2_mount(lfs, with_cycles(config));
}

int __wrap_lfs2_format(lfs2_t *lfs, const struct lfs2_config *config) {
    return __real_lfs2_format(lfs, with_cycles(config));
}
