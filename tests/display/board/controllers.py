"""What the controllers' data sheets say of their commands: {model: {code: (name, number of parameters)}}.

DCS is the common part, in every one of the data sheets: ILI9341 V1.11, 8.2; ILI9342C V1.08, 8.2; ST7789V V1.4, 9.1. Of
number None: any, memory data. `UNLOCK` has to come before the commands of level 2, which are ignored otherwise.
"""

DCS = {
    0x00: ("NOP", 0),
    0x01: ("SWRESET", 0),
    0x10: ("SLPIN", 0),
    0x11: ("SLPOUT", 0),
    0x12: ("PTLON", 0),
    0x13: ("NORON", 0),
    0x20: ("INVOFF", 0),
    0x21: ("INVON", 0),
    0x26: ("GAMSET", 1),
    0x28: ("DISPOFF", 0),
    0x29: ("DISPON", 0),
    0x2A: ("CASET", 4),
    0x2B: ("RASET", 4),
    0x2C: ("RAMWR", None),
    0x30: ("PTLAR", 4),
    0x33: ("VSCRDEF", 6),
    0x34: ("TEOFF", 0),
    0x35: ("TEON", 1),
    0x36: ("MADCTL", 1),
    0x37: ("VSCRSADD", 2),
    0x38: ("IDMOFF", 0),
    0x39: ("IDMON", 0),
    0x3A: ("COLMOD", 1),
    0x3C: ("RAMWRC", None),
    0x44: ("STE", 2),
    0x51: ("WRDISBV", 1),
    0x53: ("WRCTRLD", 1),
    0x55: ("WRCABC", 1),
    0x5E: ("WRCABCMB", 1),
}

# Level 2 of the Ilitek controllers. ILI9341 V1.11, 8.3 and 8.4.
ILI9341 = {
    0xB0: ("IFMODE", 1),
    0xB1: ("FRMCTR1", 2),
    0xB2: ("FRMCTR2", 2),
    0xB3: ("FRMCTR3", 2),
    0xB4: ("INVTR", 1),
    0xB5: ("PRCTR", 4),
    0xB6: ("DISCTRL", 3),  # the fourth parameter is for the RGB interface
    0xB7: ("ETMOD", 1),
    0xC0: ("PWCTRL1", 1),
    0xC1: ("PWCTRL2", 1),
    0xC5: ("VMCTRL1", 2),
    0xC7: ("VMCTRL2", 1),
    0xCB: ("power control A", 5),
    0xCF: ("power control B", 3),
    0xE0: ("PGAMCTRL", 15),
    0xE1: ("NGAMCTRL", 15),
    0xE8: ("driver timing control A", 3),
    0xEA: ("driver timing control B", 2),
    0xED: ("power on sequence control", 4),
    0xF2: ("enable 3G", 1),
    0xF6: ("IFCTL", 3),
    0xF7: ("pump ratio control", 1),
}
# ILI9342C V1.08, 8.3.
ILI9342C = {
    0xB0: ("IFMODE", 1),
    0xB1: ("FRMCTR1", 2),
    0xB2: ("FRMCTR2", 2),
    0xB3: ("FRMCTR3", 2),
    0xB4: ("INVTR", 1),
    0xB5: ("PRCTR", 4),
    0xB6: ("DISCTRL", 4),
    0xB7: ("ETMOD", 1),
    0xC0: ("PWCTRL1", 2),
    0xC1: ("PWCTRL2", 1),
    0xC5: ("VMCTRL1", 1),
    0xC8: ("SETEXTC", 3),
    0xE0: ("PGAMCTRL", 15),
    0xE1: ("NGAMCTRL", 15),
    0xF6: ("IFCTL", 3),
}
# ST7789V V1.4, 9.2.
ST7789 = {
    0xB0: ("RAMCTRL", 2),
    0xB1: ("RGBCTRL", 3),
    0xB2: ("PORCTRL", 5),
    0xB3: ("FRCTRL1", 3),
    0xB7: ("GCTRL", 1),
    0xBA: ("DGMEN", 1),
    0xBB: ("VCOMS", 1),
    0xC0: ("LCMCTRL", 1),
    0xC1: ("IDSET", 3),
    0xC2: ("VDVVRHEN", 1),  # the second parameter is FFh and may be left out
    0xC3: ("VRHS", 1),
    0xC4: ("VDVS", 1),
    0xC5: ("VCMOFSET", 1),
    0xC6: ("FRCTRL2", 1),
    0xC7: ("CABCCTRL", 1),
    0xCC: ("PWMFRSEL", 1),
    0xD0: ("PWCTRL1", 2),
    0xE0: ("PVGAMCTRL", 14),
    0xE1: ("NVGAMCTRL", 14),
    0xE4: ("GATECTRL", 3),
    0xE9: ("EQCTRL", 3),
}

LEVEL_2 = {"ILI9341": ILI9341, "ILI9342C": ILI9342C, "ST7789": ST7789}
UNLOCK = {"ILI9342C": (0xC8, b"\xff\x93\x42")}
# Columns and rows of the memory: ILI9341 V1.11, 1; ILI9342C V1.08, 1; ST7789V V1.4, 1.
MEMORY = {"ILI9341": (240, 320), "ILI9342C": (320, 240), "ST7789": (240, 320)}

# What has to be in the registers when a panel of that kind is on, in the notation of the sources named in the driver.
REGISTERS = {
    "ILI9342C": """C0 0E 0E / C1 02 / C5 D0 / B4 02 / B1 00 1B / B7 06
        E0 00 03 08 06 13 09 39 39 48 02 0A 08 17 17 0F / E1 00 28 29 01 0D 03 3F 33 52 04 0F 0E 37 38 0F""",
    "ILI9341": """CF 00 C1 30 / ED 64 03 12 81 / E8 85 00 78 / CB 39 2C 00 34 02 / F7 20 / EA 00 00 / C0 10 / C1 00
        C5 30 30 / C7 B7 / B1 00 1A / F2 00 / 26 01 / B7 07 / B6 08 82 27
        E0 0F 31 2B 0C 0E 08 4E F1 37 07 10 03 0E 09 00 / E1 00 0E 14 03 11 07 31 C1 48 08 0F 0C 31 36 0F""",
    "ST7789": "B2 0C 0C 00 33 33 / B7 35 / C0 2C / C2 01 / C3 0B / C4 20 / C6 0F / D0 A4 A1",
}


def commands_of(model):
    """{code: number of parameters} of all that a model knows."""
    known = {}
    for table in (DCS, LEVEL_2[model]):
        for code in table:
            known[code] = table[code][1]
    return known


def registers_of(model):
    """{code: parameters} that REGISTERS asks for."""
    wanted = {}
    for line in REGISTERS[model].replace("\n", "/").split("/"):
        if line.strip():
            line = bytes(int(number, 16) for number in line.split())
            wanted[line[0]] = line[1:]
    return wanted
