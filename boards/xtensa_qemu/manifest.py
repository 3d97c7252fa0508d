# The product's own Python as on every board. What needs a network or pins is there too, but can't be imported.
freeze("modules")
module("board.py", base_path="../esp32s3")
include("../../firmware/manifest.py")
