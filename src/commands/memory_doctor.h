// MEMORY DOCTOR: what is conspicuous about an instance's memory, in words.
#pragma once

#include <string>

#include "engine/memory_report.h"

namespace pinyon {

// Whether there is anything to be said, what, and what can be done about it.
std::string DiagnoseMemory(const MemoryReport& report);

}  // namespace pinyon
