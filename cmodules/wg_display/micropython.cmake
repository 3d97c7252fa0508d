# User module `pixels` for ports built with CMake (esp32).
add_library(usermod_wg_display INTERFACE)
target_sources(usermod_wg_display INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/pixels.c
    ${CMAKE_CURRENT_LIST_DIR}/png.c
    ${CMAKE_CURRENT_LIST_DIR}/qr.c
    ${CMAKE_CURRENT_LIST_DIR}/modpixels.c
)
target_include_directories(usermod_wg_display INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod INTERFACE usermod_wg_display)
