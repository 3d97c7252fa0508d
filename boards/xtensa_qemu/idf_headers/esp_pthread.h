#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_ERR_NOT_FOUND 0x105

typedef struct {
    size_t stack_size;
    size_t prio;
    bool inherit_cfg;
    const char *thread_name;
    int pin_to_core;
    uint32_t stack_alloc_caps;
} esp_pthread_cfg_t;

esp_pthread_cfg_t esp_pthread_get_default_config(void);
esp_err_t esp_pthread_set_cfg(const esp_pthread_cfg_t *cfg);
esp_err_t esp_pthread_get_cfg(esp_pthread_cfg_t *p);
