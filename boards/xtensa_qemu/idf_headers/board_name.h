// What a board says of itself, for cmodules/wg_release.
#pragma once
#define WG_BOARD "XTENSA"
