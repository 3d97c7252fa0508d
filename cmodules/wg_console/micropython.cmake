# User module `wgconsole` for ports built with CMake (esp32).
add_library(usermod_wg_console INTERFACE)
target_sources(usermod_wg_console INTERFACE ${CMAKE_CURRENT_LIST_DIR}/modwgconsole.c)
target_include_directories(usermod_wg_console INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_options(usermod_wg_console INTERFACE -Wl,--wrap=mp_obj_print_exception)
target_link_libraries(usermod INTERFACE usermod_wg_console)
