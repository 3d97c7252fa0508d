# A stand-in for ESP-IDF's build functions, as far as MicroPython's esp32 port and our C modules use them: enough to
# configure the project with the PC's compiler and to see which sources, options and settings would be used. Written
# from the documentation (API guides, "Build System"). What matters and is kept: the early expansion in script mode,
# that idf_component_register() gives options to targets of its folder, and when, and that the program is a target of its
# own, without these options, which inherits what the component makes public.
set(STUB_DIR ${CMAKE_CURRENT_LIST_DIR})
include(${CMAKE_CURRENT_LIST_DIR}/components.cmake)

function(idf_build_set_property name value)
    if("APPEND" IN_LIST ARGN)
        set_property(GLOBAL APPEND PROPERTY STUB_BUILD_${name} "${value}")
    else()
        set_property(GLOBAL PROPERTY STUB_BUILD_${name} "${value}")
    endif()
endfunction()

function(idf_build_get_property variable name)
    get_property(value GLOBAL PROPERTY STUB_BUILD_${name})
    set(${variable} "${value}" PARENT_SCOPE)
endfunction()

function(idf_component_get_property variable component name)
    if(NOT component IN_LIST STUB_COMPONENTS)
        message(FATAL_ERROR "Failed to resolve component '${component}'")
    endif()
    if(NOT name STREQUAL "COMPONENT_LIB")
        message(FATAL_ERROR "the stand-in does not know the property ${name}")
    endif()
    set(${variable} __idf_${component} PARENT_SCOPE)
endfunction()

# The component that MicroPython is: a static library in the folder that called.
function(idf_component_register)
    cmake_parse_arguments(_ "" "" "SRCS;INCLUDE_DIRS;LDFRAGMENTS;REQUIRES" ${ARGN})
    if(__UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "idf_component_register: unknown ${__UNPARSED_ARGUMENTS}")
    endif()
    foreach(component ${__REQUIRES})
        if(NOT component IN_LIST STUB_COMPONENTS)
            message(FATAL_ERROR "Failed to resolve component '${component}'")
        endif()
    endforeach()
    foreach(source ${__SRCS})
        # pins.c and the like are made in the build
        if(NOT EXISTS ${source} AND NOT source MATCHES "^${CMAKE_BINARY_DIR}/")
            message(FATAL_ERROR "idf_component_register: there is no ${source}")
        endif()
    endforeach()
    idf_build_get_property(options COMPILE_OPTIONS)
    idf_build_get_property(definitions COMPILE_DEFINITIONS)
    add_compile_options("${options}")
    add_compile_definitions("${definitions}")
    add_library(__idf_main STATIC ${__SRCS})
    target_include_directories(__idf_main PUBLIC ${__INCLUDE_DIRS} ${STUB_CONFIG_DIR})
    foreach(component ${__REQUIRES})
        # as the real one does: the port then calls target_link_libraries() in its plain form
        set_property(TARGET __idf_main APPEND PROPERTY LINK_LIBRARIES __idf_${component})
        set_property(TARGET __idf_main APPEND PROPERTY INTERFACE_LINK_LIBRARIES __idf_${component})
    endforeach()
    set(COMPONENT_LIB __idf_main PARENT_SCOPE)
    set(COMPONENT_TARGET __idf_main PARENT_SCOPE)
endfunction()

set(IDF_PATH $ENV{IDF_PATH})

macro(project name)
    _project(${name} C ASM)
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
    idf_build_set_property(COMPILE_OPTIONS "-ffunction-sections;-fdata-sections;-Wall;-Werror=all;-Wextra")
    idf_build_set_property(COMPILE_OPTIONS "-Wno-error=extra;-Wno-unused-parameter;-Wno-sign-compare" APPEND)
    idf_build_set_property(COMPILE_OPTIONS "-gdwarf-4;-ggdb;-O2;-fstrict-volatile-bitfields" APPEND)
    # with PSRAM: words in it can't be exchanged by the instruction s32c1i
    idf_build_set_property(COMPILE_OPTIONS "-mdisable-hardware-atomics" APPEND)
    idf_build_set_property(COMPILE_DEFINITIONS "_GNU_SOURCE;IDF_VER=\"v5.4.2\";ESP_PLATFORM")

    # First the requirements only: in a process of its own that knows no targets.
    execute_process(
        COMMAND ${CMAKE_COMMAND} -D COMPONENT_DIR=${CMAKE_CURRENT_SOURCE_DIR}/main -D BOARD_DIR=${MICROPY_BOARD_DIR}
            -D BUILD_DIR=${CMAKE_BINARY_DIR} -P ${STUB_DIR}/requirements.cmake
        RESULT_VARIABLE failed ERROR_VARIABLE requirements)
    if(failed)
        message(FATAL_ERROR "the early expansion of the component failed: ${requirements}")
    endif()

    # sdkconfig: the last value of a key. What CMake sees of it are variables.
    file(STRINGS ${SDKCONFIG_DEFAULTS} lines REGEX "^CONFIG_")
    foreach(line ${lines})
        string(REGEX MATCH "^(CONFIG_[A-Z0-9_]+)=(.*)$" ignored "${line}")
        set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
    endforeach()
    set(CONFIG_IDF_TARGET_ARCH_XTENSA y)
    set(CONFIG_IDF_TARGET_ESP32S3 y)
    set(STUB_CONFIG_DIR ${CMAKE_BINARY_DIR}/config)

    # Each component is a folder of headers; the names show in the compile commands.
    set(__COMPONENT_NAMES_RESOLVED)
    foreach(component ${STUB_COMPONENTS})
        add_library(__idf_${component} INTERFACE)
        target_include_directories(__idf_${component} INTERFACE /idf/components/${component}/include ${STUB_CONFIG_DIR})
        list(APPEND __COMPONENT_NAMES_RESOLVED ${component})
    endforeach()

    set(ESP_PLATFORM 1)
    add_subdirectory(main)
    unset(ESP_PLATFORM)

    file(WRITE ${CMAKE_BINARY_DIR}/project_elf_src.c "")
    add_executable(${name}.elf ${CMAKE_BINARY_DIR}/project_elf_src.c)
    target_link_libraries(${name}.elf __idf_main)
endmacro()
