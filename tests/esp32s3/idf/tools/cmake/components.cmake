# ESP-IDF's components that the port names, and those that our C modules name beside them.
set(STUB_COMPONENTS app_update bootloader_support bt driver esp_adc esp_app_format esp_common esp_eth esp_event
    esp_hw_support esp_netif esp_partition esp_pm esp_psram esp_ringbuf esp_rom esp_system esp_timer esp_wifi freertos
    hal heap log lwip mbedtls newlib nvs_flash sdmmc soc spi_flash ulp usb vfs pthread)
