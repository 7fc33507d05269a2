// CRC-64/Jones (polynomial 0xad93d23594c935a9, reflected, no inversion), the checksum of RDB files and DUMP
// payloads. Crc64(0, "123456789") is 0xe9c6d914c4b8d9ca; a text in parts gives the same as the text whole.
//
// Costs: where the processor multiplies without carries (PCLMULQDQ: every x86-64 since 2010) 64 bytes a step,
// some 10 GB/s; else by tables, eight bytes a step (Kounavis and Berry, "A Systematic Approach to Building
// High Performance Software-based CRC Generators", 2005), some 1.5 GB/s and 16 KiB of tables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinyon {

uint64_t Crc64(uint64_t crc, const void* bytes, size_t size);

// The way by tables, whatever the processor can; for tests.
uint64_t Crc64ByTables(uint64_t crc, const void* bytes, size_t size);

}  // namespace pinyon
