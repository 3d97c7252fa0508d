# LittleFS with even wear, for ports built with CMake (esp32); see lfs_cycles.c.
add_library(usermod_wg_flash INTERFACE)
target_sources(usermod_wg_flash INTERFACE ${CMAKE_CURRENT_LIST_DIR}/lfs_cycles.c)
target_link_options(usermod_wg_flash INTERFACE -Wl,--wrap=lfs2_mount -Wl,--wrap=lfs2_format)
target_link_libraries(usermod INTERFACE usermod_wg_flash)
