# The early expansion: the component's CMakeLists.txt as a script, to learn what it requires.
set(CMAKE_BUILD_EARLY_EXPANSION 1)
set(CMAKE_BINARY_DIR ${BUILD_DIR})
set(MICROPY_BOARD_DIR ${BOARD_DIR})

# The real one returns from the CMakeLists.txt, so nothing below it is run.
macro(idf_component_register)
    return()
endmacro()
include(${COMPONENT_DIR}/CMakeLists.txt)
