#pragma once
#include "sdkconfig.h"
