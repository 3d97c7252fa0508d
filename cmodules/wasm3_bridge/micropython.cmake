# The engine as a user C module of MicroPython's CMake builds (ESP-IDF). WASM3_SRC: wasm3's sources with our patches, as
# `wg thirdparty patch` makes them.
if(NOT DEFINED WASM3_SRC)
    get_filename_component(WASM3_SRC "${CMAKE_CURRENT_LIST_DIR}/../../build/wasm3/current" REALPATH)
endif()
if(NOT EXISTS "${WASM3_SRC}/m3_env.c")
    message(FATAL_ERROR "wasm3's patched sources are not in ${WASM3_SRC}: run `make setup` first.")
endif()

set(WG_ENGINE_DIR ${CMAKE_CURRENT_LIST_DIR})
set(WG_WASM3_DEFINES
    d_m3MaxFunctionStackHeight=2000
    d_m3MaxConstantTableSize=120
    d_m3VerboseErrorMessages=0
    d_m3CodePageAlignSize=4096
    d_m3MaxNativeStack=0
)

# wasm3 is a library of its own, so that its flags stay on its own objects.
set(WG_WASM3_SOURCES)
foreach(name bind code compile core emit env exec function info module parse validate)
    # those files that this version of wasm3 has
    if(EXISTS ${WASM3_SRC}/m3_${name}.c)
        list(APPEND WG_WASM3_SOURCES ${WASM3_SRC}/m3_${name}.c)
    endif()
endforeach()
add_library(wg_wasm3 STATIC ${WG_WASM3_SOURCES})
target_include_directories(wg_wasm3 PUBLIC ${WASM3_SRC})
target_compile_definitions(wg_wasm3 PRIVATE ${WG_WASM3_DEFINES} M3_IN_IRAM)
target_compile_options(wg_wasm3 PRIVATE -O3 -foptimize-sibling-calls -fomit-frame-pointer -fno-strict-aliasing -fwrapv -fno-math-errno
    -ffunction-sections -fdata-sections
    -Wno-unused-variable -Wno-unused-function -Wno-strict-aliasing -Wno-float-conversion -Wno-double-promotion)

# m3_exec.c holds the opcode handlers, each of which must end in a jump. On Xtensa they are call0 code in a program of
# the windowed ABI: see xtensa/ways.S, and flags.mk for the options. Other than there, they may lie further from the ways
# out than a direct call reaches (512 KB): the linker makes calls direct where it can.
file(STRINGS ${WASM3_SRC}/m3_exec.c WG_HANDLERS_UNIT REGEX "d_m3DefineOps")
execute_process(COMMAND ${CMAKE_C_COMPILER} -dumpmachine OUTPUT_VARIABLE WG_MACHINE)
if(WG_HANDLERS_UNIT)
    if(WG_MACHINE MATCHES "xtensa")
        # what counts there is the stack: 192 bytes for each block within a block, instead of 224
        set_source_files_properties(${WASM3_SRC}/m3_compile.c PROPERTIES COMPILE_OPTIONS "-O2")
        set(WG_WAYS ${WG_ENGINE_DIR}/xtensa/ways.S)
        target_sources(wg_wasm3 PRIVATE ${WG_WAYS})
        set_source_files_properties(${WASM3_SRC}/m3_exec.c PROPERTIES
            COMPILE_OPTIONS "-mabi=call0;-Wa,--abi-windowed;-mlongcalls;-include;${WG_ENGINE_DIR}/xtensa/handlers.h"
            OBJECT_DEPENDS "${WG_ENGINE_DIR}/xtensa/handlers.h;${WG_ENGINE_DIR}/xtensa/calls.inc")
        set_source_files_properties(${WG_WAYS} PROPERTIES OBJECT_DEPENDS ${WG_ENGINE_DIR}/xtensa/calls.inc)
    endif()
    # By the compiler's own prefix: Espressif's compiler names another one, which does not know the chip's core.
    if(NOT CMAKE_OBJDUMP)
        message(FATAL_ERROR "There is no objdump beside ${CMAKE_C_COMPILER}: the handlers of wasm3 can't be checked.")
    endif()
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    add_custom_command(TARGET wg_wasm3 POST_BUILD
        COMMAND ${Python3_EXECUTABLE} -B ${WG_ENGINE_DIR}/check_handlers.py ${CMAKE_OBJDUMP} $<TARGET_OBJECTS:wg_wasm3>
        COMMAND_EXPAND_LISTS VERBATIM)
endif()

# The engine's core knows wasm3 and no MicroPython.
set(WG_ENGINE_SOURCES engine.c module.c heap.c task.c)
if(EXISTS "${WG_ENGINE_DIR}/validate.c")
    list(APPEND WG_ENGINE_SOURCES validate.c)
    set(WG_HAVE_VALIDATE WG_HAVE_VALIDATE=1)
endif()
list(TRANSFORM WG_ENGINE_SOURCES PREPEND ${WG_ENGINE_DIR}/)
add_library(wg_engine STATIC ${WG_ENGINE_SOURCES})
target_compile_definitions(wg_engine PRIVATE ${WG_WASM3_DEFINES} ${WG_HAVE_VALIDATE})
target_compile_options(wg_engine PRIVATE -std=gnu11 -O2 -Wall -Wextra)
target_link_libraries(wg_engine PRIVATE wg_wasm3)

if(ESP_PLATFORM)
    # ESP-IDF's headers: FreeRTOS, pthread, heap capabilities, the timer.
    foreach(component freertos pthread heap esp_timer esp_common)
        idf_component_get_property(library ${component} COMPONENT_LIB)
        target_link_libraries(wg_engine PRIVATE ${library})
        target_link_libraries(wg_wasm3 PRIVATE ${library})
    endforeach()
endif()

file(STRINGS ${WASM3_SRC}/wasm3.h WG_WASM3_VERSION REGEX "define M3_VERSION +\"")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" WG_WASM3_VERSION "${WG_WASM3_VERSION}")

add_library(usermod_wasm3 INTERFACE)
target_sources(usermod_wasm3 INTERFACE ${WG_ENGINE_DIR}/modwasm3.c ${WG_ENGINE_DIR}/buffer.c)
set_source_files_properties(${WG_ENGINE_DIR}/modwasm3.c PROPERTIES
    COMPILE_DEFINITIONS "WG_WASM3_VERSION=\"${WG_WASM3_VERSION}\"")
target_link_libraries(usermod_wasm3 INTERFACE wg_engine)
target_link_libraries(usermod INTERFACE usermod_wasm3)
