# Makes the file system on a data partition that holds none.
import vfs
from flashbdev import bdev


def setup():
    vfs.VfsLfs2.mkfs(bdev)
    fs = vfs.VfsLfs2(bdev)
    vfs.mount(fs, "/")
    return fs
