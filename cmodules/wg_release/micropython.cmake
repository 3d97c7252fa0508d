# User module `wgrelease` for ports built with CMake (esp32).
add_library(usermod_wg_release INTERFACE)
target_sources(usermod_wg_release INTERFACE ${CMAKE_CURRENT_LIST_DIR}/modwgrelease.c)
target_link_libraries(usermod INTERFACE usermod_wg_release)
