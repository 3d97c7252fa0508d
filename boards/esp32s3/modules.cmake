# The C modules of the firmware, for py/usermod.cmake.
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wasm3_bridge/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_display/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_release/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_flash/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmodules/wg_console/micropython.cmake)

if(ESP_PLATFORM)
    # The engine's libraries exist before idf_component_register() says which options targets get: they would have
    # none of ESP-IDF's. Of these they need what is about the chip: -mdisable-hardware-atomics, for one, since the
    # instruction behind atomics (s32c1i) does nothing good in PSRAM, where the engine's objects may lie. And the
    # indulgence that ESP-IDF's headers want: that of 5.2's FreeRTOS compares signed and unsigned. Warnings are errors in
    # our own files; wasm3's are its own.
    idf_build_get_property(WG_CHIP_OPTIONS COMPILE_OPTIONS)
    list(FILTER WG_CHIP_OPTIONS INCLUDE REGEX "^(-m|-fstrict-volatile-bitfields$|-Wno-(unused|sign|enum)-)")
    target_compile_options(wg_wasm3 PRIVATE ${WG_CHIP_OPTIONS} -ggdb)
    target_compile_options(wg_engine PRIVATE ${WG_CHIP_OPTIONS} -Werror -ffunction-sections -fdata-sections -ggdb)
    # MicroPython's core as in ports/esp32/mphalport.h, which the engine can't include; it takes the other one.
    target_compile_definitions(wg_engine PRIVATE MP_TASK_COREID=1)

    # ESP-IDF's own definitions are unknown where MicroPython collects names (qstrs): it would miss those of the threads.
    list(APPEND MICROPY_CPP_DEF_EXTRA ESP_PLATFORM)

    # MicroPython 1.26's component has the modules' sources from an interface library that is public: they would be
    # compiled again for the program itself, without optimisation and ESP_PLATFORM, and linked from there. When the
    # component is done, they become its own.
    function(wg_own_sources)
        get_target_property(libraries usermod INTERFACE_LINK_LIBRARIES)
        foreach(library ${libraries})
            get_target_property(sources ${library} INTERFACE_SOURCES)
            if(sources)
                set_property(TARGET ${library} PROPERTY INTERFACE_SOURCES)
                set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-Werror;-Werror=extra")
                target_sources(${MICROPY_TARGET} PRIVATE ${sources})
            endif()
        endforeach()
    endfunction()
    if(CMAKE_VERSION VERSION_LESS 3.19)
        message(FATAL_ERROR "CMake 3.19 or later is needed, this is ${CMAKE_VERSION}: "
            "`python $IDF_PATH/tools/idf_tools.py install cmake` brings a newer one.")
    endif()
    cmake_language(DEFER CALL wg_own_sources)
endif()
