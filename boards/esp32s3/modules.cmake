# The C modules of the firmware, for py/usermod.cmake.
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wasm3_bridge/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_display/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_release/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_flash/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_console/micropython.cmake)

if(ESP_PLATFORM)
    # The engine's libraries exist before idf_component_register() says which options targets get: they would have
    # none of ESP-IDF's. Warnings are errors in our own files; wasm3's are its own.
    target_compile_options(wg_wasm3 PRIVATE -ggdb)
    target_compile_options(wg_engine PRIVATE -Werror -ffunction-sections -fdata-sections -ggdb)
    # MicroPython's core as in ports/esp32/mphalport.h, which the engine can't include; it takes the other one.
    target_compile_definitions(wg_engine PRIVATE MP_TASK_COREID=1)
endif()
