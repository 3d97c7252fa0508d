# Read by ports/esp32/CMakeLists.txt before ESP-IDF's project.cmake: what is built, and the settings' fragments.
set(IDF_TARGET esp32s3)

# The partition table's path must be absolute, for this board lies outside of the port; the fragments are
# concatenated without expanding variables, so this line is written here.
set(WG_SDKCONFIG_PARTITIONS ${CMAKE_BINARY_DIR}/sdkconfig.partitions)
file(WRITE ${WG_SDKCONFIG_PARTITIONS}
    "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${MICROPY_BOARD_DIR}/partitions.csv\"\n")

# The firmware's version in the image's description, where `wg release` and esptool read it. MicroPython's fragment has
# it left out.
file(STRINGS ${MICROPY_BOARD_DIR}/../../firmware/wgdisplay/__init__.py WG_VERSION REGEX "^VERSION = ")
string(REGEX REPLACE "^VERSION = \"(.*)\"$" "\\1" WG_VERSION "${WG_VERSION}")
set(WG_SDKCONFIG_VERSION ${CMAKE_BINARY_DIR}/sdkconfig.version)
file(WRITE ${WG_SDKCONFIG_VERSION}
    "CONFIG_APP_EXCLUDE_PROJECT_VER_VAR=n\nCONFIG_APP_PROJECT_VER_FROM_CONFIG=y\nCONFIG_APP_PROJECT_VER=\"${WG_VERSION}\"\n")

# The later one wins. No sdkconfig.ble and no sdkconfig.usb: see mpconfigboard.h.
set(SDKCONFIG_DEFAULTS
    ${CMAKE_SOURCE_DIR}/boards/sdkconfig.base
    ${CMAKE_SOURCE_DIR}/boards/sdkconfig.spiram_sx
    ${CMAKE_SOURCE_DIR}/boards/sdkconfig.240mhz
    ${CMAKE_SOURCE_DIR}/boards/sdkconfig.spiram_oct
    ${MICROPY_BOARD_DIR}/sdkconfig.board
    ${WG_SDKCONFIG_PARTITIONS}
    ${WG_SDKCONFIG_VERSION}
)

set(MICROPY_PY_BTREE OFF)
set(MICROPY_PY_TINYUSB OFF)
set(USER_C_MODULES ${MICROPY_BOARD_DIR}/modules.cmake)
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# MicroPython insists on a checkout of micropython-lib; the firmware takes nothing from it.
set(MICROPY_LIB_DIR ${CMAKE_BINARY_DIR}/no-micropython-lib)
file(WRITE ${MICROPY_LIB_DIR}/README.md "")
