#pragma once
#define CONFIG_FREERTOS_UNICORE 0
#define CONFIG_SPIRAM 1
